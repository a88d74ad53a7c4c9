//! Studies: one question a file. A panel goes in; an [`Estimate`], or [`Declined`] with a reason, comes out.
//!
//! A study holds no file and no clock, and gives the same bytes for the same panel and seed whatever the number of
//! threads and the order of the rows.

pub mod answer;
pub mod balance;
pub mod change;
pub mod closed_loop;
pub mod complaints;
pub mod coverage;
pub mod describe;
pub mod expectation;
mod experience;
pub mod handling;
pub mod head;
pub mod league;
pub mod peers;
#[cfg(test)]
pub(crate) mod planted;
pub mod profile;
mod refusal;
pub mod satisfaction;
mod seed;
pub mod series;
pub mod silent;

pub use answer::{Answer, Declined, Estimate, Words};
pub use head::{Head, Method, Note};
pub use series::Series;
