//! Why an import stops. A bad row does not stop it: see [`super::Refusal`].

use std::io;
use std::path::PathBuf;

/// Why an import stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of ours cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The map is not one we know.
    #[error("{path}: {message}")]
    Map {
        /// The map.
        path: String,
        /// Which key is wrong, and the cure.
        message: String,
    },
    /// The table cannot be read at all.
    #[error("{file}: {message}")]
    Table {
        /// The table.
        file: String,
        /// What is wrong, and the cure.
        message: String,
    },
    /// The spreadsheet cannot be opened.
    #[error("{file}: cannot read it as a spreadsheet")]
    Sheet {
        /// The spreadsheet.
        file: String,
        /// Why.
        source: calamine::Error,
    },
    /// The key for pseudonyms cannot be used.
    #[error("key {path}: {message}", path = path.display())]
    Key {
        /// The key's file.
        path: PathBuf,
        /// What is wrong, and the cure.
        message: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] crate::store::StoreError),
    /// The store failed. What was stored before stays; importing the file again completes it.
    #[error("{file}: stopped after {rows} rows; importing it again completes it")]
    Store {
        /// The table.
        file: String,
        /// Rows read.
        rows: u64,
        /// Why.
        source: crate::store::StoreError,
    },
    /// The model that is to judge complaints cannot be used.
    #[error("model {path}: it {source}", path = path.display())]
    Model {
        /// The model's file.
        path: PathBuf,
        /// What is wrong, and the cure.
        source: crate::complaints::ModelError,
    },
    /// The model of a survey cannot be used.
    #[error(transparent)]
    Survey(#[from] crate::survey::SurveyError),
    /// A model where nothing is judged.
    #[error("a model judges complaints or names the items of a survey, and these are {0}: leave --model out")]
    NoUseForModel(&'static str),
    /// People without a key.
    #[error(
        "{0} need a key, so that the names of tickets and respondents are not stored as they are: name one with \
         --key FILE; --new-key makes it"
    )]
    NoKey(&'static str),
}
