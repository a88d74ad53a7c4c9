//! Where are we behind the peer operators, by how much, and is it real?

use super::basis::Basis;
use super::promise::party;
use super::select::effect;
use super::words;
use crate::chart::Caption;
use crate::chart::ladder::{LadderPanel, QuantileLadder, Rung};
use crate::doc::{Align, Block, Figure, Finding, Section, Table, TableCell};
use crate::study::Answer;
use crate::study::describe::Series;
use crate::study::peers::{Row, Stratum, Verdict};
use crate::text::Prose;
use crate::text::number;
use broadgauge_model::text::{Lang, Phrase};

/// Ladders in one report; the table has every comparison.
const MOST_LADDERS: usize = 4;
/// Findings as sentences; the table has the others.
const MOST_FINDINGS: usize = 10;
/// Strata below the ladder of all lines.
const MOST_STRATA: usize = 2;
/// Rows of the table of strata.
const MOST_ROWS: usize = 12;

pub(super) fn section(basis: &Basis<'_>) -> Section {
    const MORE: Phrase =
        Phrase { en: "{n} more comparisons are in the table below.", zh: "其余 {n} 项对比见下表。" };
    let mut blocks = Vec::new();
    if let Some(declined) = &basis.peers.declined {
        blocks.push(Block::Declined { what: COMPARISON.into(), reason: words::said(&declined.reason) });
    } else if basis.selection.main.is_empty() {
        blocks.push(Block::Declined { what: COMPARISON.into(), reason: nothing(basis) });
    } else {
        let findings = basis.selection.findings();
        let more = findings.len().saturating_sub(MOST_FINDINGS);
        let told = findings.into_iter().take(MOST_FINDINGS);
        blocks.push(Block::Findings(told.map(|row| finding(basis, row)).collect()));
        if more > 0 {
            blocks.push(Block::Paragraph(Prose::say(&MORE, &[("n", number::count(more as u64))])));
        }
        let mut ladders = ladders(basis);
        blocks.append(&mut ladders);
        blocks.push(Block::Table(table(basis)));
        blocks.extend(strata(basis).map(Block::Table));
    }
    if basis.selection.hidden > 0 && !basis.selection.main.is_empty() {
        const HIDDEN: Phrase = Phrase {
            en: "Comparisons with fewer than 10 lines on one side are not shown: {n}.",
            zh: "任一方线路不足 10 条的对比不予显示：{n} 项。",
        };
        blocks.push(Block::Note(Prose::say(&HIDDEN, &[("n", number::count(basis.selection.hidden as u64))])));
    }
    Section {
        id: "peers",
        heading: Phrase { en: "Beside the peer operators", zh: "与对标运营商相比" }.into(),
        question: Phrase {
            en: "Where are we behind, by how much, and is it real?",
            zh: "哪里落后？差多少？是真的吗？",
        }
        .into(),
        blocks,
    }
}

const COMPARISON: Phrase = Phrase { en: "Comparison with peer operators", zh: "与对标运营商的对比" };

/// Why there is no comparison at all.
pub(super) fn nothing(basis: &Basis<'_>) -> Prose {
    if basis.selection.hidden > 0 {
        return words::suppressed();
    }
    if basis.parties.is_empty() {
        return Phrase { en: "the data hold no other operator", zh: "数据中没有其他运营商" }.into();
    }
    Phrase {
        en: "no metric was observed by the same method on comparable lines of both sides",
        zh: "没有任何指标以同一方法在双方可比线路上观测",
    }
    .into()
}

/// "Round-trip delay under load (during a download), P95, peak hours".
pub(super) fn what(row: &Row) -> Prose {
    const WHAT: Phrase =
        Phrase { en: "{series}, {quantile}, {stratum}", zh: "{series}，{quantile}，{stratum}" };
    let gaps = [
        ("series", words::series(&Series::of_row(row))),
        ("quantile", Prose::plain(words::quantile(row.quantile))),
        ("stratum", words::stratum(&row.stratum)),
    ];
    Prose::say(&WHAT, &gaps)
}

/// The finding of a row as a sentence.
pub(super) fn finding(basis: &Basis<'_>, row: &Row) -> Finding {
    const APART: Phrase = Phrase {
        en: "{what}: {own} {a}, {peer} {b}; that is {gap}.",
        zh: "{what}：{own} {a}，{peer} {b}，{gap}。",
    };
    const WITHIN: Phrase = Phrase {
        en: "{what}: {own} {a}, {peer} {b}; that is {gap}, real but no more than the {margin} that count as at par.",
        zh: "{what}：{own} {a}，{peer} {b}，{gap}；差异真实，但未超过视为持平的 {margin}。",
    };
    const AT_PAR: Phrase = Phrase {
        en: "{what}: {own} {a}, {peer} {b}; shown to be no further apart than {margin}.",
        zh: "{what}：{own} {a}，{peer} {b}；已证明相差不超过 {margin}。",
    };
    const UNSEEN: Phrase = Phrase {
        en: "{what}: {own} {a}, {peer} {b}; the difference, {difference}, may be chance. With these lines, only a gap of about {detectable} or more would be found reliably.",
        zh: "{what}：{own} {a}，{peer} {b}；差值 {difference} 可能出于偶然。以现有线路，约 {detectable} 以上的差距才能可靠发现。",
    };
    const OPEN: Phrase = Phrase {
        en: "{what}: {own} {a}, {peer} {b}; the difference is {difference}.",
        zh: "{what}：{own} {a}，{peer} {b}；差值 {difference}。",
    };
    const DECLINED: Phrase =
        Phrase { en: "{what}, {own} and {peer}: {reason}.", zh: "{what}，{own}与{peer}：{reason}。" };
    let style = words::difference_style(row.metric);
    let amount = |value: Option<f64>| value.map(|value| number::value(value, style)).unwrap_or_default();
    let values = words::values_of(row);
    let gaps = [
        ("what", what(row)),
        ("own", basis.own()),
        ("peer", Prose::plain(&row.peer.operator)),
        ("a", values.0),
        ("b", values.1),
        ("gap", words::gap(row)),
        ("difference", words::answer(&row.difference).words(style)),
        ("margin", amount(row.margin_absolute)),
        ("detectable", amount(row.detectable_difference)),
        ("reason", row.difference.as_declined().map(|d| words::said(&d.reason)).unwrap_or_default()),
    ];
    let phrase = match (row.verdict, row.difference.as_estimate()) {
        (_, None) => &DECLINED,
        (Verdict::Worse | Verdict::Better, _) if row.beyond_margin == Some(false) => &WITHIN,
        (Verdict::Worse | Verdict::Better, _) => &APART,
        (Verdict::AtPar, _) => &AT_PAR,
        (Verdict::CannotTell, _) if row.detectable_difference.is_some() => &UNSEEN,
        (Verdict::CannotTell, _) => &OPEN,
    };
    let tone = words::tone(row.verdict);
    Finding { tone, word: Prose::from(tone.phrase()), text: Prose::say(phrase, &gaps) }
}

/// How many comparisons found what: worse, better, at par, cannot tell.
pub(super) fn tally(rows: &[&Row]) -> [u64; 4] {
    let mut tally = [0; 4];
    for row in rows {
        tally[usize::from(super::select::severity(row))] += 1;
    }
    tally
}

fn ladders(basis: &Basis<'_>) -> Vec<Block> {
    let mut names = words::Names::default();
    let pairs = basis.selection.findings().into_iter().map(|row| (Series::of_row(row), row));
    let told = pairs.filter(|(series, row)| {
        let rows = basis.selection.quantiles(series, &row.peer.operator);
        rows.iter().any(|row| row.own.value.as_estimate().is_some())
    });
    told.take(MOST_LADDERS)
        .map(|(series, row)| {
            let mut name = format!("peer-ladder-{}", words::series_file(&series));
            if basis.parties.len() > 1 {
                let place = basis.parties.iter().position(|name| *name == row.peer.operator);
                name = format!("{name}-peer-{}", place.map_or(0, |place| place + 1));
            }
            ladder(basis, &series, row, names.of(name))
        })
        .collect()
}

fn ladder(basis: &Basis<'_>, series: &Series, told: &Row, name: String) -> Block {
    const CAPTION: Phrase = Phrase {
        en: "Each rung is a quantile: P50 is the middle one of 100 {counted}, P95 is the value that 95 of them stay at or below. Points carry their 95% interval; a hollow point has too little behind it, with the reason. Like is compared with like; the right margin has the verdict and the difference. Below the first block: the strata that are furthest behind, if any.",
        zh: "每一级为一个分位数：P50 为每 100 {counted}中居中的数值，P95 为其中 95 {counter}不超过的数值。点带 95% 区间；空心点表示数据太少，并注明原因。同类相比；右侧为结论与差值。首块之下为落后最多的分层（如有）。",
    };
    const SUBTITLE: Phrase = Phrase { en: "method {method} {version}", zh: "方法 {method} {version}" };
    const LINES: Phrase =
        Phrase { en: "{own}: {a} lines, {peer}: {b}", zh: "{own} {a} 条线路，{peer} {b} 条" };
    let peer = told.peer.operator.as_str();
    let panels = panels(basis, series, peer);
    let title = title(basis, told);
    let method = Prose::say(
        &SUBTITLE,
        &[
            ("method", Prose::plain(&series.method.name)),
            ("version", Prose::plain(format!("v{}", series.method.version))),
        ],
    );
    let lines = Prose::say(
        &LINES,
        &[
            ("own", basis.own()),
            ("peer", Prose::plain(peer)),
            ("a", number::count(told.own.lines as u64)),
            ("b", number::count(told.peer.lines as u64)),
        ],
    );
    let mut parts = vec![lines, method];
    parts.extend(made(series));
    let subtitle = words::subtitle(parts, basis.panel);
    let make = |lang: Lang| QuantileLadder {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        metric: series.metric,
        parties: vec![party(basis, &basis.query.own), party(basis, peer)],
        panels: panels.iter().map(|(heading, rows)| panel(heading, rows, lang)).collect(),
    };
    let caption = Prose::say(&CAPTION, &words::Value::of_row(told).gaps());
    Block::Figure(Figure::new(name, title.clone(), caption, make))
}

/// A word on data that are made up.
pub(super) fn made(series: &Series) -> Option<Prose> {
    series.made.then(|| Phrase { en: "made-up data", zh: "合成数据" }.into())
}

fn title(basis: &Basis<'_>, row: &Row) -> Prose {
    const APART: Phrase = Phrase {
        en: "{metric}: {own} is {verdict} than {peer} at {quantile}, {gap}",
        zh: "{metric}：{own}在 {quantile} {verdict}{peer}，{gap}",
    };
    const WITHIN: Phrase = Phrase {
        en: "{metric}: {own} is {verdict} than {peer} at {quantile}, {within}",
        zh: "{metric}：{own}在 {quantile} {verdict}{peer}，{within}",
    };
    const AT_PAR: Phrase = Phrase {
        en: "{metric}: {own} and {peer} are at par at {quantile}",
        zh: "{metric}：{own}与{peer}在 {quantile} 持平",
    };
    const OPEN: Phrase = Phrase {
        en: "{metric}: the data cannot tell whether {own} and {peer} differ at {quantile}",
        zh: "{metric}：数据无法判断{own}与{peer}在 {quantile} 是否有差异",
    };
    let gaps = [
        ("metric", words::series(&Series::of_row(row))),
        ("own", basis.own()),
        ("peer", Prose::plain(&row.peer.operator)),
        ("quantile", Prose::plain(words::quantile(row.quantile))),
        ("verdict", Prose::from(row.verdict.label())),
        ("gap", words::gap(row)),
        ("within", words::within_margin(row).unwrap_or_default()),
    ];
    let phrase = match row.verdict {
        Verdict::Worse | Verdict::Better if words::within_margin(row).is_some() => &WITHIN,
        Verdict::Worse | Verdict::Better => &APART,
        Verdict::AtPar => &AT_PAR,
        Verdict::CannotTell => &OPEN,
    };
    Prose::say(phrase, &gaps)
}

/// Over all strata, and the strata that are furthest behind: each with its rows by quantile.
fn panels<'a>(basis: &Basis<'a>, series: &Series, peer: &str) -> Vec<(Prose, Vec<&'a Row>)> {
    let main = basis.selection.quantiles(series, peer);
    let mut strata: Vec<_> = main.iter().map(|row| &row.stratum).collect();
    strata.dedup();
    let worst = basis.selection.worst_strata(series, peer);
    for row in worst {
        if strata.len() > MOST_STRATA {
            break;
        }
        if !strata.contains(&&row.stratum) {
            strata.push(&row.stratum);
        }
    }
    let rows = |stratum: &Stratum| {
        let mut rows: Vec<&Row> = basis
            .selection
            .rows
            .iter()
            .filter(|row| {
                row.stratum == *stratum && row.peer.operator == peer && Series::of_row(row) == *series
            })
            .copied()
            .collect();
        rows.sort_by(|a, b| a.quantile.total_cmp(&b.quantile));
        rows
    };
    strata.into_iter().map(|stratum| (words::stratum(stratum).capital(), rows(stratum))).collect()
}

fn panel(heading: &Prose, rows: &[&Row], lang: Lang) -> LadderPanel {
    let figure = |answer: &Answer| words::answer(answer).figure(lang);
    let rung = |row: &&Row| Rung {
        quantile: row.quantile,
        figures: vec![figure(&row.own.value), figure(&row.peer.value)],
        remark: remark(row).get(lang).to_owned(),
    };
    LadderPanel { heading: heading.get(lang).to_owned(), rungs: rows.iter().map(rung).collect() }
}

/// "Worse", and below it "2.2 ms more (0.9 to 3.5)".
fn remark(row: &Row) -> Prose {
    const REMARK: Phrase = Phrase { en: "{verdict}\n{gap}", zh: "{verdict}\n{gap}" };
    const WITHIN: Phrase =
        Phrase { en: "{verdict}, within the margin\n{gap}", zh: "{verdict}，界限之内\n{gap}" };
    let verdict = Prose::from(words::tone(row.verdict).phrase());
    if row.difference.as_estimate().is_none() {
        return verdict;
    }
    let phrase = if words::within_margin(row).is_some() { &WITHIN } else { &REMARK };
    Prose::say(phrase, &[("verdict", verdict), ("gap", words::gap(row))])
}

fn columns(own: &Prose) -> Vec<(Prose, Align)> {
    vec![
        (Phrase { en: "What, where", zh: "指标与分层" }.into(), Align::Left),
        (own.clone(), Align::Right),
        (Phrase { en: "Peer operator", zh: "对标运营商" }.into(), Align::Right),
        (Phrase { en: "Difference", zh: "差值" }.into(), Align::Right),
        (Phrase { en: "q", zh: "q 值" }.into(), Align::Right),
        (Phrase { en: "Verdict", zh: "结论" }.into(), Align::Left),
    ]
}

fn table_row(row: &Row) -> Vec<TableCell> {
    const NAME: Phrase = Phrase { en: "{series}, {quantile}", zh: "{series}，{quantile}" };
    const LINES: Phrase = Phrase { en: "{range}; {n} lines", zh: "{range}；{n} 条线路" };
    const PEER: Phrase = Phrase { en: "{name} {value}", zh: "{name} {value}" };
    let style = words::value_style(row.metric);
    let side = |answer: &Answer, lines: usize, name: Option<&str>| match answer {
        Answer::Estimate(e) => {
            let (value, range) = number::estimate_parts(e.value(), e.interval(), style);
            let text = match name {
                Some(name) => Prose::say(&PEER, &[("name", Prose::plain(name)), ("value", value)]),
                None => value,
            };
            let detail = Prose::say(&LINES, &[("range", range), ("n", number::count(lines as u64))]);
            TableCell { text, detail, tone: None }
        }
        Answer::Declined(_) => {
            let text = Prose::plain(name.unwrap_or("–"));
            TableCell { text, detail: Phrase { en: "not given", zh: "未给出" }.into(), tone: None }
        }
    };
    let what = Prose::say(
        &NAME,
        &[
            ("series", words::series(&Series::of_row(row))),
            ("quantile", Prose::plain(words::quantile(row.quantile))),
        ],
    );
    let difference = match &row.difference {
        Answer::Estimate(e) => {
            let parts = number::estimate_parts(e.value(), e.interval(), words::difference_style(row.metric));
            TableCell { text: parts.0, detail: parts.1, tone: None }
        }
        Answer::Declined(_) => Prose::plain("–").into(),
    };
    let why = row.difference.as_declined().map(|declined| words::said(&declined.reason));
    vec![
        TableCell { text: what, detail: words::stratum(&row.stratum), tone: None },
        side(&row.own.value, row.own.lines, None),
        side(&row.peer.value, row.peer.lines, Some(&row.peer.operator)),
        difference,
        row.q.map_or_else(|| Prose::plain("–"), number::probability).into(),
        TableCell {
            text: Prose::default(),
            detail: why.or_else(|| words::within_margin(row)).unwrap_or_default(),
            tone: Some(words::tone(row.verdict)),
        },
    ]
}

fn table(basis: &Basis<'_>) -> Table {
    let mut rows = basis.selection.told();
    rows.sort_by_key(|row| (Series::of_row(row), row.peer.operator.clone(), row.quantile.to_bits()));
    Table {
        caption: Phrase {
            en: "Every comparison over all strata, with 95% intervals",
            zh: "全部分层合并后的各项对比（含 95% 区间）",
        }
        .into(),
        columns: columns(&basis.own()),
        rows: rows.into_iter().map(table_row).collect(),
    }
}

fn strata(basis: &Basis<'_>) -> Option<Table> {
    const CAPTION: Phrase = Phrase {
        en: "Single strata that are worse or better: {n} of {all}, the clearest gaps first",
        zh: "有差异的单个分层：{all} 项中的 {n} 项，差距最明确的在前",
    };
    let mut rows: Vec<&Row> = basis
        .selection
        .rows
        .iter()
        .filter(|row| !row.stratum.is_combined() && matches!(row.verdict, Verdict::Worse | Verdict::Better))
        .filter(|row| !basis.selection.main.iter().any(|main| std::ptr::eq(*main, **row)))
        .copied()
        .collect();
    rows.sort_by(|a, b| {
        (a.verdict == Verdict::Better)
            .cmp(&(b.verdict == Verdict::Better))
            .then(effect(b).total_cmp(&effect(a)))
    });
    let all = rows.len();
    rows.truncate(MOST_ROWS);
    let gaps = [("n", number::count(rows.len() as u64)), ("all", number::count(all as u64))];
    (!rows.is_empty()).then(|| Table {
        caption: Prose::say(&CAPTION, &gaps),
        columns: columns(&basis.own()),
        rows: rows.into_iter().map(table_row).collect(),
    })
}
