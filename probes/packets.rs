//! Runs a session of packets for a probe: settings, a thread of its own, and the books turned into samples.

use crate::books::Books;
use crate::crowd;
use crate::exchange::Watcher;
use crate::figures::{Figures, figures};
use crate::net::{ClockState, Datagrams, Net, NetError, Wanted};
use crate::pace::{Pace, Stop as PaceStop, Stream};
use crate::probe::{Context, Descriptor, Event, Measurement, ProbeError, Stop, within};
use crate::session::{Session, attend, drive};
use broadgauge_model::clock::Span;
use broadgauge_model::result::{Load, Sample};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::io;
use std::sync::Arc;

/// More packets than anybody needs in one measurement; each is kept in memory until its end.
const MOST_PACKETS: u64 = 5_000_000;

/// How packets are spaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// A fixed gap after a random start (RFC 3432).
    #[default]
    Periodic,
    /// Exponential gaps (RFC 2330).
    Poisson,
}

/// What every method that sends packets on a pace can be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Packets a second, on average.
    pub per_second: f64,
    /// How they are spaced.
    pub spacing: Spacing,
    /// For how long they are sent.
    pub duration_s: f64,
    /// How many are sent, instead of for how long.
    pub count: Option<u64>,
    /// When an answer counts as lost.
    pub timeout_ms: f64,
    /// The payload of a packet behind its UDP or ICMP header; the method's own where it is left out.
    pub payload_bytes: Option<usize>,
}

impl Default for Settings {
    /// Ten seconds of ten packets a second, each lost after three (ITU-T Y.1540).
    fn default() -> Self {
        Self {
            per_second: 10.0,
            spacing: Spacing::Periodic,
            duration_s: 10.0,
            count: None,
            timeout_ms: 3_000.0,
            payload_bytes: None,
        }
    }
}

impl Settings {
    /// As relied on: the slots from this seed, and the timeout.
    pub fn check(&self, method: &'static str, seed: u64) -> Result<(Pace, Span), ProbeError> {
        let wrong = |key: &str, problem: String| ProbeError::setting(method, key, problem);
        let within = |key, value, least, most| within(method, key, value, least, most);
        let rate = within("per_second", self.per_second, 0.001, 100_000.0)?;
        let timeout = within("timeout_ms", self.timeout_ms, 1.0, 60_000.0)?;
        let stream = match self.spacing {
            Spacing::Periodic => Stream::periodic(rate),
            Spacing::Poisson => Stream::poisson(rate),
        };
        let stop = match self.count {
            Some(0) => return Err(wrong("count", String::from("0 packets measure nothing; give 1 or more"))),
            Some(count) => PaceStop::Count(count),
            None => {
                PaceStop::After(Span::from_secs_f64(within("duration_s", self.duration_s, 0.001, 86_400.0)?))
            }
        };
        let pace = Pace { stream, stop, seed };
        if pace.expected() > MOST_PACKETS {
            let problem = format!("{} packets in one measurement; at most {MOST_PACKETS}", pace.expected());
            return Err(wrong("per_second", problem));
        }
        Ok((pace, Span::from_secs_f64(timeout / 1e3)))
    }
}

/// What the socket knew about itself.
#[derive(Clone, Debug)]
pub struct Door {
    /// What the clock said at the start.
    pub clock: ClockState,
    /// Whether the socket was raw.
    pub raw: bool,
    /// What ended the session before its time.
    pub broken: Option<String>,
}

impl From<NetError> for ProbeError {
    fn from(error: NetError) -> Self {
        match error {
            NetError::IcmpForbidden { datagram, raw } => Self::Forbidden {
                what: format!("ICMP echo (datagram socket: {datagram}; raw socket: {raw})"),
                cure: "allow datagram sockets with `sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"`, or raw ones \
                       with `setcap cap_net_raw+ep` on this program",
            },
            NetError::Socket { what, source } => Self::Socket { what, source },
        }
    }
}

/// A session whose packets are further apart than this shares a thread with others.
const HAS_TIME: Span = Span::millis(50);

/// Opens the socket, lets `make` build the session for it, and runs that to its end: on a thread of its own, or on that of
/// the sessions that have time; on virtual time there are no threads. A busy async worker would add its queue to every slot.
pub async fn run<S: Session + Send + 'static>(
    net: Arc<dyn Net>,
    wanted: Wanted,
    stop: Stop,
    make: impl FnOnce(&dyn Datagrams) -> S + Send + 'static,
) -> Result<(S, Door), ProbeError> {
    let socket = net.datagrams(&wanted)?;
    let session = make(&*socket);
    let clock = socket.clock_state();
    let (done, result) = tokio::sync::oneshot::channel();
    let told = move |session, socket: Box<dyn Datagrams>, ended: io::Result<()>| {
        let broken = ended.err().map(|why| why.to_string());
        // Nobody waits any more where the asking task was dropped.
        drop(done.send((session, Door { clock, raw: socket.is_raw(), broken })));
    };
    if net.is_virtual() {
        let (mut session, mut socket) = (session, socket);
        let ended = attend(&mut session, &mut *socket, &|| stop.is_set()).await;
        told(session, socket, ended);
    } else if session.typical_gap() >= HAS_TIME && socket.descriptor().is_some() {
        let stop = stop.clone();
        crowd::seat(session, socket, Box::new(move || stop.is_set()), told).map_err(thread)?;
    } else {
        let (mut session, mut socket) = (session, socket);
        let work = move || {
            let ended = drive(&mut session, &mut *socket, &|| stop.is_set());
            told(session, socket, ended);
        };
        std::thread::Builder::new().name(String::from("packets")).spawn(work).map_err(thread)?;
    }
    result.await.map_err(|_| thread(io::Error::other("it ended without a result")))
}

fn thread(source: io::Error) -> ProbeError {
    ProbeError::Socket { what: String::from("start the measuring thread"), source }
}

/// Passes each fate on to the context's listener.
pub fn watcher(context: &Context, load: Load) -> Option<Watcher> {
    let listener = context.listener.clone()?;
    Some(Box::new(move |singleton| listener(Event::Singleton { load, singleton })))
}

/// The measurement that the books make, and its figures.
pub fn measurement(
    context: &Context,
    descriptor: &Descriptor,
    (books, door): (&Books, &Door),
    packet_bytes: u64,
    one_way_refused: Option<&str>,
    mut details: Map<String, Value>,
) -> Measurement {
    let figures = figures(books);
    let lasted = context.clock.mono() - books.start.mono;
    describe(&figures, books, &mut details);
    let counts = figures.counts;
    let samples = figures
        .observed(one_way_refused)
        .into_iter()
        .enumerate()
        .map(|(i, observed)| Sample {
            direction: observed.direction,
            started_at: books.start.wall,
            lasted,
            statistic: observed.statistic,
            counts: observed.counts,
            details: if i == 0 { details.clone() } else { Map::new() },
            ..context.sample(descriptor, observed.metric, observed.values)
        })
        .collect();
    Measurement {
        started_at: books.start.wall,
        samples,
        singletons: vec![(Load::Idle, books.singletons())],
        bytes_moved: (counts.sent + counts.received + counts.duplicate) * packet_bytes,
        interrupted: context.stop.is_set() || door.broken.is_some(),
    }
}

/// What the binding was, as results record it.
pub fn binding(context: &Context, details: &mut Map<String, Value>) {
    details.insert(String::from("interface"), json!(context.binding.interface));
    details.insert(String::from("source"), json!(context.binding.source));
    details.insert(String::from("dscp"), json!(context.binding.dscp));
}

fn describe(figures: &Figures, books: &Books, details: &mut Map<String, Value>) {
    let strays = books.strays;
    let ms = |span: Option<Span>| json!(span.map(Span::as_millis_f64));
    let mut shares = figures.far_share.clone();
    shares.sort_unstable();
    let both_ways = figures.reordered_each_way;
    let more = [
        ("stamps", json!({"transmit": figures.transmit, "receive": figures.receive})),
        ("send_lateness_p50_ms", ms(figures.lateness(0.5))),
        ("send_lateness_p99_ms", ms(figures.lateness(0.99))),
        ("peer_time_p50_ms", ms(crate::series::nearest_rank(&shares, 0.5))),
        ("lost_direction_unknown", json!(figures.lost_somewhere)),
        ("unanswered_at_stop", json!(figures.cut)),
        ("loss_periods", json!(figures.periods.periods)),
        ("longest_loss_period", json!(figures.periods.longest)),
        ("reordering_extent", json!(figures.reordering_extent)),
        ("reordered_forward", json!(both_ways.map(|both| both.0))),
        ("reordered_backward", json!(both_ways.map(|both| both.1))),
        ("duplicate_forward", json!(strays.doubled_forward)),
        ("duplicate_backward", json!(strays.doubled_backward)),
        ("unrecognised", json!(strays.unrecognised)),
        ("forged", json!(strays.forged)),
        ("unreachable", json!(strays.unreachable)),
        ("clock_steps", json!(figures.clock_steps)),
        ("peer_stamps_refused", json!(figures.far_stamps_refused)),
        ("peer_clock_ahead_at_least_ms", ms(figures.far_clock_ahead.map(|bounds| bounds.0))),
        ("peer_clock_ahead_at_most_ms", ms(figures.far_clock_ahead.map(|bounds| bounds.1))),
        ("peer_clock_moved", json!(figures.far_clock_moved)),
        ("ttl", json!(figures.ttl)),
    ];
    details.extend(more.map(|(key, value)| (key.to_owned(), value)));
}
