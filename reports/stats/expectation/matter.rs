//! Does a reference level matter at all? The confirmatory test, the placebo, and the look at rows not used.

use super::Judged;
use crate::stats::distribution::chi_squared_tail;
use crate::stats::glm::{Errors, Estimated, Family, Glm};
use crate::stats::refusal::{Answer, Refusal, at_least, same_length};
use crate::stats::rows::Rows;
use crate::stats::spline::Spline;
use crate::stats::stream::{Purpose, Stream};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// How a fixed level is drawn: knots of the curve over the raw value.
const KNOTS: usize = 5;
const FOLDS: usize = 5;

/// The answer of the test with equal weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matters {
    /// Twice the gain in log-likelihood of the shortfall over a curve in the raw value, divided by how many times as large
    /// its slope's variance is as it would be if rows of one line were apart (Rao and Scott, Ann. Stat. 12, 1984).
    pub chi_squared: f64,
    /// Its p-value, with one degree of freedom.
    pub p: f64,
    /// The change of the logit per unit of shortfall, with the curve beside it.
    pub slope: Estimated,
    /// How many rows, and how many of them with the event.
    pub rows: usize,
    /// Rows with the event.
    pub events: usize,
}

fn columns(data: &Judged<'_>, weights: Option<&[f64]>, spline: Option<&Spline>) -> Answer<Rows> {
    let width = spline.map_or(0, Spline::width) + usize::from(weights.is_some()) + data.controls.width();
    let mut rows = Rows::new(width);
    for i in 0..data.values.len() {
        let mut row = Vec::with_capacity(width);
        row.extend(weights.map(|weights| data.shortfall(i, weights).max(0.0)));
        if let Some(spline) = spline {
            row.extend(spline.basis(data.values[i])?);
        }
        row.extend_from_slice(data.controls.row(i));
        rows.push(&row)?;
    }
    Ok(rows)
}

/// Adds the shortfall from the plain mean of the factors to a natural spline of the raw value and the controls, and asks
/// by the likelihood ratio whether it helps. Weights are equal because they must be fixed before looking.
pub fn matters(data: &Judged<'_>, level: f64) -> Answer<Matters> {
    data.check()?;
    let equal = vec![1.0 / data.factors.width() as f64; data.factors.width()];
    let spline = Spline::of_values(data.values, KNOTS)?;
    let without = columns(data, None, Some(&spline))?;
    let with = columns(data, Some(&equal), Some(&spline))?;
    let null = Glm::new(Family::Bernoulli, &without, data.outcome).fit()?;
    let full = Glm::new(Family::Bernoulli, &with, data.outcome).clusters(data.lines).fit()?;
    let slope = full.coefficient(1, Errors::over(data.lines), level)?;
    let apart = full.coefficient(1, Errors::Model, level)?;
    let inflation = (slope.standard_error / apart.standard_error).powi(2).max(1.0);
    let chi_squared = full.likelihood_ratio(&null) / inflation;
    Ok(Matters {
        chi_squared,
        p: chi_squared_tail(chi_squared, 1.0)?,
        slope,
        rows: data.values.len(),
        events: data.outcome.iter().filter(|y| **y > 0.0).count(),
    })
}

/// What comes of swapping references between rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placebo {
    /// The log-likelihood with each row's own reference.
    pub own: f64,
    /// The best with references of others.
    pub best_swapped: f64,
    /// The share of swaps that do at least as well, the observed one counted in: small where the own reference matters.
    pub p: f64,
}

/// Deals the references out anew between lines of one segment, all of a line's to one other, `swaps` times, and refits. A
/// true reference must lose.
pub fn placebo(
    data: &Judged<'_>,
    segments: &[usize],
    weights: &[f64],
    swaps: usize,
    seed: u64,
) -> Answer<Placebo> {
    data.check()?;
    same_length(data.values.len(), segments.len(), "the values and the segments")?;
    same_length(data.factors.width(), weights.len(), "the factors and the weights")?;
    at_least(swaps, 19, "swaps")?;
    let references: Vec<f64> =
        (0..data.values.len()).map(|i| data.values[i] - data.shortfall(i, weights)).collect();
    let fit = |references: &[f64]| -> Answer<f64> {
        let mut rows = Rows::new(2 + data.controls.width());
        for (i, reference) in references.iter().enumerate() {
            let shortfall = data.values[i] - reference;
            let mut row = vec![shortfall.max(0.0), (-shortfall).max(0.0)];
            row.extend_from_slice(data.controls.row(i));
            rows.push(&row)?;
        }
        Ok(Glm::new(Family::Bernoulli, &rows, data.outcome).fit()?.log_likelihood)
    };
    let own = fit(&references)?;
    let mut groups = BTreeMap::<usize, BTreeMap<u64, Vec<usize>>>::new();
    for (i, (&segment, &line)) in segments.iter().zip(data.lines).enumerate() {
        groups.entry(segment).or_default().entry(line).or_default().push(i);
    }
    let swapped: Vec<f64> = (0..swaps)
        .into_par_iter()
        .map(|number| {
            let mut stream = Stream::new(seed, Purpose::Permutation, number as u64);
            let mut dealt = references.clone();
            for group in groups.values() {
                let mut deck: Vec<&Vec<usize>> = group.values().collect();
                stream.shuffle(&mut deck);
                for (rows, others) in group.values().zip(deck) {
                    // A line with more weeks goes through the other's again.
                    let others = others.iter().cycle();
                    rows.iter().zip(others).for_each(|(&i, &other)| dealt[i] = references[other]);
                }
            }
            fit(&dealt)
        })
        .collect::<Answer<_>>()?;
    let hits = swapped.iter().filter(|value| **value >= own).count();
    let best_swapped = swapped.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Ok(Placebo { own, best_swapped, p: (1 + hits) as f64 / (1 + swaps) as f64 })
}

/// How well held-out rows are ranked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// The area under the ROC curve by the shortfall.
    pub by_shortfall: f64,
    /// The same by a spline of the raw value.
    pub by_value: f64,
    /// How much less deviance the shortfall leaves than the spline.
    pub deviance_gain: f64,
}

/// Compares the shortfall under fitted weights with a curve of the raw value, on rows that neither was fitted to. `fit`
/// finds weights on the rows for which it is told to; rows of one line are in one fold.
pub fn held_out(data: &Judged<'_>, fit: impl Fn(&Judged<'_>) -> Answer<Vec<f64>>) -> Answer<HeldOut> {
    data.check()?;
    let fold = |i: usize| (data.lines[i].wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as usize % FOLDS;
    let (mut scores, mut raw, mut outcome) = (Vec::new(), Vec::new(), Vec::new());
    let mut gain = 0.0;
    for left_out in 0..FOLDS {
        let train: Vec<usize> = (0..data.values.len()).filter(|&i| fold(i) != left_out).collect();
        let test: Vec<usize> = (0..data.values.len()).filter(|&i| fold(i) == left_out).collect();
        let picked = Picked::of(data, &train);
        let judged = picked.judged();
        let weights = fit(&judged)?;
        let spline = Spline::of_values(judged.values, KNOTS)?;
        let gap = Glm::new(Family::Bernoulli, &both_sides(&judged, &weights)?, judged.outcome).fit()?;
        let curve =
            Glm::new(Family::Bernoulli, &columns(&judged, None, Some(&spline))?, judged.outcome).fit()?;
        let rest = Picked::of(data, &test);
        let rest = rest.judged();
        let (sides, curves) = (both_sides(&rest, &weights)?, columns(&rest, None, Some(&spline))?);
        for i in 0..rest.values.len() {
            let (a, b) = (gap.linear(sides.row(i))?, curve.linear(curves.row(i))?);
            let deviance =
                |eta: f64| -2.0 * (rest.outcome[i] * eta - eta.max(0.0) - (-eta.abs()).exp().ln_1p());
            gain += deviance(b) - deviance(a);
            scores.push(a);
            raw.push(b);
            outcome.push(rest.outcome[i] > 0.0);
        }
    }
    if outcome.is_empty() {
        return Err(Refusal::TooFew { what: "rows", have: 0, need: 1 });
    }
    Ok(HeldOut {
        by_shortfall: crate::stats::classifier::roc_area(&scores, &outcome)?,
        by_value: crate::stats::classifier::roc_area(&raw, &outcome)?,
        deviance_gain: gain,
    })
}

pub(super) fn both_sides(data: &Judged<'_>, weights: &[f64]) -> Answer<Rows> {
    let mut rows = Rows::new(2 + data.controls.width());
    for i in 0..data.values.len() {
        let shortfall = data.shortfall(i, weights);
        let mut row = vec![shortfall.max(0.0), (-shortfall).max(0.0)];
        row.extend_from_slice(data.controls.row(i));
        rows.push(&row)?;
    }
    Ok(rows)
}

/// Some rows of the data, owned.
pub(super) struct Picked {
    values: Vec<f64>,
    factors: Rows,
    outcome: Vec<f64>,
    controls: Rows,
    lines: Vec<u64>,
}

impl Picked {
    pub(super) fn of(data: &Judged<'_>, rows: &[usize]) -> Self {
        let kept: std::collections::BTreeSet<usize> = rows.iter().copied().collect();
        Self {
            values: rows.iter().map(|&i| data.values[i]).collect(),
            factors: data.factors.filtered(|i| kept.contains(&i)),
            outcome: rows.iter().map(|&i| data.outcome[i]).collect(),
            controls: data.controls.filtered(|i| kept.contains(&i)),
            lines: rows.iter().map(|&i| data.lines[i]).collect(),
        }
    }

    pub(super) fn judged(&self) -> Judged<'_> {
        Judged {
            values: &self.values,
            factors: &self.factors,
            outcome: &self.outcome,
            controls: &self.controls,
            lines: &self.lines,
        }
    }
}
