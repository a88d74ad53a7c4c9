//! What every section of the report reads: the panel, what the studies found, and who is who.

use super::query::Query;
use super::select::Selection;
use crate::study::complaints::Complaints;
use crate::study::describe::Series;
use crate::study::describe::promise::LEAST_LINES;
use crate::study::peers::Peers;
use crate::text::Prose;
use broadgauge_model::panel::Panel;
use std::collections::BTreeMap;

/// What was found out about the panel.
#[derive(Clone, Copy, Debug)]
pub struct Studies<'a> {
    /// The comparison with peer operators.
    pub peers: &'a Peers,
    /// Complaints against measurements.
    pub complaints: &'a Complaints,
}

/// What every section reads.
pub(in crate::doc) struct Basis<'a> {
    pub(in crate::doc) panel: &'a Panel,
    pub(in crate::doc) peers: &'a Peers,
    pub(in crate::doc) complaints: &'a Complaints,
    pub(in crate::doc) query: &'a Query,
    pub(in crate::doc) selection: Selection<'a>,
    /// Peer operators by number of lines, the largest first: the order of their colours.
    pub(in crate::doc) parties: Vec<String>,
    pub(in crate::doc) lines: BTreeMap<String, usize>,
    pub(in crate::doc) series: BTreeMap<Series, u64>,
}

impl<'a> Basis<'a> {
    pub(in crate::doc) fn new(panel: &'a Panel, studies: Studies<'a>, query: &'a Query) -> Self {
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

    pub(in crate::doc) fn own(&self) -> Prose {
        Prose::plain(&self.query.own)
    }

    pub(in crate::doc) fn lines_of(&self, operator: &str) -> usize {
        self.lines.get(operator).copied().unwrap_or(0)
    }

    /// Whether so few lines must not be shown; where there is none at all, there is nobody to be recognised.
    pub(in crate::doc) const fn hides(&self, lines: usize) -> bool {
        self.query.shared && lines > 0 && lines < LEAST_LINES
    }
}
