//! What the method is, and its settings: the parameters of section 4.3 of the draft, at the draft's values.

use super::meter::Rule;
use crate::probe::{Descriptor, Kind, ProbeError, within};
use crate::throughput::Directions;
use broadgauge_model::clock::Span;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where a peer of ours listens.
pub const DEFAULT_PORT: u16 = 4043;

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "responsiveness",
    version: 1,
    about: "round trips per minute under working conditions, over HTTP/2 and TLS",
    kind: Kind::Active,
    metrics: &["responsiveness"],
    loads_the_line: true,
    default_port: Some(DEFAULT_PORT),
};

/// The settings as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which way the line is loaded, one after the other.
    pub direction: Directions,
    /// ID: the length of an interval.
    pub interval_s: f64,
    /// When a direction ends that has not settled.
    pub longest_s: f64,
    /// MAD: intervals of a moving average.
    pub moving_average: usize,
    /// TMP: the share of probes that a trimmed mean keeps.
    pub trimmed_keep: f64,
    /// SDT: the share of the current moving average that the standard deviation must stay below.
    pub deviation: f64,
    /// INP: load connections at the start.
    pub connections: usize,
    /// INC: how many are added in each interval.
    pub added: usize,
    /// MNP: the most of them.
    pub most_connections: usize,
    /// MPS: the most probes a second.
    pub probes_per_second: f64,
    /// PTC: the share of the goodput that probes may take.
    pub probe_share: f64,
    /// When a connection or an answer to a probe counts as lost.
    pub timeout_ms: f64,
    /// How long to come back to a server that is busy with other tests before giving up.
    pub queue_patience_s: u32,
    /// Where the object with the URLs is.
    pub path: Option<String>,
    /// A PEM file of the only authorities that are believed; the system's where absent.
    pub ca_file: Option<PathBuf>,
    /// Believe any certificate.
    pub insecure: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let rule = Rule::default();
        Self {
            direction: Directions::Both,
            interval_s: 5.0,
            longest_s: 45.0,
            moving_average: rule.moving_average,
            trimmed_keep: rule.trimmed_keep,
            deviation: rule.deviation,
            connections: 1,
            added: 1,
            most_connections: 16,
            probes_per_second: 100.0,
            probe_share: 0.05,
            timeout_ms: 5_000.0,
            queue_patience_s: 60,
            path: None,
            ca_file: None,
            insecure: false,
        }
    }
}

impl Settings {
    pub(super) fn rule(&self) -> Rule {
        Rule {
            moving_average: self.moving_average,
            trimmed_keep: self.trimmed_keep,
            deviation: self.deviation,
        }
    }

    pub(super) fn interval(&self) -> Span {
        Span::from_secs_f64(self.interval_s)
    }

    pub(super) fn timeout(&self) -> Span {
        Span::from_secs_f64(self.timeout_ms / 1e3)
    }

    pub(super) fn check(self) -> Result<Self, ProbeError> {
        let within = |key, value, least, most| within(DESCRIPTOR.name, key, value, least, most);
        within("interval_s", self.interval_s, 0.1, 30.0)?;
        within("longest_s", self.longest_s, self.interval_s, 120.0)?;
        within("moving_average", self.moving_average as f64, 2.0, 20.0)?;
        within("trimmed_keep", self.trimmed_keep, 0.5, 1.0)?;
        within("deviation", self.deviation, 0.001, 1.0)?;
        within("connections", self.connections as f64, 1.0, self.most_connections as f64)?;
        within("added", self.added as f64, 0.0, 16.0)?;
        within("most_connections", self.most_connections as f64, 1.0, 64.0)?;
        within("probes_per_second", self.probes_per_second, 1.0, 100.0)?;
        within("probe_share", self.probe_share, 0.001, 0.5)?;
        within("timeout_ms", self.timeout_ms, 10.0, 60_000.0)?;
        Ok(self)
    }
}
