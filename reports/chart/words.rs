//! Words that several charts share: names of columns and of axes.

use super::axis::Scale;
use super::number;
use broadgauge_model::metric::{Better, MetricId};
use broadgauge_model::text::{Lang, Phrase};
use broadgauge_model::unit::Unit;

pub(super) const STRATUM: Phrase = Phrase { en: "Stratum", zh: "分层" };
pub(super) const OPERATOR: Phrase = Phrase { en: "Operator", zh: "运营商" };
pub(super) const METRIC: Phrase = Phrase { en: "Metric", zh: "指标" };
pub(super) const UNIT: Phrase = Phrase { en: "Unit", zh: "单位" };
pub(super) const VALUE: Phrase = Phrase { en: "Value", zh: "数值" };
pub(super) const LOWER: Phrase = Phrase { en: "Lower bound", zh: "区间下限" };
pub(super) const UPPER: Phrase = Phrase { en: "Upper bound", zh: "区间上限" };
pub(super) const DECLINED: Phrase = Phrase { en: "Why there is no number", zh: "未给出数值的原因" };
pub(super) const FROM: Phrase = Phrase { en: "From", zh: "起" };
pub(super) const TO: Phrase = Phrase { en: "To", zh: "止" };

/// The name of an axis that carries a metric.
pub(super) fn axis_title(metric: MetricId, scale: Scale, lang: Lang) -> String {
    const TITLE: Phrase = Phrase { en: "{metric} ({unit}{scale})", zh: "{metric}（{unit}{scale}）" };
    const LOG: Phrase = Phrase { en: ", log scale", zh: "，对数刻度" };
    let scale = if scale == Scale::Log { LOG.get(lang) } else { "" };
    let unit = number::symbol(metric.unit, lang);
    TITLE.fill(lang, &[("metric", metric.label.get(lang)), ("unit", unit), ("scale", scale)])
}

/// The same, with an arrow to where it is better: a metric need not be known to be read.
pub(super) fn directed_title(metric: MetricId, scale: Scale, lang: Lang) -> String {
    const LOWER: Phrase = Phrase { en: "← better   {title}", zh: "← 更好   {title}" };
    const HIGHER: Phrase = Phrase { en: "{title}   better →", zh: "{title}   更好 →" };
    let phrase = if metric.better == Better::Lower { LOWER } else { HIGHER };
    phrase.fill(lang, &[("title", &axis_title(metric, scale, lang))])
}

/// A tick of an axis that carries a metric: ratios in percent, whose sign stands in the title.
pub(super) fn tick(value: f64, unit: Unit) -> String {
    let value = if unit == Unit::Ratio { (value * 1e8).round() / 1e6 } else { value };
    number::tick(value)
}

/// P50, P95, P99.9.
pub(super) fn rank(quantile: f64) -> String {
    format!("P{}", number::tick((quantile * 1e6).round() / 1e4))
}
