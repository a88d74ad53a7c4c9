//! A series without its week: hourly values less what is usual at that hour of the week, one value a day.
//!
//! Networks breathe with the day and the week. The median of each of the 168 hours of the week is taken away and the
//! median of all is put back; a day is the median of its hours. Medians, so that an outage or a change in the last
//! weeks hardly moves what is called usual.
//!
//! Where values stand at other hours of the week from a day on, what is usual before it says nothing of what is usual
//! after it: such days are told, because a change on them is taken away with the week.
//!
//! It cannot take away what does not return weekly (holidays, seasons), and a change in the shape of the week remains.

use super::quantile::{nearest_rank, sorted};
use super::refusal::{Answer, at_least, finite};
use std::collections::BTreeMap;

/// An hour of the week is known from this many weeks on.
pub const FEWEST_WEEKS: usize = 3;

/// A value at an hour of a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hourly {
    /// Days since some first day that was a Monday: day 0, 7, 14 share a weekday.
    pub day: i32,
    /// 0 to 23.
    pub hour: u8,
    /// The value.
    pub value: f64,
}

/// The days that are left when the week is taken away.
#[derive(Clone, Debug, PartialEq)]
pub struct Days {
    /// (day, value), ascending.
    pub days: Vec<(i32, f64)>,
    /// Values at hours of the week that were seen in too few weeks.
    pub left_out: usize,
    /// The first days of stretches that share next to no hour of the week with what lies before them.
    pub breaks: Vec<i32>,
}

/// When an hour of the week was seen.
struct Seen {
    first: i32,
    last: i32,
    values: usize,
}

/// Below this share of values at hours that are seen on both sides, a day parts the series.
const BRIDGE: f64 = 0.1;

/// The days that part a series: next to none of its hours of the week are seen before and from it on.
fn breaks(seen: &[Seen]) -> Vec<i32> {
    let all: usize = seen.iter().map(|s| s.values).sum();
    let (Some(first), Some(last)) = (seen.iter().map(|s| s.first).min(), seen.iter().map(|s| s.last).max())
    else {
        return Vec::new();
    };
    // Nearer to an end, most hours of the week have not come round yet.
    let weeks = 7 * (FEWEST_WEEKS as i32 - 1);
    let bridged = |day: i32| {
        let over: usize = seen.iter().filter(|s| s.first < day && day <= s.last).map(|s| s.values).sum();
        over as f64 / all as f64
    };
    let mut parting: Vec<(i32, f64)> = Vec::new();
    let mut out = Vec::new();
    for day in first + weeks..=last - weeks {
        let share = bridged(day);
        if share < BRIDGE {
            parting.push((day, share));
        } else {
            out.extend(narrowest(&parting));
            parting.clear();
        }
    }
    out.extend(narrowest(&parting));
    out
}

/// The last of the days over which the least is seen on both sides: the one on which the other hours begin.
fn narrowest(parting: &[(i32, f64)]) -> Option<i32> {
    let least = parting.iter().map(|p| p.1).reduce(f64::min)?;
    parting.iter().rev().find(|p| p.1 <= least).map(|p| p.0)
}

/// Takes the week away.
pub fn without_week(hours: &[Hourly]) -> Answer<Days> {
    let mut weeks: BTreeMap<(i32, u8), (Vec<f64>, i32, i32)> = BTreeMap::new();
    for hour in hours {
        let value = finite(hour.value, "a value")?;
        let (values, first, last) =
            weeks.entry((hour.day.rem_euclid(7), hour.hour)).or_insert((Vec::new(), hour.day, hour.day));
        values.push(value);
        (*first, *last) = (hour.day.min(*first), hour.day.max(*last));
    }
    let mut left_out = 0;
    let mut usual = BTreeMap::new();
    let mut all = Vec::new();
    let mut seen = Vec::new();
    for (place, (values, first, last)) in weeks {
        if values.len() < FEWEST_WEEKS {
            left_out += values.len();
        } else {
            all.extend_from_slice(&values);
            seen.push(Seen { first, last, values: values.len() });
            usual.insert(place, middle(values)?);
        }
    }
    at_least(all.len(), FEWEST_WEEKS, "weeks of the same hour")?;
    let level = middle(all)?;
    let mut days: BTreeMap<i32, Vec<f64>> = BTreeMap::new();
    for hour in hours {
        if let Some(usual) = usual.get(&(hour.day.rem_euclid(7), hour.hour)) {
            days.entry(hour.day).or_default().push(hour.value - usual + level);
        }
    }
    let days = days.into_iter().map(|(day, values)| Ok((day, middle(values)?))).collect::<Answer<_>>()?;
    Ok(Days { days, left_out, breaks: breaks(&seen) })
}

/// The median, halfway between the two middle values where there are two.
fn middle(values: Vec<f64>) -> Answer<f64> {
    let sorted = sorted(values)?;
    let (low, high) = (sorted.get((sorted.len().max(1) - 1) / 2), sorted.get(sorted.len() / 2));
    match (low, high) {
        (Some(low), Some(high)) => finite(f64::midpoint(*low, *high), "the median"),
        _ => nearest_rank(&sorted, 0.5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weeks(weeks: i32, value: impl Fn(i32, u8) -> f64) -> Vec<Hourly> {
        (0..7 * weeks)
            .flat_map(|day| (0..24).map(move |hour| (day, hour)))
            .map(|(day, hour)| Hourly { day, hour, value: value(day, hour) })
            .collect()
    }

    #[test]
    fn a_week_that_only_repeats_leaves_a_flat_line() {
        let hours = weeks(6, |day, hour| 20.0 + f64::from(hour) + 5.0 * f64::from(day % 7));
        let days = without_week(&hours).unwrap();
        assert_eq!(days.days.len(), 42);
        assert!(days.days.iter().all(|(_, v)| (v - days.days[0].1).abs() < 1e-12));
        // Hours 0 to 23 and weekdays 0 to 30: the middle of them all.
        assert!((days.days[0].1 - 46.5).abs() < 1e-12, "{}", days.days[0].1);
    }

    #[test]
    fn a_step_stays_a_step() {
        let hours = weeks(10, |day, hour| f64::from(hour) + if day >= 49 { 3.0 } else { 0.0 });
        let days = without_week(&hours).unwrap().days;
        let (before, after) = (days[20].1, days[60].1);
        assert!((after - before - 3.0).abs() < 1e-12);
    }

    /// Four tests a day for 14 weeks; from a day on, so many of them an hour later.
    fn moved(day: i32, moved: usize) -> Vec<Hourly> {
        let mut hours = weeks(14, |_, hour| f64::from(hour));
        hours.retain(|h| [2, 8, 14, 20].contains(&h.hour));
        for hour in hours.iter_mut().filter(|h| h.day >= day) {
            hour.hour += u8::from([2, 8, 14, 20][..moved].contains(&hour.hour));
        }
        hours
    }

    #[test]
    fn a_day_from_which_all_tests_are_at_other_hours_parts_the_series() {
        let breaks = |hours: Vec<Hourly>| without_week(&hours).unwrap().breaks;
        assert_eq!(breaks(moved(49, 4)), [49]);
        assert_eq!(breaks(moved(30, 4)), [30]);
        // One hour that stays is a bridge, and so is a week that runs on.
        assert!(breaks(moved(49, 3)).is_empty());
        assert!(breaks(weeks(14, |_, _| 1.0)).is_empty());
        // Without tests at weekends, and with a holiday of three weeks.
        let gaps = moved(200, 0).into_iter().filter(|h| h.day % 7 < 5 && !(40..61).contains(&h.day));
        assert!(breaks(gaps.collect()).is_empty());
    }

    #[test]
    fn an_hour_seen_in_too_few_weeks_is_left_out_and_counted() {
        let mut hours = weeks(4, |_, hour| f64::from(hour));
        hours.retain(|h| h.hour != 3 || h.day < 14);
        let days = without_week(&hours).unwrap();
        assert_eq!(days.left_out, 14);
        assert!(without_week(&weeks(2, |_, _| 1.0)).is_err());
        assert!(without_week(&[]).is_err());
        assert!(without_week(&weeks(4, |_, _| f64::NAN)).is_err());
    }
}
