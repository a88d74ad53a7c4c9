//! Did the fixes work?

use super::basis::Basis;
use super::control;
use crate::chart::Caption;
use crate::chart::course::{Course, CoursePanel};
use crate::chart::treated::{Treated, TreatedPanel, TreatedWeek};
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
        blocks.extend(treated(report));
        blocks.extend(course(report));
    }
    if !study.actions.is_empty() {
        blocks.push(actions(report));
        blocks.extend(control::of_actions(report));
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
    blocks.extend(control::of_complaints(report));
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
            .map(|kind| CoursePanel {
                heading: heading(kind, lang),
                weeks: kind
                    .course
                    .iter()
                    .map(|week| (week.since, words::answer(&week.change).figure(lang)))
                    .collect(),
            })
            .collect(),
    };
    Some(Block::Figure(Figure::new("before-and-after", title.clone(), CAPTION.into(), make)))
}

/// The verdict of a kind in words, with what chance shows.
fn verdict(row: &KindRow) -> Prose {
    const JUMP: Phrase = Phrase {
        en: "At once {jump} against where the weeks before were heading, then {turn} a week.",
        zh: "相对此前趋势即时变化 {jump}，此后每周 {turn}。",
    };
    const CHANCE: Phrase = Phrase {
        en: "Of {n} placebo dates, at which nothing was done, {k} show a change as good.",
        zh: "在 {n} 个未做任何处理的安慰剂日期中，{k} 个出现同样好的变化。",
    };
    const NO_CHANCE: Phrase =
        Phrase { en: "No placebo dates: {reason}.", zh: "无安慰剂日期：{reason}。" };
    let mut told = finding(row).text;
    if row.jump.as_estimate().is_some() {
        let gaps = [("jump", say(&row.jump, Style::Share)), ("turn", say(&row.turn, Style::Share))];
        told = told.then(Prose::say(&JUMP, &gaps));
    }
    let placebo = &row.placebo;
    match (placebo.as_good, &placebo.declined) {
        (Some(k), _) => {
            let gaps = [("n", number::count(placebo.changes.len() as u64)), ("k", number::count(k as u64))];
            told.then(Prose::say(&CHANCE, &gaps))
        }
        (None, Some(declined)) => {
            told.then(Prose::say(&NO_CHANCE, &[("reason", words::said(&declined.reason))]))
        }
        (None, None) => told,
    }
}

fn treated(report: &Basis<'_>) -> Option<Block> {
    const TITLE: Phrase = Phrase {
        en: "No kind of action is shown to do better than chance",
        zh: "没有哪类措施被证明优于偶然",
    };
    const FOUND: Phrase = Phrase {
        en: "{kinds}: treated units got better, those left alone did not, and chance shows nothing like it",
        zh: "{kinds}：处理单元改善，未处理单元没有，且非偶然所致",
    };
    const CAPTION: Phrase = Phrase {
        en: "Left: the mean of treated units beside that of the units matched to each, as bad before and left alone, with 95% intervals over pairs; the same pairs in every week, without the days of the work and those in which it settled. Right: the same comparison at placebo dates, at which nothing was done, on units as bad as the treated ones were: what chance shows. The blue line is the real change with its 95% interval.",
        zh: "左：处理单元的均值，及与之匹配、此前同样差而未处理单元的均值，线段为各配对间的 95% 区间；各周为同一批配对，不含施工及稳定期。右：在未做任何处理的安慰剂日期、对同样差的单元作同样比较的结果，即偶然所致。蓝线为实际变化及 95% 区间。",
    };
    let kinds: Vec<&KindRow> =
        report.studies.closed_loop.kinds.iter().filter(|kind| !kind.series.is_empty()).collect();
    if kinds.is_empty() {
        return None;
    }
    let rare = |kind: &&&KindRow| kind.helps == Some(true) && kind.placebo.p.is_some_and(|p| p < 0.05);
    let helping: Vec<Prose> =
        kinds.iter().filter(rare).map(|k| Prose::plain(kind_name(&k.kind)).capital()).collect();
    let title = if helping.is_empty() {
        TITLE.into()
    } else {
        Prose::say(&FOUND, &[("kinds", Prose::list(&helping))])
    };
    let subtitle = words::subtitle(Vec::new(), report.panel);
    let make = |lang: Lang| Treated {
        caption: Caption {
            title: title.get(lang).to_owned(),
            subtitle: subtitle.get(lang).to_owned(),
            note: String::new(),
        },
        panels: kinds
            .iter()
            .map(|kind| TreatedPanel {
                heading: heading(kind, lang),
                verdict: verdict(kind).get(lang).to_owned(),
                metric: kind.metric,
                weeks: kind
                    .series
                    .iter()
                    .map(|week| TreatedWeek {
                        since: week.since,
                        treated: words::answer(&week.treated).figure(lang),
                        left_alone: words::answer(&week.left_alone).figure(lang),
                    })
                    .collect(),
                change: words::answer(&kind.change).figure(lang),
                placebo: kind.placebo.changes.clone(),
            })
            .collect(),
    };
    Some(Block::Figure(Figure::new("treated-and-left-alone", title.clone(), CAPTION.into(), make)))
}

fn heading(kind: &KindRow, lang: Lang) -> String {
    const HEADING: Phrase = Phrase { en: "{kind}: {verdict}", zh: "{kind}：{verdict}" };
    let verdict = finding(kind).word;
    HEADING.fill(lang, &[("kind", &kind_name(&kind.kind)), ("verdict", verdict.get(lang))])
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
