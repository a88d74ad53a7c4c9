//! What came of a row.

use crate::import::draft::Fault;
use crate::import::mask::Masked;
use crate::store::Entry;
use broadgauge_model::action::Action;
use broadgauge_model::complaint::Complaint;
use broadgauge_model::place::AccessLine;
use broadgauge_model::surroundings::{Reputation, Utilisation};

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::import) enum Record {
    /// A line.
    Line(Box<AccessLine>),
    /// A result.
    Result(Box<Entry>),
    /// A complaint.
    Complaint(Box<Complaint>),
    /// How full a node ran.
    Utilisation(Box<Utilisation>),
    /// What was done.
    Action(Box<Action>),
    /// What is said.
    Reputation(Box<Reputation>),
}

impl Record {
    /// The name that no two rows of a file may share; results have none: the store tells them apart.
    pub(in crate::import) fn name(&self) -> Option<&str> {
        match self {
            Self::Line(line) => Some(&line.line_id),
            Self::Complaint(complaint) => Some(&complaint.complaint_id),
            Self::Action(action) => Some(&action.action_id),
            Self::Result(_) | Self::Utilisation(_) | Self::Reputation(_) => None,
        }
    }
}

/// What came of one row.
#[derive(Debug, Default)]
pub(in crate::import) struct Reading {
    /// What it says.
    pub records: Vec<Record>,
    /// What was refused of it.
    pub faults: Vec<Fault>,
    /// Values that are not there: a wide row has many.
    pub missing: u64,
    /// What was masked in it.
    pub masked: Masked,
}

pub(super) fn one(record: Result<Record, Fault>) -> Reading {
    match record {
        Ok(record) => Reading { records: vec![record], ..Reading::default() },
        Err(fault) => Reading { faults: vec![fault], ..Reading::default() },
    }
}
