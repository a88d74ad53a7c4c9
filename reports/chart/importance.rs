//! Importance and performance: what matters for the target, and how does it stand?
//!
//! One point per construct: its index from 0 to 100 with the interval, against how far the target moves with it. Below
//! right of the two averages nothing is urgent; what matters more than most and stands lower than most comes first.

use super::axis::{SMALL, Ticks, span};
use super::legend::{self, Swatch};
use super::number;
use super::page::Page;
use super::palette::{AXIS, BLACK, GREY, OWN, TEXT, VERMILION, WARN};
use super::panel::{Mesh, Panel, hollow, marker, whisker};
use super::place::Placer;
use super::scene::{Anchor, Label, MarkerShape, Rect, Scene, Stroke};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, words};
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportancePerformance {
    /// Its words.
    pub caption: Caption,
    /// What importance is for, as ready text: "satisfaction".
    pub target: String,
    /// The constructs.
    pub points: Vec<ImportancePoint>,
}

/// A construct.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportancePoint {
    /// Its name, ready.
    pub name: String,
    /// Its total effect on the target.
    pub importance: f64,
    /// Its index, from 0 to 100.
    pub index: Figure,
    /// Whether it comes first.
    pub first: bool,
}

const HEIGHT: f64 = 380.0;
const AXIS_ROOM: f64 = 52.0;
const INDEX: Phrase = Phrase { en: "Index (0 to 100)", zh: "指数（0～100）" };
const IMPORTANCE: Phrase = Phrase { en: "Effect on {target}", zh: "对{target}的影响" };
const FIRST: Phrase = Phrase { en: "comes first", zh: "优先改进" };

impl ImportancePerformance {
    fn legend(lang: Lang) -> Vec<(Swatch, String)> {
        const MEANS: Phrase = Phrase { en: "averages of the constructs", zh: "各构念平均" };
        vec![
            (Swatch::Fill(WARN.tint(0.18)), FIRST.get(lang).to_owned()),
            (Swatch::Line(Stroke::new(AXIS, 1.2).dashed(&[4.0, 3.0])), MEANS.get(lang).to_owned()),
        ]
    }

    fn known(&self) -> impl Iterator<Item = (&ImportancePoint, f64)> {
        self.points.iter().filter_map(|p| Some((p, p.index.value()?)))
    }

    fn axes(&self, room: f64) -> (Ticks, Ticks) {
        let (low, high) = span(self.points.iter().flat_map(|p| p.index.extent()));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 100.0) };
        let x = Ticks::linear((low - 3.0).max(0.0), (high + 3.0).min(100.0), 8, number::tick);
        let (least, most) = span(self.points.iter().map(|p| p.importance).chain([0.0]));
        let y = Ticks::linear(least, most.max(0.1) * 1.08, (room / 50.0) as usize, number::tick);
        (x, y)
    }

    fn draw(&self, scene: &mut Scene, panel: &Panel, lang: Lang) {
        let count = self.known().count() as f64;
        let mut placer = Placer::default();
        if count > 0.0 {
            let level = panel.x(self.known().map(|(_, index)| index).sum::<f64>() / count);
            let usual = panel.y(self.known().map(|(p, _)| p.importance).sum::<f64>() / count);
            let area = panel.area;
            scene.fill(Rect::new(area.x, area.y, level - area.x, usual - area.y), WARN.tint(0.18));
            let dash = || Stroke::new(AXIS, 1.2).dashed(&[4.0, 3.0]);
            scene.line((level, area.y), (level, area.bottom()), dash());
            scene.line((area.x, usual), (area.right(), usual), dash());
        }
        for point in &self.points {
            let y = panel.y(point.importance);
            if let Figure::Known { value, interval, .. } = &point.index {
                let ink = if point.first { VERMILION } else { OWN };
                let ends = (panel.x(interval.0), panel.x(interval.1));
                whisker(scene, ends, y, &Stroke::new(ink, 1.6));
                let at = (panel.x(*value), y);
                let tip =
                    format!("{}: {}", point.name, number::told(&point.index, number::Style::Bare, lang));
                scene.push_with(marker(at, MarkerShape::Circle, ink), tip);
                placer.take(Rect::new(ends.0 - 2.0, y - 6.0, ends.1 - ends.0 + 4.0, 12.0));
            } else {
                let at = (panel.area.x + 10.0, y);
                scene.push_with(hollow(at, MarkerShape::Circle, GREY), point.name.as_str());
                placer.take(Rect::new(at.0 - 6.0, y - 6.0, 12.0, 12.0));
            }
        }
        for point in &self.points {
            let x = point.index.value().map_or(panel.area.x + 10.0, |value| panel.x(value));
            let y = panel.y(point.importance);
            let label = Label::new(&point.name, x, y, SMALL, BLACK).centred();
            let places = [16.0, -16.0, 30.0, -30.0].into_iter().flat_map(|dy| {
                let at = Label { y: label.y + dy, ..label.clone() };
                [
                    at.clone().anchor(Anchor::Middle),
                    Label { x: x + 8.0, ..at.clone() },
                    Label { x: x - 8.0, ..at }.anchor(Anchor::End),
                ]
            });
            if let Some(label) = placer.first_free(&panel.area, places) {
                scene.text(label.halo());
            }
        }
    }
}

impl Chart for ImportancePerformance {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&Self::legend(lang), width - 32.0));
        Page::overhead(&self.caption, width) + legend[0].max(legend[1]) + HEIGHT
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = Self::legend(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width) + 28.0;
        let height = (body.bottom() - top - AXIS_ROOM).max(20.0);
        let (x, y) = self.axes(height);
        let left = y.label_width() + 14.0;
        let area = Rect::new(body.x + left, top, body.width - left - 12.0, height);
        let panel = Panel::draw(&mut scene, area, x, y, Mesh::Rows);
        panel.x_title(&mut scene, INDEX.get(lang));
        let title = IMPORTANCE.fill(lang, &[("target", &self.target)]);
        scene.text(Label::new(title, body.x, top - 12.0, SMALL, TEXT));
        self.draw(&mut scene, &panel, lang);
        panel.base_line(&mut scene);
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const CONSTRUCT: Phrase = Phrase { en: "Construct", zh: "构念" };
        const NO: Phrase = Phrase { en: "no", zh: "否" };
        const YES: Phrase = Phrase { en: "yes", zh: "是" };
        let importance = IMPORTANCE.fill(lang, &[("target", &self.target)]);
        let mut table = Table::new([
            ("construct", CONSTRUCT.get(lang)),
            ("importance", &importance),
            ("value", words::VALUE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("n", "n"),
            ("first", FIRST.get(lang)),
            ("declined", words::DECLINED.get(lang)),
        ]);
        for point in &self.points {
            let [value, lower, upper, n, declined] = point.index.cells();
            table.push([
                point.name.as_str().into(),
                Cell::Number(point.importance),
                value,
                lower,
                upper,
                n,
                if point.first { YES } else { NO }.get(lang).into(),
                declined,
            ]);
        }
        table
    }
}
