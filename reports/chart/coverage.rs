//! Coverage and consistency: how many lines get what was promised?
//!
//! The share of lines that reach a high and a low mark of their yardstick, as one bar of three parts, with the
//! interval of Wilson (1927) at each cut.

use super::{Caption, Figure, Party};

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// Its words.
    pub caption: Caption,
    /// What is reached, as ready text: "the promised rate".
    pub yardstick: String,
    /// The high and the low mark: (0.95, 0.80).
    pub marks: (f64, f64),
    /// Operators, or operators by tier.
    pub groups: Vec<CoverageGroup>,
}

/// Bars that are compared with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageGroup {
    /// "Download, FTTC"; may be empty.
    pub heading: String,
    /// One per operator.
    pub bars: Vec<CoverageBar>,
}

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageBar {
    /// Whose.
    pub party: Party,
    /// Share of lines at or above the high mark; `n` counts lines.
    pub high: Figure,
    /// Share of lines at or above the low mark, so never less than `high`.
    pub low: Figure,
    /// The consistent speed (what 80 % of lines get 80 % of the time) in Mbit/s, where it is known.
    pub consistent_mbps: Option<Figure>,
}
