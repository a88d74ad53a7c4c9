//! Broadgauge's measurement methods, over real sockets or over a seeded virtual network.

pub mod books;
pub mod catalogue;
pub mod codec;
pub mod connect;
pub mod delay;
pub mod exchange;
pub mod figures;
pub mod limit;
pub mod net;
pub mod pace;
pub mod packets;
pub mod ping;
pub mod probe;
pub mod resolve;
pub mod series;
pub mod session;
pub mod stamp;
pub mod tcp;
pub mod throughput;
