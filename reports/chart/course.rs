//! Before and after: did the fix work, and more than chance?
//!
//! Week by week around the action, by how much treated units differ from units as bad that were left alone, against the
//! week before. Weeks before must lie at zero; what was done shows after the line.

use super::axis::{SMALL, Ticks, span};
use super::number::{self, Style};
use super::page::Page;
use super::palette::{AXIS, OWN, SKY, TEXT, VERMILION};
use super::panel::{Mesh, Panel, marker, upright};
use super::scene::{Label, MarkerShape, Rect, Scene, Stroke};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, words};
use broadgauge_model::text::{Lang, Phrase};

/// The chart: one panel per kind of action, one below the other, on one range.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Its words.
    pub caption: Caption,
    /// Kinds of actions.
    pub panels: Vec<CoursePanel>,
}

/// A kind of action.
#[derive(Clone, Debug, PartialEq)]
pub struct CoursePanel {
    /// Its name and verdict.
    pub heading: String,
    /// Weeks since it was done, and the change as a share.
    pub weeks: Vec<(i32, Figure)>,
}

const PANEL: f64 = 120.0;
const HEADING: f64 = 30.0;
const AXIS_ROOM: f64 = 52.0;
const WEEKS: Phrase = Phrase { en: "Weeks since it was done", zh: "完成后周数" };
const CHANGE: Phrase = Phrase {
    en: "Change against units left alone (%); below 0 is better",
    zh: "相对未处理单元的变化（%）；低于 0 为改善",
};

impl Chart for Course {
    fn height(&self, width: f64) -> f64 {
        let panels = (PANEL + HEADING) * self.panels.len().max(1) as f64;
        Page::overhead(&self.caption, width) + 22.0 + panels + AXIS_ROOM
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        scene.text(Label::new(CHANGE.get(lang), body.x, body.y + 10.0, SMALL, TEXT));
        let count = self.panels.len().max(1) as f64;
        let each = ((body.height - 22.0 - AXIS_ROOM) / count).max(HEADING + 20.0);
        let all = || self.panels.iter().flat_map(|panel| &panel.weeks);
        let (low, high) = span(all().flat_map(|(_, figure)| figure.extent()).chain([0.0]));
        let percent = |v: f64| number::tick((v * 1e6).round() / 1e4);
        let y = Ticks::linear(low, high, 4, percent);
        let (first, last) = span(all().map(|(week, _)| f64::from(*week)));
        let (first, last) = if first < last { (first, last) } else { (-3.0, 3.0) };
        let ticks = (first as i32..=last as i32)
            .map(|week| (f64::from(week), number::fixed(f64::from(week), 0)))
            .collect();
        let x = Ticks::new(super::axis::Scale::Linear, first - 0.5, last + 0.5, ticks);
        let left = y.label_width() + 14.0;
        for (i, one) in self.panels.iter().enumerate() {
            let top = body.y + 22.0 + each * i as f64;
            scene.text(Label::new(&one.heading, body.x, top + 16.0, SMALL, TEXT).bold());
            let area =
                Rect::new(body.x + left, top + HEADING, body.width - left - 14.0, each - HEADING - 6.0);
            let end = i + 1 == self.panels.len();
            let axis = if end { x.clone() } else { x.clone().bare() };
            let panel = Panel::draw(&mut scene, area, axis, y.clone(), Mesh::Rows);
            let zero = panel.y(0.0);
            scene.line((area.x, zero), (area.right(), zero), Stroke::new(AXIS, 1.2));
            let done = panel.x(-0.5);
            let dash = Stroke::new(VERMILION, 1.4).dashed(&[4.0, 3.0]);
            scene.line((done, area.y), (done, area.bottom()), dash);
            let known: Vec<(f64, f64, f64)> = one
                .weeks
                .iter()
                .filter_map(|(week, figure)| match figure {
                    Figure::Known { interval, .. } if *week >= 0 => {
                        Some((f64::from(*week), interval.0, interval.1))
                    }
                    _ => None,
                })
                .collect();
            panel.band(&mut scene, &known, SKY.at(0.25));
            for (week, figure) in &one.weeks {
                let Figure::Known { value, interval, .. } = figure else { continue };
                let at = panel.x(f64::from(*week));
                upright(&mut scene, at, (panel.y(interval.0), panel.y(interval.1)), &Stroke::new(OWN, 1.4));
                let tip = number::told(figure, Style::Share, lang);
                scene.push_with(marker((at, panel.y(*value)), MarkerShape::Circle, OWN), tip);
            }
            panel.base_line(&mut scene);
            if end {
                panel.x_title(&mut scene, WEEKS.get(lang));
            }
        }
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const KIND: Phrase = Phrase { en: "Kind of action", zh: "措施类别" };
        let mut table = Table::new([
            ("kind", KIND.get(lang)),
            ("weeks_since", WEEKS.get(lang)),
            ("change_ratio", words::VALUE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("declined", words::DECLINED.get(lang)),
        ]);
        for panel in &self.panels {
            for (week, figure) in &panel.weeks {
                let [value, lower, upper, _, declined] = figure.cells();
                let week = Cell::Number(f64::from(*week));
                table.push([panel.heading.as_str().into(), week, value, lower, upper, declined]);
            }
        }
        table
    }
}
