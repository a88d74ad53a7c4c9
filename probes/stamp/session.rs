//! The session-sender of STAMP (RFC 8762 section 4.2) as a state machine.
//!
//! T1 and T4 are the kernel's where it stamps: the packet itself carries the time at which this process sent it,
//! because the kernel's is known only afterwards. An answer counts only if it repeats the T1 of its question, so
//! that neither chance nor a stranger who does not see our packets can make one up.
//!
//! A reflector that keeps no count repeats our numbers (RFC 8762 section 4.3, stateless), and so, it seems, does one that
//! counts, as long as nothing is lost on the way there. Once a packet is missing and the two cannot be told
//! apart, one number is left out, as if its packet could not be sent: a count runs on, an echo jumps.

use crate::books::{Books, FarEnd};
use crate::codec::ntp::{ErrorEstimate, Timestamp};
use crate::codec::stamp::{Mark, Mode, Refused, Reply, Request};
use crate::codec::stamp_tlv::{Told, Wishes};
use crate::exchange::{Exchange, Turn, Watcher};
use crate::net::{Inbox, Marks, Now, Packet};
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
    /// What is asked for beside the base packet.
    pub wishes: Wishes,
}

/// What the far end said beside the base packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// The last that it told.
    pub last: Told,
    /// The traffic class of the last reply as it arrived.
    pub reply_class: Option<u8>,
    /// Replies with TLVs that it does not know.
    pub unrecognised: u64,
    /// Replies with TLVs that it could not read.
    pub malformed: u64,
    /// Replies with TLVs that it did not believe.
    pub disbelieved: u64,
    /// Replies whose TLVs we do not believe.
    pub forged: u64,
}

/// The state machine.
pub struct Sender {
    plan: Plan,
    exchange: Exchange,
    far_clock: Option<ErrorEstimate>,
    beside: Beside,
    /// The number that was left out.
    left_out: Option<u32>,
    /// The question after the latest that was answered.
    expected: u32,
    /// Whether an answer came before one to an earlier question.
    gap: bool,
    /// Whether all counts so far are our own numbers.
    echoes: bool,
}

impl Sender {
    /// The same, but not waiting long for the last answers: see [`Exchange::in_haste`].
    #[must_use]
    pub fn in_haste(self) -> Self {
        Self { exchange: self.exchange.in_haste(), ..self }
    }

    /// Ready to start at its first step. The watcher is told of each packet's fate.
    pub fn new(plan: Plan, watcher: Option<Watcher>) -> Self {
        let exchange = Exchange::new(plan.pace, plan.timeout, watcher);
        Self {
            plan,
            exchange,
            far_clock: None,
            beside: Beside::default(),
            left_out: None,
            expected: 0,
            gap: false,
            echoes: true,
        }
    }

    /// Closes the books, with what the far clock said of itself in the last answer, and what was said beside.
    pub fn close(self) -> (Books, Option<ErrorEstimate>, Beside) {
        (self.exchange.close(), self.far_clock, self.beside)
    }

    fn told(&mut self, reply: &Reply, packet: &Packet<'_>) {
        match reply.told(&self.plan.mode, packet.bytes) {
            Ok(told) => {
                self.beside.unrecognised += u64::from(told.unrecognised > 0);
                self.beside.malformed += u64::from(told.malformed > 0);
                self.beside.disbelieved += u64::from(told.disbelieved > 0);
                self.beside.reply_class = packet.class;
                self.beside.last = told;
            }
            Err(_) => self.beside.forged += 1,
        }
    }

    fn mark(&self, at: Wall) -> Mark {
        Mark { at: Timestamp::ntp(at), error: self.plan.clock, ssid: self.plan.ssid }
    }

    /// The number on the wire.
    fn number_of(&self, question: u32) -> u32 {
        question + u32::from(self.left_out.is_some_and(|left_out| question >= left_out))
    }

    /// The question of a reply. Reflectors without RFC 8972 leave the identifier out.
    fn question_of(&self, reply: &Reply) -> Option<u32> {
        let known = |ssid| ssid == self.plan.ssid || ssid == 0;
        let number = reply.sender_sequence;
        let question = number - u32::from(self.left_out.is_some_and(|left_out| number > left_out));
        let asked = self.exchange.question(question)?;
        let ours = known(reply.sent.ssid)
            && known(reply.sender.ssid)
            && self.number_of(question) == number
            && reply.sender.at == Timestamp::ntp(asked.left.user.wall);
        ours.then_some(question)
    }

    fn answered(&mut self, question: u32, reply: &Reply, packet: &Packet<'_>) {
        self.echoes &= reply.sequence == reply.sender_sequence;
        self.gap |= question > self.expected;
        self.expected = self.expected.max(question + 1);
        self.far_clock = Some(reply.sent.error);
        self.told(reply, packet);
        let format = reply.sent.error.format();
        let far = FarEnd {
            received: reply.received.near(packet.now.wall, format),
            sent: reply.sent.at.near(packet.now.wall, format),
            number: reply.sender_sequence,
            count: reply.sequence,
            ttl: Some(reply.sender_ttl),
        };
        self.exchange.answered(question, packet, Some(far));
    }
}

impl Inbox for Sender {
    fn received(&mut self, packet: &Packet<'_>) {
        match Reply::read(&self.plan.mode, packet.bytes) {
            Ok(reply) => match self.question_of(&reply) {
                Some(question) => self.answered(question, &reply, packet),
                None => self.exchange.strays().unrecognised += 1,
            },
            Err(Refused::Forged) => self.exchange.strays().forged += 1,
            Err(Refused::Short) => self.exchange.strays().unrecognised += 1,
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
    fn typical_gap(&self) -> Span {
        self.plan.pace.stream.typical_gap()
    }

    fn step(&mut self, now: Now) -> Step {
        match self.exchange.turn(now) {
            Turn::Ask(question) => {
                if self.gap && self.echoes && self.left_out.is_none() {
                    self.left_out = Some(question);
                }
                let request = Request { sequence: self.number_of(question), sent: self.mark(now.wall) };
                let counters = self.plan.wishes.counters.map(|_| question + 1);
                let wishes = Wishes { counters, ..self.plan.wishes };
                let bytes = request.write_with(&self.plan.mode, self.plan.packet_bytes, &wishes);
                Step::Send(Datagram { id: question.into(), to: None, marks: Marks::default(), bytes })
            }
            Turn::Wait(until) => Step::WaitUntil(until),
            Turn::Done => Step::Done,
        }
    }

    fn send_failed(&mut self, id: u64, why: &io::Error) {
        self.exchange.failed(id, why);
    }
}
