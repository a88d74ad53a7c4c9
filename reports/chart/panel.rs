//! A plotting area: mesh, tick labels and series, drawn by plotters onto the scene.

use super::axis::{SMALL, Ticks};
use super::backend::{FINE, Recorder};
use super::palette::{AXIS, GRID, HATCH, TEXT};
use super::scene::{Anchor, Ink, Label, MarkerShape, Rect, Scene, Shape, Stroke, WHITE};
use plotters::prelude::*;

/// Which lines of the mesh are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mesh {
    /// Horizontal lines: values stand on y.
    Rows,
    /// Vertical lines: values stand on x.
    Columns,
}

/// A plotting area with its two axes.
pub(super) struct Panel {
    pub(super) area: Rect,
    pub(super) x: Ticks,
    pub(super) y: Ticks,
}

type Axes<'a, 'b> = ChartContext<'a, Recorder<'b>, Cartesian2d<Ticks, Ticks>>;

fn colour(ink: Ink) -> RGBAColor {
    RGBAColor(ink.rgb[0], ink.rgb[1], ink.rgb[2], ink.opacity)
}

fn style(stroke: &Stroke) -> ShapeStyle {
    colour(stroke.ink).stroke_width((stroke.width * FINE).round() as u32)
}

impl Panel {
    /// Draws the mesh and the tick labels: x below the area, y on its left.
    pub(super) fn draw(scene: &mut Scene, area: Rect, x: Ticks, y: Ticks, mesh: Mesh) -> Self {
        let panel = Self { area, x, y };
        let label = ("Broadgauge Sans", SMALL * FINE).into_font().color(&colour(TEXT));
        panel.plot(scene, |axes| {
            let mut lines = axes.configure_mesh();
            lines
                .light_line_style(TRANSPARENT)
                .bold_line_style(style(&Stroke::new(GRID, 1.0)))
                .axis_style(TRANSPARENT)
                .set_all_tick_mark_size((4.0 * FINE) as i32)
                .label_style(label);
            if mesh != Mesh::Columns {
                lines.disable_x_mesh();
            }
            if mesh != Mesh::Rows {
                lines.disable_y_mesh();
            }
            lines.draw()
        });
        panel
    }

    /// Hands the axes of plotters to `draw`.
    fn plot<E: std::fmt::Debug>(
        &self,
        scene: &mut Scene,
        draw: impl FnOnce(&mut Axes<'_, '_>) -> Result<(), E>,
    ) {
        // Labels outside the area need label areas: as much as the scene has room for.
        let fine = |pixels: f64| (pixels * FINE).round() as i32;
        let (left, bottom) = (self.area.x, scene.height - self.area.bottom());
        let (right, top) = (scene.width - self.area.right(), self.area.y);
        let root = Recorder::on(scene).into_drawing_area();
        let axes = ChartBuilder::on(&root)
            .margin_top(fine(top))
            .margin_right(fine(right))
            .x_label_area_size(fine(bottom))
            .y_label_area_size(fine(left))
            .build_cartesian_2d(self.x.clone(), self.y.clone());
        axes.map(|mut axes| draw(&mut axes).expect("a scene takes every mark"))
            .expect("axes need no font and no file");
    }

    /// The place of a value on x.
    pub(super) fn x(&self, value: f64) -> f64 {
        self.area.x + self.x.place(value) * self.area.width
    }

    /// The place of a value on y.
    pub(super) fn y(&self, value: f64) -> f64 {
        self.area.bottom() - self.y.place(value) * self.area.height
    }

    /// The place of a point.
    pub(super) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x(x), self.y(y))
    }

    /// A line through points. plotters has no dashed path of one piece, so a dashed line goes onto the scene itself.
    pub(super) fn line(&self, scene: &mut Scene, points: &[(f64, f64)], stroke: Stroke) {
        if points.len() < 2 {
            return;
        }
        if stroke.dash.is_empty() {
            let series = LineSeries::new(points.iter().copied(), style(&stroke));
            self.plot(scene, |axes| axes.draw_series(series).map(drop));
        } else {
            let points = points.iter().map(|&point| self.at(point)).collect();
            scene.push(Shape::Polyline { points, stroke });
        }
    }

    /// The area between a lower and an upper line: points are (x, lower, upper).
    pub(super) fn band(&self, scene: &mut Scene, points: &[(f64, f64, f64)], fill: Ink) {
        if points.len() < 2 {
            return;
        }
        let there = points.iter().map(|&(x, _, upper)| (x, upper));
        let back = points.iter().rev().map(|&(x, lower, _)| (x, lower));
        let corners: Vec<_> = there.chain(back).collect();
        self.plot(scene, |axes| axes.draw_series([Polygon::new(corners, colour(fill))]).map(drop));
    }

    /// A heavier line along the lower edge.
    pub(super) fn base_line(&self, scene: &mut Scene) {
        let (y, right) = (self.area.bottom(), self.area.right());
        scene.line((self.area.x, y), (right, y), Stroke::new(AXIS, 1.2));
    }

    /// The name of the x axis, under its labels: in the middle, or as near to it as the scene allows.
    pub(super) fn x_title(&self, scene: &mut Scene, text: impl Into<String>) {
        let middle = self.area.x + self.area.width / 2.0;
        let mut label =
            Label::new(text, middle, self.area.bottom() + 40.0, SMALL, TEXT).anchor(Anchor::Middle);
        let half = label.width() / 2.0;
        label.x = middle.min(scene.width - 4.0 - half).max(half + 4.0);
        scene.text(label);
    }

    /// The name of the y axis: over its labels, upright to read.
    pub(super) fn y_title(&self, scene: &mut Scene, text: impl Into<String>) {
        let left = self.area.x - self.y.label_width() - 8.0;
        scene.text(Label::new(text, left, self.area.y - 14.0, SMALL, TEXT));
    }
}

/// What a point is drawn with.
pub(super) fn marker(at: (f64, f64), shape: MarkerShape, ink: Ink) -> Shape {
    Shape::Marker { at, shape, radius: 4.5, fill: ink, stroke: Some(Stroke::new(WHITE, 1.0)) }
}

/// A point of which nothing is known but that it was asked for.
pub(super) fn hollow(at: (f64, f64), shape: MarkerShape, ink: Ink) -> Shape {
    Shape::Marker { at, shape, radius: 4.0, fill: WHITE, stroke: Some(Stroke::new(ink, 1.5)) }
}

/// A horizontal interval with end caps.
pub(super) fn whisker(scene: &mut Scene, (low, high): (f64, f64), y: f64, stroke: &Stroke) {
    scene.line((low, y), (high, y), stroke.clone());
    for x in [low, high] {
        scene.line((x, y - 3.5), (x, y + 3.5), stroke.clone());
    }
}

/// An upright interval with end caps.
pub(super) fn upright(scene: &mut Scene, x: f64, (low, high): (f64, f64), stroke: &Stroke) {
    scene.line((x, low), (x, high), stroke.clone());
    for y in [low, high] {
        scene.line((x - 3.5, y), (x + 3.5, y), stroke.clone());
    }
}

/// The hatch of what is missing or too few.
pub(super) fn hatch(area: Rect) -> Shape {
    Shape::Hatch { area, stroke: HATCH, spacing: 6.0 }
}

/// A text whose middle is at a point.
pub(super) fn middle(text: impl Into<String>, (x, y): (f64, f64), ink: Ink) -> Label {
    Label::new(text, x, y, SMALL, ink).anchor(Anchor::Middle).centred()
}
