//! How often customers complain at each level of a metric.
//!
//! Every line-day at risk counts, measured or not: in service, and with no complaint so shortly before that another would
//! be its repeat. The exposure is what the line saw in the window before the day began, the event is an episode that
//! began on the day. Rates carry Garwood's exact interval (Biometrika 28, 1936).
//! Lines differ in more than the metric, so the worst fifth of the line-days is also set against the others on the
//! same ground (Mantel and Haenszel, as a ratio of rates: Rothman, Modern Epidemiology, chapter 15), with intervals
//! from resampled lines: where the two ratios differ, the ground and not the metric explains part of it.

use super::episodes::{AtRisk, may_begin};
use super::exposure::{Counter, Observed};
use super::query::Query;
use super::row::{Band, Contrast, Unmeasured};
use crate::stats::attributable::{self, LineCounts};
use crate::stats::bootstrap::Design;
use crate::stats::multiple::q_values;
use crate::stats::poisson;
use crate::stats::{Interval, Refusal};
use crate::study::seed::seed_of;
use crate::study::{Answer, Declined};
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::Better;
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Where the default bands end, as shares of the line-days in ascending order of exposure.
const LEVELS: [f64; 8] = [0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];
/// The share of line-days that a contrast calls exposed.
const EXPOSED: f64 = 0.2;

/// A line-day.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineDay {
    pub(super) exposure: f64,
    pub(super) line: u32,
    pub(super) day: i32,
    pub(super) complaints: u32,
}

/// What one exposure says.
pub(super) struct Dose {
    pub(super) bands: Vec<Band>,
    pub(super) unmeasured: Unmeasured,
    pub(super) contrast: Contrast,
    /// The measured line-days, by exposure.
    pub(super) days: Vec<LineDay>,
    /// Line-days in service that do not count.
    pub(super) left_out: LeftOut,
}

/// Line-days in service that do not count, and why.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LeftOut {
    /// The window began before the period.
    pub(super) too_early: u64,
    /// A complaint would have been a repeat.
    pub(super) episode_open: u64,
}

/// The label of a window.
pub(super) fn window_label(hours: u32) -> String {
    if hours.is_multiple_of(24) && hours > 24 { format!("{}d", hours / 24) } else { format!("{hours}h") }
}

/// Rates by band of one exposure; `None` where no line-day was measured.
pub(super) fn dose(observed: &Observed, risk: &AtRisk, class: Class, query: &Query) -> Option<Dose> {
    let (mut days, unmeasured, left_out) = line_days(observed, risk, class, query);
    days.par_sort_by(|a, b| a.exposure.total_cmp(&b.exposure).then((a.line, a.day).cmp(&(b.line, b.day))));
    let (first, last) = (days.first()?.exposure, days.last()?.exposure);
    let edges = edges(&days, query.edges.get(&observed.exposure.metric), first, last);
    let window = window_label(query.band_window_hours);
    let mut bands = Vec::new();
    let mut start = 0;
    for (number, pair) in edges.windows(2).enumerate() {
        let closed = number + 2 == edges.len();
        let end = if closed { days.len() } else { days.partition_point(|d| d.exposure < pair[1]) };
        let inside = &days[start..end];
        start = end;
        if inside.is_empty() {
            continue;
        }
        let complaints = inside.iter().map(|d| u64::from(d.complaints)).sum();
        bands.push(Band {
            exposure: observed.exposure.clone(),
            class,
            window: window.clone(),
            from: pair[0],
            to: pair[1],
            median: inside[(inside.len() - 1) / 2].exposure,
            lines: inside.iter().map(|d| d.line).collect::<BTreeSet<_>>().len(),
            line_days: inside.len() as u64,
            complaints,
            rate_per_1000_line_days: rate(complaints, inside.len() as u64),
        });
    }
    Some(Dose {
        bands,
        unmeasured: Unmeasured {
            exposure: observed.exposure.clone(),
            class,
            line_days: unmeasured.0,
            complaints: unmeasured.1,
            rate_per_1000_line_days: rate(unmeasured.1, unmeasured.0),
        },
        contrast: contrast(observed, risk, &days, class, query),
        days,
        left_out,
    })
}

fn rate(complaints: u64, line_days: u64) -> Answer {
    match poisson::rate(complaints, line_days as f64 / 1_000.0, 0.95) {
        Ok(rate) => Answer::estimate(rate.rate, rate.interval.pair(), complaints),
        Err(refusal) => Declined::from(refusal).into(),
    }
}

/// Measured line-days; line-days and complaints of the unmeasured; what does not count.
fn line_days(
    observed: &Observed,
    risk: &AtRisk,
    class: Class,
    query: &Query,
) -> (Vec<LineDay>, (u64, u64), LeftOut) {
    let episodes = risk.episodes.get(&class).map_or(&[][..], Vec::as_slice);
    let said = risk.complaints.get(&class).map_or(&[][..], Vec::as_slice);
    let (width, gap) = (i64::from(query.band_window_hours), i64::from(query.gap_hours));
    let begins = i64::from(risk.first_day) * 24;
    let by_line: Vec<_> = risk
        .lines
        .par_iter()
        .enumerate()
        .map_init(Counter::default, |counter, (at, line)| {
            let mine = {
                let from = episodes.partition_point(|e| (e.line as usize) < at);
                let to = episodes.partition_point(|e| (e.line as usize) <= at);
                &episodes[from..to]
            };
            let complaints = |day: i32| mine.iter().filter(|e| e.day == day).count() as u32;
            let window = |day: i32| {
                let end = i64::from(day) * 24 - gap;
                end - width..end
            };
            let full = line.days.clone().find(|d| window(*d).start >= begins).unwrap_or(line.days.end);
            let said = said.get(at).map_or(&[][..], Vec::as_slice);
            let (mut measured, mut unmeasured) = (Vec::new(), (0_u64, 0_u64));
            let too_early = (full - line.days.start).max(0) as u64;
            let mut left_out = LeftOut { too_early, episode_open: 0 };
            observed.slide(at, (full..line.days.end).map(window), counter, |number, exposure| {
                let day = full + number as i32;
                let complaints = complaints(day);
                if !may_begin(said, day, query.repeat_days) {
                    debug_assert_eq!(complaints, 0, "an episode begins only where one may");
                    left_out.episode_open += 1;
                } else if let Some(exposure) = exposure {
                    measured.push(LineDay { exposure, line: at as u32, day, complaints });
                } else {
                    unmeasured.0 += 1;
                    unmeasured.1 += u64::from(complaints);
                }
            });
            (measured, unmeasured, left_out)
        })
        .collect();
    let most = by_line.iter().map(|line| line.0.len()).sum();
    let mut out = (Vec::with_capacity(most), (0, 0), LeftOut::default());
    for (measured, unmeasured, left_out) in by_line {
        out.0.extend(measured);
        out.1.0 += unmeasured.0;
        out.1.1 += unmeasured.1;
        out.2.too_early += left_out.too_early;
        out.2.episode_open += left_out.episode_open;
    }
    out
}

/// The edges: those given, widened to hold every line-day, or quantiles rounded to three digits.
fn edges(days: &[LineDay], given: Option<&Vec<f64>>, first: f64, last: f64) -> Vec<f64> {
    let mut edges: Vec<f64> = if let Some(given) = given {
        given.iter().copied().filter(|e| e.is_finite()).collect()
    } else {
        let at = |share: f64| days[((share * days.len() as f64) as usize).min(days.len() - 1)].exposure;
        let inner = &LEVELS[1..LEVELS.len() - 1];
        inner.iter().map(|&share| rounded(at(share))).collect()
    };
    edges.retain(|e| given.is_some() || (*e > first && *e <= last));
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    if edges.first().is_none_or(|e| *e > first) {
        edges.insert(0, first);
    }
    // An inner edge at the largest value sets the line-days that reach it apart.
    if given.is_none() || edges.len() < 2 || edges.last().is_none_or(|e| *e < last) {
        edges.push(last);
    }
    edges
}

/// Three significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// Line-days and complaints of one line, exposed and not.
#[derive(Clone, Copy, Debug, Default)]
struct Split {
    ground: u32,
    exposed: (f64, f64),
    others: (f64, f64),
}

fn contrast(observed: &Observed, risk: &AtRisk, days: &[LineDay], class: Class, query: &Query) -> Contrast {
    let worse_is_high = observed.exposure.metric.better == Better::Lower;
    let share = if worse_is_high { 1.0 - EXPOSED } else { EXPOSED };
    let threshold = days[((share * days.len() as f64) as usize).min(days.len() - 1)].exposure;
    // Where most line-days are as good as can be (no loss at all), only those beyond that are exposed.
    let best = days[if worse_is_high { 0 } else { days.len() - 1 }].exposure;
    let beyond = |exposure: f64| if worse_is_high { exposure > threshold } else { exposure < threshold };
    let mut lines: Vec<Split> =
        risk.lines.iter().map(|l| Split { ground: l.ground, ..Split::default() }).collect();
    for day in days {
        let exposed = beyond(day.exposure) || (day.exposure == threshold && threshold != best);
        let line = &mut lines[day.line as usize];
        let side = if exposed { &mut line.exposed } else { &mut line.others };
        side.0 += 1.0;
        side.1 += f64::from(day.complaints);
    }
    lines.retain(|l| l.exposed.0 + l.others.0 > 0.0);
    let with = |side: fn(&Split) -> f64| lines.iter().filter(|l| side(l) > 0.0).count();
    let fewer = with(|l| l.exposed.0).min(with(|l| l.others.0));
    let grounds = lines.iter().map(|l| l.ground).max().map_or(0, |g| g as usize + 1);
    let mut by_ground = vec![0.0; grounds];
    for line in &lines {
        by_ground[line.ground as usize] += line.exposed.1 + line.others.1;
    }
    let crude: Vec<Split> = lines.iter().map(|l| Split { ground: 0, ..*l }).collect();
    let words = [observed.exposure.metric.id(), &observed.exposure.method.name, class.word()];
    let seed = seed_of(query.seed, &words);
    let stratified = ratio(&lines, grounds, query, seed);
    let p = stratified.as_estimate().and_then(|e| {
        let (low, high) = e.interval();
        Interval::new(low, high).p_of_ratio(e.value(), 0.95).ok()
    });
    Contrast {
        exposure: observed.exposure.clone(),
        class,
        threshold,
        lines: fewer,
        crude: ratio(&crude, 1, query, seed),
        stratified,
        explained_if_causal: explained(&lines, query, seed),
        p,
        q: None,
        strata: by_ground.iter().filter(|k| **k > 0.0).count(),
    }
}

/// The share of complaints that goes with the exposed line-days beyond what the others had (Miettinen 1974).
fn explained(lines: &[Split], query: &Query, seed: u64) -> Answer {
    let counts: Vec<LineCounts> = lines
        .iter()
        .map(|line| LineCounts {
            stratum: line.ground as usize,
            events: [line.others.1, line.exposed.1],
            time: [line.others.0, line.exposed.0],
        })
        .collect();
    match attributable::explained(&counts, query.replicates, seed, 0.95) {
        Ok(found) => {
            Answer::estimate(found.fraction.observed, found.fraction.interval.pair(), found.events as u64)
        }
        Err(refusal) => Declined::from(refusal).into(),
    }
}

/// The Mantel-Haenszel ratio of rates, with an interval from resampled lines.
fn ratio(lines: &[Split], grounds: usize, query: &Query, seed: u64) -> Answer {
    let statistic = |counts: &[u32]| {
        let mut sums = vec![Split::default(); grounds];
        for (line, &count) in lines.iter().zip(counts).filter(|(_, c)| **c > 0) {
            let (sum, count) = (&mut sums[line.ground as usize], f64::from(count));
            sum.exposed.0 += count * line.exposed.0;
            sum.exposed.1 += count * line.exposed.1;
            sum.others.0 += count * line.others.0;
            sum.others.1 += count * line.others.1;
        }
        let (mut above, mut below) = (0.0, 0.0);
        for sum in sums {
            let all = sum.exposed.0 + sum.others.0;
            if all > 0.0 {
                above += sum.exposed.1 * sum.others.0 / all;
                below += sum.others.1 * sum.exposed.0 / all;
            }
        }
        if below > 0.0 {
            Ok(above / below)
        } else {
            Err(Refusal::NoEvents { what: "complaints on the line-days compared with" })
        }
    };
    let complaints: f64 = lines.iter().map(|l| l.exposed.1 + l.others.1).sum();
    let resampled = Design::simple(lines.len())
        .and_then(|design| design.interval(query.replicates, seed, 0.95, statistic));
    match resampled {
        Ok(found) => Answer::estimate(found.observed, found.interval.pair(), complaints as u64),
        Err(refusal) => Declined::from(refusal).into(),
    }
}

/// q-values: the contrasts of all exposures are one family.
pub(super) fn adjust(contrasts: &mut [Contrast]) {
    let p: Vec<f64> = contrasts.iter().filter_map(|contrast| contrast.p).collect();
    let mut q = q_values(&p).unwrap_or_default().into_iter();
    for contrast in contrasts.iter_mut().filter(|contrast| contrast.p.is_some()) {
        contrast.q = q.next();
    }
}
