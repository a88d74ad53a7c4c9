//! Where are we behind the peer operators, by how much, and is it real?

pub mod query;
pub mod row;

pub use query::{Key, Peak, Query};
pub use row::{Equivalence, Peers, Row, Side, Stratum, Verdict};
