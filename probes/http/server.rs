//! An answering side of ours that speaks HTTP: safe to leave open to the world.
//!
//! Bounds on everything a stranger may do: connections altogether and from one place, the time of a TLS handshake, the size
//! of a head and the time it may take (slow-loris), how many questions at once, and how long a connection may live. What is
//! done with a body is the answerer's; [`drain`] reads one with bounds on its length and on each pause.

use super::Payload;
use crate::dial::Stream;
use crate::net::{Listener, Tap, Wire};
use crate::peer::door::keep;
use crate::peer::guests::{Guest, Guests};
use crate::probe::Stop;
use crate::tls;
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinSet;

/// What an answering side allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections altogether.
    pub connections: usize,
    /// Connections from one IPv4 address or one IPv6 /64.
    pub connections_per_place: usize,
    /// Bytes of a head.
    pub header_bytes: usize,
    /// How long a TLS handshake, a head, or a pause in a body may take.
    pub patience: Span,
    /// How long a connection may live.
    pub connection: Span,
    /// Questions at once on one HTTP/2 connection.
    pub streams: u32,
    /// How much of an answer may wait in this machine, in the kernel and above it: what is asked later on the same
    /// connection waits behind it.
    pub unsent: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            connections_per_place: 128,
            header_bytes: 16 * 1024,
            patience: Span::secs(10),
            connection: Span::secs(180),
            streams: 64,
            unsent: 128 * 1024,
        }
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// From where.
    pub address: SocketAddr,
    /// At which of our addresses.
    pub local: SocketAddr,
    /// Whether under TLS.
    pub secure: bool,
    /// Where the kernel is asked about the connection.
    pub tap: Arc<Tap>,
}

/// Answers questions.
#[async_trait]
pub trait Answer: Send + Sync + 'static {
    /// Answers one.
    async fn answer(&self, caller: Caller, request: Request<Incoming>) -> Response<Payload>;
}

/// An answering side that has its ports and does not answer yet.
pub struct Service {
    doors: Vec<Listener>,
    tls: Option<tls::Server>,
    limits: Limits,
}

impl Service {
    /// In plain text, or under TLS where there is a certificate. Needs a runtime.
    pub const fn new(tls: Option<tls::Server>, limits: Limits) -> Self {
        Self { doors: Vec::new(), tls, limits }
    }

    /// Takes a port.
    pub fn and_at(self, address: SocketAddr) -> io::Result<Self> {
        Ok(self.and_behind(Listener::at(address)?))
    }

    /// Answers whoever comes in by one more door.
    #[must_use]
    pub fn and_behind(mut self, door: Listener) -> Self {
        self.doors.push(door);
        self
    }

    /// Everywhere it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.iter().filter_map(|door| door.local_addr().ok()).collect()
    }

    /// Answers until it is told to stop; then all that is under way ends at once.
    pub async fn serve(self, answer: Arc<dyn Answer>, stop: Stop) {
        let guests = Guests::new(self.limits.connections, self.limits.connections_per_place);
        let house = Arc::new(House { tls: self.tls, limits: self.limits, answer });
        let mut doors = JoinSet::new();
        for door in self.doors {
            let house = Arc::clone(&house);
            doors.spawn(keep(door, guests.clone(), stop.clone(), move |stream, address, guest| {
                Arc::clone(&house).welcome(stream, address, guest)
            }));
        }
        while doors.join_next().await.is_some() {}
    }
}

/// What all connections share.
struct House {
    tls: Option<tls::Server>,
    limits: Limits,
    answer: Arc<dyn Answer>,
}

impl House {
    async fn welcome(self: Arc<Self>, stream: Wire, address: SocketAddr, _guest: Guest) {
        let limits = self.limits;
        stream.in_haste();
        stream.give_up_after(Span(2 * limits.patience.0));
        let (Ok(tap), Ok(local)) = (Tap::of(&stream), stream.local_addr()) else { return };
        tap.keep_little_unsent(limits.unsent);
        let tap = Arc::new(tap);
        let life = async {
            let stream = match &self.tls {
                None => Stream::plain(stream),
                Some(tls) => {
                    let shaken = tokio::time::timeout(limits.patience.to_std(), tls.handshake(stream)).await;
                    Stream::secure(
                        shaken.map_err(|_| String::from("no TLS handshake in time"))?.map_err(text)?,
                    )
                }
            };
            let caller = Caller { address, local, secure: self.tls.is_some(), tap: Arc::clone(&tap) };
            self.converse(stream, caller).await
        };
        match tokio::time::timeout(limits.connection.to_std(), life).await {
            Ok(Ok(())) => tracing::debug!(%address, "connection over"),
            Ok(Err(problem)) => tracing::debug!(%address, problem, "connection closed"),
            Err(_) => {
                tap.abandon();
                tracing::debug!(%address, "connection closed: it lived too long");
            }
        }
    }

    async fn converse(&self, stream: Stream, caller: Caller) -> Result<(), String> {
        let two = stream.alpn() == Some(b"h2");
        let io = TokioIo::new(stream);
        let service = service_fn(|request| {
            let (answer, caller) = (Arc::clone(&self.answer), caller.clone());
            async move { Ok::<_, Infallible>(answer.answer(caller, request).await) }
        });
        if two {
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_header_list_size(self.limits.header_bytes as u32)
                .max_concurrent_streams(self.limits.streams)
                .initial_stream_window_size(WINDOW)
                .initial_connection_window_size(2 * WINDOW)
                .max_send_buf_size(self.limits.unsent as usize)
                .keep_alive_interval(self.limits.patience.to_std())
                .keep_alive_timeout(self.limits.patience.to_std())
                .serve_connection(io, service)
                .await
                .map_err(text)
        } else {
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(self.limits.patience.to_std())
                .max_header_size(self.limits.header_bytes)
                .max_headers(100)
                .serve_connection(io, service)
                .await
                .map_err(text)
        }
    }
}

/// How much a client may send on one exchange before the answerer has read it.
const WINDOW: u32 = 4 << 20;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// An answer of a status and a few words.
pub fn plain(status: StatusCode, words: impl Into<String>) -> Response<Payload> {
    let mut response = Response::new(Payload::bytes(words.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undrained {
    /// It is longer than allowed.
    #[error("a body of more than {0} bytes")]
    TooLong(u64),
    /// It paused for too long.
    #[error("a body that pauses")]
    Silent,
    /// The connection ended before it did.
    #[error("a body that breaks off")]
    Cut,
}

/// Reads a body to its end and keeps none of it: at most so many bytes, no pause longer than `patience`. `told` hears of
/// each piece.
pub async fn drain(
    mut body: Incoming,
    most: u64,
    patience: Span,
    mut told: impl FnMut(u64),
) -> Result<u64, Undrained> {
    let mut bytes = 0;
    loop {
        let frame =
            tokio::time::timeout(patience.to_std(), body.frame()).await.map_err(|_| Undrained::Silent)?;
        match frame {
            None => return Ok(bytes),
            Some(Err(_)) => return Err(Undrained::Cut),
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                bytes += length;
                told(length);
                if bytes > most {
                    return Err(Undrained::TooLong(most));
                }
            }
        }
    }
}
