//! What the search for weights needs of the answers: correlations, in one pass.

use super::model::Model;
use crate::stats::refusal::{Answer, Refusal, finite};
use crate::stats::rows::Rows;
use nalgebra::DMatrix;

/// Correlations of the model's items, with their means and standard deviations (over n).
#[derive(Clone, Debug)]
pub(super) struct Moments {
    /// In the order of the blocks and of the items in each.
    pub(super) correlation: DMatrix<f64>,
    pub(super) means: Vec<f64>,
    pub(super) deviations: Vec<f64>,
    /// Where the items of each block begin and end.
    pub(super) spans: Vec<std::ops::Range<usize>>,
}

impl Moments {
    /// Of answers that each count `times`.
    pub(super) fn new(model: &Model, answers: &Rows, times: Option<&[u32]>) -> Answer<Self> {
        let columns: Vec<usize> = model.blocks.iter().flat_map(|block| block.items.iter().copied()).collect();
        if let Some(&item) = columns.iter().find(|item| **item >= answers.width()) {
            let value = item as f64;
            return Err(Refusal::OutOfRange { what: "an item", value, allowed: "one of the columns" });
        }
        let p = columns.len();
        // Differences from the first answer keep digits that large means would eat.
        let first: Vec<f64> = columns.iter().map(|&c| answers.row(0)[c]).collect();
        let (mut n, mut sums, mut squares) = (0.0, vec![0.0; p], vec![0.0; p * p]);
        let mut row = vec![0.0; p];
        for i in 0..answers.len() {
            let weight = times.map_or(1.0, |times| f64::from(times[i]));
            if weight == 0.0 {
                continue;
            }
            let all = answers.row(i);
            for k in 0..p {
                row[k] = all[columns[k]] - first[k];
            }
            n += weight;
            for k in 0..p {
                let own = weight * row[k];
                sums[k] += own;
                for j in 0..=k {
                    squares[k * p + j] += own * row[j];
                }
            }
        }
        let covariance =
            |k: usize, j: usize| squares[k.max(j) * p + k.min(j)] / n - sums[k] / n * (sums[j] / n);
        let deviations: Vec<f64> = (0..p).map(|k| covariance(k, k).max(0.0).sqrt()).collect();
        let means: Vec<f64> = (0..p).map(|k| first[k] + sums[k] / n).collect();
        for (sd, mean) in deviations.iter().zip(&means) {
            if finite(*sd, "the spread of an item")? <= mean.abs() * 1e-9 {
                return Err(Refusal::NoVariation { what: "the answers to an item" });
            }
        }
        let correlation = DMatrix::from_fn(p, p, |k, j| {
            if k == j { 1.0 } else { covariance(k, j) / (deviations[k] * deviations[j]) }
        });
        let mut spans = Vec::new();
        let mut start = 0;
        for block in &model.blocks {
            spans.push(start..start + block.items.len());
            start += block.items.len();
        }
        Ok(Self { correlation, means, deviations, spans })
    }
}
