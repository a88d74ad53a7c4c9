use super::super::row::Factor;
use super::super::{Query, study};
use super::*;
use crate::stats::{Purpose, Stream};
use crate::study::Estimate;
use crate::study::planted::habits::{Habits, START, cell};
use crate::study::planted::normal;
use broadgauge_model::panel::Hours;

/// What the busy hours, the worse technology and the worse regions take of a rate, as logarithms.
const BUSY: f64 = 0.20;
const COPPER: f64 = 0.30;
const REGIONS: [f64; 3] = [0.0, 0.10, 0.25];
/// What nothing explains.
const REST: f64 = 0.15;

/// 480 lines over nine weeks with a test in the busy hours and one before noon each day.
fn town(run: u64, promised: bool) -> Panel {
    let stream = &mut Stream::new(91, Purpose::Simulation, run);
    let habits = Habits { lines: 480, weeks: 9, ..Habits::PLANTED };
    let mut panel = habits.panel(run);
    panel.cells.clear();
    for (at, line) in panel.lines.iter_mut().enumerate() {
        let copper = (at / 3).is_multiple_of(4);
        line.region = Some(format!("r{}", at % 3));
        line.technology = Some(if copper { "fttc" } else { "fttp" }.into());
        let promise = if copper { 50.0 } else { 200.0 };
        line.promise.promised_down_mbps = promised.then_some(promise);
        let worse = REST + REGIONS[at % 3] + if copper { COPPER } else { 0.0 } + 0.15 * normal(stream);
        for day in START..START + 63 {
            for (hour, more) in [(10, 0.0), (20, BUSY)] {
                let level = f64::ln(promise) - worse - more + 0.05 * normal(stream);
                let test = cell(at as u32, day, level.exp());
                panel.cells.push(broadgauge_model::panel::Cell { hours: Hours::At { day, hour }, ..test });
            }
        }
    }
    panel
}

fn of(study: &super::super::Expectation, segment: Option<&str>) -> Steps {
    let steps = &study.rows[0].steps;
    steps.iter().find(|steps| steps.segment.as_deref() == segment).cloned().unwrap()
}

fn distance(value: f64) -> f64 {
    -(1.0 - value).ln()
}

#[test]
fn planted_steps_are_found_through_the_whole_study() {
    let truth = [BUSY, 0.25 * COPPER, REGIONS.iter().sum::<f64>() / 3.0, REST];
    let (mut sums, mut held) = ([0.0; 4], [0; 4]);
    let runs = 10;
    for run in 0..runs {
        let study = study(&town(run, true), &Query { swaps: 19, replicates: 199, ..Query::of("A") });
        let all = of(&study, None);
        assert_eq!((all.from, all.lines), (Origin::Promise, 480));
        assert_eq!(
            (all.technologies.as_slice(), all.regions.as_slice()),
            (&["fttp".into()][..], &["r0".into()][..])
        );
        assert_eq!((all.matched_by_technology, all.matched_by_region), (Some(1.0), Some(1.0)));
        for (k, step) in all.steps.iter().enumerate() {
            let told = step.value.as_estimate().unwrap();
            sums[k] += distance(told.value()) - truth[k];
            let (low, high) = told.interval();
            held[k] += usize::from(distance(low) <= truth[k] && truth[k] <= distance(high));
        }
    }
    for k in 0..4 {
        assert!((sums[k] / runs as f64).abs() < 0.015, "step {k} is off by {}", sums[k] / runs as f64);
        assert!(held[k] >= 7, "step {k}: held {} of {runs}", held[k]);
    }
}

#[test]
fn the_steps_lead_from_what_was_promised_to_what_is_had_whatever_is_known() {
    let mut panel = town(1, true);
    let whole = study(&panel, &Query { swaps: 19, ..Query::of("A") });
    // No test outside the busy hours, one technology only.
    panel.cells.retain(|cell| matches!(cell.hours, Hours::At { hour: 20, .. }));
    panel.lines.iter_mut().for_each(|line| line.technology = Some("fttp".into()));
    let bare = study(&panel, &Query { swaps: 19, ..Query::of("A") });
    for (study, known) in [(&whole, 4), (&bare, 2)] {
        for segment in [None, Some("home"), Some("business")] {
            let steps = of(study, segment);
            let told = steps.steps.iter().filter(|step| step.value.as_estimate().is_some()).count();
            assert_eq!(told, known, "{steps:?}");
            let value = |answer: &Answer| answer.as_estimate().map(Estimate::value).unwrap();
            let (first, last) = (&steps.steps[0], &steps.steps[3]);
            assert!((first.level_from / value(&steps.start) - 1.0).abs() < 1e-6);
            assert!((last.level_to / value(&steps.had) - 1.0).abs() < 1e-6, "{steps:?}");
            assert!(steps.steps.windows(2).all(|two| two[0].level_to == two[1].level_from));
            assert_eq!(last.step, StepKind::Unexplained);
        }
    }
    let declined = of(&bare, None).steps[1].value.as_declined().unwrap().reason.to_string();
    assert!(declined.contains("no two technologies"), "{declined}");
    let other = of(&whole, None).at_other_hours.as_estimate().unwrap().value();
    let had = of(&whole, None).had.as_estimate().unwrap().value();
    assert!(((other / had).ln() - BUSY).abs() < 0.02, "{had} {other}");
}

#[test]
fn without_promises_the_gap_is_one_to_what_is_expected() {
    let study = study(&town(2, false), &Query { swaps: 19, ..Query::of("A") });
    assert!(!study.rows[0].factors.contains(&Factor::Promise));
    let all = of(&study, None);
    assert_eq!(all.from, Origin::Expected);
    // What customers of a steady line expect is what it and its region have: no gap, and no part of one.
    let gap = all.start.as_estimate().unwrap().value() / all.had.as_estimate().unwrap().value();
    assert!((gap - 1.0).abs() < 0.05, "{all:?}");
    assert!(all.steps[0].value.as_declined().is_some());
    for step in &all.steps[1..] {
        assert!(distance(step.value.as_estimate().unwrap().value()).abs() < 0.05, "{step:?}");
    }
}
