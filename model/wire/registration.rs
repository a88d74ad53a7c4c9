//! What an agent says of itself before it sends batches: who it is, what it can do, and which lines it measures.

use crate::place::{AccessLine, Target};
use crate::task::Capabilities;
use serde::{Deserialize, Serialize};

/// An agent's word on itself, version 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The version of this structure.
    pub version: u64,
    /// The agent's name, unique in the fleet.
    pub agent: String,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// The lines at its vantage point.
    #[serde(default)]
    pub lines: Vec<AccessLine>,
    /// The targets it measures against.
    #[serde(default)]
    pub targets: Vec<Target>,
}
