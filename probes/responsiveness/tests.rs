//! Over loopback, against a peer of ours: every part is there, and strangers on either side are held off.

use super::*;
use crate::http::server::{Answer, Caller, Limits, Service, plain};
use crate::peer::queue::Queue;
use crate::peer::service::Ground;
use crate::probe::Stop;
use crate::testing::{context, ground};
use crate::throughput::Directions;
use crate::tls::Server;
use broadgauge_model::result::{Load, Values};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn certificate() -> Server {
    Server::self_signed(&[String::from("127.0.0.1")], &["h2", "http/1.1"]).unwrap()
}

fn peer(queue: Queue) -> SocketAddr {
    let running = peer::start(Ground { tls: Some(certificate()), queue, ..ground(LOCAL) }).unwrap();
    tokio::spawn(running.answering);
    running.addresses[0]
}

fn fast() -> Settings {
    Settings {
        interval_s: 0.2,
        longest_s: 2.0,
        deviation: 0.5,
        most_connections: 2,
        insecure: true,
        queue_patience_s: 0,
        ..Settings::default()
    }
}

async fn measure(settings: Settings, context: &Context) -> Result<Measurement, ProbeError> {
    Responsiveness::new(settings).unwrap().run(context).await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_directions_have_both_parts_and_say_how_far_they_settled() {
    let address = peer(Queue::new(8, 8));
    let measurement = measure(fast(), &context(&address)).await.unwrap();
    assert_eq!(measurement.samples.len(), 2);
    for (sample, load) in measurement.samples.iter().zip([Load::Down, Load::Up]) {
        let Values::Number(rpm) = sample.values else { panic!("{:?} {:?}", sample.values, sample.details) };
        let details = &sample.details;
        assert_eq!(sample.load, load);
        let mean =
            details["rpm"]["foreign"].as_f64().unwrap().midpoint(details["rpm"]["self"].as_f64().unwrap());
        assert!(rpm > 0.0 && (rpm - mean).abs() < 1e-6 * rpm);
        for part in ["tcp_f", "tls_f", "http_f", "http_l"] {
            assert!(details[part]["trimmed_mean_ms"].as_f64().unwrap() > 0.0, "{part}");
        }
        assert_eq!(details["variant"], meter::VARIANT);
        assert_eq!(details["interval_s"], 0.2);
        assert!(details["goodput_stable"].is_boolean() && details["responsiveness_stable"].is_boolean());
        assert!(["medium", "high"].contains(&details["confidence"].as_str().unwrap()));
        assert!(details["intervals"][1]["goodput_bps"].as_f64().unwrap() > 0.0);
        assert_eq!(sample.counts.planned, sample.counts.sent + sample.counts.missed);
    }
    assert!(measurement.bytes_moved > 1_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_busy_with_another_load_says_so() {
    let queue = Queue::new(8, 8);
    let _running = queue.enter("192.0.2.1".parse().unwrap()).unwrap();
    let address = peer(queue);
    let settings = Settings { direction: Directions::Down, ..fast() };
    let measurement = measure(settings, &context(&address)).await.unwrap();
    let Values::Unmeasured(why) = &measurement.samples[0].values else { panic!() };
    assert!(why.0.contains("status 429"), "{}", why.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_patience_comes_back_when_the_peer_is_free() {
    let queue = Queue::new(8, 8);
    let running = Arc::new(std::sync::Mutex::new(Some(queue.enter("192.0.2.1".parse().unwrap()).unwrap())));
    let mut context = context(&peer(queue));
    context.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Queued { .. }) {
            running.lock().unwrap().take();
        }
    }));
    let settings = Settings { direction: Directions::Down, queue_patience_s: 60, ..fast() };
    let measurement = measure(settings, &context).await.unwrap();
    assert!(
        matches!(measurement.samples[0].values, Values::Number(_)),
        "{:?}",
        measurement.samples[0].values
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_keeps_what_is_known() {
    let address = peer(Queue::new(8, 8));
    let (pull, stop) = Stop::new();
    let mut context = context(&address);
    context.stop = stop;
    context.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Rate { .. }) {
            pull.send_replace(true);
        }
    }));
    let measurement = measure(fast(), &context).await.unwrap();
    assert!(measurement.interrupted);
    assert_eq!(measurement.samples.len(), 1);
    assert_eq!(measurement.samples[0].details["confidence"], "low");
}

/// A server that is not as it should be.
struct Strange(&'static str);

#[async_trait]
impl Answer for Strange {
    async fn answer(&self, caller: Caller, request: Request<Incoming>) -> Response<Payload> {
        let object = |object: serde_json::Value| Response::new(Payload::bytes(object.to_string()));
        let here = format!("{}", caller.local);
        match (self.0, request.uri().path()) {
            ("not an object", _) => Response::new(Payload::bytes("<html>")),
            ("endless", _) => Response::new(Payload::random(1 << 40, 1)),
            ("several hosts", _) => {
                let mut all = discovery::write("https", &here);
                all["urls"]["small_download_url"] = json!("https://other.example/");
                object(all)
            }
            (_, WELL_KNOWN) => object(discovery::write("https", &here)),
            ("mute", _) => std::future::pending().await,
            ("no small", discovery::SMALL) => plain(StatusCode::NOT_FOUND, ""),
            (_, discovery::LARGE) => Response::new(Payload::random(1 << 40, 1)),
            _ => plain(StatusCode::OK, "x"),
        }
    }
}

fn strange(how: &'static str) -> SocketAddr {
    let service = Service::new(Some(certificate()), Limits::default()).and_at(LOCAL).unwrap();
    let address = service.addresses()[0];
    tokio::spawn(service.serve(Arc::new(Strange(how)), Stop::never()));
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_believed_ends_the_test_before_any_load() {
    for (how, said) in
        [("not an object", "no such object"), ("endless", "more than"), ("several hosts", "several hosts")]
    {
        let context = context(&strange(how));
        let settings = Settings { direction: Directions::Down, ..fast() };
        let error = measure(settings, &context).await.unwrap_err().to_string();
        assert!(error.contains(said), "{how}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_silent_holds_us_no_longer_than_planned() {
    let settings = Settings { direction: Directions::Down, timeout_ms: 100.0, longest_s: 0.6, ..fast() };
    let measurement = measure(settings.clone(), &context(&strange("mute"))).await.unwrap();
    let sample = &measurement.samples[0];
    assert!(matches!(&sample.values, Values::Unmeasured(why) if why.0.contains("no probe succeeded")));
    assert_eq!(sample.counts.received, 0);
    assert_eq!(sample.details["probes_lost"], sample.counts.lost);
    let measurement = measure(settings, &context(&strange("no small"))).await.unwrap();
    let sample = &measurement.samples[0];
    assert!(
        matches!(&sample.values, Values::Unmeasured(why) if why.0.contains("404")),
        "{:?}",
        sample.values
    );
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |settings| Responsiveness::new(settings).unwrap_err().to_string();
    assert!(refused(Settings { interval_s: 0.0, ..fast() }).contains("interval_s"));
    assert!(refused(Settings { longest_s: 0.1, ..fast() }).contains("longest_s"));
    assert!(refused(Settings { connections: 3, ..fast() }).contains("connections"));
    assert!(refused(Settings { probe_share: 0.9, ..fast() }).contains("probe_share"));
    assert!(refused(Settings { moving_average: 1, ..fast() }).contains("moving_average"));
}
