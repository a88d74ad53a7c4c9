//! Nodes day by day: how full they ran, what their lines had, and who complained the day after.

use super::query::Query;
use crate::study::Note;
use crate::study::expectation::{self, LineWeek, line_weeks, note_norm};
use crate::study::experience::{Daily, Risk};
use broadgauge_model::panel::{Panel, weekday};
use std::collections::{BTreeMap, BTreeSet};

/// Days that say how full a node runs now.
const RECENT_DAYS: i32 = 28;

/// A node of the own operator.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) technology: String,
    pub(super) region: String,
    /// Index into the panel.
    pub(super) lines: Vec<usize>,
    /// By day: utilisation of the fullest busy hour.
    pub(super) loads: BTreeMap<i32, f64>,
    /// The first of the days that say how full it runs now.
    pub(super) recent: i32,
    /// Line-days in service.
    pub(super) line_days: u64,
    /// Those on which an episode could begin.
    pub(super) at_risk: u64,
    pub(super) episodes: u64,
}

/// A day of a node of which both is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeDay {
    /// Place among the nodes.
    pub(super) node: usize,
    pub(super) day: i32,
    pub(super) utilisation: f64,
    /// In the metric's unit.
    pub(super) value: f64,
    /// The share of its lines that had less than they have come to expect, where that is known of any.
    pub(super) short: Option<f64>,
}

/// The own operator's nodes, by name.
pub(super) fn nodes(panel: &Panel, risk: &Risk, query: &Query) -> Vec<Node> {
    let mut found: BTreeMap<&str, Node> = BTreeMap::new();
    for &at in &risk.own {
        let line = &panel.lines[at];
        let Some(name) = &line.node else { continue };
        let node = found.entry(name).or_insert_with(|| Node {
            name: name.clone(),
            technology: line.technology.clone().unwrap_or_default(),
            region: line.region.clone().unwrap_or_default(),
            lines: Vec::new(),
            loads: BTreeMap::new(),
            recent: risk.period.end - RECENT_DAYS,
            line_days: 0,
            at_risk: 0,
            episodes: 0,
        });
        node.lines.push(at);
        let days = &risk.days[at];
        node.line_days += (days.end - days.start).max(0) as u64;
        node.at_risk += risk.at_risk(at, days);
        node.episodes += risk.network[at].len() as u64;
    }
    for load in &panel.loads {
        let name = panel.nodes[load.node as usize].as_str();
        if query.peak.contains(load.day, load.hour)
            && let Some(node) = found.get_mut(name)
        {
            let known = node.loads.entry(load.day).or_insert(load.ratio);
            *known = known.max(load.ratio);
        }
    }
    found.into_values().collect()
}

impl Node {
    /// How full it runs now: the utilisation that the busy hours of 95% of the last four weeks' days stay below. What it
    /// was before it was relieved says nothing of it.
    pub(super) fn busy_hour(&self) -> Option<f64> {
        most_days(self.loads.range(self.recent..).map(|load| *load.1).collect())
    }

    /// The same over the whole period.
    pub(super) fn busy_hour_throughout(&self) -> Option<f64> {
        most_days(self.loads.values().copied().collect())
    }

    /// Technology and region.
    pub(super) fn ground(&self) -> String {
        [self.technology.as_str(), self.region.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

fn most_days(mut all: Vec<f64>) -> Option<f64> {
    all.sort_by(f64::total_cmp);
    let rank = (0.95 * all.len() as f64).ceil() as usize;
    all.get(rank.checked_sub(1)?).copied()
}

/// The days of which utilisation and values are both known. A node that is full to the brim has no place on the curve.
pub(super) fn node_days(nodes: &[Node], daily: &Daily, expected: &Expected) -> Vec<NodeDay> {
    let mut out = Vec::new();
    for (place, node) in nodes.iter().enumerate() {
        let mut levels: BTreeMap<i32, Levels> = BTreeMap::new();
        for &line in &node.lines {
            for &(day, level) in &daily.lines[line] {
                let entry = levels.entry(day).or_default();
                entry.sum += level;
                entry.n += 1.0;
                if let Some(expected) = expected.get(&(line, day - i32::from(weekday(day)))) {
                    entry.judged += 1.0;
                    entry.short += f64::from(u8::from(level > *expected));
                }
            }
        }
        for (&day, &utilisation) in node.loads.iter().filter(|load| *load.1 < 1.0) {
            if let Some(Levels { sum, n, short, judged }) = levels.get(&day) {
                let value = daily.scale.back(sum / n);
                let short = (*judged > 0.0).then(|| short / judged);
                out.push(NodeDay { node: place, day, utilisation, value, short });
            }
        }
    }
    out
}

/// What the lines of a node had on a day.
#[derive(Default)]
struct Levels {
    sum: f64,
    n: f64,
    short: f64,
    judged: f64,
}

/// The level that a line's customer has come to expect, by line and Monday: the plain mean of what is known of promise
/// (or the norm that stands for it), own history, region and word of mouth, on the scale on which higher is worse.
pub(super) type Expected = BTreeMap<(usize, i32), f64>;

pub(super) fn expected(
    panel: &Panel,
    daily: &Daily,
    risk: &Risk,
    query: &Query,
    notes: &mut Vec<Note>,
) -> Expected {
    let asked =
        expectation::Query { repeat_days: query.repeat_days, ..expectation::Query::of(query.own.as_str()) };
    let weeks = line_weeks(panel, daily, risk, &asked);
    let by_norm = weeks.iter().filter(|week| week.norm().is_some()).map(|week| week.line);
    note_norm(notes, daily.series.metric, by_norm.collect::<BTreeSet<_>>().len());
    let known = |week: LineWeek| Some(((week.line, week.day), week.expected()?));
    weeks.into_iter().filter_map(known).collect()
}

/// A line on a day, with what it had the day before and whether an episode began.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineDay {
    pub(super) line: usize,
    pub(super) value: f64,
    pub(super) complained: bool,
}

/// Every day of every line on which an episode could begin and the day before is known.
pub(super) fn line_days(daily: &Daily, risk: &Risk) -> Vec<LineDay> {
    let mut out = Vec::new();
    for &line in &risk.own {
        let began: BTreeSet<i32> = risk.network[line].iter().copied().collect();
        for &(day, level) in &daily.lines[line] {
            if risk.may_begin(line, day + 1) {
                let complained = began.contains(&(day + 1));
                out.push(LineDay { line, value: daily.scale.back(level), complained });
            }
        }
    }
    out
}
