//! Do complaints follow the network by some days, and how much do they rise over those days together?
//!
//! Day by day: the exposure over all lines (or those of an area), each less its own mean, and episodes per line at risk:
//! in service, and with no episode open. Complaints that name an area and no line are counted each, for which of them are
//! repeats is not known. What each day of the week usually has is taken off both, each is cleared of its own past, and they are
//! correlated at lags of 0 to 7 days (`stats::lead_lag`); beside it the whole effect of a day over that day and the seven
//! after it (`stats::distributed_lag`), as a ratio of rates.
//!
//! A cause that drives both with a delay looks the same.

use super::crossover::increment;
use super::daily::Daily;
use super::episodes::{AtRisk, may_begin};
use super::exposure::Observed;
use super::query::Query;
use super::row::LeadLag;
use crate::stats::distributed_lag::{Daily as Counts, distributed_lag};
use crate::stats::lead_lag::lead_lag;
use crate::stats::multiple::q_values;
use crate::stats::rows::Rows;
use crate::stats::spline::Spline;
use crate::stats::{Interval, Refusal};
use crate::study::seed::seed_of;
use crate::study::{Answer, Declined, Words};
use broadgauge_model::complaint::Class;
use broadgauge_model::panel::weekday;
use broadgauge_model::text::Phrase;
use std::ops::Range;

const MOST_LAG: usize = 7;
const SHUFFLES: usize = 999;
/// A day of fewer measured lines is unknown.
const FEWEST_LINES: usize = 6;
/// A series of fewer complaints is not looked at.
const FEWEST_COMPLAINTS: u64 = 30;
/// An area has a series of its own from so many complaints on, and not more areas than these have.
const AREA_COMPLAINTS: u64 = 100;
const MOST_AREAS: usize = 20;

/// The series of all lines, then of areas with many complaints.
pub(super) fn series(
    observed: &Observed,
    risk: &AtRisk,
    daily: &Daily,
    class: Class,
    query: &Query,
) -> Vec<LeadLag> {
    let mut rows = vec![row(observed, risk, daily, class, query, None)];
    if risk.areas.len() > 1 {
        let mut areas: Vec<(u64, u32)> = (0..risk.areas.len() as u32)
            .map(|area| (counts(risk, class, Some(area)).iter().sum::<f64>() as u64, area))
            .filter(|(complaints, _)| *complaints >= AREA_COMPLAINTS)
            .collect();
        areas.sort_by_key(|(complaints, area)| (std::cmp::Reverse(*complaints), *area));
        let each = areas.iter().take(MOST_AREAS);
        rows.extend(each.map(|(_, area)| row(observed, risk, daily, class, query, Some(*area))));
    }
    rows
}

/// Complaints by day of the period.
fn counts(risk: &AtRisk, class: Class, area: Option<u32>) -> Vec<f64> {
    let mut counts = vec![0.0; (risk.end_day - risk.first_day).max(0) as usize];
    let mut add = |day: i32| {
        if let Some(count) = usize::try_from(day - risk.first_day).ok().and_then(|d| counts.get_mut(d)) {
            *count += 1.0;
        }
    };
    for episode in risk.episodes.get(&class).into_iter().flatten() {
        if area.is_none() || risk.lines[episode.line as usize].area == area {
            add(episode.day);
        }
    }
    for complaint in risk.of_areas.get(&class).into_iter().flatten() {
        if area.is_none_or(|area| complaint.area == area) {
            add(complaint.day);
        }
    }
    counts
}

fn row(
    observed: &Observed,
    risk: &AtRisk,
    daily: &Daily,
    class: Class,
    query: &Query,
    area: Option<u32>,
) -> LeadLag {
    let inside = |at: &usize| area.is_none() || risk.lines[*at].area == area;
    let lines: Vec<usize> = (0..risk.lines.len()).filter(inside).collect();
    let exposure = daily.mean(lines.iter().copied());
    let counts = counts(risk, class, area);
    let said = risk.complaints.get(&class).map_or(&[][..], Vec::as_slice);
    let may = |at: usize, day: i32| {
        let said = said.get(at).map_or(&[][..], Vec::as_slice);
        risk.lines[at].days.contains(&day) && may_begin(said, day, query.repeat_days)
    };
    let at_risk: Vec<f64> = (risk.first_day..risk.end_day)
        .map(|day| lines.iter().filter(|&&at| may(at, day)).count() as f64)
        .collect();
    let run = longest_run(&exposure, &at_risk);
    let complaints = counts[run.clone()].iter().sum::<f64>() as u64;
    let (increment, per) = increment(observed.exposure.metric);
    let name = area.map(|area| risk.areas[area as usize].clone());
    let mut out = LeadLag {
        exposure: observed.exposure.clone(),
        class,
        area: name,
        days: run.len(),
        complaints,
        lag_days: None,
        correlation: few(complaints),
        p: None,
        q: None,
        correlations: Vec::new(),
        per,
        increment,
        total_rate_ratio: few(complaints),
    };
    if complaints < FEWEST_COMPLAINTS {
        return out;
    }
    let days: Vec<i32> = run.clone().map(|d| risk.first_day + d as i32).collect();
    let driver: Vec<f64> = exposure[run.clone()].iter().map(|(value, _)| *value).collect();
    let (counts, at_risk) = (&counts[run.clone()], &at_risk[run]);
    let rate: Vec<f64> = counts.iter().zip(at_risk).map(|(k, n)| k / n).collect();
    let words = [
        observed.exposure.metric.id(),
        &observed.exposure.method.name,
        class.word(),
        out.area.as_deref().unwrap_or(""),
    ];
    let seed = seed_of(query.seed, &words);
    let (x, y) = (without_weekdays(&driver, &days), without_weekdays(&rate, &days));
    match lead_lag(&x, &y, MOST_LAG, SHUFFLES, seed) {
        Ok(found) => {
            let strongest = found.strongest;
            out.lag_days = Some(strongest.lag);
            out.p = Some(strongest.p);
            let interval = fisher(strongest.correlation, found.days);
            out.correlation = Answer::estimate(strongest.correlation, interval.pair(), found.days as u64);
            out.correlations = found.lags.iter().map(|lag| lag.correlation).collect();
        }
        Err(refusal) => out.correlation = Declined::from(refusal).into(),
    }
    out.total_rate_ratio = match total(&driver, counts, at_risk, &days) {
        Ok((value, interval)) => {
            let times = |v: f64| (v * increment).exp();
            Answer::ratio(times(value), (times(interval.low), times(interval.high)), days.len() as u64)
        }
        Err(refusal) => Declined::from(refusal).into(),
    };
    out
}

fn few(have: u64) -> Answer {
    let phrase = Phrase {
        en: "{have} complaints on days in a row that are measured, and at least {need} are needed",
        zh: "连续有测量的日子里只有 {have} 件投诉，至少需要 {need} 件",
    };
    Declined::because(Words::with(phrase, &[("have", &have), ("need", &FEWEST_COMPLAINTS)])).into()
}

/// The most days in a row on which enough lines were measured.
fn longest_run(exposure: &[(f64, usize)], at_risk: &[f64]) -> Range<usize> {
    let mut best = 0..0;
    let mut start = 0;
    let known = exposure.iter().zip(at_risk).map(|(e, n)| e.1 >= FEWEST_LINES && *n > 0.0);
    for (day, known) in known.chain([false]).enumerate() {
        if !known {
            if day - start > best.len() {
                best = start..day;
            }
            start = day + 1;
        }
    }
    best
}

/// A series less what its days of the week usually have, where there are eight weeks to know it from.
fn without_weekdays(values: &[f64], days: &[i32]) -> Vec<f64> {
    if values.len() < 56 {
        return values.to_vec();
    }
    let mut sums = [(0.0, 0.0); 7];
    for (value, day) in values.iter().zip(days) {
        let sum = &mut sums[usize::from(weekday(*day))];
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    let usual = |day: i32| {
        let (sum, n) = sums[usize::from(weekday(day))];
        sum / f64::max(n, 1.0)
    };
    values.iter().zip(days).map(|(value, day)| value - usual(*day)).collect()
}

/// The interval of a correlation by Fisher's transformation (Metron 1, 1921).
fn fisher(r: f64, n: usize) -> Interval {
    let half = 1.959_963_984_540_054 / (n as f64 - 3.0).max(1.0).sqrt();
    let z = r.clamp(-0.999_999, 0.999_999).atanh();
    Interval::new((z - half).tanh().min(r), (z + half).tanh().max(r))
}

fn total(driver: &[f64], counts: &[f64], at_risk: &[f64], days: &[i32]) -> Result<(f64, Interval), Refusal> {
    let times: Vec<f64> = days.iter().map(|day| f64::from(day - days[0])).collect();
    let spline = Spline::of_values(&times, 4)?;
    let mut controls = Rows::new(6 + spline.width());
    for (day, time) in days.iter().zip(&times) {
        let mut row: Vec<f64> = (1..7).map(|k| f64::from(u8::from(weekday(*day) == k))).collect();
        row.extend(spline.basis(*time)?);
        controls.push(&row)?;
    }
    let log_exposure: Vec<f64> = at_risk.iter().map(|n| n.ln()).collect();
    let data = Counts { counts, log_exposure: &log_exposure, driver, controls: &controls };
    let found = distributed_lag(&data, MOST_LAG, MOST_LAG, 0.95)?;
    Ok((found.total.value, found.total.interval))
}

/// q-values: all series are one family.
pub(super) fn adjust(rows: &mut [LeadLag]) {
    let p: Vec<f64> = rows.iter().filter_map(|row| row.p).collect();
    let mut q = q_values(&p).unwrap_or_default().into_iter();
    for row in rows.iter_mut().filter(|row| row.p.is_some()) {
        row.q = q.next();
    }
}
