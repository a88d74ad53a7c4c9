//! Complaint dose–response: from which level on do customers complain?
//!
//! The complaint rate in each band of a KPI with its interval, an optional fitted curve with its band, and the knee
//! where one was found. Below, how many line-days stand behind each band: a rate from little ground is seen as such.

use super::{Caption, Figure};
use broadgauge_model::metric::MetricId;

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct DoseResponse {
    /// Its words.
    pub caption: Caption,
    /// The KPI: names the x axis.
    pub metric: MetricId,
    /// What the KPI is of, as ready text, where the metric's own name is not enough: "daily P95 at peak"; may be empty.
    pub statistic: String,
    /// Bands of the KPI in rising order.
    pub bins: Vec<DoseBin>,
    /// A fitted curve.
    pub fit: Option<Fit>,
    /// Where the curve bends upwards, with its interval.
    pub knee: Option<Figure>,
}

/// One band of the KPI.
#[derive(Clone, Debug, PartialEq)]
pub struct DoseBin {
    /// Lower edge.
    pub from: f64,
    /// Upper edge; infinite for the last, open band.
    pub to: f64,
    /// Complaints per 1000 line-days.
    pub rate: Figure,
    /// Line-days at risk.
    pub line_days: f64,
    /// Complaints counted.
    pub complaints: u64,
}

/// A fitted curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// What was fitted, for the label: "segmented Poisson".
    pub name: String,
    /// (KPI, rate, lower, upper), in rising order of the KPI.
    pub points: Vec<(f64, f64, f64, f64)>,
}
