//! Events over exposure: the rate, its exact interval, and the ratio of two rates.
//!
//! Garwood's interval (Biometrika 28, 1936) inverts the Poisson distribution through chi-squared quantiles; it is
//! exact, so it covers at least its level also where there is no event at all. Two rates are compared by conditioning
//! on the sum of events, which makes the first count binomial (Przyborowski and Wilenski, Biometrika 31, 1940); the
//! limits are Clopper and Pearson's.
//!
//! Events must be independent: count one fault that makes forty people call as one event, or cluster.

use super::Interval;
use super::distribution::{binomial_cdf, chi_squared_quantile};
use super::proportion::clopper_pearson;
use super::refusal::{Answer, Refusal, finite, open_unit, positive};

/// Garwood's exact interval of the expected count, given the observed one.
pub fn garwood(count: u64, level: f64) -> Answer<Interval> {
    let tail = (1.0 - open_unit(level, "the confidence level")?) / 2.0;
    let k = count as f64;
    let low = if count == 0 { 0.0 } else { chi_squared_quantile(tail, 2.0 * k)? / 2.0 };
    let high = chi_squared_quantile(1.0 - tail, 2.0 * k + 2.0)? / 2.0;
    Ok(Interval::new(low, high))
}

/// A rate with its exact interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Events per unit of exposure.
    pub rate: f64,
    /// Garwood's interval, per unit of exposure.
    pub interval: Interval,
}

/// `count` events over `exposure`, in the caller's unit (line-days, thousands of line-days).
pub fn rate(count: u64, exposure: f64, level: f64) -> Answer<Rate> {
    positive(exposure, "the exposure")?;
    let interval = garwood(count, level)?.map(|limit| limit / exposure);
    finite(interval.high, "the rate")?;
    Ok(Rate { rate: count as f64 / exposure, interval })
}

/// The ratio of two rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateRatio {
    /// First rate over second rate.
    pub ratio: f64,
    /// Its exact interval.
    pub interval: Interval,
    /// Two-sided p-value against a ratio of 1: twice the smaller tail, as the interval.
    pub p: f64,
}

/// The two-sided p-value of two rates, each `(events, exposure)`, against their being the same: twice the smaller tail of
/// the binomial of the first's events among all.
pub fn same_rate(a: (u64, f64), b: (u64, f64)) -> Answer<f64> {
    let (ta, tb) = (positive(a.1, "the first exposure")?, positive(b.1, "the second exposure")?);
    let n = (a.0 + b.0) as usize;
    let at_most = binomial_cdf(a.0 as usize, n, ta / (ta + tb));
    // P(K >= k) as P(K' <= n - k) of the other group, without cancellation.
    let at_least = binomial_cdf(b.0 as usize, n, tb / (ta + tb));
    finite((2.0 * at_most.min(at_least)).min(1.0), "the p-value")
}

/// Compares `(events, exposure)` with another; refused where the second has no events, as the ratio is then unbounded.
pub fn rate_ratio(a: (u64, f64), b: (u64, f64), level: f64) -> Answer<RateRatio> {
    let (ta, tb) = (positive(a.1, "the first exposure")?, positive(b.1, "the second exposure")?);
    if b.0 == 0 {
        return Err(Refusal::NoEvents { what: "events in the second group" });
    }
    let n = a.0 + b.0;
    let scale = tb / ta;
    let interval = clopper_pearson(a.0, n, level)?.map(|share| share / (1.0 - share) * scale);
    finite(interval.high, "the upper limit of the ratio")?;
    Ok(RateRatio {
        ratio: finite(a.0 as f64 / b.0 as f64 * scale, "the ratio")?,
        interval,
        p: same_rate(a, b)?,
    })
}

/// The lower end of the interval of [`rate_ratio`], which is finite where the second has no events, too.
pub fn rate_ratio_at_least(a: (u64, f64), b: (u64, f64), level: f64) -> Answer<f64> {
    let (ta, tb) = (positive(a.1, "the first exposure")?, positive(b.1, "the second exposure")?);
    let share = clopper_pearson(a.0, a.0 + b.0, level)?.low;
    finite(share / (1.0 - share) * tb / ta, "the lower limit of the ratio")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-8 * (1.0 + want.abs()), "{got} is not {want}");
    }

    // Oracle: scipy 1.17.1, scipy.stats.chi2.ppf(.025, 2 k) / 2 and chi2.ppf(.975, 2 k + 2) / 2.
    #[test]
    fn garwood_is_the_oracles() {
        for (count, low, high) in [
            (0, 0.0, 3.688_879_454_113_935_4),
            (1, 0.025_317_807_984_289_876, 5.571_643_390_938_898),
            (3, 0.618_672_122_895_601_4, 8.767_273_069_742_323),
            (10, 4.795_388_696_132_433_5, 18.390_356_042_017_78),
            (25, 16.178_681_847_829_328, 36.904_931_697_530_365),
            (100, 81.363_991_250_923_14, 121.626_793_792_426_38),
        ] {
            let interval = garwood(count, 0.95).unwrap();
            close(interval.low, low);
            close(interval.high, high);
        }
    }

    // By hand: 6 and 0 of equal exposure: the lower limit of the share is .025^(1/6), and p = 2 / 2^6.
    #[test]
    fn where_the_second_has_none_the_lower_limit_and_p_are_known_still() {
        let share = 0.025_f64.powf(1.0 / 6.0);
        close(rate_ratio_at_least((6, 10.0), (0, 10.0), 0.95).unwrap(), share / (1.0 - share));
        close(same_rate((6, 10.0), (0, 10.0)).unwrap(), 2.0 / 64.0);
        let both = rate_ratio((30, 1000.0), (15, 1000.0), 0.95).unwrap();
        close(rate_ratio_at_least((30, 1000.0), (15, 1000.0), 0.95).unwrap(), both.interval.low);
        assert!(rate_ratio((6, 10.0), (0, 10.0), 0.95).is_err());
    }

    // Oracle: scipy 1.17.1, binomtest(k, n, t / (t + t')).proportion_ci(method="exact"), turned into odds; p = twice the
    // smaller tail of scipy.stats.binom.
    #[test]
    fn the_exact_ratio_is_the_oracles() {
        for (a, b, ratio, low, high, p) in [
            (
                (30, 1000.0),
                (15, 1000.0),
                2.0,
                1.042_885_737_019_489_7,
                3.999_857_803_776_694,
                0.035_697_803_555_194_696,
            ),
            (
                (12, 400.0),
                (20, 2600.0),
                3.9,
                1.738_279_603_028_297,
                8.376_781_735_921_638,
                0.001_056_757_930_720_142_6,
            ),
            ((0, 10.0), (5, 10.0), 0.0, 0.0, 1.091_279_105_182_546, 0.0625),
        ] {
            let got = rate_ratio(a, b, 0.95).unwrap();
            close(got.ratio, ratio);
            close(got.interval.low, low);
            close(got.interval.high, high);
            close(got.p, p);
        }
    }

    #[test]
    fn a_ratio_needs_events_below_and_exposure_on_both_sides() {
        assert!(matches!(rate_ratio((3, 10.0), (0, 10.0), 0.95), Err(Refusal::NoEvents { .. })));
        assert!(matches!(rate_ratio((3, 0.0), (1, 10.0), 0.95), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(rate(3, f64::NAN, 0.95), Err(Refusal::NotFinite { .. })));
        let none = rate(0, 200.0, 0.95).unwrap();
        assert_eq!((none.rate, none.interval.low), (0.0, 0.0));
        close(none.interval.high, 3.688_879_454_113_935_4 / 200.0);
    }

    proptest! {
        #[test]
        fn the_unit_of_exposure_changes_no_ratio(a in 0_u64..200, b in 1_u64..200, t in 1.0..1e4, u in 1.0..1e4) {
            let days = rate_ratio((a, t), (b, u), 0.95).unwrap();
            let years = rate_ratio((a, t / 365.0), (b, u / 365.0), 0.95).unwrap();
            prop_assert!((days.p - years.p).abs() < 1e-9);
            prop_assert!((days.interval.high / years.interval.high - 1.0).abs() < 1e-9);
            prop_assert!(days.interval.contains(days.ratio));
        }

        #[test]
        fn one_more_event_never_lowers_a_limit(k in 0_u64..3000) {
            let (less, more) = (garwood(k, 0.95).unwrap(), garwood(k + 1, 0.95).unwrap());
            prop_assert!(less.low < more.low && less.high < more.high && less.contains(k as f64));
        }
    }
}
