//! What the study of balance answers.

use crate::study::{Answer, Declined, Head};
use broadgauge_model::metric::MetricId;
use serde::Serialize;

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Balance {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// The delay.
    pub metric: Option<MetricId>,
    /// From which value on customers complain, or the limit that was given.
    pub limit: Answer,
    /// Whether the limit was given, and not found in complaints.
    pub limit_given: bool,
    /// The change of the odds of a complaint on a day, per 10 of the metric's unit beyond the limit.
    pub odds_ratio_per_10: Answer,
    /// How full the nodes of a technology may run.
    pub points: Vec<Point>,
    /// What to fix first: nodes by the complaints they have beyond what their ground has.
    pub worst: Vec<Link>,
    /// Nodes that run too full, by what relieving them brings for its cost.
    pub relief: Vec<Relief>,
    /// Does more headroom still pay?
    pub returns: Returns,
    /// Why nothing could be said at all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// How full a node of a technology may run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The technology.
    pub technology: String,
    /// Nodes with utilisation and tests.
    pub nodes: usize,
    /// Days of nodes.
    pub node_days: usize,
    /// Where the expected value comes to the limit.
    pub utilisation: Answer,
    /// The fullest that keeps to the good side with 95% confidence, at the lower end of the limit.
    pub safe: Option<f64>,
    /// Nodes whose busy hour runs fuller than that in the last four weeks.
    pub above_safe: usize,
    /// Share of the variance that the curve explains.
    pub r_squared: Option<f64>,
    /// The curve: (utilisation, value).
    pub curve: Vec<(f64, f64)>,
    /// Groups of node-days by utilisation: what was seen.
    pub seen: Vec<Seen>,
}

/// Node-days of about the same utilisation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// Their mean utilisation.
    pub utilisation: f64,
    /// The mean over nodes of their values.
    pub value: Answer,
    /// The mean over nodes of the share of their lines that had less than they have come to expect.
    pub short_of_expectation_ratio: Answer,
    /// Episodes per 1,000 line-days on the day after.
    pub complaints_per_1000_line_days: Answer,
}

/// A node with its complaints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Link {
    /// The node.
    pub node: String,
    /// Its technology and region.
    pub ground: String,
    /// Lines.
    pub lines: usize,
    /// Line-days in service.
    pub line_days: u64,
    /// Episodes.
    pub episodes: u64,
    /// Episodes that as many line-days in service of the other nodes on its ground have.
    pub expected: f64,
    /// Episodes beyond these.
    pub excess: Answer,
    /// Probability of a rate at least as far from that of the others.
    pub p: Option<f64>,
    /// The share of false finds among the nodes.
    pub q: Option<f64>,
    /// Utilisation of the busy hour, which 95% of the last four weeks' days stay below.
    pub busy_hour: Option<f64>,
}

/// What relieving a node brings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Relief {
    /// The node.
    pub node: String,
    /// Its technology.
    pub technology: String,
    /// Lines.
    pub lines: usize,
    /// Utilisation of the busy hour, which 95% of the last four weeks' days stay below.
    pub busy_hour: f64,
    /// What it is to be brought to.
    pub to: f64,
    /// Complaints avoided in 30 days.
    pub avoided_in_30_days: Answer,
    /// What it costs.
    pub cost: Option<f64>,
    /// Complaints avoided in 30 days for 1,000 of the currency.
    pub avoided_per_1000: Option<f64>,
    /// All that is avoided up to and with this node.
    pub avoided_so_far: f64,
    /// Whether the complaints avoided in a year are worth the cost.
    pub pays: Option<bool>,
}

/// Headroom against complaints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Returns {
    /// `line`, `exponential` or `plateau`; none where nothing could be fitted.
    pub shape: Option<&'static str>,
    /// The headroom (1 less utilisation) from which on nothing is gained.
    pub plateau_from: Answer,
    /// The headroom at which nine tenths of what can be gained are gained.
    pub nine_tenths_at: Option<f64>,
    /// The headroom observed.
    pub observed: Option<(f64, f64)>,
    /// Why there is none.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}
