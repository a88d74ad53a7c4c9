//! Expectation gap, step by step: from what was promised to what is had, and who owns each step?
//!
//! Levels are points with their interval; steps between them are bars, turned against the customer or in favour. What no
//! step explains is a step of its own, hatched and always shown.

use super::axis::{SMALL, Ticks, span};
use super::legend::{self, Swatch};
use super::number::{self, Style};
use super::page::{Page, shorten};
use super::palette::{AXIS, BLACK, GREEN, GREY, OWN, TEXT, VERMILION};
use super::panel::{Mesh, Panel, hatch, hollow, marker, whisker};
use super::scene::{Anchor, Label, MarkerShape, Rect, Scene, Shape, Stroke, WHITE};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, words};
use crate::font::{self, Weight};
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Waterfall {
    /// Its words.
    pub caption: Caption,
    /// The metric: names the axis.
    pub metric: MetricId,
    /// From top to bottom.
    pub rows: Vec<WaterfallRow>,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub enum WaterfallRow {
    /// A level.
    Level {
        /// Which.
        label: String,
        /// In the metric's unit.
        value: Figure,
        /// Whether it is what customers have.
        had: bool,
    },
    /// A step from one level to the next.
    Step {
        /// Which.
        label: String,
        /// The level it begins at.
        from: f64,
        /// The level it leads to.
        to: f64,
        /// Whether it is to the customer's disadvantage.
        worse: bool,
        /// Whether nothing explains it.
        unexplained: bool,
        /// Who can act; may be empty.
        owner: String,
        /// Its size with the interval, ready.
        size: String,
    },
}

const ROW: f64 = 34.0;
const AXIS_ROOM: f64 = 52.0;

impl Waterfall {
    fn items(lang: Lang) -> Vec<(Swatch, String)> {
        const WORSE: Phrase = Phrase { en: "to the customer's disadvantage", zh: "不利于用户" };
        const BETTER: Phrase = Phrase { en: "in the customer's favour", zh: "有利于用户" };
        const OPEN: Phrase = Phrase { en: "not explained by any step", zh: "未能解释" };
        vec![
            (Swatch::Fill(VERMILION.tint(0.6)), WORSE.get(lang).to_owned()),
            (Swatch::Fill(GREEN.tint(0.6)), BETTER.get(lang).to_owned()),
            (Swatch::Hatch(WHITE), OPEN.get(lang).to_owned()),
        ]
    }

    fn label(row: &WaterfallRow) -> &str {
        match row {
            WaterfallRow::Level { label, .. } | WaterfallRow::Step { label, .. } => label,
        }
    }

    fn note(row: &WaterfallRow) -> &str {
        match row {
            WaterfallRow::Level { .. } => "",
            WaterfallRow::Step { owner, .. } => owner,
        }
    }

    fn widest(&self, of: impl Fn(&WaterfallRow) -> &str, most: f64) -> f64 {
        let widths = self.rows.iter().map(|row| font::width(of(row), SMALL, Weight::Regular));
        widths.fold(0.0, f64::max).min(most)
    }
}

impl Chart for Waterfall {
    fn height(&self, width: f64) -> f64 {
        let legend = Lang::ALL.map(|lang| legend::height(&Self::items(lang), width - 32.0));
        let rows = ROW * self.rows.len().max(1) as f64;
        Page::overhead(&self.caption, width) + legend[0].max(legend[1]) + rows + AXIS_ROOM
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = Self::items(lang);
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width);
        let left = self.widest(Self::label, 0.32 * body.width) + 12.0;
        let right = self.widest(Self::note, 0.24 * body.width) + 14.0;
        let height = (body.bottom() - top - AXIS_ROOM).max(ROW);
        let area = Rect::new(body.x + left, top, (body.width - left - right).max(60.0), height);
        let ends = self.rows.iter().flat_map(|row| match row {
            WaterfallRow::Level { value, .. } => value.extent().collect::<Vec<_>>(),
            WaterfallRow::Step { from, to, .. } => vec![*from, *to],
        });
        let (low, high) = span(ends);
        let label = |v: f64| words::tick(v, self.metric.unit);
        let x = if low <= high {
            let pad = 0.15 * (high - low).max(1e-9);
            Ticks::linear((low - pad).max(0.0), high + pad, (area.width / 80.0) as usize, label)
        } else {
            Ticks::linear(0.0, 1.0, 2, |_| String::new())
        };
        let count = self.rows.len().max(1) as f64;
        let y = Ticks::linear(0.0, count, 2, |_| String::new()).bare();
        let panel = Panel::draw(&mut scene, area, x, y, Mesh::Columns);
        for (i, row) in self.rows.iter().enumerate() {
            let at = area.y + height * (i as f64 + 0.5) / count;
            let name = shorten(Self::label(row), left - 10.0, SMALL, Weight::Regular);
            scene.text(Label::new(name, area.x - 8.0, at, SMALL, BLACK).anchor(Anchor::End).centred());
            let note = shorten(Self::note(row), right - 10.0, SMALL, Weight::Regular);
            scene.text(Label::new(note, area.right() + 8.0, at, SMALL, TEXT).centred());
            match row {
                WaterfallRow::Level { value: Figure::Known { value, interval, .. }, had, .. } => {
                    let ink = if *had { OWN } else { BLACK };
                    whisker(
                        &mut scene,
                        (panel.x(interval.0), panel.x(interval.1)),
                        at,
                        &Stroke::new(ink, 1.6),
                    );
                    scene.push(marker((panel.x(*value), at), MarkerShape::Diamond, ink));
                }
                WaterfallRow::Level { value, .. } => {
                    let tip = number::told(value, Style::Bare, lang);
                    scene.push_with(hollow((area.x + 10.0, at), MarkerShape::Diamond, GREY), tip);
                }
                WaterfallRow::Step { from, to, worse, unexplained, size, .. } => {
                    let (a, b) = (panel.x(*from), panel.x(*to));
                    let bar = Rect::new(a.min(b), at - 9.0, (a - b).abs().max(2.0), 18.0);
                    let ink = if *worse { VERMILION } else { GREEN };
                    if *unexplained {
                        let edge = Some(Stroke::new(AXIS, 1.0));
                        scene.push(Shape::Rect { area: bar, fill: Some(WHITE), stroke: edge });
                        scene.push_with(hatch(bar), size.as_str());
                    } else {
                        scene.fill(bar, ink.tint(0.6));
                    }
                    let text = Label::new(size, bar.right() + 6.0, at, SMALL, BLACK).centred();
                    let fits = bar.right() + 6.0 + text.width() <= area.right();
                    let text = if fits { text } else { Label { x: bar.x - 6.0, ..text }.anchor(Anchor::End) };
                    if text.bounds().x >= area.x {
                        scene.text(text.halo());
                    }
                }
            }
        }
        panel.base_line(&mut scene);
        panel.x_title(&mut scene, words::directed_title(self.metric, panel.x.scale(), lang));
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const ROW_NAME: Phrase = Phrase { en: "Level or step", zh: "水平或差距" };
        const OWNER: Phrase = Phrase { en: "Who can act", zh: "责任方" };
        let mut table = Table::new([
            ("row", ROW_NAME.get(lang)),
            ("value", words::VALUE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("from", words::FROM.get(lang)),
            ("to", words::TO.get(lang)),
            ("owner", OWNER.get(lang)),
            ("declined", words::DECLINED.get(lang)),
        ]);
        for row in &self.rows {
            match row {
                WaterfallRow::Level { label, value, .. } => {
                    let [value, lower, upper, _, declined] = value.cells();
                    table.push([
                        label.as_str().into(),
                        value,
                        lower,
                        upper,
                        Cell::Blank,
                        Cell::Blank,
                        Cell::Blank,
                        declined,
                    ]);
                }
                WaterfallRow::Step { label, from, to, owner, .. } => table.push([
                    label.as_str().into(),
                    Cell::Blank,
                    Cell::Blank,
                    Cell::Blank,
                    Cell::Number(*from),
                    Cell::Number(*to),
                    owner.as_str().into(),
                    Cell::Blank,
                ]),
            }
        }
        table
    }
}
