//! Could the difference between two sides be chance? Labels are shuffled over clusters.
//!
//! If the side made no difference, every assignment of the labels to the clusters (within a stratum) would have been
//! as likely as the one observed. The share of shuffles at least as extreme is the p-value; the observed assignment
//! counts as one of them, p = (1 + hits) / (1 + B), so p is never 0 and the test keeps its level (Davison and Hinkley
//! 1997, 4.2; Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010).
//!
//! It tests the equality of the two distributions, not of one quantile only: with very different spreads and very
//! different numbers of clusters it may reject although the tested quantile is the same.

use super::refusal::{Answer, at_least, finite, same_length};
use super::stream::{Purpose, Stream};
use rayon::prelude::*;

/// Two statistics closer than this, relative to their size, are the same.
const ROUNDING: f64 = 1e-12;

/// What came of a permutation test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Permuted {
    /// The statistic under the labels as observed.
    pub observed: f64,
    /// How many shuffles were at least as far from 0.
    pub hits: usize,
    /// How many shuffles were made.
    pub replicates: usize,
    /// The two-sided p-value, (1 + hits) / (1 + replicates).
    pub p: f64,
}

/// Shuffles `sides` over the clusters, within `strata`, and compares |statistic| with the observed one.
///
/// `sides[i]` says on which side cluster `i` is, `strata[i]` in which stratum; the statistic is given a vector of
/// sides and is a difference that is 0 where the sides are equal.
pub fn permute_labels<F>(
    sides: &[bool],
    strata: &[usize],
    replicates: usize,
    seed: u64,
    statistic: F,
) -> Answer<Permuted>
where
    F: Fn(&[bool]) -> Answer<f64> + Sync,
{
    same_length(sides.len(), strata.len(), "the sides and the strata")?;
    let own = sides.iter().filter(|&&side| side).count();
    at_least(own.min(sides.len() - own), 1, "clusters on the smaller side")?;
    at_least(replicates, 19, "shuffles")?;
    let mut groups = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for (cluster, &stratum) in strata.iter().enumerate() {
        groups.entry(stratum).or_default().push(cluster);
    }
    let groups: Vec<_> = groups.into_values().collect();
    let observed = finite(statistic(sides)?, "the observed statistic")?;
    let bar = observed.abs() * (1.0 - ROUNDING);
    let hits = (0..replicates)
        .into_par_iter()
        .map_init(
            || (sides.to_vec(), Vec::with_capacity(sides.len())),
            |(shuffled, deck), number| {
                let mut stream = Stream::new(seed, Purpose::Permutation, number as u64);
                for group in &groups {
                    deck.clear();
                    deck.extend(group.iter().map(|&cluster| sides[cluster]));
                    stream.shuffle(deck);
                    for (&cluster, &side) in group.iter().zip(deck.iter()) {
                        shuffled[cluster] = side;
                    }
                }
                let value = finite(statistic(shuffled)?, "the statistic of a shuffle")?;
                Ok(usize::from(value.abs() >= bar))
            },
        )
        .try_reduce(|| 0, |a, b| Ok(a + b))?;
    Ok(Permuted { observed, hits, replicates, p: (1 + hits) as f64 / (1 + replicates) as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Refusal;

    const VALUES: [f64; 17] = [
        12.0, 15.0, 14.0, 10.0, 18.0, 20.0, 15.0, 13.0, 16.0, 19.0, 22.0, 15.0, 25.0, 21.0, 18.0, 30.0, 17.0,
    ];

    fn gap(values: &[f64], sides: &[bool]) -> f64 {
        let mean = |side| {
            let part: Vec<f64> =
                values.iter().zip(sides).filter(|(_, s)| **s == side).map(|(v, _)| *v).collect();
            part.iter().sum::<f64>() / part.len() as f64
        };
        mean(true) - mean(false)
    }

    // Oracle: all 24310 assignments counted with Python's itertools: 251 at least as extreme.
    #[test]
    fn many_shuffles_approach_the_count_of_all_assignments() {
        let sides: Vec<bool> = (0..17).map(|i| i < 8).collect();
        let test = permute_labels(&sides, &[0; 17], 20_000, 5, |s| Ok(gap(&VALUES, s))).unwrap();
        // Four Monte-Carlo standard errors.
        assert!((test.p - EXACT).abs() < 4.0 * (EXACT / 20_000.0_f64).sqrt(), "{test:?}");
    }
    const EXACT: f64 = 251.0 / 24_310.0;

    #[test]
    fn the_number_of_threads_changes_nothing_and_p_is_never_zero() {
        let sides: Vec<bool> = (0..17).map(|i| i < 8).collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| permute_labels(&sides, &[0; 17], 999, 5, |s| Ok(gap(&VALUES, s))).unwrap())
        };
        assert_eq!(run(1), run(6));
        let apart: Vec<f64> = (0..40).map(|i| if i < 20 { 0.0 } else { 100.0 } + f64::from(i)).collect();
        let sides: Vec<bool> = (0..40).map(|i| i < 20).collect();
        let test = permute_labels(&sides, &[0; 40], 999, 5, |s| Ok(gap(&apart, s))).unwrap();
        assert_eq!((test.hits, test.p), (0, 0.001));
    }

    #[test]
    fn labels_stay_within_their_stratum() {
        let sides = [true, false, true, false, false, false];
        let strata = [0, 0, 1, 1, 1, 2];
        permute_labels(&sides, &strata, 100, 1, |s| {
            assert_eq!((s[0] ^ s[1], s[2..5].iter().filter(|x| **x).count(), s[5]), (true, 1, false));
            Ok(0.0)
        })
        .unwrap();
    }

    #[test]
    fn one_side_alone_is_refused() {
        let none = permute_labels(&[true, true], &[0, 0], 99, 1, |_| Ok(0.0));
        assert_eq!(none, Err(Refusal::TooFew { what: "clusters on the smaller side", have: 0, need: 1 }));
        let nan = permute_labels(&[true, false], &[0, 0], 99, 1, |_| Ok(f64::NAN));
        assert!(matches!(nan, Err(Refusal::NotFinite { .. })));
    }
}
