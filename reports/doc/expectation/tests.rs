use super::*;
use crate::chart::table::Cell;
use crate::doc::Block;
use crate::render::Renderer;
use crate::render::html::Html;
use crate::study::planted::habits::Habits;
use crate::study::{expectation, silent};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::CellValues;
use broadgauge_model::result::{Direction, Load};
use broadgauge_model::text::Lang;

fn document(lines: usize, weeks: i32) -> Document {
    let panel = Habits { lines, weeks, slope: 5.0, ..Habits::PLANTED }.town(11);
    let asked = expectation::Query { swaps: 19, ..expectation::Query::of("A") };
    let expected = expectation::study(&panel, &asked);
    let silent =
        silent::study(&panel, &silent::Query { capacity: 40, replicates: 60, ..silent::Query::of("A") });
    write(&panel, Studies { expectation: &expected, silent: &silent }, "A")
}

fn first_page(document: &Document) -> Vec<String> {
    let told = document.sections[0].blocks.iter().find_map(|block| match block {
        Block::Answers(answers) => Some(answers),
        _ => None,
    });
    let told = told.expect("a first page");
    told.iter().map(|a| format!("{} {}", a.text.get(Lang::En), a.detail.get(Lang::En))).collect()
}

#[test]
fn the_first_page_says_what_is_short_how_sure_that_is_and_who_can_act() {
    let document = document(900, 18);
    let told = first_page(&document);
    assert!(told[0].contains("less than they have come to expect"), "{told:?}");
    assert!(
        told[1].contains("Whether customers complain depends on what they expect, not on the figure alone"),
        "{told:?}"
    );
    assert!(told[2].contains("Begin with the promise") && told[2].contains("Marketing can act"), "{told:?}");
    for lang in Lang::ALL {
        let page = String::from_utf8(Html.render(&document, lang).unwrap()).unwrap();
        assert!(!page.contains("NaN") && !page.contains("{size}") && !page.contains("{who}"));
        for name in document.figure_names() {
            let chart = document.figure(name).unwrap().chart(lang);
            for width in [600.0, 860.0, 1000.0] {
                let scene = chart.scene(width, lang);
                assert_eq!(scene.faults(), Vec::<String>::new(), "{name} {} {width}", lang.tag());
                assert_eq!(scene.uncovered(), Vec::<char>::new(), "{name}");
            }
            assert!(!chart.table(lang).rows.is_empty(), "{name}");
        }
    }
    assert!(document.figure_names().iter().any(|name| name.starts_with("expectation-gap")));
}

#[test]
fn a_norm_that_stands_for_a_promise_is_never_called_one() {
    let mut panel = Habits { lines: 900, weeks: 18, slope: 5.0, ..Habits::PLANTED }.town(11);
    for cell in &mut panel.cells {
        let CellValues::Number(rate) = cell.values else { continue };
        cell.metric = MetricId::ROUND_TRIP_DELAY;
        (cell.load, cell.direction) = (Load::Idle, Direction::RoundTrip);
        cell.values = CellValues::Number(2_000.0 / rate);
    }
    let asked = expectation::Query { swaps: 19, ..expectation::Query::of("A") };
    let expected = expectation::study(&panel, &asked);
    assert_eq!(expected.rows[0].promise_is, Some(expectation::Promised::Norm));
    let silent =
        silent::study(&panel, &silent::Query { capacity: 40, replicates: 60, ..silent::Query::of("A") });
    let document = write(&panel, Studies { expectation: &expected, silent: &silent }, "A");
    for (lang, norm, promised, note) in [
        (Lang::En, "Norm", "Promised", "judged by the norm of their technology and tier"),
        (Lang::Zh, "通常水平", "承诺", "以同技术同档位的通常水平代替承诺"),
    ] {
        let names = document.figure_names();
        let name = names.iter().find(|name| name.starts_with("expectation-gap")).unwrap();
        let chart = document.figure(name).unwrap().chart(lang);
        let rows = chart.table(lang).rows;
        let tells = |word: &str| rows.iter().flatten().any(|cell| *cell == Cell::from(word));
        assert!(tells(norm) && !tells(promised), "{rows:?}");
        for width in [600.0, 860.0, 1000.0] {
            let scene = chart.scene(width, lang);
            assert_eq!(scene.faults(), Vec::<String>::new(), "{name} {} {width}", lang.tag());
        }
        let page = String::from_utf8(Html.render(&document, lang).unwrap()).unwrap();
        assert_eq!(page.matches(note).count(), 1, "once, though two studies say so");
    }
}

#[test]
fn where_nothing_is_known_the_reason_stands_in_its_place() {
    let mut panel = Habits { lines: 60, weeks: 6, ..Habits::PLANTED }.panel(12);
    panel.cells.clear();
    let expected = expectation::study(&panel, &expectation::Query::of("A"));
    let silent = silent::study(&panel, &silent::Query::of("A"));
    let document = write(&panel, Studies { expectation: &expected, silent: &silent }, "A");
    let page = String::from_utf8(Html.render(&document, Lang::En).unwrap()).unwrap();
    assert!(page.contains("no metric was measured"), "{page}");
}
