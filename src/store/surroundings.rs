//! What the operator knows beside its lines, and what customers answered, as memory keeps it.

use super::entry::Tally;
use broadgauge_model::action::Action;
use broadgauge_model::clock::Wall;
use broadgauge_model::surroundings::{Reputation, Utilisation};
use broadgauge_model::survey::Response;
use std::collections::BTreeMap;

/// What the operator knows beside its lines, each row by what tells it from others.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    pub(super) utilisation: BTreeMap<(String, Wall, &'static str), Utilisation>,
    pub(super) actions: BTreeMap<String, Action>,
    pub(super) reputation: BTreeMap<(String, String, String, String), Reputation>,
    pub(super) responses: BTreeMap<(Wall, String), Response>,
}

/// Keeps rows by their keys.
pub(super) fn put<K: Ord, T: Clone + PartialEq>(
    known: &mut BTreeMap<K, T>,
    rows: &[T],
    key: impl Fn(&T) -> K,
) -> Tally {
    let mut tally = Tally::default();
    for row in rows {
        let key = key(row);
        tally.add(Tally::of(known.get(&key), row));
        known.insert(key, row.clone());
    }
    tally
}
