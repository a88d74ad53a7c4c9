//! What is asked of the complaints.

use broadgauge_model::metric::MetricId;
use std::collections::BTreeMap;

/// The question.
#[derive(Clone, Debug)]
pub struct Query {
    /// The operator whose lines and complaints are read.
    pub own: String,
    /// The metrics; all that were observed where empty.
    pub metrics: Vec<MetricId>,
    /// The window of a line-day's exposure, in hours, ending `gap_hours` before the day begins.
    pub band_window_hours: u32,
    /// The windows of the case-crossover, in hours, ending `gap_hours` before the complaint.
    pub windows_hours: Vec<u32>,
    /// Hours left out before a complaint, so that tests of the call itself do not count.
    pub gap_hours: u32,
    /// Hours left out after a complaint before the window of the future control, so that a repair does not count.
    pub future_gap_hours: u32,
    /// The quantile of the singletons in a window, on the side that is worse for the customer.
    pub exposure_quantile: f64,
    /// Complaints of one line and class that follow each other within this many days are one episode.
    pub repeat_days: i32,
    /// Edges of the bands of a metric; quantiles of the line-days where a metric has none.
    pub edges: BTreeMap<MetricId, Vec<f64>>,
    /// Fewer episodes with an informative set than this are not analysed.
    pub minimum_episodes: usize,
    /// The seed of resampling.
    pub seed: u64,
    /// Resamples of lines for the stratified rate ratio.
    pub replicates: usize,
    /// Line-days of the adjusted regressions: all with a complaint, and a random part of the others up to so many.
    pub most_line_days: usize,
    /// Whether the views beyond bands, contrasts and the case-crossover are computed: regressions, days around, series.
    pub all_views: bool,
}

impl Query {
    /// The usual question of an operator.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            metrics: Vec::new(),
            band_window_hours: 24,
            windows_hours: vec![24, 168],
            gap_hours: 0,
            future_gap_hours: 24,
            exposure_quantile: 0.95,
            repeat_days: 28,
            edges: BTreeMap::new(),
            minimum_episodes: 10,
            seed: 1,
            replicates: 1_000,
            most_line_days: 20_000,
            all_views: true,
        }
    }
}
