//! Local calendars: which days are holidays, and how long a day is.
//!
//! Rules speak of local time. A day on which clocks change has 23 or 25 hours, and a holiday week is not an ordinary one:
//! both follow from the zone and the calendar, not from counting hours. Easter is that of the Gregorian calendar (Meeus,
//! Astronomical Algorithms, 1991, chapter 8).

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::Deserialize;

/// Public holidays of a place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Its name.
    pub id: String,
    /// Where it is published.
    pub source: String,
    /// Its days.
    pub days: Vec<Holiday>,
}

/// When a holiday falls.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holiday {
    /// Month and day.
    On(i8, i8),
    /// Days after Easter Sunday; negative before.
    Easter(i32),
    /// Month, weekday (1 is Monday), and which one of the month; -1 is the last.
    Nth(i8, i8, i8),
}

/// The calendars that are known.
pub fn calendars() -> Vec<Calendar> {
    serde_json::from_str(include_str!("data/calendars.json")).unwrap_or_default()
}

impl Calendar {
    /// The calendar of this name.
    pub fn find(id: &str) -> Option<Self> {
        calendars().into_iter().find(|c| c.id == id)
    }

    /// Whether a day is a holiday. Days that are moved when they fall on a weekend are not followed.
    pub fn is_holiday(&self, date: Date) -> bool {
        self.days.iter().any(|day| day.of(date.year()) == Some(date))
    }

    /// The same, for days since 1970-01-01.
    pub fn is_holiday_on(&self, day: i32) -> bool {
        self.is_holiday(Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(day)))
    }
}

impl Holiday {
    fn of(self, year: i16) -> Option<Date> {
        match self {
            Self::On(month, day) => Date::new(year, month, day).ok(),
            Self::Easter(offset) => Some(easter(year)?.saturating_add(jiff::Span::new().days(offset))),
            Self::Nth(month, weekday, nth) => {
                let weekday = Weekday::from_monday_one_offset(weekday).ok()?;
                Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()
            }
        }
    }
}

/// Easter Sunday.
pub fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    Date::new(year, month as i8, day as i8).ok()
}

/// How many hours a day has in a zone: 24, or 23 or 25 where clocks change.
pub fn hours_of(date: Date, zone: &TimeZone) -> i64 {
    let start = date.to_zoned(zone.clone());
    let end = date.tomorrow().ok().map(|d| d.to_zoned(zone.clone()));
    match (start, end) {
        (Ok(start), Some(Ok(end))) => (end.timestamp().as_second() - start.timestamp().as_second()) / 3_600,
        _ => 24,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    // Oracle: the dates as published in almanacs.
    #[test]
    fn easter_falls_where_the_almanac_says() {
        for day in
            ["2016-03-27", "2018-04-01", "2019-04-21", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25"]
        {
            assert_eq!(easter(date(day).year()), Some(date(day)));
        }
    }

    #[test]
    fn a_day_on_which_clocks_change_is_shorter_or_longer() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(hours_of(date("2026-03-29"), &berlin), 23);
        assert_eq!(hours_of(date("2026-10-25"), &berlin), 25);
        assert_eq!(hours_of(date("2026-10-26"), &berlin), 24);
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(hours_of(date("2026-03-29"), &shanghai), 24);
    }

    #[test]
    fn holidays_are_those_of_the_place() {
        let german = Calendar::find("de").unwrap();
        for day in ["2026-04-03", "2026-04-06", "2026-05-14", "2026-05-25", "2026-10-03", "2026-12-26"] {
            assert!(german.is_holiday(date(day)), "{day}");
        }
        assert!(!german.is_holiday(date("2026-07-04")) && !german.is_holiday(date("2026-04-04")));
        let us = Calendar::find("us").unwrap();
        for day in ["2026-11-26", "2026-05-25", "2026-07-04", "2026-01-19", "2026-09-07"] {
            assert!(us.is_holiday(date(day)), "{day}");
        }
        let england = Calendar::find("gb-eng").unwrap();
        for day in ["2026-05-04", "2026-05-25", "2026-08-31", "2026-04-06"] {
            assert!(england.is_holiday(date(day)), "{day}");
        }
        // 3 April 2026 is day 20,546.
        assert!(german.is_holiday_on(20_546));
    }
}
