//! The asking side of one subtest over an open WebSocket: bytes and times, and what the server says of them.

use super::settings::Settings;
use super::socket::{End, Opened, PAUSE, head_of, payload};
use crate::codec::ndt7::{
    AppInfo, FIRST_MESSAGE, LARGEST_SENT, Measurement, Subtest, TcpInfo, client_message, next_size,
};
use crate::probe::{Context, Event};
use crate::tcp::info;
use crate::throughput::meter::INTERVAL;
use crate::throughput::pump::intervals_in;
use broadgauge_model::clock::{Mono, Span, Wall};
use broadgauge_model::result::Load;
use broadgauge_model::unit::Rate;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long after our own limit, or the end of our upload, a test may go on.
const GRACE: Span = Span::secs(3);
/// How long the closing handshake may take.
const CLOSING: Span = Span::secs(1);
/// How often we say what we have counted: at most ten times a second.
const TOLD_EVERY: Span = Span::millis(250);
/// The most of a server's messages that are kept.
const MOST_MESSAGES: usize = 1_000;

/// What a subtest came to.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) started_at: Wall,
    pub(super) elapsed: Span,
    /// Payload that arrived, the last message with as much as there was of it.
    pub(super) received: u64,
    /// What was written to the connection.
    pub(super) written: u64,
    /// What arrived in whole intervals.
    pub(super) intervals: Vec<u64>,
    pub(super) messages: u64,
    pub(super) server: Vec<Measurement>,
    pub(super) end: End,
    pub(super) tcp: Option<info::TcpInfo>,
}

impl Ran {
    /// The server's kernel, as it last told of it.
    pub(super) fn last_tcp(&self) -> Option<TcpInfo> {
        self.server.iter().rev().find_map(|measurement| measurement.tcp)
    }
}

/// What has been read so far.
#[derive(Default)]
struct Read {
    /// Beside the payload: heads of frames, and texts.
    other: u64,
    messages: u64,
    server: Vec<Measurement>,
}

impl Read {
    /// Takes in a message. `Some` where it is the last.
    fn take(&mut self, message: Option<Result<Message, Error>>) -> Option<End> {
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                self.messages += 1;
                self.other += head_of(bytes.len());
            }
            Some(Ok(Message::Text(text))) => {
                self.other += head_of(text.len()) + text.len() as u64;
                if self.server.len() < MOST_MESSAGES {
                    self.server.extend(Measurement::read(&text));
                }
            }
            Some(Ok(Message::Ping(bytes) | Message::Pong(bytes))) => {
                self.other += head_of(bytes.len()) + bytes.len() as u64;
            }
            Some(Ok(Message::Close(_))) => return Some(End::Closed),
            Some(Ok(Message::Frame(_))) => {}
            Some(Err(error)) => return Some(error.into()),
            None => return Some(End::Cut),
        }
        None
    }
}

/// Receives until the server ends it, or its time is over.
pub(super) async fn download(opened: Opened, settings: &Settings, context: &Context) -> Ran {
    let Opened { socket, traffic, tap, .. } = opened;
    let limit = settings.duration() + GRACE;
    let started_at = context.clock.wall();
    let start = traffic.begin(intervals_in(limit));
    let (mut sink, mut stream) = socket.split();
    let mut read = Read::default();
    let mut stop = context.stop.clone();
    let mut tick = tokio::time::interval(INTERVAL.to_std());
    let (mut told, mut said_at) = (0, start);
    let mut moved = (0, start);
    let end = loop {
        tokio::select! {
            message = stream.next() => if let Some(end) = read.take(message) { break end },
            () = stop.wait() => break End::Stopped,
            _ = tick.tick() => {
                let now = context.clock.mono();
                let intervals = traffic.intervals(now);
                for (index, &bytes) in intervals.iter().enumerate().skip(told) {
                    tell(context, index, bytes);
                }
                told = intervals.len();
                let arrived = traffic.arrived();
                if arrived > moved.0 {
                    moved = (arrived, now);
                }
                if now - start >= limit {
                    break End::TimeOver;
                }
                if now - moved.1 >= PAUSE {
                    break End::Silent;
                }
                if now - said_at >= TOLD_EVERY {
                    said_at = now;
                    let app = app_info(now - start, arrived.saturating_sub(read.other));
                    let text = client_message(Subtest::Download, app).to_string();
                    // A server that does not read what we say does not hold us up.
                    let _ = tokio::time::timeout(Duration::from_millis(20), sink.send(Message::text(text))).await;
                }
            }
        }
    };
    let now = context.clock.mono();
    // The bytes of a message that is not whole yet may be words as well as payload: they count behind payload only.
    let payload = traffic.arrived().saturating_sub(read.other);
    let (received, tcp) = (if read.messages == 0 { 0 } else { payload }, tap.info());
    close(&end, &mut sink, &mut stream).await;
    if end != End::Closed {
        tap.abandon();
    }
    Ran {
        started_at,
        elapsed: now - start,
        received,
        written: traffic.written(),
        intervals: traffic.intervals(now),
        messages: read.messages,
        server: read.server,
        end,
        tcp,
    }
}

/// Sends for the planned time, and hears what the server counts.
pub(super) async fn upload(opened: Opened, settings: &Settings, context: &Context) -> Ran {
    let Opened { socket, traffic, tap, .. } = opened;
    let started_at = context.clock.wall();
    let start = traffic.begin(0);
    let until = start + settings.duration();
    let (mut sink, mut stream) = socket.split();
    let mut read = Read::default();
    let mut stop = context.stop.clone();
    let sent = AtomicU64::new(0);
    let end = {
        let pouring = pour(&mut sink, start, until, context, &sent);
        tokio::pin!(pouring);
        let mut poured = false;
        let hard_end = tokio::time::sleep((settings.duration() + GRACE).to_std());
        tokio::pin!(hard_end);
        loop {
            tokio::select! {
                done = &mut pouring, if !poured => {
                    poured = true;
                    if let Err(error) = done {
                        // What the server said before it went is worth reading.
                        tracing::debug!(%error, "upload broke off");
                    }
                }
                message = stream.next() => if let Some(end) = read.take(message) { break end },
                () = stop.wait() => break End::Stopped,
                () = &mut hard_end => break End::TimeOver,
            }
        }
    };
    let (now, tcp) = (context.clock.mono(), tap.info());
    if end == End::Closed {
        close(&end, &mut sink, &mut stream).await;
    }
    // What still lies in the buffers is of no use any more and shall not load the line.
    tap.abandon();
    Ran {
        started_at,
        elapsed: (now - start).min(settings.duration()),
        received: 0,
        written: traffic.written(),
        intervals: Vec::new(),
        messages: read.messages,
        server: read.server,
        end,
        tcp,
    }
}

/// Sends messages of growing size, what was sent four times a second, and at the end that it is the end.
async fn pour<S: Sink<Message, Error = Error> + Unpin>(
    sink: &mut S,
    start: Mono,
    until: Mono,
    context: &Context,
    sent: &AtomicU64,
) -> Result<(), Error> {
    let block = payload(context.seed);
    debug_assert_eq!(block.len(), LARGEST_SENT);
    let mut size = FIRST_MESSAGE;
    let mut said_at = start;
    loop {
        let now = context.clock.mono();
        if now >= until {
            break;
        }
        let bytes = sent.load(Ordering::Relaxed);
        if now - said_at >= TOLD_EVERY {
            said_at = now;
            let text = client_message(Subtest::Upload, app_info(now - start, bytes)).to_string();
            sink.feed(Message::text(text)).await?;
        }
        size = next_size(size, bytes);
        sink.feed(Message::Binary(block.slice(..size))).await?;
        sent.fetch_add(size as u64, Ordering::Relaxed);
    }
    sink.send(Message::Close(None)).await
}

/// Ends the conversation as WebSocket asks, in the time that there is for it.
async fn close<S, R>(end: &End, sink: &mut S, stream: &mut R)
where
    S: Sink<Message, Error = Error> + Unpin,
    R: Stream<Item = Result<Message, Error>> + Unpin,
{
    let closing = async {
        match end {
            // The answer to a close was queued when it was read.
            End::Closed => drop(sink.flush().await),
            End::TimeOver | End::Stopped => {
                if sink.send(Message::Close(None)).await.is_err() {
                    return;
                }
            }
            End::Cut | End::Silent | End::Wrong(_) => return,
        }
        while let Some(Ok(_)) = stream.next().await {}
    };
    // Who does not answer in time is cut off.
    let _ = tokio::time::timeout(CLOSING.to_std(), closing).await;
}

const fn app_info(elapsed: Span, bytes: u64) -> AppInfo {
    AppInfo { elapsed_us: (elapsed.0 / 1_000).unsigned_abs(), bytes }
}

fn tell(context: &Context, index: usize, bytes: u64) {
    if let Some(rate) = Rate::of(bytes, INTERVAL) {
        context.tell(Event::Rate { load: Load::Down, at: Span(INTERVAL.0 * index as i64), rate });
    }
}
