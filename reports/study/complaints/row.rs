//! What the study of complaints answers.

use crate::study::{Answer, Declined, Head, Note};
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::MethodUse;
use broadgauge_model::result::{Direction, Load, Statistic};
use serde::Serialize;

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Complaints {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// How often customers complain in each band of a metric.
    pub bands: Vec<Band>,
    /// The line-days that no test speaks of, by metric.
    pub unmeasured: Vec<Unmeasured>,
    /// The worst fifth of the line-days against the others, crude and like with like.
    pub contrasts: Vec<Contrast>,
    /// Each line against itself on other days.
    pub case_crossover: Vec<CaseCrossover>,
    /// Why nothing could be said at all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// Which observation of a line is the exposure, and how its window is summed up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Exposure {
    /// The metric.
    pub metric: MetricId,
    /// Its unit.
    pub unit: &'static str,
    /// Under which load.
    pub load: Load,
    /// Which way.
    pub direction: Direction,
    /// What a value is.
    pub statistic: Statistic,
    /// By which method, against which class of targets.
    #[serde(flatten)]
    pub method: MethodUse,
    /// Whether the values are made up.
    pub made: bool,
    /// How a window's values become one number: `p95` and the like of singletons, `mean` of summaries made elsewhere,
    /// `pooled_ratio` of packets lost and sent.
    pub summary: String,
}

/// One band of a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// The exposure.
    #[serde(flatten)]
    pub exposure: Exposure,
    /// The class of complaints.
    pub class: Class,
    /// The window of the exposure.
    pub window: String,
    /// The lower edge, included.
    pub from: f64,
    /// The upper edge, excluded, but for the last band.
    pub to: f64,
    /// The median exposure of its line-days.
    pub median: f64,
    /// Lines that they are of.
    pub lines: usize,
    /// Line-days at risk.
    pub line_days: u64,
    /// Episodes that began on them.
    pub complaints: u64,
    /// Episodes per 1,000 line-days, with Garwood's exact interval.
    pub rate_per_1000_line_days: Answer,
}

/// Line-days in service that no test speaks of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unmeasured {
    /// The exposure.
    #[serde(flatten)]
    pub exposure: Exposure,
    /// The class of complaints.
    pub class: Class,
    /// Line-days.
    pub line_days: u64,
    /// Episodes that began on them.
    pub complaints: u64,
    /// Episodes per 1,000 line-days.
    pub rate_per_1000_line_days: Answer,
}

/// Complaint rate on the worst line-days against the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contrast {
    /// The exposure.
    #[serde(flatten)]
    pub exposure: Exposure,
    /// The class of complaints.
    pub class: Class,
    /// From this value on the worse side, a line-day is exposed; beyond it, where no line-day is better than it.
    pub threshold: f64,
    /// Lines with exposed line-days, and lines with others: the fewer of the two.
    pub lines: usize,
    /// Rate ratio of all line-days together.
    pub crude: Answer,
    /// Rate ratio within technology, region and plan, after Mantel and Haenszel.
    pub stratified: Answer,
    /// Probability of a stratified ratio at least as far from 1 if there were no association.
    pub p: Option<f64>,
    /// The share of false finds among the contrasts of all exposures.
    pub q: Option<f64>,
    /// Strata with complaints.
    pub strata: usize,
}

/// What the association must not be found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Complaints about bills: the network cannot have caused them.
    Billing,
    /// The metric after the complaint: it cannot have caused it.
    Future,
}

/// A case-crossover comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseCrossover {
    /// The exposure.
    #[serde(flatten)]
    pub exposure: Exposure,
    /// The window before (or, for the future control, after) the complaint.
    pub window: String,
    /// The step that the rate ratio is for.
    pub per: String,
    /// The same step as a number in the metric's unit.
    pub increment: f64,
    /// The class of complaints.
    pub class: Class,
    /// Which negative control this is, where it is one.
    pub control: Option<Control>,
    /// Episodes used.
    pub episodes: u64,
    /// Lines that they are of.
    pub lines: usize,
    /// Independent groups among them: episodes of one line, or of one node on one day, go together.
    pub clusters: u64,
    /// Episodes not used, and why.
    pub dropped: Vec<Note>,
    /// How the rate of complaints changes with one step of the exposure.
    pub rate_ratio: Answer,
    /// Probability of a ratio at least as far from 1 if there were no association.
    pub p: Option<f64>,
    /// The share of false finds in its family.
    pub q: Option<f64>,
}
