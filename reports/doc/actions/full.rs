//! How full may a node run before customers notice?

use super::basis::Basis;
use crate::chart::Caption;
use crate::chart::balance::{BalanceChart, BalanceGroup, Split};
use crate::doc::operator::words;
use crate::doc::told::say;
use crate::doc::{Block, Figure, Section};
use crate::study::Estimate;
use crate::study::balance::Point;
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::{Lang, Phrase};

pub(super) fn section(report: &Basis<'_>) -> Section {
    let balance = report.studies.balance;
    let mut blocks = Vec::new();
    if let Some(declined) = &balance.declined {
        let what = Phrase { en: "The balance point", zh: "平衡点" }.into();
        blocks.push(Block::Declined { what, reason: words::said(&declined.reason) });
    }
    if let Some(metric) = balance.metric {
        for point in &balance.points {
            blocks.push(chart(report, metric, point));
            blocks.extend(expected(point).map(Block::Paragraph));
        }
    }
    if balance.declined.is_none() {
        blocks.push(Block::Paragraph(returns(report)));
    }
    Section {
        id: "full",
        heading: Phrase { en: "How full may a node run", zh: "节点可以跑多满" }.into(),
        question: Phrase {
            en: "At which utilisation do customers begin to notice?",
            zh: "利用率到多少时用户开始察觉？",
        }
        .into(),
        blocks,
    }
}

fn chart(report: &Basis<'_>, metric: MetricId, point: &Point) -> Block {
    const FOUND: Phrase = Phrase {
        en: "On {technology}, customers begin to notice at {point} in the busiest hour; up to {safe} is safe",
        zh: "{technology}：最忙小时达 {point} 时用户开始察觉；{safe} 以内安全",
    };
    const OPEN: Phrase = Phrase {
        en: "On {technology}, no balance point is told ({reason})",
        zh: "{technology}：未给出平衡点（{reason}）",
    };
    const CAPTION: Phrase = Phrase {
        en: "Above: delay on the days of nodes, in eight groups of equal number by utilisation, with the curve of a queue and the delay from which complaints begin. Below: complaints on the day after. The shaded part on the left keeps to the good side with 95% confidence, whole nodes resampled and the uncertainty of the limit taken in; the one on the right is where customers begin to notice.",
        zh: "上：按利用率等分八组的节点日时延，及排队曲线与投诉起点。下：次日投诉。左侧阴影以 95% 把握位于好的一侧（整节点重抽样，并计入限值的不确定性），右侧阴影为用户开始察觉之处。",
    };
    const STEPS: Phrase = Phrase {
        en: "At the foot, the nodes that run fuller than is safe: what splitting each brings for its cost, the best first, with 95% intervals; the area under the steps is what all of them avoid.",
        zh: "最下：超过安全利用率的节点逐个扩容的收效（按单位成本收效由高到低，线段为 95% 区间）；阶梯下的面积为合计可避免的投诉。",
    };
    const NODES: Phrase =
        Phrase { en: "{n} nodes, {days} days of nodes", zh: "{n} 个节点，{days} 个节点日" };
    let name = words::technology(&point.technology);
    let title = match (point.utilisation.as_declined(), point.safe) {
        (None, Some(safe)) => Prose::say(
            &FOUND,
            &[
                ("technology", name),
                ("point", say(&point.utilisation, Style::Share)),
                ("safe", Prose::plain(number::percent((safe * 100.0).floor() / 100.0))),
            ],
        ),
        (declined, _) => {
            let reason = declined.map(|d| words::said(&d.reason)).unwrap_or_default();
            Prose::say(&OPEN, &[("technology", name), ("reason", reason)])
        }
    };
    let gaps = [("n", number::count(point.nodes as u64)), ("days", number::count(point.node_days as u64))];
    let subtitle = words::subtitle(vec![Prose::say(&NODES, &gaps)], report.panel);
    let limit = report.studies.balance.limit.as_estimate().map(Estimate::value);
    let reliefs: Vec<_> =
        report.studies.balance.relief.iter().filter(|r| r.technology == point.technology).collect();
    let caption = Prose::from(CAPTION);
    let told = reliefs.iter().any(|relief| relief.avoided_in_30_days.as_estimate().is_some());
    let caption = if told { caption.then(STEPS.into()) } else { caption };
    let make = |lang: Lang| BalanceChart {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        metric,
        groups: point
            .seen
            .iter()
            .map(|seen| BalanceGroup {
                utilisation: seen.utilisation,
                value: words::answer(&seen.value).figure(lang),
                short: words::answer(&seen.short_of_expectation_ratio).figure(lang),
                complaints: words::answer(&seen.complaints_per_1000_line_days).figure(lang),
            })
            .collect(),
        curve: point.curve.clone(),
        limit,
        point: words::answer(&point.utilisation).figure(lang),
        safe: point.safe,
        splits: reliefs
            .iter()
            .map(|relief| Split {
                node: relief.node.clone(),
                cost: relief.cost,
                avoided: words::answer(&relief.avoided_in_30_days).figure(lang),
            })
            .collect(),
        worth: worth(report),
    };
    let file = format!("balance-{}", point.technology.replace(|c: char| !c.is_alphanumeric(), "-"));
    Block::Figure(Figure::new(file, title.clone(), caption, make))
}

/// Complaints in 30 days that 1,000 must avoid to pay for themselves within a year, where a complaint has a price.
fn worth(report: &Basis<'_>) -> Option<f64> {
    let worth = report.studies.balance.head.filters.get("worth_per_complaint")?.as_f64()?;
    (worth > 0.0).then(|| 1_000.0 * 30.0 / 365.0 / worth)
}

/// How many lines have more delay than they expect where nodes are full, and where they are not.
fn expected(point: &Point) -> Option<Prose> {
    const EXPECTED: Phrase = Phrase {
        en: "What customers expect lies between the two: on the emptiest eighth of these days ({low} full) {few} of the lines had more delay than they have come to expect, on the fullest ({high}) {many}.",
        zh: "其间是用户的期望：最空的八分之一节点日（利用率 {low}）有 {few} 的线路时延高于其期望，最满的（{high}）为 {many}。",
    };
    let (first, last) = (point.seen.first()?, point.seen.last()?);
    first.short_of_expectation_ratio.as_estimate().zip(last.short_of_expectation_ratio.as_estimate())?;
    let full = |share: f64| Prose::plain(number::percent((100.0 * share).round() / 100.0));
    let gaps = [
        ("low", full(first.utilisation)),
        ("high", full(last.utilisation)),
        ("few", say(&first.short_of_expectation_ratio, Style::Share)),
        ("many", say(&last.short_of_expectation_ratio, Style::Share)),
    ];
    Some(Prose::say(&EXPECTED, &gaps))
}

fn returns(report: &Basis<'_>) -> Prose {
    const LINE: Phrase = Phrase {
        en: "Does more headroom still pay? Over the headroom that nodes have, complaints fall steadily: no point is seen from which more brings nothing.",
        zh: "更多余量还值得吗？在现有余量范围内，投诉平稳下降：未见收效归零之处。",
    };
    const BENT: Phrase = Phrase {
        en: "Does more headroom still pay? Less and less: nine tenths of what can be gained are gained at {at} of headroom.",
        zh: "更多余量还值得吗？收效递减：余量达 {at} 时已获得九成收益。",
    };
    const FLAT: Phrase = Phrase {
        en: "Does more headroom still pay? From {from} of headroom on, more brings nothing that could be seen.",
        zh: "更多余量还值得吗？余量超过 {from} 后，看不到更多收益。",
    };
    const UNKNOWN: Phrase = Phrase {
        en: "Does more headroom still pay? The data cannot tell.",
        zh: "更多余量还值得吗？数据无法判断。",
    };
    let returns = &report.studies.balance.returns;
    match (returns.shape, returns.plateau_from.as_estimate(), returns.nine_tenths_at) {
        (Some("line"), ..) => LINE.into(),
        (Some(_), Some(_), _) => Prose::say(&FLAT, &[("from", say(&returns.plateau_from, Style::Share))]),
        (Some(_), None, Some(at)) => {
            let at = number::percent((at * 100.0).round() / 100.0);
            Prose::say(&BENT, &[("at", Prose::plain(at))])
        }
        _ => UNKNOWN.into(),
    }
}
