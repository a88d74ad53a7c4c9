//! `tls`: how long does a TLS handshake take, what is agreed on, and until when does the certificate hold?
//!
//! From our ClientHello to our Finished (RFC 8446 section 2), over a new TCP connection each time and never resumed, as often as a
//! pace asks. Name, TCP and TLS are timed apart. The certificate is checked as a browser would, against the system's
//! authorities and for the name that was asked; one that is not believed is no handshake, and is looked at once more
//! without belief so that its dates can be told. What this cannot tell: the far end's computing from the way there; a
//! TLS 1.3 handshake is one round trip and that computing, an earlier one two.

use crate::dial::{self, DialError, Dialled, Phase, Times, Why};
use crate::pace::{Pace, Stop as PaceStop, Stream};
use crate::packets;
use crate::phases::{self, Fate};
use crate::probe::{Context, Descriptor, Kind, Measurement, Probe, ProbeError};
use crate::resolve::split;
use crate::rounds::{Round, Rounds};
use crate::tls::{Client, Facts, Trust};
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::Outcome;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::io;
use std::path::PathBuf;

/// More handshakes at once than anybody needs; slots beyond are missed.
const AT_ONCE: usize = 16;

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "tls",
    version: 1,
    about: "TLS handshake time, what was agreed on, and until when the certificate holds",
    kind: Kind::Active,
    metrics: &["tls_time", "connect_time", "resolve_time"],
    loads_the_line: false,
    default_port: Some(443),
};

/// The settings as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Handshakes a second, on average.
    pub per_second: f64,
    /// How many are attempted.
    pub count: u64,
    /// When a phase counts as lost.
    pub timeout_ms: f64,
    /// The name in the certificate; the target's own where absent.
    pub server_name: Option<String>,
    /// The application protocols that are offered, in this order.
    pub alpn: Vec<String>,
    /// A PEM file of the only authorities that are believed; the system's where absent.
    pub ca_file: Option<PathBuf>,
    /// Believe any certificate.
    pub insecure: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            per_second: 1.0,
            count: 5,
            timeout_ms: 5_000.0,
            server_name: None,
            alpn: vec![String::from("h2"), String::from("http/1.1")],
            ca_file: None,
            insecure: false,
        }
    }
}

impl Settings {
    /// As relied on: the slots from this seed, and the timeout.
    fn check(&self, seed: u64) -> Result<(Pace, Span), ProbeError> {
        let wrong = |key: &str, problem: String| ProbeError::setting(DESCRIPTOR.name, key, problem);
        if !(0.001..=20.0).contains(&self.per_second) {
            return Err(wrong("per_second", format!("{} is not between 0.001 and 20", self.per_second)));
        }
        if !(1..=10_000).contains(&self.count) {
            return Err(wrong("count", format!("{} is not between 1 and 10000", self.count)));
        }
        if !(1.0..=60_000.0).contains(&self.timeout_ms) {
            return Err(wrong("timeout_ms", format!("{} is not between 1 and 60000", self.timeout_ms)));
        }
        if self.alpn.iter().any(|name| name.is_empty() || name.len() > 255) {
            return Err(wrong(
                "alpn",
                String::from("a protocol's name has 1 to 255 bytes; h2 and http/1.1 are usual"),
            ));
        }
        let stop = PaceStop::Count(self.count);
        let pace = Pace { stream: Stream::periodic(self.per_second), stop, seed };
        Ok((pace, Span::from_secs_f64(self.timeout_ms / 1e3)))
    }
}

/// The method with its settings.
#[derive(Clone, Debug)]
pub struct Handshake {
    settings: Settings,
}

impl Handshake {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        settings.check(0)?;
        Ok(Self { settings })
    }
}

/// What one attempt came to.
struct Attempt {
    times: Times,
    /// The phase that did not succeed, and why.
    failed: Option<(Phase, Why)>,
    facts: Option<Facts>,
}

impl Attempt {
    fn fate(&self, phase: Phase) -> Fate {
        phases::fate(&self.times, self.failed.as_ref(), phase)
    }
}

impl Round for Attempt {
    const NO_ROOM: &'static str = "too many attempts under way";

    fn outcome(&self) -> Outcome<Span> {
        phases::outcome(self.fate(Phase::Tls), self.failed.as_ref())
    }

    /// A handshake moves some 5 kB, most of them the server's certificates; a TCP handshake 7 segments.
    fn bytes(&self) -> u64 {
        378 + if self.times.tls.is_some() { 5_000 } else { 0 }
    }
}

#[async_trait]
impl Probe for Handshake {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let (pace, timeout) = self.settings.check(context.seed)?;
        let trust = Trust { ca_file: self.settings.ca_file.clone(), insecure: self.settings.insecure };
        let client = self.client(&trust)?;
        let (host, port) =
            split(&context.address, 443).filter(|(host, _)| !host.is_empty()).ok_or_else(|| {
                let source = io::Error::new(io::ErrorKind::InvalidInput, "not HOST or HOST:PORT");
                ProbeError::Resolve { host: context.address.clone(), source }
            })?;
        let attempt = || {
            let (context, client) = (context.clone(), client.clone());
            let (host, name) = (host.to_owned(), self.settings.server_name.clone());
            async move {
                let name = name.as_deref().unwrap_or(&host);
                match dial::dial_as(&context, name, &host, port, Some(&client), timeout).await {
                    Ok(Dialled { times, tls, .. }) => Ok(Attempt { times, failed: None, facts: tls }),
                    Err(DialError::There { phase, why, times }) => {
                        Ok(Attempt { times, failed: Some((phase, why)), facts: None })
                    }
                    Err(DialError::Here(error)) => Err(error),
                }
            }
        };
        let rounds = Rounds::run(context, &DESCRIPTOR, &pace, AT_ONCE, attempt).await?;
        let seen = match rounds.each().rev().find_map(|attempt| attempt.facts.clone()) {
            Some(facts) => Some(facts),
            None if context.stop.is_set() => None,
            None => self.look_without_belief(context, host, port, timeout).await,
        };
        let sample = |metric, phase| rounds.sample(context, metric, |attempt| attempt.fate(phase));
        let mut samples =
            vec![sample(MetricId::TLS_TIME, Phase::Tls), sample(MetricId::CONNECT_TIME, Phase::Connect)];
        // An address needs no resolver.
        if rounds.each().any(|attempt| attempt.fate(Phase::Resolve) != Fate::NotReached) {
            samples.push(sample(MetricId::RESOLVE_TIME, Phase::Resolve));
        }
        samples[0].details = self.details(context, seen.as_ref());
        Ok(rounds.measurement(context, samples))
    }
}

impl Handshake {
    fn client(&self, trust: &Trust) -> Result<Client, ProbeError> {
        let alpn: Vec<&str> = self.settings.alpn.iter().map(String::as_str).collect();
        Client::new(trust, &alpn).map_err(|error| error.of_method(DESCRIPTOR.name))
    }

    /// What a server shows whose certificate is not believed. Not timed.
    async fn look_without_belief(
        &self,
        context: &Context,
        host: &str,
        port: u16,
        within: Span,
    ) -> Option<Facts> {
        let client = self.client(&Trust { ca_file: None, insecure: true }).ok()?;
        let name = self.settings.server_name.as_deref().unwrap_or(host);
        dial::dial_as(context, name, host, port, Some(&client), within).await.ok()?.tls
    }

    fn details(&self, context: &Context, facts: Option<&Facts>) -> Map<String, Value> {
        let mut details = Map::new();
        packets::binding(context, &mut details);
        let certificate = facts.and_then(|facts| facts.certificate.as_ref());
        let days = certificate.map(|c| (c.holds_for(context.clock.wall()).as_secs_f64() / 86_400.0).floor());
        let more = [
            ("certificate_check", json!(facts.map(Facts::belief))),
            ("version", json!(facts.and_then(|facts| facts.version))),
            ("cipher", json!(facts.and_then(|facts| facts.cipher.clone()))),
            ("group", json!(facts.and_then(|facts| facts.group.clone()))),
            ("alpn", json!(facts.and_then(|facts| facts.alpn.clone()))),
            ("round_trips", json!(facts.map(|facts| facts.round_trips))),
            ("certificate_not_after", json!(certificate.map(|c| c.not_after.rfc3339()))),
            ("certificate_expires_in_days", json!(days)),
            ("certificate_issuer", json!(certificate.map(|c| c.issuer.clone()))),
            ("certificate", json!(certificate)),
            ("chain_length", json!(facts.map(|facts| facts.chain_length))),
            ("server_name", json!(self.settings.server_name)),
            ("per_second", json!(self.settings.per_second)),
            ("timeout_ms", json!(self.settings.timeout_ms)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        details
    }
}

#[cfg(test)]
mod tests;
