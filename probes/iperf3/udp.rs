//! The two loops that move numbered UDP packets: one thread, all streams of a test.
//!
//! The sender keeps a rate by slots; what a busy machine could not send within 10 ms of its slot is left out and counted,
//! not made up for by a burst. The receiver reads the head of each packet and lets the kernel throw the rest away. Times
//! are those at which the process reads and writes: being woken up is in them.

use super::ledger::Ledger;
use crate::codec::iperf3::UdpHeader;
use crate::tcp::info::dropped;
use crate::throughput::meter::Meter;
use crate::throughput::pump::{NOTICE, Open, Watched};
use broadgauge_model::clock::{Clock, Mono, Span};
use nix::errno::Errno;
use nix::poll::{PollFlags, ppoll};
use nix::sys::socket::{MsgFlags, recv};
use nix::sys::time::TimeSpec;
use socket2::Socket;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;

const RECEIVE_BUFFER: usize = 4 << 20;
/// How much is made up for after a slot was missed.
const CATCH_UP: Span = Span::millis(10);
/// Packets read from one socket before the next one's turn.
const TURN: usize = 128;
/// Packets that go out at once without a rate.
const BURST: u64 = 16;
/// As often as this may a host say that nobody listens there, before we believe it.
pub(super) const REFUSALS: u64 = 20;

/// Both buffers as asked, or a receive buffer that holds a burst. The system caps them at its own limit: what finds no
/// room then is counted.
pub(super) fn buffers(socket: &Socket, asked: Option<u32>) {
    let set = match asked {
        Some(bytes) => socket
            .set_recv_buffer_size(bytes as usize)
            .and_then(|()| socket.set_send_buffer_size(bytes as usize)),
        None => socket.set_recv_buffer_size(RECEIVE_BUFFER),
    };
    if let Err(why) = set {
        tracing::debug!(error = %why, "socket buffer left as it is");
    }
}

/// What one sender did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// The highest number.
    pub(super) packets: u64,
    /// Of these, those before the part that counts.
    pub(super) omitted: u64,
    /// Payload in the part that counts.
    pub(super) bytes: u64,
    /// Slots that passed before this machine could send.
    pub(super) missed: u64,
    /// How often a host said that nobody listens there.
    pub(super) refused: u64,
}

/// What a sender does.
pub(super) struct Sending {
    pub(super) block: Vec<u8>,
    /// Of each stream; unlimited where 0.
    pub(super) bits_per_second: u64,
    pub(super) wide: bool,
    pub(super) from: Mono,
    pub(super) until: Mono,
}

/// Sends until the brake is pulled or the end has come.
pub(super) fn send(
    sockets: &[Socket],
    mut sending: Sending,
    clock: &dyn Clock,
    brake: &Watched,
) -> Vec<Sent> {
    let mut sent = vec![Sent::default(); sockets.len()];
    let slot_ns = (sending.bits_per_second > 0)
        .then(|| sending.block.len() as f64 * 8e9 / sending.bits_per_second as f64);
    let start = clock.mono();
    let mut slots = 0_u64;
    let mut now = start;
    while now < sending.until && !brake.pulled() && sent.iter().any(|one| one.refused < REFUSALS) {
        let due = match slot_ns {
            Some(gap) => {
                let passed = ((now - start).0 as f64 / gap) as u64 + 1;
                let behind = passed.saturating_sub(slots);
                let most = ((CATCH_UP.0 as f64 / gap) as u64).max(1);
                let missed = behind.saturating_sub(most);
                slots += missed;
                for one in &mut sent {
                    one.missed += missed;
                }
                behind - missed
            }
            None => BURST,
        };
        let mut full = false;
        for _ in 0..due {
            slots += 1;
            for (socket, one) in sockets.iter().zip(&mut sent) {
                full |= !one.one(socket, &mut sending, clock.mono());
            }
        }
        now = clock.mono();
        let next = slot_ns.map_or(now, |gap| start + Span((slots as f64 * gap) as i64));
        if full && slot_ns.is_none() {
            Open::new(sockets, PollFlags::POLLOUT).turn(NOTICE, |_| true);
        } else if next > now {
            let rest = (next - now).min(NOTICE);
            // An interrupted wait is a short one.
            let _ = ppoll(&mut [], Some(TimeSpec::from_duration(rest.to_std())), None);
        }
        now = clock.mono();
    }
    sent
}

impl Sent {
    /// Sends one packet; `false` where there is no room for it.
    fn one(&mut self, socket: &Socket, sending: &mut Sending, now: Mono) -> bool {
        let header = UdpHeader {
            seconds: (now.0 / 1_000_000_000) as u32,
            micros: (now.0 % 1_000_000_000 / 1_000) as u32,
            sequence: self.packets + 1,
        };
        header.write(&mut sending.block, sending.wide);
        match socket.send_with_flags(&sending.block, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) {
            Ok(bytes) => {
                self.packets += 1;
                if now < sending.from {
                    self.omitted = self.packets;
                } else {
                    self.bytes += bytes as u64;
                }
                true
            }
            Err(error) => {
                self.refused += u64::from(error.kind() == ErrorKind::ConnectionRefused);
                self.missed += u64::from(error.kind() != ErrorKind::ConnectionRefused);
                false
            }
        }
    }
}

/// Receives until the meter's clock stops, the brake is pulled, or nobody is there any more. What comes before the
/// meter's start is booked and then left out. Returns when it ended.
pub(super) fn receive(
    sockets: &[Socket],
    meter: &mut Meter,
    wide: bool,
    clock: &dyn Clock,
    brake: &Watched,
    mut tick: impl FnMut(usize, u64),
) -> (Mono, Vec<Ledger>, Option<u64>) {
    let mut head = [0; 16];
    let head = &mut head[..UdpHeader::length(wide)];
    let mut ledgers = vec![Ledger::default(); sockets.len()];
    let dropped_before: Option<u64> = sockets.iter().map(dropped).sum();
    let mut refused = vec![0; sockets.len()];
    let mut now = clock.mono();
    let mut omitting = now < meter.start();
    let mut told = 0;
    let mut open = Open::new(sockets, PollFlags::POLLIN);
    while now < meter.end() && !brake.pulled() && !open.is_empty() {
        open.turn(meter.end_of(told).min(now + NOTICE) - now, |index| {
            for _ in 0..TURN {
                let flags = MsgFlags::MSG_TRUNC | MsgFlags::MSG_DONTWAIT;
                let length = match recv(sockets[index].as_raw_fd(), head, flags) {
                    Ok(length) => length,
                    Err(error) => {
                        refused[index] += u64::from(error == Errno::ECONNREFUSED);
                        return refused[index] < REFUSALS;
                    }
                };
                let now = clock.mono();
                if omitting && now >= meter.start() {
                    omitting = false;
                    ledgers.iter_mut().for_each(Ledger::begin);
                }
                let header = UdpHeader::read(&head[..length.min(head.len())], wide);
                ledgers[index].book(now, header, length as u64);
                meter.record(now, index, length as u64);
            }
            true
        });
        now = clock.mono();
        while meter.end_of(told) <= now && told < meter.intervals().len() {
            tick(told, meter.intervals()[told]);
            told += 1;
        }
    }
    let dropped_after: Option<u64> = sockets.iter().map(dropped).sum();
    let here = dropped_after.zip(dropped_before).map(|(after, before)| after.saturating_sub(before));
    (now, ledgers, here)
}
