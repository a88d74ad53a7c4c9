//! The words everyone shares: units, clocks, metrics, places, tasks, results and the panel that studies read.
//!
//! No socket, no file, no SQL. A thing enters here only when both the measuring side and the reading side
//! need it.

pub mod clock;
pub mod metric;
pub mod text;
pub mod unit;
