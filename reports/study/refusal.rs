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
        _ => "无法计算（{reason}）",
    };
    Words::with(Phrase { en: "{reason}", zh }, &[("reason", refusal)])
}
