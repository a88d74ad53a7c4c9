//! One stream of a test, each way: requests one after the other over a connection of its own, until time is up.

use super::tally::{Held, Refused, Tally};
use crate::dial::{DialError, Tap, dial};
use crate::http::{HttpError, Payload, Session, Url, Windows, stays_open};
use crate::probe::Context;
use crate::tls::Client;
use broadgauge_model::clock::{Mono, Span};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Response};
use std::sync::{Arc, Mutex, PoisonError};

/// How often an upload's progress is looked at.
const LOOK: Span = Span::millis(50);
/// An upload's first request, its smallest and its largest.
const UPLOADS: (u64, u64, u64) = (64 * 1024, 16 * 1024, 20 << 20);
/// How long a request of an upload shall take: long beside a round trip, short beside the test.
const REQUEST: Span = Span::millis(1_000);
/// A stream whose requests fail one after the other ends: it would only measure the server's refusals.
const FAILURES: u32 = 5;

/// What all streams of a direction share.
pub(super) struct Shared {
    pub(super) context: Context,
    pub(super) client: Client,
    pub(super) timeout: Span,
    pub(super) start: Mono,
    pub(super) end: Mono,
    pub(super) tally: Mutex<Tally>,
    /// The connections that are open, by stream, for the kernel's view.
    pub(super) taps: Mutex<Vec<Option<Arc<Tap>>>>,
    /// Why a connection could not be had.
    pub(super) not_had: Mutex<Option<String>>,
}

/// What became of one request.
enum Fate {
    /// And whether its connection takes another.
    Counts {
        open: bool,
    },
    Refused(Refused),
    /// The server had ended the connection before it was asked.
    Stale,
    /// Time was up, and the connection is of no use any more.
    TimeUp,
}

impl Fate {
    /// The same where the connection had been used before: a server may end one between two questions.
    fn on(self, used: bool, held: &Held) -> Self {
        match self {
            Self::Refused(Refused::Cut) if used && held.total() == 0.0 => Self::Stale,
            other => other,
        }
    }
}

impl Shared {
    fn now(&self) -> Mono {
        self.context.clock.mono()
    }

    fn is_over(&self) -> bool {
        self.now() >= self.end || self.context.stop.is_set()
    }

    /// Waits for the planned end, or for the stop.
    async fn end(&self) {
        let mut stop = self.context.stop.clone();
        tokio::select! {
            () = stop.wait() => {}
            () = tokio::time::sleep((self.end - self.now()).to_std()) => {}
        }
    }

    fn close(&self, stream: usize, held: &Held, fate: &Fate) {
        let mut tally = lock(&self.tally);
        match fate {
            Fate::Counts { .. } => tally.count(stream, held),
            Fate::Refused(why) => tally.refuse(held, *why),
            Fate::Stale | Fate::TimeUp => {}
        }
    }

    async fn connect(&self, stream: usize, url: &Url) -> Option<Session> {
        let client = url.secure.then_some(&self.client);
        let connecting = async {
            let dialled = dial(&self.context, &url.host, url.port, client, self.timeout).await?;
            Session::over(dialled, Windows::default()).await.map_err(NotHad::Http)
        };
        let had = tokio::select! {
            had = connecting => had,
            () = self.end() => return None,
        };
        match had {
            Ok(session) => {
                if let Some(slot) = lock(&self.taps).get_mut(stream) {
                    *slot = Some(Arc::clone(&session.tap));
                }
                Some(session)
            }
            Err(why) => {
                *lock(&self.not_had) = Some(why.to_string());
                None
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum NotHad {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("the server {0}")]
    Http(HttpError),
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Downloads until time is up; false where the stream ended before that.
pub(super) async fn download(shared: Arc<Shared>, stream: usize, url: Url) -> bool {
    let mut failures = 0;
    let mut session = None;
    while !shared.is_over() && failures < FAILURES {
        let used = session.is_some();
        let mut open = match session.take() {
            Some(open) => open,
            None => match shared.connect(stream, &url).await {
                Some(open) => open,
                None => return shared.is_over(),
            },
        };
        let mut held = Held::new(shared.start);
        let fate = tokio::select! {
            fate = download_once(&shared, &mut open, &url, &mut held) => fate,
            // What has come of a body that is still coming has come.
            () = shared.end() => Fate::Counts { open: true },
        };
        let fate = fate.on(used, &held);
        shared.close(stream, &held, &fate);
        match fate {
            Fate::Counts { open: again } => {
                failures = 0;
                session = again.then_some(open);
            }
            Fate::Stale => {}
            Fate::Refused(_) => failures += 1,
            Fate::TimeUp => return true,
        }
    }
    if let Some(open) = session {
        // What is under way is of no use any more and shall not load the line.
        open.tap.abandon();
    }
    failures < FAILURES
}

async fn download_once(shared: &Shared, session: &mut Session, url: &Url, held: &mut Held) -> Fate {
    let head = match head(shared, session, Method::GET, url, Payload::empty(), shared.timeout).await {
        Ok(head) => head,
        Err(why) => return Fate::Refused(why),
    };
    if !head.status().is_success() {
        return Fate::Refused(Refused::Status(head.status().as_u16()));
    }
    let open = stays_open(&head);
    let mut body = head.into_body();
    loop {
        match tokio::time::timeout(shared.timeout.to_std(), body.frame()).await {
            Err(_) => return Fate::Refused(Refused::Silent),
            Ok(None) => return Fate::Counts { open },
            Ok(Some(Err(_))) => return Fate::Refused(Refused::Cut),
            Ok(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    held.add(shared.now(), data.len() as f64);
                }
            }
        }
    }
}

async fn head(
    shared: &Shared,
    session: &mut Session,
    method: Method,
    url: &Url,
    body: Payload,
    within: Span,
) -> Result<Response<Incoming>, Refused> {
    let asking = async {
        let request = session.request(method, url, &[], body)?;
        session.ask(request).await
    };
    match tokio::time::timeout(within.to_std(), asking).await {
        Ok(Ok(head)) => Ok(head),
        Ok(Err(error)) => {
            tracing::debug!(%error, at = ?shared.now(), "request failed");
            Err(Refused::Cut)
        }
        Err(_) => Err(Refused::Silent),
    }
}

/// Uploads until time is up. Requests grow until one takes about a second, so that the acknowledgement of the last ones
/// does not keep anybody waiting. False where the stream ended before its time.
pub(super) async fn upload(shared: Arc<Shared>, stream: usize, url: Url) -> bool {
    let (first, least, most) = UPLOADS;
    let block = Payload::random(most, shared.context.seed.wrapping_add(stream as u64));
    let mut bytes = first;
    let mut failures = 0;
    let mut session = None;
    while !shared.is_over() && failures < FAILURES {
        let used = session.is_some();
        let mut open = match session.take() {
            Some(open) => open,
            None => match shared.connect(stream, &url).await {
                Some(open) => open,
                None => return shared.is_over(),
            },
        };
        let asked = shared.now();
        let mut held = Held::new(shared.start);
        let fate = upload_once(&shared, &mut open, &url, block.again(bytes), &mut held).await;
        let fate = fate.on(used, &held);
        if matches!(fate, Fate::Counts { .. }) {
            held = held.scaled_to(bytes as f64);
        }
        shared.close(stream, &held, &fate);
        match fate {
            Fate::Stale => {}
            Fate::Counts { open: again } => {
                failures = 0;
                session = again.then_some(open);
                let took = (shared.now() - asked).as_secs_f64().max(1e-3);
                let wanted = bytes as f64 * REQUEST.as_secs_f64() / took;
                bytes = (wanted as u64).clamp(least.max(bytes / 4), most.min(bytes * 4));
            }
            Fate::Refused(_) => failures += 1,
            Fate::TimeUp => {
                if shared.context.stop.is_set() {
                    lock(&shared.tally).leave_open(asked);
                }
                return true;
            }
        }
    }
    failures < FAILURES
}

/// The payload of a request moves when the far end's TCP says that it has it, and counts when its server does.
async fn upload_once(
    shared: &Shared,
    session: &mut Session,
    url: &Url,
    body: Payload,
    held: &mut Held,
) -> Fate {
    let tap = Arc::clone(&session.tap);
    let delivered = || tap.info().and_then(|info| info.delivered_bytes()).unwrap_or(0);
    let mut before = (shared.now(), delivered());
    let mut look = |held: &mut Held| {
        let now = (shared.now(), delivered());
        held.spread(before.0, now.0, now.1.saturating_sub(before.1) as f64);
        before = now;
    };
    // As long as the request was planned to take, and the time in which an answer is waited for.
    let within = REQUEST + REQUEST + REQUEST + shared.timeout;
    let asking = head(shared, session, Method::POST, url, body, within);
    tokio::pin!(asking);
    let mut ticks = tokio::time::interval(LOOK.to_std());
    let head = loop {
        tokio::select! {
            biased;
            head = &mut asking => break head,
            _ = ticks.tick() => {
                look(held);
                if shared.context.stop.is_set() || shared.now() >= shared.end + shared.timeout {
                    tap.abandon();
                    return Fate::TimeUp;
                }
            }
        }
    };
    look(held);
    lock(&shared.tally).heard_at_end |= head.is_ok() && shared.now() >= shared.end;
    match head {
        Err(why) => Fate::Refused(why),
        Ok(head) if !head.status().is_success() => Fate::Refused(Refused::Status(head.status().as_u16())),
        Ok(head) => {
            let open = stays_open(&head);
            match tokio::time::timeout(shared.timeout.to_std(), drained(head.into_body())).await {
                Ok(true) => Fate::Counts { open },
                Ok(false) => Fate::Refused(Refused::Cut),
                Err(_) => Fate::Refused(Refused::Silent),
            }
        }
    }
}

/// Reads the rest of a short answer; false where it is not short, or breaks off.
async fn drained(mut body: Incoming) -> bool {
    let mut bytes = 0;
    loop {
        match body.frame().await {
            None => return true,
            Some(Err(_)) => return false,
            Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, bytes::Bytes::len),
        }
        if bytes > 1 << 20 {
            return false;
        }
    }
}
