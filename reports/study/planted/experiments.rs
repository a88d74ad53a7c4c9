//! What the studies must find in planted data, each with its bar. With 500 runs a true rate of .05 shows between .031
//! and .069 in 95 of 100 cases.

use super::Finding;
use super::operators::{Lines, panel};
use super::town::{TOWN, Town};
use crate::stats::{Purpose, Stream};
use crate::study::Answer;
use crate::study::complaints::{self, CaseCrossover, Complaints, Control};
use crate::study::peers::{self, Key, Row, Verdict};
use broadgauge_model::metric::{Better, Margin, MetricId};
use broadgauge_model::panel::{Cell, CellValues, Panel};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Runs every seed, in parallel, in order.
fn each<T: Send>(runs: u64, run: impl Fn(u64) -> T + Send + Sync) -> Vec<T> {
    (0..runs).into_par_iter().map(run).collect()
}

/// The share of runs for which something holds.
fn share<T>(what: &'static str, runs: &[T], bar: (f64, f64), holds: impl Fn(&T) -> bool) -> Finding {
    let got = runs.iter().filter(|run| holds(run)).count() as f64 / runs.len() as f64;
    Finding { what, runs: runs.len() as u64, got, bar }
}

fn covers(answer: &Answer, value: f64) -> bool {
    answer.as_estimate().is_some_and(|e| e.interval().0 <= value && value <= e.interval().1)
}

fn peers_query(replicates: usize) -> peers::Query {
    peers::Query { replicates, ..peers::Query::of("A") }
}

fn first(panel: &Panel, query: &peers::Query) -> Row {
    peers::study(panel, query).rows.swap_remove(0)
}

/// Two operators of 40 lines with 60 tests each: no gap, then a ratio of 1.35.
pub(crate) fn lines_are_the_unit(runs: u64, replicates: usize) -> Vec<Finding> {
    let query = peers_query(replicates);
    let with = |ratio: f64| {
        each(runs, |run| {
            let peer = Lines { median: 20.0 / ratio, ..Lines::of("B") };
            peers::study(&panel(&[Lines::of("A"), peer], run), &query).rows
        })
    };
    let (same, apart) = (with(1.0), with(1.35));
    let p = |row: &Row| row.p.is_some_and(|p| p <= 0.05);
    vec![
        share("two operators alike: p50 told apart at 5%", &same, (0.03, 0.07), |r| p(&r[0])),
        share("two operators alike: p95 told apart at 5%", &same, (0.03, 0.07), |r| p(&r[2])),
        share("two operators alike: any wrong verdict", &same, (0.0, 0.07), |r| {
            r.iter().any(|r| matches!(r.verdict, Verdict::Better | Verdict::Worse))
        }),
        share("coverage of the p50 gap", &same, (0.92, 1.0), |r| covers(&r[0].difference, 0.0)),
        share("coverage of the p95 gap", &same, (0.90, 1.0), |r| covers(&r[2].difference, 0.0)),
        share("coverage of a p50 ratio of 1.35", &apart, (0.92, 1.0), |r| covers(&r[0].ratio, 1.35)),
        share("a ratio of 1.35 found worse", &apart, (0.90, 1.0), |r| r[0].verdict == Verdict::Worse),
    ]
}

/// Few lines a side: the interval must be honest about it.
pub(crate) fn few_lines_are_owned_up_to(runs: u64, replicates: usize) -> Vec<Finding> {
    let query = peers::Query { quantiles: vec![0.5], ..peers_query(replicates) };
    let coverage = |what, lines| {
        let rows = each(runs, |run| {
            let few = |operator| Lines { count: lines, ..Lines::of(operator) };
            first(&panel(&[few("A"), few("B")], run), &query)
        });
        share(what, &rows, (0.92, 1.0), |r| covers(&r.difference, 0.0))
    };
    vec![
        coverage("coverage with 6 lines a side", 6),
        coverage("coverage with 10 lines a side", 10),
        coverage("coverage with 20 lines a side", 20),
    ]
}

/// No true gap, delays longer at peak, and one operator tested off-peak in 30% of cases, the other in 70%.
pub(crate) fn the_mix_of_hours_is_no_gap(runs: u64, replicates: usize) -> Vec<Finding> {
    let made = |operator, off_peak| Lines { off_peak, peak_factor: 2.0, tests: 100, ..Lines::of(operator) };
    let with = |by: Vec<Key>| {
        let query = peers::Query { by, quantiles: vec![0.5], ..peers_query(replicates) };
        each(runs, |run| peers::study(&panel(&[made("A", 0.3), made("B", 0.7)], run), &query).rows)
    };
    let matched = with(vec![Key::Technology, Key::Region, Key::Hours]);
    let pooled = with(vec![Key::Technology, Key::Region]);
    vec![
        share("matched hours: every gap covers 0", &matched, (0.88, 1.0), |r| {
            r[0].stratum.get(Key::Hours) != r[1].stratum.get(Key::Hours) && covers(&r[0].difference, 0.0)
        }),
        share("matched hours: the combined gap covers 0", &matched, (0.90, 1.0), |r| {
            r.last().is_some_and(|r| r.strata == 2 && covers(&r.difference, 0.0))
        }),
        share("pooled hours: the gap covers 0 (known fault)", &pooled, (0.0, 0.10), |r| {
            covers(&r[0].difference, 0.0)
        }),
    ]
}

/// A margin of 10%: a gap of just that is rarely called at par; equality is, with 300 lines a side. The median of a
/// mixture has a standard error 4% above that of a mean of logarithms, so theory says .87; two standard errors of 500
/// runs below .85 is .82.
pub(crate) fn parity_is_shown(runs: u64, replicates: usize) -> Vec<Finding> {
    let margins = [(MetricId::ROUND_TRIP_DELAY, Margin { absolute: 0.0, relative: 0.10 })].into();
    let query = peers::Query { quantiles: vec![0.5], margins, ..peers_query(replicates) };
    let with = |ratio: f64, lines| {
        each(runs, |run| {
            let own = Lines { count: lines, median: 20.0 * ratio, ..Lines::of("A") };
            first(&panel(&[own, Lines { count: lines, ..Lines::of("B") }], run), &query)
        })
    };
    let (edge, equal) = (with(1.1, 300), with(1.0, 300));
    vec![
        share("a gap of the margin called at par", &edge, (0.0, 0.07), |r| r.verdict == Verdict::AtPar),
        share("300 equal lines a side called at par", &equal, (0.82, 1.0), |r| r.verdict == Verdict::AtPar),
        share("40 equal lines a side called at par", &with(1.0, 40), (0.0, 0.10), |r| {
            r.verdict == Verdict::AtPar
        }),
    ]
}

fn complaints_query(replicates: usize) -> complaints::Query {
    let windows_hours = vec![24];
    complaints::Query {
        replicates,
        windows_hours,
        repeat_days: 0,
        all_views: false,
        ..complaints::Query::of("A")
    }
}

fn crossover(study: &Complaints, control: Option<Control>) -> Option<&CaseCrossover> {
    study.case_crossover.iter().find(|r| r.control == control)
}

/// A rate ratio of 2.5, and none, among weekday, trend, frailty and spells; both controls.
pub(crate) fn each_line_is_its_own_control(runs: u64) -> Vec<Finding> {
    let of = |ratio: f64| {
        each(runs, |run| {
            let study = complaints::study(&Town { ratio, ..TOWN }.panel(run), &complaints_query(60));
            [None, Some(Control::Billing), Some(Control::Future)]
                .map(|control| crossover(&study, control).map(|r| (r.rate_ratio.clone(), r.p)))
        })
    };
    let (planted, none) = (of(2.5), of(1.0));
    let ratios: Vec<f64> =
        planted.iter().filter_map(|r| Some(r[0].as_ref()?.0.as_estimate()?.value())).collect();
    let found =
        |row: &Option<(Answer, Option<f64>)>| row.as_ref().is_some_and(|r| r.1.is_some_and(|p| p <= 0.05));
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    vec![
        Finding { what: "mean rate ratio where 2.5 is planted", runs, got: mean, bar: (2.4, 2.65) },
        share("coverage of a rate ratio of 2.5", &planted, (0.91, 1.0), |r| {
            r[0].as_ref().is_some_and(|r| covers(&r.0, 2.5))
        }),
        share("no effect: found at 5%", &none, (0.03, 0.07), |r| found(&r[0])),
        share("billing complaints: found at 5%", &planted, (0.0, 0.07), |r| found(&r[1])),
        share("the future: found at 5%", &planted, (0.0, 0.07), |r| found(&r[2])),
    ]
}

/// Copper lines have more bad days and complain more, and bad days do no harm.
pub(crate) fn technology_is_not_blamed_on_the_metric(runs: u64, replicates: usize) -> Vec<Finding> {
    let runs = each(runs, |run| {
        let town = Town { ratio: 1.0, copper: 4.0, rate: 0.0010, other_causes: false, ..TOWN };
        complaints::study(&town.panel(run), &complaints_query(replicates))
    });
    vec![
        share("crude ratio covers 1 (known fault)", &runs, (0.0, 0.10), |r| {
            covers(&r.contrasts[0].crude, 1.0)
        }),
        share("stratified ratio covers 1", &runs, (0.92, 1.0), |r| covers(&r.contrasts[0].stratified, 1.0)),
        share("case-crossover ratio covers 1", &runs, (0.93, 1.0), |r| {
            crossover(r, None).is_some_and(|r| covers(&r.rate_ratio, 1.0))
        }),
    ]
}

/// How good a finding is for the own operator.
const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Worse => 0,
        Verdict::CannotTell | Verdict::AtPar => 1,
        Verdict::Better => 2,
    }
}

/// Two operators some way apart, every test a number of one metric.
fn numbers(metric: MetricId, gap: f64, run: u64) -> Panel {
    let of = |operator, gap: f64| Lines { median: 20.0 * gap, tests: 8, ..Lines::of(operator) };
    let mut panel = panel(&[of("A", gap), of("B", 1.0)], run);
    let cells = std::mem::take(&mut panel.cells);
    for cell in cells {
        let CellValues::Histogram(histogram) = &cell.values else { continue };
        for (value, count) in histogram.values(cell.metric.tick) {
            let values = CellValues::Number(value);
            panel.cells.extend((0..count).map(|_| Cell { metric, values: values.clone(), ..cell.clone() }));
        }
    }
    panel
}

/// The values of some lines, times a factor.
fn scaled(panel: &Panel, times: f64, line: impl Fn(u32) -> bool) -> Panel {
    let mut panel = panel.clone();
    for cell in panel.cells.iter_mut().filter(|c| line(c.line)) {
        if let CellValues::Number(value) = &mut cell.values {
            *value *= times;
        }
    }
    panel
}

/// One own line gets worse: neither the gap nor an end of its interval (percentile, so from 40 lines on) may move towards
/// better, because every median of a resample with the line in it is no better than it was. A finding may at most get
/// lost, and that rarely: the line moves the shuffles too, so a p-value at the edge of 0.05 may step over it. And
/// another unit (ms for s) changes no finding.
pub(crate) fn a_line_that_gets_worse_improves_nothing(runs: u64) -> Vec<Finding> {
    let query = peers::Query { quantiles: vec![0.5], ..peers_query(100) };
    let cases = each(runs, |run| {
        let metric = [MetricId::ROUND_TRIP_DELAY, MetricId::DOWNLOAD_GOODPUT][run as usize % 2];
        let mut stream = Stream::new(26, Purpose::Simulation, run);
        let before = numbers(metric, 0.6 + 0.8 * stream.uniform(), run);
        let (worse, line) = (1.0 + 4.0 * stream.uniform(), stream.below(40) as u32);
        // Towards worse, the metric rises or falls.
        let (times, sign) = match metric.better {
            Better::Lower => (worse, 1.0),
            Better::Higher => (1.0 / worse, -1.0),
        };
        let (was, is) = (first(&before, &query), first(&scaled(&before, times, |l| l == line), &query));
        let ends = |row: &Row| {
            row.difference
                .as_estimate()
                .map(|e| [e.value(), e.interval().0, e.interval().1].map(|v| sign * v))
        };
        let further = ends(&was)
            .zip(ends(&is))
            .is_some_and(|(was, is)| was.iter().zip(&is).all(|(was, is)| *is >= was - 1e-12 * was.abs()));
        let gain = rank(is.verdict).saturating_sub(rank(was.verdict));
        let margin = Margin { absolute: metric.margin.absolute / 1e3, ..metric.margin };
        let in_thousands = peers::Query { margins: BTreeMap::from([(metric, margin)]), ..query.clone() };
        let other_unit = first(&scaled(&before, 1e-3, |_| true), &in_thousands);
        (further, gain, other_unit.verdict == was.verdict, was.verdict)
    });
    let seen = |verdict| share("", &cases, (0.0, 1.0), |c| c.3 == verdict).got;
    vec![
        share("a line got worse: gap or interval better", &cases, (0.0, 0.0), |c| !c.0),
        share("a line got worse: finding turned over", &cases, (0.0, 0.0), |c| c.1 == 2),
        share("a line got worse: finding lost or gained", &cases, (0.0, 0.005), |c| c.1 > 0),
        share("another unit: another finding", &cases, (0.0, 0.0), |c| !c.2),
        Finding {
            what: "these cases: the rarer of better and worse",
            runs,
            got: seen(Verdict::Better).min(seen(Verdict::Worse)),
            bar: (0.1, 1.0),
        },
    ]
}
