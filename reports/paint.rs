//! Marks to bytes: each painter knows a format and no data.

pub mod png;
pub mod svg;

use crate::chart::scene::Scene;

/// Why a scene could not be painted.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The size is nothing that can be drawn.
    #[error("cannot paint {width} x {height} pixels: give a width and a height between 1 and 20000")]
    Size {
        /// In pixels.
        width: f64,
        /// In pixels.
        height: f64,
    },
    /// The rasteriser did not take our SVG.
    #[error("cannot read the drawing back")]
    Drawing(#[source] resvg::usvg::Error),
    /// The file format failed.
    #[error("cannot encode the picture: {0}")]
    Encode(String),
}

/// A format that a scene can be painted in.
pub trait Painter {
    /// The bytes of a whole file.
    fn paint(&self, scene: &Scene) -> Result<Vec<u8>, RenderError>;
}
