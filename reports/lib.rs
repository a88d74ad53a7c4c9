//! Broadgauge.

pub mod chart;
pub mod doc;
pub mod font;
pub mod paint;
pub mod profile;
pub mod render;
pub mod stats;
pub mod study;
pub mod text;
