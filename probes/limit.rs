//! Bounds for what strangers may use: a rate that cannot be exceeded, a table that cannot grow.

use broadgauge_model::clock::{Mono, Span};
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A token bucket that holds one second's worth.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    tokens: f64,
    filled: Mono,
}

impl Bucket {
    /// A full one.
    pub const fn full(per_second: f64, now: Mono) -> Self {
        Self { tokens: per_second, filled: now }
    }

    /// Takes one token if there is one.
    pub fn take(&mut self, per_second: f64, now: Mono) -> bool {
        let passed = (now - self.filled).max(Span::ZERO).as_secs_f64();
        self.tokens = (self.tokens + passed * per_second).min(per_second.max(1.0));
        self.filled = self.filled.max(now);
        let some = self.tokens >= 1.0;
        if some {
            self.tokens -= 1.0;
        }
        some
    }
}

/// A map that forgets whom it has not heard of for longest once it is full.
#[derive(Debug)]
pub struct Recent<K, V> {
    room: usize,
    turn: u64,
    values: HashMap<K, (u64, V)>,
    order: BTreeMap<u64, K>,
    forgotten: u64,
}

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    /// With room for so many.
    pub fn new(room: usize) -> Self {
        Self { room: room.max(1), turn: 0, values: HashMap::new(), order: BTreeMap::new(), forgotten: 0 }
    }

    /// The value of this key, made if it is not there, now the most recent.
    pub fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.turn += 1;
        if let Some((turn, _)) = self.values.get(&key) {
            self.order.remove(turn);
        } else if self.values.len() >= self.room
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.values.remove(&oldest);
            self.forgotten += 1;
        }
        self.order.insert(self.turn, key.clone());
        let slot = self.values.entry(key).or_insert_with(|| (0, make()));
        slot.0 = self.turn;
        &mut slot.1
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many were forgotten to make room.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_rate_after_its_first_second() {
        let mut bucket = Bucket::full(100.0, Mono(0));
        let given = (0..10_000_u64).filter(|&ms| bucket.take(100.0, Mono(ms * 1_000_000))).count();
        assert!((1_098..=1_101).contains(&given), "100 at once and 100 a second: {given}");
    }

    #[test]
    fn a_full_table_forgets_the_one_not_heard_of_for_longest() {
        let mut table = Recent::new(2);
        *table.entry("a", || 0) += 1;
        *table.entry("b", || 0) += 1;
        *table.entry("a", || 0) += 1;
        table.entry("c", || 0);
        assert_eq!((table.len(), table.forgotten()), (2, 1));
        assert_eq!(*table.entry("a", || 0), 2, "a was heard of after b");
        assert_eq!(*table.entry("b", || 0), 0, "b was forgotten");
    }
}
