//! One chart of a document as a file: SVG, PNG or CSV.

use super::RenderError;
use crate::doc::{Document, Figure};
use crate::paint::Painter;
use crate::paint::png::PngPainter;
use crate::paint::svg::SvgPainter;
use broadgauge_model::text::Lang;

/// The width at which charts are laid out, in pixels.
pub const WIDTH: f64 = 860.0;

/// How a chart is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChartFormat {
    /// Scalable.
    Svg,
    /// Pixels; the factor says how many to one of the layout.
    Png(f32),
    /// The data.
    Csv,
}

/// The bytes of one chart.
pub fn chart(
    document: &Document,
    name: &str,
    format: ChartFormat,
    lang: Lang,
) -> Result<Vec<u8>, RenderError> {
    let figure = document.figure(name).ok_or_else(|| RenderError::NoSuchChart {
        name: name.to_owned(),
        known: document.figure_names().join(", "),
    })?;
    match format {
        ChartFormat::Svg => paint(figure, &SvgPainter, lang),
        ChartFormat::Png(scale) => paint(figure, &PngPainter { scale }, lang),
        ChartFormat::Csv => Ok(csv(figure, lang)),
    }
}

/// Paints a chart.
pub(super) fn paint(figure: &Figure, painter: &dyn Painter, lang: Lang) -> Result<Vec<u8>, RenderError> {
    let scene = figure.chart(lang).scene(WIDTH, lang);
    painter.paint(&scene).map_err(|source| RenderError::Paint { chart: figure.name.clone(), source })
}

/// A chart's data as CSV. A byte-order mark tells spreadsheets that text beyond ASCII is UTF-8.
pub fn csv(figure: &Figure, lang: Lang) -> Vec<u8> {
    let text = figure.table(lang).to_csv();
    let mark: &[u8] = if text.is_ascii() { b"" } else { "\u{feff}".as_bytes() };
    [mark, text.as_bytes()].concat()
}

/// The files that stand beside a report: each chart's data, by file name.
pub fn data_files(document: &Document, lang: Lang) -> Vec<(String, Vec<u8>)> {
    document.figures().map(|figure| (format!("{}.csv", figure.name), csv(figure, lang))).collect()
}
