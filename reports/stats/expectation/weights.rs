//! What the reference is made of: weights, slopes and controls together, by maximum likelihood.
//!
//! Fisher scoring over the weights and the linear coefficients at once, with Levenberg's damping (Q. Appl. Math. 2, 1944) and
//! weights kept at 0 or more by an active set, from several starts, as the likelihood may have more than one top. Standard errors of the weights come
//! from the information in the weights themselves, given that they add up to 1, and where a line has several rows from the
//! sandwich over lines; a weight whose interval is wider than
//! [`WIDEST`] is not known, and then none is.

use super::Judged;
use crate::stats::Interval;
use crate::stats::distribution::two_sided_z;
use crate::stats::glm::{Errors, logistic};
use crate::stats::refusal::{Answer, Refusal, all_finite, finite, same_length};
use nalgebra::{DMatrix, DVector};
use std::collections::BTreeMap;

/// Weights whose interval is wider than this are not told apart.
pub const WIDEST: f64 = 0.5;
const MOST_ITERATIONS: usize = 200;
/// A gain in log-likelihood this small, three times in a row, ends the search.
const SMALL_GAIN: f64 = 1e-5;
/// Factors that explain each other to this share cannot be weighed, whatever the likelihood says.
const NO_OWN_SHARE: f64 = 1e-6;

/// A weight with what is known about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight {
    /// From 0 to 1; all weights add up to 1.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Its interval, cut off at 0 and 1.
    pub interval: Interval,
}

/// A slope beside fitted weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The slope.
    pub value: f64,
    /// Its interval; `None` where the data say nothing on some direction of the weights.
    pub interval: Option<Interval>,
}

/// A fitted reference.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// One weight per factor.
    pub weights: Vec<Weight>,
    /// The change of the logit per unit that a value falls short, as uncertain as the weights make it.
    pub short: Slope,
    /// The same per unit to spare: below 0 where better than expected pleases.
    pub spare: Slope,
    /// The intercept, then the controls.
    pub others: Vec<f64>,
    /// The log-likelihood at the maximum.
    pub log_likelihood: f64,
    /// Whether the weights can be told apart; where not, use equal ones.
    pub separable: bool,
    /// How many rows.
    pub rows: usize,
}

/// What may be held fast while the rest is fitted.
#[derive(Clone, Debug, Default)]
pub(super) struct Fixed {
    /// Slopes of shortfall and of what is to spare, and of the controls.
    pub(super) slopes: Option<(f64, f64, Vec<f64>)>,
    /// A centre for the weights, and how strongly they are drawn to it: one over the variance of a normal prior.
    pub(super) pull: Option<(Vec<f64>, f64)>,
}

/// A place in the space of parameters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    /// 0 or more, adding up to 1.
    pub(super) weights: Vec<f64>,
    pub(super) intercept: f64,
    pub(super) short: f64,
    pub(super) spare: f64,
    pub(super) controls: Vec<f64>,
    pub(super) objective: f64,
    pub(super) log_likelihood: f64,
}

/// Fits weights, slopes and controls.
pub fn weigh(data: &Judged<'_>, level: f64) -> Answer<Weighed> {
    data.check()?;
    let z = two_sided_z(level)?;
    let point = best(data, &Fixed::default())?;
    let weights = point.weights.clone();
    let errors = errors(data, &point)?;
    // Without information a weight may be anything, but for the only one.
    let known = |k: usize| match &errors {
        Some(errors) => Some(errors.weights[k]),
        None => (weights.len() == 1).then_some(0.0),
    };
    let slope = |value: f64, error: fn(&StandardErrors) -> f64| {
        let half = errors.as_ref().map(|errors| z * error(errors));
        Slope { value, interval: half.map(|half| Interval::new(value - half, value + half)) }
    };
    let each = weights.iter().enumerate().map(|(k, &value)| {
        let interval = known(k).map_or(Interval::new(0.0, 1.0), |error| limits(value, z * error));
        Weight { value, standard_error: known(k).unwrap_or(1.0), interval }
    });
    let each: Vec<Weight> = each.collect();
    let separable = each.iter().all(|weight| weight.interval.width() <= WIDEST);
    let others = std::iter::once(point.intercept).chain(point.controls.iter().copied()).collect();
    Ok(Weighed {
        weights: each,
        short: slope(point.short, |errors| errors.short),
        spare: slope(point.spare, |errors| errors.spare),
        others,
        log_likelihood: finite(point.log_likelihood, "the log-likelihood")?,
        separable,
        rows: data.values.len(),
    })
}

impl Weighed {
    /// The weights to use: the fitted ones, or a refusal where they cannot be told apart.
    pub fn told_apart(&self) -> Answer<Vec<f64>> {
        if self.separable {
            Ok(self.weights.iter().map(|w| w.value).collect())
        } else {
            Err(Refusal::NotSeparable { what: "the weights of the factors" })
        }
    }
}

fn limits(value: f64, half: f64) -> Interval {
    Interval::new((value - half).max(0.0), (value + half).min(1.0))
}

/// The best of several starts: equal weights, and each factor mostly alone.
pub(super) fn best(data: &Judged<'_>, fixed: &Fixed) -> Answer<Point> {
    let factors = data.factors.width();
    let mut starts = vec![vec![1.0 / factors as f64; factors]];
    if let Some((centre, _)) = &fixed.pull {
        starts = vec![centre.clone()];
    } else if factors > 1 {
        let rest = 0.3 / (factors - 1) as f64;
        starts.extend((0..factors).map(|k| (0..factors).map(|j| if j == k { 0.7 } else { rest }).collect()));
    }
    let mut best: Option<Point> = None;
    let mut failed = Refusal::NotConverged { iterations: MOST_ITERATIONS };
    for start in starts {
        match climb(data, fixed, start) {
            Ok(point) if best.as_ref().is_none_or(|b| point.objective > b.objective + SMALL_GAIN) => {
                best = Some(point);
            }
            Ok(_) => {}
            Err(refusal) => failed = refusal,
        }
    }
    best.ok_or(failed)
}

/// Objective, slope and expected curvature: first in the linear coefficients that are free, then in each weight as if the
/// weights were free to add up to anything.
struct Local {
    objective: f64,
    log_likelihood: f64,
    score: DVector<f64>,
    information: DMatrix<f64>,
    /// How many linear coefficients there are.
    linear: usize,
}

fn local(data: &Judged<'_>, fixed: &Fixed, point: &Point) -> Local {
    let factors = data.factors.width();
    let free_slopes = fixed.slopes.is_none();
    let linear = 1 + if free_slopes { 2 + data.controls.width() } else { 0 };
    let width = linear + factors;
    let mut score = vec![0.0; width];
    let mut information = vec![0.0; width * width];
    let mut log_likelihood = 0.0;
    let mut z = vec![0.0; width];
    for i in 0..data.values.len() {
        let shortfall = data.shortfall(i, &point.weights);
        let (short, spare) = (shortfall.max(0.0), (-shortfall).max(0.0));
        let controls = data.controls.row(i);
        let eta = point.intercept
            + point.short * short
            + point.spare * spare
            + controls.iter().zip(&point.controls).map(|(x, b)| x * b).sum::<f64>();
        let y = data.outcome[i];
        let mean = logistic(eta);
        log_likelihood += y * eta - eta.max(0.0) - (-eta.abs()).exp().ln_1p();
        let (rest, weight) = (y - mean, mean * (1.0 - mean));
        z[0] = 1.0;
        if free_slopes {
            z[1] = short;
            z[2] = spare;
            z[3..linear].copy_from_slice(controls);
        }
        // How the logit moves with the reference; factors from the value on, which changes nothing as weights add up to 1.
        let slope = if shortfall > 0.0 { -point.short } else { point.spare };
        for (z, factor) in z[linear..].iter_mut().zip(data.factors.row(i)) {
            *z = slope * (factor - data.values[i]);
        }
        for k in 0..width {
            score[k] += rest * z[k];
            let own = weight * z[k];
            for j in 0..=k {
                information[k * width + j] += own * z[j];
            }
        }
    }
    let mut objective = log_likelihood;
    if let Some((centre, strength)) = &fixed.pull {
        for (k, (weight, centre)) in point.weights.iter().zip(centre).enumerate() {
            let (away, place) = (weight - centre, linear + k);
            objective -= strength / 2.0 * away * away;
            score[place] -= strength * away;
            information[place * width + place] += strength;
        }
    }
    let information = DMatrix::from_fn(width, width, |k, j| information[k.max(j) * width + k.min(j)]);
    Local { objective, log_likelihood, score: DVector::from_vec(score), information, linear }
}

/// A step from here: changes of the linear coefficients, then of each weight, which add up to 0 and push no weight that is
/// 0 below it. None where the damped information has no inverse.
fn step(here: &Local, weights: &[f64], damping: f64) -> Option<Vec<f64>> {
    let (linear, factors) = (here.linear, weights.len());
    let base = (0..factors).max_by(|&a, &b| weights[a].total_cmp(&weights[b]))?;
    let mut free: Vec<usize> = (0..factors).filter(|&k| k != base).collect();
    loop {
        // What weight k gains, the base gives: columns of the change of variables.
        let columns: Vec<(usize, Option<usize>)> = (0..linear)
            .map(|k| (k, None))
            .chain(free.iter().map(|k| (linear + k, Some(linear + base))))
            .collect();
        let pair = |m: &DMatrix<f64>, (a, a2): (usize, Option<usize>), (b, b2): (usize, Option<usize>)| {
            let minus = |x: Option<usize>, y: usize| x.map_or(0.0, |x| m[(x, y)]);
            let both = a2.and_then(|a2| b2.map(|b2| m[(a2, b2)])).unwrap_or(0.0);
            m[(a, b)] - minus(a2, b) - minus(b2, a) + both
        };
        let n = columns.len();
        let mut system = DMatrix::from_fn(n, n, |i, j| pair(&here.information, columns[i], columns[j]));
        for k in 0..n {
            system[(k, k)] += damping * system[(k, k)].max(1e-9);
        }
        let slope = |(a, a2): (usize, Option<usize>)| here.score[a] - a2.map_or(0.0, |a2| here.score[a2]);
        let solved = system.cholesky()?.solve(&DVector::from_fn(n, |k, _| slope(columns[k])));
        let stuck =
            free.iter().enumerate().position(|(at, &k)| weights[k] <= 0.0 && solved[linear + at] < 0.0);
        if let Some(stuck) = stuck {
            free.remove(stuck);
            continue;
        }
        let mut step = vec![0.0; linear + factors];
        step[..linear].copy_from_slice(&solved.as_slice()[..linear]);
        for (at, &k) in free.iter().enumerate() {
            step[linear + k] = solved[linear + at];
            step[linear + base] -= solved[linear + at];
        }
        return Some(step);
    }
}

/// Climbs from one start.
fn climb(data: &Judged<'_>, fixed: &Fixed, weights: Vec<f64>) -> Answer<Point> {
    let events: f64 = data.outcome.iter().sum();
    let n = data.outcome.len() as f64;
    let (short, spare, controls) =
        fixed.slopes.clone().unwrap_or_else(|| (0.5, 0.0, vec![0.0; data.controls.width()]));
    let intercept = (events / (n - events)).ln();
    let mut point = Point { weights, intercept, short, spare, controls, objective: 0.0, log_likelihood: 0.0 };
    let mut here = local(data, fixed, &point);
    let mut damping = 1e-3;
    let mut quiet = 0;
    for _ in 0..MOST_ITERATIONS {
        let Some(step) = step(&here, &point.weights, damping) else {
            damping *= 10.0;
            if damping > 1e12 {
                return Err(Refusal::Separated { covariate: None });
            }
            continue;
        };
        let next = moved(&point, fixed, &step, here.linear);
        let there = local(data, fixed, &next);
        if there.objective.is_finite() && there.objective >= here.objective {
            let gain = there.objective - here.objective;
            quiet = if gain < SMALL_GAIN { quiet + 1 } else { 0 };
            (point, here) = (next, there);
            damping = (damping / 5.0).max(1e-9);
        } else {
            // At a kink, where many values meet their reference, even a short step may lose: then this is the top.
            damping *= 5.0;
            quiet += usize::from(damping > 1e6);
        }
        if quiet >= 3 {
            point.objective = here.objective;
            point.log_likelihood = here.log_likelihood;
            return Ok(point);
        }
    }
    Err(Refusal::NotConverged { iterations: MOST_ITERATIONS })
}

/// A few steps up from a place that is near the top.
pub(super) fn refit(data: &Judged<'_>, fixed: &Fixed, from: &Point, steps: usize) -> Point {
    let mut point = from.clone();
    if let Some((short, spare, controls)) = &fixed.slopes {
        (point.short, point.spare, point.controls) = (*short, *spare, controls.clone());
    }
    let mut here = local(data, fixed, &point);
    let mut damping = 1e-3;
    for _ in 0..steps {
        let Some(step) = step(&here, &point.weights, damping) else { break };
        let next = moved(&point, fixed, &step, here.linear);
        let there = local(data, fixed, &next);
        if there.objective.is_finite() && there.objective >= here.objective {
            (point, here) = (next, there);
            damping /= 5.0;
        } else {
            damping *= 100.0;
        }
    }
    point
}

/// Along the step, as far as no weight falls below 0.
fn moved(point: &Point, fixed: &Fixed, step: &[f64], linear: usize) -> Point {
    let changes = &step[linear..];
    let mut share = 1.0_f64;
    let mut first = None;
    for (k, (weight, change)) in point.weights.iter().zip(changes).enumerate() {
        if *change < 0.0 && weight / -change < share {
            share = weight / -change;
            first = Some(k);
        }
    }
    let mut next = point.clone();
    next.intercept += share * step[0];
    if fixed.slopes.is_none() {
        next.short += share * step[1];
        next.spare += share * step[2];
        next.controls.iter_mut().zip(&step[3..linear]).for_each(|(b, s)| *b += share * s);
    }
    for (weight, change) in next.weights.iter_mut().zip(changes) {
        *weight = (*weight + share * change).max(0.0);
    }
    if let Some(first) = first {
        next.weights[first] = 0.0;
    }
    let total: f64 = next.weights.iter().sum();
    for weight in &mut next.weights {
        *weight /= total;
    }
    next
}

/// Of everything that is fitted together.
struct StandardErrors {
    weights: Vec<f64>,
    short: f64,
    spare: f64,
}

/// Standard errors; none where there is no information on some direction of the weights.
fn errors(data: &Judged<'_>, point: &Point) -> Answer<Option<StandardErrors>> {
    let factors = data.factors.width();
    let linear = 3 + data.controls.width();
    let width = linear + factors - 1;
    let weights = &point.weights;
    let mut information = DMatrix::<f64>::zeros(width, width);
    let mut z = DVector::<f64>::zeros(width);
    let mut scores: BTreeMap<u64, DVector<f64>> = BTreeMap::new();
    let clustered = Errors::over(data.lines) == Errors::Clustered;
    for i in 0..data.values.len() {
        let row = data.factors.row(i);
        let shortfall = data.shortfall(i, weights);
        let controls = data.controls.row(i);
        let eta = point.intercept
            + point.short * shortfall.max(0.0)
            + point.spare * (-shortfall).max(0.0)
            + controls.iter().zip(&point.controls).map(|(x, b)| x * b).sum::<f64>();
        let mean = logistic(eta);
        z[0] = 1.0;
        z[1] = shortfall.max(0.0);
        z[2] = (-shortfall).max(0.0);
        for (place, control) in z.as_mut_slice()[3..linear].iter_mut().zip(controls) {
            *place = *control;
        }
        let slope = if shortfall > 0.0 { -point.short } else { point.spare };
        for k in 1..factors {
            // The weights add up to 1: what factor k gains, the first one gives.
            z[linear + k - 1] = slope * (row[k] - row[0]);
        }
        information.ger(mean * (1.0 - mean), &z, &z, 1.0);
        if clustered {
            let score = scores.entry(data.lines[i]).or_insert_with(|| DVector::zeros(width));
            score.axpy(data.outcome[i] - mean, &z, 1.0);
        }
    }
    // In units of its own spread, so that the pivots say how much of each column is its own.
    let spread: Vec<f64> = (0..width).map(|k| information[(k, k)].sqrt()).collect();
    if spread.iter().any(|s| !s.is_finite() || *s <= 0.0) {
        return Ok(None);
    }
    let scaled = DMatrix::from_fn(width, width, |k, j| information[(k, j)] / (spread[k] * spread[j]));
    let root =
        scaled.cholesky().filter(|root| root.l_dirty().diagonal().iter().all(|p| p * p > NO_OWN_SHARE));
    let Some(root) = root else { return Ok(None) };
    let mut inverse = root.inverse();
    if clustered {
        let lines = scores.len() as f64;
        let mut meat = DMatrix::<f64>::zeros(width, width);
        for score in scores.values() {
            let scaled = DVector::from_fn(width, |k, _| score[k] / spread[k]);
            meat.ger(lines / (lines - 1.0), &scaled, &scaled, 1.0);
        }
        inverse = &inverse * meat * &inverse;
    }
    let covariance = |a: usize, b: usize| inverse[(a, b)] / (spread[a] * spread[b]);
    let mut variances = vec![0.0; factors];
    for k in 1..factors {
        let at = linear + k - 1;
        variances[k] = covariance(at, at);
        for other in linear..width {
            variances[0] += covariance(at, other);
        }
    }
    let error = |variance: f64| variance.max(0.0).sqrt();
    let weights: Vec<f64> = variances.into_iter().map(error).collect();
    all_finite(&weights, "the error of a weight")?;
    let [short, spare] = [1, 2].map(|k| error(covariance(k, k)));
    all_finite(&[short, spare], "the error of a slope")?;
    Ok(Some(StandardErrors { weights, short, spare }))
}

/// How the log-likelihood falls off from its top where two weights are held fast: for each pair of `(first, second)`, twice
/// the loss, the other weights in their fitted proportions and everything else fitted anew. Pairs that add up to more
/// than 1 have none.
pub fn profile(
    data: &Judged<'_>,
    fitted: &Weighed,
    (first, second): (usize, usize),
    steps: usize,
) -> Answer<Vec<(f64, f64, Option<f64>)>> {
    let factors = data.factors.width();
    same_length(fitted.weights.len(), factors, "the weights and the factors")?;
    if first >= factors || second >= factors || first == second {
        let value = first.max(second) as f64;
        return Err(Refusal::OutOfRange { what: "a factor", value, allowed: "one of the model, not twice" });
    }
    let others: f64 =
        (0..factors).filter(|k| *k != first && *k != second).map(|k| fitted.weights[k].value).sum();
    let mut grid = Vec::with_capacity((steps + 1) * (steps + 1));
    for i in 0..=steps {
        for j in 0..=steps {
            let (a, b) = (i as f64 / steps as f64, j as f64 / steps as f64);
            let left = 1.0 - a - b;
            if left < -1e-9 || (factors == 2 && left.abs() > 1e-9) {
                grid.push((a, b, None));
                continue;
            }
            let share = |k: usize| match k {
                k if k == first => a,
                k if k == second => b,
                k if others > 0.0 => left.max(0.0) * fitted.weights[k].value / others,
                _ => left.max(0.0) / (factors - 2) as f64,
            };
            let weights: Vec<f64> = (0..factors).map(share).collect();
            let rows = super::matter::both_sides(data, &weights)?;
            let fit =
                crate::stats::glm::Glm::new(crate::stats::glm::Family::Bernoulli, &rows, data.outcome).fit();
            let loss = fit.ok().map(|fit| (2.0 * (fitted.log_likelihood - fit.log_likelihood)).max(0.0));
            grid.push((a, b, loss));
        }
    }
    Ok(grid)
}
