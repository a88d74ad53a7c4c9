//! What studies of complaints, expectation, satisfaction and repairs must find in planted data, each with its bar.
//!
//! A rate's bar is widened by two Monte-Carlo standard deviations for the replicates that are run: with 500 that is .02 at
//! .05 and .027 at .90.

use super::experiments::{Finding, mean, share};
use super::{normal, poisson, random};
use crate::stats::attributable::{LineCounts, explained};
use crate::stats::classifier::{at_capacity, calibration};
use crate::stats::did::{Picked, Unit, difference_in_differences};
use crate::stats::expectation::{Judged, matter::matters, weights::weigh};
use crate::stats::glm::{Errors, Family, Glm};
use crate::stats::hinge::{Exposed, hinge};
use crate::stats::lead_lag::lead_lag;
use crate::stats::path_model::{Block, Mode, Model, Scheme, fit, resample};
use crate::stats::plateau::{Shape, returns};
use crate::stats::rows::Rows;
use crate::stats::saturation::{Loaded, balance_point};
use crate::stats::{Answer, Stream};

/// A bar for a rate, widened for the replicates.
fn banded((low, high): (f64, f64), replicates: usize) -> (f64, f64) {
    let slack = |p: f64| 2.0 * (p * (1.0 - p) / replicates as f64).sqrt();
    (low - slack(low), high + slack(high))
}

fn rate(what: &'static str, hits: &[bool], bar: (f64, f64)) -> Finding {
    share(what, hits, banded(bar, hits.len()))
}

fn chance(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn happens(stream: &mut Stream, p: f64) -> f64 {
    f64::from(u8::from(stream.uniform() < p))
}

fn bare(n: usize) -> Answer<Rows> {
    let mut rows = Rows::new(0);
    (0..n).try_for_each(|_| rows.push(&[]))?;
    Ok(rows)
}

/// Some 900 complaints of 8,000 lines with a knee at 80; and as many on a straight logit.
pub(crate) fn knees(replicates: u64) -> Answer<Vec<Finding>> {
    const LINES: usize = 8_000;
    let controls = bare(LINES)?;
    let clusters: Vec<u64> = (0..LINES as u64).collect();
    let (mut places, mut covered, mut accepted, mut wrong) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 0..replicates {
        for bent in [true, false] {
            let mut stream = random(if bent { 201 } else { 202 }, number);
            let values: Vec<f64> = (0..LINES).map(|_| 10.0 + 140.0 * stream.uniform()).collect();
            let logit = |x: f64| if bent { -3.1 + 0.04 * (x - 80.0).max(0.0) } else { -3.7 + 0.02 * x };
            let outcome: Vec<f64> = values.iter().map(|&x| happens(&mut stream, chance(logit(x)))).collect();
            let data =
                Exposed { values: &values, outcome: &outcome, controls: &controls, clusters: &clusters };
            let found = hinge(&data, 0.95)?;
            if bent {
                places.push(found.knee);
                covered.push(found.interval.contains(80.0));
                accepted.push(found.accepted());
            } else {
                wrong.push(found.accepted());
            }
        }
    }
    places.sort_by(f64::total_cmp);
    let middle = places[places.len() / 2];
    Ok(vec![
        mean("knee at 80, median", &[middle], (75.0, 85.0)),
        rate("knee at 80: interval covers", &covered, (0.90, 1.0)),
        rate("knee at 80: accepted", &accepted, (0.90, 1.0)),
        rate("straight logit: a knee claimed", &wrong, (0.0, 0.05)),
    ])
}

/// 300 lines for 40 days each, some of which complain by far more readily than others: a knee at 80, and a straight logit.
pub(crate) fn knees_of_lines(replicates: u64) -> Answer<Vec<Finding>> {
    const LINES: usize = 300;
    const DAYS: usize = 40;
    let controls = bare(LINES * DAYS)?;
    let clusters: Vec<u64> = (0..LINES * DAYS).map(|i| (i / DAYS) as u64).collect();
    let (mut covered, mut accepted, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..replicates {
        for bent in [true, false] {
            let mut stream = random(if bent { 203 } else { 204 }, number);
            let (mut values, mut outcome) = (Vec::new(), Vec::new());
            for _ in 0..LINES {
                let (usual, ready) = (50.0 + 60.0 * stream.uniform(), normal(&mut stream));
                for _ in 0..DAYS {
                    let x = (usual + 25.0 * normal(&mut stream)).clamp(10.0, 150.0);
                    let rise = if bent { 0.05 * (x - 80.0).max(0.0) } else { 0.025 * x - 1.0 };
                    values.push(x);
                    outcome.push(happens(&mut stream, chance(-4.2 + ready + rise)));
                }
            }
            let data =
                Exposed { values: &values, outcome: &outcome, controls: &controls, clusters: &clusters };
            let found = hinge(&data, 0.95)?;
            if bent {
                covered.push(found.interval.contains(80.0));
                accepted.push(found.accepted());
            } else {
                wrong.push(found.accepted());
            }
        }
    }
    Ok(vec![
        rate("knee at 80, lines that differ: interval covers", &covered, (0.90, 1.0)),
        rate("knee at 80, lines that differ: accepted", &accepted, (0.80, 1.0)),
        rate("straight logit, lines that differ: a knee claimed", &wrong, (0.0, 0.05)),
    ])
}

fn drifting(stream: &mut Stream, days: usize, keep: f64) -> Vec<f64> {
    let mut value = normal(stream) / (1.0 - keep * keep).sqrt();
    (0..days)
        .map(|_| {
            value = keep * value + normal(stream);
            value
        })
        .collect()
}

/// Two independent AR(.7) series of 180 days; and one that follows the other after three days.
pub(crate) fn leads(replicates: u64) -> Answer<Vec<Finding>> {
    let (mut alarms, mut found, mut named) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..replicates {
        let mut stream = random(203, number);
        let (x, y) = (drifting(&mut stream, 180, 0.7), drifting(&mut stream, 180, 0.7));
        alarms.push(lead_lag(&x, &y, 7, 199, number)?.strongest.p <= 0.05);
        let late: Vec<f64> = (0..180).map(|t| y[t] + if t >= 3 { 0.4 * x[t - 3] } else { 0.0 }).collect();
        let led = lead_lag(&x, &late, 7, 199, number)?.strongest;
        found.push(led.p <= 0.05);
        if led.p <= 0.05 {
            named.push(led.lag == 3);
        }
    }
    Ok(vec![
        rate("two AR(.7) series, unrelated: flagged", &alarms, (0.0, 0.06)),
        rate("the same, three days apart: found", &found, (0.85, 1.0)),
        rate("the same: lag 3 is named", &named, (0.90, 1.0)),
    ])
}

/// A fifth of all days exposed at a rate ratio of 2.5: .2308 of the complaints.
pub(crate) fn shares(replicates: u64) -> Answer<Vec<Finding>> {
    let truth = 0.3 / 1.3;
    let (mut fractions, mut covered) = (Vec::new(), Vec::new());
    for number in 0..replicates {
        let mut stream = random(204, number);
        let mut lines = Vec::with_capacity(1_500);
        for line in 0..1_500 {
            let exposed = (0..100).filter(|_| stream.uniform() < 0.2).count() as f64;
            let own = 0.006 * (0.5 * normal(&mut stream)).exp();
            let events = [
                poisson(&mut stream, own * (100.0 - exposed)) as f64,
                poisson(&mut stream, 2.5 * own * exposed) as f64,
            ];
            lines.push(LineCounts { stratum: line % 3, events, time: [100.0 - exposed, exposed] });
        }
        let got = explained(&lines, 199, number, 0.95)?.fraction;
        fractions.push(got.observed);
        covered.push(got.interval.contains(truth));
    }
    Ok(vec![
        mean("attributable share .2308: mean", &fractions, (truth - 0.01, truth + 0.01)),
        rate("attributable share .2308: interval covers", &covered, (0.91, 1.0)),
    ])
}

struct Lines {
    values: Vec<f64>,
    factors: Rows,
    outcome: Vec<f64>,
    controls: Rows,
    whose: Vec<u64>,
}

impl Lines {
    /// Lines with a promise, a history, a region and a reputation in logarithms of milliseconds; the outcome turns on the
    /// shortfall from their mean under `weights`, or, where there are none, on one threshold for all.
    fn new(stream: &mut Stream, n: usize, weights: Option<[f64; 4]>, start: f64) -> Answer<Self> {
        let mut lines = Self {
            values: Vec::with_capacity(n),
            factors: Rows::new(4),
            outcome: Vec::with_capacity(n),
            controls: bare(n)?,
            whose: (0..n as u64).collect(),
        };
        for _ in 0..n {
            let promise = (20.0 + 10.0 * stream.below(4) as f64).ln();
            let region = 3.4 + 0.35 * normal(stream);
            let talk = region + 0.35 * normal(stream);
            let history = 0.3 * promise + 0.3 * region + 1.35 + 0.4 * normal(stream);
            let value = 0.5 * history + 1.65 + 0.45 * normal(stream);
            let row = [promise, history, region, talk];
            let level = weights.map_or(3.35, |w| row.iter().zip(w).map(|(f, w)| f * w).sum());
            lines.outcome.push(happens(stream, chance(start + 3.0 * (value - level).max(0.0))));
            lines.values.push(value);
            lines.factors.push(&row)?;
        }
        Ok(lines)
    }

    fn judged(&self) -> Judged<'_> {
        Judged {
            values: &self.values,
            factors: &self.factors,
            outcome: &self.outcome,
            controls: &self.controls,
            lines: &self.whose,
        }
    }
}

const WEIGHTS: [f64; 4] = [0.5, 0.3, 0.15, 0.05];

/// Weights .5, .3, .15 and .05 on 20,000 lines, and a slope of 3.
pub(crate) fn expectation_weights(replicates: u64) -> Answer<Vec<Finding>> {
    let mut each = [const { Vec::new() }; 4];
    let (mut slopes, mut separable, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    let (mut slope_held, mut weights_held) = (Vec::new(), Vec::new());
    for number in 0..replicates {
        let lines = Lines::new(&mut random(205, number), 20_000, Some(WEIGHTS), -4.6)?;
        rates.push(lines.outcome.iter().sum::<f64>() / 20_000.0);
        let got = weigh(&lines.judged(), 0.95)?;
        for (values, weight) in each.iter_mut().zip(&got.weights) {
            values.push(weight.value);
        }
        slopes.push(got.short.value);
        slope_held.push(got.short.interval.is_some_and(|interval| interval.contains(3.0)));
        weights_held.extend(got.weights.iter().zip(WEIGHTS).map(|(w, truth)| w.interval.contains(truth)));
        separable.push(got.separable);
    }
    // The mean of so many estimates, each with a standard deviation of about .06, and .2 for the slope.
    let slack = 2.0 / (replicates as f64).sqrt();
    let around = |truth: f64| (truth - 0.03 - 0.06 * slack, truth + 0.03 + 0.06 * slack);
    let [promise, history, region, talk] = each;
    Ok(vec![
        mean("expectation: complaints", &rates, (0.02, 0.06)),
        mean("expectation: weight .50", &promise, around(0.5)),
        mean("expectation: weight .30", &history, around(0.3)),
        mean("expectation: weight .15", &region, around(0.15)),
        mean("expectation: weight .05", &talk, around(0.05)),
        mean("expectation: slope 3", &slopes, (2.8 - 0.2 * slack, 3.2 + 0.2 * slack)),
        rate("expectation: weights told apart", &separable, (0.95, 1.0)),
        rate("expectation: slope 3: interval covers", &slope_held, (0.93, 1.0)),
        rate("expectation: weights: intervals cover", &weights_held, (0.93, 1.0)),
    ])
}

/// The test with equal weights: one threshold for all, and an expectation; 6,000 lines.
pub(crate) fn expectation_matters(replicates: u64) -> Answer<Vec<Finding>> {
    let (mut alarms, mut found) = (Vec::new(), Vec::new());
    for number in 0..replicates {
        let same = Lines::new(&mut random(206, number), 6_000, None, -4.2)?;
        alarms.push(matters(&same.judged(), 0.95)?.p < 0.05);
        let lines = Lines::new(&mut random(207, number), 6_000, Some(WEIGHTS), -4.2)?;
        found.push(matters(&lines.judged(), 0.95)?.p < 0.05);
    }
    Ok(vec![
        rate("expectation, one threshold for all: flagged", &alarms, (0.0, 0.08)),
        rate("expectation planted: found", &found, (0.90, 1.0)),
    ])
}

/// 10,000 lines at a rate of 3% with risks that are known: fitted on one year and half of the lines, judged on the next year
/// and the other half.
pub(crate) fn silent(replicates: u64) -> Answer<Vec<Finding>> {
    let (mut behind, mut slopes, mut intercepts) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..replicates {
        let mut stream = random(208, number);
        let mut draw = || -> Answer<(Rows, Vec<f64>, Vec<f64>)> {
            let (mut rows, mut risk, mut outcome) = (Rows::new(3), Vec::new(), Vec::new());
            for _ in 0..10_000 {
                let row = [normal(&mut stream), normal(&mut stream), happens(&mut stream, 0.3)];
                let p = chance(-4.4 + 0.9 * row[0] + 0.5 * row[1] + 0.8 * row[2]);
                rows.push(&row)?;
                risk.push(p);
                outcome.push(happens(&mut stream, p));
            }
            Ok((rows, risk, outcome))
        };
        let (train, _, before) = draw()?;
        let (test, risk, after) = draw()?;
        let fit = Glm::new(Family::Bernoulli, &train, &before).ridge(1.0).fit()?;
        let scores: Vec<f64> = test.each().map(|row| fit.mean(row)).collect::<Answer<_>>()?;
        let happened: Vec<bool> = after.iter().map(|y| *y > 0.0).collect();
        let best = at_capacity(&risk, &happened, 200)?.precision;
        behind.push(best - at_capacity(&scores, &happened, 200)?.precision);
        let calibrated = calibration(&scores, &happened, 0.95)?;
        slopes.push(calibrated.slope.value);
        intercepts.push(calibrated.intercept.value);
    }
    Ok(vec![
        mean("silent: precision at 200 behind the true risk", &behind, (-0.03, 0.03)),
        mean("silent: calibration slope", &slopes, (0.9, 1.1)),
        mean("silent: calibration intercept", &intercepts, (-0.1, 0.1)),
    ])
}

/// Composites of 2,000 respondents with known paths: what is asked about is exactly what the items add up to.
pub(crate) fn composites(replicates: u64, resamples: usize) -> Answer<Vec<Finding>> {
    let block = |k: usize| Block { items: (3 * k..3 * k + 3).collect(), mode: Mode::A };
    let model = Model::new((0..4).map(block).collect(), vec![(0, 1), (0, 2), (1, 2), (2, 3)])?;
    // Constructs with variance 1, so that these are standardised paths.
    let truth = [0.6, 0.3, 0.4, 0.7];
    let mut each = [const { Vec::new() }; 4];
    let mut covered = Vec::new();
    for number in 0..replicates {
        let mut stream = random(209, number);
        let mut rows = Rows::new(12);
        for _ in 0..2_000 {
            let first = normal(&mut stream);
            let second = 0.6 * first + 0.8 * normal(&mut stream);
            // 1 - (.3^2 + .4^2 + 2 x .3 x .4 x .6)
            let third = 0.3 * first + 0.4 * second + (1.0 - 0.394_f64).sqrt() * normal(&mut stream);
            let fourth = 0.7 * third + (1.0 - 0.49_f64).sqrt() * normal(&mut stream);
            let mut row = Vec::with_capacity(12);
            for construct in [first, second, third, fourth] {
                let own = [normal(&mut stream), normal(&mut stream), normal(&mut stream)];
                let middle = own.iter().sum::<f64>() / 3.0;
                row.extend(own.map(|e| construct + 0.6 * (e - middle)));
            }
            rows.push(&row)?;
        }
        let fitted = fit(&model, &rows, Scheme::Path)?;
        let drawn = resample(&model, &rows, Scheme::Path, (-5.0, 5.0), resamples, number, 0.95)?;
        for (k, values) in each.iter_mut().enumerate() {
            values.push(fitted.paths[k]);
            covered.push(drawn.paths[k].contains(truth[k]));
        }
    }
    let around = |k: usize| (truth[k] - 0.03, truth[k] + 0.03);
    let [a, b, c, d] = each;
    Ok(vec![
        mean("path model: path .6", &a, around(0)),
        mean("path model: path .3", &b, around(1)),
        mean("path model: path .4", &c, around(2)),
        mean("path model: path .7", &d, around(3)),
        rate("path model: interval covers", &covered, (0.90, 1.0)),
    ])
}

/// A queue's curve over 40 nodes with a limit at four service times: three quarters.
pub(crate) fn balance(replicates: u64) -> Answer<Vec<Finding>> {
    let (mut places, mut covered, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..replicates {
        let mut stream = random(210, number);
        let (mut nodes, mut utilisation, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for node in 0..40 {
            let own = (0.05 * normal(&mut stream)).exp();
            for _ in 0..10 {
                let rho = 0.2 + 0.7 * stream.uniform();
                nodes.push(node);
                utilisation.push(rho);
                values.push(own * (0.1 * normal(&mut stream)).exp() / (1.0 - rho));
            }
        }
        let data = Loaded { nodes: &nodes, utilisation: &utilisation, values: &values };
        let got = balance_point(&data, 4.0, 399, number, 0.95)?;
        places.push(got.utilisation);
        covered.push(got.interval.contains(0.75));
        kept.push(got.safe <= 0.75);
    }
    Ok(vec![
        mean("balance point .75: mean", &places, (0.73, 0.77)),
        rate("balance point .75: interval covers", &covered, (0.90, 1.0)),
        rate("balance point .75: the safe point is safe", &kept, (0.90, 1.0)),
    ])
}

/// A plateau from 10 on with 2% noise; and a straight line.
pub(crate) fn plateaus(replicates: u64) -> Answer<Vec<Finding>> {
    let (mut found, mut places, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..replicates {
        let mut stream = random(211, number);
        let effort: Vec<f64> = (0..40).map(|i| 16.0 * f64::from(i) / 39.0).collect();
        let mut noisy = |f: &dyn Fn(f64) -> f64| -> Vec<f64> {
            effort.iter().map(|&c| f(c) * (1.0 + 0.02 * normal(&mut stream))).collect()
        };
        let flat = noisy(&|c| 80.0 - 0.3 * (10.0 - c).max(0.0).powi(2));
        let straight = noisy(&|c| 50.0 + 2.0 * c);
        let got = returns(&effort, &flat, 0.95)?.shape;
        found.push(!matches!(got, Shape::Line { .. }));
        if let Shape::Plateau { from, .. } = got {
            places.push(from);
        }
        wrong.push(!matches!(returns(&effort, &straight, 0.95)?.shape, Shape::Line { .. }));
    }
    Ok(vec![
        rate("plateau from 10: a bend is seen", &found, (0.90, 1.0)),
        mean("plateau from 10: where it begins", &places, (9.0, 11.0)),
        rate("straight line: a bend is claimed", &wrong, (0.0, 0.05)),
    ])
}

/// 15 units repaired and 30 not, 20 periods before and after with AR(.6): an effect of -2 and none; and the worst 5% of 600
/// without any repair.
pub(crate) fn repairs(replicates: u64) -> Answer<Vec<Finding>> {
    let (mut covered, mut alarms, mut verified, mut naive) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let unit = |stream: &mut Stream, treated: bool, effect: f64| {
        let level = 30.0 + 4.0 * normal(stream);
        let days = drifting(stream, 40, 0.6);
        let part = |days: &[f64]| level + days.iter().sum::<f64>() / days.len() as f64;
        Unit {
            treated,
            before: part(&days[..20]),
            after: part(&days[20..]) + if treated { effect } else { 0.0 },
        }
    };
    for number in 0..replicates {
        for (effect, seed) in [(-2.0, 212), (0.0, 213)] {
            let mut stream = random(seed, number);
            let units: Vec<Unit> = (0..45).map(|i| unit(&mut stream, i < 15, effect)).collect();
            let got = difference_in_differences(&units, Picked::Regardless, 0.95)?;
            if effect < 0.0 {
                covered.push(got.interval.contains(effect));
            } else {
                alarms.push(got.p < 0.05);
            }
        }
        // Levels that hardly differ, so that the worst are mostly unlucky.
        let mut stream = random(214, number);
        let mut all: Vec<Unit> = (0..600)
            .map(|_| {
                let days = drifting(&mut stream, 40, 0.6);
                let part = |days: &[f64]| 15.0 + days.iter().sum::<f64>() / days.len() as f64;
                Unit { treated: false, before: part(&days[..20]), after: part(&days[20..]) }
            })
            .collect();
        all.sort_by(|a, b| b.before.total_cmp(&a.before));
        all.truncate(30);
        stream.shuffle(&mut all);
        all.iter_mut().take(15).for_each(|u| u.treated = true);
        let got = difference_in_differences(&all, Picked::SameRule, 0.95)?;
        verified.push(got.interval.high < 0.0);
        naive.push(all.iter().map(|u| u.after - u.before).sum::<f64>() / 30.0);
    }
    Ok(vec![
        rate("repair of -2: interval covers", &covered, (0.93, 1.0)),
        rate("no repair: flagged", &alarms, (0.03, 0.07)),
        rate("the worst 5%, no repair: verified", &verified, (0.0, 0.05)),
        mean("the worst 5%, no repair: plain change (a known fault)", &naive, (-3.0, -0.3)),
    ])
}

/// 60 lines of 20 rows that depend on each other: errors clustered by line keep their level.
pub(crate) fn clustered_errors(replicates: u64) -> Answer<Vec<Finding>> {
    let mut alarms = Vec::new();
    for number in 0..replicates {
        let mut stream = random(215, number);
        let (mut rows, mut outcome, mut clusters) = (Rows::new(1), Vec::new(), Vec::new());
        for cluster in 0..60 {
            let own = 1.2 * normal(&mut stream);
            let x = normal(&mut stream);
            for _ in 0..20 {
                rows.push(&[x])?;
                outcome.push(happens(&mut stream, chance(-1.0 + own)));
                clusters.push(cluster);
            }
        }
        let fit = Glm::new(Family::Bernoulli, &rows, &outcome).clusters(&clusters).fit()?;
        alarms.push(fit.coefficient(1, Errors::Clustered, 0.95)?.p < 0.05);
    }
    Ok(vec![rate("logistic, clustered errors, no effect: flagged", &alarms, (0.03, 0.08))])
}
