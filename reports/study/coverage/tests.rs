use super::*;
use crate::study::planted::operators::{Lines, panel};
use broadgauge_model::place::AccessLine;

fn query() -> Query {
    let mut query = Query::of("A");
    query.peers.replicates = 300;
    query
}

#[test]
fn each_operator_is_told_what_its_lines_can_carry() {
    let made = panel(&[Lines { count: 30, ..Lines::of("A") }, Lines { count: 5, ..Lines::of("B") }], 1);
    let study = study(&made, &query());
    let row = |operator: &str| study.rows.iter().find(|r| r.operator == operator).unwrap();
    assert_eq!(row("A").speaks_for, [0.5, 0.9]);
    assert_eq!(row("A").silent_on[0], Gap { quantile: 0.95, lines: 30, needs: 59 });
    assert!(row("B").speaks_for.is_empty());
    assert_eq!(row("A").observations, 1_800);
}

// By hand: ten lines of weight 1 and twenty of 1/10 are worth 12^2 / 10.2 = 14.1 equal ones, too few for p90.
#[test]
fn unequal_weights_carry_less() {
    let mut made = panel(&[Lines { count: 30, ..Lines::of("A") }, Lines::of("B")], 1);
    for (place, line) in made.lines.iter_mut().enumerate().filter(|(_, l)| l.operator == "A") {
        line.weight = Some(if place % 3 == 0 { 1.0 } else { 0.1 });
    }
    let of_a = |query: &Query| study(&made, query).rows.into_iter().find(|r| r.operator == "A").unwrap();
    assert_eq!(of_a(&query()).speaks_for, [0.5, 0.9]);
    let mut query = query();
    query.peers.weighted = true;
    let row = of_a(&query);
    assert_eq!((row.lines, row.speaks_for), (30, vec![0.5]));
    assert_eq!(row.silent_on[0], Gap { quantile: 0.9, lines: 14, needs: 29 });
}

#[test]
fn ground_that_only_one_side_holds_is_counted() {
    let north = |operator| Lines { count: 12, ..Lines::of(operator) };
    let south = Lines { region: "south", ..north("A") };
    let study = study(&panel(&[north("A"), south, north("B")], 1), &query());
    let overlap = &study.overlap[0];
    assert_eq!((overlap.strata_both, overlap.strata_either), (1, 2));
    assert_eq!((overlap.own_lines_common, overlap.own_lines), (12, 24));
    assert_eq!((overlap.peer_lines_common, overlap.peer_lines), (12, 12));
}

#[test]
fn lines_without_observations_are_named_by_operator_and_region() {
    let mut made = panel(&[Lines { count: 12, ..Lines::of("A") }, Lines::of("B")], 1);
    made.lines.push(AccessLine {
        line_id: "z".into(),
        operator: "A".into(),
        region: Some("north".into()),
        ..AccessLine::default()
    });
    let study = study(&made, &query());
    let own = study.silent.iter().find(|s| s.operator == "A").unwrap();
    assert_eq!((own.lines, own.unobserved, own.days, own.hours_of_week), (13, 1, 1, 1));
}

#[test]
fn an_open_verdict_is_told_what_would_decide_it() {
    let few = |operator| Lines { count: 12, ..Lines::of(operator) };
    let study = study(&panel(&[few("A"), few("B")], 4), &query());
    let next = &study.next[0];
    assert_eq!(next.lines, (12, 12));
    let find = next.to_find.unwrap();
    assert!(find.own_lines > 12 && find.peer_lines > 12, "{find:?}");
    let par = next.to_show_par.unwrap();
    assert!(par.own_lines >= find.own_lines);
    assert!(next.advice.to_string().contains("lines of A and"), "{}", next.advice);
    // Lines differ by far more than the tests of one line: more tests on the same twelve will not do.
    assert_eq!(find.tests_factor, None);
}

#[test]
fn a_plan_followed_decides_the_verdict() {
    let made = |count| panel(&[Lines { count, ..Lines::of("A") }, Lines { count, ..Lines::of("B") }], 4);
    let par = study(&made(12), &query()).next[0].to_show_par.unwrap();
    let lines = par.own_lines.max(par.peer_lines) + 20;
    let decided = study(&made(lines), &query());
    assert!(decided.next.is_empty(), "{lines} lines: {:?}", decided.next);
}

#[test]
fn an_empty_panel_is_declined() {
    let study = study(&Panel::default(), &query());
    assert_eq!(study.declined.unwrap().reason.to_string(), "nothing was observed");
}
