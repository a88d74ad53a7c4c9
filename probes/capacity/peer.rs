//! The answering side of capacity tests as a state machine, safe to leave in the open.
//!
//! No load goes to an address that has not shown a cookie sent to it; until then nothing that is answered is longer than what
//! was asked, and nothing is remembered: the cookie is made from the address with a secret that changes every
//! minute. One test runs at a time, together with the other loading tests of the peer; the others queue. A test has a
//! longest time and a highest rate, and ends when its client falls silent for three seconds.

use super::client::INTERVAL;
use super::meter::Meter;
use super::search::highest;
use super::sender::{Due, Pacer};
use crate::codec::capacity::{LEAST_LOAD, Refusal, Way, Wish, Word, read, write};
use crate::limit::{Bucket, Recent};
use crate::net::{Inbox, Marks, Now, Packet};
use crate::peer::guests::place_of;
use crate::peer::queue::{Place, Queue};
use crate::session::{Datagram, Session, Step};
use broadgauge_model::clock::{Mono, Span};
use hmac::{Hmac, KeyInit, Mac};
use rand::RngExt;
use serde::Serialize;
use sha2::Sha256;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// A cookie is good in the minute in which it was made and in the next.
const MINUTE: u64 = 60_000_000_000;
/// A client that says nothing for so long is gone (RFC 9946 gives it as long).
const SILENCE: Span = Span::secs(3);
/// One that waits says so four times a second.
const WAITING_SILENCE: Span = Span::secs(5);
/// The name of packets that are not answers.
const LOAD: u64 = 1;
/// Answers that wait to be sent.
const PENDING: usize = 64;
/// Questions answered to one address in a second.
const PER_ADDRESS: f64 = 50.0;
/// Addresses remembered.
const ADDRESSES: usize = 4_096;

/// What strangers may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The highest rate at the IP layer, in kbit/s.
    pub most_kbps: u32,
    /// The longest test.
    pub duration: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self { most_kbps: 1_000_000, duration: Span::secs(30) }
    }
}

/// What a peer has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Tests that began.
    pub tests: u64,
    /// Bytes of load sent at the IP layer.
    pub bytes_sent: u64,
    /// Bytes of load received at the IP layer.
    pub bytes_received: u64,
    /// Packets that are not of the protocol.
    pub unrecognised: u64,
    /// Questions beyond the limit for one address.
    pub over_limit: u64,
    /// Questions without a cookie of ours.
    pub unproven: u64,
}

struct Running {
    client: SocketAddr,
    at: Option<IpAddr>,
    number: u64,
    test: u64,
    wish: Wish,
    most: u16,
    headers: usize,
    heard: Mono,
    begun: Mono,
    _place: Place,
    work: Work,
}

enum Work {
    /// We send; nothing before the client has said which rate it wants.
    Sending(Option<Pacer>, u32),
    /// We receive.
    Receiving { meter: Option<Box<Meter>>, told: Mono },
}

struct Waiting {
    at: Option<IpAddr>,
    wish: Wish,
    heard: Mono,
    place: Place,
}

/// The state machine.
pub struct Peer {
    limits: Limits,
    queue: Queue,
    secret: [u8; 32],
    running: Option<Running>,
    waiting: HashMap<(SocketAddr, u64), Waiting>,
    buckets: Recent<IpAddr, Bucket>,
    pending: VecDeque<Datagram>,
    totals: Totals,
    looked: Mono,
}

impl Peer {
    /// Sharing this queue with the peer's other loading tests.
    pub fn new(limits: Limits, queue: Queue) -> Self {
        Self {
            limits,
            queue,
            secret: rand::rng().random(),
            running: None,
            waiting: HashMap::new(),
            buckets: Recent::new(ADDRESSES),
            pending: VecDeque::new(),
            totals: Totals::default(),
            looked: Mono(0),
        }
    }

    /// What it has done so far.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    fn cookie(&self, client: SocketAddr, number: u64, minute: u64) -> [u8; 16] {
        // A key of 32 bytes is always taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) else { return [0; 16] };
        let ip = match client.ip() {
            IpAddr::V4(four) => four.to_ipv6_mapped(),
            IpAddr::V6(six) => six,
        };
        mac.update(&ip.octets());
        mac.update(&client.port().to_be_bytes());
        mac.update(&number.to_be_bytes());
        mac.update(&minute.to_be_bytes());
        let mut cookie = [0; 16];
        cookie.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        cookie
    }

    fn proven(&self, client: SocketAddr, number: u64, cookie: [u8; 16], now: Mono) -> bool {
        let minute = now.0 / MINUTE;
        [minute, minute.saturating_sub(1)].iter().any(|&m| self.cookie(client, number, m) == cookie)
    }

    fn answer(&mut self, packet: &Packet<'_>, number: u64, word: &Word) {
        if self.pending.len() < PENDING {
            let bytes = write(number, word, 0);
            let to = Some((packet.from, packet.to));
            self.pending.push_back(Datagram { id: 0, to, marks: Marks::default(), bytes });
        }
    }

    fn admit(&mut self, packet: &Packet<'_>) -> bool {
        let now = packet.now.mono;
        let bucket = self.buckets.entry(place_of(packet.from.ip()), || Bucket::full(PER_ADDRESS, now));
        let admitted = bucket.take(PER_ADDRESS, now);
        self.totals.over_limit += u64::from(!admitted);
        admitted
    }

    fn allowed(&self, wish: &Wish) -> bool {
        let longest = self.limits.duration.0 / 1_000_000;
        (1..=longest).contains(&i64::from(wish.millis))
            && (LEAST_LOAD..=8_952).contains(&usize::from(wish.payload))
            && wish.most_kbps >= 500
    }

    fn begin(&mut self, packet: &Packet<'_>, number: u64, wish: Wish) {
        let (client, now) = (packet.from, packet.now.mono);
        // Said again because our answer was lost.
        if let Some(running) = self.running.as_ref().filter(|r| r.client == client && r.number == number) {
            let word = Word::Accepted(running.test, self.limits.most_kbps);
            return self.answer(packet, number, &word);
        }
        if !self.allowed(&wish) {
            return self.answer(packet, number, &Word::Refused(Refusal::Limits));
        }
        if !self.waiting.contains_key(&(client, number)) {
            let Ok(place) = self.queue.enter(place_of(client.ip())) else {
                return self.answer(packet, number, &Word::Refused(Refusal::Full));
            };
            self.waiting.insert((client, number), Waiting { at: packet.to, wish, heard: now, place });
        }
        let Some(waiting) = self.waiting.get_mut(&(client, number)) else { return };
        waiting.heard = now;
        let ahead = waiting.place.ahead();
        if ahead > 0 || self.running.is_some() {
            return self.answer(packet, number, &Word::Queued(ahead.max(1)));
        }
        let Some(Waiting { at, wish, place, .. }) = self.waiting.remove(&(client, number)) else { return };
        let test: u64 = rand::rng().random();
        let work = match wish.way {
            Way::Down => Work::Sending(None, 0),
            Way::Up => Work::Receiving { meter: None, told: now },
        };
        let most = highest(self.limits.most_kbps.min(wish.most_kbps));
        let headers = if client.is_ipv4() { 28 } else { 48 };
        let running = Running {
            client,
            at,
            number,
            test,
            wish,
            most,
            headers,
            heard: now,
            begun: now,
            _place: place,
            work,
        };
        self.running = Some(running);
        self.totals.tests += 1;
        self.answer(packet, number, &Word::Accepted(test, self.limits.most_kbps));
    }

    /// What a running test's client says. Whether it was of that test.
    fn go_on(&mut self, packet: &Packet<'_>, number: u64, word: &Word) -> bool {
        let now = packet.now.mono;
        let Some(running) = self.running.as_mut().filter(|r| r.test == number && r.client == packet.from)
        else {
            return false;
        };
        running.heard = now;
        match (word, &mut running.work) {
            (Word::Load(sequence, left), Work::Receiving { meter, told }) => {
                let ip_bytes = packet.bytes.len() + running.headers;
                let meter = meter.get_or_insert_with(|| {
                    *told = now;
                    Box::new(Meter::new(now))
                });
                meter.packet(*sequence, *left, now, ip_bytes);
                self.totals.bytes_received += ip_bytes as u64;
            }
            (Word::Feedback(said), Work::Sending(pacer, heard)) => {
                let row = said.row.min(running.most);
                let ip_bytes = usize::from(running.wish.payload) + running.headers;
                match pacer {
                    None => *pacer = Some(Pacer::new(ip_bytes, row, now)),
                    // A word that was overtaken is old.
                    Some(pacer) if said.number > *heard => pacer.set_row(row),
                    Some(_) => {}
                }
                *heard = said.number.max(*heard);
            }
            (Word::End, _) => self.running = None,
            _ => return false,
        }
        true
    }

    /// Ends what is silent or too long.
    fn look_after(&mut self, now: Mono) {
        self.looked = now;
        self.waiting.retain(|_, waiting| now - waiting.heard < WAITING_SILENCE);
        if let Some(running) = &self.running {
            let longest = Span::millis(running.wish.millis.into()) + WAITING_SILENCE;
            if now - running.heard >= SILENCE || now - running.begun >= longest {
                let bytes = write(running.test, &Word::End, 0);
                let to = Some((running.client, running.at));
                self.pending.push_back(Datagram { id: 0, to, marks: Marks::default(), bytes });
                self.running = None;
            }
        }
    }

    fn work(&mut self, now: Mono) -> Step {
        let soon = Step::WaitUntil(now + INTERVAL);
        let Some(running) = &mut self.running else {
            return if self.waiting.is_empty() { Step::WaitUntil(Mono(u64::MAX)) } else { soon };
        };
        let to = Some((running.client, running.at));
        let send = |bytes| Step::Send(Datagram { id: LOAD, to, marks: Marks::default(), bytes });
        match &mut running.work {
            Work::Sending(None, _) | Work::Receiving { meter: None, .. } => soon,
            Work::Sending(Some(pacer), _) => match pacer.due(now) {
                Due::At(next) => Step::WaitUntil(next.min(now + INTERVAL)),
                Due::Now(sequence) => {
                    self.totals.bytes_sent += (usize::from(running.wish.payload) + running.headers) as u64;
                    send(write(running.test, &Word::Load(sequence, now.0), running.wish.payload.into()))
                }
            },
            Work::Receiving { meter: Some(meter), told } => {
                let next = *told + INTERVAL;
                if now < next {
                    return Step::WaitUntil(next);
                }
                *told = now;
                let (_, feedback) = meter.interval(now);
                send(write(running.test, &Word::Feedback(feedback), 0))
            }
        }
    }
}

impl Inbox for Peer {
    fn received(&mut self, packet: &Packet<'_>) {
        let Some((number, word)) = read(packet.bytes) else {
            self.totals.unrecognised += 1;
            return;
        };
        if self.go_on(packet, number, &word) {
            return;
        }
        match word {
            Word::Ask(_) if self.admit(packet) => {
                let cookie = self.cookie(packet.from, number, packet.now.mono.0 / MINUTE);
                self.answer(packet, number, &Word::Challenge(cookie));
            }
            Word::Begin(wish, cookie) if self.admit(packet) => {
                if self.proven(packet.from, number, cookie, packet.now.mono) {
                    self.begin(packet, number, wish);
                } else {
                    self.totals.unproven += 1;
                    self.answer(packet, number, &Word::Refused(Refusal::Cookie));
                }
            }
            Word::End => {
                self.waiting.remove(&(packet.from, number));
            }
            // Counted where it was not admitted. The rest of a test that is over needs no answer.
            _ => {}
        }
    }
}

impl Session for Peer {
    fn step(&mut self, now: Now) -> Step {
        if now.mono - self.looked >= INTERVAL {
            self.look_after(now.mono);
        }
        match self.pending.pop_front() {
            Some(datagram) => Step::Send(datagram),
            None => self.work(now.mono),
        }
    }

    fn send_failed(&mut self, id: u64, _: &io::Error) {
        if let (LOAD, Some(Running { work: Work::Sending(Some(pacer), _), .. })) = (id, &mut self.running) {
            pacer.failed();
        }
    }
}
