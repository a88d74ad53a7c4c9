//! Treated and left alone: what both had through time, and what chance shows where nothing was done.
//!
//! On the left, for each kind of action, what treated units had week by week beside those matched to them; the dashed line
//! is the work. On the right, the same comparison at placebo dates, as a grey histogram, and where the real change lies.

use super::axis::{SMALL, Scale, Ticks, span};
use super::legend::{self, Swatch};
use super::number::{self, Style};
use super::page::{Page, wrap};
use super::palette::{AXIS, GREY, OWN, TEXT, VERMILION};
use super::panel::{Mesh, Panel, hatch, marker, upright, whisker};
use super::scene::{Ink, Label, MarkerShape, Rect, Scene, Shape, Stroke};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, words};
use crate::font::Weight;
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};

/// The chart: one row of panels per kind of action.
#[derive(Clone, Debug, PartialEq)]
pub struct Treated {
    /// Its words.
    pub caption: Caption,
    /// Kinds of actions.
    pub panels: Vec<TreatedPanel>,
}

/// A kind of action.
#[derive(Clone, Debug, PartialEq)]
pub struct TreatedPanel {
    /// Its name and verdict.
    pub heading: String,
    /// The verdict in words, with its numbers.
    pub verdict: String,
    /// The metric: names the axis.
    pub metric: MetricId,
    /// Week by week.
    pub weeks: Vec<TreatedWeek>,
    /// The real change, as a share.
    pub change: Figure,
    /// The changes at placebo dates, as shares.
    pub placebo: Vec<f64>,
}

/// A week.
#[derive(Clone, Debug, PartialEq)]
pub struct TreatedWeek {
    /// Weeks since it was done.
    pub since: i32,
    /// The mean over treated units.
    pub treated: Figure,
    /// The mean over those left alone.
    pub left_alone: Figure,
}

const PLOT: f64 = 120.0;
const HEADING: f64 = 22.0;
const LEAD: f64 = 17.0;
const TITLES: f64 = 24.0;
const AXIS_ROOM: f64 = 50.0;
const BETWEEN: f64 = 14.0;
/// Narrower ranges have too few ticks on a logarithmic axis to be read.
const WIDE: f64 = 5.0;
const LEFT_ALONE: Ink = GREY;
const DASH: &[f64] = &[5.0, 3.0];
const WEEKS: Phrase = Phrase { en: "Weeks since it was done", zh: "完成后周数" };
const CHANGE: Phrase = Phrase { en: "Change (%)", zh: "变化（%）" };
const PLACEBOS: Phrase = Phrase { en: "Placebo dates", zh: "安慰剂日期数" };

/// The treated or those left alone: what they had, line, mark, and how far aside.
type Side = (fn(&TreatedWeek) -> &Figure, Stroke, MarkerShape, f64);

impl Treated {
    fn items(lang: Lang) -> Vec<(Swatch, String)> {
        const TREATED: Phrase = Phrase { en: "treated", zh: "已处理" };
        const ALONE: Phrase = Phrase { en: "as bad, left alone", zh: "同样差而未处理" };
        const DONE: Phrase = Phrase { en: "work", zh: "施工" };
        const PLACEBO: Phrase = Phrase { en: "placebo dates", zh: "安慰剂日期" };
        const REAL: Phrase = Phrase { en: "the real change", zh: "实际变化" };
        vec![
            (Swatch::Line(Stroke::new(OWN, 2.2)), TREATED.get(lang).to_owned()),
            (Swatch::Line(Stroke::new(LEFT_ALONE, 1.8).dashed(DASH)), ALONE.get(lang).to_owned()),
            (Swatch::Line(Stroke::new(VERMILION, 1.4).dashed(&[4.0, 3.0])), DONE.get(lang).to_owned()),
            (Swatch::Fill(GREY.tint(0.45)), PLACEBO.get(lang).to_owned()),
            (Swatch::Line(Stroke::new(OWN, 3.0)), REAL.get(lang).to_owned()),
        ]
    }

    /// The lines of a panel's verdict.
    fn told(panel: &TreatedPanel, width: f64) -> Vec<String> {
        wrap(&panel.verdict, width, SMALL, Weight::Regular)
    }

    fn room(panel: &TreatedPanel, width: f64) -> f64 {
        let words = LEAD * Self::told(panel, width).len() as f64;
        HEADING + words + TITLES + PLOT + AXIS_ROOM + BETWEEN
    }
}

impl Chart for Treated {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&Self::items(lang), width - 32.0));
        let room = Page::body_width(width);
        let panels: f64 = self.panels.iter().map(|panel| Self::room(panel, room)).sum();
        Page::overhead(&self.caption, width) + legend[0].max(legend[1]) + panels
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = Self::items(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let mut top = body.y + legend::height(&items, body.width);
        let (low, high) = span(self.panels.iter().flat_map(|panel| {
            panel.placebo.iter().copied().chain(panel.change.extent()).chain([0.0]).collect::<Vec<_>>()
        }));
        for panel in &self.panels {
            scene.text(Label::new(&panel.heading, body.x, top + 14.0, SMALL, TEXT).bold());
            let words = Self::told(panel, body.width);
            for (i, line) in words.iter().enumerate() {
                let y = top + HEADING + LEAD * i as f64 + 10.0;
                scene.text(Label::new(line, body.x, y, SMALL, TEXT));
            }
            let plot = top + HEADING + LEAD * words.len() as f64 + TITLES;
            let wide = (0.58 * body.width).floor();
            let left = Rect::new(body.x, plot, wide, PLOT);
            let right = Rect::new(body.x + wide + 16.0, plot, body.width - wide - 16.0, PLOT);
            series(&mut scene, left, panel, lang);
            histogram(&mut scene, right, panel, (low, high), lang);
            top += Self::room(panel, body.width);
        }
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const KIND: Phrase = Phrase { en: "Kind of action", zh: "措施类别" };
        const ROW: Phrase = Phrase { en: "Row", zh: "行" };
        let mut table = Table::new([
            ("kind", KIND.get(lang)),
            ("row", ROW.get(lang)),
            ("weeks_since", WEEKS.get(lang)),
            ("value", words::VALUE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("n", "n"),
            ("declined", words::DECLINED.get(lang)),
        ]);
        for panel in &self.panels {
            let kind = || Cell::from(panel.heading.as_str());
            for week in &panel.weeks {
                for (row, figure) in [("treated", &week.treated), ("left_alone", &week.left_alone)] {
                    let [value, lower, upper, n, declined] = figure.cells();
                    let since = Cell::Number(f64::from(week.since));
                    table.push([kind(), row.into(), since, value, lower, upper, n, declined]);
                }
            }
            let [value, lower, upper, n, declined] = panel.change.cells();
            table.push([kind(), "change_ratio".into(), Cell::Blank, value, lower, upper, n, declined]);
            for change in &panel.placebo {
                let change = Cell::Number(*change);
                let blank = || Cell::Blank;
                table.push([
                    kind(),
                    "placebo_change_ratio".into(),
                    blank(),
                    change,
                    blank(),
                    blank(),
                    blank(),
                    blank(),
                ]);
            }
        }
        table
    }
}

fn series(scene: &mut Scene, room: Rect, one: &TreatedPanel, lang: Lang) {
    let figures = || one.weeks.iter().flat_map(|week| [&week.treated, &week.left_alone]);
    let (low, high) = span(figures().flat_map(Figure::extent));
    let label = |v: f64| words::tick(v, one.metric.unit);
    let y = if low > high {
        Ticks::linear(0.0, 1.0, 2, |_| String::new())
    } else if low > 0.0 && high > WIDE * low {
        Ticks::log_upright(low, high, room.height, label)
    } else {
        Ticks::linear(low, high, 4, label)
    };
    let (first, last) = span(one.weeks.iter().map(|week| f64::from(week.since)));
    let (first, last) = if first < last { (first, last) } else { (-4.0, 3.0) };
    let ticks = (first as i32..=last as i32)
        .map(|week| (f64::from(week), number::fixed(f64::from(week), 0)))
        .collect();
    let x = Ticks::new(Scale::Linear, first - 0.5, last + 0.5, ticks);
    let left = y.label_width() + 12.0;
    let area = Rect::new(room.x + left, room.y, room.width - left, room.height);
    let title = words::axis_title(one.metric, y.scale(), lang);
    let panel = Panel::draw(scene, area, x, y, Mesh::Rows);
    scene.text(Label::new(title, room.x, room.y - 10.0, SMALL, TEXT));
    let done = panel.x(-0.5);
    scene.line((done, area.y), (done, area.bottom()), Stroke::new(VERMILION, 1.4).dashed(&[4.0, 3.0]));
    let sides: [Side; 2] = [
        (|week| &week.left_alone, Stroke::new(LEFT_ALONE, 1.8).dashed(DASH), MarkerShape::Square, 2.0),
        (|week| &week.treated, Stroke::new(OWN, 2.2), MarkerShape::Circle, -2.0),
    ];
    for (of, stroke, shape, aside) in sides {
        // No line crosses the days of the work.
        for after in [false, true] {
            let points: Vec<(f64, f64)> = one
                .weeks
                .iter()
                .filter(|week| (week.since >= 0) == after)
                .filter_map(|week| Some((f64::from(week.since), of(week).value()?)))
                .collect();
            panel.line(scene, &points, stroke.clone());
        }
        for week in &one.weeks {
            let Figure::Known { value, interval, .. } = of(week) else { continue };
            let at = panel.x(f64::from(week.since)) + aside;
            let ends = (panel.y(interval.0), panel.y(interval.1));
            upright(scene, at, ends, &Stroke::new(stroke.ink, 1.0));
            let tip = number::told(of(week), number::bare(one.metric.unit), lang);
            scene.push_with(marker((at, panel.y(*value)), shape, stroke.ink), tip);
        }
    }
    panel.base_line(scene);
    panel.x_title(scene, WEEKS.get(lang));
}

/// How many placebo dates gave which change, all panels on one range.
fn histogram(scene: &mut Scene, room: Rect, one: &TreatedPanel, (low, high): (f64, f64), lang: Lang) {
    const BINS: usize = 24;
    let (low, high) = if low < high { (low, high) } else { (-0.1, 0.1) };
    let percent = |v: f64| number::tick((v * 1e6).round() / 1e4);
    let x = Ticks::linear(low, high, 4, percent);
    let (from, to) = (x.from(), x.to());
    let width = (to - from) / BINS as f64;
    let mut counts = [0_usize; BINS];
    for change in &one.placebo {
        counts[(((change - from) / width) as usize).min(BINS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let count = |v: f64| if one.placebo.is_empty() { String::new() } else { number::tick(v) };
    let y = Ticks::linear(0.0, 1.25 * most, 3, count);
    let left = y.label_width() + 12.0;
    // The last label reaches beyond its tick.
    let area = Rect::new(room.x + left, room.y, room.width - left - 14.0, room.height);
    let panel = Panel::draw(scene, area, x, y, Mesh::Rows);
    scene.text(Label::new(PLACEBOS.get(lang), room.x, room.y - 10.0, SMALL, TEXT));
    if one.placebo.is_empty() {
        scene.push(hatch(area));
    }
    for (i, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let ends = (panel.x(from + width * i as f64), panel.x(from + width * (i + 1) as f64));
        let top = panel.y(*count as f64);
        let bar = Rect::new(ends.0, top, (ends.1 - ends.0 - 1.0).max(0.5), area.bottom() - top);
        let fill = Some(GREY.tint(0.45));
        scene.push_with(Shape::Rect { area: bar, fill, stroke: None }, count.to_string());
    }
    let zero = panel.x(0.0);
    scene.line((zero, area.y), (zero, area.bottom()), Stroke::new(AXIS, 1.0));
    if let Figure::Known { value, interval, .. } = &one.change {
        let at = panel.x(*value);
        scene.line((at, area.y + 8.0), (at, area.bottom()), Stroke::new(OWN, 3.0));
        let ends = (panel.x(interval.0), panel.x(interval.1));
        whisker(scene, ends, area.y + 8.0, &Stroke::new(OWN, 1.6));
        let tip = number::told(&one.change, Style::Share, lang);
        scene.push_with(marker((at, area.y + 8.0), MarkerShape::Circle, OWN), tip);
    }
    panel.base_line(scene);
    panel.x_title(scene, CHANGE.get(lang));
}
