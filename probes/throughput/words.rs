//! What the two ends of a throughput test say to each other: one JSON object a line, over TCP.
//!
//! | who | says | then |
//! |---|---|---|
//! | client | `hello` with the version and what it wants | waits |
//! | peer | `queued`, as often as the place in the queue changes, and at least every two seconds | |
//! | peer | `welcome` with an unguessable token, or `refused` | |
//! | client | for each direction: opens its data connections, on each says `data` with the token | |
//! | peer | `ready` once all of them are there | |
//! | client | `start`; from now on the receiving end counts | payload flows |
//! | peer | upload: a `tick` for each interval; at the end, or after the client's `stop`, its `report` | |
//!
//! Nobody is sent a byte of payload who has not completed a TCP handshake from the address that the token was
//! given to, and shown that token. A line has a bound and a deadline on both sides.

use super::pump::Stream;
use crate::net::{Tap, Wire};
use broadgauge_model::clock::Span;
use broadgauge_model::result::Load;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The name of the protocol.
pub(super) const PROTOCOL: &str = "broadgauge-throughput";
/// Its version; a peer refuses any other.
pub(super) const VERSION: u32 = 1;
/// The longest line that a peer reads.
pub(super) const LONGEST_TO_PEER: usize = 2 * 1024;
/// The longest line that a client reads: a report of 64 streams and 600 intervals fits.
pub(super) const LONGEST_TO_CLIENT: usize = 64 * 1024;

/// Which way payload flows: the customer's download or upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    Down,
    Up,
}

impl Way {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Down => "download",
            Self::Up => "upload",
        }
    }

    pub(crate) const fn load(self) -> Load {
        match self {
            Self::Down => Load::Down,
            Self::Up => Load::Up,
        }
    }
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    pub(super) protocol: String,
    pub(super) version: u32,
    pub(super) streams: usize,
    pub(super) ways: Vec<Way>,
    pub(super) duration_ms: u64,
    /// How long it will keep the line idle before the first load.
    pub(super) idle_ms: u64,
    /// The congestion control that the peer shall send with; its own where absent.
    #[serde(default)]
    pub(super) congestion: Option<String>,
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToPeer {
    /// First of all, what it wants.
    Hello(Wish),
    /// First on a data connection.
    Data {
        /// What the peer welcomed it with.
        token: String,
        /// Which of the streams this connection is.
        stream: usize,
    },
    /// Payload may flow.
    Start {},
    /// Somebody stopped the test.
    Stop {},
}

/// What a peer saw of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Payload by interval, where the peer received.
    #[serde(default)]
    pub(super) intervals: Vec<u64>,
    /// Memory that held payload which could not be counted yet, at the end of each.
    #[serde(default)]
    pub(super) waiting: Vec<u64>,
    pub(super) streams: Vec<Stream>,
    pub(super) congestion: Option<String>,
}

/// What a peer says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToClient {
    /// Others come first.
    Queued {
        /// How many.
        ahead: u32,
    },
    /// Its turn has come.
    Welcome {
        /// To be shown on each data connection.
        token: String,
        /// What the peer runs.
        software: String,
        /// Where delay probes are answered.
        stamp_port: Option<u16>,
    },
    /// There will be no test.
    Refused {
        /// Why.
        reason: String,
    },
    /// All data connections are there.
    Ready {},
    /// What arrived in an interval.
    Tick {
        /// Which interval.
        index: usize,
        /// How much.
        bytes: u64,
    },
    /// What came of a direction.
    Report(Report),
}

/// What can go wrong on a control connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum TalkError {
    #[error("closed the connection")]
    Closed,
    #[error("said nothing for {0:.1} s")]
    Silent(f64),
    #[error("sent a line of more than {0} bytes")]
    TooLong(usize),
    #[error("sent a line that is not of this protocol")]
    Garbled,
    #[error("cannot be talked to: {0}")]
    Io(io::ErrorKind),
}

/// One connection, line by line, with bounded memory.
#[derive(Debug)]
pub(super) struct Talk {
    stream: Wire,
    held: Vec<u8>,
    longest: usize,
}

impl Talk {
    pub(super) const fn new(stream: Wire, longest: usize) -> Self {
        Self { stream, held: Vec::new(), longest }
    }

    /// The connection itself; `None` if the other side said more than it was asked.
    pub(super) fn into_stream(self) -> Option<Wire> {
        self.held.is_empty().then_some(self.stream)
    }

    /// The smallest round trip so far, where the system tells.
    pub(super) fn least_round_trip(&self) -> Option<Span> {
        let least = Tap::of(&self.stream).ok()?.info()?.min_rtt_us?;
        Some(Span::micros(least.into()))
    }

    /// Says one thing.
    pub(super) async fn say(&mut self, word: &impl Serialize, within: Span) -> Result<(), TalkError> {
        let mut line = serde_json::to_vec(word).map_err(|_| TalkError::Garbled)?;
        line.push(b'\n');
        match tokio::time::timeout(within.to_std(), self.stream.write_all(&line)).await {
            Err(_) => Err(TalkError::Silent(within.as_secs_f64())),
            Ok(written) => written.map_err(|error| TalkError::Io(error.kind())),
        }
    }

    /// Hears one thing. May be dropped half-way and called again: what has come so far is kept.
    pub(super) async fn hear<T: DeserializeOwned>(&mut self, within: Span) -> Result<T, TalkError> {
        match tokio::time::timeout(within.to_std(), self.line()).await {
            Err(_) => Err(TalkError::Silent(within.as_secs_f64())),
            Ok(line) => serde_json::from_slice(&line?).map_err(|_| TalkError::Garbled),
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>, TalkError> {
        let mut looked_at = 0;
        loop {
            if let Some(end) = self.held[looked_at..].iter().position(|&byte| byte == b'\n') {
                let rest = self.held.split_off(looked_at + end + 1);
                return Ok(std::mem::replace(&mut self.held, rest));
            }
            looked_at = self.held.len();
            if looked_at >= self.longest {
                return Err(TalkError::TooLong(self.longest));
            }
            let mut chunk = [0; 2048];
            let room = chunk.len().min(self.longest - looked_at);
            match self.stream.read(&mut chunk[..room]).await {
                Ok(0) => return Err(TalkError::Closed),
                Ok(read) => self.held.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(TalkError::Closed);
                }
                Err(error) => return Err(TalkError::Io(error.kind())),
            }
        }
    }
}
