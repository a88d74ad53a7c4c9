//! What is asked of a report.

use crate::study::peers::Peak;

/// What a report is asked to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Whose report it is.
    pub own: String,
    /// The busy hours; the same as in the comparison.
    pub peak: Peak,
    /// Whether the report leaves the team: groups of fewer than ten lines are then not shown.
    pub shared: bool,
    /// Fixes all that is drawn at random.
    pub seed: u64,
    /// The version of this software.
    pub software: String,
}

impl Query {
    /// The usual report: fit to be shared.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            peak: Peak::default(),
            shared: true,
            seed: 1,
            software: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
