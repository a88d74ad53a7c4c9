//! How long to wait after a failure: twice as long each time, half of it by chance, so that the agents of a fleet
//! do not all come back at once.

use broadgauge_model::clock::Span;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// The waits of one agent.
#[derive(Debug)]
pub(super) struct Backoff {
    from: Span,
    to: Span,
    failures: u32,
    rng: ChaCha8Rng,
}

impl Backoff {
    pub(super) fn new(from: Span, to: Span, seed: u64) -> Self {
        Self { from, to, failures: 0, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure; not shorter than what the collector asked for, within the longest.
    pub(super) fn failed(&mut self, asked: Option<Span>) -> Span {
        let doubled = self.from.0.saturating_mul(1_i64 << self.failures.min(40)).min(self.to.0);
        self.failures = self.failures.saturating_add(1);
        let half = doubled / 2;
        let wait = half + self.rng.random_range(0..=doubled - half);
        Span(wait.max(asked.map_or(0, |asked| asked.0).min(self.to.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(Span::secs(1), Span::secs(300), 3);
        let waits: Vec<f64> = (0..12).map(|_| backoff.failed(None).as_secs_f64()).collect();
        for (n, wait) in waits.iter().enumerate() {
            let doubled = f64::from(1 << n.min(30)).min(300.0);
            assert!((doubled / 2.0..=doubled).contains(wait), "{n}: {wait}");
        }
        backoff.succeeded();
        assert!(backoff.failed(None) <= Span::secs(1));
    }

    #[test]
    fn a_collector_that_asks_for_patience_gets_it_within_the_longest() {
        let mut backoff = Backoff::new(Span::millis(1), Span::secs(10), 3);
        assert_eq!(backoff.failed(Some(Span::secs(5))), Span::secs(5));
        assert_eq!(backoff.failed(Some(Span::secs(50_000))), Span::secs(10));
    }

    #[test]
    fn two_agents_do_not_come_back_together() {
        let waits = |seed| {
            let mut backoff = Backoff::new(Span::secs(1), Span::secs(300), seed);
            (0..5).map(|_| backoff.failed(None)).collect::<Vec<_>>()
        };
        assert_ne!(waits(1), waits(2));
    }
}
