//! Panels with a known answer, for tests only: what was planted must be found through the whole study, and nothing
//! else. The same source is compiled into the example `planted_studies`, which runs every experiment at full length.

pub(crate) mod experiments;
pub(crate) mod habits;
pub(crate) mod loops;
pub(crate) mod operators;
pub(crate) mod queues;
pub(crate) mod repairs;
pub(crate) mod steady;
#[cfg(test)]
mod tests;
pub(crate) mod town;
pub(crate) mod views;

use crate::stats::Stream;

/// A standard normal number (Box and Muller 1958).
pub(crate) fn normal(stream: &mut Stream) -> f64 {
    (-2.0 * (1.0 - stream.uniform()).ln()).sqrt() * (std::f64::consts::TAU * stream.uniform()).cos()
}

/// One figure of an experiment, and where it must lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finding {
    /// What was counted or averaged.
    pub(crate) what: &'static str,
    /// Over how many runs.
    pub(crate) runs: u64,
    /// What came out.
    pub(crate) got: f64,
    /// What may come out with 500 runs, at least and at most.
    pub(crate) bar: (f64, f64),
}

impl Finding {
    /// Whether the figure lies within its bar, for fewer than 500 runs with the play that chance then has: two
    /// standard errors less those of 500.
    pub(crate) fn holds(&self) -> bool {
        let error = |runs: f64, p: f64| (p * (1.0 - p) / runs).sqrt();
        let slack = |p: f64| {
            let more = |p: f64| 2.0 * (error(self.runs as f64, p) - error(500.0, p)).max(0.0);
            if (0.0..=1.0).contains(&p) { more(p) } else { 0.0 }
        };
        let (low, high) = self.bar;
        low - slack(low) <= self.got && self.got <= high + slack(high)
    }
}
