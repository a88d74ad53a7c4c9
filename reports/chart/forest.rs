//! Case-crossover forest: did the network get worse before this customer's complaint?
//!
//! Rate ratios on a log axis about 1, one row per KPI and window, q and n in the margin. Negative controls, in which
//! nothing may be found, stand apart: a control that leaves 1 casts doubt on everything above it.

use super::{Caption, Figure};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    /// Its words.
    pub caption: Caption,
    /// What the ratios are of, as ready text: "complaint rate ratio".
    pub measure: String,
    /// In reading order; controls last.
    pub groups: Vec<ForestGroup>,
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestGroup {
    /// "Network complaints", "Control: billing complaints".
    pub heading: String,
    /// Whether nothing may be found here.
    pub control: bool,
    /// One per KPI and window.
    pub rows: Vec<ForestRow>,
}

/// One ratio.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestRow {
    /// KPI and step: "Delay under load, per 10 ms".
    pub label: String,
    /// The time before the complaint: "24 h".
    pub window: String,
    /// The ratio; its `n` counts episodes.
    pub ratio: Figure,
    /// The p-value after adjustment for the family of tests.
    pub q: Option<f64>,
}
