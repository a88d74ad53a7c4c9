//! Charts as a reader meets them: in both languages, at every width, with all of the data, some, or none.

#[path = "../examples/gallery/data.rs"]
mod data;

use broadgauge_model::text::Lang;
use broadgauge_reports::chart::scene::{Scene, WHITE};
use broadgauge_reports::chart::smoke::Seen;
use broadgauge_reports::chart::table::Cell;
use broadgauge_reports::chart::waterfall::WaterfallRow;
use broadgauge_reports::chart::{Chart, Figure};
use broadgauge_reports::paint::Painter;
use broadgauge_reports::paint::png::PngPainter;
use broadgauge_reports::paint::svg::SvgPainter;

const WIDTHS: [f64; 4] = [600.0, 720.0, 860.0, 1000.0];

fn assert_readable(name: &str, lang: Lang, scene: &Scene) {
    assert_eq!(scene.faults(), Vec::<String>::new(), "{name} in {}, {} wide", lang.tag(), scene.width);
    assert_eq!(scene.uncovered(), Vec::<char>::new(), "{name}");
    for label in scene.labels() {
        assert!(label.size >= 12.0, "{name}: {:?} is too small to print", label.text);
        // White text stands inside bars, whose own test is the choice of its colour.
        let contrast = label.ink.contrast(WHITE);
        assert!(label.ink == WHITE || contrast >= 4.5, "{name}: {:?} has contrast {contrast}", label.text);
    }
}

#[test]
fn no_label_leaves_the_frame_or_touches_another() {
    for lang in Lang::ALL {
        for (name, chart) in data::all(lang) {
            for width in WIDTHS {
                assert_readable(name, lang, &chart.scene(width, lang));
            }
        }
    }
}

/// The gallery's charts with everything declined, unmeasured or left out.
fn bare(lang: Lang) -> Vec<(&'static str, Box<dyn Chart>)> {
    let declined = || Figure::Declined("too few lines".into());
    let mut ladder = data::ladder(lang);
    for rung in ladder.panels.iter_mut().flat_map(|panel| &mut panel.rungs) {
        rung.figures.fill_with(declined);
    }
    let mut coverage = data::coverage(lang);
    for bar in coverage.groups.iter_mut().flat_map(|group| &mut group.bars) {
        (bar.high, bar.low, bar.consistent_mbps) = (declined(), declined(), None);
    }
    let mut forest = data::forest(lang);
    for row in forest.groups.iter_mut().flat_map(|group| &mut group.rows) {
        (row.ratio, row.q) = (declined(), None);
    }
    let mut dose = data::dose_response(lang);
    dose.bins.iter_mut().for_each(|bin| bin.rate = declined());
    (dose.fit, dose.knee) = (None, Some(declined()));
    let mut smoke = data::smoke(lang);
    for bucket in smoke.panels.iter_mut().flat_map(|panel| &mut panel.buckets) {
        bucket.seen = Seen::Unmeasured("agent was off".into());
    }
    let mut heatmap = data::heatmap(lang);
    for row in heatmap.panels.iter_mut().flat_map(|panel| &mut panel.rows) {
        row.cells = [broadgauge_reports::chart::heatmap::HeatCell::default(); 24];
    }
    let mut distribution = data::distribution(lang, false);
    distribution.curves.clear();
    let mut health = data::health(lang);
    health.rows.clear();
    let mut silent = data::health(lang);
    silent.rows.iter_mut().for_each(|row| row.slots.clear());
    let mut ribbon = data::ribbon(lang);
    ribbon.courses.iter_mut().flat_map(|c| &mut c.days).for_each(|day| day.1 = declined());
    let mut importance = data::importance(lang);
    importance.points.iter_mut().for_each(|point| point.index = declined());
    let mut balance = data::more::balance(lang);
    for group in &mut balance.groups {
        (group.value, group.short, group.complaints) = (declined(), declined(), declined());
    }
    balance.splits.iter_mut().for_each(|split| split.avoided = declined());
    (balance.curve, balance.limit, balance.point, balance.safe) = (Vec::new(), None, declined(), None);
    let mut waterfall = data::more::waterfall(lang);
    for row in &mut waterfall.rows {
        match row {
            WaterfallRow::Level { value, .. } => *value = declined(),
            WaterfallRow::Step { share, ends, .. } => (*share, *ends) = (declined(), None),
            WaterfallRow::Group(_) => {}
        }
    }
    let mut treated = data::more::treated(lang);
    for panel in &mut treated.panels {
        (panel.change, panel.placebo) = (declined(), Vec::new());
        for week in &mut panel.weeks {
            (week.treated, week.left_alone) = (declined(), declined());
        }
    }
    let mut control = data::more::control(lang);
    control.panels.iter_mut().for_each(|panel| panel.weeks.clear());
    let mut unfunnelled = data::more::silent(lang);
    for row in &mut unfunnelled.rows {
        (row.came, row.drawn, row.limits_95, row.limits_998) = (declined(), declined(), None, None);
        row.course.clear();
    }
    (unfunnelled.curve, unfunnelled.centre) = (Vec::new(), None);
    unfunnelled.declined = Some("fewer than three groups".into());
    vec![
        ("balance", Box::new(balance)),
        ("waterfall", Box::new(waterfall)),
        ("treated", Box::new(treated)),
        ("control", Box::new(control)),
        ("silence", Box::new(unfunnelled)),
        ("ladder", Box::new(ladder)),
        ("coverage", Box::new(coverage)),
        ("forest", Box::new(forest)),
        ("dose", Box::new(dose)),
        ("smoke", Box::new(smoke)),
        ("heatmap", Box::new(heatmap)),
        ("distribution", Box::new(distribution)),
        ("health", Box::new(health)),
        ("silent", Box::new(silent)),
        ("ribbon", Box::new(ribbon)),
        ("importance", Box::new(importance)),
    ]
}

#[test]
fn a_chart_of_refusals_is_still_a_chart_and_no_refusal_is_a_number() {
    for lang in Lang::ALL {
        for (name, chart) in bare(lang) {
            for width in WIDTHS {
                assert_readable(name, lang, &chart.scene(width, lang));
            }
            let table = chart.table(lang);
            for key in
                ["value", "share", "rate_ratio", "rate_per_1000_line_days", "p50", "drawn", "step_ratio"]
            {
                let Some(column) = table.columns.iter().position(|column| column.key == key) else {
                    continue;
                };
                assert!(table.rows.iter().all(|row| row[column] == Cell::Blank), "{name}: {key}");
            }
        }
    }
}

#[test]
fn both_editions_carry_the_same_numbers() {
    let numbers = |chart: &dyn Chart, lang| -> Vec<Cell> {
        let cells = chart.table(lang).rows.into_iter().flatten();
        cells.filter(|cell| matches!(cell, Cell::Number(_) | Cell::Count(_))).collect()
    };
    for ((name, en), (_, zh)) in data::all(Lang::En).into_iter().zip(data::all(Lang::Zh)) {
        if name == "health" {
            continue; // its example stands in another zone in each language
        }
        let en = numbers(en.as_ref(), Lang::En);
        assert!(!en.is_empty(), "{name}");
        assert_eq!(en, numbers(zh.as_ref(), Lang::Zh), "{name}");
    }
}

#[test]
fn every_row_fills_its_columns() {
    for (name, chart) in data::all(Lang::En) {
        let table = chart.table(Lang::En);
        assert!(!table.rows.is_empty(), "{name}");
        assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{name}");
    }
}

#[test]
fn a_picture_has_the_size_that_was_asked_for_and_is_the_same_twice() {
    let (_, chart) = data::all(Lang::Zh).into_iter().next().unwrap();
    let scene = chart.scene(640.0, Lang::Zh);
    let png = PngPainter { scale: 1.5 }.paint(&scene).unwrap();
    assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
    let size = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!(size(16), 960);
    assert_eq!(f64::from(size(20)), (scene.height * 1.5).round());
    assert_eq!(png, PngPainter { scale: 1.5 }.paint(&scene).unwrap());
}

#[test]
fn a_picture_is_drawn_and_a_missing_character_is_marked() {
    let mut scene = Scene::new(200.0, 60.0, Lang::Zh);
    let ink = broadgauge_reports::chart::scene::Ink::solid(0);
    let mut paint = |text: &str| {
        scene.marks.clear();
        scene.text(broadgauge_reports::chart::scene::Label::new(text, 10.0, 40.0, 30.0, ink));
        PngPainter { scale: 1.0 }.paint(&scene).unwrap()
    };
    let blank = paint(" ");
    assert_ne!(paint("时延"), blank);
    assert_eq!(paint("\u{20C7E}"), paint("〓"), "a character that the font lacks");
}

/// The charts of the snapshots: small enough to be read.
fn small() -> Vec<(&'static str, Scene)> {
    let lang = Lang::En;
    let mut ladder = data::ladder(lang);
    ladder.panels.truncate(1);
    ladder.panels[0].rungs.truncate(2);
    let mut distribution = data::distribution(lang, false);
    for curve in &mut distribution.curves {
        curve.steps = curve.steps.iter().skip(74).step_by(75).copied().collect();
    }
    let mut heatmap = data::heatmap(lang);
    heatmap.panels.truncate(1);
    heatmap.panels[0].rows.truncate(3);
    let mut smoke = data::smoke(lang);
    smoke.panels.truncate(1);
    smoke.panels[0].buckets = smoke.panels[0].buckets.drain(290..340).collect();
    smoke.from = smoke.panels[0].buckets[0].from;
    smoke.to = smoke.panels[0].buckets[49].to;
    let mut coverage = data::coverage(lang);
    coverage.groups.truncate(1);
    let mut health = data::health(lang);
    health.rows.truncate(2);
    let mut control = data::more::control(lang);
    control.panels.truncate(2);
    let mut treated = data::more::treated(lang);
    treated.panels.truncate(1);
    vec![
        ("balance", data::more::balance(lang).scene(640.0, lang)),
        ("waterfall", data::more::waterfall(lang).scene(640.0, lang)),
        ("treated", treated.scene(640.0, lang)),
        ("control", control.scene(640.0, lang)),
        ("silence", data::more::silent(lang).scene(640.0, lang)),
        ("ladder", ladder.scene(640.0, lang)),
        ("distribution", distribution.scene(640.0, lang)),
        ("heatmap", heatmap.scene(640.0, lang)),
        ("smoke", smoke.scene(640.0, lang)),
        ("dose", data::dose_response(lang).scene(640.0, lang)),
        ("forest", data::forest(lang).scene(640.0, lang)),
        ("coverage", coverage.scene(640.0, lang)),
        ("health", health.scene(640.0, lang)),
    ]
}

#[test]
fn drawings_are_as_they_were_when_somebody_looked_at_them() {
    for (name, scene) in small() {
        insta::assert_snapshot!(name, SvgPainter.draw(&scene).unwrap());
    }
}
