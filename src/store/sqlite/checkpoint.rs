//! Carries the write-ahead log over into the file, away from the thread that writes: copying it and waiting for the
//! disk would hold up those who wait for their commit.
//!
//! A pass takes what the log holds when it begins. A log that is never caught up with grows until the writer itself takes
//! the rest (`wal_autocheckpoint`), and begins anew.

use crate::error::words;
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Results that are worth a pass.
const ROWS: u64 = 10_000;

/// Counts what is in the log; its thread begins with the first pass, so that who only reads has none.
#[derive(Debug, Default)]
pub(super) struct Checkpointer {
    rows: u64,
    thread: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Checkpointer {
    /// So many results more are in the log of this file.
    pub(super) fn wrote(&mut self, path: &Path, rows: u64) {
        self.rows += rows;
        if self.rows < ROWS {
            return;
        }
        self.rows = 0;
        if self.thread.is_none() {
            self.thread = start(path);
        }
        if let Some((wake, _)) = &self.thread {
            // One pass may wait: a second would find nothing.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        if let Some((wake, thread)) = self.thread.take() {
            drop(wake);
            let _ = thread.join();
        }
    }
}

/// Where it cannot start, the writer goes on alone.
fn start(path: &Path) -> Option<(SyncSender<()>, JoinHandle<()>)> {
    let connection = Connection::open(path).ok()?;
    let (wake, woken) = sync_channel(1);
    let work = move || carry_over(&connection, &woken);
    Some((wake, thread::Builder::new().name("checkpointer".into()).spawn(work).ok()?))
}

fn carry_over(connection: &Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::warn!(
                error = words(&error),
                "the write-ahead log is not carried over; the next pass tries again"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_carried_over_once_enough_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        // Open to the end: the last to leave would carry the log over.
        let writer = Connection::open(&path).unwrap();
        writer.pragma_update(None, "journal_mode", "wal").unwrap();
        writer.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        writer.execute_batch("CREATE TABLE t(b BLOB); INSERT INTO t VALUES(zeroblob(1000000))").unwrap();
        let after = |rows| {
            Checkpointer::default().wrote(&path, rows);
            std::fs::metadata(&path).unwrap().len()
        };
        let before = after(ROWS - 1);
        assert!(before < 1_000_000, "{before}");
        assert!(after(ROWS) > 1_000_000);
    }
}
