//! How much does the path carry at the IP layer? By load over UDP whose rate follows what the receiver sees (RFC 9097,
//! search algorithm B), against a peer of our own.
//!
//! The maximum is that of whole seconds, headers of IP and UDP counted, as the receiver counted them; the mean
//! stands beside it. The protocol is our own ([`crate::codec::capacity`]): it carries out the search of RFC 9097, and does not
//! speak to other tools. What this cannot tell: what TCP would get (that is less, by headers and by its own caution); and
//! anything above the rate that this machine can send or the peer allows, which the result says.

mod client;
mod meter;
pub mod peer;
mod search;
mod sender;
pub mod serve;
#[cfg(test)]
mod tests;

pub use crate::codec::capacity::PORT as DEFAULT_PORT;

use crate::codec::capacity::{LEAST_LOAD, Way, Wish};
use crate::net::{End, Protocol, Wanted};
use crate::packets::{self, Door};
use crate::probe::{Context, Descriptor, Event, Kind, Measurement, Probe, ProbeError, within};
use crate::resolve::resolve;
use crate::throughput::Directions;
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Counts, Direction, Load, Reason, Sample, Statistic, Values};
use broadgauge_model::unit::Rate;
use client::{Client, Failure, News, Plan, Ran};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

/// IPv4 and UDP headers, and IPv6 and UDP headers.
const HEADERS: [usize; 2] = [28, 48];

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "capacity",
    version: 1,
    about: "IP-layer capacity over UDP, down and up, by the search of RFC 9097",
    kind: Kind::Active,
    metrics: &["download_capacity", "upload_capacity"],
    loads_the_line: true,
    default_port: Some(DEFAULT_PORT),
};

/// The settings as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How long each direction is loaded.
    pub duration_s: u32,
    /// Which directions, one after the other.
    pub direction: Directions,
    /// UDP payload of each load packet.
    pub payload_bytes: u16,
    /// The rate at the IP layer that is not exceeded.
    pub most_mbps: f64,
    /// How long to wait behind other tests before giving up.
    pub queue_patience_s: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            duration_s: 10,
            direction: Directions::Both,
            payload_bytes: 1_222,
            most_mbps: 10_000.0,
            queue_patience_s: 300,
        }
    }
}

impl Settings {
    fn check(&self) -> Result<(), ProbeError> {
        let within = |key, value, least, most| within(DESCRIPTOR.name, key, value, least, most);
        within("duration_s", self.duration_s.into(), 2.0, 30.0)?;
        within("payload_bytes", self.payload_bytes.into(), LEAST_LOAD as f64, 8_952.0)?;
        within("most_mbps", self.most_mbps, 0.5, 40_000.0)?;
        Ok(())
    }
}

/// The probe.
pub struct Capacity {
    settings: Settings,
}

impl Capacity {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        settings.check()?;
        Ok(Self { settings })
    }
}

#[async_trait]
impl Probe for Capacity {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let to = resolve(context, DEFAULT_PORT).await?;
        let started_at = context.clock.wall();
        let (mut samples, mut bytes_moved) = (Vec::new(), 0);
        for (number, way) in (0_u64..).zip(self.settings.direction.ways()) {
            if context.stop.is_set() {
                break;
            }
            let load = way.load();
            let way = if load == Load::Down { Way::Down } else { Way::Up };
            context.tell(Event::Phase(if way == Way::Down { "download" } else { "upload" }));
            let asked_at = context.clock.wall();
            let (ran, door) = match self.one(context, to, way, number).await {
                Ok(came) => came,
                // What was measured before is worth having.
                Err(error) if !samples.is_empty() => {
                    let why = error.to_string();
                    samples.extend([Statistic::Max, Statistic::Mean].map(|statistic| Sample {
                        started_at: asked_at,
                        statistic,
                        ..sample(context, (way, load), Values::Unmeasured(Reason(why.clone())))
                    }));
                    continue;
                }
                Err(error) => return Err(error),
            };
            // Where nobody answered at all, nothing was asked of the line.
            if let (true, Some(why)) = (samples.is_empty() && ran.packets == 0, ran.failure) {
                return Err(refused(to, why));
            }
            bytes_moved += ran.packets * self.ip_bytes(to);
            samples.extend(self.samples(context, to, (way, load), &ran, &door));
        }
        Ok(Measurement {
            started_at,
            samples,
            singletons: Vec::new(),
            bytes_moved,
            interrupted: context.stop.is_set(),
        })
    }
}

fn refused(to: SocketAddr, why: Failure) -> ProbeError {
    let address = to.to_string();
    match why {
        Failure::Silent => ProbeError::Unreachable {
            address,
            source: std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer over UDP"),
        },
        Failure::Refused(why) => {
            ProbeError::Peer { address, problem: format!("refused the test: {}", why.words()) }
        }
        Failure::Busy(ahead) => ProbeError::Peer {
            address,
            problem: format!("was busy and still has {ahead} tests before ours; raise queue_patience_s"),
        },
        Failure::Gone => {
            ProbeError::Peer { address, problem: String::from("fell silent before the load began") }
        }
    }
}

impl Capacity {
    fn ip_bytes(&self, to: SocketAddr) -> u64 {
        u64::from(self.settings.payload_bytes) + HEADERS[usize::from(to.is_ipv6())] as u64
    }

    async fn one(
        &self,
        context: &Context,
        to: SocketAddr,
        way: Way,
        number: u64,
    ) -> Result<(Ran, Door), ProbeError> {
        let net = Arc::clone(&context.net);
        let wanted = Wanted::plain(Protocol::Udp, End::To(to), &context.binding);
        let mut rng = ChaCha8Rng::seed_from_u64(context.seed ^ number ^ 0x6361_7061);
        let plan = Plan {
            wish: Wish {
                way,
                payload: self.settings.payload_bytes,
                millis: self.settings.duration_s * 1_000,
                most_kbps: (self.settings.most_mbps * 1e3) as u32,
            },
            headers: HEADERS[usize::from(to.is_ipv6())],
            number: rng.random(),
            patience: Span::secs(i64::from(self.settings.queue_patience_s)),
        };
        let watcher = watcher(context, if way == Way::Down { Load::Down } else { Load::Up });
        let ran = packets::run(net, wanted, context.stop.clone(), move |_| Client::new(plan, watcher));
        let (client, door) = ran.await?;
        Ok((client.close(), door))
    }

    /// The maximum and the mean of one direction.
    fn samples(
        &self,
        context: &Context,
        to: SocketAddr,
        ways: (Way, Load),
        ran: &Ran,
        door: &Door,
    ) -> Vec<Sample> {
        let whole = self.settings.duration_s as usize;
        let seconds = &ran.seconds[..ran.seconds.len().min(whole)];
        let told: Vec<Option<f64>> = seconds
            .iter()
            .map(|bytes| bytes.and_then(|bytes| Rate::of(bytes, meter::SECOND)).map(Rate::as_mbps))
            .collect();
        let rates: Vec<f64> = told.iter().copied().flatten().collect();
        let most = rates.iter().copied().reduce(f64::max);
        let mean = (!rates.is_empty()).then(|| rates.iter().sum::<f64>() / rates.len() as f64);
        let values = |value: Option<f64>| {
            value.map_or_else(|| Values::Unmeasured(Reason(why_none(ran).to_owned())), Values::Number)
        };
        let sent = ran.packets + ran.lost;
        let counts = Counts {
            planned: sent,
            sent,
            received: ran.packets,
            lost: ran.lost,
            duplicate: ran.duplicates,
            reordered: ran.reordered,
            ..Counts::default()
        };
        let sample = |statistic, value, details| Sample {
            started_at: ran.started.wall,
            lasted: Span::secs(i64::from(self.settings.duration_s)),
            statistic,
            counts,
            details,
            ..sample(context, ways, values(value))
        };
        vec![
            sample(Statistic::Max, most, self.details(context, to, ran, door, &told)),
            sample(Statistic::Mean, mean, Map::new()),
        ]
    }

    fn details(
        &self,
        context: &Context,
        to: SocketAddr,
        ran: &Ran,
        door: &Door,
        rates: &[Option<f64>],
    ) -> Map<String, Value> {
        let mut details = Map::new();
        packets::binding(context, &mut details);
        let at_limit = ran.most_kbps.is_some_and(|most| ran.highest_row >= search::highest(most));
        let more = [
            ("address", json!(to.to_string())),
            ("protocol", json!("broadgauge-capacity")),
            ("search", json!("RFC 9097 B")),
            ("counted_at", json!("IP layer, by the receiver")),
            ("payload_bytes", json!(self.settings.payload_bytes)),
            ("seconds_mbps", json!(rates)),
            ("highest_rate_mbps", json!(search::rate(ran.highest_row) as f64 / 1e6)),
            ("rate_limit_mbps", json!(ran.most_kbps.map(|most| f64::from(most) / 1e3))),
            ("rate_limit_reached", json!(at_limit)),
            ("rate_falls", json!(ran.falls)),
            ("worst_mean_delay_above_least_ms", json!(ran.worst_delay.as_millis_f64())),
            ("packets_skipped_by_this_machine", json!(ran.skipped)),
            ("unrecognised", json!(ran.unrecognised)),
            ("unreachable", json!(ran.unreachable)),
            ("ended_early", json!(ran.failure.map(|_| why_none(ran)))),
            ("broken", json!(door.broken)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        details
    }
}

/// A sample of one direction.
fn sample(context: &Context, (way, load): (Way, Load), values: Values) -> Sample {
    let (metric, direction) = match way {
        Way::Down => (MetricId::DOWNLOAD_CAPACITY, Direction::Down),
        Way::Up => (MetricId::UPLOAD_CAPACITY, Direction::Up),
    };
    Sample { load, direction, ..context.sample(&DESCRIPTOR, metric, values) }
}

const fn why_none(ran: &Ran) -> &'static str {
    match ran.failure {
        Some(Failure::Silent) => "the peer did not answer",
        Some(Failure::Refused(why)) => why.words(),
        Some(Failure::Busy(_)) => "the peer was busy",
        Some(Failure::Gone) => "the peer fell silent",
        None => "no whole second was measured",
    }
}

/// Passes on the queue, and a rate for each second.
fn watcher(context: &Context, load: Load) -> Option<Box<dyn FnMut(News) + Send>> {
    let listener = context.listener.clone()?;
    let (mut bytes, mut took) = (0, Span::ZERO);
    Some(Box::new(move |news| match news {
        News::Queued(ahead) => listener(Event::Queued { ahead }),
        News::Interval(at, more, span) => {
            bytes += more;
            took = took + span;
            if took >= meter::SECOND
                && let Some(rate) = Rate::of(std::mem::take(&mut bytes), std::mem::take(&mut took))
            {
                listener(Event::Rate { load, at, rate });
            }
        }
    }))
}
