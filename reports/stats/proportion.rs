//! A share of successes, and how sure one can be of it.
//!
//! Wilson's score interval (JASA 22, 1927) keeps its level for small counts and stays inside 0 and 1; the interval of
//! Clopper and Pearson (Biometrika 26, 1934) is exact, and wide.

use super::Interval;
use super::distribution::{beta_quantile, normal_quantile, two_sided_z};
use super::refusal::{Answer, Refusal, at_least, finite, open_unit};

fn checked(successes: u64, trials: u64) -> Answer<()> {
    at_least(usize::from(trials > 0), 1, "trials")?;
    if successes > trials {
        let value = successes as f64;
        return Err(Refusal::OutOfRange {
            what: "the number of successes",
            value,
            allowed: "at most the trials",
        });
    }
    Ok(())
}

/// Wilson's interval for `successes` out of `trials`.
pub fn wilson(successes: u64, trials: u64, level: f64) -> Answer<Interval> {
    checked(successes, trials)?;
    let z2 = two_sided_z(level)?.powi(2);
    let (k, n) = (successes as f64, trials as f64);
    let centre = (k + z2 / 2.0) / (n + z2);
    let half = (z2 * (k * (n - k) / n + z2 / 4.0)).sqrt() / (n + z2);
    let low = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if successes == trials { 1.0 } else { (centre + half).min(1.0) };
    Ok(Interval::new(low, high))
}

/// The exact interval of Clopper and Pearson.
pub fn clopper_pearson(successes: u64, trials: u64, level: f64) -> Answer<Interval> {
    checked(successes, trials)?;
    let tail = (1.0 - open_unit(level, "the confidence level")?) / 2.0;
    let (k, rest) = (successes as f64, (trials - successes) as f64);
    let low = if successes == 0 { 0.0 } else { beta_quantile(tail, k, rest + 1.0)? };
    let high = if successes == trials { 1.0 } else { beta_quantile(1.0 - tail, k + 1.0, rest)? };
    Ok(Interval::new(low, high))
}

/// How many trials per side are needed to tell the shares `p` and `q` apart, at two-sided level `alpha` and with
/// probability `power` (normal approximation, unpooled variance). Multiply by the design effect for clustered trials.
pub fn n_to_detect(p: f64, q: f64, alpha: f64, power: f64) -> Answer<usize> {
    open_unit(p, "the first share")?;
    open_unit(q, "the second share")?;
    if p == q {
        return Err(Refusal::NoVariation { what: "the two shares" });
    }
    let z = normal_quantile(1.0 - open_unit(alpha, "the error rate")? / 2.0)?
        + normal_quantile(open_unit(power, "the power")?)?;
    let n = z * z * (p * (1.0 - p) + q * (1.0 - q)) / (p - q).powi(2);
    Ok(finite(n, "the number per side")?.ceil() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9, "{got} is not {want}");
    }

    const CLOPPER_PEARSON: [(u64, u64, f64, f64); 5] = [
        (5, 20, 0.086_571_469_101_434_55, 0.491_045_871_707_957_55),
        (0, 20, 0.0, 0.168_433_470_983_085_48),
        (20, 20, 0.831_566_529_016_914_5, 1.0),
        (3, 100_000, 6.186_763_915_927_223e-6, 8.767_020_256_784_099e-5),
        (450, 1000, 0.418_851_709_679_950_7, 0.481_443_466_623_406_54),
    ];

    // Oracle: scipy 1.17.1, scipy.stats.binomtest(k, n).proportion_ci(method="wilson").
    #[test]
    fn wilson_is_scipys() {
        for (k, n, low, high) in [
            (5, 20, 0.111_861_701_407_665_71, 0.468_700_877_618_744),
            (0, 20, 0.0, 0.161_125_158_052_819_35),
            (80, 100, 0.711_170_834_406_841, 0.866_633_066_668_967_4),
        ] {
            let interval = wilson(k, n, 0.95).unwrap();
            close(interval.low, low);
            close(interval.high, high);
        }
    }

    // Oracle: scipy 1.17.1, scipy.stats.binomtest(k, n).proportion_ci(method="exact").
    #[test]
    fn clopper_pearson_is_scipys() {
        for (k, n, low, high) in CLOPPER_PEARSON {
            let interval = clopper_pearson(k, n, 0.95).unwrap();
            close(interval.low, low);
            close(interval.high, high);
        }
    }

    // Known: (z.975 + z.8)^2 (p q + p' q') / (p - p')^2 = 7746.84 and 2315.42.
    #[test]
    fn rare_events_need_thousands_of_lines() {
        assert_eq!(n_to_detect(0.01, 0.015, 0.05, 0.8).unwrap(), 7747);
        assert_eq!(n_to_detect(0.01, 0.02, 0.05, 0.8).unwrap(), 2316);
    }

    #[test]
    fn nothing_tried_is_refused() {
        assert!(matches!(wilson(0, 0, 0.95), Err(Refusal::TooFew { .. })));
        assert!(matches!(wilson(3, 2, 0.95), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(clopper_pearson(0, 1, 1.0), Err(Refusal::OutOfRange { .. })));
        assert!(n_to_detect(0.1, 0.1, 0.05, 0.8).is_err());
    }

    proptest! {
        #[test]
        fn one_more_success_never_lowers_a_limit(n in 1_u64..500, k in 0_u64..500) {
            let k = k % n;
            for f in [wilson, clopper_pearson] {
                let (less, more) = (f(k, n, 0.95).unwrap(), f(k + 1, n, 0.95).unwrap());
                prop_assert!(less.low <= more.low && less.high <= more.high);
                prop_assert!(less.contains(k as f64 / n as f64));
            }
        }
    }
}
