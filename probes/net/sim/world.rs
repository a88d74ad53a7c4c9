//! What happens in a virtual network: one thing after another, each at its time.
//!
//! The clock is that of the runtime, which stands still while anything can be done and jumps while everything waits
//! (`tokio::time::pause`). That clock counts milliseconds; here things happen at their nanosecond, in order, and whoever is
//! woken by one of them reads that time.

use super::connections::{self, Streams};
use super::link::{Link, Truth, seconds};
use super::scenario::{Router, Scenario};
use crate::codec::icmp::{self, Version};
use crate::codec::icmp_error::{self, Quote, Trouble};
use crate::net::{Now, Packet, Protocol};
use crate::session::{Datagram, Session, Step};
use broadgauge_model::clock::{Mono, Span, Wall};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::Waker;
use tokio::sync::Notify;
use tokio::time::Instant;

/// When virtual time begins: 2026-01-01T00:00:00Z.
const BEGIN: Wall = Wall::from_secs(1_767_225_600);
/// What the line leaves of the TTL where no routers are named.
pub(super) const HOPS: u8 = 7;
/// The machine that measures, and the far end.
pub(super) const NEAR: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
pub(super) const FAR: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
/// A UDP header.
pub(super) const UDP_HEADER: usize = 8;
/// What a host quotes: as much as fits 576 bytes (RFC 1812 section 4.3.2.3).
const HOST_QUOTES: usize = 548;
/// An IPv4 header and a UDP or ICMP header.
const HEADERS: usize = 28;
/// Ports of this machine's sockets, from here on.
const NEAR_PORTS: u16 = 40_000;

/// The far end's session, as the virtual network runs it.
pub type Peer = Box<dyn Session + Send>;

/// A packet on its way there.
pub(super) struct Going {
    pub(super) protocol: Protocol,
    pub(super) socket: usize,
    pub(super) to: SocketAddr,
    pub(super) bytes: Vec<u8>,
    pub(super) ttl: u8,
}

/// What comes back.
#[derive(Clone)]
pub(super) enum Coming {
    /// An answer.
    Bytes(Vec<u8>),
    /// An ICMP error, from its header on.
    Error(Vec<u8>),
}

pub(super) enum Event {
    /// A router drops a packet.
    Dropped { router: usize, trouble: Trouble, packet: Going },
    /// A packet reaches the far end.
    Reached(Going),
    /// The far end's session wanted to be asked again.
    Asked,
    /// Something comes back.
    Returned { socket: usize, from: SocketAddr, what: Coming },
    /// Somebody waits for this time.
    Due { socket: usize },
    /// Of a connection.
    Stream(connections::Event),
}

pub(super) enum News {
    Left { id: u64, at: Wall },
    Arrived { from: SocketAddr, what: Coming, at: Wall },
}

/// What a datagram socket has not taken in yet, and who waits for it.
#[derive(Default)]
pub(super) struct Held {
    pub(super) news: VecDeque<News>,
    pub(super) waiting: Option<Waker>,
}

impl Held {
    /// Whether something has arrived; that something has left wakes nobody.
    pub(super) fn has_arrived(&self) -> bool {
        self.news.iter().any(|news| matches!(news, News::Arrived { .. }))
    }
}

pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) forward: Link,
    pub(super) backward: Link,
    pub(super) rng: ChaCha8Rng,
    peer: Peer,
    pub(super) mono: Mono,
    begun: Instant,
    /// Whether those whom something woke are still at it: they all read the time at which it happened.
    held: bool,
    /// Rung where something will happen before all that was planned.
    bell: Arc<Notify>,
    events: BTreeMap<(Mono, u64), Event>,
    order: u64,
    pub(super) sockets: Vec<Held>,
    pub(super) streams: Streams,
    /// Where the far end was last asked, by which socket, and when its session wants to be asked again.
    far_address: SocketAddr,
    last_asker: usize,
    asked_at: Option<Mono>,
}

impl World {
    pub(super) fn new(scenario: Scenario, peer: Peer, bell: Arc<Notify>) -> Self {
        let seed = scenario.seed;
        Self {
            forward: Link::new(scenario.forward.clone(), seed ^ 0x666f_7277),
            backward: Link::new(scenario.backward.clone(), seed ^ 0x6261_636b),
            rng: ChaCha8Rng::seed_from_u64(seed),
            scenario,
            peer,
            mono: Mono(0),
            begun: runtime_now(),
            held: false,
            bell,
            events: BTreeMap::new(),
            order: 0,
            sockets: Vec::new(),
            streams: Streams::default(),
            far_address: SocketAddr::new(FAR, 0),
            last_asker: 0,
            asked_at: None,
        }
    }

    pub(super) const fn truth(&self) -> (Truth, Truth) {
        (self.forward.truth, self.backward.truth)
    }

    /// Time goes on with the runtime's. Whoever asks in a millisecond in which something else is to happen comes after it: the
    /// runtime's timers are never early.
    pub(super) fn catch_up(&mut self) {
        if self.held {
            return;
        }
        let passed = Mono(self.begun.elapsed().as_nanos() as u64);
        while let Some(event) = self.next(passed) {
            self.happen(event);
        }
        self.mono = self.mono.max(passed);
    }

    /// Lets the next thing happen if it is due; else says when it is, in the runtime's time.
    pub(super) fn step(&mut self) -> Result<(), Option<Instant>> {
        let next = self.events.first_key_value().map(|(&(at, _), _)| self.begun + (at - Mono(0)).to_std());
        self.held = next.is_some_and(|at| at <= runtime_now());
        if !self.held {
            return Err(next);
        }
        if let Some(event) = self.next(Mono(u64::MAX)) {
            self.happen(event);
        }
        Ok(())
    }

    pub(super) fn now(&self) -> Now {
        Now { mono: self.mono, wall: self.wall_at(self.mono) }
    }

    pub(super) fn wall_at(&self, mono: Mono) -> Wall {
        let steps = self.scenario.wall_steps.iter().filter(|step| Mono(0) + seconds(step.at_s) <= mono);
        steps.fold(BEGIN + (mono - Mono(0)), |wall, step| wall + seconds(step.by_s))
    }

    pub(super) fn plan(&mut self, at: Mono, event: Event) {
        self.order += 1;
        self.events.insert((at, self.order), event);
        if self.events.first_key_value().is_some_and(|(&(_, order), _)| order == self.order) {
            self.bell.notify_one();
        }
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
                self.sockets[socket].news.push_back(News::Arrived { from, what, at });
                self.wake(socket);
            }
            Event::Due { socket } => self.wake(socket),
            Event::Stream(event) => self.stream_event(event),
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

    fn wake(&mut self, socket: usize) {
        if let Some(waiting) = self.sockets[socket].waiting.take() {
            waiting.wake();
        }
    }

    pub(super) fn is_dead(&self) -> bool {
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
    pub(super) fn set_out(&mut self, left: Mono, packet: &Going) {
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

    /// The process does not run in its pauses: all that happens meanwhile waits for it.
    pub(super) fn sit_out_pauses(&mut self) {
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

/// The runtime's clock, which is this network's.
#[expect(clippy::disallowed_methods, reason = "a scenario sets it: it is paused")]
fn runtime_now() -> Instant {
    Instant::now()
}

pub(super) const fn near_port(socket: usize) -> u16 {
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
