//! Weights of single segments, drawn towards those of everybody by as much as held-out rows ask for.
//!
//! Slopes and controls are those of everybody; each segment has an intercept and weights of its own, which are pulled to the
//! common ones (a normal prior). The strength of the pull is the one with the least deviance
//! on rows left out, fold by fold. A pull makes the error of a weight smaller on the whole, and that of a small segment that
//! really differs larger: what is known of a weight is therefore told by the segment's own rows, without the pull.

use super::Judged;
use super::matter::Picked;
pub use super::resample::{Known, intervals};
use super::weights::{Fixed, Point, best};
use crate::stats::glm::logistic;
use crate::stats::refusal::{Answer, Refusal, same_length};

/// Strengths that are tried: from hardly any pull to practically none of its own.
const STRENGTHS: [f64; 5] = [1.0, 10.0, 100.0, 1_000.0, 10_000.0];
const FOLDS: u64 = 3;
/// Practically no pull: weights differ by less than this allows.
const NO_PULL: f64 = STRENGTHS[0];

/// The weights of one segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its label.
    pub segment: usize,
    /// One weight per factor.
    pub weights: Vec<f64>,
    /// How many rows.
    pub rows: usize,
    /// How many of them with the event.
    pub events: usize,
    /// The same without the pull.
    pub(super) own: Point,
}

/// The weights of everybody and of each segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segments {
    /// Everybody's.
    pub pooled: Vec<f64>,
    /// Each segment's, in the order of their labels.
    pub segments: Vec<Segment>,
    /// How strongly they are drawn to everybody's.
    pub strength: f64,
    pub(super) all: Point,
}

/// Fits everybody, then each segment; `labels` has an entry per row.
pub fn by_segment(data: &Judged<'_>, labels: &[usize]) -> Answer<Segments> {
    data.check()?;
    same_length(data.values.len(), labels.len(), "the values and the segments")?;
    let all = best(data, &Fixed::default())?;
    let mut groups = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for (i, &label) in labels.iter().enumerate() {
        groups.entry(label).or_default().push(i);
    }
    let fold = |i: usize| (data.lines[i].wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % FOLDS;
    let mut choice = (f64::INFINITY, STRENGTHS[STRENGTHS.len() - 1]);
    for strength in STRENGTHS {
        let mut deviance = 0.0;
        for rows in groups.values() {
            for left_out in 0..FOLDS {
                let train: Vec<usize> = rows.iter().copied().filter(|&i| fold(i) != left_out).collect();
                let test: Vec<usize> = rows.iter().copied().filter(|&i| fold(i) == left_out).collect();
                let point = one(data, &train, &all, strength)?;
                deviance += left(data, &test, &point);
            }
        }
        if deviance < choice.0 {
            choice = (deviance, strength);
        }
    }
    let segments = groups.iter().map(|(&segment, rows)| {
        let point = one(data, rows, &all, choice.1)?;
        let events = rows.iter().filter(|&&i| data.outcome[i] > 0.0).count();
        let own = one(data, rows, &all, NO_PULL)?;
        Ok(Segment { segment, weights: point.weights, rows: rows.len(), events, own })
    });
    let segments = segments.collect::<Answer<_>>()?;
    Ok(Segments { pooled: all.weights.clone(), segments, strength: choice.1, all })
}

/// What a segment takes from everybody where nothing draws its weights to theirs.
pub(super) fn on_its_own(all: &Point) -> Fixed {
    held(all, NO_PULL)
}

/// What a segment takes from everybody: the slopes, and a pull towards the weights.
fn held(all: &Point, strength: f64) -> Fixed {
    Fixed {
        slopes: Some((all.short, all.spare, all.controls.clone())),
        pull: Some((all.weights.clone(), strength)),
    }
}

/// One segment's fit; a segment without both outcomes keeps everybody's weights.
fn one(data: &Judged<'_>, rows: &[usize], all: &Point, strength: f64) -> Answer<Point> {
    let events = rows.iter().filter(|&&i| data.outcome[i] > 0.0).count();
    if events == 0 || events == rows.len() {
        return Ok(all.clone());
    }
    let fixed = held(all, strength);
    let picked = Picked::of(data, rows);
    match best(&picked.judged(), &fixed) {
        Err(Refusal::NotConverged { .. } | Refusal::Separated { .. }) => Ok(all.clone()),
        other => other,
    }
}

fn left(data: &Judged<'_>, rows: &[usize], point: &Point) -> f64 {
    let weights = &point.weights;
    let each = rows.iter().map(|&i| {
        let shortfall = data.shortfall(i, weights);
        let controls = data.controls.row(i).iter().zip(&point.controls).map(|(x, b)| x * b).sum::<f64>();
        let eta = point.intercept
            + point.short * shortfall.max(0.0)
            + point.spare * (-shortfall).max(0.0)
            + controls;
        let p = logistic(eta).clamp(1e-12, 1.0 - 1e-12);
        -2.0 * if data.outcome[i] > 0.0 { p.ln() } else { (1.0 - p).ln() }
    });
    each.sum()
}
