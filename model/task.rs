//! What an agent is asked to do, in the nouns of LMAP (RFC 7594): task, schedule, instruction, suppression,
//! capabilities.

use crate::clock::{Span, Wall};
use serde::{Deserialize, Serialize};

/// One assessment: a method, against a target, over a line, on a schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its name, unique within the instruction.
    pub name: String,
    /// The method, as in the catalogue.
    pub method: String,
    /// Which of the vantage point's lines it measures.
    pub line: String,
    /// Which of the targets it measures against.
    pub target: String,
    /// When.
    pub schedule: Schedule,
    /// The method's own settings; unknown keys are refused by the method.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The most bytes that the runs of one local day may move; later runs of that day are missed, and counted.
    #[serde(default)]
    pub bytes_per_day: Option<u64>,
}

/// When a task runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// A cron expression in the line's zone, each run shifted by a seeded share of `spread`.
    Cron {
        /// Five fields, or six with seconds first.
        expression: String,
        /// Agents of one fleet do not all start on the minute.
        spread: Span,
    },
    /// A fixed gap with a seeded phase (RFC 3432).
    Periodic {
        /// The gap.
        every: Span,
    },
    /// Exponential gaps (RFC 2330 section 11.1.1), held between 0.1 and 2.5 times the mean.
    Poisson {
        /// The mean gap.
        mean: Span,
    },
    /// Once, when the agent starts.
    Once,
}

/// All that an agent is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instruction {
    /// Ascending; an agent keeps the newest.
    pub version: u64,
    /// A pause.
    pub suppression: Option<Suppression>,
}

/// A pause of measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Which tasks; all where empty.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// Until when; until further notice where absent.
    #[serde(default)]
    pub until: Option<Wall>,
}

/// What an agent can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// The software's version.
    pub version: String,
    /// Methods by name and version.
    pub methods: Vec<(String, u32)>,
}
