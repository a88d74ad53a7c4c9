use super::course::course;
use super::hours::{busy_share, week};
use super::promise::kept;
use super::spread::{spread, window};
use super::*;
use crate::study::peers::Peak;
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Cell, CellValues, Hours, MethodUse, Panel, Source, SourceKind};
use broadgauge_model::place::{AccessLine, Promise};
use broadgauge_model::result::{Direction, Load, Statistic};

fn series(metric: MetricId) -> Series {
    Series {
        metric,
        load: Load::Idle,
        direction: Direction::RoundTrip,
        statistic: Statistic::Singleton,
        method: MethodUse { name: "stamp".into(), version: 1, target_class: None },
        made: false,
    }
}

fn cell(line: u32, metric: MetricId, hours: Hours, values: CellValues) -> Cell {
    Cell {
        line,
        metric,
        load: Load::Idle,
        direction: Direction::RoundTrip,
        statistic: Statistic::Singleton,
        method: 0,
        source: 0,
        hours,
        values,
        sent: 10,
        lost: 1,
    }
}

fn panel(lines: usize, cells: Vec<Cell>) -> Panel {
    let line = |i| AccessLine {
        line_id: format!("l{i:02}"),
        operator: "A".into(),
        promise: Promise { promised_down_mbps: Some(100.0), ..Promise::default() },
        ..AccessLine::default()
    };
    Panel {
        lines: (0..lines).map(line).collect(),
        cells,
        methods: vec![MethodUse { name: "stamp".into(), version: 1, target_class: None }],
        sources: vec![Source { kind: SourceKind::Measured, name: "agent".into() }],
        ..Panel::default()
    }
}

const RTT: MetricId = MetricId::ROUND_TRIP_DELAY;
const EVENING: Hours = Hours::At { day: 4, hour: 20 }; // 1970-01-05, a Monday

#[test]
fn a_line_that_is_tested_often_counts_no_more_than_one_tested_once() {
    let often = CellValues::Histogram(Histogram::of(std::iter::repeat_n(10_000, 99)));
    let panel = panel(2, vec![cell(0, RTT, EVENING, often), cell(1, RTT, EVENING, CellValues::Number(50.0))]);
    let spread = spread(&panel, &series(RTT), "A");
    assert_eq!((spread.lines, spread.observations), (2, 100));
    assert_eq!(spread.steps.len(), 2);
    assert!((spread.steps[0].0 - 10.0).abs() < 0.01 && spread.steps[0].1 == 0.5);
    assert_eq!((spread.quantile(0.9), spread.share(49.0), spread.share(50.0)), (Some(50.0), 0.5, 1.0));
}

#[test]
fn summaries_of_the_day_and_of_the_peak_are_never_one_distribution() {
    let of = |hours, value| cell(0, RTT, hours, CellValues::Number(value));
    let both = panel(1, vec![of(Hours::Peak, 90.0), of(Hours::AllDay, 10.0)]);
    assert_eq!(spread(&both, &series(RTT), "A").steps, [(10.0, 1.0)]);
    let peak = panel(1, vec![of(Hours::Peak, 90.0)]);
    assert_eq!(spread(&peak, &series(RTT), "A").steps, [(90.0, 1.0)]);
    assert_eq!(window(&panel(1, vec![of(EVENING, 90.0)]), &series(RTT)), None);
}

#[test]
fn a_thinned_spread_keeps_its_ends() {
    let cells = (0..5000).map(|i| cell(0, RTT, EVENING, CellValues::Number(f64::from(i)))).collect();
    let spread = spread(&panel(1, cells), &series(RTT), "A");
    let thinned = spread.thinned(200);
    assert!(thinned.len() <= 202);
    assert_eq!((thinned[0].0, thinned.last().map(|s| s.0)), (0.0, Some(4999.0)));
}

#[test]
fn an_hour_without_tests_is_not_zero() {
    let values = CellValues::Histogram(Histogram::of([10_000, 20_000, 90_000]));
    let tested = panel(1, vec![cell(0, RTT, EVENING, values)]);
    let shares = week(&tested, &series(RTT), "A", 60.0).unwrap();
    assert_eq!(shares[0][20].share(), Some(1.0 / 3.0));
    assert_eq!((shares[0][20].lines, shares[0][20].tests), (1, 3));
    assert_eq!(shares[0][19].share(), None);
    let summary = panel(1, vec![cell(0, RTT, Hours::AllDay, CellValues::Number(1.0))]);
    assert_eq!(week(&summary, &series(RTT), "A", 60.0), None);
}

#[test]
fn the_busy_share_is_of_lines_and_refused_for_few() {
    let evening = |line: u32| {
        let value = if line < 5 { 90.0 } else { 10.0 };
        cell(line, RTT, EVENING, CellValues::Number(value))
    };
    let many = panel(20, (0..20).map(evening).collect());
    let answer = busy_share(&many, &series(RTT), "A", 60.0, Peak::default(), 1);
    let found = answer.as_estimate().unwrap();
    assert_eq!((found.value(), found.n()), (0.25, 20));
    assert!(found.interval().0 > 0.02 && found.interval().1 < 0.6);
    let few = panel(9, (0..9).map(evening).collect());
    assert!(busy_share(&few, &series(RTT), "A", 60.0, Peak::default(), 1).as_declined().is_some());
}

#[test]
fn a_stretch_in_which_everything_was_lost_has_no_value_but_its_losses() {
    let lost = cell(0, RTT, EVENING, CellValues::Histogram(Histogram::default()));
    let later = cell(0, RTT, Hours::At { day: 4, hour: 21 }, CellValues::Number(5.0));
    let course = course(&panel(1, vec![lost, later]), &series(RTT), "A", 1);
    assert_eq!((course[0].values, course[0].tests, course[0].sent, course[0].lost), (None, 0, 10, 1));
    assert_eq!(course[1].values, Some([5.0; 7]));
}

#[test]
fn lines_are_set_against_their_own_promise() {
    // Medians 99, 90 and 50 of 100: one in three reaches 95 %, two in three 80 %.
    let rate = MetricId::DOWNLOAD_GOODPUT;
    let tests = |line: u32, median: f64| {
        [-4.0, -2.0, 0.0, 2.0, 4.0].map(|d| cell(line, rate, EVENING, CellValues::Number(median + d)))
    };
    let cells = [tests(0, 99.0), tests(1, 90.0), tests(2, 50.0)].concat();
    let kept = kept(&panel(3, cells), &series(rate), &["A", "B"]);
    assert_eq!(kept.len(), 1);
    let share = |answer: &crate::study::Answer| answer.as_estimate().map(|e| (e.value() * 3.0).round());
    assert_eq!((kept[0].lines, share(&kept[0].high), share(&kept[0].low)), (3, Some(1.0), Some(2.0)));
    // Three lines are too few for the interval of the 20 % point.
    assert!(kept[0].consistent.as_declined().is_some());
}
