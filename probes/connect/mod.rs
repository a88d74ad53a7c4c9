//! `connect`: how long does it take to open a TCP connection, and how often does it fail?
//!
//! From SYN to SYN-ACK (RFC 9293), timed by the kernel where it says so (`TCP_INFO`), as often as a pace asks. Nothing
//! is sent over the connections. What it cannot tell: a middlebox that answers for the target makes the target look
//! near; and a connect time is a round trip plus the target's own wait, so it is not a round-trip delay of the line.

mod driver;
pub mod meter;

use crate::pace::{Pace, Stop as PaceStop, Stream};
use crate::packets::{self, Spacing};
use crate::probe::{Context, Descriptor, Event, Kind, Measurement, Probe, ProbeError, within};
use crate::resolve::resolve;
use crate::series::nearest_rank;
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Load, Sample};
use driver::Plan;
use meter::{Attempt, Figures};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// SYN, SYN-ACK, ACK, and both FINs with their ACKs, 40 to 60 bytes each.
const BYTES_PER_CONNECTION: u64 = 7 * 54;

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "connect",
    version: 1,
    about: "TCP connect time, refusals and loss; HOST:443 for a web server",
    kind: Kind::Active,
    metrics: &["connect_time"],
    loads_the_line: false,
    default_port: Some(crate::throughput::DEFAULT_PORT),
};

/// The settings as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Connections a second, on average.
    pub per_second: f64,
    /// How they are spaced.
    pub spacing: Spacing,
    /// How many are attempted.
    pub count: u64,
    /// When an attempt counts as lost.
    pub timeout_ms: f64,
}

impl Default for Settings {
    /// Ten connections in five seconds, each lost after three seconds: the kernel has sent the SYN twice by then.
    fn default() -> Self {
        Self { per_second: 2.0, spacing: Spacing::Periodic, count: 10, timeout_ms: 3_000.0 }
    }
}

impl Settings {
    /// As relied on: the slots from this seed, and the timeout.
    fn check(&self, seed: u64) -> Result<(Pace, Span), ProbeError> {
        let within = |key, value, least, most| within(DESCRIPTOR.name, key, value, least, most);
        let rate = within("per_second", self.per_second, 0.001, 100.0)?;
        let timeout = within("timeout_ms", self.timeout_ms, 1.0, 60_000.0)?;
        within("count", self.count as f64, 1.0, 100_000.0)?;
        let stream = match self.spacing {
            Spacing::Periodic => Stream::periodic(rate),
            Spacing::Poisson => Stream::poisson(rate),
        };
        Ok((Pace { stream, stop: PaceStop::Count(self.count), seed }, Span::from_secs_f64(timeout / 1e3)))
    }
}

/// The method with its settings.
#[derive(Clone, Debug)]
pub struct Connect {
    settings: Settings,
}

impl Connect {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        settings.check(0)?;
        Ok(Self { settings })
    }
}

#[async_trait]
impl Probe for Connect {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let (pace, timeout) = self.settings.check(context.seed)?;
        let to = resolve(context, crate::throughput::DEFAULT_PORT).await?;
        let plan = Plan { to, binding: context.binding.clone(), pace, timeout };
        let (started_at, start) = (context.clock.wall(), context.clock.mono());
        let attempts = if context.net.is_virtual() {
            driver::run_virtual(&plan, context).await
        } else {
            // What no attempt could get, none is made for.
            drop(crate::tcp::open(to, &context.binding)?);
            on_a_thread(plan, context).await?
        };
        let figures = Figures::of(&attempts);
        let sample = Sample {
            started_at,
            lasted: context.clock.mono() - start,
            counts: figures.counts,
            details: self.details(&figures, to, context),
            ..context.sample(&DESCRIPTOR, MetricId::CONNECT_TIME, figures.values())
        };
        Ok(Measurement {
            started_at,
            samples: vec![sample],
            singletons: vec![(Load::Idle, attempts.iter().map(Attempt::singleton).collect())],
            bytes_moved: figures.counts.sent * BYTES_PER_CONNECTION,
            interrupted: context.stop.is_set(),
        })
    }
}

/// A thread of its own: a busy async worker would add its queue to every slot.
async fn on_a_thread(plan: Plan, context: &Context) -> Result<Vec<Attempt>, ProbeError> {
    let (done, result) = tokio::sync::oneshot::channel();
    let teller = context.clone();
    let work = move || {
        let attempts = driver::run(&plan, &*teller.clock, &teller.stop, |attempt| {
            teller.tell(Event::Singleton { load: Load::Idle, singleton: attempt.singleton() });
        });
        // Nobody waits any more where the asking task was dropped.
        drop(done.send(attempts));
    };
    let failed = |source| ProbeError::Socket { what: String::from("start the measuring thread"), source };
    std::thread::Builder::new().name(String::from("connect")).spawn(work).map_err(failed)?;
    result.await.map_err(|_| failed(std::io::Error::other("it ended without a result")))
}

impl Connect {
    fn details(&self, figures: &Figures, to: SocketAddr, context: &Context) -> Map<String, Value> {
        let mut details = Map::new();
        packets::binding(context, &mut details);
        let refused_after = nearest_rank(&figures.refused_after, 0.5).map(Span::as_millis_f64);
        let connected = figures.counts.received - figures.refused;
        let more = [
            ("address", json!(to.to_string())),
            ("connected", json!(connected)),
            ("refused", json!(figures.refused)),
            ("refused_after_p50_ms", json!(refused_after)),
            ("unreachable", json!(figures.unreachable)),
            ("syn_sent_again", json!(figures.again)),
            (
                "timed_by",
                json!({"kernel": figures.timed_by_kernel, "user": connected - figures.timed_by_kernel}),
            ),
            ("spacing", json!(self.settings.spacing)),
            ("per_second", json!(self.settings.per_second)),
            ("timeout_ms", json!(self.settings.timeout_ms)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        details
    }
}

#[cfg(test)]
mod tests;
