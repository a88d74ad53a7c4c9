//! What should be fixed first?

use super::basis::Basis;
use crate::chart::Caption;
use crate::chart::dots::{DotRow, Dots};
use crate::doc::operator::words;
use crate::doc::told::{cell, plain, table};
use crate::doc::{Align, Block, Figure, Section};
use crate::stats::Interval;
use crate::study::balance::Link;
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::text::{Lang, Phrase};

/// Nodes on a chart or a list.
const MOST: usize = 12;

/// Nodes that stand out, the largest excess first.
pub(super) fn standing_out<'a>(report: &Basis<'a>) -> Vec<&'a Link> {
    let out = |link: &&Link| {
        link.q.is_some_and(|q| q < 0.05) && link.excess.as_estimate().is_some_and(|e| e.interval().0 > 0.0)
    };
    report.studies.balance.worst.iter().filter(out).collect()
}

pub(super) fn section(report: &Basis<'_>) -> Section {
    let mut blocks = Vec::new();
    if !report.studies.balance.worst.is_empty() {
        blocks.push(worst(report));
    }
    if !report.studies.balance.relief.is_empty() {
        blocks.push(relief(report));
    }
    Section {
        id: "first",
        heading: Phrase { en: "What to fix first", zh: "先修什么" }.into(),
        question: Phrase {
            en: "Which nodes have complaints beyond what their like have, and what would relief bring?",
            zh: "哪些节点的投诉超出同类，疏解能带来什么？",
        }
        .into(),
        blocks,
    }
}

fn worst(report: &Basis<'_>) -> Block {
    const FOUND: Phrase = Phrase {
        en: "{node} has the most complaints beyond what its like have",
        zh: "{node} 超出同类的投诉最多",
    };
    const NONE: Phrase =
        Phrase { en: "No node stands out from its like", zh: "没有节点明显超出同类" };
    const CAPTION: Phrase = Phrase {
        en: "Points: complaints of a node with exact intervals (Garwood); upright bars: what as many line-days of the other nodes of the same technology and region have. Sorted by the excess, not by the number: a large node has many complaints without being bad. Red where chance is ruled out (q below 0.05).",
        zh: "点：节点投诉数及精确区间（Garwood）；竖条：同技术同地区其他节点相同线路日的投诉数。按超出数而非总数排序：大节点投诉多未必差。红色表示已排除偶然（q 小于 0.05）。",
    };
    const BEYOND: Phrase = Phrase { en: "{n} beyond", zh: "超出 {n}" };
    let out = standing_out(report);
    let title = match out.first() {
        Some(link) => Prose::say(&FOUND, &[("node", Prose::plain(&link.node))]),
        None => NONE.into(),
    };
    let subtitle = words::subtitle(Vec::new(), report.panel);
    let rows: Vec<&Link> = report.studies.balance.worst.iter().take(MOST).collect();
    let make = |lang: Lang| Dots {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        axis: Phrase { en: "Complaints in the period", zh: "期内投诉件数" }.get(lang).to_owned(),
        style: Style::Bare,
        neutral: Some(0.0),
        legend: (
            Phrase { en: "complaints", zh: "投诉" }.get(lang).to_owned(),
            Phrase { en: "usual for its like", zh: "同类通常水平" }.get(lang).to_owned(),
        ),
        rows: rows
            .iter()
            .map(|link| {
                let interval = crate::stats::poisson::garwood(link.episodes, 0.95).map(Interval::pair);
                let count = link.episodes as f64;
                DotRow {
                    label: link.node.clone(),
                    value: crate::chart::Figure::Known {
                        value: count,
                        interval: interval.unwrap_or((count, count)),
                        n: link.lines,
                    },
                    reference: Some(link.expected),
                    marked: out.iter().any(|o| o.node == link.node),
                    note: BEYOND.fill(lang, &[("n", &number::fixed(count - link.expected, 1))]),
                }
            })
            .collect(),
    };
    Block::Figure(Figure::new("worst-nodes", title.clone(), CAPTION.into(), make))
}

fn relief(report: &Basis<'_>) -> Block {
    const CAPTION: Phrase = Phrase {
        en: "Nodes that run fuller than is safe (95% of the last four weeks' busiest hours stay below what is told), by the complaints avoided for their cost. The last column adds up: where it hardly grows any more, more money brings little.",
        zh: "超过安全利用率的节点（近四周 95% 的最忙小时不超过所列值），按单位成本可避免的投诉排序。最后一列为累计：几乎不再增加时，再投入收效甚微。",
    };
    let columns = [
        (Phrase { en: "Node", zh: "节点" }, Align::Left),
        (Phrase { en: "Lines", zh: "线路" }, Align::Right),
        (Phrase { en: "Busiest hour", zh: "最忙小时" }, Align::Right),
        (Phrase { en: "Bring to", zh: "降至" }, Align::Right),
        (Phrase { en: "Avoided in 30 days", zh: "30 天避免投诉" }, Align::Right),
        (Phrase { en: "Per 1,000 spent", zh: "每千单位花费避免" }, Align::Right),
        (Phrase { en: "All so far", zh: "累计" }, Align::Right),
    ];
    let share = |v: f64| plain(number::percent((v * 1000.0).round() / 1000.0));
    let rows = report.studies.balance.relief.iter().take(2 * MOST).map(|one| {
        vec![
            plain(&one.node),
            plain(one.lines.to_string()),
            share(one.busy_hour),
            share(one.to),
            cell(&one.avoided_in_30_days, Style::Events),
            plain(one.avoided_per_1000.map_or_else(|| "–".into(), number::short)),
            plain(number::fixed(one.avoided_so_far, 1)),
        ]
    });
    table(CAPTION, &columns, rows.collect())
}
