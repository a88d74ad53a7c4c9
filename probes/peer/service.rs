//! What an answering side is, what it is given, and what it gives back.

use crate::net::Net;
use crate::peer::queue::Queue;
use crate::probe::Stop;
use crate::tls;
use broadgauge_model::clock::Clock;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

/// What an answering side is started with.
#[derive(Clone)]
pub struct Ground {
    /// Where it listens: the same port on several addresses.
    pub at: Vec<SocketAddr>,
    /// Its certificate; in plain text where `None`.
    pub tls: Option<tls::Server>,
    /// The queue of loading tests: one runs at a time, whatever its protocol.
    pub queue: Queue,
    /// The network that it answers on.
    pub net: Arc<dyn Net>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Who may end it.
    pub stop: Stop,
    /// Who keeps tests, where its protocol has a form for that.
    pub keeper: Option<Keeper>,
}

/// A test to be kept as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub name: String,
    /// The day, as folders: `2026/11/22`.
    pub folder: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Who keeps tests.
pub type Keeper = Arc<dyn Fn(Kept) + Send + Sync>;

/// An answering side that has its ports.
pub struct Running {
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// Answers until the stop is pulled.
    pub answering: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// When an answering side is under TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Its protocol has none.
    Never,
    /// Where that is asked for.
    IfAsked,
    /// Unless plain text is asked for.
    UnlessPlain,
    /// Its protocol asks for it.
    Always,
}

/// An answering side.
pub struct Service {
    /// Its name on the command line and in configuration.
    pub name: &'static str,
    /// What it is, for `--help`.
    pub about: &'static str,
    /// Where it listens unless told otherwise.
    pub port: u16,
    /// `tcp` or `udp`, for people.
    pub transport: &'static str,
    /// Whether it is under TLS.
    pub tls: Tls,
    /// Takes its ports. Needs a runtime.
    pub start: fn(Ground) -> io::Result<Running>,
}
