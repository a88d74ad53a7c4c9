//! The answering side of responsiveness tests: the object with all six names, one byte, more bytes than anybody takes, and
//! a sink. Loads have their turn with those of other protocols; small questions are always answered.

use super::discovery::{LARGE, SMALL, UPLOAD, WELL_KNOWN, write};
use super::load::UNSENT;
use super::settings::DEFAULT_PORT;
use crate::http::Payload;
use crate::http::server::{Answer, Caller, Limits, Service, drain, plain};
use crate::peer::service::{Ground, Running, Service as Listed, Tls};
use crate::peer::turns::{Busy, LINGERS, Turn, Turns};
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, StatusCode};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// A large object has at least 8 GB.
const LARGE_BYTES: u64 = 16_000_000_000;
/// An upload may be as large as one test can make it.
const UPLOAD_BYTES: u64 = 1 << 44;
/// No test has its turn for longer.
const LONGEST_TURN: Span = Span::secs(150);

/// What it is, for the catalogue of answering sides.
pub static SERVICE: Listed = Listed {
    name: "responsiveness",
    about: "responsiveness under working conditions, for networkQuality and other clients of the draft",
    port: DEFAULT_PORT,
    transport: "tcp",
    tls: Tls::Always,
    start,
};

/// Takes its ports.
pub fn start(ground: Ground) -> io::Result<Running> {
    // A question on a loaded connection shall wait for the line, and as little as can be for this machine.
    let limits = Limits { unsent: UNSENT, ..Limits::default() };
    let tls = ground.tls.as_ref().map(|tls| tls.speaking(&["h2", "http/1.1"]));
    let mut service = Service::new(tls, limits);
    for &address in &ground.at {
        service = service.and_behind(ground.net.listen(address)?);
    }
    let addresses = service.addresses();
    let site = Site {
        turns: Turns::new(ground.queue, SERVICE.name, ground.clock, LONGEST_TURN, LINGERS),
        block: Payload::random(LARGE_BYTES, u64::from(ground.at.first().map_or(0, SocketAddr::port))),
        patience: limits.patience,
    };
    Ok(Running { addresses, answering: Box::pin(service.serve(Arc::new(site), ground.stop)) })
}

struct Site {
    turns: Turns,
    block: Payload,
    patience: Span,
}

#[async_trait]
impl Answer for Site {
    async fn answer(&self, caller: Caller, request: Request<Incoming>) -> Response<Payload> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, WELL_KNOWN) => {
                let scheme = if caller.secure { "https" } else { "http" };
                let authority = asked(&request).unwrap_or_else(|| caller.local.to_string());
                object("application/json", Payload::bytes(write(scheme, &authority).to_string()))
            }
            (&Method::GET, SMALL) => object("application/octet-stream", Payload::bytes("x")),
            (&Method::GET, LARGE) => match self.turns.take(caller.address.ip()) {
                Err(busy) => later(busy),
                Ok(turn) => object("application/octet-stream", self.block.again(LARGE_BYTES).holding(turn)),
            },
            (&Method::POST, UPLOAD) => match self.turns.take(caller.address.ip()) {
                Err(busy) => later(busy),
                Ok(turn) => self.sink(turn, request).await,
            },
            (_, WELL_KNOWN | SMALL | LARGE | UPLOAD) => plain(StatusCode::METHOD_NOT_ALLOWED, "not so"),
            _ => plain(StatusCode::NOT_FOUND, "no such thing"),
        }
    }
}

impl Site {
    async fn sink(&self, turn: Turn, request: Request<Incoming>) -> Response<Payload> {
        let drained = drain(request.into_body(), UPLOAD_BYTES, self.patience, |_| {}).await;
        drop(turn);
        match drained {
            Ok(_) => plain(StatusCode::OK, ""),
            Err(why) => plain(StatusCode::BAD_REQUEST, why.to_string()),
        }
    }
}

/// The host that was asked, as the asker wrote it.
fn asked(request: &Request<Incoming>) -> Option<String> {
    let written = request.uri().authority().map(Authority::as_str);
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    written.or(header)?.parse::<Authority>().ok().map(|authority| authority.to_string())
}

fn object(kind: &'static str, body: Payload) -> Response<Payload> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn later(busy: Busy) -> Response<Payload> {
    let mut response = plain(StatusCode::TOO_MANY_REQUESTS, busy.to_string());
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(busy.retry_after_s));
    response
}
