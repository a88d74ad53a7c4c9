//! A document to the bytes of one format. Whoever calls writes them.

pub mod chart;
pub mod html;
pub mod json;

use crate::doc::Document;
use broadgauge_model::text::Lang;

/// A format.
pub trait Renderer {
    /// The document in one language.
    fn render(&self, document: &Document, lang: Lang) -> Result<Vec<u8>, RenderError>;
}

/// Why there are no bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// A template could not be filled.
    #[error("cannot fill the page")]
    Template(#[from] askama::Error),
    /// The numbers could not be written as JSON.
    #[error("cannot write the report as JSON")]
    Json(#[from] serde_json::Error),
    /// A chart could not be painted.
    #[error("cannot paint the chart {chart}")]
    Paint {
        /// Its name.
        chart: String,
        /// Why.
        source: crate::paint::RenderError,
    },
    /// There is no such chart.
    #[error("no chart is called {name:?}; this report has: {known}")]
    NoSuchChart {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

#[cfg(test)]
mod tests;
