use super::*;
use crate::doc::Answer;
use crate::render::Renderer;
use crate::render::html::Html;
use crate::render::json::Json;
use crate::study::planted::views::{SLOPE, Slope, query};
use crate::study::{complaints, handling};
use broadgauge_model::clock::Span;
use broadgauge_model::text::Lang;

/// Complaints that rise from 80 ms on; three in four resolved within days.
fn panel() -> Panel {
    let mut panel = Slope { knee: Some(80.0), rise: 0.05, rate: 0.012, ..SLOPE }.panel(3);
    for (i, complaint) in panel.complaints.iter_mut().enumerate() {
        let case = &mut complaint.complaint;
        case.owner = (i % 50 != 0).then(|| "field north".to_owned());
        case.due_at = Some(case.opened_at + Span::secs(5 * 86_400));
        if i % 4 != 0 {
            let hours = 6 + (i as i64 * 7) % 90;
            case.first_response_at = Some(case.opened_at + Span::secs(3_600));
            case.resolved_at = Some(case.opened_at + Span::secs(hours * 3_600));
        }
    }
    panel
}

fn document(panel: &Panel, shared: bool) -> Document {
    let complaints = complaints::study(panel, &query());
    let handling = handling::study(panel, &handling::Query::of("A"));
    let asked = Query { shared, ..Query::of("A") };
    write(panel, Studies { complaints: &complaints, handling: &handling }, &asked)
}

fn answers(document: &Document) -> Vec<&Answer> {
    let blocks = &document.sections[0].blocks;
    blocks.iter().filter_map(|b| if let Block::Answers(a) = b { Some(a) } else { None }).flatten().collect()
}

#[test]
fn the_first_page_says_what_how_sure_and_what_to_do() {
    let document = document(&panel(), true);
    let told = answers(&document);
    assert_eq!(told.len(), 3);
    let english = |i: usize| told[i].text.get(Lang::En);
    assert!(english(0).contains("times as frequent on the same line"), "{}", english(0));
    assert!(english(1).contains("negative controls"), "{}", english(1));
    assert!(english(2).contains("begin to complain"), "{}", english(2));
    assert!(told[2].detail.get(Lang::En).contains("past their due time"));
    let counted = told[0].detail.get(Lang::En);
    assert!(counted.contains("counted once") && counted.contains("episodes"), "{counted}");
    assert!(!counted.contains('{') && !counted.contains(" 0 it cannot"), "{counted}");
    let ids: Vec<&str> = document.sections.iter().map(|s| s.id).collect();
    assert_eq!(ids[0], "verdict");
    for id in ["complaints", "before", "handling", "method"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    let figures = document.figure_names();
    assert!(figures.iter().any(|name| name.starts_with("lead-lag-")), "{figures:?}");
    assert!(figures.contains(&"case-crossover") && figures.iter().any(|f| f.starts_with("complaint-rate-")));
}

#[test]
fn both_editions_are_rendered_and_carry_the_same_numbers() {
    let document = document(&panel(), true);
    for lang in Lang::ALL {
        let page = String::from_utf8(Html.render(&document, lang).unwrap()).unwrap();
        assert!(!page.contains("NaN") && !page.contains("{own}") && page.contains("<svg"), "{}", lang.tag());
        let data = String::from_utf8(Json.render(&document, lang).unwrap()).unwrap();
        assert!(!data.contains("NaN"));
    }
    for figure in document.figures() {
        let cells = |lang| {
            let rows = figure.table(lang).rows.into_iter().flatten();
            rows.filter(|c| matches!(c, crate::chart::table::Cell::Number(_))).collect::<Vec<_>>()
        };
        assert_eq!(cells(Lang::En), cells(Lang::Zh), "{}", figure.name);
        for lang in Lang::ALL {
            assert_eq!(
                figure.chart(lang).scene(860.0, lang).faults(),
                Vec::<String>::new(),
                "{}",
                figure.name
            );
        }
    }
}

#[test]
fn single_cases_are_listed_for_the_team_alone() {
    let panel = panel();
    let of = |shared| {
        let page = Html.render(&document(&panel, shared), Lang::En).unwrap();
        String::from_utf8(page).unwrap().contains("c000000")
    };
    assert!(of(false) && !of(true));
}

#[test]
fn without_complaints_the_page_says_so_and_gives_no_number() {
    let mut panel = panel();
    panel.complaints.clear();
    let document = document(&panel, true);
    assert!(answers(&document)[0].text.get(Lang::En).contains("could not be set against measurements"));
    let page = String::from_utf8(Html.render(&document, Lang::Zh).unwrap()).unwrap();
    assert!(!page.contains("NaN"));
}
