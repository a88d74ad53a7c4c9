//! Both ends over loopback. What is asserted is the bookkeeping, never the speed.

use super::peer::{Limits, Peer};
use super::*;
use crate::codec::stamp::Mode;
use crate::net::real::RealNet;
use crate::probe::{Binding, Event, Stop};
use crate::stamp::serve::serve;
use crate::testing::{context, number, why_not};
use broadgauge_model::clock::{Clock, SystemClock};
use broadgauge_model::result::{Sample, Values};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A peer that serves until this is dropped.
struct Serving {
    address: SocketAddr,
    end: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Serving {
    async fn with(limits: Limits, address: &str) -> Self {
        let peer = Peer::bind(address.parse().unwrap(), limits, None).await.unwrap();
        let address = peer.address().unwrap();
        let (end, stop) = Stop::new();
        let task = tokio::spawn(peer.serve(Arc::new(SystemClock::start()), stop));
        Self { address, end, task }
    }

    async fn start() -> Self {
        Self::with(Limits::default(), "127.0.0.1:0").await
    }
}

fn short(direction: Directions) -> Throughput {
    Throughput::new(Settings { duration_s: 1.0, direction, ..bare() }).unwrap()
}

/// Without delay probes.
fn bare() -> Settings {
    Settings { streams: 3, delay_per_second: 0.0, ..Settings::default() }
}

fn sum(value: &Value) -> u64 {
    value.as_array().unwrap().iter().map(|each| each.as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_byte_in_the_intervals_is_on_a_stream_and_the_rate_is_that_of_the_window() {
    let peer = Serving::start().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&seen);
    let mut context = context(&peer.address);
    context.listener = Some(Arc::new(move |event| {
        if let Event::Rate { load, rate, .. } = event {
            ear.lock().unwrap().push((load, rate.0));
        }
    }));
    let measurement = short(Directions::Both).run(&context).await.unwrap();
    assert!(!measurement.interrupted);
    let ids: Vec<_> = measurement.samples.iter().map(|sample| sample.metric.id()).collect();
    assert_eq!(ids, ["download_goodput", "upload_goodput"]);
    let mut moved = 0;
    for sample in &measurement.samples {
        let details = &sample.details;
        let intervals: Vec<f64> = serde_json::from_value(details["intervals_bps"].clone()).unwrap();
        let bytes = sum(&details["stream_bytes"]["each"]);
        assert_eq!(intervals.len(), 10);
        assert_eq!(intervals.iter().sum::<f64>() / 80.0, bytes as f64);
        // What waited behind a gap before the window is told, and is no part of its rate.
        let waited = details["waited_before_window_bytes"].as_u64().unwrap();
        let window = (intervals[5..].iter().sum::<f64>() / 10.0 - waited as f64 * 8.0) / 0.5 / 1e6;
        assert!((number(sample) - window).abs() < 1e-6 * window);
        assert_eq!(details["window_bytes"].as_f64().unwrap() * 8.0 / 0.5 / 1e6, number(sample));
        assert_eq!(details["warm_up_ms"], 500.0);
        assert!(details["sender"]["congestion_control"].is_string());
        assert_eq!(details["sender"]["tcp_info"].as_array().unwrap().len(), 3);
        assert!(details["sender"]["min_rtt_us"].as_u64().unwrap() > 0);
        assert!(details["stream_bytes"]["fairness"].as_f64().unwrap() <= 1.0 + 1e-9);
        moved += bytes;
    }
    assert_eq!(measurement.bytes_moved, moved);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().filter(|(load, _)| *load == Load::Down).count(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_family_works_alike() {
    let peer = Serving::with(Limits::default(), "[::1]:0").await;
    let measurement = short(Directions::Up).run(&context(&peer.address)).await.unwrap();
    assert!(number(&measurement.samples[0]) > 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_congestion_control_that_was_asked_for_is_used_at_the_sending_end() {
    let peer = Serving::start().await;
    let settings = Settings { streams: 1, duration_s: 1.0, congestion: Some(String::from("reno")), ..bare() };
    let measurement = Throughput::new(settings).unwrap().run(&context(&peer.address)).await.unwrap();
    for sample in &measurement.samples {
        assert_eq!(sample.details["sender"]["congestion_control"], "reno");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_congestion_control_that_the_system_lacks_is_a_reason_not_a_rate() {
    let peer = Serving::start().await;
    let settings = Settings { congestion: Some(String::from("nosuch")), ..bare() };
    let measurement = Throughput::new(settings).unwrap().run(&context(&peer.address)).await.unwrap();
    let [down, up] = &measurement.samples[..] else { panic!("{:?}", measurement.samples) };
    assert!(why_not(down).contains("nosuch"));
    assert_eq!(why_not(up), "not asked: the download before it failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_test_waits_and_is_told_its_place() {
    let peer = Serving::start().await;
    let (started, mut running) = watch::channel(false);
    let mut first = context(&peer.address);
    first.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Rate { .. }) {
            started.send_replace(true);
        }
    }));
    let first = tokio::spawn(async move { short(Directions::Down).run(&first).await });
    running.wait_for(|running| *running).await.unwrap();
    let places = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&places);
    let mut second = context(&peer.address);
    second.listener = Some(Arc::new(move |event| match event {
        Event::Queued { ahead } => told.lock().unwrap().push(ahead),
        Event::Phase(_) => told.lock().unwrap().push(0),
        _ => {}
    }));
    let measurement = short(Directions::Down).run(&second).await.unwrap();
    assert!(number(&measurement.samples[0]) > 0.0);
    assert!(number(&first.await.unwrap().unwrap().samples[0]) > 0.0);
    let places = places.lock().unwrap();
    assert_eq!((places.first(), places.last()), (Some(&1), Some(&0)), "{places:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_families_of_one_port_share_one_queue() {
    let four = Peer::bind("0.0.0.0:0".parse().unwrap(), Limits::default(), None).await.unwrap();
    let port = four.address().unwrap().port();
    let both = four.and_at(SocketAddr::new("::".parse().unwrap(), port), None).unwrap();
    assert_eq!(both.addresses().len(), 2);
    let (end, stop) = Stop::new();
    let serving = tokio::spawn(both.serve(Arc::new(SystemClock::start()), stop));
    let waited = Arc::new(Mutex::new(false));
    let contexts = ["127.0.0.1", "::1"].map(|host| {
        let told = Arc::clone(&waited);
        let mut context = context(&SocketAddr::new(host.parse().unwrap(), port));
        context.listener = Some(Arc::new(move |event| {
            if matches!(event, Event::Queued { ahead: 1 }) {
                *told.lock().unwrap() = true;
            }
        }));
        context
    });
    let (first, second) = (short(Directions::Down), short(Directions::Down));
    let (a, b) = tokio::join!(first.run(&contexts[0]), second.run(&contexts[1]));
    assert!(number(&a.unwrap().samples[0]) > 0.0 && number(&b.unwrap().samples[0]) > 0.0);
    assert!(*waited.lock().unwrap(), "one of the two waited for the other");
    end.send_replace(true);
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_the_test_at_once_and_keeps_what_was_counted() {
    let peer = Serving::start().await;
    for direction in [Directions::Down, Directions::Up] {
        let (pull, stop) = Stop::new();
        let mut context = context(&peer.address);
        context.stop = stop;
        context.listener = Some(Arc::new(move |event| {
            if matches!(event, Event::Rate { at, .. } if at >= Span::millis(1_200)) {
                pull.send_replace(true);
            }
        }));
        let settings = Settings { duration_s: 60.0, direction, ..bare() };
        let measurement = Throughput::new(settings).unwrap().run(&context).await.unwrap();
        assert!(measurement.interrupted);
        assert!(number(&measurement.samples[0]) > 0.0);
        assert_eq!(measurement.samples[0].details["interrupted"], true);
        assert!(measurement.samples[0].lasted < Span::secs(30));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_is_stopped_half_way_is_a_reason_not_a_rate() {
    for direction in [Directions::Down, Directions::Up] {
        let Serving { address, end, task } = Serving::start().await;
        let mut context = context(&address);
        context.listener = Some(Arc::new(move |event| {
            if matches!(event, Event::Rate { at, .. } if at >= Span::millis(300)) {
                end.send_replace(true);
            }
        }));
        let settings = Settings { duration_s: 60.0, direction, ..bare() };
        let measurement = Throughput::new(settings).unwrap().run(&context).await.unwrap();
        assert!(measurement.bytes_moved > 0, "what was moved counts, whatever came of it");
        let reason = why_not(&measurement.samples[0]);
        assert!(reason.contains("before their time") || reason.contains("closed"), "{reason}");
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_delay_is_watched_idle_and_in_the_window_of_each_load() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let net = RealNet::new(Arc::clone(&clock));
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let limits = crate::stamp::peer::Limits::default();
    let reflector = serve(&net, local, &Binding::default(), Mode::Open, limits).unwrap();
    let peer = Peer::bind(local, Limits::default(), Some(reflector.address().port())).await.unwrap();
    let context = context(&peer.address().unwrap());
    let (end, stop) = Stop::new();
    let serving = tokio::spawn(peer.serve(clock, stop));
    let settings =
        Settings { streams: 2, duration_s: 1.5, idle_s: 0.3, delay_per_second: 50.0, ..Settings::default() };
    let measurement = Throughput::new(settings).unwrap().run(&context).await.unwrap();
    let of = |id: &str| -> Vec<&Sample> {
        measurement.samples.iter().filter(|sample| sample.metric.id() == id).collect()
    };
    let idle = of("round_trip_delay");
    assert_eq!((idle.len(), idle[0].load, idle[0].counts.planned), (1, Load::Idle, 15));
    let loaded = of("loaded_round_trip_delay");
    assert_eq!(loaded.iter().map(|sample| sample.load).collect::<Vec<_>>(), [Load::Down, Load::Up]);
    for (sample, goodput) in loaded.iter().zip([of("download_goodput")[0], of("upload_goodput")[0]]) {
        let window = Span::millis(goodput.details["window_ms"].as_f64().unwrap() as i64);
        assert_eq!(sample.lasted, window);
        let counts = sample.counts;
        assert!(counts.planned.abs_diff((window.0 / 20_000_000) as u64) <= 1, "{counts:?} in {window:?}");
        assert_eq!(counts.planned, counts.sent + counts.missed);
        assert_eq!(counts.sent, counts.received + counts.lost);
        let Values::Histogram(delays) = &sample.values else { panic!("{:?}", sample.values) };
        assert_eq!(delays.len(), counts.received);
        let detail = |key: &str| sample.details[key].as_f64().unwrap();
        let rise = detail("loaded_p95_ms") - detail("idle_p95_ms");
        assert!((detail("rise_p95_ms") - rise).abs() < 1e-9);
    }
    assert_eq!(measurement.singletons.len(), 3);
    end.send_replace(true);
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_reflector_the_delay_is_unmeasured_and_the_rate_is_not() {
    let peer = Serving::start().await;
    let settings = Settings { direction: Directions::Down, delay_per_second: 20.0, ..bare() };
    let settings = Settings { duration_s: 1.0, ..settings };
    let measurement = Throughput::new(settings).unwrap().run(&context(&peer.address)).await.unwrap();
    let [idle, rate, loaded] = &measurement.samples[..] else { panic!("{:?}", measurement.samples) };
    assert!(why_not(idle).contains("no STAMP reflector") && why_not(loaded).contains("no STAMP reflector"));
    assert!(number(rate) > 0.0);
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |settings: Settings| Throughput::new(settings).err().unwrap().to_string();
    assert!(refused(Settings { streams: 0, ..Settings::default() }).contains("streams"));
    assert!(refused(Settings { duration_s: 1.05, ..Settings::default() }).contains("duration_s"));
    assert!(refused(Settings { duration_s: 0.5, ..Settings::default() }).contains("duration_s"));
    let long = Settings { congestion: Some("x".repeat(40)), ..Settings::default() };
    assert!(refused(long).contains("congestion"));
}
