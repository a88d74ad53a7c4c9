//! A series without its week: hourly values less what is usual at that hour of the week, one value a day.
//!
//! Networks breathe with the day and the week. The median of each of the 168 hours of the week is taken away and the
//! median of all is put back; a day is the median of its hours. Medians, so that an outage or a change in the last
//! weeks hardly moves what is called usual.
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
}

/// Takes the week away.
pub fn without_week(hours: &[Hourly]) -> Answer<Days> {
    let mut weeks: BTreeMap<(i32, u8), Vec<f64>> = BTreeMap::new();
    for hour in hours {
        let value = finite(hour.value, "a value")?;
        weeks.entry((hour.day.rem_euclid(7), hour.hour)).or_default().push(value);
    }
    let mut left_out = 0;
    let mut usual = BTreeMap::new();
    let mut all = Vec::new();
    for (place, values) in weeks {
        if values.len() < FEWEST_WEEKS {
            left_out += values.len();
        } else {
            all.extend_from_slice(&values);
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
    Ok(Days { days, left_out })
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
