//! A statistic's refusal in both languages.

use super::answer::{Declined, TOO_WIDE, Words};
use crate::stats::Refusal;
use crate::stats::hinge::NoKnee;
use broadgauge_model::text::Phrase;

impl From<Refusal> for Declined {
    fn from(refusal: Refusal) -> Self {
        Self { reason: refusal_words(&refusal) }
    }
}

impl From<NoKnee> for Declined {
    fn from(no_knee: NoKnee) -> Self {
        Self::because(Words::plain(match no_knee {
            NoKnee::Straight => Phrase {
                en: "no threshold found: a bend explains no more than a straight line",
                zh: "未发现阈值：折线并不比直线更能解释数据",
            },
            NoKnee::Falls => Phrase {
                en: "no threshold found: beyond the bend customers complain less, not more",
                zh: "未发现阈值：折点之后投诉反而减少",
            },
            NoKnee::Open => Phrase {
                en: "no threshold found: it may lie beyond most of the values, and the data leave open where",
                zh: "未发现阈值：其位置可能在多数取值之外，数据无法确定",
            },
        }))
    }
}

/// The words for readers; the English is the refusal's own.
fn refusal_words(refusal: &Refusal) -> Words {
    if let Refusal::TooFew { have, need, .. } = refusal {
        let few = Phrase { en: "{reason}", zh: "数据太少：现有 {have}，至少需要 {need}" };
        return Words::with(few, &[("reason", refusal), ("have", have), ("need", need)]);
    }
    if let Refusal::Separated { .. } = refusal {
        return Words::plain(Phrase {
            en: "cases and controls are told apart without error: the ratio has no finite estimate",
            zh: "病例与对照可被完全区分：比值没有有限的估计",
        });
    }
    if let Refusal::Unbounded { .. } = refusal {
        return Words::plain(TOO_WIDE);
    }
    if let Refusal::NotConverged { iterations } = refusal {
        let unsettled = Phrase { en: "{reason}", zh: "估计未收敛（迭代 {iterations} 次）" };
        return Words::with(unsettled, &[("reason", refusal), ("iterations", iterations)]);
    }
    let zh = match refusal {
        Refusal::NotFinite { .. } => "不是有限数",
        Refusal::NoVariation { .. } => "数值没有变化",
        Refusal::NoEvents { .. } => "没有可用的事件",
        Refusal::Collinear | Refusal::NoInformativeSet { .. } => "数据不足以估计模型",
        Refusal::Redundant { .. } | Refusal::NotSeparable { .. } => "各因素无法相互区分",
        Refusal::NotReached { .. } => "观测范围内未达到",
        Refusal::Design { .. } => "设计不支持该比较",
        _ => "无法计算（{reason}）",
    };
    Words::with(Phrase { en: "{reason}", zh }, &[("reason", refusal)])
}
