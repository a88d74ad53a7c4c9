//! What came of a row.

use crate::import::draft::Fault;
use crate::import::mask::Masked;
use crate::store::Entry;
use broadgauge_model::action::Action;
use broadgauge_model::complaint::Complaint;
use broadgauge_model::place::AccessLine;
use broadgauge_model::surroundings::{Reputation, Utilisation};
use broadgauge_model::survey::Response;
use std::borrow::Cow;

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
    /// What was answered.
    Response(Box<Response>),
}

impl Record {
    /// The name that no two rows of a file may share; results have none: the store tells them apart.
    pub(in crate::import) fn name(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Line(line) => Some(line.line_id.as_str().into()),
            Self::Complaint(complaint) => Some(complaint.complaint_id.as_str().into()),
            Self::Action(action) => Some(action.action_id.as_str().into()),
            Self::Utilisation(load) => {
                Some(format!("{}\n{}\n{}", load.node, load.started_at.0, load.direction.word()).into())
            }
            Self::Reputation(said) => {
                let source = said.source.as_deref().unwrap_or_default();
                Some(format!("{}\n{}\n{}\n{source}", said.region, said.month, said.operator).into())
            }
            Self::Response(response) => {
                Some(format!("{}\n{}", response.respondent_id, response.answered_at.0).into())
            }
            Self::Result(_) => None,
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
