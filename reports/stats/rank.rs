//! Which side tends to be larger, and how far apart two distributions are, without assuming their shape.
//!
//! Cliff's delta is P(a > b) - P(a < b) (Psychol. Bull. 114, 1993); it is U of Mann and Whitney (Ann. Math. Stat. 18,
//! 1947) on a scale from -1 to 1. The Kolmogorov-Smirnov D is the largest distance between the two distribution
//! functions. Both can be read from histograms with the same bins; ties inside a bin count neither way.
//!
//! The p-values are for independent values: one per line. For values in clusters report delta with a cluster-bootstrap
//! interval instead.

use super::distribution::{t_cdf, two_sided_normal_p};
use super::quantile::sorted;
use super::refusal::{Answer, Refusal, at_least, finite, same_length};

/// The comparison of two groups by rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dominance {
    /// Mann-Whitney U of the first group: pairs in which it is larger, ties counting half.
    pub u: f64,
    /// Cliff's delta: 1 where every a is above every b, -1 where every a is below.
    pub delta: f64,
}

impl Dominance {
    /// P(a > b) + P(a = b) / 2, the common-language effect size.
    pub fn probability(&self) -> f64 {
        f64::midpoint(self.delta, 1.0)
    }
}

/// Compares two groups of values.
pub fn dominance(a: &[f64], b: &[f64]) -> Answer<Dominance> {
    let (a, b) = (sorted(a.to_vec())?, sorted(b.to_vec())?);
    at_least(a.len().min(b.len()), 1, "values on one side")?;
    let mut balance = 0.0;
    for &x in &a {
        let below = b.partition_point(|&y| y < x);
        let above = b.len() - b.partition_point(|&y| y <= x);
        balance += below as f64 - above as f64;
    }
    let pairs = a.len() as f64 * b.len() as f64;
    let delta = balance / pairs;
    Ok(Dominance { u: pairs * f64::midpoint(delta, 1.0), delta })
}

/// Compares two histograms over the same bins, in ascending order of value. Counts may be weights.
pub fn dominance_of_bins(a: &[f64], b: &[f64]) -> Answer<Dominance> {
    let (na, nb) = bins(a, b)?;
    let (mut balance, mut b_below) = (0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        balance += x * (b_below - (nb - b_below - y));
        b_below += y;
    }
    let delta = finite(balance / na / nb, "delta")?.clamp(-1.0, 1.0);
    Ok(Dominance { u: finite(na * nb * f64::midpoint(delta, 1.0), "U")?, delta })
}

/// The totals of two histograms over the same bins.
fn bins(a: &[f64], b: &[f64]) -> Answer<(f64, f64)> {
    same_length(a.len(), b.len(), "the bins")?;
    let total = |counts: &[f64]| -> Answer<f64> {
        let mut sum = 0.0;
        for &count in counts {
            if count < 0.0 {
                return Err(Refusal::OutOfRange { what: "a count", value: count, allowed: "0 or more" });
            }
            sum += finite(count, "a count")?;
        }
        at_least(usize::from(sum > 0.0), 1, "values on one side")?;
        Ok(sum)
    };
    Ok((total(a)?, total(b)?))
}

/// The two-sided p-value of Mann and Whitney: normal approximation, corrected for ties and for continuity.
pub fn mann_whitney_p(a: &[f64], b: &[f64]) -> Answer<f64> {
    let u = dominance(a, b)?.u;
    let all = sorted(a.iter().chain(b).copied().collect())?;
    let (na, nb, n) = (a.len() as f64, b.len() as f64, all.len() as f64);
    let ties: f64 =
        all.chunk_by(|x, y| x == y).map(|tied| (tied.len() as f64).powi(3) - tied.len() as f64).sum();
    let variance = na * nb / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    if variance <= 0.0 {
        return Err(Refusal::NoVariation { what: "the values" });
    }
    let distance = ((u - na * nb / 2.0).abs() - 0.5).max(0.0);
    Ok(two_sided_normal_p(distance / variance.sqrt()))
}

/// The test of Brunner and Munzel (Biom. J. 42, 2000): equal chance of being larger, spreads free to differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BrunnerMunzel {
    /// The statistic; positive where the second group tends to be larger.
    pub statistic: f64,
    /// Degrees of freedom of its t distribution.
    pub df: f64,
    /// The two-sided p-value.
    pub p: f64,
}

/// The test of Brunner and Munzel on two groups of two values or more; refused where the groups do not overlap.
pub fn brunner_munzel(a: &[f64], b: &[f64]) -> Answer<BrunnerMunzel> {
    at_least(a.len().min(b.len()), 2, "values on one side")?;
    let (a, b) = (sorted(a.to_vec())?, sorted(b.to_vec())?);
    let all = sorted(a.iter().chain(&b).copied().collect())?;
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let part = |group: &[f64]| {
        let n = group.len() as f64;
        let shift: Vec<f64> = group.iter().map(|&x| mid_rank(&all, x) - mid_rank(group, x)).collect();
        let mean = shift.iter().sum::<f64>() / n;
        let variance = shift.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let mean_rank = group.iter().map(|&x| mid_rank(&all, x)).sum::<f64>() / n;
        (mean_rank, n * variance)
    };
    let ((rank_a, va), (rank_b, vb)) = (part(&a), part(&b));
    if va + vb <= 0.0 {
        return Err(Refusal::NoVariation { what: "the overlaps of the two sides" });
    }
    let statistic = na * nb * (rank_b - rank_a) / ((na + nb) * (va + vb).sqrt());
    let df = (va + vb).powi(2) / (va * va / (na - 1.0) + vb * vb / (nb - 1.0));
    let p = (2.0 * t_cdf(-statistic.abs(), df)?).min(1.0);
    Ok(BrunnerMunzel { statistic, df, p })
}

/// The mean rank of all values equal to `x` among sorted values, counted from 1.
fn mid_rank(sorted: &[f64], x: f64) -> f64 {
    let below = sorted.partition_point(|&y| y < x);
    let up_to = sorted.partition_point(|&y| y <= x);
    (below + up_to + 1) as f64 / 2.0
}

/// The Kolmogorov-Smirnov distance of two groups of values.
pub fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> Answer<f64> {
    let (a, b) = (sorted(a.to_vec())?, sorted(b.to_vec())?);
    at_least(a.len().min(b.len()), 1, "values on one side")?;
    let share = |group: &[f64], x: f64| group.partition_point(|&y| y <= x) as f64 / group.len() as f64;
    Ok(a.iter().chain(&b).map(|&x| (share(&a, x) - share(&b, x)).abs()).fold(0.0, f64::max))
}

/// The Kolmogorov-Smirnov distance of two histograms over the same bins, on the bin edges.
pub fn kolmogorov_smirnov_of_bins(a: &[f64], b: &[f64]) -> Answer<f64> {
    let (na, nb) = bins(a, b)?;
    let (mut fa, mut fb, mut distance) = (0.0, 0.0, 0.0_f64);
    for (x, y) in a.iter().zip(b) {
        fa += x / na;
        fb += y / nb;
        distance = distance.max((fa - fb).abs());
    }
    Ok(distance.min(1.0))
}

/// The largest product of group sizes for which [`kolmogorov_smirnov_p`] counts paths.
pub const MOST_PAIRS: usize = 4_000_000;

/// The exact two-sided p-value of D for groups of `na` and `nb` values without ties, by counting lattice paths
/// (Hodges, Ark. Mat. 3, 1958); with ties it is too large, never too small.
pub fn kolmogorov_smirnov_p(distance: f64, na: usize, nb: usize) -> Answer<f64> {
    finite(distance, "the distance")?;
    at_least(na.min(nb), 1, "values on one side")?;
    let pairs = na as f64 * nb as f64;
    if pairs > MOST_PAIRS as f64 {
        return Err(Refusal::OutOfRange {
            what: "the number of pairs",
            value: pairs,
            allowed: "at most 4000000",
        });
    }
    // P(the path from (0, 0) to (i, j) never strays by `distance`), in probabilities, so nothing overflows.
    let inside = |i: usize, j: usize| (i as f64 / na as f64 - j as f64 / nb as f64).abs() < distance - 1e-12;
    let mut row = vec![0.0; nb + 1];
    for i in 0..=na {
        for j in 0..=nb {
            row[j] = if !inside(i, j) {
                0.0
            } else if i == 0 && j == 0 {
                1.0
            } else {
                let from_left = if j > 0 { row[j - 1] * j as f64 } else { 0.0 };
                let from_below = if i > 0 { row[j] * i as f64 } else { 0.0 };
                (from_left + from_below) / (i + j) as f64
            };
        }
    }
    Ok((1.0 - row[nb]).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: [f64; 8] = [12.0, 15.0, 14.0, 10.0, 18.0, 20.0, 15.0, 13.0];
    const B: [f64; 9] = [16.0, 19.0, 22.0, 15.0, 25.0, 21.0, 18.0, 30.0, 17.0];

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9, "{got} is not {want}");
    }

    fn histogram(values: &[f64]) -> Vec<f64> {
        let mut bins = vec![0.0; 40];
        for &v in values {
            bins[v as usize] += 1.0;
        }
        bins
    }

    // Oracle: scipy 1.17.1, scipy.stats.mannwhitneyu(method="asymptotic"), ks_2samp, brunnermunzel.
    #[test]
    fn ranks_are_scipys() {
        let got = dominance(&A, &B).unwrap();
        close(got.u, 9.5);
        close(got.delta, -53.0 / 72.0);
        close(got.probability(), 9.5 / 72.0);
        close(mann_whitney_p(&A, &B).unwrap(), 0.012_088_456_741_292_738);
        let d = kolmogorov_smirnov(&A, &B).unwrap();
        close(d, 0.638_888_888_888_888_8);
        close(kolmogorov_smirnov_p(d, 8, 9).unwrap(), 0.046_894_282_188_399_84);
        let bm = brunner_munzel(&A, &B).unwrap();
        close(bm.statistic, 4.101_263_132_430_925);
        close(bm.p, 0.001_510_471_835_961_011);
    }

    #[test]
    fn bins_of_one_value_say_the_same_as_the_values() {
        let (a, b) = (histogram(&A), histogram(&B));
        assert_eq!(dominance_of_bins(&a, &b).unwrap(), dominance(&A, &B).unwrap());
        close(kolmogorov_smirnov_of_bins(&a, &b).unwrap(), 0.638_888_888_888_888_8);
    }

    #[test]
    fn groups_that_say_nothing_are_refused() {
        assert!(matches!(dominance(&[], &B), Err(Refusal::TooFew { .. })));
        assert!(matches!(dominance(&A, &[f64::NAN]), Err(Refusal::NotFinite { .. })));
        assert!(matches!(mann_whitney_p(&[1.0; 4], &[1.0; 5]), Err(Refusal::NoVariation { .. })));
        assert!(matches!(brunner_munzel(&[1.0, 2.0], &[3.0, 4.0]), Err(Refusal::NoVariation { .. })));
        assert!(matches!(dominance_of_bins(&[1.0], &[1.0, 2.0]), Err(Refusal::LengthMismatch { .. })));
        assert!(matches!(dominance_of_bins(&[1.0], &[0.0]), Err(Refusal::TooFew { .. })));
        assert!(matches!(kolmogorov_smirnov_p(0.1, 10_000, 10_000), Err(Refusal::OutOfRange { .. })));
    }

    proptest! {
        #[test]
        fn the_two_sides_mirror_each_other(
            a in prop::collection::vec(0.0_f64..30.0, 1..30), b in prop::collection::vec(0.0_f64..30.0, 1..30),
        ) {
            let (ab, ba) = (dominance(&a, &b).unwrap(), dominance(&b, &a).unwrap());
            prop_assert!((ab.delta + ba.delta).abs() < 1e-12 && ab.delta.abs() <= 1.0);
            let whole = |v: &[f64]| v.iter().map(|x| x.floor()).collect::<Vec<_>>();
            let (wa, wb) = (whole(&a), whole(&b));
            let from_values = dominance(&wa, &wb).unwrap();
            let from_bins = dominance_of_bins(&histogram(&wa), &histogram(&wb)).unwrap();
            prop_assert!((from_values.delta - from_bins.delta).abs() < 1e-12);
            let (dv, db) = (
                kolmogorov_smirnov(&wa, &wb).unwrap(),
                kolmogorov_smirnov_of_bins(&histogram(&wa), &histogram(&wb)).unwrap(),
            );
            prop_assert!((dv - db).abs() < 1e-12);
        }

        #[test]
        fn raising_one_value_never_lowers_delta(
            mut a in prop::collection::vec(0.0..30.0, 1..30), b in prop::collection::vec(0.0..30.0, 1..30), add in 0.0..9.0,
        ) {
            let before = dominance(&a, &b).unwrap().delta;
            a[0] += add;
            prop_assert!(dominance(&a, &b).unwrap().delta >= before - 1e-12);
        }
    }
}
