//! The words everyone shares: units, clocks, metrics, places, tasks, results and the panel that studies read.
//!
//! No socket, no file, no SQL. A thing enters here only when both the measuring side and the reading side
//! need it.

pub mod action;
pub mod clock;
pub mod complaint;
pub mod histogram;
pub mod metric;
pub mod panel;
pub mod place;
pub mod result;
pub mod surroundings;
pub mod survey;
pub mod task;
pub mod text;
pub mod unit;
pub mod wire;
