//! One direction of a virtual TCP connection: what may leave, and what has come. Told the time, touching nothing.
//!
//! As much of TCP as a measurement over it can tell: an initial window of ten segments (RFC 6928), slow start that ends when
//! the delay rises (HyStart++, RFC 9406) and congestion avoidance (RFC 5681, Reno), selective acknowledgements (RFC 2018), losses told by time (RACK, RFC 8985), and the
//! timer of RFC 6298 with Linux's least value. Every segment is acknowledged at once; there is no pacing, and nobody probes
//! for a lost tail.

use broadgauge_model::clock::{Mono, Span};
use std::collections::{BTreeMap, VecDeque};

/// The payload of a full segment: 1,500 bytes less the headers of IPv4 and of TCP with timestamps.
pub(super) const SEGMENT: usize = 1_448;
/// How long a first segment is waited for (RFC 6298).
pub(super) const FIRST_TIMEOUT: Span = Span::secs(1);
const LEAST_TIMEOUT: Span = Span::millis(200);
const LONGEST_TIMEOUT: Span = Span::secs(60);
/// What a receiver holds at most.
const WINDOW: u64 = 4 << 20;
/// What waits at a sender without having been sent, unless somebody asks for less.
const UNSENT: usize = 256 * 1024;
/// Stretches behind a gap that one acknowledgement tells of.
const MOST_STRETCHES: usize = 32;

/// A stretch of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) from: u64,
    pub(super) bytes: Vec<u8>,
    /// Whether the stream ends behind it; the end takes a number of its own.
    pub(super) last: bool,
}

impl Data {
    fn to(&self) -> u64 {
        self.from + self.bytes.len() as u64 + u64::from(self.last)
    }
}

/// What a receiver has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ack {
    /// All before this.
    pub(super) upto: u64,
    /// These stretches behind a gap.
    pub(super) behind: Vec<(u64, u64)>,
    /// How much more it takes.
    pub(super) window: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Flying,
    Sacked,
    Lost,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    from: u64,
    to: u64,
    at: Mono,
    again: bool,
    fate: Fate,
}

/// All that was sent within one round trip.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    end: u64,
    /// The least round trip in it, and in the one before.
    least: Option<Span>,
    before: Option<Span>,
}

/// A least round trip that has risen by so much from one round to the next ends slow start (HyStart++, RFC 9406).
fn rise_allowed(least: Span) -> Span {
    Span(least.0 / 8).max(Span::millis(4)).min(Span::millis(16))
}

/// What is known of the round trip (RFC 6298).
#[derive(Clone, Copy, Debug, Default)]
struct RoundTrip {
    smooth: Option<Span>,
    variation: Span,
    least: Option<Span>,
}

impl RoundTrip {
    fn seen(&mut self, rtt: Span) {
        self.least = Some(self.least.map_or(rtt, |least| least.min(rtt)));
        self.smooth = Some(match self.smooth {
            None => {
                self.variation = Span(rtt.0 / 2);
                rtt
            }
            Some(smooth) => {
                self.variation = Span((3 * self.variation.0 + (smooth.0 - rtt.0).abs()) / 4);
                Span((7 * smooth.0 + rtt.0) / 8)
            }
        });
    }

    fn timeout(&self, backoff: u32) -> Span {
        let plain = match self.smooth {
            None => FIRST_TIMEOUT,
            Some(smooth) => (smooth + Span(4 * self.variation.0)).max(LEAST_TIMEOUT),
        };
        Span(plain.0.saturating_mul(1 << backoff.min(10))).min(LONGEST_TIMEOUT)
    }
}

/// What a sender has done, for whoever asks the system.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) smooth: Option<Span>,
    pub(super) variation: Span,
    pub(super) least: Option<Span>,
    pub(super) segments_again: u32,
    pub(super) bytes_again: u64,
    pub(super) sent_bytes: u64,
    pub(super) acked_bytes: u64,
    pub(super) sacked_segments: u32,
}

/// The sending end.
#[derive(Debug)]
pub(super) struct Sender {
    /// What is not acknowledged, and where it begins.
    buffer: VecDeque<u8>,
    base: u64,
    closing: bool,
    /// What has left at least once ends here.
    sent: u64,
    flight: VecDeque<Sent>,
    flying: u64,
    lost: usize,
    window: f64,
    threshold: f64,
    their_window: u64,
    recovery: Option<u64>,
    held_back: bool,
    trip: RoundTrip,
    round: Round,
    /// Of the latest segment that is known to have arrived: when it left, its end, and how long it took.
    latest: (Mono, u64, Span),
    recheck: Option<Mono>,
    armed: Mono,
    backoff: u32,
    probing: bool,
    most_unsent: usize,
    again: (u32, u64),
}

impl Sender {
    pub(super) fn new() -> Self {
        Self {
            buffer: VecDeque::new(),
            base: 0,
            closing: false,
            sent: 0,
            flight: VecDeque::new(),
            flying: 0,
            lost: 0,
            window: 10.0 * SEGMENT as f64,
            threshold: f64::INFINITY,
            their_window: WINDOW,
            recovery: None,
            held_back: false,
            trip: RoundTrip::default(),
            round: Round::default(),
            latest: (Mono(0), 0, Span::ZERO),
            recheck: None,
            armed: Mono(0),
            backoff: 0,
            probing: false,
            most_unsent: UNSENT,
            again: (0, 0),
        }
    }

    /// The handshake took so long.
    pub(super) fn shaken(&mut self, rtt: Option<Span>, again: u32) {
        self.again.0 += again;
        if let Some(rtt) = rtt {
            self.trip.seen(rtt);
        }
    }

    pub(super) const fn keep_little_unsent(&mut self, bytes: usize) {
        self.most_unsent = bytes;
    }

    /// How much more may be written now.
    pub(super) fn room(&self) -> usize {
        let unsent = (self.base + self.buffer.len() as u64).saturating_sub(self.sent);
        self.most_unsent.saturating_sub(unsent as usize)
    }

    /// Takes what there is room for.
    pub(super) fn write(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.room());
        self.buffer.extend(&bytes[..taken]);
        taken
    }

    /// Nothing more will be written.
    pub(super) const fn finish(&mut self) {
        self.closing = true;
    }

    pub(super) const fn is_closing(&self) -> bool {
        self.closing
    }

    fn end(&self) -> u64 {
        self.base + self.buffer.len() as u64 + u64::from(self.closing)
    }

    /// The next stretch that may leave now.
    pub(super) fn next(&mut self, now: Mono) -> Option<Data> {
        if self.lost > 0 {
            let at = self.flight.iter().position(|sent| sent.fate == Fate::Lost)?;
            let Sent { from, to, .. } = self.flight[at];
            if self.flying > 0 && (self.flying + (to - from)) as f64 > self.window {
                return None;
            }
            self.flight[at] = Sent { from, to, at: now, again: true, fate: Fate::Flying };
            self.lost -= 1;
            self.flying += to - from;
            self.again = (self.again.0 + 1, self.again.1 + (to - from));
            return Some(self.stretch(from, to));
        }
        let length = (self.end() - self.sent).min(SEGMENT as u64);
        if length == 0 {
            self.held_back = false;
            return None;
        }
        if self.flying > 0 && (self.flying + length) as f64 > self.window {
            self.held_back = true;
            return None;
        }
        if self.sent + length > self.base + self.their_window && !self.probing {
            return None;
        }
        self.probing = false;
        if self.flight.is_empty() {
            self.armed = now;
        }
        let (from, to) = (self.sent, self.sent + length);
        self.flight.push_back(Sent { from, to, at: now, again: false, fate: Fate::Flying });
        self.flying += length;
        self.sent = to;
        Some(self.stretch(from, to))
    }

    fn stretch(&self, from: u64, to: u64) -> Data {
        let written = self.base + self.buffer.len() as u64;
        let (start, stop) = ((from - self.base) as usize, (to.min(written) - self.base) as usize);
        Data { from, bytes: self.buffer.range(start.min(stop)..stop).copied().collect(), last: to > written }
    }

    /// Hears what has arrived.
    pub(super) fn acked(&mut self, now: Mono, ack: &Ack) {
        let in_flight = self.sent - self.base;
        let (mut newly, mut sample, before) = (0, None, self.base);
        while let Some(&sent) = self.flight.front().filter(|sent| sent.to <= ack.upto) {
            self.flight.pop_front();
            newly += self.arrived(sent, now, &mut sample);
        }
        let written = self.base + self.buffer.len() as u64;
        let gone = ack.upto.min(written).saturating_sub(self.base);
        self.buffer.drain(..gone as usize);
        self.base += gone;
        for at in 0..if ack.behind.is_empty() { 0 } else { self.flight.len() } {
            let sent = self.flight[at];
            let there = ack.behind.iter().any(|&(from, to)| from <= sent.from && sent.to <= to);
            if there && sent.fate != Fate::Sacked {
                newly += self.arrived(sent, now, &mut sample);
                self.flight[at].fate = Fate::Sacked;
            }
        }
        if let Some(rtt) = sample {
            self.trip.seen(rtt);
            self.round.least = Some(self.round.least.map_or(rtt, |least| least.min(rtt)));
        }
        if ack.upto >= self.round.end {
            let Round { least, before, .. } = self.round;
            let risen = |(before, least): (Span, Span)| least - before >= rise_allowed(before);
            if before.zip(least).is_some_and(risen) {
                self.threshold = self.threshold.min(self.window);
            }
            self.round = Round { end: self.sent, least: None, before: least.or(before) };
        }
        if ack.upto >= self.base {
            self.their_window = ack.window;
        }
        if self.base > before || self.flight.is_empty() {
            (self.armed, self.backoff) = (now, 0);
        }
        self.recovery = self.recovery.filter(|&end| ack.upto < end);
        if !ack.behind.is_empty() {
            self.look_for_losses(now, in_flight);
        }
        if self.recovery.is_none() && self.held_back {
            let segment = SEGMENT as f64;
            let more = newly as f64;
            self.window += if self.window < self.threshold { more } else { segment * more / self.window };
        }
    }

    /// Notes that a segment has arrived, and how much of it was not known before.
    fn arrived(&mut self, sent: Sent, now: Mono, sample: &mut Option<Span>) -> u64 {
        let length = sent.to - sent.from;
        match sent.fate {
            Fate::Sacked => return 0,
            Fate::Flying => self.flying -= length,
            Fate::Lost => self.lost -= 1,
        }
        if !sent.again {
            *sample = Some(now - sent.at);
        }
        if (sent.at, sent.to) > (self.latest.0, self.latest.1) {
            self.latest = (sent.at, sent.to, now - sent.at);
        }
        length
    }

    /// What left before something that has arrived, and should have arrived by now, is lost.
    fn look_for_losses(&mut self, now: Mono, in_flight: u64) {
        let (at, to, took) = self.latest;
        let patience = took + Span(self.trip.least.unwrap_or(took).0 / 4);
        let mut found = false;
        self.recheck = None;
        for sent in &mut self.flight {
            if sent.fate != Fate::Flying || (sent.at, sent.to) >= (at, to) {
                continue;
            }
            if now - sent.at >= patience {
                sent.fate = Fate::Lost;
                self.flying -= sent.to - sent.from;
                self.lost += 1;
                found = true;
            } else {
                let then = sent.at + patience;
                self.recheck = Some(self.recheck.map_or(then, |earlier| earlier.min(then)));
            }
        }
        if found && self.recovery.is_none() {
            self.threshold = (in_flight as f64 / 2.0).max(2.0 * SEGMENT as f64);
            self.window = self.threshold;
            self.recovery = Some(self.sent);
        }
    }

    /// When it wants to be asked again, whatever comes.
    pub(super) fn due(&self) -> Option<Mono> {
        let waits = !self.flight.is_empty() || self.end() > self.sent;
        let timeout = waits.then(|| self.armed + self.trip.timeout(self.backoff));
        [self.recheck, timeout].into_iter().flatten().min()
    }

    /// Time has passed.
    pub(super) fn timer(&mut self, now: Mono) {
        let in_flight = self.sent - self.base;
        if self.recheck.is_some_and(|at| at <= now) {
            self.look_for_losses(now, in_flight);
        }
        let waits = !self.flight.is_empty() || self.end() > self.sent;
        if !waits || self.armed + self.trip.timeout(self.backoff) > now {
            return;
        }
        self.armed = now;
        self.backoff += 1;
        if self.flight.is_empty() {
            self.probing = true;
            return;
        }
        for sent in &mut self.flight {
            if sent.fate == Fate::Flying {
                sent.fate = Fate::Lost;
                self.lost += 1;
            }
        }
        self.flying = 0;
        self.threshold = (in_flight as f64 / 2.0).max(2.0 * SEGMENT as f64);
        self.window = SEGMENT as f64;
        (self.recovery, self.recheck) = (None, None);
    }

    pub(super) fn told(&self) -> Told {
        Told {
            smooth: self.trip.smooth,
            variation: self.trip.variation,
            least: self.trip.least,
            segments_again: self.again.0,
            bytes_again: self.again.1,
            sent_bytes: self.sent + self.again.1,
            acked_bytes: self.base,
            sacked_segments: self.flight.iter().filter(|sent| sent.fate == Fate::Sacked).count() as u32,
        }
    }
}

/// The receiving end.
#[derive(Debug, Default)]
pub(super) struct Receiver {
    next: u64,
    behind: BTreeMap<u64, Data>,
    ready: VecDeque<u8>,
    ended: bool,
    out_of_order: u32,
    told_window: u64,
}

impl Receiver {
    /// Takes what came, and says what it has.
    pub(super) fn take(&mut self, data: Data) -> Ack {
        if data.from > self.next {
            self.out_of_order += 1;
        }
        if data.to() > self.next {
            self.behind.entry(data.from).or_insert(data);
        }
        while let Some(first) = self.behind.first_entry().filter(|first| *first.key() <= self.next) {
            let data = first.remove();
            if data.to() > self.next {
                let known = (self.next - data.from) as usize;
                self.ready.extend(data.bytes.get(known..).unwrap_or_default());
                self.next = data.to();
                self.ended |= data.last;
            }
        }
        self.ack()
    }

    /// What it has, and how much more it takes.
    pub(super) fn ack(&mut self) -> Ack {
        let mut behind: Vec<(u64, u64)> = Vec::new();
        for (&from, data) in &self.behind {
            let stretches = behind.len();
            match behind.last_mut() {
                Some((_, to)) if *to >= from => *to = data.to().max(*to),
                _ if stretches == MOST_STRETCHES => break,
                _ => behind.push((from, data.to())),
            }
        }
        self.told_window = WINDOW.saturating_sub(self.ready.len() as u64 + self.waiting());
        Ack { upto: self.next, behind, window: self.told_window }
    }

    /// Hands over what is in order; whether the sender should hear that there is room again.
    pub(super) fn read(&mut self, into: &mut tokio::io::ReadBuf<'_>) -> bool {
        let count = into.remaining().min(self.ready.len());
        let (first, second) = self.ready.as_slices();
        let from_first = count.min(first.len());
        into.put_slice(&first[..from_first]);
        into.put_slice(&second[..count - from_first]);
        self.ready.drain(..count);
        let room = WINDOW - (self.ready.len() as u64).min(WINDOW);
        self.told_window < WINDOW / 4 && room > WINDOW / 2
    }

    pub(super) fn has_something(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Payload behind gaps.
    pub(super) fn waiting(&self) -> u64 {
        self.behind.values().map(|data| data.bytes.len() as u64).sum()
    }

    /// Payload in order so far, and segments that came out of order.
    pub(super) fn received(&self) -> (u64, u32) {
        (self.next - u64::from(self.ended), self.out_of_order)
    }
}

#[cfg(test)]
mod tests;
