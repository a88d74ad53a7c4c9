//! Quantiles of values that come in clusters, such as the tests of one line.
//!
//! Each cluster weighs the same however many values it has: F(x) is the mean of the clusters' own distribution
//! functions. Sorting is paid for once; a resample of the clusters then costs one pass.

use super::refusal::{Answer, Refusal, at_least, finite, open_unit, same_length};

/// Room for rounding in sums of weights.
const ROUNDING: f64 = 1e-9;

/// Values of several clusters, sorted, each with its cluster and its weight within the cluster.
#[derive(Clone, Debug)]
pub struct Clustered {
    entries: Vec<Entry>,
    clusters: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    value: f64,
    weight: f64,
    cluster: usize,
}

impl Clustered {
    /// Clusters of plain values; every cluster weighs 1.
    pub fn of_values(clusters: &[Vec<f64>]) -> Answer<Self> {
        Self::build(clusters.iter().map(|c| c.iter().map(|&v| (v, 1.0))))
    }

    /// Clusters of (value, weight) pairs, such as the bins of a histogram; every cluster weighs 1.
    pub fn of_weighted(clusters: &[Vec<(f64, f64)>]) -> Answer<Self> {
        Self::build(clusters.iter().map(|c| c.iter().copied()))
    }

    fn build<C: Iterator<Item = (f64, f64)>>(clusters: impl Iterator<Item = C>) -> Answer<Self> {
        let mut entries = Vec::new();
        let mut count = 0;
        for (cluster, values) in clusters.enumerate() {
            let start = entries.len();
            let mut total = 0.0;
            for (value, weight) in values {
                finite(value, "a value")?;
                finite(weight, "a weight")?;
                if weight < 0.0 {
                    return Err(Refusal::OutOfRange {
                        what: "a weight",
                        value: weight,
                        allowed: "0 or more",
                    });
                }
                total += weight;
                entries.push(Entry { value, weight, cluster });
            }
            at_least(usize::from(total > 0.0), 1, "values in a cluster")?;
            for entry in &mut entries[start..] {
                entry.weight /= total;
            }
            count = cluster + 1;
        }
        at_least(count, 1, "clusters")?;
        entries.retain(|entry| entry.weight > 0.0);
        entries.sort_by(|a, b| a.value.total_cmp(&b.value).then(a.cluster.cmp(&b.cluster)));
        Ok(Self { entries, clusters: count })
    }

    /// How many clusters there are.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// The quantiles `ps` (in ascending order) of all clusters.
    pub fn quantiles(&self, ps: &[f64]) -> Answer<Vec<f64>> {
        self.resampled(&vec![1; self.clusters], ps)
    }

    /// The quantiles `ps` (in ascending order) with cluster `i` counted `counts[i]` times.
    pub fn resampled(&self, counts: &[u32], ps: &[f64]) -> Answer<Vec<f64>> {
        same_length(counts.len(), self.clusters, "the counts and the clusters")?;
        for &p in ps {
            open_unit(p, "the quantile")?;
        }
        if !ps.is_sorted() {
            return Err(Refusal::NotSorted { what: "the quantiles" });
        }
        let total: f64 = counts.iter().map(|&c| f64::from(c)).sum();
        at_least(usize::from(total > 0.0), 1, "clusters in the resample")?;
        let mut answers = Vec::with_capacity(ps.len());
        let mut sum = 0.0;
        let mut last = f64::NAN;
        for entry in &self.entries {
            let count = counts[entry.cluster];
            if count == 0 {
                continue;
            }
            sum += f64::from(count) * entry.weight;
            last = entry.value;
            while answers.len() < ps.len() && sum >= total * (ps[answers.len()] - ROUNDING) {
                answers.push(last);
            }
            if answers.len() == ps.len() {
                return Ok(answers);
            }
        }
        // Rounding may leave the sum a hair below 1: what is left lies at the largest value.
        answers.resize(ps.len(), finite(last, "the largest value")?);
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::quantile;
    use proptest::prelude::*;

    #[test]
    fn a_talkative_cluster_weighs_no_more_than_a_quiet_one() {
        let talkative = vec![10.0; 1000];
        let quiet = vec![1.0, 2.0];
        let both = Clustered::of_values(&[talkative, quiet]).unwrap();
        assert_eq!(both.quantiles(&[0.25, 0.5, 0.75]).unwrap(), [1.0, 2.0, 10.0]);
        assert_eq!(both.resampled(&[0, 1], &[0.5, 0.9]).unwrap(), [1.0, 2.0]);
        assert_eq!(both.resampled(&[2, 1], &[0.5]).unwrap(), [10.0]);
    }

    #[test]
    fn empty_clusters_and_wrong_counts_are_refused() {
        assert!(matches!(Clustered::of_values(&[]), Err(Refusal::TooFew { .. })));
        assert!(matches!(Clustered::of_values(&[vec![1.0], vec![]]), Err(Refusal::TooFew { .. })));
        assert!(matches!(Clustered::of_values(&[vec![f64::NAN]]), Err(Refusal::NotFinite { .. })));
        let one = Clustered::of_values(&[vec![1.0]]).unwrap();
        assert!(matches!(one.resampled(&[1, 1], &[0.5]), Err(Refusal::LengthMismatch { .. })));
        assert!(matches!(one.resampled(&[0], &[0.5]), Err(Refusal::TooFew { .. })));
        assert!(matches!(one.resampled(&[1], &[0.9, 0.5]), Err(Refusal::NotSorted { .. })));
    }

    proptest! {
        #[test]
        fn clusters_of_one_value_are_plain_values(values in prop::collection::vec(-1e3..1e3, 1..50), p in 0.01..0.99) {
            let clusters: Vec<_> = values.iter().map(|&v| vec![v]).collect();
            let sorted = quantile::sorted(values).unwrap();
            let got = Clustered::of_values(&clusters).unwrap().quantiles(&[p]).unwrap();
            prop_assert_eq!(got, vec![quantile::nearest_rank(&sorted, p).unwrap()]);
        }

        #[test]
        fn the_order_of_the_values_changes_nothing(
            clusters in prop::collection::vec(prop::collection::vec(-1e3..1e3, 1..20), 1..10),
        ) {
            let turned: Vec<Vec<f64>> = clusters.iter().map(|c| c.iter().rev().copied().collect()).collect();
            let ps = [0.1, 0.5, 0.95];
            prop_assert_eq!(
                Clustered::of_values(&clusters).unwrap().quantiles(&ps),
                Clustered::of_values(&turned).unwrap().quantiles(&ps)
            );
        }
    }
}
