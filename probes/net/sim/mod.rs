//! A seeded virtual network on virtual time: the same session, told a story.
//!
//! Time moves only while a socket waits, and jumps to the next thing that happens, so a scenario of minutes takes
//! milliseconds and is the same every time. There is one line between the machine that measures and one
//! far end, which answers UDP by the session it was given and ICMP echo by itself. One thread at a time: two sockets
//! that wait in turns share the clock.

mod link;
mod scenario;

pub use link::Truth;
pub use scenario::{Burst, CrossLoad, Far, Host, Path, Pause, Scenario, WallStep};

use super::{ClockState, Datagrams, Inbox, Net, NetError, Now, Outgoing, Packet, Protocol, Wanted};
use crate::codec::icmp;
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
/// What the line leaves of the TTL.
const HOPS: u8 = 7;
/// An IPv4 header and a UDP or ICMP header.
const HEADERS: usize = 28;
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

enum Event {
    AtFar { protocol: Protocol, socket: usize, to: SocketAddr, bytes: Vec<u8>, ttl: u8 },
    AtNear { socket: usize, from: SocketAddr, bytes: Vec<u8> },
}

enum News {
    Left { id: u64, at: Wall },
    Arrived { from: SocketAddr, bytes: Vec<u8>, at: Wall },
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
            Event::AtNear { socket, from, bytes } => {
                let at = self.wall_at(self.mono);
                self.sockets[socket].push_back(News::Arrived { from, bytes, at });
            }
            Event::AtFar { protocol, socket, to, bytes, ttl } => {
                let dead = self.scenario.far.dies_at_s.is_some_and(|s| self.mono >= Mono(0) + seconds(s));
                if !dead {
                    self.answer(protocol, socket, to, &bytes, ttl);
                }
            }
        }
    }

    fn answer(&mut self, protocol: Protocol, socket: usize, to: SocketAddr, bytes: &[u8], ttl: u8) {
        let far = self.scenario.far.clone();
        let far_now = |mono: Mono| {
            let step = far.clock_step.filter(|step| Mono(0) + seconds(step.at_s) <= mono);
            let ahead = seconds(far.clock_ahead_ms / 1e3 + step.map_or(0.0, |step| step.by_s));
            Now { mono, wall: BEGIN + (mono - Mono(0)) + ahead }
        };
        let left = self.mono + Span::from_secs_f64(far.processing_us / 1e6);
        let answers: Vec<Vec<u8>> = match protocol {
            Protocol::Icmp => icmp::read_request(icmp::Version::V4, bytes)
                .map(|e| icmp::reply(icmp::Version::V4, &e))
                .into_iter()
                .collect(),
            Protocol::Udp => {
                let arrived = far_now(self.mono);
                self.peer.received(&Packet {
                    bytes,
                    from: SocketAddr::new(NEAR, near_port(socket)),
                    to: Some(to.ip()),
                    now: far_now(left),
                    kernel: Some(arrived.wall),
                    ttl: Some(ttl),
                });
                let mut answers = Vec::new();
                while let Step::Send(Datagram { bytes, .. }) = self.peer.step(far_now(left)) {
                    answers.push(bytes);
                }
                answers
            }
        };
        for mut bytes in answers {
            if far.garbage > 0.0 && self.rng.random::<f64>() < far.garbage {
                self.rng.fill_bytes(&mut bytes);
            }
            for copy in 0..=i64::from(far.answers_twice) {
                let left = left + Span::micros(100 * copy);
                for at in self.backward.carry(left, bytes.len() + HEADERS) {
                    self.plan(at, Event::AtNear { socket, from: to, bytes: bytes.clone() });
                }
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
    40_000 + socket as u16
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
        let ttl = self.wanted.ttl.unwrap_or(64).saturating_sub(HOPS);
        for at in world.forward.carry(left, packet.bytes.len() + HEADERS) {
            let (protocol, bytes) = (self.wanted.protocol, packet.bytes.to_vec());
            world.plan(at, Event::AtFar { protocol, socket: self.socket, to, bytes, ttl });
        }
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
                News::Arrived { from, bytes, at } => inbox.received(&Packet {
                    bytes: &bytes,
                    from,
                    to: None,
                    now,
                    kernel: kernel_stamps.then_some(at),
                    ttl: Some(255 - HOPS),
                }),
            }
        }
        Ok(())
    }
}
