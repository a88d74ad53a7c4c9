//! The connections that load the line, and how much they have moved.
//!
//! A download is counted where its body is read; an upload by what the far end's TCP has acknowledged, for what was only handed
//! to the kernel may still be in a buffer. A connection that ends before its time is replaced by a new one.

use crate::dial::{DialError, Times, dial_address};
use crate::http::{Another, HttpError, Payload, Session, Url, Version, Windows};
use crate::probe::Context;
use crate::throughput::Way;
use crate::tls::Client;
use broadgauge_model::clock::Span;
use http_body_util::BodyExt;
use hyper::Method;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use tokio::task::{JoinHandle, JoinSet};

/// An upload is never done: more than any line takes in the longest test.
const ENDLESS: u64 = 1 << 50;
/// A download may be large, but no single connection reads for ever.
const WINDOWS: Windows = Windows { stream: 16 << 20, connection: 16 << 20 };

/// How much either end lets wait in itself before it is sent.
pub(super) const UNSENT: u32 = 16 * 1024;

/// Where connections of a test go.
#[derive(Clone)]
pub(super) struct Road {
    pub(super) context: Context,
    pub(super) client: Client,
    /// Where to connect to.
    pub(super) address: SocketAddr,
    pub(super) timeout: Span,
}

/// Why there is no connection with which one can go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoadError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("the server {0}")]
    Http(#[from] HttpError),
    #[error("the server does not speak HTTP/2")]
    NotTwo,
    #[error("the server refused the load with status {0}")]
    Refused(u16),
}

impl Road {
    /// A new connection towards a URL's server, HTTP/2 agreed on.
    pub(super) async fn session(&self, url: &Url) -> Result<Session, RoadError> {
        let client = url.secure.then_some(&self.client);
        let dialled =
            dial_address(&self.context, &url.host, self.address, client, self.timeout, Times::default())
                .await?;
        let within = self.timeout.to_std();
        let session = tokio::time::timeout(within, Session::over(dialled, WINDOWS))
            .await
            .map_err(|_| HttpError::Silent(self.timeout.as_secs_f64()))??;
        if session.version() == Version::Two { Ok(session) } else { Err(RoadError::NotTwo) }
    }
}

/// One connection of the load.
pub(super) struct Carrier {
    session: Session,
    moved: Arc<AtomicU64>,
    refused: Arc<AtomicU16>,
    way: Way,
    task: JoinHandle<()>,
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.task.abort();
        // What lies in the buffers is of no use any more and shall not load the line.
        self.session.tap.abandon();
    }
}

impl Carrier {
    /// A new connection that is loaded from now on.
    pub(super) async fn start(road: &Road, way: Way, url: &Url) -> Result<Self, RoadError> {
        let session = road.session(url).await?;
        session.tap.keep_little_unsent(UNSENT);
        let moved = Arc::new(AtomicU64::new(0));
        let (method, body) = match way {
            Way::Down => (Method::GET, Payload::empty()),
            Way::Up => (Method::POST, Payload::random(ENDLESS, road.context.seed)),
        };
        let request = session.request(method, url, &[], body)?;
        let mut asker = session.another().ok_or(RoadError::NotTwo)?;
        let refused = Arc::new(AtomicU16::new(0));
        let (counted, status) = (Arc::clone(&moved), Arc::clone(&refused));
        let task = tokio::spawn(async move {
            let Ok(response) = asker.ask(request).await else { return };
            if !response.status().is_success() {
                status.store(response.status().as_u16(), Ordering::Relaxed);
                return;
            }
            let mut body = response.into_body();
            while let Some(Ok(frame)) = body.frame().await {
                counted.fetch_add(frame.data_ref().map_or(0, |data| data.len() as u64), Ordering::Relaxed);
            }
        });
        Ok(Self { session, moved, refused, way, task })
    }

    /// Payload so far.
    pub(super) fn moved(&self) -> u64 {
        match self.way {
            Way::Down => self.moved.load(Ordering::Relaxed),
            Way::Up => self.session.tap.info().and_then(|info| info.delivered_bytes()).unwrap_or(0),
        }
    }

    /// Whether it still loads the line.
    pub(super) fn is_alive(&self) -> bool {
        !self.task.is_finished()
    }

    /// The status with which the server refused it.
    fn refused(&self) -> Option<u16> {
        Some(self.refused.load(Ordering::Relaxed)).filter(|&status| status > 0)
    }

    /// Another handle, for a probe on this connection.
    pub(super) fn asker(&self) -> Option<Another> {
        self.session.another()
    }
}

/// All connections of the load in one direction.
pub(super) struct Load {
    road: Road,
    way: Way,
    url: Url,
    carriers: Vec<Carrier>,
    starting: JoinSet<Result<Carrier, RoadError>>,
    /// What carriers had moved that are gone.
    before: u64,
    /// Carriers that ended before their time.
    pub(super) cut: u64,
    /// Why the last connection that could not be had was not.
    pub(super) failed: Option<RoadError>,
}

impl Load {
    pub(super) fn new(road: Road, way: Way, url: Url) -> Self {
        let (carriers, starting) = (Vec::new(), JoinSet::new());
        Self { road, way, url, carriers, starting, before: 0, cut: 0, failed: None }
    }

    /// Begins to make connections until there are so many, those that have ended replaced. [`Self::started`] takes them in.
    pub(super) fn fill(&mut self, count: usize) {
        let (alive, ended): (Vec<_>, Vec<_>) = self.carriers.drain(..).partition(Carrier::is_alive);
        self.before += ended.iter().map(Carrier::moved).sum::<u64>();
        self.cut += ended.len() as u64;
        if let Some(status) = ended.iter().find_map(Carrier::refused) {
            self.failed = Some(RoadError::Refused(status));
        }
        self.carriers = alive;
        for _ in self.carriers.len() + self.starting.len()..count {
            let (road, way, url) = (self.road.clone(), self.way, self.url.clone());
            self.starting.spawn(async move { Carrier::start(&road, way, &url).await });
        }
    }

    /// Takes the next connection in that was begun; false where none is under way. May be dropped and called again.
    pub(super) async fn started(&mut self) -> bool {
        match self.starting.join_next().await {
            None => return false,
            Some(Ok(Ok(carrier))) => self.carriers.push(carrier),
            Some(Ok(Err(error))) => self.failed = Some(error),
            Some(Err(_)) => {}
        }
        true
    }

    /// Payload of all connections so far.
    pub(super) fn moved(&self) -> u64 {
        self.before + self.carriers.iter().map(Carrier::moved).sum::<u64>()
    }

    /// How many connections load the line.
    pub(super) fn alive(&self) -> usize {
        self.carriers.iter().filter(|carrier| carrier.is_alive()).count()
    }

    /// The handle of the carrier at this place, counted around.
    pub(super) fn asker(&self, place: usize) -> Option<Another> {
        let alive: Vec<&Carrier> = self.carriers.iter().filter(|carrier| carrier.is_alive()).collect();
        alive.get(place.checked_rem(alive.len())?)?.asker()
    }
}
