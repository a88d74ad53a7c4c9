//! Do two groups of independent values differ in their mean, and can they be called equal?
//!
//! Welch's t test with Satterthwaite's degrees of freedom (Welch, Biometrika 34, 1947) makes no assumption of equal
//! spread. "Not significant" is never "equal": equality is shown by two one-sided tests against a margin (Schuirmann,
//! J. Pharmacokinet. Biopharm. 15, 1987), which is the same as the 90% interval lying inside the margin.
//!
//! Hand in one value per independent unit (per line, not per test); logarithms turn differences into ratios.

use super::Interval;
use super::distribution::{normal_quantile, t_cdf, t_quantile};
use super::refusal::{Answer, Refusal, all_finite, at_least, finite, open_unit, positive};

/// Count, mean and sample variance of one group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// How many values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their variance, with n - 1 below.
    pub variance: f64,
}

impl Moments {
    /// Of two values or more.
    pub fn of(values: &[f64]) -> Answer<Self> {
        at_least(values.len(), 2, "values on one side")?;
        all_finite(values, "a value")?;
        let n = values.len() as f64;
        let mean = finite(values.iter().sum::<f64>() / n, "the mean")?;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Ok(Self { n: values.len(), mean, variance: finite(variance, "the variance")? })
    }

    /// Student's interval of the mean.
    pub fn interval(&self, level: f64) -> Answer<Interval> {
        let level = open_unit(level, "the confidence level")?;
        let error = (self.variance / self.n as f64).sqrt();
        let half = t_quantile(f64::midpoint(1.0, level), (self.n - 1) as f64)? * error;
        Ok(Interval::new(self.mean - half, self.mean + half))
    }
}

/// The difference of two means, first minus second, with all that tests and intervals need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welch {
    /// Mean of the first group minus mean of the second.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Satterthwaite's degrees of freedom.
    pub df: f64,
}

impl Welch {
    /// Compares two groups of two values or more; refused where neither group varies.
    pub fn new(a: &[f64], b: &[f64]) -> Answer<Self> {
        Self::of_moments(Moments::of(a)?, Moments::of(b)?)
    }

    /// Compares two groups of which only the moments are known.
    pub fn of_moments(a: Moments, b: Moments) -> Answer<Self> {
        at_least(a.n.min(b.n), 2, "values on one side")?;
        let (va, vb) = (a.variance / a.n as f64, b.variance / b.n as f64);
        let variance = finite(va + vb, "the variance")?;
        let difference = finite(a.mean - b.mean, "the difference")?;
        // Equal values leave a variance of rounding size behind, which is no evidence of anything.
        if variance.sqrt() <= 1e-12 * (a.mean.abs() + b.mean.abs()) {
            return Err(Refusal::NoVariation { what: "the values on both sides" });
        }
        // Shares of the variance, so that neither very small nor very large units overflow.
        let (sa, sb) = (va / variance, vb / variance);
        let df = 1.0 / (sa * sa / (a.n - 1) as f64 + sb * sb / (b.n - 1) as f64);
        let standard_error = variance.sqrt();
        Ok(Self { difference, standard_error, df: positive(df, "the degrees of freedom")? })
    }

    /// The t statistic against no difference.
    pub fn t(&self) -> f64 {
        self.difference / self.standard_error
    }

    /// The two-sided p-value against no difference.
    pub fn p(&self) -> Answer<f64> {
        Ok((2.0 * t_cdf(-self.t().abs(), self.df)?).min(1.0))
    }

    /// The confidence interval of the difference.
    pub fn interval(&self, level: f64) -> Answer<Interval> {
        let level = open_unit(level, "the confidence level")?;
        let half = t_quantile(f64::midpoint(1.0, level), self.df)? * self.standard_error;
        Ok(Interval::new(self.difference - half, self.difference + half))
    }

    /// Two one-sided tests: is the difference above `low` and below `high`?
    pub fn equivalence(&self, low: f64, high: f64) -> Answer<Equivalence> {
        finite(low, "the lower margin")?;
        finite(high, "the upper margin")?;
        if low >= high {
            return Err(Refusal::OutOfRange {
                what: "the lower margin",
                value: low,
                allowed: "below the upper",
            });
        }
        let above_low = t_cdf(-(self.difference - low) / self.standard_error, self.df)?;
        let below_high = t_cdf((self.difference - high) / self.standard_error, self.df)?;
        Ok(Equivalence { p_above_low: above_low, p_below_high: below_high, interval_90: self.interval(0.9)? })
    }
}

/// What two one-sided tests say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equivalence {
    /// p-value of "the difference is not above the lower margin".
    pub p_above_low: f64,
    /// p-value of "the difference is not below the upper margin".
    pub p_below_high: f64,
    /// The 90% interval; inside the margins exactly where [`Equivalence::p`] is below .05.
    pub interval_90: Interval,
}

impl Equivalence {
    /// The p-value of "not equivalent": the larger of the two.
    pub fn p(&self) -> f64 {
        self.p_above_low.max(self.p_below_high)
    }
}

/// The smallest true difference that a two-sided test at `alpha` finds with probability `power`, for groups of
/// `(n, sd)`: (z + z) times the standard error. Normal approximation: about 5% too small at 10 per side.
pub fn minimum_detectable(a: (usize, f64), b: (usize, f64), alpha: f64, power: f64) -> Answer<f64> {
    at_least(a.0.min(b.0), 2, "values on one side")?;
    let (sa, sb) = (positive(a.1, "a standard deviation")?, positive(b.1, "a standard deviation")?);
    let z = normal_quantile(1.0 - open_unit(alpha, "the error rate")? / 2.0)?
        + normal_quantile(open_unit(power, "the power")?)?;
    finite(z * (sa * sa / a.0 as f64 + sb * sb / b.0 as f64).sqrt(), "the smallest difference")
}

/// How many values per side are needed to find a true `difference` with probability `power`.
pub fn n_to_detect(sd: f64, difference: f64, alpha: f64, power: f64) -> Answer<usize> {
    let z = normal_quantile(1.0 - open_unit(alpha, "the error rate")? / 2.0)?
        + normal_quantile(open_unit(power, "the power")?)?;
    per_side(sd, difference, z)
}

/// How many values per side are needed to show equality within `±margin`, at one-sided level `alpha` and with
/// probability `power`, where the groups truly are equal.
pub fn n_to_show_equality(sd: f64, margin: f64, alpha: f64, power: f64) -> Answer<usize> {
    // Both one-sided tests must succeed, so each may fail in half of the cases left.
    let z = normal_quantile(1.0 - open_unit(alpha, "the error rate")?)?
        + normal_quantile(1.0 - (1.0 - open_unit(power, "the power")?) / 2.0)?;
    per_side(sd, margin, z)
}

fn per_side(sd: f64, effect: f64, z: f64) -> Answer<usize> {
    let n =
        2.0 * (positive(sd, "the standard deviation")? * z / positive(effect.abs(), "the effect")?).powi(2);
    Ok((finite(n, "the number per side")?.ceil() as usize).max(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: [f64; 8] = [12.0, 15.0, 14.0, 10.0, 18.0, 20.0, 15.0, 13.0];
    const B: [f64; 9] = [16.0, 19.0, 22.0, 15.0, 25.0, 21.0, 18.0, 30.0, 17.0];

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "{got} is not {want}");
    }

    // Oracle: scipy 1.17.1, scipy.stats.ttest_ind(a, b, equal_var=False) and its confidence_interval.
    #[test]
    fn the_test_is_scipys() {
        let welch = Welch::new(&A, &B).unwrap();
        close(welch.t(), -2.913_386_725_228_410_7);
        close(welch.df, 14.013_830_384_413_08);
        close(welch.p().unwrap(), 0.011_328_491_558_468_929);
        let ci = welch.interval(0.95).unwrap();
        close(ci.low, -9.910_324_013_757_648);
        close(ci.high, -1.506_342_652_909_015_8);
    }

    // Oracle: statsmodels 0.15.0, statsmodels.stats.weightstats.ttost_ind(a, b, -8, 8, usevar="unequal").
    #[test]
    fn equivalence_is_statsmodels() {
        let tost = Welch::new(&A, &B).unwrap().equivalence(-8.0, 8.0).unwrap();
        close(tost.p(), 0.130_833_839_490_145_74);
        close(tost.p_below_high, 3.125_050_123_747_725e-6);
        close(tost.interval_90.low, -9.159_109_088_771_375);
        close(tost.interval_90.high, -2.257_557_577_895_292);
        assert!(!tost.interval_90.is_within(-8.0, 8.0));
    }

    #[test]
    fn equality_within_ten_percent_needs_hundreds_of_lines() {
        // 2 x .352^2 x (1.6449 + 1.6449)^2 / ln(1.1)^2 = 295.3.
        assert_eq!(n_to_show_equality(0.352, 1.1_f64.ln(), 0.05, 0.9).unwrap(), 296);
        // Oracle: statsmodels 0.15.0, NormalIndPower().solve_power(.5, alpha=.05, power=.8) = 62.79.
        assert_eq!(n_to_detect(1.0, 0.5, 0.05, 0.8).unwrap(), 63);
        let back = minimum_detectable((63, 1.0), (63, 1.0), 0.05, 0.8).unwrap();
        assert!((0.49..0.5).contains(&back), "{back}");
    }

    #[test]
    fn groups_without_spread_are_refused() {
        assert!(matches!(Welch::new(&[1.0], &B), Err(Refusal::TooFew { .. })));
        assert!(matches!(Welch::new(&[0.1; 9], &[0.1; 7]), Err(Refusal::NoVariation { .. })));
        assert!(matches!(Welch::new(&[0.0; 9], &[0.0; 7]), Err(Refusal::NoVariation { .. })));
        assert!(matches!(Welch::new(&A, &[1.0, f64::NAN]), Err(Refusal::NotFinite { .. })));
        assert!(Welch::new(&A, &B).unwrap().equivalence(1.0, 1.0).is_err());
        assert!(n_to_detect(1.0, 0.0, 0.05, 0.8).is_err());
    }

    proptest! {
        #[test]
        fn the_unit_changes_neither_p_nor_verdict(
            a in prop::collection::vec(1.0..100.0, 3..20), b in prop::collection::vec(1.0..100.0, 3..20),
        ) {
            let scaled = |v: &[f64]| v.iter().map(|x| x / 1000.0).collect::<Vec<_>>();
            let (ms, s) = (Welch::new(&a, &b).unwrap(), Welch::new(&scaled(&a), &scaled(&b)).unwrap());
            prop_assert!((ms.p().unwrap() - s.p().unwrap()).abs() < 1e-9);
            let (tm, ts) = (ms.equivalence(-5.0, 5.0).unwrap(), s.equivalence(-0.005, 0.005).unwrap());
            prop_assert!((tm.p() - ts.p()).abs() < 1e-9);
        }

        #[test]
        fn the_ninety_percent_interval_and_the_two_tests_agree(
            a in prop::collection::vec(1.0..10.0, 3..20), b in prop::collection::vec(1.0..10.0, 3..20), m in 0.1_f64..5.0,
        ) {
            let tost = Welch::new(&a, &b).unwrap().equivalence(-m, m).unwrap();
            prop_assume!((tost.p() - 0.05).abs() > 1e-6);
            prop_assert_eq!(tost.interval_90.is_within(-m, m), tost.p() < 0.05);
        }
    }
}
