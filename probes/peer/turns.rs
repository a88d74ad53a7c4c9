//! A loading test that consists of many requests, none of which can wait: it has its turn from the first request until
//! a while after the last, and others are told when to come back.
//!
//! The turn is a place in the same queue in which tests wait that can: while it lasts, they wait for it.

use super::guests::place_of;
use super::queue::{Holder, Queue};
use broadgauge_model::clock::{Clock, Span};
use std::net::IpAddr;
use std::sync::{Arc, MutexGuard, PoisonError};

/// For so long after its last request a test is not over.
pub const LINGERS: Span = Span::secs(3);

/// Gives turns to tests of one protocol.
#[derive(Clone)]
pub struct Turns {
    queue: Queue,
    protocol: &'static str,
    clock: Arc<dyn Clock>,
    longest: Span,
    lingers: Span,
}

/// It is somebody else's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another test is running; come back in {retry_after_s} s")]
pub struct Busy {
    /// When to ask again.
    pub retry_after_s: u32,
}

impl Turns {
    /// Turns of a protocol in this queue, none longer than this, each over so long after its last request.
    pub fn new(
        queue: Queue,
        protocol: &'static str,
        clock: Arc<dyn Clock>,
        longest: Span,
        lingers: Span,
    ) -> Self {
        Self { queue, protocol, clock, longest, lingers }
    }

    /// Lets a request of a test run, or says that it is somebody else's turn. Who has just ended one test may begin
    /// another at once.
    pub fn take(&self, address: IpAddr) -> Result<Turn, Busy> {
        let who = place_of(address);
        let at = self.clock.mono();
        let mut holder = self.holder();
        match holder.as_mut() {
            Some(test)
                if test.who == who && test.protocol == self.protocol && at - test.since < self.longest =>
            {
                test.requests += 1;
                test.version += 1;
            }
            Some(test) if test.who == who && test.protocol != self.protocol && test.requests == 0 => {
                (test.protocol, test.since, test.requests) = (self.protocol, at, 1);
                test.version += 1;
            }
            Some(test) => {
                let left = self.longest - (at - test.since);
                return Err(Busy { retry_after_s: left.as_secs_f64().clamp(1.0, 10.0).ceil() as u32 });
            }
            None => {
                let place = self.queue.enter(who).map_err(|_| Busy { retry_after_s: 10 })?;
                if place.ahead() > 0 {
                    return Err(Busy { retry_after_s: 10 });
                }
                let protocol = self.protocol;
                *holder = Some(Holder { who, protocol, since: at, requests: 1, version: 0, _place: place });
            }
        }
        Ok(Turn { turns: self.clone() })
    }

    fn holder(&self) -> MutexGuard<'_, Option<Holder>> {
        self.queue.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_if_still(&self, version: u64) {
        let ended = {
            let mut holder = self.holder();
            holder.take_if(|test| test.requests == 0 && test.version == version)
        };
        // Its place is left after the lock is.
        drop(ended);
    }
}

/// A request that is running in its test's turn.
pub struct Turn {
    turns: Turns,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let version = {
            let mut holder = self.turns.holder();
            let Some(test) = holder.as_mut() else { return };
            test.requests = test.requests.saturating_sub(1);
            if test.requests > 0 {
                return;
            }
            test.version
        };
        let turns = self.turns.clone();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            turns.end_if_still(version);
            return;
        };
        runtime.spawn(async move {
            tokio::time::sleep(turns.lingers.to_std()).await;
            turns.end_if_still(version);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::clock::SystemClock;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn turns(queue: &Queue, longest: Span, lingers: Span) -> Turns {
        turns_of(queue, "one", longest, lingers)
    }

    fn turns_of(queue: &Queue, protocol: &'static str, longest: Span, lingers: Span) -> Turns {
        Turns::new(queue.clone(), protocol, Arc::new(SystemClock::start()), longest, lingers)
    }

    #[tokio::test]
    async fn a_test_has_its_turn_until_a_while_after_its_last_request() {
        let queue = Queue::new(8, 8);
        let (turns, other_protocol) = (
            turns(&queue, Span::secs(60), Span::millis(20)),
            turns_of(&queue, "other", Span::secs(60), Span::millis(20)),
        );
        let first = turns.take(A).unwrap();
        let second = turns.take(A).unwrap();
        assert!(turns.take(B).is_err() && other_protocol.take(A).is_err());
        let mut waiting = queue.enter(B).unwrap();
        drop(first);
        assert_eq!(waiting.ahead(), 1);
        drop(second);
        while waiting.ahead() > 0 {
            waiting.moved().await;
        }
        assert!(other_protocol.take(B).is_err(), "who waited has the turn");
        drop(waiting);
        assert!(other_protocol.take(B).is_ok());
    }

    #[tokio::test]
    async fn a_request_in_time_keeps_the_turn() {
        let turns = turns(&Queue::new(8, 8), Span::secs(60), Span::secs(60));
        drop(turns.take(A).unwrap());
        assert!(turns.take(B).is_err(), "a test may pause between two requests");
        let again = turns.take(A).unwrap();
        turns.end_if_still(0);
        assert!(turns.take(B).is_err(), "the end of the first request is not that of the second");
        drop(again);
        turns.end_if_still(1);
        assert!(turns.take(B).is_ok());
    }

    #[tokio::test]
    async fn who_has_just_ended_one_test_may_begin_another() {
        let queue = Queue::new(8, 8);
        let one = turns_of(&queue, "one", Span::secs(60), Span::secs(60));
        let other = turns_of(&queue, "other", Span::secs(60), Span::secs(60));
        let running = one.take(A).unwrap();
        assert!(other.take(A).is_err(), "two loads at once would measure each other");
        drop(running);
        assert!(other.take(B).is_err());
        let _running = other.take(A).unwrap();
        assert!(one.take(A).is_err());
    }

    #[tokio::test]
    async fn nobody_has_a_turn_for_ever() {
        let turns = turns(&Queue::new(8, 8), Span::ZERO, Span::secs(60));
        let _running = turns.take(A).unwrap();
        assert_eq!(turns.take(A).map(drop), Err(Busy { retry_after_s: 1 }));
    }
}
