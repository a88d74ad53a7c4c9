//! The tracer as a state machine: a ladder of times to live, round after round, in one flow.
//!
//! Routers that spread traffic choose the way by the addresses and the first four bytes behind the IP header: the ports,
//! or ICMP's type, code and checksum. All probes have these in common (Augustin et al., "Avoiding traceroute
//! anomalies with Paris traceroute", 2006), so that every rung is on the same way: over UDP the ports stay, over ICMP a
//! word in the payload takes back what the sequence number does to the checksum.
//!
//! A probe is known again by the sequence in the quoted ICMP header, or over UDP by the payload. A router that quotes no
//! more than the UDP header leaves nothing to know it by: its report counts only while a single probe is under way.

use super::path::{Answer, Asked, Ladder, Path};
use crate::codec::icmp::{self, Echo, Version};
use crate::codec::icmp_error::Trouble;
use crate::delay::{Seen, trip};
use crate::net::{Inbox, Marks, Now, Packet, Protocol, Report};
use crate::pace::{Due, Pace, Pacer};
use crate::session::{Datagram, Session, Step};
use broadgauge_model::clock::{Mono, Span, Wall};
use std::io;
use std::net::IpAddr;

/// The probe's number, its complement, and a number that only this session knows.
pub const LEAST_PAYLOAD: usize = 12;
/// After the last answer, duplicates may still come.
const GRACE: Span = Span::millis(10);

/// What a tracer needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// When probes leave. Its end is that of the rounds.
    pub pace: Pace,
    /// The rounds and the rungs.
    pub ladder: Ladder,
    /// When an answer is late.
    pub timeout: Span,
    /// UDP or ICMP.
    pub protocol: Protocol,
    /// Whom.
    pub to: IpAddr,
    /// The payload behind the UDP or ICMP header; never below [`LEAST_PAYLOAD`].
    pub payload_bytes: usize,
    /// The identifier: on a datagram socket, the one that the kernel writes.
    pub identifier: u16,
    /// A number that nobody else knows.
    pub cookie: u64,
}

/// Who is told of each answer, and of each probe that has none in time.
pub(super) type Watcher = Box<dyn FnMut(&Asked) + Send>;

/// The state machine.
pub struct Tracer {
    plan: Plan,
    pacer: Pacer,
    start: Option<Now>,
    round: u32,
    /// The last rung that was asked in this round; the one below the first before that.
    asked: u8,
    /// The rung at which the ladder ends, once it is known.
    end: Option<u8>,
    /// The highest rung that answered.
    highest: u8,
    path: Path,
    settled: usize,
    /// The latest time that was told.
    seen: Mono,
    quiet_from: Mono,
    watcher: Option<Watcher>,
}

impl Tracer {
    /// Ready to start at its first step.
    pub(super) fn new(plan: Plan, watcher: Option<Watcher>) -> Self {
        Self {
            pacer: Pacer::new(&plan.pace),
            start: None,
            round: 0,
            asked: plan.ladder.first - 1,
            end: None,
            highest: 0,
            path: Path::default(),
            settled: 0,
            seen: Mono(0),
            quiet_from: Mono(0),
            watcher,
            plan,
        }
    }

    /// Closes the books.
    pub fn close(mut self) -> Path {
        for asked in &mut self.path.asked {
            asked.cut = asked.is_open() && self.seen - asked.left.user.mono <= self.plan.timeout;
        }
        Path { slots_missed: self.pacer.missed(), start: self.start.unwrap_or_default(), ..self.path }
    }

    /// The next rung, or nothing after the last round. Beyond the highest that answered, only so many silent ones.
    fn next_rung(&mut self) -> Option<u8> {
        let Ladder { rounds, first, last, silent } = self.plan.ladder;
        let reach = self.highest.max(first - 1).saturating_add(silent).min(last);
        if self.asked >= self.end.unwrap_or(reach) {
            self.asked = first - 1;
            self.round += 1;
        }
        (self.round < rounds).then(|| {
            self.asked += 1;
            self.asked
        })
    }

    fn version(&self) -> Version {
        if self.plan.to.is_ipv4() { Version::V4 } else { Version::V6 }
    }

    fn payload(&self, number: u16) -> Vec<u8> {
        let mut payload = vec![0; self.plan.payload_bytes.max(LEAST_PAYLOAD)];
        // A word and its complement add up to nothing in one's complement: no checksum changes.
        payload[..2].copy_from_slice(&(!number).to_be_bytes());
        payload[2..4].copy_from_slice(&number.to_be_bytes());
        payload[4..12].copy_from_slice(&self.plan.cookie.to_be_bytes());
        payload
    }

    fn packet(&self, number: u16) -> Vec<u8> {
        let mut payload = self.payload(number);
        match self.plan.protocol {
            Protocol::Udp => payload,
            Protocol::Icmp => {
                // Here the sequence is the word that the first one takes back.
                payload[2..4].copy_from_slice(&[0, 0]);
                let echo = Echo { identifier: self.plan.identifier, sequence: number, payload: &payload };
                icmp::request(self.version(), &echo)
            }
        }
    }

    /// The probe whose payload this begins with.
    fn number_of(&self, payload: &[u8], sequence: Option<u16>) -> Option<u16> {
        let word = |at: usize| Some(u16::from_be_bytes([*payload.get(at)?, *payload.get(at + 1)?]));
        let number = sequence.or_else(|| word(2))?;
        let cookie = payload.get(4..12)?;
        (word(0) == Some(!number) && cookie == self.plan.cookie.to_be_bytes()).then_some(number)
    }

    /// The probe that a report is about.
    fn quoted(&mut self, quoted: &[u8]) -> Option<u16> {
        let known = match self.plan.protocol {
            Protocol::Udp => self.number_of(quoted, None),
            Protocol::Icmp => icmp::read_quoted(self.version(), quoted).and_then(|echo| {
                // A short quote can be held to the identifier alone, a longer one to more.
                let short = echo.payload.len() < LEAST_PAYLOAD;
                if short {
                    Some(echo.sequence).filter(|_| echo.identifier == self.plan.identifier)
                } else {
                    self.number_of(echo.payload, Some(echo.sequence))
                }
            }),
        };
        if known.is_some() || self.plan.protocol == Protocol::Icmp || quoted.len() >= LEAST_PAYLOAD {
            return known;
        }
        self.path.short_quotes += 1;
        let mut open = (0..).zip(&self.path.asked[self.settled..]).filter(|(_, asked)| asked.is_open());
        match (open.next(), open.next()) {
            (Some((at, _)), None) => Some((self.settled + at) as u16),
            _ => None,
        }
    }

    fn answered(&mut self, number: u16, answer: Answer) {
        let Some(asked) = self.path.asked.get_mut(usize::from(number)).filter(|a| a.failed.is_none()) else {
            self.path.unrecognised += 1;
            return;
        };
        if asked.answer.is_some() {
            self.path.duplicates += 1;
            asked.duplicates += 1;
            return;
        }
        let (ttl, ends) = (asked.ttl, answer.ends(self.plan.to));
        let late = trip(asked.left, answer.arrived).total > self.plan.timeout;
        self.quiet_from = answer.arrived.user.mono + GRACE;
        asked.answer = Some(Answer { late, ..answer });
        asked.place = self.path.arrivals;
        self.path.arrivals += 1;
        if ends {
            self.end = Some(self.end.map_or(ttl, |end| end.min(ttl)));
        } else {
            self.highest = self.highest.max(ttl);
        }
        if !late && let Some(watcher) = &mut self.watcher {
            watcher(&self.path.asked[usize::from(number)]);
        }
    }

    /// Gives up what has no answer by now.
    fn settle(&mut self, now: Mono) {
        while let Some(asked) = self.path.asked.get(self.settled) {
            if asked.is_open() {
                if now - asked.left.user.mono <= self.plan.timeout {
                    break;
                }
                if let Some(watcher) = &mut self.watcher {
                    watcher(asked);
                }
            }
            self.settled += 1;
        }
    }
}

impl Inbox for Tracer {
    fn received(&mut self, packet: &Packet<'_>) {
        let number = match self.plan.protocol {
            Protocol::Udp => self.number_of(packet.bytes, None),
            Protocol::Icmp => icmp::read_reply(self.version(), packet.bytes)
                .and_then(|echo| self.number_of(echo.payload, Some(echo.sequence))),
        };
        let Some(number) = number else {
            self.path.unrecognised += 1;
            return;
        };
        let arrived = Seen { user: packet.now, kernel: packet.kernel };
        let from = packet.from.ip();
        self.answered(number, Answer { arrived, from, trouble: None, ttl: packet.ttl, late: false });
    }

    fn transmitted(&mut self, id: u64, at: Wall) {
        if let Some(asked) = self.path.asked.get_mut(id as usize) {
            asked.left.kernel = Some(at);
        }
    }

    fn reported(&mut self, report: &Report<'_>) {
        let Some(number) = self.quoted(report.quoted) else {
            self.path.unrecognised += 1;
            return;
        };
        let arrived = Seen { user: report.now, kernel: report.kernel };
        let (from, ttl) = (report.from, report.ttl);
        let trouble = Some(report.trouble).filter(|t| *t != Trouble::PortUnreachable || from != self.plan.to);
        self.answered(number, Answer { arrived, from, trouble, ttl, late: false });
    }
}

impl Session for Tracer {
    fn step(&mut self, now: Now) -> Step {
        let start = self.start.get_or_insert(now).mono;
        self.seen = now.mono;
        self.settle(now.mono);
        // The number must fit the sequence of ICMP.
        let room = self.path.asked.len() < usize::from(u16::MAX);
        let over = !room || self.round >= self.plan.ladder.rounds;
        let due = if over { Due::Over } else { self.pacer.due(now.mono - start) };
        match due {
            Due::Now { slot, planned } => {
                let Some(ttl) = self.next_rung() else { return self.step(now) };
                let number = self.path.asked.len() as u16;
                let left = Seen { user: now, kernel: None };
                self.path.asked.push(Asked::new(ttl, self.round, slot, planned, left));
                let marks = Marks { ttl: Some(ttl), dscp: None };
                Step::Send(Datagram { id: number.into(), to: None, marks, bytes: self.packet(number) })
            }
            Due::At(slot) => Step::WaitUntil(start + slot),
            Due::Over => {
                let open = self.path.asked[self.settled..].iter().find(|asked| asked.is_open());
                let end = open.map_or(self.quiet_from, |asked| asked.left.user.mono + self.plan.timeout);
                // A probe is given up after its timeout, not at it.
                let end = if open.is_some() { Mono(end.0 + 1) } else { end };
                if now.mono >= end { Step::Done } else { Step::WaitUntil(end) }
            }
        }
    }

    fn send_failed(&mut self, id: u64, why: &io::Error) {
        if let Some(asked) = self.path.asked.get_mut(id as usize) {
            asked.failed = Some(why.kind());
        }
    }
}
