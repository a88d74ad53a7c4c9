//! What the method is, and its settings.

use crate::codec::iperf3::{PORT, Parameters, Transport};
use crate::probe::{Descriptor, Kind, ProbeError};
use broadgauge_model::clock::Span;
use serde::{Deserialize, Serialize};

/// What the method is.
pub static DESCRIPTOR: Descriptor = Descriptor {
    name: "iperf3",
    version: 1,
    about: "payload rate of TCP or UDP streams against an iperf3 server, with loss and jitter of UDP",
    kind: Kind::Active,
    metrics: &["download_goodput", "upload_goodput", "loss_ratio", "interpacket_delay_variation"],
    loads_the_line: true,
    default_port: Some(PORT),
};

/// What carries the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// Which ways payload goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directions {
    /// Download only: what iperf3 calls reverse.
    Down,
    /// Upload only.
    Up,
    /// Download, then upload: two tests.
    #[default]
    Both,
    /// Both at once: one test.
    Bidirectional,
}

/// One test on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ways {
    pub(super) up: bool,
    pub(super) down: bool,
}

impl Directions {
    pub(super) const fn tests(self) -> &'static [Ways] {
        const DOWN: Ways = Ways { up: false, down: true };
        const UP: Ways = Ways { up: true, down: false };
        match self {
            Self::Down => &[DOWN],
            Self::Up => &[UP],
            Self::Both => &[DOWN, UP],
            Self::Bidirectional => &[Ways { up: true, down: true }],
        }
    }
}

impl Ways {
    pub(super) const fn word(self) -> &'static str {
        match (self.up, self.down) {
            (true, true) => "both ways",
            (true, false) => "upload",
            _ => "download",
        }
    }
}

/// The settings as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Streams at once in each direction.
    pub streams: usize,
    /// How long each test lasts behind what is omitted, in whole seconds.
    pub duration_s: f64,
    /// The start of a test that does not count, in whole seconds; 2 with TCP and 0 with UDP where absent.
    pub omit_s: Option<u32>,
    /// Which ways.
    pub direction: Directions,
    /// The rate of each stream; with UDP 1 Mbit/s where absent, with TCP unlimited. 0 is unlimited.
    pub bandwidth_mbps: Option<f64>,
    /// The length of a block: with UDP the payload of a packet, 1448 where absent; with TCP 128 KiB.
    pub block_bytes: Option<u32>,
    /// The congestion control of the senders, such as `cubic` or `bbr`; each system's own where absent.
    pub congestion: Option<String>,
    /// The socket buffers of both ends; each system's own where absent.
    pub window_bytes: Option<u32>,
    /// The largest TCP segment; the system's own where absent.
    pub segment_bytes: Option<u32>,
    /// Whether TCP sends small segments at once.
    pub no_delay: bool,
    /// How long to ask a busy server again before giving up.
    pub queue_patience_s: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            protocol: Protocol::Tcp,
            streams: 1,
            duration_s: 10.0,
            omit_s: None,
            direction: Directions::Both,
            bandwidth_mbps: None,
            block_bytes: None,
            congestion: None,
            window_bytes: None,
            segment_bytes: None,
            no_delay: false,
            queue_patience_s: 30,
        }
    }
}

impl Settings {
    pub(super) const fn duration(&self) -> Span {
        Span::secs(self.duration_s as i64)
    }

    pub(super) fn omit(&self) -> Span {
        let of_itself = match self.protocol {
            Protocol::Tcp => 2,
            Protocol::Udp => 0,
        };
        Span::secs(self.omit_s.unwrap_or(of_itself).into())
    }

    pub(super) fn bits_per_second(&self) -> u64 {
        let of_itself = match self.protocol {
            Protocol::Tcp => 0.0,
            Protocol::Udp => 1.0,
        };
        (self.bandwidth_mbps.unwrap_or(of_itself) * 1e6).round() as u64
    }

    pub(super) fn block(&self) -> u32 {
        self.block_bytes.unwrap_or(match self.protocol {
            Protocol::Tcp => 128 * 1024,
            Protocol::Udp => 1_448,
        })
    }

    /// What the server is asked for.
    pub(super) fn parameters(&self, ways: Ways, dscp: Option<u8>) -> Parameters {
        Parameters {
            transport: match self.protocol {
                Protocol::Tcp => Transport::Tcp,
                Protocol::Udp => Transport::Udp,
            },
            omit_s: (self.omit().0 / 1_000_000_000) as u64,
            time_s: self.duration_s as u64,
            segment_bytes: self.segment_bytes.unwrap_or(0).into(),
            no_delay: self.no_delay,
            streams: self.streams as u64,
            reverse: ways.down && !ways.up,
            bidirectional: ways.down && ways.up,
            window_bytes: self.window_bytes.unwrap_or(0).into(),
            block_bytes: self.block().into(),
            bandwidth_bps: self.bits_per_second(),
            tos: u64::from(dscp.unwrap_or(0)) << 2,
            congestion: self.congestion.clone(),
            wide_counters: self.protocol == Protocol::Udp,
            client_version: Some(format!("broadgauge {}", env!("CARGO_PKG_VERSION"))),
            ..Parameters::default()
        }
    }

    pub(super) fn check(self) -> Result<Self, ProbeError> {
        let wrong = |key: &str, problem: &str| {
            let (key, problem) = (key.to_owned(), problem.to_owned());
            Err(ProbeError::Setting { method: DESCRIPTOR.name, key, problem })
        };
        let udp = self.protocol == Protocol::Udp;
        if self.streams == 0 || self.streams > 128 {
            return wrong("streams", "must be 1 to 128");
        }
        if !(1.0..=3_600.0).contains(&self.duration_s) || self.duration_s.fract() != 0.0 {
            return wrong("duration_s", "must be 1 to 3600, in whole seconds: iperf3 knows no parts of one");
        }
        if self.omit_s.is_some_and(|omit| omit > 60) {
            return wrong("omit_s", "must be 0 to 60");
        }
        if !self.bandwidth_mbps.is_none_or(|rate| rate == 0.0 || (0.001..=400_000.0).contains(&rate)) {
            return wrong("bandwidth_mbps", "must be 0.001 to 400000, or 0 for unlimited");
        }
        let (least, most) = if udp { (16, 65_507) } else { (1, 1_048_576) };
        if self.block_bytes.is_some_and(|block| block < least || block > most) {
            return wrong("block_bytes", "must be 16 to 65507 with udp, and at most 1048576 with tcp");
        }
        if self.congestion.as_ref().is_some_and(|name| name.is_empty() || name.len() > 15) {
            let cure = "must be a name of 1 to 15 letters; see net.ipv4.tcp_available_congestion_control";
            return wrong("congestion", cure);
        }
        if self.window_bytes.is_some_and(|window| window == 0 || window > 512 * 1024 * 1024) {
            return wrong("window_bytes", "must be 1 to 536870912");
        }
        if self.segment_bytes.is_some_and(|segment| !(88..=9_216).contains(&segment)) {
            return wrong("segment_bytes", "must be 88 to 9216");
        }
        if udp && (self.congestion.is_some() || self.segment_bytes.is_some() || self.no_delay) {
            return wrong("protocol", "udp has no congestion, segment_bytes or no_delay");
        }
        Ok(self)
    }
}
