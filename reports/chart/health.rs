//! Measurement-health strip: can this report be trusted?
//!
//! One row per agent over the period of the report: runs on time, late and missing, and beside them the clock's
//! offset, the timer's error and the load that measuring put on the line.

use super::Caption;
use jiff::Timestamp;

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthStrip {
    /// Its words.
    pub caption: Caption,
    /// The IANA name of the reader's zone.
    pub zone: String,
    /// Start of the strip.
    pub from: Timestamp,
    /// End of the strip.
    pub to: Timestamp,
    /// The worst first.
    pub rows: Vec<HealthRow>,
}

/// One agent.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthRow {
    /// Its name.
    pub name: String,
    /// Equal parts of the period, in order.
    pub slots: Vec<HealthSlot>,
    /// The largest offset of its clock, in ms.
    pub clock_offset_ms: Option<f64>,
    /// How late its timers were at p95, in ms.
    pub timer_error_ms: Option<f64>,
    /// The share of the line's capacity that measuring took.
    pub self_load: Option<f64>,
}

/// One part of the period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthSlot {
    /// Runs that the schedule asked for.
    pub planned: u64,
    /// Done on time.
    pub on_time: u64,
    /// Done, but late.
    pub late: u64,
}

impl HealthSlot {
    /// Runs that never came.
    pub const fn missing(self) -> u64 {
        self.planned.saturating_sub(self.on_time + self.late)
    }
}
