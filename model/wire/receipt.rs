//! What a collector answers to a batch, once everything it counts is durable.

use serde::{Deserialize, Serialize};

/// What became of the samples of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Kept now.
    pub stored: u64,
    /// Kept before: the batch, or a part of it, was sent again.
    pub already: u64,
    /// Not kept, and why. Sending these again will not help.
    #[serde(default)]
    pub rejected: Vec<Rejected>,
}

/// A sample that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The agent's number of the sample; for a table, the place of the row.
    pub number: u64,
    /// Why.
    pub reason: String,
}
