//! Expectation gap, step by step: from what was promised to what is had, and who owns each step?
//!
//! Levels are points with their interval; steps between them are bars with theirs, turned against the customer or in
//! favour. What no step explains is a step of its own, hatched and always shown; a step that the data cannot tell says why.
//! Steps multiply: on the logarithmic axis, equal shares are equally long, for all groups alike.

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
    /// The name of the group that the rows below speak of.
    Group(String),
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
        /// The levels it would lead to at the ends of its interval.
        ends: Option<(f64, f64)>,
        /// Whether nothing explains it.
        unexplained: bool,
        /// Who can act; may be empty.
        owner: String,
        /// The share by which it is to the customer's disadvantage.
        share: Figure,
    },
}

const ROW: f64 = 30.0;
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
            WaterfallRow::Group(_) => "",
            WaterfallRow::Level { label, .. } | WaterfallRow::Step { label, .. } => label,
        }
    }

    fn note(row: &WaterfallRow) -> &str {
        match row {
            WaterfallRow::Group(_) | WaterfallRow::Level { .. } => "",
            WaterfallRow::Step { owner, .. } => owner,
        }
    }

    fn widest(&self, of: impl Fn(&WaterfallRow) -> &str, most: f64) -> f64 {
        let widths = self.rows.iter().map(|row| font::width(of(row), SMALL, Weight::Regular));
        widths.fold(0.0, f64::max).min(most)
    }
}

impl Waterfall {
    fn x_axis(&self, room: f64) -> Ticks {
        let (low, high) = span(self.rows.iter().flat_map(|row| match row {
            WaterfallRow::Group(_) => Vec::new(),
            WaterfallRow::Level { value, .. } => value.extent().collect(),
            WaterfallRow::Step { from, to, ends, .. } => {
                let ends = ends.iter().flat_map(|ends| [ends.0, ends.1]);
                [*from, *to].into_iter().chain(ends).filter(|v| v.is_finite()).collect()
            }
        }));
        let label = |v: f64| words::tick(v, self.metric.unit);
        if low > high {
            return Ticks::linear(0.0, 1.0, 2, |_| String::new());
        }
        if low > 0.0 {
            // Room on both sides for the sizes of the steps.
            let pad = (high / low).powf(0.12).max(1.05);
            return Ticks::log(low / pad, high * pad, room, label);
        }
        let pad = 0.15 * (high - low).max(1e-9);
        Ticks::linear((low - pad).max(0.0), high + pad, (room / 80.0) as usize, label)
    }
}

/// A bar from level to level with its interval and its size, or why there is none.
fn step(scene: &mut Scene, panel: &Panel, row: &WaterfallRow, at: f64, lang: Lang) {
    let WaterfallRow::Step { from, to, ends, unexplained, share, .. } = row else { return };
    let area = panel.area;
    let Figure::Known { value, .. } = share else {
        let x = panel.x(*from);
        scene.push_with(hollow((x, at), MarkerShape::Square, GREY), number::told(share, Style::Share, lang));
        let (left, right) = (x - area.x, area.right() - x);
        let reason = number::told(share, Style::Share, lang);
        let reason = shorten(&reason, left.max(right) - 12.0, SMALL, Weight::Regular);
        let label = if right >= left {
            Label::new(reason, x + 10.0, at, SMALL, TEXT)
        } else {
            Label::new(reason, x - 10.0, at, SMALL, TEXT).anchor(Anchor::End)
        };
        scene.text(label.centred().halo());
        return;
    };
    let (a, b) = (panel.x(*from), panel.x(*to));
    let bar = Rect::new(a.min(b), at - 8.0, (a - b).abs().max(2.0), 16.0);
    let size = number::told(share, Style::Share, lang);
    if *unexplained {
        let edge = Some(Stroke::new(AXIS, 1.0));
        scene.push(Shape::Rect { area: bar, fill: Some(WHITE), stroke: edge });
        scene.push_with(hatch(bar), size.as_str());
    } else {
        let ink = if *value > 0.0 { VERMILION } else { GREEN };
        scene.push_with(Shape::Rect { area: bar, fill: Some(ink.tint(0.6)), stroke: None }, size.as_str());
    }
    let (mut left, mut right) = (bar.x, bar.right());
    if let Some(ends) = ends {
        let ends = (panel.x(ends.0), panel.x(ends.1));
        whisker(scene, ends, at, &Stroke::new(BLACK, 1.2));
        (left, right) = (left.min(ends.0), right.max(ends.1));
    }
    let text = Label::new(size, right + 6.0, at, SMALL, BLACK).centred();
    let fits = right + 6.0 + text.width() <= area.right();
    let aside = Label { x: left - 6.0, ..text.clone() }.anchor(Anchor::End);
    let within = Label { x: bar.x + bar.width / 2.0, ..text.clone() }.anchor(Anchor::Middle);
    let text = if fits {
        text
    } else if aside.bounds().x >= area.x {
        aside
    } else {
        within
    };
    scene.text(text.halo());
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
        let x = self.x_axis(area.width);
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
                WaterfallRow::Group(name) => {
                    let name = shorten(name, body.width, SMALL, Weight::Bold);
                    scene.text(Label::new(name, body.x, at + 6.0, SMALL, BLACK).bold().halo());
                }
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
                WaterfallRow::Step { .. } => step(&mut scene, &panel, row, at, lang),
            }
        }
        panel.base_line(&mut scene);
        panel.x_title(&mut scene, words::directed_title(self.metric, panel.x.scale(), lang));
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        const ROW_NAME: Phrase = Phrase { en: "Level or step", zh: "水平或差距" };
        const OWNER: Phrase = Phrase { en: "Who can act", zh: "责任方" };
        const GROUP: Phrase = Phrase { en: "Group", zh: "用户群" };
        const SHARE: Phrase = Phrase { en: "Step, as a share", zh: "差距占比" };
        let mut table = Table::new([
            ("group", GROUP.get(lang)),
            ("row", ROW_NAME.get(lang)),
            ("value", words::VALUE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("from", words::FROM.get(lang)),
            ("to", words::TO.get(lang)),
            ("step_ratio", SHARE.get(lang)),
            ("step_lower", words::LOWER.get(lang)),
            ("step_upper", words::UPPER.get(lang)),
            ("owner", OWNER.get(lang)),
            ("n", "n"),
            ("declined", words::DECLINED.get(lang)),
        ]);
        let mut group = "";
        for row in &self.rows {
            let mut cells = std::array::from_fn::<Cell, 13, _>(|_| Cell::Blank);
            cells[0] = group.into();
            match row {
                WaterfallRow::Group(name) => {
                    group = name;
                    continue;
                }
                WaterfallRow::Level { label, value, .. } => {
                    cells[1] = label.as_str().into();
                    let [value, lower, upper, n, declined] = value.cells();
                    (cells[2], cells[3], cells[4], cells[11], cells[12]) = (value, lower, upper, n, declined);
                }
                WaterfallRow::Step { label, from, to, owner, share, .. } => {
                    cells[1] = label.as_str().into();
                    let [value, lower, upper, n, declined] = share.cells();
                    (cells[5], cells[6]) = (Cell::Number(*from), Cell::Number(*to));
                    (cells[7], cells[8], cells[9], cells[11], cells[12]) = (value, lower, upper, n, declined);
                    cells[10] = owner.as_str().into();
                }
            }
            table.push(cells);
        }
        table
    }
}
