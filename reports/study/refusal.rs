//! A statistic's refusal in both languages.

use super::answer::{Declined, Words};
use crate::stats::Refusal;
use broadgauge_model::text::Phrase;

impl From<Refusal> for Declined {
    fn from(refusal: Refusal) -> Self {
        Self { reason: refusal_words(&refusal) }
    }
}

/// The words for readers; the English is the refusal's own.
fn refusal_words(refusal: &Refusal) -> Words {
    let zh = match refusal {
        Refusal::TooFew { .. } => "数据太少（{reason}）",
        Refusal::NotFinite { .. } => "不是有限数（{reason}）",
        Refusal::NoVariation { .. } => "数值没有变化（{reason}）",
        Refusal::NoEvents { .. } => "没有事件（{reason}）",
        Refusal::Separated { .. } | Refusal::Collinear | Refusal::NoInformativeSet { .. } => {
            "模型无法估计（{reason}）"
        }
        Refusal::Redundant { .. } | Refusal::NotSeparable { .. } => "各因素无法区分（{reason}）",
        Refusal::NotReached { .. } => "观察期内未达到（{reason}）",
        Refusal::Design { .. } => "设计不支持该比较（{reason}）",
        _ => "无法计算（{reason}）",
    };
    Words::with(Phrase { en: "{reason}", zh }, &[("reason", refusal)])
}
