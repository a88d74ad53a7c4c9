//! One test at the server, from its parameters to its results.

use super::streams::{Streams, by_tcp, by_udp, udp_door};
use super::{House, Joined};
use crate::codec::iperf3::{LONGEST_PARAMETERS, LONGEST_RESULTS, Parameters, Results, State, Transport};
use crate::iperf3::load::{Load, Plan};
use crate::iperf3::talk::{Talk, TalkError};
use crate::throughput::lanes::Lanes;
use broadgauge_model::clock::{Mono, Span};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How long after the planned end a test goes on: the client's clock started a little later than ours.
const GRACE: Span = Span::secs(5);
/// Numbers of iperf3's errors (`iperf_api.h`).
const TOO_MANY_STREAMS: i32 = 6;
const BLOCK_LENGTH: i32 = 7;
const TOTAL_RATE: i32 = 27;
const TOO_LONG: i32 = 37;
const PARAMETERS: i32 = 114;
const RESULTS: i32 = 117;
const PROTOCOL: i32 = 131;
const TIME_OVER: i32 = 160;
const STREAM_ACCEPT: i32 = 204;

impl House {
    /// Serves a client whose cookie was read.
    pub(super) async fn test(
        &self,
        talk: &mut Talk,
        mut joined: mpsc::Receiver<Joined>,
        client: SocketAddr,
        local: SocketAddr,
    ) -> Result<(), TalkError> {
        let patience = self.limits.patience;
        talk.say_state(State::ParamExchange, patience).await?;
        let read = match talk.document(LONGEST_PARAMETERS, patience).await {
            Ok(document) => Parameters::read(&document),
            Err(TalkError::Document(wrong)) => Err(wrong),
            Err(error) => return Err(error),
        };
        let wish = match read.map_err(|_| PARAMETERS).and_then(|wish| self.check(wish)) {
            Ok(wish) => wish,
            Err(code) => {
                talk.say_failed(code, patience).await;
                return Err(TalkError::Failed { iperf: code, errno: 0 });
            }
        };
        let ways = [!wish.reverse || wish.bidirectional, wish.reverse || wish.bidirectional];
        let count = wish.streams as usize * ways.iter().filter(|way| **way).count();
        let streams = {
            // The door is open before the client is told of it.
            let door = match wish.transport {
                Transport::Udp => Some(udp_door(local).map_err(|error| TalkError::Io(error.kind()))?),
                _ => None,
            };
            talk.say_state(State::CreateStreams, patience).await?;
            let opened = async {
                match door {
                    Some(door) => by_udp(door, client.ip(), count, &wish).await,
                    None => by_tcp(&mut joined, count, &wish).await,
                }
            };
            tokio::select! {
                opened = tokio::time::timeout(patience.to_std(), opened) => opened,
                // Nothing is to be said meanwhile.
                heard = talk.state(Span::secs(3_600)) => return Err(heard.err().unwrap_or(TalkError::Terminated)),
            }
        };
        let Ok(Ok(streams)) = streams else {
            talk.say_failed(STREAM_ACCEPT, patience).await;
            return Err(TalkError::Silent(patience.as_secs_f64()));
        };
        talk.say_state(State::TestStart, patience).await?;
        talk.say_state(State::TestRunning, patience).await?;
        self.run(talk, &wish, ways, streams).await
    }

    /// Moves payload, and exchanges what was counted.
    async fn run(
        &self,
        talk: &mut Talk,
        wish: &Parameters,
        ways: [bool; 2],
        streams: Streams,
    ) -> Result<(), TalkError> {
        let patience = self.limits.patience;
        let Streams { mut lanes, guests: _until_the_end } = streams;
        let from = self.clock.mono() + Span::secs(wish.omit_s as i64);
        let planned = match wish.time_s {
            0 => self.limits.duration,
            seconds => Span::secs(seconds as i64),
        };
        let until = from + planned + GRACE;
        let sending = lanes.split_off(if ways[0] { wish.streams as usize } else { 0 });
        let mut up = ways[0].then(|| self.load(wish, lanes, false, from, until));
        let mut down = ways[1].then(|| self.load(wish, sending, true, from, until));
        let mut stop = self.stop.clone();
        let heard = tokio::select! {
            heard = talk.state(until - self.clock.mono()) => heard,
            () = stop.wait() => {
                talk.say_state(State::ServerTerminate, patience).await?;
                talk.part(patience).await;
                return Err(TalkError::Terminated);
            }
        };
        match heard {
            Ok(State::TestEnd) => {}
            Ok(State::ClientTerminate) => return Err(TalkError::Terminated),
            Ok(got) => return Err(TalkError::OutOfStep { got, wanted: State::TestEnd }),
            Err(error) => {
                if matches!(error, TalkError::Silent(_)) {
                    talk.say_failed(TIME_OVER, patience).await;
                }
                return Err(error);
            }
        }
        for load in [&up, &down].into_iter().flatten() {
            load.stop();
        }
        let mut ours = Results { cpu_percent: 0.0, ..Results::default() };
        for (load, sends) in [(&mut up, false), (&mut down, true)] {
            let Some(load) = load else { continue };
            let side = load.seen().await.ok_or(TalkError::Closed)?;
            ours.streams.extend(side.results(sends, ours.streams.len()));
            ours.congestion = side.congestion;
            ours.has_retransmits =
                ours.has_retransmits.or((sends && wish.transport == Transport::Tcp).then_some(true));
        }
        talk.say_state(State::ExchangeResults, patience).await?;
        // What the client counted is of no use to the server, but it has to be what it should be.
        match talk.document(LONGEST_RESULTS, patience).await.and_then(|d| Ok(Results::read(&d)?)) {
            Ok(_) => {}
            Err(error) => {
                if matches!(error, TalkError::Document(_)) {
                    talk.say_failed(RESULTS, patience).await;
                }
                return Err(error);
            }
        }
        talk.say_document(&ours.write(), patience).await?;
        talk.say_state(State::DisplayResults, patience).await?;
        talk.expect(State::IperfDone, patience).await
    }

    fn load(&self, wish: &Parameters, lanes: Lanes, sends: bool, from: Mono, until: Mono) -> Load {
        let plan = Plan {
            lanes,
            transport: wish.transport,
            sends,
            answers: true,
            block: wish.block_bytes as usize,
            bits_per_second: wish.bandwidth_bps,
            wide: wish.wide_counters,
            from,
            until,
            seed: self.clock.wall().0.cast_unsigned(),
        };
        Load::start(plan, Arc::clone(&self.clock), |_, _| {})
    }

    /// The wish as it is granted, or the number of the error.
    fn check(&self, wish: Parameters) -> Result<Parameters, i32> {
        let udp = wish.transport == Transport::Udp;
        let block = match (wish.block_bytes, udp) {
            (0, true) => 1_448,
            (0, false) => 128 * 1024,
            (block, _) => block,
        };
        let sends = wish.reverse || wish.bidirectional;
        let longest = self.limits.duration.0 as u64 / 1_000_000_000;
        let rate = match wish.bandwidth_bps {
            0 => u64::MAX,
            each => each.saturating_mul(wish.streams),
        };
        if wish.transport == Transport::Sctp {
            Err(PROTOCOL)
        } else if wish.streams == 0 || wish.streams > self.limits.streams {
            Err(TOO_MANY_STREAMS)
        } else if wish.time_s.saturating_add(wish.omit_s) > longest {
            Err(TOO_LONG)
        } else if (udp && !(16..=65_507).contains(&block)) || block > 1_048_576 {
            Err(BLOCK_LENGTH)
        } else if udp && sends && rate > self.limits.udp_bits_per_second {
            Err(TOTAL_RATE)
        } else {
            Ok(Parameters { block_bytes: block, ..wish })
        }
    }
}
