//! Time-of-day heatmap: when must one look?
//!
//! One row per weekday (or any other group), one column per hour, fill for the share of tests beyond a limit.
//! A cell of fewer than `least_n` tests is hatched, one without any stays white with a cross hatch: neither is zero.

use super::Caption;

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeOfDayHeatmap {
    /// Its words.
    pub caption: Caption,
    /// What the colour says: "share of tests above 60 ms".
    pub measure: String,
    /// Cells with fewer tests are hatched.
    pub least_n: u64,
    /// The busy hours that the report speaks of, as first hour and hour after the last: (19, 23).
    pub peak: Option<(u8, u8)>,
    /// Own and peer, one below the other, in one colour scale; a single one may go without a heading.
    pub panels: Vec<HeatPanel>,
}

/// A block of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatPanel {
    /// Whose or where.
    pub heading: String,
    /// Mostly Monday to Sunday.
    pub rows: Vec<HeatRow>,
}

/// One weekday.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatRow {
    /// "Mon".
    pub label: String,
    /// Local hours 0 to 23.
    pub cells: [HeatCell; 24],
}

/// One hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeatCell {
    /// The share, 0 to 1; `None` where nothing was measured.
    pub share: Option<f64>,
    /// Tests in the cell.
    pub n: u64,
}
