//! Data with a known answer, for tests only: what was planted must be found, and nothing else.
//!
//! Two operators' panels (lines that differ from each other more than the tests of one line do), Poisson cells, and a
//! town whose complaints depend on bad days, while weekday, trend and the line itself drive both. The same source is
//! compiled into the example `planted_truth`, which runs every experiment at full length.

pub(crate) mod effects;
pub(crate) mod experiments;
pub(crate) mod peers;
#[cfg(test)]
mod tests;
pub(crate) mod town;

use crate::stats::{Purpose, Stream};
use std::f64::consts::TAU;

/// A stream for replicate `number` of a simulation.
pub(crate) fn random(seed: u64, number: u64) -> Stream {
    Stream::new(seed, Purpose::Simulation, number)
}

/// A standard normal number (Box and Muller 1958).
pub(crate) fn normal(random: &mut Stream) -> f64 {
    let (u, v) = (random.uniform(), random.uniform());
    (-2.0 * (1.0 - u).ln()).sqrt() * (TAU * v).cos()
}

/// A Poisson count, by adding up exponential waiting times: time grows with the mean.
pub(crate) fn poisson(random: &mut Stream, mean: f64) -> u64 {
    let (mut count, mut waited) = (0, 0.0);
    loop {
        waited -= (1.0 - random.uniform()).ln();
        if waited > mean {
            return count;
        }
        count += 1;
    }
}

/// How a panel of lines is made. Spreads are standard deviations of the natural logarithm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PanelPlan {
    /// How many lines on each side.
    pub(crate) lines: usize,
    /// How many tests on each line.
    pub(crate) tests: usize,
    /// Spread between lines.
    pub(crate) between: f64,
    /// Spread of the tests of one line.
    pub(crate) within: f64,
    /// The median of the peer's lines, in any unit.
    pub(crate) median: f64,
    /// Own values over the peer's.
    pub(crate) ratio: f64,
}

impl PanelPlan {
    /// Lines that differ by .35, tests of one line by .30, around 20.
    pub(crate) const fn new(lines: usize, tests: usize, ratio: f64) -> Self {
        Self { lines, tests, between: 0.35, within: 0.30, median: 20.0, ratio }
    }

    /// Own lines, then the peer's: one vector of values per line.
    pub(crate) fn draw(&self, random: &mut Stream) -> [Vec<Vec<f64>>; 2] {
        [self.ratio, 1.0].map(|ratio| {
            (0..self.lines)
                .map(|_| {
                    let line = (self.median * ratio).ln() + self.between * normal(random);
                    (0..self.tests).map(|_| (line + self.within * normal(random)).exp()).collect()
                })
                .collect()
        })
    }
}
