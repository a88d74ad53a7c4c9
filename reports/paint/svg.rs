//! A scene as SVG: for pages, and as what every raster is made from.
//!
//! The picture says what it is to those who cannot see it (`role="img"`, `<title>`, `<desc>`), and names our own font
//! first; where that is not at hand, system fonts with Chinese stand in and labels keep their places.

use super::{Painter, RenderError};
use crate::chart::scene::{Anchor, Ink, Label, Mark, MarkerShape, Rect, Scene, Shape, Stroke};
use crate::font::{FAMILY, Weight};
use std::fmt::Write as _;

/// Fonts with Chinese that systems bring along, in case ours is not at hand.
const FALLBACK: &str = "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif";

/// Paints SVG.
#[derive(Clone, Copy, Debug, Default)]
pub struct SvgPainter;

impl SvgPainter {
    /// The drawing as text, ready to stand inside a page.
    pub fn draw(&self, scene: &Scene) -> Result<String, RenderError> {
        let fine = |v: f64| v.is_finite() && (1.0..=20_000.0).contains(&v);
        if !fine(scene.width) || !fine(scene.height) {
            return Err(RenderError::Size { width: scene.width, height: scene.height });
        }
        let (width, height) = (Number(scene.width), Number(scene.height));
        let mut svg = String::with_capacity(200 * scene.marks.len() + 1000);
        _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" lang=\"{}\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"'{FAMILY}',{FALLBACK}\">\n\
             <title>{}</title>\n<desc>{}</desc>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
            scene.lang.tag(),
            Escaped(&scene.title),
            Escaped(&scene.description),
        );
        for mark in &scene.marks {
            draw_mark(&mut svg, mark);
        }
        svg.push_str("</svg>\n");
        Ok(svg)
    }
}

impl Painter for SvgPainter {
    fn paint(&self, scene: &Scene) -> Result<Vec<u8>, RenderError> {
        self.draw(scene).map(String::into_bytes)
    }
}

fn draw_mark(svg: &mut String, mark: &Mark) {
    // Nothing would be seen of it, and readers of SVG complain.
    if let Shape::Rect { area, .. } = &mark.shape
        && area.width.min(area.height) < 0.005
    {
        return;
    }
    if mark.tip.is_some() {
        svg.push_str("<g>");
    }
    draw_shape(svg, &mark.shape);
    if let Some(tip) = &mark.tip {
        // A newline would become part of the text that is shown.
        svg.truncate(svg.trim_end().len());
        _ = writeln!(svg, "<title>{}</title></g>", Escaped(tip));
    }
}

fn draw_shape(svg: &mut String, shape: &Shape) {
    match shape {
        Shape::Rect { area, fill, stroke } => {
            _ = write!(
                svg,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
                Number(area.x),
                Number(area.y),
                Number(area.width),
                Number(area.height)
            );
            paint_fill(svg, *fill);
            if let Some(stroke) = stroke {
                paint_stroke(svg, stroke);
            }
        }
        Shape::Hatch { area, stroke, spacing } => {
            svg.push_str("<path d=\"");
            for ((x, y), (to_x, to_y)) in slants(area, *spacing) {
                _ = write!(svg, "M{} {}L{} {}", Number(x), Number(y), Number(to_x), Number(to_y));
            }
            svg.push('"');
            paint_fill(svg, None);
            paint_stroke(svg, stroke);
        }
        Shape::Polyline { points, stroke } => {
            draw_path(svg, points, false);
            paint_fill(svg, None);
            paint_stroke(svg, stroke);
            if points.len() > 2 {
                svg.push_str(" stroke-linejoin=\"round\"");
            }
        }
        Shape::Polygon { points, fill } => {
            draw_path(svg, points, true);
            paint_fill(svg, Some(*fill));
        }
        Shape::Marker { at, shape, radius, fill, stroke } => {
            draw_marker(svg, *at, *shape, *radius);
            paint_fill(svg, Some(*fill));
            if let Some(stroke) = stroke {
                paint_stroke(svg, stroke);
            }
        }
        Shape::Text(label) => return draw_text(svg, label),
    }
    svg.push_str("/>\n");
}

fn draw_path(svg: &mut String, points: &[(f64, f64)], closed: bool) {
    svg.push_str("<path d=\"");
    for (i, &(x, y)) in points.iter().enumerate() {
        _ = write!(svg, "{}{} {}", if i == 0 { 'M' } else { 'L' }, Number(x), Number(y));
    }
    svg.push_str(if closed { "Z\"" } else { "\"" });
}

/// Markers of the same weight to the eye: equal areas, not equal widths.
fn draw_marker(svg: &mut String, (x, y): (f64, f64), shape: MarkerShape, radius: f64) {
    let corners: Vec<(f64, f64)> = match shape {
        MarkerShape::Circle => {
            _ = write!(svg, "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"", Number(x), Number(y), Number(radius));
            return;
        }
        MarkerShape::Square => {
            let r = 0.89 * radius;
            vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]
        }
        MarkerShape::Diamond => {
            let r = 1.25 * radius;
            vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)]
        }
        MarkerShape::Triangle => {
            let r = 1.35 * radius;
            vec![(x, y - r), (x + 0.866 * r, y + 0.5 * r), (x - 0.866 * r, y + 0.5 * r)]
        }
    };
    draw_path(svg, &corners, true);
}

fn draw_text(svg: &mut String, label: &Label) {
    let (x, y) = (Number(label.x), Number(label.y));
    _ = write!(svg, "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"", Number(label.size));
    if label.weight == Weight::Bold {
        svg.push_str(" font-weight=\"bold\"");
    }
    match label.anchor {
        Anchor::Start => {}
        Anchor::Middle => svg.push_str(" text-anchor=\"middle\""),
        Anchor::End => svg.push_str(" text-anchor=\"end\""),
    }
    if label.turn != 0.0 {
        _ = write!(svg, " transform=\"rotate({} {x} {y})\"", Number(label.turn));
    }
    if label.halo {
        svg.push_str(
            " paint-order=\"stroke\" stroke=\"#ffffff\" stroke-width=\"3\" stroke-linejoin=\"round\"",
        );
    }
    paint_fill(svg, Some(label.ink));
    _ = writeln!(svg, " xml:space=\"preserve\">{}</text>", Escaped(&label.text));
}

fn paint_fill(svg: &mut String, fill: Option<Ink>) {
    let Some(ink) = fill else { return svg.push_str(" fill=\"none\"") };
    _ = write!(svg, " fill=\"{}\"", Hex(ink));
    if ink.opacity < 1.0 {
        _ = write!(svg, " fill-opacity=\"{}\"", Number(ink.opacity));
    }
}

fn paint_stroke(svg: &mut String, stroke: &Stroke) {
    _ = write!(svg, " stroke=\"{}\" stroke-width=\"{}\"", Hex(stroke.ink), Number(stroke.width));
    if stroke.ink.opacity < 1.0 {
        _ = write!(svg, " stroke-opacity=\"{}\"", Number(stroke.ink.opacity));
    }
    if !stroke.dash.is_empty() {
        let dash: Vec<_> = stroke.dash.iter().map(|&d| Number(d).to_string()).collect();
        _ = write!(svg, " stroke-dasharray=\"{}\"", dash.join(" "));
    }
}

/// The slanted lines inside a rectangle. They lie on one grid for the whole drawing (x + y is a multiple of the
/// spacing), so that neighbours join without a seam.
fn slants(area: &Rect, spacing: f64) -> Vec<((f64, f64), (f64, f64))> {
    let first = ((area.x + area.y) / spacing).ceil() as i64;
    let last = ((area.right() + area.bottom()) / spacing).floor() as i64;
    let mut lines = Vec::new();
    for i in first..=last {
        let sum = i as f64 * spacing;
        let left = area.x.max(sum - area.bottom());
        let right = area.right().min(sum - area.y);
        if right > left {
            lines.push(((left, sum - left), (right, sum - right)));
        }
    }
    lines
}

/// At most two decimals: a hundredth of a pixel is enough, and files stay small.
struct Number(f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.2}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}

struct Hex(Ink);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [r, g, b] = self.0.rgb;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

/// Text that is safe in XML and in HTML; control characters, which XML forbids, are left out.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(' ')?,
                c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::text::Lang;

    #[test]
    fn names_from_outside_cannot_break_out_of_the_drawing() {
        let mut scene = Scene::new(100.0, 50.0, Lang::Zh);
        scene.title = "A & \"B\" <script>".into();
        scene.text(Label::new("</text>\u{0}'x", 5.0, 20.0, 12.0, Ink::solid(0)));
        let svg = SvgPainter.draw(&scene).unwrap();
        assert!(svg.contains("<title>A &amp; &quot;B&quot; &lt;script&gt;</title>"), "{svg}");
        assert!(svg.contains(">&lt;/text&gt;&#39;x</text>"), "{svg}");
        assert!(svg.contains("role=\"img\" lang=\"zh-CN\""), "{svg}");
    }

    #[test]
    fn hatch_lines_stay_inside_and_join_their_neighbours() {
        let (left, right) = (Rect::new(0.0, 0.0, 10.0, 10.0), Rect::new(10.0, 0.0, 10.0, 10.0));
        for (from, to) in slants(&left, 4.0) {
            for (x, y) in [from, to] {
                assert!((0.0..=10.0).contains(&x) && (0.0..=10.0).contains(&y));
            }
        }
        let ends: Vec<_> = slants(&left, 4.0).into_iter().map(|l| l.1).filter(|p| p.0 == 10.0).collect();
        let starts: Vec<_> = slants(&right, 4.0).into_iter().map(|l| l.0).filter(|p| p.0 == 10.0).collect();
        assert!(ends.iter().all(|end| starts.contains(end)), "{ends:?} {starts:?}");
    }

    #[test]
    fn a_part_of_no_width_is_not_drawn() {
        let mut scene = Scene::new(100.0, 50.0, Lang::En);
        let part = |width| Shape::Rect { area: Rect::new(5.0, 5.0, width, 9.0), fill: None, stroke: None };
        scene.push_with(part(0.0), "0%");
        scene.push_with(part(7.0), "7%");
        let svg = SvgPainter.draw(&scene).unwrap();
        assert!(!svg.contains("width=\"0\"") && !svg.contains("0%"), "{svg}");
        assert!(svg.contains("<title>7%</title>"), "{svg}");
    }

    #[test]
    fn a_size_that_is_none_is_refused() {
        let scene = Scene::new(0.0, f64::NAN, Lang::En);
        assert!(matches!(SvgPainter.paint(&scene), Err(RenderError::Size { .. })));
    }
}
