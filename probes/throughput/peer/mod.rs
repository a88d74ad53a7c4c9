//! The answering side of throughput tests: safe to leave open to the world.
//!
//! It sends payload only to an address that has completed a TCP handshake and shown the token it was given. One
//! loading test runs at a time; the others queue and are told their place. Everything has a bound: connections
//! altogether and per place, the queue, the length of a line, the length of a test, and the time that
//! anybody may take over anything. A client that does not keep to the protocol loses its connection, and with it
//! its place.

mod house;
mod test;

pub use house::Limits;

use super::words::{LONGEST_TO_PEER, PROTOCOL, Talk, TalkError, ToClient, ToPeer, VERSION, Wish};
use crate::net::{Listener, Wire};
use crate::peer::door::keep;
use crate::peer::guests::{Guest, Guests, place_of};
use crate::peer::queue::{Place, Queue};
use crate::probe::Stop;
use broadgauge_model::clock::{Clock, Span};
use house::{Expected, House};
use rand::Rng;
use std::fmt::Write;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A peer that has its ports and does not answer yet.
#[derive(Debug)]
pub struct Peer {
    doors: Vec<Door>,
    limits: Limits,
    queue: Queue,
}

/// An address that a peer listens at.
#[derive(Debug)]
struct Door {
    listener: Listener,
    stamp_port: Option<u16>,
}

impl Peer {
    /// Takes a port. `stamp_port` is where a STAMP reflector listens beside it, for delay under load. An unspecified
    /// IPv6 address answers IPv6 only; [`Self::and_at`] adds the other family.
    #[expect(
        clippy::unused_async,
        reason = "taking a port needs a runtime: awaiting shows where one is missing"
    )]
    pub async fn bind(address: SocketAddr, limits: Limits, stamp_port: Option<u16>) -> io::Result<Self> {
        let queue = Queue::new(limits.waiting, limits.tests_per_place);
        Self::sharing(queue, limits).and_at(address, stamp_port)
    }

    /// Without a port yet, and with a queue that other answering sides share: of all of them, one loading test runs at a
    /// time.
    pub const fn sharing(queue: Queue, limits: Limits) -> Self {
        Self { doors: Vec::new(), limits, queue }
    }

    /// Listens at one more address. All addresses share one queue: one loading test at a time.
    pub fn and_at(self, address: SocketAddr, stamp_port: Option<u16>) -> io::Result<Self> {
        Ok(self.and_behind(Listener::at(address)?, stamp_port))
    }

    /// Answers whoever comes in by one more door.
    #[must_use]
    pub fn and_behind(mut self, listener: Listener, stamp_port: Option<u16>) -> Self {
        self.doors.push(Door { listener, stamp_port });
        self
    }

    /// Where it listens first.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.doors.first().ok_or(io::ErrorKind::NotConnected)?.listener.local_addr()
    }

    /// Everywhere it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.iter().filter_map(|door| door.listener.local_addr().ok()).collect()
    }

    /// Answers until it is told to stop; then every test ends at once.
    pub async fn serve(self, clock: Arc<dyn Clock>, stop: Stop) {
        let house = Arc::new(House {
            limits: self.limits,
            guests: Guests::new(self.limits.connections, self.limits.connections_per_place),
            queue: self.queue,
            clock,
            expected: Mutex::default(),
        });
        let mut doors = JoinSet::new();
        for Door { listener, stamp_port } in self.doors {
            let (house, stop) = (Arc::clone(&house), stop.clone());
            doors.spawn(keep(listener, house.guests.clone(), stop, move |stream, address, guest| {
                Arc::clone(&house).welcome(stream, address.ip(), stamp_port, guest)
            }));
        }
        while doors.join_next().await.is_some() {}
    }
}

impl House {
    /// The first line says what a connection is for.
    async fn welcome(self: Arc<Self>, stream: Wire, address: IpAddr, stamp_port: Option<u16>, guest: Guest) {
        // Control lines are small and shall not wait for one another, and a client that vanished shall not keep its place.
        // A system that refuses either is slower, and no less safe.
        stream.in_haste();
        stream.give_up_after(Span(2 * self.limits.patience.0));
        let mut talk = Talk::new(stream, LONGEST_TO_PEER);
        match talk.hear(self.limits.patience).await {
            Ok(ToPeer::Hello(wish)) => {
                let came_to = self.control(&mut talk, &wish, address, stamp_port).await;
                tracing::debug!(%address, ?came_to, "throughput test over");
            }
            Ok(ToPeer::Data { token, stream }) => {
                let join = {
                    let expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
                    let test = expected.get(&token).filter(|test| test.place == place_of(address));
                    test.map(|test| test.join.clone())
                };
                if let (Some(join), Some(data)) = (join, talk.into_stream()) {
                    // Full: more streams than were asked for. Closed: the test is over. Both close the connection.
                    let _ = join.try_send((stream, data, guest));
                }
            }
            Ok(_) | Err(_) => tracing::debug!(%address, "connection closed: not of this protocol"),
        }
    }

    /// One test, from its wish to its reports.
    async fn control(
        &self,
        talk: &mut Talk,
        wish: &Wish,
        address: IpAddr,
        stamp_port: Option<u16>,
    ) -> Result<(), TalkError> {
        let patience = self.limits.patience;
        let mut place = match self
            .check(wish)
            .and_then(|()| self.queue.enter(place_of(address)).map_err(|full| full.to_string()))
        {
            Ok(place) => place,
            Err(reason) => return talk.say(&ToClient::Refused { reason }, patience).await,
        };
        self.wait_for_turn(talk, &mut place).await?;
        let token = token();
        let (join, mut joined) = mpsc::channel(wish.streams);
        let _until_the_end = Listed::new(self, &token, Expected { place: place_of(address), join });
        let software = format!("broadgauge/{}", env!("CARGO_PKG_VERSION"));
        talk.say(&ToClient::Welcome { token, software, stamp_port }, patience).await?;
        let mut idle = Span::millis(wish.idle_ms as i64);
        for way in &wish.ways {
            let streams = tokio::select! {
                streams = self.gather(&mut joined, wish.streams, idle + patience) => streams?,
                // Nothing is to be said here either.
                _ = talk.hear::<ToPeer>(Span::secs(3_600)) => return Err(TalkError::Closed),
            };
            talk.say(&ToClient::Ready {}, patience).await?;
            test::run(talk, *way, wish, streams, self).await?;
            idle = Span::ZERO;
        }
        Ok(())
    }

    fn check(&self, wish: &Wish) -> Result<(), String> {
        let longest = self.limits.duration.0 as u64 / 1_000_000;
        let idle_at_most = self.limits.patience.0 as u64 / 1_000_000;
        if wish.protocol != PROTOCOL || wish.version != VERSION {
            return Err(format!("this peer speaks {PROTOCOL} version {VERSION}"));
        }
        if wish.streams == 0 || wish.streams > self.limits.streams {
            return Err(format!("streams must be 1 to {}", self.limits.streams));
        }
        if wish.duration_ms == 0 || wish.duration_ms > longest {
            return Err(format!("duration_ms must be 1 to {longest}"));
        }
        if wish.ways.is_empty() || wish.ways.len() > 2 {
            return Err(String::from("ways must be one or two"));
        }
        if wish.idle_ms > idle_at_most {
            return Err(format!("idle_ms must be at most {idle_at_most}"));
        }
        Ok(())
    }

    /// Tells its place to whoever waits; ends with its turn, or with its connection.
    async fn wait_for_turn(&self, talk: &mut Talk, place: &mut Place) -> Result<(), TalkError> {
        loop {
            let ahead = place.ahead();
            if ahead == 0 {
                return Ok(());
            }
            talk.say(&ToClient::Queued { ahead }, self.limits.patience).await?;
            tokio::select! {
                () = place.moved() => {}
                () = tokio::time::sleep(Span::secs(2).to_std()) => {}
                // Nothing is to be said while waiting: whatever comes, or the end, ends it.
                _ = talk.hear::<ToPeer>(Span::secs(3_600)) => return Err(TalkError::Closed),
            }
        }
    }

    /// The data connections of one direction.
    async fn gather(
        &self,
        joined: &mut mpsc::Receiver<(usize, Wire, Guest)>,
        count: usize,
        within: Span,
    ) -> Result<Vec<(Wire, Guest)>, TalkError> {
        let all = async {
            let mut streams: Vec<Option<(Wire, Guest)>> = (0..count).map(|_| None).collect();
            while streams.iter().any(Option::is_none) {
                let (index, stream, guest) = joined.recv().await.ok_or(TalkError::Closed)?;
                let free = streams.get_mut(index).filter(|slot| slot.is_none()).ok_or(TalkError::Garbled)?;
                *free = Some((stream, guest));
            }
            Ok(streams.into_iter().flatten().collect())
        };
        tokio::time::timeout(within.to_std(), all)
            .await
            .map_err(|_| TalkError::Silent(within.as_secs_f64()))?
    }
}

/// Lists a test while it lives.
struct Listed<'a> {
    house: &'a House,
    token: String,
}

impl<'a> Listed<'a> {
    fn new(house: &'a House, token: &str, test: Expected) -> Self {
        house.expected.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), test);
        Self { house, token: token.to_owned() }
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.house.expected.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}

/// 128 random bits from the system's own generator.
fn token() -> String {
    let mut bytes = [0_u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
