//! Peers and clients that do not keep to the protocol: each ends by a deadline, with a reason, in bounded memory.

use super::peer::{Limits, Peer};
use super::*;
use crate::probe::{Event, Stop};
use crate::testing::{behaving, context, why_none};
use broadgauge_model::clock::SystemClock;
use broadgauge_model::result::Values;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const WELCOME: &str = "{\"welcome\":{\"token\":\"t\",\"software\":\"s\",\"stamp_port\":null}}\n";

/// What a client makes of a peer that behaves like this on its first connection, and holds all others open.
async fn facing<F>(direction: Directions, behave: impl FnOnce(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    facing_for(Span::secs(30), direction, behave).await
}

/// The same with a client of this patience.
async fn facing_for<F>(
    patience: Span,
    direction: Directions,
    behave: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let (address, peer) = behaving(behave).await;
    let settings =
        Settings { streams: 2, duration_s: 1.0, direction, delay_per_second: 0.0, ..Settings::default() };
    let mut probe = Throughput::new(settings).unwrap();
    probe.patience = patience;
    let came_to = probe.run(&context(&address)).await;
    peer.abort();
    why_none(came_to)
}

async fn heard(control: &mut TcpStream) {
    assert_ne!(control.read(&mut [0; 4096]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_peer_of_another_protocol_is_named() {
    let error = facing(Directions::Down, |mut control| async move {
        control.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await.unwrap();
        heard(&mut control).await;
        std::future::pending::<()>().await;
    });
    assert!(error.await.contains("not of this protocol"));
}

#[tokio::test]
async fn a_line_without_an_end_is_cut_off() {
    let error = facing(Directions::Down, |mut control| async move {
        while control.write_all(&[b'x'; 8_192]).await.is_ok() {}
    });
    assert!(error.await.contains("a line of more than"));
}

#[tokio::test]
async fn a_peer_that_closes_at_once_is_named() {
    let error = facing(Directions::Down, |control| async move { drop(control) }).await;
    assert!(error.contains("closed") || error.contains("cannot be talked to"), "{error}");
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_given_up() {
    let error = facing_for(Span::millis(400), Directions::Down, |control| async move {
        let _held = control;
        std::future::pending::<()>().await;
    });
    assert!(error.await.contains("said nothing for"));
}

#[tokio::test]
async fn a_peer_that_is_never_ready_is_given_up() {
    let error = facing_for(Span::millis(400), Directions::Up, |mut control| async move {
        control.write_all(WELCOME.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(error.await.contains("said nothing for"));
}

#[tokio::test]
async fn a_report_of_more_time_than_was_asked_for_is_refused() {
    let error = facing(Directions::Up, |mut control| async move {
        control.write_all(WELCOME.as_bytes()).await.unwrap();
        control.write_all(b"{\"ready\":{}}\n").await.unwrap();
        let report = format!("{{\"report\":{{\"intervals\":{:?},\"streams\":[]}}}}\n", vec![u64::MAX; 11]);
        control.write_all(report.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(error.await.contains("does not add up: more intervals"));
}

#[tokio::test]
async fn a_report_with_numbers_that_overflow_does_not_become_a_rate() {
    let error = facing(Directions::Up, |mut control| async move {
        control.write_all(WELCOME.as_bytes()).await.unwrap();
        control.write_all(b"{\"ready\":{}}\n").await.unwrap();
        let report = format!("{{\"report\":{{\"intervals\":{:?},\"streams\":[]}}}}\n", vec![u64::MAX; 10]);
        control.write_all(report.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let error = error.await;
    assert!(error.contains("does not add up"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_in_which_nothing_comes_is_not_a_rate_of_zero() {
    let error = facing(Directions::Down, |mut control| async move {
        control.write_all(WELCOME.as_bytes()).await.unwrap();
        control.write_all(b"{\"ready\":{}}\n").await.unwrap();
        let mut lines = BufReader::new(control);
        let mut line = String::new();
        while !line.contains("stop") {
            line.clear();
            lines.read_line(&mut line).await.unwrap();
        }
    });
    assert!(error.await.contains("no payload arrived"));
}

/// A real peer with little patience.
async fn peer(limits: Limits) -> SocketAddr {
    let peer = Peer::bind("127.0.0.1:0".parse().unwrap(), limits, None).await.unwrap();
    let address = peer.address().unwrap();
    tokio::spawn(peer.serve(Arc::new(SystemClock::start()), Stop::never()));
    address
}

/// All that a peer answers to these bytes, until it closes the connection.
async fn answer_to(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // The peer may reset the connection instead of closing it: what it said before counts.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn hello(changed: &str) -> Vec<u8> {
    let mut hello = serde_json::json!({"protocol": "broadgauge-throughput", "version": 1, "streams": 1,
        "ways": ["down"], "duration_ms": 1000, "idle_ms": 0});
    let changed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(changed).unwrap();
    hello.as_object_mut().unwrap().extend(changed);
    format!("{}\n", serde_json::json!({ "hello": hello })).into_bytes()
}

#[tokio::test]
async fn a_peer_says_nothing_to_what_it_does_not_understand() {
    let address = peer(Limits::default()).await;
    assert_eq!(answer_to(address, b"GET / HTTP/1.1\r\n\r\n").await, "");
    assert_eq!(answer_to(address, &vec![b'{'; 100_000]).await, "");
    assert_eq!(answer_to(address, b"{\"data\":{\"token\":\"guessed\",\"stream\":0}}\n").await, "");
    assert_eq!(answer_to(address, b"{\"start\":{}}\n").await, "");
}

#[tokio::test]
async fn a_wish_beyond_the_limits_is_refused_with_the_limit() {
    let address = peer(Limits::default()).await;
    for (changed, word) in [
        (r#"{"streams": 65}"#, "streams must be 1 to 64"),
        (r#"{"streams": 0}"#, "streams"),
        (r#"{"duration_ms": 60001}"#, "duration_ms must be 1 to 60000"),
        (r#"{"duration_ms": 18446744073709551615}"#, "duration_ms"),
        (r#"{"idle_ms": 18446744073709551615}"#, "idle_ms"),
        (r#"{"ways": []}"#, "ways"),
        (r#"{"version": 2}"#, "version 1"),
    ] {
        let answer = answer_to(address, &hello(changed)).await;
        assert!(answer.contains("refused") && answer.contains(word), "{changed}: {answer}");
    }
}

#[tokio::test]
async fn a_slow_client_loses_its_connection_and_its_place() {
    let address = peer(Limits { patience: Span::millis(400), ..Limits::default() }).await;
    assert_eq!(answer_to(address, b"{\"hel").await, "", "the first line did not come in time");
    let answer = answer_to(address, &hello("{}")).await;
    assert!(answer.contains("welcome") && !answer.contains("ready"), "no data connection came: {answer}");
    let answer = answer_to(address, &hello("{}")).await;
    assert!(answer.contains("welcome") && !answer.contains("queued"), "the place is free again: {answer}");
}

#[tokio::test]
async fn a_place_has_only_so_many_connections() {
    let address = peer(Limits { connections_per_place: 2, ..Limits::default() }).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(&hello("{}")).await.unwrap();
    heard(&mut first).await;
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(&hello("{}")).await.unwrap();
    heard(&mut second).await;
    assert_eq!(answer_to(address, &hello("{}")).await, "");
}

#[tokio::test]
async fn a_stream_that_joins_twice_ends_the_test() {
    let address = peer(Limits::default()).await;
    let mut control = TcpStream::connect(address).await.unwrap();
    control.write_all(&hello(r#"{"streams": 2}"#)).await.unwrap();
    let mut lines = BufReader::new(control);
    let mut line = String::new();
    lines.read_line(&mut line).await.unwrap();
    let token = line.split('"').nth(5).unwrap().to_owned();
    assert_eq!(token.len(), 32);
    let data = format!("{{\"data\":{{\"token\":\"{token}\",\"stream\":0}}}}\n");
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(data.as_bytes()).await.unwrap();
        held.push(stream);
    }
    line.clear();
    assert_eq!(lines.read_line(&mut line).await.unwrap_or(0), 0, "{line}");
}

/// What a client with delay probes makes of such a peer; the first stop is pulled when it is told to wait.
async fn measured<F>(
    direction: Directions,
    behave: impl FnOnce(TcpStream, TcpListener) -> F + Send + 'static,
) -> Measurement
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (pull, stop) = Stop::new();
    let mut context = Context { stop, ..context(&listener.local_addr().unwrap()) };
    context.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Queued { .. }) {
            pull.send_replace(true);
        }
    }));
    let peer = tokio::spawn(async move {
        let (control, _) = listener.accept().await.unwrap();
        behave(control, listener).await;
    });
    let settings = Settings { streams: 2, duration_s: 1.0, direction, ..Settings::default() };
    let measurement = Throughput::new(settings).unwrap().run(&context).await.unwrap();
    peer.abort();
    measurement
}

fn reasons(measurement: &Measurement) -> Vec<(&str, Load, &str)> {
    let said = measurement.samples.iter().map(|sample| match &sample.values {
        Values::Unmeasured(reason) => (sample.metric.id(), sample.load, reason.0.as_str()),
        other => panic!("unmeasured, not {other:?}"),
    });
    said.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_breach_every_metric_that_is_left_says_that_it_was_not_asked() {
    let measurement = measured(Directions::Both, |mut control, listener| async move {
        control.write_all(WELCOME.as_bytes()).await.unwrap();
        heard(&mut control).await;
        drop(control);
        let mut held = Vec::new();
        while let Ok((data, _)) = listener.accept().await {
            held.push(data);
        }
    });
    let measurement = measurement.await;
    let said = reasons(&measurement);
    let names: Vec<_> = said.iter().map(|&(id, load, _)| (id, load)).collect();
    assert_eq!(
        names,
        [
            ("round_trip_delay", Load::Idle),
            ("download_goodput", Load::Idle),
            ("loaded_round_trip_delay", Load::Down),
            ("upload_goodput", Load::Idle),
            ("loaded_round_trip_delay", Load::Up),
        ]
    );
    assert!(said[3..].iter().all(|s| s.2 == "not asked: the download before it failed"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_stopped_in_the_queue_says_that_nothing_was_asked() {
    let measurement = measured(Directions::Both, |mut control, _listener| async move {
        control.write_all(b"{\"queued\":{\"ahead\":1}}\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let measurement = measurement.await;
    assert!(measurement.interrupted);
    let said = reasons(&measurement);
    assert_eq!(said.len(), 5, "{said:?}");
    assert!(said.iter().all(|s| s.2.starts_with("not asked: stopped before its turn")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_upload_moved_before_it_failed_counts() {
    let measurement = measured(Directions::Up, |mut control, listener| async move {
        control.write_all(WELCOME.as_bytes()).await.unwrap();
        let (mut first, _) = listener.accept().await.unwrap();
        let _second = listener.accept().await.unwrap();
        control.write_all(b"{\"ready\":{}}\n").await.unwrap();
        let mut taken = 0;
        while taken < 200_000 {
            let bytes = first.read(&mut [0; 16_384]).await.unwrap();
            assert_ne!(bytes, 0);
            taken += bytes;
        }
        control.write_all(b"nonsense\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let measurement = measurement.await;
    assert!(reasons(&measurement)[1].2.contains("the peer"));
    assert!(measurement.bytes_moved > 199_000, "{}", measurement.bytes_moved);
}
