use super::*;
use crate::study::planted::operators::{Lines, cell, panel};
use crate::study::{Answer, Estimate};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Cell, CellValues, Hours, MethodUse};
use broadgauge_model::result::Statistic;

/// Two regions, peak and off-peak hours, three operators.
fn three() -> Panel {
    let made = |operator, region, median| Lines {
        region,
        median,
        off_peak: 0.4,
        peak_factor: 1.5,
        tests: 80,
        count: 30,
        ..Lines::of(operator)
    };
    panel(
        &[
            made("A", "north", 20.0),
            made("A", "south", 24.0),
            made("B", "north", 14.0),
            made("B", "south", 17.0),
            made("C", "north", 20.0),
            made("C", "south", 24.0),
        ],
        5,
    )
}

fn query() -> Query {
    Query { replicates: 500, ..Query::of("A") }
}

fn json(panel: &Panel, query: &Query) -> String {
    serde_json::to_string(&study(panel, query)).unwrap()
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let panel = three();
    let expected = json(&panel, &query());
    for threads in [1, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| json(&panel, &query())), expected, "{threads} threads");
    }
    let mut shuffled = panel.clone();
    let n = panel.lines.len();
    let place = |line: usize| (line * 7 + 3) % n;
    for line in 0..n {
        shuffled.lines[place(line)] = panel.lines[line].clone();
    }
    for cell in &mut shuffled.cells {
        cell.line = place(cell.line as usize) as u32;
    }
    shuffled.cells.reverse();
    assert_eq!(json(&shuffled, &query()), expected);
    assert_ne!(json(&panel, &Query { seed: 2, ..query() }), expected);
}

#[test]
fn exchanging_the_operators_mirrors_every_row() {
    let panel = three();
    let one = study(&panel, &Query { peers: vec!["B".into()], ..query() });
    let other = Query { own: "B".into(), peers: vec!["A".into()], standard: Some("A".into()), ..query() };
    let other = study(&panel, &other);
    assert_eq!(one.rows.len(), other.rows.len());
    assert!(one.rows.iter().any(|r| r.verdict == Verdict::Worse));
    let turned = |answer: &Answer| {
        answer
            .as_estimate()
            .map(|e: &Estimate| (-e.value() + 0.0, -e.interval().1 + 0.0, -e.interval().0 + 0.0))
    };
    for (a, b) in one.rows.iter().zip(&other.rows) {
        assert_eq!((&a.stratum, a.quantile), (&b.stratum, b.quantile));
        assert_eq!((&a.own, &a.peer), (&b.peer, &b.own));
        assert_eq!(a.verdict, b.verdict.mirrored());
        assert_eq!((a.p, a.q, a.margin_absolute), (b.p, b.q, b.margin_absolute));
        let plain =
            |answer: &Answer| answer.as_estimate().map(|e| (e.value(), e.interval().0, e.interval().1));
        assert_eq!(plain(&a.difference), turned(&b.difference));
    }
}

/// Two operators that are the same at every hour, one tested early in the evening, one late, when all lines are slower.
fn early_and_late(early: &[u8], late: &[u8]) -> Panel {
    let mut panel = panel(&[Lines { count: 30, ..Lines::of("A") }, Lines { count: 30, ..Lines::of("B") }], 5);
    panel.cells.clear();
    for line in 0..60 {
        let hours = if line < 30 { early } else { late };
        for (day, hour) in (0..20).flat_map(|day| hours.iter().map(move |hour| (day, *hour))) {
            let value = 20.0 * f64::from(hour - 18) + f64::from((line * 7 + day * 3) % 11) / 10.0;
            let mut cell = cell(line as u32, hour, CellValues::Number(value));
            cell.hours = Hours::At { day: 20_003 + day, hour };
            panel.cells.push(cell);
        }
    }
    panel
}

#[test]
fn sides_that_were_tested_at_other_hours_are_compared_hour_by_hour_or_not_at_all() {
    let apart = study(&early_and_late(&[19, 20], &[21, 22]), &query());
    assert!(apart.rows.iter().all(|r| r.verdict == Verdict::CannotTell && r.hours_apart > Some(0.85)));
    assert!(apart.curves.is_empty());
    let Answer::Declined(why) = &apart.rows[0].difference else { panic!("{:?}", apart.rows[0]) };
    assert!(
        why.reason.to_string().contains("% of the tests of the two sides were made at different hours"),
        "{}",
        why.reason
    );

    // A third of the tests without a counterpart is enough for a gap that is none: it is told.
    let panel = early_and_late(&[19, 20, 21], &[20, 21, 22]);
    let folded = study(&panel, &query());
    // A third, less what dealing these lines by chance leaves.
    assert!((0.25..0.34).contains(&folded.rows[0].hours_apart.unwrap()), "{:?}", folded.rows[0].hours_apart);
    assert!(folded.head.notes.iter().any(|n| n.reason.to_string().contains("match on hour")));
    assert_eq!(folded.rows[0].verdict, Verdict::Better);

    // Hour by hour both are the same.
    let by_hour = Query { by: vec![Key::Technology, Key::Region, Key::Hour], ..query() };
    let matched = study(&panel, &by_hour);
    assert!(matched.head.notes.iter().all(|n| !n.reason.to_string().contains("match on hour")));
    let hours: Vec<_> = matched.rows.iter().filter_map(|r| r.stratum.get(Key::Hour)).collect();
    assert!(hours.contains(&"20") && hours.contains(&"21") && !hours.contains(&"19"), "{hours:?}");
    for row in &matched.rows {
        assert!(row.verdict != Verdict::Better && row.verdict != Verdict::Worse, "{row:?}");
        assert!(row.difference.as_estimate().is_none_or(|d| d.value().abs() < 0.5), "{row:?}");
    }
}

#[test]
fn sides_that_were_tested_on_other_days_at_the_same_hours_do_not_meet_hour_of_week_by_hour_of_week() {
    // Day 20,003 is a Monday: one side is tested on Mondays and Tuesdays, the other on Tuesdays and Wednesdays.
    let mut panel = early_and_late(&[19, 20], &[19, 20]);
    panel.cells.retain(|cell| {
        let Hours::At { day, .. } = cell.hours else { return false };
        let first = i32::from(cell.line >= 30);
        (first..first + 2).contains(&((day - 20_003) % 7))
    });
    let by = |key| Query { by: vec![Key::Technology, key], quantiles: vec![0.5], ..query() };
    let hours = |study: &Peers, key| -> BTreeSet<String> {
        study.rows.iter().filter_map(|r| r.stratum.get(key)).map(str::to_owned).collect()
    };
    let by_hour = study(&panel, &by(Key::Hour));
    assert_eq!(hours(&by_hour, Key::Hour), ["19", "20", "all"].map(String::from).into());
    let by_hour_of_week = study(&panel, &by(Key::HourOfWeek));
    let met = hours(&by_hour_of_week, Key::HourOfWeek);
    assert_eq!(met, ["all", "tue-19", "tue-20"].map(String::from).into());

    // Without the day that both were tested on, nothing is left to compare.
    panel.cells.retain(|cell| !matches!(cell.hours, Hours::At { day, .. } if (day - 20_003) % 7 == 1));
    assert!(study(&panel, &by(Key::Hour)).rows.iter().any(|row| row.difference.as_estimate().is_some()));
    assert!(study(&panel, &by(Key::HourOfWeek)).rows.is_empty());

    // A summary made elsewhere is of no single hour, and stays by itself.
    for line in 0..panel.lines.len() as u32 {
        let summary = cell(line, 0, CellValues::Number(f64::from(100 + line % 40)));
        panel.cells.push(Cell { statistic: Statistic::Mean, hours: Hours::Peak, ..summary });
    }
    let rows = study(&panel, &by(Key::HourOfWeek)).rows;
    assert!(!rows.is_empty() && rows.iter().all(|row| row.stratum.is_summary()), "{rows:?}");
    assert!(rows.iter().all(|row| row.stratum.get(Key::HourOfWeek).is_none()));
}

#[test]
fn a_row_has_the_names_of_the_contract() {
    let study = study(&three(), &query());
    let value = serde_json::to_value(&study).unwrap();
    for key in ["study", "version", "period", "filters", "seed", "method", "rows", "notes"] {
        assert!(value.get(key).is_some(), "{key}");
    }
    let row = &value["rows"][0];
    for key in [
        "metric",
        "unit",
        "quantile",
        "stratum",
        "own",
        "peer",
        "difference",
        "ratio",
        "p",
        "q",
        "margin",
        "verdict",
    ] {
        assert!(row.get(key).is_some(), "{key}");
    }
    assert_eq!(row["stratum"]["hours"], "off_peak");
    assert_eq!(row["own"]["operator"], "A");
    assert_eq!(row["own"]["lines"], 30);
    assert_eq!(row["own"]["value"]["n"], 30);
    assert_eq!(row["difference"]["n"], 60);
    let text = value.to_string();
    assert!(!text.contains("NaN") && !text.contains("\"value\":null"), "no number is missing");
    // Two regions by two parts of the week, then each part of the week over the regions, then everything.
    let strata: Vec<String> = study
        .rows
        .iter()
        .filter(|r| r.quantile == 0.5 && r.peer.operator == "B")
        .map(|r| format!("{} {}", r.stratum.get(Key::Region).unwrap(), r.stratum.get(Key::Hours).unwrap()))
        .collect();
    assert_eq!(
        strata,
        [
            "north off_peak",
            "north peak",
            "south off_peak",
            "south peak",
            "all off_peak",
            "all peak",
            "all all"
        ]
    );
}

#[test]
fn one_operator_alone_is_refused_by_name() {
    let alone = study(&panel(&[Lines::of("A")], 1), &Query::of("A"));
    assert_eq!(
        alone.declined.unwrap().reason.to_string(),
        "only one operator, A, is in the data: there is nobody to compare with"
    );
    let unknown = study(&three(), &Query::of("Z"));
    assert_eq!(unknown.declined.unwrap().reason.to_string(), "no line of the own operator Z is in the data");
}

#[test]
fn too_little_data_is_declined_and_has_no_verdict() {
    let few = |count, tests, operator| Lines { count, tests, ..Lines::of(operator) };
    let three_a_side = study(&panel(&[few(3, 20, "A"), few(3, 20, "B")], 1), &query());
    assert_eq!(three_a_side.rows.len(), 3);
    for row in &three_a_side.rows {
        let reason = row.difference.as_declined().unwrap().reason.to_string();
        assert_eq!(reason, "fewer than 6 lines on one side");
        assert_eq!((row.p, row.q, row.verdict), (None, None, Verdict::CannotTell));
    }
    // Six lines a side have a median and no p95: six lines of twenty tests are not 59 independent observations.
    let six_a_side = study(&panel(&[few(6, 20, "A"), few(6, 20, "B")], 1), &query());
    let p95 = six_a_side.rows.iter().find(|r| r.quantile == 0.95).unwrap();
    let reason = p95.difference.as_declined().unwrap().reason.to_string();
    assert!(reason.starts_with("quantile 0.95 needs 59 independent observations"), "{reason}");
    assert_eq!(p95.verdict, Verdict::CannotTell);
}

#[test]
fn a_summary_of_a_line_is_never_mixed_with_its_tests_or_with_another_summary() {
    let mut panel = panel(&[Lines::of("A"), Lines::of("B")], 3);
    for line in 0..panel.lines.len() as u32 {
        for (statistic, value) in [(Statistic::Mean, 100.0), (Statistic::Median, 300.0)] {
            let mut summary = cell(line, 0, CellValues::Number(value + f64::from(line % 40)));
            summary.statistic = statistic;
            summary.hours = Hours::Peak;
            panel.cells.push(summary);
        }
    }
    let study = study(&panel, &Query { quantiles: vec![0.5], ..query() });
    let median = |statistic| {
        let row = study.rows.iter().find(|r| r.statistic == statistic).unwrap();
        assert_eq!(row.stratum.get(Key::Hours), Some("peak"));
        row.own.value.as_estimate().unwrap().value()
    };
    assert!((15.0..30.0).contains(&median(Statistic::Singleton)));
    // The unit is the line: the median of 100 to 139 by nearest rank.
    assert_eq!(median(Statistic::Mean), 119.0);
    assert_eq!(median(Statistic::Median), 319.0);
}

#[test]
fn a_summary_over_peak_hours_is_never_mixed_with_hourly_values_of_the_same_statistic() {
    let mut panel = panel(&[Lines::of("A"), Lines::of("B")], 3);
    panel.cells.clear();
    for line in 0..panel.lines.len() as u32 {
        for (hours, value) in [(Hours::Peak, 100.0), (Hours::At { day: 20_000, hour: 20 }, 300.0)] {
            let value = CellValues::Number(value + f64::from(line % 40));
            panel.cells.push(Cell { statistic: Statistic::Median, hours, ..cell(line, 0, value) });
        }
    }
    let study = study(&panel, &Query { quantiles: vec![0.5], by: vec![Key::Hours], ..query() });
    let median = |days| {
        let row = study
            .rows
            .iter()
            .find(|r| r.stratum.get(Key::Hours) == Some("peak") && r.stratum.get(Key::Days) == days);
        row.unwrap().own.value.as_estimate().unwrap().value()
    };
    assert_eq!((median(Some("all_days")), median(None)), (119.0, 319.0));
    // Hour by hour, the summary has no hour, which is not all of them.
    let by_hour = super::study(&panel, &Query { quantiles: vec![0.5], by: vec![Key::Hour], ..query() });
    let summary = by_hour.rows.iter().find(|r| r.stratum.get(Key::Days) == Some("all_days")).unwrap();
    assert!(summary.stratum.get(Key::Hour).is_none() && !summary.stratum.is_combined());
    assert!(summary.hours_apart.is_none());
}

#[test]
fn targets_of_another_class_are_not_compared() {
    let mut panel = panel(&[Lines::of("A"), Lines::of("B")], 3);
    let exchange = MethodUse { target_class: Some("exchange".into()), ..panel.methods[0].clone() };
    panel.methods.push(exchange.clone());
    let before = panel.cells.clone();
    for cell in panel.cells.iter_mut().filter(|c| c.line >= 40) {
        cell.method = 1;
    }
    assert!(study(&panel, &query()).rows.is_empty());
    panel.cells.extend(before);
    let study = study(&panel, &query());
    assert!(!study.rows.is_empty());
    assert!(study.rows.iter().all(|row| row.method.target_class.is_none()));
    let json = serde_json::to_value(&study.rows[0]).unwrap();
    assert_eq!((&json["method"], &json["method_version"]), (&"stamp".into(), &1.into()));
    assert!(json["target_class"].is_null() && json.get("target_class").is_some());
}

#[test]
fn methods_are_not_compared_with_each_other_and_the_lines_left_alone_are_counted() {
    let mut panel = panel(&[Lines::of("A"), Lines::of("B")], 3);
    panel.methods.push(MethodUse { name: "ping".into(), version: 1, target_class: None });
    for cell in panel.cells.iter_mut().filter(|c| c.line >= 40) {
        cell.method = 1;
    }
    let study = study(&panel, &query());
    assert!(study.rows.is_empty());
    let notes: Vec<(String, u64)> =
        study.head.notes.iter().map(|n| (n.reason.to_string(), n.count)).collect();
    assert!(
        notes.contains(&(
            "round_trip_delay (idle, singleton, stamp v1): lines of A, and none of B".into(),
            40
        )),
        "{notes:?}"
    );
}

#[test]
fn loss_of_nothing_on_both_sides_is_at_par() {
    let mut panel = panel(&[Lines::of("A"), Lines::of("B")], 3);
    for cell in &mut panel.cells {
        cell.metric = MetricId::LOSS_RATIO;
        cell.statistic = Statistic::Mean;
        cell.values = CellValues::Number(0.0);
    }
    let study = study(&panel, &Query { quantiles: vec![0.5], ..query() });
    let row = &study.rows[0];
    assert_eq!(row.difference, Answer::estimate(0.0, (0.0, 0.0), 80));
    assert_eq!(row.verdict, Verdict::AtPar);
    assert!(row.ratio.as_declined().is_some());
}

#[test]
fn loss_is_all_lost_of_all_sent_on_a_line() {
    let mut panel = panel(&[Lines { count: 20, ..Lines::of("A") }, Lines { count: 20, ..Lines::of("B") }], 3);
    let cells = std::mem::take(&mut panel.cells);
    for (run, mut cell) in cells.into_iter().flat_map(|c| (0..50_u64).map(move |run| (run, c.clone()))) {
        cell.metric = MetricId::LOSS_RATIO;
        cell.statistic = Statistic::Mean;
        (cell.sent, cell.lost) = (20, u64::from(run == 7) * u64::from(cell.line));
        cell.values = CellValues::Number(cell.lost as f64 / 20.0);
        panel.cells.push(cell);
    }
    let study = study(&panel, &Query { quantiles: vec![0.5], ..query() });
    // Lines 0 to 19 lose as many packets of a thousand as their number: the tenth of them is the median.
    assert_eq!(study.rows[0].own.value.as_estimate().unwrap().value(), 0.009);
    assert_eq!(study.rows[0].own.observations, 1_000);
}

/// The verdicts, and the signs, that a row of the exchanged operators must have.
fn mirrored(one: &Peers, other: &Peers) {
    let plain = |answer: &Answer| answer.as_estimate().map(|e| (e.value(), e.interval().0, e.interval().1));
    let turned = |answer: &Answer| {
        answer.as_estimate().map(|e| (-e.value() + 0.0, -e.interval().1 + 0.0, -e.interval().0 + 0.0))
    };
    assert!(!one.rows.is_empty() && !one.curves.is_empty());
    assert_eq!((one.rows.len(), one.curves.len()), (other.rows.len(), other.curves.len()));
    for (a, b) in one.rows.iter().zip(&other.rows) {
        assert_eq!((&a.stratum, a.quantile), (&b.stratum, b.quantile));
        assert_eq!(a.verdict, b.verdict.mirrored());
        assert_eq!((a.p, a.q, a.margin_absolute), (b.p, b.q, b.margin_absolute));
        assert_eq!(plain(&a.difference), turned(&b.difference));
    }
    for (a, b) in one.curves.iter().zip(&other.curves) {
        assert_eq!(plain(&a.cliffs_delta), turned(&b.cliffs_delta));
        assert_eq!(a.ks_distance, b.ks_distance);
        for (x, y) in a.shift.iter().zip(&b.shift) {
            assert_eq!(plain(&x.difference), turned(&y.difference));
        }
    }
}

#[test]
fn asking_from_the_other_side_mirrors_every_finding_without_further_settings() {
    let panel = three();
    let ask = |own: &str, peer: &str| {
        study(&panel, &Query { peers: vec![peer.into()], replicates: 300, ..Query::of(own) })
    };
    mirrored(&ask("A", "B"), &ask("B", "A"));
}

#[test]
fn exchanging_the_operators_names_in_the_data_mirrors_every_finding() {
    let panel = three();
    let mut exchanged = panel.clone();
    for line in &mut exchanged.lines {
        line.operator = match line.operator.as_str() {
            "A" => "B".into(),
            "B" => "A".into(),
            other => other.into(),
        };
    }
    let query = Query { peers: vec!["B".into()], replicates: 300, ..Query::of("A") };
    mirrored(&study(&panel, &query), &study(&exchanged, &query));
}

#[test]
fn the_shift_function_is_negative_throughout_where_every_own_line_is_faster() {
    let fast = Lines { median: 10.0, count: 60, ..Lines::of("A") };
    let panel = panel(&[fast, Lines { count: 60, ..Lines::of("B") }], 2);
    let study = study(&panel, &query());
    let curve = &study.curves[0];
    assert_eq!(curve.shift.len(), 9);
    for point in &curve.shift {
        let difference = point.difference.as_estimate().unwrap();
        assert!(difference.interval().1 < 0.0, "{point:?}");
    }
    assert!(curve.cliffs_delta.as_estimate().unwrap().interval().1 < -0.5);
    let ks = curve.ks_distance.as_estimate().unwrap();
    assert!(ks.value() > 0.5 && ks.interval().1 <= 1.0);
}

#[test]
fn any_dependence_asks_for_more_than_the_usual_adjustment() {
    let panel = three();
    let q = |adjustment| {
        let rows = study(&panel, &Query { adjustment, replicates: 300, ..query() }).rows;
        rows.iter().filter_map(|r| r.q).collect::<Vec<_>>()
    };
    let (bh, by) = (q(Adjustment::Bh), q(Adjustment::By));
    // The harmonic number of the family.
    let harmonic: f64 = (1..=bh.len()).map(|k| 1.0 / k as f64).sum();
    for (bh, by) in bh.iter().zip(&by) {
        assert!((by - (bh * harmonic).min(1.0)).abs() < 1e-9 || *by == 1.0, "{bh} {by}");
    }
}

/// Thirty sites, each with a line of both operators, 3 ms apart, with a spread between sites that hides it.
fn sites(gap: f64) -> Panel {
    let mut panel = panel(&[], 1);
    panel.sources.clear();
    for site in 0..30_u32 {
        panel.sources.push(broadgauge_model::panel::Source {
            kind: broadgauge_model::panel::SourceKind::Measured,
            name: format!("agent-{site:02}"),
        });
        for (place, operator) in ["A", "B"].into_iter().enumerate() {
            let line = panel.lines.len() as u32;
            panel.lines.push(broadgauge_model::place::AccessLine {
                line_id: format!("{operator}-{site:02}"),
                operator: operator.into(),
                ..broadgauge_model::place::AccessLine::default()
            });
            for day in 0..5 {
                let noise = f64::from((site * 7 + day * 3 + place as u32 * 5) % 11) / 11.0;
                let value = 20.0 + 9.0 * f64::from(site % 10) + noise + if place == 0 { gap } else { 0.0 };
                let mut cell = cell(line, 20, CellValues::Number(value));
                cell.source = site as u16;
                cell.hours = Hours::At { day: 20_000 + day as i32, hour: 20 };
                panel.cells.push(cell);
            }
        }
    }
    panel
}

#[test]
fn pairs_show_a_gap_that_the_spread_between_places_hides() {
    let query = Query { quantiles: vec![0.5], ..query() };
    let study = study(&sites(3.0), &query);
    assert_eq!(study.rows[0].verdict, Verdict::CannotTell);
    assert!(study.rows[0].detectable_difference.is_some());
    let paired = &study.paired[0];
    assert_eq!((paired.sites, paired.hours, paired.verdict), (30, 150, Verdict::Worse));
    let difference = paired.difference.as_estimate().unwrap();
    assert!(difference.interval().0 <= 3.0 && 3.0 <= difference.interval().1, "{difference:?}");
    let same = super::study(&sites(0.0), &query);
    assert_eq!(same.paired[0].verdict, Verdict::AtPar);
}

#[test]
fn a_handful_of_sites_is_declined() {
    let mut panel = sites(3.0);
    panel.cells.retain(|c| c.source < 4);
    let study = study(&panel, &Query { quantiles: vec![0.5], ..query() });
    let reason = study.paired[0].difference.as_declined().unwrap().reason.to_string();
    assert_eq!(reason, "fewer than 6 sites measure both operators");
    // The P95 of five tests is their largest.
    let tails = super::study(&sites(3.0), &Query { quantiles: vec![0.95], ..query() });
    let reason = tails.paired[0].difference.as_declined().unwrap().reason.to_string();
    assert_eq!(reason, "fewer than 6 sites measure both operators 59 times or more in the same hours");
}
