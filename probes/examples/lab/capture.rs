//! What the wire saw: a capture of bare IP packets (`tcpdump --nano -w`, on a TUN device), probe by probe.

use super::Outcome;
use super::flows::Part;
use broadgauge_model::clock::{Span, Wall};
use broadgauge_probes::codec::icmp::{self, Version};
use broadgauge_probes::codec::ntp::Format;
use broadgauge_probes::codec::stamp::{Mode, Reply};
use serde::Deserialize;
use std::collections::BTreeMap;

/// LINKTYPE_RAW.
const RAW: u32 = 101;

/// Whose probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tool {
    /// `broadgauge measure stamp`, or its delay probes beside a load.
    Stamp,
    /// `broadgauge measure ping`.
    OurPing,
    Ping,
    Fping,
    Irtt,
    /// `broadgauge measure connect`.
    Connect,
    /// `broadgauge measure fetch`.
    Fetch,
    /// `curl -w`, its time to connect.
    CurlConnect,
    /// `curl -w`, its time to the first byte.
    CurlFetch,
}

impl Tool {
    /// Which part of a connection it times, where it makes connections.
    pub(crate) fn part(self) -> Option<Part> {
        match self {
            Self::Connect | Self::CurlConnect => Some(Part::Handshake),
            Self::Fetch | Self::CurlFetch => Some(Part::FirstByte),
            _ => None,
        }
    }
}

/// A probe or an answer to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The client's port or the identifier of an echo, which tell one session from the next.
    pub(crate) session: u16,
    pub(crate) number: u32,
    pub(crate) answer: bool,
    /// What the far end says of its own share, in the packet.
    pub(crate) far: Span,
}

/// Reads a packet's name, if it is one of this tool's.
pub(crate) fn name(tool: Tool, ip: &[u8], at: Wall) -> Option<Named> {
    if ip.len() < 28 || ip[0] != 0x45 {
        return None;
    }
    let (ports, payload) = (|at: usize| u16::from_be_bytes([ip[at], ip[at + 1]]), &ip[28..]);
    let (from, to) = (ports(20), ports(22));
    match (tool, ip[9]) {
        (Tool::Stamp, 17) if to == 862 => Some(Named {
            session: from,
            number: u32::from_be_bytes(payload.get(..4)?.try_into().ok()?),
            answer: false,
            far: Span::ZERO,
        }),
        (Tool::Stamp, 17) if from == 862 => {
            let far = Reply::read(&Mode::Open, payload).ok().map_or(Span::ZERO, |reply| {
                reply.sent.at.near(at, Format::Ntp).since(reply.received.near(at, Format::Ntp))
            });
            let number = u32::from_be_bytes(payload.get(24..28)?.try_into().ok()?);
            Some(Named { session: to, number, answer: true, far })
        }
        // 3 bytes of magic, flags (1 opens, 2 is an answer, 4 closes), 8 bytes of token, the number.
        (Tool::Irtt, 17) if payload.get(..3)? == [0x14, 0xa7, 0x5b] && payload[3] & !2 == 0 => Some(Named {
            session: if payload[3] == 0 { from } else { to },
            number: u32::from_le_bytes(payload.get(12..16)?.try_into().ok()?),
            answer: payload[3] == 2,
            far: Span::ZERO,
        }),
        (Tool::OurPing, 1) => {
            let number = |echo: icmp::Echo<'_>| {
                echo.payload.get(8..12).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
            };
            let asked = icmp::read_request(Version::V4, &ip[20..]).and_then(number);
            let answered = icmp::read_reply(Version::V4, &ip[20..]).and_then(number);
            let number = asked.or(answered)?;
            Some(Named { session: ports(24), number, answer: asked.is_none(), far: Span::ZERO })
        }
        (Tool::Ping | Tool::Fping, 1) if matches!(ip[20], 0 | 8) => Some(Named {
            session: ports(24),
            number: u32::from(ports(26)),
            answer: ip[20] == 0,
            far: Span::ZERO,
        }),
        _ => None,
    }
}

/// What the wire saw of one probe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) left: Option<Wall>,
    /// Every copy of the answer: when, and the far end's share.
    pub(crate) arrived: Vec<(Wall, Span)>,
}

/// A capture, by session and number.
pub(crate) struct Capture {
    pub(crate) probes: BTreeMap<(u16, u32), Seen>,
    /// First answers in order of arrival.
    pub(crate) order: Vec<(u16, u32)>,
}

/// The packets of a capture, with their times.
pub(crate) fn packets(bytes: &[u8]) -> Outcome<impl Iterator<Item = (Wall, &[u8])>> {
    let word = |at: usize| -> Option<u32> {
        bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes)
    };
    if word(0) != Some(0xa1b2_3c4d) || word(20) != Some(RAW) {
        return Err(
            "not a capture of bare IP packets with nanoseconds: use tcpdump --nano -w on a TUN device".into(),
        );
    }
    let mut at = 24;
    Ok(std::iter::from_fn(move || {
        let (seconds, nanos, length) = (word(at)?, word(at + 4)?, word(at + 8)? as usize);
        let packet = &bytes[at + 16..(at + 16 + length).min(bytes.len())];
        at += 16 + length;
        Some((Wall(i64::from(seconds) * 1_000_000_000 + i64::from(nanos)), packet))
    }))
}

pub(crate) fn read(tool: Tool, bytes: &[u8]) -> Outcome<Capture> {
    let mut out = Capture { probes: BTreeMap::new(), order: Vec::new() };
    for (when, packet) in packets(bytes)? {
        let Some(named) = name(tool, packet, when) else { continue };
        let key = (named.session, named.number);
        let seen = out.probes.entry(key).or_default();
        if named.answer {
            if seen.arrived.is_empty() {
                out.order.push(key);
            }
            seen.arrived.push((when, named.far));
        } else {
            seen.left.get_or_insert(when);
        }
    }
    Ok(out)
}
