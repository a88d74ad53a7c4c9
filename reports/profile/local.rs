//! What rules read: a test with the line's own clock.

/// A test in the line's local time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// Days since 1970-01-01 on the line's own calendar.
    pub day: i32,
    /// 0 to 23.
    pub hour: u8,
    /// The value, in the metric's unit.
    pub value: f64,
}
