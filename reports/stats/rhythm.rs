//! From which day on are values taken at other hours of the week?
//!
//! What is usual at an hour of the week says nothing of an hour at which nothing was taken. Schedules at fixed hours of
//! UTC move by an hour when clocks change, and back when they change back: every day is therefore judged by the four
//! weeks of observed days on either side, not by the whole series. A day parts it where each side keeps to its own hours
//! and next to none of them are the other's.
//!
//! It says nothing of values at random hours, which keep to none, nor of a move within two weeks of an end.

use super::season::Hourly;
use std::collections::BTreeMap;

/// Observed days that are looked at on either side.
const SIDE: usize = 28;
/// Fewer on one side do not show a schedule.
const FEWEST: usize = 14;
/// The share of values at hours that recur, from which on a side keeps to its hours.
const REGULAR: f64 = 0.5;
/// Below this share of values at hours that both sides have, they are different hours.
const BRIDGE: f64 = 0.1;
/// Days closer than this speak of one move.
const WEEK: i32 = 7;

/// How many values lie at each hour of the week.
type Counts = [u32; 168];

/// The first days of stretches whose hours of the week are not those before.
pub fn moves(hours: &[Hourly]) -> Vec<i32> {
    let mut by_day: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for hour in hours {
        let slot = hour.day.rem_euclid(7) as usize * 24 + usize::from(hour.hour % 24);
        by_day.entry(hour.day).or_default().push(slot);
    }
    let days: Vec<i32> = by_day.keys().copied().collect();
    // Sums up to each day, so that any stretch is a difference.
    let mut sums: Vec<Counts> = vec![[0; 168]];
    for slots in by_day.values() {
        let mut next = sums[sums.len() - 1];
        for &slot in slots {
            next[slot] += 1;
        }
        sums.push(next);
    }
    let stretch =
        |from: usize, to: usize| -> Counts { std::array::from_fn(|slot| sums[to][slot] - sums[from][slot]) };
    let mut found: Vec<(i32, f64)> = Vec::new();
    for at in FEWEST..(days.len() + 1).saturating_sub(FEWEST) {
        let (from, to) = (at.saturating_sub(SIDE), (at + SIDE).min(days.len()));
        let across = shared(&stretch(from, at), &stretch(at, to));
        let regular = |from: usize, to: usize| {
            let middle = usize::midpoint(from, to);
            shared(&stretch(from, middle), &stretch(middle, to)) >= REGULAR
        };
        if across < BRIDGE && regular(from, at) && regular(at, to) {
            found.push((days[at], across));
        }
    }
    found.chunk_by(|a, b| b.0 - a.0 < WEEK).filter_map(narrowest).collect()
}

/// The share of the values of two stretches at hours of the week that both have.
fn shared(one: &Counts, other: &Counts) -> f64 {
    let (mut both, mut all) = (0, 0);
    for (a, b) in one.iter().zip(other) {
        all += a + b;
        if *a > 0 && *b > 0 {
            both += a + b;
        }
    }
    f64::from(both) / f64::from(all.max(1))
}

/// The last of the days across which the least is shared: the one on which the other hours begin.
fn narrowest(days: &[(i32, f64)]) -> Option<i32> {
    let least = days.iter().map(|d| d.1).reduce(f64::min)?;
    days.iter().rev().find(|d| d.1 <= least).map(|d| d.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Purpose, Stream};

    /// Four tests a day; on some days a part of them an hour later.
    fn tests(days: i32, moved: usize, on: impl Fn(i32) -> bool) -> Vec<Hourly> {
        let one = |day: i32, at: usize| {
            let late = u8::from(at < moved && on(day));
            Hourly { day, hour: [2, 8, 14, 20][at] + late, value: 1.0 }
        };
        (0..days).flat_map(|day| (0..4).map(move |at| (day, at))).map(|(day, at)| one(day, at)).collect()
    }

    #[test]
    fn a_day_from_which_all_tests_are_at_other_hours_is_found() {
        assert_eq!(moves(&tests(98, 4, |day| day >= 49)), [49]);
        assert_eq!(moves(&tests(98, 4, |day| day >= 20)), [20]);
        // Half a year and back, as clocks do; and for two months.
        assert_eq!(moves(&tests(365, 4, |day| (90..300).contains(&day))), [90, 300]);
        assert_eq!(moves(&tests(200, 4, |day| (70..130).contains(&day))), [70, 130]);
        // One test a week.
        let weekly: Vec<Hourly> =
            tests(7 * 60, 4, |day| day >= 7 * 30).into_iter().filter(|h| h.day % 7 == 3).collect();
        assert_eq!(moves(&weekly), [7 * 30 + 3]);
    }

    #[test]
    fn an_hour_that_stays_or_a_gap_is_no_move() {
        assert!(moves(&tests(98, 3, |day| day >= 49)).is_empty());
        assert!(moves(&tests(98, 0, |_| false)).is_empty());
        let weekdays = tests(120, 0, |_| false).into_iter().filter(|h| h.day % 7 < 5);
        let holiday = weekdays.filter(|h| !(40..70).contains(&h.day)).collect::<Vec<_>>();
        assert!(moves(&holiday).is_empty());
        assert!(moves(&[]).is_empty());
    }

    #[test]
    fn tests_at_random_hours_keep_to_none_and_never_move() {
        for run in 0..20 {
            let mut stream = Stream::new(run, Purpose::Simulation, 0);
            let hours: Vec<Hourly> =
                (0..200).map(|day| Hourly { day, hour: stream.below(24) as u8, value: 1.0 }).collect();
            assert!(moves(&hours).is_empty(), "run {run}");
        }
    }
}
