use super::*;
use crate::study::Answer;
use crate::study::planted::town::TOWN;
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{CellValues, Hours, PanelComplaint};
use std::collections::{BTreeMap, BTreeSet};

fn json(panel: &Panel) -> String {
    serde_json::to_string(&study(panel, &Query { replicates: 100, ..Query::of("A") })).unwrap()
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let panel = TOWN.panel(1);
    let expected = json(&panel);
    for threads in [1, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| json(&panel)), expected, "{threads} threads");
    }
    let mut shuffled = panel.clone();
    let n = panel.lines.len();
    let place = |line: u32| ((line as usize * 7 + 3) % n) as u32;
    for line in 0..n as u32 {
        shuffled.lines[place(line) as usize] = panel.lines[line as usize].clone();
    }
    shuffled.cells.iter_mut().for_each(|c| c.line = place(c.line));
    shuffled.complaints.iter_mut().for_each(|c| c.line = c.line.map(place));
    shuffled.cells.reverse();
    shuffled.complaints.reverse();
    assert_eq!(json(&shuffled), expected);
}

/// How often a note was made.
fn noted(study: &Complaints, reason: &str) -> u64 {
    study.head.notes.iter().find(|n| n.reason.to_string().contains(reason)).map_or(0, |n| n.count)
}

#[test]
fn every_line_day_at_risk_is_in_a_band_or_counted_apart() {
    let mut panel = TOWN.panel(2);
    // A tenth of the lines is never measured, and complains all the same.
    panel.cells.retain(|c| c.line % 10 != 0);
    let study = study(&panel, &Query { replicates: 60, ..Query::of("A") });
    let banded: u64 = study.bands.iter().map(|b| b.line_days).sum();
    let all = (TOWN.lines * TOWN.days as usize) as u64;
    let early = noted(&study, "first full window");
    assert_eq!(early, TOWN.lines as u64);
    // Days after a complaint and within the 28 in which another is its repeat, counted one by one.
    let first_day = 19_723;
    let mut said = vec![BTreeSet::new(); TOWN.lines];
    for c in panel.complaints.iter().filter(|c| c.complaint.class == Some(Class::Network)) {
        said[c.line.unwrap() as usize].insert(c.day);
    }
    let not_at_risk = |day: &i32, days: &BTreeSet<i32>| days.range(day - 28..*day).next().is_some();
    let open: usize = said
        .iter()
        .map(|days| (first_day + 1..first_day + TOWN.days).filter(|day| not_at_risk(day, days)).count())
        .sum();
    assert!(open > 1_000, "{open}");
    assert_eq!(noted(&study, "another would be its repeat"), open as u64);
    assert_eq!(banded + study.unmeasured[0].line_days + early + open as u64, all);
    let begun =
        |days: &BTreeSet<i32>| days.iter().filter(|day| **day > first_day && !not_at_risk(day, days)).count();
    let counted = study.bands.iter().map(|b| b.complaints).sum::<u64>() + study.unmeasured[0].complaints;
    assert_eq!(counted, said.iter().map(begun).sum::<usize>() as u64);
    let rate = |b: &Band| b.rate_per_1000_line_days.as_estimate().unwrap().value();
    let (best, worst) = (&study.bands[0], study.bands.last().unwrap());
    assert!(rate(worst) > 1.5 * rate(best), "{best:?} {worst:?}");
    assert!(study.unmeasured[0].complaints > 0);
}

#[test]
fn repeats_within_twenty_eight_days_are_one_episode() {
    let mut panel = TOWN.panel(3);
    let complaints = |panel: &Panel| -> u64 {
        let study = study(panel, &Query { replicates: 60, repeat_days: 28, ..Query::of("A") });
        let inside: u64 = study.bands.iter().map(|b| b.complaints).sum();
        inside + study.unmeasured[0].complaints
    };
    let once = complaints(&panel);
    let again: Vec<_> = panel
        .complaints
        .iter()
        .map(|c| {
            let mut c = c.clone();
            c.day = (c.day + 3).min(19_723 + TOWN.days - 1);
            c
        })
        .collect();
    panel.complaints.extend(again);
    // A repeat may bridge two episodes, never make one more.
    assert!(complaints(&panel) <= once);
}

#[test]
fn a_repeat_of_a_complaint_from_before_the_period_opens_no_episode() {
    let mut panel = TOWN.panel(3);
    let episodes = |panel: &Panel| -> u64 {
        let study = study(panel, &Query { replicates: 60, repeat_days: 28, ..Query::of("A") });
        study.bands.iter().map(|b| b.complaints).sum::<u64>() + study.unmeasured[0].complaints
    };
    let all = episodes(&panel);
    // Customers who complained of the network in the third week and not before it.
    let first_day = panel.complaints.iter().map(|c| c.day).min().unwrap();
    let of_network = panel.complaints.iter().filter(|c| c.complaint.class == Some(Class::Network));
    let (before, late): (Vec<_>, Vec<_>) =
        of_network.filter(|c| c.day < first_day + 21).cloned().partition(|c| c.day < first_day + 14);
    let known: BTreeSet<_> = before.iter().map(|c| c.line).collect();
    let mut again: BTreeMap<_, _> = late.into_iter().map(|c| (c.line, c)).collect();
    again.retain(|line, _| !known.contains(line));
    assert!(again.len() > 5);
    let repeats = again.len() as u64;
    panel.earlier_complaints =
        again.into_values().map(|c| PanelComplaint { day: first_day - 1, ..c }).collect();
    assert_eq!(episodes(&panel), all - repeats);
}

#[test]
fn given_edges_are_kept_and_the_contract_has_its_names() {
    let edges = [(MetricId::LOADED_ROUND_TRIP_DELAY, vec![40.0, 45.0, 60.0])].into();
    let study = study(&TOWN.panel(1), &Query { replicates: 60, edges, ..Query::of("A") });
    let bands: Vec<(f64, f64)> = study.bands.iter().map(|b| (b.from, b.to)).collect();
    assert_eq!(bands, [(40.0, 45.0), (45.0, 60.0)]);
    let value = serde_json::to_value(&study).unwrap();
    let band = &value["bands"][0];
    for key in ["metric", "from", "to", "line_days", "complaints", "rate_per_1000_line_days"] {
        assert!(band.get(key).is_some(), "{key}");
    }
    let rows = value["case_crossover"].as_array().unwrap();
    for key in ["metric", "window", "per", "class", "control", "episodes", "rate_ratio", "p", "q"] {
        assert!(rows[0].get(key).is_some(), "{key}");
    }
    let heads: Vec<_> = rows.iter().map(|r| (r["window"].as_str().unwrap(), r["control"].as_str())).collect();
    assert_eq!(
        heads,
        [
            ("24h", None),
            ("7d", None),
            ("24h", Some("billing")),
            ("7d", Some("billing")),
            ("24h", Some("future")),
            ("7d", Some("future")),
        ]
    );
}

#[test]
fn too_few_episodes_are_declined_with_their_number() {
    let mut panel = TOWN.panel(1);
    panel.complaints.truncate(6);
    let study = study(&panel, &Query { replicates: 60, ..Query::of("A") });
    for row in &study.case_crossover {
        let reason = row.rate_ratio.as_declined().unwrap().reason.to_string();
        assert!(reason.contains("at least 10 are needed"), "{reason}");
        assert_eq!((row.p, row.q), (None, None));
    }
}

/// The town with so many network complaints, each of which but one follows a bad day where its referents were good.
fn all_but_told_apart(seed: u64) -> Panel {
    let mut panel = TOWN.panel(seed);
    let bad = |panel: &Panel, line: u32, day: i32| {
        panel.cells.iter().any(|c| {
            let Hours::At { day: at, .. } = c.hours else { return false };
            (c.line, at) == (line, day - 1) && matches!(c.values, CellValues::Number(v) if v > 45.0)
        })
    };
    let first = panel.complaints.iter().map(|c| c.day).min().unwrap();
    panel.complaints.retain(|c| c.complaint.class == Some(Class::Network) && c.day > first + 28);
    let mut seen = BTreeSet::new();
    let complaints: Vec<_> = std::mem::take(&mut panel.complaints)
        .into_iter()
        .filter(|c| seen.insert(c.line) && bad(&panel, c.line.unwrap(), c.day))
        .take(30)
        .collect();
    let cases: BTreeMap<u32, i32> = complaints.iter().map(|c| (c.line.unwrap(), c.day - 1)).collect();
    let hair = *cases.keys().next().unwrap();
    for cell in &mut panel.cells {
        let (Some(&day), Hours::At { day: at, .. }) = (cases.get(&cell.line), cell.hours) else { continue };
        // One referent is worse than its case by a hair: told apart, but for this.
        let value = match (at == day, cell.line == hair) {
            (true, _) => 50.0,
            (false, false) => 49.0,
            (false, true) => 50.0001,
        };
        cell.values = CellValues::Number(value);
    }
    panel.complaints = complaints;
    panel
}

#[test]
fn a_comparison_that_all_but_tells_cases_apart_is_declined_in_words_and_has_no_p() {
    let panel = all_but_told_apart(4);
    let study = study(&panel, &Query { replicates: 60, windows_hours: vec![24], ..Query::of("A") });
    let row = study.case_crossover.iter().find(|row| row.control.is_none()).unwrap();
    assert!(row.episodes >= 20, "{row:?}");
    let reason = &row.rate_ratio.as_declined().unwrap().reason;
    assert!(reason.to_string().contains("too little information"), "{reason:?}");
    assert!(reason.get(broadgauge_model::text::Lang::Zh).contains("信息太少"), "{reason:?}");
    assert_eq!((row.p, row.q), (None, None));
    let ratio = &serde_json::to_value(row).unwrap()["rate_ratio"];
    assert!(ratio["declined"].is_string() && ratio.get("value").is_none(), "{ratio}");
}

#[test]
fn a_wide_but_honest_interval_stays() {
    let mut panel = TOWN.panel(7);
    let network: Vec<_> =
        panel.complaints.iter().filter(|c| c.complaint.class == Some(Class::Network)).cloned().collect();
    panel.complaints = network.into_iter().step_by(24).collect();
    let study = study(&panel, &Query { replicates: 60, windows_hours: vec![24], ..Query::of("A") });
    let row = study.case_crossover.iter().find(|row| row.control.is_none()).unwrap();
    let (low, high) = row.rate_ratio.as_estimate().unwrap().interval();
    assert!(row.episodes < 40 && high / low > 3.0, "{row:?}");
    assert!(row.p.is_some());
}

#[test]
fn without_a_network_complaint_the_study_says_so() {
    let mut panel = TOWN.panel(1);
    panel.complaints.clear();
    let study = study(&panel, &Query::of("A"));
    assert_eq!(
        study.declined.unwrap().reason.to_string(),
        "no network complaint names a line of A in service, or an area of one"
    );
    assert!(study.bands.is_empty() && study.case_crossover.is_empty());
}

#[test]
fn a_period_that_begins_and_ends_within_days_has_whole_line_days_only() {
    let whole = TOWN.panel(5);
    let mut cut = whole.clone();
    // The same instants, read on a clock eight hours ahead: the period now runs from 08:00 to 08:00.
    cut.period.zone = "Asia/Shanghai".into();
    let line_days = |panel: &Panel| {
        let study = study(panel, &Query { replicates: 60, ..Query::of("A") });
        let banded: u64 = study.bands.iter().map(|b| b.line_days).sum();
        let left_out = noted(&study, "first full window") + noted(&study, "another would be its repeat");
        banded + study.unmeasured[0].line_days + left_out
    };
    assert_eq!(line_days(&cut), line_days(&whole) - TOWN.lines as u64);
}

#[test]
fn complaints_about_a_few_faults_are_not_taken_for_independent_evidence() {
    let mut panel = TOWN.panel(6);
    panel.lines.iter_mut().for_each(|line| line.node = Some("cabinet".into()));
    let first = panel.complaints.iter().map(|c| c.day).min().unwrap();
    panel.complaints.retain(|c| (c.day - first) % 12 == 0);
    let study = study(&panel, &Query { replicates: 60, ..Query::of("A") });
    let row = study.case_crossover.iter().find(|row| row.control.is_none()).unwrap();
    assert!(row.episodes > 20 && row.clusters < 20, "{row:?}");
    let Answer::Declined(declined) = &row.rate_ratio else { panic!("{row:?}") };
    assert!(declined.reason.to_string().contains("independent groups"), "{declined:?}");
    assert_eq!(row.p, None);
}
