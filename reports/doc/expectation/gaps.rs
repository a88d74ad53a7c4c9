//! Expected and had, step by step, by segment and month; and what an expectation is made of.

use super::basis::Basis;
use super::steps;
use crate::chart::Caption;
use crate::chart::dots::{DotRow, Dots};
use crate::doc::operator::words;
use crate::doc::told::{cell, plain, say, table};
use crate::doc::{Align, Block, Figure, Finding, Section, Tone};
use crate::study::Estimate;
use crate::study::expectation::{Expected, Factor, Gap, GapKind, Month, Promised};
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::text::{Lang, Phrase};
use broadgauge_model::unit::Unit;

/// Fewer lines than this are not shown.
const LEAST_LINES: usize = 10;

/// The name of a factor: a norm is not called a promise.
fn factor(row: &Expected, factor: Factor) -> Phrase {
    match factor {
        Factor::Promise => match row.promise_is {
            Some(Promised::Norm) => {
                Phrase { en: "the norm (nothing is promised)", zh: "通常水平（未作承诺）" }
            }
            Some(Promised::ContractOrNorm) => {
                Phrase { en: "the promise or norm", zh: "承诺或通常水平" }
            }
            _ => Phrase { en: "the promise", zh: "承诺" },
        },
        Factor::History => Phrase { en: "own history", zh: "自身历史" },
        Factor::Region => Phrase { en: "the region", zh: "本地区水平" },
        Factor::WordOfMouth => Phrase { en: "word of mouth", zh: "口碑" },
    }
}

/// Who can act on a gap.
pub(super) fn owner(gap: GapKind) -> Prose {
    match gap {
        GapKind::Promise => Phrase { en: "marketing", zh: "市场部门" },
        GapKind::History => Phrase { en: "network operations", zh: "网络运维" },
        GapKind::Peer => Phrase { en: "network planning", zh: "网络规划" },
        GapKind::WordOfMouth => Phrase { en: "communication", zh: "品牌传播" },
    }
    .into()
}

fn gap_name(gap: GapKind) -> Phrase {
    match gap {
        GapKind::Promise => Phrase {
            en: "Promise gap: the region against the promise",
            zh: "承诺差距：本地区对承诺",
        },
        GapKind::History => {
            Phrase { en: "History gap: now against before", zh: "历史差距：现在对以往" }
        }
        GapKind::Peer => {
            Phrase { en: "Peer gap: the line against its region", zh: "同类差距：线路对本地区" }
        }
        GapKind::WordOfMouth => Phrase {
            en: "Talk gap: the region against what is said",
            zh: "口碑差距：本地区对口碑",
        },
    }
}

/// The largest gap that is surely to the customers' disadvantage.
pub(super) fn largest(month: &Month) -> Option<&Gap> {
    let low = |gap: &&Gap| gap.value.as_estimate().is_some_and(|e| e.interval().0 > 0.0);
    let size = |gap: &&Gap| gap.value.as_estimate().map_or(0.0, Estimate::value);
    month.gaps.iter().filter(low).max_by(|a, b| size(a).total_cmp(&size(b)))
}

pub(super) fn section(report: &Basis<'_>) -> Section {
    let mut blocks = Vec::new();
    for row in &report.studies.expectation.rows {
        blocks.push(Block::Heading(words::series(&row.series)));
        if let Some(all) = row.months.first() {
            blocks.push(Block::Findings(findings(all)));
            blocks.extend(steps::waterfall(report, row, all));
            blocks.push(segments(row));
            blocks.push(months(row));
        }
    }
    Section {
        id: "gaps",
        heading: Phrase { en: "What customers expect, and what they get", zh: "期望与实际" }.into(),
        question: Phrase {
            en: "Where do we fall short: of the promise, of their own experience, of the region, of our reputation?",
            zh: "差在哪里：承诺、自身体验、本地区，还是口碑？",
        }
        .into(),
        blocks,
    }
}

fn findings(all: &Month) -> Vec<Finding> {
    const TOLD: Phrase =
        Phrase { en: "{gap}: {size}. Who can act: {who}.", zh: "{gap}：{size}。责任方：{who}。" };
    all.gaps
        .iter()
        .filter(|gap| gap.value.as_estimate().is_some())
        .map(|gap| {
            let (low, high) = gap.value.as_estimate().map_or((0.0, 0.0), Estimate::interval);
            let tone = if low > 0.0 {
                Tone::Worse
            } else if high < 0.0 {
                Tone::Better
            } else {
                Tone::CannotTell
            };
            let word = match tone {
                Tone::Worse => Phrase { en: "Short", zh: "不足" }.into(),
                Tone::Better => Phrase { en: "To spare", zh: "有余" }.into(),
                _ => Prose::from(Tone::CannotTell.phrase()),
            };
            let gaps = [
                ("gap", gap_name(gap.gap).into()),
                ("size", say(&gap.value, Style::Share)),
                ("who", owner(gap.gap)),
            ];
            Finding { tone, word, text: Prose::say(&TOLD, &gaps) }
        })
        .collect()
}

/// Short heads, so that all of it fits on a page; the caption says what they are.
const COLUMNS: [(Phrase, Align); 8] = [
    (Phrase { en: "Had", zh: "实际" }, Align::Right),
    (Phrase { en: "Expected", zh: "期望" }, Align::Right),
    (Phrase { en: "Short", zh: "差距" }, Align::Right),
    (Phrase { en: "Promise", zh: "承诺" }, Align::Right),
    (Phrase { en: "History", zh: "历史" }, Align::Right),
    (Phrase { en: "Peers", zh: "同类" }, Align::Right),
    (Phrase { en: "Talk", zh: "口碑" }, Align::Right),
    (Phrase { en: "Below", zh: "低于容忍区" }, Align::Right),
];

fn cells(row: &Expected, month: &Month) -> Vec<crate::doc::TableCell> {
    // The unit stands in the caption.
    let style = if row.metric.unit == Unit::Ratio { Style::Share } else { Style::Bare };
    let mut cells = vec![
        cell(&month.observed, style),
        cell(&month.expected, style),
        cell(&month.expectation_gap, Style::Share),
    ];
    cells.extend(month.gaps.iter().map(|gap| cell(&gap.value, Style::Share)));
    cells.push(cell(&month.zone.below, Style::Share));
    cells
}

fn segments(row: &Expected) -> Block {
    const CAPTION: Phrase = Phrase {
        en: "By segment, with its lines, over the whole period{unit}. Short, and the gaps to promise, history, peers and talk: above 0 is to the customers' disadvantage. Below: weeks of lines below what is tolerated.",
        zh: "按用户群（括号内为线路数），全期{unit}。差距及对承诺、历史、同类、口碑的差距：大于 0 为不利于用户。低于容忍区：低于可容忍水平的线路周占比。",
    };
    let mut columns = vec![(Phrase { en: "Segment", zh: "用户群" }, Align::Left)];
    columns.extend(COLUMNS);
    let shown = |m: &&Month| m.month.is_none() && m.lines >= LEAST_LINES;
    let rows = row.months.iter().filter(shown).map(|month| {
        const NAMED: Phrase = Phrase { en: "{name} ({n})", zh: "{name}（{n}）" };
        let name = month
            .segment
            .as_ref()
            .map_or_else(|| Prose::from(Phrase { en: "all", zh: "全部" }), Prose::plain);
        let name = Prose::say(&NAMED, &[("name", name), ("n", number::count(month.lines as u64))]);
        std::iter::once(name.into()).chain(cells(row, month)).collect()
    });
    table(Prose::say(&CAPTION, &[("unit", unit(row))]), &columns, rows.collect())
}

fn months(row: &Expected) -> Block {
    const CAPTION: Phrase =
        Phrase { en: "All customers, month by month{unit}.", zh: "全部用户，逐月{unit}。" };
    let mut columns = vec![(Phrase { en: "Month", zh: "月份" }, Align::Left)];
    columns.extend(COLUMNS);
    let shown = |m: &&Month| m.month.is_some() && m.segment.is_none() && m.lines >= LEAST_LINES;
    let rows = row.months.iter().filter(shown).map(|month| {
        std::iter::once(plain(month.month.clone().unwrap_or_default())).chain(cells(row, month)).collect()
    });
    table(Prose::say(&CAPTION, &[("unit", unit(row))]), &columns, rows.collect())
}

/// The unit of what was had and expected, for a caption.
fn unit(row: &Expected) -> Prose {
    const IN: Phrase = Phrase { en: ", in {unit}", zh: "，单位 {unit}" };
    match row.metric.unit {
        Unit::Ratio => Prose::default(),
        unit => Prose::say(&IN, &[("unit", unit.symbol().into())]),
    }
}

/// What an expectation is made of.
pub(super) fn weights(report: &Basis<'_>) -> Section {
    let mut blocks = Vec::new();
    for row in &report.studies.expectation.rows {
        blocks.push(Block::Heading(words::series(&row.series)));
        blocks.push(Block::Findings(vec![weighed(row)]));
        if row.weights.separable {
            blocks.push(drawn(report, row));
            if !row.weights.segments.is_empty() {
                blocks.push(by_segment(row));
            }
        }
    }
    Section {
        id: "weights",
        heading: Phrase { en: "What an expectation is made of", zh: "期望由什么构成" }.into(),
        question: Phrase {
            en: "By what do customers judge: promise, history, region or talk?",
            zh: "用户以什么为准：承诺、历史、地区还是口碑？",
        }
        .into(),
        blocks,
    }
}

fn weighed(row: &Expected) -> Finding {
    const MOST: Phrase = Phrase {
        en: "What counts most is {factor}, at {weight}. Over lines not used, the shortfall ranks complaints better than the figure alone.",
        zh: "最重要的是{factor}，权重 {weight}。在未参与建模的线路上，差距比单看数值更能预示投诉。",
    };
    const ONLY: Phrase = Phrase {
        en: "What counts most is {factor}, at {weight}.",
        zh: "最重要的是{factor}，权重 {weight}。",
    };
    const NOT: Phrase = Phrase {
        en: "The data do not tell the factors apart ({reason}): levels above are plain means of the factors known.",
        zh: "数据无法区分各因素（{reason}）：以上水平取已知因素的简单平均。",
    };
    let value =
        |w: &&crate::study::expectation::row::Weight| w.weight.as_estimate().map_or(0.0, Estimate::value);
    let most = row.weights.pooled.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
    let gain = row.held_out.is_some_and(|h| h.deviance_gain > 0.0 && h.auc_shortfall > h.auc_value);
    if let Some(most) = most.filter(|_| row.weights.separable) {
        let gaps = [("factor", factor(row, most.factor).into()), ("weight", say(&most.weight, Style::Share))];
        return Finding {
            tone: Tone::Plain,
            word: Phrase { en: "Told apart", zh: "可区分" }.into(),
            text: Prose::say(if gain { &MOST } else { &ONLY }, &gaps),
        };
    }
    let declined = row.weights.pooled.first().and_then(|w| w.weight.as_declined());
    let reason = declined.map(|d| words::said(&d.reason)).unwrap_or_default();
    Finding {
        tone: Tone::CannotTell,
        word: Tone::CannotTell.phrase().into(),
        text: Prose::say(&NOT, &[("reason", reason)]),
    }
}

fn drawn(report: &Basis<'_>, row: &Expected) -> Block {
    const TITLE: Phrase = Phrase { en: "What customers judge by", zh: "用户以什么为准" };
    const CAPTION: Phrase = Phrase {
        en: "Weights add up to 100%. Bars are 95% intervals. They are fitted to complaints: what customers do, not what they say.",
        zh: "权重合计 100%，横线为 95% 区间。由投诉拟合：反映用户的行为而非言辞。",
    };
    const WEEKS: Phrase = Phrase {
        en: "{n} line-weeks, {k} of them with a network complaint",
        zh: "{n} 个线路周，其中 {k} 个有网络类投诉",
    };
    let counts = [("n", number::count(row.line_weeks as u64)), ("k", number::count(row.episodes as u64))];
    let subtitle = words::subtitle(vec![Prose::say(&WEEKS, &counts)], report.panel);
    let make = |lang: Lang| Dots {
        caption: Caption {
            title: TITLE.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        axis: Phrase { en: "Weight (%)", zh: "权重（%）" }.get(lang).to_owned(),
        style: Style::Share,
        neutral: Some(0.0),
        legend: (Phrase { en: "weight with interval", zh: "权重及区间" }.get(lang).to_owned(), String::new()),
        rows: row
            .weights
            .pooled
            .iter()
            .map(|weight| DotRow {
                label: factor(row, weight.factor).get(lang).to_owned(),
                value: words::answer(&weight.weight).figure(lang),
                reference: None,
                marked: false,
                note: String::new(),
            })
            .collect(),
    };
    let file = format!("expectation-weights-{}", words::series_file(&row.series));
    Block::Figure(Figure::new(file, TITLE.into(), CAPTION.into(), make))
}

fn by_segment(row: &Expected) -> Block {
    const CAPTION: Phrase = Phrase {
        en: "By segment: weights drawn towards those of all by as much as the data ask for, with 95% intervals.",
        zh: "按用户群：权重按数据所需向总体靠拢，附 95% 区间。",
    };
    let mut columns = vec![
        (Phrase { en: "Segment", zh: "用户群" }, Align::Left),
        (Phrase { en: "Weeks with a complaint", zh: "有投诉的周" }, Align::Right),
    ];
    columns.extend(row.factors.iter().map(|f| (factor(row, *f), Align::Right)));
    let rows = row.weights.segments.iter().map(|segment| {
        let mut cells = vec![plain(&segment.segment), plain(segment.episodes.to_string())];
        cells.extend(segment.weights.iter().map(|w| cell(&w.weight, Style::Share)));
        cells
    });
    table(CAPTION, &columns, rows.collect())
}
