//! What a colour or a hatch stands for, where it cannot be written beside the mark itself.

use super::axis::SMALL;
use super::palette::{AXIS, TEXT};
use super::panel::hatch;
use super::scene::{Ink, Label, Rect, Scene, Shape, Stroke};
use crate::font::{self, Weight};

/// A sample of what is explained.
#[derive(Clone)]
pub(super) enum Swatch {
    /// A filled field.
    Fill(Ink),
    /// A hatched field on a ground.
    Hatch(Ink),
    /// A line.
    Line(Stroke),
}

/// From line to line.
const LEAD: f64 = 20.0;
const SAMPLE: f64 = 16.0;
const GAP: f64 = 18.0;

/// Places each entry: from left to right, then on the next line. Returns the places and the number of lines.
fn flow(items: &[(Swatch, String)], room: f64) -> (Vec<(f64, f64)>, usize) {
    let (mut x, mut line) = (0.0, 0);
    let mut places = Vec::new();
    for (_, text) in items {
        let width = SAMPLE + 6.0 + font::width(text, SMALL, Weight::Regular);
        if x > 0.0 && x + width > room {
            x = 0.0;
            line += 1;
        }
        places.push((x, LEAD * f64::from(line)));
        x += width + GAP;
    }
    (places, if items.is_empty() { 0 } else { line as usize + 1 })
}

/// The height that a legend takes, with a little space below.
pub(super) fn height(items: &[(Swatch, String)], room: f64) -> f64 {
    let (_, lines) = flow(items, room);
    if lines == 0 { 0.0 } else { LEAD * lines as f64 + 6.0 }
}

/// Draws a legend with its upper left corner at a point.
pub(super) fn draw(scene: &mut Scene, (left, top): (f64, f64), room: f64, items: &[(Swatch, String)]) {
    let (places, _) = flow(items, room);
    for ((x, y), (swatch, text)) in places.into_iter().zip(items) {
        let (x, middle) = (left + x, top + y + LEAD / 2.0);
        let field = Rect::new(x, middle - 6.0, SAMPLE, 12.0);
        match swatch {
            Swatch::Fill(ink) => scene.fill(field, *ink),
            Swatch::Hatch(ground) => {
                let edge = Some(Stroke::new(AXIS, 0.6));
                scene.push(Shape::Rect { area: field, fill: Some(*ground), stroke: edge });
                scene.push(hatch(field));
            }
            Swatch::Line(stroke) => scene.line((x, middle), (x + SAMPLE, middle), stroke.clone()),
        }
        scene.text(Label::new(text, x + SAMPLE + 6.0, middle, SMALL, TEXT).centred());
    }
}
