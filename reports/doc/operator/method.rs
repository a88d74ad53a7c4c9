//! How it was done, what the words mean, and what was left out.

use super::basis::Basis;
use super::words;
use crate::doc::{Align, Block, Section, Table};
use crate::study::Note;
use crate::study::peers::query::Key;
use crate::text::{Prose, date, number};
use broadgauge_model::metric::{Better, METRICS};
use broadgauge_model::panel::{Hours, SourceKind};
use broadgauge_model::text::Phrase;
use std::collections::BTreeSet;

/// What both sides have in common, as a word.
pub(super) fn key(key: Key) -> Prose {
    match key {
        Key::Technology => Phrase { en: "access technology", zh: "接入技术" },
        Key::Region => Phrase { en: "region", zh: "地区" },
        Key::Area => Phrase { en: "area", zh: "区域" },
        Key::Plan => Phrase { en: "plan", zh: "套餐" },
        Key::Segment => Phrase { en: "segment", zh: "客群" },
        Key::Tier => Phrase { en: "promised download rate (Mbit/s)", zh: "承诺下行速率（Mbit/s）" },
        Key::Hours => Phrase { en: "busy or other hours", zh: "忙时或非忙时" },
        Key::Hour => Phrase { en: "hour of the day", zh: "钟点" },
        Key::Days => Phrase { en: "weekday or weekend", zh: "工作日或周末" },
        Key::HourOfWeek => Phrase { en: "hour of the week", zh: "一周内的钟点" },
    }
    .into()
}

/// The method box.
pub(super) fn methods(basis: &Basis<'_>) -> Section {
    const STUDY: Phrase = Phrase {
        en: "{name}, version {version}. Source: {source}.",
        zh: "{name}，版本 {version}。来源：{source}。",
    };
    const PERIOD: Phrase = Phrase {
        en: "{period}, {days}, hours in the local time of each line ({zone} where a line names no zone).",
        zh: "{period}，共 {days}；时刻为各线路当地时间（未注明时区的线路按 {zone}）。",
    };
    const BUSY: Phrase = Phrase { en: "Busy hours: {hours}.", zh: "忙时：{hours}。" };
    const OF_THE_SOURCE: Phrase = Phrase {
        en: "Which hours are the busy ones of a line summary, its source has chosen.",
        zh: "线路汇总值的忙时由其数据源划定。",
    };
    const SEED: Phrase = Phrase {
        en: "Broadgauge {version}; seed {seed}. The same data, version and seed give the same report to the last digit.",
        zh: "Broadgauge {version}；随机种子 {seed}。相同的数据、版本和种子得到逐字相同的报告。",
    };
    const MEASURED: Phrase = Phrase { en: "{name} version {version}", zh: "{name} 版本 {version}" };
    const MEASURED_TO: Phrase = Phrase {
        en: "{name} version {version} to {class} targets",
        zh: "{name} 版本 {version}（目标类别 {class}）",
    };
    let study = |head: &crate::study::Head| {
        let method = &head.method;
        Prose::say(
            &STUDY,
            &[
                ("name", method_name(head)),
                ("version", Prose::plain(method.version.to_string())),
                ("source", Prose::plain(method.source)),
            ],
        )
    };
    let panel = basis.panel;
    let period = [
        ("period", date::period(&panel.period)),
        ("days", date::span_of_days(date::days(&panel.period))),
        ("zone", Prose::plain(&panel.period.zone)),
    ];
    let mut about_time = Prose::say(&PERIOD, &period);
    if panel.cells.iter().any(|cell| matches!(cell.hours, Hours::At { .. })) {
        let hours = words::hours(basis.query.peak.from, basis.query.peak.to);
        about_time = about_time.then(Prose::say(&BUSY, &[("hours", hours)]));
    }
    if panel.cells.iter().any(|cell| cell.hours == Hours::Peak) {
        about_time = about_time.then(OF_THE_SOURCE.into());
    }
    let measured: Vec<Prose> = panel
        .methods
        .iter()
        .map(|method| {
            let mut gaps = vec![
                ("name", Prose::plain(&method.name)),
                ("version", Prose::plain(method.version.to_string())),
            ];
            let phrase = method.target_class.as_ref().map_or(&MEASURED, |class| {
                gaps.push(("class", Prose::plain(class)));
                &MEASURED_TO
            });
            Prose::say(phrase, &gaps)
        })
        .collect();
    let software = [
        ("version", Prose::plain(&basis.query.software)),
        ("seed", Prose::plain(basis.query.seed.to_string())),
    ];
    let mut terms: Vec<(Prose, Prose)> = vec![
        (Phrase { en: "Period", zh: "时段" }.into(), about_time),
        (Phrase { en: "Measured by", zh: "测量方法" }.into(), Prose::list(&measured)),
        (
            Phrase { en: "Comparison with peer operators", zh: "与对标运营商的对比" }.into(),
            study(&basis.peers.head),
        ),
        (Phrase { en: "Complaints", zh: "投诉分析" }.into(), study(&basis.complaints.head)),
    ];
    terms.extend(RULES.iter().map(|(name, rule)| (Prose::from(name), Prose::from(rule))));
    terms.push((Phrase { en: "Software and seed", zh: "软件与种子" }.into(), Prose::say(&SEED, &software)));
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

/// A method's name as its study gives it; studies name methods in English, so the Chinese stands here.
pub(in crate::doc) fn method_name(head: &crate::study::Head) -> Prose {
    let zh = match head.study {
        "peers" => "线路加权分位差，整线自助法，标签置换检验",
        "complaints" => "分档投诉率，线路日逻辑回归，时间分层病例交叉，先后关系",
        "handling" => "首次答复与办结时间，未结工单计入（删失）",
        _ => head.method.name,
    };
    Prose::from(Phrase { en: head.method.name, zh }).capital()
}

/// A study's note with the metrics' names instead of their ids.
fn readable(words: &broadgauge_model::text::Words) -> Prose {
    Prose::of(|lang| {
        let mut text = words.get(lang);
        // Longer ids first: round_trip_delay is a part of loaded_round_trip_delay.
        let mut metrics: Vec<_> = METRICS.iter().collect();
        metrics.sort_by_key(|metric| std::cmp::Reverse(metric.id.len()));
        for metric in metrics {
            text = text.replace(metric.id, metric.label.get(lang));
        }
        text
    })
}

/// Rules that hold for every number of the report.
pub(in crate::doc) const RULES: [(Phrase, Phrase); 7] = [
    (
        Phrase { en: "Quantile", zh: "分位数" },
        Phrase {
            en: "The nearest rank, ceil(q·n), of a histogram with three significant digits; the value is the highest of its bucket, so it is at most 0.1% too high. Percentiles are never averaged: histograms are merged exactly.",
            zh: "取最近秩 ceil(q·n)，直方图保留三位有效数字，取所在桶的最高值，至多偏高 0.1%。百分位从不取平均：直方图精确合并。",
        },
    ),
    (
        Phrase { en: "Unit of inference", zh: "推断单位" },
        Phrase {
            en: "The line. Tests on one line are not independent, so intervals resample lines, and every line counts the same.",
            zh: "线路。同一线路的多次测试并不独立，因此区间按线路重抽样，每条线路权重相同。",
        },
    ),
    (
        Phrase { en: "Interval", zh: "区间" },
        Phrase {
            en: "95%, unless something else is said: over many repetitions, 95 of 100 such intervals would hold the true value.",
            zh: "除非另有说明，均为 95%：多次重复时，每 100 个此类区间约有 95 个包含真值。",
        },
    ),
    (
        Phrase { en: "Four verdicts", zh: "四种结论" },
        Phrase {
            en: "Worse or better: the interval of the difference leaves out zero and the q-value is at most 0.05; a difference that is real but smaller than the margin is said to be so. At par: neither, and shown to lie inside the margin (two one-sided tests). Cannot tell: none of these; it does not mean “the same”.",
            zh: "落后或领先：差值区间不含零且 q 值不超过 0.05；差异真实但小于界限时另行注明。持平：以上皆非，且经双单侧检验证明在界限之内。无法判断：以上都不成立；不等于“没有差异”。",
        },
    ),
    (
        Phrase { en: "q-value", zh: "q 值" },
        Phrase {
            en: "The share of false finds to be expected among all finds at least as clear, over every comparison that was made (Benjamini and Hochberg 1995).",
            zh: "在全部对比中，与之同样明确的发现里预计的误报比例（Benjamini 与 Hochberg 1995）。",
        },
    ),
    (
        Phrase { en: "Lost, unmeasured, declined", zh: "丢失、未测得、不予判断" },
        Phrase {
            en: "Lost: sent and not answered in time. Unmeasured: could not be asked, which says nothing about the network. Declined: too little data for a number. None of them is a zero.",
            zh: "丢失：已发送而未按时得到应答。未测得：无法发起测量，不说明网络状况。不予判断：数据太少，不给数值。三者都不是零。",
        },
    ),
    (
        Phrase { en: "People", zh: "个人信息" },
        Phrase {
            en: "Complaints carry keyed pseudonyms, contact details in their text are masked, and groups of fewer than 10 lines are not shown in a report that is to be shared.",
            zh: "投诉采用带密钥的假名，文本中的联系方式已遮蔽；对外报告不显示少于 10 条线路的分组。",
        },
    ),
];

/// The data dictionary.
pub(in crate::doc) fn terms(basis: &Basis<'_>) -> Section {
    let used: BTreeSet<&str> = basis.series.keys().map(|series| series.metric.id()).collect();
    let rows = METRICS
        .iter()
        .filter(|metric| used.contains(metric.id))
        .map(|metric| {
            let better = match metric.better {
                Better::Higher => Phrase { en: "more", zh: "越高越好" },
                Better::Lower => Phrase { en: "less", zh: "越低越好" },
            };
            vec![
                Prose::from(metric.label).into(),
                Prose::plain(metric.id).into(),
                Prose::from(metric.unit.symbol()).into(),
                Prose::from(better).into(),
                Prose::plain(metric.defined_in).into(),
            ]
        })
        .collect();
    let columns = [
        Phrase { en: "Metric", zh: "指标" },
        Phrase { en: "Name in files", zh: "文件中的名称" },
        Phrase { en: "Unit", zh: "单位" },
        Phrase { en: "Better", zh: "方向" },
        Phrase { en: "Defined in", zh: "定义出处" },
    ];
    Section {
        id: "terms",
        heading: Phrase { en: "Data dictionary", zh: "数据字典" }.into(),
        question: Prose::default(),
        blocks: vec![Block::Table(Table {
            caption: Phrase { en: "Metrics in this report", zh: "本报告所用指标" }.into(),
            columns: columns.into_iter().map(|name| (name.into(), Align::Left)).collect(),
            rows,
        })],
    }
}

/// What was measured, imported and made; and what was left out, why, and how much of it.
pub(in crate::doc) fn origins(basis: &Basis<'_>) -> Section {
    let mut blocks = vec![Block::Heading(
        Phrase {
            en: "What was measured, what was imported, what was made",
            zh: "哪些是实测、哪些是导入、哪些是合成",
        }
        .into(),
    )];
    blocks.push(Block::Table(sources(basis)));
    blocks.push(Block::Heading(Phrase { en: "What was left out, and why", zh: "哪些未纳入，为什么" }.into()));
    let mut rows: Vec<(Prose, u64)> = Vec::new();
    let left_out = basis.panel.left_out.iter().map(|left| (readable(&left.reason), left.count));
    let noted =
        |notes: &[Note]| notes.iter().map(|note| (readable(&note.reason), note.count)).collect::<Vec<_>>();
    let noted = noted(&basis.peers.head.notes).into_iter().chain(noted(&basis.complaints.head.notes));
    for row in left_out.chain(noted) {
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    if rows.is_empty() {
        blocks
            .push(Block::Paragraph(Phrase { en: "Nothing was left out.", zh: "没有未纳入的数据。" }.into()));
    } else {
        blocks.push(Block::Table(Table {
            caption: Prose::default(),
            columns: vec![
                (Phrase { en: "Reason", zh: "原因" }.into(), Align::Left),
                (Phrase { en: "How many", zh: "数量" }.into(), Align::Right),
            ],
            rows: rows
                .into_iter()
                .map(|(reason, count)| vec![reason.capital().into(), number::count(count).into()])
                .collect(),
        }));
    }
    Section {
        id: "origins",
        heading: Phrase { en: "Where the data come from", zh: "数据来源" }.into(),
        question: Phrase {
            en: "What was measured, imported or made up, and what was left out?",
            zh: "哪些数据是实测、导入或合成的，哪些未纳入？",
        }
        .into(),
        blocks,
    }
}

fn sources(basis: &Basis<'_>) -> Table {
    let panel = basis.panel;
    let mut counts: Vec<(u64, BTreeSet<u32>)> = vec![Default::default(); panel.sources.len()];
    for cell in &panel.cells {
        if let Some(entry) = counts.get_mut(usize::from(cell.source)) {
            entry.0 += cell.values.len();
            entry.1.insert(cell.line);
        }
    }
    let kind = |kind: SourceKind| match kind {
        SourceKind::Measured => Phrase { en: "measured by an agent", zh: "测量代理实测" },
        SourceKind::Imported => Phrase { en: "imported from a table", zh: "由数据表导入" },
        SourceKind::Made => Phrase { en: "made up, to show the method", zh: "为演示方法而合成" },
    };
    let row = |(source, (observations, lines)): (&broadgauge_model::panel::Source, &(u64, BTreeSet<u32>))| {
        vec![
            Prose::plain(&source.name).into(),
            Prose::from(kind(source.kind)).into(),
            number::count(*observations).into(),
            number::count(lines.len() as u64).into(),
        ]
    };
    Table {
        caption: Phrase { en: "Sources", zh: "来源" }.into(),
        columns: vec![
            (Phrase { en: "Source", zh: "来源" }.into(), Align::Left),
            (Phrase { en: "What it is", zh: "性质" }.into(), Align::Left),
            (Phrase { en: "Observations", zh: "观测数" }.into(), Align::Right),
            (Phrase { en: "Lines", zh: "线路数" }.into(), Align::Right),
        ],
        rows: panel.sources.iter().zip(&counts).map(row).collect(),
    }
}
