//! What `dns` can be told, as written and as relied on.

use crate::codec::dns::{Manner, Question, UDP_PAYLOAD};
use crate::pace::{Pace, Stop, Stream};
use crate::packets::Spacing;
use crate::probe::{Descriptor, Kind, ProbeError, within};
use broadgauge_model::clock::Span;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "dns",
    version: 1,
    about: "Lookup time of a resolver, with its codes, cut answers and questions sent again",
    kind: Kind::Active,
    metrics: &["dns_time", "loss_ratio", "connect_time", "tls_time"],
    loads_the_line: false,
    default_port: Some(53),
};

/// How questions travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// UDP, and TCP where an answer was cut (RFC 1035, RFC 7766).
    #[default]
    Udp,
    /// TCP (RFC 7766).
    Tcp,
    /// TLS (RFC 7858).
    Tls,
    /// HTTPS (RFC 8484).
    Https,
}

impl Transport {
    /// The port it is served on.
    pub const fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 53,
            Self::Tls => 853,
            Self::Https => 443,
        }
    }
}

/// The settings as written.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that people know by its name")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name that is looked up.
    pub name: String,
    /// The type of the records that are wanted.
    pub query_type: String,
    /// How questions travel.
    pub transport: Transport,
    /// Whether each lookup asks for a name of its own under `name`, which no cache knows.
    pub fresh: bool,
    /// Whether the resolver is to ask others.
    pub recursion: bool,
    /// Whether signatures are wanted with the answer.
    pub dnssec: bool,
    /// Lookups a second, on average.
    pub per_second: f64,
    /// How they are spaced.
    pub spacing: Spacing,
    /// How many.
    pub count: u64,
    /// When a lookup is given up.
    pub timeout_ms: f64,
    /// Over UDP: after how long without an answer the question is sent again.
    pub retry_ms: f64,
    /// Over UDP: how often it is sent at most.
    pub tries: u32,
    /// Over HTTPS: where the resolver takes questions.
    pub path: String,
    /// The name that the resolver's certificate must bear; the target's where left out.
    pub server_name: Option<String>,
    /// A PEM file of the only authorities, or of the very certificate, that are believed.
    pub ca_file: Option<PathBuf>,
    /// Believe any certificate; results say so.
    pub insecure: bool,
}

impl Default for Settings {
    /// Ten lookups in five seconds; each is asked three times at most and given up after five seconds.
    fn default() -> Self {
        Self {
            name: String::from("example.com"),
            query_type: String::from("A"),
            transport: Transport::Udp,
            fresh: false,
            recursion: true,
            dnssec: false,
            per_second: 2.0,
            spacing: Spacing::Periodic,
            count: 10,
            timeout_ms: 5_000.0,
            retry_ms: 1_000.0,
            tries: 3,
            path: String::from("/dns-query"),
            server_name: None,
            ca_file: None,
            insecure: false,
        }
    }
}

/// The settings as relied on, but for the seed.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) question: Question,
    pub(super) manner: Manner,
    pub(super) stream: Stream,
    pub(super) stop: Stop,
    pub(super) timeout: Span,
    pub(super) retry: Span,
}

impl Checked {
    pub(super) const fn pace(&self, seed: u64) -> Pace {
        Pace { stream: self.stream, stop: self.stop, seed }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<Checked, ProbeError> {
        let wrong = |key: &str, problem: String| ProbeError::setting(DESCRIPTOR.name, key, problem);
        let within = |key, value, least, most| within(DESCRIPTOR.name, key, value, least, most);
        let rate = within("per_second", self.per_second, 0.001, 100.0)?;
        let timeout = within("timeout_ms", self.timeout_ms, 1.0, 60_000.0)?;
        let retry = within("retry_ms", self.retry_ms, 1.0, 60_000.0)?;
        within("count", self.count as f64, 1.0, 100_000.0)?;
        // Every packet of the last two timeouts needs a number of its own in sixteen bits: 100 * 120 * 5 = 60,000.
        within("tries", self.tries.into(), 1.0, 5.0)?;
        if !self.path.starts_with('/') {
            return Err(wrong("path", format!("{:?} does not begin with a slash", self.path)));
        }
        let question = Question::new(&self.name, &self.query_type).map_err(|problem| {
            let key = if problem.contains("record type") { "query_type" } else { "name" };
            wrong(key, problem)
        })?;
        if self.fresh {
            question
                .under(&"x".repeat(18))
                .map_err(|why| wrong("name", format!("no room below it: {why}")))?;
        }
        let stream = match self.spacing {
            Spacing::Periodic => Stream::periodic(rate),
            Spacing::Poisson => Stream::poisson(rate),
        };
        Ok(Checked {
            question,
            manner: Manner { recursion: self.recursion, dnssec: self.dnssec, payload: Some(UDP_PAYLOAD) },
            stream,
            stop: Stop::Count(self.count),
            timeout: Span::from_secs_f64(timeout / 1e3),
            retry: Span::from_secs_f64(retry / 1e3),
        })
    }
}
