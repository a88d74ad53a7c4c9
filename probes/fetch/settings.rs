//! What the method is, and its settings.

use crate::pace::{Pace, Stop as PaceStop, Stream};
use crate::probe::{Descriptor, Kind, ProbeError, within};
use broadgauge_model::clock::Span;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "fetch",
    version: 1,
    about: "one object over HTTP/1.1 or HTTP/2: name, TCP, TLS, first byte and transfer, each timed; a URL or HOST",
    kind: Kind::Active,
    metrics: &["first_byte_time", "transfer_time", "resolve_time", "connect_time", "tls_time"],
    loads_the_line: false,
    default_port: Some(443),
};

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Http {
    /// The best that the server offers.
    #[default]
    #[serde(rename = "any")]
    Any,
    /// HTTP/1.1.
    #[serde(rename = "1.1")]
    One,
    /// HTTP/2, under TLS.
    #[serde(rename = "2")]
    Two,
}

impl Http {
    /// What is offered to the server.
    pub(super) const fn alpn(self) -> &'static [&'static str] {
        match self {
            Self::Any => &["h2", "http/1.1"],
            Self::One => &["http/1.1"],
            Self::Two => &["h2"],
        }
    }
}

/// The settings as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Fetches a second, on average.
    pub per_second: f64,
    /// How many are attempted, one at a time.
    pub count: u64,
    /// When a name, a connection or a handshake counts as lost, and an answer's first byte.
    pub timeout_ms: f64,
    /// When the whole answer must be there.
    pub answer_s: f64,
    /// The largest body that is read.
    pub most_bytes: u64,
    /// What is asked for where the target is a host and not a URL.
    pub path: Option<String>,
    /// Which HTTP is spoken.
    pub http: Http,
    /// How many redirections are followed.
    pub follow: u32,
    /// A PEM file of the only authorities that are believed; the system's where absent.
    pub ca_file: Option<PathBuf>,
    /// Believe any certificate.
    pub insecure: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            per_second: 0.5,
            count: 5,
            timeout_ms: 5_000.0,
            answer_s: 30.0,
            most_bytes: 1 << 30,
            path: None,
            http: Http::Any,
            follow: 0,
            ca_file: None,
            insecure: false,
        }
    }
}

/// As relied on.
pub(super) struct Checked {
    pub(super) pace: Pace,
    pub(super) timeout: Span,
    pub(super) answer: Span,
}

impl Settings {
    pub(super) fn check(&self, seed: u64) -> Result<Checked, ProbeError> {
        let within = |key, value, least, most| within(DESCRIPTOR.name, key, value, least, most);
        let rate = within("per_second", self.per_second, 0.001, 20.0)?;
        within("count", self.count as f64, 1.0, 10_000.0)?;
        within("follow", f64::from(self.follow), 0.0, 10.0)?;
        within("most_bytes", self.most_bytes as f64, 1.0, 1e12)?;
        let timeout = within("timeout_ms", self.timeout_ms, 1.0, 60_000.0)?;
        let answer = within("answer_s", self.answer_s, 0.1, 600.0)?;
        Ok(Checked {
            pace: Pace { stream: Stream::periodic(rate), stop: PaceStop::Count(self.count), seed },
            timeout: Span::from_secs_f64(timeout / 1e3),
            answer: Span::from_secs_f64(answer),
        })
    }
}
