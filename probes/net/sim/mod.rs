//! A seeded virtual network on virtual time: the same session, told a story.
//!
//! Time moves only while a socket waits, and jumps to the next thing that happens, so a scenario of minutes takes
//! milliseconds and is the same every time. There is one line between the machine that measures and one
//! far end, which answers UDP by the session it was given and ICMP echo by itself, and there may be routers on the
//! way, which drop what has no time left to live and say so. One thread at a time: two sockets
//! that wait in turns share the clock.

mod link;
mod scenario;

pub use link::Truth;
pub use scenario::{Burst, CrossLoad, Far, Host, Path, Pause, Router, Scenario, WallStep};

use super::{
    ClockState, Datagrams, End, Inbox, Net, NetError, Now, Outgoing, Packet, Protocol, Report, Wanted,
};
use crate::codec::icmp::{self, Version};
use crate::codec::icmp_error::{self, Quote, Trouble};
use crate::session::{Datagram, Session, Step};
use broadgauge_model::clock::{Clock, Mono, Span, Wall};
use link::{Link, seconds};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When virtual time begins: 2026-01-01T00:00:00Z.
const BEGIN: Wall = Wall::from_secs(1_767_225_600);
/// What the line leaves of the TTL where no routers are named.
const HOPS: u8 = 7;
/// A UDP header.
const UDP_HEADER: usize = 8;
/// What a host quotes: as much as fits 576 bytes (RFC 1812 section 4.3.2.3).
const HOST_QUOTES: usize = 548;
/// An IPv4 header and a UDP or ICMP header.
const HEADERS: usize = 28;
/// Ports of this machine's sockets, from here on.
const NEAR_PORTS: u16 = 40_000;
const NEAR: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The far end's session, as the virtual network runs it.
pub type Peer = Box<dyn Session + Send>;

/// A virtual network.
#[derive(Clone)]
pub struct SimNet(Arc<Mutex<World>>);

impl SimNet {
    /// With this far end.
    pub fn new(scenario: Scenario, peer: Peer) -> Self {
        let seed = scenario.seed;
        Self(Arc::new(Mutex::new(World {
            forward: Link::new(scenario.forward.clone(), seed ^ 0x666f_7277),
            backward: Link::new(scenario.backward.clone(), seed ^ 0x6261_636b),
            rng: ChaCha8Rng::seed_from_u64(seed),
            scenario,
            peer,
            mono: Mono(0),
            events: BTreeMap::new(),
            order: 0,
            sockets: Vec::new(),
            far_address: SocketAddr::new(NEAR, 0),
            last_asker: 0,
            asked_at: None,
        })))
    }

    /// What both directions of the line did so far.
    pub fn truth(&self) -> (Truth, Truth) {
        let world = self.world();
        (world.forward.truth, world.backward.truth)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimNet {
    fn mono(&self) -> Mono {
        self.world().mono
    }

    fn wall(&self) -> Wall {
        self.world().now().wall
    }
}

impl Net for SimNet {
    fn datagrams(&self, wanted: &Wanted) -> Result<Box<dyn Datagrams>, NetError> {
        let mut world = self.world();
        let socket = world.sockets.len();
        world.sockets.push(VecDeque::new());
        Ok(Box::new(SimSocket { net: self.clone(), socket, wanted: wanted.clone() }))
    }
}

/// A packet on its way there.
struct Going {
    protocol: Protocol,
    socket: usize,
    to: SocketAddr,
    bytes: Vec<u8>,
    ttl: u8,
}

/// What comes back.
#[derive(Clone)]
enum Coming {
    /// An answer.
    Bytes(Vec<u8>),
    /// An ICMP error, from its header on.
    Error(Vec<u8>),
}

enum Event {
    /// A router drops a packet.
    Dropped { router: usize, trouble: Trouble, packet: Going },
    /// A packet reaches the far end.
    Reached(Going),
    /// The far end's session wanted to be asked again.
    Asked,
    /// Something comes back.
    Returned { socket: usize, from: SocketAddr, what: Coming },
}

enum News {
    Left { id: u64, at: Wall },
    Arrived { from: SocketAddr, what: Coming, at: Wall },
}

struct World {
    scenario: Scenario,
    forward: Link,
    backward: Link,
    rng: ChaCha8Rng,
    peer: Peer,
    mono: Mono,
    events: BTreeMap<(Mono, u64), Event>,
    order: u64,
    sockets: Vec<VecDeque<News>>,
    /// Where the far end was last asked, by which socket, and when its session wants to be asked again.
    far_address: SocketAddr,
    last_asker: usize,
    asked_at: Option<Mono>,
}

impl World {
    fn now(&self) -> Now {
        Now { mono: self.mono, wall: self.wall_at(self.mono) }
    }

    fn wall_at(&self, mono: Mono) -> Wall {
        let steps = self.scenario.wall_steps.iter().filter(|step| Mono(0) + seconds(step.at_s) <= mono);
        steps.fold(BEGIN + (mono - Mono(0)), |wall, step| wall + seconds(step.by_s))
    }

    fn plan(&mut self, at: Mono, event: Event) {
        self.order += 1;
        self.events.insert((at, self.order), event);
    }

    /// The first thing that happens up to `until`, with time moved there.
    fn next(&mut self, until: Mono) -> Option<Event> {
        let (&(at, _), _) = self.events.first_key_value()?;
        if at > until {
            return None;
        }
        self.mono = self.mono.max(at);
        self.events.pop_first().map(|(_, event)| event)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Returned { socket, from, what } => {
                let at = self.wall_at(self.mono);
                self.sockets[socket].push_back(News::Arrived { from, what, at });
            }
            Event::Dropped { router, trouble, packet } => self.report(router, trouble, &packet),
            Event::Reached(packet) => {
                if !self.is_dead() {
                    self.answer(&packet);
                }
            }
            Event::Asked => {
                self.asked_at = None;
                if !self.is_dead() {
                    self.ask_far_end(self.mono);
                }
            }
        }
    }

    fn is_dead(&self) -> bool {
        self.scenario.far.dies_at_s.is_some_and(|s| self.mono >= Mono(0) + seconds(s))
    }

    /// Both clocks of the far end at this time.
    fn far_now(&self, mono: Mono) -> Now {
        let far = &self.scenario.far;
        let step = far.clock_step.filter(|step| Mono(0) + seconds(step.at_s) <= mono);
        let ahead = seconds(far.clock_ahead_ms / 1e3 + step.map_or(0.0, |step| step.by_s));
        Now { mono, wall: BEGIN + (mono - Mono(0)) + ahead }
    }

    /// Where a packet that leaves now is at the end of the line, or at the router that it does not get past.
    fn set_out(&mut self, left: Mono, packet: &Going) {
        let length = packet.bytes.len() + HEADERS;
        let routers = self.scenario.routers.clone();
        for at in self.forward.carry(left, length) {
            let packet = Going { bytes: packet.bytes.clone(), ..*packet };
            let refuses = |router: &Router| router.refuses_at_s.is_some_and(|s| at >= Mono(0) + seconds(s));
            let stopped = routers.iter().zip(1..).position(|(r, hop)| packet.ttl <= hop || refuses(r));
            if let Some(router) = stopped {
                let expired = usize::from(packet.ttl) <= router + 1;
                let trouble = if expired { Trouble::TimeExceeded } else { Trouble::Prohibited };
                let rest = self.scenario.forward.delay_ms * (1.0 - routers[router].share);
                let at = (at + Span::from_secs_f64(-rest / 1e3)).max(left);
                self.plan(at, Event::Dropped { router, trouble, packet });
            } else {
                let hops = if routers.is_empty() { HOPS } else { routers.len() as u8 };
                self.plan(at, Event::Reached(Going { ttl: packet.ttl.saturating_sub(hops), ..packet }));
            }
        }
    }

    /// A router drops a packet, and says so.
    fn report(&mut self, router: usize, trouble: Trouble, packet: &Going) {
        let Router { share, slow_ms, silent, quotes, twin, .. } = self.scenario.routers[router];
        if self.rng.random::<f64>() < silent {
            return;
        }
        let body = behind_ip(packet);
        // Flows are told apart by the first four bytes behind the IP header: ports, or type, code and checksum.
        let flow: u32 = body.iter().take(4).fold(0, |flow, &byte| flow * 31 + u32::from(byte));
        let name = router as u8 + if twin && flow % 2 == 1 { 100 } else { 1 };
        let left = self.mono + Span::from_secs_f64(self.rng.random::<f64>() * slow_ms / 1e3);
        let rest = self.scenario.backward.delay_ms * (1.0 - share);
        let message = error_about(packet, trouble, &body, quotes);
        for at in self.backward.carry(left, message.len() + HEADERS) {
            let from = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, name)), 0);
            let at = (at + Span::from_secs_f64(-rest / 1e3)).max(left);
            self.plan(
                at,
                Event::Returned { socket: packet.socket, from, what: Coming::Error(message.clone()) },
            );
        }
    }

    fn answer(&mut self, packet: &Going) {
        let Going { protocol, socket, to, ref bytes, ttl } = *packet;
        let left = self.mono + Span::from_secs_f64(self.scenario.far.processing_us / 1e6);
        match protocol {
            Protocol::Icmp => {
                if let Some(echo) = icmp::read_request(Version::V4, bytes) {
                    self.send_back(left, socket, to, Coming::Bytes(icmp::reply(Version::V4, &echo)));
                }
            }
            Protocol::Udp if self.scenario.far.closed => {
                let body = behind_ip(packet);
                let error = error_about(packet, Trouble::PortUnreachable, &body, HOST_QUOTES);
                self.send_back(left, socket, to, Coming::Error(error));
            }
            Protocol::Udp => {
                let (arrived, now) = (self.far_now(self.mono), self.far_now(left));
                self.far_address = to;
                self.peer.received(&Packet {
                    bytes,
                    from: SocketAddr::new(NEAR, near_port(socket)),
                    to: Some(to.ip()),
                    now,
                    kernel: Some(arrived.wall),
                    ttl: Some(ttl),
                    class: None,
                });
                self.last_asker = socket;
                self.ask_far_end(left);
            }
        }
    }

    /// Lets the far end's session do what it wants to do now, and notes when it wants to be asked again.
    fn ask_far_end(&mut self, left: Mono) {
        let now = self.far_now(left);
        loop {
            match self.peer.step(now) {
                Step::Send(Datagram { bytes, to, .. }) => {
                    let socket = to.and_then(|(to, _)| to.port().checked_sub(NEAR_PORTS)).map(usize::from);
                    let socket = socket.filter(|&socket| socket < self.sockets.len());
                    let socket = socket.unwrap_or(self.last_asker);
                    self.send_back(left, socket, self.far_address, Coming::Bytes(bytes));
                }
                // Only a look at what has arrived was wanted: nothing has.
                Step::WaitUntil(until) if until <= left => {}
                Step::WaitUntil(until) => {
                    if until < Mono(u64::MAX) && self.asked_at.is_none_or(|at| until < at) {
                        self.asked_at = Some(until);
                        self.plan(until, Event::Asked);
                    }
                    return;
                }
                Step::Done => return,
            }
        }
    }

    fn send_back(&mut self, left: Mono, socket: usize, from: SocketAddr, mut what: Coming) {
        let far = &self.scenario.far;
        let (garbage, twice) = (far.garbage, far.answers_twice);
        let (Coming::Bytes(bytes) | Coming::Error(bytes)) = &mut what;
        if garbage > 0.0 && self.rng.random::<f64>() < garbage {
            self.rng.fill_bytes(bytes);
        }
        let length = bytes.len() + HEADERS;
        for copy in 0..=i64::from(twice) {
            let left = left + Span::micros(100 * copy);
            for at in self.backward.carry(left, length) {
                self.plan(at, Event::Returned { socket, from, what: what.clone() });
            }
        }
    }

    /// Lets virtual time run until `socket` has news or it is `until`, and past the pauses of the process.
    fn run(&mut self, socket: usize, until: Mono) {
        while self.sockets[socket].iter().all(|news| matches!(news, News::Left { .. })) {
            let Some(event) = self.next(until) else {
                self.mono = self.mono.max(until);
                break;
            };
            self.happen(event);
        }
        for pause in self.scenario.host.pauses.clone() {
            let end = Mono(0) + seconds(pause.at_s + pause.for_s);
            if self.mono >= Mono(0) + seconds(pause.at_s) && self.mono < end {
                while let Some(event) = self.next(end) {
                    self.happen(event);
                }
                self.mono = end;
            }
        }
    }
}

const fn near_port(socket: usize) -> u16 {
    NEAR_PORTS + socket as u16
}

/// A packet from its UDP or ICMP header on.
fn behind_ip(packet: &Going) -> Vec<u8> {
    let mut body = Vec::with_capacity(packet.bytes.len() + UDP_HEADER);
    if packet.protocol == Protocol::Udp {
        let length = (packet.bytes.len() + UDP_HEADER) as u16;
        for word in [near_port(packet.socket), packet.to.port(), length, 0] {
            body.extend_from_slice(&word.to_be_bytes());
        }
    }
    body.extend_from_slice(&packet.bytes);
    body
}

fn error_about(packet: &Going, trouble: Trouble, body: &[u8], most: usize) -> Vec<u8> {
    let protocol = if packet.protocol == Protocol::Udp { icmp_error::UDP } else { icmp_error::ICMP };
    let quote = Quote { from: NEAR, to: packet.to.ip(), ttl: 1, protocol, body };
    icmp_error::write(Version::V4, trouble, &quote, most).unwrap_or_default()
}

struct SimSocket {
    net: SimNet,
    socket: usize,
    wanted: Wanted,
}

impl Datagrams for SimSocket {
    fn now(&self) -> Now {
        self.net.world().now()
    }

    fn clock_state(&self) -> ClockState {
        ClockState { synchronised: true, error: Span::micros(500) }
    }

    fn local(&self) -> SocketAddr {
        SocketAddr::new(self.wanted.binding.source.unwrap_or(NEAR), near_port(self.socket))
    }

    fn is_raw(&self) -> bool {
        false
    }

    fn send(&mut self, packet: &Outgoing<'_>) -> io::Result<()> {
        let mut world = self.net.world();
        world.mono = world.mono + Span::from_secs_f64(world.scenario.host.send_us / 1e6);
        let left = world.mono;
        if world.scenario.host.kernel_stamps && self.wanted.transmit_stamps {
            let at = world.wall_at(left);
            world.sockets[self.socket].push_back(News::Left { id: packet.id, at });
        }
        let to = packet.to.map_or(self.wanted.end.address(), |(to, _)| to);
        let ttl = packet.marks.ttl.or(self.wanted.ttl).unwrap_or(64);
        let (protocol, bytes) = (self.wanted.protocol, packet.bytes.to_vec());
        world.set_out(left, &Going { protocol, socket: self.socket, to, bytes, ttl });
        Ok(())
    }

    fn wait(&mut self, until: Mono, inbox: &mut dyn Inbox) -> io::Result<()> {
        let (news, kernel_stamps, now) = {
            let mut world = self.net.world();
            world.run(self.socket, until);
            let news = std::mem::take(&mut world.sockets[self.socket]);
            if news.iter().any(|news| matches!(news, News::Arrived { .. })) {
                let wake = world.rng.random::<f64>() * world.scenario.host.wake_us;
                world.mono = world.mono + Span::from_secs_f64(wake / 1e6);
            }
            (news, world.scenario.host.kernel_stamps, world.now())
        };
        for news in news {
            match news {
                News::Left { id, at } => inbox.transmitted(id, at),
                News::Arrived { from, what: Coming::Bytes(bytes), at } => inbox.received(&Packet {
                    bytes: &bytes,
                    from,
                    to: None,
                    now,
                    kernel: kernel_stamps.then_some(at),
                    ttl: Some(255 - HOPS),
                    class: None,
                }),
                News::Arrived { from, what: Coming::Error(message), at } => {
                    let kernel = kernel_stamps.then_some(at);
                    self.told(inbox, from.ip(), &message, now, kernel);
                }
            }
        }
        Ok(())
    }
}

impl SimSocket {
    /// What a kernel makes of an ICMP error: it looks up whose packet is quoted, and hands on what is behind the UDP
    /// header, or from the ICMP header on.
    fn told(&self, inbox: &mut dyn Inbox, from: IpAddr, message: &[u8], now: Now, kernel: Option<Wall>) {
        let Some((trouble, quote)) = icmp_error::read(Version::V4, message) else { return };
        let mine = match self.wanted.protocol {
            Protocol::Udp => quote.protocol == icmp_error::UDP,
            Protocol::Icmp => quote.protocol == icmp_error::ICMP,
        };
        let elsewhere = matches!(self.wanted.end, End::To(to) if to.ip() != quote.to);
        if !mine || elsewhere {
            return;
        }
        if !self.wanted.reports {
            if trouble != Trouble::TimeExceeded {
                inbox.unreachable(io::ErrorKind::ConnectionRefused);
            }
            return;
        }
        let skipped = if self.wanted.protocol == Protocol::Udp { UDP_HEADER } else { 0 };
        let quoted = quote.body.get(skipped..).unwrap_or_default();
        inbox.reported(&Report { from, trouble, quoted, now, kernel, ttl: Some(255 - HOPS) });
    }
}
