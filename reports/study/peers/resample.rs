//! How far a quantile would move with other lines, and how far apart shuffled operators come.
//!
//! The unit that is drawn is the line, with all its hours: a line's peak and off-peak values stay together, so rows
//! over several parts of the week have honest intervals. Draws depend on the operator and its ground, not on whom it
//! is compared with; shuffles depend on the pair, not on which of the two is the own operator.

use super::mixture::{Mixture, Point, Scratch};
use super::strata::{Group, Part};
use crate::stats::bootstrap::Design;
use crate::stats::{Purpose, Stream};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The quantiles of one operator's lines on one ground, by part of the week.
#[derive(Debug)]
pub(super) struct Resampled {
    /// Lines on this ground.
    pub(super) lines: usize,
    pub(super) parts: BTreeMap<Part, ResampledPart>,
}

/// The quantiles in one part of the week; the outer index is the quantile's.
#[derive(Debug)]
pub(super) struct ResampledPart {
    pub(super) lines: usize,
    pub(super) observations: u64,
    pub(super) observed: Vec<f64>,
    /// Independent observations that each quantile stands on.
    pub(super) effective: Vec<f64>,
    /// NaN where a resample held no line with data.
    pub(super) replicates: Vec<Vec<f64>>,
    /// By line of the ground left out.
    pub(super) jackknife: Vec<Vec<f64>>,
}

/// A mixture over some lines of a ground.
struct Member {
    mixture: Mixture,
    /// Place of each line of the mixture among the lines of the ground.
    places: Vec<usize>,
}

impl Member {
    fn of<'a>(lines: impl Iterator<Item = (f64, Option<&'a [Point]>)>) -> Self {
        let mut places = Vec::new();
        let mut members = Vec::new();
        for (place, (weight, points)) in lines.enumerate() {
            if let Some(points) = points {
                places.push(place);
                members.push((points, weight));
            }
        }
        let heaviest = members.iter().map(|m| m.1).fold(f64::MIN_POSITIVE, f64::max);
        for member in &mut members {
            member.1 /= heaviest;
        }
        Self { mixture: Mixture::new(&members), places }
    }

    fn quantiles(&self, counts: &[u32], ps: &[f64], scratch: &mut (Vec<u32>, Scratch), out: &mut [f64]) {
        scratch.0.clear();
        scratch.0.extend(self.places.iter().map(|&p| counts[p]));
        self.mixture.quantiles(&scratch.0, ps, &mut scratch.1, out);
    }
}

fn member(group: &Group, part: Part) -> Member {
    Member::of(group.iter().map(|line| (line.weight, line.points(part))))
}

/// Resamples the lines of one operator on one ground. Parts with fewer lines than `minimum` are left out.
pub(super) fn resample(
    group: &Group,
    ps: &[f64],
    replicates: usize,
    minimum: usize,
    seed: u64,
) -> Option<Resampled> {
    let mut lines = BTreeMap::<Part, usize>::new();
    for (part, _) in group.iter().flat_map(|line| &line.parts) {
        *lines.entry(*part).or_default() += 1;
    }
    let parts: Vec<(Part, Member)> =
        lines.iter().filter(|(_, n)| **n >= minimum).map(|(&part, _)| (part, member(group, part))).collect();
    let design = Design::simple(group.len()).ok()?;
    let width = ps.len();
    let all = |counts: &[u32]| {
        let mut scratch = (Vec::new(), Scratch::default());
        let mut out = vec![0.0; parts.len() * width];
        for ((_, member), out) in parts.iter().zip(out.chunks_mut(width)) {
            member.quantiles(counts, ps, &mut scratch, out);
        }
        out
    };
    let observed = all(&vec![1; group.len()]);
    let drawn = design.replicate(replicates, seed, all);
    let left_out = design.jackknife(all);
    let column = |rows: &[Vec<f64>], at: usize| rows.iter().map(|row| row[at]).collect::<Vec<f64>>();
    let parts = parts
        .iter()
        .enumerate()
        .map(|(place, (part, member))| {
            let columns = place * width..(place + 1) * width;
            let result = ResampledPart {
                lines: member.mixture.lines(),
                observations: member.mixture.observations(),
                observed: observed[columns.clone()].to_vec(),
                effective: ps.iter().map(|&p| member.mixture.effective(p)).collect(),
                replicates: columns.clone().map(|c| column(&drawn, c)).collect(),
                jackknife: columns.map(|c| column(&left_out, c)).collect(),
            };
            (*part, result)
        })
        .collect();
    Some(Resampled { lines: group.len(), parts })
}

/// Shuffles of the operator over the lines of one ground: differences by part and quantile.
pub(super) struct Shuffler {
    parts: Vec<(Part, Member)>,
    /// Whether a line is the first operator's.
    first: Vec<bool>,
    seed: u64,
}

impl Shuffler {
    /// For the parts in which both sides are observed.
    pub(super) fn new(a: &Group, b: &Group, parts: impl Iterator<Item = Part>, seed: u64) -> Self {
        let parts = parts
            .map(|part| (part, Member::of(a.iter().chain(b).map(|line| (line.weight, line.points(part))))))
            .collect();
        let first = (0..a.len() + b.len()).map(|i| i < a.len()).collect();
        Self { parts, first, seed }
    }

    /// The parts, in the order of the answers' columns.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part> {
        self.parts.iter().map(|(part, _)| *part)
    }

    /// The differences of shuffles `from` to `to`: parts by quantiles in each row, NaN where a side had no line left.
    pub(super) fn shuffle(&self, ps: &[f64], from: usize, to: usize) -> Vec<Vec<f64>> {
        (from..to)
            .into_par_iter()
            .map_init(
                || (self.first.clone(), vec![0_u32; self.first.len()], (Vec::new(), Scratch::default())),
                |(deck, counts, scratch), number| {
                    deck.copy_from_slice(&self.first);
                    Stream::new(self.seed, Purpose::Permutation, number as u64).shuffle(deck);
                    let mut out = vec![0.0; self.parts.len() * ps.len()];
                    let mut other = vec![0.0; ps.len()];
                    for ((_, member), out) in self.parts.iter().zip(out.chunks_mut(ps.len())) {
                        for (count, side) in counts.iter_mut().zip(deck.iter()) {
                            *count = u32::from(*side);
                        }
                        member.quantiles(counts, ps, scratch, out);
                        for count in counts.iter_mut() {
                            *count = 1 - *count;
                        }
                        member.quantiles(counts, ps, scratch, &mut other);
                        for (a, b) in out.iter_mut().zip(&other) {
                            *a -= b;
                        }
                    }
                    out
                },
            )
            .collect()
    }
}
