//! Is there a threshold, and where? A logistic line that is flat up to a knee and bends there.
//!
//! logit p = a + b max(0, x - k) + controls, by maximum likelihood at each k of a grid from 5% to 95% of x (of the x of
//! the outcomes, where that reaches further), and again around the best (profile likelihood; Ulm, Stat. Med. 10, 1991).
//! The interval is every k whose deviance lies within the chi-squared limit of the best, once deviances are divided by what
//! rows of one cluster inflate them. A knee is accepted only if it beats the straight line by more than 5.99 (the place of
//! the knee is one parameter more, and not a regular one, so 3.84 is too little) and also on rows it was not fitted to,
//! fold by fold; and only if its interval ends inside the grid: where it does not, the threshold may lie anywhere beyond
//! the values.
//!
//! It knows one knee: a curve that bends slowly has none, and is read from a spline. Where lower values are the worse
//! ones, give the negative of x.

use super::Interval;
use super::distribution::chi_squared_quantile;
use super::glm::{Errors, Estimated, Family, Fit, Glm};
use super::quantile::{nearest_rank, sorted};
use super::refusal::{Answer, Refusal, all_finite, at_least, same_length};
use super::rows::Rows;

/// What the knee must gain in deviance over the straight line: the 95% limit of chi-squared at two degrees of freedom.
pub const LEAST_GAIN: f64 = 5.991_464_547_107_979;
/// A bend is looked for only where so many outcomes lie beyond it.
const LEAST_BEYOND: usize = 20;
const GRID: usize = 31;
const FINE: usize = 10;
const HELD_OUT_GRID: usize = 13;
const FOLDS: u64 = 5;

/// Outcomes against a value, with what else matters.
#[derive(Clone, Copy, Debug)]
pub struct Exposed<'a> {
    /// The value that may have a threshold; higher is worse.
    pub values: &'a [f64],
    /// Yes (1) or no (0).
    pub outcome: &'a [f64],
    /// Other covariates; a table of width 0 where there are none.
    pub controls: &'a Rows,
    /// What each row may share its error with; rows of one cluster stay in one fold.
    pub clusters: &'a [u64],
}

/// Why a reader is told of no threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKnee {
    /// A bend explains no more than a straight line, or predicts no better.
    Straight,
    /// Beyond the bend the outcome gets rarer, not more frequent.
    Falls,
    /// On one side nothing but the end of the values bounds it.
    Open,
}

/// A knee, accepted or not.
#[derive(Clone, Debug)]
pub struct Hinge {
    /// Where the line bends, at best.
    pub knee: f64,
    /// Every knee that fits about as well; it ends at the ends of the grid where the data leave it open.
    pub interval: Interval,
    /// Whether the interval ends because the grid does, below and above.
    pub open: (bool, bool),
    /// The change of the logit per unit beyond the knee; its interval takes the knee as known.
    pub slope: Estimated,
    /// The gain in deviance over a straight line, less what rows that share their errors make of it.
    pub gain: f64,
    /// The same on held-out rows: above 0 where the knee predicts better.
    pub held_out_gain: f64,
    /// Each knee tried, ascending, and how far its deviance lies from the best.
    pub profile: Vec<(f64, f64)>,
    /// Why a reader may not be told of it; none where they may.
    pub refused: Option<NoKnee>,
}

impl Hinge {
    /// Whether a reader may be told of a threshold.
    pub const fn accepted(&self) -> bool {
        self.refused.is_none()
    }
}

/// Looks for the knee.
pub fn hinge(data: &Exposed<'_>, level: f64) -> Answer<Hinge> {
    let n = data.values.len();
    same_length(n, data.outcome.len(), "the values and the outcomes")?;
    same_length(n, data.controls.len(), "the values and the controls")?;
    same_length(n, data.clusters.len(), "the values and the clusters")?;
    all_finite(data.values, "a value")?;
    let events = data.outcome.iter().filter(|y| **y > 0.0).count();
    at_least(events.min(n - events), LEAST_BEYOND, "outcomes of the rarer kind")?;
    let ordered = sorted(data.values.to_vec())?;
    let range = (nearest_rank(&ordered, 0.05)?, highest(&ordered, data)?);
    if range.0 >= range.1 {
        return Err(Refusal::NoVariation { what: "the values between their 5% and 95%" });
    }
    let limit = chi_squared_quantile(level, 1.0)?;
    let everything = |_: usize| true;
    let line = fit(data, None, &everything)?;

    let mut tried = Vec::new();
    for k in grid(range, GRID) {
        tried.push((k, fit(data, Some(k), &everything)?.log_likelihood));
    }
    let best = best_of(&tried);
    let around = (tried[best.saturating_sub(1)].0, tried[(best + 1).min(tried.len() - 1)].0);
    for k in grid(around, FINE + 2).into_iter().skip(1).take(FINE) {
        tried.push((k, fit(data, Some(k), &everything)?.log_likelihood));
    }
    tried.sort_by(|a, b| a.0.total_cmp(&b.0));
    let best = best_of(&tried);
    let (knee, top) = tried[best];
    let deviance = inflation(data, knee)?;
    let profile: Vec<(f64, f64)> = tried.iter().map(|&(k, ll)| (k, 2.0 * (top - ll) / deviance)).collect();
    let (interval, open) = within(&profile, best, limit);
    let gain = 2.0 * (top - line.log_likelihood) / deviance;
    let held_out_gain = if gain > LEAST_GAIN { held_out(data, range)? } else { f64::NEG_INFINITY };
    let slope = slope_beyond(data, knee, level)?;
    let refused = if gain <= LEAST_GAIN || held_out_gain <= 0.0 {
        Some(NoKnee::Straight)
    } else if slope.value <= 0.0 {
        Some(NoKnee::Falls)
    } else if open.0 || open.1 {
        Some(NoKnee::Open)
    } else {
        None
    };
    Ok(Hinge {
        knee,
        interval,
        open,
        slope,
        gain,
        held_out_gain: if held_out_gain.is_finite() { held_out_gain } else { 0.0 },
        profile,
        refused,
    })
}

/// The change of the logit per unit beyond a knee that is known.
pub fn slope_beyond(data: &Exposed<'_>, knee: f64, level: f64) -> Answer<Estimated> {
    fit(data, Some(knee), &|_| true)?.coefficient(1, Errors::over(data.clusters), level)
}

/// How many times as large variances are as they would be if rows did not share their errors: deviances are that much
/// too large (Rao and Scott, Ann. Stat. 12, 1984). Taken at the knee, of the slope or of the place of the knee (its
/// column is that of Muggeo, Stat. Med. 22, 2003), whichever is more.
fn inflation(data: &Exposed<'_>, knee: f64) -> Answer<f64> {
    if Errors::over(data.clusters) == Errors::Model {
        return Ok(1.0);
    }
    let rows = rows(data, |x| [(x - knee).max(0.0), f64::from(u8::from(x > knee))], &|_| true)?;
    let fit = Glm::new(Family::Bernoulli, &rows, data.outcome).clusters(data.clusters).fit()?;
    let mut most = 1.0_f64;
    for column in [1, 2] {
        let error = |errors| fit.coefficient(column, errors, 0.95).map(|e| e.standard_error);
        most = most.max((error(Errors::Clustered)? / error(Errors::Model)?).powi(2));
    }
    Ok(most)
}

/// The last knee to look at: 95% of the values, or further where 95% of the outcomes lie further; where only the worst
/// values matter, they do. Beyond that place lie some rows with the outcome and some without; beyond any place lies a row.
fn highest(ordered: &[f64], data: &Exposed<'_>) -> Answer<f64> {
    let of = |kind: bool| {
        let pairs = data.values.iter().zip(data.outcome);
        sorted(pairs.filter(|(_, y)| (**y > 0.0) == kind).map(|(x, _)| *x).collect())
    };
    let (events, others) = (of(true)?, of(false)?);
    let last = |values: &[f64], beyond: usize| values.len().checked_sub(beyond).map(|at| values[at]);
    let first_beyond = last(&events, LEAST_BEYOND.max(events.len().div_ceil(20)))
        .zip(last(&others, LEAST_BEYOND))
        .map_or(f64::NEG_INFINITY, |(a, b)| a.min(b));
    let worst = ordered.last().copied().unwrap_or(f64::NAN);
    let before = |limit: f64| ordered.iter().rfind(|x| **x < limit).copied();
    let usual = nearest_rank(ordered, 0.95)?;
    let usual = if usual < worst { usual } else { before(worst).unwrap_or(usual) };
    Ok(before(first_beyond).map_or(usual, |of_events| usual.max(of_events)))
}

fn grid((low, high): (f64, f64), count: usize) -> Vec<f64> {
    (0..count).map(|i| low + (high - low) * i as f64 / (count - 1) as f64).collect()
}

fn best_of(tried: &[(f64, f64)]) -> usize {
    let order = |a: &usize, b: &usize| tried[*a].1.total_cmp(&tried[*b].1).then(b.cmp(a));
    (0..tried.len()).max_by(order).unwrap_or(0)
}

/// The rows to keep: columns made of the value, and the controls.
fn rows<const N: usize>(
    data: &Exposed<'_>,
    columns: impl Fn(f64) -> [f64; N],
    keep: &impl Fn(usize) -> bool,
) -> Answer<Rows> {
    let mut rows = Rows::new(N + data.controls.width());
    let mut row = Vec::with_capacity(rows.width());
    for i in (0..data.values.len()).filter(|&i| keep(i)) {
        row.clear();
        row.extend(columns(data.values[i]));
        row.extend_from_slice(data.controls.row(i));
        rows.push(&row)?;
    }
    Ok(rows)
}

fn fit(data: &Exposed<'_>, knee: Option<f64>, keep: &impl Fn(usize) -> bool) -> Answer<Fit> {
    let rows = rows(data, |x| [knee.map_or(x, |k| (x - k).max(0.0))], keep)?;
    let kept = |i: &usize| keep(*i);
    let outcome: Vec<f64> = (0..data.outcome.len()).filter(kept).map(|i| data.outcome[i]).collect();
    let clusters: Vec<u64> = (0..data.clusters.len()).filter(kept).map(|i| data.clusters[i]).collect();
    Glm::new(Family::Bernoulli, &rows, &outcome).clusters(&clusters).fit()
}

/// Walks from the best knee outward until the deviance crosses the limit.
fn within(profile: &[(f64, f64)], best: usize, limit: f64) -> (Interval, (bool, bool)) {
    let crossing = |inside: (f64, f64), outside: (f64, f64)| {
        inside.0 + (outside.0 - inside.0) * (limit - inside.1) / (outside.1 - inside.1)
    };
    let below = (0..best).rev().find(|&i| profile[i].1 > limit);
    let above = (best + 1..profile.len()).find(|&i| profile[i].1 > limit);
    let low = below.map_or(profile[0].0, |i| crossing(profile[i + 1], profile[i]));
    let high = above.map_or(profile[profile.len() - 1].0, |i| crossing(profile[i - 1], profile[i]));
    (Interval::new(low, high), (below.is_none(), above.is_none()))
}

/// How much less deviance the knee leaves than the line on rows that neither was fitted to.
fn held_out(data: &Exposed<'_>, range: (f64, f64)) -> Answer<f64> {
    // Clusters are dealt out by a fixed hash, so that their numbering carries no meaning into the folds.
    let fold = |i: usize| (data.clusters[i].wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % FOLDS;
    let mut gain = 0.0;
    for left_out in 0..FOLDS {
        let keep = |i: usize| fold(i) != left_out;
        let line = fit(data, None, &keep)?;
        let mut best: Option<(f64, Fit)> = None;
        for k in grid(range, HELD_OUT_GRID) {
            let Ok(fitted) = fit(data, Some(k), &keep) else { continue };
            if best.as_ref().is_none_or(|(_, b)| fitted.log_likelihood > b.log_likelihood) {
                best = Some((k, fitted));
            }
        }
        let Some((knee, bent)) = best else { return Err(Refusal::Unstable { what: "the knee in a fold" }) };
        let mut row = Vec::new();
        for i in (0..data.values.len()).filter(|&i| !keep(i)) {
            let mut deviance = |fit: &Fit, x: f64| -> Answer<f64> {
                row.clear();
                row.push(x);
                row.extend_from_slice(data.controls.row(i));
                let eta = fit.linear(&row)?;
                let likelihood = data.outcome[i] * eta - eta.max(0.0) - (-eta.abs()).exp().ln_1p();
                Ok(-2.0 * likelihood)
            };
            gain += deviance(&line, data.values[i])? - deviance(&bent, (data.values[i] - knee).max(0.0))?;
        }
    }
    Ok(gain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::glm::logistic;
    use crate::stats::oracle::uniforms;

    fn data(n: usize, p: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<f64>) {
        let u = uniforms(5, 2 * n);
        let x: Vec<f64> = u[..n].iter().map(|u| 150.0 * u).collect();
        let y = (0..n).map(|i| f64::from(u8::from(u[n + i] < p(x[i])))).collect();
        (x, y)
    }

    fn bare(n: usize) -> (Rows, Vec<u64>) {
        let mut rows = Rows::new(0);
        (0..n).for_each(|_| rows.push(&[]).unwrap());
        (rows, (0..n as u64).collect())
    }

    #[test]
    fn a_planted_knee_is_found_and_accepted() {
        let (x, y) = data(6_000, |x| logistic(-3.0 + 0.04 * (x - 80.0).max(0.0)));
        let (controls, clusters) = bare(6_000);
        let exposed = Exposed { values: &x, outcome: &y, controls: &controls, clusters: &clusters };
        let found = hinge(&exposed, 0.95).unwrap();
        assert!(found.accepted() && found.interval.contains(80.0), "{found:?}");
        assert!((found.knee - 80.0).abs() < 12.0 && found.slope.interval.contains(0.04), "{found:?}");
        assert!(found.interval.contains(found.knee) && found.interval.width() < 40.0);
    }

    #[test]
    fn a_straight_logit_has_no_knee() {
        let (x, y) = data(6_000, |x| logistic(-3.0 + 0.02 * x));
        let (controls, clusters) = bare(6_000);
        let exposed = Exposed { values: &x, outcome: &y, controls: &controls, clusters: &clusters };
        assert_eq!(hinge(&exposed, 0.95).unwrap().refused, Some(NoKnee::Straight));
    }

    #[test]
    fn a_knee_that_only_the_worst_values_pass_is_found_where_it_is() {
        let (x, y) = data(20_000, |x| logistic(-4.0 + 0.8 * (x - 145.0).max(0.0)));
        let (controls, clusters) = bare(20_000);
        let exposed = Exposed { values: &x, outcome: &y, controls: &controls, clusters: &clusters };
        let found = hinge(&exposed, 0.95).unwrap();
        assert!(found.accepted() && found.interval.contains(145.0), "{found:?}");
        assert!(found.interval.width() < 4.0, "{found:?}");
    }

    #[test]
    fn a_rise_at_the_worst_value_alone_leaves_the_threshold_open() {
        let (x, y) = data(6_000, |x| if x >= 120.0 { 0.3 } else { 0.02 });
        let x: Vec<f64> = x.iter().map(|x| (x / 30.0).floor()).collect();
        let (controls, clusters) = bare(6_000);
        let exposed = Exposed { values: &x, outcome: &y, controls: &controls, clusters: &clusters };
        let found = hinge(&exposed, 0.95).unwrap();
        assert_eq!((found.refused, found.open), (Some(NoKnee::Open), (false, true)), "{found:?}");
    }

    #[test]
    fn a_bend_after_which_complaints_get_rarer_is_no_threshold() {
        let (x, y) = data(6_000, |x| logistic(-0.5 - 0.04 * (x - 80.0).max(0.0)));
        let (controls, clusters) = bare(6_000);
        let exposed = Exposed { values: &x, outcome: &y, controls: &controls, clusters: &clusters };
        assert_eq!(hinge(&exposed, 0.95).unwrap().refused, Some(NoKnee::Falls));
    }

    #[test]
    fn few_outcomes_and_values_that_do_not_vary_are_refused() {
        let (controls, clusters) = bare(100);
        let mut y = vec![0.0; 100];
        y[..10].fill(1.0);
        let x: Vec<f64> = (0..100).map(f64::from).collect();
        let few = Exposed { values: &x, outcome: &y, controls: &controls, clusters: &clusters };
        assert!(matches!(hinge(&few, 0.95), Err(Refusal::TooFew { .. })));
        y[..40].fill(1.0);
        let flat = Exposed { values: &[7.0; 100], outcome: &y, controls: &controls, clusters: &clusters };
        assert!(matches!(hinge(&flat, 0.95), Err(Refusal::NoVariation { .. })));
    }
}
