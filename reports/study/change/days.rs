//! From the hours of lines to the days of a unit: each line without its week and without its level, then the median over
//! lines.
//!
//! Where lines are tested at other hours of the week from a day on, nothing is usual at both: what changed on that day
//! cannot be told from the hours. Tests at fixed hours of UTC do so whenever clocks change. There the series is cut, and
//! each part is looked at for itself.

use super::query::Query;
use crate::stats::season::{Hourly, without_week};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Cell, CellValues, Hours, Panel};
use broadgauge_model::result::{Direction, Load, Statistic};
use std::collections::BTreeMap;

/// What is observed, and how.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    pub(super) metric: MetricId,
    pub(super) load: Load,
    pub(super) direction: Direction,
    pub(super) statistic: Statistic,
    pub(super) method: u16,
}

/// The series of all units, and what found no place in them.
#[derive(Default)]
pub(super) struct Units {
    /// By series and name: one stretch after the other.
    pub(super) stretches: Vec<((Series, String), Days)>,
    /// Summaries without a date.
    pub(super) undated: u64,
    /// Hours of lines that do not say which unit they belong to.
    pub(super) nameless: u64,
    /// Lines observed in too few weeks of the same hours.
    pub(super) short: u64,
    /// The days on which series are cut, with the lines behind them.
    pub(super) cuts: BTreeMap<i32, u64>,
}

/// The days of a unit, or of the stretch of them in which tests were made at the same hours of the week.
pub(super) struct Days {
    pub(super) lines: usize,
    /// (day since Monday, 5 January 1970; value), ascending.
    pub(super) days: Vec<(i32, f64)>,
}

/// One line without its week.
struct LineDays {
    level: f64,
    days: Vec<(i32, f64)>,
    breaks: Vec<i32>,
}

/// The days of every unit asked for.
pub(super) fn units(panel: &Panel, query: &Query) -> Units {
    let mut out = Units::default();
    let mut hours: BTreeMap<(Series, &str, &str), Vec<Hourly>> = BTreeMap::new();
    for (key, cells) in by_hour(panel, query) {
        let (series, line, day, hour) = key;
        let Some((day, hour)) = day.zip(hour) else {
            out.undated += cells.len() as u64;
            continue;
        };
        let line = &panel.lines[line as usize];
        let Some(name) = query.unit.of(line) else {
            out.nameless += 1;
            continue;
        };
        if let Some(value) = value(series.metric, &cells) {
            // Day 4 of 1970 was a Monday.
            hours.entry((series, name, &line.line_id)).or_default().push(Hourly {
                day: day - 4,
                hour,
                value,
            });
        }
    }
    let mut units: BTreeMap<(Series, String), Vec<LineDays>> = BTreeMap::new();
    for ((series, name, _), hours) in hours {
        let Ok(left) = without_week(&hours) else {
            out.short += 1;
            continue;
        };
        let level = middle(left.days.iter().map(|d| d.1).collect());
        let line = LineDays { level, days: left.days, breaks: left.breaks };
        units.entry((series, name.to_owned())).or_default().push(line);
    }
    for (key, lines) in units {
        let cuts = cuts(&lines);
        for &cut in &cuts {
            *out.cuts.entry(cut).or_default() += lines.len() as u64;
        }
        let all = days(&lines);
        let stretches = all.chunk_by(|a, b| !cuts.iter().any(|&cut| a.0 < cut && cut <= b.0));
        out.stretches
            .extend(stretches.map(|days| (key.clone(), Days { lines: lines.len(), days: days.to_vec() })));
    }
    out
}

/// The days from which more than half of the lines are tested at other hours of the week.
fn cuts(lines: &[LineDays]) -> Vec<i32> {
    let mut votes: BTreeMap<i32, usize> = BTreeMap::new();
    for day in lines.iter().flat_map(|line| &line.breaks) {
        *votes.entry(*day).or_default() += 1;
    }
    votes.into_iter().filter(|(_, votes)| 2 * votes > lines.len()).map(|(day, _)| day).collect()
}

/// The median over lines of what a day is above or below each line's level, at the unit's level.
fn days(lines: &[LineDays]) -> Vec<(i32, f64)> {
    let level = middle(lines.iter().map(|l| l.level).collect());
    let mut by_day: BTreeMap<i32, Vec<f64>> = BTreeMap::new();
    for line in lines {
        for (day, value) in &line.days {
            by_day.entry(*day).or_default().push(value - line.level);
        }
    }
    by_day.into_iter().map(|(day, values)| (day, level + middle(values))).collect()
}

type HourKey = (Series, u32, Option<i32>, Option<u8>);

/// The cells asked for, by series, line and hour.
fn by_hour<'a>(panel: &'a Panel, query: &Query) -> BTreeMap<HourKey, Vec<&'a Cell>> {
    let mut out: BTreeMap<HourKey, Vec<&Cell>> = BTreeMap::new();
    for cell in &panel.cells {
        let own = panel.lines.get(cell.line as usize).is_some_and(|l| l.operator == query.own);
        let asked = query.metrics.is_empty() || query.metrics.contains(&cell.metric);
        if !own || !asked || cell.values.is_empty() {
            continue;
        }
        let series = Series {
            metric: cell.metric,
            load: cell.load,
            direction: cell.direction,
            statistic: cell.statistic,
            method: cell.method,
        };
        let (day, hour) = match cell.hours {
            Hours::At { day, hour } => (Some(day), Some(hour)),
            Hours::Peak | Hours::AllDay => (None, None),
        };
        out.entry((series, cell.line, day, hour)).or_default().push(cell);
    }
    out
}

/// The hour's figure: all lost of all sent, or the median of its values.
fn value(metric: MetricId, cells: &[&Cell]) -> Option<f64> {
    if metric == MetricId::LOSS_RATIO && cells.iter().all(|c| c.sent > 0) {
        let (lost, sent) = cells.iter().fold((0, 0), |(l, s), c| (l + c.lost, s + c.sent));
        return Some(lost as f64 / sent as f64);
    }
    let mut points: Vec<(f64, f64)> = Vec::new();
    for cell in cells {
        match &cell.values {
            CellValues::Histogram(h) => points.extend(h.values(metric.tick).map(|(v, n)| (v, n as f64))),
            CellValues::Number(v) if v.is_finite() => points.push((*v, 1.0)),
            CellValues::Number(_) => {}
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    crate::stats::quantile::weighted(&points, 0.5).ok()
}

pub(super) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    if n == 0 { f64::NAN } else { f64::midpoint(values[(n - 1) / 2], values[n / 2]) }
}
