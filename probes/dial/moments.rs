//! When a question left on a connection and when the answer was last heard, taken where the bytes pass. Between there and
//! whoever asked lie tasks that wake one another, which takes some hundred microseconds on an idle machine; and between
//! there and the wire lies a thread that sleeps, which the kernel's stamp leaves out until an answer has begun.

use crate::net::stamp::read_both;
use broadgauge_model::clock::{Clock, Mono, Span, Wall};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// No such moment yet.
const NONE: u64 = u64::MAX;

/// The moments of one exchange after another on a connection.
pub struct Moments {
    clock: Arc<dyn Clock>,
    asked: AtomicU64,
    heard: AtomicU64,
    /// Whether an answer is waited for that has not begun.
    awaited: AtomicBool,
}

/// A stamp so long before it was read is of a clock that was set meanwhile.
const LONGEST: Span = Span::secs(1);

impl Moments {
    /// Of a connection, in this clock's time.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let none = || AtomicU64::new(NONE);
        Arc::new(Self { clock, asked: none(), heard: none(), awaited: AtomicBool::new(false) })
    }

    /// The clock that they are told in.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// A question follows: what was noted of the last one is of no use any more.
    pub fn begin(&self) {
        self.asked.store(NONE, Ordering::Relaxed);
        self.heard.store(NONE, Ordering::Relaxed);
        self.awaited.store(true, Ordering::Relaxed);
    }

    /// The answer has begun: what follows is not worth a question to the kernel for each piece.
    pub fn begun(&self) {
        self.awaited.store(false, Ordering::Relaxed);
    }

    /// Whether it matters to the microsecond when the next bytes came.
    pub(super) fn is_awaiting(&self) -> bool {
        self.awaited.load(Ordering::Relaxed)
    }

    /// Bytes are about to leave.
    pub(super) fn note_leaving(&self) {
        if self.asked.load(Ordering::Relaxed) == NONE {
            self.asked.store(self.clock.mono().0, Ordering::Relaxed);
        }
    }

    /// Bytes have come: when the kernel stamped them, else now. No answer came before its question, nor before what was
    /// heard last.
    pub(super) fn note_coming(&self, stamp: Option<Wall>) {
        let stamped = |stamp| {
            let now = read_both(&*self.clock);
            let waited = Some(now.wall.since(stamp)).filter(|w| (Span::ZERO..LONGEST).contains(w));
            now.mono + Span(-waited.unwrap_or(Span::ZERO).0)
        };
        // Most bytes have no stamp, and one reading of one clock will do.
        let at = stamp.map_or_else(|| self.clock.mono(), stamped);
        let earliest = self.heard().or_else(|| self.asked());
        self.heard.store(earliest.map_or(at, |earliest| at.max(earliest)).0, Ordering::Relaxed);
    }

    /// When the first bytes of the question left.
    pub fn asked(&self) -> Option<Mono> {
        moment(&self.asked)
    }

    /// When bytes last came.
    pub fn heard(&self) -> Option<Mono> {
        moment(&self.heard)
    }
}

fn moment(noted: &AtomicU64) -> Option<Mono> {
    let at = noted.load(Ordering::Relaxed);
    (at != NONE).then_some(Mono(at))
}

impl fmt::Debug for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moments").field("asked", &self.asked()).field("heard", &self.heard()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::clock::{ManualClock, Span, Wall};

    #[test]
    fn a_question_left_when_its_first_bytes_did_and_is_heard_of_when_the_last_bytes_came() {
        let clock = Arc::new(ManualClock::at(Wall(0)));
        let start = clock.mono();
        let moments = Moments::new(Arc::clone(&clock) as _);
        let after = |ms: i64, note: fn(&Moments)| {
            clock.advance(Span::millis(ms));
            note(&moments);
            [moments.asked(), moments.heard()].map(|at| at.map(|at| (at - start).as_millis_f64()))
        };
        assert_eq!(after(1, Moments::note_leaving), [Some(1.0), None]);
        assert_eq!(after(1, Moments::note_leaving), [Some(1.0), None]);
        let unstamped: fn(&Moments) = |moments| moments.note_coming(None);
        assert_eq!(after(5, unstamped), [Some(1.0), Some(7.0)]);
        assert_eq!(after(2, unstamped), [Some(1.0), Some(9.0)]);
        assert_eq!(after(1, Moments::begin), [None, None]);
        assert_eq!(after(1, Moments::note_leaving), [Some(11.0), None]);
    }

    #[test]
    fn a_stamp_counts_where_it_can_be_true() {
        let clock = Arc::new(ManualClock::at(Wall(0)));
        let start = clock.mono();
        let moments = Moments::new(Arc::clone(&clock) as _);
        let heard = |stamp: i64| {
            moments.note_coming(Some(Wall(0) + Span::millis(stamp)));
            (moments.heard().unwrap() - start).as_millis_f64()
        };
        moments.begin();
        clock.advance(Span::millis(10));
        moments.note_leaving();
        clock.advance(Span::millis(20));
        assert_eq!(heard(29), 29.0);
        // Before what was heard, in the future, and of a clock that was set.
        assert_eq!(heard(28), 29.0);
        assert_eq!(heard(31), 30.0);
        clock.advance(Span::secs(100));
        assert_eq!(heard(29), 100_030.0);
        moments.begin();
        moments.note_leaving();
        assert_eq!(heard(99_000), 100_030.0);
        assert!(moments.is_awaiting());
        moments.begun();
        assert!(!moments.is_awaiting());
    }
}
