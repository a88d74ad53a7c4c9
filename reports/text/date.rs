//! Days and times for readers: always with the zone they are local to, never a date that two countries read differently.

use super::{Prose, number};
use broadgauge_model::clock::Wall;
use broadgauge_model::panel::Period;
use broadgauge_model::text::Phrase;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A zone by its IANA name; UTC where the name is unknown, and then the reader is told UTC.
pub fn zone(name: &str) -> (TimeZone, &str) {
    TimeZone::get(name).map_or((TimeZone::UTC, "UTC"), |zone| (zone, name))
}

/// The calendar day in a zone.
pub fn civil(at: Wall, zone: &TimeZone) -> Date {
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned(zone.clone()).date()
}

/// Days since 1970-01-01 as a date.
pub fn date_of_day(day: i32) -> Date {
    Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(day))
}

/// `12 May 2026`, `2026 年 5 月 12 日`.
pub fn day(date: Date) -> Prose {
    const DAY: Phrase = Phrase { en: "{d} {month} {y}", zh: "{y} 年 {m} 月 {d} 日" };
    Prose::say(
        &DAY,
        &[
            ("d", Prose::plain(date.day().to_string())),
            ("month", Prose::plain(MONTHS[usize::from(date.month() as u8) - 1])),
            ("m", Prose::plain(date.month().to_string())),
            ("y", Prose::plain(date.year().to_string())),
        ],
    )
}

/// The first to the last day of a period, both included: `1 March 2026 to 31 March 2026`.
pub fn period(period: &Period) -> Prose {
    const FROM_TO: Phrase = Phrase { en: "{from} to {to}", zh: "{from}至 {to}" };
    let (zone, _) = zone(&period.zone);
    let from = civil(period.from, &zone);
    let to = civil(Wall(period.to.0.saturating_sub(1).max(period.from.0)), &zone);
    if from == to {
        return day(from);
    }
    Prose::say(&FROM_TO, &[("from", day(from)), ("to", day(to))])
}

/// How many calendar days a period touches.
pub fn days(period: &Period) -> u64 {
    let (zone, _) = zone(&period.zone);
    let from = civil(period.from, &zone);
    let to = civil(Wall(period.to.0.saturating_sub(1).max(period.from.0)), &zone);
    from.until(to).map_or(0, |span| span.get_days().max(0) as u64) + 1
}

/// An hour of the day: `20:00`.
pub fn hour(hour: u8) -> String {
    format!("{hour:02}:00")
}

/// Weekdays, Monday first.
pub const WEEKDAYS: [Phrase; 7] = [
    Phrase { en: "Monday", zh: "周一" },
    Phrase { en: "Tuesday", zh: "周二" },
    Phrase { en: "Wednesday", zh: "周三" },
    Phrase { en: "Thursday", zh: "周四" },
    Phrase { en: "Friday", zh: "周五" },
    Phrase { en: "Saturday", zh: "周六" },
    Phrase { en: "Sunday", zh: "周日" },
];

/// A number of days: `1 day`, `90 days`.
pub fn span_of_days(days: u64) -> Prose {
    const ONE: Phrase = Phrase { en: "{n} day", zh: "{n} 天" };
    const MANY: Phrase = Phrase { en: "{n} days", zh: "{n} 天" };
    Prose::say(if days == 1 { &ONE } else { &MANY }, &[("n", number::count(days))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::text::Lang;

    #[test]
    fn a_period_ends_on_its_last_day_in_the_zone_of_its_readers() {
        // 2026-03-01 to 2026-04-01, midnight in Shanghai (UTC+8).
        let march = Period {
            from: Wall::from_secs(1_772_294_400),
            to: Wall::from_secs(1_774_972_800),
            zone: "Asia/Shanghai".into(),
        };
        assert_eq!(period(&march).get(Lang::En), "1 March 2026 to 31 March 2026");
        assert_eq!(period(&march).get(Lang::Zh), "2026 年 3 月 1 日至 2026 年 3 月 31 日");
        assert_eq!(days(&march), 31);
    }

    #[test]
    fn a_day_number_is_a_date() {
        assert_eq!(date_of_day(0), Date::constant(1970, 1, 1));
        assert_eq!(date_of_day(20_779), Date::constant(2026, 11, 22));
    }
}
