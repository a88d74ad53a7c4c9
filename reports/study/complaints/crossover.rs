//! Did the network get worse before this customer's complaint? Each line is its own control.
//!
//! The case is the window before the complaint; its referents are the same windows on all other days of the same
//! weekday in the same block of 28 days, fixed by the calendar before anything is looked at (time-stratified: Janes,
//! Sheppard and Lumley, Epidemiology 16, 2005). Whatever is constant within a month (the line, the plan, the season)
//! cannot confound. The conditional likelihood gives a ratio of complaint rates per step of the exposure.
//!
//! Two negative controls go with it. Billing complaints: the network cannot have caused them. The future: what the
//! line sees after the complaint cannot have caused it either; past windows stand beside it in the model, because a
//! bad spell that outlasts the complaint is still a bad spell (Flanders et al., Epidemiology 22, 2011).
//!
//! It cannot see what varies with the exposure from week to week, such as holidays.

use super::bands::window_label;
use super::episodes::{AtRisk, Episode};
use super::exposure::{Counter, Hour, Observed};
use super::query::Query;
use super::row::{AreaCrossover, CaseCrossover, Control};
use crate::stats::clogit::{Errors, Fit, MatchedSets, Ratio};
use crate::stats::multiple::q_values;
use crate::study::{Answer, Declined, Note, Words};
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::Phrase;
use broadgauge_model::unit::Unit;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Days of a block.
const BLOCK: i32 = 28;
/// Fewer groups than this are too few for clustered errors.
const SOME_CLUSTERS: usize = 20;

/// The step of a rate ratio, as a number and as text.
pub(super) fn increment(metric: MetricId) -> (f64, String) {
    match metric.unit {
        Unit::Milliseconds if metric.id() == "page_time" => (100.0, "100 ms".into()),
        Unit::Milliseconds => (10.0, "10 ms".into()),
        Unit::MegabitsPerSecond => (10.0, "10 Mbit/s".into()),
        Unit::Ratio => (0.01, "1 %".into()),
        Unit::RoundTripsPerMinute => (100.0, "100 RPM".into()),
        Unit::OpinionScore => (0.1, "0.1 MOS".into()),
        Unit::Score => (5.0, "5 points".into()),
        Unit::Count => (1.0, "1".into()),
    }
}

/// Windows relative to the hour of the complaint: the one asked about first, then those it is adjusted for.
#[derive(Clone, Debug)]
struct Windows(Vec<Range<Hour>>);

impl Windows {
    fn past(query: &Query, hours: u32) -> Range<Hour> {
        let end = -i64::from(query.gap_hours);
        end - i64::from(hours)..end
    }

    fn before(query: &Query, hours: u32) -> Self {
        Self(std::iter::once(Self::past(query, hours)).collect())
    }

    fn after(query: &Query, hours: u32) -> Self {
        let start = i64::from(query.future_gap_hours);
        let asked = std::iter::once(start..start + i64::from(hours));
        Self(asked.chain(query.windows_hours.iter().map(|&h| Self::past(query, h))).collect())
    }
}

/// All comparisons of one exposure, without q.
pub(super) fn crossover(observed: &Observed, risk: &AtRisk, query: &Query) -> Vec<CaseCrossover> {
    let mut rows = Vec::new();
    for (class, control) in [
        (Class::Network, None),
        (Class::Billing, Some(Control::Billing)),
        (Class::Network, Some(Control::Future)),
    ] {
        for &hours in &query.windows_hours {
            let windows = if control == Some(Control::Future) {
                Windows::after(query, hours)
            } else {
                Windows::before(query, hours)
            };
            rows.push(row(observed, risk, query, class, control, hours, &windows));
        }
    }
    rows
}

/// A case and its referents: rows of covariates.
struct Matched {
    case: Vec<f64>,
    referents: Vec<Vec<f64>>,
}

/// Why an episode is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Drop {
    Unmeasured,
    NoReferent,
}

impl Drop {
    const fn phrase(self) -> Phrase {
        match self {
            Self::Unmeasured => Phrase {
                en: "nothing was measured in the window, or it reaches beyond the period",
                zh: "窗口内没有测量，或窗口超出统计期",
            },
            Self::NoReferent => Phrase {
                en: "no other day of the same weekday and block was measured",
                zh: "同一时段内没有其他同星期的日子有测量",
            },
        }
    }
}

fn row(
    observed: &Observed,
    risk: &AtRisk,
    query: &Query,
    class: Class,
    control: Option<Control>,
    hours: u32,
    windows: &Windows,
) -> CaseCrossover {
    let episodes = risk.episodes.get(&class).map_or(&[][..], Vec::as_slice);
    let matched: Vec<Result<Matched, Drop>> = episodes
        .par_iter()
        .map_init(Counter::default, |counter, episode| matched(observed, risk, episode, windows, counter))
        .collect();
    let mut dropped = BTreeMap::<Drop, u64>::new();
    for drop in matched.iter().filter_map(|m| m.as_ref().err()) {
        *dropped.entry(*drop).or_default() += 1;
    }
    let used: Vec<(&Episode, &Matched)> =
        episodes.iter().zip(&matched).filter_map(|(e, m)| Some((e, m.as_ref().ok()?))).collect();
    let clusters = clusters(used.iter().map(|(e, _)| *e), risk);
    let (increment, per) = increment(observed.exposure.metric);
    let found = fitted(&used, &clusters, windows.0.len(), query.minimum_episodes).and_then(|fit| {
        let shared = fit.clusters < fit.sets;
        if shared && fit.clusters < SOME_CLUSTERS {
            return Err(too_few_groups(fit.clusters));
        }
        let errors = if shared { Errors::Clustered } else { Errors::Model };
        Ok((fit.ratio(0, increment, errors, 0.95)?, fit.informative))
    });
    let mut distinct = clusters;
    distinct.sort_unstable();
    distinct.dedup();
    let (rate_ratio, p) = match found {
        Ok((ratio, n)) => judged(&ratio, n),
        Err(declined) => (declined.into(), None),
    };
    CaseCrossover {
        exposure: observed.exposure.clone(),
        window: window_label(hours),
        per,
        increment,
        class,
        control,
        episodes: used.len() as u64,
        lines: used.iter().map(|(episode, _)| episode.line).collect::<BTreeSet<_>>().len(),
        clusters: distinct.len() as u64,
        dropped: dropped
            .into_iter()
            .map(|(drop, count)| Note { reason: Words::plain(drop.phrase()), count })
            .collect(),
        rate_ratio,
        p,
        q: None,
    }
}

/// The ratio with its p-value; neither where the fit says next to nothing.
pub(super) fn judged(ratio: &Ratio, n: usize) -> (Answer, Option<f64>) {
    let answer = Answer::ratio(ratio.ratio, ratio.interval.pair(), n as u64);
    let p = answer.as_estimate().map(|_| ratio.p);
    (answer, p)
}

/// Episodes that share their error, as when one fault hits many lines, are no independent evidence, and the sandwich
/// does not stand on a few groups of them.
fn too_few_groups(have: usize) -> Declined {
    let phrase = Phrase {
        en: "the episodes fall into {have} independent groups (lines, or faults of one node and day), and at least {need} are needed",
        zh: "投诉事件只构成 {have} 个独立组（线路，或同一节点同一天的故障），至少需要 {need} 个",
    };
    Declined::because(Words::with(phrase, &[("have", &have), ("need", &SOME_CLUSTERS)]))
}

/// The covariates of a case and of its referents.
fn matched(
    observed: &Observed,
    risk: &AtRisk,
    episode: &Episode,
    windows: &Windows,
    counter: &mut Counter,
) -> Result<Matched, Drop> {
    let line = &risk.lines[episode.line as usize];
    let period = i64::from(risk.first_day) * 24..i64::from(risk.end_day) * 24;
    let mut at = |day: i32| -> Option<Vec<f64>> {
        let hour = i64::from(day) * 24 + i64::from(episode.hour);
        windows
            .0
            .iter()
            .map(|w| {
                let window = hour + w.start..hour + w.end;
                let inside = window.start >= period.start && window.end <= period.end;
                inside.then(|| observed.at(episode.line as usize, &window, counter)).flatten()
            })
            .collect()
    };
    let case = at(episode.day).ok_or(Drop::Unmeasured)?;
    let block = risk.first_day + (episode.day - risk.first_day).div_euclid(BLOCK) * BLOCK;
    let referents: Vec<Vec<f64>> = (block..block + BLOCK)
        .filter(|d| *d != episode.day && (d - episode.day) % 7 == 0 && line.days.contains(d))
        .filter_map(at)
        .collect();
    if referents.is_empty() { Err(Drop::NoReferent) } else { Ok(Matched { case, referents }) }
}

fn fitted(
    used: &[(&Episode, &Matched)],
    clusters: &[u64],
    width: usize,
    minimum: usize,
) -> Result<Fit, Declined> {
    let mut sets = MatchedSets::new(width)?;
    for ((_, matched), cluster) in used.iter().zip(clusters) {
        sets.push(*cluster, &matched.case, &matched.referents)?;
    }
    // Only sets in which the exposure asked about differs say anything about it.
    let informative = used.iter().filter(|(_, m)| m.referents.iter().any(|r| r[0] != m.case[0])).count();
    if informative < minimum {
        let phrase = Phrase {
            en: "{have} episodes with a measured window and referents that differ, and at least {need} are needed",
            zh: "有测量且与对照日有差异的投诉事件只有 {have} 个，至少需要 {need} 个",
        };
        return Err(Declined::because(Words::with(phrase, &[("have", &informative), ("need", &minimum)])));
    }
    Ok(sets.fit()?)
}

/// Which episodes may share their error: those of one line, and those of one node on one day, directly or through
/// others.
pub(super) fn clusters<'a>(episodes: impl Iterator<Item = &'a Episode>, risk: &AtRisk) -> Vec<u64> {
    let mut parent: Vec<usize> = Vec::new();
    let mut by_line: BTreeMap<u32, usize> = BTreeMap::new();
    let mut by_outage: BTreeMap<(u32, i32), usize> = BTreeMap::new();
    for (number, episode) in episodes.enumerate() {
        parent.push(number);
        let line = *by_line.entry(episode.line).or_insert(number);
        join(&mut parent, number, line);
        if let Some(node) = risk.lines[episode.line as usize].node {
            let outage = *by_outage.entry((node, episode.day)).or_insert(number);
            join(&mut parent, number, outage);
        }
    }
    (0..parent.len()).map(|number| root(&mut parent, number) as u64).collect()
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

fn join(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parent, a), root(parent, b));
    parent[a.max(b)] = a.min(b);
}

/// q-values: the network's windows and metrics, of lines and of areas, are one family, each control another.
pub(super) fn adjust(rows: &mut [CaseCrossover], areas: &mut [AreaCrossover]) {
    for control in [None, Some(Control::Billing), Some(Control::Future)] {
        let of_lines = rows.iter_mut().filter(|r| r.control == control).map(|r| (r.p, &mut r.q));
        let of_areas = areas.iter_mut().filter(|r| r.control == control).map(|r| (r.p, &mut r.q));
        let mut family: Vec<(f64, &mut Option<f64>)> =
            of_lines.chain(of_areas).filter_map(|(p, q)| Some((p?, q))).collect();
        let p: Vec<f64> = family.iter().map(|(p, _)| *p).collect();
        let found = q_values(&p).unwrap_or_default();
        family.iter_mut().zip(found).for_each(|((_, place), q)| **place = Some(q));
    }
}
