//! What is asked about those who suffer in silence.

use crate::study::expectation;
use broadgauge_model::metric::MetricId;
use std::collections::BTreeMap;

/// The question.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The operator whose customers are spoken of.
    pub own: String,
    /// The metrics; the three known of most lines where empty.
    pub metrics: Vec<MetricId>,
    /// How many customers can be called on.
    pub capacity: usize,
    /// The share of the list that is left alone, so that the effect of calling can be told; a tenth or more.
    pub control_share: f64,
    /// Days ahead of which the risk is told.
    pub horizon_days: i32,
    /// Days without a complaint that make silence.
    pub quiet_days: i32,
    /// Columns of the operator's own: a value per line.
    pub extra: Vec<Extra>,
    /// How levels and weeks are made.
    pub expectation: expectation::Query,
    /// Resamples behind an interval.
    pub replicates: usize,
    /// The seed of everything random.
    pub seed: u64,
}

/// A column of the operator's own, by line id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra {
    /// Its name.
    pub name: String,
    /// Its values; 0 where a line has none.
    pub values: BTreeMap<String, f64>,
}

impl Query {
    /// The usual question of an operator.
    pub fn of(own: impl Into<String>) -> Self {
        let own = own.into();
        Self {
            metrics: Vec::new(),
            capacity: 50,
            control_share: 0.1,
            horizon_days: 28,
            quiet_days: 90,
            extra: Vec::new(),
            expectation: expectation::Query::of(own.as_str()),
            replicates: 400,
            seed: 1,
            own,
        }
    }
}
