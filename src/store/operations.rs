//! What surrounds the lines, in memory.

use super::surroundings::put;
use super::{Memory, Operations, StoreError, Tally};
use broadgauge_model::action::Action;
use broadgauge_model::clock::Wall;
use broadgauge_model::surroundings::{Reputation, Utilisation};

impl Operations for Memory {
    fn put_utilisation(&self, rows: &[Utilisation]) -> Result<Tally, StoreError> {
        let key = |row: &Utilisation| (row.node.clone(), row.started_at, row.direction.word());
        self.surroundings(|known| put(&mut known.utilisation, rows, key))
    }

    fn utilisation(&self, from: Option<Wall>, to: Option<Wall>) -> Result<Vec<Utilisation>, StoreError> {
        let wanted = |row: &&Utilisation| {
            from.is_none_or(|from| row.started_at >= from) && to.is_none_or(|to| row.started_at < to)
        };
        self.surroundings(|known| known.utilisation.values().filter(wanted).cloned().collect())
    }

    fn put_actions(&self, actions: &[Action]) -> Result<Tally, StoreError> {
        self.surroundings(|known| put(&mut known.actions, actions, |action| action.action_id.clone()))
    }

    fn actions(&self) -> Result<Vec<Action>, StoreError> {
        self.surroundings(|known| known.actions.values().cloned().collect())
    }

    fn put_reputation(&self, rows: &[Reputation]) -> Result<Tally, StoreError> {
        let key = |row: &Reputation| {
            let source = row.source.clone().unwrap_or_default();
            (row.region.clone(), row.month.clone(), row.operator.clone(), source)
        };
        self.surroundings(|known| put(&mut known.reputation, rows, key))
    }

    fn reputation(&self) -> Result<Vec<Reputation>, StoreError> {
        self.surroundings(|known| known.reputation.values().cloned().collect())
    }
}
