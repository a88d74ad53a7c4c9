//! Two clocks that are never mixed: [`Mono`] says how long, [`Wall`] says when.
//!
//! A step of the wall clock is never a delay: durations are `Mono - Mono` only. The one exception is a pair of
//! kernel timestamps, which the system gives in wall time: whoever subtracts them compares the result with
//! the elapsed time and discards it when a step lies between (see the probes' stamps).

use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};

/// A signed length of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From whole microseconds.
    pub const fn micros(us: i64) -> Self {
        Self(us * 1_000)
    }

    /// From whole milliseconds.
    pub const fn millis(ms: i64) -> Self {
        Self(ms * 1_000_000)
    }

    /// From whole seconds.
    pub const fn secs(s: i64) -> Self {
        Self(s * 1_000_000_000)
    }

    /// From seconds, rounded to the nanosecond.
    pub fn from_secs_f64(s: f64) -> Self {
        Self((s * 1e9).round() as i64)
    }

    /// As milliseconds.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// As seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// As the standard library's unsigned duration; negative spans become zero.
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(if self.0 < 0 { 0 } else { self.0 as u64 })
    }
}

impl From<std::time::Duration> for Span {
    fn from(d: std::time::Duration) -> Self {
        Self(i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

/// A point of elapsed time, in nanoseconds since an origin that only this process knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

impl Sub for Mono {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0 as i64 - earlier.0 as i64)
    }
}

impl Add<Span> for Mono {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add_signed(span.0))
    }
}

/// A point of calendar time, in nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wall(pub i64);

impl Wall {
    /// From whole seconds since 1970.
    pub const fn from_secs(s: i64) -> Self {
        Self(s * 1_000_000_000)
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The distance to an earlier calendar time. Not a delay: the clock may have been set in between.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// RFC 3339 in UTC.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_nanosecond(i128::from(self.0))
            .map_or_else(|_| String::from("-"), |t| t.to_string())
    }

    /// Reads RFC 3339.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().and_then(|t| i64::try_from(t.as_nanosecond()).ok()).map(Self)
    }
}

impl Add<Span> for Wall {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0 + span.0)
    }
}

/// Serde form of a [`Wall`] as an RFC 3339 text, for everything that a person may read.
pub mod rfc3339 {
    use super::Wall;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the time as RFC 3339 UTC.
    pub fn serialize<S: Serializer>(wall: &Wall, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&wall.rfc3339())
    }

    /// Reads RFC 3339 with any offset.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Wall, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Wall::parse_rfc3339(&text)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not an RFC 3339 time")))
    }
}

/// Where time comes from. The algorithms are told the time; only drivers hold a clock.
pub trait Clock: Send + Sync {
    /// Elapsed time.
    fn mono(&self) -> Mono;
    /// Calendar time.
    fn wall(&self) -> Wall;
}

/// The machine's clocks: the only caller of `now()` in the project.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: std::time::Instant,
}

impl SystemClock {
    /// A clock whose elapsed time starts here.
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask the machine for the time")]
    pub fn start() -> Self {
        Self { origin: std::time::Instant::now() }
    }

    /// The instant at which elapsed time was zero, for timers that want the library's own type.
    pub const fn origin(&self) -> std::time::Instant {
        self.origin
    }
}

impl Clock for SystemClock {
    fn mono(&self) -> Mono {
        Mono(u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that may ask the machine for the time")]
    fn wall(&self) -> Wall {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Wall(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// A clock set by hand.
#[derive(Debug, Default)]
pub struct ManualClock {
    mono: std::sync::atomic::AtomicU64,
    wall: std::sync::atomic::AtomicI64,
}

impl ManualClock {
    /// A clock that stands at this calendar time.
    pub fn at(wall: Wall) -> Self {
        Self { mono: 0.into(), wall: wall.0.into() }
    }

    /// Lets both clocks run on.
    pub fn advance(&self, span: Span) {
        self.mono.fetch_add(span.0.max(0) as u64, std::sync::atomic::Ordering::SeqCst);
        self.step_wall(span);
    }

    /// Sets the calendar clock forward or back, as an operator or NTP would.
    pub fn step_wall(&self, span: Span) {
        self.wall.fetch_add(span.0, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn mono(&self) -> Mono {
        Mono(self.mono.load(std::sync::atomic::Ordering::SeqCst))
    }

    fn wall(&self) -> Wall {
        Wall(self.wall.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_the_wall_clock_is_not_a_delay() {
        let clock = ManualClock::at(Wall::from_secs(1_000));
        let (mono, wall) = (clock.mono(), clock.wall());
        clock.advance(Span::millis(5));
        clock.step_wall(Span::secs(-3600));
        assert_eq!(clock.mono() - mono, Span::millis(5));
        assert_eq!(clock.wall().since(wall), Span::millis(5) + Span::secs(-3600));
    }

    #[test]
    fn calendar_time_survives_its_text() {
        let wall = Wall(1_430_000_000_123_456_789);
        assert_eq!(Wall::parse_rfc3339(&wall.rfc3339()), Some(wall));
        assert_eq!(Wall::parse_rfc3339("2015-04-22T15:53:50-04:00"), Some(Wall::from_secs(1_429_732_430)));
    }
}
