//! Both ends over loopback. What is asserted is the bookkeeping, never the speed.

use super::peer::{Limits, Peer};
use super::*;
use crate::peer::queue::Queue;
use crate::peer::service::Kept;
use crate::probe::Stop;
use crate::testing::{behaving, closed, context, number, why_not};
use crate::tls::Server;
use broadgauge_model::clock::SystemClock;
use broadgauge_model::result::{Load, Statistic, Values};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// A server that serves until this is dropped.
struct Serving {
    address: SocketAddr,
    queue: Queue,
    kept: mpsc::UnboundedReceiver<Kept>,
    _end: watch::Sender<bool>,
}

/// Tests of a second.
fn short() -> Limits {
    Limits {
        duration: Span::millis(1_500),
        upload: Span::secs(3),
        longest: Span::secs(5),
        ..Limits::default()
    }
}

#[expect(clippy::unused_async, reason = "taking a port needs a runtime: awaiting shows where one is missing")]
async fn serving(limits: Limits, tls: Option<Server>) -> Serving {
    let queue = Queue::new(0, 1);
    let (keep, kept) = mpsc::unbounded_channel();
    let peer = Peer::new(limits, queue.clone(), tls)
        .keeping(Arc::new(move |test| keep.send(test).unwrap()))
        .and_at("127.0.0.1:0".parse().unwrap())
        .unwrap();
    let address = peer.addresses()[0];
    let (end, stop) = Stop::new();
    tokio::spawn(peer.serve(Arc::new(SystemClock::start()), stop));
    Serving { address, queue, kept, _end: end }
}

fn plain(direction: Directions) -> Settings {
    Settings { direction, tls: false, duration_s: 1.5, ..Settings::default() }
}

fn document(kept: &Kept) -> Value {
    let mut text = String::new();
    GzDecoder::new(&kept.bytes[..]).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_is_counted_here_an_upload_by_the_servers_kernel_and_both_are_kept() {
    let mut server = serving(short(), None).await;
    let measurement =
        Ndt7::new(plain(Directions::Both)).unwrap().run(&context(&server.address)).await.unwrap();
    let ids: Vec<_> =
        measurement.samples.iter().map(|sample| (sample.metric.id(), sample.statistic)).collect();
    let (rate, least) = (Statistic::Mean, Statistic::Min);
    let wanted = [
        ("download_goodput", rate),
        ("round_trip_delay", least),
        ("upload_goodput", rate),
        ("round_trip_delay", least),
    ];
    assert_eq!(ids, wanted);
    let [down, down_rtt, up, up_rtt] = &measurement.samples[..] else { panic!() };
    assert!(number(down) > 0.0 && number(up) > 0.0 && number(down_rtt) > 0.0);
    assert_eq!((down_rtt.load, up_rtt.load), (Load::Down, Load::Up));
    assert_eq!(down.details["layer"], "WebSocket payload");
    assert!(up.details["layer"].as_str().unwrap().starts_with("TCP payload"));
    assert!(
        down.details["ended"].as_str().unwrap().starts_with("closed by the server after 1."),
        "{:?}",
        down.details
    );
    assert!(down.details["retransmitted_ratio"].is_number() && up.details["retransmitted_ratio"].is_number());
    let counted = up.details["counted_ms"].as_f64().unwrap();
    assert!((1_000.0..1_800.0).contains(&counted), "what was still under way does not count: {counted}");
    for (sample, key) in [(down, "Download"), (up, "Upload")] {
        let kept = server.kept.recv().await.unwrap();
        let document = document(&kept);
        let part = &document[key];
        assert_eq!(part["UUID"], sample.details["server_uuid"]);
        assert!(kept.name.starts_with(&format!("ndt7-{}-20", key.to_lowercase())), "{}", kept.name);
        let said = part["ServerMeasurements"].as_array().unwrap();
        let last = &said.last().unwrap()["TCPInfo"];
        assert!(last["BytesSent"].is_u64() && last["MinRTT"].is_u64() && last["ElapsedTime"].is_u64());
        assert!(!part["ClientMeasurements"].as_array().unwrap().is_empty());
        assert_eq!(part["ClientMetadata"][0]["Value"], "broadgauge");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_tls_a_certificate_has_to_be_believed() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Server::self_signed(&[String::from("127.0.0.1")], &[]).unwrap();
    let file = folder.path().join("certificate.pem");
    std::fs::write(&file, tls.certificate_pem().unwrap()).unwrap();
    let server = serving(short(), Some(tls)).await;
    let settings = Settings { tls: true, ..plain(Directions::Both) };
    let context = context(&server.address);
    assert!(Ndt7::new(settings.clone()).unwrap().run(&context).await.is_err());
    let believing = Settings { ca_file: Some(file), ..settings };
    let measurement = Ndt7::new(believing).unwrap().run(&context).await.unwrap();
    assert!(number(&measurement.samples[0]) > 0.0 && number(&measurement.samples[2]) > 0.0);
    assert_eq!(measurement.samples[0].details["certificate"], "believed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_busy_while_any_test_has_its_turn() {
    let server = serving(short(), None).await;
    let turn = server.queue.enter("192.0.2.1".parse().unwrap()).unwrap();
    let probe = Ndt7::new(plain(Directions::Down)).unwrap();
    let error = probe.run(&context(&server.address)).await.unwrap_err().to_string();
    assert!(error.contains("is busy with other tests"), "{error}");
    drop(turn);
    assert!(probe.run(&context(&server.address)).await.is_ok());
}

/// A locate service that answers this, once.
async fn locating(answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = [0; 1_024];
        let length = stream.read(&mut question).await.unwrap();
        assert!(question[..length].starts_with(b"GET /v2/nearest/ndt/ndt7 HTTP/1.1\r\n"));
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locate_service_names_the_server_and_a_dead_one_is_passed_over() {
    let server = serving(short(), None).await;
    let (_held, dead) = closed();
    let urls = |address: SocketAddr| {
        format!(r#"{{"urls":{{"ws:///ndt/v7/download":"ws://{address}/ndt/v7/download?access_token=abc"}}}}"#)
    };
    let body = format!(r#"{{"results":[{},{}]}}"#, urls(dead), urls(server.address));
    let service = locating(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
    let locate = Some(format!("http://{service}/v2/nearest/ndt/ndt7"));
    let settings = Settings { locate, ..plain(Directions::Down) };
    let measurement = Ndt7::new(settings).unwrap().run(&context(&"nearest")).await.unwrap();
    assert!(number(&measurement.samples[0]) > 0.0);
    assert_eq!(measurement.samples[0].details["server"], server.address.to_string());
    let mut kept = server.kept;
    let document = document(&kept.recv().await.unwrap());
    assert_eq!(document["Download"]["ClientMetadata"][0]["Value"], "abc", "the token came along");
}

#[tokio::test]
async fn a_locate_service_without_a_server_is_an_error_in_words() {
    for (answer, words) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", "no server with room"),
        ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "HTTP status 500"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "not as locate version 2"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"results\":[]}", "names no server for download"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "closed before the answer was whole"),
    ] {
        let service = locating(answer.to_owned()).await;
        let locate = Some(format!("http://{service}/v2/nearest/ndt/ndt7"));
        let settings = Settings { locate, ..plain(Directions::Down) };
        let error = Ndt7::new(settings).unwrap().run(&context(&"nearest")).await.unwrap_err().to_string();
        assert!(error.contains(words), "{answer}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_the_test_and_keeps_what_was_counted() {
    let server = serving(Limits { duration: Span::secs(10), longest: Span::secs(15), ..short() }, None).await;
    let (pull, stop) = Stop::new();
    let mut context = context(&server.address);
    context.stop = stop;
    context.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Rate { at, .. } if at >= Span::millis(1_200)) {
            pull.send_replace(true);
        }
    }));
    let settings = Settings { duration_s: 10.0, ..plain(Directions::Both) };
    let measurement = Ndt7::new(settings).unwrap().run(&context).await.unwrap();
    assert!(measurement.interrupted);
    assert!(number(&measurement.samples[0]) > 0.0);
    let up = measurement.samples.iter().find(|sample| sample.metric.id() == "upload_goodput").unwrap();
    assert!(
        matches!(&up.values, Values::Unmeasured(reason) if reason.0.contains("not asked")),
        "{:?}",
        up.values
    );
}

#[tokio::test]
async fn a_stop_is_heard_while_a_server_keeps_the_handshake_waiting() {
    let (address, far) = behaving(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let (pull, stop) = Stop::new();
    let mut context = context(&address);
    context.stop = stop;
    context.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Phase(_)) {
            pull.send_replace(true);
        }
    }));
    let measurement = Ndt7::new(plain(Directions::Both)).unwrap().run(&context).await.unwrap();
    assert!(measurement.interrupted);
    assert_eq!(measurement.samples.len(), 2);
    for sample in &measurement.samples {
        assert!(why_not(sample).contains("not asked"), "{sample:?}");
    }
    far.abort();
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |settings: Settings| Ndt7::new(settings).err().unwrap().to_string();
    assert!(refused(Settings { duration_s: 13.0, ..Settings::default() }).contains("setting duration_s"));
    assert!(
        refused(Settings { access_token: Some(String::new()), ..Settings::default() })
            .contains("access_token")
    );
    assert!(
        refused(Settings { locate: Some("ftp://x".into()), ..Settings::default() })
            .contains("setting locate")
    );
    assert!(refused(Settings { tls: false, insecure: true, ..Settings::default() }).contains("setting tls"));
}
