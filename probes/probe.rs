//! The seam of this package: what a method is, what it is given, and what it gives back.
//!
//! The agent and the command know no protocol. They take a method from the catalogue, hand it a [`Context`] and
//! get a [`Measurement`].

pub use crate::binding::{Binding, Family};

use crate::net::Net;
use crate::net::real::RealNet;
use crate::net::sim::SimNet;
use crate::tcp::{ConnectError, NoSocket};
use async_trait::async_trait;
use broadgauge_model::clock::{Clock, Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Counts, Direction, Load, Sample, Singleton, Statistic, Values};
use broadgauge_model::unit::Rate;
use serde::Serialize;
use serde_json::Map;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// How a method observes (RFC 7799).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It sends packets of its own.
    Active,
    /// It loads or changes one stream and watches it.
    HybridOne,
}

/// What a method is.
#[derive(Debug)]
pub struct Descriptor {
    /// Its name on the command line and in results.
    pub name: &'static str,
    /// Raised whenever its numbers shift.
    pub version: u32,
    /// What it does, for `--help`.
    pub about: &'static str,
    /// Active, passive or hybrid.
    pub kind: Kind,
    /// The ids of the metrics it yields.
    pub metrics: &'static [&'static str],
    /// Whether it fills the line: one such task per line and per peer at a time.
    pub loads_the_line: bool,
    /// The port it talks to unless the target names one.
    pub default_port: Option<u16>,
}

/// Something worth showing while a measurement runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A packet's fate is known.
    Singleton {
        /// Under which load.
        load: Load,
        /// The observation.
        singleton: Singleton,
    },
    /// A tenth of a second of payload was received.
    Rate {
        /// Which way.
        load: Load,
        /// Since the load started.
        at: Span,
        /// Received in this interval, over all streams.
        rate: Rate,
    },
    /// A hop of the way answered a probe, or did not in time.
    Hop {
        /// Its number.
        hop: u8,
        /// In which round.
        round: u32,
        /// Who answered, and after how long.
        answer: Option<(IpAddr, Span)>,
    },
    /// The measurement goes on to its next part.
    Phase(&'static str),
    /// The peer is busy with somebody else's load.
    Queued {
        /// How many are before us.
        ahead: u32,
    },
}

/// Who listens to a running measurement.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// A request to stop: the method ends at once and returns what it has.
#[derive(Clone, Debug)]
pub struct Stop(tokio::sync::watch::Receiver<bool>);

impl Stop {
    /// A stop and the handle that pulls it.
    pub fn new() -> (tokio::sync::watch::Sender<bool>, Self) {
        let (sender, receiver) = tokio::sync::watch::channel(false);
        (sender, Self(receiver))
    }

    /// A stop that nobody will pull.
    pub fn never() -> Self {
        Self::new().1
    }

    /// Whether it was pulled.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is pulled; for ever if the handle is gone.
    pub async fn wait(&mut self) {
        if self.0.wait_for(|set| *set).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// What a method is given.
#[derive(Clone)]
pub struct Context {
    /// The line that is measured.
    pub line_id: String,
    /// The target's name in results.
    pub target: String,
    /// Host name or address, with an optional port.
    pub address: String,
    /// Which address family to use; the resolver's first answer where `None`.
    pub family: Option<Family>,
    /// Through which door.
    pub binding: Binding,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The network that is measured over.
    pub net: Arc<dyn Net>,
    /// Makes schedules and payloads repeatable.
    pub seed: u64,
    /// Who watches.
    pub listener: Option<Listener>,
    /// Who may interrupt.
    pub stop: Stop,
}

impl Context {
    /// For one measurement by itself, over this machine's network, as a program for the lab or a test makes it: nobody
    /// watches, and nobody stops it.
    pub fn alone(address: &impl ToString, clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self {
            net: Arc::new(RealNet::new(Arc::clone(&clock))),
            line_id: String::from("line"),
            target: String::from("peer"),
            address: address.to_string(),
            family: None,
            binding: Binding::default(),
            clock,
            seed,
            listener: None,
            stop: Stop::never(),
        }
    }

    /// The same over a virtual network, by its clock.
    pub fn over(net: &SimNet, address: &impl ToString, seed: u64) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(net.clone());
        Self { net: Arc::new(net.clone()), ..Self::alone(address, clock, seed) }
    }

    /// A sample of this measurement, as most are: of the idle line, there and back. When it was taken and what else is told of
    /// it is left to be filled in.
    pub fn sample(&self, descriptor: &Descriptor, metric: MetricId, values: Values) -> Sample {
        Sample {
            metric,
            method: descriptor.name.to_owned(),
            method_version: descriptor.version,
            line_id: self.line_id.clone(),
            target: Some(self.target.clone()),
            load: Load::Idle,
            direction: Direction::RoundTrip,
            started_at: Wall::default(),
            lasted: Span::ZERO,
            statistic: Statistic::Singleton,
            values,
            counts: Counts::default(),
            details: Map::new(),
        }
    }

    /// Tells the listener, if there is one.
    pub fn tell(&self, event: Event) {
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }
}

/// What a method gives back.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// When it began.
    pub started_at: Wall,
    /// The samples, ready to be stored.
    pub samples: Vec<Sample>,
    /// Every singleton, by load, for those who want to look at them one by one; not stored.
    pub singletons: Vec<(Load, Vec<Singleton>)>,
    /// Bytes sent and received, for budgets.
    pub bytes_moved: u64,
    /// Whether somebody pulled the stop.
    pub interrupted: bool,
}

impl Measurement {
    /// One that begins at this time, and has nothing yet.
    pub const fn begun(started_at: Wall) -> Self {
        Self { started_at, samples: Vec::new(), singletons: Vec::new(), bytes_moved: 0, interrupted: false }
    }
}

/// Why nothing was asked of the network. A refusal by the network is an outcome, not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// A setting is wrong.
    #[error("setting {key} of method {method}: {problem}")]
    Setting {
        /// The method.
        method: &'static str,
        /// The key.
        key: String,
        /// What is wrong, and the cure.
        problem: String,
    },
    /// A target is misspelt.
    #[error("target {address:?}: {problem}")]
    Target {
        /// As it was written.
        address: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A name has no address.
    #[error("cannot resolve {host}")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        source: std::io::Error,
    },
    /// A socket cannot be had.
    #[error("cannot {what}")]
    Socket {
        /// What was tried: to open which kind, to bind it to which door.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// The system forbids it.
    #[error("not permitted: {what}; {cure}")]
    Forbidden {
        /// What is forbidden.
        what: String,
        /// How to allow it.
        cure: &'static str,
    },
    /// Nobody answers on the control channel, so nothing could be measured.
    #[error("cannot reach the peer at {address}")]
    Unreachable {
        /// Whom.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The peer answers, but not as agreed.
    #[error("the peer at {address} {problem}")]
    Peer {
        /// Whom.
        address: String,
        /// What is wrong.
        problem: String,
    },
}

impl From<NoSocket> for ProbeError {
    fn from(NoSocket { kind, source }: NoSocket) -> Self {
        if source.kind() == std::io::ErrorKind::PermissionDenied {
            let cure = "grant CAP_NET_RAW or run as root";
            return Self::Forbidden { what: format!("a {kind} socket"), cure };
        }
        Self::Socket { what: format!("open a {kind} socket"), source }
    }
}

impl ProbeError {
    /// There is no connection, and nothing can be measured without.
    pub fn unconnected(error: ConnectError, to: SocketAddr) -> Self {
        match error {
            ConnectError::Door(error) => error.into(),
            ConnectError::Here(source) | ConnectError::There(source) => {
                Self::Unreachable { address: to.to_string(), source }
            }
        }
    }

    /// A setting is wrong.
    pub fn setting(method: &'static str, key: &str, problem: impl Into<String>) -> Self {
        Self::Setting { method, key: key.to_owned(), problem: problem.into() }
    }
}

/// The value of a setting, where it lies between these two.
pub fn within(method: &'static str, key: &str, value: f64, least: f64, most: f64) -> Result<f64, ProbeError> {
    if value >= least && value <= most {
        return Ok(value);
    }
    Err(ProbeError::setting(method, key, format!("{value} is not between {least} and {most}")))
}

/// A method with its settings.
#[async_trait]
pub trait Probe: Send + Sync {
    /// What it is.
    fn describe(&self) -> &'static Descriptor;

    /// Measures once. `Err` means that nothing was asked of the network.
    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError>;
}
