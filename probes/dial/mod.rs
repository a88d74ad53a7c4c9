//! A connection with the times of its making: name, TCP, TLS. Every method that talks over TCP opens its connections here.
//!
//! The three times are kept apart because three different things are slow: a resolver, the way to the far end, and the
//! far end's computing. A phase that was not needed (an address needs no resolver, plain text no handshake) has no
//! time, which is not a time of zero.

mod moments;
mod stream;

pub use crate::net::Tap;
pub use moments::Moments;
pub use stream::Stream;

use crate::connect::meter::Fate;
use crate::net::Connection;
use crate::probe::{Context, ProbeError};
use crate::resolve::look_up;
use crate::tcp::ConnectError;
use crate::tls;
use broadgauge_model::clock::Span;
use serde::Serialize;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// How long each phase took; `None` where it was not needed, or not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// The system's resolver, its cache included.
    pub resolve: Option<Span>,
    /// SYN to SYN-ACK (RFC 9293), by the kernel's own measure where it has one.
    pub connect: Option<Span>,
    /// ClientHello to Finished (RFC 8446).
    pub tls: Option<Span>,
}

/// A part of the making of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// From the name to the address.
    Resolve,
    /// TCP.
    Connect,
    /// TLS.
    Tls,
}

impl Phase {
    /// What people call it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Resolve => "the name",
            Self::Connect => "the connection",
            Self::Tls => "the TLS handshake",
        }
    }
}

/// Why a phase did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Answered with a reset, or closed.
    Refused,
    /// No answer in time.
    Silent,
    /// An ICMP message said that the far end cannot be reached.
    Unreachable,
    /// Answered, but not as agreed: a certificate that is not believed, a name that does not exist.
    Wrong(String),
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Refused => "was refused",
            Self::Silent => "had no answer in time",
            Self::Unreachable => "cannot be reached",
            Self::Wrong(problem) => problem,
        })
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// Nothing was asked of the network.
    #[error(transparent)]
    Here(#[from] ProbeError),
    /// A phase did not succeed.
    #[error("{}: {why}", phase.words())]
    There {
        /// Which.
        phase: Phase,
        /// Why.
        why: Why,
        /// What the phases before it took.
        times: Times,
    },
}

impl DialError {
    /// The same for a method that cannot do anything without this connection.
    pub fn fatal(self, address: &str) -> ProbeError {
        match self {
            Self::Here(error) => error,
            there @ Self::There { .. } => ProbeError::Unreachable {
                address: address.to_owned(),
                source: io::Error::other(there.to_string()),
            },
        }
    }
}

/// A connection that was made.
#[derive(Debug)]
pub struct Dialled {
    /// The connection.
    pub stream: Stream,
    /// How long each phase took.
    pub times: Times,
    /// The far end.
    pub address: SocketAddr,
    /// Where the kernel is asked about the connection.
    pub tap: Tap,
    /// When bytes leave and come on it.
    pub moments: Arc<Moments>,
    /// What the TLS handshake came to.
    pub tls: Option<tls::Facts>,
}

/// Makes a connection to a host: through the context's door, in its family, each phase within a time.
pub async fn dial(
    context: &Context,
    host: &str,
    port: u16,
    tls: Option<&tls::Client>,
    within: Span,
) -> Result<Dialled, DialError> {
    dial_as(context, host, host, port, tls, within).await
}

/// The same where the certificate bears another name than the host.
pub async fn dial_as(
    context: &Context,
    name: &str,
    host: &str,
    port: u16,
    tls: Option<&tls::Client>,
    within: Span,
) -> Result<Dialled, DialError> {
    let mut times = Times::default();
    if let Ok(ip) = host.parse::<IpAddr>() {
        return dial_address(context, name, SocketAddr::new(ip, port), tls, within, times).await;
    }
    let asked = context.clock.mono();
    let found = tokio::time::timeout(within.to_std(), look_up(host, port, context)).await;
    let failed = |why| DialError::There { phase: Phase::Resolve, why, times: Times::default() };
    let address = match found {
        Ok(Ok(address)) => address,
        Ok(Err(ProbeError::Resolve { source, .. })) => return Err(failed(Why::Wrong(source.to_string()))),
        Ok(Err(error)) => return Err(error.into()),
        Err(_) => return Err(failed(Why::Silent)),
    };
    times.resolve = Some(context.clock.mono() - asked);
    dial_address(context, name, address, tls, within, times).await
}

/// The same where the address is known. `times` are those of finding it.
pub async fn dial_address(
    context: &Context,
    name: &str,
    address: SocketAddr,
    tls: Option<&tls::Client>,
    within: Span,
    mut times: Times,
) -> Result<Dialled, DialError> {
    let wanted = Connection::stamped(address, &context.binding);
    let called = context.clock.mono();
    let connected = context.net.connect(&wanted, within).await;
    let stream = connected.map_err(|error| not_connected(error, address, times))?;
    let elapsed = context.clock.mono() - called;
    stream.in_haste();
    let tap = Tap::of(&stream).map_err(|source| ProbeError::Socket {
        what: String::from("read what the TCP socket knows"),
        source,
    })?;
    let info = tap.info().unwrap_or_default();
    times.connect = Fate::Connected {
        elapsed,
        handshake: info.rtt_us.map(|us| Span::micros(us.into())),
        again: info.retransmitted_segments.unwrap_or(0) > 0,
    }
    .connect_time();
    let (stream, tls) = match tls {
        None => (Stream::plain(stream), None),
        Some(client) => {
            let said = context.clock.mono();
            let shaken = tokio::time::timeout(within.to_std(), client.handshake(name, stream)).await;
            let failed = |why| DialError::There { phase: Phase::Tls, why, times };
            let stream = shaken.map_err(|_| failed(Why::Silent))?.map_err(|e| failed(why_of(&e)))?;
            times.tls = Some(context.clock.mono() - said);
            let facts = tls::Facts::of(stream.get_ref().1, client.checks());
            (Stream::secure(stream), Some(facts))
        }
    };
    let moments = Moments::new(Arc::clone(&context.clock));
    let stream = stream.noting(Arc::clone(&moments));
    Ok(Dialled { stream, times, address, tap, moments, tls })
}

fn not_connected(error: ConnectError, address: SocketAddr, times: Times) -> DialError {
    match error {
        ConnectError::Door(error) => DialError::Here(error.into()),
        ConnectError::Here(source) => {
            DialError::Here(ProbeError::Unreachable { address: address.to_string(), source })
        }
        ConnectError::There(error) => DialError::There { phase: Phase::Connect, why: why_of(&error), times },
    }
}

fn why_of(error: &io::Error) -> Why {
    match error.kind() {
        ErrorKind::TimedOut => Why::Silent,
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Why::Refused,
        ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => Why::Wrong(String::from("was closed half-way")),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Why::Unreachable,
        _ => Why::Wrong(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
