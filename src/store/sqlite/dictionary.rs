//! Names to small integers and back.

use crate::store::{Source, SourceKind, StoreError};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::MethodUse;
use broadgauge_model::place::AccessLine;
use foldhash::HashMap;
use rusqlite::{OptionalExtension as _, ToSql, Transaction, params};

/// What the writer has looked up. Ids never change, so what another process adds is only missing here, not wrong.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    lines: HashMap<String, i64>,
    /// A handful, as of methods: comparing is faster than making a key.
    metrics: Vec<(MetricId, i64)>,
    methods: Vec<(String, u32, i64)>,
    targets: HashMap<String, i64>,
    sources: HashMap<(SourceKind, String), i64>,
    agents: HashMap<String, i64>,
}

fn find_or_insert(
    transaction: &Transaction<'_>,
    find: &str,
    insert: &str,
    values: &[&dyn ToSql],
) -> Result<i64, StoreError> {
    let known = transaction.prepare_cached(find)?.query_row(values, |row| row.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    transaction.prepare_cached(insert)?.execute(values)?;
    Ok(transaction.last_insert_rowid())
}

impl Dictionary {
    pub(super) fn line(&mut self, transaction: &Transaction<'_>, line_id: &str) -> Result<i64, StoreError> {
        if let Some(id) = self.lines.get(line_id) {
            return Ok(*id);
        }
        let id = find_or_insert(
            transaction,
            "SELECT id FROM line WHERE line_id = ?1",
            "INSERT INTO line(line_id, told_by) VALUES(?1, 0)",
            params![line_id],
        )?;
        self.lines.insert(line_id.to_owned(), id);
        Ok(id)
    }

    pub(super) fn metric(
        &mut self,
        transaction: &Transaction<'_>,
        metric: MetricId,
    ) -> Result<i64, StoreError> {
        if let Some((_, id)) = self.metrics.iter().find(|(known, _)| *known == metric) {
            return Ok(*id);
        }
        let id = find_or_insert(
            transaction,
            "SELECT id FROM metric WHERE name = ?1",
            "INSERT INTO metric(name) VALUES(?1)",
            params![metric.id()],
        )?;
        self.metrics.push((metric, id));
        Ok(id)
    }

    pub(super) fn method(
        &mut self,
        transaction: &Transaction<'_>,
        name: &str,
        version: u32,
    ) -> Result<i64, StoreError> {
        if let Some((.., id)) = self.methods.iter().find(|known| known.1 == version && known.0 == name) {
            return Ok(*id);
        }
        let id = find_or_insert(
            transaction,
            "SELECT id FROM method WHERE name = ?1 AND version = ?2",
            "INSERT INTO method(name, version) VALUES(?1, ?2)",
            params![name, version],
        )?;
        self.methods.push((name.to_owned(), version, id));
        Ok(id)
    }

    pub(super) fn target(&mut self, transaction: &Transaction<'_>, name: &str) -> Result<i64, StoreError> {
        if let Some(id) = self.targets.get(name) {
            return Ok(*id);
        }
        let id = find_or_insert(
            transaction,
            "SELECT id FROM target WHERE name = ?1",
            "INSERT INTO target(name) VALUES(?1)",
            params![name],
        )?;
        self.targets.insert(name.to_owned(), id);
        Ok(id)
    }

    pub(super) fn source(
        &mut self,
        transaction: &Transaction<'_>,
        source: &Source,
    ) -> Result<i64, StoreError> {
        let key = (source.kind, source.name.clone());
        if let Some(id) = self.sources.get(&key) {
            return Ok(*id);
        }
        let id = find_or_insert(
            transaction,
            "SELECT id FROM source WHERE kind = ?1 AND name = ?2",
            "INSERT INTO source(kind, name) VALUES(?1, ?2)",
            params![source.kind.word(), source.name],
        )?;
        self.sources.insert(key, id);
        Ok(id)
    }

    pub(super) fn agent(&mut self, transaction: &Transaction<'_>, name: &str) -> Result<i64, StoreError> {
        if let Some(id) = self.agents.get(name) {
            return Ok(*id);
        }
        let id = find_or_insert(
            transaction,
            "SELECT id FROM agent WHERE name = ?1",
            "INSERT INTO agent(name) VALUES(?1)",
            params![name],
        )?;
        self.agents.insert(name.to_owned(), id);
        Ok(id)
    }
}

/// Values by small id.
#[derive(Debug)]
pub(super) struct ById<T>(Vec<Option<T>>);

impl<T> ById<T> {
    fn load(
        transaction: &Transaction<'_>,
        sql: &str,
        read: impl Fn(&rusqlite::Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Self, StoreError> {
        let mut all = Vec::new();
        let mut statement = transaction.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: u32 = row.get(0)?;
            let at = id as usize;
            if all.len() <= at {
                all.resize_with(at + 1, || None);
            }
            all[at] = Some(read(row)?);
        }
        Ok(Self(all))
    }

    pub(super) fn get(&self, what: &'static str, id: i64) -> Result<&T, StoreError> {
        let found = usize::try_from(id).ok().and_then(|at| self.0.get(at)?.as_ref());
        found.ok_or_else(|| StoreError::Unknown { what, value: id.to_string() })
    }
}

/// The other way round: everything that a scan needs to give rows their names.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) lines: ById<(String, Option<AccessLine>)>,
    pub(super) metrics: ById<MetricId>,
    pub(super) methods: ById<MethodUse>,
    pub(super) targets: ById<String>,
    pub(super) sources: ById<Source>,
}

impl Names {
    pub(super) fn load(transaction: &Transaction<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            lines: ById::load(transaction, super::line_row::ALL_LINES, super::line_row::read_line)?,
            metrics: ById::load(transaction, "SELECT id, name FROM metric", |row| {
                let name: String = row.get(1)?;
                MetricId::find(&name).ok_or(StoreError::Unknown { what: "metric", value: name })
            })?,
            methods: ById::load(transaction, "SELECT id, name, version FROM method", |row| {
                Ok(MethodUse { name: row.get(1)?, version: row.get(2)?, target_class: None })
            })?,
            targets: ById::load(transaction, "SELECT id, name FROM target", |row| Ok(row.get(1)?))?,
            sources: ById::load(transaction, "SELECT id, kind, name FROM source", |row| {
                let word: String = row.get(1)?;
                let all = [SourceKind::Measured, SourceKind::Imported, SourceKind::Made];
                let kind = all.into_iter().find(|kind| kind.word() == word);
                let kind = kind.ok_or(StoreError::Unknown { what: "source kind", value: word })?;
                Ok(Source { kind, name: row.get(2)? })
            })?,
        })
    }
}
