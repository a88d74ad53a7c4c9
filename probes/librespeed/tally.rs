//! What counts: the payload of requests that the server answered with success, in the intervals in which it moved.
//!
//! A request's payload is held back until its fate is known. A refusal (a status other than 2xx) or a body that breaks off takes
//! all of it back: a server that answers with an error page as fast as it can is not a fast line. A download that is still
//! coming in when time is up counts as far as it came; an upload only if its acknowledgement still comes. At a stop nobody
//! waits for that: the test then ends where the oldest request began whose fate is not known.

use crate::throughput::meter::INTERVAL;
use broadgauge_model::clock::{Mono, Span};
use std::collections::BTreeMap;

/// One request's payload by interval of the test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    start: Mono,
    parts: BTreeMap<usize, f64>,
}

impl Held {
    /// Of a test that started then.
    pub const fn new(start: Mono) -> Self {
        Self { start, parts: BTreeMap::new() }
    }

    /// Bytes that moved at that time.
    pub fn add(&mut self, now: Mono, bytes: f64) {
        let index = (now - self.start).0.max(0) / INTERVAL.0;
        *self.parts.entry(index as usize).or_default() += bytes;
    }

    /// Bytes that moved evenly between two times, as far as anybody knows.
    pub fn spread(&mut self, from: Mono, to: Mono, bytes: f64) {
        let whole = (to - from).0 as f64;
        let mut at = from.max(self.start);
        if bytes <= 0.0 || whole <= 0.0 || at >= to {
            self.add(to, bytes.max(0.0));
            return;
        }
        // What moved before the start is its first interval's, as it is where nothing is known of when.
        let mut left = bytes;
        while at < to {
            let index = (at - self.start).0 / INTERVAL.0;
            let next = (self.start + Span(INTERVAL.0 * (index + 1))).min(to);
            let part = if next == to { left } else { bytes * (next - at).0 as f64 / whole };
            self.add(at, part);
            left -= part;
            at = next;
        }
    }

    /// All bytes.
    pub fn total(&self) -> f64 {
        self.parts.values().sum()
    }

    /// The same moves for another total: what TCP moved, as payload.
    #[must_use]
    pub fn scaled_to(mut self, total: f64) -> Self {
        let now = self.total();
        if now > 0.0 {
            self.parts.values_mut().for_each(|bytes| *bytes *= total / now);
        }
        self
    }
}

/// Why a request does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A status other than 2xx.
    Status(u16),
    /// It broke off.
    Cut,
    /// No answer in time.
    Silent,
}

/// All requests of one direction.
#[derive(Clone, Debug)]
pub struct Tally {
    intervals: Vec<f64>,
    streams: Vec<f64>,
    /// Requests that count.
    pub counted: u64,
    /// Requests that do not, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Their payload.
    pub refused_bytes: u64,
    /// When the oldest request was asked that was given up at a stop.
    pub left_open: Option<Mono>,
    /// Whether the far end answered an upload when time was up: it may stall then, but it is alive.
    pub heard_at_end: bool,
}

impl Tally {
    /// For so many intervals and streams.
    pub fn new(intervals: usize, streams: usize) -> Self {
        Self {
            intervals: vec![0.0; intervals],
            streams: vec![0.0; streams],
            counted: 0,
            refused: BTreeMap::new(),
            refused_bytes: 0,
            left_open: None,
            heard_at_end: false,
        }
    }

    /// A request that counts. What moved after the planned end does not.
    pub fn count(&mut self, stream: usize, held: &Held) {
        self.counted += 1;
        for (&index, bytes) in &held.parts {
            if let (Some(interval), Some(total)) =
                (self.intervals.get_mut(index), self.streams.get_mut(stream))
            {
                *interval += bytes;
                *total += bytes;
            }
        }
    }

    /// A request that does not count.
    pub fn refuse(&mut self, held: &Held, why: Refused) {
        let why = match why {
            Refused::Status(status) => format!("status {status}"),
            Refused::Cut => String::from("broken off"),
            Refused::Silent => String::from("not answered in time"),
        };
        // A server may think of many statuses, but not of more than there are.
        *self.refused.entry(why).or_default() += 1;
        self.refused_bytes += held.total() as u64;
    }

    /// A request, asked then, that was given up at a stop: from then on nobody knows all that counts.
    pub fn leave_open(&mut self, asked: Mono) {
        self.left_open = Some(self.left_open.map_or(asked, |oldest| oldest.min(asked)));
    }

    /// Whole bytes by interval, of the intervals that are over.
    pub fn intervals(&self, over: Span) -> Vec<u64> {
        let over = (over.0.max(0) / INTERVAL.0) as usize;
        self.intervals.iter().take(over).map(|bytes| bytes.round() as u64).collect()
    }

    /// Whole bytes by stream.
    pub fn streams(&self) -> Vec<u64> {
        self.streams.iter().map(|bytes| bytes.round() as u64).collect()
    }

    /// Whether the backend did nothing but ask to come back later.
    pub fn is_only_busy(&self) -> bool {
        let busy = |why: &String| why == "status 429" || why == "status 503";
        self.counted == 0 && !self.refused.is_empty() && self.refused.keys().all(busy)
    }

    /// Requests that do not count.
    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Mono = Mono(5_000_000_000);

    fn held(parts: &[(i64, f64)]) -> Held {
        let mut held = Held::new(START);
        for &(ms, bytes) in parts {
            held.add(START + Span::millis(ms), bytes);
        }
        held
    }

    #[test]
    fn only_requests_that_succeed_count_where_their_payload_moved() {
        let mut tally = Tally::new(3, 2);
        tally.count(0, &held(&[(0, 10.0), (99, 5.0), (100, 7.0), (300, 9.0)]));
        tally.count(1, &held(&[(250, 1.0)]));
        tally.refuse(&held(&[(150, 1_000.0)]), Refused::Status(503));
        tally.refuse(&held(&[(150, 500.0)]), Refused::Cut);
        assert_eq!(tally.intervals(Span::millis(300)), [15, 7, 1], "and nothing after the planned end");
        assert_eq!(tally.intervals(Span::millis(250)), [15, 7]);
        assert_eq!(tally.streams(), [22, 1]);
        assert_eq!((tally.counted, tally.refusals(), tally.refused_bytes), (2, 2, 1_500));
        assert_eq!(tally.refused["status 503"], 1);
    }

    #[test]
    fn of_the_requests_that_a_stop_left_open_the_oldest_ends_the_test() {
        let mut tally = Tally::new(3, 2);
        for ms in [300, 200, 250] {
            tally.leave_open(START + Span::millis(ms));
        }
        assert_eq!(tally.left_open, Some(START + Span::millis(200)));
        assert_eq!(tally.counted + tally.refusals(), 0);
    }

    #[test]
    fn what_was_looked_at_late_is_spread_over_the_time_since_the_last_look() {
        let mut held = Held::new(START);
        held.spread(START + Span::millis(50), START + Span::millis(250), 200.0);
        held.spread(START + Span::millis(250), START + Span::millis(250), 5.0);
        let mut tally = Tally::new(3, 1);
        tally.count(0, &held);
        assert_eq!(tally.intervals(Span::millis(300)), [50, 100, 55]);
        assert_eq!(held.total(), 205.0);
    }

    #[test]
    fn what_tcp_moved_is_scaled_to_the_payload_that_was_acknowledged() {
        let scaled = held(&[(0, 110.0), (100, 330.0)]).scaled_to(400.0);
        assert_eq!(scaled, held(&[(0, 100.0), (100, 300.0)]));
        assert_eq!(held(&[]).scaled_to(400.0).total(), 0.0);
    }
}
