//! What the method is, and its settings.

use crate::codec::ndt7::Subtest;
use crate::http::Url;
use crate::probe::{Descriptor, Kind, ProbeError};
use crate::throughput::{Directions, Way};
use crate::tls::{Client, Trust};
use broadgauge_model::clock::Span;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "ndt7",
    version: 1,
    about: "payload rate of one TCP stream against an ndt7 server (M-Lab), down and up, with the server's TCP_INFO",
    kind: Kind::Active,
    metrics: &["download_goodput", "upload_goodput", "round_trip_delay"],
    loads_the_line: true,
    default_port: Some(443),
};

/// The settings as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Which directions.
    pub direction: Directions,
    /// How long an upload is sent. A download lasts as long as its server sends, and at most three seconds more than this.
    pub duration_s: f64,
    /// Whether under TLS.
    pub tls: bool,
    /// A PEM file of the only authorities, or of the very certificate, that are believed.
    pub ca_file: Option<PathBuf>,
    /// Believe any certificate; results say so.
    pub insecure: bool,
    /// What the server wants to see, where it wants that.
    pub access_token: Option<String>,
    /// The address of a locate service that names servers; the target is then only a name.
    pub locate: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            direction: Directions::Both,
            duration_s: 10.0,
            tls: true,
            ca_file: None,
            insecure: false,
            access_token: None,
            locate: None,
        }
    }
}

impl Settings {
    /// One after the other.
    pub(super) fn subtests(&self) -> impl Iterator<Item = Subtest> {
        self.direction.ways().iter().map(|way| match way {
            Way::Down => Subtest::Download,
            Way::Up => Subtest::Upload,
        })
    }

    pub(super) fn duration(&self) -> Span {
        Span::from_secs_f64(self.duration_s)
    }

    /// What shakes hands, where there is TLS. ndt7 is HTTP/1.1 only: nothing else is offered.
    pub(super) fn client(&self, secure: bool) -> Result<Option<Client>, ProbeError> {
        let trust = Trust { ca_file: self.ca_file.clone(), insecure: self.insecure };
        let made = secure.then(|| Client::new(&trust, &["http/1.1"])).transpose();
        made.map_err(|error| error.of_method(DESCRIPTOR.name))
    }

    pub(super) fn check(self) -> Result<Self, ProbeError> {
        let wrong = |key: &str, problem: String| Err(ProbeError::setting(DESCRIPTOR.name, key, problem));
        if !(1.0..=12.0).contains(&self.duration_s) {
            return wrong("duration_s", String::from("must be 1 to 12: an ndt7 server ends a test after 15"));
        }
        if self.access_token.as_ref().is_some_and(|token| token.is_empty() || token.len() > 3_000) {
            return wrong("access_token", String::from("must have 1 to 3000 letters"));
        }
        if let Some(Err(problem)) = self.locate.as_deref().map(Url::parse) {
            return wrong("locate", problem);
        }
        if !self.tls && (self.insecure || self.ca_file.is_some()) {
            return wrong("tls", String::from("must be true for insecure or ca_file to mean anything"));
        }
        Ok(self)
    }
}
