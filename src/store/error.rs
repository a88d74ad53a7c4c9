//! Why a store cannot do what it is asked.

use broadgauge_model::histogram::RestError;
use std::path::PathBuf;

/// Why a store cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No backend of that name.
    #[error("no store backend for {scheme}://; give a path (SQLite) or memory:")]
    Scheme {
        /// What was asked for.
        scheme: String,
    },
    /// A reader's store is not there.
    #[error("no store at {path}; make one with `broadgauge import` or a collector", path = path.display())]
    Absent {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file cannot be opened.
    #[error("cannot open the store at {path}", path = path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A folder where a file should be.
    #[error("{path} is a folder, and a store is one file: name the file", path = path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
    },
    /// A file of somebody else's.
    #[error("{path} is not a Broadgauge store; give another path", path = path.display())]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// Written by a newer program.
    #[error(
        "{path} has schema version {found}; this program reads up to {known}: update the program",
        path = path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The database refused.
    #[error("the store refused")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored histogram cannot be read.
    #[error("the store holds a histogram that cannot be read")]
    Histogram(#[from] RestError),
    /// A stored value has no meaning to this program.
    #[error("the store holds {what} {value:?}, which this program does not know; update the program")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its value.
        value: String,
    },
    /// A thread died while it held the store.
    #[error("the store was left in an unknown state by a failed thread; start the program again")]
    Poisoned,
}
