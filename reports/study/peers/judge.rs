//! All comparisons of a report as one family: p-values by shuffling, q-values, verdicts.
//!
//! A p-value from B shuffles is no smaller than 1 / (B + 1), so one find among many rows needs more shuffles than one
//! row alone. Pairs in which some row is rarely reached get more, as many as the family asks for.

use super::clock;
use super::combine::{Pending, Resamples, compare};
use super::one_sided;
use super::query::{Adjustment, Query};
use super::resample::Shuffler;
use super::row::{Curve, Paired, Row, Verdict};
use super::strata::{Part, Strata};
use super::verdict::{LEVEL, verdict};
use crate::stats::multiple::{Adjustment as By, adjust};
use crate::study::Note;
use std::collections::BTreeSet;

/// Shuffles beyond this many are not made, whatever the size of the family.
const MOST_SHUFFLES: usize = 20_000;
/// A row with fewer hits than this gets more shuffles.
const FEW_HITS: u64 = 10;
/// Two differences closer than this, relative to their size, are the same.
const ROUNDING: f64 = 1e-12;

/// What was compared, with p, q and verdict.
pub(super) struct Judged {
    pub(super) rows: Vec<Row>,
    pub(super) curves: Vec<Curve>,
    pub(super) paired: Vec<Paired>,
}

/// All rows, with p, q and verdict.
pub(super) fn rows(
    strata: &Strata,
    query: &Query,
    peers: &BTreeSet<&str>,
    mut paired: Vec<Paired>,
    notes: &mut Vec<Note>,
) -> Judged {
    let mut pending = Vec::new();
    let mut curves = Vec::new();
    let mut pairs = Vec::new();
    for (series, matched) in &strata.series {
        let resampled = Resamples::of(series, matched, query);
        for peer in peers {
            pairs.push(compare(
                strata,
                (series, matched),
                &resampled,
                query,
                peer,
                pairs.len(),
                (&mut pending, &mut curves),
            ));
        }
    }
    one_sided::note(strata, &query.own, peers, notes);
    let enough = |p: &&Pending| {
        p.cells.len() == 1 && p.quantile == 0 && p.row.own.lines.min(p.row.peer.lines) >= query.minimum_lines
    };
    let strata = pending.iter().filter(enough);
    clock::note(strata.filter_map(|p| p.row.hours_apart), notes);
    p_values(&mut pending, &pairs, query);
    let mut rows: Vec<Row> = pending.into_iter().map(|p| p.row).collect();
    judge(&mut rows, &mut paired, query.adjustment);
    Judged { rows, curves, paired }
}

/// Fills in p for every row that has a difference.
fn p_values(pending: &mut [Pending], pairs: &[Vec<Option<Shuffler>>], query: &Query) {
    let family = pending.iter().filter(|p| p.observed.is_some()).count();
    let more = (2.0 * family as f64 / LEVEL) as usize;
    let more = more.clamp(query.replicates, MOST_SHUFFLES.max(query.replicates));
    for (number, shufflers) in pairs.iter().enumerate() {
        let mut rows: Vec<&mut Pending> =
            pending.iter_mut().filter(|p| p.pair == number && p.observed.is_some()).collect();
        if rows.is_empty() {
            continue;
        }
        let mut hits = hits(&rows, shufflers, query, 0, query.replicates);
        let mut made = query.replicates;
        if more > made && hits.iter().any(|h| *h < FEW_HITS) {
            for (hits, extra) in hits.iter_mut().zip(self::hits(&rows, shufflers, query, made, more)) {
                *hits += extra;
            }
            made = more;
        }
        for (row, hits) in rows.iter_mut().zip(hits) {
            row.row.p = Some((1 + hits) as f64 / (1 + made) as f64);
        }
    }
}

/// The differences of the shuffles on one ground.
struct Shuffled {
    parts: Vec<Part>,
    rows: Vec<Vec<f64>>,
}

/// How many shuffles of `from..to` are at least as far from 0 as what was observed, by row.
fn hits(
    rows: &[&mut Pending],
    shufflers: &[Option<Shuffler>],
    query: &Query,
    from: usize,
    to: usize,
) -> Vec<u64> {
    let width = query.quantiles.len();
    let shuffled: Vec<Option<Shuffled>> = shufflers
        .iter()
        .map(|s| {
            let s = s.as_ref()?;
            Some(Shuffled { parts: s.parts().collect(), rows: s.shuffle(&query.quantiles, from, to) })
        })
        .collect();
    rows.iter()
        .map(|row| {
            let bar = row.observed.unwrap_or(0.0).abs() * (1.0 - ROUNDING);
            let columns: Vec<(&Vec<Vec<f64>>, usize, f64)> = row
                .cells
                .iter()
                .filter_map(|cell| {
                    let table = shuffled[cell.ground].as_ref()?;
                    let part = table.parts.iter().position(|p| *p == cell.part)?;
                    Some((&table.rows, part * width + row.quantile, cell.weight))
                })
                .collect();
            let reached = |number: &usize| {
                let sum: f64 = columns.iter().map(|(table, at, weight)| weight * table[*number][*at]).sum();
                // A shuffle that leaves one side without a line speaks for chance.
                sum.is_nan() || sum.abs() >= bar
            };
            (0..to - from).filter(reached).count() as u64
        })
        .collect()
}

/// q-values of both families, and the findings.
fn judge(rows: &mut [Row], paired: &mut [Paired], by: Adjustment) {
    let by = match by {
        Adjustment::Bh => By::BenjaminiHochberg,
        Adjustment::By => By::BenjaminiYekutieli,
    };
    let p: Vec<f64> = rows.iter().filter_map(|r| r.p).chain(paired.iter().filter_map(|r| r.p)).collect();
    let tests = rows.iter().map(|r| r.equivalence).chain(paired.iter().map(|r| r.equivalence));
    let equivalent: Vec<f64> = tests.filter_map(|e| e.map(|e| e.p)).collect();
    let mut q = adjust(&p, by).unwrap_or_default().into_iter();
    let mut equivalent_q = adjust(&equivalent, by).unwrap_or_default().into_iter();
    for row in rows {
        row.q = row.p.and_then(|_| q.next());
        if let Some(equivalence) = &mut row.equivalence {
            equivalence.q = equivalent_q.next();
        }
        let margin = row.margin_absolute.unwrap_or(0.0);
        row.verdict = verdict(&row.difference, row.q, row.equivalence.as_ref(), margin, row.metric.better);
        if row.verdict != Verdict::CannotTell {
            row.detectable_difference = None;
        }
    }
    for row in paired {
        row.q = row.p.and_then(|_| q.next());
        if let Some(equivalence) = &mut row.equivalence {
            equivalence.q = equivalent_q.next();
        }
        let margin = row.margin_absolute.unwrap_or(0.0);
        row.verdict = verdict(&row.difference, row.q, row.equivalence.as_ref(), margin, row.metric.better);
        if row.verdict != Verdict::CannotTell {
            row.detectable_difference = None;
        }
    }
}
