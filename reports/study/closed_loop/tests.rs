use super::*;
use crate::study::Answer;
use crate::study::planted::habits::complain;
use crate::study::planted::repairs::{Repairs, with_complaints};
use broadgauge_model::complaint::Class;
use broadgauge_model::panel::{CellValues, Hours};

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
fn what_a_repair_brought_is_more_than_any_placebo_date_shows() {
    let study = study(&Repairs::of(0.7).panel(1), &quick());
    let kind = &study.kinds[0];
    let placebo = &kind.placebo;
    assert!(placebo.changes.len() >= 100, "{placebo:?}");
    assert!(placebo.as_good == Some(0) && placebo.p.unwrap() < 0.01, "{:?}", placebo.as_good);
    // Where nothing was done, nothing is found on the average.
    let middle = placebo.changes[placebo.changes.len() / 2];
    assert!(middle.abs() < 0.04 && placebo.changes.is_sorted(), "{middle}");
    let holds = |answer: &Answer, truth: f64| {
        let (low, high) = answer.as_estimate().unwrap().interval();
        low <= truth && truth <= high
    };
    assert!(holds(&kind.jump, -0.3) && holds(&kind.turn, 0.0), "{:?} {:?}", kind.jump, kind.turn);
    // Six whole weeks are known before; the four after are those of the comparison.
    let since: Vec<i32> = kind.series.iter().map(|week| week.since).collect();
    assert_eq!(since, (-6..4).collect::<Vec<i32>>());
    for week in &kind.series {
        let (treated, alone) = (week.treated.as_estimate().unwrap(), week.left_alone.as_estimate().unwrap());
        let ratio = treated.value() / alone.value();
        let truth = if week.since < 0 { 1.0 } else { 0.7 };
        assert!((ratio / truth - 1.0).abs() < 0.25, "week {}: {ratio}", week.since);
    }
}

#[test]
fn where_nothing_helps_the_change_lies_among_those_of_placebo_dates() {
    let p: Vec<f64> = (0..12)
        .filter_map(|run| {
            let unlucky = Repairs { worst: true, between: 0.02, nodes: 120, ..Repairs::of(1.0) };
            study(&unlucky.panel(20 + run), &quick()).kinds[0].placebo.p
        })
        .collect();
    assert_eq!(p.len(), 12);
    // By chance 0.6 of 12 lie below 0.05; three or more do in one of 50.
    assert!(p.iter().filter(|p| **p < 0.05).count() <= 2, "{p:?}");
    assert!((0.2..0.8).contains(&(p.iter().sum::<f64>() / 12.0)), "{p:?}");
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
            && let CellValues::Number(value) = &mut cell.values
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
fn complaints_that_come_where_there_were_none_spoil_a_repair() {
    let mut panel = with_complaints(Repairs::of(0.7).panel(1), 0.0, 1.0, 1);
    let before = study(&panel, &quick());
    let at = before.actions.iter().position(|action| action.state == State::Verified).unwrap();
    assert!(before.actions[at].why.to_string().contains("no target"), "{}", before.actions[at].why);
    let node = panel.actions[at].action.node.clone();
    let lines = panel.lines.iter().enumerate().filter(|(_, line)| line.node == node);
    let lines: Vec<usize> = lines.map(|(line, _)| line).take(15).collect();
    let day = panel.actions[at].done.unwrap() + 10;
    for line in lines {
        complain(&mut panel, line, day, Class::Network);
    }
    let after = study(&panel, &quick());
    assert_eq!(after.actions[at].state, State::NotVerified);
    assert!(after.actions[at].why.to_string().contains("complaints rose"), "{}", after.actions[at].why);
    assert!(after.actions[at].complaints_ratio.as_declined().is_some());
}

#[test]
fn a_node_with_three_actions_of_a_kind_is_one_node() {
    let mut panel = Repairs::of(0.8).panel(9);
    let once = study(&panel, &quick()).kinds;
    let again: Vec<_> = panel.actions.iter().flat_map(|action| [action.clone(), action.clone()]).collect();
    panel.actions.extend(again);
    let thrice = study(&panel, &quick()).kinds;
    assert_eq!((thrice[0].actions, thrice[0].treated), (36, once[0].treated));
    assert_eq!(thrice[0].change, once[0].change);
}

#[test]
fn nodes_repaired_meanwhile_do_not_make_a_repair_look_faded() {
    let mut panel = Repairs::of(0.5).panel(4);
    let done = panel.actions[0].done.unwrap();
    let treated: Vec<String> = panel.actions.iter().filter_map(|a| a.action.node.clone()).collect();
    let later = |line: &broadgauge_model::place::AccessLine| {
        let node = line.node.clone().unwrap();
        (!treated.contains(&node) && !node.ends_with('0')).then_some(node)
    };
    for cell in &mut panel.cells {
        let Hours::At { day, .. } = cell.hours else { continue };
        if day > done + 21
            && later(&panel.lines[cell.line as usize]).is_some()
            && let CellValues::Number(value) = &mut cell.values
        {
            *value *= 0.5;
        }
    }
    let like = panel.actions[0].clone();
    panel.actions.iter_mut().for_each(|action| action.verify_by = Some(done + 21));
    let nodes: BTreeSet<String> = panel.lines.iter().filter_map(later).collect();
    for node in nodes {
        let mut action = like.clone();
        action.action.action_id = format!("later-{node}");
        action.action.node = Some(node);
        action.action.kind = "split".into();
        (action.started, action.done) = (Some(done + 21), Some(done + 21));
        panel.actions.push(action);
    }
    assert_eq!(states(&study(&panel, &quick()), State::Recurred), 0);
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
