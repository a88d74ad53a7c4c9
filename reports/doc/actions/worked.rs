//! Did the fixes work?

use super::basis::Basis;
use crate::chart::Caption;
use crate::chart::course::{Course, CoursePanel};
use crate::doc::operator::words;
use crate::doc::told::{cell, plain, say, table, toned};
use crate::doc::{Align, Block, Figure, Finding, Section, TableCell, Tone};
use crate::study::closed_loop::{ActionRow, KindRow, State};
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::text::{Lang, Phrase};

pub(super) fn section(report: &Basis<'_>) -> Section {
    let study = report.studies.closed_loop;
    let mut blocks = Vec::new();
    if let Some(declined) = &study.declined {
        let what = Phrase { en: "What the fixes did", zh: "修复效果" }.into();
        blocks.push(Block::Declined { what, reason: words::said(&declined.reason) });
    }
    if !study.kinds.is_empty() {
        blocks.push(Block::Findings(study.kinds.iter().map(finding).collect()));
        blocks.extend(course(report));
    }
    if !study.actions.is_empty() {
        blocks.push(actions(report));
    }
    if study.actions.iter().any(|a| a.overdue_days.is_some()) {
        blocks.push(overdue(report));
    }
    let outside: Vec<Prose> =
        study.complaints.iter().filter(|w| w.outside).map(|w| Prose::plain(&w.week)).collect();
    if !outside.is_empty() {
        const WEEKS: Phrase = Phrase {
            en: "Weeks with unusually many or few complaints, by a control chart: {weeks}.",
            zh: "控制图显示投诉异常多或少的周：{weeks}。",
        };
        blocks.push(Block::Paragraph(Prose::say(&WEEKS, &[("weeks", Prose::list(&outside))])));
    }
    Section {
        id: "worked",
        heading: Phrase { en: "Did the fixes work", zh: "修复是否有效" }.into(),
        question: Phrase {
            en: "What is verified, what is open again, and what is late?",
            zh: "哪些已验证，哪些重新打开，哪些逾期？",
        }
        .into(),
        blocks,
    }
}

fn kind_name(kind: &str) -> String {
    kind.replace('_', " ")
}

fn finding(row: &KindRow) -> Finding {
    const HELPS: Phrase = Phrase {
        en: "{kind} helps: {metric} is {size} better than on units as bad that were left alone ({treated} treated, {controls} left alone).",
        zh: "{kind}有效：{metric}比同样差而未处理的单元好 {size}（处理 {treated} 个，未处理 {controls} 个）。",
    };
    const NOT: Phrase = Phrase {
        en: "{kind} is not shown to help: {metric} changed by {change} against units as bad that were left alone ({treated} treated, {controls} left alone).",
        zh: "未证明{kind}有效：{metric}相对同样差而未处理的单元变化 {change}（处理 {treated} 个，未处理 {controls} 个）。",
    };
    const NONE: Phrase =
        Phrase { en: "{kind} cannot be judged: {reason}.", zh: "{kind}无法判定：{reason}。" };
    let reason = row.change.as_declined().map(|d| words::said(&d.reason)).unwrap_or_default();
    let size = row.change.as_estimate().map_or_else(Prose::default, |e| {
        let (low, high) = e.interval();
        number::estimate(-e.value(), (-high, -low), Style::Share)
    });
    let gaps = [
        ("kind", Prose::plain(kind_name(&row.kind)).capital()),
        ("metric", words::metric_inside(row.metric)),
        ("size", size),
        ("change", say(&row.change, Style::Share)),
        ("treated", number::count(row.treated as u64)),
        ("controls", number::count(row.controls as u64)),
        ("reason", reason),
    ];
    let (tone, word, phrase) = match row.helps {
        Some(true) => (Tone::Better, Phrase { en: "Helps", zh: "有效" }, &HELPS),
        Some(false) => (Tone::CannotTell, Phrase { en: "Not shown", zh: "未证明" }, &NOT),
        None => (Tone::CannotTell, Tone::CannotTell.phrase(), &NONE),
    };
    Finding { tone, word: word.into(), text: Prose::say(phrase, &gaps) }
}

fn course(report: &Basis<'_>) -> Option<Block> {
    const TITLE: Phrase = Phrase {
        en: "Before and after, against units left alone",
        zh: "前后对比，以未处理单元为对照",
    };
    const FOUND: Phrase = Phrase {
        en: "{kinds}: better after it was done than units as bad that were left alone",
        zh: "{kinds}：完成后优于同样差而未处理的单元",
    };
    const CAPTION: Phrase = Phrase {
        en: "Each point is a week: how much the treated differ from units as bad that were left alone, against the week before work began; bars are 95% intervals over resampled units. Left of the line all points should lie at zero: there, nothing had been done.",
        zh: "每点为一周：相对动工前一周，处理单元与同样差而未处理单元之差；线段为单元重抽样的 95% 区间。虚线左侧应在零附近：当时尚未处理。",
    };
    const HEADING: Phrase = Phrase { en: "{kind}: {verdict}", zh: "{kind}：{verdict}" };
    let kinds: Vec<&KindRow> =
        report.studies.closed_loop.kinds.iter().filter(|kind| !kind.course.is_empty()).collect();
    if kinds.is_empty() {
        return None;
    }
    let helping: Vec<Prose> = kinds
        .iter()
        .filter(|k| k.helps == Some(true))
        .map(|k| Prose::plain(kind_name(&k.kind)).capital())
        .collect();
    let title = if helping.is_empty() {
        TITLE.into()
    } else {
        Prose::say(&FOUND, &[("kinds", Prose::list(&helping))])
    };
    let subtitle = words::subtitle(Vec::new(), report.panel);
    let make = |lang: Lang| Course {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        panels: kinds
            .iter()
            .map(|kind| {
                let verdict = finding(kind).word;
                let name = kind_name(&kind.kind);
                CoursePanel {
                    heading: HEADING.fill(lang, &[("kind", &name), ("verdict", verdict.get(lang))]),
                    weeks: kind
                        .course
                        .iter()
                        .map(|week| (week.since, words::answer(&week.change).figure(lang)))
                        .collect(),
                }
            })
            .collect(),
    };
    Some(Block::Figure(Figure::new("before-and-after", title.clone(), CAPTION.into(), make)))
}

fn tone(state: State) -> Tone {
    match state {
        State::Verified => Tone::Better,
        State::NotVerified | State::Recurred => Tone::Worse,
        State::Done => Tone::CannotTell,
        State::Proposed | State::InProgress => Tone::Plain,
    }
}

fn actions(report: &Basis<'_>) -> Block {
    const CAPTION: Phrase = Phrase {
        en: "Every action with its state. The change is against units as bad that were left alone; below 0 is better.",
        zh: "全部措施及状态。变化相对同样差而未处理的单元，低于 0 为改善。",
    };
    let columns = [
        (Phrase { en: "Action", zh: "措施" }, Align::Left),
        (Phrase { en: "Unit", zh: "单元" }, Align::Left),
        (Phrase { en: "Owner", zh: "责任人" }, Align::Left),
        (Phrase { en: "State", zh: "状态" }, Align::Left),
        (Phrase { en: "Change", zh: "变化" }, Align::Right),
        (Phrase { en: "Target", zh: "目标" }, Align::Left),
        (Phrase { en: "Why", zh: "原因" }, Align::Left),
    ];
    let target = |met: Option<bool>| -> Prose {
        match met {
            None => Prose::plain("–"),
            Some(true) => Phrase { en: "met", zh: "达到" }.into(),
            Some(false) => Phrase { en: "missed", zh: "未达" }.into(),
        }
    };
    let row = |action: &ActionRow| -> Vec<TableCell> {
        vec![
            plain(&action.action_id),
            plain(action.unit.clone().unwrap_or_else(|| "–".into())),
            plain(&action.owner),
            toned(action.state.label().into(), tone(action.state)),
            cell(&action.change, Style::Share),
            target(action.target_met).into(),
            words::said(&action.why).into(),
        ]
    };
    table(CAPTION, &columns, report.studies.closed_loop.actions.iter().map(row).collect())
}

fn overdue(report: &Basis<'_>) -> Block {
    const CAPTION: Phrase = Phrase { en: "Overdue at the end of the period.", zh: "期末已逾期。" };
    let columns = [
        (Phrase { en: "Action", zh: "措施" }, Align::Left),
        (Phrase { en: "Owner", zh: "责任人" }, Align::Left),
        (Phrase { en: "Due", zh: "期限" }, Align::Left),
        (Phrase { en: "Days late", zh: "逾期天数" }, Align::Right),
    ];
    let mut late: Vec<&ActionRow> =
        report.studies.closed_loop.actions.iter().filter(|a| a.overdue_days.is_some()).collect();
    late.sort_by_key(|a| (std::cmp::Reverse(a.overdue_days), a.action_id.clone()));
    let rows = late.into_iter().map(|action| {
        let days = action.overdue_days.unwrap_or(0).to_string();
        vec![plain(&action.action_id), plain(&action.owner), plain(&action.due), plain(days)]
    });
    table(CAPTION, &columns, rows.collect())
}
