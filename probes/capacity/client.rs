//! The asking side of a capacity test as a state machine: proves its address, waits for its turn, loads or is loaded, and
//! decides which rate comes next.

use super::meter::Meter;
use super::search::{Search, Trial, highest};
use super::sender::{Due, Pacer};
use crate::codec::capacity::{Feedback, Refusal, Way, Wish, Word, read, write};
use crate::net::{Inbox, Marks, Now, Packet};
use crate::session::{Datagram, Session, Step};
use broadgauge_model::clock::{Mono, Span};
use std::io;

/// How often the search decides (RFC 9097 section 8.1).
pub(super) const INTERVAL: Span = Span::millis(50);
/// What is not answered is said again after this.
const AGAIN: Span = Span::millis(250);
/// A peer that says nothing for so long is not there, or is gone.
const SILENCE: Span = Span::secs(3);

/// What a client needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) wish: Wish,
    /// IP and UDP headers.
    pub(super) headers: usize,
    /// The client's number of the test.
    pub(super) number: u64,
    /// How long to wait behind others.
    pub(super) patience: Span,
}

/// Why a test did not take place, or ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody answers.
    Silent,
    /// The peer does not take the test.
    Refused(Refusal),
    /// Others were before us for too long.
    Busy(u32),
    /// The peer fell silent, or ended the test.
    Gone,
}

/// Told of the queue and of the rates as they are counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum News {
    Queued(u32),
    /// Since the start, and bytes at the IP layer in this interval.
    Interval(Span, u64, Span),
}

type Watcher = Box<dyn FnMut(News) + Send>;

/// What a test came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Ran {
    /// When the receiving end began to count.
    pub(super) started: Now,
    /// Bytes at the IP layer in each whole second; `None` for one of which nothing was heard.
    pub(super) seconds: Vec<Option<u64>>,
    pub(super) packets: u64,
    pub(super) lost: u64,
    pub(super) reordered: u64,
    pub(super) duplicates: u64,
    /// The largest mean delay of an interval above the least.
    pub(super) worst_delay: Span,
    /// The highest rate that both ends allow, once the peer has said its own.
    pub(super) most_kbps: Option<u32>,
    /// The highest row that was used, and how often the search went down.
    pub(super) highest_row: u16,
    pub(super) falls: u32,
    /// Packets that this machine was too busy to send, where it was the sender.
    pub(super) skipped: Option<u64>,
    /// Packets sent, where this machine was the sender.
    pub(super) sent: Option<u64>,
    pub(super) unrecognised: u64,
    pub(super) unreachable: u64,
    pub(super) failure: Option<Failure>,
}

enum State {
    Asking { cookie: Option<[u8; 16]>, since: Mono, said: Option<Mono>, queued: Option<(Mono, u32)> },
    Loaded { test: u64, meter: Box<Meter>, search: Search, heard: Mono, told: Mono, waiting: bool },
    Loading { test: u64, pacer: Pacer, search: Search, heard: Mono, last: Feedback, from: Mono },
    Over,
}

/// The state machine.
pub(super) struct Client {
    plan: Plan,
    state: State,
    ran: Ran,
    farewell: Option<u64>,
    watcher: Option<Watcher>,
}

impl Client {
    pub(super) fn new(plan: Plan, watcher: Option<Watcher>) -> Self {
        let state = State::Asking { cookie: None, since: Mono(0), said: None, queued: None };
        Self { plan, state, ran: Ran::default(), farewell: None, watcher }
    }

    /// What it came to so far.
    pub(super) fn close(mut self) -> Ran {
        if let State::Loaded { meter, .. } = &self.state {
            let meter = meter.clone();
            self.read(&meter);
        }
        if let State::Loading { pacer, .. } = &self.state {
            (self.ran.sent, self.ran.skipped) = (Some(pacer.sent().into()), Some(pacer.skipped));
        }
        self.ran
    }

    fn read(&mut self, meter: &Meter) {
        (self.ran.packets, self.ran.lost) = meter.totals();
        self.ran.seconds = meter.seconds.iter().copied().map(Some).collect();
        (self.ran.reordered, self.ran.duplicates) = (meter.reordered, meter.duplicates);
        self.ran.worst_delay = meter.worst;
    }

    fn duration(&self) -> Span {
        Span::millis(self.plan.wish.millis.into())
    }

    fn say(test: u64, word: &Word) -> Step {
        let bytes = write(test, word, 0);
        Step::Send(Datagram { id: 0, to: None, marks: Marks::default(), bytes })
    }

    fn fail(&mut self, why: Failure) {
        self.ran.failure = Some(why);
        self.state = State::Over;
    }

    fn accepted(&mut self, test: u64, most_kbps: u32, now: Now) {
        let most_kbps = most_kbps.min(self.plan.wish.most_kbps);
        let search = Search::new(highest(most_kbps));
        self.ran.most_kbps = Some(most_kbps);
        let ip_bytes = usize::from(self.plan.wish.payload) + self.plan.headers;
        self.ran.started = now;
        self.state = match self.plan.wish.way {
            Way::Down => {
                let meter = Box::new(Meter::new(now.mono));
                // Told at once: the peer sends nothing before it has heard from us.
                let told = Mono(now.mono.0.saturating_sub(INTERVAL.0 as u64));
                State::Loaded { test, meter, search, heard: now.mono, told, waiting: true }
            }
            Way::Up => {
                let pacer = Pacer::new(ip_bytes, search.row(), now.mono);
                let last = Feedback::default();
                State::Loading { test, pacer, search, heard: now.mono, last, from: now.mono }
            }
        };
    }

    /// What the peer received since it last told us.
    fn told(&mut self, said: Feedback, now: Now) {
        let State::Loading { pacer, search, heard, last, from, .. } = &mut self.state else { return };
        // A word that was overtaken is old; one that says less than before is not true.
        if said.number <= last.number || said.bytes < last.bytes || said.all_packets < last.all_packets {
            return;
        }
        let (bytes, took) = (said.bytes - last.bytes, Span::micros(said.micros.into()));
        (*heard, *last) = (now.mono, said);
        let delay = Span::micros(said.mean_us.into());
        pacer.set_row(search.take(Trial { packets: said.packets, lost: said.lost, delay }));
        self.ran.highest_row = self.ran.highest_row.max(search.row());
        self.ran.falls = search.falls;
        // Each second is told many times. More of them than there were is not true.
        let second = said.second as usize;
        if second > self.ran.seconds.len() && second <= self.plan.wish.millis as usize / 1_000 + 1 {
            self.ran.seconds.resize(second - 1, None);
            self.ran.seconds.push(Some(said.second_bytes));
        }
        (self.ran.packets, self.ran.lost) = (said.all_packets, said.all_lost.into());
        self.ran.reordered += u64::from(said.reordered);
        self.ran.duplicates += u64::from(said.duplicates);
        self.ran.worst_delay = self.ran.worst_delay.max(delay);
        let at = now.mono - *from;
        if let Some(watcher) = &mut self.watcher {
            watcher(News::Interval(at, bytes, took));
        }
    }

    fn load(&mut self, sequence: u32, left: u64, packet: &Packet<'_>) {
        let headers = self.plan.headers;
        let State::Loaded { meter, heard, waiting, .. } = &mut self.state else { return };
        if *waiting {
            // The receiver's clock starts with the first load, not with the way there.
            *waiting = false;
            meter.restart(packet.now.mono);
            self.ran.started = packet.now;
        }
        *heard = packet.now.mono;
        meter.packet(sequence, left, packet.now.mono, packet.bytes.len() + headers);
    }

    fn ask(&mut self, now: Mono) -> Step {
        let State::Asking { cookie, since, said, queued } = &mut self.state else { return Step::Done };
        if since.0 == 0 {
            *since = now;
        }
        let silent = queued.map_or(*since, |(heard, _)| heard);
        if now - silent >= SILENCE {
            let why = if queued.is_some() { Failure::Gone } else { Failure::Silent };
            self.fail(why);
            return Step::Done;
        }
        if let Some((_, ahead)) = *queued
            && now - *since >= self.plan.patience
        {
            self.fail(Failure::Busy(ahead));
            self.farewell = Some(self.plan.number);
            return self.say_farewell();
        }
        if let Some(at) = *said
            && now < at + AGAIN
        {
            return Step::WaitUntil(at + AGAIN);
        }
        *said = Some(now);
        let word = cookie.map_or(Word::Ask(self.plan.wish), |cookie| Word::Begin(self.plan.wish, cookie));
        Self::say(self.plan.number, &word)
    }

    fn say_farewell(&mut self) -> Step {
        self.farewell.take().map_or(Step::Done, |test| Self::say(test, &Word::End))
    }

    fn finish(&mut self, test: u64) -> Step {
        self.state = State::Over;
        self.farewell = Some(test);
        self.say_farewell()
    }

    fn loaded(&mut self, now: Mono) -> Step {
        let duration = self.duration();
        let State::Loaded { test, meter, search, heard, told, waiting } = &mut self.state else {
            return Step::Done;
        };
        let test = *test;
        let over = !*waiting && now - self.ran.started.mono >= duration;
        if over || now - *heard >= SILENCE {
            if !over {
                self.ran.failure = Some(Failure::Gone);
            }
            meter.pass(now);
            let meter = meter.clone();
            self.read(&meter);
            return self.finish(test);
        }
        let next = *told + INTERVAL;
        if now < next {
            return Step::WaitUntil(next);
        }
        *told = now;
        let (trial, feedback) = meter.interval(now);
        let row = search.take(trial);
        self.ran.highest_row = self.ran.highest_row.max(row);
        self.ran.falls = search.falls;
        let (at, took) = (now - self.ran.started.mono, Span::micros(feedback.micros.into()));
        if let (Some(watcher), false) = (&mut self.watcher, *waiting) {
            let bytes =
                u64::from(feedback.packets) * (u64::from(self.plan.wish.payload) + self.plan.headers as u64);
            watcher(News::Interval(at, bytes, took));
        }
        Self::say(test, &Word::Feedback(Feedback { row, ..feedback }))
    }

    fn loading(&mut self, now: Mono) -> Step {
        let duration = self.duration();
        let State::Loading { test, pacer, heard, last, from, .. } = &mut self.state else {
            return Step::Done;
        };
        let test = *test;
        (self.ran.sent, self.ran.skipped) = (Some(pacer.sent().into()), Some(pacer.skipped));
        // The last second is told by the feedback that follows it.
        let seconds = (duration.0 / 1_000_000_000) as usize;
        let over = now - *from >= duration
            && (self.ran.seconds.len() >= seconds || now - *from >= duration + SILENCE);
        if over || now - *heard >= SILENCE {
            if !over || last.number == 0 {
                self.ran.failure = Some(Failure::Gone);
            }
            return self.finish(test);
        }
        if now - *from >= duration + INTERVAL + INTERVAL {
            return Step::WaitUntil(now + INTERVAL);
        }
        match pacer.due(now) {
            Due::At(next) => Step::WaitUntil(next),
            Due::Now(sequence) => {
                let bytes = write(test, &Word::Load(sequence, now.0), self.plan.wish.payload.into());
                Step::Send(Datagram { id: 0, to: None, marks: Marks::default(), bytes })
            }
        }
    }
}

impl Inbox for Client {
    fn received(&mut self, packet: &Packet<'_>) {
        let Some((number, word)) = read(packet.bytes) else {
            self.ran.unrecognised += 1;
            return;
        };
        let running = match &self.state {
            State::Loaded { test, .. } | State::Loading { test, .. } => Some(*test),
            State::Asking { .. } | State::Over => None,
        };
        match (word, &mut self.state) {
            (Word::Load(sequence, left), State::Loaded { .. }) if running == Some(number) => {
                self.load(sequence, left, packet);
            }
            (Word::Feedback(said), State::Loading { .. }) if running == Some(number) => {
                self.told(said, packet.now);
            }
            (Word::End, State::Loaded { .. } | State::Loading { .. }) if running == Some(number) => {
                if let State::Loaded { meter, .. } = &self.state {
                    let meter = meter.clone();
                    self.read(&meter);
                }
                let whole = self.ran.seconds.len() as i64 >= self.duration().0 / 1_000_000_000;
                self.ran.failure = (!whole).then_some(Failure::Gone);
                self.state = State::Over;
            }
            (Word::Challenge(shown), State::Asking { cookie, said, .. }) if number == self.plan.number => {
                if cookie.is_none() {
                    (*cookie, *said) = (Some(shown), None);
                }
            }
            (Word::Queued(ahead), State::Asking { queued, .. }) if number == self.plan.number => {
                let news = queued.is_none_or(|(_, before)| before != ahead);
                *queued = Some((packet.now.mono, ahead));
                if let (Some(watcher), true) = (&mut self.watcher, news) {
                    watcher(News::Queued(ahead));
                }
            }
            (Word::Refused(Refusal::Cookie), State::Asking { cookie: cookie @ Some(_), said, .. })
                if number == self.plan.number =>
            {
                // It grew old in the queue: another is asked for.
                (*cookie, *said) = (None, None);
            }
            (Word::Refused(why), State::Asking { .. }) if number == self.plan.number => {
                self.fail(Failure::Refused(why));
            }
            (Word::Accepted(test, most), State::Asking { cookie: Some(_), .. })
                if number == self.plan.number =>
            {
                self.accepted(test, most, packet.now);
            }
            // What was said twice, or late, is no fault of anybody.
            (Word::Accepted(..) | Word::Queued(_) | Word::Challenge(_) | Word::Load(..) | Word::End, _) => {}
            _ => self.ran.unrecognised += 1,
        }
    }

    fn unreachable(&mut self, _: io::ErrorKind) {
        self.ran.unreachable += 1;
    }
}

impl Session for Client {
    fn step(&mut self, now: Now) -> Step {
        match &self.state {
            State::Asking { .. } => self.ask(now.mono),
            State::Loaded { .. } => self.loaded(now.mono),
            State::Loading { .. } => self.loading(now.mono),
            State::Over => self.say_farewell(),
        }
    }

    fn send_failed(&mut self, _: u64, _: &io::Error) {
        if let State::Loading { pacer, .. } = &mut self.state {
            pacer.failed();
        }
    }
}
