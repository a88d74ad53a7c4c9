//! The page for those who read one page: what is wrong, how sure that is, what to do.

use super::super::operator::basis::Basis;
use super::super::operator::complaints::{answered_controls, exposure, failed_controls, ratio, strongest};
use super::super::operator::{verdict, words};
use crate::doc::{Answer as Sentence, Block, KeyNumber, Number, Section, Tone};
use crate::study::Answer;
use crate::study::complaints::{CaseCrossover, Contrast, DoseResponse};
use crate::study::handling::Handling;
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::Better;
use broadgauge_model::text::Phrase;

pub(super) fn section(basis: &Basis<'_>, handling: &Handling) -> Section {
    let mut blocks: Vec<Block> = verdict::made_up(basis.panel).into_iter().collect();
    blocks.push(Block::Answers(vec![
        Sentence {
            label: Phrase { en: "What is wrong", zh: "问题在哪" }.into(),
            text: wrong(basis),
            detail: classes(basis),
        },
        Sentence {
            label: Phrase { en: "How sure that is", zh: "把握多大" }.into(),
            text: sure(basis),
            detail: adjusted(basis),
        },
        Sentence {
            label: Phrase { en: "What to do", zh: "怎么办" }.into(),
            text: todo(basis),
            detail: waiting(handling),
        },
    ]));
    blocks.push(Block::Keys(vec![
        ratio_key(basis),
        knee_key(basis),
        explained_key(basis),
        resolution_key(handling),
    ]));
    Section {
        id: "verdict",
        heading: Phrase { en: "In short", zh: "结论" }.into(),
        question: Prose::default(),
        blocks,
    }
}

/// What the first page speaks of: the strongest association, with the other views of the same exposure.
fn regression<'a>(basis: &Basis<'a>) -> Option<&'a DoseResponse> {
    let rows = &basis.complaints.dose_response;
    let of = strongest(basis).map(|row| &row.exposure);
    let shown = |d: &&DoseResponse| !basis.hides(d.lines);
    rows.iter().filter(shown).find(|d| Some(&d.exposure) == of).or_else(|| {
        rows.iter().filter(shown).min_by(|a, b| a.q.unwrap_or(1.0).total_cmp(&b.q.unwrap_or(1.0)))
    })
}

fn contrast<'a>(basis: &Basis<'a>) -> Option<&'a Contrast> {
    let rows = &basis.complaints.contrasts;
    let shown = |c: &&Contrast| c.class == Class::Network && !basis.hides(c.lines);
    let of = strongest(basis).map(|row| &row.exposure).or_else(|| regression(basis).map(|d| &d.exposure));
    rows.iter().filter(shown).find(|c| Some(&c.exposure) == of).or_else(|| rows.iter().find(shown))
}

/// The step in which a metric gets worse: "10 ms more", "10 Mbit/s less".
fn worse(row: &CaseCrossover) -> Prose {
    const MORE: Phrase = Phrase { en: "{step} more", zh: "增加 {step}" };
    const LESS: Phrase = Phrase { en: "{step} less", zh: "减少 {step}" };
    let step = words::step(row.exposure.metric, row.increment);
    let phrase = if row.exposure.metric.better == Better::Lower { &MORE } else { &LESS };
    Prose::say(phrase, &[("step", step)])
}

/// The ratio for one step worse, whichever way that is.
fn worse_ratio(basis: &Basis<'_>, row: &CaseCrossover) -> Number {
    match (ratio(basis, row), row.exposure.metric.better) {
        (Number::Known { value, interval: (low, high), n }, Better::Higher) if low > 0.0 => {
            Number::Known { value: 1.0 / value, interval: (1.0 / high, 1.0 / low), n }
        }
        (number, _) => number,
    }
}

fn wrong(basis: &Basis<'_>) -> Prose {
    const LINKED: Phrase = Phrase {
        en: "Customers of {own} complain about the network when their own line gets worse: with {step} {exposure} in the {window} before, network complaints become {ratio} times as frequent on the same line.",
        zh: "{own}的用户在自己的线路变差时投诉网络：投诉前 {window} 内{exposure}每{step}，同一线路的网络类投诉频度变为 {ratio} 倍。",
    };
    const DOUBT: Phrase = Phrase {
        en: "Network complaints go with {exposure}, but a comparison that must show nothing, such as with complaints about bills (a negative control), is not clean: these data do not show that the network is the cause.",
        zh: "网络类投诉与{exposure}相关，但本不应有关联的对照（如账单投诉，即阴性对照）也出现关联：现有数据不能说明网络就是原因。",
    };
    const NONE: Phrase = Phrase {
        en: "No metric was found to be worse before network complaints than on other days of the same line. What customers complain about is not in these measurements, or the data are too few.",
        zh: "没有发现哪项指标在网络类投诉之前比同一线路其他日子更差：用户投诉的问题不在这些测量之中，或数据太少。",
    };
    const DECLINED: Phrase = Phrase {
        en: "Complaints could not be set against measurements: {reason}.",
        zh: "投诉无法与测量对照：{reason}。",
    };
    if let Some(declined) = &basis.complaints.declined {
        return Prose::say(&DECLINED, &[("reason", words::said(&declined.reason))]);
    }
    let Some(row) = strongest(basis) else { return NONE.into() };
    let gaps = [
        ("own", basis.own()),
        ("step", worse(row)),
        ("exposure", exposure(&row.exposure, true)),
        ("window", words::window(&row.window)),
        ("ratio", worse_ratio(basis, row).words(Style::Bare)),
    ];
    let doubt = !failed_controls(basis, row).is_empty();
    Prose::say(if doubt { &DOUBT } else { &LINKED }, &gaps)
}

/// How many complaints there are of which class.
fn classes(basis: &Basis<'_>) -> Prose {
    const COUNTS: Phrase = Phrase {
        en: "Of {all} complaints, {network} are about the network, {billing} about bills, {service} about service{unsure}.",
        zh: "共 {all} 件投诉：网络类 {network} 件，账单类 {billing} 件，服务类 {service} 件{unsure}。",
    };
    const UNSURE: Phrase = Phrase { en: "; of {n} it cannot be told", zh: "；{n} 件无法判断" };
    let count = |class: Option<Class>| {
        let of = |c: &&broadgauge_model::panel::PanelComplaint| {
            c.complaint.class.filter(|c| *c != Class::Unsure) == class
        };
        basis.panel.complaints.iter().filter(of).count() as u64
    };
    let unsure = match count(None) {
        0 => Prose::default(),
        n => Prose::say(&UNSURE, &[("n", number::count(n))]),
    };
    let gaps = [
        ("all", number::count(basis.panel.complaints.len() as u64)),
        ("network", number::count(count(Some(Class::Network)))),
        ("billing", number::count(count(Some(Class::Billing)))),
        ("service", number::count(count(Some(Class::Service)))),
        ("unsure", unsure),
    ];
    Prose::say(&COUNTS, &gaps).then(used(basis))
}

/// How the complaints of the head become those that the comparison rests on.
fn used(basis: &Basis<'_>) -> Prose {
    const USED: Phrase = Phrase {
        en: "With repeats of one line within {days} days counted once, and days out of service left out, the {network} network complaints on lines of {own} are {all} episodes; {used} of these have {exposure} both before them and on comparable days, and the comparison rests on them.",
        zh: "同一线路 {days} 天内的重复投诉只计一次，不计停服日，{own}线路上的网络类投诉 {network} 件合为 {all} 起投诉事件；其中 {used} 起在投诉前与可比日均有{exposure}测量，对比即以此为据。",
    };
    const ALL: Phrase = Phrase {
        en: "With repeats of one line within {days} days counted once, and days out of service left out, the {network} network complaints on lines of {own} are {all} episodes; all of these have {exposure} both before them and on comparable days, and the comparison rests on them.",
        zh: "同一线路 {days} 天内的重复投诉只计一次，不计停服日，{own}线路上的网络类投诉 {network} 件合为 {all} 起投诉事件，在投诉前与可比日均有{exposure}测量，对比即以此为据。",
    };
    let shown = |row: &&CaseCrossover| row.control.is_none() && !basis.hides(row.lines);
    let most = || basis.complaints.case_crossover.iter().filter(shown).max_by_key(|row| row.episodes);
    let Some(row) = strongest(basis).or_else(most) else { return Prose::default() };
    let known = |c: &&broadgauge_model::panel::PanelComplaint| {
        c.complaint.class == Some(Class::Network)
            && c.line.is_some_and(|line| basis.panel.lines[line as usize].operator == basis.query.own)
    };
    let days = basis.complaints.head.filters.get("repeat_days").map(ToString::to_string);
    let gaps = [
        ("days", Prose::plain(days.unwrap_or_default())),
        ("network", number::count(basis.panel.complaints.iter().filter(known).count() as u64)),
        ("own", basis.own()),
        ("all", number::count(row.episodes + row.dropped.iter().map(|note| note.count).sum::<u64>())),
        ("used", number::count(row.episodes)),
        ("exposure", exposure(&row.exposure, true)),
    ];
    Prose::say(if row.dropped.is_empty() { &ALL } else { &USED }, &gaps)
}

fn sure(basis: &Basis<'_>) -> Prose {
    const QUIET: Phrase = Phrase {
        en: "Each line was compared with itself on the same weekdays of the same four weeks, so neither the line, the plan nor the season can explain it; of 100 findings as clear as this one fewer than {share} are expected to be false alarms, and comparisons that must show nothing, with complaints about bills and with the quality after the complaint, show nothing ({controls} such negative controls could be computed). It rests on {episodes} episodes of complaints.",
        zh: "每条线路只与自身在同一四周内相同星期几相比，线路、套餐、季节都不能解释；每 100 个同样明确的发现中，预计误报少于 {share} 个；本不应有关联的对照（账单投诉、投诉之后的质量，即阴性对照）可计算 {controls} 项，均无关联。依据为 {episodes} 起投诉事件。",
    };
    const UNCHECKED: Phrase = Phrase {
        en: "It rests on {episodes} episodes of complaints, each line compared with itself; it could not be checked against what the network cannot cause (negative controls), so take it with care.",
        zh: "依据为 {episodes} 起投诉事件，每条线路与自身相比；无法与网络不可能引起的事（阴性对照）核对，请谨慎对待。",
    };
    const DOUBT: Phrase = Phrase {
        en: "Not sure: {failed} of {controls} comparisons that must show nothing (negative controls, such as complaints about bills) show an association, which chance alone lets one in twenty do. Until that is ruled out, something else may move with the metric and with complaints.",
        zh: "没有把握：本不应有关联的 {controls} 项对照（阴性对照，如账单投诉）中，有 {failed} 项出现关联（偶然出现的概率约为二十分之一）。在排除之前，可能另有因素同时影响指标和投诉。",
    };
    const NONE: Phrase = Phrase {
        en: "“Not found” is not “not there”: the largest comparison has {episodes} episodes of complaints with measurements before them and on comparable days.",
        zh: "“没有发现”不等于“没有”：最大的一项对比只有 {episodes} 起投诉同时具备投诉前与可比日的测量。",
    };
    let Some(row) = strongest(basis) else {
        let most = basis.complaints.case_crossover.iter().map(|row| row.episodes).max().unwrap_or(0);
        return Prose::say(&NONE, &[("episodes", number::count(most))]);
    };
    let (failed, controls) = (failed_controls(basis, row).len(), answered_controls(basis, row));
    let share = if row.q.is_some_and(|q| q < 0.01) { "1" } else { "5" };
    let gaps = [
        ("share", Prose::plain(share)),
        ("controls", number::count(controls as u64)),
        ("failed", number::count(failed as u64)),
        ("episodes", number::count(row.episodes)),
    ];
    let phrase = match (failed, controls) {
        (0, 0) => &UNCHECKED,
        (0, _) => &QUIET,
        _ => &DOUBT,
    };
    Prose::say(phrase, &gaps)
}

fn adjusted(basis: &Basis<'_>) -> Prose {
    const BETWEEN: Phrase = Phrase {
        en: "Between lines, too: all else alike, {step} more {exposure} goes with {adjusted} times the complaints (without allowing for anything, {crude} times).",
        zh: "线路之间也是如此：其他条件相同时，{exposure}每增加 {step}，投诉为 {adjusted} 倍（不作调整时为 {crude} 倍）。",
    };
    let Some(row) = regression(basis).filter(|row| rises(row)) else { return Prose::default() };
    let say = |answer: &Answer| words::answer(answer).words(Style::Bare);
    let gaps = [
        ("step", words::step(row.exposure.metric, row.increment)),
        ("exposure", exposure(&row.exposure, true)),
        ("adjusted", say(&row.adjusted)),
        ("crude", say(&row.crude)),
    ];
    Prose::say(&BETWEEN, &gaps)
}

/// Whether lines that have worse complain more, all else alike.
fn rises(row: &DoseResponse) -> bool {
    row.adjusted.as_estimate().is_some_and(|found| match row.exposure.metric.better {
        Better::Lower => found.interval().0 > 1.0,
        Better::Higher => found.interval().1 < 1.0,
    })
}

fn todo(basis: &Basis<'_>) -> Prose {
    const BELOW: Phrase = Phrase {
        en: "Keep {exposure} on the good side of {knee}: beyond it customers begin to complain. Start with the lines and nodes that spend most days beyond it.",
        zh: "使{exposure}不越过 {knee}：越过之后用户开始投诉。从越过天数最多的线路和节点入手。",
    };
    const GRADUAL: Phrase = Phrase {
        en: "Improve {exposure} where it is worst: complaints rise as it gets worse, and no level was found from which they begin.",
        zh: "从{exposure}最差之处改善：质量越差投诉越多，未发现起始阈值。",
    };
    const WORSE_DAYS: Phrase = Phrase {
        en: "Improve {exposure} where its days differ most: a line complains after its own worse days. From which level on is not known.",
        zh: "从{exposure}日间波动最大之处改善：同一线路在较差的日子之后投诉增多。起始水平未知。",
    };
    const LOOK: Phrase = Phrase {
        en: "Do not order repairs from this report. Look at what customers say (the classes above), measure what they speak of, and repeat.",
        zh: "不要据此安排整改。先看用户投诉内容（见上方分类），测量其所指问题，再重做本报告。",
    };
    let linked = strongest(basis).filter(|row| failed_controls(basis, row).is_empty());
    let Some(linked) = linked else { return LOOK.into() };
    let row = regression(basis).filter(|row| row.exposure == linked.exposure);
    let knee = row.map_or_else(none, |row| words::answer(&row.knee));
    let phrase = match row {
        Some(_) if knee.value().is_some() => &BELOW,
        Some(row) if rises(row) => &GRADUAL,
        _ => &WORSE_DAYS,
    };
    let style = words::value_style(linked.exposure.metric);
    Prose::say(phrase, &[("exposure", exposure(&linked.exposure, true)), ("knee", knee.words(style))])
}

/// What lies about.
fn waiting(handling: &Handling) -> Prose {
    const WAITING: Phrase = Phrase {
        en: "Of {open} open cases {overdue} are past their due time, and {unowned} are nobody's: name somebody for each.",
        zh: "未结工单 {open} 件，其中超期 {overdue} 件，无人负责 {unowned} 件：逐件指定责任人。",
    };
    const CLEAR: Phrase = Phrase {
        en: "{open} cases are open; none is past its due time, and each has somebody who owns it.",
        zh: "未结工单 {open} 件；无超期，均有责任人。",
    };
    let Some(all) = handling.groups.first() else { return Prose::default() };
    let gaps = [
        ("open", number::count(all.open as u64)),
        ("overdue", number::count(handling.overdue_in_all as u64)),
        ("unowned", number::count(handling.unowned_in_all as u64)),
    ];
    let waits = handling.overdue_in_all + handling.unowned_in_all > 0;
    Prose::say(if waits { &WAITING } else { &CLEAR }, &gaps)
}

fn basis_of(n: u64) -> Prose {
    const EPISODES: Phrase = Phrase { en: "{n} episodes", zh: "投诉事件 {n} 起" };
    Prose::say(&EPISODES, &[("n", number::count(n))])
}

fn none() -> Number {
    Number::Declined(
        Phrase {
            en: "no complaint could be set against measurements", zh: "没有可与测量对照的投诉"
        }
        .into(),
    )
}

fn key(name: String, label: Prose, number: Number, style: Style, tone: Tone, meaning: Prose) -> KeyNumber {
    let n = match &number {
        Number::Known { n, .. } => basis_of(*n as u64),
        Number::Declined(_) => Prose::default(),
    };
    let known = number.value().is_some();
    KeyNumber {
        key: name,
        label,
        number,
        style,
        basis: n,
        meaning: if known { meaning } else { Prose::default() },
        tone: if known { tone } else { Tone::CannotTell },
    }
}

fn ratio_key(basis: &Basis<'_>) -> KeyNumber {
    const LABEL: Phrase = Phrase {
        en: "Network complaints, with {step} {exposure}",
        zh: "{exposure}每{step}，网络类投诉",
    };
    const EMPTY: Phrase = Phrase { en: "Network complaints and the network", zh: "网络类投诉与网络" };
    const TIMES: Phrase = Phrase { en: "times as frequent, on the same line", zh: "倍（同一线路）" };
    let shown =
        strongest(basis).or_else(|| basis.complaints.case_crossover.iter().find(|row| row.control.is_none()));
    let Some(row) = shown else {
        return key(
            "complaint_rate_ratio".into(),
            EMPTY.into(),
            none(),
            Style::Bare,
            Tone::CannotTell,
            Prose::default(),
        );
    };
    let gaps = [("step", worse(row)), ("exposure", exposure(&row.exposure, true))];
    let found = strongest(basis).is_some() && failed_controls(basis, row).is_empty();
    let tone = if found { Tone::Worse } else { Tone::CannotTell };
    let name = format!("complaint_rate_ratio_{}", row.exposure.metric.id());
    key(name, Prose::say(&LABEL, &gaps), worse_ratio(basis, row), Style::Bare, tone, TIMES.into())
}

fn knee_key(basis: &Basis<'_>) -> KeyNumber {
    const LABEL: Phrase = Phrase { en: "Complaints begin at {exposure} of", zh: "开始投诉的{exposure}" };
    const EMPTY: Phrase = Phrase { en: "Level at which complaints begin", zh: "开始投诉的水平" };
    const MEANING: Phrase = Phrase { en: "beyond it, complaints rise", zh: "越过之后投诉上升" };
    let Some(row) = regression(basis) else {
        return key(
            "complaint_threshold".into(),
            EMPTY.into(),
            none(),
            Style::Bare,
            Tone::CannotTell,
            Prose::default(),
        );
    };
    let metric = row.exposure.metric;
    let label = Prose::say(&LABEL, &[("exposure", exposure(&row.exposure, true))]);
    let name = format!("complaint_threshold_{}_{}", metric.id(), metric.unit.code());
    key(name, label, words::answer(&row.knee), words::value_style(metric), Tone::Plain, MEANING.into())
}

fn explained_key(basis: &Basis<'_>) -> KeyNumber {
    const LABEL: Phrase = Phrase {
        en: "Network complaints that the worst fifth of line-days by {exposure} explains",
        zh: "按{exposure}最差五分之一线路日可解释的网络类投诉",
    };
    const EMPTY: Phrase =
        Phrase { en: "Network complaints that a metric explains", zh: "指标可解释的网络类投诉" };
    const MEANING: Phrase =
        Phrase { en: "of them, if the association is causal", zh: "（若关联为因果）" };
    let Some(row) = contrast(basis) else {
        return key(
            "explained_if_causal_ratio".into(),
            EMPTY.into(),
            none(),
            Style::Share,
            Tone::CannotTell,
            Prose::default(),
        );
    };
    let label = Prose::say(&LABEL, &[("exposure", exposure(&row.exposure, true))]);
    let number = words::answer(&row.explained_if_causal);
    key("explained_if_causal_ratio".into(), label, number, Style::Share, Tone::Plain, MEANING.into())
}

fn resolution_key(handling: &Handling) -> KeyNumber {
    const LABEL: Phrase = Phrase { en: "Complaints resolved: half within", zh: "半数投诉办结用时" };
    const MEANING: Phrase = Phrase { en: "hours, open cases counted", zh: "小时（含未结工单）" };
    const CASES: Phrase = Phrase { en: "{n} complaints", zh: "投诉 {n} 件" };
    let number = handling.groups.first().map_or_else(none, |all| words::answer(&all.resolution.p50_hours));
    let n = match &number {
        Number::Known { n, .. } => Prose::say(&CASES, &[("n", number::count(*n as u64))]),
        Number::Declined(_) => Prose::default(),
    };
    let name = "resolution_p50_hours".to_owned();
    KeyNumber { basis: n, ..key(name, LABEL.into(), number, Style::Bare, Tone::Plain, MEANING.into()) }
}
