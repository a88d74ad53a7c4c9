//! The answering side: an iperf3 server that may be left open to the world.
//!
//! One test at a time, as with iperf3; who comes meanwhile is told that it is busy. Bounded are connections altogether and
//! per place, the length of a document, streams, the length of a test, and the time that anybody may take over
//! anything. UDP leaves for an address only while a test runs that this address agreed on over TCP, from a port that
//! announced itself, and never faster than the limit.

mod streams;
mod test;

use super::talk::Talk;
use crate::codec::iperf3::{Cookie, PORT, State};
use crate::net::{Listener, Wire};
use crate::peer::door::keep;
use crate::peer::guests::{Guest, Guests, place_of};
use crate::peer::queue::{Place, Queue};
use crate::peer::service::{Ground, Running, Service, Tls};
use crate::probe::Stop;
use broadgauge_model::clock::{Clock, Span};
use socket2::TcpKeepalive;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How long a running test has to take its leave when the peer ends.
const FAREWELL: Span = Span::secs(2);

/// What it is, for the catalogue of answering sides.
pub static SERVICE: Service = Service {
    name: "iperf3",
    about: "an iperf3 server, TCP and UDP, one test at a time",
    port: PORT,
    transport: "tcp",
    tls: Tls::Never,
    start,
};

/// Takes its ports.
pub fn start(ground: Ground) -> io::Result<Running> {
    let mut peer = Peer::new(Limits::default(), ground.queue);
    for &address in &ground.at {
        peer = peer.and_behind(ground.net.listen(address)?);
    }
    let addresses = peer.addresses();
    Ok(Running { addresses, answering: Box::pin(peer.serve(ground.clock, ground.stop)) })
}

/// What a peer allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections altogether.
    pub connections: usize,
    /// Connections from one IPv4 address or one IPv6 /64.
    pub connections_per_place: usize,
    /// Streams in each direction.
    pub streams: u64,
    /// The longest test, with what is omitted.
    pub duration: Span,
    /// The fastest that all streams of a test send by UDP.
    pub udp_bits_per_second: u64,
    /// How long somebody may take to say what it must say next.
    pub patience: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            connections_per_place: 300,
            streams: 128,
            duration: Span::secs(300),
            udp_bits_per_second: 1_000_000_000,
            patience: Span::secs(10),
        }
    }
}

/// A server that has its ports and does not answer yet.
#[derive(Debug)]
pub struct Peer {
    doors: Vec<Listener>,
    limits: Limits,
    queue: Queue,
}

/// What all connections share.
struct House {
    limits: Limits,
    clock: Arc<dyn Clock>,
    queue: Queue,
    current: Mutex<Option<Current>>,
    occupied: watch::Sender<bool>,
    connections: AtomicU64,
    stop: Stop,
}

/// The test that runs.
struct Current {
    cookie: Cookie,
    place: IpAddr,
    join: mpsc::Sender<Joined>,
}

/// A data connection.
struct Joined {
    /// In which order connections came: the first ones are those that the client sends on.
    number: u64,
    stream: Wire,
    guest: Guest,
}

/// What a connection is for.
enum Purpose {
    Test(mpsc::Receiver<Joined>, Place),
    Stream(mpsc::Sender<Joined>),
    Busy,
}

impl Peer {
    /// A server whose tests have their turn in this queue.
    pub const fn new(limits: Limits, queue: Queue) -> Self {
        Self { doors: Vec::new(), limits, queue }
    }

    /// Listens at one more address. All addresses share one test at a time. Needs a runtime.
    pub fn and_at(self, address: SocketAddr) -> io::Result<Self> {
        Ok(self.and_behind(Listener::at(address)?))
    }

    /// Answers whoever comes in by one more door.
    #[must_use]
    pub fn and_behind(mut self, door: Listener) -> Self {
        self.doors.push(door);
        self
    }

    /// Everywhere it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.iter().filter_map(|door| door.local_addr().ok()).collect()
    }

    /// Answers until it is told to stop; then the test that runs is told so and ends.
    pub async fn serve(self, clock: Arc<dyn Clock>, mut stop: Stop) {
        let guests = Guests::new(self.limits.connections, self.limits.connections_per_place);
        let house = Arc::new(House {
            limits: self.limits,
            clock,
            queue: self.queue,
            current: Mutex::default(),
            occupied: watch::Sender::new(false),
            connections: AtomicU64::new(0),
            stop: stop.clone(),
        });
        let (end, over) = Stop::new();
        let mut doors = JoinSet::new();
        for door in self.doors {
            let house = Arc::clone(&house);
            doors.spawn(keep(door, guests.clone(), over.clone(), move |stream, address, guest| {
                let number = house.connections.fetch_add(1, Ordering::Relaxed);
                Arc::clone(&house).welcome(number, stream, address, guest)
            }));
        }
        stop.wait().await;
        let mut occupied = house.occupied.subscribe();
        // Who has not taken leave by then is cut off.
        let _ = tokio::time::timeout(FAREWELL.to_std(), occupied.wait_for(|occupied| !occupied)).await;
        end.send_replace(true);
        while doors.join_next().await.is_some() {}
    }
}

impl House {
    /// The cookie says what a connection is for.
    async fn welcome(self: Arc<Self>, number: u64, stream: Wire, address: SocketAddr, guest: Guest) {
        let patience = self.limits.patience;
        // A client that vanished shall not keep the server busy. A system that refuses any of this is no less safe: a
        // test has an end.
        stream.in_haste();
        stream.give_up_after(Span(2 * patience.0));
        let alive = TcpKeepalive::new()
            .with_time(Span::secs(5).to_std())
            .with_interval(Span::secs(2).to_std())
            .with_retries(3);
        if let Some(socket) = stream.socket() {
            let _ = socket.set_tcp_keepalive(&alive);
        }
        let Ok(local) = stream.local_addr() else { return };
        let mut talk = Talk::new(stream);
        let Ok(cookie) = talk.cookie(patience).await else { return };
        match self.purpose(cookie, address.ip()) {
            Purpose::Stream(join) => {
                if let Some(stream) = talk.into_stream() {
                    // Full: more streams than were asked for. Closed: the test is over. Both close the connection.
                    let _ = join.try_send(Joined { number, stream, guest });
                }
            }
            Purpose::Busy => {
                if talk.say_state(State::AccessDenied, patience).await.is_ok() {
                    talk.part(patience).await;
                }
            }
            Purpose::Test(joined, place) => {
                let _until_the_end = Seat { house: &self, _place: place };
                let came_to = self.test(&mut talk, joined, address, local).await;
                tracing::debug!(%address, ?came_to, "iperf3 test over");
            }
        }
    }

    fn purpose(&self, cookie: Cookie, address: IpAddr) -> Purpose {
        let place = place_of(address);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            // The turn may be that of a test of another protocol.
            None => match self.queue.enter(place) {
                Ok(turn) if turn.ahead() == 0 => {
                    let (join, joined) = mpsc::channel(2 * self.limits.streams as usize);
                    *current = Some(Current { cookie, place, join });
                    self.occupied.send_replace(true);
                    Purpose::Test(joined, turn)
                }
                _ => Purpose::Busy,
            },
            Some(test) if test.cookie == cookie && test.place == place => Purpose::Stream(test.join.clone()),
            Some(_) => Purpose::Busy,
        }
    }
}

/// Makes room for the next test when it is dropped.
struct Seat<'a> {
    house: &'a House,
    _place: Place,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        *self.house.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.house.occupied.send_replace(false);
    }
}
