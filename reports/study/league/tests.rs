use super::*;
use crate::study::planted::operators::{Lines, panel};

/// Twelve operators around 20 ms, one of them far behind.
fn twelve(behind: f64) -> Panel {
    const NAMES: [&str; 12] = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"];
    let made: Vec<Lines> = NAMES
        .iter()
        .enumerate()
        .map(|(k, name)| {
            let ordinary = 20.0 + 0.4 * (k % 4) as f64;
            Lines {
                median: if k == 4 { ordinary * behind } else { ordinary },
                count: 30,
                tests: 20,
                ..Lines::of(name)
            }
        })
        .collect();
    panel(&made, 3)
}

fn query() -> Query {
    Query { replicates: 400, ..Query::of("A") }
}

#[test]
fn the_one_that_stands_out_is_found_and_the_others_are_ordinary() {
    let study = study(&twelve(2.2), &query());
    let row = &study.rows[0];
    assert_eq!(row.units.len(), 12);
    for unit in &row.units {
        let expected = if unit.name == "E" { Standing::Worse } else { Standing::Ordinary };
        assert_eq!(unit.standing, expected, "{unit:?}");
        let (from, to) = unit.rank.unwrap();
        assert!(from <= to && to <= 12);
    }
    assert_eq!(row.units[4].rank, Some((12, 12)));
    assert!(row.units[0].own && !row.units[1].own);
    let (from, to) = row.units[0].rank.unwrap();
    assert!(to - from >= 5, "ordinary units are not told apart: {from} to {to}");
}

#[test]
fn names_come_by_the_alphabet_and_never_by_rank() {
    let study = study(&twelve(2.2), &query());
    let names: Vec<&str> = study.rows[0].units.iter().map(|u| u.name.as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");
    let json = serde_json::to_value(&study).unwrap();
    assert!(json["rows"][0]["units"][0]["rank"].is_array());
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let panel = twelve(1.5);
    let json = |panel: &Panel| serde_json::to_string(&study(panel, &query())).unwrap();
    let mut turned = panel.clone();
    turned.cells.reverse();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(pool.install(|| json(&panel)), json(&turned));
}

#[test]
fn small_units_are_not_shown_and_two_have_no_funnel() {
    let few = |name, count| Lines { count, ..Lines::of(name) };
    let small = study(&panel(&[few("A", 9), few("B", 9)], 1), &query());
    assert_eq!(small.declined.unwrap().reason.to_string(), "no unit has 10 lines with figures");
    let two = study(&panel(&[few("A", 20), few("B", 20), few("C", 5)], 1), &query());
    let row = &two.rows[0];
    let reason = row.funnel_declined.as_ref().unwrap().reason.to_string();
    assert_eq!(reason, "2 units, and at least 3 are needed");
    assert!(row.units.iter().all(|u| u.standing == Standing::CannotTell && u.rank.is_some()));
    let notes: Vec<String> = two.head.notes.iter().map(|n| n.reason.to_string()).collect();
    assert!(notes.contains(&"units with fewer than 10 lines, not shown".to_owned()), "{notes:?}");
}

#[test]
fn the_own_regions_can_be_the_units() {
    let region = |region| Lines { region, count: 15, ..Lines::of("A") };
    let made = panel(&[region("north"), region("south"), region("west"), Lines::of("B")], 1);
    let study = study(&made, &Query { unit: Unit::Of(Key::Region), ..query() });
    let names: Vec<&str> = study.rows[0].units.iter().map(|u| u.name.as_str()).collect();
    assert_eq!(names, ["north", "south", "west"]);
}
