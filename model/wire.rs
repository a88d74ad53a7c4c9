//! Versioned envelopes: what crosses a socket or lies in a spool, apart from the types that code works with.
//!
//! Each version that was ever written keeps its own structure and a one-way upgrade to the current types.

pub mod batch;
pub mod receipt;
pub mod registration;

pub use batch::{WireError, decode, encode};
