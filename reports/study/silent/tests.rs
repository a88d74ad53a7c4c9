use super::*;
use crate::study::planted::habits::Habits;

/// A town in which falling short makes complaints four times as likely as it does elsewhere.
fn town() -> Panel {
    Habits { lines: 1_200, weeks: 18, slope: 6.0, ..Habits::PLANTED }.town(7)
}

fn query() -> Query {
    Query { capacity: 100, replicates: 99, ..Query::of("A") }
}

#[test]
fn those_at_risk_are_found_before_they_complain_and_the_risk_means_what_it_says() {
    let study = study(&town(), &query());
    assert!(study.declined.is_none(), "{:?}", study.declined);
    let judged = study.judged.as_ref().unwrap();
    assert!(judged.lift.unwrap() > 1.5, "{judged:?}");
    let slope = judged.calibration_slope.as_estimate().unwrap();
    assert!(slope.interval().0 < 1.0 && 1.0 < slope.interval().1, "{judged:?}");
    let chance = judged.complained as f64 / judged.lines as f64;
    assert!(judged.average_precision.as_estimate().unwrap().value() > 1.3 * chance, "{judged:?}");
    assert_eq!(study.list.len(), 100);
    assert_eq!(study.list.iter().filter(|line| line.group == "control").count(), 10);
    let risk = |at: usize| study.list[at].risk.as_estimate().unwrap().value();
    assert!(risk(0) >= risk(99));
    assert!(study.list.iter().take(20).all(|line| !line.reasons.is_empty()), "{:?}", study.list[0]);
    let zh = study.list[0].reasons[0].get(broadgauge_model::text::Lang::Zh);
    assert!(zh.contains('：') || zh.contains('曾'), "{zh}");
    assert!(!serde_json::to_string(&study).unwrap().contains("NaN"));
}

#[test]
fn a_column_that_was_written_after_the_complaint_is_refused() {
    let panel = town();
    let mut leak = Extra { name: "modem_swapped".into(), ..Extra::default() };
    for complaint in &panel.complaints {
        let line = &panel.lines[complaint.line.unwrap() as usize].line_id;
        leak.values.insert(line.clone(), 1.0);
    }
    let named = Extra { name: "open_tickets".into(), values: leak.values.clone() };
    let honest = Extra { name: "tenure_years".into(), values: [("l00003".into(), 4.0)].into() };
    let asked = Query { extra: vec![leak, named, honest], ..query() };
    let study = study(&panel, &asked);
    assert!(
        study.refused.iter().any(|r| r.feature == "open_tickets" && r.reason.to_string().contains("ticket"))
    );
    // Every line that ever complains carries this mark, in weeks before it complained, too.
    let refused = study.refused.iter().find(|r| r.feature == "modem_swapped");
    assert!(refused.unwrap().reason.to_string().contains("after the complaint"), "{:?}", study.refused);
    let kept: Vec<String> = study.features.iter().map(|f| f.feature.to_string()).collect();
    assert!(kept.iter().all(|name| name != "open_tickets" && name != "modem_swapped"), "{kept:?}");
}

#[test]
fn too_little_and_no_control_share_are_refused_by_name() {
    let mut panel = town();
    let none_left = study(&panel, &Query { control_share: 0.0, ..query() });
    assert!(none_left.declined.unwrap().reason.to_string().contains("left alone"));
    panel.complaints.truncate(10);
    let reason = study(&panel, &query()).declined.unwrap().reason.to_string();
    assert!(reason.contains("needed"), "{reason}");
    panel.cells.clear();
    assert!(study(&panel, &query()).declined.is_some());
}

#[test]
fn a_region_stands_in_a_funnel_and_one_of_few_lines_is_not_told() {
    let mut panel = town();
    for line in panel.lines.iter_mut().filter(|line| line.region.as_deref() == Some("r0")).skip(6) {
        line.region = Some("r1".into());
    }
    let study = study(&panel, &query());
    let region = |name: &str| study.regions.iter().find(|region| region.region == name).unwrap();
    let small = region("r0");
    assert!(small.lines == 6 && small.limits_95.is_none(), "{small:?}");
    assert!(small.drawn_per_100_lines.as_declined().unwrap().reason.to_string().contains("ten lines"));
    assert!(small.course.iter().all(|week| week.value.is_none()));
    let centre = study.funnel.centre.unwrap();
    let (mut came, mut lines) = (0, 0);
    for region in study.regions.iter().filter(|region| region.lines >= 10) {
        let own = region.complaints_per_100_lines.as_estimate().unwrap();
        let drawn = region.drawn_per_100_lines.as_estimate().unwrap().value();
        assert!((drawn - centre).abs() <= (own.value() - centre).abs() + 1e-5, "{region:?}");
        let (inner, outer) = (region.limits_95.unwrap(), region.limits_998.unwrap());
        assert!(outer.0 <= inner.0 && inner.0 < centre && centre < inner.1 && inner.1 <= outer.1);
        assert!(region.course.iter().filter(|week| week.value.is_some()).count() > 10);
        came += own.n();
        lines += region.lines;
    }
    assert!((centre - 100.0 * came as f64 / lines as f64).abs() < 1e-9);
    let curve = &study.funnel.curve;
    let wide = |at: usize| curve[at].limits_95.1 - curve[at].limits_95.0;
    assert!(wide(0) > wide(curve.len() - 1), "the funnel narrows with the number of lines");
}
