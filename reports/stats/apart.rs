//! How far apart are two groups of clusters as distributions, read from bins?
//!
//! Every cluster (line) counts the same, or by its weight, as in [`super::clustered`]. Cliff's delta is the chance that a value of the
//! first group is larger less the chance that it is smaller, the Kolmogorov-Smirnov D the largest distance between
//! the two distribution functions; both in one pass over common bins. Their p-values for independent values do not
//! hold here, so both get intervals from resampled clusters. That of delta is the percentile or BCa interval; D is
//! never negative, so quantiles of its resamples are too high: its interval is D less and plus what the whole
//! difference curve moves, which holds the true D whenever it holds the true curve.

use super::Interval;
use super::bootstrap::{Design, FEW_CLUSTERS, expanded_level, expansion, percentile};
use super::refusal::{Answer, Refusal, at_least, finite, open_unit, positive};

/// How far apart two groups are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    /// Cliff's delta, -1 to 1; above 0 where the first group has the larger values.
    pub delta: f64,
    /// Its interval.
    pub delta_interval: Interval,
    /// The Kolmogorov-Smirnov distance, 0 to 1.
    pub ks: f64,
    /// Its interval.
    pub ks_interval: Interval,
}

/// A cluster: its weight, above 0, and its (value, count) pairs, which may be bins of a histogram.
pub type Cluster<'a> = (f64, &'a [(f64, u64)]);

/// Clusters of both groups over common bins.
struct Grid {
    bins: usize,
    /// Clusters of the first group, then of the second: weight, and (bin, weighted share of the cluster).
    clusters: Vec<(f64, Vec<(u32, f64)>)>,
    first: usize,
}

/// Compares two groups of clusters.
pub fn apart(
    a: &[Cluster<'_>],
    b: &[Cluster<'_>],
    replicates: usize,
    seed: u64,
    level: f64,
) -> Answer<Apart> {
    open_unit(level, "the confidence level")?;
    at_least(a.len().min(b.len()), 2, "clusters on one side")?;
    let grid = Grid::new(a, b)?;
    let labels: Vec<usize> = (0..a.len() + b.len()).map(|c| usize::from(c >= a.len())).collect();
    let design = Design::stratified(&labels)?;
    let mut curve = vec![0.0; grid.bins];
    let ones = vec![1; labels.len()];
    let (delta, ks, _) = grid.compare(&ones, &mut vec![0.0; 2 * grid.bins], None, Some(&mut curve));
    let drawn = design.replicate(replicates, seed, |counts| {
        let mut scratch = vec![0.0; 2 * grid.bins];
        let (delta, _, moved) = grid.compare(counts, &mut scratch, Some(&curve), None);
        (delta, moved)
    });
    let (deltas, mut moved): (Vec<f64>, Vec<f64>) = drawn.into_iter().unzip();
    at_least(moved.len(), (2.0 / (1.0 - level)).ceil() as usize, "replicates")?;
    let fewest = a.len().min(b.len());
    let wide = expanded_level(level, fewest)?.min(1.0 - 2.5 / deltas.len() as f64);
    let plain = || percentile(&deltas, wide);
    let delta_interval = if fewest < FEW_CLUSTERS {
        let left_out =
            design.jackknife(|counts| grid.compare(counts, &mut vec![0.0; 2 * grid.bins], None, None).0);
        design.bca(delta, &deltas, &left_out, wide).or_else(|_| plain())?
    } else {
        plain()?
    };
    moved.sort_unstable_by(f64::total_cmp);
    let at = ((level * moved.len() as f64).ceil() as usize).clamp(1, moved.len()) - 1;
    let play = moved[at] * expansion(level, fewest)?;
    Ok(Apart {
        delta: finite(delta, "delta")?,
        delta_interval,
        ks: finite(ks, "D")?,
        ks_interval: Interval::new((ks - play).max(0.0), (ks + play).min(1.0)),
    })
}

impl Grid {
    fn new(a: &[Cluster<'_>], b: &[Cluster<'_>]) -> Answer<Self> {
        let mut values: Vec<f64> = Vec::new();
        for &(value, count) in a.iter().chain(b).flat_map(|c| c.1) {
            finite(value, "a value")?;
            if count > 0 {
                values.push(value);
            }
        }
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let place = |value: f64| values.partition_point(|v| *v < value) as u32;
        let clusters = a
            .iter()
            .chain(b)
            .map(|&(weight, cluster)| {
                positive(weight, "a cluster's weight")?;
                let total: u64 = cluster.iter().map(|c| c.1).sum();
                at_least(usize::from(total > 0), 1, "values in a cluster")?;
                let share =
                    |&(value, count): &(f64, u64)| (place(value), weight * count as f64 / total as f64);
                Ok((weight, cluster.iter().filter(|c| c.1 > 0).map(share).collect()))
            })
            .collect::<Answer<Vec<_>>>()?;
        if values.len() < 2 {
            return Err(Refusal::NoVariation { what: "the values on both sides" });
        }
        Ok(Self { bins: values.len(), clusters, first: a.len() })
    }

    /// Delta, D, and how far the difference curve lies from `from`; the curve itself goes to `into`.
    fn compare(
        &self,
        counts: &[u32],
        scratch: &mut [f64],
        from: Option<&[f64]>,
        mut into: Option<&mut Vec<f64>>,
    ) -> (f64, f64, f64) {
        let (own, other) = scratch.split_at_mut(self.bins);
        let mut totals = [0.0; 2];
        for (place, ((weight, cluster), &count)) in self.clusters.iter().zip(counts).enumerate() {
            if count > 0 {
                let side = usize::from(place >= self.first);
                let sums = if side == 0 { &mut *own } else { &mut *other };
                totals[side] += f64::from(count) * weight;
                for &(bin, share) in cluster {
                    sums[bin as usize] += f64::from(count) * share;
                }
            }
        }
        let (mut below, mut gap) = (0.0, 0.0_f64);
        let (mut delta, mut ks, mut moved) = (0.0, 0.0_f64, 0.0_f64);
        for (bin, (x, y)) in own.iter().zip(other.iter()).enumerate() {
            let (x, y) = (x / totals[0], y / totals[1]);
            // What lies below less what lies above: below - (1 - below - y).
            delta += x * (2.0 * below + y - 1.0);
            below += y;
            gap += x - y;
            ks = ks.max(gap.abs());
            if let Some(from) = from {
                moved = moved.max((gap - from[bin]).abs());
            }
            if let Some(into) = into.as_deref_mut() {
                into[bin] = gap;
            }
        }
        (delta.clamp(-1.0, 1.0), ks.min(1.0), moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = Vec<Vec<(f64, u64)>>;

    fn equal(lines: &Lines) -> Vec<Cluster<'_>> {
        lines.iter().map(|l| (1.0, l.as_slice())).collect()
    }

    fn of(a: &Lines, b: &Lines, replicates: usize, seed: u64) -> Answer<Apart> {
        apart(&equal(a), &equal(b), replicates, seed, 0.95)
    }

    fn ones(clusters: &[&[f64]]) -> Lines {
        clusters.iter().map(|c| c.iter().map(|v| (*v, 1)).collect()).collect()
    }

    fn groups() -> (Lines, Lines) {
        let a = ones(&[&[12.0, 15.0, 14.0], &[10.0, 18.0], &[20.0], &[15.0, 13.0, 11.0, 16.0]]);
        let b = ones(&[&[16.0, 19.0], &[22.0, 15.0, 25.0], &[21.0, 18.0], &[30.0, 17.0, 16.0], &[14.0]]);
        (a, b)
    }

    // Oracle: numpy 2.4.6, the mean over pairs of clusters of the mean of sign(x - y), and the largest distance of the
    // means of the clusters' empirical distribution functions.
    #[test]
    fn clusters_weigh_the_same_whatever_their_size() {
        let (a, b) = groups();
        let got = of(&a, &b, 500, 1).unwrap();
        assert!((got.delta + 0.384_027_777_777_777_75).abs() < 1e-12, "{}", got.delta);
        assert!((got.ks - 1.0 / 3.0).abs() < 1e-12, "{}", got.ks);
        assert!(got.delta_interval.contains(got.delta) && got.ks_interval.contains(got.ks));
    }

    #[test]
    fn single_values_give_the_plain_statistics() {
        let a: Vec<f64> = (0..30).map(|i| f64::from(i * i % 37)).collect();
        let b: Vec<f64> = (0..25).map(|i| f64::from(i * 7 % 41)).collect();
        let lines = |v: &[f64]| v.iter().map(|x| vec![(*x, 3)]).collect::<Vec<_>>();
        let got = of(&lines(&a), &lines(&b), 200, 1).unwrap();
        let plain = crate::stats::rank::dominance(&a, &b).unwrap();
        assert!((got.delta - plain.delta).abs() < 1e-12);
        assert!((got.ks - crate::stats::rank::kolmogorov_smirnov(&a, &b).unwrap()).abs() < 1e-12);
    }

    // Oracle: by hand, (2 x delta of the first + 1 x delta of the second) / 3.
    #[test]
    fn a_heavy_cluster_counts_by_its_weight() {
        let (low, high, middle) = (vec![(1.0, 5)], vec![(9.0, 2)], vec![(5.0, 3)]);
        let a: Vec<Cluster<'_>> = [(2.0, low.as_slice()), (1.0, high.as_slice())].repeat(4);
        let b: Vec<Cluster<'_>> = vec![(1.0, middle.as_slice()); 8];
        let got = apart(&a, &b, 200, 1, 0.95).unwrap();
        assert!((got.delta + 1.0 / 3.0).abs() < 1e-12 && (got.ks - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn neither_threads_nor_units_change_the_answer() {
        let (a, b) = groups();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| of(&a, &b, 300, 9).unwrap())
        };
        assert_eq!(run(1), run(6));
        let seconds = |g: &[Vec<(f64, u64)>]| {
            g.iter().map(|c| c.iter().map(|(v, n)| (v / 1e3, *n)).collect()).collect::<Vec<_>>()
        };
        assert_eq!(of(&seconds(&a), &seconds(&b), 300, 9).unwrap(), run(2));
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let (a, _) = groups();
        assert!(matches!(of(&a, &a[..1].to_vec(), 99, 1), Err(Refusal::TooFew { .. })));
        assert!(matches!(of(&a, &vec![vec![], vec![]], 99, 1), Err(Refusal::TooFew { .. })));
        let flat = vec![vec![(1.0, 4)]; 5];
        assert!(matches!(of(&flat, &flat, 99, 1), Err(Refusal::NoVariation { .. })));
        assert!(matches!(
            of(&a, &vec![vec![(f64::NAN, 1)], vec![(1.0, 1)]], 99, 1),
            Err(Refusal::NotFinite { .. })
        ));
    }
}
