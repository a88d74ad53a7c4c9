//! The page for those who read one page.

use super::basis::Basis;
use super::gaps::{largest, owner};
use crate::doc::operator::verdict::made_up;
use crate::doc::operator::words;
use crate::doc::told::{key, say};
use crate::doc::{Answer as Sentence, Block, Section};
use crate::study::Estimate;
use crate::study::expectation::{Expected, GapKind, Month};
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::text::Phrase;

pub(super) fn section(report: &Basis<'_>) -> Section {
    let mut blocks: Vec<Block> = made_up(report.panel).into_iter().collect();
    match report.telling().and_then(|row| Some((row, row.months.first()?))) {
        None => {
            let declined = report.studies.expectation.declined.as_ref();
            blocks.push(Block::Declined {
                what: Phrase { en: "What customers expect", zh: "用户的期望" }.into(),
                reason: declined.map(|d| words::said(&d.reason)).unwrap_or_default(),
            });
        }
        Some((row, all)) => {
            blocks.push(Block::Answers(vec![
                Sentence {
                    label: Phrase { en: "What is wrong", zh: "问题在哪" }.into(),
                    text: wrong(report, row, all),
                    detail: worst_segment(row),
                },
                Sentence {
                    label: Phrase { en: "How sure that is", zh: "把握多大" }.into(),
                    text: sure(row),
                    detail: Prose::default(),
                },
                Sentence {
                    label: Phrase { en: "What to do", zh: "怎么办" }.into(),
                    text: todo(all),
                    detail: call(report),
                },
            ]));
            blocks.push(keys(report, row, all));
        }
    }
    Section {
        id: "verdict",
        heading: Phrase { en: "In short", zh: "结论" }.into(),
        question: Prose::default(),
        blocks,
    }
}

fn wrong(report: &Basis<'_>, row: &Expected, all: &Month) -> Prose {
    const SHORT: Phrase = Phrase {
        en: "{own}'s customers get less than they have come to expect: {metric} is {observed}, and they expect {expected}. That is {gap} short.",
        zh: "{own}的用户实际体验低于期望：{metric}为 {observed}，期望为 {expected}，低 {gap}。",
    };
    const MET: Phrase = Phrase {
        en: "{own}'s customers get what they have come to expect or more: {metric} is {observed}, and they expect {expected}.",
        zh: "{own}的用户实际体验达到或超过期望：{metric}为 {observed}，期望为 {expected}。",
    };
    const UNKNOWN: Phrase = Phrase {
        en: "These data cannot tell whether {own}'s customers get what they expect: {metric} is {observed}, and they expect {expected}.",
        zh: "现有数据无法判断{own}的用户是否得到其期望：{metric}为 {observed}，期望为 {expected}。",
    };
    let value = words::value_style(row.metric);
    let gaps = [
        ("own", Prose::plain(report.own)),
        ("metric", words::series_inside(&row.series)),
        ("observed", say(&all.observed, value)),
        ("expected", say(&all.expected, value)),
        ("gap", say(&all.expectation_gap, Style::Share)),
    ];
    let phrase = match all.expectation_gap.as_estimate().map(Estimate::interval) {
        Some((low, _)) if low > 0.0 => &SHORT,
        Some((_, high)) if high <= 0.0 => &MET,
        _ => &UNKNOWN,
    };
    Prose::say(phrase, &gaps)
}

/// The segment that is furthest short.
fn worst_segment(row: &Expected) -> Prose {
    const WORST: Phrase = Phrase {
        en: "Furthest short: {segment} customers, by {gap}.",
        zh: "差距最大：{segment} 用户，差 {gap}。",
    };
    let gap = |month: &&Month| month.expectation_gap.as_estimate().map_or(f64::NEG_INFINITY, Estimate::value);
    let worst = row
        .months
        .iter()
        .filter(|m| m.segment.is_some() && m.month.is_none())
        .max_by(|a, b| gap(a).total_cmp(&gap(b)));
    worst.filter(|month| gap(month) > 0.0).map_or_else(Prose::default, |month| {
        let gaps = [
            ("segment", Prose::plain(month.segment.clone().unwrap_or_default())),
            ("gap", say(&month.expectation_gap, Style::Share)),
        ];
        Prose::say(&WORST, &gaps)
    })
}

fn sure(row: &Expected) -> Prose {
    const SURE: Phrase = Phrase {
        en: "Whether customers complain depends on what they expect, not on the figure alone: {weeks} weeks of lines were looked at, {episodes} of them with a network complaint; of findings as clear as this one, {q} are expected to be false alarms. With expectations dealt out to other lines the link is weaker, as it is where the link is real.",
        zh: "用户是否投诉，不只看数值高低，还看与期望的差距：共 {weeks} 个线路周，其中 {episodes} 个有网络类投诉；同样明确的发现中，预计误报占 {q}。把期望随机换给其他线路后关联减弱，符合预期。",
    };
    const NOT: Phrase = Phrase {
        en: "It is not shown that expectation matters beside the figure itself ({weeks} weeks of lines, {episodes} of them with a network complaint): read the gaps as comparisons, not as causes of complaints.",
        zh: "未证明期望在数值之外有影响（{weeks} 个线路周，其中 {episodes} 个有网络类投诉）：差距仅作比较，不作投诉原因。",
    };
    const SLIP: Phrase = Phrase {
        en: "Expectation goes with complaints, but so do expectations of other lines ({weeks} weeks of lines, {episodes} of them with a network complaint): do not act on it yet.",
        zh: "期望与投诉相关，但错配的期望也相关（{weeks} 个线路周，其中 {episodes} 个有网络类投诉）：暂勿据此行动。",
    };
    const UNCHECKED: Phrase = Phrase {
        en: "Expectation goes with complaints beside the figure itself ({weeks} weeks of lines, {episodes} of them with a network complaint), and it could not be checked against expectations of other lines: take it with care.",
        zh: "期望在数值之外与投诉相关（{weeks} 个线路周，其中 {episodes} 个有网络类投诉），但无法用错配的期望核对：请谨慎对待。",
    };
    let rare = row.matters.q.map_or_else(Prose::default, |q| {
        Prose::plain(if q < 0.001 { "less than 0.1%".into() } else { number::percent(q) })
    });
    let rare = Prose::of(|lang| match lang {
        broadgauge_model::text::Lang::Zh => rare.get(lang).replace("less than ", "不到 "),
        broadgauge_model::text::Lang::En => rare.get(lang).to_owned(),
    });
    let gaps = [
        ("weeks", number::count(row.line_weeks as u64)),
        ("episodes", number::count(row.episodes as u64)),
        ("q", rare),
    ];
    let shorter = row.matters.slope.as_estimate().is_some_and(|slope| slope.interval().0 > 0.0);
    let phrase = match (shorter && row.matters.q.is_some_and(|q| q < 0.05), row.placebo.p) {
        (false, _) => &NOT,
        (true, None) => &UNCHECKED,
        (true, Some(p)) if p <= 0.05 => &SURE,
        (true, Some(_)) => &SLIP,
    };
    Prose::say(phrase, &gaps)
}

fn todo(all: &Month) -> Prose {
    const PROMISE: Phrase = Phrase {
        en: "Begin with the promise: what is usual for a product in the customer's region is {size} less than is promised. {who} can act: promise what is delivered, or have it delivered.",
        zh: "首先核查宣传承诺：用户所在地区同类产品的实际水平比承诺低 {size}。牵头部门：{who}。按实际能力调整对外承诺，或提升网络以兑现承诺。",
    };
    const HISTORY: Phrase = Phrase {
        en: "Begin with what got worse: customers get {size} less than they were used to. {who} can act: find what changed.",
        zh: "先看变差之处：比以往差 {size}。责任方：{who}。查明变化原因。",
    };
    const PEER: Phrase = Phrase {
        en: "Begin with the lines behind their region: {size} worse than neighbours with the same product. {who} can act.",
        zh: "先处理落后于本地区的线路：比同产品的邻居差 {size}。责任方：{who}。",
    };
    const TALK: Phrase = Phrase {
        en: "Begin with what is said: talk is {size} ahead of what is usual in the region. {who} can act: say what is true, and show it.",
        zh: "先看口碑：口碑比当地实际高出 {size}。责任方：{who}。如实说明并展示。",
    };
    const NOTHING: Phrase = Phrase {
        en: "No gap is shown to be to the customers' disadvantage: keep watching.",
        zh: "未发现对用户不利的差距：继续观察。",
    };
    let Some(gap) = largest(all) else { return NOTHING.into() };
    let gaps = [("size", say(&gap.value, Style::Share)), ("who", owner(gap.gap).capital())];
    let phrase = match gap.gap {
        GapKind::Promise => &PROMISE,
        GapKind::History => &HISTORY,
        GapKind::Peer => &PEER,
        GapKind::WordOfMouth => &TALK,
    };
    Prose::say(phrase, &gaps)
}

/// Who should be called on.
fn call(report: &Basis<'_>) -> Prose {
    const CALL: Phrase = Phrase {
        en: "And call on the silent: {n} lines get less than they expect and have not complained, and the {k} at highest risk are on the call list. Tried on {judged} lines that had no part in making it, such a list of {tried} found {lift} times as many of the lines that complained later as chance would.",
        zh: "并联系沉默用户：{n} 条线路低于期望而未投诉，其中风险最高的 {k} 条列入联系名单。以未参与建模的 {judged} 条线路检验：同法选出的 {tried} 条中，后续投诉者为随机抽取的 {lift} 倍。",
    };
    let silent = report.studies.silent;
    let Some((judged, lift)) = silent.judged.as_ref().and_then(|judged| Some((judged, judged.lift?))) else {
        return Prose::default();
    };
    if silent.list.is_empty() {
        return Prose::default();
    }
    let gaps = [
        ("n", number::count(silent.silent as u64)),
        ("k", number::count(silent.list.len() as u64)),
        ("judged", number::count(judged.lines as u64)),
        ("tried", number::count(judged.capacity as u64)),
        ("lift", Prose::plain(number::short(lift))),
    ];
    Prose::say(&CALL, &gaps)
}

fn keys(report: &Basis<'_>, row: &Expected, all: &Month) -> Block {
    const LINES: Phrase = Phrase { en: "{n} lines", zh: "{n} 条线路" };
    const TOLD: Phrase = Phrase {
        en: "as a share of what is expected",
        zh: "实际比期望低的幅度，占期望的比例",
    };
    const BELOW: Phrase = Phrase {
        en: "of weeks of lines are worse than the contract's minimum or the threshold",
        zh: "的线路周（每线每周计一次）低于合同保底值或投诉阈值",
    };
    const ODDS: Phrase = Phrase {
        en: "odds of a complaint for each tenth that a line falls short",
        zh: "每比期望低一成，投诉发生比（优势比）的倍数",
    };
    const HIT: Phrase = Phrase {
        en: "of the lines that the list picked among lines with no part in making it complained within four weeks",
        zh: "的线路四周内投诉（在未参与建模的线路中按同法选出）",
    };
    let lines = Prose::say(&LINES, &[("n", number::count(all.lines as u64))]);
    let mut keys = vec![
        key(
            "expectation_gap_ratio",
            Phrase { en: "Short of expectation", zh: "低于期望" },
            &all.expectation_gap,
            Style::Share,
            lines.clone(),
            TOLD.into(),
        ),
        key(
            "below_zone_ratio",
            Phrase { en: "Below what is tolerated", zh: "低于用户可接受下限" },
            &all.zone.below,
            Style::Share,
            lines.clone(),
            BELOW.into(),
        ),
        key(
            "odds_ratio_per_tenth_short",
            Phrase { en: "Complaints for falling short", zh: "差距与投诉" },
            &row.odds_ratio_per_tenth_short,
            Style::Bare,
            lines,
            ODDS.into(),
        ),
    ];
    if let Some(judged) = &report.studies.silent.judged {
        keys.push(key(
            "silent_precision_ratio",
            Phrase { en: "Hits of the call list", zh: "预警命中率" },
            &judged.precision,
            Style::Share,
            Prose::say(&LINES, &[("n", number::count(judged.capacity as u64))]),
            HIT.into(),
        ));
    }
    Block::Keys(keys)
}
