//! Broadgauge's measurement methods, over real sockets or over a seeded virtual network.

pub mod codec;
pub mod pace;
pub mod probe;
pub mod series;
pub mod tcp;
pub mod throughput;
