//! The session-sender of STAMP (RFC 8762 section 4.2) as a state machine.
//!
//! T1 and T4 are the kernel's where it stamps: the packet itself carries the time at which this process sent it,
//! because the kernel's is known only afterwards. An answer counts only if it repeats the T1 of its question, so
//! that neither chance nor a stranger who does not see our packets can make one up.

use crate::books::{Books, FarEnd};
use crate::codec::ntp::{ErrorEstimate, Timestamp};
use crate::codec::stamp::{Mark, Mode, Refused, Reply, Request};
use crate::exchange::{Exchange, Turn, Watcher};
use crate::net::{Inbox, Now, Packet};
use crate::pace::Pace;
use crate::session::{Datagram, Session, Step};
use broadgauge_model::clock::{Span, Wall};
use std::io;

/// What a sender needs to know.
#[derive(Clone, Debug)]
pub struct Plan {
    /// When packets leave.
    pub pace: Pace,
    /// When an answer is late.
    pub timeout: Span,
    /// With or without authentication.
    pub mode: Mode,
    /// The UDP payload; never below a base packet.
    pub packet_bytes: usize,
    /// Tells our packets from those of other sessions (RFC 8972).
    pub ssid: u16,
    /// What our clock says of itself.
    pub clock: ErrorEstimate,
}

/// The state machine.
pub struct Sender {
    plan: Plan,
    exchange: Exchange,
    far_clock: Option<ErrorEstimate>,
}

impl Sender {
    /// Ready to start at its first step. The watcher is told of each packet's fate.
    pub fn new(plan: Plan, watcher: Option<Watcher>) -> Self {
        let exchange = Exchange::new(plan.pace, plan.timeout, watcher);
        Self { plan, exchange, far_clock: None }
    }

    /// Closes the books, with what the far clock said of itself in the last answer.
    pub fn close(self) -> (Books, Option<ErrorEstimate>) {
        (self.exchange.close(), self.far_clock)
    }

    fn mark(&self, at: Wall) -> Mark {
        Mark { at: Timestamp::ntp(at), error: self.plan.clock, ssid: self.plan.ssid }
    }

    /// Reflectors without RFC 8972 leave the identifier out.
    fn is_ours(&self, reply: &Reply) -> bool {
        let known = |ssid| ssid == self.plan.ssid || ssid == 0;
        let asked = self.exchange.question(reply.sender_sequence);
        known(reply.sent.ssid)
            && known(reply.sender.ssid)
            && asked.is_some_and(|question| reply.sender.at == Timestamp::ntp(question.left.user.wall))
    }
}

impl Inbox for Sender {
    fn received(&mut self, packet: &Packet<'_>) {
        match Reply::read(&self.plan.mode, packet.bytes) {
            Ok(reply) if self.is_ours(&reply) => {
                let format = reply.sent.error.format();
                self.far_clock = Some(reply.sent.error);
                let far = FarEnd {
                    received: reply.received.near(packet.now.wall, format),
                    sent: reply.sent.at.near(packet.now.wall, format),
                    count: reply.sequence,
                    ttl: Some(reply.sender_ttl),
                };
                self.exchange.answered(reply.sender_sequence, packet, Some(far));
            }
            Err(Refused::Forged) => self.exchange.strays().forged += 1,
            Ok(_) | Err(Refused::Short) => self.exchange.strays().unrecognised += 1,
        }
    }

    fn transmitted(&mut self, id: u64, at: Wall) {
        self.exchange.transmitted(id, at);
    }

    fn unreachable(&mut self, _: io::ErrorKind) {
        self.exchange.strays().unreachable += 1;
    }
}

impl Session for Sender {
    fn step(&mut self, now: Now) -> Step {
        match self.exchange.turn(now) {
            Turn::Ask(sequence) => {
                let request = Request { sequence, sent: self.mark(now.wall) };
                let bytes = request.write(&self.plan.mode, self.plan.packet_bytes);
                Step::Send(Datagram { id: sequence.into(), to: None, bytes })
            }
            Turn::Wait(until) => Step::WaitUntil(until),
            Turn::Done => Step::Done,
        }
    }

    fn send_failed(&mut self, id: u64, why: &io::Error) {
        self.exchange.failed(id, why);
    }
}
