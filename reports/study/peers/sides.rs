//! What is known of each side of a pair, by ground: its resamples, whether they are enough for a quantile, and how many
//! lines and observations stand behind a row.

use super::draws::{Cell, Draws};
use super::query::Query;
use super::resample::{Resampled, ResampledPart};
use crate::stats::quantile::smallest_n;
use crate::study::{Answer, Declined, Words};
use broadgauge_model::text::Phrase;
use std::collections::BTreeMap;

pub(super) type Counts = (usize, u64);
pub(super) type Sides<'a> = (Vec<Option<&'a Resampled>>, Vec<Option<&'a Resampled>>);

/// The points of the shift function.
pub(super) const DECILES: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// The quantiles asked for, then the deciles that are not among them.
pub(super) fn with_deciles(quantiles: &[f64]) -> Vec<f64> {
    let more = DECILES.into_iter().filter(|d| !quantiles.contains(d));
    quantiles.iter().copied().chain(more).collect()
}

/// An answer of the exchanged pair.
pub(super) fn turned(answer: Answer, as_is: bool) -> Answer {
    match answer {
        Answer::Estimate(e) if !as_is => {
            let (low, high) = e.interval();
            Answer::estimate(-e.value(), (-high, -low), e.n())
        }
        other => other,
    }
}

/// One side's resamples, or what they lack.
pub(super) fn enough(
    query: &Query,
    resampled: &[Option<&Resampled>],
    cells: &[Cell],
    q: usize,
) -> Result<Draws, Declined> {
    let draws = Draws::of(resampled, cells, q).ok_or_else(|| few_lines(query))?;
    let p = with_deciles(&query.quantiles)[q];
    let need = smallest_n(p, 0.95)?;
    let have = effective(resampled, cells, q);
    if have + 1e-6 < need as f64 {
        let phrase = Phrase {
            en: "quantile {p} needs {need} independent observations, and one side has about {have}",
            zh: "分位数 {p} 需要 {need} 个独立观测，一方只有约 {have} 个",
        };
        let have = (have + 1e-6).floor();
        return Err(Declined::because(Words::with(phrase, &[("p", &p), ("need", &need), ("have", &have)])));
    }
    Ok(draws)
}

/// Independent observations behind a row: summed over grounds, not over the parts of the week of the same lines.
fn effective(resampled: &[Option<&Resampled>], cells: &[Cell], q: usize) -> f64 {
    by_ground(resampled, cells).values().map(|p| p.iter().map(|p| p.effective[q]).fold(0.0, f64::max)).sum()
}

pub(super) fn tally(resampled: &[Option<&Resampled>], cells: &[Cell]) -> Counts {
    let grounds = by_ground(resampled, cells);
    let lines = grounds.values().map(|p| p.iter().map(|p| p.lines).max().unwrap_or(0)).sum();
    (lines, grounds.values().flatten().map(|p| p.observations).sum())
}

fn by_ground<'a>(
    resampled: &[Option<&'a Resampled>],
    cells: &[Cell],
) -> BTreeMap<usize, Vec<&'a ResampledPart>> {
    let mut out: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    for cell in cells {
        if let Some(part) = resampled[cell.ground].and_then(|r| r.parts.get(&cell.part)) {
            out.entry(cell.ground).or_default().push(part);
        }
    }
    out
}

pub(super) fn few_lines(query: &Query) -> Declined {
    let phrase = Phrase { en: "fewer than {n} lines on one side", zh: "一方线路不足 {n} 条" };
    Declined::because(Words::with(phrase, &[("n", &query.minimum_lines)]))
}
