//! The report on actions: what should be fixed first, how full may nodes run, and did the fixes work?
//!
//! The first page is for those who read one page. Every sentence is made from the same numbers as the chart or table
//! beside it; where a study declined, its reason stands in the place of the number.

mod basis;
mod control;
mod first;
mod full;
mod verdict;
mod worked;

pub use basis::Studies;

use super::{Document, told};
use crate::text::{Prose, date, number};
use basis::Basis;
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;

/// Writes the report.
pub fn write(panel: &Panel, studies: Studies<'_>, own: &str) -> Document {
    const TITLE: Phrase = Phrase {
        en: "{own}: what to fix first, and what the fixes did",
        zh: "{own}：先修什么，修得如何",
    };
    const SUBTITLE: Phrase = Phrase {
        en: "{period} · {actions} actions · {nodes} nodes with utilisation · {complaints} complaints",
        zh: "{period} · 措施 {actions} 项 · 有利用率的节点 {nodes} 个 · 投诉 {complaints} 件",
    };
    let report = Basis { panel, studies, own };
    let gaps = [
        ("own", Prose::plain(own)),
        ("period", date::period(&panel.period)),
        ("actions", number::count(studies.closed_loop.actions.len() as u64)),
        ("nodes", number::count(panel.nodes.len() as u64)),
        ("complaints", number::count(panel.complaints.len() as u64)),
    ];
    let heads = [
        (&studies.balance.head, Phrase { en: "Balance", zh: "平衡点" }),
        (&studies.closed_loop.head, Phrase { en: "Actions", zh: "措施" }),
    ];
    Document {
        name: "actions",
        kind: Phrase { en: "Actions report", zh: "整改措施报告" },
        title: Prose::say(&TITLE, &gaps),
        subtitle: Prose::say(&SUBTITLE, &gaps),
        meta: told::meta(panel, own, &studies.balance.head),
        sections: vec![
            verdict::section(&report),
            first::section(&report),
            full::section(&report),
            worked::section(&report),
            told::method(&heads),
        ],
    }
}

#[cfg(test)]
mod tests;
