//! The asking side: its talk with the server, and the loads of one test.

use super::load::{Load, Plan, Side};
use super::settings::{Protocol, Settings, Ways};
use super::talk::{Talk, TalkError};
use crate::codec::iperf3::{
    Cookie, LONGEST_RESULTS, Results, State, Transport, UDP_HELLO, UDP_WELCOME, UDP_WELCOME_OLD,
};
use crate::net::{Connection, Wire};
use crate::probe::{Context, Event, ProbeError};
use crate::tcp::pacing::pace;
use crate::tcp::{self, ConnectError, NoSocket};
use crate::throughput::lanes::Lanes;
use crate::throughput::meter::INTERVAL;
use broadgauge_model::clock::{Mono, Span, Wall};
use broadgauge_model::result::Load as Direction;
use broadgauge_model::unit::Rate;
use rand::Rng;
use socket2::Socket;
use std::net::SocketAddr;
use std::sync::Arc;

/// How long a connection may take.
const CONNECT: Span = Span::secs(5);
/// How soon a busy server is asked again.
const AGAIN: Span = Span::secs(1);
/// How often, and how long apart, a new UDP stream is announced.
const ANNOUNCE: (usize, Span) = (4, Span::secs(1));

/// A server that is ours until this is dropped.
pub(super) struct Turn {
    talk: Talk,
    patience: Span,
    cookie: Cookie,
    pub(super) address: SocketAddr,
}

/// What one test came to.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) started_at: Wall,
    pub(super) up: Option<Side>,
    pub(super) down: Option<Side>,
    /// What the server counted, or why it did not say.
    pub(super) theirs: Result<Results, TalkError>,
    pub(super) interrupted: bool,
}

/// Why a test did not take place.
pub(super) enum Refusal {
    /// Nothing was asked of the network.
    Error(ProbeError),
    /// Somebody pulled the stop while the server was busy.
    Stopped,
}

/// Connects and agrees on a test; asks a busy server again.
pub(super) async fn agree(
    settings: &Settings,
    ways: Ways,
    address: SocketAddr,
    patience: Span,
    context: &Context,
) -> Result<Turn, Refusal> {
    let give_up = context.clock.mono() + Span::secs(settings.queue_patience_s.into());
    let mut stop = context.stop.clone();
    loop {
        match ask(settings, ways, address, patience, context).await {
            Err(Ok(TalkError::Busy)) if context.clock.mono() < give_up => {
                context.tell(Event::Queued { ahead: 1 });
                tokio::select! {
                    () = stop.wait() => return Err(Refusal::Stopped),
                    () = tokio::time::sleep(AGAIN.to_std()) => {}
                }
            }
            Err(Ok(problem)) => {
                let (address, problem) = (address.to_string(), problem.to_string());
                return Err(Refusal::Error(ProbeError::Peer { address, problem }));
            }
            Err(Err(error)) => return Err(Refusal::Error(error)),
            Ok(turn) => return Ok(turn),
        }
    }
}

async fn ask(
    settings: &Settings,
    ways: Ways,
    address: SocketAddr,
    patience: Span,
    context: &Context,
) -> Result<Turn, Result<TalkError, ProbeError>> {
    let wanted = Connection::plain(address, &context.binding);
    let stream = context
        .net
        .connect(&wanted, CONNECT)
        .await
        .map_err(|error| Err(ProbeError::unconnected(error, address)))?;
    stream.in_haste();
    let mut random = [0; 36];
    rand::rng().fill_bytes(&mut random);
    let cookie = Cookie::from_random(random);
    let mut turn = Turn { talk: Talk::new(stream), patience, cookie, address };
    let parameters = settings.parameters(ways, context.binding.dscp).write();
    let agreed = async {
        turn.talk.say_cookie(cookie, patience).await?;
        turn.talk.expect(State::ParamExchange, patience).await?;
        turn.talk.say_document(&parameters, patience).await?;
        turn.talk.expect(State::CreateStreams, patience).await
    };
    agreed.await.map_err(Ok)?;
    Ok(turn)
}

impl Turn {
    /// The test itself. `Err` says why its streams could not be opened.
    pub(super) async fn test(
        mut self,
        settings: &Settings,
        ways: Ways,
        context: &Context,
    ) -> Result<Came, String> {
        let up = if ways.up { Some(self.streams(settings, context).await?) } else { None };
        let down = if ways.down { Some(self.streams(settings, context).await?) } else { None };
        let begun = async {
            self.talk.expect(State::TestStart, self.patience).await?;
            self.talk.expect(State::TestRunning, self.patience).await
        };
        begun.await.map_err(|error| format!("the server {error}"))?;
        let (start, started_at) = (context.clock.mono(), context.clock.wall());
        let from = start + settings.omit();
        let mut running = Running {
            up: up.map(|lanes| load(settings, lanes, true, from, context)),
            down: down.map(|lanes| load(settings, lanes, false, from, context)),
        };
        let (trouble, interrupted) = self.wait(&mut running, from + settings.duration(), context).await;
        let (up, down) = running.sides().await;
        let theirs = match trouble {
            Some(trouble) => Err(trouble),
            None => self.results(up.as_ref(), down.as_ref()).await,
        };
        Ok(Came { started_at: started_at + settings.omit(), up, down, theirs, interrupted })
    }

    /// Waits for the planned end, for a stop, or for trouble.
    async fn wait(
        &mut self,
        running: &mut Running,
        end: Mono,
        context: &Context,
    ) -> (Option<TalkError>, bool) {
        let mut stop = context.stop.clone();
        let left = end - context.clock.mono();
        tokio::select! {
            () = tokio::time::sleep(left.to_std()) => (None, false),
            () = stop.wait() => (None, true),
            heard = self.talk.state(left + self.patience) => match heard {
                Ok(state) => (Some(self.talk.instead(state, State::TestRunning, self.patience).await), false),
                Err(error) => (Some(error), false),
            },
            () = running.cut() => {
                // Every stream has ended. The server says why, if it can.
                let heard = self.talk.state(Span::secs(1).min(self.patience)).await;
                let why = match heard {
                    Ok(state) => self.talk.instead(state, State::TestRunning, self.patience).await,
                    Err(_) => TalkError::Closed,
                };
                (Some(why), false)
            }
        }
    }

    /// Ends the test, and tells and hears what was counted.
    async fn results(&mut self, up: Option<&Side>, down: Option<&Side>) -> Result<Results, TalkError> {
        let patience = self.patience;
        self.talk.say_state(State::TestEnd, patience).await?;
        self.talk.expect(State::ExchangeResults, patience).await?;
        let first = up.map_or(0, |side| side.streams.len());
        let sent = up.iter().flat_map(|side| side.results(true, 0));
        let received = down.iter().flat_map(|side| side.results(false, first));
        let ours = Results {
            cpu_percent: 0.0,
            has_retransmits: up.map(|side| side.streams.iter().any(|stream| stream.tcp.is_some())),
            congestion: up.or(down).and_then(|side| side.congestion.clone()),
            streams: sent.chain(received).collect(),
        };
        self.talk.say_document(&ours.write(), patience).await?;
        let theirs = Results::read(&self.talk.document(LONGEST_RESULTS, patience).await?)?;
        self.talk.expect(State::DisplayResults, patience).await?;
        // Who hears this knows it already.
        let _ = self.talk.say_state(State::IperfDone, patience).await;
        Ok(theirs)
    }

    async fn streams(&self, settings: &Settings, context: &Context) -> Result<Lanes, String> {
        let failed = |problem| format!("a data stream {problem}");
        let (mut wires, mut sockets) = (Vec::new(), Vec::new());
        for _ in 0..settings.streams {
            match settings.protocol {
                Protocol::Tcp => wires.push(self.tcp_stream(settings, context).await.map_err(failed)?),
                Protocol::Udp => sockets.push(self.udp_stream(settings, context).await.map_err(failed)?),
            }
        }
        match settings.protocol {
            Protocol::Tcp => Lanes::of(wires).map_err(|error| failed(error.to_string())),
            Protocol::Udp => Ok(Lanes::System(sockets)),
        }
    }

    async fn tcp_stream(&self, settings: &Settings, context: &Context) -> Result<Wire, String> {
        let wanted = Connection::plain(self.address, &context.binding);
        let prepare = |socket: &Socket| prepare(socket, settings);
        let connected = context.net.connect(&Connection { prepare: &prepare, ..wanted }, CONNECT).await;
        let connected = connected.map_err(|error| match error {
            ConnectError::Door(NoSocket { kind, source }) => format!("cannot have {kind}: {source}"),
            other => format!("was not connected: {other}"),
        })?;
        let mut talk = Talk::new(connected);
        talk.say_cookie(self.cookie, self.patience)
            .await
            .map_err(|error| format!("was not accepted: the server {error}"))?;
        talk.into_stream().ok_or_else(|| String::from("was answered too early"))
    }

    async fn udp_stream(&self, settings: &Settings, context: &Context) -> Result<Socket, String> {
        if context.net.is_virtual() {
            return Err(String::from("was not opened: loads over UDP need sockets of this machine"));
        }
        let socket = tcp::open_udp(self.address, &context.binding).map_err(|error| error.to_string())?;
        super::udp::buffers(&socket, settings.window_bytes);
        socket.connect(&self.address.into()).map_err(|error| format!("was not connected: {error}"))?;
        let socket = tokio::net::UdpSocket::from_std(socket.into()).map_err(|error| error.to_string())?;
        let (times, gap) = ANNOUNCE;
        for _ in 0..times {
            // What cannot be sent now is sent again.
            let _ = socket.send(&UDP_HELLO).await;
            let mut answer = [0; 16];
            match tokio::time::timeout(gap.to_std(), socket.recv(&mut answer)).await {
                Ok(Ok(4)) if [UDP_WELCOME, UDP_WELCOME_OLD].iter().any(|known| *known == answer[..4]) => {
                    return Ok(socket.into_std().map_err(|error| error.to_string())?.into());
                }
                // Whatever else comes is not the welcome, and a refusal comes at once: do not fill the line with these.
                Ok(_) => tokio::time::sleep(gap.to_std()).await,
                Err(_) => {}
            }
        }
        Err(format!("was not answered {times} times: UDP may be blocked on the way"))
    }
}

/// What a data connection is to be like.
fn prepare(socket: &Socket, settings: &Settings) -> Result<(), NoSocket> {
    let set = |kind: String, done: std::io::Result<()>| done.map_err(|source| NoSocket { kind, source });
    if let Some(bytes) = settings.window_bytes {
        set(String::from("window_bytes"), socket.set_send_buffer_size(bytes as usize))?;
        set(String::from("window_bytes"), socket.set_recv_buffer_size(bytes as usize))?;
    }
    if let Some(bytes) = settings.segment_bytes {
        set(String::from("segment_bytes"), socket.set_tcp_mss(bytes))?;
    }
    if let Some(name) = &settings.congestion {
        set(format!("congestion {name:?}"), socket.set_tcp_congestion(name.as_bytes()))?;
    }
    if settings.bits_per_second() > 0 {
        set(String::from("bandwidth_mbps"), pace(socket, settings.bits_per_second()))?;
    }
    set(String::from("no_delay"), socket.set_tcp_nodelay(settings.no_delay))
}

/// Begins one direction.
fn load(settings: &Settings, lanes: Lanes, sends: bool, from: Mono, context: &Context) -> Load {
    let plan = Plan {
        lanes,
        transport: match settings.protocol {
            Protocol::Tcp => Transport::Tcp,
            Protocol::Udp => Transport::Udp,
        },
        sends,
        answers: false,
        block: settings.block() as usize,
        bits_per_second: settings.bits_per_second(),
        wide: settings.protocol == Protocol::Udp,
        from,
        until: from + settings.duration(),
        seed: context.seed,
    };
    let teller = context.clone();
    Load::start(plan, Arc::clone(&context.clock), move |index, bytes| {
        if let Some(rate) = Rate::of(bytes, INTERVAL) {
            teller.tell(Event::Rate { load: Direction::Down, at: Span(INTERVAL.0 * index as i64), rate });
        }
    })
}

/// The loads of a test.
struct Running {
    up: Option<Load>,
    down: Option<Load>,
}

impl Running {
    /// Waits until a direction has ended of itself because all of its streams were cut.
    async fn cut(&mut self) {
        let up = async {
            match &mut self.up {
                Some(load) => load.cut().await,
                None => std::future::pending().await,
            }
        };
        let down = async {
            match &mut self.down {
                Some(load) => load.cut().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! { () = up => {}, () = down => {} }
    }

    /// Ends both and takes what they saw. The connections are held until the value is dropped.
    async fn sides(&mut self) -> (Option<Side>, Option<Side>) {
        for load in [&self.up, &self.down].into_iter().flatten() {
            load.stop();
        }
        let up = match &mut self.up {
            Some(load) => load.seen().await,
            None => None,
        };
        let down = match &mut self.down {
            Some(load) => load.seen().await,
            None => None,
        };
        (up, down)
    }
}
