//! How far everything would move with other respondents.

use super::fitted::PathFit;
use super::model::{Model, Scheme};
use super::moments::Moments;
use super::{fit, iterate};
use crate::stats::Interval;
use crate::stats::bootstrap::{Design, percentile};
use crate::stats::refusal::{Answer, Refusal, at_least};
use crate::stats::rows::Rows;

/// Of ten resamples at least nine must have a solution.
const LEAST_SOLVED: f64 = 0.9;

/// Intervals from resampled respondents, in the shape of [`PathFit`].
#[derive(Clone, Debug)]
pub struct Resampled {
    /// Per arrow.
    pub paths: Vec<Interval>,
    /// Per pair of constructs with a way between them, as `total[from][to]`.
    pub total: Vec<Vec<Option<Interval>>>,
    /// Per construct and item.
    pub loadings: Vec<Vec<Interval>>,
    /// Per construct and item.
    pub weights: Vec<Vec<Interval>>,
    /// Per construct with predecessors.
    pub r_squared: Vec<Option<Interval>>,
    /// Per construct, of its index; none where its weights do not all point one way.
    pub indices: Vec<Option<Interval>>,
    /// How many resamples had a solution.
    pub solved: usize,
}

/// Fits `replicates` resamples. A construct has no sign of its own: each is turned so that its loadings agree with those
/// of the data as it is (Wold 1985; Tenenhaus et al. 2005). Indices are on answers from `scale.0` to `scale.1`.
pub fn resample(
    model: &Model,
    answers: &Rows,
    scheme: Scheme,
    scale: (f64, f64),
    replicates: usize,
    seed: u64,
    level: f64,
) -> Answer<Resampled> {
    let original = fit(model, answers, scheme)?;
    at_least(replicates, 20, "resamples")?;
    let design = Design::simple(answers.len())?;
    let tried: Vec<Option<Flat>> = design.replicate(replicates, seed, |times| {
        let moments = Moments::new(model, answers, Some(times)).ok()?;
        let replicate = iterate::solve(model, moments, scheme, answers.len()).ok()?;
        Some(Flat::of(model, &original, replicate, scale))
    });
    let solved: Vec<Flat> = tried.into_iter().flatten().collect();
    if (solved.len() as f64) < LEAST_SOLVED * replicates as f64 {
        return Err(Refusal::Unstable { what: "the path model in resamples" });
    }
    let interval = |pick: &dyn Fn(&Flat) -> f64| -> Answer<Interval> {
        let values: Vec<f64> = solved.iter().map(pick).collect();
        match percentile(&values, level) {
            // One item has a loading and a weight of exactly 1, whoever answers.
            Err(Refusal::NoVariation { .. }) => Ok(Interval::new(values[0], values[0])),
            other => other,
        }
    };
    let nested = |shape: &[Vec<f64>], pick: fn(&Flat) -> &Vec<Vec<f64>>| -> Answer<Vec<Vec<Interval>>> {
        let each = shape.iter().enumerate();
        each.map(|(k, row)| (0..row.len()).map(|i| interval(&|f| pick(f)[k][i])).collect()).collect()
    };
    let constructs = model.blocks().len();
    let mut total = vec![vec![None; constructs]; constructs];
    for (from, row) in total.iter_mut().enumerate() {
        for (to, cell) in row.iter_mut().enumerate() {
            if original.total[from][to] != 0.0 {
                *cell = Some(interval(&|f| f.total[from][to])?);
            }
        }
    }
    let per_construct = |has: &dyn Fn(usize) -> bool, pick: &dyn Fn(&Flat, usize) -> f64| {
        let each = (0..constructs).map(|k| has(k).then(|| interval(&|f| pick(f, k))).transpose());
        each.collect::<Answer<Vec<Option<Interval>>>>()
    };
    Ok(Resampled {
        paths: (0..model.paths().len()).map(|p| interval(&|f| f.paths[p])).collect::<Answer<_>>()?,
        total,
        loadings: nested(&original.loadings, |f| &f.loadings)?,
        weights: nested(&original.weights, |f| &f.weights)?,
        r_squared: per_construct(&|k| original.r_squared[k].is_some(), &|f, k| f.r_squared[k])?,
        indices: per_construct(&|k| solved.iter().all(|f| f.indices[k].is_some()), &|f, k| {
            f.indices[k].unwrap_or_default()
        })?,
        solved: solved.len(),
    })
}

/// The figures of one resample, signs aligned.
struct Flat {
    paths: Vec<f64>,
    total: Vec<Vec<f64>>,
    loadings: Vec<Vec<f64>>,
    weights: Vec<Vec<f64>>,
    r_squared: Vec<f64>,
    indices: Vec<Option<f64>>,
}

impl Flat {
    fn of(model: &Model, original: &PathFit, mut fit: PathFit, scale: (f64, f64)) -> Self {
        let agree = |k: usize| {
            let together: f64 = original.loadings[k].iter().zip(&fit.loadings[k]).map(|(a, b)| a * b).sum();
            if together < 0.0 { -1.0 } else { 1.0 }
        };
        let signs: Vec<f64> = (0..original.loadings.len()).map(agree).collect();
        for k in 0..signs.len() {
            fit.weights[k].iter_mut().chain(&mut fit.loadings[k]).for_each(|v| *v *= signs[k]);
            for to in 0..signs.len() {
                fit.total[k][to] *= signs[k] * signs[to];
            }
        }
        for (path, &(from, to)) in fit.paths.iter_mut().zip(model.paths()) {
            *path *= signs[from] * signs[to];
        }
        let indices = (0..signs.len()).map(|k| fit.overall_index(k, scale.0, scale.1).ok()).collect();
        Self {
            paths: fit.paths,
            total: fit.total,
            loadings: fit.loadings,
            weights: fit.weights,
            r_squared: fit.r_squared.iter().map(|r| r.unwrap_or_default()).collect(),
            indices,
        }
    }
}
