//! The tables, their version, and what is done with a file of another version.
//!
//! `user_version` is the schema's version and `application_id` says that the file is ours. A file of an older
//! version is brought up to date in one transaction; a newer one is refused.

use super::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// `BGDB` in ASCII.
const APPLICATION: i64 = 0x4247_4442;

/// Pages of the log (48 MiB) after which the writer carries over what nobody else has.
const LONGEST_LOG: i64 = 6_000;

/// One step per version: what leads from the version before to this one.
const STEPS: [&str; 4] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4];

const VERSION_1: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
-- Histograms at rest: whole ticks of the metric from 1, three significant digits; codec 1 is gap and count as LEB128.
INSERT INTO meta VALUES('histogram_lowest', '1'), ('histogram_digits', '3'), ('histogram_codec', '1');

CREATE TABLE metric(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE method(id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, UNIQUE(name, version)) STRICT;
CREATE TABLE target(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE source(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE(kind, name)) STRICT;

-- told_by: 0 nobody (only results name it), 1 an agent, 2 a table.
CREATE TABLE line(
  id INTEGER PRIMARY KEY, line_id TEXT NOT NULL UNIQUE, told_by INTEGER NOT NULL,
  operator TEXT, region TEXT, area TEXT, node TEXT, technology TEXT, plan TEXT, segment TEXT,
  promised_down_mbps REAL, normal_down_mbps REAL, minimum_down_mbps REAL, promised_up_mbps REAL,
  promised_delay_ms REAL, zone TEXT, weight REAL, active_from INTEGER, active_to INTEGER) STRICT;

-- registration and health are JSON.
CREATE TABLE agent(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, registration TEXT, health TEXT,
  health_at INTEGER) STRICT;

-- stream: the agent, or 0 for what came with a table. number: the agent's own, or a key of the content.
-- hist: one byte of codec, then the histogram. Times in nanoseconds since 1970 UTC.
CREATE TABLE result(
  id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, number INTEGER NOT NULL, digest INTEGER NOT NULL,
  source INTEGER NOT NULL, line INTEGER NOT NULL, metric INTEGER NOT NULL, method INTEGER NOT NULL, target INTEGER,
  started_at INTEGER NOT NULL, lasted INTEGER NOT NULL,
  load INTEGER NOT NULL, direction INTEGER NOT NULL, statistic INTEGER NOT NULL, hours INTEGER NOT NULL,
  planned INTEGER NOT NULL, sent INTEGER NOT NULL, missed INTEGER NOT NULL, received INTEGER NOT NULL,
  lost INTEGER NOT NULL, late INTEGER NOT NULL, duplicate INTEGER NOT NULL, reordered INTEGER NOT NULL,
  lost_forward INTEGER, lost_backward INTEGER,
  value REAL, unmeasured TEXT, hist BLOB, details TEXT) STRICT;
CREATE UNIQUE INDEX result_identity ON result(stream, number);

CREATE TABLE complaint(
  complaint_id TEXT PRIMARY KEY, opened_at INTEGER NOT NULL, line_id TEXT, area TEXT, operator TEXT, channel TEXT,
  class TEXT, text TEXT, first_response_at INTEGER, resolved_at INTEGER, reopened_at INTEGER, status TEXT,
  owner TEXT, due_at INTEGER, city TEXT, postcode TEXT) STRICT, WITHOUT ROWID;
CREATE INDEX complaint_time ON complaint(opened_at);
";

/// Who says what a complaint is about, and by which words.
const VERSION_2: &str = "
ALTER TABLE complaint ADD COLUMN kind TEXT;
ALTER TABLE complaint ADD COLUMN class_by TEXT;
ALTER TABLE complaint ADD COLUMN class_confidence REAL;
ALTER TABLE complaint ADD COLUMN class_reason TEXT;
";

/// What surrounds the lines. `source` is empty where nobody was named.
const VERSION_3: &str = "
CREATE TABLE utilisation(
  node TEXT NOT NULL, started_at INTEGER NOT NULL, direction TEXT NOT NULL, ratio REAL NOT NULL, capacity_mbps REAL,
  PRIMARY KEY(node, started_at, direction)) STRICT, WITHOUT ROWID;
CREATE TABLE action(
  action_id TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, due_at INTEGER NOT NULL, line_id TEXT, node TEXT,
  area TEXT, metric TEXT, target_value REAL, started_at INTEGER, done_at INTEGER, verify_by INTEGER, cost REAL,
  status TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE reputation(
  region TEXT NOT NULL, month TEXT NOT NULL, operator TEXT NOT NULL, source TEXT NOT NULL, score REAL NOT NULL,
  PRIMARY KEY(region, month, operator, source)) STRICT, WITHOUT ROWID;
";

/// What customers answered, a row an item, and complaints that went further.
const VERSION_4: &str = "
CREATE TABLE response(
  id INTEGER PRIMARY KEY, respondent_id TEXT NOT NULL, answered_at INTEGER NOT NULL, line_id TEXT, segment TEXT,
  operator TEXT, UNIQUE(respondent_id, answered_at)) STRICT;
CREATE INDEX response_time ON response(answered_at);
CREATE TABLE answer(
  response INTEGER NOT NULL, item TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY(response, item)) STRICT, WITHOUT ROWID;
ALTER TABLE complaint ADD COLUMN escalated_at INTEGER;
";

/// Makes a new file ours, or checks that it is.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Open { path: path.to_owned(), source };
    let version = check(connection, path)?;
    if version == 0 {
        // Only a file without pages takes another page size; larger pages hold large histograms in place.
        connection.pragma_update(None, "page_size", 8192).map_err(failed)?;
    }
    connection.pragma_update(None, "journal_mode", "wal").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
    connection.pragma_update(None, "wal_autocheckpoint", LONGEST_LOG).map_err(failed)?;
    if version < STEPS.len() as i64 {
        migrate(connection, path)?;
    }
    Ok(())
}

fn check(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let failed = |source| StoreError::Open { path: path.to_owned(), source };
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign { path: path.to_owned() },
            _ => failed(source),
        })?;
    if tables == 0 {
        return Ok(0);
    }
    if number("application_id").map_err(failed)? != APPLICATION {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    let (found, known) = (number("user_version").map_err(failed)?, STEPS.len() as i64);
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have made the file ours in the meantime.
    let from = check(&transaction, path)?;
    for step in &STEPS[from as usize..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", STEPS.len() as i64)?;
    transaction.commit()?;
    Ok(())
}
