//! What is asked of the expectations.

use crate::stats::expectation::reference::HalfLives;
use crate::study::peers::Peak;
use broadgauge_model::metric::MetricId;

/// The question.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The operator whose customers are spoken of.
    pub own: String,
    /// The metrics; all that were observed where empty.
    pub metrics: Vec<MetricId>,
    /// The busy hours.
    pub peak: Peak,
    /// How fast customers get used to better and to worse, in days.
    pub half_lives: HalfLives,
    /// Days of own history that a level lived through needs.
    pub history_days: usize,
    /// How far above or below the region the level that is talked about lies: interquartile ranges of the regions per
    /// standard deviation of the reputation.
    pub talk_strength: f64,
    /// Complaints of one line within so many days are one episode.
    pub repeat_days: i32,
    /// Swaps of the placebo.
    pub swaps: usize,
    /// Resamples of lines behind an interval.
    pub replicates: usize,
    /// The seed of everything random.
    pub seed: u64,
    /// Whether the level of every line and week is listed.
    pub levels: bool,
}

impl Query {
    /// The usual question of an operator.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            metrics: Vec::new(),
            peak: Peak::default(),
            half_lives: HalfLives { better: 14.0, worse: 60.0 },
            history_days: 14,
            talk_strength: 1.0,
            repeat_days: 28,
            swaps: 99,
            replicates: 400,
            seed: 1,
            levels: false,
        }
    }
}
