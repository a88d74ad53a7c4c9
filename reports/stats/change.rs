//! When did a series change, and is it more than chance?
//!
//! E-divisive (Matteson and James, J. Am. Stat. Assoc. 109, 2014): the energy distance between what lies before and
//! after a split, with exponent 1, is maximised over all splits, and each side is searched again while a split is
//! found. A change point is the first index of the new regime.
//!
//! A test of the chosen split as if it had been named beforehand is wrong (it finds a change in one of twelve series
//! of pure noise), and so is a plain shuffle where neighbours resemble each other. Here whole blocks, seven days where
//! the points are days, are shuffled, cut at another place each time, and the maximum is taken anew each time: the
//! p-value is of the maximum, and the dependence inside a block stays. Where a stretch is long enough, blocks are ten
//! days: with an autocorrelation of .5 from day to day 5% of quiet series pass at 5% (2,000 series); shorter blocks let
//! more through, longer ones find less.
//!
//! A rise that is taken back later is harder to find than a step that stays: the first split has to stand on its own.
//! It cannot tell a lasting change from an outage longer than the shortest regime, nor why anything changed; with
//! dependence that outlasts a block (slow drift) it finds too much.

use super::refusal::{Answer, Refusal, all_finite, at_least, open_unit};
use super::stream::{Purpose, Stream};
use rayon::prelude::*;
use std::ops::Range;

/// Below this many blocks a shuffle has too few ways to go.
pub const FEWEST_BLOCKS: usize = 5;

/// How to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Points in one block of the shuffle.
    pub block: usize,
    /// Points in one block where the stretch holds [`FEWEST_BLOCKS`] of these.
    pub long_block: usize,
    /// The shortest regime, in points: what lasts less is no change.
    pub least: usize,
    /// How many shuffles.
    pub shuffles: usize,
    /// A split with a p-value above this ends the search on its stretch.
    pub level: f64,
}

impl Search {
    /// For daily points: blocks of ten days, or else a week, regimes of a week, 999 shuffles, 5%.
    pub const DAILY: Self = Self { block: 7, long_block: 10, least: 7, shuffles: 999, level: 0.05 };

    /// Points in one block of a stretch of `points`.
    fn block_of(&self, points: usize) -> usize {
        if points >= FEWEST_BLOCKS * self.long_block { self.long_block } else { self.block }
    }
}

/// The best split of a stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// First index of the later part.
    pub index: usize,
    /// The scaled energy distance between both parts.
    pub energy: f64,
}

/// A change that is more than chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// First index of the new regime.
    pub index: usize,
    /// The scaled energy distance within the stretch that was split.
    pub energy: f64,
    /// The probability of a best split at least as good, if blocks came in any order.
    pub p: f64,
}

/// The best split with at least `least` points on either side (two or more).
pub fn best_split(values: &[f64], least: usize) -> Answer<Split> {
    all_finite(values, "a value")?;
    let least = least.max(2);
    at_least(values.len(), 2 * least, "points")?;
    Ok(best(values, &sums(values), least))
}

/// All change points, in order. Refused below [`FEWEST_BLOCKS`] blocks or twice the shortest regime, and where nothing
/// varies.
pub fn change_points(values: &[f64], search: &Search, seed: u64) -> Answer<Vec<ChangePoint>> {
    all_finite(values, "a value")?;
    open_unit(search.level, "the level")?;
    at_least(search.shuffles, 19, "shuffles")?;
    at_least(search.block.min(search.long_block), 1, "points in a block")?;
    at_least(values.len(), shortest(search), "points")?;
    if values.iter().all(|v| *v == values[0]) {
        return Err(Refusal::NoVariation { what: "the points" });
    }
    let mut found = Vec::new();
    let mut open = vec![(0, values.len())];
    while let Some((from, to)) = open.pop() {
        if to - from < shortest(search) {
            continue;
        }
        let point = tested(&values[from..to], search, seed ^ ((from as u64) << 32 | to as u64));
        if point.p <= search.level {
            let at = from + point.index;
            found.push(ChangePoint { index: at, ..point });
            open.extend([(from, at), (at, to)]);
        }
    }
    found.sort_by_key(|point| point.index);
    Ok(found)
}

/// The shortest stretch that is searched.
fn shortest(search: &Search) -> usize {
    (2 * search.least.max(2)).max(FEWEST_BLOCKS * search.block)
}

/// The best split of a stretch with its p-value.
fn tested(values: &[f64], search: &Search, seed: u64) -> ChangePoint {
    let least = search.least.max(2);
    let sums = sums(values);
    let Split { index, energy } = best(values, &sums, least);
    let bar = energy - 1e-12 * energy.abs();
    let block = search.block_of(values.len());
    let hits: usize = (0..search.shuffles)
        .into_par_iter()
        .map_init(
            || (Vec::new(), Vec::with_capacity(values.len()), Vec::with_capacity(values.len())),
            |(deck, shuffled, shuffled_sums), number| {
                let mut stream = Stream::new(seed, Purpose::Permutation, number as u64);
                cut(values.len(), block, stream.below(block), deck);
                stream.shuffle(deck);
                shuffled.clear();
                shuffled_sums.clear();
                for block in deck.iter() {
                    shuffled.extend_from_slice(&values[block.clone()]);
                    shuffled_sums.extend_from_slice(&sums[block.clone()]);
                }
                usize::from(best(shuffled, shuffled_sums, least).energy >= bar)
            },
        )
        .sum();
    ChangePoint { index, energy, p: (1 + hits) as f64 / (1 + search.shuffles) as f64 }
}

/// Cuts points into blocks, the first of them as short as `first` where that is not 0. Each shuffle is cut elsewhere:
/// with the same edges always, a step of any size on one of them comes back whole in too many of few orders.
fn cut(points: usize, block: usize, first: usize, deck: &mut Vec<Range<usize>>) {
    deck.clear();
    let starts = (first..points).step_by(block).map(|start| start..(start + block).min(points));
    deck.extend((first > 0).then_some(0..first.min(points)).into_iter().chain(starts));
}

/// The sum of each point's distances to all others: the same in every order.
fn sums(values: &[f64]) -> Vec<f64> {
    values.iter().map(|x| values.iter().map(|y| (x - y).abs()).sum()).collect()
}

/// The best split; `sums` as from [`sums`].
fn best(values: &[f64], sums: &[f64], least: usize) -> Split {
    let n = values.len();
    let total = sums.iter().sum::<f64>() / 2.0;
    // Distances within the points so far, and within those to come.
    let (mut before, mut after) = (0.0, total);
    let mut split = Split { index: least, energy: f64::NEG_INFINITY };
    for (k, (&value, &sum)) in values.iter().zip(sums).enumerate() {
        let back: f64 = values[..k].iter().map(|x| (x - value).abs()).sum();
        before += back;
        after -= sum - back;
        let (left, right) = (k + 1, n - k - 1);
        if left < least || right < least {
            continue;
        }
        let (l, r) = (left as f64, right as f64);
        let between = 2.0 * (total - before - after) / (l * r);
        let within = 2.0 * before / (l * (l - 1.0)) + 2.0 * after / (r * (r - 1.0));
        let energy = l * r / (l + r) * (between - within);
        if energy > split.energy {
            split = Split { index: left, energy };
        }
    }
    split
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example in the documentation of Apache Otava.
    const STEP: [f64; 20] = [
        1.02, 0.95, 0.99, 1.0, 1.12, 1.0, 1.01, 0.98, 1.01, 0.96, 0.5, 0.51, 0.48, 0.48, 0.55, 0.5, 0.49,
        0.51, 0.5, 0.49,
    ];

    // Oracle: apache-otava 0.8.0, PairDistanceCalculator(series).get_candidate_change_point(slice(0, 20)).
    #[test]
    fn the_best_split_is_otavas() {
        let split = best_split(&STEP, 2).unwrap();
        assert_eq!(split.index, 10);
        assert!((split.energy - 4.682_222_222_222_222).abs() < 1e-9, "{}", split.energy);
        // Oracle: numpy 2.4.6, the definition written out for a split at 5.
        let at_five = {
            let (a, b) = STEP.split_at(5);
            let pairs = |x: &[f64], y: &[f64]| -> f64 {
                x.iter().flat_map(|p| y.iter().map(move |q| (p - q).abs())).sum()
            };
            75.0 / 20.0 * (2.0 * pairs(a, b) / 75.0 - pairs(a, a) / 20.0 - pairs(b, b) / 210.0)
        };
        assert!((at_five - 1.492_785_714_285_714_4).abs() < 1e-9);
    }

    #[test]
    fn the_change_is_the_first_index_of_the_new_regime() {
        let search = Search { block: 1, long_block: 1, least: 2, shuffles: 999, level: 0.05 };
        let found = change_points(&STEP, &search, 1).unwrap();
        assert_eq!(found.iter().map(|p| p.index).collect::<Vec<_>>(), [10]);
        assert_eq!(found[0].p, 0.001);
    }

    #[test]
    fn two_steps_are_both_found_in_order() {
        let ripple = |i: usize| ((i * 7919) % 13) as f64 / 13.0;
        let stair = |i: usize| [0.0, 4.0, 8.0][usize::from(i >= 42) + usize::from(i >= 91)];
        let values: Vec<f64> = (0..140).map(|i| ripple(i) + stair(i)).collect();
        let found = change_points(&values, &Search::DAILY, 1).unwrap();
        assert_eq!(found.iter().map(|p| p.index).collect::<Vec<_>>(), [42, 91]);
    }

    #[test]
    fn a_large_step_is_found_wherever_it_is() {
        let ripple = |i: usize| ((i * 7919) % 13) as f64 / 13.0;
        for points in [42, 70] {
            for at in 14..=points - 14 {
                let step = |i: usize| ripple(i) + if i < at { 0.0 } else { 50.0 };
                let values: Vec<f64> = (0..points).map(step).collect();
                let found = change_points(&values, &Search::DAILY, 1).unwrap();
                assert!(found.iter().any(|p| p.index == at), "{points} points, step at {at}: {found:?}");
            }
        }
    }

    #[test]
    fn neither_the_threads_nor_another_run_change_a_p_value() {
        let values: Vec<f64> =
            (0..80).map(|i| f64::from((i * 7919) % 101) + f64::from(u8::from(i > 50)) * 30.0).collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| change_points(&values, &Search { level: 0.9, ..Search::DAILY }, 4).unwrap())
        };
        assert_eq!(run(1), run(7));
    }

    #[test]
    fn too_short_or_flat_series_are_refused() {
        let few = change_points(&[1.0; 34], &Search::DAILY, 1);
        assert_eq!(few, Err(Refusal::TooFew { what: "points", have: 34, need: 35 }));
        assert!(matches!(change_points(&[1.0; 50], &Search::DAILY, 1), Err(Refusal::NoVariation { .. })));
        assert!(matches!(change_points(&[f64::NAN; 50], &Search::DAILY, 1), Err(Refusal::NotFinite { .. })));
        assert!(matches!(best_split(&[1.0, 2.0, 3.0], 2), Err(Refusal::TooFew { .. })));
    }

    proptest! {
        #[test]
        fn the_fast_sums_are_the_definition(values in prop::collection::vec(-9.0_f64..9.0, 4..30)) {
            let pairs = |x: &[f64], y: &[f64]| -> f64 {
                x.iter().flat_map(|p| y.iter().map(move |q| (p - q).abs())).sum()
            };
            let energy = |s: usize| {
                let (a, b) = values.split_at(s);
                let (m, n) = (a.len() as f64, b.len() as f64);
                m * n / (m + n)
                    * (2.0 / (m * n) * pairs(a, b) - pairs(a, a) / (m * (m - 1.0)) - pairs(b, b) / (n * (n - 1.0)))
            };
            let most = (2..=values.len() - 2).map(energy).fold(f64::NEG_INFINITY, f64::max);
            let split = best_split(&values, 2).unwrap();
            prop_assert!((split.energy - most).abs() < 1e-9);
            prop_assert!((energy(split.index) - most).abs() < 1e-9);
        }

        #[test]
        fn unit_and_origin_move_no_change_point(values in prop::collection::vec(0.0_f64..9.0, 35..60)) {
            let search = Search { shuffles: 99, level: 0.5, ..Search::DAILY };
            let moved: Vec<f64> = values.iter().map(|v| v * 1024.0).collect();
            let places = |v: &[f64]| change_points(v, &search, 1).unwrap().iter().map(|p| p.index).collect::<Vec<_>>();
            prop_assert_eq!(places(&values), places(&moved));
        }
    }
}
