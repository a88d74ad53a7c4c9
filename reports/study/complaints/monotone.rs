//! Does the rate of complaints only ever rise towards the worse side?
//!
//! Line-days in twenty bands of about equal size, equal values together; the best curve that never falls (isotonic
//! regression) beside them. How far do the bands lie from it, and would they if the rate never fell? Complaints are
//! dealt out anew over the bands at one rate, and the deviance of the fit compared: of all curves that never fall the
//! flat one lies farthest from its fit by chance (Robertson, Wright and Dykstra, Order Restricted Statistical Inference,
//! 1988, section 2.3), so the p holds for every one of them, and is too large for steep ones.
//!
//! Complaints of one line go together more than the dealing knows, so a small p is a hint and no proof.

use super::bands::LineDay;
use super::row::Monotone;
use crate::stats::isotonic::{Direction, explained, isotonic};
use crate::stats::{Purpose, Stream};
use broadgauge_model::metric::Better;
use rayon::prelude::*;

const BANDS: usize = 20;
const DEALS: u64 = 499;

/// The check of line-days that stand by exposure.
pub(super) fn monotone(days: &[LineDay], better: Better, seed: u64) -> Monotone {
    let mut bands = bands(days);
    if better == Better::Higher {
        bands.reverse();
    }
    let weights: Vec<f64> = bands.iter().map(|b| b.days).collect();
    let rates: Vec<f64> = bands.iter().map(|b| b.complaints / b.days).collect();
    let none = Monotone { steps: Vec::new(), explained: None, departure_p: None };
    let Ok(fitted) = isotonic(&rates, &weights, Direction::Rising) else { return none };
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for (band, rate) in bands.iter().zip(&fitted) {
        let rate = 1_000.0 * rate;
        if steps.last().is_none_or(|last| last.1 != rate) {
            steps.push((band.edge(better), rate));
        }
    }
    let complaints: f64 = bands.iter().map(|b| b.complaints).sum();
    let share = explained(&rates, &weights, &fitted).ok();
    Monotone { steps, explained: share, departure_p: departure(&bands, complaints, seed) }
}

struct Band {
    from: f64,
    to: f64,
    days: f64,
    complaints: f64,
}

impl Band {
    const fn edge(&self, better: Better) -> f64 {
        match better {
            Better::Lower => self.from,
            Better::Higher => self.to,
        }
    }
}

/// Bands of about equal size that part no equal values.
fn bands(days: &[LineDay]) -> Vec<Band> {
    let size = days.len().div_ceil(BANDS).max(1);
    let mut bands: Vec<Band> = Vec::new();
    for same in days.chunk_by(|a, b| a.exposure == b.exposure) {
        let (value, count) = (same[0].exposure, same.len() as f64);
        let complaints: f64 = same.iter().map(|d| f64::from(d.complaints)).sum();
        match bands.last_mut().filter(|band| band.days + count / 2.0 <= size as f64) {
            Some(band) => {
                band.to = value;
                band.days += count;
                band.complaints += complaints;
            }
            None => bands.push(Band { from: value, to: value, days: count, complaints }),
        }
    }
    bands
}

/// How far counts lie from the best rising curve of their own.
fn distance(counts: &[f64], weights: &[f64]) -> Option<f64> {
    let rates: Vec<f64> = counts.iter().zip(weights).map(|(k, w)| k / w).collect();
    let fitted = isotonic(&rates, weights, Direction::Rising).ok()?;
    let term = |((k, w), rate): ((&f64, &f64), f64)| {
        let mean = rate * w;
        let log = if *k > 0.0 { k * (k / mean).ln() } else { 0.0 };
        2.0 * (log - (k - mean))
    };
    Some(counts.iter().zip(weights).zip(fitted).map(term).sum())
}

fn departure(bands: &[Band], complaints: f64, seed: u64) -> Option<f64> {
    let weights: Vec<f64> = bands.iter().map(|b| b.days).collect();
    let counts: Vec<f64> = bands.iter().map(|b| b.complaints).collect();
    if bands.len() < 3 || complaints < 1.0 {
        return None;
    }
    let observed = distance(&counts, &weights)?;
    let mut below = Vec::with_capacity(bands.len());
    let mut sum = 0.0;
    for weight in &weights {
        sum += weight;
        below.push(sum);
    }
    let hits = (0..DEALS)
        .into_par_iter()
        .filter(|number| {
            let mut stream = Stream::new(seed, Purpose::Simulation, *number);
            let mut dealt = vec![0.0; below.len()];
            for _ in 0..complaints as u64 {
                let at = stream.uniform() * sum;
                let band = below.partition_point(|edge| *edge <= at).min(dealt.len() - 1);
                dealt[band] += 1.0;
            }
            distance(&dealt, &weights).is_some_and(|d| d >= observed * (1.0 - 1e-12) - 1e-9)
        })
        .count();
    Some((1 + hits) as f64 / (1 + DEALS) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: u64 = 500;

    /// Two thousand line-days along an exposure from 0 to 100, complaints on each as a Poisson process brings them.
    fn days(run: u64, rate: impl Fn(f64) -> f64) -> Vec<LineDay> {
        let mut stream = Stream::new(3, Purpose::Simulation, run);
        (0..2_000)
            .map(|i| {
                let exposure = f64::from(i) / 20.0;
                let (none, mut left, mut complaints) = ((-rate(exposure)).exp(), stream.uniform(), 0);
                while left > none {
                    left *= stream.uniform();
                    complaints += 1;
                }
                LineDay { exposure, line: i as u32 % 100, day: i / 100, complaints }
            })
            .collect()
    }

    /// What is said of so many runs of one truth.
    fn checks(better: Better, rate: impl Fn(f64) -> f64 + Sync) -> Vec<Monotone> {
        (0..RUNS).into_par_iter().map(|run| monotone(&days(run, &rate), better, run)).collect()
    }

    /// In how many runs a falling stretch is claimed at 5%.
    fn claimed(found: &[Monotone]) -> usize {
        found.iter().filter(|m| m.departure_p.is_some_and(|p| p <= 0.05)).count()
    }

    // Oracle: the 2.5% and 97.5% points of a binomial of 500 runs at .05 are 16 and 35, summed exactly.
    #[test]
    fn a_rate_that_never_falls_is_said_to_fall_one_time_in_twenty_at_most() {
        let flat = claimed(&checks(Better::Lower, |_| 0.1));
        assert!((16..=35).contains(&flat), "flat: {flat} of {RUNS}");
        let rising = checks(Better::Lower, |x| 0.02 + 0.0024 * x);
        assert!(claimed(&rising) <= 35, "rising: {} of {RUNS}", claimed(&rising));
        assert!(rising.iter().all(|m| m.steps.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1)));
        let explained = rising.iter().filter_map(|m| m.explained).sum::<f64>() / RUNS as f64;
        assert!(explained > 0.8, "{explained}");
    }

    #[test]
    fn where_more_is_better_the_steps_run_downwards_in_the_metric() {
        let falling = checks(Better::Higher, |x| 0.26 - 0.0024 * x);
        assert!(claimed(&falling) <= 35, "falling: {} of {RUNS}", claimed(&falling));
        assert!(falling.iter().all(|m| m.steps.windows(2).all(|w| w[0].0 > w[1].0 && w[0].1 < w[1].1)));
    }

    #[test]
    fn a_falling_stretch_is_noticed() {
        let humped = claimed(&checks(Better::Lower, |x| 0.3 - 0.0054 * (x - 50.0).abs()));
        assert!(humped >= 490, "{humped} of {RUNS}");
        let turned = claimed(&checks(Better::Higher, |x| 0.02 + 0.0024 * x));
        assert!(turned >= 490, "{turned} of {RUNS}");
    }
}
