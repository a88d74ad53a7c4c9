//! Statistics: numbers in, numbers out, no word of the trade.
//!
//! Every function answers with finite numbers or with a [`Refusal`] that says why not; none returns a NaN. Whatever
//! is random takes a seed, and gives the same answer with any number of threads. Values in, intervals out: nothing
//! here knows what was measured, so everything can be checked against published examples and other programs.

pub mod apart;
pub mod attributable;
pub mod band;
pub mod bootstrap;
pub mod change;
pub mod classifier;
pub mod clogit;
pub mod clustered;
pub mod control;
pub mod design;
pub mod did;
pub mod distributed_lag;
mod distribution;
pub mod expectation;
pub mod funnel;
pub mod glm;
pub mod hinge;
pub mod interrupted;
mod interval;
pub mod isotonic;
pub mod lead_lag;
pub mod multiple;
pub mod negative_binomial;
#[cfg(test)]
mod oracle;
pub mod pairs;
pub mod path_model;
pub mod permutation;
pub mod plan;
#[cfg(test)]
pub(crate) mod planted;
pub mod plateau;
pub mod poisson;
pub mod proportion;
pub mod quantile;
pub mod rank;
pub mod ranking;
mod refusal;
pub mod rhythm;
pub mod rows;
pub mod saturation;
pub mod season;
pub mod shapley;
pub mod shrunken;
pub mod spline;
pub mod standing;
mod stream;
pub mod survival;
pub mod table;
pub mod welch;

pub use interval::Interval;
pub use refusal::{Answer, Refusal};
pub use stream::{Purpose, Stream};
