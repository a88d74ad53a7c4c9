//! How an effect is spread over the days that follow: counts on today's value and those of the days before.
//!
//! log mean = a + sum over lags of b_l x(t - l) + controls (weekday, season), by Poisson regression; counts vary more
//! than Poisson's and days are related, so errors are Newey and West's. What matters is the sum of all b_l: single lags
//! trade off against each other. Almon's polynomial over the lags (Econometrica 33, 1965) is taken only where the
//! quasi-AIC prefers it.

use super::glm::{Errors, Estimated, Family, Fit, Glm};
use super::refusal::{Answer, at_least, same_length};
use super::rows::Rows;

/// A daily series of counts, and what may drive it.
#[derive(Clone, Copy, Debug)]
pub struct Daily<'a> {
    /// Events of each day.
    pub counts: &'a [f64],
    /// Logarithm of what was at risk each day.
    pub log_exposure: &'a [f64],
    /// The driver of each day.
    pub driver: &'a [f64],
    /// Weekday, season and the like; a table of width 0 where there are none.
    pub controls: &'a Rows,
}

/// The effect over the lags, each as the change of the logarithm per unit of the driver.
#[derive(Clone, Debug)]
pub struct DistributedLag {
    /// The sum over all lags.
    pub total: Estimated,
    /// Each lag, from 0.
    pub lags: Vec<Estimated>,
    /// The degree of the polynomial that the lags follow; none where each is free.
    pub polynomial: Option<usize>,
    /// The variance over Poisson's.
    pub dispersion: f64,
    /// On how many days it rests.
    pub days: usize,
}

/// Fits lags 0 to `most_lag`, with Newey-West errors over `related` days.
pub fn distributed_lag(
    data: &Daily<'_>,
    most_lag: usize,
    related: usize,
    level: f64,
) -> Answer<DistributedLag> {
    let n = data.counts.len();
    same_length(n, data.driver.len(), "the counts and the driver")?;
    same_length(n, data.log_exposure.len(), "the counts and the exposure")?;
    same_length(n, data.controls.len(), "the counts and the controls")?;
    at_least(n, 5 * (most_lag + 1) + 2 * data.controls.width() + most_lag, "days")?;
    let free = fit(data, most_lag, None, related)?;
    let dispersion = free.dispersion.max(1.0);
    let quasi_aic = |fit: &Fit| -2.0 * fit.log_likelihood / dispersion + 2.0 * fit.coefficients.len() as f64;
    let mut best = (quasi_aic(&free), free, None);
    for degree in [1, 2, 3].into_iter().filter(|degree| *degree < most_lag) {
        let smooth = fit(data, most_lag, Some(degree), related)?;
        if quasi_aic(&smooth) < best.0 {
            best = (quasi_aic(&smooth), smooth, Some(degree));
        }
    }
    let (_, fit, polynomial) = best;
    let lag_factors = |lag: usize| -> Vec<f64> {
        let mut factors = vec![0.0; fit.coefficients.len()];
        match polynomial {
            None => factors[1 + lag] = 1.0,
            Some(degree) => (0..=degree).for_each(|j| factors[1 + j] = power(lag, most_lag, j)),
        }
        factors
    };
    let each: Vec<Vec<f64>> = (0..=most_lag).map(lag_factors).collect();
    let sum: Vec<f64> =
        (0..fit.coefficients.len()).map(|k| each.iter().map(|factors| factors[k]).sum()).collect();
    let estimate = |factors: &[f64]| fit.combination(factors, Errors::NeweyWest, level);
    Ok(DistributedLag {
        total: estimate(&sum)?,
        lags: each.iter().map(|factors| estimate(factors)).collect::<Answer<_>>()?,
        polynomial,
        dispersion: fit.dispersion,
        days: fit.rows,
    })
}

/// The lag as a share of the longest, to the power `j`: small numbers keep the columns apart.
fn power(lag: usize, most_lag: usize, j: usize) -> f64 {
    (lag as f64 / most_lag.max(1) as f64).powi(j as i32)
}

fn fit(data: &Daily<'_>, most_lag: usize, polynomial: Option<usize>, related: usize) -> Answer<Fit> {
    let width = polynomial.map_or(most_lag + 1, |degree| degree + 1);
    let mut rows = Rows::new(width + data.controls.width());
    for t in most_lag..data.counts.len() {
        let mut row: Vec<f64> = match polynomial {
            None => (0..=most_lag).map(|lag| data.driver[t - lag]).collect(),
            Some(degree) => (0..=degree)
                .map(|j| (0..=most_lag).map(|lag| power(lag, most_lag, j) * data.driver[t - lag]).sum())
                .collect(),
        };
        row.extend_from_slice(data.controls.row(t));
        rows.push(&row)?;
    }
    Glm::new(Family::Poisson, &rows, &data.counts[most_lag..])
        .offset(&data.log_exposure[most_lag..])
        .newey_west(related)
        .fit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Refusal;
    use crate::stats::oracle::uniforms;

    fn daily(n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>, Rows) {
        let u = uniforms(17, 2 * n);
        let x: Vec<f64> = u[..n].iter().map(|u| 2.0 * u).collect();
        let effect = [0.3, 0.2, 0.1, 0.0];
        let mut controls = Rows::new(1);
        let counts = (0..n)
            .map(|t| {
                let monday = f64::from(u8::from(t % 7 == 0));
                controls.push(&[monday]).unwrap();
                let lagged: f64 = (0..4).filter(|l| *l <= t).map(|l| effect[l] * x[t - l]).sum();
                ((2.0 + 0.4 * monday + lagged).exp() * (0.5 + u[n + t])).floor()
            })
            .collect();
        (counts, vec![0.0; n], x, controls)
    }

    // Oracle: statsmodels 0.15.0, GLM(Poisson()).fit(cov_type="HAC", maxlags=7) on the four lags and the weekday.
    #[test]
    fn free_lags_and_their_sum_are_the_oracles() {
        let (counts, log_exposure, driver, controls) = daily(160);
        let data =
            Daily { counts: &counts, log_exposure: &log_exposure, driver: &driver, controls: &controls };
        let free = fit(&data, 3, None, 7).unwrap();
        let estimate = |factors: &[f64]| free.combination(factors, Errors::NeweyWest, 0.95).unwrap();
        let total = estimate(&[0.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
        assert!(
            (total.value - 0.644_422_505_248_655_9).abs() < 1e-6
                && (total.standard_error - 0.113_282_291_378_886_57).abs() < 1e-6,
            "{total:?}"
        );
        assert!((free.coefficients[1] - 0.307_251_494_953_908_47).abs() < 1e-6);
    }

    #[test]
    fn the_planted_total_is_found_with_a_smooth_course() {
        let (counts, log_exposure, driver, controls) = daily(160);
        let data =
            Daily { counts: &counts, log_exposure: &log_exposure, driver: &driver, controls: &controls };
        let got = distributed_lag(&data, 3, 7, 0.95).unwrap();
        assert!(got.total.interval.contains(0.6), "{got:?}");
        assert_eq!((got.lags.len(), got.days), (4, 157));
        let sum: f64 = got.lags.iter().map(|lag| lag.value).sum();
        assert!((sum - got.total.value).abs() < 1e-9);
    }

    #[test]
    fn too_few_days_are_refused() {
        let (counts, log_exposure, driver, controls) = daily(20);
        let data =
            Daily { counts: &counts, log_exposure: &log_exposure, driver: &driver, controls: &controls };
        assert!(matches!(distributed_lag(&data, 7, 7, 0.95), Err(Refusal::TooFew { .. })));
    }
}
