//! `librespeed`: how much payload does a line carry to and from a LibreSpeed backend?
//!
//! The backend's protocol (librespeed/speedtest, `backend/*.php`): `garbage` gives random bytes, `empty` takes them, `getIP` says from
//! where we come. Several HTTP/1.1 connections at once, each with one request after the other. Downloads are counted where they are
//! received, uploads by what the server has acknowledged; in intervals of 100 ms, with the warm-up rule of `throughput`
//! ([`crate::throughput::meter`]) and no factor for headers. A request that is refused, or whose body breaks off, does not count
//! at all ([`tally`]).
//!
//! What it cannot tell: a slow line from a slow backend; the pauses between two requests of a stream are in the figure,
//! and other streams fill them only where the line is not short of streams.

pub mod address;
pub mod peer;
mod result;
mod settings;
mod streams;
pub mod tally;

pub use settings::{DEFAULT_PORT, DESCRIPTOR, Settings};

use crate::dial::dial;
use crate::http::{Bounds, Exchange, Payload, Session, Url, Windows, exchange};
use crate::probe::{Context, Descriptor, Event, Measurement, Probe, ProbeError};
use crate::resolve::split;
use crate::tcp::info::TcpInfo;
use crate::throughput::meter::INTERVAL;
use crate::throughput::{SETTLE, Way};
use crate::tls::{Client, Facts, Trust};
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use broadgauge_model::unit::Rate;
use hyper::Method;
use result::{Direction, Face, Loaded};
use std::io;
use std::sync::{Arc, Mutex};
use streams::{Shared, lock};
use tally::Tally;
use tokio::task::JoinSet;

/// A longer answer to a small question is none.
const SMALL: u64 = 16 * 1024;
/// How long to wait before a busy backend is asked again.
const ASK_AGAIN: Span = Span::secs(2);

/// The method with its settings.
#[derive(Clone, Debug)]
pub struct Librespeed {
    settings: Settings,
}

impl Librespeed {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        Ok(Self { settings: settings.check()? })
    }
}

#[async_trait]
impl Probe for Librespeed {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let mut out = Measurement::begun(context.clock.wall());
        let base = base(&context.address)?;
        let trust = Trust { ca_file: self.settings.ca_file.clone(), insecure: self.settings.insecure };
        let client = Client::new(&trust, &["http/1.1"]).map_err(|error| error.of_method(DESCRIPTOR.name))?;
        let mut stop = context.stop.clone();
        let face = tokio::select! {
            () = stop.wait() => {
                out.interrupted = true;
                return Ok(out);
            }
            face = self.greet(&base, &client, context) => face?,
        };
        for (part, way) in self.settings.direction.ways().iter().enumerate() {
            if context.stop.is_set() {
                break;
            }
            if part > 0 {
                tokio::time::sleep(SETTLE.to_std()).await;
            }
            context.tell(Event::Phase(way.word()));
            let patience_ends = context.clock.mono() + Span::secs(i64::from(self.settings.queue_patience_s));
            let loaded = loop {
                let loaded = self.load(*way, &base, &client, context).await?;
                if !loaded.tally.is_only_busy() || context.clock.mono() >= patience_ends {
                    break loaded;
                }
                context.tell(Event::Queued { ahead: 1 });
                tokio::select! {
                    () = stop.wait() => break loaded,
                    () = tokio::time::sleep(ASK_AGAIN.to_std()) => {}
                }
            };
            Direction { way: *way, face: &face, settings: &self.settings, context }.add(&loaded, &mut out);
        }
        out.interrupted = context.stop.is_set();
        Ok(out)
    }
}

/// The folder of a backend. A host without a scheme is plain HTTP, as backends are by default.
fn base(address: &str) -> Result<Url, ProbeError> {
    let wrong = |problem: String| ProbeError::Resolve {
        host: address.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidInput, problem),
    };
    if address.contains("://") {
        return Url::parse(address).map_err(wrong);
    }
    let host = address.split('/').next().unwrap_or_default();
    let mut url = Url::parse(address).map_err(wrong)?;
    url.secure = false;
    url.port = split(host, DEFAULT_PORT).map_or(DEFAULT_PORT, |(_, port)| port);
    Ok(url)
}

impl Librespeed {
    fn url(base: &Url, key: &'static str, path: &str) -> Result<Url, ProbeError> {
        base.join(path).map_err(|problem| ProbeError::setting(DESCRIPTOR.name, key, problem))
    }

    /// What the backend says of us, and how long small questions take while the line is idle.
    async fn greet(&self, base: &Url, client: &Client, context: &Context) -> Result<Face, ProbeError> {
        let settings = &self.settings;
        let within = settings.timeout();
        let tls = base.secure.then_some(client);
        let connect = async || -> Result<Session, ProbeError> {
            let dialled = dial(context, &base.host, base.port, tls, within)
                .await
                .map_err(|error| error.fatal(&base.authority()))?;
            Session::over(dialled, Windows::default())
                .await
                .map_err(|error| ProbeError::Peer { address: base.authority(), problem: error.to_string() })
        };
        let first = connect().await?;
        let mut face = Face {
            address: first.address,
            url: base.to_string(),
            belief: first.tls.as_ref().map(Facts::belief),
            says: None,
            pings: Vec::new(),
            pings_failed: 0,
        };
        let bounds = Bounds { head: within, within, bytes: SMALL, keep: SMALL as usize };
        let mut session = Some(first);
        let mut ask = async |url: &Url| -> Option<Exchange> {
            let mut open = match session.take() {
                Some(open) => open,
                None => connect().await.ok()?,
            };
            let question = open.request(Method::GET, url, &[], Payload::empty()).ok()?;
            let answer = exchange(&mut open, question, bounds, |_, _| {}).await.ok()?;
            session = answer.stays_open.then_some(open);
            (answer.status.is_success() && answer.ended.is_ok()).then_some(answer)
        };
        if !settings.address_path.is_empty() {
            let url = Self::url(base, "address_path", &settings.address_path)?;
            face.says = ask(&url).await.and_then(|answer| address::read(&answer.kept));
        }
        let url = Self::url(base, "ping_path", &settings.ping_path)?;
        for _ in 0..settings.pings {
            let Some(answer) = ask(&url).await else {
                // After a failure the connection is not to be relied on.
                face.pings_failed += 1;
                break;
            };
            face.pings.push(answer.whole);
        }
        Ok(face)
    }

    /// Loads the line one way.
    async fn load(
        &self,
        way: Way,
        base: &Url,
        client: &Client,
        context: &Context,
    ) -> Result<Loaded, ProbeError> {
        let settings = &self.settings;
        let mut url = match way {
            Way::Down => Self::url(base, "download_path", &settings.download_path)?,
            Way::Up => Self::url(base, "upload_path", &settings.upload_path)?,
        };
        if way == Way::Down {
            let mark = if url.path.contains('?') { '&' } else { '?' };
            url.path = format!("{}{mark}ckSize={}", url.path, settings.chunk_mib);
        }
        let count = (settings.duration().0 / INTERVAL.0) as usize;
        let (start, started_at) = (context.clock.mono(), context.clock.wall());
        let shared = Arc::new(Shared {
            context: context.clone(),
            client: client.clone(),
            timeout: settings.timeout(),
            start,
            end: start + settings.duration(),
            tally: Mutex::new(Tally::new(count, settings.streams)),
            taps: Mutex::new((0..settings.streams).map(|_| None).collect()),
            not_had: Mutex::default(),
        });
        let mut streams = JoinSet::new();
        for stream in 0..settings.streams {
            let (shared, url) = (Arc::clone(&shared), url.clone());
            streams.spawn(async move {
                match way {
                    Way::Down => streams::download(shared, stream, url).await,
                    Way::Up => streams::upload(shared, stream, url).await,
                }
            });
        }
        let mut ended_early = 0;
        let mut watch = Watch::new(way, &shared);
        let mut ticks = (0..count).map(|index| start + Span(INTERVAL.0 * (index as i64 + 1))).peekable();
        loop {
            let tick = ticks.peek().map(|tick| *tick - context.clock.mono());
            tokio::select! {
                biased;
                ended = streams.join_next() => match ended {
                    None => break,
                    // A stream that panicked has ended as well.
                    Some(ended) => ended_early += u64::from(!ended.unwrap_or(false)),
                },
                () = tokio::time::sleep(tick.unwrap_or_default().to_std()), if tick.is_some() => {
                    ticks.next();
                    watch.tick();
                }
            }
        }
        let tally = lock(&shared.tally).clone();
        let over = tally.left_open.unwrap_or_else(|| context.clock.mono()) - start;
        let over = over.min(settings.duration());
        let not_had = lock(&shared.not_had).clone();
        let Watch { waiting, last, .. } = watch;
        Ok(Loaded { started_at, over, tally, waiting, ended_early, not_had, tcp: last })
    }
}

/// Looks at the connections at the end of each interval.
struct Watch<'a> {
    way: Way,
    shared: &'a Shared,
    moved: Vec<u64>,
    waiting: Vec<u64>,
    last: Vec<Option<TcpInfo>>,
}

impl<'a> Watch<'a> {
    fn new(way: Way, shared: &'a Shared) -> Self {
        let streams = lock(&shared.taps).len();
        Self { way, shared, moved: vec![0; streams], waiting: Vec::new(), last: vec![None; streams] }
    }

    fn tick(&mut self) {
        let taps: Vec<_> = lock(&self.shared.taps).clone();
        let (mut waiting, mut moved) = (0, 0);
        for (stream, tap) in taps.iter().enumerate() {
            let Some(tap) = tap else { continue };
            let info = tap.info();
            let now = match self.way {
                Way::Down => {
                    waiting += tap.waiting().unwrap_or(0);
                    info.and_then(|info| info.received_bytes)
                }
                Way::Up => info.and_then(|info| info.acked_bytes),
            }
            .unwrap_or(0);
            // A new connection counts from zero again.
            moved += now.checked_sub(self.moved[stream]).unwrap_or(now);
            self.moved[stream] = now;
            self.last[stream] = info;
        }
        let at = Span(INTERVAL.0 * self.waiting.len() as i64);
        self.waiting.push(waiting);
        if let Some(rate) = Rate::of(moved, INTERVAL) {
            self.shared.context.tell(Event::Rate { load: self.way.load(), at, rate });
        }
    }
}

#[cfg(test)]
mod tests;
