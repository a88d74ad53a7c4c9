//! TCP connections of the virtual network: what is known of each, and of the doors that they come in by.

use super::tcp::{Ack, Data, Receiver, Sender};
use broadgauge_model::clock::Mono;
use std::collections::{HashMap, VecDeque};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::task::Waker;

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The machine that measures, which called.
    Near,
    /// The far end, which was called.
    Far,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Near => Self::Far,
            Self::Far => Self::Near,
        }
    }
}

/// One end of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) connection: usize,
    pub(super) side: Side,
}

/// What travels.
#[derive(Clone, Debug)]
pub(super) enum Segment {
    Syn,
    SynAck,
    Data(Data),
    Ack(Ack),
    Reset,
}

/// What happens to connections.
#[derive(Debug)]
pub(super) enum Event {
    /// A segment reaches this end.
    Reached(Place, Segment),
    /// This end wanted to be asked again.
    Timer(Place),
    /// No answer to this SYN so far.
    SynAgain { connection: usize, sent: u32 },
}

/// One end's state.
#[derive(Debug)]
pub(super) struct End {
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    pub(super) error: Option<ErrorKind>,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
    pub(super) timer: Option<Mono>,
    pub(super) gone: bool,
}

impl End {
    pub(super) fn new() -> Self {
        Self {
            sender: Sender::new(),
            receiver: Receiver::default(),
            error: None,
            reader: None,
            writer: None,
            timer: None,
            gone: false,
        }
    }

    pub(super) fn wake_both(&mut self) {
        for waiting in [self.reader.take(), self.writer.take()].into_iter().flatten() {
            waiting.wake();
        }
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) near: End,
    far: End,
    pub(super) called: SocketAddr,
    pub(super) caller: SocketAddr,
    pub(super) syn_at: Mono,
    pub(super) syns: u32,
    pub(super) made: bool,
    /// Whether the far end has been handed to its listener.
    pub(super) accepted: bool,
}

/// A port that is listened at.
#[derive(Debug, Default)]
pub(super) struct Door {
    pub(super) waiting: VecDeque<usize>,
    pub(super) listener: Option<Waker>,
}

/// All connections and doors.
#[derive(Debug, Default)]
pub(super) struct Streams {
    pub(super) connections: Vec<Connection>,
    pub(super) doors: HashMap<u16, Door>,
}

impl Connection {
    /// From one address to another, called now.
    pub(super) fn calling(caller: SocketAddr, called: SocketAddr, now: Mono) -> Self {
        let (near, far) = (End::new(), End::new());
        Self { near, far, called, caller, syn_at: now, syns: 0, made: false, accepted: false }
    }
}

impl Streams {
    pub(super) fn connection(&self, connection: usize) -> &Connection {
        &self.connections[connection]
    }

    pub(super) fn end(&mut self, place: Place) -> &mut End {
        let connection = &mut self.connections[place.connection];
        match place.side {
            Side::Near => &mut connection.near,
            Side::Far => &mut connection.far,
        }
    }

    /// The addresses of an end and of the one it talks to.
    pub(super) fn addresses(&self, place: Place) -> (SocketAddr, SocketAddr) {
        let connection = &self.connections[place.connection];
        match place.side {
            Side::Near => (connection.caller, connection.called),
            Side::Far => (connection.called, connection.caller),
        }
    }
}
