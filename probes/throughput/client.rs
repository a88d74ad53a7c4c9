//! The asking side of a throughput test: its talk with the peer, and the load in each direction.

use super::Settings;
use super::lanes::{Lanes, Received};
use super::meter::{INTERVAL, Meter};
use super::pump::{self, Brake, Stream, intervals_in};
use super::words::{
    LONGEST_TO_CLIENT, PROTOCOL, Report, Talk, TalkError, ToClient, ToPeer, VERSION, Way, Wish,
};
use crate::net::{Connection, Wire};
use crate::probe::{Context, Event, ProbeError};
use crate::resolve::resolve;
use crate::tcp::{ConnectError, NoSocket, use_congestion};
use broadgauge_model::clock::{Mono, Span, Wall};
use broadgauge_model::result::{Load, Reason};
use broadgauge_model::unit::Rate;
use futures_util::future::try_join_all;
use socket2::Socket;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// How long a connection may take.
const CONNECT: Span = Span::secs(5);
/// How long after the planned end the peer may take to report.
const GRACE: Span = Span::secs(6);

/// A peer that is ours until this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    talk: Talk,
    /// How long the peer may take to say what it must say next.
    patience: Span,
    token: String,
    pub(super) peer: Face,
}

/// What a peer says of itself.
#[derive(Clone, Debug)]
pub(super) struct Face {
    pub(super) address: SocketAddr,
    pub(super) software: String,
    pub(super) stamp_port: Option<u16>,
}

/// What one direction came to.
#[derive(Debug)]
pub(super) struct Loaded {
    /// When the receiving end's clock was started, as nearly as this end knows.
    pub(super) started_at: Wall,
    /// The same on our own clock.
    pub(super) started: Mono,
    /// When this end knew that it was over.
    pub(super) ended: Mono,
    /// What the receiving end counted, in whole intervals.
    pub(super) intervals: Vec<u64>,
    /// What waited behind gaps at the end of each.
    pub(super) waiting: Vec<u64>,
    pub(super) receiver: Vec<Stream>,
    pub(super) receiver_congestion: Option<String>,
    /// `None` where the peer sent, and did not report.
    pub(super) sender: Option<Vec<Stream>>,
    pub(super) sender_congestion: Option<String>,
    pub(super) interrupted: bool,
}

/// Why a direction was not measured, and what its streams had moved by then: a day's allowance counts that too.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) reason: Reason,
    pub(super) bytes: u64,
}

impl From<Reason> for Failed {
    fn from(reason: Reason) -> Self {
        Self { reason, bytes: 0 }
    }
}

/// Connects, asks, and waits for our turn. `None` where somebody pulled the stop.
pub(super) async fn take_turn(
    settings: &Settings,
    patience: Span,
    context: &Context,
) -> Result<Option<Turn>, ProbeError> {
    let address = resolve(context, super::DEFAULT_PORT).await?;
    let wanted = Connection::plain(address, &context.binding);
    let stream = context
        .net
        .connect(&wanted, CONNECT)
        .await
        .map_err(|error| ProbeError::unconnected(error, address))?;
    stream.in_haste();
    let mut talk = Talk::new(stream, LONGEST_TO_CLIENT);
    let wrong = |problem: String| ProbeError::Peer { address: address.to_string(), problem };
    let wish = Wish {
        protocol: PROTOCOL.to_owned(),
        version: VERSION,
        streams: settings.streams,
        ways: settings.direction.ways().to_vec(),
        duration_ms: settings.duration_ms(),
        idle_ms: settings.idle_ms() + super::settings::TIMEOUT_MS,
        congestion: settings.congestion.clone(),
    };
    talk.say(&ToPeer::Hello(wish), patience).await.map_err(|error| wrong(error.to_string()))?;
    let patience_ends = context.clock.mono() + Span::secs(i64::from(settings.queue_patience_s));
    let mut stop = context.stop.clone();
    loop {
        let heard = tokio::select! {
            () = stop.wait() => return Ok(None),
            heard = talk.hear(patience) => heard.map_err(|error| wrong(error.to_string()))?,
        };
        match heard {
            ToClient::Queued { ahead } if context.clock.mono() >= patience_ends => {
                return Err(wrong(format!(
                    "was busy for {} s and still has {ahead} tests before ours; raise queue_patience_s",
                    settings.queue_patience_s
                )));
            }
            ToClient::Queued { ahead } => context.tell(Event::Queued { ahead }),
            ToClient::Refused { reason } => return Err(wrong(format!("refused the test: {reason}"))),
            ToClient::Welcome { token, software, stamp_port } => {
                let peer = Face { address, software, stamp_port };
                return Ok(Some(Turn { talk, patience, token, peer }));
            }
            _ => return Err(wrong(TalkError::Garbled.to_string())),
        }
    }
}

impl Turn {
    /// How long data connections take to be ready: a round trip to be made, and one to show the token.
    pub(super) fn head_start(&self) -> Span {
        self.talk.least_round_trip().map_or(Span::ZERO, |least| least + least)
    }

    /// Opens the data connections of one direction. `Err` says why it cannot be measured.
    pub(super) async fn prepare(&mut self, settings: &Settings, context: &Context) -> Result<Lanes, Reason> {
        let wires = self.join(settings, context).await?;
        match self.talk.hear(self.patience).await.map_err(|error| peer(&error))? {
            ToClient::Ready {} => Lanes::of(wires).map_err(|error| Reason(error.to_string())),
            ToClient::Refused { reason } => Err(Reason(format!("the peer refused: {reason}"))),
            _ => Err(peer(&TalkError::Garbled)),
        }
    }

    /// Loads the line in one direction. `Err` says why that direction was not measured.
    pub(super) async fn load(
        &mut self,
        way: Way,
        lanes: Lanes,
        settings: &Settings,
        context: &Context,
    ) -> Result<Loaded, Failed> {
        let duration = Span::millis(settings.duration_ms() as i64);
        match way {
            Way::Down => self.down(lanes, duration, context).await,
            Way::Up => self.up(lanes, duration, context).await,
        }
    }

    /// Opens the data connections, all at once, and shows the token on each: one after the other would take a long line
    /// as many round trips as there are streams.
    async fn join(&self, settings: &Settings, context: &Context) -> Result<Vec<Wire>, Reason> {
        try_join_all((0..settings.streams).map(|stream| self.join_one(stream, settings, context))).await
    }

    async fn join_one(&self, stream: usize, settings: &Settings, context: &Context) -> Result<Wire, Reason> {
        let failed = |problem: String| Reason(format!("a data connection {problem}"));
        let prepare = |socket: &Socket| match &settings.congestion {
            Some(wanted) => use_congestion(socket, wanted),
            None => Ok(()),
        };
        let wanted =
            Connection { prepare: &prepare, ..Connection::plain(self.peer.address, &context.binding) };
        let connected = context.net.connect(&wanted, CONNECT).await.map_err(|error| match error {
            ConnectError::Door(NoSocket { kind, source }) => {
                failed(format!("cannot have a {kind} socket: {source}"))
            }
            other => failed(format!("was not made: {other}")),
        })?;
        let mut data = Talk::new(connected, LONGEST_TO_CLIENT);
        data.say(&ToPeer::Data { token: self.token.clone(), stream }, self.patience)
            .await
            .map_err(|error| peer(&error))?;
        data.into_stream().ok_or_else(|| peer(&TalkError::Garbled))
    }

    async fn down(&mut self, lanes: Lanes, duration: Span, context: &Context) -> Result<Loaded, Failed> {
        let receiver_congestion = lanes.congestion();
        let (started, started_at) = (context.clock.mono(), context.clock.wall());
        self.talk.say(&ToPeer::Start {}, self.patience).await.map_err(|error| peer(&error))?;
        let brake = Brake::default();
        let (watched, teller) = (brake.watched(), context.clone());
        let meter = Meter::new(started, intervals_in(duration), lanes.len());
        let clock = Arc::clone(&context.clock);
        let told = move |index, bytes| tell(&teller, Load::Down, index, bytes);
        let mut pumping = tokio::spawn(lanes.receive(meter, clock, watched, told));
        let mut stop = context.stop.clone();
        let mut interrupted = false;
        let received = tokio::select! {
            received = &mut pumping => received,
            () = stop.wait() => {
                interrupted = true;
                brake.pull();
                pumping.await
            }
        };
        let Received { lanes, meter, ended: last, streams: receiver } =
            received.map_err(io::Error::other).flatten().map_err(|error| Reason(error.to_string()))?;
        let (intervals, waiting) = (meter.complete(last).to_vec(), meter.waiting(last).to_vec());
        // Our clock has stopped: the payload is counted whatever the peer says, or does not say, from here on.
        let ended = context.clock.mono();
        let report = self.report(lanes.len()).await;
        lanes.abandon();
        let (sender, sender_congestion) = report.map_or((None, None), |r| (Some(r.streams), r.congestion));
        Ok(Loaded {
            started_at,
            started,
            ended,
            intervals,
            waiting,
            receiver,
            receiver_congestion,
            sender,
            sender_congestion,
            interrupted,
        })
    }

    /// Says that our clock has stopped and hears what the peer sent.
    async fn report(&mut self, streams: usize) -> Option<Report> {
        self.talk.say(&ToPeer::Stop {}, self.patience).await.ok()?;
        match self.talk.hear(GRACE.min(self.patience)).await {
            // What is counted is counted here; a report of other streams explains nothing.
            Ok(ToClient::Report(report)) => Some(report).filter(|report| report.streams.len() == streams),
            _ => None,
        }
    }

    /// Hears what the peer receives, up to its report.
    async fn listen(
        &mut self,
        until: Mono,
        interrupted: &mut bool,
        context: &Context,
    ) -> Result<Report, Reason> {
        let mut stop = context.stop.clone();
        loop {
            let left = until - context.clock.mono();
            tokio::select! {
                () = stop.wait(), if !*interrupted => {
                    *interrupted = true;
                    self.talk.say(&ToPeer::Stop {}, self.patience).await.map_err(|error| peer(&error))?;
                }
                heard = self.talk.hear(left) => match heard.map_err(|error| peer(&error))? {
                    ToClient::Tick { index, bytes } => tell(context, Load::Up, index, bytes),
                    ToClient::Report(report) => return Ok(report),
                    _ => return Err(peer(&TalkError::Garbled)),
                }
            }
        }
    }

    async fn up(&mut self, lanes: Lanes, duration: Span, context: &Context) -> Result<Loaded, Failed> {
        let sender_congestion = lanes.congestion();
        let (started, started_at) = (context.clock.mono(), context.clock.wall());
        self.talk.say(&ToPeer::Start {}, self.patience).await.map_err(|error| peer(&error))?;
        let brake = Brake::default();
        let (watched, clock) = (brake.watched(), Arc::clone(&context.clock));
        let (seed, until) = (context.seed, started + duration + GRACE);
        let pumping = tokio::spawn(async move {
            let (lanes, seen) = lanes.send(pump::Sending::random(seed, until), clock, watched).await?;
            lanes.abandon();
            Ok::<_, io::Error>(seen)
        });
        let mut interrupted = false;
        let heard = self.listen(until, &mut interrupted, context).await;
        brake.pull();
        let sender = pumping.await.map_err(io::Error::other).flatten();
        let sender = sender.map_err(|error| Reason(error.to_string()))?;
        let believed = heard.and_then(|report| {
            let checked = check(&report, &sender, intervals_in(duration));
            let wrong = |problem: &str| Reason(format!("the peer's report does not add up: {problem}"));
            checked.map(|()| report).map_err(wrong)
        });
        let report = match believed {
            Ok(report) => report,
            Err(reason) => return Err(Failed { reason, bytes: moved(&sender) }),
        };
        Ok(Loaded {
            started_at,
            started,
            ended: context.clock.mono(),
            intervals: report.intervals,
            waiting: report.waiting,
            receiver: report.streams,
            receiver_congestion: report.congestion,
            sender: Some(sender),
            sender_congestion,
            interrupted,
        })
    }
}

/// Payload on all streams.
pub(super) fn moved(streams: &[Stream]) -> u64 {
    streams.iter().map(|stream| stream.bytes).fold(0, u64::saturating_add)
}

/// A peer counts the upload, and we believe it no more than can be true.
fn check(report: &Report, sent: &[Stream], intervals: usize) -> Result<(), &'static str> {
    let total =
        |mut each: std::slice::Iter<'_, u64>| each.try_fold(0_u64, |sum, &bytes| sum.checked_add(bytes));
    let on_streams: Vec<u64> = report.streams.iter().map(|stream| stream.bytes).collect();
    if report.intervals.len() > intervals {
        return Err("more intervals than the test had");
    }
    if report.streams.len() != sent.len() {
        return Err("not as many streams as the test had");
    }
    match (total(report.intervals.iter()), total(on_streams.iter())) {
        (Some(counted), Some(received)) if counted > received => {
            Err("more payload in time than on its streams")
        }
        (Some(_), Some(received)) if received > sent.iter().map(|stream| stream.bytes).sum() => {
            Err("more payload than was sent")
        }
        (Some(_), Some(_)) => Ok(()),
        _ => Err("no line carries so much payload"),
    }
}

fn peer(error: &TalkError) -> Reason {
    Reason(format!("the peer {error}"))
}

fn tell(context: &Context, load: Load, index: usize, bytes: u64) {
    let at = Span(INTERVAL.0 * index as i64);
    if let Some(rate) = Rate::of(bytes, INTERVAL) {
        context.tell(Event::Rate { load, at, rate });
    }
}
