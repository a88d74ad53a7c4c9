//! Numbers as people write them, in the unit that they wrote them in, into the unit that we keep.

use super::table::Reading;
use broadgauge_model::unit::Unit;
use jiff::tz::TimeZone;

/// From a unit in a table to the unit that we keep: first a factor, then a divisor, both whole, so that
/// 0.010% is exactly 0.0001.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Conversion {
    times: f64,
    over: f64,
    percent: bool,
}

type Row = (&'static str, f64, f64);

const RATES: &[Row] = &[
    ("mbit/s", 1.0, 1.0),
    ("mbps", 1.0, 1.0),
    ("kbit/s", 1.0, 1e3),
    ("kbps", 1.0, 1e3),
    ("bit/s", 1.0, 1e6),
    ("bps", 1.0, 1e6),
    ("gbit/s", 1e3, 1.0),
    ("gbps", 1e3, 1.0),
];
/// A small and a capital B differ by a factor of eight, so these are read as written.
const BYTE_RATES: &[Row] = &[
    ("B/s", 8.0, 1e6),
    ("kB/s", 8.0, 1e3),
    ("KB/s", 8.0, 1e3),
    ("MB/s", 8.0, 1.0),
    ("KiB/s", 8_192.0, 1e6),
    ("MiB/s", 8_388_608.0, 1e6),
];
const DELAYS: &[Row] = &[
    ("ms", 1.0, 1.0),
    ("s", 1e3, 1.0),
    ("us", 1.0, 1e3),
    ("µs", 1.0, 1e3),
    ("μs", 1.0, 1e3),
    ("ns", 1.0, 1e6),
    ("毫秒", 1.0, 1.0),
    ("秒", 1e3, 1.0),
];
const RATIOS: &[Row] = &[
    ("ratio", 1.0, 1.0),
    ("percent", 1.0, 100.0),
    ("%", 1.0, 100.0),
    ("permille", 1.0, 1e3),
    ("‰", 1.0, 1e3),
    ("ppm", 1.0, 1e6),
];

/// Spellings for messages: the tables above know more.
const RATES_KNOWN: &str = "bit/s, kbit/s, Mbit/s, Gbit/s, B/s, kB/s, MB/s";
const DELAYS_KNOWN: &str = "s, ms, us, ns";
const RATIOS_KNOWN: &str = "ratio, percent, permille, ppm";

impl Conversion {
    /// Nothing to convert.
    pub(super) const NONE: Self = Self { times: 1.0, over: 1.0, percent: false };

    /// From a unit of rate to Mbit/s.
    pub(super) fn rate(unit: &str) -> Result<Self, String> {
        if BYTE_RATES.iter().any(|(name, ..)| *name == unit) {
            return among(unit, BYTE_RATES, "");
        }
        among(unit, RATES, RATES_KNOWN)
    }

    /// From a unit of time to milliseconds.
    pub(super) fn delay(unit: &str) -> Result<Self, String> {
        among(unit, DELAYS, DELAYS_KNOWN)
    }

    /// From a unit to that of a metric.
    pub(super) fn to(kept: Unit, unit: &str) -> Result<Self, String> {
        match kept {
            Unit::Milliseconds => Self::delay(unit),
            Unit::MegabitsPerSecond => Self::rate(unit),
            Unit::Ratio => {
                let found = among(unit, RATIOS, RATIOS_KNOWN)?;
                Ok(Self { percent: found.over == 100.0, ..found })
            }
            Unit::RoundTripsPerMinute | Unit::OpinionScore | Unit::Score | Unit::Count => {
                let own = kept.code();
                (unit.eq_ignore_ascii_case(own))
                    .then_some(Self::NONE)
                    .ok_or_else(|| format!("{unit:?} is not the unit of this metric; it is {own}"))
            }
        }
    }

    /// Whether any metric can have this unit.
    pub(super) fn known(unit: &str) -> Result<(), String> {
        const BARE: [Unit; 4] = [Unit::RoundTripsPerMinute, Unit::OpinionScore, Unit::Score, Unit::Count];
        let families = [Unit::Milliseconds, Unit::MegabitsPerSecond, Unit::Ratio];
        if families.into_iter().chain(BARE).any(|kept| Self::to(kept, unit).is_ok()) {
            return Ok(());
        }
        let bare = BARE.map(Unit::code).join(", ");
        Err(format!("{unit:?} is not one of: {DELAYS_KNOWN}; {RATES_KNOWN}; {RATIOS_KNOWN}; {bare}"))
    }

    /// Converts a number.
    pub(super) fn apply(self, value: f64) -> f64 {
        value * self.times / self.over
    }

    /// Reads a number and converts it.
    pub(super) fn read(self, text: &str, reading: &Reading) -> Result<f64, String> {
        let bare = match (text.strip_suffix(['%', '％']), self.percent) {
            (None, _) => text,
            (Some(bare), true) => bare.trim_end(),
            (Some(_), false) => {
                return Err(format!("{text:?} is a percentage: say unit = \"percent\" in the map"));
            }
        };
        number(bare, reading).map(|value| self.apply(value))
    }
}

fn among(unit: &str, table: &[Row], known: &str) -> Result<Conversion, String> {
    let small = unit.to_lowercase();
    table
        .iter()
        .find(|(name, ..)| *name == small || *name == unit)
        .map(|&(_, times, over)| Conversion { times, over, percent: false })
        .ok_or_else(|| format!("{unit:?} is not one of: {known}"))
}

/// Reads a number. Full-width digits are read; anything that could mean two numbers is refused.
pub(super) fn number(text: &str, reading: &Reading) -> Result<f64, String> {
    let decimal = reading.decimal.unwrap_or('.');
    let mut plain = String::with_capacity(text.len());
    for c in text.chars().map(half_width) {
        match c {
            _ if c == decimal => plain.push('.'),
            _ if Some(c) == reading.thousands => {}
            ',' => {
                return Err(format!(
                    "{text:?} is not a number: say decimal = \",\" or thousands = \",\" under [read] in the map"
                ));
            }
            '0'..='9' | '+' | '-' | 'e' | 'E' => plain.push(c),
            _ => return Err(format!("{text:?} is not a number")),
        }
    }
    let value: f64 = plain.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if value.is_finite() { Ok(value) } else { Err(format!("{text:?} is not a finite number")) }
}

/// Reads a yes or a no.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.chars().map(half_width).collect::<String>().to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "是" => Ok(true),
        "no" | "n" | "false" | "0" | "否" => Ok(false),
        _ => Err(format!("{text:?} is neither yes nor no")),
    }
}

/// `１２．５` as `12.5`.
pub(super) fn half_width(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '−' => '-',
        _ => c,
    }
}

/// The IANA zone of this name.
pub(super) fn zone_named(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("{name:?} is not an IANA time zone such as Europe/London or Asia/Shanghai"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kept: Unit, unit: &str, text: &str) -> Result<f64, String> {
        Conversion::to(kept, unit)?.read(text, &Reading::default())
    }

    #[test]
    fn units_are_converted_to_those_we_keep() {
        assert_eq!(read(Unit::MegabitsPerSecond, "kbit/s", "2048"), Ok(2.048));
        assert_eq!(read(Unit::MegabitsPerSecond, "MB/s", "10"), Ok(80.0));
        assert_eq!(read(Unit::MegabitsPerSecond, "Mbps", "10"), Ok(10.0));
        assert_eq!(read(Unit::Milliseconds, "s", "0.25"), Ok(250.0));
        assert_eq!(read(Unit::Milliseconds, "us", "250"), Ok(0.25));
        assert!(read(Unit::Milliseconds, "Mbit/s", "1").is_err());
    }

    #[test]
    fn a_percentage_in_text_is_exact_and_never_taken_for_a_ratio() {
        assert_eq!(read(Unit::Ratio, "percent", "0.010%"), Ok(0.0001));
        assert_eq!(read(Unit::Ratio, "percent", "1.5"), Ok(0.015));
        let why = read(Unit::Ratio, "ratio", "0.010%").unwrap_err();
        assert!(why.contains("percent"), "{why}");
    }

    #[test]
    fn a_number_that_could_be_two_is_refused_with_the_cure() {
        let plain = Reading::default();
        assert!(number("1,234", &plain).unwrap_err().contains("thousands"));
        let german = Reading { decimal: Some(','), thousands: Some('.'), ..Reading::default() };
        assert_eq!(number("1.234,5", &german), Ok(1234.5));
        assert_eq!(number("１２．５", &plain), Ok(12.5));
        for bad in ["", "-", "NaN", "inf", "1e999", "12 ms", "0x10"] {
            assert!(number(bad, &plain).is_err(), "{bad}");
        }
    }
}
