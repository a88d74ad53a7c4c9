//! What a yes/no or a count depends on: logistic, Poisson and negative binomial regression.
//!
//! Generalised linear models (Nelder and Wedderburn, J. R. Stat. Soc. A 135, 1972; McCullagh and Nelder, Generalized
//! Linear Models, 2nd ed. 1989) by iteratively reweighted least squares with step halving: on covariates with a long
//! tail plain Newton steps run away. Columns are centred and scaled inside, so that no unit strains the arithmetic;
//! coefficients come back in the caller's units, the intercept first.
//!
//! Four kinds of standard errors: from the model; widened by the dispersion that is seen (quasi-likelihood, Wedderburn,
//! Biometrika 61, 1974); the sandwich over clusters (Liang and Zeger, Biometrika 73, 1986) times G / (G - 1); and, for
//! rows in the order of time, Newey and West's (Econometrica 55, 1987) with Bartlett weights.
//!
//! An association is not yet a cause: a covariate left out that drives both sides bends every coefficient.

use super::Interval;
use super::distribution::{two_sided_normal_p, two_sided_z};
use super::refusal::{Answer, Refusal, all_finite, at_least, finite, positive, same_length};
use super::rows::Rows;
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use statrs::function::gamma::ln_gamma;

const MOST_ITERATIONS: usize = 60;
/// A step this small, in standard deviations of the covariate, ends the search.
const SMALL_STEP: f64 = 1e-10;
/// Rounding may hide what a step this small gains: it is taken all the same, and will do after all iterations.
const SMALL_ENOUGH: f64 = 1e-6;
/// Information that has shrunk by this factor is gone: the maximum lies at infinity.
const NO_INFORMATION: f64 = 1e-12;
/// A column whose own share of its variance is smaller than this is a combination of the others.
const NO_OWN_SHARE: f64 = 1e-10;

/// How the outcome is distributed around its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Family {
    /// Yes or no (or a share between): logit link.
    Bernoulli,
    /// Counts whose variance is their mean: log link.
    Poisson,
    /// Counts whose variance is mean + alpha mean^2, alpha known: log link.
    NegativeBinomial {
        /// Above 0.
        alpha: f64,
    },
}

/// Log-likelihood (without what does not depend on the mean), slope and expected curvature in the linear predictor.
struct Term {
    log_likelihood: f64,
    slope: f64,
    weight: f64,
}

impl Family {
    fn term(self, y: f64, eta: f64) -> Term {
        match self {
            Self::Bernoulli => {
                let mean = logistic(eta);
                let log_likelihood = y * eta - eta.max(0.0) - (-eta.abs()).exp().ln_1p();
                Term { log_likelihood, slope: y - mean, weight: mean * (1.0 - mean) }
            }
            Self::Poisson => {
                let mean = eta.exp();
                Term { log_likelihood: y * eta - mean, slope: y - mean, weight: mean }
            }
            Self::NegativeBinomial { alpha } => {
                let mean = eta.exp();
                let spread = 1.0 + alpha * mean;
                let log_likelihood = y * (alpha.ln() + eta - spread.ln()) - spread.ln() / alpha;
                Term { log_likelihood, slope: (y - mean) / spread, weight: mean / spread }
            }
        }
    }

    /// The mean that belongs to a linear predictor.
    pub fn mean(self, eta: f64) -> f64 {
        match self {
            Self::Bernoulli => logistic(eta),
            Self::Poisson | Self::NegativeBinomial { .. } => eta.exp(),
        }
    }

    fn variance(self, mean: f64) -> f64 {
        match self {
            Self::Bernoulli => mean * (1.0 - mean),
            Self::Poisson => mean,
            Self::NegativeBinomial { alpha } => mean + alpha * mean * mean,
        }
    }

    /// The part of the log-likelihood that depends on the outcome alone.
    fn constant(self, y: f64) -> f64 {
        match self {
            Self::Bernoulli => 0.0,
            Self::Poisson => -ln_gamma(y + 1.0),
            Self::NegativeBinomial { alpha } => {
                ln_gamma(y + 1.0 / alpha) - ln_gamma(1.0 / alpha) - ln_gamma(y + 1.0)
            }
        }
    }
}

/// 1 / (1 + e^-x), without overflow on either side.
pub(super) fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// A regression to be fitted.
#[derive(Clone, Debug)]
pub struct Glm<'a> {
    family: Family,
    rows: &'a Rows,
    outcome: &'a [f64],
    offset: Option<&'a [f64]>,
    weights: Option<&'a [f64]>,
    clusters: Option<&'a [u64]>,
    lags: Option<usize>,
    ridge: f64,
}

impl<'a> Glm<'a> {
    /// The outcome of each row, explained by an intercept and the columns of `rows`.
    pub const fn new(family: Family, rows: &'a Rows, outcome: &'a [f64]) -> Self {
        let (offset, weights, clusters, lags) = (None, None, None, None);
        Self { family, rows, outcome, offset, weights, clusters, lags, ridge: 0.0 }
    }

    /// A known part of each linear predictor, such as the logarithm of the exposure.
    #[must_use]
    pub const fn offset(mut self, offset: &'a [f64]) -> Self {
        self.offset = Some(offset);
        self
    }

    /// How often each row counts.
    #[must_use]
    pub const fn weights(mut self, weights: &'a [f64]) -> Self {
        self.weights = Some(weights);
        self
    }

    /// What each row may share its error with.
    #[must_use]
    pub const fn clusters(mut self, clusters: &'a [u64]) -> Self {
        self.clusters = Some(clusters);
        self
    }

    /// Rows stand in the order of time, and errors are related over so many of them.
    #[must_use]
    pub const fn newey_west(mut self, lags: usize) -> Self {
        self.lags = Some(lags);
        self
    }

    /// Takes `ridge` / 2 times the squared coefficient per standard deviation of each covariate off the log-likelihood
    /// (Hoerl and Kennard 1970; the intercept goes free). 0 is plain maximum likelihood.
    #[must_use]
    pub const fn ridge(mut self, ridge: f64) -> Self {
        self.ridge = ridge;
        self
    }

    fn check(&self) -> Answer<()> {
        let n = self.rows.len();
        same_length(n, self.outcome.len(), "the rows and the outcomes")?;
        at_least(n, self.rows.width() + 2, "rows")?;
        all_finite(self.outcome, "an outcome")?;
        let limit =
            if self.family == Family::Bernoulli { (1.0, "from 0 to 1") } else { (f64::MAX, "0 or more") };
        if let Some(&value) = self.outcome.iter().find(|y| **y < 0.0 || **y > limit.0) {
            return Err(Refusal::OutOfRange { what: "an outcome", value, allowed: limit.1 });
        }
        if let Some(offset) = self.offset {
            same_length(n, offset.len(), "the rows and the offsets")?;
            all_finite(offset, "an offset")?;
        }
        if let Some(weights) = self.weights {
            same_length(n, weights.len(), "the rows and the weights")?;
            all_finite(weights, "a weight")?;
            if let Some(&value) = weights.iter().find(|w| **w < 0.0) {
                return Err(Refusal::OutOfRange { what: "a weight", value, allowed: "0 or more" });
            }
        }
        if let Some(clusters) = self.clusters {
            same_length(n, clusters.len(), "the rows and the clusters")?;
        }
        finite(self.ridge, "the ridge")?;
        if self.ridge < 0.0 {
            return Err(Refusal::OutOfRange { what: "the ridge", value: self.ridge, allowed: "0 or more" });
        }
        if let Family::NegativeBinomial { alpha } = self.family {
            positive(alpha, "the dispersion alpha")?;
        }
        Ok(())
    }

    fn weight(&self, i: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[i])
    }

    /// The maximum of the (penalised) likelihood.
    ///
    /// Refused where there are no events, where columns are combinations of each other, and where outcomes are separated
    /// so that an estimate would be infinite.
    pub fn fit(&self) -> Answer<Fit> {
        self.check()?;
        let scaled = Scaled::new(self)?;
        let (at, iterations) = scaled.maximum()?;
        let groups = scaled.sandwich(&at)?;
        let newey = self.lags.map(|lags| scaled.newey_west(&at, lags)).transpose()?;
        let back = scaled.back();
        let turn = |matrix: DMatrix<f64>| &back * matrix * back.transpose();
        let beta = &back * DVector::from_column_slice(&at.b);
        let constant: f64 =
            self.outcome.iter().enumerate().map(|(i, &y)| self.weight(i) * self.family.constant(y)).sum();
        let rank = scaled.width;
        let weight: f64 = (0..self.rows.len()).map(|i| self.weight(i)).sum();
        Ok(Fit {
            family: self.family,
            coefficients: beta.iter().copied().collect(),
            covariance: turn(at.inverse.clone()),
            clustered: groups.1.map(turn),
            newey_west: newey.map(turn),
            log_likelihood: finite(at.log_likelihood + constant, "the log-likelihood")?,
            dispersion: scaled.pearson(&at) / (weight - rank as f64).max(f64::MIN_POSITIVE),
            rows: self.rows.len(),
            clusters: groups.0,
            iterations,
        })
    }
}

/// The rows with each covariate centred and in units of its standard deviation, behind a column of ones.
struct Scaled<'a> {
    glm: &'a Glm<'a>,
    width: usize,
    rows: Vec<f64>,
    centre: Vec<f64>,
    scale: Vec<f64>,
}

struct At {
    b: Vec<f64>,
    log_likelihood: f64,
    penalised: f64,
    score: DVector<f64>,
    information: DMatrix<f64>,
    inverse: DMatrix<f64>,
}

impl<'a> Scaled<'a> {
    fn new(glm: &'a Glm<'a>) -> Answer<Self> {
        let (n, k) = (glm.rows.len(), glm.rows.width());
        let (mut centre, mut scale) = (Vec::with_capacity(k), Vec::with_capacity(k));
        for column in 0..k {
            let mean = finite(glm.rows.column(column).sum::<f64>() / n as f64, "the mean of a covariate")?;
            let square = glm.rows.column(column).map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
            let sd = finite(square.sqrt(), "the spread of a covariate")?;
            if sd <= mean.abs() * 1e-13 || sd == 0.0 {
                return Err(Refusal::Redundant { column });
            }
            centre.push(mean);
            scale.push(sd);
        }
        let mut rows = Vec::with_capacity(n * (k + 1));
        for row in glm.rows.each() {
            rows.push(1.0);
            rows.extend(row.iter().zip(&centre).zip(&scale).map(|((x, m), s)| (x - m) / s));
        }
        Ok(Self { glm, width: k + 1, rows, centre, scale })
    }

    /// The matrix that turns scaled coefficients into the caller's.
    fn back(&self) -> DMatrix<f64> {
        DMatrix::from_fn(self.width, self.width, |i, j| match (i, j) {
            (0, 0) => 1.0,
            (0, j) => -self.centre[j - 1] / self.scale[j - 1],
            (i, j) if i == j => 1.0 / self.scale[i - 1],
            _ => 0.0,
        })
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.rows[i * self.width..(i + 1) * self.width]
    }

    fn eta(&self, b: &[f64], i: usize) -> f64 {
        let known = self.glm.offset.map_or(0.0, |offset| offset[i]);
        known + self.row(i).iter().zip(b).map(|(x, b)| x * b).sum::<f64>()
    }

    fn at(&self, b: Vec<f64>) -> (At, Option<Cholesky<f64, Dyn>>) {
        let width = self.width;
        let mut log_likelihood = 0.0;
        let mut score = vec![0.0; width];
        let mut information = vec![0.0; width * width];
        for (i, &y) in self.glm.outcome.iter().enumerate() {
            let weight = self.glm.weight(i);
            if weight == 0.0 {
                continue;
            }
            let term = self.glm.family.term(y, self.eta(&b, i));
            log_likelihood += weight * term.log_likelihood;
            let (slope, curve) = (weight * term.slope, weight * term.weight);
            let row = self.row(i);
            for k in 0..width {
                score[k] += slope * row[k];
                let own = curve * row[k];
                for j in 0..=k {
                    information[k * width + j] += own * row[j];
                }
            }
        }
        let mut penalised = log_likelihood;
        let ridge = self.glm.ridge;
        for k in 1..width {
            penalised -= ridge / 2.0 * b[k] * b[k];
            score[k] -= ridge * b[k];
            information[k * width + k] += ridge;
        }
        let information = DMatrix::from_fn(width, width, |k, j| information[k.max(j) * width + k.min(j)]);
        let root = Cholesky::new(information.clone());
        let score = DVector::from_vec(score);
        let inverse = DMatrix::zeros(width, width);
        (At { b, log_likelihood, penalised, score, information, inverse }, root)
    }

    /// An intercept that gives the mean outcome.
    fn start(&self) -> Answer<Vec<f64>> {
        let (mut events, mut exposure, mut weight) = (0.0, 0.0, 0.0);
        for (i, &y) in self.glm.outcome.iter().enumerate() {
            let w = self.glm.weight(i);
            events += w * y;
            weight += w;
            exposure += w * self.glm.offset.map_or(1.0, |offset| offset[i].exp());
        }
        if events == 0.0 {
            return Err(Refusal::NoEvents { what: "events in the outcome" });
        }
        let mut b = vec![0.0; self.width];
        b[0] = match self.glm.family {
            Family::Bernoulli if events >= weight => {
                return Err(Refusal::NoEvents { what: "outcomes without the event" });
            }
            Family::Bernoulli => (events / (weight - events)).ln(),
            Family::Poisson | Family::NegativeBinomial { .. } => (events / exposure).ln(),
        };
        finite(b[0], "the start of the intercept")?;
        Ok(b)
    }

    fn maximum(&self) -> Answer<(At, usize)> {
        let (mut here, mut root) = self.at(self.start()?);
        let start = here.information.diagonal();
        if let Some(column) = self.dependent(&here.information) {
            return Err(Refusal::Redundant { column });
        }
        for iteration in 1..=MOST_ITERATIONS {
            let Some(usable) = root.filter(|root| keeps(root, &start)) else {
                return Err(Refusal::Separated { covariate: None });
            };
            let step = usable.solve(&here.score);
            let size = step.amax();
            let enough = if iteration < MOST_ITERATIONS { SMALL_STEP } else { SMALL_ENOUGH };
            let largest = here.b.iter().fold(0.0, |m: f64, b| m.max(b.abs()));
            if size < enough * (1.0 + largest) {
                here.inverse = usable.inverse();
                return Ok((here, iteration));
            }
            // Over many rows that are alike, the rounding of their sum hides what a last small step gains.
            let last = size < SMALL_ENOUGH * (1.0 + largest);
            let mut share = 1.0;
            loop {
                let b: Vec<f64> = here.b.iter().zip(step.iter()).map(|(b, s)| b + share * s).collect();
                let (there, there_root) = self.at(b);
                let slack = 1e-12 * (1.0 + here.penalised.abs());
                if last || there.penalised >= here.penalised - slack {
                    (here, root) = (there, there_root);
                    break;
                }
                share /= 2.0;
                if share < 1e-9 {
                    return Err(Refusal::NotConverged { iterations: iteration });
                }
            }
        }
        Err(Refusal::Separated { covariate: None })
    }

    /// The first covariate that is a combination of those before it, if any.
    fn dependent(&self, information: &DMatrix<f64>) -> Option<usize> {
        let width = self.width;
        let mut l = DMatrix::<f64>::zeros(width, width);
        for k in 0..width {
            for j in 0..=k {
                let sum: f64 = (0..j).map(|m| l[(k, m)] * l[(j, m)]).sum();
                let rest = information[(k, j)] - sum;
                if j < k {
                    l[(k, j)] = rest / l[(j, j)];
                } else if rest > NO_OWN_SHARE * information[(k, k)] {
                    l[(k, k)] = rest.sqrt();
                } else {
                    return Some(k.saturating_sub(1));
                }
            }
        }
        None
    }

    /// Each row's own score.
    fn scores(&self, at: &At) -> impl Iterator<Item = DVector<f64>> {
        (0..self.glm.outcome.len()).map(move |i| {
            let term = self.glm.family.term(self.glm.outcome[i], self.eta(&at.b, i));
            DVector::from_column_slice(self.row(i)) * (self.glm.weight(i) * term.slope)
        })
    }

    fn sandwich(&self, at: &At) -> Answer<(usize, Option<DMatrix<f64>>)> {
        let Some(clusters) = self.glm.clusters else { return Ok((0, None)) };
        let mut sums = std::collections::BTreeMap::<u64, DVector<f64>>::new();
        for (cluster, own) in clusters.iter().zip(self.scores(at)) {
            *sums.entry(*cluster).or_insert_with(|| DVector::zeros(self.width)) += own;
        }
        let groups = sums.len();
        if groups < 2 {
            return Ok((groups, None));
        }
        let mut middle = DMatrix::zeros(self.width, self.width);
        for sum in sums.into_values() {
            middle.ger(1.0, &sum, &sum, 1.0);
        }
        let correction = groups as f64 / (groups - 1) as f64;
        let covariance = &at.inverse * middle * &at.inverse * correction;
        all_finite(covariance.as_slice(), "the robust covariance")?;
        Ok((groups, Some(covariance)))
    }

    fn newey_west(&self, at: &At, lags: usize) -> Answer<DMatrix<f64>> {
        let scores: Vec<_> = self.scores(at).collect();
        at_least(scores.len(), lags + 2, "rows in time")?;
        let mut middle = DMatrix::zeros(self.width, self.width);
        for own in &scores {
            middle.ger(1.0, own, own, 1.0);
        }
        for lag in 1..=lags {
            let share = 1.0 - lag as f64 / (lags + 1) as f64;
            for (later, earlier) in scores[lag..].iter().zip(&scores) {
                middle.ger(share, later, earlier, 1.0);
                middle.ger(share, earlier, later, 1.0);
            }
        }
        let covariance = &at.inverse * middle * &at.inverse;
        all_finite(covariance.as_slice(), "the covariance of Newey and West")?;
        Ok(covariance)
    }

    fn pearson(&self, at: &At) -> f64 {
        let each = self.glm.outcome.iter().enumerate().map(|(i, &y)| {
            let mean = self.glm.family.mean(self.eta(&at.b, i));
            let variance = self.glm.family.variance(mean).max(f64::MIN_POSITIVE);
            self.glm.weight(i) * (y - mean).powi(2) / variance
        });
        each.sum()
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
    /// From the model: rows are independent, and the family is right.
    Model,
    /// From the model, times the square root of the dispersion.
    Quasi,
    /// From the sandwich over clusters. Needs some tens of clusters.
    Clustered,
    /// For rows in the order of time.
    NeweyWest,
}

impl Errors {
    /// Clustered where a cluster has more than one row.
    pub fn over(clusters: &[u64]) -> Self {
        let distinct: std::collections::BTreeSet<_> = clusters.iter().collect();
        if distinct.len() < clusters.len() { Self::Clustered } else { Self::Model }
    }
}

/// A fitted regression.
#[derive(Clone, Debug)]
pub struct Fit {
    family: Family,
    /// The intercept, then one coefficient per covariate and unit of it.
    pub coefficients: Vec<f64>,
    covariance: DMatrix<f64>,
    clustered: Option<DMatrix<f64>>,
    newey_west: Option<DMatrix<f64>>,
    /// Log-likelihood at the maximum, without the penalty.
    pub log_likelihood: f64,
    /// Pearson's chi-squared per degree of freedom: 1 where the family's variance is right.
    pub dispersion: f64,
    /// How many rows went in.
    pub rows: usize,
    /// How many clusters; 0 where none were named.
    pub clusters: usize,
    /// How many steps were made.
    pub iterations: usize,
}

/// A coefficient, or a combination of coefficients, with what is known about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimated {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Its interval, symmetric around the estimate.
    pub interval: Interval,
    /// Two-sided p-value of Wald's test against 0.
    pub p: f64,
}

impl Fit {
    /// The sum of coefficients, each times its factor; `factors[0]` belongs to the intercept.
    pub fn combination(&self, factors: &[f64], errors: Errors, level: f64) -> Answer<Estimated> {
        same_length(factors.len(), self.coefficients.len(), "the factors and the coefficients")?;
        all_finite(factors, "a factor")?;
        let missing = |what| Refusal::TooFew { what, have: 0, need: 2 };
        let (covariance, scale) = match errors {
            Errors::Model => (&self.covariance, 1.0),
            Errors::Quasi => (&self.covariance, self.dispersion),
            Errors::Clustered => (self.clustered.as_ref().ok_or(missing("clusters"))?, 1.0),
            Errors::NeweyWest => (self.newey_west.as_ref().ok_or(missing("rows in time"))?, 1.0),
        };
        let value = factors.iter().zip(&self.coefficients).map(|(f, b)| f * b).sum::<f64>();
        let factors = DVector::from_column_slice(factors);
        let variance = scale * (factors.transpose() * covariance * &factors)[(0, 0)];
        let standard_error = finite(variance.max(0.0).sqrt(), "the standard error")?;
        if standard_error == 0.0 {
            return Err(Refusal::NoVariation { what: "the scores" });
        }
        let half = two_sided_z(level)? * standard_error;
        let interval = Interval::new(value - half, value + half);
        Ok(Estimated { value, standard_error, interval, p: two_sided_normal_p(value / standard_error) })
    }

    /// Coefficient `k`; 0 is the intercept.
    pub fn coefficient(&self, k: usize, errors: Errors, level: f64) -> Answer<Estimated> {
        if k >= self.coefficients.len() {
            let value = k as f64;
            return Err(Refusal::OutOfRange { what: "the coefficient", value, allowed: "one of the model" });
        }
        let mut factors = vec![0.0; self.coefficients.len()];
        factors[k] = 1.0;
        self.combination(&factors, errors, level)
    }

    /// The linear predictor of a row of covariates.
    pub fn linear(&self, row: &[f64]) -> Answer<f64> {
        same_length(row.len() + 1, self.coefficients.len(), "the covariates of a row and of the model")?;
        let sum = row.iter().zip(&self.coefficients[1..]).map(|(x, b)| x * b).sum::<f64>();
        finite(self.coefficients[0] + sum, "the linear predictor")
    }

    /// The mean of a row of covariates: a probability, or an expected count without offset.
    pub fn mean(&self, row: &[f64]) -> Answer<f64> {
        finite(self.family.mean(self.linear(row)?), "the predicted mean")
    }

    /// Akaike's information criterion.
    pub fn aic(&self) -> f64 {
        2.0 * (self.coefficients.len() as f64 - self.log_likelihood)
    }

    /// Twice the gain in log-likelihood over a model nested in this one.
    pub fn likelihood_ratio(&self, nested: &Self) -> f64 {
        (2.0 * (self.log_likelihood - nested.log_likelihood)).max(0.0)
    }
}

#[cfg(test)]
#[path = "glm_tests.rs"]
mod tests;
