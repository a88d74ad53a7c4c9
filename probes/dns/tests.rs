use super::*;
use crate::codec::dns::answer_to;
use crate::http::server::{Answer, Caller, Limits, Service};
use crate::net::Wire;
use crate::net::sim::{Far, Path, Pause, Scenario, SimNet};
use crate::net::{Inbox, Marks, Now, Packet};
use crate::probe::Stop;
use crate::session::{Datagram, Session, Step};
use crate::testing::closed;
use broadgauge_model::clock::{Clock, SystemClock};
use broadgauge_model::result::Counts;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;

type Answers = Box<dyn FnMut(&[u8]) -> Vec<Vec<u8>> + Send>;

/// A resolver of the virtual network.
struct Resolver(Answers, VecDeque<Vec<u8>>);

impl Inbox for Resolver {
    fn received(&mut self, packet: &Packet<'_>) {
        self.1.extend((self.0)(packet.bytes));
    }
}

impl Session for Resolver {
    fn step(&mut self, _: Now) -> Step {
        match self.1.pop_front() {
            Some(bytes) => Step::Send(Datagram { id: 0, to: None, marks: Marks::default(), bytes }),
            None => Step::WaitUntil(Mono(u64::MAX)),
        }
    }
    fn send_failed(&mut self, _: u64, _: &io::Error) {}
}

fn with(rcode: u16) -> Answers {
    Box::new(move |question| answer_to(question, rcode, false).into_iter().collect())
}

fn quick() -> Settings {
    Settings { per_second: 20.0, count: 100, timeout_ms: 2_000.0, retry_ms: 200.0, ..Settings::default() }
}

fn ten_ms() -> Path {
    Path { delay_ms: 10.0, ..Path::default() }
}

async fn simulated(scenario: Scenario, resolver: Answers, settings: Settings) -> Measurement {
    let net = SimNet::new(scenario, Box::new(Resolver(resolver, VecDeque::new())));
    Dns::new(settings).unwrap().run(&Context::over(&net, &"192.0.2.9", 42)).await.unwrap()
}

fn counts(measurement: &Measurement) -> Counts {
    let counts = measurement.samples[0].counts;
    assert_eq!(counts.sent + counts.missed, counts.planned);
    assert_eq!(counts.received + counts.lost, counts.sent);
    assert_eq!(measurement.singletons[0].1.len() as u64, counts.planned);
    counts
}

fn at(measurement: &Measurement, q: f64) -> f64 {
    let Values::Histogram(h) = &measurement.samples[0].values else {
        panic!("{:?}", measurement.samples[0].values)
    };
    h.quantile(q).unwrap() as f64 / 1e3
}

#[tokio::test(start_paused = true)]
async fn a_lookup_takes_the_round_trip_and_its_code_is_told() {
    let scenario = Scenario { forward: ten_ms(), backward: ten_ms(), ..Scenario::default() };
    let looked = simulated(scenario, with(3), quick()).await;
    assert_eq!((counts(&looked).received, counts(&looked).lost), (100, 0));
    assert!((at(&looked, 0.5) - 20.0).abs() < 0.05);
    assert_eq!(looked.samples[0].details["rcodes"], json!({"NXDOMAIN": 100}));
    assert_eq!(looked.samples[0].details["sent_again"], 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_again_is_counted_and_its_wait_is_in_the_time() {
    let lossy = Path { loss: 0.2, ..ten_ms() };
    let scenario = Scenario { seed: 3, forward: lossy, backward: ten_ms(), ..Scenario::default() };
    let looked = simulated(scenario, with(0), quick()).await;
    let details = &looked.samples[0].details;
    assert!(counts(&looked).lost <= 4, "three tries at 20%: 0.8% of lookups");
    let again = details["lookups_sent_again"].as_u64().unwrap();
    assert!((8..=35).contains(&again), "{again}");
    assert!((at(&looked, 0.5) - 20.0).abs() < 0.05);
    let slowest = at(&looked, 1.0);
    assert!((219.0..=421.0).contains(&slowest), "one or two waits of 200 ms: {slowest}");
}

#[tokio::test(start_paused = true)]
async fn a_stall_longer_than_the_wait_sends_again_and_counts_one_answer_each() {
    let stall = Pause { at_s: 1.0, for_s: 2.0 };
    let scenario = Scenario {
        forward: Path { stalls: vec![stall], ..ten_ms() },
        backward: ten_ms(),
        ..Scenario::default()
    };
    let looked = simulated(scenario, with(0), Settings { timeout_ms: 3_000.0, ..quick() }).await;
    let counts = counts(&looked);
    assert_eq!((counts.received, counts.lost), (100, 0));
    assert!(counts.duplicate > 30, "answers to what was sent again: {}", counts.duplicate);
    assert!(at(&looked, 1.0) > 1_900.0, "from the first packet of the lookup");
}

#[tokio::test(start_paused = true)]
async fn failures_have_a_code_and_no_time() {
    let looked = simulated(Scenario::default(), with(2), quick()).await;
    assert_eq!(counts(&looked).received, 100);
    let Values::Unmeasured(why) = &looked.samples[0].values else { panic!("no time") };
    assert!(why.0.contains("SERVFAIL 100"), "{why:?}");
    assert_eq!(looked.samples[1].values, Values::Number(0.0), "an answer is no loss");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_answer_of_ours_is_ignored_and_counted() {
    let mut turn = 0;
    let resolver: Answers = Box::new(move |question| {
        let right = answer_to(question, 0, false).unwrap();
        let (mut id, mut name) = (right.clone(), right.clone());
        id[0] ^= 0x80;
        name[14] ^= 1;
        turn += 1;
        match turn % 4 {
            0 => vec![id, right],
            1 => vec![name, right],
            2 => vec![vec![1], right],
            _ => vec![right],
        }
    });
    let scenario = Scenario { forward: ten_ms(), backward: ten_ms(), ..Scenario::default() };
    let looked = simulated(scenario, resolver, quick()).await;
    assert_eq!((counts(&looked).received, counts(&looked).duplicate), (100, 0));
    let details = &looked.samples[0].details;
    assert_eq!(
        (&details["wrong_id"], &details["wrong_question"], &details["malformed"]),
        (&json!(25), &json!(25), &json!(25))
    );
}

#[tokio::test(start_paused = true)]
async fn a_cut_answer_without_tcp_is_no_answer() {
    let resolver: Answers = Box::new(|question| answer_to(question, 0, true).into_iter().collect());
    let looked = simulated(Scenario::default(), resolver, quick()).await;
    assert_eq!((counts(&looked).received, counts(&looked).lost), (0, 100));
    assert_eq!(looked.samples[0].details["truncated"], 100);
}

#[tokio::test(start_paused = true)]
async fn a_closed_port_is_heard_of() {
    let far = Far { closed: true, ..Far::default() };
    let scenario = Scenario { far, forward: ten_ms(), backward: ten_ms(), ..Scenario::default() };
    let looked = simulated(scenario, with(0), Settings { timeout_ms: 100.0, ..quick() }).await;
    assert_eq!(counts(&looked).lost, 100);
    assert_eq!(looked.samples[0].details["unreachable"], 100);
}

#[tokio::test(start_paused = true)]
async fn fresh_names_are_all_different() {
    let names = Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
    let heard = Arc::clone(&names);
    let resolver: Answers = Box::new(move |question| {
        heard.lock().unwrap().insert(question[12..31].to_vec());
        answer_to(question, 3, false).into_iter().collect()
    });
    let looked = simulated(Scenario::default(), resolver, Settings { fresh: true, ..quick() }).await;
    assert_eq!(counts(&looked).received, 100);
    assert_eq!(names.lock().unwrap().len(), 100);
}

/// Answers over UDP and TCP on one port of the loopback.
struct Server {
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Server {
    fn new() -> Self {
        loop {
            let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
                return Self { udp, tcp };
            }
        }
    }

    fn start(self, cut: bool, mut serve: impl FnMut(TcpStream) + Send + 'static) -> String {
        let address = self.tcp.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let mut buffer = [0; 2_000];
            while let Ok((length, from)) = self.udp.recv_from(&mut buffer) {
                let reply = answer_to(&buffer[..length], 0, cut).unwrap();
                self.udp.send_to(&reply, from).unwrap();
            }
        });
        std::thread::spawn(move || {
            while let Ok((stream, _)) = self.tcp.accept() {
                serve(stream);
            }
        });
        address
    }
}

fn question_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut question).unwrap();
    question
}

fn honest(mut stream: TcpStream) {
    let reply = answer_to(&question_of(&mut stream), 0, false).unwrap();
    stream.write_all(&(reply.len() as u16).to_be_bytes()).unwrap();
    stream.write_all(&reply).unwrap();
}

async fn measured(address: &str, settings: Settings) -> Measurement {
    let context = Context::alone(&address, Arc::new(SystemClock::start()), 42);
    Dns::new(settings).unwrap().run(&context).await.unwrap()
}

fn five(transport: Transport) -> Settings {
    Settings { transport, per_second: 100.0, count: 5, ..quick() }
}

#[tokio::test]
async fn real_sockets_answer_over_udp_and_over_tcp() {
    let address = Server::new().start(false, honest);
    for transport in [Transport::Udp, Transport::Tcp] {
        let looked = measured(&address, five(transport)).await;
        let counts = counts(&looked);
        assert_eq!((counts.received, counts.lost), (counts.sent, 0), "{transport:?}");
        assert_eq!(looked.samples.len(), if transport == Transport::Udp { 2 } else { 3 });
    }
}

/// A resolver over TLS: by length where nothing else was agreed on, by HTTPS otherwise.
async fn private(server: crate::tls::Server, alpn: &[&str]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = server.speaking(alpn);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move {
                let mut stream = server.handshake(Wire::System(stream)).await.unwrap();
                let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
                stream.read_exact(&mut question).await.unwrap();
                let reply = answer_to(&question, 0, false).unwrap();
                stream.write_u16(reply.len() as u16).await.unwrap();
                stream.write_all(&reply).await.unwrap();
                stream.shutdown().await.unwrap();
            });
        }
    });
    address
}

#[tokio::test]
async fn tls_is_timed_apart_and_an_unknown_certificate_is_refused() {
    let names = [String::from("resolver.example")];
    let server = crate::tls::Server::self_signed(&names, &["dot"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, server.certificate_pem().unwrap()).unwrap();
    let address = private(server, &["dot"]).await;
    let settings = Settings {
        ca_file: Some(ca_file),
        server_name: Some(names[0].clone()),
        timeout_ms: 20_000.0,
        ..five(Transport::Tls)
    };
    let looked = measured(&address, settings.clone()).await;
    assert_eq!(counts(&looked).received, counts(&looked).sent);
    let metrics: Vec<&str> = looked.samples.iter().map(|sample| sample.metric.id()).collect();
    assert_eq!(metrics, ["dns_time", "loss_ratio", "connect_time", "tls_time"]);
    let wrong = Settings { server_name: Some(String::from("other.example")), ..settings };
    let looked = measured(&address, wrong).await;
    assert_eq!(looked.samples[0].details["refused"], counts(&looked).sent);
    assert_eq!(counts(&looked).lost, 0);
}

/// Answers questions in the bodies of requests.
struct OverHttps;

#[async_trait]
impl Answer for OverHttps {
    async fn answer(
        &self,
        _: Caller,
        request: hyper::Request<hyper::body::Incoming>,
    ) -> hyper::Response<crate::http::Payload> {
        use http_body_util::BodyExt;
        assert_eq!(request.uri().path(), "/dns-query");
        assert_eq!(request.headers()["content-type"], "application/dns-message");
        let question = request.into_body().collect().await.unwrap().to_bytes();
        let reply = answer_to(&question, 3, false).unwrap();
        hyper::Response::builder()
            .header("content-type", "application/dns-message")
            .body(crate::http::Payload::bytes(reply))
            .unwrap()
    }
}

#[tokio::test]
async fn https_carries_questions_over_both_versions() {
    for alpn in [&["h2"][..], &["http/1.1"]] {
        let server = crate::tls::Server::self_signed(&[String::from("resolver.example")], alpn).unwrap();
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let service = Service::new(Some(server), Limits::default()).and_at(here).unwrap();
        let address = service.addresses()[0].to_string();
        tokio::spawn(service.serve(Arc::new(OverHttps), Stop::never()));
        let settings = Settings { insecure: true, timeout_ms: 20_000.0, ..five(Transport::Https) };
        let looked = measured(&address, settings.clone()).await;
        assert_eq!(counts(&looked).received, counts(&looked).sent, "{:?}", looked.samples[0].details);
        assert_eq!(looked.samples[0].details["rcodes"], json!({"NXDOMAIN": counts(&looked).sent}));
        assert_eq!(looked.samples[0].details["certificate_checked"], false);
    }
}

#[tokio::test]
async fn a_cut_answer_is_asked_for_again_over_tcp() {
    let address = Server::new().start(true, honest);
    let looked = measured(&address, five(Transport::Udp)).await;
    let counts = counts(&looked);
    assert_eq!(counts.received, counts.sent);
    let details = &looked.samples[0].details;
    assert_eq!(
        (&details["truncated"], &details["retried_over_tcp"]),
        (&json!(counts.sent), &json!(counts.sent))
    );
}

#[tokio::test]
async fn a_closed_tcp_port_refuses_and_is_no_loss() {
    let (_held, address) = closed();
    let looked = measured(&address.to_string(), five(Transport::Tcp)).await;
    assert_eq!(counts(&looked).lost, 0);
    assert_eq!(looked.samples[0].details["refused"], counts(&looked).sent);
}

#[tokio::test]
async fn no_hostile_resolver_keeps_a_lookup_past_its_time() {
    type Serve = fn(TcpStream);
    let slow: Serve = |mut stream| {
        std::thread::spawn(move || {
            question_of(&mut stream);
            // One byte of a long message for each read of the other side, for ever.
            stream.set_nodelay(true).unwrap();
            while stream.write_all(&[255]).is_ok() {
                std::thread::park_timeout(std::time::Duration::from_millis(5));
            }
        });
    };
    let silent: Serve = |stream| {
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = (&stream).read_to_end(&mut rest);
        });
    };
    let endless: Serve = |mut stream| {
        std::thread::spawn(move || while stream.write_all(&[0; 4_096]).is_ok() {});
    };
    let closing: Serve = drop;
    for (serve, fate) in [(slow, "lost"), (silent, "lost"), (endless, "lost"), (closing, "refused")] {
        let address = Server::new().start(false, serve);
        let clock = SystemClock::start();
        let looked = measured(&address, Settings { timeout_ms: 300.0, ..five(Transport::Tcp) }).await;
        assert!(clock.mono() - Mono(0) < Span::secs(20), "the machine may be busy");
        let counts = counts(&looked);
        let found =
            if fate == "lost" { counts.lost } else { looked.samples[0].details["refused"].as_u64().unwrap() };
        assert_eq!(found, counts.sent, "{fate}");
    }
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    for (settings, key) in [
        (Settings { name: String::from("a..b"), ..Settings::default() }, "name"),
        (Settings { query_type: String::from("QUX"), ..Settings::default() }, "query_type"),
        (Settings { tries: 0, ..Settings::default() }, "tries"),
        (Settings { count: 0, ..Settings::default() }, "count"),
        (Settings { per_second: 1e6, ..Settings::default() }, "per_second"),
    ] {
        let error = Dns::new(settings).err().map(|e| e.to_string()).unwrap();
        assert!(error.contains(&format!("setting {key} ")), "{error}");
    }
}
