//! Rows of each kind, checked: one file a kind.

mod complaints;
mod lines;
mod record;
mod results;
mod surroundings;
mod survey;

pub(super) use record::{Reading, Record};

use super::draft::{Assumed, Draft};
use super::kind::Kind;
use super::plan::Plan;
use super::pseudonym::Pseudonyms;
use super::table::Row;
use crate::complaints::Model;

/// Reads one row. `pseudonyms` is needed where a row speaks of a person, and `model` judges complaints in place of the rules.
pub(super) fn read(
    plan: &Plan,
    row: &Row,
    pseudonyms: Option<&Pseudonyms>,
    model: Option<&Model>,
    assumed: &mut Assumed,
) -> Reading {
    let mut draft = Draft { plan, row, assumed };
    match plan.kind {
        Kind::Lines => record::one(lines::read(&mut draft).map(|l| Record::Line(Box::new(l)))),
        Kind::Results => results::read(&mut draft),
        Kind::Utilisation => {
            record::one(surroundings::utilisation(&mut draft).map(|u| Record::Utilisation(Box::new(u))))
        }
        Kind::Actions => record::one(surroundings::action(&mut draft).map(|a| Record::Action(Box::new(a)))),
        Kind::Reputation => {
            record::one(surroundings::reputation(&mut draft).map(|r| Record::Reputation(Box::new(r))))
        }
        Kind::Survey => {
            record::one(survey::read(&mut draft, pseudonyms).map(|r| Record::Response(Box::new(r))))
        }
        Kind::Complaints => match complaints::read(&mut draft, pseudonyms, model) {
            Ok((complaint, masked)) => {
                Reading { masked, ..record::one(Ok(Record::Complaint(Box::new(complaint)))) }
            }
            Err(fault) => record::one(Err(fault)),
        },
    }
}
