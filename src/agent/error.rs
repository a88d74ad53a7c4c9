//! Why an agent cannot run.

use super::spool::SpoolError;
use std::path::PathBuf;

/// Why an agent cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The disk refused.
    #[error("cannot keep the spool")]
    Spool(#[from] SpoolError),
    /// A task cannot be run as it is written.
    #[error("{file}: task {task:?}: {key}: {problem}", file = file.display())]
    Task {
        /// Which file.
        file: PathBuf,
        /// Which task.
        task: String,
        /// Which key.
        key: String,
        /// What is wrong, and the cure.
        problem: String,
    },
    /// The system gives no certificates or no sockets.
    #[error("cannot make an HTTP client; name the collector's authority in collector.ca_file")]
    Client(#[source] reqwest::Error),
}
