//! Which judgement drives which: path models between constructs that are each asked about by several items, by partial
//! least squares.
//!
//! The algorithm of Wold and Lohmoeller (Latent Variable Path Modeling with Partial Least Squares, 1989) as written down by
//! Tenenhaus et al. (Comput. Stat. Data Anal. 48, 2005): every construct is a weighted sum of its own items, and the
//! weights are turned until each construct agrees best with its neighbours. Items are standardised, with deviations over
//! n. Everything follows from the items' correlations, so that a resample costs one pass over the answers.
//!
//! Paths are regressions between weighted sums: with few items per construct they lean towards 0, and arrows are an
//! assumption, not a finding.

mod iterate;
mod quality;
mod resample;
#[cfg(test)]
pub(crate) mod survey;
#[cfg(test)]
mod tests;

pub use quality::Quality;
pub use resample::{Resampled, resample};

use super::refusal::{Answer, Refusal, at_least, finite, same_length};
use super::rows::Rows;
use nalgebra::DMatrix;

/// How a construct's weights are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The items reflect the construct: weights are correlations.
    A,
    /// The items form the construct: weights are regression coefficients.
    B,
}

/// How neighbours count in the search for weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Those before by regression coefficients, those after by correlations.
    Path,
    /// By correlations.
    Factorial,
    /// By the signs of correlations.
    Centroid,
}

/// A construct: the columns of its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Column numbers, one or more.
    pub items: Vec<usize>,
    /// How its weights are found.
    pub mode: Mode,
}

/// Constructs and the arrows between them.
#[derive(Clone, Debug)]
pub struct Model {
    blocks: Vec<Block>,
    paths: Vec<(usize, usize)>,
}

impl Model {
    /// Blocks, and arrows as (from, to) between them. Refused where arrows run in a circle, name no block, come twice, or
    /// leave a block alone, and where two blocks share an item.
    pub fn new(blocks: Vec<Block>, paths: Vec<(usize, usize)>) -> Answer<Self> {
        at_least(blocks.len(), 2, "constructs")?;
        let mut seen = std::collections::BTreeSet::new();
        for block in &blocks {
            at_least(block.items.len(), 1, "items of a construct")?;
            if !block.items.iter().all(|item| seen.insert(*item)) {
                return Err(Refusal::Design { why: "an item belongs to two constructs; give it to one" });
            }
        }
        let mut arrows = std::collections::BTreeSet::new();
        for &(from, to) in &paths {
            if from >= blocks.len() || to >= blocks.len() || from == to || !arrows.insert((from, to)) {
                return Err(Refusal::Design { why: "an arrow names no construct, itself, or comes twice" });
            }
        }
        if !(0..blocks.len()).all(|k| paths.iter().any(|p| p.0 == k || p.1 == k)) {
            return Err(Refusal::Design { why: "a construct has no arrow; connect it or leave it out" });
        }
        let model = Self { blocks, paths };
        model.order()?;
        Ok(model)
    }

    /// The constructs.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The arrows, as (from, to).
    pub fn paths(&self) -> &[(usize, usize)] {
        &self.paths
    }

    fn before(&self, k: usize) -> Vec<usize> {
        self.paths.iter().filter(|p| p.1 == k).map(|p| p.0).collect()
    }

    fn after(&self, k: usize) -> Vec<usize> {
        self.paths.iter().filter(|p| p.0 == k).map(|p| p.1).collect()
    }

    /// The constructs so that every arrow points forward.
    fn order(&self) -> Answer<Vec<usize>> {
        let mut order: Vec<usize> = Vec::new();
        while order.len() < self.blocks.len() {
            let ready = |k: &usize| !order.contains(k) && self.before(*k).iter().all(|j| order.contains(j));
            let next = (0..self.blocks.len()).find(ready);
            let circle = Refusal::Design { why: "the arrows run in a circle; a path model has a direction" };
            order.push(next.ok_or(circle)?);
        }
        Ok(order)
    }
}

/// Correlations of the model's items, with their means and standard deviations (over n).
#[derive(Clone, Debug)]
struct Moments {
    /// In the order of the blocks and of the items in each.
    correlation: DMatrix<f64>,
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// Where the items of each block begin and end.
    spans: Vec<std::ops::Range<usize>>,
}

impl Moments {
    /// Of answers that each count `times`.
    fn new(model: &Model, answers: &Rows, times: Option<&[u32]>) -> Answer<Self> {
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

/// A fitted model.
#[derive(Clone, Debug)]
pub struct PathFit {
    moments: Moments,
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

/// Fits a model to answers: a row per respondent, a column per item.
pub fn fit(model: &Model, answers: &Rows, scheme: Scheme) -> Answer<PathFit> {
    let items: usize = model.blocks.iter().map(|block| block.items.len()).sum();
    at_least(answers.len(), (items + 2).max(30), "respondents")?;
    let moments = Moments::new(model, answers, None)?;
    iterate::solve(model, moments, scheme, answers.len())
}

impl PathFit {
    /// The mean of each item, in the order of the blocks.
    pub fn means(&self) -> &[f64] {
        &self.moments.means
    }

    /// Reliability and convergence of construct `k`.
    pub fn quality(&self, model: &Model, k: usize) -> Quality {
        quality::of(self, model.blocks[k].mode, k)
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
