//! Statistics: numbers in, numbers out, no word of the trade.
//!
//! Every function answers with finite numbers or with a [`Refusal`] that says why not; none returns a NaN. Whatever
//! is random takes a seed, and gives the same answer with any number of threads. Values in, intervals out: nothing
//! here knows what was measured, so everything can be checked against published examples and other programs.

pub mod bootstrap;
pub mod clogit;
pub mod clustered;
pub mod design;
mod distribution;
mod interval;
pub mod multiple;
pub mod permutation;
#[cfg(test)]
pub(crate) mod planted;
pub mod poisson;
pub mod proportion;
pub mod quantile;
pub mod rank;
mod refusal;
mod stream;
pub mod table;
pub mod welch;

pub use interval::Interval;
pub use refusal::{Answer, Refusal};
pub use stream::{Purpose, Stream};
