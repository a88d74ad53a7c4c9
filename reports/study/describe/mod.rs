//! What was observed, before anybody compares: how values are spread, at which hours, over time, and against promises.
//!
//! Descriptions of one [`Series`] and one operator. They say what was seen on the lines that were observed and match
//! nothing: whether two operators differ is the question of [`peers`](super::peers).

pub mod course;
pub mod hours;
pub mod promise;
pub mod series;
pub mod spread;
pub mod worst_hours;

pub use series::Series;

#[cfg(test)]
mod tests;
