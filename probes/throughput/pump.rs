//! The two loops that move payload: one thread, all streams of a test, `ppoll` between calls.
//!
//! The sender writes one fixed block of random bytes, so that nothing on the way can compress it. The
//! receiver throws the payload away inside the kernel (`MSG_TRUNC` on TCP, see tcp(7)), as iperf3 does with
//! `--skip-rx-copy`: the bytes have arrived in order and are acknowledged, but they are not copied to a buffer that
//! nobody reads. Results say so as `received_without_copy`.
//!
//! What a single thread cannot do is fill more than one core; it moves tens of Gbit/s, far above an access line.

use super::meter::{INTERVAL, Meter};
use crate::tcp::info::{TcpInfo, behind_gaps, tcp_info};
use broadgauge_model::clock::{Clock, Mono, Span};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use socket2::Socket;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};

/// The block that the sender writes: it fits the second-level cache.
const BLOCK: usize = 128 * 1024;
/// The most that one call throws away.
const DISCARD: usize = 4 * 1024 * 1024;
/// How soon a pump notices that it shall end.
pub(crate) const NOTICE: Span = Span::millis(20);

/// Ends a pump: pull it, or drop it.
#[derive(Debug, Default)]
pub(crate) struct Brake(Arc<OnceLock<Option<Mono>>>);

impl Brake {
    /// The pump's side.
    pub(crate) fn watched(&self) -> Watched {
        Watched(Arc::clone(&self.0))
    }

    /// Ends the pump.
    pub(crate) fn pull(&self) {
        self.0.get_or_init(|| None);
    }

    /// Ends the pump, and says when that was asked: it may notice later.
    pub(crate) fn pull_at(&self, now: Mono) {
        self.0.get_or_init(|| Some(now));
    }
}

impl Drop for Brake {
    fn drop(&mut self) {
        self.pull();
    }
}

/// The side of a [`Brake`] that a pump looks at.
#[derive(Clone, Debug)]
pub(crate) struct Watched(Arc<OnceLock<Option<Mono>>>);

impl Watched {
    pub(crate) fn pulled(&self) -> bool {
        self.0.get().is_some()
    }

    /// When it was pulled, where whoever did it has said so.
    pub(crate) fn pulled_at(&self) -> Option<Mono> {
        self.0.get().copied().flatten()
    }
}

/// One stream, as one end saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stream {
    /// Payload sent or received during the test.
    pub(crate) bytes: u64,
    /// All that was written, whether it counts or not.
    #[serde(skip)]
    pub(crate) written: u64,
    /// Whether the other side ended it before its time.
    pub(crate) cut: bool,
    /// The kernel's view at the end of the test.
    pub(crate) tcp: Option<TcpInfo>,
}

/// Receives until the meter's clock stops, the brake is pulled, or every stream has ended. `tick` is told each
/// interval that is over. Returns when it ended.
pub(crate) fn receive(
    sockets: &[Socket],
    meter: &mut Meter,
    clock: &dyn Clock,
    brake: &Watched,
    mut tick: impl FnMut(usize, u64),
) -> (Mono, Vec<Stream>) {
    let mut waste = Vec::with_capacity(DISCARD);
    let mut streams = vec![Stream::default(); sockets.len()];
    let mut told = 0;
    let mut now = clock.mono();
    let mut open = Open::new(sockets, PollFlags::POLLIN);
    while now < meter.end() && !brake.pulled() && !open.is_empty() {
        open.turn(meter.end_of(told).min(now + NOTICE) - now, |index| {
            let flags = libc::MSG_TRUNC | libc::MSG_DONTWAIT;
            match sockets[index].recv_with_flags(waste.spare_capacity_mut(), flags) {
                Ok(0) => streams[index].cut = true,
                Ok(bytes) => meter.record(clock.mono(), index, bytes as u64),
                Err(error) => streams[index].cut = !passing(&error),
            }
            !streams[index].cut
        });
        now = clock.mono();
        while meter.end_of(told) <= now && told < meter.intervals().len() {
            meter.wait(told, sockets.iter().filter_map(behind_gaps).sum());
            tick(told, meter.intervals()[told]);
            told += 1;
        }
    }
    for (index, stream) in streams.iter_mut().enumerate() {
        stream.bytes = meter.streams()[index];
        stream.tcp = tcp_info(&sockets[index]).ok();
    }
    (now, streams)
}

/// What a sender does.
pub(crate) struct Sending {
    /// What it writes, over and over.
    pub(crate) block: Vec<u8>,
    /// What was sent before does not count.
    pub(crate) from: Mono,
    /// When it ends of itself.
    pub(crate) until: Mono,
}

impl Sending {
    /// Random bytes until then, counted from the first.
    pub(crate) fn random(seed: u64, until: Mono) -> Self {
        Self { block: block(seed, BLOCK), from: Mono(0), until }
    }

    /// The same in blocks of this length, counted from then on.
    pub(crate) fn in_blocks(self, length: usize, from: Mono) -> Self {
        let mut block = self.block;
        block.truncate(length.max(1));
        while block.len() < length {
            block.extend_from_within(..(length - block.len()).min(block.len()));
        }
        Self { block, from, until: self.until }
    }
}

/// So many random bytes.
pub(crate) fn block(seed: u64, length: usize) -> Vec<u8> {
    let mut block = vec![0; length];
    rand_chacha::ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut block);
    block
}

/// Sends until the brake is pulled, the end has come, or every stream has ended.
pub(crate) fn send(sockets: &[Socket], sending: &Sending, clock: &dyn Clock, brake: &Watched) -> Vec<Stream> {
    let mut streams = vec![Stream::default(); sockets.len()];
    let mut open = Open::new(sockets, PollFlags::POLLOUT);
    let mut now = clock.mono();
    while now < sending.until && !brake.pulled() && !open.is_empty() {
        let counts = now >= sending.from;
        open.turn(NOTICE.min(sending.until - now), |index| {
            match sockets[index].send_with_flags(&sending.block, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) {
                Ok(bytes) => {
                    streams[index].written += bytes as u64;
                    streams[index].bytes += if counts { bytes as u64 } else { 0 };
                }
                Err(error) => streams[index].cut = !passing(&error),
            }
            !streams[index].cut
        });
        now = clock.mono();
    }
    for (stream, socket) in streams.iter_mut().zip(sockets) {
        stream.tcp = tcp_info(socket).ok();
    }
    streams
}

/// Throws away what still comes, uncounted, until the brake is pulled, `until` has come, or every stream has ended: a
/// sender that blocks would not hear that it shall stop.
pub(crate) fn drain(sockets: &[Socket], until: Mono, clock: &dyn Clock, brake: &Watched) {
    let mut waste = Vec::with_capacity(DISCARD);
    let mut open = Open::new(sockets, PollFlags::POLLIN);
    while clock.mono() < until && !brake.pulled() && !open.is_empty() {
        open.turn(NOTICE, |index| {
            let flags = libc::MSG_TRUNC | libc::MSG_DONTWAIT;
            match sockets[index].recv_with_flags(waste.spare_capacity_mut(), flags) {
                Ok(bytes) => bytes > 0,
                Err(error) => passing(&error),
            }
        });
    }
}

/// Ends connections at once: what lies in the buffers is of no use any more and shall not load the line.
pub(crate) fn abandon(sockets: Vec<Socket>) {
    for socket in sockets {
        // Where the system refuses, the ordinary close follows all the same.
        let _ = socket.set_linger(Some(std::time::Duration::ZERO));
    }
}

/// The name of the congestion control that sockets use.
pub(crate) fn congestion_of(sockets: &[Socket]) -> Option<String> {
    let name = sockets.first()?.tcp_congestion().ok()?;
    let name: Vec<u8> = name.into_iter().take_while(|&byte| byte != 0).collect();
    String::from_utf8(name).ok().filter(|name| !name.is_empty())
}

/// How many intervals a test of this length has.
pub(crate) const fn intervals_in(duration: Span) -> usize {
    (duration.0 / INTERVAL.0) as usize
}

/// The streams that are still open, and which of them are ready.
pub(crate) struct Open<'a> {
    indices: Vec<usize>,
    fds: Vec<PollFd<'a>>,
}

impl<'a> Open<'a> {
    pub(crate) fn new(sockets: &'a [Socket], what: PollFlags) -> Self {
        let fds = sockets.iter().map(|socket| PollFd::new(socket.as_fd(), what)).collect();
        Self { indices: (0..sockets.len()).collect(), fds }
    }

    /// Whether every stream has ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.fds.is_empty()
    }

    /// Waits at most `longest`, then hands each ready stream to `go`, which says whether it goes on.
    pub(crate) fn turn(&mut self, longest: Span, mut go: impl FnMut(usize) -> bool) {
        // An interrupted call finds nothing ready, and the caller comes back.
        if ppoll(&mut self.fds, Some(TimeSpec::from_duration(longest.to_std())), None).unwrap_or(0) == 0 {
            return;
        }
        for at in (0..self.fds.len()).rev() {
            if self.fds[at].any().unwrap_or(true) && !go(self.indices[at]) {
                self.fds.remove(at);
                self.indices.remove(at);
            }
        }
    }
}

fn passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
