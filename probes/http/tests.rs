//! Over loopback: both versions, and strangers of every kind on either side.

use super::server::{Answer, Caller, Limits, Service, drain, plain};
use super::*;
use crate::dial::dial;
use crate::probe::Stop;
use crate::testing::context;
use crate::tls::{Client, Server, Trust};
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// `GET /bytes/N` gives N bytes; `POST` counts.
struct Plain;

#[async_trait]
impl Answer for Plain {
    async fn answer(&self, _caller: Caller, request: Request<Incoming>) -> Response<Payload> {
        if request.method() == Method::POST {
            return match drain(request.into_body(), 10_000_000, Span::millis(200), |_| {}).await {
                Ok(bytes) => plain(StatusCode::OK, bytes.to_string()),
                Err(why) => plain(StatusCode::BAD_REQUEST, why.to_string()),
            };
        }
        match request.uri().path().strip_prefix("/bytes/").and_then(|n| n.parse().ok()) {
            Some(bytes) => Response::new(Payload::random(bytes, 1)),
            None => plain(StatusCode::NOT_FOUND, "no such thing"),
        }
    }
}

fn serve(tls: Option<Server>, limits: Limits) -> SocketAddr {
    let service = Service::new(tls, limits).and_at(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = service.addresses()[0];
    tokio::spawn(service.serve(Arc::new(Plain), Stop::never()));
    address
}

async fn talk_to(address: SocketAddr, tls: Option<&[&str]>) -> Session {
    let client = tls.map(|alpn| Client::new(&Trust { ca_file: None, insecure: true }, alpn).unwrap());
    let dialled = dial(&context(&"127.0.0.1"), "127.0.0.1", address.port(), client.as_ref(), Span::secs(5))
        .await
        .unwrap();
    Session::over(dialled, Windows::default()).await.unwrap()
}

const BOUNDS: Bounds = Bounds { head: Span::secs(5), within: Span::secs(5), bytes: 1 << 30, keep: 100 };

async fn get(
    session: &mut Session,
    address: SocketAddr,
    path: &str,
    bounds: Bounds,
) -> Result<Exchange, HttpError> {
    let url = Url::parse(&format!("https://{address}{path}")).unwrap();
    let request = session.request(Method::GET, &url, &[], Payload::empty()).unwrap();
    exchange(session, request, bounds, |_, _| {}).await
}

#[tokio::test]
async fn both_versions_give_the_whole_body_with_its_times() {
    let server = Server::self_signed(&[String::from("localhost")], &["h2", "http/1.1"]).unwrap();
    for (tls, offered, version) in [
        (None, None, Version::One),
        (Some(server.clone()), Some(&["http/1.1"][..]), Version::One),
        (Some(server), Some(&["h2", "http/1.1"][..]), Version::Two),
    ] {
        let address = serve(tls, Limits::default());
        let mut session = talk_to(address, offered).await;
        assert_eq!(session.version(), version);
        for bytes in [0_u64, 1, 3_000_000] {
            let got = get(&mut session, address, &format!("/bytes/{bytes}"), BOUNDS).await.unwrap();
            assert_eq!((got.status, got.bytes), (StatusCode::OK, bytes), "{version:?}");
            assert!(got.ended.is_ok());
            assert_eq!(got.kept.len() as u64, bytes.min(100));
            assert_eq!(got.first_byte.is_some(), bytes > 0);
            assert!(got.first_byte.is_none_or(|first| got.head <= first && first <= got.whole));
        }
        let missing = get(&mut session, address, "/nothing", BOUNDS).await.unwrap();
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
        assert!(session.tap.info().unwrap().received_bytes.unwrap_or(3_000_000) >= 3_000_000);
        let body = Payload::random(5_000_000, 3);
        let sent = body.sent();
        let url = Url::parse(&format!("https://{address}/up")).unwrap();
        let request = session.request(Method::POST, &url, &[], body).unwrap();
        let answer = exchange(&mut session, request, BOUNDS, |_, _| {}).await.unwrap();
        assert_eq!((answer.kept.as_slice(), sent.bytes()), (&b"5000000"[..], 5_000_000));
    }
}

#[tokio::test]
async fn a_body_beyond_its_bounds_is_not_read_on() {
    let address = serve(None, Limits::default());
    let mut session = talk_to(address, None).await;
    let bounds = Bounds { bytes: 100_000, ..BOUNDS };
    let got = get(&mut session, address, "/bytes/8000000000", bounds).await.unwrap();
    assert!(matches!(got.ended, Err(HttpError::Garbled(_))));
    assert!(got.bytes < 1_000_000, "{}", got.bytes);
}

/// A far end that sends this, and then either closes or keeps still.
async fn stranger(say: &'static [u8], then_close: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(say).await.unwrap();
        if !then_close {
            std::future::pending::<()>().await;
        }
    });
    address
}

#[tokio::test]
async fn a_strange_server_never_holds_us_past_the_time() {
    let short = Bounds { head: Span::millis(100), within: Span::millis(100), ..BOUNDS };
    let got = |say, close| async move {
        let address = stranger(say, close).await;
        let mut session = talk_to(address, None).await;
        get(&mut session, address, "/", short).await
    };
    assert!(matches!(got(b"", false).await, Err(HttpError::Silent(_))));
    assert!(matches!(got(b"", true).await, Err(HttpError::Cut)));
    assert!(matches!(got(b"SSH-2.0-x\r\n", false).await, Err(HttpError::Garbled(_))));
    assert!(matches!(got(b"HTTP/1.1 200 OK\r\nx: ", false).await, Err(HttpError::Silent(_))));
    let cut = got(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", true).await.unwrap();
    assert_eq!(cut.bytes, 4);
    assert!(matches!(cut.ended, Err(HttpError::Cut)), "{:?}", cut.ended);
    let still = got(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", false).await.unwrap();
    assert!(matches!(still.ended, Err(HttpError::Silent(_))));
}

#[tokio::test]
async fn heads_without_end_are_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        if stream.write_all(b"HTTP/1.1 200 OK\r\n").await.is_ok() {
            while stream.write_all(b"x-more: and more and more and more\r\n").await.is_ok() {}
        }
    });
    let mut session = talk_to(address, None).await;
    let error = get(&mut session, address, "/", BOUNDS).await.unwrap_err();
    assert!(matches!(error, HttpError::Garbled(_)), "{error}");
}

/// What a server of ours does with a client that sends this and then waits.
async fn ends_with(address: SocketAddr, say: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(say).await.unwrap();
    let mut answer = Vec::new();
    // A reset is an end as well.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(20), stream.read_to_end(&mut answer))
        .await
        .unwrap();
    answer
}

#[tokio::test]
async fn a_client_that_is_slow_or_endless_is_closed() {
    let limits = Limits { patience: Span::millis(200), connection: Span::secs(2), ..Limits::default() };
    let address = serve(None, limits);
    assert!(ends_with(address, b"GET / HT").await.is_empty(), "a head that never ends");
    let long = [b"GET / HTTP/1.1\r\nx: ".as_slice(), &vec![b'a'; 40_000], b"\r\n\r\n"].concat();
    let answer = String::from_utf8(ends_with(address, &long).await).unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let paused = ends_with(address, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf").await;
    assert!(String::from_utf8(paused).unwrap().contains("a body that pauses"));
    let server = Server::self_signed(&[String::from("localhost")], &[]).unwrap();
    assert!(ends_with(serve(Some(server), limits), b"").await.is_empty(), "no TLS handshake");
    // Asks for eight gigabytes and reads none of them.
    let never_reads = TcpStream::connect(address).await.unwrap();
    let (_read, mut write) = never_reads.into_split();
    write.write_all(b"GET /bytes/8000000000 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut alive = tokio::time::interval(std::time::Duration::from_millis(100));
    let gone = async {
        loop {
            alive.tick().await;
            if write.write_all(b"\r\n").await.is_err() {
                break;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone).await.unwrap();
}

#[tokio::test]
async fn connections_are_counted() {
    let address = serve(None, Limits { connections_per_place: 1, ..Limits::default() });
    let _first = talk_to(address, None).await;
    let mut second = talk_to(address, None).await;
    assert!(get(&mut second, address, "/bytes/1", BOUNDS).await.is_err());
}
