//! The plain table that studies read: lines, what was observed on them, and what their customers said.
//!
//! A panel holds no SQL and no file handle; it is gathered once, and every study of a report reads the same one.

use crate::action::Action;
use crate::clock::Wall;
use crate::complaint::Complaint;
use crate::histogram::Histogram;
use crate::metric::MetricId;
use crate::place::AccessLine;
use crate::result::{Direction, Health, Load, Statistic};
use crate::surroundings::Reputation;
use crate::text::Words;
use serde::Serialize;

/// Everything one report may speak of.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// The time covered.
    pub period: Period,
    /// The lines, sorted by id.
    pub lines: Vec<AccessLine>,
    /// The observations, sorted by line, metric and time.
    pub cells: Vec<Cell>,
    /// The complaints, sorted by time, then id.
    pub complaints: Vec<PanelComplaint>,
    /// Complaints opened before the period, in the same order: they tell which of the period's are repeats.
    pub earlier_complaints: Vec<PanelComplaint>,
    /// The names of the nodes that [`Panel::loads`] speaks of.
    pub nodes: Vec<String>,
    /// How full nodes ran, sorted by node and time.
    pub loads: Vec<NodeLoad>,
    /// What was done about the network, by id.
    pub actions: Vec<PanelAction>,
    /// What is said of operators, by region, month and operator.
    pub reputation: Vec<Reputation>,
    /// Uses of methods named by the cells.
    pub methods: Vec<MethodUse>,
    /// Where the rows came from.
    pub sources: Vec<Source>,
    /// The agents' own books.
    pub health: Vec<(String, Health)>,
    /// What was left out, and why, with counts.
    pub left_out: Vec<LeftOut>,
}

impl Panel {
    /// How a cell came about.
    pub fn method_of(&self, cell: &Cell) -> MethodUse {
        self.method(cell.method)
    }

    /// The method of this number.
    pub fn method(&self, number: u16) -> MethodUse {
        self.methods.get(usize::from(number)).cloned().unwrap_or_default()
    }
}

/// A stretch of time, half open, with the zone whose hours are local.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Period {
    /// First moment.
    #[serde(with = "crate::clock::rfc3339")]
    pub from: Wall,
    /// First moment after it.
    #[serde(with = "crate::clock::rfc3339")]
    pub to: Wall,
    /// IANA zone of lines that name none.
    pub zone: String,
}

/// What was observed on one line, of one metric, in one stretch of time.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Index into [`Panel::lines`].
    pub line: u32,
    /// The metric.
    pub metric: MetricId,
    /// The load.
    pub load: Load,
    /// The direction.
    pub direction: Direction,
    /// What the values are.
    pub statistic: Statistic,
    /// Index into [`Panel::methods`].
    pub method: u16,
    /// Index into [`Panel::sources`].
    pub source: u16,
    /// When, in the line's own zone.
    pub hours: Hours,
    /// The observation.
    pub values: CellValues,
    /// Packets sent, where packets were sent.
    pub sent: u64,
    /// Packets lost of those.
    pub lost: u64,
}

/// The local time a cell speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hours {
    /// One hour of one day.
    At {
        /// Days since 1970-01-01 on the line's own calendar.
        day: i32,
        /// 0 to 23.
        hour: u8,
    },
    /// A summary over peak hours, made elsewhere.
    Peak,
    /// A summary over all hours, made elsewhere.
    AllDay,
}

/// Monday is 0, as in ISO 8601 less one.
pub const fn weekday(day: i32) -> u8 {
    (day + 3).rem_euclid(7) as u8
}

/// An observation.
#[derive(Clone, Debug, PartialEq)]
pub enum CellValues {
    /// All singletons of the cell.
    Histogram(Histogram),
    /// One number in the metric's unit.
    Number(f64),
}

impl CellValues {
    /// How many observations it stands for.
    pub fn len(&self) -> u64 {
        match self {
            Self::Histogram(h) => h.len(),
            Self::Number(_) => 1,
        }
    }

    /// Whether it stands for none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A complaint with its line looked up.
#[derive(Clone, Debug)]
pub struct PanelComplaint {
    /// Index into [`Panel::lines`]; `None` where it names no line of the panel.
    pub line: Option<u32>,
    /// The local day on which it was opened, in the line's zone, or the panel's.
    pub day: i32,
    /// The local hour at which it was opened.
    pub hour: u8,
    /// The complaint.
    pub complaint: Complaint,
}

/// How full a node ran in an hour: its fullest reading of either direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeLoad {
    /// Index into [`Panel::nodes`].
    pub node: u32,
    /// The local day, in the panel's zone.
    pub day: i32,
    /// The local hour.
    pub hour: u8,
    /// Carried through capacity.
    pub ratio: f64,
}

/// An action with its times as local days, in the panel's zone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PanelAction {
    /// The action.
    pub action: Action,
    /// The day it is due.
    pub due: i32,
    /// The day it began.
    pub started: Option<i32>,
    /// The day it ended.
    pub done: Option<i32>,
    /// The day its effect is to be known.
    pub verify_by: Option<i32>,
}

/// How cells came about: what was done, and to what kind of far end. Two uses are compared only where all of it is the
/// same.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct MethodUse {
    /// The method's name.
    #[serde(rename = "method")]
    pub name: String,
    /// Its version.
    #[serde(rename = "method_version")]
    pub version: u32,
    /// The class of the targets, where the agents name one.
    pub target_class: Option<String>,
}

impl std::fmt::Display for MethodUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} v{}", self.name, self.version)?;
        self.target_class.as_ref().map_or(Ok(()), |class| write!(f, " to {class}"))
    }
}

/// Where rows came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Source {
    /// Measured by an agent of ours, imported, or made.
    pub kind: SourceKind,
    /// The agent, or the file.
    pub name: String,
}

/// Measured, imported or made: a report says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// By an agent, with real packets.
    Measured,
    /// From a table of somebody else's.
    Imported,
    /// Made up, with its truth known, to show or to test.
    Made,
}

impl SourceKind {
    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Imported => "imported",
            Self::Made => "made",
        }
    }
}

/// Rows that a study did not use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Why.
    pub reason: Words,
    /// How many.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_of_january_1970_was_a_thursday() {
        assert_eq!(super::weekday(0), 3);
        assert_eq!(super::weekday(-4), 6);
        assert_eq!(super::weekday(20_779), 6); // 2026-11-22 is a Sunday
    }
}
