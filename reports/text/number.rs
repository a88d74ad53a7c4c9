//! Numbers for readers.
//!
//! How many digits? An estimate shows what its interval lets it know: the half-width of the interval keeps two
//! digits where it begins with 10 to 35 and one where it begins with more, and the value stops at the same decimal
//! (rounding rule of the Particle Data Group, Review of Particle Physics, Introduction, section 5.3). A number without
//! an interval keeps three significant digits. Shares are printed as percent, differences of shares as percentage
//! points. Chinese says 万 and 亿 where English says million and billion; both round to the same three digits first,
//! so that the editions cannot disagree.

use super::Prose;
use broadgauge_model::text::{Lang, Phrase};
use broadgauge_model::unit::Unit;

/// With `digits` decimals, thousands in groups and a true minus sign.
pub fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (i, c) in whole.chars().enumerate() {
        // Four digits stand without a group: 2400, but 24,000.
        if i > 0 && whole.len() > 4 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(c);
    }
    let zero = !text.contains(|c: char| c.is_ascii_digit() && c != '0');
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{dot}{fraction}")
}

/// The decimals that keep `significant` digits of a value.
fn decimals(value: f64, significant: i32) -> usize {
    let magnitude = value.abs();
    if magnitude == 0.0 || !magnitude.is_finite() {
        return 0;
    }
    // 9.96 with two digits is 10, not 10.0: look at the rounded value.
    let exponent = magnitude.log10().floor();
    let rounded = (magnitude / 10f64.powf(exponent - f64::from(significant) + 1.0)).round();
    let carried = i32::from(rounded >= 10f64.powi(significant));
    (significant - 1 - exponent as i32 - carried).clamp(0, 6) as usize
}

/// The decimals at which an estimate with this half-width of its interval stops.
fn decimals_of_estimate(half: f64) -> usize {
    let lead = half / 10f64.powf(half.log10().floor());
    match lead {
        // Rounded up to the next power of ten, which then keeps two digits.
        9.5.. => decimals(half * 1.1, 2),
        3.55.. => decimals(half, 1),
        _ => decimals(half, 2),
    }
}

/// Three significant digits.
pub fn short(value: f64) -> String {
    fixed(value, decimals(value, 3))
}

/// Four significant digits without zeros behind the last: for tables.
pub fn four(value: f64) -> String {
    let text = fixed(value, decimals(value, 4));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Three significant digits, as a number; upwards or downwards.
pub fn rounded(value: f64, up: bool) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let step = 10f64.powf(2.0 - value.abs().log10().floor());
    // The last bits of a number that has three digits already must not move it to the next.
    let scaled = value * step;
    let whole = if (scaled - scaled.round()).abs() < 1e-6 {
        scaled.round()
    } else if up {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    whole / step
}

/// Events that are expected, roughly: a whole number, below two with one decimal.
pub fn events(expected: f64) -> String {
    fixed(expected, usize::from(expected.abs() < 1.95))
}

/// A share as percent: never 0 % or 100 % where it is not quite so.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    let digits = match value.abs() {
        0.0 | 100.0 => 0,
        v if v < 1.0 => decimals(v, 2).clamp(1, 4),
        v if v < 9.95 => 1,
        v if v <= 99.0 => 0,
        v if v < 100.0 => decimals(100.0 - v, 2).clamp(1, 4),
        _ => 0,
    };
    format!("{}%", fixed(value, digits))
}

/// How a quantity is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A value in its unit; a ratio as percent.
    Value(Unit),
    /// A difference in its unit; a difference of ratios as percentage points.
    Difference(Unit),
    /// A bare number: a rate ratio, a share of something else.
    Bare,
    /// Events that are expected, such as complaints: a tenth of one is the least that means anything.
    Events,
    /// A share of the whole, as percent.
    Share,
}

impl Style {
    const fn factor(self) -> f64 {
        match self {
            Self::Value(Unit::Ratio) | Self::Difference(Unit::Ratio) | Self::Share => 100.0,
            _ => 1.0,
        }
    }

    /// What stands behind the number, with its space.
    fn suffix(self, lang: Lang) -> String {
        const POINTS: Phrase = Phrase { en: " percentage points", zh: " 个百分点" };
        match self {
            Self::Value(Unit::Ratio) | Self::Share => "%".to_owned(),
            Self::Difference(Unit::Ratio) => POINTS.get(lang).to_owned(),
            Self::Value(unit) | Self::Difference(unit) => format!(" {}", unit.symbol().get(lang)),
            Self::Bare | Self::Events => String::new(),
        }
    }
}

/// A number without an interval, with its unit.
pub fn value(value: f64, style: Style) -> Prose {
    match style {
        Style::Value(Unit::Ratio) | Style::Share => Prose::plain(percent(value)),
        _ => Prose::of(|lang| short(value * style.factor()) + &style.suffix(lang)),
    }
}

const RANGE: Phrase = Phrase { en: "{low} to {high}", zh: "{low}～{high}" };
const WITH: Phrase = Phrase { en: "{value}{unit} ({range})", zh: "{value}{unit}（{range}）" };

/// The numerals of an estimate, all with the same decimals.
fn numerals(value: f64, interval: (f64, f64), style: Style) -> (String, Prose) {
    let [value, low, high] = [value, interval.0, interval.1].map(|v| v * style.factor());
    let half = (high - low) / 2.0;
    let digits = if half.is_finite() && half > 0.0 { decimals_of_estimate(half) } else { decimals(value, 3) };
    let digits = if style == Style::Events { digits.min(1) } else { digits };
    let range = Prose::say(
        &RANGE,
        &[("low", Prose::plain(end(low, digits))), ("high", Prose::plain(end(high, digits)))],
    );
    (fixed(value, digits), range)
}

fn end(value: f64, digits: usize) -> String {
    if value.is_infinite() {
        if value > 0.0 { "∞".into() } else { "−∞".into() }
    } else {
        fixed(value, digits)
    }
}

/// An estimate with its interval: `2.2 ms (0.9 to 3.5)`.
pub fn estimate(value: f64, interval: (f64, f64), style: Style) -> Prose {
    let (numeral, range) = numerals(value, interval, style);
    let unit = Prose::of(|lang| style.suffix(lang));
    Prose::say(&WITH, &[("value", Prose::plain(numeral)), ("unit", unit), ("range", range)])
}

/// The estimate and its interval apart, for a display that sets them in two sizes: `2.2 ms`, `0.9 to 3.5`.
pub fn estimate_parts(value: f64, interval: (f64, f64), style: Style) -> (Prose, Prose) {
    let (numeral, range) = numerals(value, interval, style);
    (Prose::of(|lang| numeral.clone() + &style.suffix(lang)), range)
}

/// Two estimates side by side, without their intervals and with the decimals of the less certain one.
pub fn pair(a: (f64, (f64, f64)), b: (f64, (f64, f64)), style: Style) -> (Prose, Prose) {
    let half = |(low, high): (f64, f64)| (high - low) * style.factor() / 2.0;
    let widest = half(a.1).max(half(b.1));
    let larger = a.0.abs().max(b.0.abs()) * style.factor();
    let known = widest.is_finite() && widest > 0.0;
    let digits = if known { decimals_of_estimate(widest) } else { decimals(larger, 3) };
    let one = |value: f64| Prose::of(|lang| fixed(value * style.factor(), digits) + &style.suffix(lang));
    (one(a.0), one(b.0))
}

/// A count: exact up to a million, in three digits above it.
pub fn count(count: u64) -> Prose {
    const MILLION: Phrase = Phrase { en: "{en} million", zh: "{zh} 万" };
    const HUNDRED_MILLION: Phrase = Phrase { en: "{en} million", zh: "{zh} 亿" };
    const BILLION: Phrase = Phrase { en: "{en} billion", zh: "{zh} 亿" };
    let (phrase, en, zh) = match count {
        0..1_000_000 => return Prose::plain(fixed(count as f64, 0)),
        1_000_000..100_000_000 => (&MILLION, 1e6, 1e4),
        100_000_000..1_000_000_000 => (&HUNDRED_MILLION, 1e6, 1e8),
        _ => (&BILLION, 1e9, 1e8),
    };
    let step = 10f64.powf((count as f64).log10().floor() - 2.0);
    let rounded = (count as f64 / step).round() * step;
    let scaled = |unit: f64| Prose::plain(trimmed(rounded / unit));
    Prose::say(phrase, &[("en", scaled(en)), ("zh", scaled(zh))])
}

/// Without zeros behind the last digit.
pub fn trimmed(value: f64) -> String {
    let text = fixed(value, 6);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A probability: three digits, or the bound below which nobody cares.
pub fn probability(p: f64) -> Prose {
    if p < 0.001 { Prose::plain("<0.001") } else { Prose::plain(fixed(p, 3)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(prose: &Prose) -> [&str; 2] {
        Lang::ALL.map(|lang| prose.get(lang))
    }

    #[test]
    fn an_estimate_shows_the_digits_that_its_interval_lets_it_know() {
        let ms = Style::Value(Unit::Milliseconds);
        assert_eq!(both(&estimate(2.21, (0.9, 3.5), ms)), ["2.2 ms (0.9 to 3.5)", "2.2 毫秒（0.9～3.5）"]);
        assert_eq!(both(&estimate(123.4, (101.0, 150.3), ms))[0], "123 ms (101 to 150)");
        assert_eq!(both(&estimate(1.312, (1.18, 1.451), Style::Bare))[0], "1.31 (1.18 to 1.45)");
        assert_eq!(both(&estimate(0.9, (0.63, 1.24), Style::Bare))[1], "0.90（0.63～1.24）");
        assert_eq!(both(&estimate(1.904, (1.671, 2.028), Style::Events))[0], "1.9 (1.7 to 2.0)");
        assert_eq!(both(&estimate(7.2, (1.0, 17.0), Style::Events))[0], "7 (1 to 17)");
        assert_eq!([5.76, 1.94, 0.31].map(events), ["6", "1.9", "0.3"]);
        assert_eq!(both(&estimate(-2.21, (-3.5, -0.9), ms))[0], "−2.2 ms (−3.5 to −0.9)");
        assert_eq!(
            both(&estimate(12_345.0, (11_000.0, 14_000.0), Style::Bare))[0],
            "12,345 (11,000 to 14,000)"
        );
    }

    #[test]
    fn a_share_is_percent_and_a_difference_of_shares_is_points() {
        assert_eq!(both(&estimate(0.183, (0.106, 0.299), Style::Share))[0], "18% (11 to 30)");
        assert_eq!(both(&estimate(0.61, (0.55, 0.67), Style::Share)), ["61% (55 to 67)", "61%（55～67）"]);
        assert_eq!(
            both(&estimate(0.0012, (0.0003, 0.0021), Style::Difference(Unit::Ratio))),
            ["0.12 percentage points (0.03 to 0.21)", "0.12 个百分点（0.03～0.21）"]
        );
        assert_eq!(
            [0.0, 1.0, 0.0004, 0.05, 0.5, 0.9995, 0.123].map(percent),
            ["0%", "100%", "0.040%", "5.0%", "50%", "99.950%", "12%"]
        );
    }

    #[test]
    fn an_edge_is_rounded_outwards_and_a_round_one_stays() {
        assert_eq!([rounded(15.831, false), rounded(187.263, true), rounded(0.3, true)], [15.8, 188.0, 0.3]);
        assert_eq!(
            [rounded(0.0, true), rounded(f64::INFINITY, true), rounded(60.0, false)],
            [0.0, f64::INFINITY, 60.0]
        );
    }

    #[test]
    fn large_counts_are_rounded_alike_in_both_languages() {
        assert_eq!(both(&count(123_456)), ["123,456", "123,456"]);
        assert_eq!(both(&count(1_234_567)), ["1.23 million", "123 万"]);
        assert_eq!(both(&count(23_456_789)), ["23.5 million", "2350 万"]);
        assert_eq!(both(&count(234_567_890)), ["235 million", "2.35 亿"]);
        assert_eq!(both(&count(2_345_678_901)), ["2.35 billion", "23.5 亿"]);
    }

    #[test]
    fn a_number_without_an_interval_has_three_digits() {
        let all = [0.0, 0.0123, 0.5, 1.234, 9.996, 14.06, 250.4, 2400.0, 24_000.0, -3.2, -0.0];
        let texts = ["0", "0.0123", "0.500", "1.23", "10.0", "14.1", "250", "2400", "24,000", "−3.20", "0"];
        assert_eq!(all.map(short), texts);
        assert_eq!(both(&value(0.00123, Style::Value(Unit::Ratio))), ["0.12%", "0.12%"]);
    }
}
