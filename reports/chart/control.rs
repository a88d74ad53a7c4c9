//! Control charts: which weeks are not like the weeks before?
//!
//! One small panel per series: its weeks, the usual value, and shaded where ordinary weeks lie. Weeks outside are red
//! diamonds; the dashed line is the day on which work began.

use super::axis::{SMALL, Scale, Ticks, apart, span};
use super::legend::{self, Swatch};
use super::number;
use super::page::{Page, shorten};
use super::palette::{AXIS, GREY, OWN, TEXT, VERMILION};
use super::panel::{Mesh, Panel, marker};
use super::scene::{Label, MarkerShape, Rect, Scene, Stroke};
use super::table::{Cell, Table};
use super::{Caption, Chart, Frame, words};
use crate::font::Weight;
use broadgauge_model::text::{Lang, Phrase};
use broadgauge_model::unit::Unit;

/// The chart: panels side by side, on one range.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// Its words.
    pub caption: Caption,
    /// What the values are, ready: names the axis.
    pub axis: String,
    /// Their unit.
    pub unit: Unit,
    /// Series.
    pub panels: Vec<ControlPanel>,
}

/// A series.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlPanel {
    /// Whose, and how it came out.
    pub heading: String,
    /// The usual value.
    pub centre: f64,
    /// Week by week.
    pub weeks: Vec<ControlWeek>,
    /// The day on which work began.
    pub began: Option<i32>,
}

/// A week.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlWeek {
    /// Its Monday, in days since 1970-01-01.
    pub day: i32,
    /// The same for readers.
    pub date: String,
    /// What it had.
    pub value: f64,
    /// Where ordinary weeks lie.
    pub limits: (f64, f64),
    /// Whether it lies outside.
    pub outside: bool,
}

const PLOT: f64 = 104.0;
const HEADING: f64 = 26.0;
const AXIS_ROOM: f64 = 30.0;
/// Narrower panels are not read.
const NARROWEST: f64 = 270.0;

impl Control {
    fn items(&self, lang: Lang) -> Vec<(Swatch, String)> {
        const WEEK: Phrase = Phrase { en: "a week", zh: "一周" };
        const USUAL: Phrase = Phrase { en: "usual", zh: "通常水平" };
        const LIMITS: Phrase = Phrase { en: "ordinary weeks", zh: "正常范围" };
        const OUTSIDE: Phrase = Phrase { en: "outside", zh: "超出范围" };
        const BEGAN: Phrase = Phrase { en: "work began", zh: "动工" };
        let mut items = vec![
            (Swatch::Line(Stroke::new(OWN, 1.8)), WEEK.get(lang).to_owned()),
            (Swatch::Line(Stroke::new(AXIS, 1.2)), USUAL.get(lang).to_owned()),
            (Swatch::Fill(GREY.tint(0.18)), LIMITS.get(lang).to_owned()),
            (Swatch::Fill(VERMILION), OUTSIDE.get(lang).to_owned()),
        ];
        if self.panels.iter().any(|panel| panel.began.is_some()) {
            let line = Stroke::new(VERMILION, 1.4).dashed(&[4.0, 3.0]);
            items.push((Swatch::Line(line), BEGAN.get(lang).to_owned()));
        }
        items
    }

    fn columns(&self, width: f64) -> usize {
        ((width / NARROWEST) as usize).clamp(1, 3).min(self.panels.len().max(1))
    }

    fn rows(&self, width: f64) -> usize {
        self.panels.len().div_ceil(self.columns(width)).max(1)
    }
}

impl Chart for Control {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&self.items(lang), width - 32.0));
        let panels = self.rows(Page::body_width(width)) as f64 * (HEADING + PLOT + AXIS_ROOM);
        Page::overhead(&self.caption, width) + legend[0].max(legend[1]) + 20.0 + panels
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = self.items(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width);
        scene.text(Label::new(&self.axis, body.x, top + 10.0, SMALL, TEXT));
        let top = top + 20.0;
        let columns = self.columns(body.width);
        let each = body.width / columns as f64;
        let height = ((body.bottom() - top) / self.rows(body.width) as f64).max(HEADING + AXIS_ROOM + 20.0);
        let weeks = || self.panels.iter().flat_map(|panel| &panel.weeks);
        let (low, high) = span(weeks().flat_map(|week| [week.value, week.limits.0, week.limits.1]));
        let y = if low <= high {
            Ticks::linear(low, high, 4, |v| words::tick(v, self.unit))
        } else {
            Ticks::linear(0.0, 1.0, 2, |_| String::new())
        };
        let left = y.label_width() + 12.0;
        for (i, one) in self.panels.iter().enumerate() {
            let corner = (body.x + each * (i % columns) as f64, top + height * (i / columns) as f64);
            let heading = shorten(&one.heading, each - 10.0, SMALL, Weight::Bold);
            scene.text(Label::new(heading, corner.0, corner.1 + 14.0, SMALL, TEXT).bold());
            let area = Rect::new(
                corner.0 + left,
                corner.1 + HEADING,
                each - left - 18.0,
                height - HEADING - AXIS_ROOM,
            );
            self.draw(&mut scene, area, one, &y);
        }
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const SERIES: Phrase = Phrase { en: "Series", zh: "序列" };
        const WEEK: Phrase = Phrase { en: "Week from", zh: "周起始日" };
        const CENTRE: Phrase = Phrase { en: "Usual value", zh: "通常水平" };
        const OUTSIDE: Phrase = Phrase { en: "Outside", zh: "超出范围" };
        let mut table = Table::new([
            ("series", SERIES.get(lang)),
            ("week", WEEK.get(lang)),
            ("value", words::VALUE.get(lang)),
            ("centre", CENTRE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("outside", OUTSIDE.get(lang)),
        ]);
        for panel in &self.panels {
            for week in &panel.weeks {
                table.push([
                    panel.heading.as_str().into(),
                    week.date.as_str().into(),
                    Cell::Number(week.value),
                    Cell::Number(panel.centre),
                    Cell::Number(week.limits.0),
                    Cell::Number(week.limits.1),
                    Cell::Count(u64::from(week.outside)),
                ]);
            }
        }
        table
    }
}

impl Control {
    fn draw(&self, scene: &mut Scene, area: Rect, one: &ControlPanel, y: &Ticks) {
        let (first, last) = span(one.weeks.iter().map(|week| f64::from(week.day)));
        let (first, last) = if first < last { (first, last) } else { (0.0, 7.0) };
        let x =
            Ticks::new(Scale::Linear, first - 4.0, last + 4.0, dates(&one.weeks, (first, last), area.width));
        let panel = Panel::draw(scene, area, x, y.clone(), Mesh::Rows);
        // Weeks stand between their own limits, which move where exposure does.
        for week in &one.weeks {
            let (left, right) = (f64::from(week.day) - 3.5, f64::from(week.day) + 3.5);
            let (top, bottom) = (panel.y(week.limits.1), panel.y(week.limits.0));
            // A little wider than a week, so that no seam shows between two.
            let width = panel.x(right) - panel.x(left) + 0.6;
            scene.fill(Rect::new(panel.x(left), top, width, (bottom - top).max(0.0)), GREY.tint(0.18));
        }
        let centre = panel.y(one.centre);
        scene.line((area.x, centre), (area.right(), centre), Stroke::new(AXIS, 1.2));
        if let Some(began) = one.began.map(f64::from).filter(|day| panel.x.holds(*day)) {
            let at = panel.x(began - 3.5);
            scene.line((at, area.y), (at, area.bottom()), Stroke::new(VERMILION, 1.4).dashed(&[4.0, 3.0]));
        }
        // A week that was not measured is a gap in the line.
        for run in one.weeks.chunk_by(|a, b| b.day - a.day == 7) {
            let points: Vec<(f64, f64)> = run.iter().map(|week| (f64::from(week.day), week.value)).collect();
            panel.line(scene, &points, Stroke::new(OWN, 1.4));
        }
        for week in &one.weeks {
            let at = (panel.x(f64::from(week.day)), panel.y(week.value));
            let (shape, ink) =
                if week.outside { (MarkerShape::Diamond, VERMILION) } else { (MarkerShape::Circle, OWN) };
            let tip = format!("{}: {}", week.date, number::value(week.value, self.unit));
            scene.push_with(marker(at, shape, ink), tip);
        }
        panel.base_line(scene);
    }
}

/// As many dates as fit: the first, the last, and others between them.
fn dates(weeks: &[ControlWeek], (first, last): (f64, f64), room: f64) -> Vec<(f64, String)> {
    // The year stands in the subtitle.
    let short = |week: &ControlWeek| week.date.get(5..).unwrap_or(&week.date).to_owned();
    let widest = weeks.iter().map(|week| apart(&short(week), &short(week))).fold(40.0, f64::max);
    let every = (widest * (last - first) / 7.0 / room).ceil().max(1.0) as i32;
    let ticks = weeks.iter().filter(|week| (week.day - first as i32) / 7 % every == 0);
    ticks.map(|week| (f64::from(week.day), short(week))).collect()
}
