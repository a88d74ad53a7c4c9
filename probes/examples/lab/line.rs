//! What a line does to packets, as a pure function of time and chance.
//!
//! In this order: loss by chance; a queue that drains at the line's rate and drops what does not fit its buffer; a fixed
//! delay, and jitter that keeps the order; a few packets held back so that others overtake them; a few doubled. The
//! rate counts bytes of IP packets. The queue is kept in virtual time: it loses no capacity when the program is woken
//! late, as a token bucket does.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

/// A line as its file describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) seed: u64,
    pub(crate) down: Way,
    pub(crate) up: Way,
}

/// One direction of it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Way {
    /// Bytes of IP packets.
    pub(crate) rate_mbps: f64,
    /// How long a full buffer takes to drain.
    pub(crate) buffer_ms: f64,
    pub(crate) delay_ms: f64,
    /// The median of the lognormal jitter; none where 0.
    #[serde(default)]
    pub(crate) jitter_ms: f64,
    #[serde(default)]
    pub(crate) jitter_sigma: f64,
    #[serde(default)]
    pub(crate) loss: f64,
    /// The share held back, and for how long.
    #[serde(default)]
    pub(crate) reorder: f64,
    #[serde(default)]
    pub(crate) reorder_ms: f64,
    #[serde(default)]
    pub(crate) duplicate: f64,
}

/// From the near end to the far end is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Towards {
    Far,
    Near,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Lost by chance.
    Lost,
    /// There was no room in the buffer.
    Dropped,
    /// It comes out at this time, in nanoseconds.
    Passed { at: i64, held: bool, doubled: bool },
}

/// A direction at work.
pub(crate) struct Passage {
    way: Way,
    chance: ChaCha8Rng,
    /// When the queue will have drained.
    free_at: i64,
    last_out: i64,
}

impl Passage {
    pub(crate) fn new(way: Way, seed: u64) -> Self {
        Self { way, chance: ChaCha8Rng::seed_from_u64(seed), free_at: i64::MIN, last_out: i64::MIN }
    }

    /// A packet of so many bytes comes in at this time.
    pub(crate) fn pass(&mut self, now: i64, bytes: usize) -> Fate {
        // Every packet takes the same number of draws, so that one fate does not change those of others.
        let draw: [f64; 5] = std::array::from_fn(|_| self.chance.random());
        if draw[0] < self.way.loss {
            return Fate::Lost;
        }
        let start = self.free_at.max(now);
        let end = start + (bytes as f64 * 8e3 / self.way.rate_mbps) as i64;
        if end - now > (self.way.buffer_ms * 1e6) as i64 && start > now {
            return Fate::Dropped;
        }
        self.free_at = end;
        let due = end + ((self.way.delay_ms + self.jitter(draw[1], draw[2])) * 1e6) as i64;
        let held = draw[3] < self.way.reorder;
        let doubled = draw[4] < self.way.duplicate;
        let at = if held {
            due + (self.way.reorder_ms * 1e6) as i64
        } else {
            self.last_out = due.max(self.last_out);
            self.last_out
        };
        Fate::Passed { at, held, doubled }
    }

    /// Box and Muller (1958).
    fn jitter(&self, a: f64, b: f64) -> f64 {
        let normal = (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        self.way.jitter_ms * (self.way.jitter_sigma * normal).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: Way = Way {
        rate_mbps: 12.0,
        buffer_ms: 100.0,
        delay_ms: 10.0,
        jitter_ms: 0.0,
        jitter_sigma: 0.0,
        loss: 0.0,
        reorder: 0.0,
        reorder_ms: 0.0,
        duplicate: 0.0,
    };

    fn passed(fate: Fate) -> i64 {
        let Fate::Passed { at, .. } = fate else { panic!("{fate:?}") };
        at
    }

    #[test]
    fn packets_queue_at_the_lines_rate_and_the_buffer_drops_the_rest() {
        // 1,500 bytes at 12 Mbit/s take 1 ms; 100 ms hold a hundred of them.
        let mut passage = Passage::new(CLEAN, 1);
        let fates: Vec<Fate> = (0..120).map(|_| passage.pass(0, 1_500)).collect();
        assert_eq!(passed(fates[0]), 11_000_000);
        assert_eq!(passed(fates[99]), 110_000_000);
        assert_eq!(fates[100..], [Fate::Dropped; 20]);
        assert_eq!(passed(passage.pass(50_000_000, 1_500)), 111_000_000, "half has drained");
    }

    #[test]
    fn shares_come_out_as_told_and_the_same_seed_gives_the_same_fates() {
        let way =
            Way { loss: 0.01, duplicate: 0.02, reorder: 0.03, reorder_ms: 5.0, rate_mbps: 1e6, ..CLEAN };
        let fates = |seed| -> Vec<Fate> {
            let mut passage = Passage::new(way, seed);
            (0..100_000).map(|i| passage.pass(i * 1_000_000, 100)).collect()
        };
        let some = fates(7);
        let share = |is: fn(&Fate) -> bool| some.iter().filter(|fate| is(fate)).count() as f64 / 100_000.0;
        assert!((share(|fate| *fate == Fate::Lost) - 0.01).abs() < 0.001);
        assert!((share(|fate| matches!(fate, Fate::Passed { doubled: true, .. })) - 0.02).abs() < 0.002);
        assert!((share(|fate| matches!(fate, Fate::Passed { held: true, .. })) - 0.03).abs() < 0.003);
        assert_eq!(some, fates(7));
    }

    #[test]
    fn jitter_keeps_the_order() {
        let mut passage = Passage::new(Way { jitter_ms: 5.0, jitter_sigma: 1.0, ..CLEAN }, 1);
        let out: Vec<i64> = (0..1_000).map(|i| passed(passage.pass(i * 2_000_000, 100))).collect();
        assert!(out.is_sorted());
        assert!(out.iter().zip(0..).all(|(at, i)| at - i * 2_000_000 >= 10_000_000));
    }
}
