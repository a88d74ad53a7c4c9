//! Local calendars: which days are holidays, and how long a day is.
//!
//! Rules speak of local time. A day on which clocks change has 23 or 25 hours, and a holiday week is not an ordinary one:
//! both follow from the zone and the calendar, not from counting hours. Holidays follow a rule, with the days that are
//! given in lieu of those that fall on a weekend, or they are announced year by year, with the weekends that are worked
//! instead: of other years such a calendar says nothing. Easter is that of the Gregorian calendar (Meeus, Astronomical
//! Algorithms, 1991, chapter 8).

use broadgauge_model::panel::weekday;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Public holidays of a place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Its name.
    pub id: String,
    /// Where it is published.
    pub source: String,
    /// Its days, where they follow a rule.
    #[serde(default)]
    pub days: Vec<Holiday>,
    /// Which day is free in lieu of a holiday on a weekend; none where nothing is said.
    #[serde(default)]
    pub in_lieu: Option<InLieu>,
    /// Its years, where each is announced by itself; empty where the days follow a rule.
    #[serde(default)]
    pub years: BTreeMap<i16, Announced>,
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

/// Which day is free in lieu of a holiday on a weekend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InLieu {
    /// The Friday before a Saturday, the Monday after a Sunday.
    NearestWeekday,
    /// The next day that is neither on a weekend nor a holiday itself.
    NextWorkingDay,
}

/// What was announced for a year; days are months and days.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announced {
    /// First and last day of each holiday.
    pub holidays: Vec<[(i8, i8); 2]>,
    /// Days of weekends that are worked.
    pub worked: Vec<(i8, i8)>,
}

/// The calendars that are known.
pub fn calendars() -> Vec<Calendar> {
    serde_json::from_str(include_str!("data/calendars.json")).unwrap_or_default()
}

/// The date of a day counted from 1970-01-01.
fn date_of(day: i32) -> Date {
    Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(day))
}

impl Calendar {
    /// The calendar of this name.
    pub fn find(id: &str) -> Option<Self> {
        calendars().into_iter().find(|c| c.id == id)
    }

    /// Whether a day is a holiday, or free in lieu of one.
    pub fn is_holiday(&self, date: Date) -> bool {
        let today = (date.month(), date.day());
        let announced = self.years.get(&date.year());
        announced.is_some_and(|year| year.holidays.iter().any(|[first, last]| (*first..=*last).contains(&today)))
            // The first of January may be given back on the last day of December.
            || [date.year(), date.year().saturating_add(1)].iter().any(|year| self.free(*year).contains(&date))
    }

    /// The same, for days since 1970-01-01.
    pub fn is_holiday_on(&self, day: i32) -> bool {
        self.is_holiday(date_of(day))
    }

    /// Whether a day is on no weekend, or on one that is worked; holidays apart.
    pub fn is_worked_on(&self, day: i32) -> bool {
        let is_made_up = || {
            let date = date_of(day);
            self.years.get(&date.year()).is_some_and(|year| year.worked.contains(&(date.month(), date.day())))
        };
        weekday(day) < 5 || is_made_up()
    }

    /// The year of a day of which the calendar says nothing.
    pub fn unknown_year(&self, day: i32) -> Option<i16> {
        let year = date_of(day).year();
        (!self.years.is_empty() && !self.years.contains_key(&year)).then_some(year)
    }

    /// The holidays of a year that follow a rule, with the days in lieu of them.
    fn free(&self, year: i16) -> BTreeSet<Date> {
        let mut free: BTreeSet<Date> = self.days.iter().filter_map(|day| day.of(year)).collect();
        let Some(in_lieu) = self.in_lieu else { return free };
        let weekends: Vec<Date> = free.iter().copied().filter(|date| is_weekend(*date)).collect();
        for holiday in weekends {
            free.extend(in_lieu.of(holiday, &free));
        }
        free
    }
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

impl InLieu {
    /// The day in lieu of a holiday on a weekend, among days that are free already.
    fn of(self, holiday: Date, free: &BTreeSet<Date>) -> Option<Date> {
        match (self, holiday.weekday()) {
            (Self::NearestWeekday, Weekday::Saturday) => holiday.yesterday().ok(),
            (Self::NearestWeekday, _) => holiday.tomorrow().ok(),
            (Self::NextWorkingDay, _) => {
                let days = std::iter::successors(holiday.tomorrow().ok(), |date| date.tomorrow().ok());
                days.take(14).find(|date| !is_weekend(*date) && !free.contains(date))
            }
        }
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
        // A Saturday; nothing is given in lieu in Germany.
        assert!(!german.is_holiday(date("2026-10-05")) && !german.is_holiday(date("2026-10-02")));
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

    // Oracle: the U.S. Office of Personnel Management's lists of federal holidays, 2020 to 2028.
    #[test]
    fn a_federal_holiday_on_a_weekend_frees_the_friday_before_or_the_monday_after() {
        let us = Calendar::find("us").unwrap();
        for day in
            ["2020-07-03", "2021-12-24", "2021-12-31", "2022-12-26", "2023-01-02", "2026-07-03", "2027-07-05"]
        {
            assert!(us.is_holiday(date(day)), "{day}");
        }
        for day in ["2026-07-06", "2022-01-03", "2025-07-03", "2026-12-24"] {
            assert!(!us.is_holiday(date(day)), "{day}");
        }
    }

    // Oracle: gov.uk, bank holidays in England and Wales, 2020 to 2028.
    #[test]
    fn a_bank_holiday_on_a_weekend_is_given_on_the_next_working_day() {
        let england = Calendar::find("gb-eng").unwrap();
        for day in [
            "2020-12-28",
            "2021-12-27",
            "2021-12-28",
            "2022-01-03",
            "2022-12-27",
            "2023-01-02",
            "2026-12-28",
            "2027-12-27",
            "2027-12-28",
            "2028-01-03",
        ] {
            assert!(england.is_holiday(date(day)), "{day}");
        }
        for day in ["2020-12-29", "2021-12-29", "2022-12-28", "2023-12-27", "2026-12-29", "2025-12-29"] {
            assert!(!england.is_holiday(date(day)), "{day}");
        }
    }

    // Oracle: the number of days off that each notice of the State Council's General Office names: 8 in spring, 3, 5 and 7
    // in 2024; 8 and 8 in 2025; 9 and 7 in 2026.
    #[test]
    fn chinese_holidays_are_those_announced_with_their_weekends_worked() {
        let china = Calendar::find("cn").unwrap();
        let count = |from: &str, to: &str| {
            let days = date(from).series(jiff::Span::new().days(1)).take_while(|day| *day <= date(to));
            days.filter(|day| china.is_holiday(*day)).count()
        };
        assert_eq!([count("2024-02-01", "2024-02-29"), count("2024-04-01", "2024-04-30")], [8, 3]);
        assert_eq!([count("2024-05-01", "2024-05-31"), count("2024-10-01", "2024-10-31")], [5, 7]);
        assert_eq!([count("2025-01-26", "2025-02-08"), count("2025-10-01", "2025-10-31")], [8, 8]);
        assert_eq!([count("2026-02-01", "2026-02-28"), count("2026-10-01", "2026-10-31")], [9, 7]);
        assert!(!china.is_holiday(date("2024-02-09")) && china.is_holiday(date("2025-01-28")));
        // Every day that is worked is one of a weekend and no holiday.
        for (year, announced) in &china.years {
            for (month, day) in &announced.worked {
                let day = Date::new(*year, *month, *day).unwrap();
                assert!(is_weekend(day) && !china.is_holiday(day), "{day}");
            }
        }
        let since = |text: &str| date(text).since(date("1970-01-01")).unwrap().get_days();
        assert!(china.is_worked_on(since("2026-02-28")) && !china.is_worked_on(since("2026-03-07")));
        assert!(!Calendar::find("us").unwrap().is_worked_on(since("2026-02-28")));
        assert_eq!(china.unknown_year(since("2026-12-31")), None);
        assert_eq!(china.unknown_year(since("2027-01-01")), Some(2027));
        assert_eq!(Calendar::find("us").unwrap().unknown_year(since("2027-01-01")), None);
    }
}
