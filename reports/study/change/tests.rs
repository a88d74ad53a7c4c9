use super::*;
use crate::study::planted::normal;
use crate::study::planted::operators::{Lines, cell, panel};
use broadgauge_model::panel::{CellValues, Hours};

/// Lines observed at four hours of every day, with a week and a shared step.
fn observed(lines: u32, days: i32, step: f64, from: i32) -> Panel {
    let mut panel = panel(&[Lines { count: lines as usize, tests: 0, ..Lines::of("A") }], 1);
    panel.cells.clear();
    for line in 0..lines {
        let mut stream = Stream::new(u64::from(line), Purpose::Simulation, 7);
        let level = 20.0 + 3.0 * normal(&mut stream);
        for day in 0..days {
            for hour in [2, 8, 14, 20] {
                let week = f64::from(hour) / 4.0 + if day % 7 > 4 { 3.0 } else { 0.0 };
                let later = if day >= from { step } else { 0.0 };
                let value = level + week + later + normal(&mut stream);
                let mut cell = cell(line, hour, CellValues::Number(value));
                cell.hours = Hours::At { day: 20_000 + day, hour };
                panel.cells.push(cell);
            }
        }
    }
    panel
}

fn query() -> Query {
    Query { replicates: 400, ..Query::of("A") }
}

#[test]
fn a_lasting_rise_is_a_regression_with_its_day_and_its_retest() {
    let study = study(&observed(8, 90, 8.0, 60), &query());
    assert_eq!(study.rows.len(), 1, "{:?}", study.rows);
    let row = &study.rows[0];
    // Day 20,060 is 3 December 2024.
    assert_eq!((row.finding, row.since.as_deref()), (Finding::Regression, Some("2024-12-03")));
    assert_eq!((row.lines, row.days, row.lasted_days), (8, 90, Some(30)));
    let difference = row.difference.as_estimate().unwrap();
    assert!(difference.interval().0 < 8.0 && 8.0 < difference.interval().1, "{difference:?}");
    let retest = row.retest.as_ref().unwrap().to_string();
    assert!(
        retest.starts_with("measure A by stamp for 7 more days: confirmed if their median stays above"),
        "{retest}"
    );
}

#[test]
fn a_fall_is_an_improvement_and_the_reverse_of_a_rate() {
    let fall = study(&observed(8, 90, -8.0, 60), &query());
    assert_eq!(fall.rows[0].finding, Finding::Improvement);
    let mut rates = observed(8, 90, -8.0, 60);
    for cell in &mut rates.cells {
        cell.metric = MetricId::find("download_goodput").unwrap();
    }
    assert_eq!(study(&rates, &query()).rows[0].finding, Finding::Regression);
}

#[test]
fn a_change_within_the_margin_is_only_watched() {
    let study = study(&observed(8, 90, 2.5, 60), &query());
    let row = &study.rows[0];
    assert_eq!(row.finding, Finding::Watch);
    assert_eq!(
        row.lacks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["it is no larger than the margin"]
    );
}

#[test]
fn a_change_that_has_not_lasted_is_only_watched() {
    let study = study(&observed(8, 90, 8.0, 78), &Query { persist_days: 14, ..query() });
    let row = &study.rows[0];
    assert_eq!(row.finding, Finding::Watch);
    assert_eq!(row.lacks.iter().map(ToString::to_string).collect::<Vec<_>>(), ["it has not lasted 14 days"]);
}

#[test]
fn a_week_that_repeats_is_steady() {
    let study = study(&observed(8, 90, 0.0, 0), &query());
    assert_eq!(study.rows[0].finding, Finding::Steady);
    assert!(study.rows[0].difference.as_declined().is_some());
}

/// The panel with its tests an hour later by the clock from a day on.
fn with_clocks_changed(mut panel: Panel, from: i32) -> Panel {
    for cell in &mut panel.cells {
        if let Hours::At { day, hour } = &mut cell.hours {
            *hour += u8::from(*day >= 20_000 + from);
        }
    }
    panel
}

#[test]
fn where_tests_move_to_other_hours_each_side_is_looked_at_for_itself() {
    // The step is ten days after the clocks: across them it would pass for two changes, or for none.
    let stepped = study(&with_clocks_changed(observed(8, 120, 8.0, 70), 50), &query());
    let found: Vec<_> = stepped.rows.iter().map(|r| (r.days, r.finding, r.since.as_deref())).collect();
    assert_eq!(found, [(50, Finding::Steady, None), (70, Finding::Regression, Some("2024-12-13"))]);
    assert_eq!(stepped.rows[1].first_day.as_deref(), Some("2024-11-23"));
    let note = stepped.head.notes.last().unwrap();
    assert!(note.reason.to_string().starts_with("lines tested at other hours of the week from 2024-11-23"));
    assert_eq!(note.count, 8);

    let steady = study(&with_clocks_changed(observed(8, 120, 0.0, 0), 50), &query());
    assert!(steady.rows.iter().all(|r| r.finding == Finding::Steady), "{:?}", steady.rows);

    // Each side has its own level: the step lies on the very day, and nobody can say what it is of.
    let moved = study(&with_clocks_changed(observed(8, 120, 30.0, 50), 50), &query());
    let levels: Vec<f64> = moved.rows.iter().map(|r| r.before.unwrap()).collect();
    assert!(levels.len() == 2 && (levels[1] - levels[0] - 30.0).abs() < 1.5, "{levels:?}");

    // Lines that joined later have no vote on what was before.
    let mut joined = with_clocks_changed(observed(16, 120, 8.0, 70), 50);
    joined.cells.retain(|c| c.line < 8 || matches!(c.hours, Hours::At { day, .. } if day >= 20_060));
    let found: Vec<_> =
        study(&joined, &query()).rows.iter().map(|r| (r.lines, r.days, r.since.clone())).collect();
    assert_eq!(found, [(8, 50, None), (16, 70, Some("2024-12-13".into()))]);
}

#[test]
fn one_line_among_many_that_changes_is_named() {
    let mut panel = observed(6, 200, 0.0, 0);
    for cell in panel.cells.iter_mut().filter(|c| c.line == 3) {
        if let (Hours::At { day, .. }, CellValues::Number(value)) = (cell.hours, &mut cell.values) {
            *value += if day >= 20_100 { 15.0 } else { 0.0 };
        }
    }
    let study = study(&panel, &Query { unit: Unit::Line, ..query() });
    let alarms: Vec<&str> =
        study.rows.iter().filter(|r| r.finding == Finding::Regression).map(|r| r.name.as_str()).collect();
    assert_eq!(alarms, ["A-north-00003"]);
    assert_eq!(study.rows.len(), 6);
}

#[test]
fn short_series_are_declined_by_name() {
    let month = study(&observed(4, 30, 8.0, 15), &query());
    let reason = month.rows[0].difference.as_declined().unwrap().reason.to_string();
    assert_eq!(reason, "30 points, and at least 35 are needed");
    assert_eq!(month.rows[0].finding, Finding::CannotTell);
    let week = study(&observed(4, 10, 8.0, 5), &query());
    let reason = week.declined.unwrap().reason.to_string();
    assert_eq!(reason, "no line of A was observed in three weeks of the same hours");
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let panel = observed(5, 70, 4.0, 40);
    let json = |panel: &Panel| serde_json::to_string(&study(panel, &query())).unwrap();
    let mut turned = panel.clone();
    turned.cells.reverse();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(pool.install(|| json(&panel)), json(&turned));
}
