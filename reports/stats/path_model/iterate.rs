//! The rounds of the algorithm, on correlations alone.

use super::fitted::PathFit;
use super::model::{Mode, Model, Scheme};
use super::moments::Moments;
use crate::stats::refusal::{Answer, Refusal, all_finite, finite};
use nalgebra::{DMatrix, DVector};

const MOST_ITERATIONS: usize = 1_000;
/// Weights that move less than this have settled.
const SETTLED: f64 = 1e-12;
/// What will do after all rounds.
const SETTLED_ENOUGH: f64 = 1e-7;

pub(super) fn solve(model: &Model, moments: Moments, scheme: Scheme, respondents: usize) -> Answer<PathFit> {
    let (weights, iterations) = weights(model, &moments, scheme)?;
    let spans = &moments.spans;
    let loadings: Vec<Vec<f64>> = (0..spans.len())
        .map(|k| {
            let block =
                moments.correlation.view((spans[k].start, spans[k].start), (spans[k].len(), spans[k].len()));
            (block * DVector::from_column_slice(&weights[k])).iter().copied().collect()
        })
        .collect();
    let between = between(&moments, &weights);
    let mut paths = vec![0.0; model.paths.len()];
    let mut r_squared = vec![None; spans.len()];
    let mut direct = DMatrix::<f64>::zeros(spans.len(), spans.len());
    for (k, share) in r_squared.iter_mut().enumerate() {
        let before = model.before(k);
        if before.is_empty() {
            continue;
        }
        let coefficients = regression(&between, &before, k)?;
        *share = Some(before.iter().zip(&coefficients).map(|(&j, b)| b * between[(j, k)]).sum::<f64>());
        for (&j, &b) in before.iter().zip(&coefficients) {
            direct[(j, k)] = b;
        }
    }
    for (value, &(from, to)) in paths.iter_mut().zip(&model.paths) {
        *value = direct[(from, to)];
    }
    // Arrows run forward, so powers of the direct effects come to an end.
    let mut total = direct.clone();
    let mut power = direct.clone();
    for _ in 1..spans.len() {
        power = &power * &direct;
        total += &power;
    }
    all_finite(total.as_slice(), "a path")?;
    let table = |m: &DMatrix<f64>| m.row_iter().map(|row| row.iter().copied().collect()).collect();
    Ok(PathFit {
        total: table(&total),
        correlations: table(&between),
        moments,
        weights,
        loadings,
        paths,
        r_squared,
        respondents,
        iterations,
    })
}

/// Correlations between constructs.
fn between(moments: &Moments, weights: &[Vec<f64>]) -> DMatrix<f64> {
    let spans = &moments.spans;
    DMatrix::from_fn(spans.len(), spans.len(), |j, k| {
        if j == k {
            return 1.0;
        }
        let mut sum = 0.0;
        for (a, &left) in spans[j].clone().zip(&weights[j]) {
            for (b, &right) in spans[k].clone().zip(&weights[k]) {
                sum += left * moments.correlation[(a, b)] * right;
            }
        }
        sum
    })
}

/// The coefficients of construct `k` on those in `before`.
fn regression(between: &DMatrix<f64>, before: &[usize], k: usize) -> Answer<Vec<f64>> {
    let left = DMatrix::from_fn(before.len(), before.len(), |i, j| between[(before[i], before[j])]);
    let right = DVector::from_fn(before.len(), |i, _| between[(before[i], k)]);
    let root =
        left.cholesky().filter(|root| root.l_dirty().diagonal().iter().all(|pivot| pivot * pivot > 1e-10));
    let root = root.ok_or(Refusal::NotSeparable { what: "constructs that drive the same one" })?;
    Ok(root.solve(&right).iter().copied().collect())
}

fn weights(model: &Model, moments: &Moments, scheme: Scheme) -> Answer<(Vec<Vec<f64>>, usize)> {
    let spans = &moments.spans;
    let r = &moments.correlation;
    let own = |k: usize| r.view((spans[k].start, spans[k].start), (spans[k].len(), spans[k].len()));
    let inverses: Vec<Option<DMatrix<f64>>> = model
        .blocks
        .iter()
        .enumerate()
        .map(|(k, block)| match block.mode {
            Mode::A => Ok(None),
            Mode::B => {
                let root = own(k).into_owned().cholesky();
                let root = root.filter(|root| root.l_dirty().diagonal().iter().all(|p| p * p > 1e-10));
                let root = root.ok_or(Refusal::NotSeparable { what: "items that form one construct" })?;
                Ok(Some(root.inverse()))
            }
        })
        .collect::<Answer<_>>()?;
    let normed = |k: usize, w: Vec<f64>| -> Answer<Vec<f64>> {
        let w = DVector::from_vec(w);
        let variance = (w.transpose() * own(k) * &w)[(0, 0)];
        if finite(variance, "the variance of a construct")? <= 1e-12 {
            return Err(Refusal::NoVariation { what: "the scores of a construct" });
        }
        Ok((w / variance.sqrt()).iter().copied().collect())
    };
    let mut current: Vec<Vec<f64>> =
        (0..spans.len()).map(|k| normed(k, vec![1.0; spans[k].len()])).collect::<Answer<_>>()?;
    let mut moved = f64::INFINITY;
    let mut round = 0;
    while moved > SETTLED && round < MOST_ITERATIONS {
        round += 1;
        let between = between(moments, &current);
        let mut next = Vec::with_capacity(spans.len());
        for k in 0..spans.len() {
            let mut agreed = vec![0.0; spans[k].len()];
            for (j, share) in inner(model, &between, scheme, k)? {
                for (a, sum) in spans[k].clone().zip(&mut agreed) {
                    let with: f64 = spans[j].clone().zip(&current[j]).map(|(b, w)| r[(a, b)] * w).sum();
                    *sum += share * with;
                }
            }
            if let Some(inverse) = &inverses[k] {
                agreed = (inverse * DVector::from_vec(agreed)).iter().copied().collect();
            }
            next.push(normed(k, agreed)?);
        }
        moved = current
            .iter()
            .flatten()
            .zip(next.iter().flatten())
            .map(|(a, b)| (a.abs() - b.abs()).abs())
            .fold(0.0, f64::max);
        current = next;
    }
    if moved > SETTLED_ENOUGH {
        return Err(Refusal::NotConverged { iterations: round });
    }
    for (k, w) in current.iter_mut().enumerate() {
        let loadings = own(k) * DVector::from_column_slice(w);
        if loadings.sum() < 0.0 {
            for w in w.iter_mut() {
                *w = -*w;
            }
        }
    }
    Ok((current, round))
}

/// How much each neighbour of construct `k` counts.
fn inner(model: &Model, between: &DMatrix<f64>, scheme: Scheme, k: usize) -> Answer<Vec<(usize, f64)>> {
    let (before, after) = (model.before(k), model.after(k));
    let by = |j: usize| match scheme {
        Scheme::Centroid => (j, between[(j, k)].signum()),
        Scheme::Factorial | Scheme::Path => (j, between[(j, k)]),
    };
    let mut shares: Vec<(usize, f64)> = if scheme == Scheme::Path && !before.is_empty() {
        before.iter().copied().zip(regression(between, &before, k)?).collect()
    } else {
        before.iter().map(|&j| by(j)).collect()
    };
    shares.extend(after.iter().map(|&j| by(j)));
    Ok(shares)
}
