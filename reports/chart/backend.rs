//! A plotters backend that writes a [`Scene`] instead of pixels or SVG.
//!
//! plotters counts in whole pixels, so it is given a canvas ten times as large, and what it draws is divided: no
//! stairs in curves. Text sizes are answered from our own font, in em, where plotters' own backends measure one size
//! and draw another, and know nothing of Chinese.

use super::scene::{Anchor, Ink, Label, MarkerShape, Rect, Scene, Shape, Stroke};
use crate::font::{self, Weight};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};
use std::convert::Infallible;

/// Canvas units in a pixel.
pub(super) const FINE: f64 = 10.0;

type Done = Result<(), DrawingErrorKind<Infallible>>;

/// Records what plotters draws.
pub(super) struct Recorder<'a> {
    scene: &'a mut Scene,
}

impl<'a> Recorder<'a> {
    /// Records onto a scene.
    pub(super) fn on(scene: &'a mut Scene) -> Self {
        Self { scene }
    }
}

/// From canvas units to pixels.
fn place(coord: BackendCoord) -> (f64, f64) {
    (f64::from(coord.0) / FINE, f64::from(coord.1) / FINE)
}

fn ink(colour: BackendColor) -> Ink {
    Ink { rgb: colour.rgb.into(), opacity: colour.alpha }
}

fn stroke<S: BackendStyle>(style: &S) -> Stroke {
    Stroke::new(ink(style.color()), f64::from(style.stroke_width()) / FINE)
}

impl DrawingBackend for Recorder<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        ((self.scene.width * FINE).ceil() as u32, (self.scene.height * FINE).ceil() as u32)
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, colour: BackendColor) -> Done {
        let (x, y) = place(point);
        self.scene.fill(Rect::new(x, y, 1.0 / FINE, 1.0 / FINE), ink(colour));
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Done {
        self.scene.line(place(from), place(to), stroke(style));
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        lower_right: BackendCoord,
        style: &S,
        filled: bool,
    ) -> Done {
        let ((x, y), (right, bottom)) = (place(upper_left), place(lower_right));
        let area = Rect::new(x.min(right), y.min(bottom), (right - x).abs(), (bottom - y).abs());
        let shape = if filled {
            Shape::Rect { area, fill: Some(ink(style.color())), stroke: None }
        } else {
            Shape::Rect { area, fill: None, stroke: Some(stroke(style)) }
        };
        self.scene.push(shape);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Done {
        let points = path.into_iter().map(place).collect();
        self.scene.push(Shape::Polyline { points, stroke: stroke(style) });
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        centre: BackendCoord,
        radius: u32,
        style: &S,
        filled: bool,
    ) -> Done {
        let none = ink(style.color()).at(0.0);
        self.scene.push(Shape::Marker {
            at: place(centre),
            shape: MarkerShape::Circle,
            radius: f64::from(radius) / FINE,
            fill: if filled { ink(style.color()) } else { none },
            stroke: (!filled).then(|| stroke(style)),
        });
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Done {
        let points = corners.into_iter().map(place).collect();
        self.scene.push(Shape::Polygon { points, fill: ink(style.color()) });
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Done {
        let (x, y) = place(at);
        let size = style.size() / FINE;
        let mut label = Label::new(text, x, y, size, ink(style.color()));
        if matches!(style.style(), FontStyle::Bold) {
            label = label.bold();
        }
        label.anchor = match style.anchor().h_pos {
            HPos::Left => Anchor::Start,
            HPos::Center => Anchor::Middle,
            HPos::Right => Anchor::End,
        };
        // From the named edge of the text to its base line, across the text's own direction.
        let down = match style.anchor().v_pos {
            VPos::Top => 0.84 * size,
            VPos::Center => 0.36 * size,
            VPos::Bottom => -0.20 * size,
        };
        let (turn, shift) = match style.transform() {
            FontTransform::None => (0.0, (0.0, down)),
            FontTransform::Rotate90 => (90.0, (-down, 0.0)),
            FontTransform::Rotate180 => (180.0, (0.0, -down)),
            FontTransform::Rotate270 => (270.0, (down, 0.0)),
        };
        label.turn = turn;
        label.x += shift.0;
        label.y += shift.1;
        self.scene.text(label);
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let weight = if matches!(style.style(), FontStyle::Bold) { Weight::Bold } else { Weight::Regular };
        let width = font::width(text, style.size(), weight).ceil() as u32;
        Ok((width, (1.04 * style.size()).ceil() as u32))
    }

    fn blit_bitmap(&mut self, _: BackendCoord, _: (u32, u32), _: &[u8]) -> Done {
        // No chart of ours draws bitmaps, and a scene has no mark for one.
        debug_assert!(false, "a scene holds no bitmaps");
        Ok(())
    }
}
