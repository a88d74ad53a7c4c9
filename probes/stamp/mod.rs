//! How long does a packet take there and back, each way, and how many are lost? By STAMP (RFC 8762).
//!
//! The far end is any STAMP or TWAMP-Light reflector; ours ([`peer`]) keeps a count of its answers, which tells the
//! direction of a loss. What this cannot tell: one-way delay, unless both clocks are kept by a time service; and
//! what the network card adds, for stamps are the kernel's.

pub mod peer;
pub mod serve;
pub mod session;

use crate::codec::ntp::ErrorEstimate;
use crate::codec::stamp::{Key, Mode, PORT};
use crate::codec::stamp_tlv::Wishes;
use crate::net::{ClockState, End, Protocol, Wanted};
use crate::packets::{self, Door, Settings};
use crate::probe::{Context, Descriptor, Kind, Measurement, Probe, ProbeError};
use crate::resolve::resolve;
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use broadgauge_model::result::Load;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use session::{Beside, Plan, Sender};
use std::net::SocketAddr;
use std::sync::Arc;

/// RFC 8762 section 4.2.1: 255, so that hops can be counted.
const TTL: u8 = 255;
/// Fits a 9,000-byte link.
const LONGEST: usize = 8_952;
/// IPv4 and UDP headers, and IPv6 and UDP headers.
const HEADERS: [usize; 2] = [28, 48];

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "stamp",
    version: 1,
    about: "Round-trip and one-way delay, its variation, loss by direction and reordering, by STAMP (RFC 8762)",
    kind: Kind::Active,
    metrics: &[
        "round_trip_delay",
        "one_way_delay",
        "delay_variation",
        "interpacket_delay_variation",
        "loss_ratio",
    ],
    loads_the_line: false,
    default_port: Some(PORT),
};

/// What is asked of the reflector beside the base packet (RFC 8972).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Extensions {
    /// From which address and port our packets seem to come: another than ours shows a translator on the way.
    pub location: bool,
    /// How the reflector takes its stamps.
    pub timestamp_information: bool,
    /// Under which DSCP our packets arrive; the replies are to have this one.
    pub reply_dscp: Option<u8>,
    /// The reflector's own counts.
    pub direct_measurement: bool,
}

impl Extensions {
    /// The settings that are these.
    pub const KEYS: [&'static str; 4] =
        ["location", "timestamp_information", "reply_dscp", "direct_measurement"];

    const fn none() -> Self {
        Self { location: false, timestamp_information: false, reply_dscp: None, direct_measurement: false }
    }

    /// As relied on.
    pub fn check(self) -> Result<Self, ProbeError> {
        match self.reply_dscp {
            Some(dscp) if dscp > 63 => Err(ProbeError::setting(
                DESCRIPTOR.name,
                "reply_dscp",
                format!("{dscp} is not between 0 and 63"),
            )),
            _ => Ok(self),
        }
    }

    fn wishes(self) -> Wishes {
        Wishes {
            location: self.location,
            timestamps: self.timestamp_information,
            reply_dscp: self.reply_dscp,
            counters: self.direct_measurement.then_some(0),
        }
    }
}

/// The probe.
pub struct Stamp {
    settings: Settings,
    extensions: Extensions,
    key: Option<Key>,
    haste: bool,
}

impl Stamp {
    /// With these settings, open.
    pub const fn new(settings: Settings) -> Self {
        Self { settings, extensions: Extensions::none(), key: None, haste: false }
    }

    /// Asking for more than base packets carry.
    #[must_use]
    pub fn with_extensions(self, extensions: Extensions) -> Self {
        Self { extensions, ..self }
    }

    /// In authenticated mode.
    #[must_use]
    pub fn with_key(self, key: Key) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Not waiting long for the last answers, for something else waits with them.
    #[must_use]
    pub fn in_haste(self) -> Self {
        Self { haste: true, ..self }
    }

    /// Whether the settings can be used, told before anything is asked.
    pub fn check(&self) -> Result<(), ProbeError> {
        self.settings.check(DESCRIPTOR.name, 0)?;
        self.payload_bytes(&self.mode()).map(|_| ())
    }

    fn mode(&self) -> Mode {
        self.key.clone().map_or(Mode::Open, Mode::Authenticated)
    }

    fn payload_bytes(&self, mode: &Mode) -> Result<usize, ProbeError> {
        let base = mode.base() + self.extensions.wishes().length(self.key.is_some());
        match self.settings.payload_bytes {
            None => Ok(base),
            Some(bytes) if bytes == base || (base + 4..=LONGEST).contains(&bytes) => Ok(bytes),
            Some(bytes) => Err(ProbeError::setting(
                DESCRIPTOR.name,
                "payload_bytes",
                format!("{bytes} is neither {base} nor between {} and {LONGEST}", base + 4),
            )),
        }
    }
}

#[async_trait]
impl Probe for Stamp {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let to = resolve(context, PORT).await?;
        let ran = exchange(self, context, to, Load::Idle).await?;
        let bytes = ran.payload_bytes + HEADERS[usize::from(to.is_ipv6())];
        Ok(packets::measurement(
            context,
            &DESCRIPTOR,
            (&ran.books, &ran.door),
            bytes as u64,
            ran.one_way_refused().as_deref(),
            ran.details(context, to, self),
        ))
    }
}

/// A finished exchange, before it is named.
#[derive(Debug)]
pub struct Ran {
    /// The books.
    pub books: crate::books::Books,
    /// The socket.
    pub door: Door,
    /// What the far clock said of itself.
    pub far_clock: Option<ErrorEstimate>,
    /// What the reflector said beside the base packets.
    pub beside: Beside,
    /// The UDP payload of each packet.
    pub payload_bytes: usize,
}

/// Sends a stream to one reflector. Other methods use this for the delay under their load: the watcher of the context
/// is told of each packet under `load`.
pub async fn exchange(
    probe: &Stamp,
    context: &Context,
    to: SocketAddr,
    load: Load,
) -> Result<Ran, ProbeError> {
    let (pace, timeout) = probe.settings.check(DESCRIPTOR.name, context.seed)?;
    let mode = probe.mode();
    let payload_bytes = probe.payload_bytes(&mode)?;
    let wishes = probe.extensions.wishes();
    let net = Arc::clone(&context.net);
    let plain = Wanted::plain(Protocol::Udp, End::To(to), &context.binding);
    let wanted = Wanted { ttl: Some(TTL), transmit_stamps: true, ..plain };
    let ssid = ChaCha8Rng::seed_from_u64(context.seed ^ 0x5353_4944).random_range(1..=u16::MAX);
    let (watcher, haste) = (packets::watcher(context, load), probe.haste);
    let (sender, door) = packets::run(net, wanted, context.stop.clone(), move |socket| {
        let clock = estimate(socket.clock_state());
        let plan = Plan { pace, timeout, mode, packet_bytes: payload_bytes, ssid, clock, wishes };
        let sender = Sender::new(plan, watcher);
        if haste { sender.in_haste() } else { sender }
    })
    .await?;
    let (books, far_clock, beside) = sender.close();
    Ok(Ran { books, door, far_clock, beside, payload_bytes })
}

/// RFC 8972 table 7.
const fn clock_source(number: u8) -> &'static str {
    match number {
        1 => "ntp",
        2 => "ptp",
        3 => "ssu/bits",
        4 => "satellite",
        5 => "free-running",
        _ => "unknown",
    }
}

/// RFC 8972 table 8.
const fn stamp_method(number: u8) -> &'static str {
    match number {
        1 => "hardware",
        2 => "software",
        3 => "control plane",
        _ => "unknown",
    }
}

/// What packets say of a clock.
pub fn estimate(clock: ClockState) -> ErrorEstimate {
    ErrorEstimate::new(clock.synchronised, clock.error)
}

impl Ran {
    /// Why one-way delay is not a figure; `None` where both clocks are kept.
    pub fn one_way_refused(&self) -> Option<String> {
        let far = self.far_clock?;
        match (self.door.clock.synchronised, far.synchronised()) {
            (true, true) => None,
            (false, true) => Some(String::from("this machine's clock is not synchronised")),
            (true, false) => Some(String::from("the peer's clock is not synchronised")),
            (false, false) => Some(String::from("neither clock is synchronised")),
        }
    }

    fn extensions(&self) -> Value {
        let told = self.beside.last;
        let class = |octet: Option<u8>| octet.map(|o| json!({"dscp": o >> 2, "ecn": o & 3}));
        let location = told
            .location
            .map(|l| json!({"from": l.from, "from_port": l.from_port, "to": l.to, "to_port": l.to_port}));
        let stamps = told.timestamps.map(|[kept, taken, kept_out, taken_out]| {
            json!({
                "receive": {"clock": clock_source(kept), "stamp": stamp_method(taken)},
                "transmit": {"clock": clock_source(kept_out), "stamp": stamp_method(taken_out)},
            })
        });
        let counts = told.counters.map(
            |(sent, received, answered)| json!({"sent": sent, "received": received, "answered": answered}),
        );
        json!({
            "location": location,
            "timestamp_information": stamps,
            "class_on_arrival": class(told.class),
            "class_of_reply": class(self.beside.reply_class),
            "reply_dscp_refused": told.dscp_refused,
            "direct_measurement": counts,
            "unrecognised": self.beside.unrecognised,
            "malformed": self.beside.malformed,
            "disbelieved": self.beside.disbelieved,
            "forged": self.beside.forged,
        })
    }

    fn details(&self, context: &Context, to: SocketAddr, probe: &Stamp) -> Map<String, Value> {
        // Of a clock that nobody sets, the system only gives the largest error it has, which estimates nothing.
        let clock = |synchronised: bool, error: Option<Span>| {
            let error = error.filter(|_| synchronised);
            json!({"synchronised": synchronised, "error_ms": error.map(Span::as_millis_f64)})
        };
        let near = self.door.clock;
        let mut details = Map::new();
        packets::binding(context, &mut details);
        let more = [
            ("address", json!(to.to_string())),
            ("authenticated", json!(probe.key.is_some())),
            ("payload_bytes", json!(self.payload_bytes)),
            ("spacing", json!(probe.settings.spacing)),
            ("per_second", json!(probe.settings.per_second)),
            ("timeout_ms", json!(probe.settings.timeout_ms)),
            ("clock", clock(near.synchronised, Some(near.error))),
            ("peer_clock", json!(self.far_clock.map(|far| clock(far.synchronised(), far.error())))),
            ("broken", json!(self.door.broken)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        if probe.extensions != Extensions::none() {
            details.insert(String::from("extensions"), self.extensions());
        }
        details
    }
}
