//! How early could one have known? The days before and after a complaint.
//!
//! From what a line saw on each of those days its own usual level is taken off (the mean of its days away from any of
//! its complaints) and what all lines saw beyond theirs on the same calendar day: a Monday, a storm or a trend that
//! everybody had is no sign. The mean over episodes has a band that holds at all days at once, from resampled groups of
//! episodes (sup-t, as in the whole-distribution comparison of peers).
//!
//! After a complaint a line may be repaired, or tested more: the right half is not what would have come without it.

use super::crossover::clusters;
use super::daily::Daily;
use super::episodes::{AtRisk, Episode};
use super::exposure::Observed;
use super::query::Query;
use super::row::{Around, AroundDay};
use crate::stats::band::simultaneous;
use crate::stats::bootstrap::Design;
use crate::study::seed::seed_of;
use crate::study::{Answer, Declined, Words};
use broadgauge_model::complaint::Class;
use broadgauge_model::text::Phrase;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// The days looked at.
pub(super) const DAYS: RangeInclusive<i32> = -14..=7;
/// Days away from complaints that a line's usual level stands on, at least.
const USUAL: usize = 7;
/// Independent groups that the band stands on, at least.
const SOME_CLUSTERS: usize = 20;
const REPLICATES: usize = 500;

/// The days around the episodes of a class.
pub(super) fn around(
    observed: &Observed,
    risk: &AtRisk,
    daily: &Daily,
    everybody: &[(f64, usize)],
    class: Class,
    query: &Query,
) -> Around {
    let mut out = Around {
        exposure: observed.exposure.clone(),
        class,
        episodes: 0,
        lines: 0,
        days: Vec::new(),
        declined: None,
    };
    let courses: Vec<(&Episode, Vec<Option<f64>>)> = courses(risk, daily, everybody, class);
    out.episodes = courses.len() as u64;
    out.lines = courses.iter().map(|(e, _)| e.line).collect::<BTreeSet<_>>().len();
    let groups = clusters(courses.iter().map(|(e, _)| *e), risk);
    let mut place = BTreeMap::<u64, usize>::new();
    for group in &groups {
        let next = place.len();
        place.entry(*group).or_insert(next);
    }
    if place.len() < SOME_CLUSTERS {
        let phrase = Phrase {
            en: "{have} independent groups of episodes with measured days around them, and at least {need} are needed",
            zh: "前后有测量的投诉事件只有 {have} 个独立组，至少需要 {need} 个",
        };
        let reason = Words::with(phrase, &[("have", &place.len()), ("need", &SOME_CLUSTERS)]);
        out.declined = Some(Declined::because(reason));
        return out;
    }
    let width = DAYS.count();
    // Per group and day: sum and count.
    let mut sums = vec![vec![(0.0, 0.0); width]; place.len()];
    for ((_, course), group) in courses.iter().zip(&groups) {
        for (sum, value) in sums[place[group]].iter_mut().zip(course) {
            if let Some(value) = value {
                sum.0 += value;
                sum.1 += 1.0;
            }
        }
    }
    out.days = band(&sums, query.seed, observed, class);
    out
}

/// For each episode, what its line saw on each day beyond its usual level and beyond everybody.
fn courses<'a>(
    risk: &'a AtRisk,
    daily: &Daily,
    everybody: &[(f64, usize)],
    class: Class,
) -> Vec<(&'a Episode, Vec<Option<f64>>)> {
    let episodes = risk.episodes.get(&class).map_or(&[][..], Vec::as_slice);
    let said = risk.complaints.get(&class).map_or(&[][..], Vec::as_slice);
    let beyond = |line: u32, day: i32| -> Option<f64> {
        let all = everybody.get(usize::try_from(day - risk.first_day).ok()?).filter(|all| all.1 > 1)?;
        Some(daily.at(line, day)? - all.0)
    };
    let mut courses = Vec::new();
    for same in episodes.chunk_by(|a, b| a.line == b.line) {
        let line = same[0].line;
        // Repeats too, and what was said before the period.
        let said = said.get(line as usize).map_or(&[][..], Vec::as_slice);
        let near = |day: i32| said.iter().any(|complaint| DAYS.contains(&(day - complaint)));
        let usual: Vec<f64> = risk.lines[line as usize]
            .days
            .clone()
            .filter(|day| !near(*day))
            .filter_map(|day| beyond(line, day))
            .collect();
        if usual.len() < USUAL {
            continue;
        }
        let level = usual.iter().sum::<f64>() / usual.len() as f64;
        for episode in same {
            let course: Vec<Option<f64>> =
                DAYS.map(|o| Some(beyond(line, episode.day + o)? - level)).collect();
            if course.iter().any(Option::is_some) {
                courses.push((episode, course));
            }
        }
    }
    courses
}

fn band(sums: &[Vec<(f64, f64)>], seed: u64, observed: &Observed, class: Class) -> Vec<AroundDay> {
    let width = sums[0].len();
    let mean = |counts: &dyn Fn(usize) -> f64| -> Vec<Option<f64>> {
        let mut totals = vec![(0.0, 0.0); width];
        for (group, own) in sums.iter().enumerate() {
            let count = counts(group);
            if count > 0.0 {
                for (total, own) in totals.iter_mut().zip(own) {
                    total.0 += count * own.0;
                    total.1 += count * own.1;
                }
            }
        }
        totals.into_iter().map(|(sum, n)| (n > 0.0).then(|| sum / n)).collect()
    };
    let observed_mean = mean(&|_| 1.0);
    let words = [observed.exposure.metric.id(), &observed.exposure.method.name, class.word(), "around"];
    let drawn: Vec<Vec<Option<f64>>> = match Design::simple(sums.len()) {
        Ok(design) => design
            .replicate(REPLICATES, seed_of(seed, &words), |counts| mean(&|group| f64::from(counts[group]))),
        Err(_) => Vec::new(),
    };
    // A day that some resample knows nothing of stands on too little.
    let known: Vec<usize> = (0..width)
        .filter(|&k| observed_mean[k].is_some() && drawn.iter().all(|values| values[k].is_some()))
        .collect();
    let centre: Vec<f64> = known.iter().filter_map(|&k| observed_mean[k]).collect();
    let columns: Vec<Vec<f64>> =
        known.iter().map(|&k| drawn.iter().filter_map(|values| values[k]).collect()).collect();
    let found = simultaneous(&centre, &columns, 0.95, sums.len());
    DAYS.enumerate()
        .map(|(k, day)| {
            const FEW: Phrase = Phrase { en: "too few measurements on this day", zh: "该日测量太少" };
            let n: f64 = sums.iter().map(|own| own[k].1).sum();
            let difference = match (known.iter().position(|at| *at == k), &found) {
                (Some(at), Ok(band)) => match band.points[at] {
                    Some(interval) => Answer::estimate(centre[at], interval.pair(), n as u64),
                    None => Answer::declined(FEW),
                },
                (_, Err(refusal)) => Declined::from(refusal.clone()).into(),
                (None, Ok(_)) => Answer::declined(FEW),
            };
            AroundDay { day, difference }
        })
        .collect()
}
