//! Both ends over loopback. What is asserted is the bookkeeping, never the speed.

use super::peer::{Limits, Peer};
use super::*;
use crate::peer::queue::Queue;
use crate::probe::Stop;
use crate::testing::{context, number, why_not};
use broadgauge_model::clock::SystemClock;
use broadgauge_model::result::{Load, Sample, Values};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A server that serves until this is dropped.
struct Serving {
    address: SocketAddr,
    end: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Serving {
    #[expect(
        clippy::unused_async,
        reason = "taking a port needs a runtime: awaiting shows where one is missing"
    )]
    async fn start(limits: Limits) -> Self {
        let peer = Peer::new(limits, Queue::new(0, 1)).and_at("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = peer.addresses()[0];
        let (end, stop) = Stop::new();
        let task = tokio::spawn(peer.serve(Arc::new(SystemClock::start()), stop));
        Self { address, end, task }
    }
}

/// One second of TCP, nothing omitted, in pieces that a busy machine moves in time.
fn short(direction: Directions) -> Settings {
    Settings { duration_s: 1.0, omit_s: Some(0), direction, ..Settings::default() }
}

async fn measured(settings: Settings, address: SocketAddr) -> Measurement {
    Iperf3::new(settings).unwrap().run(&context(&address)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_is_counted_here_and_an_upload_by_the_server() {
    let peer = Serving::start(Limits::default()).await;
    let measurement = measured(Settings { streams: 2, ..short(Directions::Both) }, peer.address).await;
    let [down, up] = &measurement.samples[..] else { panic!("{:?}", measurement.samples) };
    assert_eq!((down.metric.id(), up.metric.id()), ("download_goodput", "upload_goodput"));
    assert!(number(down) > 0.0 && number(up) > 0.0);
    assert!(down.details["counted_by"].as_str().unwrap().contains("this end"));
    assert!(up.details["counted_by"].as_str().unwrap().contains("the server"));
    assert_eq!(down.details["intervals_bps"].as_array().unwrap().len(), 10);
    for sample in [down, up] {
        assert_eq!(sample.details["stream_bytes"].as_array().unwrap().len(), 2);
        assert!(sample.details["retransmitted_segments"].is_u64(), "{:?}", sample.details);
        assert!(sample.details["sender_congestion_control"].is_string());
        assert!(sample.details["rtp_jitter_ms"].is_null());
        assert_eq!(sample.load, Load::Idle);
    }
    assert!(measurement.bytes_moved > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ways_at_once_are_one_test_and_each_is_observed_under_the_other() {
    let peer = Serving::start(Limits::default()).await;
    let settings = Settings { streams: 3, omit_s: Some(1), ..short(Directions::Bidirectional) };
    let measurement = measured(settings, peer.address).await;
    let [down, up] = &measurement.samples[..] else { panic!("{:?}", measurement.samples) };
    assert!(number(down) > 0.0 && number(up) > 0.0);
    assert_eq!((down.load, up.load), (Load::Up, Load::Down));
    for sample in [down, up] {
        assert_eq!(sample.details["stream_bytes"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_are_sent_or_missed_and_received_or_lost() {
    let peer = Serving::start(Limits::default()).await;
    let settings = Settings {
        protocol: Protocol::Udp,
        streams: 2,
        bandwidth_mbps: Some(2.0),
        block_bytes: Some(500),
        ..short(Directions::Both)
    };
    let measurement = measured(settings, peer.address).await;
    let ids: Vec<&str> = measurement.samples.iter().map(|sample| sample.metric.id()).collect();
    let wanted =
        ["download_goodput", "loss_ratio", "interpacket_delay_variation", "upload_goodput", "loss_ratio"];
    assert_eq!(ids, wanted);
    for (rate, loss) in [(0, 1), (3, 4)] {
        let (rate, loss) = (&measurement.samples[rate], &measurement.samples[loss]);
        // Two streams of 2 Mbit/s: a machine that is held up sends less, never more.
        assert!(number(rate) > 0.0 && number(rate) < 4.2, "{}", number(rate));
        assert!(rate.details["rtp_jitter_ms"].as_f64().unwrap() >= 0.0);
        let counts = loss.counts;
        assert_eq!(counts.planned, counts.sent + counts.missed);
        assert_eq!(counts.sent, counts.received + counts.lost);
        assert!((0.0..=1.0).contains(&number(loss)));
        assert!(counts.sent > 0);
    }
    let Values::Histogram(variation) = &measurement.samples[2].values else { panic!() };
    assert!(!variation.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_both_ways_are_told_apart() {
    let peer = Serving::start(Limits::default()).await;
    let settings = Settings {
        protocol: Protocol::Udp,
        bandwidth_mbps: Some(1.0),
        omit_s: Some(1),
        ..short(Directions::Bidirectional)
    };
    let measurement = measured(settings, peer.address).await;
    let rates: Vec<&Sample> =
        measurement.samples.iter().filter(|s| s.metric.id().ends_with("goodput")).collect();
    assert_eq!(rates.len(), 2);
    assert!(rates.iter().all(|rate| number(rate) > 0.0 && number(rate) < 1.1), "{rates:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tcp_rate_that_was_asked_for_is_not_passed() {
    let peer = Serving::start(Limits::default()).await;
    let settings = Settings { bandwidth_mbps: Some(8.0), ..short(Directions::Both) };
    let measurement = measured(settings, peer.address).await;
    for sample in &measurement.samples {
        // The kernel lets the first window go before it paces: a second of 8 Mbit/s and that window.
        assert!(number(sample) < 30.0, "{}", number(sample));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_server_is_an_error_and_is_asked_again_where_there_is_patience() {
    let peer = Serving::start(Limits::default()).await;
    let (started, mut running) = watch::channel(false);
    let mut first = context(&peer.address);
    first.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Rate { .. }) {
            started.send_replace(true);
        }
    }));
    let settings = Settings { duration_s: 3.0, ..short(Directions::Down) };
    let first = tokio::spawn(async move { Iperf3::new(settings).unwrap().run(&first).await });
    running.wait_for(|running| *running).await.unwrap();
    let hasty = Settings { queue_patience_s: 0, ..short(Directions::Down) };
    let error = Iperf3::new(hasty).unwrap().run(&context(&peer.address)).await.unwrap_err().to_string();
    assert!(error.contains("busy with another test"), "{error}");
    let queued = Arc::new(Mutex::new(0));
    let told = Arc::clone(&queued);
    let mut second = context(&peer.address);
    second.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Queued { ahead: 1 }) {
            *told.lock().unwrap() += 1;
        }
    }));
    let patient = Iperf3::new(short(Directions::Down)).unwrap().run(&second).await.unwrap();
    assert!(number(&patient.samples[0]) > 0.0);
    assert!(*queued.lock().unwrap() > 0);
    assert!(number(&first.await.unwrap().unwrap().samples[0]) > 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_the_test_and_keeps_what_was_counted() {
    let peer = Serving::start(Limits::default()).await;
    let (pull, stop) = Stop::new();
    let mut context = context(&peer.address);
    context.stop = stop;
    context.listener = Some(Arc::new(move |event| {
        if matches!(event, Event::Rate { at, .. } if at >= Span::millis(1_200)) {
            pull.send_replace(true);
        }
    }));
    let settings = Settings { duration_s: 60.0, ..short(Directions::Bidirectional) };
    let measurement = Iperf3::new(settings).unwrap().run(&context).await.unwrap();
    assert!(measurement.interrupted);
    for sample in &measurement.samples {
        assert!(number(sample) > 0.0);
        assert!(sample.lasted < Span::secs(30));
        assert_eq!(sample.details["interrupted"], true);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_stop_half_way_is_a_reason_not_a_rate() {
    for direction in [Directions::Down, Directions::Bidirectional] {
        let Serving { address, end, task } = Serving::start(Limits::default()).await;
        let mut context = context(&address);
        context.listener = Some(Arc::new(move |event| {
            if matches!(event, Event::Rate { at, .. } if at >= Span::millis(300)) {
                end.send_replace(true);
            }
        }));
        let settings = Settings { duration_s: 60.0, ..short(direction) };
        let measurement = Iperf3::new(settings).unwrap().run(&context).await.unwrap();
        for sample in &measurement.samples {
            assert!(why_not(sample).contains("was told to stop"), "{:?}", sample.values);
        }
        assert!(!measurement.samples[0].details["intervals_bps"].as_array().unwrap().is_empty());
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_does_not_allow_is_said_in_words() {
    let peer = Serving::start(Limits { duration: Span::secs(5), streams: 4, ..Limits::default() }).await;
    let refused = async |settings: Settings| {
        Iperf3::new(settings).unwrap().run(&context(&peer.address)).await.unwrap_err().to_string()
    };
    let long = refused(Settings { duration_s: 6.0, ..short(Directions::Down) }).await;
    assert!(long.contains("error 37") && long.contains("longer than the server allows"), "{long}");
    let many = refused(Settings { streams: 5, ..short(Directions::Up) }).await;
    assert!(many.contains("more parallel streams"), "{many}");
    let udp = Settings { protocol: Protocol::Udp, ..short(Directions::Down) };
    let fast = refused(Settings { bandwidth_mbps: Some(0.0), ..udp }).await;
    assert!(fast.contains("rate is higher than the server allows"), "{fast}");
    assert!(peer.end.send(true).is_ok());
    peer.task.await.unwrap();
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |settings: Settings| Iperf3::new(settings).err().unwrap().to_string();
    let udp = Settings { protocol: Protocol::Udp, ..Settings::default() };
    assert!(refused(Settings { streams: 129, ..Settings::default() }).contains("setting streams"));
    assert!(refused(Settings { duration_s: 1.5, ..Settings::default() }).contains("setting duration_s"));
    assert!(refused(Settings { omit_s: Some(61), ..Settings::default() }).contains("setting omit_s"));
    assert!(refused(Settings { block_bytes: Some(15), ..udp.clone() }).contains("setting block_bytes"));
    assert!(
        refused(Settings { bandwidth_mbps: Some(-1.0), ..Settings::default() }).contains("bandwidth_mbps")
    );
    assert!(refused(Settings { congestion: Some("bbr".into()), ..udp }).contains("setting protocol"));
    assert!(refused(Settings { segment_bytes: Some(1), ..Settings::default() }).contains("segment_bytes"));
}
