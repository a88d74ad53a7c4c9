//! Which complaints does the network explain, and which does it not?

pub mod query;
pub mod row;

pub use query::Query;
pub use row::{Band, CaseCrossover, Complaints, Contrast, Control, Exposure, Unmeasured};
