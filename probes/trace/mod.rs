//! Which way do packets go, and how long does each hop take to answer? By packets whose time to live runs out on the
//! way (RFC 792, RFC 4443), all in one flow, so that routers that spread traffic send all of them the same way
//! (Augustin et al., "Avoiding traceroute anomalies with Paris traceroute", 2006).
//!
//! Routers' errors are read from the socket's error queue (`IP_RECVERR`), so over UDP no privilege is needed at all, and
//! over ICMP none where the system lets everybody ping. What this cannot tell: the way back, which may be
//! another; a router's delay apart from its own time to answer; whether a silent hop lost the packet or only says
//! nothing; and routers that do not count a packet's time to live, which do not show.

mod path;
mod session;
#[cfg(test)]
mod tests;

pub use path::{Answer, Asked, Hop, Ladder, Path};
pub use session::{LEAST_PAYLOAD, Plan, Tracer};

use crate::codec::icmp_error::Trouble;
use crate::net::{End, Protocol, Wanted};
use crate::pace::{Pace, Stop, Stream};
use crate::packets;
use crate::probe::{Context, Descriptor, Event, Kind, Measurement, Probe, ProbeError, within};
use crate::resolve::resolve;
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Counts, Reason, Sample, Statistic, Values};
use broadgauge_model::unit::Ratio;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

/// The first of the ports that traceroute has always used.
const PORT: u16 = 33_434;
/// Fits a 9,000-byte link.
const LONGEST: usize = 8_952;
/// IPv4 and UDP or ICMP headers, and the same with IPv6.
const HEADERS: [usize; 2] = [28, 48];

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "trace",
    version: 1,
    about: "The way to the target: delay and loss hop by hop, in one flow, by ICMP or UDP",
    kind: Kind::Active,
    metrics: &["round_trip_delay", "loss_ratio", "hop_round_trip_delay"],
    loads_the_line: false,
    default_port: Some(PORT),
};

/// What probes are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// ICMP echo.
    #[default]
    Icmp,
    /// UDP to a port where nobody listens.
    Udp,
}

/// What the method can be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How many times each hop is asked.
    pub count: u32,
    /// Probes a second, over all hops.
    pub per_second: f64,
    /// When an answer counts as lost.
    pub timeout_ms: f64,
    /// What probes are made of.
    pub protocol: Carrier,
    /// The first hop that is asked.
    pub first_hop: u8,
    /// The last.
    pub max_hops: u8,
    /// How many silent hops are asked beyond the last that answered.
    pub silent_hops: u8,
    /// The payload of a probe behind its UDP or ICMP header.
    pub payload_bytes: usize,
}

impl Default for Settings {
    /// Ten rounds of 25 probes a second, up to 30 hops.
    fn default() -> Self {
        Self {
            count: 10,
            per_second: 25.0,
            timeout_ms: 3_000.0,
            protocol: Carrier::Icmp,
            first_hop: 1,
            max_hops: 30,
            silent_hops: 8,
            payload_bytes: 32,
        }
    }
}

impl Settings {
    fn check(&self) -> Result<(), ProbeError> {
        let within = |key, value, least, most| within(DESCRIPTOR.name, key, value, least, most);
        within("per_second", self.per_second, 0.01, 10_000.0)?;
        within("timeout_ms", self.timeout_ms, 1.0, 60_000.0)?;
        within("max_hops", self.max_hops.into(), 1.0, 255.0)?;
        within("first_hop", self.first_hop.into(), 1.0, self.max_hops.into())?;
        within("silent_hops", self.silent_hops.into(), 1.0, 255.0)?;
        // Each probe of a trace needs a number of its own in ICMP's sixteen bits.
        let hops = f64::from(self.max_hops - self.first_hop + 1);
        within("count", self.count.into(), 1.0, (f64::from(u16::MAX) / hops).floor())?;
        within("payload_bytes", self.payload_bytes as f64, LEAST_PAYLOAD as f64, LONGEST as f64)?;
        Ok(())
    }

    const fn ladder(&self) -> Ladder {
        Ladder { rounds: self.count, first: self.first_hop, last: self.max_hops, silent: self.silent_hops }
    }
}

/// The probe.
pub struct Trace {
    settings: Settings,
}

impl Trace {
    /// With these settings.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        settings.check()?;
        Ok(Self { settings })
    }
}

#[async_trait]
impl Probe for Trace {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let settings = &self.settings;
        let to = resolve(context, PORT).await?;
        let udp = settings.protocol == Carrier::Udp;
        let protocol = if udp { Protocol::Udp } else { Protocol::Icmp };
        let net = Arc::clone(&context.net);
        let plain = Wanted::plain(protocol, End::To(to), &context.binding);
        let wanted = Wanted { transmit_stamps: true, reports: true, ..plain };
        let mut rng = ChaCha8Rng::seed_from_u64(context.seed ^ 0x7472_6163);
        let (identifier, cookie) = (rng.random(), rng.random());
        let slots = u64::from(settings.count) * u64::from(settings.max_hops);
        let pace = Pace {
            stream: Stream::periodic(settings.per_second),
            // Missed slots take no probe with them, so that there must be more slots than probes.
            stop: Stop::Count(slots.saturating_mul(1_000)),
            seed: context.seed,
        };
        let plan = Plan {
            pace,
            ladder: settings.ladder(),
            timeout: Span::from_secs_f64(settings.timeout_ms / 1e3),
            protocol,
            to: to.ip(),
            payload_bytes: settings.payload_bytes,
            identifier,
            cookie,
        };
        let watcher = watcher(context);
        let ran = packets::run(net, wanted, context.stop.clone(), move |socket| {
            let identifier = if socket.is_raw() { identifier } else { socket.local().port() };
            Tracer::new(Plan { identifier, ..plan }, watcher)
        });
        let (tracer, door) = ran.await.map_err(|error| match error {
            ProbeError::Forbidden { what, .. } => ProbeError::Forbidden {
                what,
                cure: "trace by UDP, which needs no privilege (--set protocol=udp), or allow datagram sockets with \
                       `sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"`",
            },
            other => other,
        })?;
        Ok(measurement(context, settings, to, &tracer.close(), &door))
    }
}

fn watcher(context: &Context) -> Option<session::Watcher> {
    let listener = context.listener.clone()?;
    Some(Box::new(move |asked| {
        let answer = asked.in_time().map(|answer| answer.from).zip(asked.delay());
        listener(Event::Hop { hop: asked.ttl, round: asked.round, answer });
    }))
}

/// The samples: the target first, then hop by hop.
fn measurement(
    context: &Context,
    settings: &Settings,
    to: SocketAddr,
    path: &Path,
    door: &packets::Door,
) -> Measurement {
    let target = to.ip();
    let (reached, last) = (path.reached(target), path.last(target));
    let hops = path.hops(target);
    let lasted = context.clock.mono() - path.start.mono;
    let sample = |metric, statistic, values, counts, details| Sample {
        started_at: path.start.wall,
        lasted,
        statistic,
        counts,
        details,
        ..context.sample(&DESCRIPTOR, metric, values)
    };
    let there = hops.iter().find(|hop| Some(hop.number) == reached);
    let (delay, loss, counts) = if let Some(hop) = there {
        // What another said at this hop is no answer of the target: the way changed meanwhile.
        let answered: Vec<Span> = path
            .asked
            .iter()
            .filter(|a| a.ttl == hop.number && a.in_time().is_some_and(|answer| answer.from == target))
            .filter_map(Asked::delay)
            .collect();
        let received = answered.len() as u64;
        let counts = Counts { received, lost: hop.counts.sent - received, ..hop.counts };
        let loss = Ratio::of(counts.lost, counts.sent).map_or(0.0, |ratio| ratio.0);
        (histogram(&answered), Values::Number(loss), counts)
    } else {
        let why = not_reached(&hops, path);
        (Values::Unmeasured(why.clone()), Values::Unmeasured(why), Counts::default())
    };
    let mut samples = vec![
        sample(
            MetricId::ROUND_TRIP_DELAY,
            Statistic::Singleton,
            delay,
            counts,
            details(context, settings, to, path, door, reached, last),
        ),
        sample(MetricId::LOSS_RATIO, Statistic::Mean, loss, counts, Map::new()),
    ];
    samples.extend(hops.iter().map(|hop| {
        let values = histogram(&hop.delays);
        sample(MetricId::HOP_ROUND_TRIP_DELAY, Statistic::Singleton, values, hop.counts, beside(hop))
    }));
    let (sent, heard) = (path.asked.iter().filter(|a| a.failed.is_none()).count() as u64, path.arrivals);
    let bytes = (settings.payload_bytes + HEADERS[usize::from(to.is_ipv6())]) as u64;
    Measurement {
        started_at: path.start.wall,
        samples,
        singletons: Vec::new(),
        bytes_moved: (sent + heard) * bytes,
        interrupted: context.stop.is_set(),
    }
}

/// One tick is a microsecond; rounded, so that nothing is biased down.
fn histogram(delays: &[Span]) -> Values {
    Values::Histogram(Histogram::of(delays.iter().map(|delay| (delay.0 + 500).div_euclid(1_000))))
}

fn not_reached(hops: &[Hop], path: &Path) -> Reason {
    let failed = path.asked.iter().find_map(|asked| asked.failed);
    Reason(match (hops.last(), failed) {
        (None, Some(why)) => format!("no probe could be sent: {why}"),
        (None, None) => String::from("nobody on the way answered"),
        (Some(hop), _) => {
            let said = hop.said.keys().flatten().max().map_or("nothing", |trouble| trouble.word());
            let who = hop.addresses.first().map_or_else(String::new, |(address, _)| format!(", {address},"));
            format!(
                "the target did not answer; the last that did is hop {}{who} which said: {said}",
                hop.number
            )
        }
    })
}

/// What stands beside the delay to a hop.
fn beside(hop: &Hop) -> Map<String, Value> {
    let said: Map<String, Value> = hop
        .said
        .iter()
        .map(|(trouble, count)| (trouble.map_or("reached", Trouble::word).replace(' ', "_"), json!(count)))
        .collect();
    let addresses = hop.addresses.iter().map(|(a, n)| json!({"address": a, "answers": n})).collect();
    Map::from_iter([
        ("hop".to_owned(), json!(hop.number)),
        ("address".to_owned(), json!(hop.addresses.first().map(|(address, _)| address))),
        ("addresses".to_owned(), Value::Array(addresses)),
        ("said".to_owned(), Value::Object(said)),
        ("ttl".to_owned(), json!(hop.ttl_left)),
    ])
}

fn details(
    context: &Context,
    settings: &Settings,
    to: SocketAddr,
    path: &Path,
    door: &packets::Door,
    reached: Option<u8>,
    last: Option<u8>,
) -> Map<String, Value> {
    let mut details = Map::new();
    packets::binding(context, &mut details);
    let address = if settings.protocol == Carrier::Udp { to.to_string() } else { to.ip().to_string() };
    let (out, back) = path.kernel_stamps();
    let heard = path.asked.iter().filter(|asked| asked.in_time().is_some()).count() as u64;
    let stamps = |kernel: u64| json!({"kernel": kernel, "user": heard - kernel});
    let more = [
        ("address", json!(address)),
        ("protocol", json!(settings.protocol)),
        ("socket", json!(if door.raw { "raw" } else { "datagram" })),
        ("reached_at_hop", json!(reached)),
        ("last_hop", json!(last)),
        ("payload_bytes", json!(settings.payload_bytes)),
        ("per_second", json!(settings.per_second)),
        ("timeout_ms", json!(settings.timeout_ms)),
        ("stamps", json!({"transmit": stamps(out), "receive": stamps(back)})),
        ("slots_missed", json!(path.slots_missed)),
        ("duplicates", json!(path.duplicates)),
        ("unrecognised", json!(path.unrecognised)),
        ("short_quotes", json!(path.short_quotes)),
        ("broken", json!(door.broken)),
    ];
    details.extend(more.map(|(key, value)| (key.to_owned(), value)));
    details
}
