//! What is asked of the balance.

use crate::study::peers::Peak;
use broadgauge_model::metric::MetricId;

/// The question.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The operator whose nodes are judged.
    pub own: String,
    /// The delay that grows as nodes fill; the loaded round-trip delay, else the round-trip delay, where none is named.
    pub metric: Option<MetricId>,
    /// The busy hours.
    pub peak: Peak,
    /// The value that must not be passed, in the metric's unit; where customers begin to complain where none is given.
    pub limit: Option<f64>,
    /// What it costs to relieve a node; the middle cost of actions on nodes where none is given.
    pub cost_per_node: Option<f64>,
    /// What an avoided complaint is worth, in the same currency.
    pub worth_per_complaint: Option<f64>,
    /// Complaints of one line within so many days are one episode.
    pub repeat_days: i32,
    /// Resamples of nodes.
    pub replicates: usize,
    /// The seed of everything random.
    pub seed: u64,
}

impl Query {
    /// The usual question of an operator.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            metric: None,
            peak: Peak::default(),
            limit: None,
            cost_per_node: None,
            worth_per_complaint: None,
            repeat_days: 28,
            replicates: 999,
            seed: 1,
        }
    }
}
