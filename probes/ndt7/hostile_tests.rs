//! Servers and clients that do not keep to the protocol: each ends by a deadline, with a reason, in bounded memory.

use super::peer::{Limits, Peer};
use super::*;
use crate::codec::ndt7::SUBPROTOCOL;
use crate::peer::queue::Queue;
use crate::probe::Stop;
use crate::testing::{context, why_none};
use broadgauge_model::clock::SystemClock;
use futures_util::{SinkExt, StreamExt};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

/// What a client makes of a server whose first connection behaves like this.
async fn facing<F>(direction: Directions, behave: impl FnOnce(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { behave(listener.accept().await.unwrap().0).await });
    let settings = Settings { direction, tls: false, duration_s: 1.0, ..Settings::default() };
    let came_to = Ndt7::new(settings).unwrap().run(&context(&address)).await;
    server.abort();
    why_none(came_to)
}

#[expect(clippy::result_large_err, reason = "the library's own type")]
async fn shaken(stream: TcpStream) -> WebSocketStream<TcpStream> {
    accept_hdr_async(stream, |_: &Request, mut response: Response| {
        response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
        Ok(response)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_server_of_another_protocol_is_named() {
    let other = facing(Directions::Down, |mut stream| async move {
        stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(other.await.contains("did not shake hands"));
    let unknown = facing(Directions::Down, |mut stream| async move {
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(unknown.await.contains("knows no ndt7"));
    let forbidden = facing(Directions::Up, |mut stream| async move {
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(forbidden.await.contains("wants an access_token"));
    let chat = facing(Directions::Down, |stream| async move {
        tokio_tungstenite::accept_async(stream).await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(chat.await.contains("another protocol than ndt7"));
}

#[tokio::test]
async fn a_head_without_an_end_is_cut_off() {
    let error = facing(Directions::Down, |mut stream| async move {
        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n").await.unwrap();
        while stream.write_all(&[b'x'; 8_192]).await.is_ok() {}
    });
    assert!(error.await.contains("did not shake hands"));
}

#[tokio::test]
async fn a_download_in_which_nothing_comes_is_no_rate_of_zero() {
    let error = facing(Directions::Down, |stream| async move {
        let _open = shaken(stream).await;
        std::future::pending::<()>().await;
    });
    assert!(error.await.contains("no payload arrived: its time was over"));
}

#[tokio::test]
async fn an_early_end_is_too_short_and_a_wrong_frame_is_said() {
    let early = facing(Directions::Down, |stream| async move {
        let mut socket = shaken(stream).await;
        socket.send(Message::Binary(vec![0; 8_192].into())).await.unwrap();
    });
    assert!(early.await.contains("the test ended after 0."));
    let wrong = facing(Directions::Down, |stream| async move {
        let mut stream = shaken(stream).await.into_inner();
        // A frame with reserved bits.
        stream.write_all(&[0xf2, 0x01, 0x00]).await.unwrap();
        std::future::pending::<()>().await;
    });
    let wrong = wrong.await;
    assert!(wrong.contains("eserved"), "{wrong}");
    let large = facing(Directions::Down, |stream| async move {
        let mut stream = shaken(stream).await.into_inner();
        // A frame of 2^62 bytes.
        stream.write_all(&[0x82, 127, 0x40, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
        while stream.write_all(&[0; 16_384]).await.is_ok() {}
    });
    assert!(large.await.contains("a message of more than 16777216 bytes"));
}

#[tokio::test]
async fn an_upload_that_nobody_counts_is_no_rate() {
    let silent = facing(Directions::Up, |stream| async move {
        let mut socket = shaken(stream).await;
        while let Some(Ok(_)) = socket.next().await {}
    });
    assert!(silent.await.contains("did not say what it received"));
    let deaf = facing(Directions::Up, |stream| async move {
        let _open = shaken(stream).await;
        std::future::pending::<()>().await;
    });
    assert!(deaf.await.contains("its time was over"), "a server that does not read holds nobody up");
}

#[tokio::test]
async fn counts_that_cannot_be_true_are_not_a_rate() {
    for (message, words) in [
        (r#"{"TCPInfo":{"BytesReceived":18446744073709551615,"ElapsedTime":1000000}}"#, "more than was sent"),
        (r#"{"TCPInfo":{"BytesReceived":1000,"ElapsedTime":100000}}"#, "the server told of 0.1 s"),
        (r#"{"TCPInfo":{"BytesReceived":0,"ElapsedTime":1000000}}"#, "the server received nothing"),
        (r#"{"AppInfo":{"NumBytes":"many","ElapsedTime":1000000}}"#, "did not say what it received"),
    ] {
        let error = facing(Directions::Up, move |stream| async move {
            let mut socket = shaken(stream).await;
            socket.send(Message::text(message)).await.unwrap();
            while let Some(Ok(_)) = socket.next().await {}
        });
        let error = error.await;
        assert!(error.contains(words), "{message}: {error}");
    }
}

#[tokio::test]
async fn a_flood_of_words_is_kept_in_bounds_and_ends_with_the_test() {
    let error = facing(Directions::Down, |stream| async move {
        let mut socket = shaken(stream).await;
        let text =
            format!("{{\"AppInfo\":{{\"NumBytes\":1,\"ElapsedTime\":1}},\"x\":\"{}\"}}", "y".repeat(10_000));
        while socket.send(Message::text(text.clone())).await.is_ok() {}
    });
    assert!(error.await.contains("no payload arrived: its time was over"));
}

/// A real server with little time.
fn server() -> (SocketAddr, Queue) {
    let limits = Limits {
        duration: Span::secs(1),
        upload: Span::millis(1_200),
        longest: Span::millis(1_600),
        handshake: Span::millis(400),
        ..Limits::default()
    };
    let queue = Queue::new(0, 1);
    let peer = Peer::new(limits, queue.clone(), None).and_at("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = peer.addresses()[0];
    tokio::spawn(peer.serve(Arc::new(SystemClock::start()), Stop::never()));
    (address, queue)
}

/// The head of what a server answers to a request for this path and subprotocol.
async fn answer_to(address: SocketAddr, path: &str, subprotocol: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64];
    let length = stream.read(&mut answer).await.unwrap_or(0);
    String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_request_that_is_none_of_ndt7_is_refused_with_a_status() {
    let (address, _) = server();
    let status = async |path: &str| answer_to(address, path, SUBPROTOCOL).await;
    assert_eq!(answer_to(address, "/ndt/v7/download", "chat").await, "HTTP/1.1 400 Bad Request");
    assert_eq!(status("/").await, "HTTP/1.1 404 Not Found");
    assert_eq!(status("/ndt/v7/download?a=1&a=2").await, "HTTP/1.1 400 Bad Request");
    assert_eq!(status("/ndt/v7/download?early_exit=1").await, "HTTP/1.1 400 Bad Request");
    assert_eq!(status("/ndt/v7/upload?early_exit=250").await, "HTTP/1.1 400 Bad Request");
    let long = format!("/ndt/v7/upload?a={}", "b".repeat(5_000));
    assert_eq!(status(&long).await, "HTTP/1.1 400 Bad Request");
    assert_eq!(status("/ndt/v7/upload?a=b").await, "HTTP/1.1 101 Switching Protocols");
}

#[tokio::test]
async fn the_requests_of_m_labs_own_client_are_granted() {
    for request in [
        &include_bytes!("../../tests/compat/ndt7/ndt7-js-0.1.4-download.request")[..],
        include_bytes!("../../tests/compat/ndt7/ndt7-js-0.1.4-upload.request"),
    ] {
        let (address, _) = server();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = vec![0; 512];
        let length = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).to_lowercase();
        assert!(answer.starts_with("http/1.1 101 "), "{answer}");
        assert!(answer.contains("sec-websocket-protocol: net.measurementlab.ndt.v7\r\n"), "{answer}");
        assert!(!answer.contains("permessage-deflate"), "nothing on the way may compress the payload");
    }
}

#[tokio::test]
async fn a_client_that_says_nothing_is_let_go_and_had_no_turn() {
    let (address, queue) = server();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /ndt/v7/upload HTTP/1.1\r\n").await.unwrap();
    assert_eq!(queue.enter("192.0.2.1".parse().unwrap()).unwrap().ahead(), 0);
    assert_eq!(slow.read(&mut [0; 16]).await.unwrap_or(0), 0, "cut off");
}

/// A client that has its turn.
async fn asked(address: SocketAddr, path: &str) -> WebSocketStream<TcpStream> {
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    client_async(request, TcpStream::connect(address).await.unwrap()).await.unwrap().0
}

/// Waits until the turn of whoever has it is over.
async fn free(queue: &Queue) {
    let mut place = loop {
        match queue.enter("192.0.2.9".parse().unwrap()) {
            Ok(place) => break place,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    while place.ahead() > 0 {
        place.moved().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_never_ends_or_floods_gives_its_turn_back() {
    let (address, queue) = server();
    let deaf = asked(address, "/ndt/v7/download").await;
    free(&queue).await;
    drop(deaf);
    let mute = asked(address, "/ndt/v7/upload").await;
    free(&queue).await;
    drop(mute);
    let mut flood = asked(address, "/ndt/v7/upload").await;
    let text = format!("{{\"AppInfo\":\"{}\"}}", "x".repeat(50_000));
    while flood.send(Message::text(text.clone())).await.is_ok() {}
    free(&queue).await;
    let mut wrong = asked(address, "/ndt/v7/download").await.into_inner();
    // A frame without a mask, which no client may send.
    wrong.write_all(&[0x82, 0x01, 0x00]).await.unwrap();
    free(&queue).await;
}
