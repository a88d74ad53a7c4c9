//! What the study of silence answers.

use crate::study::{Answer, Declined, Head, Words};
use broadgauge_model::metric::MetricId;
use serde::Serialize;

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Silent {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// What the risk is told by.
    pub features: Vec<FeatureRow>,
    /// Columns that were refused, and why.
    pub refused: Vec<Refused>,
    /// How good the risk is, on lines and weeks that it was not made from.
    pub judged: Option<Judged>,
    /// Silent lines at risk, the highest risk first.
    pub list: Vec<Listed>,
    /// Lines that were considered, and of them those that are silent and have less than they expect.
    pub lines: usize,
    /// Silent lines with less than they expect.
    pub silent: usize,
    /// The day on which stock is taken.
    pub as_of: Option<String>,
    /// By region: silent lines at risk beside complaints.
    pub regions: Vec<Region>,
    /// Where the complaints of ordinary regions lie, by their number of lines.
    pub funnel: Funnel,
    /// The metric of the regions' courses: the one known of most lines.
    pub metric: Option<MetricId>,
    /// Why nothing could be said at all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// A column behind the risk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureRow {
    /// Its name.
    pub feature: Words,
    /// The odds ratio for one standard deviation more.
    pub odds_ratio_per_sd: Answer,
}

/// A column that was refused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refused {
    /// Its name.
    pub feature: String,
    /// Why.
    pub reason: Words,
}

/// How good a prediction is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// The day of the prediction; lines and weeks before it made the model.
    pub day: String,
    /// Lines judged.
    pub lines: usize,
    /// Of them, those that complained within the horizon.
    pub complained: usize,
    /// Average precision; by chance it is the share that complained.
    pub average_precision: Answer,
    /// Lines that the capacity allows among these.
    pub capacity: usize,
    /// The share of them that complained.
    pub precision: Answer,
    /// The share of all that complained which is among them.
    pub recall: Option<f64>,
    /// Precision over the share that complained.
    pub lift: Option<f64>,
    /// The same lift by the plain rule: days worse than the line was used to.
    pub lift_of_rule: Option<f64>,
    /// Mean squared distance of risk and outcome.
    pub brier: Option<f64>,
    /// 1 where the risk means what it says; below, it is too extreme.
    pub calibration_slope: Answer,
    /// 0 where the risk is right on the whole.
    pub calibration_intercept: Answer,
    /// By segment: the risk told and what came.
    pub segments: Vec<SegmentJudged>,
}

/// A segment's risk told and what came.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentJudged {
    /// The segment.
    pub segment: String,
    /// Lines judged.
    pub lines: usize,
    /// The mean risk told.
    pub told: f64,
    /// The share that complained.
    pub came: Answer,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// Its place.
    pub rank: usize,
    /// The line.
    pub line_id: String,
    /// Its region.
    pub region: Option<String>,
    /// Its node.
    pub node: Option<String>,
    /// Its segment.
    pub segment: Option<String>,
    /// The risk of a network complaint within the horizon.
    pub risk: Answer,
    /// `contact`, or `control`: left alone on purpose.
    pub group: &'static str,
    /// Why it is on the list, the strongest reason first.
    pub reasons: Vec<Words>,
}

/// A region's silent lines beside its complaints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Region {
    /// The region.
    pub region: String,
    /// Lines.
    pub lines: usize,
    /// Complaints that the risk makes expect within the horizon, of lines with no episode open.
    pub predicted: f64,
    /// Episodes within as many days before, per line, with its interval.
    pub complaints_per_100_lines: Answer,
    /// Predicted per 100 lines.
    pub predicted_per_100_lines: f64,
    /// Lines with less than they expect that have not complained.
    pub silent: usize,
    /// The complaints per 100 lines drawn towards those of all regions, by as much as they are uncertain.
    pub drawn_per_100_lines: Answer,
    /// Where the complaints of 95 of 100 ordinary regions with as many lines lie, per 100 lines.
    pub limits_95: Option<(f64, f64)>,
    /// Where those of 998 of 1,000 lie.
    pub limits_998: Option<(f64, f64)>,
    /// What its lines had in busy hours, week by week, of [`Silent::metric`].
    pub course: Vec<RegionWeek>,
}

/// A week of a region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegionWeek {
    /// The Monday after its seven days.
    pub week: String,
    /// Lines known in it.
    pub lines: usize,
    /// The middle one of what they had, in the metric's unit; `null` where they are fewer than ten.
    pub value: Option<f64>,
}

/// The funnel of the regions' complaints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Funnel {
    /// Complaints of all of them per 100 lines.
    pub centre: Option<f64>,
    /// The standard deviation of what regions have apart from chance, per 100 lines.
    pub spread_between: Option<f64>,
    /// The limits from the fewest lines to the most.
    pub curve: Vec<FunnelPoint>,
    /// Why there is none.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// The funnel at a number of lines.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FunnelPoint {
    /// Lines.
    pub lines: f64,
    /// Where 95 of 100 ordinary regions lie.
    pub limits_95: (f64, f64),
    /// Where 998 of 1,000 lie.
    pub limits_998: (f64, f64),
}
