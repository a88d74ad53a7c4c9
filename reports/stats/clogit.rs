//! Which covariates tell a case from its own controls: conditional logistic regression on matched sets.
//!
//! Each set holds one case and any number of controls, and is only compared within itself, so whatever is constant in
//! a set (the line, the month, the weekday) cannot confound. The likelihood is the product over sets of
//! exp(b x_case) / sum_j exp(b x_j) (Breslow and Day, Statistical Methods in Cancer Research I, 1980, chapter 7); exp(b)
//! is an odds ratio, and a rate ratio where the controls are other times of the same line, chosen by the calendar
//! alone (Janes, Sheppard and Lumley, Epidemiology 16, 2005). It is maximised by Newton's method with step halving.
//!
//! Standard errors come from the information, and, where sets share a cluster (one outage that hits many lines), from
//! the sandwich over clusters (Lin and Wei, JASA 84, 1989) times G / (G - 1).
//!
//! It cannot tell the effect of what never varies within a set, and it holds for one case per set: several cases of
//! one set share no likelihood here.

use super::Interval;
use super::distribution::{two_sided_normal_p, two_sided_z};
use super::refusal::{Answer, Refusal, all_finite, at_least, finite, same_length};
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// Newton's method converges in about six steps, or not at all.
const MOST_ITERATIONS: usize = 60;
/// A Newton step this small, in standard deviations of the covariate, ends the search.
const SMALL_STEP: f64 = 1e-10;
/// Where rounding hides the last digits, a step this small will do after all iterations; a search that runs to infinity
/// takes steps of about 1.
const SMALL_ENOUGH: f64 = 1e-6;
/// Information that has shrunk by this factor is gone: the maximum lies at infinity.
const NO_INFORMATION: f64 = 1e-12;

/// Matched sets of one case and its controls.
#[derive(Clone, Debug)]
pub struct MatchedSets {
    width: usize,
    /// Covariates of every control minus those of its case, row by row.
    differences: Vec<f64>,
    sets: Vec<Set>,
}

#[derive(Clone, Copy, Debug)]
struct Set {
    /// Where the differences of this set end; they begin where those of the one before end.
    end: usize,
    cluster: u64,
}

impl MatchedSets {
    /// Sets with `width` covariates.
    pub fn new(width: usize) -> Answer<Self> {
        at_least(width, 1, "covariates")?;
        Ok(Self { width, differences: Vec::new(), sets: Vec::new() })
    }

    /// Adds a set. `cluster` names what its error may share with other sets; give each set its own where nothing is.
    pub fn push<C>(&mut self, cluster: u64, case: &[f64], controls: C) -> Answer<()>
    where
        C: IntoIterator,
        C::Item: AsRef<[f64]>,
    {
        let start = self.differences.len();
        let added = self.push_rows(case, controls);
        if added.is_err() {
            self.differences.truncate(start);
        } else {
            self.sets.push(Set { end: self.differences.len(), cluster });
        }
        added
    }

    fn push_rows<C>(&mut self, case: &[f64], controls: C) -> Answer<()>
    where
        C: IntoIterator,
        C::Item: AsRef<[f64]>,
    {
        same_length(case.len(), self.width, "the covariates of the case and of the model")?;
        all_finite(case, "a covariate of a case")?;
        for control in controls {
            let control = control.as_ref();
            same_length(control.len(), self.width, "the covariates of a control and of the model")?;
            for (x, x_case) in control.iter().zip(case) {
                self.differences.push(finite(x - x_case, "a covariate of a control")?);
            }
        }
        Ok(())
    }

    /// How many sets there are, informative or not.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether there is no set at all.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// The differences of each set, with its cluster.
    fn each(&self) -> impl Iterator<Item = (u64, &[f64])> {
        let starts = std::iter::once(0).chain(self.sets.iter().map(|set| set.end));
        self.sets.iter().zip(starts).map(|(set, start)| (set.cluster, &self.differences[start..set.end]))
    }

    /// Fits the model by maximum conditional likelihood.
    ///
    /// Refused where no set is informative, where covariates cannot be told apart, and where cases and controls are
    /// separated, so that the estimate would be infinite.
    pub fn fit(&self) -> Answer<Fit> {
        let informative = self.each().filter(|(_, d)| d.iter().any(|x| *x != 0.0)).count();
        if informative == 0 {
            return Err(Refusal::NoInformativeSet { sets: self.sets.len() });
        }
        let scaled = Scaled::new(self)?;
        let (at, iterations) = scaled.maximum()?;
        let (clusters, robust) = scaled.sandwich(&at)?;
        let null = -self.each().map(|(_, d)| ((d.len() / self.width + 1) as f64).ln()).sum::<f64>();
        let unscale = |k: usize, j: usize, v: f64| v / (scaled.scale[k] * scaled.scale[j]);
        let covariance = at.inverse.map_with_location(unscale);
        Ok(Fit {
            coefficients: at.b.iter().zip(&scaled.scale).map(|(b, s)| b / s).collect(),
            covariance,
            robust_covariance: robust.map(|matrix| matrix.map_with_location(unscale)),
            log_likelihood: finite(at.log_likelihood, "the log-likelihood")?,
            null_log_likelihood: finite(null, "the log-likelihood")?,
            sets: self.sets.len(),
            informative,
            clusters,
            iterations,
        })
    }
}

/// The sets with each covariate in units of its root mean square difference, so that no unit strains the arithmetic.
struct Scaled<'a> {
    sets: &'a MatchedSets,
    scale: Vec<f64>,
}

/// The likelihood at one point, with its slope and its curvature.
struct At {
    b: Vec<f64>,
    log_likelihood: f64,
    score: DVector<f64>,
    information: DMatrix<f64>,
    inverse: DMatrix<f64>,
}

impl<'a> Scaled<'a> {
    fn new(sets: &'a MatchedSets) -> Answer<Self> {
        let mut scale = Vec::with_capacity(sets.width);
        for k in 0..sets.width {
            let column = || sets.differences.iter().skip(k).step_by(sets.width).copied();
            let largest = column().fold(0.0, |m: f64, d| m.max(d.abs()));
            if largest == 0.0 {
                return Err(Refusal::Collinear);
            }
            // A single covariate that never exceeds (or never falls below) its case pushes its own estimate to infinity.
            if column().all(|d| d >= 0.0) || column().all(|d| d <= 0.0) {
                return Err(Refusal::Separated { covariate: Some(k) });
            }
            let mean = column().map(|d| (d / largest).powi(2)).sum::<f64>() / column().count() as f64;
            scale.push(finite(largest * mean.sqrt(), "the spread of a covariate")?);
        }
        Ok(Self { sets, scale })
    }

    /// Adds up the likelihood, and hands each set's score to `each`.
    fn evaluate(&self, b: &[f64], mut each: impl FnMut(u64, &[f64])) -> (f64, DVector<f64>, DMatrix<f64>) {
        let width = self.sets.width;
        let per_unit: Vec<f64> = b.iter().zip(&self.scale).map(|(b, s)| b / s).collect();
        let mut log_likelihood = 0.0;
        let mut score = vec![0.0; width];
        let mut information = vec![0.0; width * width];
        let mut lines: Vec<f64> = Vec::new();
        let mut mean = vec![0.0; width];
        let mut second = vec![0.0; width * width];
        let mut own = vec![0.0; width];
        for (cluster, rows) in self.sets.each() {
            if rows.is_empty() {
                continue;
            }
            lines.clear();
            lines.extend(
                rows.chunks_exact(width).map(|d| d.iter().zip(&per_unit).map(|(d, b)| d * b).sum::<f64>()),
            );
            // The case has the linear predictor 0; taking out the largest keeps exp from overflowing.
            let top = lines.iter().copied().fold(0.0, f64::max);
            let mut total = (-top).exp();
            mean.fill(0.0);
            second.fill(0.0);
            for (d, line) in rows.chunks_exact(width).zip(&lines) {
                let weight = (line - top).exp();
                total += weight;
                for k in 0..width {
                    let dk = d[k] / self.scale[k];
                    mean[k] += weight * dk;
                    for j in 0..=k {
                        second[k * width + j] += weight * dk * (d[j] / self.scale[j]);
                    }
                }
            }
            log_likelihood -= top + total.ln();
            for k in 0..width {
                mean[k] /= total;
                own[k] = -mean[k];
                score[k] += own[k];
            }
            for k in 0..width {
                for j in 0..=k {
                    information[k * width + j] += second[k * width + j] / total - mean[k] * mean[j];
                }
            }
            each(cluster, &own);
        }
        let information = DMatrix::from_fn(width, width, |k, j| information[k.max(j) * width + k.min(j)]);
        (log_likelihood, DVector::from_vec(score), information)
    }

    fn at(&self, b: Vec<f64>) -> (At, Option<Cholesky<f64, Dyn>>) {
        let (log_likelihood, score, information) = self.evaluate(&b, |_, _| {});
        let width = self.sets.width;
        let root = Cholesky::new(information.clone());
        (At { b, log_likelihood, score, information, inverse: DMatrix::zeros(width, width) }, root)
    }

    /// The maximum, and the number of Newton steps it took.
    fn maximum(&self) -> Answer<(At, usize)> {
        let (mut here, mut root) = self.at(vec![0.0; self.sets.width]);
        let start = here.information.diagonal();
        // Without information in some direction at b = 0, where every row still counts, there never will be any.
        if !root.as_ref().is_some_and(|root| keeps(root, &start)) {
            return Err(Refusal::Collinear);
        }
        for iteration in 1..=MOST_ITERATIONS {
            let Some(usable) = root.filter(|root| keeps(root, &start)) else {
                return Err(Refusal::Separated { covariate: None });
            };
            let step = usable.solve(&here.score);
            let size = step.amax();
            let enough = if iteration < MOST_ITERATIONS { SMALL_STEP } else { SMALL_ENOUGH };
            if size < enough * (1.0 + here.b.iter().fold(0.0, |m: f64, b| m.max(b.abs()))) {
                here.inverse = usable.inverse();
                return Ok((here, iteration));
            }
            let mut share = 1.0;
            loop {
                let b: Vec<f64> = here.b.iter().zip(step.iter()).map(|(b, s)| b + share * s).collect();
                let (there, there_root) = self.at(b);
                // Rounding may hide an ascent close to the maximum.
                let slack = 1e-12 * (1.0 + here.log_likelihood.abs());
                if there.log_likelihood >= here.log_likelihood - slack {
                    (here, root) = (there, there_root);
                    break;
                }
                share /= 2.0;
                if share < 1e-9 {
                    return Err(Refusal::NotConverged { iterations: iteration });
                }
            }
        }
        // The likelihood is concave: a search that never ends climbs towards infinity.
        Err(Refusal::Separated { covariate: None })
    }

    /// The number of clusters, and the sandwich covariance where there are two or more.
    fn sandwich(&self, at: &At) -> Answer<(usize, Option<DMatrix<f64>>)> {
        let width = self.sets.width;
        let mut scores = std::collections::BTreeMap::<u64, Vec<f64>>::new();
        self.evaluate(&at.b, |cluster, own| {
            let sum = scores.entry(cluster).or_insert_with(|| vec![0.0; width]);
            sum.iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
        });
        let groups = scores.len();
        if groups < 2 {
            return Ok((groups, None));
        }
        let mut middle = DMatrix::zeros(width, width);
        for sum in scores.into_values() {
            let sum = DVector::from_vec(sum);
            middle += &sum * sum.transpose();
        }
        let correction = groups as f64 / (groups - 1) as f64;
        let covariance = &at.inverse * middle * &at.inverse * correction;
        all_finite(covariance.as_slice(), "the robust covariance")?;
        Ok((groups, Some(covariance)))
    }
}

/// Whether every direction still has information, measured against what it had at the start.
fn keeps(root: &Cholesky<f64, Dyn>, start: &DVector<f64>) -> bool {
    let pivots = root.l_dirty().diagonal();
    pivots.iter().zip(start).all(|(pivot, start)| pivot * pivot > NO_INFORMATION * start)
}

/// Which standard errors an interval stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Errors {
    /// From the information: sets are independent.
    Model,
    /// From the sandwich over clusters: sets of one cluster may depend on each other. Needs some tens of clusters.
    Clustered,
}

/// A fitted model.
#[derive(Clone, Debug)]
pub struct Fit {
    /// One coefficient per covariate, per unit of it.
    pub coefficients: Vec<f64>,
    covariance: DMatrix<f64>,
    robust_covariance: Option<DMatrix<f64>>,
    /// Log-likelihood at the maximum.
    pub log_likelihood: f64,
    /// Log-likelihood without any covariate.
    pub null_log_likelihood: f64,
    /// How many sets went in.
    pub sets: usize,
    /// How many of them have a control that differs from the case: the n of the estimate.
    pub informative: usize,
    /// How many clusters have a set with controls.
    pub clusters: usize,
    /// How many Newton steps were made.
    pub iterations: usize,
}

/// The ratio that goes with a step of a covariate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// exp(b times the step).
    pub ratio: f64,
    /// Its interval, symmetric in the logarithm.
    pub interval: Interval,
    /// Wald's statistic.
    pub z: f64,
    /// Two-sided p-value against a ratio of 1.
    pub p: f64,
}

impl Fit {
    /// The standard error of coefficient `k`.
    pub fn standard_error(&self, k: usize, errors: Errors) -> Answer<f64> {
        let covariance = match errors {
            Errors::Model => &self.covariance,
            Errors::Clustered => self.robust_covariance.as_ref().ok_or(Refusal::TooFew {
                what: "clusters",
                have: self.clusters,
                need: 2,
            })?,
        };
        if k >= self.coefficients.len() {
            let value = k as f64;
            return Err(Refusal::OutOfRange { what: "the covariate", value, allowed: "one of the model" });
        }
        let error = finite(covariance[(k, k)].sqrt(), "the standard error")?;
        if error > 0.0 { Ok(error) } else { Err(Refusal::NoVariation { what: "the scores of the clusters" }) }
    }

    /// The ratio for a step of `per` units of covariate `k`, with its interval and p-value.
    pub fn ratio(&self, k: usize, per: f64, errors: Errors, level: f64) -> Answer<Ratio> {
        let error = self.standard_error(k, errors)?;
        finite(per, "the step")?;
        if per == 0.0 {
            return Err(Refusal::OutOfRange { what: "the step", value: per, allowed: "other than 0" });
        }
        let (b, half) = (self.coefficients[k] * per, two_sided_z(level)? * error * per.abs());
        let interval = Interval::new(b - half, b + half).map(f64::exp);
        if !interval.high.is_finite() {
            return Err(Refusal::Unbounded { what: "the ratio" });
        }
        let z = finite(self.coefficients[k] / error, "the Wald statistic")?;
        Ok(Ratio { ratio: b.exp(), interval, z, p: two_sided_normal_p(z) })
    }

    /// Twice the gain in log-likelihood over the model without covariates: chi-squared with one degree of freedom per
    /// covariate where no covariate matters.
    pub fn likelihood_ratio(&self) -> f64 {
        (2.0 * (self.log_likelihood - self.null_log_likelihood)).max(0.0)
    }
}

#[cfg(test)]
#[path = "clogit_tests.rs"]
mod tests;
