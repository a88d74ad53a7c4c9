//! How full nodes ran, what was done, and what is said.

use super::Sqlite;
use crate::store::{Operations, StoreError, Tally};
use broadgauge_model::action::Action;
use broadgauge_model::clock::Wall;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::Direction;
use broadgauge_model::surroundings::{Reputation, Utilisation};
use rusqlite::{OptionalExtension as _, Row, ToSql, Transaction, params};

const UTILISATION: &str = "SELECT node, started_at, direction, ratio, capacity_mbps FROM utilisation";
const ACTIONS: &str = "SELECT action_id, kind, owner, due_at, line_id, node, area, metric, target_value, started_at, \
    done_at, verify_by, cost, status FROM action";
const REPUTATION: &str = "SELECT region, month, operator, source, score FROM reputation";

fn word<T: std::str::FromStr>(what: &'static str, value: String) -> Result<T, StoreError> {
    value.parse().map_err(|_| StoreError::Unknown { what, value })
}

fn read_utilisation(row: &Row<'_>) -> Result<Utilisation, StoreError> {
    Ok(Utilisation {
        node: row.get(0)?,
        started_at: Wall(row.get(1)?),
        direction: word::<Direction>("direction", row.get(2)?)?,
        ratio: row.get(3)?,
        capacity_mbps: row.get(4)?,
    })
}

fn read_action(row: &Row<'_>) -> Result<Action, StoreError> {
    let time = |at: usize| row.get::<_, Option<i64>>(at).map(|time| time.map(Wall));
    let metric = row.get::<_, Option<String>>(7)?.map(|name| word::<MetricId>("metric", name)).transpose()?;
    Ok(Action {
        action_id: row.get(0)?,
        kind: row.get(1)?,
        owner: row.get(2)?,
        due_at: Wall(row.get(3)?),
        line_id: row.get(4)?,
        node: row.get(5)?,
        area: row.get(6)?,
        metric,
        target_value: row.get(8)?,
        started_at: time(9)?,
        done_at: time(10)?,
        verify_by: time(11)?,
        cost: row.get(12)?,
        status: row.get(13)?,
    })
}

fn read_reputation(row: &Row<'_>) -> Result<Reputation, StoreError> {
    let source: String = row.get(3)?;
    Ok(Reputation {
        region: row.get(0)?,
        month: row.get(1)?,
        operator: row.get(2)?,
        source: Some(source).filter(|source| !source.is_empty()),
        score: row.get(4)?,
    })
}

/// How one kind of row is found, read and written.
struct Form<'a, T> {
    all: &'a str,
    by: &'a str,
    read: fn(&Row<'_>) -> Result<T, StoreError>,
    insert: &'a str,
}

impl<T: PartialEq> Form<'_, T> {
    fn put(
        &self,
        transaction: &Transaction<'_>,
        row: &T,
        key: &[&dyn ToSql],
        values: &[&dyn ToSql],
    ) -> Result<Tally, StoreError> {
        let known = transaction
            .prepare_cached(&format!("{} WHERE {}", self.all, self.by))?
            .query_row(key, |row| Ok((self.read)(row)))
            .optional()?
            .transpose()?;
        let tally = Tally::of(known.as_ref(), row);
        if tally.unchanged == 0 {
            transaction.prepare_cached(self.insert)?.execute(values)?;
        }
        Ok(tally)
    }

    fn list(
        &self,
        transaction: &Transaction<'_>,
        tail: &str,
        values: &[&dyn ToSql],
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = transaction.prepare(&format!("{} {tail}", self.all))?;
        let mut rows = statement.query(values)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((self.read)(row)?);
        }
        Ok(found)
    }
}

const OF_UTILISATION: Form<'_, Utilisation> = Form {
    all: UTILISATION,
    by: "node = ?1 AND started_at = ?2 AND direction = ?3",
    read: read_utilisation,
    insert: "INSERT OR REPLACE INTO utilisation VALUES(?1, ?2, ?3, ?4, ?5)",
};
const OF_ACTIONS: Form<'_, Action> = Form {
    all: ACTIONS,
    by: "action_id = ?1",
    read: read_action,
    insert: "INSERT OR REPLACE INTO action VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
};
const OF_REPUTATION: Form<'_, Reputation> = Form {
    all: REPUTATION,
    by: "region = ?1 AND month = ?2 AND operator = ?3 AND source = ?4",
    read: read_reputation,
    insert: "INSERT OR REPLACE INTO reputation VALUES(?1, ?2, ?3, ?4, ?5)",
};

impl Operations for Sqlite {
    fn put_utilisation(&self, rows: &[Utilisation]) -> Result<Tally, StoreError> {
        self.write(|transaction, _| {
            let mut tally = Tally::default();
            for row in rows {
                let (at, direction) = (row.started_at.0, row.direction.word());
                let values = params![row.node, at, direction, row.ratio, row.capacity_mbps];
                tally.add(OF_UTILISATION.put(transaction, row, &values[..3], values)?);
            }
            Ok(tally)
        })
    }

    fn utilisation(&self, from: Option<Wall>, to: Option<Wall>) -> Result<Vec<Utilisation>, StoreError> {
        let tail =
            "WHERE started_at >= ?1 AND (?2 IS NULL OR started_at < ?2) ORDER BY node, started_at, direction";
        let bounds = (from.map_or(i64::MIN, |at| at.0), to.map(|at| at.0));
        self.read(|transaction| OF_UTILISATION.list(transaction, tail, params![bounds.0, bounds.1]))
    }

    fn put_actions(&self, actions: &[Action]) -> Result<Tally, StoreError> {
        self.write(|transaction, _| {
            let mut tally = Tally::default();
            for action in actions {
                let time = |at: Option<Wall>| at.map(|at| at.0);
                let values = params![
                    action.action_id,
                    action.kind,
                    action.owner,
                    action.due_at.0,
                    action.line_id,
                    action.node,
                    action.area,
                    action.metric.map(|metric| metric.id),
                    action.target_value,
                    time(action.started_at),
                    time(action.done_at),
                    time(action.verify_by),
                    action.cost,
                    action.status,
                ];
                tally.add(OF_ACTIONS.put(transaction, action, &values[..1], values)?);
            }
            Ok(tally)
        })
    }

    fn actions(&self) -> Result<Vec<Action>, StoreError> {
        self.read(|transaction| OF_ACTIONS.list(transaction, "ORDER BY action_id", &[]))
    }

    fn put_reputation(&self, rows: &[Reputation]) -> Result<Tally, StoreError> {
        self.write(|transaction, _| {
            let mut tally = Tally::default();
            for row in rows {
                let source = row.source.clone().unwrap_or_default();
                let values = params![row.region, row.month, row.operator, source, row.score];
                tally.add(OF_REPUTATION.put(transaction, row, &values[..4], values)?);
            }
            Ok(tally)
        })
    }

    fn reputation(&self) -> Result<Vec<Reputation>, StoreError> {
        self.read(|transaction| {
            OF_REPUTATION.list(transaction, "ORDER BY region, month, operator, source", &[])
        })
    }
}
