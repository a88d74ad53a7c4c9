use super::*;
use crate::profile::find;
use crate::study::planted::operators::cell;
use broadgauge_model::place::Promise;

/// Lines with ten tests on each of nine days, in the morning and in the evening.
fn measured(lines: u32, value: impl Fn(u32, i32, u8) -> f64) -> Panel {
    let mut panel = Panel::default();
    for line in 0..lines {
        panel.lines.push(AccessLine {
            line_id: format!("line-{line:02}"),
            operator: "A".into(),
            technology: Some("cable".into()),
            plan: Some("100".into()),
            promise: Promise {
                promised_down_mbps: Some(100.0),
                normal_down_mbps: Some(80.0),
                minimum_down_mbps: Some(50.0),
                ..Promise::default()
            },
            ..AccessLine::default()
        });
        for day in 0..9 {
            for n in 0..10_u8 {
                let hour = if n < 5 { 9 + n } else { 14 + n };
                let mut cell = cell(line, hour, CellValues::Number(value(line, day, hour)));
                cell.metric = MetricId::DOWNLOAD_GOODPUT;
                cell.direction = Direction::Down;
                // Day 20,003 is Monday, 7 October 2024.
                cell.hours = Hours::At { day: 20_003 + day, hour };
                panel.cells.push(cell);
            }
        }
    }
    panel
}

fn ask(panel: &Panel, id: &str) -> Profiled {
    study(panel, &Query { profile: find(id).unwrap(), operators: Vec::new(), holidays: None })
}

#[test]
fn each_line_is_held_against_its_own_contract_with_its_evidence() {
    let panel = measured(3, |line, _, _| if line == 1 { 70.0 } else { 95.0 });
    let study = ask(&panel, "bnetza-2021");
    let findings: Vec<Finding> = study.rows.iter().map(|r| r.verdict.finding).collect();
    assert_eq!(findings, [Finding::Met, Finding::Breached, Finding::Met]);
    assert_eq!(study.counts[&Finding::Breached], 1);
    let parts = &study.rows[1].verdict.evidence;
    assert_eq!(parts.len(), 3);
    assert_eq!((parts[1].seen, parts[1].needed, parts[1].n, parts[1].holds), (0.0, Some(27.0), 30, false));
    let json = serde_json::to_value(&study).unwrap();
    assert_eq!(json["rows"][1]["finding"], "breached");
    assert_eq!(json["profile"]["version"], 2);
}

#[test]
fn a_peak_that_is_slow_breaches_the_normally_available_rate() {
    let finding = |evening: f64, best: f64| {
        let rate = move |_: u32, _: i32, hour: u8| match hour {
            0..19 => 95.0,
            23 => best,
            _ => evening,
        };
        ask(&measured(1, rate), "eu-2015-2120").rows[0].verdict.finding
    };
    assert_eq!(finding(60.0, 100.0), Finding::Breached);
    assert_eq!(finding(95.0, 100.0), Finding::Met);
    // The maximum of 100 on no day.
    assert_eq!(finding(95.0, 99.0), Finding::Breached);
}

#[test]
fn groups_of_lines_are_judged_together_or_not_at_all() {
    let study = ask(&measured(30, |_, _, _| 97.0), "fcc-mba");
    assert_eq!((study.rows.len(), study.rows[0].lines), (1, 30));
    assert_eq!(study.rows[0].subject, "cable 100");
    assert_eq!(study.rows[0].verdict.finding, Finding::Met);
    // Of loss and latency, that nothing was measured.
    assert_eq!(study.rows[0].verdict.missing.len(), 2);
    let few = ask(&measured(29, |_, _, _| 97.0), "fcc-mba");
    assert_eq!(few.rows[0].verdict.finding, Finding::InsufficientData);
    let told = few.rows[0].verdict.missing[0].to_string();
    assert_eq!(told, "needs 30 lines with enough tests; there are 29");
}

/// By hand: five evenings of ten round trips an hour on each line, one of a hundred packets lost, and twice that under
/// load, which does not count: every line loses 0.01, between 0.004 and 0.01.
#[test]
fn loss_and_latency_at_peak_are_those_of_idle_round_trips() {
    let mut panel = measured(30, |_, _, _| 97.0);
    for line in 0..30 {
        for day in 0..5 {
            for (load, delay, lost) in [(Load::Idle, 20.0, 1), (Load::Down, 90.0, 2)] {
                let idle = cell(line, 20, CellValues::Number(delay));
                let hours = Hours::At { day: 20_003 + day, hour: 20 };
                panel.cells.push(Cell { load, hours, sent: 100, lost, ..idle });
            }
        }
    }
    let study = ask(&panel, "fcc-mba");
    let verdict = &study.rows[0].verdict;
    assert!(verdict.missing.is_empty(), "{:?}", verdict.missing);
    let seen: Vec<f64> = verdict.evidence[5..].iter().map(|e| e.seen).collect();
    assert_eq!(seen, [20.0, 0.0, 1.0, 0.0]);
    let json = serde_json::to_value(&study).unwrap();
    let part = &json["rows"][0]["evidence"][7];
    assert_eq!(part["part"], "share of customers whose loss ratio is from 0.004 to 0.01");
    assert_eq!((part["seen"].as_f64(), part["needed"].as_f64()), (Some(1.0), None));
}

/// The same lines with as many uploads, and what was promised of them.
fn with_uploads(lines: u32, rate: f64, promised: impl Fn(usize) -> Option<f64>) -> Panel {
    let mut panel = measured(lines, |_, _, _| 97.0);
    let up = |cell: &Cell| Cell {
        metric: MetricId::UPLOAD_GOODPUT,
        direction: Direction::Up,
        values: CellValues::Number(rate),
        ..cell.clone()
    };
    let uploads: Vec<Cell> = panel.cells.iter().map(up).collect();
    panel.cells.extend(uploads);
    for (i, line) in panel.lines.iter_mut().enumerate() {
        line.promise.promised_up_mbps = promised(i);
    }
    panel
}

/// By hand: nine tenths of 20 are 18, which 19 reaches on every day and 17 on none.
#[test]
fn uploads_are_judged_where_one_was_promised() {
    let odd = |i: usize| (i % 2 == 1).then_some(20.0);
    let rows = ask(&with_uploads(2, 19.0, odd), "bnetza-2021").rows;
    let told: Vec<_> = rows
        .iter()
        .map(|r| (r.subject.as_str(), r.verdict.finding, r.verdict.evidence.len(), r.verdict.missing.len()))
        .collect();
    let met = Finding::Met;
    let too_little = Finding::InsufficientData;
    // Nothing is known of normal and minimum upload rates.
    assert_eq!(
        told,
        [
            ("line-00", met, 3, 0),
            ("line-00 up", too_little, 0, 1),
            ("line-01", met, 3, 0),
            ("line-01 up", too_little, 1, 2)
        ]
    );
    assert_eq!(rows[1].verdict.missing[0].to_string(), "no promised upload rate");
    assert_eq!(rows[3].verdict.evidence[0].seen, 3.0);
    let rows = ask(&with_uploads(2, 17.0, odd), "bnetza-2021").rows;
    assert_eq!((rows[2].verdict.finding, rows[3].verdict.finding), (met, Finding::Breached));
}

#[test]
fn uploads_of_groups_are_held_against_their_own_promise() {
    let study = ask(&with_uploads(30, 19.6, |_| Some(20.0)), "fcc-mba");
    let told: Vec<_> =
        study.rows.iter().map(|r| (r.subject.as_str(), r.direction, r.verdict.evidence[0].seen)).collect();
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].0, told[0].1), ("cable 100", Direction::Down));
    assert_eq!((told[1].0, told[1].1), ("cable 100 up", Direction::Up));
    assert!((told[0].2 - 0.97).abs() < 1e-9 && (told[1].2 - 0.98).abs() < 1e-9, "{told:?}");
    assert_eq!(serde_json::to_value(&study).unwrap()["rows"][1]["direction"], "up");
    let rows = ask(&with_uploads(30, 19.6, |_| None), "fcc-high-cost").rows;
    assert_eq!(
        (rows[1].lines, rows[1].tests, rows[1].verdict.finding),
        (30, 2_700, Finding::InsufficientData)
    );
    assert_eq!(rows[1].verdict.missing[0].to_string(), "no promised upload rate");
    let half = ask(&with_uploads(60, 19.6, |i| (i % 2 == 1).then_some(20.0)), "fcc-mba");
    assert_eq!((half.rows[1].lines, half.rows[1].verdict.finding), (30, Finding::Met));
    let note = &half.head.notes[0];
    assert_eq!(
        (note.reason.to_string().as_str(), note.count),
        ("lines with tests of upload_goodput and no promised rate, left out", 30)
    );
    // The speeds code speaks of downloads.
    assert_eq!(ask(&with_uploads(30, 19.6, |_| None), "ofcom-speeds-code").rows.len(), 1);
}

#[test]
fn round_trips_are_not_held_against_one_way_objectives() {
    let mut panel = measured(1, |_, _, _| 95.0);
    for cell in &mut panel.cells {
        cell.metric = MetricId::ROUND_TRIP_DELAY;
    }
    let study = ask(&panel, "y1541");
    assert!(study.rows.is_empty());
    let reason = study.declined.unwrap().reason.to_string();
    assert_eq!(reason, "no line has tests of the kind that this profile asks for");
}

#[test]
fn each_method_has_its_own_verdict() {
    let mut panel = measured(1, |_, _, _| 95.0);
    let named = |name: &str| MethodUse { name: name.into(), version: 1, target_class: None };
    panel.methods = vec![named("throughput"), named("ndt7")];
    // One stream reads less than several: neither is the other's evidence.
    let slower: Vec<Cell> = panel
        .cells
        .iter()
        .map(|cell| Cell { method: 1, values: CellValues::Number(70.0), ..cell.clone() })
        .collect();
    panel.cells.extend(slower);
    let study = ask(&panel, "bnetza-2021");
    let found: Vec<_> =
        study.rows.iter().map(|r| (r.method.name.as_str(), r.tests, r.verdict.finding)).collect();
    assert_eq!(found, [("ndt7", 90, Finding::Breached), ("throughput", 90, Finding::Met)]);
    let json = serde_json::to_value(&study).unwrap();
    assert_eq!(
        (json["rows"][0]["method"].as_str(), json["rows"][0]["made"].as_bool()),
        (Some("ndt7"), Some(false))
    );
}

#[test]
fn of_a_metric_beside_the_rules_own_one_method_counts_and_the_rest_is_noted() {
    let mut panel = measured(1, |_, _, _| 95.0);
    let named = |name: &str| MethodUse { name: name.into(), version: 1, target_class: None };
    panel.methods = vec![named("throughput"), named("ping"), named("stamp")];
    let delays: Vec<Cell> = panel.cells[..20]
        .iter()
        .map(|cell| Cell {
            metric: MetricId::ROUND_TRIP_DELAY,
            direction: Direction::RoundTrip,
            values: CellValues::Number(20.0),
            ..cell.clone()
        })
        .enumerate()
        .map(|(i, cell)| Cell { method: if i < 5 { 1 } else { 2 }, ..cell })
        .collect();
    panel.cells.extend(delays);
    let study = ask(&panel, "fcc-high-cost");
    assert_eq!(study.rows.len(), 1);
    let note = &study.head.notes[0];
    assert_eq!(
        (note.reason.to_string().as_str(), note.count),
        ("observations of round_trip_delay by other methods than the operator's commonest, left out", 5)
    );
}

/// By hand: 9 lines are tested of 9 and of 91 more that the table knows, and a tenth of 100 is 10.
#[test]
fn lines_that_were_not_tested_count_as_subscribers() {
    let mut panel = measured(9, |_, _, _| 95.0);
    let missing = |panel: &Panel| ask(panel, "fcc-high-cost").rows[0].verdict.missing[0].to_string();
    assert_eq!(missing(&panel), "no round-trip delay was measured");
    let untested = AccessLine { weight: Some(91.0), ..panel.lines[0].clone() };
    panel.lines.push(untested);
    assert_eq!(missing(&panel), "needs 10 tested lines of the 100 known; there are 9");
}

#[test]
fn the_commonest_method_is_each_operators_own() {
    let mut panel = measured(2, |_, _, _| 95.0);
    panel.lines[1].operator = "B".into();
    let named = |name: &str| MethodUse { name: name.into(), version: 1, target_class: None };
    panel.methods = vec![named("throughput"), named("ping"), named("connect")];
    let delays: Vec<Cell> = panel
        .cells
        .iter()
        .enumerate()
        .filter(|(i, cell)| cell.line == 0 || i % 2 == 0)
        .map(|(_, cell)| Cell {
            metric: MetricId::ROUND_TRIP_DELAY,
            direction: Direction::RoundTrip,
            values: CellValues::Number(20.0),
            method: if cell.line == 0 { 1 } else { 2 },
            ..cell.clone()
        })
        .collect();
    panel.cells.extend(delays);
    let study = ask(&panel, "fcc-high-cost");
    assert_eq!(study.rows.len(), 2);
    let told: Vec<String> = study.head.notes.iter().map(|note| note.reason.to_string()).collect();
    assert_eq!(told, ["lines without tests of upload_goodput"]);
}

#[test]
fn an_application_without_loss_or_rate_has_no_score() {
    let mut panel = measured(1, |_, _, _| 95.0);
    let study = ask(&panel, "applications");
    let note = &study.head.notes[0];
    assert_eq!(
        (note.reason.to_string().as_str(), note.count),
        ("lines without tests of round_trip_delay", 1)
    );
    assert!(study.rows.is_empty() && study.declined.is_some());
    for cell in &mut panel.cells {
        (cell.metric, cell.direction) = (MetricId::ROUND_TRIP_DELAY, Direction::RoundTrip);
    }
    let study = ask(&panel, "applications");
    assert!(!study.rows.is_empty());
    assert!(study.rows.iter().all(|r| r.verdict.finding == Finding::InsufficientData));
}

#[test]
fn holidays_are_left_out_and_counted() {
    let panel = measured(1, |_, _, _| 95.0);
    // Four days earlier begins on 3 October, a German holiday.
    let mut moved = panel.clone();
    for cell in &mut moved.cells {
        if let Hours::At { day, .. } = &mut cell.hours {
            *day -= 4;
        }
    }
    let query = Query {
        profile: find("bnetza-2021").unwrap(),
        operators: Vec::new(),
        holidays: Calendar::find("de"),
    };
    let notes = study(&moved, &query).head.notes;
    assert_eq!(
        (notes[0].reason.to_string().as_str(), notes[0].count),
        ("observations on holidays, left out", 10)
    );
    let told: Vec<String> = study(&panel, &query).head.notes.iter().map(|n| n.reason.to_string()).collect();
    assert_eq!(told, ["lines without tests of upload_goodput"]);
}

/// Peak is on weeknights, and 26 October 2024 an ordinary Saturday; the 12th was worked in lieu of the National Day.
#[test]
fn a_weekend_that_is_worked_is_a_weeknight_of_its_calendar() {
    let on = |shift: i32, holidays: Option<&str>| {
        // Eight tests at peak, all on one day.
        let mut panel = measured(30, |_, _, _| 97.0);
        panel.cells.retain(|cell| matches!(cell.hours, Hours::At { day, .. } if day == 20_003));
        for cell in &mut panel.cells {
            if let Hours::At { day, .. } = &mut cell.hours {
                *day += shift;
            }
        }
        let more = panel.cells.clone();
        panel.cells.extend(more);
        let query = Query {
            profile: find("fcc-mba").unwrap(),
            operators: Vec::new(),
            holidays: holidays.and_then(Calendar::find),
        };
        study(&panel, &query).rows[0].verdict.finding
    };
    assert_eq!(on(5, Some("cn")), Finding::Met);
    assert_eq!(on(5, None), Finding::InsufficientData);
    assert_eq!(on(19, Some("cn")), Finding::InsufficientData);
}

#[test]
fn years_without_a_calendar_are_told() {
    let mut panel = measured(1, |_, _, _| 95.0);
    for cell in &mut panel.cells {
        if let Hours::At { day, .. } = &mut cell.hours {
            // From 7 October 2024 to the last days of 2026: 30 and 31 December, and seven days of 2027.
            *day += 814;
        }
    }
    let query = Query {
        profile: find("bnetza-2021").unwrap(),
        operators: Vec::new(),
        holidays: Calendar::find("cn"),
    };
    let note = &study(&panel, &query).head.notes[0];
    assert_eq!(
        (note.reason.to_string().as_str(), note.count),
        ("observations of which none is left out: no calendar cn for 2027", 70)
    );
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let panel =
        measured(3, |line, day, hour| 60.0 + f64::from((line * 7 + day as u32 * 3 + u32::from(hour)) % 45));
    let mut turned = panel.clone();
    turned.cells.reverse();
    assert_eq!(ask(&panel, "bnetza-2021"), ask(&turned, "bnetza-2021"));
}
