//! Does one daily series run ahead of another? Correlation at each lag, after both are made white.
//!
//! Two series that each drift slowly correlate by chance at every lag. So each is first reduced to the residuals of its
//! own autoregression (Haugh, JASA 71, 1976), of the order that Akaike's criterion chooses; coefficients by Yule and
//! Walker through Levinson's recursion. The residuals are correlated at each lag, and the largest of these is compared
//! with the largest under random orders of one side, so that looking at many lags costs nothing in honesty.
//!
//! Days must follow each other without gaps. A lag is an order in time, and not yet a cause.

use super::refusal::{Answer, Refusal, all_finite, at_least, finite, same_length};
use super::stream::{Purpose, Stream};
use rayon::prelude::*;

/// An autoregression of a series around its mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Autoregression {
    /// The mean of the series.
    pub mean: f64,
    /// How much of yesterday, of the day before, and so on.
    pub coefficients: Vec<f64>,
    /// The variance that is left.
    pub variance: f64,
}

/// The autoregression with the smallest AIC, of order 0 to `most`.
pub fn autoregression(series: &[f64], most: usize) -> Answer<Autoregression> {
    all_finite(series, "a value of the series")?;
    at_least(series.len(), (3 * (most + 1)).max(10), "values of the series")?;
    let n = series.len() as f64;
    let mean = series.iter().sum::<f64>() / n;
    let covariance = |lag: usize| {
        let pairs = series[lag..].iter().zip(series);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n
    };
    let own: Vec<f64> = (0..=most).map(covariance).collect();
    if own[0] <= (mean * 1e-12).powi(2) {
        return Err(Refusal::NoVariation { what: "the values of the series" });
    }
    let (mut coefficients, mut variance) = (Vec::<f64>::new(), own[0]);
    let mut best = (n * variance.ln(), coefficients.clone(), variance);
    for order in 1..=most {
        let known: f64 = coefficients.iter().enumerate().map(|(j, a)| a * own[order - 1 - j]).sum();
        let reflection = (own[order] - known) / variance;
        let turned: Vec<f64> = coefficients.iter().rev().map(|a| reflection * a).collect();
        coefficients.iter_mut().zip(turned).for_each(|(a, t)| *a -= t);
        coefficients.push(reflection);
        variance *= 1.0 - reflection * reflection;
        if variance.is_nan() || variance <= own[0] * 1e-12 {
            break;
        }
        let aic = n * variance.ln() + 2.0 * order as f64;
        if aic < best.0 {
            best = (aic, coefficients.clone(), variance);
        }
    }
    Ok(Autoregression { mean, coefficients: best.1, variance: best.2 })
}

impl Autoregression {
    /// How many days back it looks.
    pub fn order(&self) -> usize {
        self.coefficients.len()
    }

    /// What it does not foresee of `series`: the first `order` days have no residual.
    pub fn residuals(&self, series: &[f64]) -> Vec<f64> {
        (self.order()..series.len())
            .map(|t| {
                let past = self.coefficients.iter().enumerate();
                let foreseen: f64 = past.map(|(j, a)| a * (series[t - 1 - j] - self.mean)).sum();
                series[t] - self.mean - foreseen
            })
            .collect()
    }
}

/// The correlation at one lag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lagged {
    /// By how many days the first series runs ahead.
    pub lag: usize,
    /// The correlation of the residuals.
    pub correlation: f64,
    /// The share of shuffles whose largest correlation over all lags is at least as large.
    pub p: f64,
}

/// What the lags show together.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadLag {
    /// Every lag, from 0.
    pub lags: Vec<Lagged>,
    /// The lag with the largest correlation.
    pub strongest: Lagged,
    /// The orders of the two autoregressions.
    pub orders: (usize, usize),
    /// On how many days the correlations rest, at lag 0.
    pub days: usize,
}

/// Compares `leader` with `follower`, 0 to `most_lag` days later.
pub fn lead_lag(
    leader: &[f64],
    follower: &[f64],
    most_lag: usize,
    shuffles: usize,
    seed: u64,
) -> Answer<LeadLag> {
    same_length(leader.len(), follower.len(), "the two series")?;
    at_least(leader.len(), 30 + 2 * most_lag, "days")?;
    at_least(shuffles, 19, "shuffles")?;
    // As far back as R's ar() looks.
    let most = (10.0 * (leader.len() as f64).log10()).floor() as usize;
    let most = most.min(leader.len() / 4);
    let (ahead, behind) = (autoregression(leader, most)?, autoregression(follower, most)?);
    let (x, y) = (ahead.residuals(leader), behind.residuals(follower));
    let days = x.len().min(y.len());
    let (x, y) = (standard(&x[x.len() - days..])?, standard(&y[y.len() - days..])?);
    let at = |x: &[f64], lag: usize| {
        x[..days - lag].iter().zip(&y[lag..]).map(|(a, b)| a * b).sum::<f64>() / days as f64
    };
    let observed: Vec<f64> = (0..=most_lag).map(|lag| at(&x, lag)).collect();
    let largest: Vec<f64> = (0..shuffles)
        .into_par_iter()
        .map(|number| {
            let mut shuffled = x.clone();
            Stream::new(seed, Purpose::Permutation, number as u64).shuffle(&mut shuffled);
            (0..=most_lag).map(|lag| at(&shuffled, lag).abs()).fold(0.0, f64::max)
        })
        .collect();
    let lags: Vec<Lagged> = observed
        .iter()
        .enumerate()
        .map(|(lag, &correlation)| {
            let bar = correlation.abs() * (1.0 - 1e-12);
            let hits = largest.iter().filter(|value| **value >= bar).count();
            Lagged { lag, correlation, p: (1 + hits) as f64 / (1 + shuffles) as f64 }
        })
        .collect();
    let size = |l: &&Lagged| l.correlation.abs();
    let strongest = *lags.iter().rev().max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(&lags[0]);
    Ok(LeadLag { lags, strongest, orders: (ahead.order(), behind.order()), days })
}

/// Mean 0 and variance 1.
fn standard(values: &[f64]) -> Answer<Vec<f64>> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    if finite(sd, "the spread of the residuals")? <= 0.0 {
        return Err(Refusal::NoVariation { what: "the residuals" });
    }
    Ok(values.iter().map(|v| (v - mean) / sd).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::oracle::uniforms;

    fn series(seed: u64, n: usize) -> Vec<f64> {
        let u = uniforms(seed, n);
        let mut values = vec![0.0; n];
        for t in 0..n {
            let past = if t > 1 { 0.6 * values[t - 1] - 0.2 * values[t - 2] } else { 0.0 };
            values[t] = past + u[t] - 0.5;
        }
        values
    }

    // Oracle: statsmodels 0.15.0, regression.linear_model.yule_walker(series, order, method="mle"), the order with the
    // smallest n ln(sigma^2) + 2 order.
    #[test]
    fn the_autoregression_is_the_oracles() {
        let fit = autoregression(&series(9, 150), 8).unwrap();
        assert_eq!(fit.order(), 2);
        for (got, want) in fit.coefficients.iter().zip([0.623_815_076_978_823, -0.118_939_412_551_290_23]) {
            assert!((got - want).abs() < 1e-9, "{got} is not {want}");
        }
        assert!((fit.variance.sqrt() - 0.279_747_763_761_764_1).abs() < 1e-9);
        assert_eq!(fit.residuals(&series(9, 150)).len(), 150 - fit.order());
    }

    #[test]
    fn a_series_that_follows_two_days_later_is_found() {
        let x = series(9, 200);
        let noise = series(31, 200);
        let y: Vec<f64> = (0..200).map(|t| noise[t] + if t > 1 { x[t - 2] } else { 0.0 }).collect();
        let found = lead_lag(&x, &y, 7, 199, 1).unwrap();
        assert_eq!((found.strongest.lag, found.lags.len()), (2, 8));
        assert!(found.strongest.p < 0.02 && found.strongest.correlation > 0.5, "{found:?}");
        assert_eq!(found, lead_lag(&x, &y, 7, 199, 1).unwrap());
    }

    #[test]
    fn short_and_constant_series_are_refused() {
        let x = series(9, 20);
        assert!(matches!(lead_lag(&x, &x, 7, 99, 1), Err(Refusal::TooFew { .. })));
        assert!(matches!(autoregression(&[4.0; 50], 5), Err(Refusal::NoVariation { .. })));
        let x = series(9, 60);
        assert!(matches!(lead_lag(&x, &x[..59], 7, 99, 1), Err(Refusal::LengthMismatch { .. })));
        assert!(matches!(lead_lag(&[f64::NAN; 60], &x, 7, 99, 1), Err(Refusal::NotFinite { .. })));
    }
}
