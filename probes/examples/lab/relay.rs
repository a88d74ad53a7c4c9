//! Runs a line between two TUN devices: one thread, woken by packets and by what is due.

use super::Outcome;
use super::ledger::Ledger;
use super::line::{Fate, Line, Passage, Towards};
use super::tun;
use broadgauge_model::clock::{Clock, SystemClock};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;

/// Read from one device before what is due is looked at again.
const AT_ONCE: usize = 32;
const LARGEST: usize = 2_048;

/// A packet on its way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: i64,
    order: u64,
    towards: Towards,
    packet: Vec<u8>,
}

struct Relay {
    near: File,
    far: File,
    up: Passage,
    down: Passage,
    due: BinaryHeap<Reverse<Due>>,
    order: u64,
    clock: SystemClock,
    ledger: Ledger,
    refused: u64,
}

pub(crate) fn run(near: &str, far: &str, line: &str, ledger: &str) -> Outcome<()> {
    let line: Line = toml::from_str(&std::fs::read_to_string(line)?)?;
    let mut relay = Relay {
        near: tun::open(near, "line0")?,
        far: tun::open(far, "line0")?,
        up: Passage::new(line.up, line.seed),
        down: Passage::new(line.down, line.seed ^ 0x646f_776e),
        due: BinaryHeap::new(),
        order: 0,
        clock: SystemClock::start(),
        ledger: Ledger::create(ledger)?,
        refused: 0,
    };
    println!("ready");
    relay.work()?;
    relay.ledger.close(relay.refused)
}

impl Relay {
    fn work(&mut self) -> Outcome<()> {
        let stdin = std::io::stdin();
        loop {
            let now = self.send_due()?;
            let wait = self.due.peek().map(|Reverse(next)| (next.at - now).max(0));
            let wait = wait.map(|nanos| TimeSpec::new(nanos / 1_000_000_000, nanos % 1_000_000_000));
            let (near, far, ended) = {
                let mut watched = [self.near.as_fd(), self.far.as_fd(), stdin.as_fd()]
                    .map(|fd| PollFd::new(fd, PollFlags::POLLIN));
                match ppoll(&mut watched, wait, None) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(error) => return Err(error.into()),
                }
                let ready = |at: usize| watched[at].any().unwrap_or(false);
                (ready(0), ready(1), ready(2))
            };
            if ended && stdin.lock().read(&mut [0])? == 0 {
                return Ok(());
            }
            if near {
                self.take(Towards::Far)?;
            }
            if far {
                self.take(Towards::Near)?;
            }
        }
    }

    fn take(&mut self, towards: Towards) -> Outcome<()> {
        for _ in 0..AT_ONCE {
            let mut packet = vec![0; LARGEST];
            let from = if towards == Towards::Far { &mut self.near } else { &mut self.far };
            match from.read(&mut packet) {
                Ok(bytes) => packet.truncate(bytes),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            let now = self.clock.mono().0 as i64;
            let passage = if towards == Towards::Far { &mut self.up } else { &mut self.down };
            let fate = passage.pass(now, packet.len());
            self.ledger.note(self.clock.wall(), now, towards, &packet, fate)?;
            if let Fate::Passed { at, doubled, .. } = fate {
                let copy = doubled.then(|| packet.clone());
                for packet in [Some(packet), copy].into_iter().flatten() {
                    self.order += 1;
                    self.due.push(Reverse(Due { at, order: self.order, towards, packet }));
                }
            }
        }
        Ok(())
    }

    /// Sends what is due, and says what time it is then.
    fn send_due(&mut self) -> Outcome<i64> {
        loop {
            let now = self.clock.mono().0 as i64;
            if self.due.peek().is_none_or(|Reverse(next)| next.at > now) {
                return Ok(now);
            }
            let Some(Reverse(Due { towards, packet, .. })) = self.due.pop() else { return Ok(now) };
            let into = if towards == Towards::Far { &mut self.far } else { &mut self.near };
            // A device takes a packet whole or not at all. One that is down, or a packet that the kernel will not have:
            // counted, or the truth is not true.
            self.refused += u64::from(into.write_all(&packet).is_err());
        }
    }
}
