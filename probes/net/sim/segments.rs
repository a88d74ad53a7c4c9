//! What becomes of segments: handshakes, payload and its acknowledgement, timers and ends.

use super::connections::{Connection, Event, Place, Segment, Side};
use super::tcp::{Data, FIRST_TIMEOUT, SEGMENT};
use super::world::{Event as WorldEvent, NEAR, World, near_port};
use crate::tcp::info::TcpInfo;
use broadgauge_model::clock::{Mono, Span};
use rand::{Rng, RngExt};
use std::io::ErrorKind;
use std::net::SocketAddr;

/// IPv4 and TCP with timestamps.
const HEADERS: usize = 52;
/// The longest wait between two SYNs doubles up to here.
const MOST_SYN_WAITS: u32 = 6;

impl World {
    /// Calls the far end.
    pub(super) fn call(&mut self, to: SocketAddr) -> usize {
        let connection = self.streams.connections.len();
        let caller = SocketAddr::new(NEAR, near_port(connection));
        self.streams.connections.push(Connection::calling(caller, to, self.mono));
        self.send_syn(connection);
        connection
    }

    fn send_syn(&mut self, connection: usize) {
        let calling = &mut self.streams.connections[connection];
        calling.syns += 1;
        let sent = calling.syns;
        let wait = Span(FIRST_TIMEOUT.0 << (sent - 1).min(MOST_SYN_WAITS));
        self.plan(self.mono + wait, WorldEvent::Stream(Event::SynAgain { connection, sent }));
        self.transmit(Place { connection, side: Side::Near }, &Segment::Syn);
    }

    pub(super) fn stream_event(&mut self, event: Event) {
        match event {
            Event::SynAgain { connection, sent } => {
                let calling = &self.streams.connections[connection];
                let given_up = calling.near.gone || calling.near.error.is_some();
                if !calling.made && !given_up && calling.syns == sent {
                    self.send_syn(connection);
                }
            }
            Event::Timer(place) => {
                let now = self.mono;
                let end = self.streams.end(place);
                if end.timer == Some(now) {
                    end.timer = None;
                    end.sender.timer(now);
                }
                self.push(place);
            }
            Event::Reached(place, _) if place.side == Side::Far && self.is_dead() => {}
            Event::Reached(place, segment) => self.reached(place, segment),
        }
    }

    fn reached(&mut self, place: Place, segment: Segment) {
        let now = self.mono;
        match segment {
            Segment::Syn => self.called(place.connection),
            Segment::SynAck => {
                let calling = &mut self.streams.connections[place.connection];
                if !calling.made && calling.near.error.is_none() {
                    calling.made = true;
                    let again = calling.syns - 1;
                    // Whose answer it is cannot be known where more than one SYN left (Karn's rule).
                    let rtt = (again == 0).then(|| now - calling.syn_at);
                    calling.near.sender.shaken(rtt, again);
                    calling.near.wake_both();
                    if calling.near.gone {
                        self.leave(place);
                    }
                }
            }
            Segment::Data(data) => {
                let end = self.streams.end(place);
                if end.error.is_some() {
                    return;
                }
                let only_an_end = data.bytes.is_empty();
                if end.gone && !only_an_end {
                    end.error = Some(ErrorKind::ConnectionReset);
                    self.transmit(place, &Segment::Reset);
                    return;
                }
                let ack = end.receiver.take(data);
                if (end.receiver.has_something() || end.receiver.has_ended())
                    && let Some(reader) = end.reader.take()
                {
                    reader.wake();
                }
                self.transmit(place, &Segment::Ack(ack));
            }
            Segment::Ack(ack) => {
                self.streams.end(place).sender.acked(now, &ack);
                self.push(place);
            }
            Segment::Reset => {
                let made = self.streams.connections[place.connection].made;
                let end = self.streams.end(place);
                let kind = if made { ErrorKind::ConnectionReset } else { ErrorKind::ConnectionRefused };
                end.error.get_or_insert(kind);
                end.wake_both();
            }
        }
    }

    /// A SYN reaches the far end.
    fn called(&mut self, connection: usize) {
        let port = self.streams.connections[connection].called.port();
        let far = Place { connection, side: Side::Far };
        let open = !self.scenario.far.closed && self.streams.doors.contains_key(&port);
        if !open {
            self.transmit(far, &Segment::Reset);
            return;
        }
        self.transmit(far, &Segment::SynAck);
        let called = &mut self.streams.connections[connection];
        if !std::mem::replace(&mut called.accepted, true)
            && let Some(door) = self.streams.doors.get_mut(&port)
        {
            door.waiting.push_back(connection);
            if let Some(listener) = door.listener.take() {
                listener.wake();
            }
        }
    }

    /// Sends what may leave, wakes who may write again, and sees to it that the timer is heard.
    pub(super) fn push(&mut self, place: Place) {
        let now = self.mono;
        while let Some(data) = self.next_of(place, now) {
            self.transmit(place, &Segment::Data(data));
        }
        let end = self.streams.end(place);
        if end.sender.room() >= SEGMENT
            && let Some(writer) = end.writer.take()
        {
            writer.wake();
        }
        if end.error.is_some() {
            return;
        }
        let due = end.sender.due().map(|due| due.max(now));
        if let Some(due) = due.filter(|&due| end.timer.is_none_or(|planned| due < planned || planned < now)) {
            end.timer = Some(due);
            self.plan(due, WorldEvent::Stream(Event::Timer(place)));
        }
    }

    fn next_of(&mut self, place: Place, now: Mono) -> Option<Data> {
        let end = self.streams.end(place);
        if end.error.is_some() { None } else { end.sender.next(now) }
    }

    /// Puts a segment on the line.
    fn transmit(&mut self, place: Place, segment: &Segment) {
        let payload = if let Segment::Data(data) = segment { data.bytes.len() } else { 0 };
        let (now, to) = (self.mono, Place { side: place.side.other(), ..place });
        let (line, copies) = match place.side {
            Side::Near => (&mut self.forward, 1),
            Side::Far if self.is_dead() => return,
            Side::Far => (&mut self.backward, 1 + i64::from(self.scenario.far.answers_twice)),
        };
        let mut arrivals = Vec::new();
        for copy in 0..copies {
            arrivals.extend(line.carry(now + Span::micros(100 * copy), HEADERS + payload));
        }
        for at in arrivals {
            self.plan(at, WorldEvent::Stream(Event::Reached(to, segment.clone())));
        }
    }

    /// What an end writes, as it goes on the line: a far end that talks garbage does so here.
    pub(super) fn write(&mut self, place: Place, bytes: &[u8]) -> usize {
        let garbage = self.scenario.far.garbage;
        let garbled = place.side == Side::Far && garbage > 0.0 && self.rng.random::<f64>() < garbage;
        let written = if garbled {
            let mut nonsense = vec![0; bytes.len()];
            self.rng.fill_bytes(&mut nonsense);
            self.streams.end(place).sender.write(&nonsense)
        } else {
            self.streams.end(place).sender.write(bytes)
        };
        self.push(place);
        written
    }

    /// Nothing more is written at this end.
    pub(super) fn finish(&mut self, place: Place) {
        self.streams.end(place).sender.finish();
        self.push(place);
    }

    /// Nobody holds this end any more. What was not read is told to the other end with a reset, as systems do.
    pub(super) fn leave(&mut self, place: Place) {
        let made = self.streams.connections[place.connection].made;
        let end = self.streams.end(place);
        end.gone = true;
        if !made || end.error.is_some() {
            return;
        }
        if end.receiver.has_something() {
            self.abandon(place);
        } else {
            self.finish(place);
        }
    }

    /// Ends a connection at once.
    pub(super) fn abandon(&mut self, place: Place) {
        let end = self.streams.end(place);
        if end.error.replace(ErrorKind::ConnectionAborted).is_none() {
            end.wake_both();
            self.transmit(place, &Segment::Reset);
        }
    }

    /// There is room again for what the other end has to send.
    pub(super) fn tell_room(&mut self, place: Place) {
        let ack = self.streams.end(place).receiver.ack();
        self.transmit(place, &Segment::Ack(ack));
    }

    /// What a system would say of an end.
    pub(super) fn info(&mut self, place: Place) -> TcpInfo {
        let end = self.streams.end(place);
        let (told, (received, out_of_order)) = (end.sender.told(), end.receiver.received());
        let us = |span: Span| (span.0 / 1_000) as u32;
        TcpInfo {
            rtt_us: told.smooth.map(us),
            rtt_variation_us: told.smooth.map(|_| us(told.variation)),
            min_rtt_us: told.least.map(us),
            retransmitted_segments: Some(told.segments_again),
            retransmitted_bytes: Some(told.bytes_again),
            sent_bytes: Some(told.sent_bytes),
            acked_bytes: Some(told.acked_bytes),
            sacked_segments: Some(told.sacked_segments),
            received_bytes: Some(received),
            out_of_order_segments: Some(out_of_order),
            segment_bytes: Some(SEGMENT as u32),
            ..TcpInfo::default()
        }
    }
}
