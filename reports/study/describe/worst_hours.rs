//! Which hours of the day stand out, and is it more than chance?
//!
//! Each line is its own control: the share of its tests beyond the limit in one hour less its share in all other hours.
//! The mean over lines is a curve over the 24 hours, with a band that holds all of them at once (sup-t over resampled
//! lines), because the worst of many hours looks bad in any data. An hour stands out where the band leaves out zero and
//! the share is at least one and a half times that of all hours. Each hour counts the same, however often it was tested:
//! agents that test in the busy hours only make those no less bad.
//!
//! What it cannot tell: hours that fewer than ten lines were tested in, and a pattern of the week.

use super::Series;
use super::hours::beyond;
use super::promise::LEAST_LINES;
use crate::stats::band::simultaneous;
use crate::stats::bootstrap::Design;
use broadgauge_model::panel::{Hours, Panel};
use std::ops::Range;

const REPLICATES: usize = 1_000;
const LEVEL: f64 = 0.95;
/// How many times the share of all hours is worth a look.
const WORTH_A_LOOK: f64 = 1.5;

/// Hours that stand out, and the tests in and outside of them: means over lines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorstHours {
    /// The first.
    pub from: u8,
    /// The one after the last.
    pub to: u8,
    /// The share beyond the limit in them.
    pub inside: f64,
    /// In all other hours.
    pub outside: f64,
    /// The 95 % interval of the difference.
    pub interval: (f64, f64),
    /// Lines that were tested in and outside of them.
    pub lines: usize,
}

/// Tests of one line by hour of the day, and how many of them lie beyond the limit.
type Day = [(u64, u64); 24];

/// The shares inside and outside of some hours; `None` where a line was not tested in both.
type Contrast = Option<(f64, f64)>;

/// The hours around the worst one that stand out on an operator's lines.
pub fn worst_hours(
    panel: &Panel,
    series: &Series,
    operator: &str,
    limit: f64,
    seed: u64,
) -> Option<WorstHours> {
    let mut lines: Vec<(u32, Day)> = Vec::new();
    // Cells are sorted by line.
    for cell in series.cells(panel, operator) {
        let Hours::At { hour, .. } = cell.hours else { continue };
        let (worse, all) = beyond(series, cell, limit);
        if lines.last().is_none_or(|last| last.0 != cell.line) {
            lines.push((cell.line, Day::default()));
        }
        if let Some((_, day)) = lines.last_mut() {
            let slot = &mut day[usize::from(hour.min(23))];
            *slot = (slot.0 + all, slot.1 + worse);
        }
    }
    let days: Vec<Day> = lines.into_iter().map(|(_, day)| day).collect();
    let bad = standing_out(&days, seed);
    let worst =
        bad.iter().filter_map(|(hour, low)| Some((hour, (*low)?))).max_by(|a, b| a.1.total_cmp(&b.1))?.0;
    let bad = |hour: &usize| bad.iter().any(|(known, low)| known == hour && low.is_some());
    let from = (0..=*worst).rev().take_while(bad).last()?;
    let to = (*worst..24).take_while(bad).last()? + 1;
    inside_and_outside(&days, from..to, seed)
}

/// Hours with enough lines, each with the lower end of the band where it stands out.
fn standing_out(days: &[Day], seed: u64) -> Vec<(usize, Option<f64>)> {
    let contrasts: Vec<(usize, Vec<Contrast>)> = (0..24)
        .map(|hour| (hour, days.iter().map(|day| contrast(day, hour..hour + 1)).collect::<Vec<_>>()))
        .filter(|(_, lines)| lines.iter().flatten().count() >= LEAST_LINES)
        .collect();
    let Ok(design) = Design::simple(days.len()) else { return Vec::new() };
    let once = vec![1; days.len()];
    let observed: Vec<f64> = contrasts.iter().map(|(_, lines)| mean(lines, &once).unwrap_or(0.0)).collect();
    let drawn = design.replicate(REPLICATES, seed, |counts| {
        // A draw without a line of an hour says nothing of that hour.
        contrasts.iter().zip(&observed).map(|((_, lines), o)| mean(lines, counts).unwrap_or(*o)).collect()
    });
    let by_hour: Vec<Vec<f64>> =
        (0..contrasts.len()).map(|at| drawn.iter().map(|curve: &Vec<f64>| curve[at]).collect()).collect();
    let least = contrasts.iter().map(|(_, lines)| lines.iter().flatten().count()).min().unwrap_or(0);
    let Ok(band) = simultaneous(&observed, &by_hour, LEVEL, least) else { return Vec::new() };
    let all = share(days.iter().filter_map(|day| share_of_hours(day, 0..24)));
    contrasts
        .iter()
        .zip(band.points)
        .map(|((hour, lines), point)| {
            let inside = share(lines.iter().flatten().map(|(inside, _)| *inside));
            let low = point.map(|interval| interval.low);
            (*hour, low.filter(|low| *low > 0.0 && inside >= WORTH_A_LOOK * all))
        })
        .collect()
}

fn inside_and_outside(days: &[Day], hours: Range<usize>, seed: u64) -> Option<WorstHours> {
    let contrasts = days.iter().map(|day| contrast(day, hours.clone()));
    let lines: Vec<Contrast> = contrasts.flatten().map(Some).collect();
    let design = Design::simple(lines.len()).ok()?;
    let found =
        design.interval(REPLICATES, seed, LEVEL, |counts| Ok(mean(&lines, counts).unwrap_or(0.0))).ok()?;
    Some(WorstHours {
        from: hours.start as u8,
        to: hours.end as u8,
        inside: share(lines.iter().flatten().map(|line| line.0)),
        outside: share(lines.iter().flatten().map(|line| line.1)),
        interval: (found.interval.low, found.interval.high),
        lines: lines.len(),
    })
}

/// The share beyond the limit, where each hour that was tested counts the same.
fn share_of_hours(day: &Day, hours: impl IntoIterator<Item = usize>) -> Option<f64> {
    let tested = hours.into_iter().map(|hour| day[hour]).filter(|(all, _)| *all > 0);
    let (total, n) =
        tested.fold((0.0, 0.0), |(total, n), (all, worse)| (total + worse as f64 / all as f64, n + 1.0));
    (n > 0.0).then(|| total / n)
}

fn contrast(day: &Day, hours: Range<usize>) -> Contrast {
    let outside = (0..24).filter(|hour| !hours.contains(hour));
    Some((share_of_hours(day, hours.clone())?, share_of_hours(day, outside)?))
}

/// The mean over lines of the difference, each line as often as it was drawn.
fn mean(lines: &[Contrast], counts: &[u32]) -> Option<f64> {
    let (total, n) = lines.iter().zip(counts).fold((0.0, 0.0), |(total, n), (line, &count)| {
        let times = f64::from(count);
        line.map_or((total, n), |(inside, outside)| (total + times * (inside - outside), n + times))
    });
    (n > 0.0).then(|| total / n)
}

fn share(shares: impl Iterator<Item = f64>) -> f64 {
    let (total, n) = shares.fold((0.0, 0.0), |(total, n), share| (total + share, n + 1.0));
    if n > 0.0 { total / n } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    /// Lines that are tested `tests` times an hour; each has a chance of its own to be beyond the limit, times `more` in
    /// the evening.
    fn days(lines: usize, tests: u64, more: f64, seed: u64) -> Vec<Day> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..lines)
            .map(|_| {
                let chance = rng.random_range(0.02..0.18);
                std::array::from_fn(|hour| {
                    let chance = if (19..23).contains(&hour) { chance * more } else { chance };
                    (tests, (0..tests).filter(|_| rng.random_bool(chance)).count() as u64)
                })
            })
            .collect()
    }

    fn found(days: &[Day]) -> Option<usize> {
        standing_out(days, 1).into_iter().find_map(|(hour, low)| low.map(|_| hour))
    }

    #[test]
    fn an_hour_of_chance_stands_out_in_no_more_than_one_report_of_twenty() {
        let runs = 200;
        let wrong = (0..runs).filter(|&seed| found(&days(30, 3, 1.0, seed)).is_some()).count();
        // One-sided 0.025 a curve; 200 runs find at most 11 in 99 of 100 cases where the truth is 0.025.
        assert!(wrong <= 11, "{wrong} of {runs}");
    }

    #[test]
    fn an_evening_three_times_as_bad_is_found_with_its_bounds_and_its_size() {
        let days = days(60, 30, 3.0, 5);
        let bad: Vec<usize> = standing_out(&days, 1)
            .into_iter()
            .filter(|(_, low)| low.is_some())
            .map(|(hour, _)| hour)
            .collect();
        assert_eq!(bad, [19, 20, 21, 22]);
        let hours = inside_and_outside(&days, 19..23, 1).unwrap();
        assert_eq!((hours.from, hours.to, hours.lines), (19, 23, 60));
        // A chance of 0.1 on average, and of 0.3 in the evening.
        assert!((hours.inside - 0.3).abs() < 0.04 && (hours.outside - 0.1).abs() < 0.015, "{hours:?}");
        assert!(hours.interval.0 < 0.2 && hours.interval.1 > 0.19 && hours.interval.0 > 0.14, "{hours:?}");
    }

    #[test]
    fn hours_that_are_tested_twenty_times_as_often_stand_out_all_the_same() {
        let mut days = days(60, 30, 3.0, 5);
        for (all, worse) in days.iter_mut().flat_map(|day| &mut day[19..23]) {
            (*all, *worse) = (*all * 20, *worse * 20);
        }
        let bad = standing_out(&days, 1).into_iter().filter(|(_, low)| low.is_some()).map(|(hour, _)| hour);
        assert_eq!(bad.collect::<Vec<_>>(), [19, 20, 21, 22]);
    }

    #[test]
    fn few_lines_say_nothing_of_an_hour() {
        assert!(standing_out(&days(9, 100, 3.0, 5), 1).is_empty());
    }

    #[test]
    fn one_line_that_is_tested_often_does_not_make_an_hour_stand_out() {
        let mut days = days(30, 3, 1.0, 1);
        days[0][20] = (100_000, 100_000);
        assert_eq!(found(&days), None);
    }
}
