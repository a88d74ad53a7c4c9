//! What the method is, and its settings.

use crate::http::Url;
use crate::pace::{Pace, Stop as PaceStop, Stream};
use crate::probe::{Descriptor, Kind, ProbeError, within};
use broadgauge_model::clock::Span;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// More objects than a page has.
const MOST_OBJECTS: usize = 500;

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "web",
    version: 1,
    about: "a page's objects from a list, with a cold cache and a browser's connections: a model, not a browser",
    kind: Kind::Active,
    metrics: &["page_time"],
    loads_the_line: false,
    default_port: Some(443),
};

/// The settings as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What is fetched after the target itself: URLs, or paths from the target on.
    pub objects: Vec<String>,
    /// Pages a second, on average.
    pub per_second: f64,
    /// How many times the page is fetched, one at a time.
    pub count: u64,
    /// When a page counts as lost.
    pub timeout_s: f64,
    /// Connections at once to one host that speaks HTTP/1.1.
    pub connections: usize,
    /// The largest object that is read.
    pub most_bytes: u64,
    /// A PEM file of the only authorities that are believed; the system's where absent.
    pub ca_file: Option<PathBuf>,
    /// Believe any certificate.
    pub insecure: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            objects: Vec::new(),
            per_second: 0.1,
            count: 3,
            timeout_s: 30.0,
            connections: 6,
            most_bytes: 64 << 20,
            ca_file: None,
            insecure: false,
        }
    }
}

impl Settings {
    /// As relied on: the slots from this seed, and the time in which a page must be there.
    pub(super) fn check(&self, seed: u64) -> Result<(Pace, Span), ProbeError> {
        let within = |key, value, least, most| within(DESCRIPTOR.name, key, value, least, most);
        let rate = within("per_second", self.per_second, 0.000_1, 10.0)?;
        within("count", self.count as f64, 1.0, 1_000.0)?;
        let timeout = within("timeout_s", self.timeout_s, 0.1, 300.0)?;
        within("connections", self.connections as f64, 1.0, 32.0)?;
        within("most_bytes", self.most_bytes as f64, 1.0, 1e10)?;
        within("objects", self.objects.len() as f64, 0.0, MOST_OBJECTS as f64)?;
        let pace = Pace { stream: Stream::periodic(rate), stop: PaceStop::Count(self.count), seed };
        Ok((pace, Span::from_secs_f64(timeout)))
    }

    /// The page's objects, the page itself not among them.
    pub(super) fn objects(&self, page: &Url) -> Result<Vec<Url>, ProbeError> {
        let read = |object: &String| page.join(object).map_err(|problem| wrong("objects", problem));
        self.objects.iter().map(read).collect()
    }
}

fn wrong(key: &str, problem: String) -> ProbeError {
    ProbeError::setting(DESCRIPTOR.name, key, problem)
}
