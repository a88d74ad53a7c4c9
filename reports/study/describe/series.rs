//! What is never mixed: one metric under one load, one way, of one statistic, by one version of one method, made up or
//! not.

use crate::study::complaints::Exposure;
use crate::study::peers::Row;
use broadgauge_model::histogram::bucket_highest;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Cell, CellValues, Panel, SourceKind};
use broadgauge_model::result::{Direction, Load, Statistic};
use std::collections::BTreeMap;

/// Observations that may stand in one picture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// The metric.
    pub metric: MetricId,
    /// Under which load.
    pub load: Load,
    /// Which way.
    pub direction: Direction,
    /// What a value is.
    pub statistic: Statistic,
    /// The method.
    pub method: String,
    /// Its version.
    pub method_version: u32,
    /// Whether the values are made up.
    pub made: bool,
}

impl Series {
    /// The series that a comparison is about.
    pub fn of_row(row: &Row) -> Self {
        Self {
            metric: row.metric,
            load: row.load,
            direction: row.direction,
            statistic: row.statistic,
            method: row.method.clone(),
            method_version: row.method_version,
            made: row.made,
        }
    }

    /// The series of an exposure.
    pub fn of_exposure(exposure: &Exposure) -> Self {
        Self {
            metric: exposure.metric,
            load: exposure.load,
            direction: exposure.direction,
            statistic: exposure.statistic,
            method: exposure.method.clone(),
            method_version: exposure.method_version,
            made: exposure.made,
        }
    }

    /// Every series of a panel, with the number of observations in it.
    pub fn all(panel: &Panel) -> BTreeMap<Self, u64> {
        // Cells name their method and source by number: count by number first, make words once.
        let mut counts: BTreeMap<_, u64> = BTreeMap::new();
        for cell in &panel.cells {
            let made = is_made(panel, cell);
            let key = (cell.metric, cell.load, cell.direction, cell.statistic, cell.method, made);
            *counts.entry(key).or_default() += cell.values.len();
        }
        let named =
            counts.into_iter().filter_map(|((metric, load, direction, statistic, method, made), n)| {
                let method = panel.methods.get(usize::from(method))?;
                let (method, method_version) = (method.name.clone(), method.version);
                Some((Self { metric, load, direction, statistic, method, method_version, made }, n))
            });
        named.collect()
    }

    /// The cells of one operator's lines in this series.
    pub fn cells<'a>(&'a self, panel: &'a Panel, operator: &'a str) -> impl Iterator<Item = &'a Cell> {
        let method =
            panel.methods.iter().position(|m| m.name == self.method && m.version == self.method_version);
        panel.cells.iter().filter(move |cell| {
            Some(usize::from(cell.method)) == method
                && cell.metric == self.metric
                && cell.load == self.load
                && cell.direction == self.direction
                && cell.statistic == self.statistic
                && is_made(panel, cell) == self.made
                && panel.lines.get(cell.line as usize).is_some_and(|line| line.operator == operator)
        })
    }

    /// Calls `each` with every value of a cell in the metric's unit, and how often it was seen.
    pub fn visit(&self, cell: &Cell, mut each: impl FnMut(f64, u64)) {
        match &cell.values {
            CellValues::Number(value) => each(*value, 1),
            CellValues::Histogram(histogram) => {
                for &(index, count) in histogram.buckets() {
                    each(bucket_highest(index) as f64 * self.metric.tick, count);
                }
            }
        }
    }
}

fn is_made(panel: &Panel, cell: &Cell) -> bool {
    panel.sources.get(usize::from(cell.source)).is_some_and(|source| source.kind == SourceKind::Made)
}
