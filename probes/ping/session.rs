//! ICMP echo as a state machine.
//!
//! The payload begins with a number that only this session knows and the full number of the question, so that
//! neither another program's echo nor a wrapped 16-bit sequence is taken for an answer.

use crate::books::Books;
use crate::codec::icmp::{self, Echo, Version};
use crate::exchange::{Exchange, Turn, Watcher};
use crate::net::{Inbox, Marks, Now, Packet};
use crate::pace::Pace;
use crate::session::{Datagram, Session, Step};
use broadgauge_model::clock::{Span, Wall};
use std::io;

/// The session's number and the question's.
pub const LEAST_PAYLOAD: usize = 12;

/// What an echo session needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// When packets leave.
    pub pace: Pace,
    /// When an answer is late.
    pub timeout: Span,
    /// ICMP or ICMPv6.
    pub version: Version,
    /// The length of the payload behind the ICMP header; never below [`LEAST_PAYLOAD`].
    pub payload_bytes: usize,
    /// The identifier on a raw socket; the kernel writes its own on a datagram socket.
    pub identifier: u16,
    /// A number that nobody else knows.
    pub cookie: u64,
}

/// The state machine.
pub struct Pinger {
    plan: Plan,
    exchange: Exchange,
}

impl Pinger {
    /// Ready to start at its first step. The watcher is told of each packet's fate.
    pub fn new(plan: Plan, watcher: Option<Watcher>) -> Self {
        Self { plan, exchange: Exchange::new(plan.pace, plan.timeout, watcher) }
    }

    /// Closes the books.
    pub fn close(self) -> Books {
        self.exchange.close()
    }

    fn number_of(&self, echo: &Echo<'_>) -> Option<u32> {
        let (cookie, rest) = echo.payload.split_first_chunk::<8>()?;
        let number = u32::from_be_bytes(*rest.first_chunk::<4>()?);
        (u64::from_be_bytes(*cookie) == self.plan.cookie && number as u16 == echo.sequence)
            .then_some(number)
            .filter(|&number| self.exchange.question(number).is_some())
    }
}

impl Inbox for Pinger {
    fn received(&mut self, packet: &Packet<'_>) {
        let echo = icmp::read_reply(self.plan.version, packet.bytes);
        match echo.and_then(|echo| self.number_of(&echo)) {
            Some(number) => self.exchange.answered(number, packet, None),
            None => self.exchange.strays().unrecognised += 1,
        }
    }

    fn transmitted(&mut self, id: u64, at: Wall) {
        self.exchange.transmitted(id, at);
    }

    fn unreachable(&mut self, _: io::ErrorKind) {
        self.exchange.strays().unreachable += 1;
    }
}

impl Session for Pinger {
    fn typical_gap(&self) -> Span {
        self.plan.pace.stream.typical_gap()
    }

    fn step(&mut self, now: Now) -> Step {
        match self.exchange.turn(now) {
            Turn::Ask(number) => {
                let mut payload = vec![0; self.plan.payload_bytes.max(LEAST_PAYLOAD)];
                payload[..8].copy_from_slice(&self.plan.cookie.to_be_bytes());
                payload[8..12].copy_from_slice(&number.to_be_bytes());
                let echo =
                    Echo { identifier: self.plan.identifier, sequence: number as u16, payload: &payload };
                Step::Send(Datagram {
                    id: number.into(),
                    to: None,
                    marks: Marks::default(),
                    bytes: icmp::request(self.plan.version, &echo),
                })
            }
            Turn::Wait(until) => Step::WaitUntil(until),
            Turn::Done => Step::Done,
        }
    }

    fn send_failed(&mut self, id: u64, why: &io::Error) {
        self.exchange.failed(id, why);
    }
}
