//! What an action is done to (a line, a node or an area), day by day, and who like it was left alone.

use super::query::Query;
use crate::study::experience::{Daily, Risk};
use broadgauge_model::panel::{Panel, PanelAction};
use std::collections::BTreeMap;
use std::ops::Range;

/// What kind of thing a unit is: units are matched among their own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UnitKind {
    Line,
    Node,
    Area,
}

/// A unit's name.
pub(super) type UnitId = (UnitKind, String);

/// What an action is done to.
pub(super) fn unit_of(action: &PanelAction) -> Option<UnitId> {
    let action = &action.action;
    let named =
        [(UnitKind::Line, &action.line_id), (UnitKind::Node, &action.node), (UnitKind::Area, &action.area)];
    named.into_iter().find_map(|(kind, name)| Some((kind, name.clone()?)))
}

/// The technology of a unit, where it is known.
pub(super) type Technology<'a> = Option<&'a str>;

/// The lines of every unit of the own operator that an action could name.
pub(super) fn units(panel: &Panel, risk: &Risk) -> BTreeMap<UnitId, Vec<usize>> {
    let mut units: BTreeMap<UnitId, Vec<usize>> = BTreeMap::new();
    for &at in &risk.own {
        let line = &panel.lines[at];
        units.entry((UnitKind::Line, line.line_id.clone())).or_default().push(at);
        if let Some(node) = &line.node {
            units.entry((UnitKind::Node, node.clone())).or_default().push(at);
        }
        if let Some(area) = &line.area {
            units.entry((UnitKind::Area, area.clone())).or_default().push(at);
        }
    }
    units
}

/// One metric of every unit.
pub(super) struct Course<'a> {
    pub(super) daily: &'a Daily,
    days: BTreeMap<&'a UnitId, Vec<(i32, f64)>>,
    technology: BTreeMap<&'a UnitId, Technology<'a>>,
    /// Days on which something was done to a unit, or to what it is a part of.
    busy: BTreeMap<&'a UnitId, Vec<Range<i32>>>,
}

impl<'a> Course<'a> {
    pub(super) fn of(
        panel: &'a Panel,
        daily: &'a Daily,
        units: &'a BTreeMap<UnitId, Vec<usize>>,
        end: i32,
    ) -> Self {
        let mut course =
            Self { daily, days: BTreeMap::new(), technology: BTreeMap::new(), busy: BTreeMap::new() };
        let mut touched: BTreeMap<usize, Vec<Range<i32>>> = BTreeMap::new();
        for action in &panel.actions {
            let (Some(unit), Some(started)) = (unit_of(action), action.started.or(action.done)) else {
                continue;
            };
            for line in units.get(&unit).into_iter().flatten() {
                // What was done stays done.
                touched.entry(*line).or_default().push(started..end);
            }
        }
        for (unit, lines) in units {
            let mut sums: BTreeMap<i32, (f64, f64)> = BTreeMap::new();
            for &line in lines {
                for &(day, level) in &daily.lines[line] {
                    let entry = sums.entry(day).or_default();
                    entry.0 += level;
                    entry.1 += 1.0;
                }
            }
            course.days.insert(unit, sums.into_iter().map(|(day, (sum, n))| (day, sum / n)).collect());
            course.technology.insert(unit, panel.lines[lines[0]].technology.as_deref());
            let busy = lines.iter().flat_map(|line| touched.get(line).cloned().unwrap_or_default());
            course.busy.insert(unit, busy.collect());
        }
        course
    }

    pub(super) fn between(&self, unit: &UnitId, days: &Range<i32>) -> &[(i32, f64)] {
        let Some(all) = self.days.get(unit) else { return &[] };
        &all[all.partition_point(|d| d.0 < days.start)..all.partition_point(|d| d.0 < days.end)]
    }

    /// The mean level over some days, where at least half of them are known.
    pub(super) fn mean(&self, unit: &UnitId, days: &Range<i32>) -> Option<f64> {
        let known = self.between(unit, days);
        let wanted = (days.end - days.start).max(0) as usize;
        (wanted > 0 && 2 * known.len() >= wanted)
            .then(|| known.iter().map(|d| d.1).sum::<f64>() / known.len() as f64)
    }

    /// Every unit with its technology.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a UnitId, Technology<'a>)> {
        self.technology.iter().map(|(&unit, &technology)| (unit, technology))
    }

    /// The technology of a unit of the panel.
    pub(super) fn technology_of(&self, unit: &UnitId) -> Option<Technology<'a>> {
        self.technology.get(unit).copied()
    }

    /// Whether nothing was done to a unit on these days, nor before them.
    pub(super) fn left_alone(&self, unit: &UnitId, days: &Range<i32>) -> bool {
        let met = |busy: &Range<i32>| busy.start < days.end && days.start < busy.end;
        !self.busy.get(unit).is_some_and(|all| all.iter().any(met))
    }

    /// Units of the same kind and technology that were left alone during these windows, as bad before by the same measure
    /// by which the treated one is judged: nearest first.
    pub(super) fn as_bad(&self, unit: &UnitId, windows: &Windows) -> Vec<(&'a UnitId, f64)> {
        let Some(own) = self.mean(unit, &windows.before) else { return Vec::new() };
        let whole = windows.before.start..windows.after.end;
        let mut levels: Vec<(f64, &'a UnitId)> = Vec::new();
        for (&other, technology) in &self.technology {
            let alike = other != unit && other.0 == unit.0 && self.technology.get(unit) == Some(technology);
            if alike
                && self.left_alone(other, &whole)
                && let (Some(before), Some(_)) =
                    (self.mean(other, &windows.before), self.mean(other, &windows.after))
            {
                levels.push((before, other));
            }
        }
        // As bad: no further off than half of what units of the kind differ by.
        let n = levels.len() as f64;
        let mean = levels.iter().map(|l| l.0).sum::<f64>() / n;
        let spread = (levels.iter().map(|l| (l.0 - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let near = |level: f64| (level - own).abs() <= 0.5 * spread;
        levels.retain(|(level, _)| near(*level));
        levels.sort_by(|a, b| (a.0 - own).abs().total_cmp(&(b.0 - own).abs()).then(a.1.cmp(b.1)));
        levels.into_iter().map(|(level, other)| (other, level)).collect()
    }

    /// The change of a unit from before to after.
    pub(super) fn change(&self, unit: &UnitId, windows: &Windows) -> Option<f64> {
        Some(self.mean(unit, &windows.after)? - self.mean(unit, &windows.before)?)
    }
}

/// The days that an action is judged by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Windows {
    pub(super) before: Range<i32>,
    pub(super) after: Range<i32>,
}

impl Windows {
    /// Of an action that is done; none where the days after it are too few yet, or those before it begin before the
    /// period.
    pub(super) fn of(action: &PanelAction, period: &Range<i32>, query: &Query) -> Option<Self> {
        let (started, done) = (action.started?, action.done?);
        let from = done + 1 + query.settle_days;
        let to = action.verify_by.unwrap_or(from + query.after_days).min(period.end);
        let before = (started - query.before_days).max(period.start)..started;
        let enough =
            to - from >= query.least_after_days && before.end - before.start >= query.least_after_days;
        enough.then_some(Self { before, after: from..to })
    }
}
