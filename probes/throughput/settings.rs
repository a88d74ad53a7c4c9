//! What the method is, and its settings.

use super::words::Way;
use crate::probe::{Descriptor, Kind, ProbeError};
use serde::{Deserialize, Serialize};

/// Where a peer listens.
pub const DEFAULT_PORT: u16 = 8620;
/// When an answer to a delay probe counts as lost.
pub(super) const TIMEOUT_MS: u64 = 3_000;

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "throughput",
    version: 1,
    about: "payload rate of several TCP streams, down and up, and the delay under that load",
    kind: Kind::Active,
    metrics: &["download_goodput", "upload_goodput", "round_trip_delay", "loaded_round_trip_delay"],
    loads_the_line: true,
    default_port: Some(DEFAULT_PORT),
};

/// Which directions are loaded, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directions {
    /// Download only.
    Down,
    /// Upload only.
    Up,
    /// Download, then upload.
    #[default]
    Both,
}

impl Directions {
    pub(crate) const fn ways(self) -> &'static [Way] {
        match self {
            Self::Down => &[Way::Down],
            Self::Up => &[Way::Up],
            Self::Both => &[Way::Down, Way::Up],
        }
    }
}

/// The settings as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How many TCP connections at once.
    pub streams: usize,
    /// How long each direction is loaded, warm-up included.
    pub duration_s: f64,
    /// Which directions.
    pub direction: Directions,
    /// The congestion control of both senders, such as `cubic` or `bbr`; each system's own where absent.
    pub congestion: Option<String>,
    /// How long the delay of the idle line is watched before the first load; 0 leaves that out.
    pub idle_s: f64,
    /// How many delay probes a second run beside; 0 leaves them out.
    pub delay_per_second: f64,
    /// The port of the peer's STAMP reflector; the one that the peer names where absent.
    pub delay_port: Option<u16>,
    /// How long to wait behind other tests before giving up.
    pub queue_patience_s: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            streams: 8,
            duration_s: 10.0,
            direction: Directions::Both,
            congestion: None,
            idle_s: 3.0,
            delay_per_second: 20.0,
            delay_port: None,
            queue_patience_s: 300,
        }
    }
}

impl Settings {
    /// How long each direction is loaded, in whole milliseconds.
    pub(super) fn duration_ms(&self) -> u64 {
        (self.duration_s * 1e3).round() as u64
    }

    /// How long the idle line is watched, in whole milliseconds.
    pub(super) fn idle_ms(&self) -> u64 {
        (self.idle_s * 1e3).round() as u64
    }

    pub(super) fn check(self) -> Result<Self, ProbeError> {
        let wrong = |key: &str, problem: &str| Err(ProbeError::setting(DESCRIPTOR.name, key, problem));
        if self.streams == 0 || self.streams > 64 {
            return wrong("streams", "must be 1 to 64");
        }
        if !(1.0..=60.0).contains(&self.duration_s) || !self.duration_ms().is_multiple_of(100) {
            return wrong("duration_s", "must be 1 to 60 seconds, in whole tenths");
        }
        if !(0.0..=5.0).contains(&self.idle_s) {
            return wrong("idle_s", "must be 0 to 5 seconds");
        }
        if !(0.0..=100.0).contains(&self.delay_per_second) {
            return wrong("delay_per_second", "must be 0 to 100");
        }
        if self.congestion.as_ref().is_some_and(|name| name.is_empty() || name.len() > 15) {
            return wrong(
                "congestion",
                "must be a name of 1 to 15 letters; see net.ipv4.tcp_available_congestion_control",
            );
        }
        Ok(self)
    }
}
