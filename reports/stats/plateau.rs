//! Does more effort still pay? A straight line, a curve that flattens, or one that comes to a plateau.
//!
//! Line: S = a + b c. Exponential: S = top - gain e^(-k c). Quadratic plateau: S = top - q (c* - c)^2 up to c*, flat after
//! (Anderson and Nelson, Biometrics 31, 1975). All by least squares, the one bent parameter by search; chosen by AIC with
//! its small-sample correction (Hurvich and Tsai, Biometrika 76, 1989). A bent shape is told only where it beats the line by
//! more than 5.99 in deviance, and a plateau only where its whole interval ends inside the effort observed.
//!
//! Nothing is said about effort beyond that observed.

use super::Interval;
use super::distribution::chi_squared_quantile;
use super::refusal::{Answer, Refusal, all_finite, at_least, finite, same_length};

const GRID: usize = 200;
/// What a bend must gain over the line: the 95% limit of chi-squared at two degrees of freedom.
pub const LEAST_GAIN: f64 = 5.991_464_547_107_979;

/// The shape that was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Every bit of effort pays alike.
    Line {
        /// At no effort.
        start: f64,
        /// Per unit of effort.
        slope: f64,
    },
    /// Every bit pays less than the one before.
    Exponential {
        /// What it comes close to.
        top: f64,
        /// How far it starts below.
        gain: f64,
        /// How fast the rest shrinks per unit of effort.
        rate: f64,
    },
    /// From some effort on nothing pays.
    Plateau {
        /// The plateau.
        top: f64,
        /// The bend: the loss per squared distance from the edge.
        bend: f64,
        /// Where the plateau begins.
        from: f64,
        /// Its interval by profile likelihood.
        interval: Interval,
    },
}

/// A fitted relation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Returns {
    /// The shape.
    pub shape: Shape,
    /// Corrected AIC of line, exponential and plateau; none where a shape does not fit at all.
    pub aicc: [Option<f64>; 3],
    /// How much the best bent shape gains over the line in deviance.
    pub gain: f64,
    /// The smallest and the largest effort observed.
    pub observed: (f64, f64),
    /// How many points.
    pub points: usize,
}

struct Fitted {
    intercept: f64,
    slope: f64,
    rest: f64,
}

/// Least squares of `s` on one column.
fn linear(x: &[f64], s: &[f64]) -> Option<Fitted> {
    let n = x.len() as f64;
    let (mx, ms) = (x.iter().sum::<f64>() / n, s.iter().sum::<f64>() / n);
    let vx: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
    if vx <= 1e-12 * (1.0 + mx * mx) {
        return None;
    }
    let slope = x.iter().zip(s).map(|(x, s)| (x - mx) * (s - ms)).sum::<f64>() / vx;
    let intercept = ms - slope * mx;
    let rest = x.iter().zip(s).map(|(x, s)| (s - intercept - slope * x).powi(2)).sum();
    Some(Fitted { intercept, slope, rest })
}

/// Chooses the shape of `satisfaction` over `effort`.
pub fn returns(effort: &[f64], satisfaction: &[f64], level: f64) -> Answer<Returns> {
    same_length(effort.len(), satisfaction.len(), "the effort and what it brought")?;
    at_least(effort.len(), 8, "points")?;
    all_finite(effort, "an effort")?;
    all_finite(satisfaction, "what an effort brought")?;
    let n = effort.len() as f64;
    let low = effort.iter().copied().fold(f64::INFINITY, f64::min);
    let high = effort.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let line = linear(effort, satisfaction).ok_or(Refusal::NoVariation { what: "the efforts" })?;
    let mean = satisfaction.iter().sum::<f64>() / n;
    let spread: f64 = satisfaction.iter().map(|s| (s - mean).powi(2)).sum();
    if spread <= 0.0 {
        return Err(Refusal::NoVariation { what: "what the efforts brought" });
    }
    let plateau_at = |edge: f64| {
        let x: Vec<f64> = effort.iter().map(|c| (edge - c).max(0.0).powi(2)).collect();
        // Below the edge it must rise.
        linear(&x, satisfaction).filter(|fit| fit.slope < 0.0)
    };
    let exponential_at = |rate: f64| {
        let x: Vec<f64> = effort.iter().map(|c| (-rate * (c - low)).exp()).collect();
        linear(&x, satisfaction).filter(|fit| fit.slope < 0.0)
    };
    let span = high - low;
    let edges: Vec<f64> = (1..=GRID).map(|i| low + span * i as f64 / GRID as f64).collect();
    // From a curve that hardly bends to one that is flat after a tenth of the way.
    let rates: Vec<f64> =
        (0..GRID).map(|i| 0.1 / span * 300.0_f64.powf(i as f64 / (GRID - 1) as f64)).collect();
    let plateau = least(&edges, &plateau_at);
    let exponential = least(&rates, &exponential_at);
    let floor = 1e-20 * spread;
    let deviance = |rest: f64| n * (rest.max(floor) / n).ln();
    let corrected = |rest: f64, k: f64| deviance(rest) + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0);
    let aicc = [
        Some(corrected(line.rest, 3.0)),
        exponential.as_ref().map(|(_, f)| corrected(f.rest, 4.0)),
        plateau.as_ref().map(|(_, f)| corrected(f.rest, 4.0)),
    ];
    let gain_of = |fit: &Option<(f64, Fitted)>| {
        fit.as_ref().map_or(0.0, |(_, f)| deviance(line.rest) - deviance(f.rest))
    };
    let gains = (gain_of(&exponential), gain_of(&plateau));
    let straight = Shape::Line { start: line.intercept, slope: line.slope };
    let limit = chi_squared_quantile(level, 1.0)?;
    let mut shape = straight;
    if let Some((rate, fit)) = exponential.filter(|_| gains.0 > LEAST_GAIN) {
        let gain = -fit.slope * (rate * low).exp();
        shape = Shape::Exponential { top: fit.intercept, gain: finite(gain, "the gain")?, rate };
    }
    if let Some((from, fit)) = plateau.filter(|_| gains.1 > LEAST_GAIN && gains.1 >= gains.0) {
        let inside =
            |edge: &&f64| plateau_at(**edge).is_some_and(|f| deviance(f.rest) - deviance(fit.rest) <= limit);
        let interval = Interval::new(
            edges.iter().find(inside).copied().unwrap_or(from).min(from),
            edges.iter().rev().find(inside).copied().unwrap_or(from).max(from),
        );
        if interval.high < high {
            shape = Shape::Plateau { top: fit.intercept, bend: -fit.slope, from, interval };
        }
    }
    Ok(Returns { shape, aicc, gain: gains.0.max(gains.1), observed: (low, high), points: effort.len() })
}

/// The least sum of squares over a grid, then between the neighbours of its best by golden section.
fn least(grid: &[f64], at: &dyn Fn(f64) -> Option<Fitted>) -> Option<(f64, Fitted)> {
    let rest = |x: f64| at(x).map_or(f64::INFINITY, |fit| fit.rest);
    let best = (0..grid.len()).min_by(|&a, &b| rest(grid[a]).total_cmp(&rest(grid[b])))?;
    let (mut low, mut high) = (grid[best.saturating_sub(1)], grid[(best + 1).min(grid.len() - 1)]);
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    for _ in 0..60 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if rest(a) < rest(b) { high = b } else { low = a }
    }
    let place = f64::midpoint(low, high);
    let place = if rest(place) < rest(grid[best]) { place } else { grid[best] };
    at(place).map(|fit| (place, fit))
}

impl Returns {
    /// What an effort brings; refused outside the effort observed.
    pub fn at(&self, effort: f64) -> Answer<f64> {
        finite(effort, "the effort")?;
        if effort < self.observed.0 || effort > self.observed.1 {
            return Err(Refusal::OutOfRange {
                what: "the effort",
                value: effort,
                allowed: "among those observed",
            });
        }
        Ok(match self.shape {
            Shape::Line { start, slope } => start + slope * effort,
            Shape::Exponential { top, gain, rate } => top - gain * (-rate * effort).exp(),
            Shape::Plateau { top, bend, from, .. } => top - bend * (from - effort).max(0.0).powi(2),
        })
    }

    /// By how many percent the result grows for one percent more effort.
    pub fn elasticity(&self, effort: f64) -> Answer<f64> {
        let level = self.at(effort)?;
        let slope = match self.shape {
            Shape::Line { slope, .. } => slope,
            Shape::Exponential { gain, rate, .. } => gain * rate * (-rate * effort).exp(),
            Shape::Plateau { bend, from, .. } => 2.0 * bend * (from - effort).max(0.0),
        };
        finite(slope * effort / level, "the elasticity")
    }

    /// The effort that brings 90% of what can be gained from no effort on; refused for a line, and beyond what was observed.
    pub fn nine_tenths(&self) -> Answer<f64> {
        let effort = match self.shape {
            Shape::Line { .. } => return Err(Refusal::NotReached { what: "a level that could be gained" }),
            Shape::Exponential { rate, .. } => 10.0_f64.ln() / rate,
            Shape::Plateau { from, .. } => from * (1.0 - 0.1_f64.sqrt()),
        };
        self.at(effort).map(|_| effort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::oracle::uniforms;

    fn points(n: usize, f: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<f64>) {
        let u = uniforms(55, n);
        let c: Vec<f64> = (0..n).map(|i| 16.0 * i as f64 / (n - 1) as f64).collect();
        let s = c.iter().zip(&u).map(|(&c, u)| f(c) * (0.98 + 0.04 * u)).collect();
        (c, s)
    }

    #[test]
    fn a_planted_plateau_is_found() {
        let (c, s) = points(60, |c: f64| 80.0 - 0.3 * (10.0 - c).max(0.0).powi(2));
        let got = returns(&c, &s, 0.95).unwrap();
        let Shape::Plateau { top, from, interval, .. } = got.shape else { panic!("{got:?}") };
        assert!((top - 80.0).abs() < 1.0 && (from - 10.0).abs() < 1.0 && interval.contains(10.0), "{got:?}");
        assert!((got.nine_tenths().unwrap() - from * (1.0 - 0.1_f64.sqrt())).abs() < 1e-12);
        assert_eq!(got.elasticity(15.0).unwrap(), 0.0);
        assert!(matches!(got.at(17.0), Err(Refusal::OutOfRange { .. })));
    }

    #[test]
    fn a_curve_that_only_flattens_has_no_plateau() {
        let (c, s) = points(80, |c: f64| 80.0 - 50.0 * (-0.3 * c).exp());
        let got = returns(&c, &s, 0.95).unwrap();
        let Shape::Exponential { top, rate, gain } = got.shape else { panic!("{got:?}") };
        assert!(
            (top - 80.0).abs() < 2.0 && (rate - 0.3).abs() < 0.06 && (gain - 50.0).abs() < 4.0,
            "{got:?}"
        );
        assert!((got.nine_tenths().unwrap() - 10.0_f64.ln() / rate).abs() < 1e-9);
    }

    #[test]
    fn a_line_stays_a_line() {
        let (c, s) = points(60, |c| 50.0 + 2.0 * c);
        let got = returns(&c, &s, 0.95).unwrap();
        let Shape::Line { slope, .. } = got.shape else { panic!("{got:?}") };
        assert!((slope - 2.0).abs() < 0.2);
        assert!(matches!(got.nine_tenths(), Err(Refusal::NotReached { .. })));
    }

    #[test]
    fn what_does_not_vary_is_refused() {
        assert!(matches!(returns(&[1.0; 9], &[2.0; 9], 0.95), Err(Refusal::NoVariation { .. })));
        let c: Vec<f64> = (0..9).map(f64::from).collect();
        assert!(matches!(returns(&c, &[2.0; 9], 0.95), Err(Refusal::NoVariation { .. })));
        assert!(matches!(returns(&c[..5], &c[..5], 0.95), Err(Refusal::TooFew { .. })));
    }
}
