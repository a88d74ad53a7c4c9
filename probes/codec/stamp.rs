//! STAMP test packets (RFC 8762 sections 4.2 and 4.3; SSID and the TLV area of RFC 8972), and the short ones of
//! TWAMP Light (RFC 5357 appendix I).
//!
//! All numbers are big-endian. The base packet is 44 bytes without and 112 bytes with authentication; what follows it
//! are TLVs. Integrity in authenticated mode is HMAC-SHA-256 cut to 16 bytes over the first 96 bytes. A reply is
//! never longer than the request, so a reflector cannot be used to multiply traffic.

use super::bytes_at;
pub use super::key::{Key, Refused};
use super::ntp::{ErrorEstimate, Timestamp};
use super::stamp_tlv::{self, Met, Told, Wishes};

/// The port that RFC 8762 assigns.
pub const PORT: u16 = 862;
/// A TWAMP-Light header: sequence number, timestamp, error estimate.
const SHORTEST_REQUEST: usize = 14;
/// A TWAMP-Light reply ends with the sender's TTL and has no padding.
const SHORTEST_REPLY: usize = 41;
/// No reflector keeps a question for longer.
const LONGEST_AT_REFLECTOR_S: u32 = 60;
const HMAC_AT: usize = 96;

/// Whether packets carry a message authentication code.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// RFC 8762 section 4.2.1.
    #[default]
    Open,
    /// RFC 8762 section 4.2.2.
    Authenticated(Key),
}

impl Mode {
    /// The length of a base packet.
    pub const fn base(&self) -> usize {
        self.layout().length
    }

    /// Whether a packet is an answer, or too short to tell. A request has zeros, or in TWAMP Light any padding, where an
    /// answer has the time at which its question arrived; an answer leaves at most a minute after that, and both
    /// times are told by one clock, in seconds since 1900 or 1970 in the upper half.
    pub fn may_be_answer(&self, packet: &[u8]) -> bool {
        let layout = self.layout();
        let seconds = |at| u32::from_be_bytes(bytes_at(packet, at));
        let (left, arrived) = (seconds(layout.timestamp), seconds(layout.received));
        packet.len() < layout.received + 8
            || (arrived != 0 && left.wrapping_sub(arrived) <= LONGEST_AT_REFLECTOR_S)
    }

    const fn key(&self) -> Option<&Key> {
        match self {
            Self::Open => None,
            Self::Authenticated(key) => Some(key),
        }
    }

    /// What is behind the base packet.
    fn area<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        packet.get(self.base()..).unwrap_or_default()
    }

    const fn layout(&self) -> &'static Layout {
        match self {
            Self::Open => &OPEN,
            Self::Authenticated(_) => &AUTHENTICATED,
        }
    }

    fn check(&self, packet: &[u8], shortest: usize) -> Result<(), Refused> {
        match self {
            Self::Open if packet.len() < shortest => Err(Refused::Short),
            Self::Authenticated(_) if packet.len() < AUTHENTICATED.length => Err(Refused::Short),
            Self::Authenticated(key)
                if !key.is_code(&[&packet[..HMAC_AT]], &packet[HMAC_AT..HMAC_AT + 16]) =>
            {
                Err(Refused::Forged)
            }
            Self::Open | Self::Authenticated(_) => Ok(()),
        }
    }

    fn seal(&self, packet: &mut [u8]) {
        if let Self::Authenticated(key) = self {
            let code = key.code(&[&packet[..HMAC_AT]]);
            packet[HMAC_AT..HMAC_AT + 16].copy_from_slice(&code);
        }
    }
}

/// Where the fields stand.
struct Layout {
    length: usize,
    timestamp: usize,
    received: usize,
    sender_sequence: usize,
    sender_timestamp: usize,
    sender_ttl: usize,
}

const OPEN: Layout = Layout {
    length: 44,
    timestamp: 4,
    received: 16,
    sender_sequence: 24,
    sender_timestamp: 28,
    sender_ttl: 40,
};
const AUTHENTICATED: Layout = Layout {
    length: 112,
    timestamp: 16,
    received: 32,
    sender_sequence: 48,
    sender_timestamp: 64,
    sender_ttl: 80,
};

/// A timestamp with the error estimate and the session identifier that follow it in every packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// What the clock says of itself.
    pub error: ErrorEstimate,
    /// The session-sender identifier (RFC 8972 section 3), zero where there is none.
    pub ssid: u16,
}

impl Mark {
    fn read(packet: &[u8], at: usize) -> Self {
        Self {
            at: Timestamp(u64::from_be_bytes(bytes_at(packet, at))),
            error: ErrorEstimate(u16::from_be_bytes(bytes_at(packet, at + 8))),
            ssid: u16::from_be_bytes(bytes_at(packet, at + 10)),
        }
    }

    fn write(self, packet: &mut [u8], at: usize) {
        packet[at..at + 8].copy_from_slice(&self.at.0.to_be_bytes());
        packet[at + 8..at + 10].copy_from_slice(&self.error.0.to_be_bytes());
        packet[at + 10..at + 12].copy_from_slice(&self.ssid.to_be_bytes());
    }
}

/// What a session-sender sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Counts from zero.
    pub sequence: u32,
    /// T1.
    pub sent: Mark,
}

impl Request {
    /// Writes a packet of `length` bytes, or the shortest that the mode allows. What is beyond the base
    /// packet is one Extra Padding TLV (RFC 8972 section 4.1).
    pub fn write(&self, mode: &Mode, length: usize) -> Vec<u8> {
        self.write_with(mode, length, &Wishes::default())
    }

    /// The same with TLVs in front of the padding, however long that makes it.
    pub fn write_with(&self, mode: &Mode, length: usize, wishes: &Wishes) -> Vec<u8> {
        let layout = mode.layout();
        let mut packet = vec![0; layout.length];
        packet[..4].copy_from_slice(&self.sequence.to_be_bytes());
        self.sent.write(&mut packet, layout.timestamp);
        mode.seal(&mut packet);
        let room = length.saturating_sub(layout.length);
        packet.extend(stamp_tlv::request(wishes, self.sequence, mode.key(), room));
        packet
    }

    /// Reads a request; a short one is filled with zeros.
    pub fn read(mode: &Mode, packet: &[u8]) -> Result<Self, Refused> {
        mode.check(packet, SHORTEST_REQUEST)?;
        Ok(Self {
            sequence: u32::from_be_bytes(bytes_at(packet, 0)),
            sent: Mark::read(packet, mode.layout().timestamp),
        })
    }
}

/// What a session-reflector answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The reflector's own count, where it keeps one.
    pub sequence: u32,
    /// T3.
    pub sent: Mark,
    /// T2.
    pub received: Timestamp,
    /// The request's number.
    pub sender_sequence: u32,
    /// T1, as the request said.
    pub sender: Mark,
    /// The TTL or hop limit with which the request arrived.
    pub sender_ttl: u8,
}

impl Reply {
    /// Writes the reply to `request`, which must have been read before: as long as the request, never longer.
    pub fn write(&self, mode: &Mode, request: &[u8]) -> Vec<u8> {
        self.write_met(mode, request, &Met::default()).0
    }

    /// The same with what the reflector knows of the request; and the DSCP that the reply is to have, if the request
    /// names one.
    pub fn write_met(&self, mode: &Mode, request: &[u8], met: &Met) -> (Vec<u8>, Option<u8>) {
        let layout = mode.layout();
        let mut packet = vec![0; layout.length];
        packet[..4].copy_from_slice(&self.sequence.to_be_bytes());
        self.sent.write(&mut packet, layout.timestamp);
        packet[layout.received..layout.received + 8].copy_from_slice(&self.received.0.to_be_bytes());
        let sender = layout.sender_sequence;
        packet[sender..sender + 4].copy_from_slice(&self.sender_sequence.to_be_bytes());
        // Only the sender's time and what it thinks of it go back: the SSID stands in front, and here is zero.
        Mark { ssid: 0, ..self.sender }.write(&mut packet, layout.sender_timestamp);
        packet[layout.sender_ttl] = self.sender_ttl;
        mode.seal(&mut packet);
        let tlvs =
            stamp_tlv::reflect(mode.area(request), self.sender_sequence, self.sequence, mode.key(), met);
        packet.extend(tlvs.area);
        packet.truncate(request.len());
        (packet, tlvs.dscp)
    }

    /// What a reply that was read says beside the base packet.
    pub fn told(&self, mode: &Mode, packet: &[u8]) -> Result<Told, Refused> {
        stamp_tlv::read(mode.area(packet), self.sequence, mode.key())
    }

    /// Reads a reply; one without the last three bytes of padding comes from TWAMP Light.
    pub fn read(mode: &Mode, packet: &[u8]) -> Result<Self, Refused> {
        mode.check(packet, SHORTEST_REPLY)?;
        let layout = mode.layout();
        Ok(Self {
            sequence: u32::from_be_bytes(bytes_at(packet, 0)),
            sent: Mark::read(packet, layout.timestamp),
            received: Timestamp(u64::from_be_bytes(bytes_at(packet, layout.received))),
            sender_sequence: u32::from_be_bytes(bytes_at(packet, layout.sender_sequence)),
            sender: Mark::read(packet, layout.sender_timestamp),
            sender_ttl: bytes_at::<1>(packet, layout.sender_ttl)[0],
        })
    }
}

#[cfg(test)]
#[path = "stamp_tests.rs"]
mod tests;
