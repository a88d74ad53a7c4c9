//! How long does a resolver take to answer, and how often does it fail? By DNS over UDP and TCP (RFC 1035, RFC 7766), TLS
//! (RFC 7858) and HTTPS (RFC 8484).
//!
//! The target is the resolver, asked directly: no cache of this machine stands between. The time runs from the
//! question to the answer, over UDP from the first packet of a lookup, whatever was sent again; connections are
//! timed apart. What was sent again, cut and answered with which code is counted. What this cannot tell: whether
//! the answer came from the resolver's cache, unless `fresh` asks for names that no cache can know; whether a
//! middlebox answered in the resolver's name; and whether the answer is true.

mod https;
mod lookup;
mod once;
mod over;
mod session;
mod settings;
mod stream;
#[cfg(test)]
mod tests;
mod udp;

pub use lookup::{Fate, Figures, Lookup};
pub use session::{Plan, Strays, Stub};
pub use settings::{DESCRIPTOR, Settings, Transport};

use crate::packets;
use crate::phases;
use crate::probe::{Context, Descriptor, Measurement, Probe, ProbeError};
use crate::resolve::{resolve, split};
use crate::tls::{Client, Trust};
use async_trait::async_trait;
use broadgauge_model::clock::{Mono, Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Load, Sample, Statistic, Values};
use once::{Once, Secure};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// A question and an answer with their headers, roughly.
const BYTES_PER_LOOKUP: u64 = 200;

/// The probe.
pub struct Dns {
    settings: Settings,
    checked: settings::Checked,
}

impl Dns {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        let checked = settings.check()?;
        Ok(Self { settings, checked })
    }
}

#[async_trait]
impl Probe for Dns {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let to = resolve(context, self.settings.transport.port()).await?;
        let began = (context.clock.wall(), context.clock.mono());
        let mut details = Map::new();
        packets::binding(context, &mut details);
        let asked = [
            ("address", json!(to.to_string())),
            ("transport", json!(self.settings.transport)),
            ("name", json!(self.checked.question.name())),
            ("query_type", json!(self.checked.question.kind())),
            ("fresh", json!(self.settings.fresh)),
            ("recursion", json!(self.settings.recursion)),
            ("dnssec", json!(self.settings.dnssec)),
            ("per_second", json!(self.settings.per_second)),
            ("spacing", json!(self.settings.spacing)),
            ("timeout_ms", json!(self.settings.timeout_ms)),
        ];
        details.extend(asked.map(|(key, value)| (key.to_owned(), value)));
        let (lookups, duplicates) = match self.settings.transport {
            Transport::Udp => self.over_udp(context, to, &mut details).await?,
            Transport::Tcp | Transport::Tls | Transport::Https => {
                (self.over_connections(context, to, &mut details).await?, 0)
            }
        };
        Ok(measurement(context, began, &lookups, duplicates, details))
    }
}

impl Dns {
    async fn over_udp(
        &self,
        context: &Context,
        to: SocketAddr,
        details: &mut Map<String, Value>,
    ) -> Result<(Vec<Lookup>, u64), ProbeError> {
        let plan = Plan {
            pace: self.checked.pace(context.seed),
            timeout: self.checked.timeout,
            retry: self.checked.retry,
            tries: self.settings.tries,
            to,
            source: context.binding.source,
            question: self.checked.question.clone(),
            fresh: self.settings.fresh,
            manner: self.checked.manner,
            seed: context.seed,
        };
        let ran = udp::run(context, plan).await?;
        let more = [
            ("retry_ms", json!(self.settings.retry_ms)),
            ("tries", json!(self.settings.tries)),
            ("kernel_transmit_stamps", json!(ran.kernel_stamps)),
            ("wrong_source", json!(ran.strays.wrong_source)),
            ("wrong_id", json!(ran.strays.wrong_id)),
            ("wrong_question", json!(ran.strays.wrong_question)),
            ("malformed", json!(ran.strays.malformed)),
            ("unreachable", json!(ran.strays.unreachable)),
            ("broken", json!(ran.door.broken)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        Ok((ran.lookups, ran.duplicates))
    }

    /// How questions are kept private, where they are.
    fn secure(&self, context: &Context) -> Result<Option<Secure>, ProbeError> {
        let (alpn, path): (&[&str], _) = match self.settings.transport {
            Transport::Udp | Transport::Tcp => return Ok(None),
            Transport::Tls => (&["dot"], None),
            Transport::Https => (&["h2", "http/1.1"], Some(self.settings.path.clone())),
        };
        let trust = Trust { ca_file: self.settings.ca_file.clone(), insecure: self.settings.insecure };
        let client = Client::new(&trust, alpn).map_err(|error| error.of_method(DESCRIPTOR.name))?;
        let host = split(&context.address, 0).map_or("", |(host, _)| host);
        let name = self.settings.server_name.clone().unwrap_or_else(|| host.to_owned());
        Ok(Some(Secure { client, name, path }))
    }

    async fn over_connections(
        &self,
        context: &Context,
        to: SocketAddr,
        details: &mut Map<String, Value>,
    ) -> Result<Vec<Lookup>, ProbeError> {
        // What no lookup could get, none is made for.
        if !context.net.is_virtual() {
            drop(crate::tcp::open(to, &context.binding)?);
        }
        let Settings { fresh, .. } = self.settings;
        let (manner, timeout) = (self.checked.manner, self.checked.timeout);
        let pace = self.checked.pace(context.seed);
        let secure = self.secure(context)?;
        let ran = over::run(context, &pace, |index| {
            let mut rng = ChaCha8Rng::seed_from_u64(context.seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let label = format!("bg{:016x}", rng.random::<u64>());
            let question = if fresh { self.checked.question.under(&label).ok() } else { None };
            let question = question.unwrap_or_else(|| self.checked.question.clone());
            let once = Once { to, question, manner, timeout, id: rng.random(), secure: secure.clone() };
            let context = context.clone();
            async move { over::lookup(&context, &once).await }
        })
        .await;
        let more = [
            ("certificate_name", json!(secure.as_ref().map(|secure| &secure.name))),
            ("certificate_checked", json!(secure.as_ref().map(|secure| secure.client.checks()))),
            ("wrong_id", json!(ran.strays.wrong_id)),
            ("wrong_question", json!(ran.strays.wrong_question)),
            ("malformed", json!(ran.strays.malformed)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        Ok(ran.lookups)
    }
}

fn measurement(
    context: &Context,
    (started_at, start): (Wall, Mono),
    lookups: &[Lookup],
    duplicates: u64,
    mut details: Map<String, Value>,
) -> Measurement {
    let mut figures = Figures::of(lookups);
    figures.counts.duplicate = duplicates;
    figures.describe(&mut details);
    let counts = figures.counts;
    let lasted: Span = context.clock.mono() - start;
    let sample = |metric, statistic, values, details| Sample {
        started_at,
        lasted,
        statistic,
        counts,
        details,
        ..context.sample(&DESCRIPTOR, metric, values)
    };
    let loss = broadgauge_model::unit::Ratio::of(counts.lost, counts.sent);
    let loss = loss.map_or_else(|| figures.values(), |ratio| Values::Number(ratio.0));
    let mut samples = vec![
        sample(MetricId::DNS_TIME, Statistic::Singleton, figures.values(), details),
        sample(MetricId::LOSS_RATIO, Statistic::Mean, loss, Map::new()),
    ];
    // A phase counts those who reached its end, whatever became of their lookups.
    for (metric, times) in
        [(MetricId::CONNECT_TIME, &figures.connects), (MetricId::TLS_TIME, &figures.handshakes)]
    {
        if !times.is_empty() {
            let took: Vec<_> = times.iter().map(|&time| phases::Fate::Took(time)).collect();
            let (values, counts) = phases::tally(&took);
            let plain = sample(metric, Statistic::Singleton, values, Map::new());
            samples.push(Sample { counts, ..plain });
        }
    }
    Measurement {
        started_at,
        samples,
        singletons: vec![(Load::Idle, lookups.iter().map(Lookup::singleton).collect())],
        bytes_moved: (counts.sent + figures.sent_again) * BYTES_PER_LOOKUP,
        interrupted: context.stop.is_set(),
    }
}
