//! The streams of one direction, and the payload that moves on them: over sockets on a thread of its own ([`pump`]), over
//! the virtual network on virtual time. Both feed the same meter.

use super::meter::Meter;
use super::pump::{self, NOTICE, Sending, Stream, Watched};
use crate::net::{Virtual, Wire};
use broadgauge_model::clock::{Clock, Mono, Span};
use socket2::Socket;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::ReadBuf;

/// What one read on virtual time takes.
const CHUNK: usize = 64 * 1024;

/// The streams of one direction.
#[derive(Debug)]
pub(crate) enum Lanes {
    /// Of this machine.
    System(Vec<Socket>),
    /// Of the virtual network.
    Virtual(Vec<Box<dyn Virtual>>),
}

/// What a receiver has counted.
pub(crate) struct Received {
    pub(crate) lanes: Lanes,
    pub(crate) meter: Meter,
    pub(crate) ended: Mono,
    pub(crate) streams: Vec<Stream>,
}

impl Lanes {
    /// Of these connections, which are all of one network.
    pub(crate) fn of(wires: Vec<Wire>) -> io::Result<Self> {
        let (mut sockets, mut streams) = (Vec::new(), Vec::new());
        for wire in wires {
            match wire {
                Wire::System(stream) => sockets.push(Socket::from(stream.into_std()?)),
                Wire::Virtual(stream) => streams.push(stream),
            }
        }
        Ok(if streams.is_empty() { Self::System(sockets) } else { Self::Virtual(streams) })
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::System(sockets) => sockets.len(),
            Self::Virtual(streams) => streams.len(),
        }
    }

    /// Those from this one on.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::System(sockets) => Self::System(sockets.split_off(at)),
            Self::Virtual(streams) => Self::Virtual(streams.split_off(at)),
        }
    }

    /// The name of the congestion control that they use.
    pub(crate) fn congestion(&self) -> Option<String> {
        match self {
            Self::System(sockets) => pump::congestion_of(sockets),
            Self::Virtual(_) => Some(String::from("reno")),
        }
    }

    /// Sets it. `Err` where the system has none of that name.
    pub(crate) fn use_congestion(&self, wanted: &str) -> io::Result<()> {
        match self {
            Self::System(sockets) => {
                sockets.iter().try_for_each(|socket| socket.set_tcp_congestion(wanted.as_bytes()))
            }
            Self::Virtual(_) => Ok(()),
        }
    }

    /// Ends connections at once: what lies in the buffers is of no use any more and shall not load the line.
    pub(crate) fn abandon(self) {
        match self {
            Self::System(sockets) => pump::abandon(sockets),
            Self::Virtual(streams) => streams.iter().for_each(|stream| stream.held().abandon()),
        }
    }

    /// Nothing more will be sent.
    pub(crate) fn finish(&self) {
        match self {
            // One that its client has ended already cannot be ended again.
            Self::System(sockets) => sockets.iter().for_each(|socket| drop(socket.shutdown(Shutdown::Write))),
            Self::Virtual(streams) => streams.iter().for_each(|stream| stream.held().finish()),
        }
    }

    /// As [`pump::receive`].
    pub(crate) async fn receive(
        self,
        mut meter: Meter,
        clock: Arc<dyn Clock>,
        brake: Watched,
        mut tick: impl FnMut(usize, u64) + Send + 'static,
    ) -> io::Result<Received> {
        match self {
            Self::System(sockets) => {
                let work = move || {
                    let (ended, streams) = pump::receive(&sockets, &mut meter, &*clock, &brake, tick);
                    Received { lanes: Self::System(sockets), meter, ended, streams }
                };
                tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
            }
            Self::Virtual(lanes) => {
                let mut open = Open::of(lanes);
                let (mut told, mut waste) = (0, vec![0; CHUNK]);
                let mut now = clock.mono();
                while now < meter.end() && !brake.pulled() && open.are_any() {
                    let longest = meter.end_of(told).min(now + NOTICE) - now;
                    let read = |stream: &mut dyn Virtual, index: usize, cx: &mut Context<'_>| {
                        let mut into = ReadBuf::new(&mut waste);
                        Pin::new(stream).poll_read(cx, &mut into).map(|read| {
                            let bytes = into.filled().len();
                            meter.record(clock.mono(), index, bytes as u64);
                            read.is_ok() && bytes > 0
                        })
                    };
                    open.turn(longest, read).await;
                    now = clock.mono();
                    while meter.end_of(told) <= now && told < meter.intervals().len() {
                        meter.wait(told, open.lanes.iter().map(|stream| stream.held().waiting()).sum());
                        tick(told, meter.intervals()[told]);
                        told += 1;
                    }
                }
                let streams = open.seen(|index| (meter.streams()[index], 0));
                Ok(Received { lanes: Self::Virtual(open.lanes), meter, ended: now, streams })
            }
        }
    }

    /// As [`pump::send`].
    pub(crate) async fn send(
        self,
        sending: Sending,
        clock: Arc<dyn Clock>,
        brake: Watched,
    ) -> io::Result<(Self, Vec<Stream>)> {
        match self {
            Self::System(sockets) => {
                let work = move || {
                    let streams = pump::send(&sockets, &sending, &*clock, &brake);
                    (Self::System(sockets), streams)
                };
                tokio::task::spawn_blocking(work).await.map_err(io::Error::other)
            }
            Self::Virtual(lanes) => {
                let mut counted = vec![(0, 0); lanes.len()];
                let mut open = Open::of(lanes);
                let mut now = clock.mono();
                while now < sending.until && !brake.pulled() && open.are_any() {
                    let counts = now >= sending.from;
                    let write = |stream: &mut dyn Virtual, index: usize, cx: &mut Context<'_>| {
                        Pin::new(stream).poll_write(cx, &sending.block).map(|written| {
                            let bytes = written.as_ref().map_or(0, |&bytes| bytes as u64);
                            counted[index].0 += if counts { bytes } else { 0 };
                            counted[index].1 += bytes;
                            written.is_ok()
                        })
                    };
                    open.turn(NOTICE.min(sending.until - now), write).await;
                    now = clock.mono();
                }
                let streams = open.seen(|index| counted[index]);
                Ok((Self::Virtual(open.lanes), streams))
            }
        }
    }

    /// As [`pump::drain`].
    pub(crate) async fn drain(self, until: Mono, clock: Arc<dyn Clock>, brake: Watched) {
        match self {
            Self::System(sockets) => {
                let work = move || pump::drain(&sockets, until, &*clock, &brake);
                // A thread that cannot be had drains nothing, and the connections end.
                let _ = tokio::task::spawn_blocking(work).await;
            }
            Self::Virtual(lanes) => {
                let (mut open, mut waste) = (Open::of(lanes), vec![0; CHUNK]);
                while clock.mono() < until && !brake.pulled() && open.are_any() {
                    let read = |stream: &mut dyn Virtual, _: usize, cx: &mut Context<'_>| {
                        let mut into = ReadBuf::new(&mut waste);
                        let read = Pin::new(stream).poll_read(cx, &mut into);
                        read.map(|read| read.is_ok() && !into.filled().is_empty())
                    };
                    open.turn(NOTICE, read).await;
                }
            }
        }
    }
}

/// Virtual streams, and which of them go on.
struct Open {
    lanes: Vec<Box<dyn Virtual>>,
    open: Vec<bool>,
}

impl Open {
    fn of(lanes: Vec<Box<dyn Virtual>>) -> Self {
        Self { open: vec![true; lanes.len()], lanes }
    }

    fn are_any(&self) -> bool {
        self.open.contains(&true)
    }

    /// Waits at most `longest`, and hands each ready stream to `go`, which says whether it goes on.
    async fn turn(
        &mut self,
        longest: Span,
        mut go: impl FnMut(&mut dyn Virtual, usize, &mut Context<'_>) -> Poll<bool>,
    ) {
        let once = poll_fn(|cx| {
            let mut ready = false;
            for (index, (stream, open)) in self.lanes.iter_mut().zip(&mut self.open).enumerate() {
                if *open && let Poll::Ready(goes_on) = go(&mut **stream, index, cx) {
                    ready = true;
                    *open = goes_on;
                }
            }
            if ready { Poll::Ready(()) } else { Poll::Pending }
        });
        // Where nothing moves, the caller comes back.
        let _ = tokio::time::timeout(longest.to_std(), once).await;
    }

    /// What became of each, with the bytes that count and all that were written.
    fn seen(&self, bytes: impl Fn(usize) -> (u64, u64)) -> Vec<Stream> {
        let each = self.lanes.iter().zip(&self.open).enumerate();
        each.map(|(index, (stream, &open))| {
            let (bytes, written) = bytes(index);
            Stream { bytes, written, cut: !open, tcp: Some(stream.held().info()) }
        })
        .collect()
    }
}
