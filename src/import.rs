//! Tables of others, in: CSV and spreadsheets, mapped to our columns, checked row by row, stripped of what names a
//! person, and put into a store.
//!
//! A row that cannot be read is refused with its file, line, column and the reason; it never stops the others.
//! Importing a file twice changes nothing. A [`map`] says how another table's headers, units, times, spellings and
//! wide rows become ours.
//!
//! What it cannot tell: whether a number that has the right form is true.

mod agree;
mod columns;
mod draft;
mod encoding;
mod error;
mod foreign;
mod hdr;
mod kind;
pub mod map;
mod map_read;
mod mask;
mod nearest;
mod plan;
mod pseudonym;
mod reject;
mod rows;
mod run;
mod seen;
mod summary;
mod table;
mod unit;
mod when;

pub use columns::columns;
pub use error::ImportError;
pub use kind::{Field, Holds, Kind, Measure};
pub use map::Map;
pub use map_read::parse as parse_map;
pub use mask::{Masked, mask};
pub use pseudonym::Pseudonyms;
pub use run::{Progress, Request, check_bytes, check_survey, run, run_into};
pub use summary::{FileSummary, Refusal, Skipped, Spelling, Summary};
pub use table::Reading;
