//! What is never mixed: one metric under one load, one way, of one statistic, by one version of one method against one
//! class of targets, made up or not.

use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Cell, CellValues, MethodUse, Panel, SourceKind};
use broadgauge_model::result::{Direction, Load, Statistic};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Observations that may stand in one picture, or one row of a study.
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
    /// By which method, against which class of targets.
    pub method: MethodUse,
    /// Whether the values are made up.
    pub made: bool,
}

impl Series {
    /// The series that a cell belongs to.
    pub(super) fn of(panel: &Panel, cell: &Cell) -> Self {
        Self {
            metric: cell.metric,
            load: cell.load,
            direction: cell.direction,
            statistic: cell.statistic,
            method: panel.method_of(cell),
            made: is_made(panel, cell),
        }
    }

    /// The code of the metric's unit.
    pub fn unit(&self) -> &'static str {
        self.metric.unit.code()
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
                let method = panel.methods.get(usize::from(method))?.clone();
                Some((Self { metric, load, direction, statistic, method, made }, n))
            });
        named.collect()
    }

    /// The cells in this series.
    pub fn all_cells<'a>(&'a self, panel: &'a Panel) -> impl Iterator<Item = &'a Cell> {
        let method = panel.methods.iter().position(|method| *method == self.method);
        panel.cells.iter().filter(move |cell| {
            Some(usize::from(cell.method)) == method
                && cell.metric == self.metric
                && cell.load == self.load
                && cell.direction == self.direction
                && cell.statistic == self.statistic
                && is_made(panel, cell) == self.made
        })
    }

    /// Those of one operator's lines.
    pub fn cells<'a>(&'a self, panel: &'a Panel, operator: &'a str) -> impl Iterator<Item = &'a Cell> {
        let own = move |cell: &&Cell| {
            panel.lines.get(cell.line as usize).is_some_and(|line| line.operator == operator)
        };
        self.all_cells(panel).filter(own)
    }

    /// Calls `each` with every value of a cell in the metric's unit, and how often it was seen.
    pub fn visit(&self, cell: &Cell, mut each: impl FnMut(f64, u64)) {
        match &cell.values {
            CellValues::Number(value) => each(*value, 1),
            CellValues::Histogram(histogram) => {
                for (value, count) in histogram.values(self.metric.tick) {
                    each(value, count);
                }
            }
        }
    }
}

/// What is never mixed, where methods go by their number in the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::study) struct Manner {
    pub(in crate::study) metric: MetricId,
    pub(in crate::study) load: Load,
    pub(in crate::study) direction: Direction,
    pub(in crate::study) statistic: Statistic,
    pub(in crate::study) method: u16,
}

impl Manner {
    /// How a cell was observed.
    pub(in crate::study) const fn of(cell: &Cell) -> Self {
        Self {
            metric: cell.metric,
            load: cell.load,
            direction: cell.direction,
            statistic: cell.statistic,
            method: cell.method,
        }
    }
}

/// Loss, where every cell says how many packets it speaks of: all lost of all sent, one value for all. The median of
/// many short runs would be 0 for a line that loses one packet in fifty.
pub(in crate::study) fn pooled_loss<'a>(
    metric: MetricId,
    cells: impl Iterator<Item = &'a Cell> + Clone,
) -> Option<f64> {
    if metric != MetricId::LOSS_RATIO || cells.clone().any(|c| c.sent == 0) {
        return None;
    }
    let (lost, sent) = cells.fold((0, 0), |(lost, sent), c| (lost + c.lost, sent + c.sent));
    Some(lost as f64 / sent as f64)
}

/// The values of cells with their counts, ascending; what is no number is left out.
pub(in crate::study) fn points<'a>(
    metric: MetricId,
    cells: impl IntoIterator<Item = &'a Cell>,
) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for cell in cells {
        match &cell.values {
            CellValues::Histogram(h) => points.extend(h.values(metric.tick).map(|(v, n)| (v, n as f64))),
            CellValues::Number(value) if value.is_finite() => points.push((*value, 1.0)),
            CellValues::Number(_) => {}
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// The median of values with their counts, the mean of the middle two where they are even in number; none of nothing.
pub(in crate::study) fn middle(mut values: Vec<(f64, f64)>) -> Option<f64> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|v| v.1).sum();
    let at = |rank: f64| {
        let mut seen = 0.0;
        values.iter().find(|v| {
            seen += v.1;
            seen > rank
        })
    };
    if total <= 0.0 {
        return None;
    }
    let (low, high) = (at(((total - 1.0) / 2.0).floor())?.0, at((total / 2.0).floor())?.0);
    Some(f64::midpoint(low, high))
}

/// Whether a cell's values are made up.
pub(super) fn is_made(panel: &Panel, cell: &Cell) -> bool {
    panel.sources.get(usize::from(cell.source)).is_some_and(|source| source.kind == SourceKind::Made)
}

/// With the unit, and the method's words beside the others.
impl Serialize for Series {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            metric: MetricId,
            unit: &'static str,
            load: Load,
            direction: Direction,
            statistic: Statistic,
            #[serde(flatten)]
            method: &'a MethodUse,
            made: bool,
        }
        let Self { metric, load, direction, statistic, ref method, made } = *self;
        Written { metric, unit: self.unit(), load, direction, statistic, method, made }.serialize(serializer)
    }
}
