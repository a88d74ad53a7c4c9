//! What is kept, and the promises that every backend makes.
//!
//! One noun, one trait: [`Results`], [`Complaints`], [`Fleet`], [`Operations`], [`Surveys`]; [`Store`] is all of them. Calls block, and a call
//! that writes returns only when what it wrote is durable. A store hands out rows and merged histograms, never
//! quantiles: percentiles come from our own buckets, the same for every backend. `contract` holds the promises as
//! tests that each backend passes.
//!
//! What it cannot tell: whether a line exists that nobody has named, or a result that an agent dropped before it
//! was sent (see [`broadgauge_model::result::Health`] for the agents' own books).

mod entry;
mod error;
mod fold;
mod lines;
mod memory;
mod operations;
mod packed;
mod read;
mod sqlite;
mod surroundings;
mod surveys;

#[cfg(test)]
mod contract;

pub use broadgauge_model::panel::{Source, SourceKind};
pub use broadgauge_model::wire::receipt::{Receipt, Rejected};
pub use entry::{Entry, Tally, Window};
pub use error::StoreError;
pub use fold::{GroupKey, fold_by_operator_metric_hour};
pub use memory::Memory;
pub use packed::Ready;
pub use read::{Filter, HistogramRow, LocalHours, Row, RowValues};
pub use sqlite::Sqlite;

use broadgauge_model::action::Action;
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Complaint;
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Batch, Health};
use broadgauge_model::surroundings::{Reputation, Utilisation};
use broadgauge_model::survey::Response;
use broadgauge_model::wire::registration::Registration;
use std::path::Path;

/// What was observed.
pub trait Results: Send + Sync {
    /// Keeps what agents sent, in one transaction: all of it is durable on return, or none of it is. A sample
    /// that is already there counts as such, so sending a batch again is harmless; one whose identity (agent,
    /// number) is taken by another payload is rejected, and the first stays.
    fn put_batches(&self, batches: &[Ready]) -> Result<Vec<Receipt>, StoreError>;

    /// Keeps one batch.
    fn put_batch(&self, batch: &Batch) -> Result<Receipt, StoreError> {
        Ok(self.put_batches(&[batch.into()])?.pop().unwrap_or_default())
    }

    /// Keeps rows of a table, in one transaction. Their identity is their content without the value (line,
    /// metric, time, statistic, load, direction, target, method, period), whatever the file is called:
    /// importing a file twice changes nothing, and a second value for the same identity is rejected by its
    /// place in `entries`.
    fn put_entries(&self, source: &Source, entries: &[Entry]) -> Result<Receipt, StoreError>;

    /// Calls `each` with every result that the filter lets through. The order is the order of arrival.
    fn scan(&self, filter: &Filter, each: &mut dyn FnMut(&Row<'_>)) -> Result<(), StoreError>;

    /// Calls `each` with every histogram that the filter lets through and that has a moment (is no summary of all
    /// hours), with what merging asks for. A backend may have a faster way than to scan.
    fn scan_histograms(
        &self,
        filter: &Filter,
        each: &mut dyn FnMut(&HistogramRow<'_>),
    ) -> Result<(), StoreError> {
        self.scan(filter, &mut |row| {
            if let (RowValues::Histogram(at_rest), Window::At) = (row.values, row.window) {
                let Row { line, line_key, metric, started_at, .. } = *row;
                each(&HistogramRow { line, line_key, metric, started_at, at_rest });
            }
        })
    }
}

/// What customers said.
pub trait Complaints: Send + Sync {
    /// Keeps complaints; one whose id is known is brought up to date.
    fn put_complaints(&self, complaints: &[Complaint]) -> Result<Tally, StoreError>;

    /// The complaints opened in a half-open stretch of time, by time, then id.
    fn complaints(&self, from: Option<Wall>, to: Option<Wall>) -> Result<Vec<Complaint>, StoreError>;
}

/// The lines and those who measure them.
pub trait Fleet: Send + Sync {
    /// Keeps lines; one whose id is known is brought up to date.
    fn put_lines(&self, lines: &[AccessLine]) -> Result<Tally, StoreError>;

    /// Every line, by id.
    fn lines(&self) -> Result<Vec<AccessLine>, StoreError>;

    /// Keeps what an agent says of itself. Its word on a line that came with a table only fills gaps.
    fn register(&self, registration: &Registration) -> Result<Tally, StoreError>;

    /// The highest number among the samples that are kept of an agent.
    fn highest_number(&self, agent: &str) -> Result<Option<u64>, StoreError>;

    /// Every agent with what it said of itself, by name.
    fn agents(&self) -> Result<Vec<Registration>, StoreError>;

    /// The newest books of every agent, by name.
    fn health(&self) -> Result<Vec<(String, Health)>, StoreError>;
}

/// What the operator knows beside its lines: how full its nodes ran, what it did, and what is said of it.
pub trait Operations: Send + Sync {
    /// Keeps readings of nodes; one whose node, time and direction are known is brought up to date.
    fn put_utilisation(&self, rows: &[Utilisation]) -> Result<Tally, StoreError>;

    /// The readings taken in a half-open stretch of time, by node, then time.
    fn utilisation(&self, from: Option<Wall>, to: Option<Wall>) -> Result<Vec<Utilisation>, StoreError>;

    /// Keeps actions; one whose id is known is brought up to date.
    fn put_actions(&self, actions: &[Action]) -> Result<Tally, StoreError>;

    /// Every action, by id.
    fn actions(&self) -> Result<Vec<Action>, StoreError>;

    /// Keeps what is said; a score whose region, month, operator and source are known is brought up to date.
    fn put_reputation(&self, rows: &[Reputation]) -> Result<Tally, StoreError>;

    /// Everything that is said, by region, month, operator, then source.
    fn reputation(&self) -> Result<Vec<Reputation>, StoreError>;
}

/// What customers answered.
pub trait Surveys: Send + Sync {
    /// Keeps answers; those whose respondent and time are known are brought up to date.
    fn put_responses(&self, responses: &[Response]) -> Result<Tally, StoreError>;

    /// The answers given in a half-open stretch of time, by time, then respondent.
    fn responses(&self, from: Option<Wall>, to: Option<Wall>) -> Result<Vec<Response>, StoreError>;
}

/// Everything that is kept.
pub trait Store: Results + Complaints + Fleet + Operations + Surveys {}

impl<T: Results + Complaints + Fleet + Operations + Surveys> Store for T {}

/// Opens a store by its URL, making it where it does not exist: a path is SQLite, `memory:` forgets everything at
/// the end.
pub fn open(url: &str) -> Result<Box<dyn Store>, StoreError> {
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Box::new(Memory::default())),
        Some(("sqlite", path)) => Ok(Box::new(Sqlite::open(Path::new(path))?)),
        Some((scheme, rest)) if rest.starts_with("//") => {
            Err(StoreError::Scheme { scheme: scheme.to_owned() })
        }
        _ => Ok(Box::new(Sqlite::open(Path::new(url))?)),
    }
}

/// Opens a store that must exist already, for those who only read.
pub fn open_existing(url: &str) -> Result<Box<dyn Store>, StoreError> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    if url != "memory:" && !url.contains("://") && !Path::new(path).exists() {
        return Err(StoreError::Absent { path: path.into() });
    }
    open(url)
}
