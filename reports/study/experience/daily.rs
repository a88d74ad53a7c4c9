//! One series of a metric as one value a line and day.

use super::scale::Scale;
use crate::study::describe::Series;
use crate::study::peers::Peak;
use crate::study::series::middle;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Hours, Panel};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A line without this many days says nothing of a history.
const FEWEST_DAYS: usize = 7;

/// What every line of the panel had, day by day.
#[derive(Clone, Debug)]
pub(in crate::study) struct Daily {
    pub(in crate::study) series: Series,
    pub(in crate::study) scale: Scale,
    /// By index into the panel: (day, level), ascending; higher is worse.
    pub(in crate::study) lines: Vec<Vec<(i32, f64)>>,
    /// Observations outside the busy hours, or without an hour.
    pub(in crate::study) outside: u64,
}

impl Daily {
    /// The series of each metric that knows most line-days of the own operator; every metric that was observed where
    /// none is asked for.
    pub(in crate::study) fn of_panel(
        panel: &Panel,
        own: &str,
        metrics: &[MetricId],
        peak: Peak,
    ) -> Vec<Self> {
        let mut best: BTreeMap<MetricId, (usize, Self)> = BTreeMap::new();
        for series in Series::all(panel).into_keys() {
            if !metrics.is_empty() && !metrics.contains(&series.metric) {
                continue;
            }
            let metric = series.metric;
            let daily = Self::new(panel, series, peak);
            let known = panel.lines.iter().zip(&daily.lines).filter(|(line, _)| line.operator == own);
            let days = known.map(|(_, days)| days.len()).filter(|days| *days >= FEWEST_DAYS).sum();
            if days > best.get(&metric).map_or(0, |best| best.0) {
                best.insert(metric, (days, daily));
            }
        }
        best.into_values().map(|(_, daily)| daily).collect()
    }

    fn new(panel: &Panel, series: Series, peak: Peak) -> Self {
        let scale = Scale::of(series.metric);
        let (lines, outside) = levels(panel, &series, |day, hour| peak.contains(day, hour));
        Self { series, scale, lines, outside }
    }

    /// The same series at all hours but the busy ones, by line: (day, level), ascending.
    pub(in crate::study) fn at_other_hours(&self, panel: &Panel, peak: Peak) -> Vec<Vec<(i32, f64)>> {
        levels(panel, &self.series, |day, hour| !peak.contains(day, hour)).0
    }

    /// The levels of a line from a day on and before another.
    pub(in crate::study) fn between(&self, line: usize, from: i32, to: i32) -> &[(i32, f64)] {
        let days = &self.lines[line];
        &days[days.partition_point(|d| d.0 < from)..days.partition_point(|d| d.0 < to)]
    }
}

/// By line: (day, level), ascending.
type Levels = Vec<Vec<(i32, f64)>>;

/// The level of every line and day in some hours, and how many observations lie outside them.
fn levels(panel: &Panel, series: &Series, within: impl Fn(i32, u8) -> bool) -> (Levels, u64) {
    let scale = Scale::of(series.metric);
    let mut days: Vec<BTreeMap<i32, Vec<(f64, f64)>>> = vec![BTreeMap::new(); panel.lines.len()];
    let mut outside = 0;
    for operator in
        panel.lines.iter().map(|line| line.operator.as_str()).collect::<std::collections::BTreeSet<_>>()
    {
        for cell in series.cells(panel, operator) {
            match cell.hours {
                Hours::At { day, hour } if within(day, hour) => {
                    let values = days[cell.line as usize].entry(day).or_default();
                    series.visit(cell, |value, count| values.push((value, count as f64)));
                }
                _ => outside += 1,
            }
        }
    }
    let lines = days.into_par_iter().map(|days| {
        let level = |(day, values): (i32, Vec<(f64, f64)>)| Some((day, scale.to(middle(values)?)?));
        days.into_iter().filter_map(level).collect()
    });
    (lines.collect(), outside)
}

/// The median; none of nothing.
pub(in crate::study) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    (n > 0).then(|| f64::midpoint(values[(n - 1) / 2], values[n / 2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_lie_in_the_middle_also_where_values_repeat() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
        assert_eq!(middle(vec![(9.0, 1.0), (1.0, 3.0)]), Some(1.0));
        assert_eq!(middle(vec![(9.0, 1.0), (1.0, 1.0)]), Some(5.0));
        assert_eq!(middle(vec![(9.0, 0.0)]), None);
    }
}
