//! The operator's report: where are we behind the peer operators, is it real, what do customers say, what to do?
//!
//! The order is fixed: the page for those who read one page; whether the measurements can be trusted; promises; peers;
//! when; complaints; then method, terms and what was left out. Where a study declined, the section says so in words in
//! the place of the number. Every sentence is made from the same numbers as the chart beside it.

pub(in crate::doc) mod basis;
pub(in crate::doc) mod complaints;
pub(in crate::doc) mod health;
pub(in crate::doc) mod method;
mod peers;
mod promise;
mod query;
pub(in crate::doc) mod select;
mod shape;
mod times;
pub(in crate::doc) mod verdict;
pub(in crate::doc) mod words;

pub use basis::Studies;
pub use query::Query;

use super::{Document, Meta, Origin};
use crate::text::{Prose, date, number};
use basis::Basis;
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use std::collections::{BTreeMap, BTreeSet};

/// Writes the report.
pub fn write(panel: &Panel, studies: Studies<'_>, query: &Query) -> Document {
    const TITLE: Phrase =
        Phrase { en: "{own}: broadband as customers feel it", zh: "{own}：用户感知的宽带质量" };
    const SUBTITLE: Phrase = Phrase {
        en: "{period} · {lines} lines of {own}, {others} of peer operators · {complaints} complaints",
        zh: "{period} · {own} {lines} 条线路，对标运营商 {others} 条线路 · 投诉 {complaints} 件",
    };
    let basis = Basis::new(panel, studies, query);
    let times = times::Times::of(&basis);
    let promise = promise::Promised::of(&basis);
    let sections = vec![
        verdict::section(&basis, &times, &promise),
        health::section(&basis),
        promise.section(&basis),
        peers::section(&basis),
        shape::section(&basis, &times),
        times.section(&basis),
        complaints::section(&basis),
        method::methods(&basis),
        method::terms(&basis),
        method::origins(&basis),
    ];
    let own_lines = basis.lines_of(&query.own);
    let gaps = [
        ("period", date::period(&panel.period)),
        ("own", Prose::plain(&query.own)),
        ("lines", number::count(own_lines as u64)),
        ("others", number::count((panel.lines.len() - own_lines) as u64)),
        ("complaints", number::count(panel.complaints.len() as u64)),
    ];
    Document {
        name: "operator",
        kind: Phrase { en: "Operator report", zh: "运营商质量报告" },
        title: Prose::say(&TITLE, &[("own", Prose::plain(&query.own))]),
        subtitle: Prose::say(&SUBTITLE, &gaps),
        meta: Meta {
            period: panel.period.clone(),
            own: query.own.clone(),
            peers: basis.parties.clone(),
            origins: origins(panel),
            seed: query.seed,
            software: query.software.clone(),
        },
        sections,
    }
}

/// How many observations came from where.
pub(in crate::doc) fn origins(panel: &Panel) -> Vec<Origin> {
    let mut counts: BTreeMap<_, (BTreeSet<u16>, u64)> = BTreeMap::new();
    for cell in &panel.cells {
        if let Some(source) = panel.sources.get(usize::from(cell.source)) {
            let entry = counts.entry(source.kind).or_default();
            entry.0.insert(cell.source);
            entry.1 += cell.values.len();
        }
    }
    let origin = |(kind, (sources, observations)): (_, (BTreeSet<u16>, u64))| Origin {
        kind,
        sources: sources.len() as u64,
        observations,
    };
    counts.into_iter().map(origin).collect()
}

#[cfg(test)]
mod tests;
