//! From what was promised, or is expected, to what is had, step by step.

use super::basis::Basis;
use crate::chart::Caption;
use crate::chart::waterfall::{Waterfall, WaterfallRow};
use crate::doc::operator::words;
use crate::doc::told::say;
use crate::doc::{Block, Figure};
use crate::study::expectation::{Expected, Month, Origin, Step, StepKind, Steps};
use crate::study::{Answer, Estimate};
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::text::{Lang, Phrase};

/// Segments shown, those with most lines first.
const MOST_SEGMENTS: usize = 4;

fn name(step: StepKind) -> Phrase {
    match step {
        StepKind::TimeOfDay => Phrase { en: "time of day", zh: "忙时" },
        StepKind::Access => Phrase { en: "access technology", zh: "接入技术" },
        StepKind::Region => Phrase { en: "region", zh: "地区" },
        StepKind::Unexplained => Phrase { en: "unexplained", zh: "未能解释" },
    }
}

/// Who can act on a step.
fn owner(step: StepKind) -> Phrase {
    match step {
        StepKind::TimeOfDay => Phrase { en: "network planning", zh: "网络规划" },
        StepKind::Access => Phrase { en: "access planning", zh: "接入网规划" },
        StepKind::Region => Phrase { en: "regional operations", zh: "地区运维" },
        StepKind::Unexplained => Phrase { en: "to be found out", zh: "待查" },
    }
}

/// The largest step that is surely to the customers' disadvantage.
fn largest(steps: &Steps) -> Option<&Step> {
    let low = |step: &&Step| step.value.as_estimate().is_some_and(|e| e.interval().0 > 0.0);
    let size = |step: &Step| step.value.as_estimate().map_or(0.0, Estimate::value);
    steps.steps.iter().filter(low).max_by(|a, b| size(a).total_cmp(&size(b)))
}

/// The steps of all customers, and of the largest segments.
pub(super) fn waterfall(report: &Basis<'_>, row: &Expected, all: &Month) -> Option<Block> {
    const PROMISE: Phrase =
        Phrase { en: "Promised {start}, had {had} in busy hours", zh: "承诺 {start}，忙时实际 {had}" };
    const EXPECTED: Phrase =
        Phrase { en: "Expected {start}, had {had} in busy hours", zh: "期望 {start}，忙时实际 {had}" };
    const LARGEST: Phrase = Phrase {
        en: "{levels}; the largest step to the bad is {step}, {size}",
        zh: "{levels}；最大的不利差距来自{step}，{size}",
    };
    const NONE: Phrase =
        Phrase { en: "{levels}; no step to the bad is sure", zh: "{levels}；没有确定的不利差距" };
    const LINES: Phrase = Phrase { en: "{n} lines in busy hours", zh: "{n} 条线路，忙时" };
    let steps = row.steps.iter().find(|steps| steps.segment.is_none())?;
    let style = words::value_style(row.metric);
    let levels = match steps.from {
        Origin::Promise => &PROMISE,
        Origin::Expected => &EXPECTED,
    };
    let levels = Prose::say(levels, &[("start", say(&steps.start, style)), ("had", say(&steps.had, style))]);
    let title = match largest(steps) {
        Some(step) => {
            let gaps = [
                ("levels", levels),
                ("step", name(step.step).into()),
                ("size", say(&step.value, Style::Share)),
            ];
            Prose::say(&LARGEST, &gaps)
        }
        None => Prose::say(&NONE, &[("levels", levels)]),
    };
    let lines = Prose::say(&LINES, &[("n", number::count(steps.lines as u64))]);
    let subtitle = words::subtitle(vec![lines], report.panel);
    let mut segments: Vec<&Steps> = row.steps.iter().filter(|steps| steps.segment.is_some()).collect();
    segments.sort_by_key(|steps| (std::cmp::Reverse(steps.lines), steps.segment.clone()));
    segments.truncate(MOST_SEGMENTS);
    let make = |lang: Lang| {
        let mut rows = Vec::new();
        if !segments.is_empty() {
            rows.push(WaterfallRow::Group(group(None, steps.lines, lang)));
        }
        rows.extend(of(steps, lang));
        let level = |phrase: Phrase, answer: &Answer| WaterfallRow::Level {
            label: phrase.get(lang).to_owned(),
            value: words::answer(answer).figure(lang),
            had: false,
        };
        if steps.from == Origin::Promise {
            rows.push(level(Phrase { en: "Expected", zh: "期望" }, &all.expected));
        }
        if steps.at_other_hours.as_estimate().is_some() {
            rows.push(level(Phrase { en: "At other hours", zh: "其他时段" }, &steps.at_other_hours));
        }
        rows.push(level(Phrase { en: "Used to", zh: "以往" }, &all.history));
        rows.push(level(Phrase { en: "Others in the region", zh: "本地区其他线路" }, &all.region));
        if all.norm.as_estimate().is_some() {
            rows.push(level(Phrase { en: "Norm", zh: "通常水平" }, &all.norm));
        }
        for steps in &segments {
            rows.push(WaterfallRow::Group(group(steps.segment.as_deref(), steps.lines, lang)));
            rows.extend(of(steps, lang));
        }
        Waterfall {
            caption: Caption {
                title: title.get(lang).to_owned(),
                subtitle: subtitle.get(lang).to_owned(),
                note: String::new(),
            },
            metric: row.metric,
            rows,
        }
    };
    let file = format!("expectation-gap-{}", words::series_file(&row.series));
    Some(Block::Figure(Figure::new(file, title.clone(), caption(steps, all), make)))
}

fn group(segment: Option<&str>, lines: usize, lang: Lang) -> String {
    const GROUP: Phrase = Phrase { en: "{name} ({n} lines)", zh: "{name}（{n} 条线路）" };
    const ALL: Phrase = Phrase { en: "All customers", zh: "全部用户" };
    let n = number::count(lines as u64);
    GROUP.fill(lang, &[("name", segment.unwrap_or_else(|| ALL.get(lang))), ("n", n.get(lang))])
}

/// The rows of one group: where it begins, the steps, and what it had.
fn of(steps: &Steps, lang: Lang) -> Vec<WaterfallRow> {
    let start = match steps.from {
        Origin::Promise => Phrase { en: "Promised", zh: "承诺" },
        Origin::Expected => Phrase { en: "Expected", zh: "期望" },
    };
    let level = |phrase: Phrase, answer: &Answer, had: bool| WaterfallRow::Level {
        label: phrase.get(lang).to_owned(),
        value: words::answer(answer).figure(lang),
        had,
    };
    let step = |step: &Step| WaterfallRow::Step {
        label: name(step.step).get(lang).to_owned(),
        from: step.level_from,
        to: step.level_to,
        ends: step.level_to_interval,
        unexplained: step.step == StepKind::Unexplained,
        owner: owner(step.step).get(lang).to_owned(),
        share: words::answer(&step.value).figure(lang),
    };
    let mut rows = vec![level(start, &steps.start, false)];
    rows.extend(steps.steps.iter().map(step));
    rows.push(level(Phrase { en: "Had", zh: "实际" }, &steps.had, true));
    rows
}

fn caption(steps: &Steps, all: &Month) -> Prose {
    const HOW: Phrase = Phrase {
        en: "Points are means over lines (of logarithms) with 95% intervals; bars are steps, which multiply, with 95% intervals from resampled lines. Time of day: busy hours against other hours of the same line and day; what is expected is expected of busy hours, so that it is a step from a promise only. Access and region: the group against the best technology in the same region, and the best region of the same technology, each best one chosen on one half of the lines and used for the other, and averaged over all orders of the steps (Shapley). What none of them explains is hatched and always shown.",
        zh: "点为各线路的均值（取对数）及 95% 区间；条为差距，逐级相乘，附线路重抽样的 95% 区间。忙时：同一线路同一天的忙时对其他时段；期望本身即针对忙时，故仅以承诺为起点时才有此项。接入与地区：对同一地区内最好的技术、同一技术中最好的地区；最好者在一半线路上选出、用于另一半，并对各差距的所有顺序取平均（Shapley）。均不能解释的部分以斜线表示，始终显示。",
    };
    const BEST: Phrase = Phrase {
        en: "Best access: {technologies}; best region: {regions}.",
        zh: "最好的接入：{technologies}；最好的地区：{regions}。",
    };
    const NORM: Phrase = Phrase {
        en: "Norm: the median of the lines of the same technology and tier. It stands among what is expected where nothing is promised, and is no promise.",
        zh: "通常水平为同技术同档位线路的中位数；合同未作承诺时计入期望，但并非承诺。",
    };
    const CANNOT: Phrase = Phrase {
        en: "The data cannot tell what Wi-Fi and terminals at home add, nor the path to the peers: both are in what is not explained.",
        zh: "数据无法区分家中 Wi-Fi 与终端以及到对端的路径：两者都含在未能解释的部分中。",
    };
    let list = |names: &[String], known: fn(&str) -> Prose| {
        let names: Vec<Prose> = names.iter().map(|name| known(name)).collect();
        if names.is_empty() { Prose::plain("–") } else { Prose::list(&names) }
    };
    let mut told = Prose::from(HOW);
    let known = |kind: StepKind| {
        steps.steps.iter().any(|step| step.step == kind && step.value.as_estimate().is_some())
    };
    if known(StepKind::Access) || known(StepKind::Region) {
        let gaps = [
            ("technologies", list(&steps.technologies, words::technology)),
            ("regions", list(&steps.regions, |name| Prose::plain(name))),
        ];
        told = told.then(Prose::say(&BEST, &gaps));
    }
    if all.norm.as_estimate().is_some() {
        told = told.then(NORM.into());
    }
    told.then(CANNOT.into())
}
