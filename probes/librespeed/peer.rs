//! The answering side of LibreSpeed's protocol: `garbage`, `empty` and `getIP`, with `.php` and without, in `/backend/` and
//! outside of it, so that every client finds them.

use super::settings::DEFAULT_PORT;
use crate::http::Payload;
use crate::http::server::{Answer, Caller, Limits, Service, drain, plain};
use crate::peer::service::{Ground, Running, Service as Listed, Tls};
use crate::peer::turns::{Busy, LINGERS, Turn, Turns};
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// `ckSize` counts these; 4 unless told otherwise, 1024 at most.
const MIB: u64 = 1 << 20;
/// The largest upload at once.
const UPLOAD_BYTES: u64 = 1_024 * MIB;
/// No test has its turn for longer.
const LONGEST_TURN: Span = Span::secs(90);

/// What it is, for the catalogue of answering sides.
pub static SERVICE: Listed = Listed {
    name: "librespeed",
    about: "a LibreSpeed backend: garbage, empty and getIP",
    port: DEFAULT_PORT,
    transport: "tcp",
    tls: Tls::IfAsked,
    start,
};

/// Takes its ports.
pub fn start(ground: Ground) -> io::Result<Running> {
    let limits = Limits::default();
    let tls = ground.tls.as_ref().map(|tls| tls.speaking(&["http/1.1", "h2"]));
    let mut service = Service::new(tls, limits);
    for &address in &ground.at {
        service = service.and_behind(ground.net.listen(address)?);
    }
    let addresses = service.addresses();
    let site = Site {
        turns: Turns::new(ground.queue, SERVICE.name, ground.clock, LONGEST_TURN, LINGERS),
        block: Payload::random(MIB, u64::from(ground.at.first().map_or(0, SocketAddr::port))),
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
        let path = request.uri().path();
        let name = path.strip_prefix("/backend").unwrap_or(path).trim_start_matches('/').to_owned();
        let name = name.strip_suffix(".php").unwrap_or(&name);
        let cors = request.uri().query().is_some_and(|query| value(query, "cors").is_some());
        let take = || self.turns.take(caller.address.ip());
        let mut response = match (request.method(), name) {
            (&Method::GET, "garbage") => match take() {
                Err(busy) => later(busy),
                Ok(turn) => self.garbage(turn, request.uri().query().unwrap_or_default()),
            },
            (&Method::OPTIONS, "garbage" | "empty" | "getIP") | (&Method::GET | &Method::HEAD, "empty") => {
                plain(StatusCode::OK, "")
            }
            (&Method::POST, "empty") => match take() {
                Err(busy) => later(busy),
                Ok(turn) => self.sink(turn, request).await,
            },
            (&Method::GET, "getIP") => {
                let ip = caller.address.ip().to_canonical().to_string();
                let mut response =
                    plain(StatusCode::OK, json!({ "processedString": ip, "rawIspInfo": "" }).to_string());
                let kind = HeaderValue::from_static("application/json; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                response
            }
            (_, "garbage" | "empty" | "getIP") => plain(StatusCode::METHOD_NOT_ALLOWED, "not so"),
            _ => plain(StatusCode::NOT_FOUND, "no such thing"),
        };
        if cors {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
            let allowed = HeaderValue::from_static("Content-Encoding, Content-Type");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        }
        let fresh = HeaderValue::from_static("no-store, no-cache, must-revalidate, max-age=0, s-maxage=0");
        response.headers_mut().insert(header::CACHE_CONTROL, fresh);
        response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        response
    }
}

impl Site {
    fn garbage(&self, turn: Turn, query: &str) -> Response<Payload> {
        let asked = value(query, "ckSize").and_then(|text| text.parse::<u64>().ok()).filter(|&mib| mib > 0);
        let bytes = asked.unwrap_or(4).min(1_024) * MIB;
        let mut response = Response::new(self.block.again(bytes).holding(turn));
        let transfer = HeaderName::from_static("content-transfer-encoding");
        for (name, value) in [
            (header::CONTENT_TYPE, "application/octet-stream"),
            (header::CONTENT_DISPOSITION, "attachment; filename=random.dat"),
            (transfer, "binary"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }

    async fn sink(&self, turn: Turn, request: Request<Incoming>) -> Response<Payload> {
        let drained = drain(request.into_body(), UPLOAD_BYTES, self.patience, |_| {}).await;
        drop(turn);
        match drained {
            Ok(_) => plain(StatusCode::OK, ""),
            Err(why) => plain(StatusCode::BAD_REQUEST, why.to_string()),
        }
    }
}

fn later(busy: Busy) -> Response<Payload> {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, busy.to_string());
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(busy.retry_after_s));
    response
}

/// The value of a name in a query; empty where it has none.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| match pair.split_once('=') {
        Some((key, value)) => (key == name).then_some(value),
        None => (pair == name).then_some(""),
    })
}
