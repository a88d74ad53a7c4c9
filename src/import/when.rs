//! Times as people write them. Forms are tried in the order in which they stand; each must fit the whole text.
//!
//! What it cannot tell: whether `04-05-15` is in April or in May. The first form that fits is taken, and texts that
//! fit several forms with different meanings are counted, so that the reader is warned.

use super::unit::{half_width, zone_named};
use broadgauge_model::clock::Wall;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Forms that are tried where a map names none, and after its own for the cells of a spreadsheet.
const ISO: &[&str] = &[
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
];

/// How the times of one column are read.
#[derive(Clone, Debug)]
pub(super) struct Times {
    formats: Vec<String>,
    zone: TimeZone,
    stated: bool,
    not_before: Option<Wall>,
    before: Option<Wall>,
}

/// A time, and what had to be assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// The time.
    pub at: Wall,
    /// Another form fits too, and means another time.
    pub ambiguous: bool,
    /// It carried no offset, and nobody named a zone: it was read as UTC.
    pub assumed_utc: bool,
    /// It stands twice on that day, when clocks go back: the first was taken.
    pub twice: bool,
}

impl Times {
    /// Times in these forms, in this zone, within these bounds. `sheet`: cells of a spreadsheet, which are ISO.
    pub(super) fn new(formats: &[String], zone: Option<&str>, sheet: bool) -> Result<Self, String> {
        let mut formats = formats.to_vec();
        if formats.is_empty() || sheet {
            formats.extend(ISO.iter().map(|f| (*f).to_owned()));
        }
        let stated = zone.is_some();
        let zone = zone.map_or(Ok(TimeZone::UTC), zone_named)?;
        Ok(Self { formats, zone, stated, not_before: None, before: None })
    }

    /// Refuses times outside these bounds, which are read in the same zone.
    pub(super) fn within(mut self, not_before: Option<&str>, before: Option<&str>) -> Result<Self, String> {
        self.not_before = not_before.map(|text| bound(text, &self.zone)).transpose()?;
        self.before = before.map(|text| bound(text, &self.zone)).transpose()?;
        Ok(self)
    }

    /// Reads a time.
    pub(super) fn read(&self, text: &str) -> Result<Told, String> {
        let plain: String = text.chars().map(half_width).collect();
        let told = if let Some(at) = Wall::parse_rfc3339(&plain) {
            Told { at, ambiguous: false, assumed_utc: false, twice: false }
        } else {
            let mut fits = self.formats.iter().filter_map(|f| fit(f, &plain));
            let first = fits.next().ok_or_else(|| self.refusal(text))?;
            let ambiguous = fits.any(|other| other != first);
            let (at, twice) = match first {
                Fit::Instant(at) => (at, false),
                Fit::Civil(civil) => self.place(civil)?,
            };
            let assumed_utc = !self.stated && matches!(first, Fit::Civil(_));
            Told { at, ambiguous, assumed_utc, twice }
        };
        if self.not_before.is_some_and(|b| told.at < b) || self.before.is_some_and(|b| told.at >= b) {
            let from = self.not_before.map_or_else(|| "the beginning".into(), Wall::rfc3339);
            let to = self.before.map_or_else(|| "the end".into(), Wall::rfc3339);
            return Err(format!(
                "{text:?} is {}, outside {from} to {to}, which the map allows",
                told.at.rfc3339()
            ));
        }
        Ok(told)
    }

    fn place(&self, civil: DateTime) -> Result<(Wall, bool), String> {
        let placed = self.zone.to_ambiguous_timestamp(civil);
        let offset = placed.offset();
        if matches!(offset, AmbiguousOffset::Gap { .. }) {
            return Err(format!("{civil} does not exist in this zone: clocks were put forward over it"));
        }
        let at = placed.earlier().map_err(|e| format!("{civil}: {e}"))?;
        let at = i64::try_from(at.as_nanosecond()).map_err(|_| format!("{civil} is too far away"))?;
        Ok((Wall(at), matches!(offset, AmbiguousOffset::Fold { .. })))
    }

    fn refusal(&self, text: &str) -> String {
        let tried = self.formats.iter().take(4).map(String::as_str).collect::<Vec<_>>().join("  ");
        let more = if self.formats.len() > 4 { " …" } else { "" };
        format!(
            "{text:?} is not a time in any form tried ({tried}{more}): name its form under formats in the map"
        )
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Instant(Wall),
    Civil(DateTime),
}

fn fit(format: &str, text: &str) -> Option<Fit> {
    let parts = BrokenDownTime::parse(format, text).ok()?;
    if parts.offset().is_some() {
        let at = parts.to_timestamp().ok()?;
        return i64::try_from(at.as_nanosecond()).ok().map(|ns| Fit::Instant(Wall(ns)));
    }
    // `%Y` also reads "22": a year of two digits belongs to `%y`.
    let date = parts.to_date().ok().filter(|d| d.year() >= 1000)?;
    let time = if parts.hour().is_some() { parts.to_time().ok()? } else { jiff::civil::Time::midnight() };
    Some(Fit::Civil(date.to_datetime(time)))
}

fn bound(text: &str, zone: &TimeZone) -> Result<Wall, String> {
    let times = Times {
        formats: ISO.iter().map(|f| (*f).to_owned()).collect(),
        zone: zone.clone(),
        stated: true,
        not_before: None,
        before: None,
    };
    times.read(text).map(|told| told.at)
}

/// Whether a bound can be read at all.
pub(super) fn check_bound(text: &str) -> Result<(), String> {
    bound(text, &TimeZone::UTC).map(drop)
}

/// Whether a form can name a date: it is tried on a time written in it.
pub(super) fn check_format(format: &str) -> Result<(), String> {
    let sample = jiff::civil::date(2015, 4, 22).at(15, 53, 50, 0).in_tz("UTC").map_err(|e| e.to_string())?;
    let written =
        BrokenDownTime::from(&sample).to_string(format).map_err(|e| format!("is not a form: {e}"))?;
    let parts = BrokenDownTime::parse(format, &written).map_err(|e| format!("cannot be read back: {e}"))?;
    parts.to_date().map(drop).map_err(|_| "does not name a year, a month and a day".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(formats: &[&str], zone: Option<&str>) -> Times {
        Times::new(&formats.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>(), zone, false).unwrap()
    }

    fn at(told: Result<Told, String>) -> String {
        told.unwrap().at.rfc3339()
    }

    #[test]
    fn two_forms_of_one_column_are_both_read() {
        let t = times(&["%d-%m-%y %I:%M:%S %p", "%Y-%m-%d %I:%M:%S %p"], Some("America/New_York"));
        assert_eq!(at(t.read("22-04-15 3:53:50 PM")), "2015-04-22T19:53:50Z");
        assert_eq!(at(t.read("2015-04-08 10:22:56 AM")), "2015-04-08T14:22:56Z");
        assert!(!t.read("12-04-15 3:53:50 PM").unwrap().ambiguous, "12 is no year of four digits");
        assert!(t.read("04-Aug-15 10:22:56 AM").unwrap_err().contains("formats"));
        assert!(t.read("22-04-15 3:53:50 PM and more").is_err());
    }

    #[test]
    fn a_text_that_fits_two_forms_is_flagged() {
        let t = times(&["%d/%m/%Y", "%m/%d/%Y"], Some("UTC"));
        assert!(t.read("04/05/2015").unwrap().ambiguous);
        assert!(!t.read("24/05/2015").unwrap().ambiguous);
        assert!(!t.read("05/05/2015").unwrap().ambiguous, "both forms mean the same day");
    }

    #[test]
    fn a_time_outside_the_bounds_of_the_map_is_refused() {
        let t = times(&["%d-%b-%y"], Some("America/New_York"))
            .within(Some("2015-04-01"), Some("2015-05-01"))
            .unwrap();
        assert!(t.read("04-Aug-15").unwrap_err().contains("outside"));
        assert_eq!(at(t.read("01-Apr-15")), "2015-04-01T04:00:00Z");
    }

    #[test]
    fn clock_changes_are_neither_guessed_nor_hidden() {
        let t = times(&[], Some("Europe/London"));
        assert!(t.read("2013-03-31 01:30").unwrap_err().contains("does not exist"));
        let twice = t.read("2013-10-27 01:30").unwrap();
        assert!(twice.twice);
        assert_eq!(twice.at.rfc3339(), "2013-10-27T00:30:00Z");
    }

    #[test]
    fn an_offset_in_the_text_wins_over_the_zone() {
        let t = times(&[], Some("Asia/Shanghai"));
        assert_eq!(at(t.read("2024-01-01T00:00:00Z")), "2024-01-01T00:00:00Z");
        assert_eq!(at(t.read("2024年1月1日 08:00")), "2024-01-01T00:00:00Z");
        assert!(times(&[], None).read("2024-01-01").unwrap().assumed_utc);
    }

    #[test]
    fn a_form_without_a_year_is_refused_when_the_map_is_read() {
        assert!(check_format("%d-%m-%y").is_ok());
        assert!(check_format("%d-%m").is_err());
        assert!(check_format("%Q9").is_err());
    }
}
