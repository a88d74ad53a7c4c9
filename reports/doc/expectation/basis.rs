//! What every section of the report reads: the panel, what the studies found, and who is asking.

use crate::study::expectation::{Expectation, Expected};
use crate::study::silent::Silent;
use broadgauge_model::panel::Panel;

/// What is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Studies<'a> {
    /// What customers expect.
    pub expectation: &'a Expectation,
    /// Who is silent.
    pub silent: &'a Silent,
}

/// What every section reads.
pub(super) struct Basis<'a> {
    pub(super) panel: &'a Panel,
    pub(super) studies: Studies<'a>,
    pub(super) own: &'a str,
}

impl<'a> Basis<'a> {
    /// The metric that the first page is about: the one of which expectation matters most surely, else the first.
    pub(super) fn telling(&self) -> Option<&'a Expected> {
        let p = |row: &Expected| row.matters.p.unwrap_or(1.0);
        self.studies.expectation.rows.iter().min_by(|a, b| p(a).total_cmp(&p(b)))
    }
}
