//! What is drawn: marks in pixels, with no trace of the data behind them or of the file they end in.
//!
//! A scene is plain data, so that it can be checked before it is painted: [`Scene::faults`] finds texts that leave
//! the frame and labels that touch each other, with the real widths of the font.

use crate::font::{self, Weight};
use broadgauge_model::text::Lang;

/// A colour and how much it covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ink {
    /// Red, green, blue.
    pub rgb: [u8; 3],
    /// 0 (nothing) to 1 (all).
    pub opacity: f64,
}

impl Ink {
    /// A colour that covers all.
    pub const fn solid(rgb: u32) -> Self {
        Self { rgb: [(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8], opacity: 1.0 }
    }

    /// The same colour, covering a share.
    #[must_use]
    pub const fn at(self, opacity: f64) -> Self {
        Self { opacity, ..self }
    }

    /// Mixed with white: 1 is the colour itself, 0 white. Unlike opacity, it hides what lies below.
    #[must_use]
    pub fn tint(self, share: f64) -> Self {
        let mix = |c: u8| (255.0 - (255.0 - f64::from(c)) * share).round() as u8;
        Self { rgb: self.rgb.map(mix), ..self }
    }

    /// Relative luminance, WCAG 2.2.
    fn luminance(self) -> f64 {
        let linear = self.rgb.map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    /// Contrast with another colour, 1 to 21 (WCAG 2.2).
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Darkened until a text in it can be read on white (contrast of at least 4.5).
    #[must_use]
    pub fn readable(self) -> Self {
        let mut ink = self;
        while ink.contrast(WHITE) < 4.5 {
            ink.rgb = ink.rgb.map(|c| (f64::from(c) * 0.97) as u8);
        }
        ink
    }
}

/// Paper.
pub const WHITE: Ink = Ink::solid(0xFF_FFFF);

/// How a line is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Stroke {
    /// Its colour.
    pub ink: Ink,
    /// In pixels.
    pub width: f64,
    /// Lengths of dashes and gaps; none for a full line.
    pub dash: &'static [f64],
}

impl Stroke {
    /// A full line.
    pub const fn new(ink: Ink, width: f64) -> Self {
        Self { ink, width, dash: &[] }
    }

    /// The same line, dashed.
    #[must_use]
    pub const fn dashed(self, dash: &'static [f64]) -> Self {
        Self { dash, ..self }
    }
}

/// A rectangle in pixels; y grows downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// From the upper left corner and the size.
    pub const fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self { x, y, width, height }
    }

    /// Right edge.
    pub const fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Lower edge.
    pub const fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// Whether two rectangles share an area; touching edges do not count.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// Whether the other lies inside, with a tolerance of half a pixel.
    pub fn holds(&self, other: &Self) -> bool {
        other.x >= self.x - 0.5
            && other.right() <= self.right() + 0.5
            && other.y >= self.y - 0.5
            && other.bottom() <= self.bottom() + 0.5
    }
}

/// The shape of a data point: peers differ by shape as well as by colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkerShape {
    /// ●
    Circle,
    /// ▲
    Triangle,
    /// ■
    Square,
    /// ◆
    Diamond,
}

/// Which point of a text its x means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// Its left end.
    #[default]
    Start,
    /// Its middle.
    Middle,
    /// Its right end.
    End,
}

/// A text on one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// What it says.
    pub text: String,
    /// Where its anchor is.
    pub x: f64,
    /// Where its base line is.
    pub y: f64,
    /// The em, in pixels.
    pub size: f64,
    /// Regular or bold.
    pub weight: Weight,
    /// Its colour.
    pub ink: Ink,
    /// Which of its points x means.
    pub anchor: Anchor,
    /// Clockwise turn about the anchor, in degrees.
    pub turn: f64,
    /// Whether a white rim keeps it readable over lines.
    pub halo: bool,
}

impl Label {
    /// A regular text that starts at a point of its base line.
    pub fn new(text: impl Into<String>, x: f64, y: f64, size: f64, ink: Ink) -> Self {
        Self {
            text: text.into(),
            x,
            y,
            size,
            weight: Weight::Regular,
            ink,
            anchor: Anchor::Start,
            turn: 0.0,
            halo: false,
        }
    }

    /// Anchored elsewhere.
    #[must_use]
    pub fn anchor(mut self, anchor: Anchor) -> Self {
        self.anchor = anchor;
        self
    }

    /// In bold.
    #[must_use]
    pub fn bold(mut self) -> Self {
        self.weight = Weight::Bold;
        self
    }

    /// With a white rim.
    #[must_use]
    pub fn halo(mut self) -> Self {
        self.halo = true;
        self
    }

    /// Moved down so that y is the middle of the letters instead of their base line.
    #[must_use]
    pub fn centred(mut self) -> Self {
        self.y += 0.36 * self.size;
        self
    }

    /// Its width on one line.
    pub fn width(&self) -> f64 {
        font::width(&self.text, self.size, self.weight)
    }

    /// The box of its ink: 0.84 em above the base line, 0.20 em below.
    pub fn bounds(&self) -> Rect {
        let width = self.width();
        let left = match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        let (top, bottom) = (-0.84 * self.size, 0.20 * self.size);
        let (sin, cos) = self.turn.to_radians().sin_cos();
        let corners = [(left, top), (left + width, top), (left, bottom), (left + width, bottom)]
            .map(|(x, y)| (self.x + x * cos - y * sin, self.y + x * sin + y * cos));
        let least = |f: fn(&(f64, f64)) -> f64| corners.iter().map(f).fold(f64::INFINITY, f64::min);
        let most = |f: fn(&(f64, f64)) -> f64| corners.iter().map(f).fold(f64::NEG_INFINITY, f64::max);
        let (x, y) = (least(|c| c.0), least(|c| c.1));
        Rect::new(x, y, most(|c| c.0) - x, most(|c| c.1) - y)
    }
}

/// A shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A rectangle.
    Rect {
        /// Where.
        area: Rect,
        /// Its inside.
        fill: Option<Ink>,
        /// Its edge.
        stroke: Option<Stroke>,
    },
    /// A rectangle of slanted lines: missing, or too few.
    Hatch {
        /// Where.
        area: Rect,
        /// The lines.
        stroke: Stroke,
        /// From line to line, along x.
        spacing: f64,
    },
    /// A line through points.
    Polyline {
        /// Its corners.
        points: Vec<(f64, f64)>,
        /// How it is drawn.
        stroke: Stroke,
    },
    /// A closed area.
    Polygon {
        /// Its corners.
        points: Vec<(f64, f64)>,
        /// Its inside.
        fill: Ink,
    },
    /// A data point.
    Marker {
        /// Its centre.
        at: (f64, f64),
        /// ● ▲ ■ ◆
        shape: MarkerShape,
        /// About half its width.
        radius: f64,
        /// Its inside.
        fill: Ink,
        /// Its edge.
        stroke: Option<Stroke>,
    },
    /// A text.
    Text(Label),
}

/// A shape, and what is told where a reader points at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// What is drawn.
    pub shape: Shape,
    /// The exact numbers behind it, for a page that can show them.
    pub tip: Option<String>,
}

/// A drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// In pixels.
    pub width: f64,
    /// In pixels.
    pub height: f64,
    /// The language of its texts.
    pub lang: Lang,
    /// What it finds; read aloud in its place.
    pub title: String,
    /// What it shows: metric, unit, period, n.
    pub description: String,
    /// In painting order.
    pub marks: Vec<Mark>,
}

impl Scene {
    /// An empty scene.
    pub fn new(width: f64, height: f64, lang: Lang) -> Self {
        Self { width, height, lang, title: String::new(), description: String::new(), marks: Vec::new() }
    }

    /// Adds a shape.
    pub fn push(&mut self, shape: Shape) {
        self.marks.push(Mark { shape, tip: None });
    }

    /// Adds a shape that tells its numbers.
    pub fn push_with(&mut self, shape: Shape, tip: impl Into<String>) {
        self.marks.push(Mark { shape, tip: Some(tip.into()) });
    }

    /// Adds a text.
    pub fn text(&mut self, label: Label) {
        if !label.text.is_empty() {
            self.push(Shape::Text(label));
        }
    }

    /// Adds a straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        self.push(Shape::Polyline { points: vec![from, to], stroke });
    }

    /// Adds a filled rectangle.
    pub fn fill(&mut self, area: Rect, ink: Ink) {
        self.push(Shape::Rect { area, fill: Some(ink), stroke: None });
    }

    /// Every text.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.marks.iter().filter_map(|mark| match &mark.shape {
            Shape::Text(label) => Some(label),
            _ => None,
        })
    }

    /// The characters that our font cannot draw, each once.
    pub fn uncovered(&self) -> Vec<char> {
        let all: String = self.labels().map(|label| label.text.as_str()).collect();
        font::uncovered(&all)
    }

    /// What a reader would stumble over: a text outside the frame, two texts on each other, a number that is none.
    pub fn faults(&self) -> Vec<String> {
        let frame = Rect::new(0.0, 0.0, self.width, self.height);
        let labels: Vec<_> = self.labels().map(|label| (label, label.bounds())).collect();
        let mut faults = Vec::new();
        for (i, (label, bounds)) in labels.iter().enumerate() {
            if !frame.holds(bounds) {
                faults.push(format!("{:?} leaves the frame: {bounds:?}", label.text));
            }
            for (other, _) in labels[..i].iter().filter(|(_, b)| b.overlaps(bounds)) {
                faults.push(format!("{:?} lies on {:?}", label.text, other.text));
            }
        }
        let finite = |points: &[(f64, f64)]| points.iter().all(|p| p.0.is_finite() && p.1.is_finite());
        for mark in &self.marks {
            let fine = match &mark.shape {
                Shape::Rect { area, .. } | Shape::Hatch { area, .. } => {
                    finite(&[(area.x, area.y), (area.width, area.height)])
                        && area.width >= 0.0
                        && area.height >= 0.0
                }
                Shape::Polyline { points, .. } | Shape::Polygon { points, .. } => finite(points),
                Shape::Marker { at, .. } => finite(&[*at]),
                Shape::Text(label) => finite(&[(label.x, label.y)]),
            };
            if !fine {
                faults.push(format!("not a place: {:?}", mark.shape));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_outside_the_frame_and_two_on_each_other_are_found() {
        let mut scene = Scene::new(100.0, 40.0, Lang::En);
        scene.text(Label::new("inside", 10.0, 20.0, 12.0, Ink::solid(0)));
        assert_eq!(scene.faults(), Vec::<String>::new());
        scene.text(Label::new("on it", 20.0, 24.0, 12.0, Ink::solid(0)));
        scene.text(Label::new("cut off", 90.0, 38.0, 12.0, Ink::solid(0)));
        assert_eq!(scene.faults().len(), 2, "{:?}", scene.faults());
    }

    #[test]
    fn a_turned_text_takes_its_turned_box() {
        let mut label = Label::new("毫秒", 50.0, 50.0, 10.0, Ink::solid(0));
        label.turn = -90.0;
        let bounds = label.bounds();
        assert!((bounds.height - 20.0).abs() < 1e-9 && (bounds.bottom() - 50.0).abs() < 1e-9);
    }

    #[test]
    fn every_colour_can_be_made_readable() {
        // Contrast of black on white is 21 by definition (WCAG 2.2).
        assert!((Ink::solid(0).contrast(WHITE) - 21.0).abs() < 1e-9);
        assert!(Ink::solid(0xF0_E442).readable().contrast(WHITE) >= 4.5);
    }
}
