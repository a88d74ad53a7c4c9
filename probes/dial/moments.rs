//! When a question left on a connection and when the answer was last heard, taken where the bytes pass. Between there and
//! whoever asked lie tasks that wake one another, which takes some hundred microseconds on an idle machine.

use broadgauge_model::clock::{Clock, Mono};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// No such moment yet.
const NONE: u64 = u64::MAX;

/// The moments of one exchange after another on a connection.
pub struct Moments {
    clock: Arc<dyn Clock>,
    asked: AtomicU64,
    heard: AtomicU64,
}

impl Moments {
    /// Of a connection, in this clock's time.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, asked: AtomicU64::new(NONE), heard: AtomicU64::new(NONE) })
    }

    /// The clock that they are told in.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// A question follows: what was noted of the last one is of no use any more.
    pub fn begin(&self) {
        self.asked.store(NONE, Ordering::Relaxed);
        self.heard.store(NONE, Ordering::Relaxed);
    }

    /// Bytes are about to leave.
    pub(super) fn note_leaving(&self) {
        if self.asked.load(Ordering::Relaxed) == NONE {
            self.asked.store(self.clock.mono().0, Ordering::Relaxed);
        }
    }

    /// Bytes have come.
    pub(super) fn note_coming(&self) {
        self.heard.store(self.clock.mono().0, Ordering::Relaxed);
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
        assert_eq!(after(5, Moments::note_coming), [Some(1.0), Some(7.0)]);
        assert_eq!(after(2, Moments::note_coming), [Some(1.0), Some(9.0)]);
        assert_eq!(after(1, Moments::begin), [None, None]);
        assert_eq!(after(1, Moments::note_leaving), [Some(11.0), None]);
    }
}
