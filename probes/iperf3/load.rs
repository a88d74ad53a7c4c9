//! One direction of a test at one end: it sends, or it receives and counts. The asking and the answering side do the same.

use super::udp;
use crate::codec::iperf3::{StreamResult, Transport, stream_id};
use crate::tcp::info::TcpInfo;
use crate::throughput::lanes::{Lanes, Received};
use crate::throughput::meter::Meter;
use crate::throughput::pump::{self, Brake, Watched, intervals_in};
use broadgauge_model::clock::{Clock, Mono, Span};
use broadgauge_model::histogram::Histogram;
use socket2::Socket;
use std::io;
use std::sync::Arc;
use tokio::sync::oneshot;

/// How long connections are held for the other side to end them.
const LINGER: Span = Span::secs(15);

/// What is to be done.
pub(super) struct Plan {
    pub(super) lanes: Lanes,
    pub(super) transport: Transport,
    pub(super) sends: bool,
    /// Whether it is the answering side, which ends the streams that it sends on.
    pub(super) answers: bool,
    pub(super) block: usize,
    /// Of each stream; unlimited where 0.
    pub(super) bits_per_second: u64,
    pub(super) wide: bool,
    /// From when on it counts.
    pub(super) from: Mono,
    /// When it ends at the latest.
    pub(super) until: Mono,
    pub(super) seed: u64,
}

/// What one end saw of one direction.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) streams: Vec<Seen>,
    /// Payload received, in whole intervals.
    pub(super) intervals: Vec<u64>,
    /// What waited behind gaps at the end of each.
    pub(super) waiting: Vec<u64>,
    pub(super) from: Mono,
    pub(super) ended: Mono,
    pub(super) congestion: Option<String>,
    /// Packets that this machine had no room for.
    pub(super) dropped_here: Option<u64>,
}

/// One stream.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) bytes: u64,
    /// All that was sent, whether it counts or not.
    pub(super) written: u64,
    pub(super) cut: bool,
    pub(super) tcp: Option<TcpInfo>,
    /// The highest number of a packet.
    pub(super) packets: u64,
    /// Of these, those before the part that counts.
    pub(super) omitted_packets: u64,
    /// Packets missing from the part that counts.
    pub(super) lost: u64,
    pub(super) omitted_lost: u64,
    pub(super) duplicate: u64,
    pub(super) reordered: u64,
    /// Slots without a packet.
    pub(super) missed: u64,
    pub(super) jitter_s: Option<f64>,
    pub(super) variation: Option<Histogram>,
}

impl Side {
    /// How long it counted.
    pub(super) fn lasted(&self) -> Span {
        (self.ended - self.from).max(Span::ZERO)
    }

    /// As the other end is told, for streams whose ids begin at this place.
    pub(super) fn results(&self, sends: bool, first: usize) -> Vec<StreamResult> {
        let result = |(place, seen): (usize, &Seen)| StreamResult {
            id: stream_id(first + place),
            bytes: seen.bytes,
            retransmits: seen.tcp.filter(|_| sends).and_then(|tcp| tcp.retransmitted_segments).map(u64::from),
            jitter_s: seen.jitter_s.unwrap_or(0.0),
            errors: seen.lost + seen.omitted_lost,
            packets: seen.packets,
            omitted_errors: Some(seen.omitted_lost),
            omitted_packets: Some(seen.omitted_packets),
            start_s: 0.0,
            end_s: self.lasted().as_secs_f64(),
        };
        self.streams.iter().enumerate().map(result).collect()
    }
}

/// A direction under way. Dropping it lets go of the connections.
pub(super) struct Load {
    clock: Arc<dyn Clock>,
    brake: Brake,
    _hold: Brake,
    ending: oneshot::Receiver<Side>,
    /// What it saw, where it has ended already.
    ended: Option<Side>,
}

impl Load {
    /// Begins. `tick` is told each interval of received payload that is over.
    pub(super) fn start(
        plan: Plan,
        clock: Arc<dyn Clock>,
        tick: impl FnMut(usize, u64) + Send + 'static,
    ) -> Self {
        let (brake, hold) = (Brake::default(), Brake::default());
        let (watched, held) = (brake.watched(), hold.watched());
        let (told, ending) = oneshot::channel();
        let ours = Arc::clone(&clock);
        tokio::spawn(async move {
            let ends = plan.answers && plan.sends && plan.transport == Transport::Tcp;
            let Ok((lanes, side)) = plan.run(Arc::clone(&clock), watched, tick).await else { return };
            if ends {
                // After the test iperf3 reads on, a whole block at a time, and hears nothing else until that has come or
                // the stream has ended.
                lanes.finish();
            }
            // Nobody waits any more where the test was given up.
            if told.send(side).is_ok() {
                // A sender that blocks would not hear that the test is over, and one that is cut off fails.
                lanes.drain(clock.mono() + LINGER, clock, held).await;
            }
        });
        Self { clock: ours, brake, _hold: hold, ending, ended: None }
    }

    /// Ends it now.
    pub(super) fn stop(&self) {
        self.brake.pull_at(self.clock.mono());
    }

    /// Waits for its end. `None` where the thread failed.
    pub(super) async fn seen(&mut self) -> Option<Side> {
        match self.ended.take() {
            Some(side) => Some(side),
            None => (&mut self.ending).await.ok(),
        }
    }

    /// Waits until it has ended because its streams were cut, and not for another reason.
    pub(super) async fn cut(&mut self) {
        if self.ended.is_none() {
            self.ended = (&mut self.ending).await.ok();
        }
        if self.ended.as_ref().is_some_and(|side| !side.streams.iter().any(|stream| stream.cut)) {
            std::future::pending::<()>().await;
        }
    }
}

impl Plan {
    async fn run(
        mut self,
        clock: Arc<dyn Clock>,
        brake: Watched,
        tick: impl FnMut(usize, u64) + Send + 'static,
    ) -> io::Result<(Lanes, Side)> {
        let (from, until) = (self.from, self.until);
        let lanes = std::mem::replace(&mut self.lanes, Lanes::System(Vec::new()));
        let congestion = lanes.congestion();
        let meter = Meter::new(from, intervals_in(until - from), lanes.len());
        let (told, pulled) = (Arc::clone(&clock), brake.clone());
        let (lanes, side) = match (self.transport, lanes) {
            (Transport::Udp, Lanes::System(sockets)) => {
                let work = move || {
                    let side = if self.sends {
                        self.send_packets(&sockets, &*clock, &brake)
                    } else {
                        self.receive_packets(&sockets, meter, &*clock, &brake, tick)
                    };
                    (Lanes::System(sockets), side)
                };
                tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
            }
            (_, lanes) if self.sends => {
                let sending = pump::Sending::random(self.seed, until).in_blocks(self.block, from);
                let (lanes, streams) = lanes.send(sending, clock, brake).await?;
                let streams = streams.into_iter().map(Seen::from).collect();
                (lanes, Side { streams, ..Side::default() })
            }
            (_, lanes) => {
                let Received { lanes, meter, ended, streams } =
                    lanes.receive(meter, clock, brake, tick).await?;
                let side = Side {
                    streams: streams.into_iter().map(Seen::from).collect(),
                    intervals: meter.complete(ended).to_vec(),
                    waiting: meter.waiting(ended).to_vec(),
                    ..Side::default()
                };
                (lanes, side)
            }
        };
        // A receiver to whom nothing comes any more notices late, and that time is no part of the test.
        let ended = told.mono().min(until).min(pulled.pulled_at().unwrap_or(until));
        Ok((lanes, Side { from, ended, congestion, ..side }))
    }

    fn send_packets(&self, sockets: &[Socket], clock: &dyn Clock, brake: &Watched) -> Side {
        let sending = udp::Sending {
            block: pump::block(self.seed, self.block),
            bits_per_second: self.bits_per_second,
            wide: self.wide,
            from: self.from,
            until: self.until,
        };
        let seen = |sent: udp::Sent| Seen {
            bytes: sent.bytes,
            cut: sent.refused >= udp::REFUSALS,
            packets: sent.packets,
            omitted_packets: sent.omitted,
            missed: sent.missed,
            ..Seen::default()
        };
        let sent = udp::send(sockets, sending, clock, brake);
        Side { streams: sent.into_iter().map(seen).collect(), ..Side::default() }
    }

    fn receive_packets(
        &self,
        sockets: &[Socket],
        mut meter: Meter,
        clock: &dyn Clock,
        brake: &Watched,
        tick: impl FnMut(usize, u64),
    ) -> Side {
        let (ended, ledgers, dropped_here) = udp::receive(sockets, &mut meter, self.wide, clock, brake, tick);
        let streams = ledgers.iter().zip(meter.streams()).map(|(ledger, &bytes)| Seen {
            bytes,
            packets: ledger.highest(),
            omitted_packets: ledger.base(),
            lost: ledger.lost(),
            omitted_lost: ledger.omitted_lost(),
            duplicate: ledger.counted().duplicate,
            reordered: ledger.counted().reordered,
            jitter_s: ledger.jitter_s(),
            variation: Some(ledger.variation().finish()),
            ..Seen::default()
        });
        Side {
            streams: streams.collect(),
            intervals: meter.complete(ended).to_vec(),
            dropped_here,
            ..Side::default()
        }
    }
}

impl From<pump::Stream> for Seen {
    fn from(stream: pump::Stream) -> Self {
        let pump::Stream { bytes, written, cut, tcp } = stream;
        Self { bytes, written, cut, tcp, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::clock::{ManualClock, Wall};
    use std::io::Read as _;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::time::Duration;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_receiver_that_notices_the_end_late_ends_when_it_was_asked_to() {
        let clock = Arc::new(ManualClock::at(Wall(0)));
        let from = clock.mono();
        let plan = Plan {
            lanes: Lanes::System(vec![UdpSocket::bind("127.0.0.1:0").unwrap().into()]),
            transport: Transport::Udp,
            sends: false,
            answers: false,
            block: 1_448,
            bits_per_second: 1_000_000,
            wide: false,
            from,
            until: from + Span::secs(10),
            seed: 1,
        };
        let mut load = Load::start(plan, Arc::clone(&clock) as _, |_, _| {});
        clock.advance(Span::secs(3));
        load.stop();
        clock.advance(Span::millis(30));
        assert_eq!(load.seen().await.unwrap().lasted(), Span::secs(3));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answering_sender_ends_its_streams_though_nobody_lets_go_of_them() {
        let clock = Arc::new(ManualClock::at(Wall(0)));
        let from = clock.mono();
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut reader = TcpStream::connect(door.local_addr().unwrap()).unwrap();
        let plan = Plan {
            lanes: Lanes::System(vec![door.accept().unwrap().0.into()]),
            transport: Transport::Tcp,
            sends: true,
            answers: true,
            block: 128 * 1024,
            bits_per_second: 0,
            wide: false,
            from,
            until: from + Span::secs(10),
            seed: 1,
        };
        let mut load = Load::start(plan, Arc::clone(&clock) as _, |_, _| {});
        reader.peek(&mut [0]).unwrap();
        load.stop();
        let written = load.seen().await.unwrap().streams[0].written;
        // Only a stream without an end lets it wait for that long.
        reader.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap() as u64, written);
    }
}
