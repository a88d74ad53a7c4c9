//! Keeps the books of a stream of questions and answers, for every method that sends packets on a pace.
//!
//! Open loop: questions leave on their slots whatever the answers do. A question is lost when no answer comes
//! within the timeout (RFC 6673 for the round trip); an answer after that is late, and still lost. Only the first
//! answer to a question counts, the others are duplicates.

use crate::books::{Answer, Books, FarEnd, Question, Strays};
use crate::delay::{Seen, trip};
use crate::net::{Now, Packet};
use crate::pace::{Due, Pace, Pacer};
use broadgauge_model::clock::{Mono, Span, Wall};
use broadgauge_model::result::Singleton;
use std::io;

/// After the last answer, duplicates may still come: this many times the longest delay seen is waited for them.
const GRACE: i64 = 2;
const LEAST_GRACE: Span = Span::millis(10);

/// Who is told of each question's fate as soon as it is known.
pub type Watcher = Box<dyn FnMut(Singleton) + Send>;

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Send the question of this number.
    Ask(u32),
    /// Nothing before then.
    Wait(Mono),
    /// Nothing any more.
    Done,
}

/// The books.
pub struct Exchange {
    pace: Pace,
    pacer: Pacer,
    timeout: Span,
    start: Option<Now>,
    questions: Vec<Question>,
    /// First answers in order of arrival.
    arrivals: Vec<u32>,
    recounted: Vec<u32>,
    strays: Strays,
    open: u64,
    /// Questions before this one have met their fate as far as the watcher is concerned.
    settled: usize,
    slowest: Span,
    last_arrival: Mono,
    watcher: Option<Watcher>,
}

impl Exchange {
    /// Nothing asked yet. A watcher is told of each fate.
    pub fn new(pace: Pace, timeout: Span, watcher: Option<Watcher>) -> Self {
        Self {
            pacer: Pacer::new(&pace),
            pace,
            timeout,
            start: None,
            questions: Vec::new(),
            arrivals: Vec::new(),
            recounted: Vec::new(),
            strays: Strays::default(),
            open: 0,
            settled: 0,
            slowest: Span::ZERO,
            last_arrival: Mono(0),
            watcher,
        }
    }

    /// Decides; a question that is handed out counts as leaving now.
    pub fn turn(&mut self, now: Now) -> Turn {
        let start = self.start.get_or_insert(now).mono;
        self.settle(now.mono);
        match self.pacer.due(now.mono - start) {
            Due::Now { slot, planned } => {
                let left = Seen { user: now, kernel: None };
                self.questions.push(Question { slot, planned, left, failed: None, answer: None });
                self.open += 1;
                Turn::Ask((self.questions.len() - 1) as u32)
            }
            Due::At(slot) => Turn::Wait(start + slot),
            Due::Over => {
                let last = self.questions.last().map_or(start, |question| question.left.user.mono);
                let grace = Span(self.slowest.0.saturating_mul(GRACE)).max(LEAST_GRACE);
                let quiet = if self.open == 0 { self.last_arrival + grace } else { Mono(u64::MAX) };
                let end = quiet.min(last + self.timeout);
                if now.mono >= end { Turn::Done } else { Turn::Wait(end) }
            }
        }
    }

    /// The question could not leave.
    pub fn failed(&mut self, id: u64, why: &io::Error) {
        if let Some(question) = self.questions.get_mut(id as usize) {
            question.failed = Some(why.kind());
            self.open -= 1;
        }
    }

    /// The kernel says when the question left.
    pub fn transmitted(&mut self, id: u64, at: Wall) {
        if let Some(question) = self.questions.get_mut(id as usize) {
            question.left.kernel = Some(at);
        }
    }

    /// The question of this number, if it was asked.
    pub fn question(&self, number: u32) -> Option<&Question> {
        self.questions.get(number as usize).filter(|question| question.failed.is_none())
    }

    /// An answer to it arrived.
    pub fn answered(&mut self, number: u32, packet: &Packet<'_>, far: Option<FarEnd>) {
        let arrived = Seen { user: packet.now, kernel: packet.kernel };
        let Some(question) = self.questions.get_mut(number as usize) else {
            self.strays.unrecognised += 1;
            return;
        };
        if let Some(first) = &question.answer {
            match (first.far, far) {
                (Some(one), Some(other)) if one.count != other.count => {
                    self.strays.doubled_forward += 1;
                    self.recounted.push(other.count);
                }
                _ => self.strays.doubled_backward += 1,
            }
            return;
        }
        let total = trip(question.left, arrived).total;
        let late = total > self.timeout;
        question.answer = Some(Answer { arrived, far, ttl: packet.ttl, late });
        self.open -= 1;
        self.slowest = self.slowest.max(total);
        self.last_arrival = packet.now.mono;
        self.arrivals.push(number);
        if !late {
            self.tell(number as usize);
        }
    }

    /// Counts a packet that is no answer.
    pub const fn strays(&mut self) -> &mut Strays {
        &mut self.strays
    }

    /// Tells the watcher of what is lost by now.
    fn settle(&mut self, now: Mono) {
        while let Some(question) = self.questions.get(self.settled) {
            let waiting = question.failed.is_none() && question.answer.is_none_or(|answer| answer.late);
            if waiting {
                if now - question.left.user.mono <= self.timeout {
                    break;
                }
                self.tell(self.settled);
            }
            self.settled += 1;
        }
    }

    fn tell(&mut self, number: usize) {
        let start = self.start.unwrap_or_default();
        if let Some(watcher) = &mut self.watcher {
            watcher(self.questions[number].singleton(start));
        }
    }

    /// Closes the books.
    pub fn close(self) -> Books {
        Books {
            start: self.start.unwrap_or_default(),
            planned: self.pacer.planned(),
            pace: self.pace,
            questions: self.questions,
            arrivals: self.arrivals,
            recounted: self.recounted,
            strays: self.strays,
        }
    }
}
