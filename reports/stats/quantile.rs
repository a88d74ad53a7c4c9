//! Quantiles of values, of weighted values and of small samples, and how sure one can be of them.
//!
//! Definition: the p-quantile of n values is the nearest rank, the k-th smallest with k = ceil(p n), kept between 1
//! and n. It is always a value that was observed. With weights it is the smallest value at which the summed weight
//! reaches p of the total; equal weights give the nearest rank again. For fewer than about a hundred values the
//! estimator of Harrell and Davis (Biometrika 69, 1982) is smoother. The interval from order statistics holds for any
//! distribution (David and Nagaraja, Order Statistics, 3rd ed., 7.1).
//!
//! Neither interval nor estimator knows about clusters: hand in values that are independent, such as one per line.

use super::distribution::{beta_cdf, binomial_cdf};
use super::refusal::{Answer, Refusal, all_finite, ascending, at_least, finite, open_unit, same_length};

/// Room for rounding when p n is meant to be a whole number: .07 x 100 is 7.000000000000001 in binary.
const ROUNDING: f64 = 1e-9;

/// The rank ceil(p n), kept between 1 and n.
fn rank(p: f64, n: usize) -> usize {
    ((p * n as f64 - ROUNDING).ceil().max(1.0) as usize).min(n)
}

/// The nearest-rank quantile of values in ascending order; `p` between 0 and 1, both excluded.
pub fn nearest_rank(sorted: &[f64], p: f64) -> Answer<f64> {
    at_least(sorted.len(), 1, "values")?;
    ascending(sorted, "the values")?;
    Ok(sorted[rank(open_unit(p, "the quantile")?, sorted.len()) - 1])
}

/// The weighted quantile of (value, weight) pairs in ascending order of value: the smallest value at which the summed
/// weight reaches `p` of the total. Weights are 0 or more, and not all 0.
pub fn weighted(sorted: &[(f64, f64)], p: f64) -> Answer<f64> {
    at_least(sorted.len(), 1, "values")?;
    open_unit(p, "the quantile")?;
    let mut total = 0.0;
    let mut before = f64::NEG_INFINITY;
    for &(value, weight) in sorted {
        finite(value, "a value")?;
        finite(weight, "a weight")?;
        if value < before {
            return Err(Refusal::NotSorted { what: "the values" });
        }
        if weight < 0.0 {
            return Err(Refusal::OutOfRange { what: "a weight", value: weight, allowed: "0 or more" });
        }
        before = value;
        total += weight;
    }
    at_least(usize::from(total > 0.0), 1, "values with a weight above 0")?;
    let goal = total * (p - ROUNDING);
    let mut sum = 0.0;
    let mut last = before;
    for &(value, weight) in sorted.iter().filter(|(_, weight)| *weight > 0.0) {
        sum += weight;
        last = value;
        if sum >= goal {
            break;
        }
    }
    Ok(last)
}

/// The Harrell-Davis estimator for one n and one p: a weighted mean of all order statistics.
///
/// Holds the weights, so that a bootstrap pays for them once.
#[derive(Clone, Debug)]
pub struct HarrellDavis {
    weights: Vec<f64>,
}

impl HarrellDavis {
    /// For samples of `n` values and the quantile `p`.
    pub fn new(n: usize, p: f64) -> Answer<Self> {
        at_least(n, 1, "values")?;
        open_unit(p, "the quantile")?;
        let (a, b) = ((n as f64 + 1.0) * p, (n as f64 + 1.0) * (1.0 - p));
        let mut below = 0.0;
        let weights = (1..=n)
            .map(|i| {
                let reached = beta_cdf(i as f64 / n as f64, a, b);
                let weight = reached - below;
                below = reached;
                weight
            })
            .collect();
        Ok(Self { weights })
    }

    /// The quantile of values in ascending order.
    pub fn of(&self, sorted: &[f64]) -> Answer<f64> {
        same_length(sorted.len(), self.weights.len(), "the values and the weights")?;
        ascending(sorted, "the values")?;
        finite(sorted.iter().zip(&self.weights).map(|(x, w)| x * w).sum(), "the quantile")
    }

    /// The quantile of a resample: `counts[i]` copies of `sorted[i]`, n copies in all.
    pub fn of_resample(&self, sorted: &[f64], counts: &[u32]) -> Answer<f64> {
        same_length(sorted.len(), counts.len(), "the values and their counts")?;
        ascending(sorted, "the values")?;
        let copies = counts.iter().map(|&c| c as usize).sum();
        same_length(copies, self.weights.len(), "the resample and the weights")?;
        let mut weights = self.weights.iter();
        let mut sum = 0.0;
        for (x, &count) in sorted.iter().zip(counts) {
            sum += x * weights.by_ref().take(count as usize).sum::<f64>();
        }
        finite(sum, "the quantile")
    }
}

/// The Harrell-Davis quantile of values in ascending order.
pub fn harrell_davis(sorted: &[f64], p: f64) -> Answer<f64> {
    HarrellDavis::new(sorted.len(), p)?.of(sorted)
}

/// The two order statistics that hold a quantile between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranks {
    /// Rank of the lower limit, counted from 1.
    pub low: usize,
    /// Rank of the upper limit, counted from 1.
    pub high: usize,
    /// The probability with which they do; at least the level that was asked for.
    pub coverage: f64,
}

/// The ranks of the distribution-free interval of the p-quantile of `n` independent values.
///
/// The error is split evenly between the two tails where that is possible. Where the largest (or smallest) value is
/// not enough for half of the error, it is used as the limit and the other side gets what is left. Refused below
/// [`smallest_n`].
pub fn ranks(n: usize, p: f64, level: f64) -> Answer<Ranks> {
    let need = smallest_n(p, level)?;
    at_least(n, need, "independent values")?;
    let error = 1.0 - level;
    // P(the quantile lies above the largest value), and below the smallest.
    let (above, below) = (p.powf(n as f64), (1.0 - p).powf(n as f64));
    let (upper, lower) = if above > error / 2.0 {
        (above, error - above)
    } else if below > error / 2.0 {
        (error - below, below)
    } else {
        (error / 2.0, error / 2.0)
    };
    // The largest rank with P(K <= rank - 1) <= lower, and the smallest with P(K <= rank - 1) >= 1 - upper.
    let low = last_true(n, |r| binomial_cdf(r - 1, n, p) <= lower + ROUNDING * error);
    let high = (last_true(n, |r| binomial_cdf(r - 1, n, p) < 1.0 - upper - ROUNDING * error) + 1).min(n);
    let low = low.max(1);
    let coverage = binomial_cdf(high - 1, n, p) - binomial_cdf(low - 1, n, p);
    Ok(Ranks { low, high, coverage: finite(coverage, "the coverage")? })
}

/// The last rank of 1..=n for which a condition holds that holds up to some rank and not beyond; 0 if for none.
fn last_true(n: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut yes, mut no) = (0, n + 1);
    while no - yes > 1 {
        let middle = usize::midpoint(yes, no);
        if holds(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    yes
}

/// The distribution-free interval of the p-quantile of independent values in ascending order.
pub fn order_statistics(sorted: &[f64], p: f64, level: f64) -> Answer<super::Interval> {
    ascending(sorted, "the values")?;
    let Ranks { low, high, .. } = ranks(sorted.len(), p, level)?;
    Ok(super::Interval::new(sorted[low - 1], sorted[high - 1]))
}

/// The smallest number of independent values for which a two-sided distribution-free interval of the p-quantile
/// exists: the smallest n with p^n + (1-p)^n <= 1 - level. Below it, print neither interval nor verdict.
pub fn smallest_n(p: f64, level: f64) -> Answer<usize> {
    open_unit(p, "the quantile")?;
    let error = 1.0 - open_unit(level, "the confidence level")?;
    let uncovered = |n: usize| p.powf(n as f64) + (1.0 - p).powf(n as f64);
    // The larger of p and 1-p alone gives a lower bound; the sum needs a few more at most.
    let mut n = ((error.ln() / p.max(1.0 - p).ln()).floor().max(1.0)) as usize;
    while uncovered(n) > error * (1.0 + ROUNDING) {
        n += 1;
    }
    Ok(n)
}

/// Sorts values and refuses those that are not finite: the way in to every function here.
pub fn sorted(mut values: Vec<f64>) -> Answer<Vec<f64>> {
    all_finite(&values, "a value")?;
    values.sort_unstable_by(f64::total_cmp);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance, "{got} is not {want}");
    }

    #[test]
    fn the_nearest_rank_is_an_observed_value() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        let q = |p| nearest_rank(&ten, p).unwrap();
        assert_eq!((q(0.5), q(0.51), q(0.9), q(0.95), q(0.001)), (5.0, 6.0, 9.0, 10.0, 1.0));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(nearest_rank(&hundred, 0.07).unwrap(), 7.0);
        assert_eq!(nearest_rank(&hundred, 0.95).unwrap(), 95.0);
    }

    #[test]
    fn a_heavy_value_pulls_the_weighted_quantile() {
        let pairs = [(1.0, 1.0), (2.0, 0.0), (3.0, 8.0), (4.0, 1.0)];
        assert_eq!(weighted(&pairs, 0.1).unwrap(), 1.0);
        assert_eq!(weighted(&pairs, 0.11).unwrap(), 3.0);
        assert_eq!(weighted(&pairs, 0.9).unwrap(), 3.0);
        assert_eq!(weighted(&pairs, 0.95).unwrap(), 4.0);
    }

    // Oracle: numpy 2.4.6, numpy.quantile(method="inverted_cdf"), without and with weights; RFC 2330 section 11.3 for the
    // last three.
    #[test]
    fn quantiles_are_numpys() {
        let values = [12.0, 15.0, 14.0, 10.0, 18.0, 20.0, 15.0, 13.0, 16.5, 19.0, 22.25];
        let weights = [0.38, 1.5, 0.96, 2.0, 0.5, 1.0, 0.7, 3.0, 1.1, 0.2, 0.9];
        let ascending = sorted(values.to_vec()).unwrap();
        let mut pairs: Vec<(f64, f64)> = values.into_iter().zip(weights).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (p, plain, with_weights) in [
            (0.05, 10.0, 10.0),
            (0.25, 13.0, 13.0),
            (0.5, 15.0, 14.0),
            (0.75, 19.0, 16.5),
            (0.9, 20.0, 20.0),
            (0.95, 22.25, 22.25),
        ] {
            assert_eq!(nearest_rank(&ascending, p).unwrap(), plain);
            assert_eq!(weighted(&pairs, p).unwrap(), with_weights);
        }
        let rfc = sorted(vec![-2.0, 7.0, 7.0, 4.0, 18.0, -5.0]).unwrap();
        for (p, want) in [(0.15, -5.0), (0.25, -2.0), (0.5, 4.0)] {
            assert_eq!(nearest_rank(&rfc, p).unwrap(), want);
        }
    }

    // Oracle: scipy 1.17.1, scipy.stats.mstats.hdquantiles(range(1, 11)).
    #[test]
    fn harrell_davis_is_scipys() {
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        for (p, want) in [
            (0.25, 2.998_686_946_607_101),
            (0.5, 5.5),
            (0.9, 9.435_115_176_660_437),
            (0.95, 9.792_057_245_740_503),
        ] {
            close(harrell_davis(&ten, p).unwrap(), want, 1e-9);
        }
    }

    #[test]
    fn a_resample_in_counts_is_the_resample_written_out() {
        let values = [1.0, 2.0, 4.0, 7.0, 11.0];
        let estimator = HarrellDavis::new(5, 0.75).unwrap();
        let long = estimator.of(&[1.0, 4.0, 4.0, 4.0, 11.0]).unwrap();
        close(estimator.of_resample(&values, &[1, 0, 3, 0, 1]).unwrap(), long, 1e-12);
    }

    // Oracle: scipy 1.17.1, scipy.stats.binom.cdf at both ranks.
    #[test]
    fn ranks_have_the_coverage_of_the_binomial_distribution() {
        for (n, p, low, high, coverage) in [
            (100, 0.5, 40, 61, 0.964_799_799_782_295_2),
            (100, 0.95, 90, 100, 0.982_607_060_712_181_2),
            (1000, 0.99, 983, 997, 0.976_094_763_497_977),
        ] {
            let got = ranks(n, p, 0.95).unwrap();
            assert_eq!((got.low, got.high), (low, high));
            close(got.coverage, coverage, 1e-9);
        }
    }

    #[test]
    fn below_the_smallest_n_there_is_no_interval() {
        for (p, n) in [(0.5, 6), (0.9, 29), (0.95, 59), (0.99, 299), (0.999, 2995), (0.1, 29)] {
            assert_eq!(smallest_n(p, 0.95).unwrap(), n);
            let refused = ranks(n - 1, p, 0.95);
            assert_eq!(refused, Err(Refusal::TooFew { what: "independent values", have: n - 1, need: n }));
            assert!(ranks(n, p, 0.95).unwrap().coverage >= 0.95 - 1e-9);
        }
    }

    #[test]
    fn bad_input_is_refused_by_name() {
        assert!(matches!(nearest_rank(&[], 0.5), Err(Refusal::TooFew { .. })));
        assert!(matches!(nearest_rank(&[1.0, f64::NAN], 0.5), Err(Refusal::NotFinite { .. })));
        assert!(matches!(nearest_rank(&[2.0, 1.0], 0.5), Err(Refusal::NotSorted { .. })));
        assert!(matches!(nearest_rank(&[1.0], 1.0), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(weighted(&[(1.0, 0.0)], 0.5), Err(Refusal::TooFew { .. })));
        assert!(matches!(weighted(&[(1.0, -1.0)], 0.5), Err(Refusal::OutOfRange { .. })));
        assert!(sorted(vec![f64::INFINITY]).is_err());
    }

    proptest! {
        #[test]
        fn equal_weights_give_the_nearest_rank(values in prop::collection::vec(-1e6..1e6, 1..60), p in 0.001..0.999) {
            let values = sorted(values).unwrap();
            let pairs: Vec<_> = values.iter().map(|&v| (v, 0.25)).collect();
            prop_assert_eq!(weighted(&pairs, p).unwrap(), nearest_rank(&values, p).unwrap());
        }

        #[test]
        fn a_larger_value_never_lowers_a_quantile(
            values in prop::collection::vec(0.0..1e3, 2..40), at in 0_usize..40, add in 0.0..500.0, p in 0.01..0.99,
        ) {
            let before = sorted(values.clone()).unwrap();
            let mut worse = values;
            let at = at % worse.len();
            worse[at] += add;
            let worse = sorted(worse).unwrap();
            prop_assert!(nearest_rank(&worse, p).unwrap() >= nearest_rank(&before, p).unwrap());
            prop_assert!(harrell_davis(&worse, p).unwrap() >= harrell_davis(&before, p).unwrap() - 1e-9);
        }

        #[test]
        fn seconds_and_milliseconds_give_the_same_quantile(values in prop::collection::vec(0.0..1e3, 1..40), p in 0.01..0.99) {
            let ms = sorted(values).unwrap();
            let s: Vec<f64> = ms.iter().map(|v| v / 1e3).collect();
            prop_assert_eq!(nearest_rank(&ms, p).unwrap() / 1e3, nearest_rank(&s, p).unwrap());
            let (a, b) = (harrell_davis(&ms, p).unwrap() / 1e3, harrell_davis(&s, p).unwrap());
            prop_assert!((a - b).abs() <= 1e-12 * (1.0 + a.abs()));
        }

        #[test]
        fn ranks_cover_at_least_the_level(n in 6_usize..400, p in 0.02..0.98) {
            if let Ok(ranks) = ranks(n, p, 0.95) {
                prop_assert!(ranks.coverage >= 0.95 - 1e-8, "{:?}", ranks);
                prop_assert!(1 <= ranks.low && ranks.low < ranks.high && ranks.high <= n);
            }
        }
    }
}
