//! From the hours of lines to the days of a unit: each line without its week and without its level, then the median over
//! lines.
//!
//! Where lines are tested at other hours of the week from a day on, nothing is usual at both: what changed on that day
//! cannot be told from the hours. Tests at fixed hours of UTC do so whenever clocks change. There the series is cut, and
//! each part is looked at for itself.

use super::query::Query;
use crate::stats::rhythm::moves;
use crate::stats::season::{Hourly, without_week};
use crate::study::series::{self, Manner, points, pooled_loss};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Cell, Hours, Panel};
use std::collections::BTreeMap;
use std::ops::Range;

/// The series of all units, and what found no place in them.
#[derive(Default)]
pub(super) struct Units {
    /// By series and name: one stretch after the other.
    pub(super) stretches: Vec<((Manner, String), Days)>,
    /// Summaries without a date.
    pub(super) undated: u64,
    /// Hours of lines that do not say which unit they belong to.
    pub(super) nameless: u64,
    /// Lines observed in too few weeks of the same hours.
    pub(super) short: u64,
    /// The days on which series are cut, with the lines behind them.
    pub(super) cuts: BTreeMap<i32, u64>,
}

/// The days of a unit in a stretch of time in which tests were made at the same hours of the week.
pub(super) struct Days {
    pub(super) lines: usize,
    /// (day since Monday, 5 January 1970; value), ascending.
    pub(super) days: Vec<(i32, f64)>,
}

/// One line's values, and the days from which they are at other hours of the week.
struct LineHours {
    hours: Vec<Hourly>,
    moves: Vec<i32>,
}

/// The days of every unit asked for.
pub(super) fn units(panel: &Panel, query: &Query) -> Units {
    let mut out = Units::default();
    let mut hours: BTreeMap<(Manner, &str, &str), Vec<Hourly>> = BTreeMap::new();
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
    let mut units: BTreeMap<(Manner, String), Vec<LineHours>> = BTreeMap::new();
    for ((series, name, _), hours) in hours {
        let moves = moves(&hours);
        units.entry((series, name.to_owned())).or_default().push(LineHours { hours, moves });
    }
    for (key, lines) in units {
        let cuts = cuts(&lines);
        for &(cut, behind) in &cuts {
            *out.cuts.entry(cut).or_default() += behind;
        }
        let mut known = vec![false; lines.len()];
        let ends = cuts.iter().map(|cut| cut.0).chain([i32::MAX]);
        let starts = [i32::MIN].into_iter().chain(cuts.iter().map(|cut| cut.0));
        for (start, end) in starts.zip(ends) {
            let days = days(&lines, start..end, &mut known);
            out.stretches.extend(days.map(|days| (key.clone(), days)));
        }
        out.short += known.iter().filter(|known| !**known).count() as u64;
    }
    out
}

/// The days from which more than half of the lines that are tested before and after are tested at other hours of the
/// week, with how many these are. Lines that are tested once a week need a week to show it.
fn cuts(lines: &[LineHours]) -> Vec<(i32, u64)> {
    let mut moves: Vec<i32> = lines.iter().flat_map(|line| line.moves.iter().copied()).collect();
    moves.sort_unstable();
    let around = |line: &&LineHours, day: i32| {
        let days = || line.hours.iter().map(|hour| hour.day);
        days().any(|d| d < day) && days().any(|d| d >= day)
    };
    let mut out = Vec::new();
    while let Some(&day) = moves.first() {
        let votes = moves.iter().take_while(|other| **other < day + 7).count();
        let voters = lines.iter().filter(|line| around(line, day)).count();
        if 2 * votes > voters {
            out.push((day, votes as u64));
        }
        moves.drain(..votes);
    }
    out
}

/// Each line of a stretch without its week and its level, then the median over lines, at the unit's level; nothing
/// where no line was tested for three weeks of it.
fn days(lines: &[LineHours], stretch: Range<i32>, known: &mut [bool]) -> Option<Days> {
    let mut kept: Vec<(f64, Vec<(i32, f64)>)> = Vec::new();
    for (line, known) in lines.iter().zip(known) {
        let here: Vec<Hourly> =
            line.hours.iter().filter(|hour| stretch.contains(&hour.day)).copied().collect();
        let Ok(left) = without_week(&here) else { continue };
        *known = true;
        kept.push((middle(left.days.iter().map(|d| d.1).collect()), left.days));
    }
    let level = middle(kept.iter().map(|line| line.0).collect());
    let mut by_day: BTreeMap<i32, Vec<f64>> = BTreeMap::new();
    for (own_level, days) in &kept {
        for (day, value) in days {
            by_day.entry(*day).or_default().push(value - own_level);
        }
    }
    let days: Vec<(i32, f64)> =
        by_day.into_iter().map(|(day, values)| (day, level + middle(values))).collect();
    (!days.is_empty()).then_some(Days { lines: kept.len(), days })
}

type HourKey = (Manner, u32, Option<i32>, Option<u8>);

/// The cells asked for, by series, line and hour.
fn by_hour<'a>(panel: &'a Panel, query: &Query) -> BTreeMap<HourKey, Vec<&'a Cell>> {
    let mut out: BTreeMap<HourKey, Vec<&Cell>> = BTreeMap::new();
    for cell in &panel.cells {
        let own = panel.lines.get(cell.line as usize).is_some_and(|l| l.operator == query.own);
        let asked = query.metrics.is_empty() || query.metrics.contains(&cell.metric);
        if !own || !asked || cell.values.is_empty() {
            continue;
        }
        let (day, hour) = match cell.hours {
            Hours::At { day, hour } => (Some(day), Some(hour)),
            Hours::Peak | Hours::AllDay => (None, None),
        };
        out.entry((Manner::of(cell), cell.line, day, hour)).or_default().push(cell);
    }
    out
}

/// The hour's figure: all lost of all sent, or the median of its values.
fn value(metric: MetricId, cells: &[&Cell]) -> Option<f64> {
    let cells = cells.iter().copied();
    pooled_loss(metric, cells.clone()).or_else(|| series::middle(points(metric, cells)))
}

pub(super) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    if n == 0 { f64::NAN } else { f64::midpoint(values[(n - 1) / 2], values[n / 2]) }
}
