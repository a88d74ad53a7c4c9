//! What rows of one file said before, so that a row which says otherwise can be told of the line that did.

use super::rows::Record;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Results whose lines are remembered: some tens of megabytes. A conflict with one beyond them is refused all the same,
/// without the line of the first.
const MOST_RESULTS: usize = 1_000_000;

/// Names that are remembered: some hundreds of megabytes. Of a longer table the rows beyond them are stored as updates
/// where they say otherwise, which the summary counts.
const MOST_NAMES: usize = 5_000_000;

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What one file said so far.
#[derive(Default)]
pub(super) struct Seen {
    /// By a hash of the name: the line, and a hash of what stood there.
    names: HashMap<u64, (u64, u64)>,
    /// By identity: the line of each result that is kept.
    results: HashMap<i64, u64>,
}

impl Seen {
    /// The line that gave this record's name to something else. Which of the two is right cannot be told, and taking the
    /// last would make the outcome depend on the order.
    pub(super) fn clash(&mut self, record: &Record, line: u64) -> Option<u64> {
        let name = record.name()?;
        let (name, meaning) = (hash(&name), hash(&format!("{record:?}")));
        if self.names.len() >= MOST_NAMES && !self.names.contains_key(&name) {
            return None;
        }
        let (first, known) = *self.names.entry(name).or_insert((line, meaning));
        (known != meaning).then_some(first)
    }

    /// The store keeps what this line says.
    pub(super) fn kept(&mut self, record: &Record, line: u64) {
        if let Record::Result(entry) = record
            && self.results.len() < MOST_RESULTS
        {
            self.results.entry(entry.key()).or_insert(line);
        }
    }

    /// The line whose result is kept under the identity of this one.
    pub(super) fn keeper(&self, record: &Record) -> Option<u64> {
        let Record::Result(entry) = record else { return None };
        self.results.get(&entry.key()).copied()
    }
}
