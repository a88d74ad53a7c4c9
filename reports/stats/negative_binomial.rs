//! Counts that vary more than chance: negative binomial regression, with its dispersion estimated.
//!
//! The variance is mean + alpha mean^2 (NB2; Lawless, Can. J. Stat. 15, 1987). Alpha is found where the slope of the
//! profile likelihood crosses 0; coefficients and alpha are asymptotically unrelated, so the errors of the coefficients
//! are those with alpha known. Where the counts vary no more than Poisson's, alpha is 0 and the fit is Poisson's.

use super::glm::{Family, Fit, Glm};
use super::refusal::{Answer, Refusal, finite};
use super::rows::Rows;
use statrs::function::gamma::digamma;

/// A search for alpha that takes more fits than this has failed.
const MOST_FITS: usize = 100;

/// A fitted regression with its dispersion.
#[derive(Clone, Debug)]
pub struct NegativeBinomial {
    /// Variance beyond Poisson's, per squared mean; 0 where there is none.
    pub alpha: f64,
    /// The coefficients at this alpha.
    pub fit: Fit,
    /// Twice the gain in log-likelihood over Poisson; under no dispersion half its p-value at one degree of freedom
    /// counts (Self and Liang, JASA 82, 1987).
    pub over_poisson: f64,
}

/// Fits `outcome` (whole numbers) on `rows`; `offset` is the logarithm of the exposure.
pub fn negative_binomial(
    rows: &Rows,
    outcome: &[f64],
    offset: Option<&[f64]>,
    clusters: Option<&[u64]>,
) -> Answer<NegativeBinomial> {
    if let Some(&value) = outcome.iter().find(|y| y.fract() != 0.0) {
        return Err(Refusal::OutOfRange { what: "a count", value, allowed: "a whole number" });
    }
    let fit = |family| {
        let mut glm = Glm::new(family, rows, outcome);
        if let Some(offset) = offset {
            glm = glm.offset(offset);
        }
        if let Some(clusters) = clusters {
            glm = glm.clusters(clusters);
        }
        glm.fit()
    };
    let means = |fit: &Fit| -> Answer<Vec<f64>> {
        let each = rows.each().enumerate();
        each.map(|(i, row)| Ok((fit.linear(row)? + offset.map_or(0.0, |o| o[i])).exp())).collect()
    };
    let poisson = fit(Family::Poisson)?;
    let excess: f64 = means(&poisson)?.iter().zip(outcome).map(|(m, y)| (y - m).powi(2) - y).sum();
    if excess <= 0.0 {
        return Ok(NegativeBinomial { alpha: 0.0, fit: poisson, over_poisson: 0.0 });
    }
    // The slope of the profile log-likelihood in ln(1 / alpha), up to a positive factor.
    let slope = |size: f64| -> Answer<f64> {
        let fitted = fit(Family::NegativeBinomial { alpha: 1.0 / size })?;
        let each = means(&fitted)?.into_iter().zip(outcome).map(|(m, &y)| {
            digamma(y + size) - digamma(size) + (size / (size + m)).ln() + (m - y) / (size + m)
        });
        finite(each.sum::<f64>(), "the slope in the dispersion")
    };
    let (mut low, mut high) = (-3.0_f64, 3.0_f64);
    let (mut at_low, mut at_high) = (slope(low.exp())?, slope(high.exp())?);
    while at_low < 0.0 && low > -14.0 {
        (high, at_high) = (low, at_low);
        low -= 2.0;
        at_low = slope(low.exp())?;
    }
    while at_high > 0.0 && high < 16.0 {
        (low, at_low) = (high, at_high);
        high += 2.0;
        at_high = slope(high.exp())?;
    }
    if at_low < 0.0 {
        return Err(Refusal::Unstable { what: "the dispersion, which runs to infinity," });
    }
    if at_high > 0.0 {
        return Ok(NegativeBinomial { alpha: 0.0, fit: poisson, over_poisson: 0.0 });
    }
    let mut kept_low = 0;
    for _ in 0..MOST_FITS {
        // The Illinois variant of false position: secant steps that cannot leave the bracket.
        let middle = (low * at_high - high * at_low) / (at_high - at_low);
        let value = slope(middle.exp())?;
        if value > 0.0 {
            (low, at_low) = (middle, value);
            if kept_low == 1 {
                at_high /= 2.0;
            }
            kept_low = 1;
        } else {
            (high, at_high) = (middle, value);
            if kept_low == -1 {
                at_low /= 2.0;
            }
            kept_low = -1;
        }
        if value.abs() < 1e-9 * outcome.len() as f64 || (high - low) < 1e-9 {
            let alpha = (-middle).exp();
            let fit = fit(Family::NegativeBinomial { alpha })?;
            let over_poisson = fit.likelihood_ratio(&poisson);
            return Ok(NegativeBinomial { alpha, fit, over_poisson });
        }
    }
    Err(Refusal::NotConverged { iterations: MOST_FITS })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::glm::Errors;
    use crate::stats::oracle::uniforms;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-6 * (1.0 + want.abs()), "{got} is not {want}");
    }

    /// 200 counts whose mean depends on x, with a gamma-like factor of their own.
    fn counts() -> (Rows, Vec<f64>) {
        let u = uniforms(21, 600);
        let x: Vec<f64> = (0..200).map(|i| 4.0 * u[i] - 2.0).collect();
        let y = (0..200)
            .map(|i| {
                let own = -(1.0 - u[200 + i]).ln() * 3.0 * u[400 + i];
                ((0.4 + 0.5 * x[i]).exp() * own).floor()
            })
            .collect();
        (Rows::of_columns(&[x]).unwrap(), y)
    }

    // Oracle: statsmodels 0.15.0, discrete.NegativeBinomial (coefficients, alpha, log-likelihood), and
    // GLM(NegativeBinomial(alpha)) for the standard errors with alpha known.
    #[test]
    fn coefficients_and_dispersion_are_the_oracles() {
        let (rows, y) = counts();
        let got = negative_binomial(&rows, &y, None, None).unwrap();
        close(got.fit.coefficients[0], 0.550_870_473_399_762_1);
        close(got.fit.coefficients[1], 0.846_887_023_237_212_7);
        close(got.alpha, 1.729_796_565_359_288_6);
        close(got.fit.log_likelihood, -368.730_867_601_552_86);
        close(got.fit.coefficient(0, Errors::Model, 0.95).unwrap().standard_error, 0.114_080_534_580_478_97);
        close(got.fit.coefficient(1, Errors::Model, 0.95).unwrap().standard_error, 0.100_166_083_308_682_24);
        close(got.over_poisson, 2.0 * (-368.730_867_601_552_86 - (-584.663_771_852_854_6)));
    }

    #[test]
    fn counts_that_vary_less_than_poissons_have_no_dispersion() {
        let x: Vec<f64> = (0..60).map(f64::from).collect();
        let y: Vec<f64> = (0..60).map(|i| f64::from(i / 10 + 1)).collect();
        let got = negative_binomial(&Rows::of_columns(&[x]).unwrap(), &y, None, None).unwrap();
        assert_eq!((got.alpha, got.over_poisson), (0.0, 0.0));
    }

    #[test]
    fn half_counts_are_refused() {
        let rows = Rows::of_columns(&[[1.0, 2.0, 3.0, 4.0]]).unwrap();
        let answer = negative_binomial(&rows, &[1.0, 0.5, 2.0, 3.0], None, None);
        assert!(matches!(answer, Err(Refusal::OutOfRange { .. })));
    }
}
