//! The report on expectation: what have customers come to expect, where do we fall short of it, and who suffers in
//! silence?
//!
//! The first page is for those who read one page: what is wrong, how sure that is, and what to do. Every sentence is
//! made from the same numbers as the chart or table beside it; where a study declined, its reason stands in the place of
//! the number.

mod basis;
mod gaps;
mod silence;
mod steps;
mod verdict;

pub use basis::Studies;

use super::{Document, told};
use crate::text::{Prose, date, number};
use basis::Basis;
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;

/// Writes the report.
pub fn write(panel: &Panel, studies: Studies<'_>, own: &str) -> Document {
    const TITLE: Phrase = Phrase {
        en: "{own}: what customers expect, and what they get",
        zh: "{own}：用户的期望与实际",
    };
    const SUBTITLE: Phrase = Phrase {
        en: "{period} · {lines} lines of {own} · {complaints} complaints",
        zh: "{period} · {own} {lines} 条线路 · 投诉 {complaints} 件",
    };
    let report = Basis { panel, studies, own };
    let lines = panel.lines.iter().filter(|line| line.operator == own).count() as u64;
    let gaps = [
        ("own", Prose::plain(own)),
        ("period", date::period(&panel.period)),
        ("lines", number::count(lines)),
        ("complaints", number::count(panel.complaints.len() as u64)),
    ];
    let heads = [
        (&studies.expectation.head, Phrase { en: "Expectation", zh: "期望" }),
        (&studies.silent.head, Phrase { en: "Silence", zh: "沉默用户" }),
    ];
    Document {
        name: "expectation",
        kind: Phrase { en: "Expectation report", zh: "用户期望报告" },
        title: Prose::say(&TITLE, &gaps),
        subtitle: Prose::say(&SUBTITLE, &gaps),
        meta: told::meta(panel, own, &studies.expectation.head),
        sections: vec![
            verdict::section(&report),
            gaps::section(&report),
            gaps::weights(&report),
            silence::section(&report),
            told::method(&heads),
        ],
    }
}

#[cfg(test)]
mod tests;
