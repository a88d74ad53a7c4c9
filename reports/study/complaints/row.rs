//! What the study of complaints answers.

use crate::study::{Answer, Declined, Head, Note, Words};
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
    /// How complaints rise with a metric, everything else alike, and from which level on.
    pub dose_response: Vec<DoseResponse>,
    /// Each line against itself on other days.
    pub case_crossover: Vec<CaseCrossover>,
    /// Each area against itself on other days, by the complaints that name an area and no line.
    pub area_case_crossover: Vec<AreaCrossover>,
    /// The days before and after complaints, against comparable days of the same lines.
    pub around: Vec<Around>,
    /// Daily series of a metric and of complaints, the one some days ahead of the other.
    pub lead_lag: Vec<LeadLag>,
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

/// Line-days at risk that no test speaks of.
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
    /// The share of all complaints that would not have come without the exposed line-days, if the stratified ratio is
    /// causal; shares of several metrics do not add up.
    pub explained_if_causal: Answer,
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

/// A regression of complaints on a metric, line-day by line-day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DoseResponse {
    /// The exposure.
    #[serde(flatten)]
    pub exposure: Exposure,
    /// The class of complaints.
    pub class: Class,
    /// The window of the exposure.
    pub window: String,
    /// The step that the rate ratios are for.
    pub per: String,
    /// The same step as a number in the metric's unit.
    pub increment: f64,
    /// Lines measured.
    pub lines: usize,
    /// Line-days measured.
    pub line_days: u64,
    /// Line-days of the regression: all with a complaint, and a random part of the others.
    pub line_days_used: u64,
    /// Complaints on them.
    pub complaints: u64,
    /// What else the regression allows for.
    pub adjusted_for: Vec<&'static str>,
    /// Rate ratio per step, nothing else allowed for.
    pub crude: Answer,
    /// Rate ratio per step, all else alike.
    pub adjusted: Answer,
    /// Probability of an adjusted ratio at least as far from 1 if there were no association.
    pub p: Option<f64>,
    /// The share of false finds among the regressions of all exposures.
    pub q: Option<f64>,
    /// The exposure that the curve compares with: its median.
    pub reference: f64,
    /// The smooth curve, all else alike; empty where it is declined.
    pub curve: Vec<CurvePoint>,
    /// Why there is no curve.
    pub curve_declined: Option<Words>,
    /// Whether the rate only ever rises with a worse value.
    pub monotone: Monotone,
    /// From which value on customers complain; declined where the data show no threshold.
    pub knee: Answer,
    /// The rate ratio per step beyond the knee.
    pub beyond_knee: Option<Answer>,
}

/// A point of the curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The exposure.
    pub at: f64,
    /// The rate there, as a ratio to that at the reference.
    pub ratio: Answer,
}

/// The best curve that never falls towards the worse side, and how far the bands lie from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Monotone {
    /// Its steps: from which exposure on (in the direction of worse), and the rate per 1,000 line-days.
    pub steps: Vec<(f64, f64)>,
    /// The share of the variance between bands that it explains.
    pub explained: Option<f64>,
    /// Probability of bands at least as far from it if the rate never fell.
    pub departure_p: Option<f64>,
}

/// A case-crossover comparison of areas.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AreaCrossover {
    /// The exposure, averaged over the measured lines of the area.
    #[serde(flatten)]
    pub exposure: Exposure,
    /// The window before (or, for the future control, after) the day of the complaint.
    pub window: String,
    /// The step that the rate ratio is for.
    pub per: String,
    /// The same step as a number in the metric's unit.
    pub increment: f64,
    /// The class of complaints.
    pub class: Class,
    /// Which negative control this is, where it is one.
    pub control: Option<Control>,
    /// Complaints used.
    pub complaints: u64,
    /// Areas that they are of.
    pub areas: usize,
    /// The fewest lines of one of these areas.
    pub fewest_lines: usize,
    /// Independent groups among the complaints: those of one area and block of four weeks go together.
    pub clusters: u64,
    /// Complaints not used, and why.
    pub dropped: Vec<Note>,
    /// How the rate of complaints changes with one step of the area's exposure.
    pub rate_ratio: Answer,
    /// Probability of a ratio at least as far from 1 if there were no association.
    pub p: Option<f64>,
    /// The share of false finds, in one family with the lines' comparisons.
    pub q: Option<f64>,
}

/// What lines saw on the days around a complaint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Around {
    /// The exposure, day by day.
    #[serde(flatten)]
    pub exposure: Exposure,
    /// The class of complaints.
    pub class: Class,
    /// Complaint episodes with at least one comparable day.
    pub episodes: u64,
    /// Lines that they are of.
    pub lines: usize,
    /// The days.
    pub days: Vec<AroundDay>,
    /// Why there are none.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// A day before or after complaints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AroundDay {
    /// Days after the complaint; negative before it.
    pub day: i32,
    /// The exposure less that of comparable days of the same line, on average; the intervals hold at all days at once.
    pub difference: Answer,
}

/// Two daily series, each cleared of its own past.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeadLag {
    /// The exposure, averaged over lines.
    #[serde(flatten)]
    pub exposure: Exposure,
    /// The class of complaints.
    pub class: Class,
    /// The area; none for all lines.
    pub area: Option<String>,
    /// Days in a row on which both are known.
    pub days: usize,
    /// Complaints on them.
    pub complaints: u64,
    /// By how many days the metric runs ahead where the two go together most.
    pub lag_days: Option<usize>,
    /// The correlation at that lag.
    pub correlation: Answer,
    /// Probability of a correlation at least as large at any lag if the series had nothing to do with each other.
    pub p: Option<f64>,
    /// The share of false finds among all series.
    pub q: Option<f64>,
    /// The correlation at each lag from 0.
    pub correlations: Vec<f64>,
    /// The step that the rate ratio is for.
    pub per: String,
    /// The same step as a number in the metric's unit.
    pub increment: f64,
    /// What one step more does to complaints over that day and the seven that follow, together.
    pub total_rate_ratio: Answer,
}
