//! What every study says about itself before it answers.

use super::answer::Words;
use broadgauge_model::panel::{LeftOut, Period};
use serde::Serialize;
use std::collections::BTreeMap;

/// The head that every study carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Head {
    /// The study's name.
    pub study: &'static str,
    /// The version of its form.
    pub version: u32,
    /// The time covered.
    pub period: Period,
    /// What the question was narrowed to.
    pub filters: BTreeMap<&'static str, serde_json::Value>,
    /// The seed of everything random.
    pub seed: u64,
    /// How the numbers were made.
    pub method: Method,
    /// What was left out and why, with counts.
    pub notes: Vec<Note>,
}

/// A method of analysis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// Its version: a change that can move a number raises it.
    pub version: u32,
    /// Where it is published.
    pub source: &'static str,
}

/// Something that was left out, or that a reader must know, with its count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What and why.
    pub reason: Words,
    /// How many.
    pub count: u64,
}

impl Note {
    /// Pushes a note unless its count is zero.
    pub fn push(notes: &mut Vec<Self>, reason: Words, count: u64) {
        if count > 0 {
            notes.push(Self { reason, count });
        }
    }
}
/// What the panel itself left out, as notes.
pub(super) fn from_panel(left_out: &[LeftOut]) -> Vec<Note> {
    let mut notes: Vec<Note> =
        left_out.iter().map(|l| Note { reason: l.reason.clone(), count: l.count }).collect();
    notes.sort_by_key(|n| (n.reason.to_string(), n.count));
    notes
}
