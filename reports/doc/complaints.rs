//! The report on complaints: which of them does the network explain, from which level on do customers complain, how
//! early could one have known, and how are complaints handled?
//!
//! The first page is for those who read one page. Every sentence is made from the same numbers as the chart or the table
//! beside it; where a study declined, its reason stands in the place of the number.

mod handling;
mod tables;
mod verdict;

pub(in crate::doc) use tables::{cell, columns};

use super::operator::basis::{Basis, Studies as OperatorStudies};
use super::operator::{self, Query, complaints, health, method};
use super::{Block, Document, Meta, Section};
use crate::study::complaints::Complaints;
use crate::study::handling::Handling;
use crate::study::{Head, peers};
use crate::text::{Prose, date, number};
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;

/// What was found out.
#[derive(Clone, Copy, Debug)]
pub struct Studies<'a> {
    /// Complaints against measurements, with all views.
    pub complaints: &'a Complaints,
    /// How they were handled.
    pub handling: &'a Handling,
}

/// Writes the report.
pub fn write(panel: &Panel, studies: Studies<'_>, query: &Query) -> Document {
    const TITLE: Phrase = Phrase {
        en: "{own}: what customers complain about, and why",
        zh: "{own}：用户投诉什么，为什么投诉",
    };
    const SUBTITLE: Phrase = Phrase {
        en: "{period} · {complaints} complaints · {lines} lines",
        zh: "{period} · 投诉 {complaints} 件 · {lines} 条线路",
    };
    // Nobody is compared with: the sections that this report shares with the operator's read an empty comparison.
    let nobody = peers::study(&Panel::default(), &peers::Query::of(query.own.as_str()));
    let basis = Basis::new(panel, OperatorStudies { peers: &nobody, complaints: studies.complaints }, query);
    let mut shown = complaints::blocks(&basis);
    shown.extend(tables::regressions(&basis));
    let sections = vec![
        verdict::section(&basis, studies.handling),
        health::section(&basis),
        Section {
            id: "complaints",
            heading: Phrase { en: "What the network explains", zh: "网络能解释什么" }.into(),
            question: Phrase {
                en: "Do customers complain more where and when the network is worse, and from which level on?",
                zh: "网络越差的地方和时候，投诉是否越多？从什么水平开始？",
            }
            .into(),
            blocks: shown,
        },
        tables::before(&basis),
        tables::areas(&basis),
        handling::section(&basis, studies.handling),
        methods(&basis, studies),
        method::terms(&basis),
        method::origins(&basis),
    ];
    let own = Prose::plain(&query.own);
    let gaps = [
        ("period", date::period(&panel.period)),
        ("complaints", number::count(panel.complaints.len() as u64)),
        ("lines", number::count(basis.lines_of(&query.own) as u64)),
    ];
    Document {
        name: "complaints",
        kind: Phrase { en: "Complaints report", zh: "用户投诉报告" },
        title: Prose::say(&TITLE, &[("own", own)]),
        subtitle: Prose::say(&SUBTITLE, &gaps),
        meta: Meta {
            period: panel.period.clone(),
            own: query.own.clone(),
            peers: Vec::new(),
            origins: operator::origins(panel),
            seed: query.seed,
            software: query.software.clone(),
        },
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    }
}

/// The method box.
fn methods(basis: &Basis<'_>, studies: Studies<'_>) -> Section {
    const STUDY: Phrase = Phrase {
        en: "{name}, version {version}. Source: {source}.",
        zh: "{name}，版本 {version}。来源：{source}。",
    };
    let study = |head: &Head| {
        let gaps = [
            ("name", method::method_name(head)),
            ("version", Prose::plain(head.method.version.to_string())),
            ("source", Prose::plain(head.method.source)),
        ];
        Prose::say(&STUDY, &gaps)
    };
    let mut terms: Vec<(Prose, Prose)> = vec![
        (Phrase { en: "Complaints", zh: "投诉分析" }.into(), study(&studies.complaints.head)),
        (Phrase { en: "Handling", zh: "投诉处理" }.into(), study(&studies.handling.head)),
    ];
    terms.extend(TERMS.iter().map(|(name, rule)| (Prose::from(name), Prose::from(rule))));
    let rules = method::RULES.iter().filter(|(name, _)| name.en != "Four verdicts");
    terms.extend(rules.map(|(name, rule)| (Prose::from(name), Prose::from(rule))));
    let seed = Prose::plain(format!("{}, {}", basis.query.software, basis.query.seed));
    terms.push((Phrase { en: "Software and seed", zh: "软件与种子" }.into(), seed));
    Section {
        id: "method",
        heading: Phrase { en: "How it was done", zh: "方法" }.into(),
        question: Phrase {
            en: "Which rules stand behind the numbers?", zh: "数字背后的规则是什么？"
        }
        .into(),
        blocks: vec![Block::Definitions(terms)],
    }
}

const TERMS: [(Phrase, Phrase); 6] = [
    (
        Phrase { en: "Episode", zh: "投诉事件" },
        Phrase {
            en: "Complaints of one line and class that follow each other within 28 days are one episode, at the time of the first.",
            zh: "同一线路同一类别、间隔不超过 28 天的投诉算一起事件，以首次投诉时间为准。",
        },
    ),
    (
        Phrase { en: "Negative controls", zh: "阴性对照" },
        Phrase {
            en: "Complaints about bills, and the network after the complaint: the network cannot have caused the first, nor the future the past. Where a control shows an association, the finding beside it is not to be believed.",
            zh: "账单类投诉，以及投诉之后的网络质量：前者不可能由网络引起，未来也不可能引起过去。对照若出现关联，旁边的发现就不可信。",
        },
    ),
    (
        Phrase {
            en: "Crude, like with like, all else alike", zh: "粗比、同类相比、其他条件相同"
        },
        Phrase {
            en: "Crude: all line-days together. Like with like: within technology, region and plan (Mantel and Haenszel). All else alike: logistic regression with technology, region, plan, segment, day of the week and the course of time beside the exposure. Where they differ, something else than the network explains part of it.",
            zh: "粗比：全部线路日放在一起。同类相比：在相同技术、地区、套餐内（Mantel-Haenszel）。其他条件相同：逻辑回归同时计入技术、地区、套餐、客群、星期几和时间走势。三者不同，说明部分差异另有原因。",
        },
    ),
    (
        Phrase { en: "Threshold", zh: "阈值" },
        Phrase {
            en: "Where a logistic line bends once, accepted only if the bend explains clearly more than a straight line and predicts better on lines left out, and only inside the range of most values; otherwise “no threshold found”.",
            zh: "逻辑折线的折点；只有折线明显优于直线、且在留出的线路上预测更好、并位于多数取值范围之内时才给出，否则为“未发现阈值”。",
        },
    ),
    (
        Phrase { en: "Explained, if causal", zh: "可解释比例（若为因果）" },
        Phrase {
            en: "The share of complaints that would not have come without the worst fifth of line-days, if their higher rate is caused by the metric. Shares of several metrics overlap and do not add up.",
            zh: "若投诉增多确由该指标引起，则最差五分之一线路日不存在时会减少的投诉比例。多个指标的比例相互重叠，不能相加。",
        },
    ),
    (
        Phrase { en: "Open cases", zh: "未结工单" },
        Phrase {
            en: "Counted for as long as they have been open (Kaplan and Meier), never dropped: leaving them out would flatter.",
            zh: "按已开放时长计入（Kaplan-Meier），不剔除：剔除会美化结果。",
        },
    ),
];

#[cfg(test)]
mod tests;
