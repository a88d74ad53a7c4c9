//! Servers and clients that do not keep to the protocol: each ends by a deadline, with a reason, in bounded memory.

use super::peer::{Limits, Peer};
use super::*;
use crate::codec::iperf3::{LONGEST_PARAMETERS, Parameters, UDP_HELLO, UDP_WELCOME};
use crate::peer::queue::Queue;
use crate::probe::Stop;
use crate::testing::{behaving, context, why_none};
use broadgauge_model::clock::SystemClock;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// What a client makes of a server that behaves like this on its first connection, and holds all others open.
async fn facing<F>(direction: Directions, behave: impl FnOnce(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let (address, server) = behaving(behave).await;
    let settings =
        Settings { duration_s: 1.0, omit_s: Some(0), direction, queue_patience_s: 0, ..Settings::default() };
    let mut probe = Iperf3::new(settings).unwrap();
    probe.patience = Span::millis(400);
    let came_to = probe.run(&context(&address)).await;
    server.abort();
    why_none(came_to)
}

/// Reads the cookie, asks for parameters and reads them.
async fn agreed(control: &mut TcpStream) {
    control.read_exact(&mut [0; 37]).await.unwrap();
    control.write_all(&[9]).await.unwrap();
    let length = control.read_u32().await.unwrap();
    control.read_exact(&mut vec![0; length as usize]).await.unwrap();
}

/// The same, and says that the test runs.
async fn running(control: &mut TcpStream) {
    agreed(control).await;
    control.write_all(&[10, 1, 2]).await.unwrap();
}

/// The same, and answers these results at the end.
async fn with_results(mut control: TcpStream, results: &str) {
    running(&mut control).await;
    assert_eq!(control.read_u8().await.unwrap(), 4);
    control.write_all(&[13]).await.unwrap();
    let length = control.read_u32().await.unwrap();
    control.read_exact(&mut vec![0; length as usize]).await.unwrap();
    control.write_u32(results.len() as u32).await.unwrap();
    control.write_all(results.as_bytes()).await.unwrap();
    control.write_all(&[14]).await.unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_server_of_another_protocol_is_named() {
    let error = facing(Directions::Down, |mut control| async move {
        control.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(error.await.contains("no state of iperf3 (83)"));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_whatever_is_due() {
    let silent = facing(Directions::Down, |control| async move {
        let _held = control;
        std::future::pending::<()>().await;
    });
    assert!(silent.await.contains("said nothing for 0.4 s"));
    let later = facing(Directions::Up, |mut control| async move {
        agreed(&mut control).await;
        std::future::pending::<()>().await;
    });
    assert!(later.await.contains("said nothing for 0.4 s"));
}

#[tokio::test]
async fn a_busy_server_and_one_that_fails_are_said_in_words() {
    let busy = facing(Directions::Down, |mut control| async move {
        control.write_all(&[0xff]).await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(busy.await.contains("is busy with another test"));
    let failed = facing(Directions::Down, |mut control| async move {
        agreed(&mut control).await;
        control.write_all(&[0xfe, 0, 0, 0, 134, 0, 0, 0, 2]).await.unwrap();
        std::future::pending::<()>().await;
    });
    let failed = failed.await;
    assert!(failed.contains("error 134") && failed.contains("congestion control"), "{failed}");
    assert!(failed.contains("No such file"), "the second number is an errno: {failed}");
    let half = facing(Directions::Down, |mut control| async move {
        agreed(&mut control).await;
        control.write_all(&[0xfe, 0, 0, 0]).await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(half.await.contains("said nothing"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_or_ends_half_way_is_a_reason_not_a_rate() {
    let died = facing(Directions::Down, |mut control| async move {
        running(&mut control).await;
        drop(control);
    });
    assert!(died.await.contains("closed the connection"));
    let ended = facing(Directions::Up, |mut control| async move {
        running(&mut control).await;
        control.write_all(&[11]).await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(ended.await.contains("was told to stop"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_in_which_nothing_comes_is_not_a_rate_of_zero() {
    let results = r#"{"streams":[{"id":1,"bytes":5,"start_time":0,"end_time":1.0}]}"#;
    let error = facing(Directions::Down, move |control| with_results(control, results));
    assert!(error.await.contains("no payload arrived"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_that_cannot_be_true_are_not_a_rate() {
    for (results, problem) in [
        (r#"{"streams":[{"id":2,"bytes":5,"start_time":0,"end_time":1.0}]}"#, "of other streams"),
        (r#"{"streams":[]}"#, "of other streams"),
        (r#"{"streams":[{"id":1,"bytes":5,"start_time":0,"end_time":0.001}]}"#, "not as long as ours"),
        (
            r#"{"streams":[{"id":1,"bytes":1e19,"start_time":0,"end_time":1.0}]}"#,
            "more payload than was sent",
        ),
        (r#"{"streams":[{"id":1,"bytes":0,"start_time":0,"end_time":1.0}]}"#, "received nothing"),
        ("[]", "is not a JSON object"),
    ] {
        let error = facing(Directions::Up, move |control| with_results(control, results)).await;
        assert!(error.contains(problem), "{results}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_without_an_end_is_neither_read_nor_waited_for() {
    let endless = facing(Directions::Up, |mut control| async move {
        running(&mut control).await;
        assert_eq!(control.read_u8().await.unwrap(), 4);
        control.write_all(&[13, 0xff, 0xff, 0xff, 0xff]).await.unwrap();
        while control.write_all(&[b' '; 8_192]).await.is_ok() {}
    });
    assert!(endless.await.contains("longer than 524288 bytes"));
    let slow = facing(Directions::Up, |mut control| async move {
        running(&mut control).await;
        assert_eq!(control.read_u8().await.unwrap(), 4);
        control.write_all(&[13, 0, 0, 1, 0]).await.unwrap();
        let mut letter = tokio::time::interval(std::time::Duration::from_millis(50));
        while control.write_all(b"{").await.is_ok() {
            letter.tick().await;
        }
    });
    assert!(slow.await.contains("said nothing for 0.4 s"));
}

/// A real server with little patience.
fn server(limits: Limits) -> SocketAddr {
    let peer = Peer::new(limits, Queue::new(0, 1)).and_at("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = peer.addresses()[0];
    tokio::spawn(peer.serve(Arc::new(SystemClock::start()), Stop::never()));
    address
}

fn hasty() -> Limits {
    Limits { patience: Span::millis(400), ..Limits::default() }
}

const COOKIE: [u8; 37] = *b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0";

/// All that a server answers to these bytes after a cookie, until it closes the connection.
async fn answer_to(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // The server may reset the connection instead of closing it: what it said before counts.
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

fn wish(document: &[u8]) -> Vec<u8> {
    [&COOKIE, &(document.len() as u32).to_be_bytes()[..], document].concat()
}

#[tokio::test]
async fn a_client_that_says_too_little_loses_its_connection_and_its_place() {
    let address = server(hasty());
    assert_eq!(answer_to(address, b"").await, b"");
    assert_eq!(answer_to(address, b"GET / HTTP/1.1\r\n\r\n").await, b"");
    assert_eq!(answer_to(address, &COOKIE).await, [9], "no parameters came");
    let parameters = Parameters { streams: 2, time_s: 1, ..Parameters::default() };
    let answer = answer_to(address, &wish(&parameters.write())).await;
    assert_eq!(answer[..3], [9, 10, 0xfe], "no streams came: {answer:?}");
    assert_eq!(answer_to(address, &COOKIE).await, [9], "the place is free again");
}

#[tokio::test]
async fn parameters_that_cannot_be_are_answered_with_a_number() {
    let address = server(hasty());
    let refused = async |document: &[u8]| {
        let answer = answer_to(address, &wish(document)).await;
        assert_eq!((answer.len(), &answer[..2]), (10, &[9, 0xfe][..]), "{answer:?}");
        u32::from_be_bytes(answer[2..6].try_into().unwrap())
    };
    assert_eq!(refused(b"not json").await, 114);
    assert_eq!(refused(br#"{"tcp":true,"parallel":129}"#).await, 6);
    assert_eq!(refused(br#"{"tcp":true,"parallel":1,"time":86400}"#).await, 37);
    assert_eq!(refused(br#"{"tcp":true,"parallel":1,"time":1,"omit":18446744073709551615}"#).await, 37);
    assert_eq!(refused(br#"{"udp":true,"parallel":1,"time":1,"len":15}"#).await, 7);
    assert_eq!(refused(br#"{"udp":true,"parallel":1,"time":1,"reverse":true}"#).await, 27);
    assert_eq!(refused(br#"{"sctp":true,"parallel":1,"time":1}"#).await, 131);
    assert_eq!(refused(&vec![b' '; LONGEST_PARAMETERS + 1]).await, 114);
}

#[tokio::test]
async fn who_comes_meanwhile_is_told_that_the_server_is_busy() {
    let address = server(hasty());
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(&COOKIE).await.unwrap();
    assert_eq!(first.read_u8().await.unwrap(), 9);
    let other = [b'b'; 37];
    assert_eq!(answer_to(address, &other).await, [0xff]);
    let elsewhere = tokio::net::TcpSocket::new_v4().unwrap();
    elsewhere.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut stolen = elsewhere.connect(address).await.unwrap();
    stolen.write_all(&COOKIE).await.unwrap();
    assert_eq!(stolen.read_u8().await.unwrap(), 0xff, "a cookie holds for the place that it came from");
}

#[tokio::test]
async fn udp_answers_only_the_address_that_agreed_on_a_test() {
    let address = server(Limits { patience: Span::secs(2), ..Limits::default() });
    let mine = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    mine.connect(address).await.unwrap();
    // Nobody listens without a test.
    mine.send(&UDP_HELLO).await.unwrap();
    assert!(mine.recv(&mut [0; 16]).await.is_err());
    let mut control = TcpStream::connect(address).await.unwrap();
    let document = br#"{"udp":true,"parallel":1,"time":1,"len":1000,"bandwidth":1000000,"reverse":true}"#;
    control.write_all(&wish(document)).await.unwrap();
    let mut states = [0; 2];
    control.read_exact(&mut states).await.unwrap();
    assert_eq!(states, [9, 10]);
    let stranger = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    stranger.send_to(&UDP_HELLO, address).await.unwrap();
    mine.send(b"something else").await.unwrap();
    mine.send(&UDP_HELLO).await.unwrap();
    let mut answer = [0; 2_000];
    let length = mine.recv(&mut answer).await.unwrap();
    assert_eq!(answer[..length], UDP_WELCOME, "an answer is no longer than what it answers");
    let length = mine.recv(&mut answer).await.unwrap();
    assert_eq!(length, 1_000, "the test runs");
    assert!(stranger.try_recv(&mut answer).is_err(), "a stranger gets nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_floods_its_control_connection_ends_its_test() {
    let address = server(hasty());
    let mut control = TcpStream::connect(address).await.unwrap();
    let parameters = Parameters { streams: 1, time_s: 60, ..Parameters::default() };
    control.write_all(&wish(&parameters.write())).await.unwrap();
    let mut states = [0; 2];
    control.read_exact(&mut states).await.unwrap();
    let mut data = TcpStream::connect(address).await.unwrap();
    data.write_all(&COOKIE).await.unwrap();
    control.read_exact(&mut states).await.unwrap();
    assert_eq!(states, [1, 2]);
    while control.write_all(&[2; 16_384]).await.is_ok() {}
    // The place is free for the next one.
    let mut answer = answer_to(address, &[b'b'; 37]).await;
    while answer == [0xff] {
        answer = answer_to(address, &[b'b'; 37]).await;
    }
    assert_eq!(answer, [9]);
}
