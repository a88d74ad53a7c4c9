//! What the studies of expectation, silence, balance and actions must find in planted panels, each with its bar.

use super::Finding;
use super::habits::Habits;
use super::queues::Queues;
use super::repairs::{Repairs, with_complaints};
use super::steady;
use crate::study::Estimate;
use crate::study::closed_loop::State;
use crate::study::{balance, closed_loop, expectation, silent};

fn rate(what: &'static str, hits: &[bool], bar: (f64, f64)) -> Finding {
    let got = hits.iter().filter(|hit| **hit).count() as f64 / hits.len() as f64;
    Finding { what, runs: hits.len() as u64, got, bar }
}

fn mean(what: &'static str, values: &[f64], bar: (f64, f64)) -> Finding {
    Finding { what, runs: values.len() as u64, got: values.iter().sum::<f64>() / values.len() as f64, bar }
}

fn asked() -> expectation::Query {
    expectation::Query { swaps: 19, ..expectation::Query::of("A") }
}

/// Weights .5, .3, .15 and .05 over some 13,000 weeks of lines, through the whole study.
pub(crate) fn expectations(runs: u64) -> Vec<Finding> {
    let runs = runs.max(2);
    let mut weights = [const { Vec::new() }; 4];
    let (mut told, mut found, mut placebo, mut gain) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..runs {
        let study = expectation::study(&Habits::PLANTED.town(100 + run), &asked());
        let row = &study.rows[0];
        told.push(row.weights.separable);
        found.push(row.matters.p.is_some_and(|p| p < 0.05));
        placebo.push(row.placebo.p.is_some_and(|p| p <= 0.05));
        gain.push(row.held_out.is_some_and(|h| h.auc_shortfall > h.auc_value));
        for (values, weight) in weights.iter_mut().zip(&row.weights.pooled) {
            values.extend(weight.weight.as_estimate().map(Estimate::value));
        }
    }
    // One run's weights have a standard deviation of about .06.
    let slack = 0.03 + 0.12 / (runs as f64).sqrt();
    let around = |truth: f64| ((truth - slack).max(0.0), truth + slack);
    let [promise, history, region, talk] = weights;
    vec![
        rate("expectation: weights told apart", &told, (0.90, 1.0)),
        rate("expectation planted: found", &found, (0.90, 1.0)),
        rate("expectation: the placebo loses", &placebo, (0.95, 1.0)),
        rate("expectation: ranks unseen lines better", &gain, (0.90, 1.0)),
        mean("expectation: weight .50", &promise, around(0.5)),
        mean("expectation: weight .30", &history, around(0.3)),
        mean("expectation: weight .15", &region, around(0.15)),
        mean("expectation: weight .05", &talk, around(0.05)),
    ]
}

/// One threshold for all: expectation must not be found to matter.
pub(crate) fn fixed_thresholds(runs: u64) -> Vec<Finding> {
    let none = Habits { lines: 600, weeks: 12, weights: None, ..Habits::PLANTED };
    let flagged = |none: Habits, run: u64| {
        let study = expectation::study(&none.town(200 + run), &asked());
        study.rows[0].matters.p.is_some_and(|p| p < 0.05)
    };
    let alike: Vec<bool> = (0..runs.max(2)).map(|run| flagged(none, run)).collect();
    let unlike = Habits { readiness: 1.0, ..none };
    let unlike: Vec<bool> = (0..runs.max(2)).map(|run| flagged(unlike, run)).collect();
    vec![
        rate("one threshold for all: expectation flagged", &alike, (0.0, 0.08)),
        rate("the same, lines readier to complain than others: expectation flagged", &unlike, (0.0, 0.08)),
    ]
}

/// Customers who fall short and will complain: found on other lines and later weeks. The lines are many, because half of
/// them make the risk and the penalty flattens what few of them tell: over 1,200 lines the slope is 1.10 to 1.13.
pub(crate) fn silence(runs: u64) -> Vec<Finding> {
    let (mut lifts, mut slopes) = (Vec::new(), Vec::new());
    for run in 0..runs.max(2) {
        let panel = Habits { lines: 4_800, weeks: 18, slope: 6.0, ..Habits::PLANTED }.town(300 + run);
        let query = silent::Query { capacity: 400, replicates: 60, ..silent::Query::of("A") };
        let Some(judged) = silent::study(&panel, &query).judged else { continue };
        lifts.extend(judged.lift);
        slopes.extend(judged.calibration_slope.as_estimate().map(Estimate::value));
    }
    // One run's slope has a standard deviation of .10.
    let slack = 0.2 * (1.0 / (slopes.len() as f64).sqrt() - 1.0 / 40.0_f64.sqrt()).max(0.0);
    vec![
        mean("silent: lift at capacity", &lifts, (1.5, 20.0)),
        mean("silent: calibration slope", &slopes, (0.9 - slack, 1.1 + slack)),
    ]
}

/// A queue whose delay comes to where complaints begin, four service times, at three quarters; beyond it the odds rise
/// by 1.82 for each 10 ms, and many complaints are repeats.
pub(crate) fn balances(runs: u64) -> Vec<Finding> {
    let (mut covered, mut safe, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let (mut knees, mut knee_covered, mut odds) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..runs.max(2) {
        let query = balance::Query { replicates: 99, ..balance::Query::of("A") };
        let study = balance::study(&Queues::PLANTED.panel(400 + run), &query);
        let knee = study.limit.as_estimate();
        knees.extend(knee.map(Estimate::value));
        knee_covered.push(knee.is_some_and(|k| k.interval().0 <= 40.0 && 40.0 <= k.interval().1));
        odds.extend(study.odds_ratio_per_10.as_estimate().map(Estimate::value));
        let point = &study.points[0];
        let Some(told) = point.utilisation.as_estimate() else {
            covered.push(false);
            continue;
        };
        places.push(told.value());
        covered.push(told.interval().0 <= 0.75 && 0.75 <= told.interval().1);
        safe.push(point.safe.is_some_and(|safe| safe <= 0.75));
    }
    vec![
        mean("complaints begin at 40 ms: mean", &knees, (38.5, 41.5)),
        rate("complaints begin at 40 ms: interval covers", &knee_covered, (0.90, 1.0)),
        mean("odds of a complaint 1.82 per 10 ms: mean", &odds, (1.77, 1.87)),
        mean("balance point .75: mean", &places, (0.72, 0.78)),
        rate("balance point .75: interval covers", &covered, (0.90, 1.0)),
        rate("balance point .75: the safe point is safe", &safe, (0.90, 1.0)),
    ]
}

/// A complaint on one day in fifty, for half a year: no week is unusual, and the rate does not sink as complaints that
/// would be repeats pile up.
pub(crate) fn steady_complaints(runs: u64) -> Vec<Finding> {
    const DAILY: f64 = 0.02;
    let (mut unusual, mut rates) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let query = closed_loop::Query::of("A");
        let weeks = closed_loop::study(&steady::panel(DAILY, 800 + run), &query).complaints;
        unusual.extend(weeks.iter().map(|week| week.outside));
        rates.extend(weeks.iter().rev().take(6).map(|week| week.rate_per_1000_line_days));
    }
    vec![
        rate("steady complaints: weeks called unusual", &unusual, (0.0, 0.01)),
        mean("steady complaints: 20 in 1,000 at the end", &rates, (19.0, 21.0)),
    ]
}

/// Complaints that fall by half when a node is repaired, or do not, many of them repeats.
pub(crate) fn complaints_after_repairs(runs: u64) -> Vec<Finding> {
    let query = closed_loop::Query { replicates: 60, ..closed_loop::Query::of("A") };
    let (mut covered, mut logs, mut risen) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..runs.max(2) {
        let told = |ratio: f64| {
            let panel = with_complaints(Repairs::of(0.75).panel(900 + run), 0.02, ratio, run);
            let actions = closed_loop::study(&panel, &query).actions;
            actions.into_iter().filter_map(|action| action.complaints_ratio.as_estimate().copied()).collect()
        };
        let halved: Vec<Estimate> = told(0.5);
        covered.extend(halved.iter().map(|e| e.interval().0 <= 0.5 && 0.5 <= e.interval().1));
        logs.extend(halved.iter().map(|e| e.value().ln()));
        let steady: Vec<Estimate> = told(1.0);
        risen.extend(steady.iter().map(|e| e.interval().0 > 1.0));
    }
    // One ratio has a standard deviation of about a third.
    let slack = 1.0 / (logs.len() as f64).sqrt() + 0.02;
    vec![
        rate("complaints halved after a repair: interval covers", &covered, (0.92, 1.0)),
        mean("the same: mean logarithm, -0.69", &logs, (-0.693 - slack, -0.693 + slack)),
        rate("complaints as before: said to rise", &risen, (0.0, 0.05)),
    ]
}

/// A repair by .75, none, and the worst without any.
pub(crate) fn repairs(runs: u64) -> Vec<Finding> {
    let runs = runs.max(2);
    let query = closed_loop::Query { replicates: 60, ..closed_loop::Query::of("A") };
    let (mut covered, mut alarms, mut unlucky, mut verified) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..runs {
        let helped = closed_loop::study(&Repairs::of(0.75).panel(500 + run), &query);
        let change = helped.kinds[0].change.as_estimate().map(Estimate::interval);
        covered.push(change.is_some_and(|(low, high)| low <= -0.25 && -0.25 <= high));
        let nothing = closed_loop::study(&Repairs::of(1.0).panel(600 + run), &query);
        alarms.push(nothing.kinds[0].p.is_some_and(|p| p < 0.05));
        let worst = Repairs { worst: true, between: 0.02, nodes: 120, ..Repairs::of(1.0) };
        let study = closed_loop::study(&worst.panel(700 + run), &query);
        unlucky.push(study.kinds[0].helps == Some(true));
        verified.extend(study.actions.iter().map(|action| action.state == State::Verified));
    }
    vec![
        rate("repair by .75: interval covers", &covered, (0.93, 1.0)),
        rate("no repair: flagged", &alarms, (0.03, 0.07)),
        rate("the worst, no repair: kind said to help", &unlucky, (0.0, 0.05)),
        rate("the worst, no repair: single actions verified", &verified, (0.0, 0.05)),
    ]
}
