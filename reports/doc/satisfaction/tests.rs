use super::*;
use crate::render::Renderer;
use crate::render::html::Html;
use crate::stats::{Purpose, Stream};
use crate::study::planted::normal;
use crate::study::satisfaction::{Query as Asked, Survey, study};
use broadgauge_model::clock::Wall;
use broadgauge_model::panel::Period;

/// 400 respondents on the standard model: quality drives satisfaction, and stands low.
fn survey(respondents: usize) -> Survey {
    let stream = &mut Stream::new(5, Purpose::Simulation, 1);
    let model = Asked::of("A").model;
    let from = Wall::from_secs(1_772_323_200);
    let period = Period { from, to: Wall(from.0 + 1), zone: "UTC".into() };
    let mut survey = Survey { period, ..Survey::default() };
    for i in 0..respondents {
        let north = i % 2 == 0;
        let image = normal(stream);
        let expectation = 0.5 * image + 0.8 * normal(stream);
        let quality = 0.5 * expectation + 0.8 * normal(stream) - if north { 1.4 } else { 0.0 };
        let value = 0.4 * quality + 0.2 * expectation + 0.8 * normal(stream);
        let satisfaction = 0.6 * quality + 0.3 * value + 0.1 * image + 0.4 * normal(stream);
        let complaints = 0.5 * satisfaction + 0.8 * normal(stream);
        let loyalty = 0.6 * satisfaction + 0.2 * complaints + 0.6 * normal(stream);
        let level = |id: &str| match id {
            "image" => (image, 7.5),
            "expectation" => (expectation, 8.0),
            "quality" => (quality, 5.5),
            "value" => (value, 6.8),
            "satisfaction" => (satisfaction, 6.5),
            "complaints" => (complaints, 6.5),
            _ => (loyalty, 6.9),
        };
        let answers = model.constructs.iter().flat_map(|c| c.items.iter().map(move |_| c.id.as_str()));
        let row = answers
            .map(|id| {
                let (latent, mean) = level(id);
                Some((mean + 1.2 * latent + 0.6 * normal(stream)).round().clamp(1.0, 10.0))
            })
            .collect();
        survey.answers.push(row);
        survey.segments.push(Some(if north { "north" } else { "south" }.into()));
    }
    survey
}

fn document(respondents: usize) -> Document {
    let answered = study(&survey(respondents), &Asked { replicates: 100, ..Asked::of("A") });
    write(&answered, &Query::of("A"))
}

fn first_page(document: &Document) -> Vec<String> {
    let Some(Block::Answers(answers)) = document.sections[0].blocks.first() else { panic!("no answers") };
    answers.iter().map(|a| format!("{} {}", a.text.get(Lang::En), a.detail.get(Lang::En))).collect()
}

#[test]
fn the_first_page_names_what_holds_satisfaction_back_and_the_segment_behind() {
    let document = document(400);
    let told = first_page(&document);
    assert!(told[0].contains("Perceived quality holds it back"), "{told:?}");
    assert!(told[0].contains("Behind the others: north"), "{told:?}");
    assert!(told[1].contains("400 respondents"), "{told:?}");
    assert!(told[2].contains("Improve perceived quality first"), "{told:?}");
    assert_eq!(document.figure_names(), ["importance-performance"]);
    for lang in Lang::ALL {
        let page = String::from_utf8(Html.render(&document, lang).unwrap()).unwrap();
        assert!(!page.contains("NaN") && !page.contains("{first}"), "{}", lang.tag());
        let figure = document.figure("importance-performance").unwrap();
        for width in [600.0, 860.0, 1000.0] {
            assert_eq!(figure.chart(lang).scene(width, lang).faults(), Vec::<String>::new());
        }
    }
}

#[test]
fn too_few_respondents_are_told_and_nothing_is_drawn() {
    let document = document(5);
    assert!(first_page(&document)[0].contains("gives no index"), "{:?}", first_page(&document));
    assert!(document.figure_names().is_empty());
    assert!(Html.render(&document, Lang::Zh).is_ok());
}
