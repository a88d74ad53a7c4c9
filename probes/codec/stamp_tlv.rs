//! What STAMP packets carry behind the base packet: TLVs (RFC 8972 section 4).
//!
//! Each is flags, type, length, value. A reflector returns them all, in their order and length, so that a reply is as long
//! as its request and never longer: those it understands with what they ask for, the others marked unrecognised. In
//! authenticated mode an HMAC TLV seals the sequence number and every TLV before it; without it, or with a wrong
//! one, nothing is processed and every TLV is marked. Understood here: extra padding, location (not the link-layer
//! address, which a socket does not see), timestamp information, class of service and direct measurement.

use super::bytes_at;
use super::key::{Key, Refused};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const HEADER: usize = 4;
const UNRECOGNISED: u8 = 0x80;
const MALFORMED: u8 = 0x40;
const INTEGRITY: u8 = 0x20;

const PADDING: u8 = 1;
const LOCATION: u8 = 2;
const TIMESTAMPS: u8 = 3;
const CLASS: u8 = 4;
const COUNTERS: u8 = 5;
const HMAC: u8 = 8;
const HMAC_LENGTH: usize = 16;

/// Sub-TLVs of a location, as they are asked for and as they are answered for IPv4 and for IPv6.
const DESTINATION: [u8; 3] = [4, 5, 6];
const SOURCE: [u8; 3] = [7, 8, 9];
/// Every address stands in sixteen bytes.
const ADDRESS: usize = 16;

/// Of RFC 8972 section 4.3: who keeps a clock, and who took a stamp.
const KEPT_BY_NTP: u8 = 1;
const FREE_RUNNING: u8 = 5;
const BY_SOFTWARE: u8 = 2;

/// What a sender wants to know beside the base packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// From which address and port its packets seem to come.
    pub location: bool,
    /// How the reflector took its stamps.
    pub timestamps: bool,
    /// Under which DSCP its packets arrive; the replies are to have this one.
    pub reply_dscp: Option<u8>,
    /// The reflector's counts; this is the sender's own, with this packet.
    pub counters: Option<u32>,
}

impl Wishes {
    /// How long the TLVs are, without padding.
    pub const fn length(&self, sealed: bool) -> usize {
        let mut length = 0;
        if self.location {
            length += HEADER + 4 + 2 * (HEADER + ADDRESS);
        }
        if self.timestamps {
            length += HEADER + 4;
        }
        if self.reply_dscp.is_some() {
            length += HEADER + 4;
        }
        if self.counters.is_some() {
            length += HEADER + 12;
        }
        if sealed && length > 0 { length + HEADER + HMAC_LENGTH } else { length }
    }
}

fn push(area: &mut Vec<u8>, kind: u8, value: &[u8]) {
    area.extend_from_slice(&[UNRECOGNISED, kind]);
    area.extend_from_slice(&(value.len() as u16).to_be_bytes());
    area.extend_from_slice(value);
}

/// Writes the TLVs of a request, padded to `room` bytes where that leaves space for a TLV of padding.
pub fn request(wishes: &Wishes, sequence: u32, key: Option<&Key>, room: usize) -> Vec<u8> {
    let mut area = Vec::with_capacity(room);
    if wishes.location {
        let mut value = vec![0; 4];
        for kind in [SOURCE[0], DESTINATION[0]] {
            push(&mut value, kind, &[0; ADDRESS]);
        }
        push(&mut area, LOCATION, &value);
    }
    if wishes.timestamps {
        push(&mut area, TIMESTAMPS, &[0; 4]);
    }
    if let Some(dscp) = wishes.reply_dscp {
        push(&mut area, CLASS, &[(dscp & 63) << 2, 0, 0, 0]);
    }
    if let Some(sent) = wishes.counters {
        let mut value = [0; 12];
        value[..4].copy_from_slice(&sent.to_be_bytes());
        push(&mut area, COUNTERS, &value);
    }
    if let Some(key) = key.filter(|_| !area.is_empty()) {
        let code = key.code(&[&sequence.to_be_bytes(), &area]);
        push(&mut area, HMAC, &code);
    }
    if let Some(padding) = room.checked_sub(area.len() + HEADER) {
        let padding = padding.min(usize::from(u16::MAX));
        push(&mut area, PADDING, &vec![0; padding]);
    }
    area
}

/// One TLV: where its header and its value stand.
#[derive(Clone, Copy)]
struct Found {
    at: usize,
    kind: u8,
    from: usize,
    to: usize,
}

/// The TLVs of an area in order, and where one begins that runs past the end.
fn find(area: &[u8]) -> (Vec<Found>, Option<usize>) {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(&[_, kind, high, low]) = area.get(at..at + HEADER) {
        if kind == 0 {
            break; // plain TWAMP padding, not TLVs
        }
        let from = at + HEADER;
        let to = from + usize::from(u16::from_be_bytes([high, low]));
        if to > area.len() {
            return (found, Some(at));
        }
        found.push(Found { at, kind, from, to });
        at = to;
    }
    (found, None)
}

/// Whether the area is sealed as it must be: what is more than padding has the code behind it, and nothing but padding
/// behind that.
fn sealed(area: &[u8], found: &[Found], sequence: u32, key: &Key) -> bool {
    let rest: Vec<&Found> = found.iter().filter(|tlv| tlv.kind != PADDING).collect();
    let Some((last, before)) = rest.split_last() else { return true };
    let padded = found.iter().rev().take_while(|tlv| tlv.kind == PADDING).count();
    last.kind == HMAC
        && last.to - last.from == HMAC_LENGTH
        && found[found.len() - padded - 1].at == last.at
        && before.iter().all(|tlv| tlv.kind != HMAC)
        && key.is_code(&[&sequence.to_be_bytes(), &area[..last.at]], &area[last.from..last.to])
}

/// What a reflector knows of a request.
#[derive(Clone, Copy, Debug)]
pub struct Met {
    /// Whence it came.
    pub from: SocketAddr,
    /// Where it arrived.
    pub to: SocketAddr,
    /// Its traffic class, where the system says.
    pub class: Option<u8>,
    /// Whether the reflector's clock is kept.
    pub synchronised: bool,
    /// Requests of this sender so far, with this one.
    pub received: u32,
    /// Replies to this sender so far, with this one.
    pub answered: u32,
}

impl Default for Met {
    fn default() -> Self {
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        Self { from: nowhere, to: nowhere, class: None, synchronised: false, received: 0, answered: 0 }
    }
}

/// What a reflector returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reflected {
    /// As long as what came.
    pub area: Vec<u8>,
    /// The DSCP that the reply is to have.
    pub dscp: Option<u8>,
}

/// Answers the TLVs of a request of this number, for a reply of that number.
pub fn reflect(area: &[u8], request: u32, reply: u32, key: Option<&Key>, met: &Met) -> Reflected {
    let mut out = Reflected { area: area.to_vec(), dscp: None };
    let (found, cut) = find(area);
    if let Some(at) = cut {
        out.area[at] |= MALFORMED;
    }
    if key.is_some_and(|key| !sealed(area, &found, request, key)) {
        for tlv in &found {
            out.area[tlv.at] |= INTEGRITY;
        }
        return out;
    }
    let mut seal = None;
    for tlv in found {
        let value = &mut out.area[tlv.from..tlv.to];
        let understood = match (tlv.kind, value.len()) {
            (PADDING, _) => Ok(true),
            (LOCATION, 4..) => locate(value, met),
            (TIMESTAMPS, 4) => {
                let kept = if met.synchronised { KEPT_BY_NTP } else { FREE_RUNNING };
                value.copy_from_slice(&[kept, BY_SOFTWARE, kept, BY_SOFTWARE]);
                Ok(true)
            }
            (CLASS, 4) => {
                let (wanted, class) = (value[0] >> 2, met.class.unwrap_or(0));
                out.dscp = Some(wanted);
                let word =
                    (u16::from(wanted) << 10) | (u16::from(class >> 2) << 4) | (u16::from(class & 3) << 2);
                value[..2].copy_from_slice(&word.to_be_bytes());
                Ok(met.class.is_some())
            }
            (COUNTERS, 12) => {
                value[4..8].copy_from_slice(&met.received.to_be_bytes());
                value[8..].copy_from_slice(&met.answered.to_be_bytes());
                Ok(true)
            }
            (HMAC, HMAC_LENGTH) if key.is_some() => {
                seal = Some(tlv);
                Ok(true)
            }
            (LOCATION | TIMESTAMPS | CLASS | COUNTERS, _) => Err(()),
            _ => Ok(false),
        };
        let flags = &mut out.area[tlv.at];
        match understood {
            Ok(true) => *flags &= !UNRECOGNISED,
            Ok(false) => *flags |= UNRECOGNISED,
            Err(()) => *flags = (*flags & !UNRECOGNISED) | MALFORMED,
        }
    }
    if let (Some(tlv), Some(key)) = (seal, key) {
        let code = key.code(&[&reply.to_be_bytes(), &out.area[..tlv.at]]);
        out.area[tlv.from..tlv.to].copy_from_slice(&code);
    }
    out
}

/// Fills a location. `Err` where a sub-TLV runs past its end.
fn locate(value: &mut [u8], met: &Met) -> Result<bool, ()> {
    value[..2].copy_from_slice(&met.to.port().to_be_bytes());
    value[2..4].copy_from_slice(&met.from.port().to_be_bytes());
    let (found, cut) = find(&value[4..]);
    for tlv in found {
        let (at, from, to) = (tlv.at + 4, tlv.from + 4, tlv.to + 4);
        let asked = [(DESTINATION, met.to.ip()), (SOURCE, met.from.ip())];
        let asked = asked.into_iter().find(|(kinds, _)| kinds[0] == tlv.kind);
        match asked {
            Some((kinds, address)) if to - from == ADDRESS => {
                let (kind, octets) = match address {
                    IpAddr::V4(four) => {
                        let mut octets = [0; ADDRESS];
                        octets[..4].copy_from_slice(&four.octets());
                        (kinds[1], octets)
                    }
                    IpAddr::V6(six) => (kinds[2], six.octets()),
                };
                value[at + 1] = kind;
                value[from..to].copy_from_slice(&octets);
                value[at] &= !UNRECOGNISED;
            }
            Some(_) => value[at] = (value[at] & !UNRECOGNISED) | MALFORMED,
            None => value[at] |= UNRECOGNISED,
        }
    }
    match cut {
        Some(at) => {
            value[4 + at] |= MALFORMED;
            Err(())
        }
        None => Ok(true),
    }
}

/// Where a reflector says that a request came from and arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The port that it came from.
    pub from_port: u16,
    /// The address that it came from.
    pub from: Option<IpAddr>,
    /// The port that it arrived at.
    pub to_port: u16,
    /// The address that it arrived at.
    pub to: Option<IpAddr>,
}

/// What a reply says beside the base packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The location.
    pub location: Option<Location>,
    /// Who keeps the clock and who took the stamp, on receipt and on sending (RFC 8972 tables 7 and 8).
    pub timestamps: Option<[u8; 4]>,
    /// The traffic class with which the request arrived.
    pub class: Option<u8>,
    /// Whether the reflector would not answer under the DSCP asked for.
    pub dscp_refused: bool,
    /// The sender's count that came back, and the reflector's of requests and of replies.
    pub counters: Option<(u32, u32, u32)>,
    /// TLVs that the reflector does not know.
    pub unrecognised: u32,
    /// TLVs that it cannot read.
    pub malformed: u32,
    /// TLVs that it does not believe.
    pub disbelieved: u32,
}

/// Reads the TLVs of a reply of this number.
pub fn read(area: &[u8], sequence: u32, key: Option<&Key>) -> Result<Told, Refused> {
    let (found, cut) = find(area);
    let mut told = Told { malformed: u32::from(cut.is_some()), ..Told::default() };
    let disbelieved = found.iter().any(|tlv| area[tlv.at] & INTEGRITY != 0);
    if key.is_some_and(|key| !disbelieved && !sealed(area, &found, sequence, key)) {
        return Err(Refused::Forged);
    }
    for tlv in found {
        let (flags, value) = (area[tlv.at], &area[tlv.from..tlv.to]);
        told.unrecognised += u32::from(flags & UNRECOGNISED != 0);
        told.malformed += u32::from(flags & MALFORMED != 0);
        told.disbelieved += u32::from(flags & INTEGRITY != 0);
        if flags & (UNRECOGNISED | MALFORMED | INTEGRITY) != 0 {
            continue;
        }
        match (tlv.kind, value.len()) {
            (LOCATION, 4..) => told.location = Some(read_location(value)),
            (TIMESTAMPS, 4) => told.timestamps = Some(bytes_at(value, 0)),
            (CLASS, 4) => {
                let word = u16::from_be_bytes(bytes_at(value, 0));
                told.class = Some((((word >> 4) & 63) << 2 | (word >> 2) & 3) as u8);
                told.dscp_refused = word & 3 != 0;
            }
            (COUNTERS, 12) => {
                let count = |at| u32::from_be_bytes(bytes_at(value, at));
                told.counters = Some((count(0), count(4), count(8)));
            }
            _ => {}
        }
    }
    Ok(told)
}

fn read_location(value: &[u8]) -> Location {
    let mut out = Location {
        to_port: u16::from_be_bytes(bytes_at(value, 0)),
        from_port: u16::from_be_bytes(bytes_at(value, 2)),
        ..Location::default()
    };
    let value = &value[4..];
    for tlv in find(value).0 {
        let body = &value[tlv.from..tlv.to];
        let four = || Some(IpAddr::V4(Ipv4Addr::from(bytes_at::<4>(body, 0))));
        let six = || Some(IpAddr::V6(Ipv6Addr::from(bytes_at::<16>(body, 0))));
        if value[tlv.at] & (UNRECOGNISED | MALFORMED) != 0 || body.len() != ADDRESS {
            continue;
        }
        match tlv.kind {
            kind if kind == DESTINATION[1] => out.to = four(),
            kind if kind == DESTINATION[2] => out.to = six(),
            kind if kind == SOURCE[1] => out.from = four(),
            kind if kind == SOURCE[2] => out.from = six(),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
#[path = "stamp_tlv_tests.rs"]
mod tests;
