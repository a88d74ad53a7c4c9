//! What was done about the network, or is to be done: one row of the `actions` table.

use crate::clock::Wall;
use crate::metric::MetricId;
use serde::{Deserialize, Serialize};

/// A piece of work with its owner and its deadline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Action {
    /// Its name, unique.
    pub action_id: String,
    /// What is done; actions of one kind are judged together.
    pub kind: String,
    /// Who answers for it.
    pub owner: String,
    /// Until when.
    pub due_at: Wall,
    /// The line it is done to, where it is one.
    pub line_id: Option<String>,
    /// The node, where it is one.
    pub node: Option<String>,
    /// The area, where it is one.
    pub area: Option<String>,
    /// The metric that must get better.
    pub metric: Option<MetricId>,
    /// How good it must be afterwards.
    pub target_value: Option<f64>,
    /// When work began.
    pub started_at: Option<Wall>,
    /// When work ended.
    pub done_at: Option<Wall>,
    /// When its effect is to be known.
    pub verify_by: Option<Wall>,
    /// What it cost, or will cost, in any currency.
    pub cost: Option<f64>,
    /// The state in the operator's own words.
    pub status: Option<String>,
}
