use super::*;
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::complaint::{Class, Complaint};
use broadgauge_model::panel::Period;
use broadgauge_model::place::AccessLine;
use broadgauge_model::text::Lang;

const START: i64 = 1_704_067_200;

fn at(hours: i64) -> Wall {
    Wall::from_secs(START + hours * 3_600)
}

fn case(id: usize, opened: i64, change: impl FnOnce(&mut Complaint)) -> PanelComplaint {
    let mut complaint = Complaint {
        complaint_id: format!("c{id:04}"),
        opened_at: at(opened),
        operator: Some("A".into()),
        class: Some(Class::Network),
        owner: Some("north".into()),
        ..Complaint::default()
    };
    change(&mut complaint);
    PanelComplaint { line: Some((id % 500) as u32), day: 0, hour: 0, complaint }
}

/// 100 days; a complaint an hour for 200 hours, resolved after as many hours as its number, where that is below 150.
fn panel() -> Panel {
    let lines = (0..500)
        .map(|l| AccessLine { line_id: format!("l{l:03}"), operator: "A".into(), ..AccessLine::default() })
        .collect();
    let complaints = (0..200)
        .map(|i| {
            case(i, i as i64, |c| {
                c.first_response_at = Some(at(i as i64 + 1 + i as i64 % 5));
                c.resolved_at = (i < 150).then(|| at(2 * i as i64 + 2));
                c.channel = Some(if i % 2 == 0 { "phone" } else { "web" }.into());
                c.owner = (i != 199).then(|| "north".into());
                c.due_at = Some(at(i as i64 + 48));
            })
        })
        .collect();
    let period = Period { from: at(0), to: at(2_400), zone: "UTC".into() };
    Panel { lines, complaints, period, ..Panel::default() }
}

#[test]
fn times_are_counted_with_what_is_still_open() {
    let got = study(&panel(), &Query::of("A"));
    let all = &got.groups[0];
    assert_eq!((all.by, all.cases, all.open), ("all", 200, 50));
    assert_eq!((all.resolution.cases, all.resolution.done), (200, 150));
    // Half of 200, open ones included, were resolved within 101 hours: of the resolved alone it would be 76.
    assert_eq!(all.resolution.p50_hours.as_estimate().unwrap().value(), 101.0);
    let reason = all.resolution.p80_hours.as_declined().unwrap().reason.get(Lang::En);
    assert!(reason.contains("fewer than 80%"), "{reason}");
    assert_eq!(all.first_response.p50_hours.as_estimate().unwrap().value(), 3.0);
    let within: Vec<(&str, f64)> = all
        .first_response
        .within
        .iter()
        .map(|w| (w.deadline, w.ratio.as_estimate().unwrap().value()))
        .collect();
    assert_eq!(within, [("miit_reply", 1.0), ("fcc_reply", 1.0)]);
    assert!(all.expected_open.unwrap() > 0.0);
}

#[test]
fn overdue_and_unowned_cases_are_listed_oldest_first() {
    let got = study(&panel(), &Query { longest_list: 5, ..Query::of("A") });
    assert_eq!((got.overdue.len(), got.overdue_in_all), (5, 50));
    assert_eq!(got.overdue[0].complaint_id, "c0150");
    assert_eq!(got.overdue[0].overdue_hours, Some(2_400.0 - 198.0));
    assert_eq!((got.unowned.len(), got.unowned[0].complaint_id.as_str()), (1, "c0199"));
    assert_eq!((got.groups[0].overdue, got.groups[0].unowned), (50, 1));
    let by: Vec<(&str, &str)> = got.groups.iter().map(|g| (g.by, g.value.as_str())).collect();
    assert_eq!(
        by,
        [("all", "all"), ("channel", "phone"), ("channel", "web"), ("owner", "-"), ("owner", "north")]
    );
}

#[test]
fn repeats_and_cases_opened_again_spoil_the_first_contact() {
    let mut panel = panel();
    panel.complaints = (0..40)
        .map(|i| {
            case(i % 20, i as i64, |c| {
                c.complaint_id = format!("r{i:02}");
                c.first_response_at = Some(at(i as i64 + 1));
                c.resolved_at = Some(at(i as i64 + 1));
                c.reopened_at = (i >= 35).then(|| at(i as i64 + 50));
            })
        })
        .collect();
    let got = study(&panel, &Query::of("A"));
    let value = |answer: &super::super::Answer| answer.as_estimate().unwrap().value();
    let all = &got.groups[0];
    // Twenty lines complained twice, 20 hours apart: the first of each pair was repeated.
    assert_eq!(value(&all.repeated_ratio), 0.5);
    assert_eq!(value(&all.reopened_ratio), 0.125);
    assert_eq!(value(&all.first_contact_ratio), 15.0 / 40.0);
    assert_eq!(all.open, 5);
}

#[test]
fn what_is_too_late_to_tell_is_not_called_unrepeated() {
    let mut panel = panel();
    panel.period.to = at(210);
    let got = study(&panel, &Query::of("A"));
    let reason = got.groups[0].repeated_ratio.as_declined().unwrap().reason.get(Lang::En);
    assert!(reason.contains("0 cases, fewer than 10"), "{reason}");
    // Nor are those repeated already counted, or every case that counts would be a repeated one.
    panel.complaints.iter_mut().for_each(|case| case.line = Some(0));
    let got = study(&panel, &Query::of("A"));
    let reason = got.groups[0].repeated_ratio.as_declined().unwrap().reason.get(Lang::En);
    assert!(reason.contains("0 cases, fewer than 10"), "{reason}");
}

#[test]
fn few_cases_have_counts_and_no_estimates_and_none_is_declined() {
    let mut panel = panel();
    panel.complaints.truncate(4);
    let got = study(&panel, &Query::of("A"));
    assert_eq!(got.groups[0].cases, 4);
    assert!(got.groups[0].resolution.p50_hours.as_declined().is_some());
    panel.complaints.clear();
    assert!(study(&panel, &Query::of("A")).declined.is_some());
    assert!(!serde_json::to_string(&got).unwrap().contains("NaN"));
}

#[test]
fn a_state_without_a_time_is_neither_open_nor_timed() {
    let mut panel = panel();
    for complaint in &mut panel.complaints {
        complaint.complaint.resolved_at = None;
        complaint.complaint.status = Some("Closed".into());
    }
    let got = study(&panel, &Query::of("A"));
    assert_eq!((got.groups[0].open, got.groups[0].resolution.cases), (0, 0));
    assert!(got.head.notes.iter().any(|n| n.count == 200));
}

#[test]
fn open_cases_do_not_speak_for_those_that_are_closed_without_a_time() {
    let mut panel = panel();
    for (at, complaint) in panel.complaints.iter_mut().enumerate() {
        complaint.complaint.first_response_at = None;
        complaint.complaint.resolved_at = None;
        complaint.complaint.status = (at >= 20).then(|| "Closed".into());
    }
    let reason = |answer: &super::super::Answer| answer.as_declined().unwrap().reason.get(Lang::En);
    let timeless = "180 of 200 cases are closed without a time, so the others would not speak for them";
    let got = study(&panel, &Query::of("A"));
    let times = &got.groups[0].first_response;
    assert_eq!(reason(&times.p50_hours), timeless);
    for within in &times.within {
        assert_eq!(reason(&within.ratio), timeless);
    }
    panel.complaints.truncate(20);
    let got = study(&panel, &Query::of("A"));
    let times = &got.groups[0].first_response;
    assert_eq!(reason(&times.p50_hours), "none of 20 cases was done in the time observed");
    // None of twenty in time is at most a sixth of all, not none of all.
    let (low, high) = times.within[0].ratio.as_estimate().unwrap().interval();
    assert!(low == 0.0 && (0.1..0.2).contains(&high), "{low} to {high}");
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let mut shuffled = panel();
    shuffled.complaints.reverse();
    assert_eq!(study(&shuffled, &Query::of("A")), study(&panel(), &Query::of("A")));
}

/// The panel with cases opened around 8 April 2026: one a day for 40 days before and 40 days from then on, each resolved after 50
/// days, but every fourth after 35.
fn around_the_six_weeks() -> Panel {
    const CHANGE: i64 = 1_775_602_800;
    let mut panel = panel();
    let day = |day: i64| Wall::from_secs(CHANGE + day * 86_400);
    panel.period = Period { from: day(-40), to: day(200), zone: "UTC".into() };
    panel.complaints = (-40..40)
        .map(|n: i64| {
            case((n + 40) as usize, 0, |c| {
                c.opened_at = day(n);
                c.resolved_at = Some(day(n + if n % 4 == 0 { 35 } else { 50 }));
            })
        })
        .collect();
    panel
}

#[test]
fn a_deadline_that_changed_is_held_against_the_cases_of_its_time() {
    let got = study(&around_the_six_weeks(), &Query::of("A"));
    let of = |word: &str| {
        let within = got.groups[0].resolution.within.iter().find(|w| w.deadline == word).unwrap();
        let e = within.ratio.as_estimate().unwrap();
        (within.days, e.value(), e.n())
    };
    // Before, eight weeks were enough for all; of those after, a quarter was done in six.
    assert_eq!(of("ofcom_adr"), (56.0, 1.0, 40));
    assert_eq!(of("ofcom_adr_2026"), (42.0, 0.25, 40));
    assert!(got.escalations.is_none(), "no case names one");
    let years_before = study(&panel(), &Query::of("A"));
    let words: Vec<_> = years_before.groups[0].resolution.within.iter().map(|w| w.deadline).collect();
    assert_eq!(words, ["ofcom_speeds", "ofcom_adr"], "a deadline that no case falls under is left out");
}

#[test]
fn escalations_are_counted_by_the_lines_that_could_have_and_their_deadline_runs_from_there() {
    let mut panel = around_the_six_weeks();
    let day = |n: f64| Span((n * 86_400e9) as i64);
    for (n, case) in panel.complaints.iter_mut().enumerate().filter(|(n, _)| n % 4 == 1) {
        let opened = case.complaint.opened_at;
        // Half of the twenty are settled ten days after the customer went further, the others after forty.
        case.complaint.escalated_at = Some(opened + day(20.0));
        case.complaint.resolved_at = Some(opened + day(if n % 8 == 1 { 30.0 } else { 60.0 }));
    }
    panel.complaints[1].line = None;
    // One was opened before the period, and went further in it; one went further before it.
    let mut early = panel.complaints[0].clone();
    early.complaint.opened_at = panel.period.from + day(-30.0);
    early.complaint.escalated_at = Some(panel.period.from + day(1.0));
    let mut gone = early.clone();
    gone.complaint.escalated_at = Some(panel.period.from + day(-1.0));
    panel.earlier_complaints = vec![early, gone];
    // 500 lines over 240 days, of which one is in service for the last 40 only, and one is somebody else's.
    panel.lines[400].active_from = Some(panel.period.to + day(-40.0));
    panel.lines[401].operator = "B".into();
    let got = study(&panel, &Query::of("A")).escalations.unwrap();
    assert_eq!((got.cases, got.on_known_lines, got.lines), (21, 20, 499));
    assert!((got.line_days - (498.0 * 240.0 + 40.0)).abs() < 1e-6, "{}", got.line_days);
    let rate = got.per_million_line_quarters.as_estimate().unwrap();
    let expected = 20.0 / (got.line_days / 91.3125) * 1e6;
    // Estimates carry seven digits.
    assert!((rate.value() / expected - 1.0).abs() < 1e-6 && rate.n() == 20, "{rate:?} {expected}");
    // Garwood, 20 cases: 12.216517 to 30.888376 (scipy.stats.chi2).
    let (low, high) = rate.interval();
    assert!((low / expected * 20.0 - 12.216_517).abs() < 1e-4, "{low}");
    assert!((high / expected * 20.0 - 30.888_376).abs() < 1e-4, "{high}");
    let settled = &got.within[0];
    assert_eq!((settled.deadline, settled.days), ("miit_appeal", 30.0));
    assert_eq!(settled.ratio.as_estimate().unwrap().value(), 0.5);
}
