//! Numbers on charts: as the prose of the report prints them, and shorter where a mark has less room.

use super::Figure;
pub(super) use crate::text::number::{Style, fixed, percent, short, trimmed as tick};
use crate::text::number::{estimate, estimate_parts};
use broadgauge_model::text::Lang;
use broadgauge_model::text::Phrase;
use broadgauge_model::unit::Unit;

/// A large count in as little room as can be: 41.2k, 4.12万.
pub(super) fn compact(value: f64, lang: Lang) -> String {
    let (unit, sign) = match lang {
        Lang::En if value >= 999_500.0 => (1e6, "M"),
        Lang::En if value >= 9_999.5 => (1e3, "k"),
        Lang::Zh if value >= 99_995_000.0 => (1e8, "亿"),
        Lang::Zh if value >= 9_999.5 => (1e4, "万"),
        _ => return fixed(value, 0),
    };
    let short = short(value / unit);
    let short = if short.contains('.') { short.trim_end_matches('0').trim_end_matches('.') } else { &short };
    format!("{short}{sign}")
}

/// A share without decimals, for a field that is as long as the share.
pub(super) fn whole_percent(share: f64) -> String {
    format!("{}%", fixed(share * 100.0, 0))
}

/// Two significant digits at most, three decimals at most: for what need not be exact.
pub(super) fn brief(value: f64) -> String {
    match value.abs() {
        v if v >= 9.95 => fixed(value, 0),
        v if v >= 0.995 => fixed(value, 1),
        v if v >= 0.0995 || v == 0.0 => fixed(value, 2),
        _ => fixed(value, 3),
    }
}

/// The style of a metric without its unit: the axis names that.
pub(super) fn bare(unit: Unit) -> Style {
    if unit == Unit::Ratio { Style::Share } else { Style::Bare }
}

/// A value without an interval, as its axis prints it.
pub(super) fn value(value: f64, unit: Unit) -> String {
    if unit == Unit::Ratio { percent(value) } else { short(value) }
}

/// An estimate with its interval, or why there is none.
pub(super) fn told(figure: &Figure, style: Style, lang: Lang) -> String {
    match figure {
        Figure::Known { value, interval, .. } => estimate(*value, *interval, style).get(lang).to_owned(),
        Figure::Declined(reason) => reason.clone(),
    }
}

/// An estimate to the digits that its interval lets it know, or why there is none.
pub(super) fn point(figure: &Figure, style: Style, lang: Lang) -> String {
    match figure {
        Figure::Known { value, interval, .. } => {
            estimate_parts(*value, *interval, style).0.get(lang).to_owned()
        }
        Figure::Declined(reason) => reason.clone(),
    }
}

/// From one end to the other, in as little room as can be.
pub(super) fn range(low: &str, high: &str, lang: Lang) -> String {
    const RANGE: Phrase = Phrase { en: "{low}–{high}", zh: "{low}～{high}" };
    RANGE.fill(lang, &[("low", low), ("high", high)])
}

/// The unit behind a number or a label; a ratio is printed as percent.
pub(super) fn symbol(unit: Unit, lang: Lang) -> &'static str {
    if unit == Unit::Ratio { "%" } else { unit.symbol().get(lang) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_counts_take_the_units_of_their_language() {
        let print = |lang| [37.0, 9_999.0, 41_230.0, 2_000_000.0].map(|v| compact(v, lang));
        assert_eq!(print(Lang::En), ["37", "9999", "41.2k", "2M"]);
        assert_eq!(print(Lang::Zh), ["37", "9999", "4.12万", "200万"]);
    }

    #[test]
    fn what_need_not_be_exact_is_brief() {
        assert_eq!([0.0, 0.0604, 0.3, 1.9, 23.4].map(brief), ["0.00", "0.060", "0.30", "1.9", "23"]);
    }
}
