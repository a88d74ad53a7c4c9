//! What was observed, before anybody compares: how values are spread, at which hours, over time, and against promises.
//!
//! Descriptions of one [`Series`] and one operator. They say what was seen on the lines that were observed and match
//! nothing: whether two operators differ is the question of [`peers`](super::peers).

pub mod course;
pub mod hours;
pub mod promise;
pub mod spread;
pub mod worst_hours;

pub use super::series::Series;

use super::complaints::Exposure;
use super::peers::Row;

impl Series {
    /// The series that a comparison is about.
    pub fn of_row(row: &Row) -> Self {
        Self {
            metric: row.metric,
            load: row.load,
            direction: row.direction,
            statistic: row.statistic,
            method: row.method.clone(),
            made: row.made,
        }
    }

    /// The series of an exposure.
    pub fn of_exposure(exposure: &Exposure) -> Self {
        Self {
            metric: exposure.metric,
            load: exposure.load,
            direction: exposure.direction,
            statistic: exposure.statistic,
            method: exposure.method.clone(),
            made: exposure.made,
        }
    }
}

#[cfg(test)]
mod tests;
