//! Numbers on charts: three significant digits, thousands in groups, the same in every language.

use broadgauge_model::text::{Lang, Phrase};
use broadgauge_model::unit::Unit;

/// With `digits` decimals and thousands in groups.
pub(super) fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |(w, f)| (w, f));
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

/// Three significant digits, as many as a reader can use.
pub(super) fn short(value: f64) -> String {
    fixed(value, decimals(value))
}

/// The decimals that give three significant digits.
fn decimals(value: f64) -> usize {
    match value.abs() {
        v if v == 0.0 || v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        v => (2 - v.log10().floor() as i32).clamp(2, 6) as usize,
    }
}

/// Rounded to three significant digits.
pub(super) fn rounded(value: f64) -> f64 {
    format!("{value:.*}", decimals(value)).parse().unwrap_or(value)
}

/// A large count in as little room as can be: 41.2k, 4.12万.
pub(super) fn compact(value: f64, lang: Lang) -> String {
    let (unit, sign) = match lang {
        Lang::En if value >= 999_500.0 => (1e6, "M"),
        Lang::En if value >= 9_999.5 => (1e3, "k"),
        Lang::Zh if value >= 99_995_000.0 => (1e8, "亿"),
        Lang::Zh if value >= 9_999.5 => (1e4, "万"),
        _ => return fixed(value, 0),
    };
    format!("{}{sign}", tick(rounded(value / unit)))
}

/// Without zeros behind the last digit: for ticks.
pub(super) fn tick(value: f64) -> String {
    let text = fixed(value, 6);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() { "0".to_owned() } else { text.to_owned() }
}

/// A share as percent. Never 0 % or 100 % where it is not quite so.
pub(super) fn percent(share: f64) -> String {
    let value = share * 100.0;
    let digits = match value {
        v if v == 0.0 || v == 100.0 => 0,
        v if (1.0..=99.0).contains(&v) => usize::from(v < 10.0),
        v if v < 1.0 => (1 - v.log10().floor() as i32).clamp(1, 4) as usize,
        v => (1 - (100.0 - v).log10().floor() as i32).clamp(1, 4) as usize,
    };
    format!("{}%", fixed(value, digits))
}

/// A value in the unit of its metric, as a chart prints it: ratios as percent.
pub(super) fn value(value: f64, unit: Unit) -> String {
    if unit == Unit::Ratio { percent(value) } else { short(value) }
}

/// From one end to the other; a Chinese range uses the wave dash of GB/T 15835.
pub(super) fn interval(low: &str, high: &str, lang: Lang) -> String {
    const RANGE: Phrase = Phrase { en: "{low}–{high}", zh: "{low}～{high}" };
    RANGE.fill(lang, &[("low", low), ("high", high)])
}

/// The unit behind a number or a label; nothing for a ratio, which is printed as percent.
pub(super) fn symbol(unit: Unit, lang: Lang) -> &'static str {
    if unit == Unit::Ratio { "%" } else { unit.symbol().get(lang) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_three_digits() {
        let all = [0.0, 0.0123, 0.5, 1.234, 14.06, 250.4, 2400.0, 24_000.0, -3.2, -0.0];
        let texts = ["0", "0.0123", "0.500", "1.23", "14.1", "250", "2400", "24,000", "−3.20", "0"];
        assert_eq!(all.map(short), texts);
        assert_eq!([0.1, 20.0, 0.0, 100_000.0, -5.0].map(tick), ["0.1", "20", "0", "100,000", "−5"]);
    }

    #[test]
    fn large_counts_take_the_units_of_their_language() {
        let print = |lang| [37.0, 9_999.0, 41_230.0, 2_000_000.0].map(|v| compact(v, lang));
        assert_eq!(print(Lang::En), ["37", "9999", "41.2k", "2M"]);
        assert_eq!(print(Lang::Zh), ["37", "9999", "4.12万", "200万"]);
    }

    #[test]
    fn a_share_is_all_or_nothing_only_where_it_is() {
        let all = [0.0, 1.0, 0.0004, 0.05, 0.5, 0.999_5, 0.123];
        assert_eq!(all.map(percent), ["0%", "100%", "0.040%", "5.0%", "50%", "99.950%", "12%"]);
    }
}
