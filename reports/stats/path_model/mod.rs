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

mod fitted;
mod iterate;
mod model;
mod moments;
mod quality;
mod resample;
#[cfg(test)]
pub(crate) mod survey;
#[cfg(test)]
mod tests;

pub use fitted::{PathFit, index};
pub use model::{Block, Mode, Model, Scheme};
pub use quality::Quality;
pub use resample::{Resampled, resample};

use super::refusal::{Answer, at_least};
use super::rows::Rows;
use moments::Moments;

/// Fits a model to answers: a row per respondent, a column per item.
pub fn fit(model: &Model, answers: &Rows, scheme: Scheme) -> Answer<PathFit> {
    let items: usize = model.blocks.iter().map(|block| block.items.len()).sum();
    at_least(answers.len(), (items + 2).max(30), "respondents")?;
    let moments = Moments::new(model, answers, None)?;
    iterate::solve(model, moments, scheme, answers.len())
}
