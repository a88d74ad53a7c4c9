use super::*;
use crate::study::planted::repairs::Repairs;

fn quick() -> Query {
    Query { replicates: 99, ..Query::of("A") }
}

fn states(study: &ClosedLoop, state: State) -> usize {
    study.actions.iter().filter(|action| action.state == state).count()
}

#[test]
fn a_repair_that_helps_is_verified_and_its_size_is_told() {
    let study = study(&Repairs::of(0.7).panel(1), &quick());
    let kind = &study.kinds[0];
    let change = kind.change.as_estimate().unwrap();
    assert!(change.interval().0 <= -0.3 && -0.3 <= change.interval().1, "{change:?}");
    assert_eq!(kind.helps, Some(true), "{kind:?}");
    assert!(kind.leads_p.unwrap() > 0.05 && !kind.course.is_empty());
    assert!(states(&study, State::Verified) >= 9, "{:?}", study.actions);
    assert_eq!(kind.cost, Some(12_000.0));
    let chart = study.actions[0].chart.as_ref().unwrap();
    assert!(chart.weeks.len() >= 11 && chart.limits.0 < chart.centre && chart.centre < chart.limits.1);
}

#[test]
fn a_repair_that_does_nothing_to_the_worst_is_not_verified() {
    let unlucky = Repairs { worst: true, between: 0.02, nodes: 120, ..Repairs::of(1.0) };
    let study = study(&unlucky.panel(1), &quick());
    let naive: f64 = study.actions.iter().filter_map(|a| Some(a.after?.ln() - a.before?.ln())).sum();
    assert!(naive < 0.0, "the worst get better by themselves: {naive}");
    assert!(states(&study, State::Verified) <= 1, "{:?}", study.actions);
    assert_ne!(study.kinds[0].helps, Some(true), "{:?}", study.kinds);
}

#[test]
fn the_worst_of_which_all_were_treated_are_not_judged() {
    let mut panel = Repairs::of(0.7).panel(2);
    // Treated nodes are made far worse than any other: nobody as bad was left alone.
    let treated: Vec<String> = panel.actions.iter().filter_map(|a| a.action.node.clone()).collect();
    for cell in &mut panel.cells {
        if panel.lines[cell.line as usize].node.as_ref().is_some_and(|node| treated.contains(node))
            && let broadgauge_model::panel::CellValues::Number(value) = &mut cell.values
        {
            *value *= 5.0;
        }
    }
    let study = study(&panel, &quick());
    assert_eq!(states(&study, State::Done), 12);
    assert!(study.actions[0].why.to_string().contains("gets better by itself"));
    assert!(study.kinds[0].change.as_declined().is_some());
}

#[test]
fn an_unmet_target_opens_the_case_again_and_a_fading_repair_recurs() {
    let missed = study(&Repairs { target: Some(5.0), ..Repairs::of(0.7) }.panel(3), &quick());
    assert_eq!(states(&missed, State::Verified), 0);
    assert!(missed.actions.iter().any(|a| a.why.to_string().contains("target is not met")));
    let fading = study(&Repairs { fades_after: Some(21), ..Repairs::of(0.5) }.panel(4), &quick());
    assert!(states(&fading, State::Recurred) >= 6, "{:?}", fading.actions);
}

#[test]
fn what_is_not_done_is_proposed_in_progress_or_overdue() {
    let mut panel = Repairs::of(0.7).panel(5);
    panel.actions[0].started = None;
    panel.actions[0].done = None;
    panel.actions[1].done = None;
    panel.actions[2].action.metric = None;
    panel.actions[3].action.node = None;
    let study = study(&panel, &quick());
    let row = |at: usize| &study.actions[at];
    assert_eq!((row(0).state, row(1).state), (State::Proposed, State::InProgress));
    assert!(row(0).overdue_days.is_some_and(|days| days > 0) && row(4).overdue_days.is_none());
    assert_eq!((row(2).state, row(3).state), (State::Done, State::Done));
    let none = super::study(&Panel::default(), &quick());
    assert!(none.declined.unwrap().reason.to_string().contains("import actions"));
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let panel = Repairs::of(0.8).panel(6);
    let json = |panel: &Panel| serde_json::to_string(&study(panel, &quick())).unwrap();
    let expected = json(&panel);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(pool.install(|| json(&panel)), expected);
    let mut shuffled = panel.clone();
    shuffled.cells.reverse();
    assert_eq!(json(&shuffled), expected);
    assert!(!expected.contains("NaN"));
}
