use super::peer::{Limits, Peer};
use super::*;
use crate::codec::capacity::{ASK, Refusal, Word, read, write};
use crate::net::real::RealNet;
use crate::net::sim::{Far, Path, Pause, Scenario, SimNet};
use crate::net::{Connection, Datagrams, Inbox, Listener, Net, NetError, Now, Packet, Wire};
use crate::peer::queue::Queue;
use crate::session::{Datagram, Session, Step};
use crate::tcp::ConnectError;
use crate::testing::{number, why_not};
use async_trait::async_trait;
use broadgauge_model::clock::{Clock, Mono, SystemClock, Wall};
use std::sync::atomic::{AtomicBool, Ordering};

fn answering() -> Peer {
    Peer::new(Limits::default(), Queue::new(4, 4))
}

async fn try_simulated(scenario: Scenario, settings: Settings) -> Result<Measurement, ProbeError> {
    try_against(answering(), scenario, settings).await
}

async fn try_against(peer: Peer, scenario: Scenario, settings: Settings) -> Result<Measurement, ProbeError> {
    let net = SimNet::new(scenario, Box::new(peer));
    Capacity::new(settings).unwrap().run(&Context::over(&net, &"192.0.2.9", 42)).await
}

async fn simulated(scenario: Scenario, settings: Settings) -> Measurement {
    try_simulated(scenario, settings).await.unwrap()
}

fn bottleneck(mbps: f64, queue_ms: f64) -> Path {
    Path { delay_ms: 10.0, rate_mbps: Some(mbps), queue_ms, ..Path::default() }
}

fn only(direction: Directions) -> Settings {
    Settings { direction, ..Settings::default() }
}

#[tokio::test(start_paused = true)]
async fn both_directions_find_what_the_line_carries_and_never_more() {
    for (mbps, queue) in [(20.0, 100.0), (100.0, 50.0), (50.0, 300.0)] {
        let scenario = Scenario {
            seed: 5,
            forward: bottleneck(mbps / 2.0, queue),
            backward: bottleneck(mbps, queue),
            ..Scenario::default()
        };
        let measured = simulated(scenario, Settings::default()).await;
        let ids: Vec<&str> = measured.samples.iter().map(|s| s.metric.id()).collect();
        assert_eq!(ids, ["download_capacity", "download_capacity", "upload_capacity", "upload_capacity"]);
        for (sample, truth) in measured.samples.iter().step_by(2).zip([mbps, mbps / 2.0]) {
            let share = number(sample) / truth;
            assert!((0.97..=1.002).contains(&share), "{share} of {truth}, {:?}", sample.details);
        }
        assert!(number(&measured.samples[1]) < number(&measured.samples[0]), "the mean has the rise in it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fast_line_is_limited_by_what_was_allowed_and_the_result_says_so() {
    let scenario = Scenario {
        forward: bottleneck(900.0, 50.0),
        backward: bottleneck(900.0, 50.0),
        ..Scenario::default()
    };
    let settings = Settings { most_mbps: 30.0, duration_s: 3, ..only(Directions::Down) };
    let measured = simulated(scenario, settings).await;
    assert!((number(&measured.samples[0]) - 30.0).abs() < 0.2, "{}", number(&measured.samples[0]));
    assert_eq!(measured.samples[0].details["rate_limit_reached"], true);
}

#[tokio::test(start_paused = true)]
async fn the_limit_that_was_reached_may_be_the_peers_and_is_told() {
    for direction in [Directions::Down, Directions::Up] {
        let scenario = Scenario {
            forward: bottleneck(900.0, 50.0),
            backward: bottleneck(900.0, 50.0),
            ..Scenario::default()
        };
        // Between two rows of the table: the lower one is as far as the search may go.
        let limits = Limits { most_kbps: 20_400, ..Limits::default() };
        let settings = Settings { duration_s: 3, ..only(direction) };
        let measured = try_against(Peer::new(limits, Queue::new(4, 4)), scenario, settings).await.unwrap();
        let details = &measured.samples[0].details;
        assert_eq!(
            (&details["rate_limit_mbps"], &details["highest_rate_mbps"]),
            (&json!(20.4), &json!(20.0))
        );
        assert_eq!(details["rate_limit_reached"], true);
    }
    let slow = Scenario {
        forward: bottleneck(10.0, 100.0),
        backward: bottleneck(10.0, 100.0),
        ..Scenario::default()
    };
    let measured = simulated(slow, Settings { duration_s: 3, ..only(Directions::Down) }).await;
    let details = &measured.samples[0].details;
    assert_eq!(
        (&details["rate_limit_mbps"], &details["rate_limit_reached"]),
        (&json!(1_000.0), &json!(false))
    );
}

#[tokio::test(start_paused = true)]
async fn scattered_loss_does_not_stop_the_search_and_is_counted() {
    for direction in [Directions::Down, Directions::Up] {
        let lossy = Path { loss: 0.02, ..bottleneck(30.0, 100.0) };
        let scenario = Scenario { seed: 9, forward: lossy.clone(), backward: lossy, ..Scenario::default() };
        let measured = simulated(scenario, only(direction)).await;
        let share = number(&measured.samples[0]) / 30.0;
        assert!((0.93..=1.001).contains(&share), "{share}");
        let counts = measured.samples[0].counts;
        let lost = counts.lost as f64 / counts.sent as f64;
        assert!((0.015..0.2).contains(&lost), "{lost}");
    }
}

#[tokio::test(start_paused = true)]
async fn reordering_and_duplication_are_no_loss_and_no_gain() {
    for direction in [Directions::Down, Directions::Up] {
        let path = Path { reorder: 0.02, reorder_by_ms: 3.0, duplicate: 0.05, ..bottleneck(20.0, 100.0) };
        let scenario = Scenario { seed: 4, forward: path.clone(), backward: path, ..Scenario::default() };
        let measured = simulated(scenario, only(direction)).await;
        let share = number(&measured.samples[0]) / 20.0;
        assert!((0.95..=1.001).contains(&share), "{share}");
        let counts = measured.samples[0].counts;
        assert!(counts.duplicate > 100 && counts.reordered > 100, "{counts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_and_a_clock_step_leave_the_other_seconds() {
    for direction in [Directions::Down, Directions::Up] {
        let stall = Path { stalls: vec![Pause { at_s: 4.0, for_s: 2.0 }], ..bottleneck(20.0, 100.0) };
        let scenario = Scenario {
            forward: stall.clone(),
            backward: stall,
            wall_steps: vec![crate::net::sim::WallStep { at_s: 7.0, by_s: 3_600.0 }],
            ..Scenario::default()
        };
        let measured = simulated(scenario, only(direction)).await;
        let share = number(&measured.samples[0]) / 20.0;
        assert!(share > 0.97, "{share} {:?}", measured.samples[0].details);
        assert_eq!(measured.samples[0].details["ended_early"], Value::Null);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_dies_half_way_leaves_what_was_counted() {
    for direction in [Directions::Down, Directions::Up] {
        let far = Far { dies_at_s: Some(5.0), ..Far::default() };
        let scenario = Scenario {
            far,
            forward: bottleneck(20.0, 50.0),
            backward: bottleneck(20.0, 50.0),
            ..Scenario::default()
        };
        let measured = simulated(scenario, only(direction)).await;
        assert_eq!(measured.samples[0].details["ended_early"], "the peer fell silent");
        assert!(number(&measured.samples[0]) > 19.0);
    }
}

/// A network that gives one socket and no more.
struct OneSocket(SimNet, AtomicBool);

#[async_trait]
impl Net for OneSocket {
    fn datagrams(&self, wanted: &Wanted) -> Result<Box<dyn Datagrams>, NetError> {
        if self.1.swap(true, Ordering::Relaxed) {
            let source = std::io::ErrorKind::PermissionDenied.into();
            return Err(NetError::Socket { what: String::from("open a UDP socket"), source });
        }
        self.0.datagrams(wanted)
    }

    async fn connect(&self, wanted: &Connection<'_>, within: Span) -> Result<Wire, ConnectError> {
        self.0.connect(wanted, within).await
    }

    fn listen(&self, at: SocketAddr) -> std::io::Result<Listener> {
        self.0.listen(at)
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_direction_that_cannot_be_asked_leaves_the_first() {
    let scenario =
        Scenario { forward: bottleneck(20.0, 50.0), backward: bottleneck(20.0, 50.0), ..Scenario::default() };
    let net = SimNet::new(scenario, Box::new(answering()));
    let over = Context::over(&net, &"192.0.2.9", 42);
    let context = Context { net: Arc::new(OneSocket(net, AtomicBool::new(false))), ..over };
    let settings = Settings { duration_s: 3, ..only(Directions::Both) };
    let measured = Capacity::new(settings).unwrap().run(&context).await.unwrap();
    let ids: Vec<&str> = measured.samples.iter().map(|s| s.metric.id()).collect();
    assert_eq!(ids, ["download_capacity", "download_capacity", "upload_capacity", "upload_capacity"]);
    assert!(number(&measured.samples[0]) > 19.0 && measured.bytes_moved > 1_000_000);
    for (sample, statistic) in measured.samples[2..].iter().zip([Statistic::Max, Statistic::Mean]) {
        assert!(why_not(sample).contains("open a UDP socket"), "{sample:?}");
        assert_eq!((sample.load, sample.statistic), (Load::Up, statistic));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_not_there_or_talks_nonsense_is_an_error_in_time() {
    for far in [Far { dies_at_s: Some(0.0), ..Far::default() }, Far { garbage: 1.0, ..Far::default() }] {
        let error =
            try_simulated(Scenario { far, ..Scenario::default() }, Settings::default()).await.unwrap_err();
        assert!(error.to_string().contains("192.0.2.9"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_everything_twice_is_heard_once() {
    for direction in [Directions::Down, Directions::Up] {
        let far = Far { answers_twice: true, ..Far::default() };
        let scenario = Scenario {
            far,
            forward: bottleneck(20.0, 100.0),
            backward: bottleneck(40.0, 100.0),
            ..Scenario::default()
        };
        let measured = simulated(scenario, only(direction)).await;
        let share = number(&measured.samples[0]) / 20.0;
        // Every packet down comes twice into 40 Mbit/s: half of that where both copies get through, and up to all of it
        // where the full buffer drops second copies. What came again is never counted again.
        let most = if direction == Directions::Down { 2.0 } else { 1.001 };
        assert!((0.9..=most).contains(&share), "{share}");
    }
}

/// Hands a packet to a peer and takes what it answers at once.
fn ask(peer: &mut Peer, at_ms: u64, from: &str, bytes: &[u8]) -> Vec<Vec<u8>> {
    let now = Now { mono: Mono(at_ms * 1_000_000), wall: Wall(0) };
    let from = from.parse().unwrap();
    peer.received(&Packet { bytes, from, to: None, now, kernel: None, ttl: None, class: None });
    let mut out = Vec::new();
    while let Step::Send(Datagram { bytes, .. }) = peer.step(now) {
        out.push(bytes);
        assert!(out.len() < 1_000);
    }
    out
}

fn wish() -> Wish {
    Wish { way: Way::Down, payload: 1_222, millis: 10_000, most_kbps: 100_000 }
}

fn words(packets: &[Vec<u8>]) -> Vec<Word> {
    packets.iter().map(|packet| read(packet).unwrap().1).collect()
}

#[test]
fn no_load_goes_to_an_address_that_has_not_shown_its_cookie() {
    let mut peer = answering();
    let me = "198.51.100.7:4000";
    let asked = write(1, &Word::Ask(wish()), 0);
    let answers = ask(&mut peer, 0, me, &asked);
    assert!(answers.iter().map(Vec::len).sum::<usize>() <= asked.len());
    let [Word::Challenge(cookie)] = words(&answers)[..] else { panic!("{answers:?}") };
    // Somebody else's, from elsewhere, for another test, and too old.
    for (from, number, shown, at) in [
        (me, 1, [0; 16], 0),
        ("198.51.100.7:4001", 1, cookie, 0),
        ("198.51.100.8:4000", 1, cookie, 0),
        (me, 2, cookie, 0),
        (me, 1, cookie, 120_000),
    ] {
        let answers = ask(&mut peer, at, from, &write(number, &Word::Begin(wish(), shown), 0));
        assert_eq!(words(&answers), [Word::Refused(Refusal::Cookie)], "{from} {number} {at}");
    }
    assert_eq!(peer.totals().unproven, 5);
    let answers = ask(&mut peer, 120_500, me, &asked);
    let [Word::Challenge(cookie)] = words(&answers)[..] else { panic!("{answers:?}") };
    let answers = ask(&mut peer, 121_000, me, &write(1, &Word::Begin(wish(), cookie), 0));
    let [Word::Accepted(test, most)] = words(&answers)[..] else { panic!("{answers:?}") };
    assert_eq!(most, Limits::default().most_kbps);
    // Accepted, and still nothing is sent before the client says how fast.
    assert!(ask(&mut peer, 121_100, me, b"x").is_empty());
    let feedback = crate::codec::capacity::Feedback { number: 1, row: 10, ..Default::default() };
    let stranger = ask(&mut peer, 121_200, "198.51.100.9:1", &write(test, &Word::Feedback(feedback), 0));
    assert!(stranger.is_empty(), "the number alone moves nothing");
    assert!(!ask(&mut peer, 121_300, me, &write(test, &Word::Feedback(feedback), 0)).is_empty());
    // Silence ends it.
    let ended = ask(&mut peer, 124_400, "198.51.100.9:1", b"x");
    assert!(words(&ended).contains(&Word::End));
    assert!(ask(&mut peer, 124_500, me, &write(test, &Word::Feedback(feedback), 0)).is_empty());
}

#[test]
fn words_of_the_receiver_keep_their_order_when_the_load_begins() {
    let plan = Plan { wish: wish(), headers: 28, number: 1, patience: Span::secs(1) };
    let mut client = Client::new(plan, None);
    let at = |ms: u64| Now { mono: Mono(ms * 1_000_000), wall: Wall(0) };
    let from = "198.51.100.7:4000".parse().unwrap();
    let mut numbers = Vec::new();
    for (ms, heard) in [
        (100, None),
        (110, Some((1, Word::Challenge([7; 16])))),
        (120, Some((1, Word::Accepted(9, 100_000)))),
        (170, None),
        (200, Some((9, Word::Load(0, 0)))),
        (220, None),
        (270, None),
    ] {
        if let Some((number, word)) = heard {
            let bytes = &write(number, &word, 1_222);
            client.received(&Packet {
                bytes,
                from,
                to: None,
                now: at(ms),
                kernel: None,
                ttl: None,
                class: None,
            });
        }
        if let Step::Send(Datagram { bytes, .. }) = client.step(at(ms))
            && let Some((_, Word::Feedback(said))) = read(&bytes)
        {
            numbers.push(said.number);
        }
    }
    assert_eq!(numbers, [1, 2, 3, 4], "the peer takes one that does not rise for an old one");
}

#[test]
fn one_test_at_a_time_and_the_others_are_told_their_place() {
    let mut peer = answering();
    let mut begin = |from: &str, number, at| {
        let answers = ask(&mut peer, at, from, &write(number, &Word::Ask(wish()), 0));
        let cookie = words(&answers).into_iter().find_map(|word| match word {
            Word::Challenge(cookie) => Some(cookie),
            _ => None,
        });
        let cookie = cookie.unwrap();
        words(&ask(&mut peer, at, from, &write(number, &Word::Begin(wish(), cookie), 0)))
    };
    assert!(matches!(begin("198.51.100.7:4000", 1, 0)[..], [Word::Accepted(..)]));
    assert_eq!(begin("198.51.100.8:4000", 2, 100), [Word::Queued(1)]);
    assert_eq!(begin("198.51.100.9:4000", 3, 200), [Word::Queued(2)]);
    // The first is silent for three seconds, and the next one moves up.
    let after = begin("198.51.100.8:4000", 2, 3_300);
    assert!(matches!(after.last(), Some(Word::Accepted(..))), "{after:?}");
    assert_eq!(begin("198.51.100.9:4000", 3, 3_400).last(), Some(&Word::Queued(1)));
}

#[test]
fn what_is_beyond_the_limits_is_refused_and_floods_are_not_answered() {
    let mut peer = answering();
    let me = "198.51.100.7:4000";
    let [Word::Challenge(cookie)] = words(&ask(&mut peer, 0, me, &write(1, &Word::Ask(wish()), 0)))[..]
    else {
        panic!("challenge")
    };
    let long = Wish { millis: 31_000, ..wish() };
    let answers = ask(&mut peer, 0, me, &write(1, &Word::Begin(long, cookie), 0));
    assert_eq!(words(&answers), [Word::Refused(Refusal::Limits)]);
    let answered: usize =
        (0..1_000).map(|_| ask(&mut peer, 0, me, &write(1, &Word::Ask(wish()), 0)).len()).sum();
    assert!(answered < 60, "{answered}");
    assert!(peer.totals().over_limit > 900);
    assert!(ask(&mut peer, 0, me, &[0; ASK]).is_empty());
}

#[tokio::test]
async fn real_sockets_carry_a_limited_load_both_ways() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let here = "127.0.0.1:0".parse().unwrap();
    let net = RealNet::new(Arc::clone(&clock));
    let peer = serve::serve(&net, here, Limits::default(), Queue::new(4, 4)).unwrap();
    let settings = Settings { duration_s: 2, most_mbps: 5.0, ..Settings::default() };
    let measured =
        Capacity::new(settings).unwrap().run(&Context::alone(&peer.address(), clock, 42)).await.unwrap();
    // How much arrives on a busy machine is not asserted, only that it is counted, and never more than was allowed.
    for sample in measured.samples.iter().step_by(2) {
        let counts = sample.counts;
        assert!(counts.received > 0 && counts.received <= counts.sent, "{counts:?}");
        if let Values::Number(mbps) = sample.values {
            assert!(mbps <= 5.3, "{mbps}");
        }
    }
    assert_eq!(peer.stop().tests, 2);
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    for (settings, key) in [
        (Settings { duration_s: 1, ..Settings::default() }, "duration_s"),
        (Settings { payload_bytes: 10, ..Settings::default() }, "payload_bytes"),
        (Settings { most_mbps: 0.1, ..Settings::default() }, "most_mbps"),
    ] {
        let error = Capacity::new(settings).err().map(|e| e.to_string()).unwrap();
        assert!(error.contains(key), "{error}");
    }
}
