//! The methods over this machine's own sockets. What is asserted are books, not times: the machine may be busy.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
#![expect(clippy::print_stderr, reason = "what is skipped is said aloud")]

use broadgauge_model::clock::{Clock, SystemClock};
use broadgauge_model::result::{Counts, Outcome};
use broadgauge_probes::codec::stamp::{Key, Mode};
use broadgauge_probes::net::real::RealNet;
use broadgauge_probes::packets::{Settings, Spacing};
use broadgauge_probes::ping::Ping;
use broadgauge_probes::probe::{Binding, Context, Event, Measurement, Probe, ProbeError, Stop};
use broadgauge_probes::stamp::Stamp;
use broadgauge_probes::stamp::peer::Limits;
use broadgauge_probes::stamp::serve::{Serving, serve};
use std::net::SocketAddr;
use std::sync::Arc;

fn context(address: &impl ToString) -> Context {
    Context::alone(address, Arc::new(SystemClock::start()), 42)
}

fn reflector(at: &str, mode: Mode) -> Serving {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let at: SocketAddr = at.parse().unwrap();
    serve(&RealNet::new(clock), at, &Binding::default(), mode, Limits::default()).unwrap()
}

fn has_ipv6() -> bool {
    let has = std::net::UdpSocket::bind("[::1]:0").is_ok();
    if !has {
        eprintln!("skipped: no ::1 on this machine");
    }
    has
}

fn key(secret: &[u8]) -> Key {
    Key::new(secret).unwrap()
}

fn a_few(count: u64) -> Settings {
    Settings { per_second: 500.0, count: Some(count), timeout_ms: 2_000.0, ..Settings::default() }
}

fn counts(measurement: &Measurement) -> Counts {
    let counts = measurement.samples[0].counts;
    assert_eq!(counts.sent + counts.missed, counts.planned);
    assert_eq!(counts.received + counts.lost, counts.sent);
    counts
}

#[tokio::test]
async fn stamp_crosses_the_loopback_in_both_families_with_and_without_a_key() {
    let mut places = vec!["127.0.0.1:0"];
    if has_ipv6() {
        places.push("[::1]:0");
    }
    for place in places {
        for secret in [None, Some(b"a shared secret")] {
            let mode = secret.map_or(Mode::Open, |secret| Mode::Authenticated(key(secret)));
            let peer = reflector(place, mode);
            let stamp = Stamp::new(a_few(50));
            let stamp = match secret {
                Some(secret) => stamp.with_key(key(secret)),
                None => stamp,
            };
            let measurement = stamp.run(&context(&peer.address())).await.unwrap();
            let counts = counts(&measurement);
            assert_eq!((counts.lost, counts.duplicate, counts.reordered), (0, 0, 0), "{place}");
            assert_eq!((counts.lost_forward, counts.lost_backward), (Some(0), Some(0)));
            let details = &measurement.samples[0].details;
            assert_eq!(details["authenticated"], secret.is_some());
            assert_eq!(details["ttl"], 255, "the loopback is no hop");
            assert_eq!(peer.stop().answered, counts.sent);
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_everything_is_lost() {
    let peer = reflector("127.0.0.1:0", Mode::Authenticated(key(b"one")));
    let settings = Settings { timeout_ms: 50.0, ..a_few(10) };
    let stamp = Stamp::new(settings).with_key(key(b"two"));
    let measurement = stamp.run(&context(&peer.address())).await.unwrap();
    let counts = counts(&measurement);
    assert_eq!((counts.received, counts.lost), (0, counts.sent));
    let totals = peer.stop();
    assert_eq!((totals.answered, totals.forged), (0, counts.sent));
}

#[tokio::test]
async fn a_thousand_packets_a_second_for_ten_seconds_are_all_in_the_books() {
    let peer = reflector("127.0.0.1:0", Mode::Open);
    let settings = Settings { per_second: 1_000.0, duration_s: 10.0, ..Settings::default() };
    let measurement = Stamp::new(settings).run(&context(&peer.address())).await.unwrap();
    let counts = counts(&measurement);
    assert_eq!(counts.planned, 10_000);
    assert_eq!(measurement.singletons[0].1.len(), 10_000);
    // The reflector's own count: what left this machine reached it, or was lost on the way there.
    let (sent, answered) = (counts.sent, peer.stop().answered);
    let unknown = measurement.samples[0].details["lost_direction_unknown"].as_u64().unwrap();
    let there = answered + counts.lost_forward.unwrap_or(0);
    assert!((there..=there + unknown).contains(&sent), "{sent} left, {answered} answered: {counts:?}");
}

#[tokio::test]
async fn a_closed_port_loses_everything_and_says_why() {
    // Bound, so that nobody else comes to listen there, and connected to itself, so that it hears nobody either.
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let closed = socket.local_addr().unwrap();
    socket.connect(closed).unwrap();
    let settings = Settings { timeout_ms: 50.0, ..a_few(10) };
    let measurement = Stamp::new(settings).run(&context(&closed)).await.unwrap();
    let counts = counts(&measurement);
    assert_eq!((counts.received, counts.lost), (0, counts.sent));
    assert_eq!((counts.lost_forward, counts.lost_backward), (None, None), "nobody counts there");
    assert!(measurement.samples[0].details["unreachable"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_stop_gives_what_there_is() {
    let peer = reflector("127.0.0.1:0", Mode::Open);
    let (pull, stop) = Stop::new();
    let settings = Settings { count: Some(100_000), spacing: Spacing::Poisson, ..a_few(1) };
    let mut context = context(&peer.address());
    context.stop = stop;
    context.listener = Some(Arc::new(move |event| {
        if let Event::Singleton { singleton, .. } = event
            && singleton.index >= 20
        {
            pull.send_replace(true);
        }
    }));
    let measurement = Stamp::new(settings).run(&context).await.unwrap();
    assert!(measurement.interrupted);
    let counts = counts(&measurement);
    assert!(counts.planned < 100_000);
    assert_eq!(counts.lost, 0, "what was on its way is not lost");
}

#[tokio::test]
async fn the_door_that_was_chosen_is_in_the_result() {
    let peer = reflector("127.0.0.1:0", Mode::Open);
    let mut context = context(&peer.address());
    let (interface, source) = (Some(String::from("lo")), Some([127, 0, 0, 9].into()));
    context.binding = Binding { interface, source, dscp: Some(46) };
    let measurement = Stamp::new(a_few(5)).run(&context).await.unwrap();
    assert_eq!(counts(&measurement).lost, 0);
    let details = &measurement.samples[0].details;
    assert_eq!(details["interface"], "lo");
    assert_eq!(details["source"], "127.0.0.9");
    assert_eq!(details["dscp"], 46);
}

#[tokio::test]
async fn an_interface_that_is_not_there_is_an_error_and_not_a_loss() {
    let mut context = context(&"127.0.0.1");
    context.binding.interface = Some(String::from("nosuch0"));
    let error = Stamp::new(a_few(5)).run(&context).await.unwrap_err();
    assert!(error.to_string().contains("nosuch0"), "{error}");
}

#[tokio::test]
async fn ping_hears_the_loopback_or_says_what_is_missing() {
    let mut places = vec!["127.0.0.1"];
    if has_ipv6() {
        places.push("::1");
    }
    for place in places {
        match Ping::new(a_few(20)).run(&context(&place)).await {
            Ok(measurement) => {
                let counts = counts(&measurement);
                assert_eq!((counts.lost, counts.duplicate), (0, 0), "{place}");
                let fates = &measurement.singletons[0].1;
                assert!(fates.iter().all(|fate| fate.outcome != Outcome::Lost));
            }
            Err(ProbeError::Forbidden { what, cure }) => {
                eprintln!("skipped: {what}");
                assert!(cure.contains("ping_group_range") && cure.contains("cap_net_raw"), "{cure}");
            }
            Err(other) => panic!("{other}"),
        }
    }
}
