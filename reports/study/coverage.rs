//! For what can the data speak, for what not, and what should be measured next?
//!
//! For each operator and stratum: lines, observations, days, and how many of the week's 168 hours were seen; the
//! quantiles that the lines can carry. That rule is the comparison's own ([`peers`]): enough lines on a side, and as many
//! independent observations as a distribution-free 95% interval asks for (6 for the median, 29 for p90, 59 for p95, 299
//! for p99), which tests of the same line are worth only as far as they differ ([`crate::stats::standing`]). For each
//! pair of operators: how much of either stands on common ground. For each verdict that is open, at each quantile: how
//! many lines it takes before the comparison says anything; and where it says something, how many lines, on which
//! side, would decide it, and whether more tests on the same lines could (see [`crate::stats::plan`]).
//!
//! It cannot tell whether the lines that are measured are like those that are not.

mod carried;
mod next;

pub use next::{Compare, Need, Next};

use self::carried::{effective, pool};
use super::answer::Words;
use super::peers::strata::{self, Group, Part};
use super::peers::{self, Stratum};
use super::{Declined, Head, Method, Series};
use broadgauge_model::panel::{Hours, Panel, weekday};
use broadgauge_model::text::Phrase;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 2;
/// The quantiles of which a row says whether they can be spoken of.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// The question.
#[derive(Clone, Debug)]
pub struct Query {
    /// The comparison whose open verdicts are planned for.
    pub peers: peers::Query,
}

impl Query {
    /// The usual question.
    pub fn of(own: impl Into<String>) -> Self {
        Self { peers: peers::Query::of(own) }
    }
}

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// What was observed, by operator and stratum.
    pub rows: Vec<Row>,
    /// Lines that nothing was observed on, by operator and region.
    pub silent: Vec<Silent>,
    /// Common ground, by pair.
    pub overlap: Vec<Overlap>,
    /// What to measure next, by open verdict.
    pub next: Vec<Next>,
    /// Why nothing can be said.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// One operator in one stratum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What was observed.
    #[serde(flatten)]
    pub series: Series,
    /// The stratum.
    pub stratum: Stratum,
    /// The operator.
    pub operator: String,
    /// Lines.
    pub lines: usize,
    /// Observations.
    pub observations: u64,
    /// The quantiles that the lines can carry.
    pub speaks_for: Vec<f64>,
    /// Those that they cannot, and why.
    pub silent_on: Vec<Gap>,
}

/// A quantile that cannot be spoken of: too few lines, or too few independent observations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The quantile.
    pub quantile: f64,
    /// Lines that are there.
    pub lines: usize,
    /// Lines that it takes.
    pub needs_lines: usize,
    /// Independent observations that the quantile stands on.
    pub effective: usize,
    /// Independent observations that it takes.
    pub needs: usize,
}

/// Lines without any observation, and the hours of the rest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Silent {
    /// The operator.
    pub operator: String,
    /// The region; absent where lines name none.
    pub region: Option<String>,
    /// All lines that are known.
    pub lines: usize,
    /// Those on which nothing was observed.
    pub unobserved: usize,
    /// Days with an observation.
    pub days: usize,
    /// Hours of the week, of 168, with an observation on some line.
    pub hours_of_week: usize,
}

/// Common ground of the own operator and a peer operator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overlap {
    /// What was observed.
    #[serde(flatten)]
    pub series: Series,
    /// The own operator.
    pub own: String,
    /// The peer operator.
    pub peer: String,
    /// Strata with both, and with either.
    pub strata_both: usize,
    /// Strata in which at least one was observed.
    pub strata_either: usize,
    /// Own lines on common ground, of all own lines.
    pub own_lines_common: usize,
    /// Own lines observed.
    pub own_lines: usize,
    /// Peer lines on common ground, of all of the peer's.
    pub peer_lines_common: usize,
    /// Peer lines observed.
    pub peer_lines: usize,
}

/// Says what the data can speak for.
pub fn study(panel: &Panel, query: &Query) -> Coverage {
    let ask = &query.peers;
    let mut head = head(panel, ask);
    let wanted: BTreeSet<&str> = strata::operators(panel)
        .into_iter()
        .filter(|o| ask.peers.is_empty() || *o == ask.own || ask.peers.iter().any(|p| p == o))
        .collect();
    let mut matched = strata::matched(panel, ask, &wanted);
    head.notes.append(&mut matched.notes);
    let compared = peers::study(panel, ask);
    let rows = rows(&matched, ask);
    let declined = rows.is_empty().then(|| {
        Declined::because(Words::plain(Phrase { en: "nothing was observed", zh: "没有任何观测" }))
    });
    Coverage {
        rows,
        silent: silent(panel, &wanted),
        overlap: overlap(&matched, ask, &wanted),
        next: next::next(&matched, &compared, ask),
        head,
        declined,
    }
}

fn head(panel: &Panel, query: &peers::Query) -> Head {
    let filters = BTreeMap::from([
        ("own", json!(query.own)),
        ("peers", json!(query.peers)),
        ("by", json!(query.by)),
        ("quantiles", json!(query.quantiles)),
        ("peak", json!(query.peak)),
        ("metrics", json!(query.metrics)),
    ]);
    Head {
        study: "coverage",
        version: VERSION,
        period: panel.period.clone(),
        filters,
        seed: query.seed,
        method: Method {
            name: "counts, order statistics, power calculation turned round",
            version: VERSION,
            source: "David and Nagaraja 2003, 7.1; Kish 1965; Woodruff 1952; Schuirmann 1987",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

fn labelled(ground: &Stratum, part: Part) -> Stratum {
    Stratum(ground.0.iter().cloned().chain(part.labels()).collect())
}

/// Lines and observations of a group in each part of the week.
fn tally(group: &Group) -> BTreeMap<Part, (usize, u64)> {
    let mut out: BTreeMap<Part, (usize, u64)> = BTreeMap::new();
    for line in group {
        for (part, points) in &line.parts {
            let (lines, observations) = out.entry(*part).or_default();
            *lines += 1;
            *observations += points.iter().map(|p| p.1).sum::<u64>();
        }
    }
    out
}

fn rows(matched: &strata::Strata, ask: &peers::Query) -> Vec<Row> {
    let mut rows = Vec::new();
    for (series, grounds) in &matched.series {
        for (ground, groups) in &grounds.grounds {
            for (operator, group) in groups {
                for (part, (lines, observations)) in tally(group) {
                    let mut row = Row {
                        series: series.clone(),
                        stratum: labelled(ground, part),
                        operator: operator.clone(),
                        lines,
                        observations,
                        speaks_for: Vec::new(),
                        silent_on: Vec::new(),
                    };
                    let pool = pool(group, part);
                    for quantile in QUANTILES {
                        let known = pool.as_ref().and_then(|pool| effective(pool, quantile));
                        let Some((effective, needs)) = known else { continue };
                        let needs_lines = ask.minimum_lines;
                        if lines >= needs_lines && effective >= needs {
                            row.speaks_for.push(quantile);
                        } else {
                            row.silent_on.push(Gap { quantile, lines, needs_lines, effective, needs });
                        }
                    }
                    rows.push(row);
                }
            }
        }
    }
    rows
}

fn silent(panel: &Panel, wanted: &BTreeSet<&str>) -> Vec<Silent> {
    #[derive(Default)]
    struct Seen {
        lines: usize,
        observed: BTreeSet<u32>,
        days: BTreeSet<i32>,
        hours: BTreeSet<(u8, u8)>,
    }
    let mut seen: BTreeMap<(&str, Option<&str>), Seen> = BTreeMap::new();
    let key = |line: usize| {
        let line = &panel.lines[line];
        (line.operator.as_str(), line.region.as_deref())
    };
    for line in 0..panel.lines.len() {
        if wanted.contains(panel.lines[line].operator.as_str()) {
            seen.entry(key(line)).or_default().lines += 1;
        }
    }
    for cell in panel.cells.iter().filter(|c| !c.values.is_empty()) {
        let known = panel.lines.get(cell.line as usize).is_some();
        if let Some(entry) = known.then(|| seen.get_mut(&key(cell.line as usize))).flatten() {
            entry.observed.insert(cell.line);
            if let Hours::At { day, hour } = cell.hours {
                entry.days.insert(day);
                entry.hours.insert((weekday(day), hour));
            }
        }
    }
    seen.into_iter()
        .map(|((operator, region), seen)| Silent {
            operator: operator.to_owned(),
            region: region.map(str::to_owned),
            lines: seen.lines,
            unobserved: seen.lines - seen.observed.len(),
            days: seen.days.len(),
            hours_of_week: seen.hours.len(),
        })
        .collect()
}

fn overlap(matched: &strata::Strata, ask: &peers::Query, wanted: &BTreeSet<&str>) -> Vec<Overlap> {
    let mut out = Vec::new();
    for (series, grounds) in &matched.series {
        for peer in wanted.iter().filter(|o| **o != ask.own) {
            let mut row = Overlap {
                series: series.clone(),
                own: ask.own.clone(),
                peer: (*peer).to_owned(),
                strata_both: 0,
                strata_either: 0,
                own_lines_common: 0,
                own_lines: 0,
                peer_lines_common: 0,
                peer_lines: 0,
            };
            for groups in grounds.grounds.values() {
                let (own, other) = (groups.get(&ask.own), groups.get(*peer));
                let parts = |group: Option<&Group>| group.map(tally).unwrap_or_default();
                let (a, b) = (parts(own), parts(other));
                let either: BTreeSet<&Part> = a.keys().chain(b.keys()).collect();
                row.strata_either += either.len();
                row.strata_both += a.keys().filter(|part| b.contains_key(part)).count();
                let common = |group: Option<&Group>, known: &BTreeMap<Part, (usize, u64)>| {
                    let shared =
                        |line: &&strata::LineData| line.parts.iter().any(|(p, _)| known.contains_key(p));
                    group.map_or(0, |g| g.iter().filter(shared).count())
                };
                row.own_lines += own.map_or(0, Vec::len);
                row.peer_lines += other.map_or(0, Vec::len);
                row.own_lines_common += common(own, &b);
                row.peer_lines_common += common(other, &a);
            }
            if row.own_lines + row.peer_lines > 0 {
                out.push(row);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
