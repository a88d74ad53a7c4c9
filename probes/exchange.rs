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
/// In haste, an answer that takes so many times the longest delay seen, and so long, is given up.
const HASTE: i64 = 3;
const LEAST_HASTE: Span = Span::secs(1);

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
    /// The latest time that was told.
    seen: Mono,
    /// After the last slot: questions from this one on are answered, or never left.
    settled_from: Option<usize>,
    haste: bool,
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
            seen: Mono(0),
            settled_from: None,
            haste: false,
            watcher,
        }
    }

    /// The same, but after the last slot an answer is not waited for when three times the longest delay so far has passed, and
    /// a second: it is lost then; nor are duplicates, when all is answered. For whoever else would have to wait too.
    #[must_use]
    pub fn in_haste(self) -> Self {
        Self { haste: true, ..self }
    }

    /// Decides; a question that is handed out counts as leaving now.
    pub fn turn(&mut self, now: Now) -> Turn {
        let start = self.start.get_or_insert(now).mono;
        self.seen = now.mono;
        self.settle(now.mono);
        match self.pacer.due(now.mono - start) {
            Due::Now { slot, planned } => {
                let left = Seen { user: now, kernel: None };
                self.questions.push(Question { slot, planned, left, failed: None, answer: None, cut: false });
                self.open += 1;
                Turn::Ask((self.questions.len() - 1) as u32)
            }
            Due::At(slot) => Turn::Wait(start + slot),
            Due::Over => {
                let grace = Span(self.slowest.0.saturating_mul(GRACE)).max(LEAST_GRACE);
                let quiet =
                    if self.arrivals.is_empty() || self.haste { start } else { self.last_arrival + grace };
                // What is still to come is no later than the latest of those that wait can be.
                let end = self.latest_open().map_or(quiet, |left| (left + self.patience()).max(quiet));
                let last = self.questions.last().map_or(start, |question| question.left.user.mono);
                let end = end.min(last + self.timeout);
                if now.mono >= end { Turn::Done } else { Turn::Wait(end) }
            }
        }
    }

    /// How long an answer is waited for at the end.
    fn patience(&self) -> Span {
        if self.haste && !self.arrivals.is_empty() {
            Span(self.slowest.0.saturating_mul(HASTE)).max(LEAST_HASTE).min(self.timeout)
        } else {
            self.timeout
        }
    }

    /// When the latest question left that waits for its answer. No more are asked by then, so it only moves back.
    fn latest_open(&mut self) -> Option<Mono> {
        let mut from = self.settled_from.unwrap_or(self.questions.len());
        let waits = |question: &Question| question.failed.is_none() && question.answer.is_none();
        while from > 0 && !waits(&self.questions[from - 1]) {
            from -= 1;
        }
        self.settled_from = Some(from);
        from.checked_sub(1).map(|latest| self.questions[latest].left.user.mono)
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

    /// Closes the books. What is neither answered nor timed out by the latest time that was told is cut, not lost.
    pub fn close(mut self) -> Books {
        let over = self.settled_from.is_some();
        let patience = if over { self.patience() } else { self.timeout };
        for question in &mut self.questions {
            let waits = question.failed.is_none() && question.answer.is_none();
            question.cut = waits && self.seen - question.left.user.mono < patience;
        }
        Books {
            start: self.start.unwrap_or_default(),
            planned: self.pacer.planned(),
            missed: self.pacer.missed(),
            pace: self.pace,
            questions: self.questions,
            arrivals: self.arrivals,
            recounted: self.recounted,
            strays: self.strays,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::figures;
    use crate::pace::{Stop, Stream};
    use broadgauge_model::result::Counts;
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};

    const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 862);

    fn at(ms: i64) -> Now {
        Now { mono: Mono(0) + Span::millis(ms), wall: Wall::default() + Span::millis(ms) }
    }

    /// Ten packets, 10 ms apart, and the machine asleep from 31 ms to 72 ms.
    fn after_a_nap() -> (Exchange, Vec<u32>) {
        let pace = Pace { stream: Stream::periodic(100.0), stop: Stop::Count(10), seed: 1 };
        let mut exchange = Exchange::new(pace, Span::millis(500), None);
        let mut asked = Vec::new();
        for ms in (0..=31).chain(72..=110) {
            while let Turn::Ask(number) = exchange.turn(at(ms)) {
                asked.push(number);
            }
        }
        (exchange, asked)
    }

    #[test]
    fn slots_that_the_pacer_passed_over_and_packets_that_could_not_leave_are_both_missed() {
        let (mut exchange, asked) = after_a_nap();
        exchange.failed(u64::from(asked[2]), &io::ErrorKind::NetworkUnreachable.into());
        let missed = exchange.pacer.missed();
        assert!((3..=4).contains(&missed), "{missed}");
        assert_eq!(exchange.turn(at(700)), Turn::Done);
        let books = exchange.close();
        assert_eq!((books.planned, books.missed), (10, missed));
        let counts = figures(&books).counts;
        assert_eq!((counts.sent, counts.missed), (asked.len() as u64 - 1, missed + 1));
        assert_eq!(counts.planned, counts.sent + counts.missed);
    }

    #[test]
    fn the_end_waits_for_the_latest_answer_that_may_still_come_and_no_longer() {
        let pace = Pace { stream: Stream::periodic(100.0), stop: Stop::Count(50), seed: 1 };
        let mut exchange = Exchange::new(pace, Span::secs(3), None);
        let mut ended = None;
        for ms in 0..4_000 {
            match exchange.turn(at(ms)) {
                // The eleventh is lost, all others are answered at once.
                Turn::Ask(10) | Turn::Wait(_) => {}
                Turn::Ask(number) => {
                    let packet = Packet {
                        bytes: &[],
                        from: PEER,
                        to: None,
                        now: at(ms),
                        kernel: None,
                        ttl: None,
                        class: None,
                    };
                    exchange.answered(number, &packet, None);
                }
                Turn::Done => {
                    ended = Some(ms);
                    break;
                }
            }
        }
        let left = (exchange.questions[10].left.user.mono - Mono(0)).0 / 1_000_000;
        assert_eq!(ended, Some(left + 3_000), "not three seconds after the fiftieth");
        let counts = figures(&exchange.close()).counts;
        assert_eq!((counts.sent, counts.received, counts.lost), (50, 49, 1));
    }

    /// Runs fifty slots of 10 ms, of which the last is not answered, and says when that ended and what was counted.
    fn last_one_lost(mut exchange: Exchange) -> (i64, Counts) {
        for ms in 0..10_000 {
            match exchange.turn(at(ms)) {
                Turn::Ask(49) | Turn::Wait(_) => {}
                Turn::Ask(number) => {
                    let (bytes, now) = (&[], at(ms + 5));
                    let packet =
                        Packet { bytes, from: PEER, to: None, now, kernel: None, ttl: None, class: None };
                    exchange.answered(number, &packet, None);
                }
                Turn::Done => return (ms, figures(&exchange.close()).counts),
            }
        }
        panic!("it does not end");
    }

    #[test]
    fn in_haste_what_takes_far_longer_than_any_before_is_lost_and_not_waited_for() {
        let pace = Pace { stream: Stream::periodic(100.0), stop: Stop::Count(50), seed: 1 };
        let (patient, counts) = last_one_lost(Exchange::new(pace, Span::secs(3), None));
        let (hasty, hasty_counts) = last_one_lost(Exchange::new(pace, Span::secs(3), None).in_haste());
        assert_eq!((counts.sent, counts.received, counts.lost), (50, 49, 1));
        assert_eq!(hasty_counts, counts);
        assert_eq!(patient - hasty, 2_000);
    }

    #[test]
    fn in_haste_it_is_over_when_all_is_answered_and_duplicates_are_not_waited_for() {
        let pace = Pace { stream: Stream::periodic(100.0), stop: Stop::Count(1), seed: 1 };
        let over = |mut exchange: Exchange| {
            (0..1_000).find(|&ms| match exchange.turn(at(ms)) {
                Turn::Ask(number) => {
                    let now = at(ms + 100);
                    let packet = Packet {
                        bytes: &[],
                        from: PEER,
                        to: None,
                        now,
                        kernel: None,
                        ttl: None,
                        class: None,
                    };
                    exchange.answered(number, &packet, None);
                    false
                }
                Turn::Wait(_) => false,
                Turn::Done => ms >= 100,
            })
        };
        let patient = over(Exchange::new(pace, Span::secs(3), None)).unwrap();
        let hasty = over(Exchange::new(pace, Span::secs(3), None).in_haste()).unwrap();
        assert_eq!(hasty, 100, "with the answer");
        assert!(patient >= 300, "twice the delay after it, for duplicates: {patient}");
    }

    #[test]
    fn a_question_younger_than_its_timeout_is_cut_and_an_older_one_is_lost() {
        let (mut exchange, asked) = after_a_nap();
        // The first two are 500 ms old by then.
        assert!(matches!(exchange.turn(at(520)), Turn::Wait(_)));
        let books = exchange.close();
        let figures = figures(&books);
        assert_eq!((figures.counts.lost, figures.cut), (2, asked.len() as u64 - 2));
        assert_eq!(figures.counts.planned, figures.counts.sent + figures.counts.missed);
        assert_eq!(books.singletons().len(), 10);
        assert_eq!(books.settled().len() as u64, figures.counts.planned);
    }
}
