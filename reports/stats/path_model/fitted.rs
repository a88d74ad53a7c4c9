//! A fitted path model, and the indices that follow from it.

use super::model::Model;
use super::moments::Moments;
use super::quality::{self, Quality};
use crate::stats::refusal::{Answer, Refusal, finite, same_length};

/// A fitted model.
#[derive(Clone, Debug)]
pub struct PathFit {
    pub(super) moments: Moments,
    /// Per construct, the weight of each standardised item; the construct has variance 1.
    pub weights: Vec<Vec<f64>>,
    /// Per construct, the correlation of each item with it.
    pub loadings: Vec<Vec<f64>>,
    /// The coefficient of each arrow, in the order of the model.
    pub paths: Vec<f64>,
    /// The effect of construct `from` on construct `to` over all ways, as `total[from][to]`.
    pub total: Vec<Vec<f64>>,
    /// Per construct, the share of its variance that its predecessors explain; none where it has none.
    pub r_squared: Vec<Option<f64>>,
    /// The correlations between constructs.
    pub correlations: Vec<Vec<f64>>,
    /// How many respondents.
    pub respondents: usize,
    /// How many rounds it took.
    pub iterations: usize,
}

impl PathFit {
    /// The mean of each item, in the order of the blocks.
    pub fn means(&self) -> &[f64] {
        &self.moments.means
    }

    /// Reliability and convergence of construct `k`.
    pub fn quality(&self, model: &Model, k: usize) -> Quality {
        quality::of(&self.moments, &self.loadings[k], model.blocks[k].mode, k)
    }

    /// The level of construct `k` from 0 to 100: the weighted mean of its items, on answers from `low` to `high`. `means`
    /// are those of the construct's own items, over everybody or over one segment.
    pub fn index(&self, k: usize, means: &[f64], low: f64, high: f64) -> Answer<f64> {
        let deviations = &self.moments.deviations[self.moments.spans[k].clone()];
        same_length(means.len(), deviations.len(), "the means and the items")?;
        let weights: Vec<f64> = self.weights[k].iter().zip(deviations).map(|(w, sd)| w / sd).collect();
        index(means, &weights, low, high)
    }

    /// [`Self::index`] over everybody.
    pub fn overall_index(&self, k: usize, low: f64, high: f64) -> Answer<f64> {
        self.index(k, &self.moments.means[self.moments.spans[k].clone()], low, high)
    }
}

/// The index of Fornell et al. (J. Marketing 60, 1996): 100 times the weighted mean of the items, from `low` to `high`.
/// Weights are those of the items as answered (outer weight over standard deviation) in any unit.
pub fn index(means: &[f64], weights: &[f64], low: f64, high: f64) -> Answer<f64> {
    same_length(means.len(), weights.len(), "the means and the weights")?;
    let total: f64 = weights.iter().sum();
    if finite(total, "the sum of the weights")? <= 0.0 || weights.iter().any(|w| *w < 0.0) {
        return Err(Refusal::Unstable { what: "an index of items that pull against each other" });
    }
    if finite(high - low, "the scale")? <= 0.0 {
        return Err(Refusal::OutOfRange { what: "the scale", value: high - low, allowed: "above 0" });
    }
    let level: f64 = means.iter().zip(weights).map(|(m, w)| w * (m - low)).sum();
    finite(100.0 * level / total / (high - low), "the index")
}
