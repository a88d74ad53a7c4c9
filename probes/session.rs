//! A task on packets as a state machine: told the time, handed packets, touching neither clock nor socket.
//! [`drive`] runs it over any socket, of this machine or of the virtual network.
//!
//! The driver blocks. On a real socket it belongs on a thread of its own: an async runtime adds its own queueing
//! to when packets leave.

use crate::net::{Datagrams, Inbox, Marks, Now, Outgoing};
use broadgauge_model::clock::{Mono, Span};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// What a session wants next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this at once: what it says of the time is now.
    Send(Datagram),
    /// Nothing before then, unless a packet arrives.
    WaitUntil(Mono),
    /// Nothing any more.
    Done,
}

/// A packet that a session wants sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Datagram {
    /// The session's name for it.
    pub id: u64,
    /// To whom, and from which of this machine's addresses; to the connected address where `None`.
    pub to: Option<(SocketAddr, Option<IpAddr>)>,
    /// How its header differs from the socket's other packets.
    pub marks: Marks,
    /// What.
    pub bytes: Vec<u8>,
}

/// The state machine.
pub trait Session: Inbox {
    /// The gap between most of its packets. A session that has time shares a thread with others.
    fn typical_gap(&self) -> Span {
        Span::ZERO
    }

    /// Decides what to do now.
    fn step(&mut self, now: Now) -> Step;

    /// The packet asked for by the last step could not leave.
    fn send_failed(&mut self, id: u64, why: &io::Error);
}

/// How long a stop may go unnoticed.
const STOP_NOTICED: Span = Span::millis(100);

/// Sends what a session asked for, and tells it where that failed.
pub(crate) fn send<S: Session>(session: &mut S, socket: &mut dyn Datagrams, datagram: &Datagram) {
    let Datagram { id, to, marks, ref bytes } = *datagram;
    if let Err(why) = socket.send(&Outgoing { id, to, marks, bytes }) {
        session.send_failed(id, &why);
    }
}

/// Runs a session to its end, or until `stopped` says so. `Err` where the socket itself fails.
pub fn drive<S: Session>(
    session: &mut S,
    socket: &mut dyn Datagrams,
    stopped: &dyn Fn() -> bool,
) -> io::Result<()> {
    drive_until(session, socket, stopped, Mono(u64::MAX))
}

/// The same on virtual time, which stands still while a thread is held.
pub async fn attend<S: Session>(
    session: &mut S,
    socket: &mut dyn Datagrams,
    stopped: &(dyn Fn() -> bool + Sync),
) -> io::Result<()> {
    while !stopped() {
        let now = socket.now();
        match session.step(now) {
            Step::Send(datagram) => send(session, socket, &datagram),
            Step::WaitUntil(until) => {
                if let Some(news) = socket.news(until.min(now.mono + STOP_NOTICED)) {
                    news.await;
                }
                socket.take_in(session)?;
            }
            Step::Done => break,
        }
    }
    socket.take_in(session)
}

/// The same, until this time at most.
pub fn drive_until<S: Session>(
    session: &mut S,
    socket: &mut dyn Datagrams,
    stopped: &dyn Fn() -> bool,
    end: Mono,
) -> io::Result<()> {
    while !stopped() {
        let now = socket.now();
        if now.mono >= end {
            break;
        }
        match session.step(now) {
            Step::Send(datagram) => send(session, socket, &datagram),
            Step::WaitUntil(until) => {
                socket.wait(until.min(now.mono + STOP_NOTICED).min(end), session)?;
            }
            Step::Done => break,
        }
    }
    // What came while this thread had to wait its turn is in the socket still; its stamp says whether it was in time.
    socket.take_in(session)
}
