//! The session-reflector of STAMP (RFC 8762 section 4.3), stateful: it counts its answers to each sender, which
//! tells the sender in which direction a packet was lost.
//!
//! Safe to expose. A UDP source address proves nothing, so an answer is never longer than its question and goes
//! back where the question came from; questions beyond a limit for each address and for all are dropped;
//! what is remembered of senders is bounded; and neither a question from a reflector's own port is answered nor one
//! that is itself an answer, or two reflectors could be set to talk to each other for ever.
//!
//! T2 is the kernel's stamp. T3 is taken last, after everything but the authentication code, and is still the time
//! of this process: the few microseconds from there to the wire count as delay on the way back.

use crate::codec::ntp::{ErrorEstimate, Timestamp};
use crate::codec::stamp::{Mark, Mode, Refused, Reply, Request};
use crate::limit::{Bucket, Recent};
use crate::net::{Inbox, Now, Packet};
use crate::session::{Datagram, Session, Step};
use broadgauge_model::clock::{Mono, Span, Wall};
use serde::Serialize;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Answers that wait to be sent; a socket hands over fewer at once.
const QUEUE: usize = 256;
/// A kernel stamp further from our own reading is of another time: the clock was set.
const STALE: Span = Span::secs(1);

/// What strangers may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Questions answered to one address in a second. An IPv6 address is its /64 network.
    pub per_address: f64,
    /// Questions answered to all in a second.
    pub total: f64,
    /// Senders remembered.
    pub senders: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_address: 5_000.0, total: 50_000.0, senders: 10_000 }
    }
}

/// What a reflector has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Questions answered.
    pub answered: u64,
    /// Packets that are no questions.
    pub unrecognised: u64,
    /// Questions with a wrong authentication code.
    pub forged: u64,
    /// Questions beyond the limit for one address.
    pub over_address_limit: u64,
    /// Questions beyond the limit for all.
    pub over_total_limit: u64,
    /// Questions from a reflector's port, or that are answers themselves or too short to be told from one.
    pub looped: u64,
    /// Senders forgotten to make room.
    pub forgotten: u64,
    /// Answers that could not leave.
    pub failed: u64,
}

struct Pending {
    request: Request,
    bytes: Vec<u8>,
    from: SocketAddr,
    at: Option<IpAddr>,
    received: Wall,
    ttl: u8,
    count: u32,
}

/// The state machine.
pub struct Reflector {
    mode: Mode,
    limits: Limits,
    port: u16,
    clock: ErrorEstimate,
    counts: Recent<(SocketAddr, u16), u32>,
    buckets: Recent<IpAddr, Bucket>,
    total: Option<Bucket>,
    pending: VecDeque<Pending>,
    totals: Totals,
}

impl Reflector {
    /// Answers on `port`, with a clock that says this of itself.
    pub fn new(mode: Mode, limits: Limits, port: u16, clock: ErrorEstimate) -> Self {
        Self {
            mode,
            limits,
            port,
            clock,
            counts: Recent::new(limits.senders),
            buckets: Recent::new(limits.senders),
            total: None,
            pending: VecDeque::new(),
            totals: Totals::default(),
        }
    }

    /// What it has done so far.
    pub const fn totals(&self) -> Totals {
        Totals { forgotten: self.counts.forgotten(), ..self.totals }
    }

    /// Tells it anew how good the clock is.
    pub const fn set_clock(&mut self, clock: ErrorEstimate) {
        self.clock = clock;
    }

    /// Whether one more answer to this address is within the limits.
    fn admit(&mut self, from: IpAddr, now: Mono) -> bool {
        let Limits { per_address, total, .. } = self.limits;
        let bucket = self.buckets.entry(network_of(from), || Bucket::full(per_address, now));
        if !bucket.take(per_address, now) {
            self.totals.over_address_limit += 1;
            return false;
        }
        let admitted = self.total.get_or_insert(Bucket::full(total, now)).take(total, now);
        self.totals.over_total_limit += u64::from(!admitted);
        admitted
    }
}

/// One subscriber holds a whole /64.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            IpAddr::V6(six.to_ipv4_mapped().map_or(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64), |_| six))
        }
    }
}

impl Inbox for Reflector {
    fn received(&mut self, packet: &Packet<'_>) {
        if packet.from.port() == self.port {
            self.totals.looped += 1;
            return;
        }
        // Limits first: checking a code costs more than dropping a packet.
        if self.pending.len() >= QUEUE || !self.admit(packet.from.ip(), packet.now.mono) {
            return;
        }
        let request = match Request::read(&self.mode, packet.bytes) {
            Ok(request) => request,
            Err(Refused::Forged) => {
                self.totals.forged += 1;
                return;
            }
            Err(Refused::Short) => {
                self.totals.unrecognised += 1;
                return;
            }
        };
        if self.mode.may_be_answer(packet.bytes) {
            self.totals.looped += 1;
            return;
        }
        let own = packet.now.wall;
        let received = packet.kernel.filter(|kernel| own.since(*kernel).abs() < STALE).unwrap_or(own);
        let next = self.counts.entry((packet.from, request.sent.ssid), || 0);
        let count = *next;
        *next = next.wrapping_add(1);
        self.pending.push_back(Pending {
            request,
            bytes: packet.bytes.to_vec(),
            from: packet.from,
            at: packet.to,
            received,
            ttl: packet.ttl.unwrap_or(0),
            count,
        });
    }
}

impl Session for Reflector {
    fn step(&mut self, now: Now) -> Step {
        let Some(pending) = self.pending.pop_front() else { return Step::WaitUntil(Mono(u64::MAX)) };
        let reply = Reply {
            sequence: pending.count,
            sent: Mark { at: Timestamp::ntp(now.wall), error: self.clock, ssid: pending.request.sent.ssid },
            received: Timestamp::ntp(pending.received),
            sender_sequence: pending.request.sequence,
            sender: pending.request.sent,
            sender_ttl: pending.ttl,
        };
        self.totals.answered += 1;
        Step::Send(Datagram {
            id: 0,
            to: Some((pending.from, pending.at)),
            bytes: reply.write(&self.mode, &pending.bytes),
        })
    }

    fn send_failed(&mut self, _: u64, _: &io::Error) {
        self.totals.answered -= 1;
        self.totals.failed += 1;
    }
}

#[cfg(test)]
#[path = "peer_tests.rs"]
mod tests;
