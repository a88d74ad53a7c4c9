//! Did a series jump, and did it turn? Interrupted time series of differences between pairs.
//!
//! Each pair gives one series: a treated unit less those like it that were left alone, week by week. A straight line
//! before and another after (segmented regression: Wagner, Soumerai, Zhang and Ross-Degnan, J. Clin. Pharm. Ther. 27,
//! 2002) gives each pair a jump, against where its line before was heading, and a change of slope. Pairs, not weeks, are
//! averaged, with Student's interval over pairs, because the weeks of one pair depend on each other.
//!
//! A line through a few weeks before points almost anywhere: the jump is far less certain than the plain difference of
//! before and after, and tells more only where things were on the move already.

use super::Interval;
use super::refusal::{Answer, all_finite, at_least, finite, same_length};
use super::rows::Rows;
use super::welch::Moments;
use nalgebra::{DMatrix, DVector};

/// Jump and turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interrupted {
    /// How much higher the line after begins than the line before ends.
    pub level: (f64, Interval),
    /// How much steeper it is, per unit of time.
    pub slope: (f64, Interval),
    /// Pairs.
    pub pairs: usize,
}

/// The mean jump and turn of several series on the same times, those below 0 before, those from 0 on after; three pairs
/// and two times on each side, or more.
pub fn interrupted(times: &[f64], pairs: &[Vec<f64>], level: f64) -> Answer<Interrupted> {
    at_least(pairs.len(), 3, "pairs")?;
    all_finite(times, "a time")?;
    at_least(times.iter().filter(|t| **t < 0.0).count(), 2, "times before")?;
    at_least(times.iter().filter(|t| **t >= 0.0).count(), 2, "times after")?;
    let mut design = Rows::new(3);
    for &time in times {
        let after = f64::from(u8::from(time >= 0.0));
        design.push(&[time, after, after * time])?;
    }
    let matrix = DMatrix::from_fn(times.len(), 4, |i, k| if k == 0 { 1.0 } else { design.row(i)[k - 1] });
    let solver = matrix.svd(true, true);
    let (mut levels, mut slopes) = (Vec::new(), Vec::new());
    for pair in pairs {
        same_length(times.len(), pair.len(), "the times and a pair")?;
        all_finite(pair, "a difference")?;
        let fit = solver.solve(&DVector::from_column_slice(pair), 1e-10).ok();
        let at = |k: usize| fit.as_ref().and_then(|fit| fit.get(k).copied()).unwrap_or(f64::NAN);
        levels.push(finite(at(2), "the jump")?);
        slopes.push(finite(at(3), "the turn")?);
    }
    let told = |values: &[f64]| -> Answer<(f64, Interval)> {
        let moments = Moments::of(values)?;
        Ok((moments.mean, moments.interval(level)?))
    };
    Ok(Interrupted { level: told(&levels)?, slope: told(&slopes)?, pairs: pairs.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Purpose, Refusal, Stream};

    const TIMES: [f64; 8] = [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0];

    fn planted(pairs: usize, noise: f64, run: u64) -> Vec<Vec<f64>> {
        let stream = &mut Stream::new(61, Purpose::Simulation, run);
        let mut normal = || {
            (-2.0 * (1.0 - stream.uniform()).ln()).sqrt() * (std::f64::consts::TAU * stream.uniform()).cos()
        };
        (0..pairs)
            .map(|_| {
                let (start, trend) = (0.3 * normal(), 0.01);
                let value = |t: &f64| {
                    let after = if *t >= 0.0 { -0.3 + 0.05 * t } else { 0.0 };
                    start + trend * t + after
                };
                TIMES.iter().map(value).map(|v| v + noise * normal()).collect()
            })
            .collect()
    }

    #[test]
    fn a_jump_and_a_turn_without_noise_are_found_to_the_last_digit() {
        let found = interrupted(&TIMES, &planted(5, 0.0, 1), 0.95).unwrap();
        assert!((found.level.0 + 0.3).abs() < 1e-9 && (found.slope.0 - 0.05).abs() < 1e-9, "{found:?}");
        assert_eq!(found.pairs, 5);
    }

    #[test]
    fn the_intervals_hold_the_truth_as_often_as_they_say() {
        let mut held = [0; 2];
        for run in 0..400 {
            let found = interrupted(&TIMES, &planted(8, 0.1, run), 0.95).unwrap();
            held[0] += usize::from(found.level.1.contains(-0.3));
            held[1] += usize::from(found.slope.1.contains(0.05));
        }
        // 95% of 400 is 380, and chance moves it by 9 at two standard errors.
        assert!(held.iter().all(|held| (369..=391).contains(held)), "{held:?}");
    }

    #[test]
    fn too_few_pairs_or_times_are_refused() {
        let two = interrupted(&TIMES, &planted(2, 0.1, 1), 0.95);
        assert!(matches!(two, Err(Refusal::TooFew { what: "pairs", .. })));
        let before = interrupted(&TIMES[..5], &planted(4, 0.1, 1), 0.95);
        assert!(matches!(before, Err(Refusal::TooFew { what: "times after", .. })));
    }
}
