//! Rows of each kind, checked: one file a kind.

mod complaints;
mod lines;
mod results;

use super::draft::{Assumed, Draft, Fault};
use super::kind::Kind;
use super::mask::Masked;
use super::plan::Plan;
use super::pseudonym::Pseudonyms;
use super::table::Row;
use crate::store::Entry;
use broadgauge_model::complaint::Complaint;
use broadgauge_model::place::AccessLine;

/// What a row says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Record {
    /// A line.
    Line(Box<AccessLine>),
    /// A result.
    Result(Box<Entry>),
    /// A complaint.
    Complaint(Box<Complaint>),
}

impl Record {
    /// The name that no two rows of a file may share; results have none: the store tells them apart.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Line(line) => Some(&line.line_id),
            Self::Complaint(complaint) => Some(&complaint.complaint_id),
            Self::Result(_) => None,
        }
    }
}

/// What came of one row.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What it says.
    pub records: Vec<Record>,
    /// What was refused of it.
    pub faults: Vec<Fault>,
    /// Values that are not there: a wide row has many.
    pub missing: u64,
    /// What was masked in it.
    pub masked: Masked,
}

/// Reads one row. `pseudonyms` is needed for complaints only.
pub(super) fn read(
    plan: &Plan,
    row: &Row,
    pseudonyms: Option<&Pseudonyms>,
    assumed: &mut Assumed,
) -> Reading {
    let mut draft = Draft { plan, row, assumed };
    match plan.kind {
        Kind::Lines => one(lines::read(&mut draft).map(|l| Record::Line(Box::new(l)))),
        Kind::Results => results::read(&mut draft),
        Kind::Complaints => match complaints::read(&mut draft, pseudonyms) {
            Ok((complaint, masked)) => Reading { masked, ..one(Ok(Record::Complaint(Box::new(complaint)))) },
            Err(fault) => one(Err(fault)),
        },
    }
}

fn one(record: Result<Record, Fault>) -> Reading {
    match record {
        Ok(record) => Reading { records: vec![record], ..Reading::default() },
        Err(fault) => Reading { faults: vec![fault], ..Reading::default() },
    }
}
