//! Broadgauge.

pub mod chart;
pub mod font;
pub mod paint;
pub mod study;
