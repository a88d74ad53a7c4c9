//! SQLite, the default: one file, write-ahead log, every commit on the disk before a call returns.
//!
//! One connection writes, behind a lock; readers have their own and see the state at the moment their scan
//! began, while writing goes on. Results refer to small dictionaries (line, metric, method, target, source), so
//! that a result is its histogram and little else. An error undoes the whole call.

mod checkpoint;
mod complaints;
mod dictionary;
mod fleet;
mod line_row;
mod operations;
mod results;
mod schema;
mod surveys;

use super::StoreError;
use checkpoint::Checkpointer;
use dictionary::Dictionary;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a call waits for another process that is writing.
const BUSY: Duration = Duration::from_mins(1);
const STATEMENTS: usize = 64;

/// A store in one file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
    checkpointer: Mutex<Checkpointer>,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    dictionary: Dictionary,
}

impl Sqlite {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if path.is_dir() {
            return Err(StoreError::Folder { path: path.to_owned() });
        }
        let failed = |source| StoreError::Open { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        schema::prepare(&mut connection, path)?;
        let writer = Mutex::new(Writer { connection, dictionary: Dictionary::default() });
        Ok(Self { path: path.to_owned(), writer, readers: Mutex::default(), checkpointer: Mutex::default() })
    }

    /// Runs `work` in one transaction, which is on the disk on return.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &mut Dictionary) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer.lock().map_err(|_| StoreError::Poisoned)?;
        let Writer { connection, dictionary } = &mut *writer;
        let done = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)
            .and_then(|transaction| {
                let value = work(&transaction, dictionary)?;
                transaction.commit()?;
                Ok(value)
            });
        if done.is_err() {
            // What was looked up in a transaction that is undone may not be there.
            *dictionary = Dictionary::default();
        }
        done
    }

    /// Says how much has gone into the log.
    fn wrote(&self, rows: u64) {
        self.checkpointer.lock().unwrap_or_else(PoisonError::into_inner).wrote(&self.path, rows);
    }

    /// Runs `work` on one unchanging state of the store, without holding up the writer.
    fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.reader().map_err(|source| StoreError::Open { path: self.path.clone(), source })?,
        };
        let value = work(&connection.transaction()?)?;
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(value)
    }

    fn reader(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "mmap_size", 1_i64 << 40)?;
        Ok(connection)
    }
}

#[cfg(test)]
mod tests;
