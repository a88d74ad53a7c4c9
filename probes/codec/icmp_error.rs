//! ICMP errors and the packet that each quotes: time exceeded and unreachable, version 4 (RFC 792) and 6 (RFC 4443
//! section 3), with the quote's length of RFC 4884.
//!
//! A router quotes the IP header of the packet that it dropped and at least eight bytes behind it. Nothing here trusts
//! the quote further than its length. What it cannot tell: whether the router that is named is the one
//! that dropped the packet; and the checksum of version 6, which the kernel has checked.

use super::bytes_at;
use super::icmp::{Version, checksum};
use serde::Serialize;
use std::net::IpAddr;

/// The header in front of the quote.
const HEADER: usize = 8;
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
/// The protocol number of UDP.
pub const UDP: u8 = 17;
/// The protocol number of ICMP.
pub const ICMP: u8 = 1;
/// The protocol number of ICMPv6.
pub const ICMPV6: u8 = 58;

/// What an ICMP error says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The time to live ran out on the way.
    TimeExceeded,
    /// No way to the network.
    NetworkUnreachable,
    /// No way to the host.
    HostUnreachable,
    /// The host does not speak the protocol.
    ProtocolUnreachable,
    /// Nobody listens on the port: the packet got there.
    PortUnreachable,
    /// Too large for the next link.
    TooBig,
    /// Somebody does not allow it.
    Prohibited,
    /// Unreachable for another reason.
    Unreachable,
}

impl Trouble {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::TimeExceeded,
        Self::NetworkUnreachable,
        Self::HostUnreachable,
        Self::ProtocolUnreachable,
        Self::PortUnreachable,
        Self::TooBig,
        Self::Prohibited,
        Self::Unreachable,
    ];

    /// From type and code; `None` for what is no such error.
    pub const fn of(version: Version, kind: u8, code: u8) -> Option<Self> {
        Some(match (version, kind, code) {
            (Version::V4, 11, 0) | (Version::V6, 3, 0) => Self::TimeExceeded,
            (Version::V4, 3, 0 | 6 | 11) | (Version::V6, 1, 0) => Self::NetworkUnreachable,
            (Version::V4, 3, 1 | 7 | 12) | (Version::V6, 1, 3) => Self::HostUnreachable,
            (Version::V4, 3, 2) | (Version::V6, 4, 1) => Self::ProtocolUnreachable,
            (Version::V4, 3, 3) | (Version::V6, 1, 4) => Self::PortUnreachable,
            (Version::V4, 3, 4) | (Version::V6, 2, 0) => Self::TooBig,
            (Version::V4, 3, 9 | 10 | 13) | (Version::V6, 1, 1 | 5 | 6) => Self::Prohibited,
            (Version::V4, 3, _) | (Version::V6, 1, _) => Self::Unreachable,
            _ => return None,
        })
    }

    const fn numbers(self, version: Version) -> (u8, u8) {
        match (version, self) {
            (Version::V4, Self::TimeExceeded) => (11, 0),
            (Version::V4, Self::NetworkUnreachable) | (Version::V6, Self::TimeExceeded) => (3, 0),
            (Version::V4, Self::HostUnreachable) => (3, 1),
            (Version::V4, Self::ProtocolUnreachable) => (3, 2),
            (Version::V4, Self::PortUnreachable) => (3, 3),
            (Version::V4, Self::TooBig) => (3, 4),
            (Version::V4, Self::Prohibited) => (3, 13),
            (Version::V4, Self::Unreachable) => (3, 5),
            (Version::V6, Self::NetworkUnreachable) => (1, 0),
            (Version::V6, Self::HostUnreachable) => (1, 3),
            (Version::V6, Self::ProtocolUnreachable) => (4, 1),
            (Version::V6, Self::PortUnreachable) => (1, 4),
            (Version::V6, Self::TooBig) => (2, 0),
            (Version::V6, Self::Prohibited) => (1, 1),
            (Version::V6, Self::Unreachable) => (1, 2),
        }
    }

    /// The word in results.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TimeExceeded => "time exceeded",
            Self::NetworkUnreachable => "network unreachable",
            Self::HostUnreachable => "host unreachable",
            Self::ProtocolUnreachable => "protocol unreachable",
            Self::PortUnreachable => "port unreachable",
            Self::TooBig => "too big",
            Self::Prohibited => "prohibited",
            Self::Unreachable => "unreachable",
        }
    }
}

/// The packet that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote<'a> {
    /// Who sent it: we, or whom a translator on the way made of us.
    pub from: IpAddr,
    /// To whom.
    pub to: IpAddr,
    /// The time to live that it had left.
    pub ttl: u8,
    /// What it carried, as the IP header says.
    pub protocol: u8,
    /// As much as is quoted of that, from its own header on.
    pub body: &'a [u8],
}

/// Reads an error, without the IP header that carried it; `None` for anything else.
pub fn read(version: Version, message: &[u8]) -> Option<(Trouble, Quote<'_>)> {
    let quoted = message.get(HEADER..)?;
    let trouble = Trouble::of(version, message[0], message[1])?;
    let (quote, said) = match version {
        Version::V4 if checksum(message) != 0 => return None,
        Version::V4 => (read_ipv4(quoted)?, usize::from(message[5]) * 4),
        Version::V6 => (read_ipv6(quoted)?, usize::from(message[4]) * 8),
    };
    // RFC 4884: what follows the original datagram is not of it.
    let header = quoted.len() - quote.body.len();
    let body = if said > header { quote.body.get(..said - header).unwrap_or(quote.body) } else { quote.body };
    Some((trouble, Quote { body, ..quote }))
}

fn read_ipv4(packet: &[u8]) -> Option<Quote<'_>> {
    let first = *packet.first()?;
    let header = usize::from(first & 0x0f) * 4;
    let fragment = u16::from_be_bytes(bytes_at(packet, 6)) & 0x1fff;
    if first >> 4 != 4 || header < IPV4_HEADER || packet.len() < header || fragment != 0 {
        return None;
    }
    Some(Quote {
        from: IpAddr::V4(bytes_at::<4>(packet, 12).into()),
        to: IpAddr::V4(bytes_at::<4>(packet, 16).into()),
        ttl: packet[8],
        protocol: packet[9],
        body: &packet[header..],
    })
}

fn read_ipv6(packet: &[u8]) -> Option<Quote<'_>> {
    if packet.len() < IPV6_HEADER || packet[0] >> 4 != 6 {
        return None;
    }
    let (mut protocol, mut at) = (packet[6], IPV6_HEADER);
    // Hop-by-hop options, routing and destination options may stand between (RFC 8200 section 4).
    while let (0 | 43 | 60, Some(&[next, length])) = (protocol, packet.get(at..at + 2)) {
        protocol = next;
        at += (usize::from(length) + 1) * 8;
    }
    Some(Quote {
        from: IpAddr::V6(bytes_at::<16>(packet, 8).into()),
        to: IpAddr::V6(bytes_at::<16>(packet, 24).into()),
        ttl: packet[7],
        protocol,
        body: packet.get(at..).unwrap_or_default(),
    })
}

/// Writes an error that quotes `most` bytes of the packet's body at most; `None` where the addresses are of two
/// families, or not of this version.
pub fn write(version: Version, trouble: Trouble, quote: &Quote<'_>, most: usize) -> Option<Vec<u8>> {
    let (kind, code) = trouble.numbers(version);
    let mut out = vec![kind, code, 0, 0, 0, 0, 0, 0];
    match (version, quote.from, quote.to) {
        (Version::V4, IpAddr::V4(from), IpAddr::V4(to)) => {
            let total = (IPV4_HEADER + quote.body.len()).min(usize::from(u16::MAX)) as u16;
            let at = out.len();
            out.extend_from_slice(&[0x45, 0]);
            out.extend_from_slice(&total.to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, 0, quote.ttl, quote.protocol, 0, 0]);
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
            let sum = checksum(&out[at..]);
            out[at + 10..at + 12].copy_from_slice(&sum.to_be_bytes());
        }
        (Version::V6, IpAddr::V6(from), IpAddr::V6(to)) => {
            let total = quote.body.len().min(usize::from(u16::MAX)) as u16;
            out.extend_from_slice(&[0x60, 0, 0, 0]);
            out.extend_from_slice(&total.to_be_bytes());
            out.extend_from_slice(&[quote.protocol, quote.ttl]);
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
        }
        _ => return None,
    }
    out.extend_from_slice(&quote.body[..quote.body.len().min(most)]);
    if version == Version::V4 {
        let sum = checksum(&out);
        out[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quote(body: &[u8]) -> Quote<'_> {
        Quote {
            from: "192.0.2.1".parse().unwrap(),
            to: "198.51.100.7".parse().unwrap(),
            ttl: 1,
            protocol: UDP,
            body,
        }
    }

    #[test]
    fn a_time_exceeded_message_has_these_bytes() {
        // RFC 792: type 11, code 0, checksum, four unused bytes, then the header and eight bytes of its data.
        let written =
            write(Version::V4, Trouble::TimeExceeded, &quote(&[1, 2, 3, 4, 5, 6, 7, 8, 9]), 8).unwrap();
        assert_eq!(written[..2], [11, 0]);
        assert_eq!(written[4..10], [0, 0, 0, 0, 0x45, 0]);
        assert_eq!(written[10..12], [0, 29], "the length of the packet, not of the quote");
        assert_eq!(written[16..18], [1, 17]);
        assert_eq!(written[20..28], [192, 0, 2, 1, 198, 51, 100, 7]);
        assert_eq!(written[28..], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((checksum(&written), checksum(&written[8..28])), (0, 0));
    }

    #[test]
    fn what_follows_the_original_datagram_is_not_quoted() {
        // RFC 4884: the length of the original datagram in words of four bytes, padded to 128; then extensions.
        let mut message = write(Version::V4, Trouble::TimeExceeded, &quote(&[7; 200]), 108).unwrap();
        message[5] = 32;
        message.extend([0x20, 0, 0, 0, 0, 8, 1, 1, 0, 1, 0, 1]);
        message[2..4].copy_from_slice(&[0, 0]);
        let sum = checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        let (_, read) = read(Version::V4, &message).unwrap();
        assert_eq!(read.body, [7; 108]);
    }

    #[test]
    fn a_damaged_message_and_a_later_fragment_are_not_read() {
        let mut message = write(Version::V4, Trouble::TimeExceeded, &quote(&[7; 8]), 8).unwrap();
        message[20] ^= 1;
        assert_eq!(read(Version::V4, &message), None);
        message[20] ^= 1;
        message[15] = 1;
        message[2..4].copy_from_slice(&[0, 0]);
        let sum = checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(read(Version::V4, &message), None);
    }

    #[test]
    fn headers_between_are_walked_over() {
        let from = "2001:db8::1".parse().unwrap();
        let body = [UDP, 0, 0, 0, 0, 0, 0, 0, 9, 9];
        let six = Quote { from, to: "2001:db8::2".parse().unwrap(), ttl: 0, protocol: 60, body: &body };
        let message = write(Version::V6, Trouble::PortUnreachable, &six, 64).unwrap();
        let (trouble, read) = read(Version::V6, &message).unwrap();
        assert_eq!((trouble, read.protocol, read.body), (Trouble::PortUnreachable, UDP, &[9, 9][..]));
    }

    #[test]
    fn every_error_has_numbers_that_mean_it() {
        for version in [Version::V4, Version::V6] {
            for trouble in Trouble::ALL {
                let (kind, code) = trouble.numbers(version);
                assert_eq!(Trouble::of(version, kind, code), Some(trouble));
            }
            assert_eq!(Trouble::of(version, 0, 0), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            trouble in 0_usize..8, (a, b) in any::<(u128, u128)>(), (ttl, protocol) in any::<(u8, u8)>(),
            body in proptest::collection::vec(any::<u8>(), 0..64), six in any::<bool>(),
        ) {
            prop_assume!(!six || ![0, 43, 60].contains(&protocol));
            let (version, from, to) = if six {
                (Version::V6, IpAddr::V6(a.into()), IpAddr::V6(b.into()))
            } else {
                (Version::V4, IpAddr::V4((a as u32).into()), IpAddr::V4((b as u32).into()))
            };
            let quote = Quote { from, to, ttl, protocol, body: &body };
            let message = write(version, Trouble::ALL[trouble], &quote, usize::MAX).unwrap();
            prop_assert_eq!(read(version, &message), Some((Trouble::ALL[trouble], quote)));
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            for version in [Version::V4, Version::V6] {
                if let Some((_, quote)) = read(version, &bytes) {
                    prop_assert!(quote.body.len() < bytes.len());
                }
            }
        }
    }
}
