//! Configuration files: one section a file, first as it is written, then checked into what the program relies on.
//!
//! An unknown key is refused, because a misspelt key that is ignored is a setting that is not set. Every message
//! names the file, the key and the cure. Paths in a file are relative to its folder.

pub mod agent;
pub mod collector;
pub mod instruction;
mod line;
pub mod peer;
mod schedule;
mod spool;
mod target;
mod task;
mod time;
mod uplink;

pub use agent::AgentConfig;
pub use collector::CollectorConfig;
pub use line::VantageLine;
pub use peer::PeerConfig;
pub use spool::SpoolLimits;
pub use target::VantageTarget;
pub use uplink::UplinkConfig;

use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {file}", file = file.display())]
    Read {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not the TOML we know: a syntax error, an unknown key, a value of the wrong type.
    #[error("{file} line {line}: {problem}", file = file.display())]
    Syntax {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong, and what is expected.
        problem: String,
    },
    /// A value that cannot be used.
    #[error("{file}: {key}: {problem}", file = file.display())]
    Value {
        /// Which file.
        file: PathBuf,
        /// Which key.
        key: String,
        /// What is wrong, and the cure.
        problem: String,
    },
}

/// A value that cannot be used, before the file's name is known.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    key: String,
    problem: String,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

impl Wrong {
    fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into() }
    }

    /// The same inside a section.
    fn within(self, section: &str) -> Self {
        Self { key: format!("{section}.{}", self.key), problem: self.problem }
    }

    fn of(self, file: &Path) -> ConfigError {
        ConfigError::Value { file: file.to_owned(), key: self.key, problem: self.problem }
    }
}

/// Refuses an empty text.
fn named(key: &str, text: String) -> Result<String, Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new(key, "is missing or empty; give it a name"));
    }
    Ok(text)
}

/// Where relative paths of a file start.
fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| ConfigError::Read { file: file.to_owned(), source })?;
    parse(file, &text)
}

fn parse<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.get(..start).map_or(0, |before| before.matches('\n').count()) + 1;
        ConfigError::Syntax { file: file.to_owned(), line, problem: error.message().to_owned() }
    })
}

/// Reads a secret from a file of one line.
fn read_token(key: &str, path: &Path) -> Result<String, Wrong> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Wrong::new(key, format!("cannot read {}: {error}", path.display())))?;
    let token = text.trim();
    if token.len() < 16 || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Wrong::new(
            key,
            format!(
                "{} must hold one line of at least 16 printable ASCII characters; make one with \
                 `openssl rand -hex 32`",
                path.display()
            ),
        ));
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests;
