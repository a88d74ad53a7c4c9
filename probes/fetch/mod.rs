//! `fetch`: how long does one object take, and where does the time go?
//!
//! A new connection each time, nothing kept from the one before: the name (the system's resolver), TCP (RFC 9293), TLS (RFC 8446), the
//! first byte of the body after the question (RFC 9110), and the rest of it, each timed apart and each a metric. The kernel's own
//! figures of the connection are taken every 100 ms and at its end. A status other than 2xx is said, and its times are
//! not mixed with those of answers; redirections are not followed unless asked for. What this cannot tell: the
//! server's computing from the way there (the connect time beside it helps), and what a browser does with the object.

mod once;
mod settings;

pub(crate) use once::{Fetched, Wanted, fetch};
pub use settings::{DESCRIPTOR, Http, Settings};

use crate::dial::Phase;
use crate::http::Url;
use crate::packets;
use crate::phases::{self, Fate};
use crate::probe::{Context, Descriptor, Measurement, Probe, ProbeError};
use crate::rounds::{Round, Rounds};
use crate::series::nearest_rank;
use crate::tls::{Client, Facts, Trust};
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::Outcome;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// The method with its settings.
#[derive(Clone, Debug)]
pub struct Fetch {
    settings: Settings,
}

impl Fetch {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        settings.check(0)?;
        Ok(Self { settings })
    }

    fn url(&self, context: &Context) -> Result<Url, ProbeError> {
        let url = Url::parse(&context.address).map_err(|problem| ProbeError::Resolve {
            host: context.address.clone(),
            source: io::Error::new(io::ErrorKind::InvalidInput, problem),
        })?;
        let Some(path) = &self.settings.path else { return Ok(url) };
        url.join(path).map_err(|problem| ProbeError::setting(DESCRIPTOR.name, "path", problem))
    }
}

#[async_trait]
impl Probe for Fetch {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let checked = self.settings.check(context.seed)?;
        let url = self.url(context)?;
        let trust = Trust { ca_file: self.settings.ca_file.clone(), insecure: self.settings.insecure };
        let wanted = Arc::new(Wanted {
            client: Client::new(&trust, self.settings.http.alpn())
                .map_err(|error| error.of_method(DESCRIPTOR.name))?,
            timeout: checked.timeout,
            answer: checked.answer,
            most_bytes: self.settings.most_bytes,
            follow: self.settings.follow,
        });
        let attempt = || {
            let (context, url, wanted) = (context.clone(), url.clone(), Arc::clone(&wanted));
            async move { fetch(&context, &url, &wanted).await }
        };
        // One at a time: two transfers would share the line.
        let rounds = Rounds::run(context, &DESCRIPTOR, &checked.pace, 1, attempt).await?;
        let mut samples = vec![
            rounds.sample(context, MetricId::FIRST_BYTE_TIME, Fetched::first_byte),
            rounds.sample(context, MetricId::TRANSFER_TIME, Fetched::transfer),
            rounds.sample(context, MetricId::CONNECT_TIME, |one| one.phase(Phase::Connect)),
        ];
        // An address needs no resolver, plain text no handshake.
        if rounds.each().any(|one| one.phase(Phase::Resolve) != Fate::NotReached) {
            samples.push(rounds.sample(context, MetricId::RESOLVE_TIME, |one| one.phase(Phase::Resolve)));
        }
        if url.secure {
            samples.push(rounds.sample(context, MetricId::TLS_TIME, |one| one.phase(Phase::Tls)));
        }
        samples[0].details = self.details(context, &url, &rounds.each().collect::<Vec<_>>());
        Ok(rounds.measurement(context, samples))
    }
}

impl Fetch {
    fn details(&self, context: &Context, url: &Url, all: &[&Fetched]) -> Map<String, Value> {
        let mut details = Map::new();
        packets::binding(context, &mut details);
        let last = all.iter().rev().find(|one| one.status.is_some());
        let facts = all.iter().rev().find_map(|one| one.facts.as_ref());
        let certificate = facts.and_then(|facts| facts.certificate.as_ref());
        let days = certificate.map(|c| (c.holds_for(context.clock.wall()).as_secs_f64() / 86_400.0).floor());
        let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
        for status in all.iter().filter_map(|one| one.status) {
            *statuses.entry(status.as_u16()).or_default() += 1;
        }
        let median = |of: fn(&Fetched) -> Option<Span>| {
            let mut times: Vec<Span> = all.iter().filter_map(|one| of(one)).collect();
            times.sort_unstable();
            json!(nearest_rank(&times, 0.5).map(Span::as_millis_f64))
        };
        let more = [
            ("url", json!(url.to_string())),
            ("address", json!(last.and_then(|one| one.address).map(|address| address.to_string()))),
            ("http", json!(last.and_then(|one| one.version))),
            ("status", json!(last.and_then(|one| one.status).map(|status| status.as_u16()))),
            ("statuses", json!(statuses)),
            ("redirections", json!(last.map(|one| one.redirections))),
            ("location", json!(last.and_then(|one| one.location.clone()))),
            ("body_bytes", json!(last.map(|one| one.bytes))),
            ("head_p50_ms", median(|one| one.head)),
            ("whole_p50_ms", median(|one| one.whole)),
            ("certificate_check", json!(facts.map(Facts::belief))),
            ("tls", json!(facts)),
            ("certificate_not_after", json!(certificate.map(|c| c.not_after.rfc3339()))),
            ("certificate_expires_in_days", json!(days)),
            ("tcp_info", json!(all.iter().map(|one| one.tcp).collect::<Vec<_>>())),
            ("tcp_samples", json!(last.map(|one| &one.sampled))),
            ("per_second", json!(self.settings.per_second)),
            ("timeout_ms", json!(self.settings.timeout_ms)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        details
    }
}

impl Round for Fetched {
    const NO_ROOM: &'static str = "the fetch before it was still under way";

    fn outcome(&self) -> Outcome<Span> {
        phases::outcome(self.first_byte(), self.failed.as_ref())
    }

    fn bytes(&self) -> u64 {
        self.bytes + 6_000
    }
}

#[cfg(test)]
mod tests;
