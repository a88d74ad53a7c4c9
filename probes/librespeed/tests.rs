//! Over loopback, against a backend of ours and against backends that cheat.

use super::*;
use crate::http::server::{Answer, Caller, Limits, Service, drain, plain};
use crate::peer::queue::Queue;
use crate::peer::service::Ground;
use crate::probe::Stop;
use crate::testing::{context, ground, why_not};
use crate::throughput::Directions;
use crate::tls::Server;
use broadgauge_model::clock::{Clock, Mono, SystemClock};
use broadgauge_model::result::{Sample, Values};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn backend(tls: Option<Server>, queue: Queue) -> SocketAddr {
    let running = peer::start(Ground { tls, queue, ..ground(LOCAL) }).unwrap();
    tokio::spawn(running.answering);
    running.addresses[0]
}

fn fast() -> Settings {
    Settings {
        queue_patience_s: 0,
        duration_s: 1.2,
        streams: 2,
        pings: 3,
        insecure: true,
        timeout_ms: 500.0,
        ..Settings::default()
    }
}

async fn measure(settings: Settings, address: String) -> Vec<Sample> {
    Librespeed::new(settings).unwrap().run(&context(&address)).await.unwrap().samples
}

#[tokio::test(flavor = "multi_thread")]
async fn both_directions_have_a_rate_in_plain_text_and_under_tls() {
    for tls in [false, true] {
        let server = tls.then(|| Server::self_signed(&[String::from("127.0.0.1")], &[]).unwrap());
        let scheme = if tls { "https" } else { "http" };
        let address = format!("{scheme}://{}/backend/", backend(server, Queue::new(8, 8)));
        let samples = measure(fast(), address).await;
        assert_eq!(samples.len(), 2);
        for sample in &samples {
            let Values::Number(rate) = sample.values else { panic!("{:?}", sample.values) };
            assert!(rate > 1.0, "{rate}");
            assert_eq!(sample.details["backend_says"], "127.0.0.1");
            assert_eq!(sample.details["idle_questions"], 3);
            assert!(sample.details["requests_counted"].as_u64().unwrap() >= 1);
            assert_eq!(sample.details["requests_refused"], serde_json::json!({}));
            assert_eq!(sample.details["intervals_bps"].as_array().unwrap().len(), 12);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_busy_with_another_load_refuses() {
    let queue = Queue::new(8, 8);
    let _running = queue.enter("192.0.2.1".parse().unwrap()).unwrap();
    let samples = measure(fast(), backend(None, queue).to_string()).await;
    assert!(
        why_not(&samples[0]).contains("refused every request") && why_not(&samples[0]).contains("status 503")
    );
    assert!(why_not(&samples[1]).contains("status 503"), "{}", why_not(&samples[1]));
}

/// A backend that answers with an error page of a megabyte, or takes uploads and refuses them afterwards.
struct Refuses;

#[async_trait]
impl Answer for Refuses {
    async fn answer(&self, _caller: Caller, request: Request<Incoming>) -> Response<Payload> {
        if request.method() == Method::POST {
            let _ = drain(request.into_body(), 1 << 40, Span::secs(5), |_| {}).await;
            return plain(StatusCode::FORBIDDEN, "no");
        }
        let mut response = Response::new(Payload::random(1 << 20, 1));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn error_pages_and_refused_uploads_are_no_rate() {
    let service = Service::new(None, Limits::default()).and_at(LOCAL).unwrap();
    let address = service.addresses()[0].to_string();
    tokio::spawn(service.serve(Arc::new(Refuses), Stop::never()));
    let samples = measure(fast(), address).await;
    assert!(why_not(&samples[0]).contains("status 500"), "{}", why_not(&samples[0]));
    assert!(why_not(&samples[1]).contains("status 403"), "{}", why_not(&samples[1]));
    assert!(samples[0].details["backend_says"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_break_off_do_not_count() {
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n").await;
                let _ = stream.write_all(&vec![7; 1 << 20]).await;
            });
        }
    });
    let settings = Settings { direction: Directions::Down, ..fast() };
    let samples = measure(settings, address).await;
    assert!(why_not(&samples[0]).contains("broken off"), "{}", why_not(&samples[0]));
    assert!(samples[0].details["refused_bytes"].as_u64().unwrap() > 1 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_ends_each_connection_after_its_answer_is_measured_all_the_same() {
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                // As PHP's own server does: the body ends where the connection does.
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
                let _ = stream.write_all(&vec![7; 1 << 20]).await;
            });
        }
    });
    let settings = Settings { direction: Directions::Down, pings: 0, address_path: String::new(), ..fast() };
    let samples = measure(settings, address).await;
    assert!(matches!(samples[0].values, Values::Number(_)), "{:?}", samples[0].values);
    assert_eq!(samples[0].details["requests_refused"], serde_json::json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_never_acknowledges_an_upload_holds_nobody_up() {
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = vec![0; 1 << 16];
                while stream.read(&mut bytes).await.is_ok_and(|n| n > 0) {}
            });
        }
    });
    let settings = Settings { direction: Directions::Up, pings: 0, address_path: String::new(), ..fast() };
    let samples = measure(settings, address).await;
    assert!(matches!(samples[0].values, Values::Unmeasured(_)), "{:?}", samples[0].values);
    assert_eq!(samples[0].details["stream_bytes"], serde_json::json!([0, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_keeps_what_is_known() {
    let (pull, stop) = Stop::new();
    let mut context = context(&backend(None, Queue::new(8, 8)));
    context.stop = stop;
    context.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Rate { at, .. } if at >= Span::millis(1_000)) {
            pull.send_replace(true);
        }
    }));
    let settings = Settings { duration_s: 60.0, ..fast() };
    let measurement = Librespeed::new(settings).unwrap().run(&context).await.unwrap();
    assert!(measurement.interrupted);
    assert_eq!(measurement.samples.len(), 1);
    assert!(
        matches!(measurement.samples[0].values, Values::Number(_)),
        "{:?}",
        measurement.samples[0].values
    );
}

/// A backend that answers uploads for a second and a half, and then no more.
struct FallsSilent(SystemClock);

#[async_trait]
impl Answer for FallsSilent {
    async fn answer(&self, _caller: Caller, request: Request<Incoming>) -> Response<Payload> {
        let _ = drain(request.into_body(), 1 << 40, Span::secs(5), |_| {}).await;
        if self.0.mono() > Mono(1_500_000_000) {
            std::future::pending::<()>().await;
        }
        plain(StatusCode::OK, "")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_upload_ends_where_the_oldest_request_began_that_is_not_known_to_count() {
    let service = Service::new(None, Limits::default()).and_at(LOCAL).unwrap();
    let mut context = context(&service.addresses()[0]);
    tokio::spawn(service.serve(Arc::new(FallsSilent(SystemClock::start())), Stop::never()));
    let (pull, stop) = Stop::new();
    context.stop = stop;
    context.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Rate { at, .. } if at >= Span::millis(3_000)) {
            pull.send_replace(true);
        }
    }));
    let settings = Settings {
        direction: Directions::Up,
        duration_s: 60.0,
        timeout_ms: 10_000.0,
        pings: 0,
        address_path: String::new(),
        ..fast()
    };
    let measurement = Librespeed::new(settings).unwrap().run(&context).await.unwrap();
    let sample = &measurement.samples[0];
    assert!(measurement.interrupted && sample.details["requests_counted"].as_u64().unwrap() > 0);
    assert!(sample.lasted < Span::millis(2_500), "{:?}", sample.lasted);
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |settings| Librespeed::new(settings).unwrap_err().to_string();
    assert!(refused(Settings { streams: 0, ..fast() }).contains("streams"));
    assert!(refused(Settings { duration_s: 0.5, ..fast() }).contains("duration_s"));
    assert!(refused(Settings { chunk_mib: 0, ..fast() }).contains("chunk_mib"));
    assert!(refused(Settings { pings: 5_000, ..fast() }).contains("pings"));
}
