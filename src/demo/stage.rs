//! The two far ends of the demo, each behind a line of its own: one for the own operator, one for a peer operator.

use super::relay::{Line, Relay, Way};
use super::town;
use broadgauge_model::clock::{Span, SystemClock};
use broadgauge_model::unit::Rate;
use broadgauge_probes::codec::stamp::Mode;
use broadgauge_probes::net::NetError;
use broadgauge_probes::net::real::RealNet;
use broadgauge_probes::probe::{Binding, Stop};
use broadgauge_probes::stamp::serve::{Serving, serve};
use broadgauge_probes::throughput::peer::Peer;
use broadgauge_probes::{stamp, throughput};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// One operator's line and what answers behind it.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Who sells the line.
    pub operator: &'static str,
    /// The address on which the relay stands in for the line.
    address: Ipv4Addr,
    /// The line's true figures.
    pub line: Line,
}

const fn way(mbps: f64, delay_ms: i64, jitter_ms: i64, loss: f64, buffer_ms: f64) -> Way {
    Way {
        rate: Rate::mbps(mbps),
        delay: Span::millis(delay_ms),
        jitter: Span::millis(jitter_ms),
        loss,
        buffer: (mbps * 1e6 / 8.0 * buffer_ms / 1e3) as u64,
    }
}

/// The two lines. The own one is longer, loses more, and its buffers are deeper.
pub const SCENES: [Scene; 2] = [
    Scene {
        operator: town::OWN,
        address: Ipv4Addr::new(127, 0, 71, 1),
        line: Line { down: way(50.0, 8, 4, 0.005, 120.0), up: way(10.0, 8, 2, 0.005, 180.0), seed: 1 },
    },
    Scene {
        operator: town::PEERS[0],
        address: Ipv4Addr::new(127, 0, 71, 2),
        line: Line { down: way(50.0, 5, 2, 0.001, 40.0), up: way(20.0, 5, 1, 0.001, 50.0), seed: 2 },
    },
];

/// A far end at work behind its line. Dropping it ends both.
pub struct Actor {
    /// Which line it is behind.
    pub scene: Scene,
    /// Where an agent finds its STAMP reflector.
    pub stamp: SocketAddr,
    /// Where an agent finds the far end of loads and connections.
    pub streams: SocketAddr,
    _relay: Relay,
    _reflector: Serving,
    peer: JoinHandle<()>,
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.peer.abort();
    }
}

/// Why the demo has no far end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// No reflector.
    #[error("cannot start the reflector of {operator}")]
    Reflector {
        /// Whose.
        operator: &'static str,
        /// Why.
        source: NetError,
    },
    /// No port or no thread for the rest.
    #[error("cannot start the far end of {operator}")]
    FarEnd {
        /// Whose.
        operator: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// Starts the far end of one scene and the relay in front of it.
pub async fn enter(scene: Scene, clock: SystemClock, stop: Stop) -> Result<Actor, StageError> {
    let operator = scene.operator;
    let far = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let any_port = SocketAddr::new(far, 0);
    let net = RealNet::new(Arc::new(clock));
    let limits = stamp::peer::Limits::default();
    let reflector = serve(&net, any_port, &Binding::default(), Mode::Open, limits)
        .map_err(|source| StageError::Reflector { operator, source })?;
    let stamp_port = reflector.address().port();
    let failed = |source| StageError::FarEnd { operator, source };
    let peer =
        Peer::bind(any_port, throughput::peer::Limits::default(), Some(stamp_port)).await.map_err(failed)?;
    let stream_port = peer.address().map_err(failed)?.port();
    let near = IpAddr::V4(scene.address);
    let relay = Relay::start(near, far, stream_port, stamp_port, scene.line).map_err(failed)?;
    Ok(Actor {
        scene,
        stamp: SocketAddr::new(relay.address(), stamp_port),
        streams: SocketAddr::new(relay.address(), stream_port),
        _relay: relay,
        _reflector: reflector,
        peer: tokio::spawn(peer.serve(Arc::new(clock), stop)),
    })
}
