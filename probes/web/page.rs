//! One page: the document, then all its objects at once, as far as the connections allow.
//!
//! Connections are per origin, as in browsers: one where HTTP/2 is agreed on, which carries all its objects at once; up to six
//! (or as many as are asked for) where HTTP/1.1 is, each with one object at a time. The document's connection is used further.

use crate::dial::{DialError, Times, Why, dial, dial_address};
use crate::http::{
    Another, Bounds, HttpError, Payload, Session, Url, Version, Windows, request, stays_open, take_in,
};
use crate::phases::{self, Fate};
use crate::probe::{Context, ProbeError};
use crate::rounds::Round;
use crate::tls::Client;
use broadgauge_model::clock::{Mono, Span};
use broadgauge_model::result::Outcome;
use hyper::Method;
use serde::Serialize;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;

/// Exchanges at once on one HTTP/2 connection, as browsers and servers have it.
const AT_ONCE: usize = 100;

/// What is wanted of each page.
pub(super) struct Wanted {
    pub(super) page: Url,
    pub(super) objects: Vec<Url>,
    pub(super) client: Client,
    pub(super) within: Span,
    pub(super) connections: usize,
    pub(super) most_bytes: u64,
}

/// One object that came.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Object {
    url: String,
    http: Version,
    status: u16,
    /// From the page's start.
    asked_ms: f64,
    first_byte_ms: Option<f64>,
    done_ms: f64,
    bytes: u64,
}

/// What a page came to.
pub(super) struct Page {
    pub(super) fate: Fate,
    pub(super) objects: Vec<Object>,
    pub(super) connections: u64,
    pub(super) document: Option<Times>,
}

impl Round for Page {
    const NO_ROOM: &'static str = "the page before it was still under way";

    fn outcome(&self) -> Outcome<Span> {
        phases::outcome(self.fate.clone(), None)
    }

    fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.bytes + 500).sum::<u64>() + self.connections * 5_000
    }
}

/// Why an object did not come.
#[derive(Debug, thiserror::Error)]
enum Missing {
    #[error(transparent)]
    Here(ProbeError),
    #[error("no answer in time")]
    Lost,
    #[error("{0}")]
    Failed(String),
}

impl From<DialError> for Missing {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Here(error) => Self::Here(error),
            DialError::There { why: Why::Silent | Why::Unreachable, .. } => Self::Lost,
            there @ DialError::There { .. } => Self::Failed(there.to_string()),
        }
    }
}

impl From<HttpError> for Missing {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Silent(_) => Self::Lost,
            other => Self::Failed(format!("the server {other}")),
        }
    }
}

/// What all fetches of a page share.
#[derive(Clone)]
struct Shared {
    context: Context,
    wanted: Arc<Wanted>,
    start: Mono,
    objects: Arc<Mutex<Vec<Object>>>,
    connections: Arc<AtomicU64>,
}

/// Fetches the page once. `Err` where nothing was asked of the network.
pub(super) async fn fetch(context: Context, wanted: Arc<Wanted>) -> Result<Page, ProbeError> {
    let start = context.clock.mono();
    let within = wanted.within;
    let (objects, connections) = <(Arc<Mutex<Vec<Object>>>, Arc<AtomicU64>)>::default();
    let shared = Shared { context, wanted, start, objects, connections };
    let mut document = None;
    let came = tokio::time::timeout(within.to_std(), shared.page(&mut document)).await;
    let fate = match came {
        Ok(Ok(())) => Fate::Took(shared.context.clock.mono() - start),
        Err(_) | Ok(Err(Missing::Lost)) => Fate::Lost,
        Ok(Err(Missing::Failed(why))) => Fate::Failed(why),
        Ok(Err(Missing::Here(error))) => return Err(error),
    };
    let objects = std::mem::take(&mut *shared.objects.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Page { fate, objects, connections: shared.connections.load(Ordering::Relaxed), document })
}

impl Shared {
    async fn page(&self, document: &mut Option<Times>) -> Result<(), Missing> {
        let page = &self.wanted.page;
        let mut first = self.connect(page, None).await?;
        *document = Some(first.times);
        self.object_on(&mut first, page).await?;
        let mut origins: Vec<(Url, VecDeque<Url>)> = Vec::new();
        for object in &self.wanted.objects {
            match origins.iter_mut().find(|(origin, _)| origin.same_origin(object)) {
                Some((_, objects)) => objects.push_back(object.clone()),
                None => origins.push((object.clone(), VecDeque::from([object.clone()]))),
            }
        }
        let mut all = JoinSet::new();
        let mut first = Some(first);
        for (origin, objects) in origins {
            let open = if origin.same_origin(page) { first.take() } else { None };
            let shared = self.clone();
            all.spawn(async move { shared.origin(origin, objects, open).await });
        }
        ended(all).await
    }

    /// All objects of one origin.
    async fn origin(self, origin: Url, objects: VecDeque<Url>, open: Option<Session>) -> Result<(), Missing> {
        let open = match open {
            Some(open) => open,
            None => self.connect(&origin, None).await?,
        };
        let address = open.address;
        let workers = match open.version() {
            Version::One => self.wanted.connections,
            Version::Two => AT_ONCE,
        }
        .min(objects.len());
        let queue = Arc::new(Mutex::new(objects));
        let mut all = JoinSet::new();
        if let Some(another) = open.another() {
            for _ in 0..workers {
                let (shared, another, queue) = (self.clone(), another.clone(), Arc::clone(&queue));
                all.spawn(async move { shared.work_on(another, &queue).await });
            }
            let came = ended(all).await;
            // It has lived as long as its exchanges.
            drop(open);
            return came;
        }
        let mut open = Some(open);
        for _ in 0..workers {
            let (shared, queue, open, origin) =
                (self.clone(), Arc::clone(&queue), open.take(), origin.clone());
            all.spawn(async move { shared.work(origin, address, open, &queue).await });
        }
        ended(all).await
    }

    /// One HTTP/1.1 connection: an object at a time while there are any.
    async fn work(
        self,
        origin: Url,
        address: SocketAddr,
        open: Option<Session>,
        queue: &Mutex<VecDeque<Url>>,
    ) -> Result<(), Missing> {
        let mut open = open;
        while let Some(object) = next(queue) {
            let mut session = match open.take() {
                Some(session) => session,
                None => self.connect(&origin, Some(address)).await?,
            };
            // A server may end a connection after an answer; the next object then has a new one.
            open = self.object_on(&mut session, &object).await?.then_some(session);
        }
        Ok(())
    }

    /// One of the exchanges at once on an HTTP/2 connection.
    async fn work_on(self, mut another: Another, queue: &Mutex<VecDeque<Url>>) -> Result<(), Missing> {
        while let Some(object) = next(queue) {
            let question = request(Version::Two, Method::GET, &object, &[], Payload::empty())?;
            let asked = self.context.clock.mono();
            let response = another.ask(question).await?;
            self.take(Version::Two, &object, asked, response).await?;
        }
        Ok(())
    }

    /// Fetches an object on a connection, and says whether that can be used further.
    async fn object_on(&self, session: &mut Session, object: &Url) -> Result<bool, Missing> {
        let version = session.version();
        let question = request(version, Method::GET, object, &[], Payload::empty())?;
        let asked = self.context.clock.mono();
        let response = session.ask(question).await?;
        let open = stays_open(&response);
        self.take(version, object, asked, response).await?;
        Ok(open)
    }

    async fn take(
        &self,
        http: Version,
        object: &Url,
        asked: Mono,
        response: hyper::Response<hyper::body::Incoming>,
    ) -> Result<(), Missing> {
        let within = self.wanted.within;
        let bounds = Bounds { head: within, within, bytes: self.wanted.most_bytes, keep: 0 };
        let answer = take_in(&*self.context.clock, asked, response, bounds).await;
        let since = |span: Span| (asked + span - self.start).as_millis_f64();
        let came = Object {
            url: object.to_string(),
            http,
            status: answer.status.as_u16(),
            asked_ms: since(Span::ZERO),
            first_byte_ms: answer.first_byte.map(since),
            done_ms: since(answer.whole),
            bytes: answer.bytes,
        };
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).push(came);
        answer.ended?;
        if answer.status.is_success() {
            return Ok(());
        }
        Err(Missing::Failed(format!("{object} has status {}", answer.status.as_u16())))
    }

    /// A new connection; the name is looked up once for each origin.
    async fn connect(&self, origin: &Url, known: Option<SocketAddr>) -> Result<Session, Missing> {
        let client = origin.secure.then_some(&self.wanted.client);
        let within = self.wanted.within;
        self.connections.fetch_add(1, Ordering::Relaxed);
        let dialled = match known {
            Some(address) => {
                dial_address(&self.context, &origin.host, address, client, within, Times::default()).await?
            }
            None => dial(&self.context, &origin.host, origin.port, client, within).await?,
        };
        Ok(Session::over(dialled, Windows::default()).await?)
    }
}

fn next(queue: &Mutex<VecDeque<Url>>) -> Option<Url> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// Waits for all; the first that failed ends the others.
async fn ended(mut all: JoinSet<Result<(), Missing>>) -> Result<(), Missing> {
    while let Some(one) = all.join_next().await {
        one.map_err(|error| Missing::Failed(error.to_string()))??;
    }
    Ok(())
}
