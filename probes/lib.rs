//! Broadgauge's measurement methods, over real sockets or over a seeded virtual network.

pub mod codec;
pub mod pace;
pub mod series;
