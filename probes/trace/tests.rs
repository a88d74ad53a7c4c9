use super::*;
use crate::net::sim::{Far, Path as Line, Router, Scenario, SimNet};
use crate::session::{Datagram, Session, Step};
use broadgauge_model::clock::Mono;
use std::io;

/// A far end that never answers UDP.
struct Mute;

impl crate::net::Inbox for Mute {
    fn received(&mut self, _: &crate::net::Packet<'_>) {}
}

impl Session for Mute {
    fn step(&mut self, _: crate::net::Now) -> Step {
        Step::WaitUntil(Mono(u64::MAX))
    }
    fn send_failed(&mut self, _: u64, _: &io::Error) {}
}

fn line() -> Scenario {
    let router = |share| Router { share, ..Router::default() };
    Scenario {
        seed: 7,
        forward: Line { delay_ms: 10.0, ..Line::default() },
        backward: Line { delay_ms: 10.0, ..Line::default() },
        far: Far { closed: true, ..Far::default() },
        routers: vec![router(0.1), router(0.5), router(0.9)],
        ..Scenario::default()
    }
}

async fn trace(scenario: Scenario, settings: Settings) -> Measurement {
    let net = SimNet::new(scenario, Box::new(Mute));
    Trace::new(settings).unwrap().run(&Context::over(&net, &"192.0.2.9", 42)).await.unwrap()
}

fn median(sample: &Sample) -> f64 {
    let Values::Histogram(h) = &sample.values else { panic!("{:?}", sample.values) };
    h.quantile(0.5).map_or(f64::NAN, |t| t as f64 * sample.metric.tick)
}

fn both() -> [Settings; 2] {
    [Carrier::Icmp, Carrier::Udp].map(|protocol| Settings { protocol, ..Settings::default() })
}

fn addresses(measurement: &Measurement) -> Vec<Value> {
    measurement.samples[2..].iter().map(|hop| hop.details["address"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_hop_answers_after_its_share_of_the_way() {
    for settings in both() {
        let mut scenario = line();
        for router in &mut scenario.routers {
            router.quotes = 64;
        }
        let traced = trace(scenario, settings).await;
        assert_eq!(addresses(&traced), ["203.0.113.1", "203.0.113.2", "203.0.113.3", "192.0.2.9"]);
        for (sample, expected) in traced.samples[2..].iter().zip([2.0, 10.0, 18.0, 20.0]) {
            assert!((median(sample) - expected).abs() < 0.05, "{} {expected}", median(sample));
            assert_eq!((sample.counts.sent, sample.counts.lost), (10, 0));
        }
        assert!((median(&traced.samples[0]) - 20.0).abs() < 0.05);
        assert_eq!(traced.samples[0].details["reached_at_hop"], 4);
        assert_eq!(traced.samples[1].values, Values::Number(0.0));
    }
}

#[tokio::test(start_paused = true)]
async fn one_flow_goes_one_way_though_routers_spread_flows() {
    for settings in both() {
        let mut scenario = line();
        for router in &mut scenario.routers {
            (router.twin, router.quotes) = (true, 64);
        }
        let traced = trace(scenario, settings).await;
        for hop in &traced.samples[2..] {
            assert_eq!(hop.details["addresses"].as_array().unwrap().len(), 1, "{:?}", hop.details);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn routers_that_quote_eight_bytes_are_known_by_icmp_and_by_udp_only_one_at_a_time() {
    let traced = trace(line(), Settings::default()).await;
    assert_eq!(addresses(&traced).len(), 4);
    assert_eq!(traced.samples[0].details["short_quotes"], 0);
    // Slower than the line: one probe under way at a time.
    let slow = Settings { protocol: Carrier::Udp, per_second: 20.0, ..Settings::default() };
    let traced = trace(line(), slow.clone()).await;
    assert_eq!(addresses(&traced).len(), 4);
    assert_eq!(traced.samples[2].counts.lost, 0);
    assert_eq!(traced.samples[0].details["unrecognised"], 0);
    // Faster than the line: nobody can say whose the report is, and nobody guesses.
    let traced = trace(line(), Settings { per_second: 500.0, ..slow }).await;
    assert!(traced.samples[0].details["unrecognised"].as_u64().unwrap() > 0);
    assert!(traced.samples[0].details["short_quotes"].as_u64().unwrap() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_router_is_a_gap_and_not_an_end() {
    let mut scenario = line();
    scenario.routers[1].silent = 1.0;
    let traced = trace(scenario, Settings::default()).await;
    assert_eq!(
        addresses(&traced),
        [json!("203.0.113.1"), Value::Null, json!("203.0.113.3"), json!("192.0.2.9")]
    );
    let silent = &traced.samples[3];
    assert_eq!((silent.counts.received, silent.counts.lost), (0, silent.counts.sent));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_nobody_reaches_is_unmeasured_and_the_last_hop_is_named() {
    let mut scenario = line();
    scenario.routers[2].refuses_at_s = Some(0.0);
    scenario.routers[2].quotes = 64;
    for settings in both() {
        let traced = trace(scenario.clone(), settings).await;
        let Values::Unmeasured(Reason(why)) = &traced.samples[0].values else { panic!("not reached") };
        assert!(why.contains("203.0.113.3") && why.contains("prohibited"), "{why}");
    }
    let mute = Scenario { far: Far { dies_at_s: Some(0.0), ..Far::default() }, ..line() };
    let traced = trace(mute, Settings::default()).await;
    let Values::Unmeasured(Reason(why)) = &traced.samples[0].values else { panic!("not reached") };
    assert!(why.contains("hop 3") && why.contains("time exceeded"), "{why}");
    let asked: u64 = traced.samples[2..].iter().map(|hop| hop.counts.sent).sum();
    assert_eq!(asked, 30);
}

#[tokio::test(start_paused = true)]
async fn the_highest_hop_there_can_be_is_asked_in_every_round() {
    for settings in both() {
        let mute = Scenario { far: Far { dies_at_s: Some(0.0), ..Far::default() }, ..line() };
        let highest = Settings { first_hop: 250, max_hops: 255, count: 3, ..settings };
        let (told, ear) = std::sync::mpsc::channel();
        let net = SimNet::new(mute, Box::new(Mute));
        let listener: crate::probe::Listener = Arc::new(move |event| {
            if let Event::Hop { hop, round, .. } = event {
                told.send((round, hop)).unwrap();
            }
        });
        let context = Context { listener: Some(listener), ..Context::over(&net, &"192.0.2.9", 42) };
        Trace::new(highest).unwrap().run(&context).await.unwrap();
        let expected: Vec<_> = (0..3).flat_map(|round| (250..=255).map(move |hop| (round, hop))).collect();
        assert_eq!(ear.try_iter().collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn one_checksum_for_all_probes() {
    use crate::codec::icmp::{Version, checksum};
    let plan = Plan {
        pace: Pace { stream: Stream::periodic(100.0), stop: Stop::Count(900), seed: 1 },
        ladder: Settings::default().ladder(),
        timeout: Span::secs(1),
        protocol: Protocol::Icmp,
        to: "192.0.2.9".parse().unwrap(),
        payload_bytes: 33,
        identifier: 77,
        cookie: 0x0123_4567_89ab_cdef,
    };
    for protocol in [Protocol::Icmp, Protocol::Udp] {
        let mut tracer = Tracer::new(Plan { protocol, ..plan }, None);
        let mut sums = std::collections::BTreeSet::new();
        let mut now = crate::net::Now::default();
        for _ in 0..200 {
            match tracer.step(now) {
                Step::Send(Datagram { bytes, .. }) => {
                    let sum = if protocol == Protocol::Icmp {
                        assert!(crate::codec::icmp::read_request(Version::V4, &bytes).is_some());
                        u16::from_be_bytes([bytes[2], bytes[3]])
                    } else {
                        checksum(&bytes)
                    };
                    sums.insert(sum);
                }
                Step::WaitUntil(at) => now.mono = at,
                Step::Done => break,
            }
        }
        assert_eq!(sums.len(), 1, "{sums:?}");
    }
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    for (settings, key) in [
        (Settings { max_hops: 0, ..Settings::default() }, "max_hops"),
        (Settings { first_hop: 31, ..Settings::default() }, "first_hop"),
        (Settings { count: 0, ..Settings::default() }, "count"),
        (Settings { count: 3_000, ..Settings::default() }, "count"),
        (Settings { payload_bytes: 4, ..Settings::default() }, "payload_bytes"),
        (Settings { per_second: 0.0, ..Settings::default() }, "per_second"),
    ] {
        let error = Trace::new(settings).err().map(|e| e.to_string()).unwrap();
        assert!(error.contains(key), "{error}");
    }
}
