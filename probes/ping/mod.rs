//! How long does an echo take there and back, and how many are lost? By ICMP echo (RFC 792, RFC 4443).
//!
//! Goes by datagram socket where the system lets everybody ping, else by raw socket where this process may, and
//! says what is missing where neither is open. What this cannot tell: the direction of a loss, the far end's own
//! share of the delay (routers answer pings when they have time), and one-way delay. Many networks treat
//! ICMP unlike traffic of customers.

pub mod session;

use crate::codec::icmp::Version;
use crate::net::{End, Protocol, Wanted};
use crate::packets::{self, Settings};
use crate::probe::{Context, Descriptor, Kind, Measurement, Probe, ProbeError};
use crate::resolve::resolve;
use async_trait::async_trait;
use broadgauge_model::result::Load;
use serde_json::{Map, json};
use session::{LEAST_PAYLOAD, Pinger, Plan};
use std::sync::Arc;

/// What everybody's `ping` sends.
const USUAL: usize = 56;
/// Fits a 9,000-byte link.
const LONGEST: usize = 8_952;
/// IPv4 and ICMP headers, and IPv6 and ICMP headers.
const HEADERS: [usize; 2] = [28, 48];

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "ping",
    version: 1,
    about: "Round-trip delay, its variation, loss and reordering, by ICMP echo",
    kind: Kind::Active,
    metrics: &["round_trip_delay", "delay_variation", "interpacket_delay_variation", "loss_ratio"],
    loads_the_line: false,
    default_port: None,
};

/// The probe.
pub struct Ping {
    settings: Settings,
}

impl Ping {
    /// With these settings.
    pub const fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Whether the settings can be used, told before anything is asked.
    pub fn check(&self) -> Result<(), ProbeError> {
        self.settings.check(DESCRIPTOR.name, 0)?;
        self.payload_bytes().map(|_| ())
    }

    fn payload_bytes(&self) -> Result<usize, ProbeError> {
        let bytes = self.settings.payload_bytes.unwrap_or(USUAL);
        if (LEAST_PAYLOAD..=LONGEST).contains(&bytes) {
            return Ok(bytes);
        }
        Err(ProbeError::setting(
            DESCRIPTOR.name,
            "payload_bytes",
            format!("{bytes} is not between {LEAST_PAYLOAD} and {LONGEST}"),
        ))
    }
}

#[async_trait]
impl Probe for Ping {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let (pace, timeout) = self.settings.check(DESCRIPTOR.name, context.seed)?;
        let payload_bytes = self.payload_bytes()?;
        let to = resolve(context, 0).await?;
        let net = Arc::clone(&context.net);
        let plain = Wanted::plain(Protocol::Icmp, End::To(to), &context.binding);
        let wanted = Wanted { transmit_stamps: true, ..plain };
        let plan = Plan {
            pace,
            timeout,
            version: if to.is_ipv4() { Version::V4 } else { Version::V6 },
            payload_bytes,
            // No seed makes these: another process, or a stranger, must not come upon them.
            identifier: rand::random(),
            cookie: rand::random(),
        };
        let watcher = packets::watcher(context, Load::Idle);
        let (pinger, door) =
            packets::run(net, wanted, context.stop.clone(), move |_| Pinger::new(plan, watcher)).await?;
        let mut details = Map::new();
        packets::binding(context, &mut details);
        let more = [
            ("address", json!(to.ip().to_string())),
            ("socket", json!(if door.raw { "raw" } else { "datagram" })),
            ("payload_bytes", json!(payload_bytes)),
            ("spacing", json!(self.settings.spacing)),
            ("per_second", json!(self.settings.per_second)),
            ("timeout_ms", json!(self.settings.timeout_ms)),
            ("broken", json!(door.broken)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        let bytes = payload_bytes + HEADERS[usize::from(to.is_ipv6())];
        Ok(packets::measurement(context, &DESCRIPTOR, (&pinger.close(), &door), bytes as u64, None, details))
    }
}
