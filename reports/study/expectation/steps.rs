//! What the gap between what was promised, or is expected, and what is had is made of: the hour, the access, the region.
//!
//! The arithmetic is that of [`shapley`]: a line is held against itself at other hours on the same days, and its group
//! against the group that has least to complain of among lines of the same region, or of the same technology. What is
//! compared between groups is how far lines are from their promise, or else from what is expected of them. What is expected
//! is expected of busy hours: there the hour is no part of the gap. What none of them explains is a step of its own.
//!
//! No table says what a terminal or a home network costs, nor which way packets took to the peers: those are in what is
//! not explained.

use super::fit::segment;
use super::months::Placed;
use super::row::{Origin, Step, StepKind, Steps};
use crate::stats::shapley::{self, Case, Parts};
use crate::stats::{Interval, Refusal};
use crate::study::experience::{Daily, mean_of_lines};
use crate::study::peers::Peak;
use crate::study::seed::seed_of;
use crate::study::{Answer, Declined};
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use std::collections::{BTreeMap, BTreeSet};

/// Fewer lines are not split.
const FEWEST_LINES: usize = 40;
/// Days on which a line must be known both in the busy hours and in others.
const FEWEST_DAYS: usize = 5;
/// Where fewer lines have a promise, the gap is one to what is expected.
const MOST_PROMISED: f64 = 0.8;

/// A line over the whole period, on the scale.
struct Line {
    at: usize,
    had: f64,
    expected: f64,
    promise: Option<f64>,
    /// How much worse its busy hours are than the others of the same days.
    busy: Option<f64>,
}

/// The steps of all customers, and of each segment.
pub(super) fn steps(
    panel: &Panel,
    daily: &Daily,
    placed: &[Placed<'_>],
    peak: Peak,
    (seed, replicates): (u64, usize),
) -> Vec<Steps> {
    let quiet = daily.at_other_hours(panel, peak);
    let lines = lines(daily, &quiet, placed);
    let segments: BTreeSet<&str> = lines.iter().map(|line| segment(panel, line.at)).collect();
    let mut groups: Vec<(Option<&str>, Vec<&Line>)> = vec![(None, lines.iter().collect())];
    if segments.len() > 1 {
        for name in segments {
            let own = lines.iter().filter(|line| segment(panel, line.at) == name).collect();
            groups.push((Some(name), own));
        }
    }
    let id = daily.series.metric.id();
    groups
        .into_iter()
        .filter(|(_, lines)| lines.len() >= FEWEST_LINES)
        .map(|(name, lines)| {
            let seed = seed_of(seed, &["steps", id, name.unwrap_or_default()]);
            told(panel, daily, name, &lines, (seed, replicates))
        })
        .collect()
}

fn lines(daily: &Daily, quiet: &[Vec<(i32, f64)>], placed: &[Placed<'_>]) -> Vec<Line> {
    let mut sums: BTreeMap<usize, (f64, f64, f64, Vec<f64>)> = BTreeMap::new();
    for one in placed {
        let entry = sums.entry(one.week.line).or_default();
        entry.0 += one.week.value;
        entry.1 += one.expected;
        entry.2 += 1.0;
        entry.3.extend(one.week.promise());
    }
    let line = |(at, (had, expected, n, promise)): (usize, (f64, f64, f64, Vec<f64>))| Line {
        at,
        had: had / n,
        expected: expected / n,
        promise: (promise.len() as f64 >= n).then(|| promise.iter().sum::<f64>() / n),
        busy: busy(&daily.lines[at], &quiet[at]),
    };
    sums.into_iter().map(line).collect()
}

/// The mean over days known at both times.
fn busy(busy: &[(i32, f64)], quiet: &[(i32, f64)]) -> Option<f64> {
    let quiet: BTreeMap<i32, f64> = quiet.iter().copied().collect();
    let both: Vec<f64> = busy.iter().filter_map(|(day, level)| Some(level - quiet.get(day)?)).collect();
    (both.len() >= FEWEST_DAYS).then(|| both.iter().sum::<f64>() / both.len() as f64)
}

fn told(
    panel: &Panel,
    daily: &Daily,
    segment: Option<&str>,
    lines: &[&Line],
    (seed, replicates): (u64, usize),
) -> Steps {
    let promised: Vec<&Line> = lines.iter().filter(|line| line.promise.is_some()).copied().collect();
    let by_promise =
        promised.len() >= FEWEST_LINES && promised.len() as f64 >= MOST_PROMISED * lines.len() as f64;
    let lines = if by_promise { promised } else { lines.to_vec() };
    let start = |line: &Line| line.promise.filter(|_| by_promise).unwrap_or(line.expected);
    let mut names: [BTreeMap<String, usize>; 2] = Default::default();
    let cases: Vec<Case> = lines
        .iter()
        .map(|line| {
            let about = &panel.lines[line.at];
            let mut number = |grouping: usize, name: &Option<String>| {
                let known = &mut names[grouping];
                let next = known.len();
                name.as_ref().map(|name| *known.entry(name.clone()).or_insert(next))
            };
            let half = seed_of(seed, &["half", &about.line_id]);
            Case {
                short: line.had - start(line),
                value: line.had - start(line),
                within: line.busy.filter(|_| by_promise),
                groups: [number(0, &about.technology), number(1, &about.region)],
                half: (half ^ (half >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd) >> 63 == 0,
            }
        })
        .collect();
    let scale = daily.scale;
    let level = |of: &dyn Fn(&Line) -> f64| {
        mean_of_lines(lines.iter().map(|line| (line.at, of(line))), |level| scale.back(level))
    };
    let mut out = Steps {
        segment: segment.map(str::to_owned),
        lines: lines.len(),
        from: if by_promise { Origin::Promise } else { Origin::Expected },
        start: level(&|line| start(line)),
        had: level(&|line| line.had),
        at_other_hours: mean_of_lines(
            lines.iter().filter_map(|line| Some((line.at, line.had - line.busy?))),
            |level| scale.back(level),
        ),
        steps: Vec::new(),
        technologies: Vec::new(),
        regions: Vec::new(),
        matched_by_technology: None,
        matched_by_region: None,
    };
    let found = shapley::parts(&cases, replicates, seed, 0.95);
    let mean = |of: &dyn Fn(&Line) -> f64| lines.iter().map(|l| of(l)).sum::<f64>() / lines.len() as f64;
    let mut at = mean(&|line| start(line));
    let n = lines.len() as u64;
    for (kind, part) in parts(&found) {
        let from = at;
        if let Ok((value, _)) = &part {
            at += value;
        }
        let share = |distance: f64| scale.share_worse(distance);
        let level_to_interval = part.as_ref().ok().map(|(_, interval)| {
            let (a, b) = (scale.back(from + interval.low), scale.back(from + interval.high));
            (a.min(b), a.max(b))
        });
        let value = match part {
            Ok((value, interval)) => {
                Answer::estimate(share(value), (share(interval.low), share(interval.high)), n)
            }
            Err(Refusal::NoEvents { .. }) => Answer::declined(cannot(kind, by_promise)),
            Err(refusal) => Declined::from(refusal).into(),
        };
        out.steps.push(Step {
            step: kind,
            value,
            level_from: scale.back(from),
            level_to: scale.back(at),
            level_to_interval,
            owner: kind.owner(),
        });
    }
    if let Ok(found) = &found {
        let named = |grouping: usize| {
            let of = |number: &usize| {
                names[grouping].iter().find(|(_, n)| *n == number).map(|(name, _)| name.clone())
            };
            found.yardsticks[grouping].iter().filter_map(of).collect()
        };
        (out.technologies, out.regions) = (named(0), named(1));
        (out.matched_by_technology, out.matched_by_region) = (Some(found.matched[0]), Some(found.matched[1]));
    }
    out
}

/// Why the data cannot tell a step.
const fn cannot(step: StepKind, by_promise: bool) -> Phrase {
    match (step, by_promise) {
        (StepKind::TimeOfDay, true) => Phrase {
            en: "half of the lines have no tests outside the busy hours",
            zh: "半数线路在忙时以外没有测试",
        },
        (StepKind::TimeOfDay, false) => {
            Phrase { en: "what is expected is expected of busy hours", zh: "期望本身即针对忙时" }
        }
        (StepKind::Access, _) => Phrase {
            en: "no two technologies have enough lines side by side in a region",
            zh: "没有两种技术在同一地区有足够线路可比",
        },
        (StepKind::Region | StepKind::Unexplained, _) => Phrase {
            en: "no two regions have enough lines of one technology",
            zh: "没有两个地区有足够的同种技术线路可比",
        },
    }
}

type Part = Result<(f64, Interval), Refusal>;

/// Each step, or why there is none; the whole gap is not explained where nothing could be told.
fn parts(found: &Result<Parts, Refusal>) -> [(StepKind, Part); 4] {
    StepKind::ALL.map(|kind| {
        let part = match (found, kind) {
            (Err(refusal), _) => Err(refusal.clone()),
            (Ok(found), StepKind::TimeOfDay) => found.factors[0].clone(),
            (Ok(found), StepKind::Access) => found.factors[1].clone(),
            (Ok(found), StepKind::Region) => found.factors[2].clone(),
            (Ok(found), StepKind::Unexplained) => Ok(found.rest),
        };
        (kind, part)
    })
}

#[cfg(test)]
mod tests;
