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
pub(super) struct Basis<'a> {
    pub(super) panel: &'a Panel,
    pub(super) peers: &'a Peers,
    pub(super) complaints: &'a Complaints,
    pub(super) query: &'a Query,
    pub(super) selection: Selection<'a>,
    /// Peer operators by number of lines, the largest first: the order of their colours.
    pub(super) parties: Vec<String>,
    pub(super) lines: BTreeMap<String, usize>,
    pub(super) series: BTreeMap<Series, u64>,
}

impl<'a> Basis<'a> {
    pub(super) fn new(panel: &'a Panel, studies: Studies<'a>, query: &'a Query) -> Self {
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

    pub(super) fn own(&self) -> Prose {
        Prose::plain(&self.query.own)
    }

    pub(super) fn lines_of(&self, operator: &str) -> usize {
        self.lines.get(operator).copied().unwrap_or(0)
    }

    /// Whether so few lines must not be shown.
    pub(super) const fn hides(&self, lines: usize) -> bool {
        self.query.shared && lines < LEAST_LINES
    }
}
