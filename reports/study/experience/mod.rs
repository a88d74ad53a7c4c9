//! What each line had in its busy hours, day by day, on a scale on which equal ratios count alike.
//!
//! The studies of expectation, silence, balance and actions all start here, so that "what the customer had" means the
//! same in each of them: the median of a day's observations in the busy hours of the line's own clock. A day without
//! one is missing, and never as good as the day before.

mod daily;
mod means;
mod risk;
mod scale;

pub(super) use daily::{Daily, median};
pub(super) use means::mean_of_lines;
pub(super) use risk::Risk;
pub(super) use scale::Scale;
