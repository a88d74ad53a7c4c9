//! What every section of the report reads: the panel, what the studies found, and who is asking.

use crate::study::balance::Balance;
use crate::study::closed_loop::ClosedLoop;
use broadgauge_model::panel::Panel;

/// What is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Studies<'a> {
    /// How full nodes may run, and what to fix first.
    pub balance: &'a Balance,
    /// What the fixes did.
    pub closed_loop: &'a ClosedLoop,
}

/// What every section reads.
pub(super) struct Basis<'a> {
    pub(super) panel: &'a Panel,
    pub(super) studies: Studies<'a>,
    pub(super) own: &'a str,
}
