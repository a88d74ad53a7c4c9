use super::*;
use crate::study::planted::queues::Queues;

fn quick() -> Query {
    Query { replicates: 199, ..Query::of("A") }
}

#[test]
fn the_balance_point_of_a_planted_queue_and_knee_is_found() {
    let study = study(&Queues::PLANTED.panel(1), &quick());
    assert!(study.declined.is_none(), "{:?}", study.declined);
    let limit = study.limit.as_estimate().unwrap();
    assert!((limit.value() - 40.0).abs() < 6.0, "{limit:?}");
    let point = &study.points[0];
    let rho = point.utilisation.as_estimate().unwrap();
    assert!(
        (rho.value() - 0.75).abs() < 0.05 && rho.interval().0 < 0.75 && 0.75 < rho.interval().1,
        "{rho:?}"
    );
    assert!(point.safe.unwrap() <= rho.value() && point.above_safe > 0, "{point:?}");
    assert!(point.seen.len() == 8 && !point.curve.is_empty());
    // Where nodes are full, more lines have less than they have come to expect.
    let short = |at: usize| point.seen[at].short_of_expectation_ratio.as_estimate().unwrap();
    assert!(short(7).interval().0 > short(0).interval().1, "{:?}", point.seen);
    let first = &study.relief[0];
    assert!(first.busy_hour > first.to && first.avoided_in_30_days.as_estimate().unwrap().value() > 0.0);
    assert!(!serde_json::to_string(&study).unwrap().contains("NaN"));
}

#[test]
fn with_a_limit_that_is_given_the_point_is_where_the_curve_says() {
    let study = study(&Queues::PLANTED.panel(2), &Query { limit: Some(40.0), ..quick() });
    let rho = study.points[0].utilisation.as_estimate().unwrap();
    assert!((rho.value() - 0.75).abs() < 0.02, "{rho:?}");
    let far = super::study(&Queues::PLANTED.panel(2), &Query { limit: Some(4_000.0), ..quick() });
    let reason = far.points[0].utilisation.as_declined().unwrap().reason.to_string();
    assert!(reason.contains("not reached"), "{reason}");
}

#[test]
fn a_node_that_was_relieved_four_weeks_ago_is_not_relieved_again() {
    let mut panel = Queues::PLANTED.panel(2);
    let asked = Query { limit: Some(40.0), ..quick() };
    let before = study(&panel, &asked);
    let first = before.relief[0].node.clone();
    let node = panel.nodes.iter().position(|node| *node == first).unwrap() as u32;
    let recent = (panel.period.to.secs() / 86_400) as i32 - 28;
    for load in panel.loads.iter_mut().filter(|load| load.node == node && load.day >= recent) {
        load.ratio *= 0.5;
    }
    let after = study(&panel, &asked);
    assert!(!after.relief.is_empty() && after.relief.iter().all(|one| one.node != first));
}

#[test]
fn what_to_fix_first_is_told_by_excess_and_not_by_number() {
    let study = study(&Queues { bad_node: true, ..Queues::PLANTED }.panel(3), &quick());
    assert_eq!(study.worst[0].node, "n007", "{:?}", &study.worst[..3]);
    assert!(study.worst[0].q.unwrap() < 0.05);
    // The largest node has more complaints, and no more than its size makes expect.
    let most = study.worst.iter().max_by_key(|link| link.lines).unwrap();
    assert!(most.node != "n007" && most.q.unwrap() > 0.05, "{most:?}");
}

#[test]
fn a_node_that_has_all_the_complaints_of_its_ground_stands_out() {
    let mut panel = Queues::PLANTED.panel(5);
    let own = |line: Option<u32>| {
        line.is_some_and(|line| panel.lines[line as usize].node.as_deref() == Some("n003"))
    };
    let kept: Vec<bool> = panel.complaints.iter().map(|c| own(c.line)).collect();
    let mut kept = kept.into_iter();
    panel.complaints.retain(|_| kept.next().unwrap());
    let study = study(&panel, &Query { limit: Some(40.0), ..quick() });
    let worst = &study.worst[0];
    assert_eq!((worst.node.as_str(), worst.expected), ("n003", 0.0));
    assert!(worst.q.unwrap() < 0.001, "{worst:?}");
    // The others had none, and might have had a few: the excess is no surer than that.
    let excess = worst.excess.as_estimate().unwrap();
    assert!(excess.interval().0 > 0.0 && excess.value() == worst.episodes as f64, "{worst:?}");
}

#[test]
fn without_utilisation_or_threshold_the_study_says_so() {
    let mut panel = Queues { knee: false, ..Queues::PLANTED }.panel(4);
    let study = study(&panel, &quick());
    assert!(study.limit.as_declined().is_some(), "{:?}", study.limit);
    assert!(study.points[0].utilisation.as_declined().is_some() && study.relief.is_empty());
    panel.loads.clear();
    let none = super::study(&panel, &quick());
    assert!(none.declined.unwrap().reason.to_string().contains("import utilisation"));
}
