//! For what can the data speak, for what not, and what should be measured next?
//!
//! For each operator and stratum: lines, observations, days, and how many of the week's 168 hours were seen; the
//! quantiles that this many lines can carry (a distribution-free 95% interval exists from 6 lines for the median, 29 for
//! p90, 59 for p95, 299 for p99). For each pair of operators: how much of either stands on common ground. For each
//! verdict that is open: how many lines, on which side, would decide it, and whether more tests on the same lines
//! could (see [`crate::stats::plan`]).
//!
//! It cannot tell whether the lines that are measured are like those that are not.

use super::answer::Words;
use super::peers::strata::{self, Group, Part};
use super::peers::{self, Stratum, Verdict, verdict_margin};
use super::{Declined, Head, Method, Series};
use crate::stats::design::effective_weights;
use crate::stats::plan::{Aim, Plan, Side, plan};
use crate::stats::quantile::{smallest_n, weighted};
use crate::stats::welch::Moments;
use broadgauge_model::panel::{Hours, Panel, weekday};
use broadgauge_model::text::Phrase;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 1;
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
        Self { peers: peers::Query { quantiles: vec![0.5], ..peers::Query::of(own) } }
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
    /// The quantiles that so many lines can carry.
    pub speaks_for: Vec<f64>,
    /// Those that they cannot, and why.
    pub silent_on: Vec<Gap>,
}

/// A quantile that cannot be spoken of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The quantile.
    pub quantile: f64,
    /// Lines that are there; where they are weighted, how many lines of equal weight they are worth.
    pub lines: usize,
    /// Lines that it takes.
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

/// What would decide an open verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Next {
    /// What was observed.
    #[serde(flatten)]
    pub series: Series,
    /// The stratum.
    pub stratum: Stratum,
    /// The own operator.
    pub own: String,
    /// The peer operator.
    pub peer: String,
    /// Lines now: own, peer.
    pub lines: (usize, usize),
    /// The smallest difference that matters, in the metric's unit.
    pub margin_absolute: f64,
    /// To find a difference of that size in 80 of 100 cases.
    pub to_find: Option<Need>,
    /// To show that there is none, in 80 of 100 cases, if there is none.
    pub to_show_par: Option<Need>,
    /// In words.
    pub advice: Words,
}

/// How much it takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Need {
    /// Own lines, the fewest in all.
    pub own_lines: usize,
    /// Peer lines.
    pub peer_lines: usize,
    /// Own lines if the peer's stay as they are; null where no number will do.
    pub own_lines_alone: Option<usize>,
    /// How many times as many tests on the same lines; null where no number will do.
    pub tests_factor: Option<f64>,
}

impl Need {
    fn of(plan: Plan) -> Self {
        Self {
            own_lines: plan.both.0,
            peer_lines: plan.both.1,
            own_lines_alone: plan.first_alone,
            tests_factor: plan.values_factor,
        }
    }
}

/// Says what the data can speak for.
pub fn study(panel: &Panel, query: &Query) -> Coverage {
    let ask = peers::Query { quantiles: vec![0.5], ..query.peers.clone() };
    let mut head = head(panel, &ask);
    let wanted: BTreeSet<&str> = strata::operators(panel)
        .into_iter()
        .filter(|o| ask.peers.is_empty() || *o == ask.own || ask.peers.iter().any(|p| p == o))
        .collect();
    let mut matched = strata::matched(panel, &ask, &wanted);
    head.notes.append(&mut matched.notes);
    let compared = peers::study(panel, &ask);
    let rows = rows(&matched);
    let declined = rows.is_empty().then(|| {
        Declined::because(Words::plain(Phrase { en: "nothing was observed", zh: "没有任何观测" }))
    });
    Coverage {
        rows,
        silent: silent(panel, &wanted),
        overlap: overlap(&matched, &ask, &wanted),
        next: next(&matched, &compared),
        head,
        declined,
    }
}

fn head(panel: &Panel, query: &peers::Query) -> Head {
    let filters = BTreeMap::from([
        ("own", json!(query.own)),
        ("peers", json!(query.peers)),
        ("by", json!(query.by)),
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
            source: "David and Nagaraja 2003, 7.1; Schuirmann 1987",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

fn labelled(ground: &Stratum, part: Part) -> Stratum {
    Stratum(ground.0.iter().cloned().chain(part.labels()).collect())
}

/// What a group holds in one part of the week.
#[derive(Default)]
struct Tally {
    lines: usize,
    observations: u64,
    /// Weights of the lines.
    weights: Vec<f64>,
}

impl Tally {
    /// How many lines of equal weight the lines are worth: (sum w)^2 / sum w^2 (Kish, Survey Sampling, 1965).
    fn worth(&self) -> usize {
        effective_weights(&self.weights).map_or(0, |worth| (worth + 1e-6).floor() as usize)
    }
}

fn tally(group: &Group) -> BTreeMap<Part, Tally> {
    let mut out: BTreeMap<Part, Tally> = BTreeMap::new();
    for line in group {
        for (part, points) in &line.parts {
            let tally = out.entry(*part).or_default();
            tally.lines += 1;
            tally.observations += points.iter().map(|p| p.1).sum::<u64>();
            tally.weights.push(line.weight);
        }
    }
    out
}

fn rows(matched: &strata::Strata) -> Vec<Row> {
    let mut rows = Vec::new();
    for (series, grounds) in &matched.series {
        for (ground, groups) in &grounds.grounds {
            for (operator, group) in groups {
                for (part, tally) in tally(group) {
                    let worth = tally.worth();
                    let need = |p: f64| smallest_n(p, 0.95).unwrap_or(usize::MAX);
                    rows.push(Row {
                        series: series.clone(),
                        stratum: labelled(ground, part),
                        operator: operator.clone(),
                        lines: tally.lines,
                        observations: tally.observations,
                        speaks_for: QUANTILES.into_iter().filter(|&p| worth >= need(p)).collect(),
                        silent_on: QUANTILES
                            .into_iter()
                            .filter(|&p| worth < need(p))
                            .map(|quantile| Gap { quantile, lines: worth, needs: need(quantile) })
                            .collect(),
                    });
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
                let common = |group: Option<&Group>, known: &BTreeMap<Part, Tally>| {
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

/// A side's variance between lines, and what the tests of a line leave in its median; both larger by what unequal weights
/// cost, lines through the number of equal ones that they are worth.
fn side(group: &Group, part: Part) -> Option<Side> {
    let mut medians = Vec::new();
    let mut noise = Vec::new();
    let mut weights = Vec::new();
    for line in group {
        let Some((_, points)) = line.parts.iter().find(|(p, _)| *p == part) else { continue };
        let pairs: Vec<(f64, f64)> = points.iter().map(|&(v, n)| (v, n as f64)).collect();
        medians.push(weighted(&pairs, 0.5).ok()?);
        weights.push(line.weight);
        let n: f64 = pairs.iter().map(|p| p.1).sum();
        if n > 1.0 {
            let mean = pairs.iter().map(|p| p.0 * p.1).sum::<f64>() / n;
            let variance = pairs.iter().map(|p| p.1 * (p.0 - mean).powi(2)).sum::<f64>() / (n - 1.0);
            // The variance of a median, as if values were about normal.
            noise.push(std::f64::consts::FRAC_PI_2 * variance / n);
        }
    }
    let all = Moments::of(&medians).ok()?.variance;
    let within = if noise.is_empty() { 0.0 } else { noise.iter().sum::<f64>() / noise.len() as f64 };
    let within = within.min(all);
    let cost = medians.len() as f64 / effective_weights(&weights).ok()?;
    Some(Side { clusters: medians.len(), between: cost * (all - within), within: cost * within })
}

fn next(matched: &strata::Strata, compared: &peers::Peers) -> Vec<Next> {
    let mut out = Vec::new();
    let open = compared.rows.iter().filter(|r| r.verdict == Verdict::CannotTell && !r.stratum.is_combined());
    for row in open {
        for (series, grounds) in &matched.series {
            if *series != Series::of_row(row) {
                continue;
            }
            for (ground, groups) in &grounds.grounds {
                let (Some(a), Some(b)) = (groups.get(&row.own.operator), groups.get(&row.peer.operator))
                else {
                    continue;
                };
                let part = tally(a).into_keys().find(|part| labelled(ground, *part) == row.stratum);
                let sides = part.and_then(|part| Some((side(a, part)?, side(b, part)?)));
                out.extend(sides.and_then(|(own, peer)| planned(row, (a, b), own, peer)));
            }
        }
    }
    out
}

fn planned(row: &peers::Row, (a, b): (&Group, &Group), own: Side, peer: Side) -> Option<Next> {
    let middle = |group: &Group| {
        let all = group.iter().flat_map(|l| &l.parts).flat_map(|(_, points)| points);
        let mut all: Vec<(f64, f64)> = all.map(|&(v, n)| (v, n as f64)).collect();
        all.sort_by(|x, y| x.0.total_cmp(&y.0));
        weighted(&all, 0.5).ok()
    };
    let margin = match row.margin_absolute {
        Some(margin) => margin,
        None => verdict_margin(row.margin, middle(a)?, middle(b)?),
    };
    let need = |aim| plan(own, peer, aim, 0.05, 0.8).ok().map(Need::of);
    let to_find = need(Aim::Find(margin));
    let to_show_par = need(Aim::ShowEqual { margin, difference: 0.0 });
    let advice = match (to_find, to_show_par) {
        (Some(find), Some(par)) => Words::with(
            Phrase {
                en: "to find a gap of {margin} {unit} in 80 of 100 cases: {own_find} lines of {own} and {peer_find} of {peer}; to show that there is none: {own_par} and {peer_par}; {tests}",
                zh: "要在 100 次中有 80 次发现 {margin} {unit} 的差距：{own} {own_find} 条线路、{peer} {peer_find} 条；要证明没有差距：{own_par} 条和 {peer_par} 条；{tests}",
            },
            &[
                ("margin", &format!("{margin:.2}")),
                ("unit", &row.unit),
                ("own_find", &find.own_lines),
                ("own", &row.own.operator),
                ("peer_find", &find.peer_lines),
                ("peer", &row.peer.operator),
                ("own_par", &par.own_lines),
                ("peer_par", &par.peer_lines),
                ("tests", &tests(find)),
            ],
        ),
        _ => Words::plain(Phrase {
            en: "no margin is set, so no size can be named",
            zh: "未设容差，无法给出规模",
        }),
    };
    Some(Next {
        series: Series::of_row(row),
        stratum: row.stratum.clone(),
        own: row.own.operator.clone(),
        peer: row.peer.operator.clone(),
        lines: (own.clusters, peer.clusters),
        margin_absolute: margin,
        to_find,
        to_show_par,
        advice,
    })
}

fn tests(need: Need) -> String {
    match need.tests_factor {
        Some(factor) if factor <= 1.0 => "the tests are enough".into(),
        Some(factor) => format!("or {factor:.1} times as many tests on the same lines"),
        None => "more tests on the same lines will not do".into(),
    }
}

#[cfg(test)]
mod tests;
