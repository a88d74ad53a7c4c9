//! When packets leave: streams and stopping rules as values.
//!
//! Two streams: periodic with a random start (RFC 3432) and Poisson (RFC 2330 section 11.1.1), whose
//! exponential gaps are cut at a longest gap so that a stream never falls silent. Both follow from the seed
//! alone, and they run open loop: an answer, early, late or missing, never moves a slot. A slot that
//! passes without a packet, because this machine was busy, is counted as missed and is not made up for
//! by a burst. What this cannot tell is whether the network or the machine is at fault for what follows: the
//! lateness of each packet stands beside it for that.

use broadgauge_model::clock::Span;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How slots are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// A fixed gap, after a start drawn from the first gap (RFC 3432).
    Periodic {
        /// The gap.
        interval: Span,
    },
    /// Exponential gaps, none longer than `longest` (RFC 2330).
    Poisson {
        /// The mean gap before the cut.
        mean: Span,
        /// The longest gap.
        longest: Span,
    },
}

impl Stream {
    /// A periodic stream of so many packets a second.
    pub fn periodic(per_second: f64) -> Self {
        Self::Periodic { interval: Span::from_secs_f64(1.0 / per_second) }
    }

    /// A Poisson stream of so many packets a second, its gaps cut at ten times the mean.
    pub fn poisson(per_second: f64) -> Self {
        let mean = Span::from_secs_f64(1.0 / per_second);
        Self::Poisson { mean, longest: Span(mean.0.saturating_mul(10)) }
    }

    /// The gap that most slots have, roughly.
    pub const fn typical_gap(self) -> Span {
        match self {
            Self::Periodic { interval: gap } | Self::Poisson { mean: gap, .. } => gap,
        }
    }
}

/// When a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// After so many slots.
    Count(u64),
    /// Slots up to this time from the start.
    After(Span),
}

/// A stream, its end and its seed: everything that fixes the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// How slots are spaced.
    pub stream: Stream,
    /// When they end.
    pub stop: Stop,
    /// What the random start and the random gaps are drawn from.
    pub seed: u64,
}

impl Pace {
    /// The slots as times from the start, in order.
    pub fn slots(&self) -> Slots {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let first = match self.stream {
            Stream::Periodic { interval } => Span((rng.random::<f64>() * interval.0 as f64) as i64),
            Stream::Poisson { mean, longest } => gap(&mut rng, mean, longest),
        };
        Slots { stream: self.stream, stop: self.stop, rng, next: first, index: 0 }
    }

    /// How many slots to expect at most or on average: for limits and progress bars.
    pub const fn expected(&self) -> u64 {
        match self.stop {
            Stop::Count(n) => n,
            Stop::After(span) => {
                let gap = self.stream.typical_gap().0;
                if gap > 0 { span.0 as u64 / gap as u64 } else { u64::MAX }
            }
        }
    }
}

/// One exponential gap by inversion, from the part of the distribution that is not above `longest`.
fn gap(rng: &mut ChaCha8Rng, mean: Span, longest: Span) -> Span {
    let mean = mean.0 as f64;
    let floor = (-(longest.0 as f64) / mean).exp();
    let u = floor + (1.0 - floor) * (1.0 - rng.random::<f64>());
    Span((-u.ln() * mean).round() as i64)
}

/// The slots of a [`Pace`].
#[derive(Clone, Debug)]
pub struct Slots {
    stream: Stream,
    stop: Stop,
    rng: ChaCha8Rng,
    next: Span,
    index: u64,
}

impl Iterator for Slots {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let slot = self.next;
        let over = match self.stop {
            Stop::Count(n) => self.index >= n,
            Stop::After(end) => slot >= end,
        };
        if over {
            return None;
        }
        self.index += 1;
        self.next = match self.stream {
            Stream::Periodic { interval } => slot + interval,
            Stream::Poisson { mean, longest } => slot + gap(&mut self.rng, mean, longest),
        };
        Some(slot)
    }
}

/// What a pacer has to say about now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// This slot is due.
    Now {
        /// The slot's number from zero, missed ones counted.
        slot: u64,
        /// When it was planned, from the start.
        planned: Span,
    },
    /// Nothing before then.
    At(Span),
    /// No slot is left.
    Over,
}

/// Walks through the slots as time passes, and keeps the books: every slot that it has passed was either
/// handed out or missed.
#[derive(Clone, Debug)]
pub struct Pacer {
    slots: Slots,
    next: Option<Span>,
    tolerance: Span,
    planned: u64,
    missed: u64,
}

impl Pacer {
    /// Starts at the first slot. A slot is missed once it is a typical gap late, though never before 1 ms.
    pub fn new(pace: &Pace) -> Self {
        let mut slots = pace.slots();
        let next = slots.next();
        let tolerance = pace.stream.typical_gap().max(Span::millis(1));
        Self { slots, next, tolerance, planned: 0, missed: 0 }
    }

    /// What to do at this time from the start.
    pub fn due(&mut self, elapsed: Span) -> Due {
        while let Some(planned) = self.next {
            if planned > elapsed {
                return Due::At(planned);
            }
            self.next = self.slots.next();
            self.planned += 1;
            if elapsed - planned < self.tolerance {
                return Due::Now { slot: self.planned - 1, planned };
            }
            self.missed += 1;
        }
        Due::Over
    }

    /// Slots whose time has come so far.
    pub const fn planned(&self) -> u64 {
        self.planned
    }

    /// Slots that passed unused because nobody asked in time.
    pub const fn missed(&self) -> u64 {
        self.missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pace(stream: Stream, stop: Stop) -> Pace {
        Pace { stream, stop, seed: 7 }
    }

    #[test]
    fn a_periodic_stream_has_fixed_gaps_after_a_random_start() {
        let pace = pace(Stream::periodic(1_000.0), Stop::After(Span::secs(10)));
        let slots: Vec<_> = pace.slots().collect();
        assert_eq!(slots.len(), 10_000);
        assert_eq!(pace.expected(), 10_000);
        assert!(slots[0] < Span::millis(1));
        assert!(slots.windows(2).all(|w| w[1] - w[0] == Span::millis(1)));
        let other: Vec<_> = Pace { seed: 8, ..pace }.slots().take(1).collect();
        assert_ne!(slots[0], other[0], "another seed, another start");
    }

    #[test]
    fn poisson_gaps_pass_the_kolmogorov_smirnov_test_for_an_exponential() {
        // RFC 2330 section 11.4 asks for a goodness-of-fit test. 1.63/sqrt(n) is the critical value at 1%
        // (Smirnov 1948, table of the asymptotic distribution).
        let n = 10_000;
        let slots: Vec<_> = pace(Stream::poisson(100.0), Stop::Count(n)).slots().collect();
        let mut gaps: Vec<f64> = slots.windows(2).map(|w| (w[1] - w[0]).as_millis_f64()).collect();
        gaps.sort_by(f64::total_cmp);
        assert!(gaps.iter().all(|&g| (0.0..=100.0).contains(&g)), "none is longer than ten means");
        let count = gaps.len() as f64;
        let distance = gaps
            .iter()
            .enumerate()
            .map(|(i, &g)| {
                let theory = (1.0 - (-g / 10.0).exp()) / (1.0 - (-10.0_f64).exp());
                (theory - i as f64 / count).abs().max(((i + 1) as f64 / count - theory).abs())
            })
            .fold(0.0, f64::max);
        assert!(distance < 1.63 / count.sqrt(), "distance {distance}");
    }

    #[test]
    fn a_slot_that_nobody_asked_for_in_time_is_missed_and_not_made_up_for() {
        let mut pacer = Pacer::new(&pace(Stream::periodic(100.0), Stop::Count(5)));
        let Due::At(first) = pacer.due(Span::ZERO) else { panic!("the start is random") };
        assert_eq!(pacer.due(first), Due::Now { slot: 0, planned: first });
        let late = first + Span::millis(33);
        assert_eq!(pacer.due(late), Due::Now { slot: 3, planned: first + Span::millis(30) });
        assert_eq!((pacer.planned(), pacer.missed()), (4, 2));
        assert_eq!(pacer.due(late), Due::At(first + Span::millis(40)));
        assert_eq!(pacer.due(late + Span::secs(1)), Due::Over);
        assert_eq!((pacer.planned(), pacer.missed()), (5, 3));
    }

    proptest! {
        #[test]
        fn every_slot_is_handed_out_or_missed(
            steps in proptest::collection::vec(0_i64..5_000_000, 0..400), poisson: bool, seed: u64,
        ) {
            let stream = if poisson { Stream::poisson(1_000.0) } else { Stream::periodic(1_000.0) };
            let mut pacer = Pacer::new(&Pace { stream, stop: Stop::Count(300), seed });
            let (mut now, mut used) = (Span::ZERO, 0);
            for step in steps {
                now = now + Span(step);
                while let Due::Now { planned, .. } = pacer.due(now) {
                    prop_assert!(planned <= now);
                    used += 1;
                }
                prop_assert_eq!(used + pacer.missed(), pacer.planned());
            }
        }
    }
}
