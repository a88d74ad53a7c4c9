//! Rows with a number each: which stand out, by how much, and is it real?
//!
//! One row per unit: its value with the interval, a reference beside it (what was expected, what is said to come), and a
//! few words at the right. The line at zero or one, where there is one, is the value that would mean nothing.

use super::axis::{SMALL, Ticks, span};
use super::legend::{self, Swatch};
use super::number::{self, Style};
use super::page::{Page, shorten};
use super::palette::{AXIS, BLACK, GREY, OWN, TEXT, VERMILION, WARN};
use super::panel::{Mesh, Panel, hollow, marker, whisker};
use super::scene::{Anchor, Label, MarkerShape, Rect, Scene, Stroke};
use super::table::{Cell, Table};
use super::{Caption, Chart, Figure, Frame, words};
use crate::font::{self, Weight};
use broadgauge_model::text::{Lang, Phrase};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Dots {
    /// Its words.
    pub caption: Caption,
    /// What the values are, ready: names the axis.
    pub axis: String,
    /// How values are printed.
    pub style: Style,
    /// The value that means nothing.
    pub neutral: Option<f64>,
    /// What the values are called in the legend, and what the references are.
    pub legend: (String, String),
    /// From top to bottom.
    pub rows: Vec<DotRow>,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub struct DotRow {
    /// Whose.
    pub label: String,
    /// Its value.
    pub value: Figure,
    /// What it is held against.
    pub reference: Option<f64>,
    /// Whether it stands out.
    pub marked: bool,
    /// A few words at the right; may be empty.
    pub note: String,
}

const ROW: f64 = 26.0;
const AXIS_ROOM: f64 = 52.0;
const UNIT: Phrase = Phrase { en: "Unit", zh: "单元" };
const REFERENCE: Phrase = Phrase { en: "Reference", zh: "参照" };
const NOTE: Phrase = Phrase { en: "Note", zh: "说明" };

impl Dots {
    fn items(&self) -> Vec<(Swatch, String)> {
        let mut items = vec![(Swatch::Line(Stroke::new(OWN, 2.0)), self.legend.0.clone())];
        if self.rows.iter().any(|row| row.reference.is_some()) {
            items.push((Swatch::Line(Stroke::new(WARN, 2.0)), self.legend.1.clone()));
        }
        items
    }

    fn widest(&self, of: impl Fn(&DotRow) -> &str, most: f64) -> f64 {
        let widths = self.rows.iter().map(|row| font::width(of(row), SMALL, Weight::Regular));
        widths.fold(0.0, f64::max).min(most)
    }

    fn x_axis(&self, room: f64) -> Ticks {
        let all = self.rows.iter().flat_map(|row| row.value.extent().chain(row.reference));
        let (low, high) = span(all.chain(self.neutral));
        let share = self.style == Style::Share;
        let label = |v: f64| if share { number::tick((v * 1e8).round() / 1e6) } else { number::tick(v) };
        if low > high {
            return Ticks::linear(0.0, 1.0, 2, |_| String::new());
        }
        Ticks::linear(low, high, (room / 90.0) as usize, label)
    }
}

impl Chart for Dots {
    fn height(&self, width: f64) -> f64 {
        let legend = legend::height(&self.items(), width - 32.0);
        Page::overhead(&self.caption, width) + legend + ROW * self.rows.len().max(1) as f64 + AXIS_ROOM
    }

    fn lay_out(&self, frame: Frame, lang: Lang) -> Scene {
        let Page { mut scene, body } = Page::open(frame, lang, &self.caption);
        let items = self.items();
        legend::draw(&mut scene, (body.x, body.y), body.width, &items);
        let top = body.y + legend::height(&items, body.width);
        let left = self.widest(|row| &row.label, 0.3 * body.width) + 12.0;
        let right = self.widest(|row| &row.note, 0.3 * body.width) + 14.0;
        let height = (body.bottom() - top - AXIS_ROOM).max(ROW);
        let area = Rect::new(body.x + left, top, (body.width - left - right).max(60.0), height);
        let rows = self.rows.len().max(1) as f64;
        let y = Ticks::linear(0.0, rows, 2, |_| String::new()).bare();
        let panel = Panel::draw(&mut scene, area, self.x_axis(area.width), y, Mesh::Columns);
        if let Some(neutral) = self.neutral {
            let x = panel.x(neutral);
            scene.line((x, area.y), (x, area.bottom()), Stroke::new(AXIS, 1.2));
        }
        for (i, row) in self.rows.iter().enumerate() {
            let at = area.y + height * (i as f64 + 0.5) / rows;
            let name = shorten(&row.label, left - 10.0, SMALL, Weight::Regular);
            scene.text(Label::new(name, area.x - 8.0, at, SMALL, BLACK).anchor(Anchor::End).centred());
            let note = shorten(&row.note, right - 10.0, SMALL, Weight::Regular);
            scene.text(Label::new(note, area.right() + 8.0, at, SMALL, TEXT).centred());
            let tip = format!("{}: {}", row.label, number::told(&row.value, self.style, lang));
            let ink = if row.marked { VERMILION } else { OWN };
            if let Some(reference) = row.reference {
                let x = panel.x(reference);
                scene.line((x, at - 8.0), (x, at + 8.0), Stroke::new(WARN, 3.0));
            }
            match &row.value {
                Figure::Known { value, interval, .. } => {
                    whisker(
                        &mut scene,
                        (panel.x(interval.0), panel.x(interval.1)),
                        at,
                        &Stroke::new(ink, 1.6),
                    );
                    scene.push_with(marker((panel.x(*value), at), MarkerShape::Circle, ink), tip);
                }
                Figure::Declined(_) => {
                    scene.push_with(hollow((area.x + 10.0, at), MarkerShape::Circle, GREY), tip);
                }
            }
        }
        panel.base_line(&mut scene);
        panel.x_title(&mut scene, self.axis.as_str());
        scene
    }

    fn table(&self, lang: Lang) -> Table {
        let mut table = Table::new([
            ("unit", UNIT.get(lang)),
            ("value", words::VALUE.get(lang)),
            ("lower", words::LOWER.get(lang)),
            ("upper", words::UPPER.get(lang)),
            ("n", "n"),
            ("declined", words::DECLINED.get(lang)),
            ("reference", REFERENCE.get(lang)),
            ("note", NOTE.get(lang)),
        ]);
        for row in &self.rows {
            let [value, lower, upper, n, declined] = row.value.cells();
            table.push([
                row.label.as_str().into(),
                value,
                lower,
                upper,
                n,
                declined,
                Cell::maybe(row.reference),
                row.note.as_str().into(),
            ]);
        }
        table
    }
}
