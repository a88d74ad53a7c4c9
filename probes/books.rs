//! The closed books of an exchange: what was asked, what came back, and what became of every slot.

use crate::delay::{Seen, Trip, far_share, step, trip};
use crate::net::Now;
use crate::pace::Pace;
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::result::{Outcome, Reason, Singleton};
use std::io;

/// The far end's stamps and count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FarEnd {
    /// T2.
    pub received: Wall,
    /// T3.
    pub sent: Wall,
    /// The number that the question had on the wire.
    pub number: u32,
    /// The far end's own count of answers, or again the question's number.
    pub count: u32,
    /// The TTL that the question had left, where the far end says.
    pub ttl: Option<u8>,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When it arrived.
    pub arrived: Seen,
    /// What the far end stamped.
    pub far: Option<FarEnd>,
    /// The TTL that it had left.
    pub ttl: Option<u8>,
    /// Whether it came after the timeout.
    pub late: bool,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its slot.
    pub slot: u64,
    /// When the slot was planned, from the start.
    pub planned: Span,
    /// When it left.
    pub left: Seen,
    /// Why it did not leave.
    pub failed: Option<io::ErrorKind>,
    /// The first answer.
    pub answer: Option<Answer>,
    /// Whether the books were closed before it was answered or its timeout was over: that says nothing of the network.
    pub cut: bool,
}

/// Packets that are no answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strays {
    /// Not of the protocol, or not to any question of ours.
    pub unrecognised: u64,
    /// With a wrong authentication code.
    pub forged: u64,
    /// Messages that the far end cannot be reached.
    pub unreachable: u64,
    /// Extra answers, doubled on the way back: the far end counted them once.
    pub doubled_backward: u64,
    /// Extra answers to questions that reached the far end twice, or that it answered twice.
    pub doubled_forward: u64,
}

impl Answer {
    /// The round-trip delay, less the far end's share; `None` where its two stamps cannot be right.
    pub fn round_trip(&self, trip: &Trip) -> Option<Span> {
        self.far.map_or(Some(trip.total), |far| {
            far_share(far.received, far.sent, trip.total).map(|share| trip.total - share)
        })
    }

    /// The delays there and back as the two clocks saw them; `None` where ours was set meanwhile. `stepped` is how
    /// far ours was set since the start: it is taken back, so that all exchanges are told by one clock.
    pub fn one_way(&self, trip: &Trip, stepped: Span) -> Option<(Span, Span)> {
        let far = self.far.filter(|_| trip.stepped.is_none())?;
        Some((far.received.since(trip.left) + stepped, trip.arrived.since(far.sent) - stepped))
    }
}

impl Question {
    /// What came of it, by times from `start`.
    pub fn singleton(&self, start: Now) -> Singleton {
        let base = Singleton {
            index: self.slot,
            intended: self.planned,
            sent: None,
            at: self.left.kernel.unwrap_or(self.left.user.wall),
            outcome: Outcome::Lost,
            one_way: None,
        };
        if let Some(why) = self.failed {
            return Singleton { outcome: Outcome::Unmeasured(Reason(format!("not sent: {why}"))), ..base };
        }
        let base = Singleton { sent: Some(self.left.user.mono - start.mono), ..base };
        if self.cut {
            let why = Reason(String::from("stopped before its timeout"));
            return Singleton { outcome: Outcome::Unmeasured(why), ..base };
        }
        let Some(answer) = self.answer.filter(|answer| !answer.late) else { return base };
        let trip = trip(self.left, answer.arrived);
        let refused = || {
            Outcome::Unmeasured(Reason(String::from("answered, but the far end's stamps cannot be right")))
        };
        let outcome = answer.round_trip(&trip).map_or_else(refused, Outcome::Value);
        Singleton { outcome, one_way: answer.one_way(&trip, self.stepped_since(start)), ..base }
    }

    /// How far our calendar clock was set between `start` and the sending.
    pub fn stepped_since(&self, start: Now) -> Span {
        step(start, self.left.user).unwrap_or_default()
    }
}

/// The closed books of an exchange.
#[derive(Clone, Debug)]
pub struct Books {
    /// When it began.
    pub start: Now,
    /// Slots whose time came.
    pub planned: u64,
    /// Of these, slots that passed before this machine got to them, as the pacer counted them.
    pub missed: u64,
    /// What the slots were made from.
    pub pace: Pace,
    /// Every question, in order of leaving.
    pub questions: Vec<Question>,
    /// First answers in order of arrival, as numbers of questions.
    pub arrivals: Vec<u32>,
    /// The far end's counts of further answers to a question that was answered before.
    pub recounted: Vec<u32>,
    /// What else arrived.
    pub strays: Strays,
}

impl Books {
    /// The singletons of the slots that met their fate: all but the questions that were cut.
    pub fn settled(&self) -> Vec<Singleton> {
        let cut: Vec<u64> =
            self.questions.iter().filter(|question| question.cut).map(|question| question.slot).collect();
        let mut all = self.singletons();
        all.retain(|singleton| cut.binary_search(&singleton.index).is_err());
        all
    }

    /// Every slot's singleton in the order of slots, missed ones too.
    pub fn singletons(&self) -> Vec<Singleton> {
        let mut questions = self.questions.iter().peekable();
        let missed = |index, intended| Singleton {
            index,
            intended,
            sent: None,
            at: self.start.wall + intended,
            outcome: Outcome::Unmeasured(Reason(String::from(
                "the slot passed before this machine could send",
            ))),
            one_way: None,
        };
        (0_u64..)
            .zip(self.pace.slots().take(self.planned as usize))
            .map(|(slot, planned)| {
                questions
                    .next_if(|question| question.slot == slot)
                    .map_or_else(|| missed(slot, planned), |question| question.singleton(self.start))
            })
            .collect()
    }
}
