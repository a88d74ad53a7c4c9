//! How soon complaints are answered and resolved, and what lies about.

use super::super::operator::basis::Basis;
use super::super::operator::words;
use super::tables::columns;
use crate::doc::told::Refusals;
use crate::doc::{Align, Block, Section, Table, TableCell};
use crate::study::handling::{Case, DEADLINES, Escalations, Group, Handling};
use crate::text::Prose;
use crate::text::number::{self, Style};
use broadgauge_model::complaint::Class;
use broadgauge_model::text::Phrase;

/// Cases of a list that the page shows.
const MOST_CASES: usize = 15;

pub(super) fn section(basis: &Basis<'_>, study: &Handling) -> Section {
    let mut blocks = Vec::new();
    if let Some(declined) = &study.declined {
        blocks.push(Block::Declined {
            what: Phrase { en: "Handling of complaints", zh: "投诉处理" }.into(),
            reason: words::said(&declined.reason),
        });
    } else {
        for table in [groups, deadlines] {
            let mut refusals = Refusals::default();
            blocks.push(Block::Table(table(study, &mut refusals)));
            blocks.extend(refusals.below());
        }
        blocks.extend(study.escalations.as_ref().map(escalated));
        let lists = [
            (
                Phrase {
                    en: "Past their due time: {shown} of {all}", zh: "超期：{all} 件中的 {shown} 件"
                },
                &study.overdue,
                study.overdue_in_all,
            ),
            (
                Phrase { en: "Nobody's: {shown} of {all}", zh: "无人负责：{all} 件中的 {shown} 件" },
                &study.unowned,
                study.unowned_in_all,
            ),
        ];
        // A list of single customers is for the team, not for a report that is shared.
        if !basis.query.shared {
            let filled = lists.into_iter().filter(|list| !list.1.is_empty());
            blocks.extend(filled.map(|(title, cases, all)| Block::Table(list(&title, cases, all))));
        }
    }
    Section {
        id: "handling",
        heading: Phrase { en: "How complaints are handled", zh: "投诉处理" }.into(),
        question: Phrase {
            en: "How soon are complaints answered and resolved, and how often do they come back?",
            zh: "投诉多久得到答复和解决，多少会再次发生？",
        }
        .into(),
        blocks,
    }
}

fn class(word: &str) -> Prose {
    match word.parse::<Class>() {
        Ok(Class::Network) => Phrase { en: "network", zh: "网络" }.into(),
        Ok(Class::Billing) => Phrase { en: "billing", zh: "账单" }.into(),
        Ok(Class::Service) => Phrase { en: "service", zh: "服务" }.into(),
        Ok(Class::Unsure) => Phrase { en: "unsure", zh: "无法判断" }.into(),
        Err(_) => Prose::plain(word),
    }
}

fn named(group: &Group) -> Prose {
    const BY: Phrase = Phrase { en: "{by}: {value}", zh: "{by}：{value}" };
    let by: Phrase = match group.by {
        "class" => Phrase { en: "class", zh: "类别" },
        "channel" => Phrase { en: "channel", zh: "渠道" },
        "owner" => Phrase { en: "owner", zh: "责任方" },
        _ => return Phrase { en: "all", zh: "全部" }.into(),
    };
    let value = match group.value.as_str() {
        "-" => Phrase { en: "none named", zh: "未注明" }.into(),
        value if group.by == "class" => class(value),
        value => Prose::plain(value),
    };
    Prose::say(&BY, &[("by", by.into()), ("value", value)]).capital()
}

fn groups(study: &Handling, refusals: &mut Refusals) -> Table {
    let heads = [
        (Phrase { en: "Cases", zh: "工单" }, Align::Left),
        (Phrase { en: "How many", zh: "件数" }, Align::Right),
        (Phrase { en: "Open", zh: "未结" }, Align::Right),
        (Phrase { en: "First response, half within (h)", zh: "首次答复中位（小时）" }, Align::Right),
        (Phrase { en: "Resolved, half within (h)", zh: "办结中位（小时）" }, Align::Right),
        (Phrase { en: "Resolved, 80% within (h)", zh: "办结 80%（小时）" }, Align::Right),
        (Phrase { en: "Opened again", zh: "重开" }, Align::Right),
        (Phrase { en: "Repeated", zh: "重复" }, Align::Right),
        (Phrase { en: "At first contact", zh: "一次解决" }, Align::Right),
    ];
    let mut row = |group: &Group| -> Vec<TableCell> {
        let mut cell = |answer, style| refusals.cell(answer, style);
        vec![
            named(group).into(),
            number::count(group.cases as u64).into(),
            number::count(group.open as u64).into(),
            cell(&group.first_response.p50_hours, Style::Bare),
            cell(&group.resolution.p50_hours, Style::Bare),
            cell(&group.resolution.p80_hours, Style::Bare),
            cell(&group.reopened_ratio, Style::Share),
            cell(&group.repeated_ratio, Style::Share),
            cell(&group.first_contact_ratio, Style::Share),
        ]
    };
    Table {
        caption: Phrase {
            en: "Times run by the calendar; open cases are counted",
            zh: "按日历计时，含未结工单",
        }
        .into(),
        columns: columns(&heads),
        rows: study.groups.iter().map(&mut row).collect(),
    }
}

/// What a deadline is, for readers.
fn deadline(id: &'static str) -> Prose {
    let en = DEADLINES.iter().find(|d| d.id == id).map_or(id, |d| d.source);
    let zh = match id {
        "miit_reply" => "工业和信息化部《电信用户申诉处理办法》第十条",
        "fcc_reply" => "美国 FCC 非正式投诉：运营商 30 天内答复",
        "ofcom_speeds" => "英国 Ofcom 宽带速率自愿守则：30 天内解决",
        "ofcom_adr" => "英国 Ofcom 替代性争议解决：八周之后（2026 年 4 月 8 日前受理）",
        "ofcom_adr_2026" => "英国 Ofcom 替代性争议解决：六周之后（2026 年 4 月 8 日起受理）",
        "miit_appeal" => "工业和信息化部《电信用户申诉处理办法》：申诉三十日内办结",
        _ => en,
    };
    Phrase { en, zh }.into()
}

fn deadlines(study: &Handling, refusals: &mut Refusals) -> Table {
    const DAYS: Phrase = Phrase { en: "{n} days", zh: "{n} 天" };
    let heads = [
        (Phrase { en: "Deadline", zh: "时限" }, Align::Left),
        (Phrase { en: "Time", zh: "期限" }, Align::Right),
        (Phrase { en: "Kept", zh: "达标比例" }, Align::Right),
    ];
    let all = study.groups.first();
    let within = all.into_iter().flat_map(|g| g.first_response.within.iter().chain(&g.resolution.within));
    let within = within.chain(study.escalations.iter().flat_map(|escalations| &escalations.within));
    let rows = within.map(|within| {
        let days = Prose::say(&DAYS, &[("n", Prose::plain(number::trimmed(within.days)))]);
        vec![deadline(within.deadline).into(), days.into(), refusals.cell(&within.ratio, Style::Share)]
    });
    Table {
        caption: Phrase { en: "Deadlines of regulators", zh: "监管时限" }.into(),
        columns: columns(&heads),
        rows: rows.collect(),
    }
}

/// How many customers took it further.
fn escalated(escalations: &Escalations) -> Block {
    const RATE: Phrase = Phrase {
        en: "Customers took {cases} cases further, to a regulator, an ombudsman or dispute resolution: on known lines {rate} for each \
             million lines in a quarter.",
        zh: "有 {cases} 件投诉被用户升级至监管机构、申诉专员或争议解决机构；按已登记线路计，每季度每百万线路 {rate} 件。",
    };
    const COUNT: Phrase = Phrase {
        en: "Customers took {cases} cases further, to a regulator, an ombudsman or dispute resolution.",
        zh: "有 {cases} 件投诉被用户升级至监管机构、申诉专员或争议解决机构。",
    };
    let cases = ("cases", number::count(escalations.cases as u64));
    let Some(rate) = escalations.per_million_line_quarters.as_estimate() else {
        return Block::Paragraph(Prose::say(&COUNT, &[cases]));
    };
    let (low, high) = rate.interval();
    let [rate, low, high] = [rate.value(), low, high].map(|value| number::fixed(value, 0));
    let told = format!("{rate} ({low}–{high})");
    Block::Paragraph(Prose::say(&RATE, &[cases, ("rate", Prose::plain(told))]))
}

fn list(title: &Phrase, cases: &[Case], all: usize) -> Table {
    let heads = [
        (Phrase { en: "Case", zh: "工单" }, Align::Left),
        (Phrase { en: "Class", zh: "类别" }, Align::Left),
        (Phrase { en: "Open for (h)", zh: "已开放（小时）" }, Align::Right),
        (Phrase { en: "Overdue by (h)", zh: "超期（小时）" }, Align::Right),
        (Phrase { en: "Owner", zh: "责任方" }, Align::Left),
    ];
    let hours = |h: f64| Prose::plain(number::fixed(h, 0));
    let row = |case: &Case| -> Vec<TableCell> {
        vec![
            Prose::plain(&case.complaint_id).into(),
            case.class.map(|c| class(c.word())).unwrap_or_default().into(),
            hours(case.age_hours).into(),
            case.overdue_hours.map(hours).unwrap_or_default().into(),
            Prose::plain(case.owner.as_deref().unwrap_or("–")).into(),
        ]
    };
    let shown = cases.len().min(MOST_CASES);
    let gaps = [("shown", number::count(shown as u64)), ("all", number::count(all as u64))];
    Table {
        caption: Prose::say(title, &gaps),
        columns: columns(&heads),
        rows: cases.iter().take(MOST_CASES).map(row).collect(),
    }
}
