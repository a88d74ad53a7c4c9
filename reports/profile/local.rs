//! What rules read: tests and packets with the line's own clock.

use broadgauge_model::panel::weekday;

/// A test in the line's local time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// Days since 1970-01-01 on the line's own calendar.
    pub day: i32,
    /// 0 to 23.
    pub hour: u8,
    /// Whether the day is worked: from Monday to Friday, or on a weekend that a calendar has worked.
    pub worked: bool,
    /// The value, in the metric's unit.
    pub value: f64,
}

impl Test {
    /// A test in a week like most.
    pub const fn new(day: i32, hour: u8, value: f64) -> Self {
        Self { day, hour, worked: weekday(day) < 5, value }
    }
}

/// Packets of one hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Packets {
    /// 0 to 23.
    pub hour: u8,
    /// Whether the day is worked.
    pub worked: bool,
    /// Packets sent.
    pub sent: u64,
    /// Packets lost of those.
    pub lost: u64,
}
