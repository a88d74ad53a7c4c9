//! Smoke graph: when did it start, and was it delay or loss? After Oetiker's SmokePing.
//!
//! The median as a line, coloured by loss; bands from p5 to p95, p10 to p90 and p25 to p75 about it. Where there are
//! more intervals than pixels, each column shows the worst of the intervals it stands for. A stretch in which nothing
//! could be measured is hatched; one in which every packet was lost is marked as lost. Neither is drawn as a value.

use super::Caption;
use broadgauge_model::metric::MetricId;
use jiff::Timestamp;

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct SmokeGraph {
    /// Its words.
    pub caption: Caption,
    /// What is measured: names the axis.
    pub metric: MetricId,
    /// The IANA name of the reader's zone.
    pub zone: String,
    /// Start of the time axis.
    pub from: Timestamp,
    /// End of the time axis.
    pub to: Timestamp,
    /// Lines or operators, one below the other, on one time axis and one range of y.
    pub panels: Vec<SmokePanel>,
}

/// One line or operator.
#[derive(Clone, Debug, PartialEq)]
pub struct SmokePanel {
    /// Which.
    pub heading: String,
    /// In rising order of time; a stretch between two buckets counts as not measured.
    pub buckets: Vec<Bucket>,
}

/// What is known of one interval of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// What was seen in it.
    pub seen: Seen,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Some answers.
    Answers {
        /// The distribution of the answers.
        spread: Spread,
        /// Packets sent.
        sent: u64,
        /// Packets without an answer.
        lost: u64,
    },
    /// Asked, and no answer at all.
    AllLost {
        /// Packets sent.
        sent: u64,
    },
    /// Could not ask: says nothing about the network. The reason is ready text.
    Unmeasured(String),
}

/// Quantiles of the answers, in the unit of the metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// 5 %.
    pub p5: f64,
    /// 10 %.
    pub p10: f64,
    /// 25 %.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// 75 %.
    pub p75: f64,
    /// 90 %.
    pub p90: f64,
    /// 95 %.
    pub p95: f64,
}
