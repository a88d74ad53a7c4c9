//! What is a shortfall made of? A mean split over a change within each case and two groupings of the cases.
//!
//! Each part is what would go if cases had the better state of one factor while the others stay: a case's own value at
//! its other time, or the mean of the best group of one grouping within the same group of the other (matched strata). What
//! a factor takes away depends on which went before it, so the parts are averaged over all six orders (Shapley 1953). The
//! parts and the remainder add up to the mean, exactly; the remainder is what no factor explains.
//!
//! The best of several groups looks better than it is. So cases fall into two halves: the group that is best in one half
//! is the yardstick of the other, and the parts are the mean of both. Where a group has no case of the yardstick's group
//! beside it (fewer than [`FEWEST`] in the half), nothing is moved, and its share stays in the remainder.
//!
//! It describes, and does not explain: groups may differ for reasons of their own.

use super::Interval;
use super::bootstrap::{Design, percentile};
use super::refusal::{Answer, Refusal, at_least, finite};
use std::collections::{BTreeMap, BTreeSet};

/// Fewer cases of a half in a stratum are no yardstick.
pub const FEWEST: usize = 5;
/// Within a case, by the first grouping, by the second.
const FACTORS: usize = 3;

/// A case; on all scales, higher is worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Case {
    /// By how much it is short in all.
    pub short: f64,
    /// The value by which groups are compared.
    pub value: f64,
    /// How much worse it is than itself at its other time, where that is known.
    pub within: Option<f64>,
    /// Its groups by the two groupings, where they are known.
    pub groups: [Option<usize>; 2],
    /// Which half it falls into.
    pub half: bool,
}

/// The mean shortfall and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The mean shortfall.
    pub total: (f64, Interval),
    /// By the change within cases, the first and the second grouping; why there is none.
    pub factors: [Answer<(f64, Interval)>; FACTORS],
    /// What none of these explains.
    pub rest: (f64, Interval),
    /// The groups that served as yardsticks, ascending.
    pub yardsticks: [Vec<usize>; 2],
    /// The share of cases that stand beside a yardstick, or belong to it.
    pub matched: [f64; 2],
    /// Cases.
    pub cases: usize,
}

/// A stratum of one half.
type Cell = [Option<usize>; 2];

/// The best group of each grouping, by the half that it is the yardstick of.
type Best = [[Option<usize>; 2]; 2];

/// What is fixed before anything is resampled.
struct Plan<'a> {
    cases: &'a [Case],
    best: Best,
    /// Strata with enough cases, by half.
    large: [BTreeSet<Cell>; 2],
    /// Whether changes within cases are known.
    within: bool,
}

/// Sums over a stratum: cases, values, changes and cases that know one.
#[derive(Clone, Copy, Default)]
struct Sums {
    n: f64,
    value: f64,
    within: f64,
    known: f64,
}

impl Sums {
    fn mean(&self) -> f64 {
        self.value / self.n
    }

    fn change(&self) -> f64 {
        if self.known > 0.0 { self.within / self.known } else { 0.0 }
    }
}

/// Splits the mean; intervals from resampled cases, with the yardsticks chosen anew each time.
pub fn parts(cases: &[Case], replicates: usize, seed: u64, level: f64) -> Answer<Parts> {
    at_least(cases.len(), 4 * FEWEST, "cases")?;
    for case in cases {
        finite(case.short, "a shortfall")?;
        finite(case.value, "a value")?;
        finite(case.within.unwrap_or(0.0), "a change within a case")?;
    }
    let plan = Plan::of(cases);
    let observed = plan.split(&vec![1; cases.len()]);
    let halves: Vec<usize> = cases.iter().map(|case| usize::from(case.half)).collect();
    let drawn = Design::stratified(&halves)?.replicate(replicates, seed, |counts| plan.split(counts));
    let told = |of: &dyn Fn(&Split) -> f64| -> Answer<(f64, Interval)> {
        let all: Vec<f64> = drawn.iter().map(of).collect();
        Ok((finite(of(&observed), "a part")?, percentile(&all, level)?))
    };
    let matched = [0, 1].map(|grouping| plan.matched(grouping));
    let factor = |k: usize| {
        if k == 0 && !plan.within {
            return Err(Refusal::NoEvents { what: "cases seen at another time" });
        }
        if k > 0 && matched[k - 1] <= 0.0 {
            return Err(Refusal::NoEvents { what: "groups side by side in one stratum" });
        }
        told(&|split| split.factors[k])
    };
    let yardsticks = [0, 1].map(|grouping| {
        let both: BTreeSet<usize> = plan.best.iter().filter_map(|best| best[grouping]).collect();
        both.into_iter().collect()
    });
    Ok(Parts {
        total: told(&|split| split.total)?,
        factors: [factor(0), factor(1), factor(2)],
        rest: told(&|split| split.total - split.factors.iter().sum::<f64>())?,
        yardsticks,
        matched,
        cases: cases.len(),
    })
}

struct Split {
    total: f64,
    factors: [f64; FACTORS],
}

impl<'a> Plan<'a> {
    fn of(cases: &'a [Case]) -> Self {
        let whole = vec![1; cases.len()];
        let sums = [false, true].map(|half| sums(cases, &whole, half));
        let large = [0, 1].map(|half| {
            let enough = sums[half].iter().filter(|(_, sums)| sums.n >= FEWEST as f64);
            enough.map(|(cell, _)| *cell).collect()
        });
        let best = yardsticks(&sums);
        let known = cases.iter().filter(|case| case.within.is_some()).count();
        Self { cases, best, large, within: 2 * known >= cases.len() }
    }

    /// Where a stratum is moved to when these groupings have their best group; none of it where there is no yardstick.
    fn target(&self, best: &Best, half: usize, cell: Cell, moved: [bool; 2]) -> Cell {
        let to = |moved: [bool; 2]| -> Option<Cell> {
            let mut target = cell;
            for grouping in 0..2 {
                if moved[grouping] {
                    cell[grouping]?;
                    target[grouping] = Some(best[half][grouping]?);
                }
            }
            (target == cell || self.large[half].contains(&target)).then_some(target)
        };
        let tries = [moved, [moved[0], false], [false, moved[1]]];
        tries.into_iter().find_map(to).unwrap_or(cell)
    }

    /// The share of cases that can be held against the yardstick of a grouping.
    fn matched(&self, grouping: usize) -> f64 {
        let mut moved = [false; 2];
        moved[grouping] = true;
        let (mut beside, mut any) = (0, false);
        for case in self.cases {
            let half = usize::from(case.half);
            let is_best =
                case.groups[grouping].is_some() && case.groups[grouping] == self.best[half][grouping];
            let moves = self.target(&self.best, half, case.groups, moved) != case.groups;
            beside += usize::from(is_best || moves);
            any |= moves;
        }
        if any { beside as f64 / self.cases.len() as f64 } else { 0.0 }
    }

    fn split(&self, counts: &[u32]) -> Split {
        let n: f64 = counts.iter().map(|c| f64::from(*c)).sum();
        let short = self.cases.iter().zip(counts).map(|(case, &c)| f64::from(c) * case.short);
        let mut out = Split { total: short.sum::<f64>() / n, factors: [0.0; FACTORS] };
        let sums = [false, true].map(|half| sums(self.cases, counts, half));
        let best = yardsticks(&sums);
        for (half, sums) in sums.iter().enumerate() {
            let mean = |set: usize| self.mean_with(&best, half, sums, set);
            let means: Vec<f64> = (0..1 << FACTORS).map(mean).collect();
            for (k, factor) in out.factors.iter_mut().enumerate() {
                for set in (0..1_usize << FACTORS).filter(|set| set & (1 << k) == 0) {
                    // Of six orders, those in which just this set went before: 2, 1 or 2.
                    let weight = [2.0, 1.0, 2.0][set.count_ones() as usize] / 6.0;
                    *factor += weight * (means[set] - means[set | 1 << k]) / n;
                }
            }
        }
        out
    }

    /// The sum over a half's cases of what they would have if a set of factors had their better state.
    fn mean_with(&self, best: &Best, half: usize, sums: &BTreeMap<Cell, Sums>, set: usize) -> f64 {
        let moved = [set & 2 != 0, set & 4 != 0];
        let one = |(cell, own): (&Cell, &Sums)| {
            let there = sums.get(&self.target(best, half, *cell, moved)).unwrap_or(own);
            let change = if self.within && set & 1 != 0 { there.change() } else { 0.0 };
            own.n * (there.mean() - change)
        };
        sums.iter().map(one).sum()
    }
}

fn sums(cases: &[Case], counts: &[u32], half: bool) -> BTreeMap<Cell, Sums> {
    let mut sums: BTreeMap<Cell, Sums> = BTreeMap::new();
    for (case, &count) in cases.iter().zip(counts).filter(|(case, count)| case.half == half && **count > 0) {
        let weight = f64::from(count);
        let cell = sums.entry(case.groups).or_default();
        cell.n += weight;
        cell.value += weight * case.value;
        if let Some(within) = case.within {
            cell.within += weight * within;
            cell.known += weight;
        }
    }
    sums
}

/// The yardsticks of each half are chosen on the other one.
fn yardsticks(sums: &[BTreeMap<Cell, Sums>; 2]) -> Best {
    [1, 0].map(|other| [0, 1].map(|grouping| best(&sums[other], grouping)))
}

/// The group that does best beside the others in the same groups of the other grouping.
fn best(sums: &BTreeMap<Cell, Sums>, grouping: usize) -> Option<usize> {
    let large = || sums.iter().filter(|(_, sums)| sums.n >= FEWEST as f64);
    let mut strata: BTreeMap<Option<usize>, Vec<(usize, Sums)>> = BTreeMap::new();
    for (cell, sums) in large() {
        if let Some(group) = cell[grouping] {
            strata.entry(cell[1 - grouping]).or_default().push((group, *sums));
        }
    }
    // By how much a group differs from the mean of its strata: (weighted distance, weight).
    let mut apart: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for groups in strata.values().filter(|groups| groups.len() > 1) {
        let mean = groups.iter().map(|(_, sums)| sums.mean()).sum::<f64>() / groups.len() as f64;
        for (group, sums) in groups {
            let entry = apart.entry(*group).or_default();
            entry.0 += sums.n * (sums.mean() - mean);
            entry.1 += sums.n;
        }
    }
    let distance = |(sum, weight): (f64, f64)| sum / weight;
    apart.into_iter().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1))).map(|(group, _)| group)
}

#[cfg(test)]
mod tests;
