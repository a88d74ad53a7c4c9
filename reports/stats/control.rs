//! Is today's value still the usual one? Control limits.
//!
//! The individuals chart (XmR: mean plus and minus 2.66 times the mean moving range), the u-chart for counts over
//! unequal exposure (u plus and minus 3 sqrt(u / n)), and the cumulative sum (Page, Biometrika 41, 1954) that finds
//! small lasting shifts sooner: C = max(0, C + z - k), alarm above h, in standard deviations. Its average run length is
//! that of the integral equation (Page 1954) by Gauss-Legendre quadrature.
//!
//! All suppose independent values: take the week and the dependence away first ([`super::season`], [`whitened`]), or
//! false alarms come ten times as often as the run length says.

use super::Interval;
use super::distribution::{normal_cdf, normal_density};
use super::refusal::{Answer, Refusal, all_finite, at_least, finite, positive};
use nalgebra::{DMatrix, DVector};

/// 3 / d2 for moving ranges of two, as every textbook rounds it.
const XMR: f64 = 2.66;

/// A centre and its control limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The centre.
    pub centre: f64,
    /// Where ordinary values lie.
    pub limits: Interval,
}

/// The individuals chart.
pub fn xmr(values: &[f64]) -> Answer<Limits> {
    at_least(values.len(), 2, "values")?;
    all_finite(values, "a value")?;
    let centre = values.iter().sum::<f64>() / values.len() as f64;
    let range = values.windows(2).map(|w| (w[1] - w[0]).abs()).sum::<f64>() / (values.len() - 1) as f64;
    finite(centre + XMR * range, "the limit")?;
    Ok(Limits { centre, limits: Interval::new(centre - XMR * range, centre + XMR * range) })
}

/// The limits of a rate at `exposure`, where the usual rate is `rate`; never below 0.
pub fn u_limits(rate: f64, exposure: f64) -> Answer<Limits> {
    positive(exposure, "the exposure")?;
    finite(rate, "the rate")?;
    if rate < 0.0 {
        return Err(Refusal::OutOfRange { what: "the rate", value: rate, allowed: "0 or more" });
    }
    let half = finite(3.0 * (rate / exposure).sqrt(), "the limit")?;
    Ok(Limits { centre: rate, limits: Interval::new((rate - half).max(0.0), rate + half) })
}

/// The usual rate of several (count, exposure), and the limits of each.
pub fn u_chart(counts: &[(u64, f64)]) -> Answer<Vec<Limits>> {
    at_least(counts.len(), 2, "counts")?;
    let exposure = positive(counts.iter().map(|c| c.1).sum(), "the exposure")?;
    let rate = counts.iter().map(|c| c.0 as f64).sum::<f64>() / exposure;
    counts.iter().map(|c| u_limits(rate, c.1)).collect()
}

/// A cumulative sum chart, in standard deviations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cusum {
    /// Half the shift that is looked for.
    pub k: f64,
    /// The sum that is an alarm.
    pub h: f64,
}

impl Cusum {
    /// For a shift of one standard deviation: a false alarm every 168 values, a true one after 8.4.
    pub const STANDARD: Self = Self { k: 0.5, h: 4.0 };

    /// The sums upwards and downwards of standardised values.
    pub fn sums(&self, standardised: &[f64]) -> Answer<Vec<(f64, f64)>> {
        all_finite(standardised, "a value")?;
        let (mut up, mut down) = (0.0_f64, 0.0_f64);
        let step = |z: &f64| {
            up = (up + z - self.k).max(0.0);
            down = (down - z - self.k).max(0.0);
            (up, down)
        };
        Ok(standardised.iter().map(step).collect())
    }

    /// The index of the first alarm.
    pub fn alarm(&self, standardised: &[f64]) -> Answer<Option<usize>> {
        Ok(self.sums(standardised)?.iter().position(|(up, down)| *up > self.h || *down > self.h))
    }

    /// How many values pass on average until an alarm, two-sided, where the mean lies `shift` standard deviations off.
    pub fn run_length(&self, shift: f64) -> Answer<f64> {
        let (up, down) = (self.one_sided(shift)?, self.one_sided(-shift)?);
        finite(1.0 / (1.0 / up + 1.0 / down), "the run length")
    }

    /// L(u) = 1 + L(0) Phi(k - u) + integral of L(s) phi(s + k - u) over 0 to h, at u = 0.
    fn one_sided(&self, shift: f64) -> Answer<f64> {
        positive(self.h, "the alarm")?;
        finite(self.k + shift, "the shift")?;
        let rule = gauss_legendre();
        let nodes: Vec<(f64, f64)> = std::iter::once((0.0, 0.0))
            .chain(rule.iter().map(|&(x, w)| ((x + 1.0) * self.h / 2.0, w * self.h / 2.0)))
            .collect();
        let size = nodes.len();
        let mut matrix = DMatrix::<f64>::identity(size, size);
        for (row, &(u, _)) in nodes.iter().enumerate() {
            matrix[(row, 0)] -= normal_cdf(self.k - u - shift);
            for (column, &(s, weight)) in nodes.iter().enumerate().skip(1) {
                matrix[(row, column)] -= weight * normal_density(s + self.k - u - shift);
            }
        }
        let answer = matrix.lu().solve(&DVector::from_element(size, 1.0));
        let length = answer.and_then(|v| v.get(0).copied()).unwrap_or(f64::NAN);
        positive(length, "the run length")
    }
}

/// Nodes and weights of 64-point Gauss-Legendre quadrature on (-1, 1), by Newton's method.
fn gauss_legendre() -> Vec<(f64, f64)> {
    const N: usize = 64;
    (0..N)
        .map(|i| {
            let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (N as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut before, mut here) = (1.0, x);
                for n in 2..=N {
                    let n = n as f64;
                    (before, here) = (here, ((2.0 * n - 1.0) * x * here - (n - 1.0) * before) / n);
                }
                slope = N as f64 * (x * here - before) / (x * x - 1.0);
                let step = here / slope;
                x -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            (x, 2.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect()
}

/// What remains of a series when each value is told from the one before: the residuals of a first-order
/// autoregression, standardised.
pub fn whitened(values: &[f64]) -> Answer<Vec<f64>> {
    at_least(values.len(), 8, "values")?;
    all_finite(values, "a value")?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let square: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    if square <= 1e-24 * mean * mean * values.len() as f64 {
        return Err(Refusal::NoVariation { what: "the values" });
    }
    let product: f64 = values.windows(2).map(|w| (w[1] - mean) * (w[0] - mean)).sum();
    let rho = product / square;
    let rest: Vec<f64> = values.windows(2).map(|w| w[1] - mean - rho * (w[0] - mean)).collect();
    let n = rest.len() as f64;
    let centre = rest.iter().sum::<f64>() / n;
    let spread = (rest.iter().map(|r| (r - centre).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    positive(spread, "the spread")?;
    Ok(rest.iter().map(|r| (r - centre) / spread).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance, "{got} is not {want}");
    }

    #[test]
    fn the_individuals_chart_is_the_textbooks() {
        let got = xmr(&[10.0, 12.0, 11.0, 13.0, 12.0, 11.0]).unwrap();
        close(got.centre, 11.5, 1e-12);
        close(got.limits.high, 15.224, 1e-12);
        close(got.limits.low, 7.776, 1e-12);
    }

    #[test]
    fn a_small_exposure_has_wide_limits() {
        for (n, high) in
            [(1.0, 6.242_640_687_119_285), (4.0, 4.121_320_343_559_642), (25.0, 2.848_528_137_423_857)]
        {
            close(u_limits(2.0, n).unwrap().limits.high, high, 1e-12);
        }
        let chart = u_chart(&[(3, 1.0), (9, 4.0)]).unwrap();
        close(chart[0].centre, 2.4, 1e-12);
        assert_eq!(chart[0].limits.low, 0.0);
    }

    // Oracle: the same integral equation solved with numpy 2.4.6 (leggauss) and scipy 1.17.1 (norm).
    #[test]
    fn the_run_length_is_that_of_the_integral_equation() {
        close(Cusum { k: 0.5, h: 4.0 }.run_length(0.0).unwrap(), 167.683_788_813_601_5, 1e-6);
        close(Cusum { k: 0.5, h: 5.0 }.run_length(0.0).unwrap(), 465.443_506_031_846_37, 1e-6);
        close(Cusum { k: 0.5, h: 4.0 }.run_length(1.0).unwrap(), 8.383_131_870_495_15, 1e-6);
        close(Cusum { k: 0.5, h: 5.0 }.run_length(1.0).unwrap(), 10.375_969_921_593_594, 1e-6);
    }

    #[test]
    fn sums_grow_while_the_shift_lasts() {
        let mut values = vec![0.0; 5];
        values.extend([2.0; 4]);
        let sums = Cusum::STANDARD.sums(&values).unwrap();
        assert_eq!(sums[4], (0.0, 0.0));
        assert_eq!(sums[6], (3.0, 0.0));
        assert_eq!(Cusum::STANDARD.alarm(&values).unwrap(), Some(7));
        assert_eq!(Cusum::STANDARD.alarm(&[0.0; 50]).unwrap(), None);
    }

    #[test]
    fn what_has_no_limits_is_refused() {
        assert!(matches!(xmr(&[1.0]), Err(Refusal::TooFew { .. })));
        assert!(matches!(u_limits(2.0, 0.0), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(u_limits(-2.0, 1.0), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(whitened(&[1.0; 20]), Err(Refusal::NoVariation { .. })));
        assert!(Cusum::STANDARD.alarm(&[f64::NAN]).is_err());
    }
}
