//! Do people judge a value by what they have come to expect, and what is that made of?
//!
//! An outcome (yes or no) may depend not on a value itself but on how far it falls short of a reference level, and the
//! reference may be a weighted mean of several levels, such as what was promised, what was lived through, what others have
//! and what is said: Helson's adaptation level (Adaptation-Level Theory, 1964) and Oliver's disconfirmation (J. Marketing
//! Res. 17, 1980). All values come on the scale on which differences count alike (a logarithm, a logit), so that higher is
//! worse: shortfall = value - reference.
//!
//! logit p = a + b_short max(0, shortfall) + b_spare max(0, -shortfall) + controls, reference = sum w_f factor_f,
//! w >= 0, sum w = 1. [`weights`] fits all of it by maximum likelihood; [`matter`] asks beforehand, with equal weights,
//! whether a reference matters at all: with fitted weights the question has no known null distribution, because without an
//! effect there is nothing to weigh.
//!
//! Where factors move together their weights cannot be told apart, and the answer is a refusal that says so.

pub mod matter;
pub mod reference;
mod resample;
pub mod segments;
#[cfg(test)]
mod tests;
pub mod weights;

use super::refusal::{Answer, all_finite, at_least, same_length};
use super::rows::Rows;

/// Values with the levels they may be judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The value of each row; higher is worse.
    pub values: &'a [f64],
    /// The candidate levels of each row, one column per factor, on the same scale.
    pub factors: &'a Rows,
    /// Yes (1) or no (0).
    pub outcome: &'a [f64],
    /// Other covariates; a table of width 0 where there are none.
    pub controls: &'a Rows,
    /// Whose each row is: rows of one line go together.
    pub lines: &'a [u64],
}

impl Judged<'_> {
    fn check(&self) -> Answer<()> {
        let n = self.values.len();
        same_length(n, self.factors.len(), "the values and the factors")?;
        same_length(n, self.outcome.len(), "the values and the outcomes")?;
        same_length(n, self.controls.len(), "the values and the controls")?;
        same_length(n, self.lines.len(), "the values and the lines")?;
        at_least(self.factors.width(), 1, "factors")?;
        all_finite(self.values, "a value")?;
        all_finite(self.outcome, "an outcome")?;
        let events = self.outcome.iter().filter(|y| **y > 0.0).count();
        at_least(events.min(n - events), 20, "outcomes of the rarer kind")
    }

    /// How far row `i` falls short of its reference under these weights.
    pub fn shortfall(&self, i: usize, weights: &[f64]) -> f64 {
        self.values[i] - self.factors.row(i).iter().zip(weights).map(|(f, w)| f * w).sum::<f64>()
    }
}

/// The correlation of every two factors, to be printed beside the weights.
pub fn factor_correlations(factors: &Rows) -> Answer<Vec<Vec<f64>>> {
    at_least(factors.len(), 3, "rows")?;
    let n = factors.len() as f64;
    let columns: Vec<Vec<f64>> = (0..factors.width())
        .map(|k| {
            let mean = factors.column(k).sum::<f64>() / n;
            factors.column(k).map(|v| v - mean).collect()
        })
        .collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let no_spread = super::Refusal::NoVariation { what: "the values of a factor" };
    if columns.iter().any(|c| dot(c, c) <= 0.0) {
        return Err(no_spread);
    }
    let pair = |a: &Vec<f64>, b: &Vec<f64>| (dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()).clamp(-1.0, 1.0);
    Ok(columns.iter().map(|a| columns.iter().map(|b| pair(a, b)).collect()).collect())
}
