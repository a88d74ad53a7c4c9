//! The operator's report: where are we behind the peer operators, is it real, what do customers say, what to do?
//!
//! The order is fixed: the page for those who read one page; whether the measurements can be trusted; promises; peers;
//! when; complaints; then method, terms and what was left out. Where a study declined, the section says so in words in
//! the place of the number. Every sentence is made from the same numbers as the chart beside it.

mod complaints;
mod health;
mod method;
mod peers;
mod promise;
mod select;
mod shape;
mod times;
mod verdict;
mod words;

use super::{Document, Meta, Origin};
use crate::study::complaints::Complaints;
use crate::study::describe::Series;
use crate::study::peers::{Peak, Peers};
use crate::text::{Prose, date, number};
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use select::Selection;
use std::collections::BTreeMap;

/// What a report is asked to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Whose report it is.
    pub own: String,
    /// The busy hours; the same as in the comparison.
    pub peak: Peak,
    /// Whether the report leaves the team: groups of fewer than ten lines are then not shown.
    pub shared: bool,
    /// Fixes all that is drawn at random.
    pub seed: u64,
    /// The version of this software.
    pub software: String,
}

impl Query {
    /// The usual report: fit to be shared.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            peak: Peak::default(),
            shared: true,
            seed: 1,
            software: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// What was found out about the panel.
#[derive(Clone, Copy, Debug)]
pub struct Studies<'a> {
    /// The comparison with peer operators.
    pub peers: &'a Peers,
    /// Complaints against measurements.
    pub complaints: &'a Complaints,
}

/// What every section reads.
struct Basis<'a> {
    panel: &'a Panel,
    peers: &'a Peers,
    complaints: &'a Complaints,
    query: &'a Query,
    selection: Selection<'a>,
    /// Peer operators by number of lines, the largest first: the order of their colours.
    parties: Vec<String>,
    lines: BTreeMap<String, usize>,
    series: BTreeMap<Series, u64>,
}

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

impl<'a> Basis<'a> {
    fn new(panel: &'a Panel, studies: Studies<'a>, query: &'a Query) -> Self {
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        for line in &panel.lines {
            *lines.entry(line.operator.clone()).or_default() += 1;
        }
        let mut parties: Vec<String> = lines.keys().filter(|name| **name != query.own).cloned().collect();
        parties.sort_by_key(|name| (std::cmp::Reverse(lines[name]), name.clone()));
        let series = Series::all(panel);
        Self {
            panel,
            peers: studies.peers,
            complaints: studies.complaints,
            query,
            selection: Selection::of(studies.peers, &series, query),
            parties,
            lines,
            series,
        }
    }

    fn own(&self) -> Prose {
        Prose::plain(&self.query.own)
    }

    fn lines_of(&self, operator: &str) -> usize {
        self.lines.get(operator).copied().unwrap_or(0)
    }

    /// Whether so few lines must not be shown.
    const fn hides(&self, lines: usize) -> bool {
        self.query.shared && lines < crate::study::describe::promise::LEAST_LINES
    }
}

/// How many observations came from where.
fn origins(panel: &Panel) -> Vec<Origin> {
    let mut counts: BTreeMap<_, (std::collections::BTreeSet<u16>, u64)> = BTreeMap::new();
    for cell in &panel.cells {
        if let Some(source) = panel.sources.get(usize::from(cell.source)) {
            let entry = counts.entry(source.kind).or_default();
            entry.0.insert(cell.source);
            entry.1 += cell.values.len();
        }
    }
    let origin = |(kind, (sources, observations)): (_, (std::collections::BTreeSet<u16>, u64))| Origin {
        kind,
        sources: sources.len() as u64,
        observations,
    };
    counts.into_iter().map(origin).collect()
}

#[cfg(test)]
mod tests;
