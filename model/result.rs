//! What came of a measurement: singletons, samples, and the batch that carries them to a collector.

use crate::clock::{Span, Wall};
use crate::histogram::Histogram;
use crate::metric::MetricId;
use serde::{Deserialize, Serialize};

/// Why the network could not be asked. Says nothing about the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(pub String);

/// What came of one attempt to observe a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// Observed.
    Value(T),
    /// Sent, and no answer in time.
    Lost,
    /// Not asked: says nothing about the network.
    Unmeasured(Reason),
}

/// One observation of a delay: one packet, one connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Singleton {
    /// Its place in the stream, from 0.
    pub index: u64,
    /// When it was planned, from the start of the stream.
    pub intended: Span,
    /// When it left, from the start of the stream; `None` for a slot that was missed.
    pub sent: Option<Span>,
    /// The calendar time at which it left.
    pub at: Wall,
    /// What came of it.
    pub outcome: Outcome<Span>,
    /// One-way delays as the two clocks saw them, forward and back, where both ends stamped.
    pub one_way: Option<(Span, Span)>,
}

/// Under which load the line was observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// Nothing of ours but the observation itself.
    #[default]
    Idle,
    /// A download of ours.
    Down,
    /// An upload of ours.
    Up,
    /// Both.
    Both,
}

impl Load {
    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Down => "down",
            Self::Up => "up",
            Self::Both => "both",
        }
    }

    /// Every load.
    pub const ALL: [Self; 4] = [Self::Idle, Self::Down, Self::Up, Self::Both];
}

impl std::str::FromStr for Load {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|l| l.word() == text)
            .ok_or_else(|| format!("load {text:?} is not one of: idle, down, up, both"))
    }
}

/// Which way the packets went that a value speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// There and back.
    #[default]
    RoundTrip,
    /// From the target to the line: the customer's download.
    Down,
    /// From the line to the target: the customer's upload.
    Up,
}

impl Direction {
    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::RoundTrip => "round_trip",
            Self::Down => "down",
            Self::Up => "up",
        }
    }

    /// Every direction.
    pub const ALL: [Self; 3] = [Self::RoundTrip, Self::Down, Self::Up];
}

impl std::str::FromStr for Direction {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|d| d.word() == text)
            .ok_or_else(|| format!("direction {text:?} is not one of: round_trip, down, up"))
    }
}

/// Which statistic a number is. A mean is never mixed with a median.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the field's own")]
pub enum Statistic {
    /// One observation, or a histogram of many.
    #[default]
    Singleton,
    Mean,
    Median,
    P05,
    P10,
    P25,
    P75,
    P90,
    P95,
    P99,
    Min,
    Max,
    P01,
}

impl Statistic {
    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Singleton => "singleton",
            Self::Mean => "mean",
            Self::Median => "median",
            Self::P05 => "p05",
            Self::P10 => "p10",
            Self::P25 => "p25",
            Self::P75 => "p75",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Min => "min",
            Self::Max => "max",
            Self::P01 => "p01",
        }
    }

    /// Every statistic.
    pub const ALL: [Self; 13] = [
        Self::Singleton,
        Self::Mean,
        Self::Median,
        Self::P05,
        Self::P10,
        Self::P25,
        Self::P75,
        Self::P90,
        Self::P95,
        Self::P99,
        Self::Min,
        Self::Max,
        Self::P01,
    ];
}

impl std::str::FromStr for Statistic {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|s| s.word() == text || (text == "p50" && *s == Self::Median)).ok_or_else(
            || format!("statistic {text:?} is not one of: {}", Self::ALL.map(Self::word).join(", ")),
        )
    }
}

/// What was observed.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Every singleton of the sample, in ticks of its metric.
    Histogram(Histogram),
    /// One number, in the metric's own unit.
    Number(f64),
    /// Nothing could be asked.
    Unmeasured(Reason),
}

/// What happened to the packets of a sample. Beside the histogram, never inside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Slots in the plan: `sent + missed`. A packet on its way when the measurement was stopped is in none of these.
    pub planned: u64,
    /// Left this host.
    pub sent: u64,
    /// Slots that passed before the packet could leave.
    pub missed: u64,
    /// Answered in time.
    pub received: u64,
    /// Not answered in time.
    pub lost: u64,
    /// Answered, but after the time-out: counted as lost too.
    pub late: u64,
    /// Extra copies of an answer.
    pub duplicate: u64,
    /// Answers that overtook others (RFC 4737).
    pub reordered: u64,
    /// Lost on the way to the target, where the target counts what reaches it.
    pub lost_forward: Option<u64>,
    /// Lost on the way back, where the target counts what reaches it.
    pub lost_backward: Option<u64>,
}

/// A set of singletons of one metric, taken by one method under one load.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What was observed.
    pub metric: MetricId,
    /// By which method.
    pub method: String,
    /// In which version of the method: results of different versions are not compared unasked.
    pub method_version: u32,
    /// Of which line.
    pub line_id: String,
    /// Against which target.
    pub target: Option<String>,
    /// Under which load.
    pub load: Load,
    /// Which way.
    pub direction: Direction,
    /// When the first packet was planned.
    pub started_at: Wall,
    /// How long it took.
    pub lasted: Span,
    /// Which statistic `values` is.
    pub statistic: Statistic,
    /// The observation.
    pub values: Values,
    /// The packets.
    pub counts: Counts,
    /// What the method adds: stamps used, congestion control, streams, binding. Never needed to read the value.
    pub details: serde_json::Map<String, serde_json::Value>,
}

/// A sample with its place in the agent's life: the pair (agent, number) is its identity everywhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    /// Ascending per agent, never used twice.
    pub number: u64,
    /// The sample.
    pub sample: Sample,
}

/// What an agent sends at once. Sending it again is harmless.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Who measured.
    pub agent: String,
    /// The agent's own books, so that what is missing is known to be missing.
    pub health: Health,
    /// The samples.
    pub samples: Vec<Numbered>,
}

/// An agent's own books since its state was created.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Runs that the schedules asked for.
    pub runs_planned: u64,
    /// Runs that were made.
    pub runs_done: u64,
    /// Runs made later than their tolerance.
    pub runs_late: u64,
    /// Runs that never took place: suppressed, over budget, or the agent was down.
    pub runs_missed: u64,
    /// Samples dropped because the spool was full.
    pub samples_dropped: u64,
    /// The 99th percentile of how late packets left, since the agent started.
    pub send_lateness_p99_ms: Option<f64>,
    /// Whether the system says that its clock is synchronised, and its estimated error.
    pub clock_synchronised: Option<bool>,
    /// The system's own estimate of its clock's error; `None` of a clock that nobody keeps.
    pub clock_error_ms: Option<f64>,
    /// When these books were written.
    #[serde(with = "crate::clock::rfc3339")]
    pub at: Wall,
}
