//! STAMP test packets (RFC 8762 sections 4.2 and 4.3; SSID and the TLV area of RFC 8972), and the short ones of
//! TWAMP Light (RFC 5357 appendix I).
//!
//! All numbers are big-endian. The base packet is 44 bytes without and 112 bytes with authentication; what follows it
//! are TLVs. Integrity in authenticated mode is HMAC-SHA-256 cut to 16 bytes over the first 96 bytes. A reply is
//! never longer than the request, so a reflector cannot be used to multiply traffic.

use super::bytes_at;
use super::ntp::{ErrorEstimate, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The port that RFC 8762 assigns.
pub const PORT: u16 = 862;
/// A TWAMP-Light header: sequence number, timestamp, error estimate.
const SHORTEST_REQUEST: usize = 14;
/// A TWAMP-Light reply ends with the sender's TTL and has no padding.
const SHORTEST_REPLY: usize = 41;
/// No reflector keeps a question for longer.
const LONGEST_AT_REFLECTOR_S: u32 = 60;
const HMAC_AT: usize = 96;
const TLV_HEADER: usize = 4;
const UNRECOGNISED: u8 = 0x80;
const MALFORMED: u8 = 0x40;
const TLV_EXTRA_PADDING: u8 = 1;

/// A shared secret of authenticated mode.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// From the secret's bytes; `None` for an empty one.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    fn seal(&self, packet: &mut [u8]) {
        let mut mac = self.0.clone();
        mac.update(&packet[..HMAC_AT]);
        packet[HMAC_AT..HMAC_AT + 16].copy_from_slice(&mac.finalize().into_bytes()[..16]);
    }

    fn sealed(&self, packet: &[u8]) -> bool {
        let mut mac = self.0.clone();
        mac.update(&packet[..HMAC_AT]);
        mac.verify_truncated_left(&packet[HMAC_AT..HMAC_AT + 16]).is_ok()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(hidden)")
    }
}

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
            Self::Authenticated(key) if !key.sealed(packet) => Err(Refused::Forged),
            Self::Open | Self::Authenticated(_) => Ok(()),
        }
    }

    fn seal(&self, packet: &mut [u8]) {
        if let Self::Authenticated(key) = self {
            key.seal(packet);
        }
    }
}

/// Why a packet is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It ends before its fields do.
    #[error("packet too short for its mode")]
    Short,
    /// The code does not match: another key, or no key, or changed on the way.
    #[error("message authentication code does not match")]
    Forged,
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
        let layout = mode.layout();
        let mut packet = vec![0; layout.length];
        packet[..4].copy_from_slice(&self.sequence.to_be_bytes());
        self.sent.write(&mut packet, layout.timestamp);
        mode.seal(&mut packet);
        if let Some(padding) = length.checked_sub(layout.length + TLV_HEADER) {
            packet.extend_from_slice(&[UNRECOGNISED, TLV_EXTRA_PADDING]);
            let padding = padding.min(usize::from(u16::MAX));
            packet.extend_from_slice(&(padding as u16).to_be_bytes());
            packet.resize(packet.len() + padding, 0);
        }
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
        let layout = mode.layout();
        let mut packet = vec![0; layout.length];
        packet[..4].copy_from_slice(&self.sequence.to_be_bytes());
        self.sent.write(&mut packet, layout.timestamp);
        packet[layout.received..layout.received + 8].copy_from_slice(&self.received.0.to_be_bytes());
        let sender = layout.sender_sequence;
        packet[sender..sender + 4].copy_from_slice(&self.sender_sequence.to_be_bytes());
        self.sender.write(&mut packet, layout.sender_timestamp);
        packet[layout.sender_ttl] = self.sender_ttl;
        mode.seal(&mut packet);
        packet.extend(reflect_tlvs(request.get(layout.length..).unwrap_or_default()));
        packet.truncate(request.len());
        packet
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

/// The TLV area as a reflector returns it: padding is understood, everything else is marked unrecognised, and
/// a TLV that runs past the end is marked malformed (RFC 8972 section 4). The length stays.
fn reflect_tlvs(area: &[u8]) -> Vec<u8> {
    let mut out = area.to_vec();
    let mut at = 0;
    while let Some(&[flags, kind, high, low]) = out.get(at..at + TLV_HEADER) {
        if kind == 0 {
            break; // plain TWAMP padding, not TLVs
        }
        let end = at + TLV_HEADER + usize::from(u16::from_be_bytes([high, low]));
        if end > out.len() {
            out[at] = flags | MALFORMED;
            break;
        }
        out[at] = if kind == TLV_EXTRA_PADDING { flags & !UNRECOGNISED } else { flags | UNRECOGNISED };
        at = end;
    }
    out
}

#[cfg(test)]
#[path = "stamp_tests.rs"]
mod tests;
