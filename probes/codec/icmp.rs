//! ICMP echo, version 4 (RFC 792) and 6 (RFC 4443 section 4).
//!
//! The checksum of version 6 covers a pseudo-header with addresses that the kernel chooses, so the kernel
//! fills it in (RFC 3542 section 3.1); ours is written for version 4 only.

use super::bytes_at;

/// Which of the two protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// ICMP.
    V4,
    /// ICMPv6.
    V6,
}

impl Version {
    const fn request(self) -> u8 {
        if matches!(self, Self::V4) { 8 } else { 128 }
    }

    const fn reply(self) -> u8 {
        if matches!(self, Self::V4) { 0 } else { 129 }
    }
}

/// The length of an echo header.
pub const HEADER: usize = 8;

/// An echo request or reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo<'a> {
    /// Tells our requests from those of others on a raw socket. On a datagram socket the kernel chooses it.
    pub identifier: u16,
    /// The low 16 bits of the probe's number.
    pub sequence: u16,
    /// Comes back as it was sent.
    pub payload: &'a [u8],
}

/// Writes an echo request.
pub fn request(version: Version, echo: &Echo<'_>) -> Vec<u8> {
    write(version, version.request(), echo)
}

/// Writes an echo reply.
pub fn reply(version: Version, echo: &Echo<'_>) -> Vec<u8> {
    write(version, version.reply(), echo)
}

/// Reads an echo reply; `None` for anything else. An IPv4 header in front, as raw sockets give it, is skipped.
pub fn read_reply(version: Version, packet: &[u8]) -> Option<Echo<'_>> {
    read(version, version.reply(), packet)
}

/// Reads an echo request; `None` for anything else.
pub fn read_request(version: Version, packet: &[u8]) -> Option<Echo<'_>> {
    read(version, version.request(), packet)
}

/// The identifier and sequence of an echo request of which an error quotes the beginning, with what is quoted of its
/// payload; `None` for anything else. Its checksum covers more than the quote, so it is not looked at.
pub fn read_quoted(version: Version, quoted: &[u8]) -> Option<Echo<'_>> {
    (quoted.len() >= HEADER && quoted[..2] == [version.request(), 0]).then(|| Echo {
        identifier: u16::from_be_bytes(bytes_at(quoted, 4)),
        sequence: u16::from_be_bytes(bytes_at(quoted, 6)),
        payload: &quoted[HEADER..],
    })
}

/// The time to live in the IPv4 header that a raw socket hands over with the packet.
pub fn ttl_of_raw(packet: &[u8]) -> Option<u8> {
    ip_header(packet).map(|_| packet[8])
}

fn write(version: Version, kind: u8, echo: &Echo<'_>) -> Vec<u8> {
    let mut packet = vec![kind, 0, 0, 0];
    packet.extend_from_slice(&echo.identifier.to_be_bytes());
    packet.extend_from_slice(&echo.sequence.to_be_bytes());
    packet.extend_from_slice(echo.payload);
    if version == Version::V4 {
        let sum = checksum(&packet);
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    packet
}

fn read(version: Version, kind: u8, packet: &[u8]) -> Option<Echo<'_>> {
    let body = match version {
        Version::V4 => packet.get(ip_header(packet).unwrap_or(0)..)?,
        Version::V6 => packet,
    };
    if body.len() < HEADER || body[0] != kind || body[1] != 0 {
        return None;
    }
    if version == Version::V4 && checksum(body) != 0 {
        return None;
    }
    Some(Echo {
        identifier: u16::from_be_bytes(bytes_at(body, 4)),
        sequence: u16::from_be_bytes(bytes_at(body, 6)),
        payload: &body[HEADER..],
    })
}

/// The length of an IPv4 header that carries ICMP, if one stands in front. No echo message starts with 0x4?.
fn ip_header(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    let length = usize::from(first & 0x0f) * 4;
    (first >> 4 == 4 && length >= 20 && packet.len() >= length && packet[9] == 1).then_some(length)
}

/// The Internet checksum (RFC 1071). Over a message that holds its own checksum it is zero.
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_echo_request_has_these_bytes() {
        let echo = Echo { identifier: 0x1234, sequence: 1, payload: b"ab" };
        // 0800 + 1234 + 0001 + 6162 = 0x7b97; its complement is 0x8468.
        assert_eq!(request(Version::V4, &echo), [8, 0, 0x84, 0x68, 0x12, 0x34, 0, 1, b'a', b'b']);
        assert_eq!(request(Version::V6, &echo), [128, 0, 0, 0, 0x12, 0x34, 0, 1, b'a', b'b']);
    }

    #[test]
    fn the_checksum_is_that_of_the_worked_example() {
        // RFC 1071 section 3: 0001 f203 f4f5 f6f7 sums to ddf2, so the checksum is 220d.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0x220d);
    }

    #[test]
    fn a_reply_is_read_behind_an_ip_header() {
        let echo = Echo { identifier: 7, sequence: 9, payload: b"xyz" };
        let mut packet = vec![0x45, 0, 0, 31, 0, 0, 0, 0, 57, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet.extend(reply(Version::V4, &echo));
        assert_eq!(read_reply(Version::V4, &packet), Some(echo));
        assert_eq!(ttl_of_raw(&packet), Some(57));
        assert_eq!(read_request(Version::V4, &packet), None, "a reply is not a request");
    }

    #[test]
    fn a_damaged_reply_is_not_a_reply() {
        let mut packet = reply(Version::V4, &Echo { identifier: 7, sequence: 9, payload: b"xyz" });
        packet[9] ^= 1;
        assert_eq!(read_reply(Version::V4, &packet), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(identifier: u16, sequence: u16, payload: Vec<u8>, six: bool) {
            let version = if six { Version::V6 } else { Version::V4 };
            let echo = Echo { identifier, sequence, payload: &payload };
            let (asked, answered) = (request(version, &echo), reply(version, &echo));
            prop_assert_eq!(read_request(version, &asked), Some(echo));
            prop_assert_eq!(read_reply(version, &answered), Some(echo));
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            for version in [Version::V4, Version::V6] {
                let _ = (read_reply(version, &bytes), read_request(version, &bytes), ttl_of_raw(&bytes));
                let _ = read_quoted(version, &bytes);
            }
        }
    }
}
