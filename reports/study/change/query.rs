//! What is asked.

use broadgauge_model::metric::{Margin, MetricId};
use broadgauge_model::place::AccessLine;
use serde::Serialize;
use std::collections::BTreeMap;

/// Whose series are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Each line alone.
    Line,
    /// The lines of a network element.
    Node,
    /// The lines of an area.
    Area,
    /// The lines of a region.
    Region,
    /// All lines of an operator.
    #[default]
    Operator,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 5] = [Self::Line, Self::Node, Self::Area, Self::Region, Self::Operator];

    /// The word in flags.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Node => "node",
            Self::Area => "area",
            Self::Region => "region",
            Self::Operator => "operator",
        }
    }

    pub(super) fn of(self, line: &AccessLine) -> Option<&str> {
        match self {
            Self::Line => Some(&line.line_id),
            Self::Node => line.node.as_deref(),
            Self::Area => line.area.as_deref(),
            Self::Region => line.region.as_deref(),
            Self::Operator => Some(&line.operator),
        }
    }
}

/// The question.
#[derive(Clone, Debug)]
pub struct Query {
    /// Only lines of this operator.
    pub own: String,
    /// Whose series.
    pub unit: Unit,
    /// The metrics; all that were observed where empty.
    pub metrics: Vec<MetricId>,
    /// Margins that differ from the metric's own.
    pub margins: BTreeMap<MetricId, Margin>,
    /// Days that a change must last before it is an alarm.
    pub persist_days: usize,
    /// The seed.
    pub seed: u64,
    /// Shuffles and resamples.
    pub replicates: usize,
}

impl Query {
    /// The usual question.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            unit: Unit::Operator,
            metrics: Vec::new(),
            margins: BTreeMap::new(),
            persist_days: 7,
            seed: 1,
            replicates: 2_000,
        }
    }
}
