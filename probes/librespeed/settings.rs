//! What the method is, and its settings.

use crate::probe::{Descriptor, Kind, ProbeError};
use crate::throughput::Directions;
use broadgauge_model::clock::Span;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where a peer of ours listens.
pub const DEFAULT_PORT: u16 = 8989;

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "librespeed",
    version: 1,
    about: "payload rate of several HTTP/1.1 streams against a LibreSpeed backend; a URL of its folder, or HOST",
    kind: Kind::Active,
    metrics: &["download_goodput", "upload_goodput"],
    loads_the_line: true,
    default_port: Some(DEFAULT_PORT),
};

/// The settings as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which way, one after the other.
    pub direction: Directions,
    /// Connections at once, each way.
    pub streams: usize,
    /// How long each direction is loaded, warm-up included.
    pub duration_s: f64,
    /// What a download asks for at once, in MiB.
    pub chunk_mib: u64,
    /// How many questions are asked before the load; 0 leaves that out.
    pub pings: u64,
    /// When a connection, an answer or a pause in it is given up.
    pub timeout_ms: f64,
    /// How long to come back to a server that is busy with other tests before giving up.
    pub queue_patience_s: u32,
    /// What is downloaded, from the target's folder on.
    pub download_path: String,
    /// Where to upload to.
    pub upload_path: String,
    /// What is asked for before the load.
    pub ping_path: String,
    /// Who says from where we come; nobody is asked where this is empty.
    pub address_path: String,
    /// A PEM file of the only authorities that are believed; the system's where absent.
    pub ca_file: Option<PathBuf>,
    /// Believe any certificate.
    pub insecure: bool,
}

impl Default for Settings {
    /// The names are those of the backend in PHP; the others take them too.
    fn default() -> Self {
        Self {
            direction: Directions::Both,
            streams: 6,
            duration_s: 10.0,
            chunk_mib: 100,
            pings: 10,
            timeout_ms: 5_000.0,
            queue_patience_s: 60,
            download_path: String::from("garbage.php"),
            upload_path: String::from("empty.php"),
            ping_path: String::from("empty.php"),
            address_path: String::from("getIP.php"),
            ca_file: None,
            insecure: false,
        }
    }
}

impl Settings {
    pub(super) fn duration(&self) -> Span {
        Span::millis((self.duration_s * 1e3).round() as i64)
    }

    pub(super) fn timeout(&self) -> Span {
        Span::from_secs_f64(self.timeout_ms / 1e3)
    }

    pub(super) fn check(self) -> Result<Self, ProbeError> {
        let wrong = |key: &str, problem: String| Err(ProbeError::setting(DESCRIPTOR.name, key, problem));
        if !(1..=32).contains(&self.streams) {
            return wrong("streams", format!("{} is not between 1 and 32", self.streams));
        }
        if !(1.0..=60.0).contains(&self.duration_s) || self.duration().0 % 100_000_000 != 0 {
            return wrong(
                "duration_s",
                format!("{} is not 1 to 60 seconds, in whole tenths", self.duration_s),
            );
        }
        if !(1..=1_024).contains(&self.chunk_mib) {
            return wrong("chunk_mib", format!("{} is not between 1 and 1024", self.chunk_mib));
        }
        if self.pings > 1_000 {
            return wrong("pings", format!("{} is more than 1000", self.pings));
        }
        if !(10.0..=60_000.0).contains(&self.timeout_ms) {
            return wrong("timeout_ms", format!("{} is not between 10 and 60000", self.timeout_ms));
        }
        Ok(self)
    }
}
