//! A scene as PNG: the SVG, rasterised with our own font and no other, so that the same scene gives the same bytes on
//! every machine.

use super::svg::SvgPainter;
use super::{Painter, RenderError};
use crate::chart::scene::{Scene, Shape};
use crate::font::{self, Weight};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};
use std::sync::{Arc, OnceLock};

/// Paints PNG.
#[derive(Clone, Copy, Debug)]
pub struct PngPainter {
    /// Pixels of the picture for one of the scene: 2 for sharp text on today's screens.
    pub scale: f32,
}

impl Default for PngPainter {
    fn default() -> Self {
        Self { scale: 2.0 }
    }
}

fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut fonts = fontdb::Database::new();
        for weight in [Weight::Regular, Weight::Bold] {
            fonts.load_font_source(fontdb::Source::Binary(Arc::new(weight.bytes())));
        }
        fonts.set_sans_serif_family(font::FAMILY);
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}

impl Painter for PngPainter {
    fn paint(&self, scene: &Scene) -> Result<Vec<u8>, RenderError> {
        let svg = SvgPainter.draw(&without_gaps(scene))?;
        let options =
            usvg::Options { fontdb: fonts(), font_family: font::FAMILY.into(), ..Default::default() };
        let tree = usvg::Tree::from_str(&svg, &options).map_err(RenderError::Drawing)?;
        let size = |pixels: f64| (pixels * f64::from(self.scale)).round() as u32;
        let mut pixmap = Pixmap::new(size(scene.width), size(scene.height))
            .ok_or(RenderError::Size { width: scene.width, height: scene.height })?;
        resvg::render(&tree, Transform::from_scale(self.scale, self.scale), &mut pixmap.as_mut());
        pixmap.encode_png().map_err(|e| RenderError::Encode(e.to_string()))
    }
}

/// The scene with a geta mark for each character that our font lacks; [`Scene::uncovered`] names them.
fn without_gaps(scene: &Scene) -> Scene {
    let mut scene = scene.clone();
    if !scene.uncovered().is_empty() {
        for mark in &mut scene.marks {
            if let Shape::Text(label) = &mut mark.shape {
                label.text = font::drawable(&label.text);
            }
        }
    }
    scene
}
