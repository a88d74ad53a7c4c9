//! A line with known rate, delay, jitter, loss and buffer, in user space: what stands between an agent and a peer
//! when no real access line is at hand.
//!
//! The relay listens on an address of its own, on the same ports as the peer behind it. Each way of the line has
//! one queue, drained at the line's rate, that datagrams and streams share: a load fills the buffer and datagrams
//! then wait behind it, as on a real line. A datagram that finds the buffer full is dropped; a stream is not read
//! from until there is room, so TCP sees a slow reader rather than loss. Random loss and jitter touch datagrams
//! only. The rate counts payload bytes: no headers cross a user-space relay.

use broadgauge_model::clock::{Clock, Mono, Span, SystemClock};
use broadgauge_model::unit::Rate;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// One way of a line.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Payload bits per second.
    pub rate: Rate,
    /// Propagation delay.
    pub delay: Span,
    /// The most that a datagram is held up on top, uniform between none and this.
    pub jitter: Span,
    /// The share of datagrams lost at random.
    pub loss: f64,
    /// How many bytes may wait.
    pub buffer: u64,
}

/// Both ways of a line, seen from the customer.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Towards the customer.
    pub down: Way,
    /// From the customer.
    pub up: Way,
    /// Makes loss and jitter repeatable.
    pub seed: u64,
}

/// A running relay; dropping it stops it.
pub struct Relay {
    address: IpAddr,
    stopping: Arc<AtomicBool>,
}

/// How long a blocked call waits before it looks whether the relay is to stop.
const PATIENCE: Duration = Duration::from_millis(200);
/// Read sizes are small, so that one read never fills a slow line's buffer.
const CHUNK: usize = 8 * 1024;

impl Relay {
    /// Listens on `address`, at the ports of `stream_port` and `datagram_port`, and passes on to the same ports of
    /// `peer`.
    pub fn start(
        address: IpAddr,
        peer: IpAddr,
        stream_port: u16,
        datagram_port: u16,
        line: Line,
    ) -> io::Result<Self> {
        let clock = SystemClock::start();
        let stopping = Arc::new(AtomicBool::new(false));
        let up = Arc::new(Queue::new(clock, line.up, line.seed));
        let down = Arc::new(Queue::new(clock, line.down, line.seed.wrapping_add(1)));

        let datagrams = UdpSocket::bind((address, datagram_port))?;
        datagrams.set_read_timeout(Some(PATIENCE))?;
        let streams = TcpListener::bind((address, stream_port))?;

        let (stop, ways) = (Arc::clone(&stopping), (Arc::clone(&up), Arc::clone(&down)));
        thread::spawn(move || pass_datagrams(&datagrams, (peer, datagram_port).into(), &ways, &stop));
        let stop = Arc::clone(&stopping);
        thread::spawn(move || accept_streams(&streams, (peer, stream_port).into(), &up, &down, &stop));
        Ok(Self { address, stopping })
    }

    /// Where it listens.
    pub const fn address(&self) -> IpAddr {
        self.address
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
    }
}

/// One way's bottleneck: who comes when, and when it leaves.
struct Queue {
    clock: SystemClock,
    way: Way,
    state: Mutex<QueueState>,
}

struct QueueState {
    free_at: Mono,
    rng: ChaCha8Rng,
}

impl Queue {
    fn new(clock: SystemClock, way: Way, seed: u64) -> Self {
        Self {
            clock,
            way,
            state: Mutex::new(QueueState { free_at: Mono(0), rng: ChaCha8Rng::seed_from_u64(seed) }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time_for(&self, bytes: u64) -> Span {
        Span::from_secs_f64(bytes as f64 * 8.0 / self.way.rate.0)
    }

    /// When a datagram that arrives now is delivered; `None` where it is lost.
    fn datagram(&self, bytes: usize) -> Option<Mono> {
        let now = self.clock.mono();
        let mut state = self.lock();
        let start = state.free_at.max(now);
        // A datagram may use a tenth more than streams may fill: otherwise a load would lock it out entirely.
        let room = self.time_for(self.way.buffer + self.way.buffer / 10);
        if state.rng.random_bool(self.way.loss) || start - now > room {
            return None;
        }
        state.free_at = start + self.time_for(bytes as u64);
        let held = Span((state.rng.random::<f64>() * self.way.jitter.0 as f64) as i64);
        Some(state.free_at + self.way.delay + held)
    }

    /// When a stream's chunk is delivered; the wait beforehand is how a full buffer holds a stream back.
    fn chunk(&self, bytes: usize, stopping: &AtomicBool) -> Mono {
        let room = self.time_for(self.way.buffer);
        loop {
            let now = self.clock.mono();
            let wait = {
                let mut state = self.lock();
                let start = state.free_at.max(now);
                if start - now <= room || stopping.load(Ordering::SeqCst) {
                    state.free_at = start + self.time_for(bytes as u64);
                    return state.free_at + self.way.delay;
                }
                (start - now) - room
            };
            thread::park_timeout(wait.to_std().max(Duration::from_micros(200)));
        }
    }

    fn wait_until(&self, due: Mono) {
        loop {
            let left = due - self.clock.mono();
            if left <= Span::ZERO {
                return;
            }
            thread::park_timeout(left.to_std());
        }
    }
}

type Ways = (Arc<Queue>, Arc<Queue>);

/// One thread reads the customer's side; each customer has a socket towards the peer, as a NAT would give it.
fn pass_datagrams(customers: &UdpSocket, peer: SocketAddr, (up, down): &Ways, stopping: &Arc<AtomicBool>) {
    let mut flows: HashMap<SocketAddr, Sender<(Mono, Vec<u8>)>> = HashMap::new();
    let mut buffer = vec![0; 65_536];
    while !stopping.load(Ordering::SeqCst) {
        let Ok((length, customer)) = customers.recv_from(&mut buffer) else { continue };
        let Some(due) = up.datagram(length) else { continue };
        let packet = (due, buffer[..length].to_vec());
        let gone = match flows.get(&customer) {
            Some(flow) => flow.send(packet).err().map(|unsent| unsent.0),
            None => Some(packet),
        };
        if let Some(packet) = gone
            && let Ok(flow) = open_flow(customers, customer, peer, up, down, stopping)
            && flow.send(packet).is_ok()
        {
            flows.insert(customer, flow);
        }
    }
}

fn open_flow(
    customers: &UdpSocket,
    customer: SocketAddr,
    peer: SocketAddr,
    up: &Arc<Queue>,
    down: &Arc<Queue>,
    stopping: &Arc<AtomicBool>,
) -> io::Result<Sender<(Mono, Vec<u8>)>> {
    let local = if peer.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let towards_peer = Arc::new(UdpSocket::bind(local)?);
    towards_peer.connect(peer)?;
    towards_peer.set_read_timeout(Some(PATIENCE))?;

    let (send_up, queued_up) = channel();
    let (socket, queue) = (Arc::clone(&towards_peer), Arc::clone(up));
    thread::spawn(move || deliver(&queued_up, &queue, |packet| socket.send(packet).map(|_| ())));

    let (send_down, queued_down) = channel();
    let (socket, queue) = (customers.try_clone()?, Arc::clone(down));
    thread::spawn(move || {
        deliver(&queued_down, &queue, |packet| socket.send_to(packet, customer).map(|_| ()));
    });

    let (queue, stop) = (Arc::clone(down), Arc::clone(stopping));
    thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while !stop.load(Ordering::SeqCst) {
            let Ok(length) = towards_peer.recv(&mut buffer) else { continue };
            if let Some(due) = queue.datagram(length)
                && send_down.send((due, buffer[..length].to_vec())).is_err()
            {
                return;
            }
        }
    });
    Ok(send_up)
}

fn deliver(queued: &Receiver<(Mono, Vec<u8>)>, queue: &Queue, send: impl Fn(&[u8]) -> io::Result<()>) {
    for (due, packet) in queued {
        queue.wait_until(due);
        // A datagram that cannot be passed on is a datagram lost, as on any line.
        let _ = send(&packet);
    }
}

fn accept_streams(
    listener: &TcpListener,
    peer: SocketAddr,
    up: &Arc<Queue>,
    down: &Arc<Queue>,
    stopping: &Arc<AtomicBool>,
) {
    // A listener cannot time out, so the relay's end is noticed at the next connection, or with the process.
    for customer in listener.incoming() {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let (Ok(customer), up, down, stop) =
            (customer, Arc::clone(up), Arc::clone(down), Arc::clone(stopping))
        else {
            continue;
        };
        thread::spawn(move || {
            // A round trip of the handshake crosses the line before the peer hears of the connection.
            let due = up.clock.mono() + up.way.delay;
            up.wait_until(due);
            if let Ok(server) = TcpStream::connect(peer) {
                let _ = join(&customer, &server, up, down, stop);
            }
        });
    }
}

fn join(
    customer: &TcpStream,
    server: &TcpStream,
    up: Arc<Queue>,
    down: Arc<Queue>,
    stop: Arc<AtomicBool>,
) -> io::Result<()> {
    customer.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from, to, flag) = (customer.try_clone()?, server.try_clone()?, Arc::clone(&stop));
    thread::spawn(move || pass_stream(from, to, &up, &flag));
    let (from, to) = (server.try_clone()?, customer.try_clone()?);
    thread::spawn(move || pass_stream(from, to, &down, &stop));
    Ok(())
}

fn pass_stream(mut from: TcpStream, mut to: TcpStream, queue: &Arc<Queue>, stopping: &AtomicBool) {
    let (send, queued) = channel::<(Mono, Vec<u8>)>();
    let writer_queue = Arc::clone(queue);
    let writer = thread::spawn(move || {
        for (due, chunk) in queued {
            writer_queue.wait_until(due);
            if to.write_all(&chunk).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut buffer = vec![0; CHUNK];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let due = queue.chunk(length, stopping);
        if stopping.load(Ordering::SeqCst) || send.send((due, buffer[..length].to_vec())).is_err() {
            break;
        }
    }
    drop(send);
    let _ = from.shutdown(Shutdown::Read);
    let _ = writer.join();
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Way =
        Way { rate: Rate(1e9), delay: Span::millis(5), jitter: Span::ZERO, loss: 0.0, buffer: 1_000_000 };

    fn queue(way: Way) -> Queue {
        Queue::new(SystemClock::start(), way, 1)
    }

    #[test]
    fn a_datagram_waits_behind_what_came_before_it() {
        let queue = queue(Way { rate: Rate(8e6), ..FAST });
        let first = queue.datagram(10_000).expect("room");
        let second = queue.datagram(10_000).expect("room");
        assert!(
            second - first >= Span::millis(10),
            "10,000 bytes take 10 ms at 8 Mbit/s: {:?}",
            second - first
        );
    }

    #[test]
    fn a_datagram_that_finds_the_buffer_full_is_dropped() {
        let queue = queue(Way { rate: Rate(8e3), buffer: 1_000, ..FAST });
        assert!(queue.datagram(1_200).is_some());
        assert!(queue.datagram(100).is_none(), "1,200 bytes wait, and 1,100 may");
    }

    #[test]
    fn what_goes_in_comes_out_the_other_end_both_ways() {
        let peer: IpAddr = "127.0.0.1".parse().expect("an address");
        let streams = TcpListener::bind((peer, 0)).expect("a port");
        let datagrams = UdpSocket::bind((peer, 0)).expect("a port");
        let (stream_port, datagram_port) =
            (streams.local_addr().expect("bound").port(), datagrams.local_addr().expect("bound").port());
        let near: IpAddr = "127.0.5.1".parse().expect("an address");
        let line = Line { down: FAST, up: FAST, seed: 1 };
        let relay = Relay::start(near, peer, stream_port, datagram_port, line).expect("starts");

        let clock = SystemClock::start();
        let before = clock.mono();
        let customer = UdpSocket::bind((peer, 0)).expect("a port");
        customer.send_to(b"there", (relay.address(), datagram_port)).expect("sent");
        let mut buffer = [0; 16];
        let (length, from) = datagrams.recv_from(&mut buffer).expect("arrives");
        datagrams.send_to(&buffer[..length], from).expect("sent");
        let length = customer.recv(&mut buffer).expect("comes back");
        assert_eq!(&buffer[..length], b"there");
        assert!(clock.mono() - before >= Span::millis(10), "5 ms each way");

        let mut customer = TcpStream::connect((relay.address(), stream_port)).expect("connects");
        let (mut server, _) = streams.accept().expect("reaches the peer");
        customer.write_all(b"up").expect("sent");
        server.read_exact(&mut buffer[..2]).expect("arrives");
        server.write_all(b"down").expect("sent");
        customer.read_exact(&mut buffer[..4]).expect("comes back");
        assert_eq!(&buffer[..4], b"down");
    }
}
