//! What surrounds a line: how full its node ran, and what is said of its operator. Rows of the tables `utilisation`
//! and `reputation`.

use crate::clock::Wall;
use crate::result::Direction;
use serde::{Deserialize, Serialize};

/// How full a node ran at a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Utilisation {
    /// The node, as the lines name it.
    pub node: String,
    /// When.
    pub started_at: Wall,
    /// Which way; what is carried towards the lines where not said.
    pub direction: Direction,
    /// Carried through capacity, 0 to 1.
    pub ratio: f64,
    /// The capacity.
    pub capacity_mbps: Option<f64>,
}

/// What is said of an operator in a region in a month.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reputation {
    /// The region, as the lines name it.
    pub region: String,
    /// `2026-03`.
    pub month: String,
    /// The operator.
    pub operator: String,
    /// Higher is better, on any scale that stays the same.
    pub score: f64,
    /// A survey, a regulator, tagged reviews.
    pub source: Option<String>,
}
