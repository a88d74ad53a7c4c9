//! The methods that speak over TCP, told a story: our own answering sides at the far end of the virtual network, each at its
//! own port.

use super::{Bounds, Told, context, network, stories};
use async_trait::async_trait;
use broadgauge_model::clock::Clock;
use broadgauge_model::result::{Sample, Values};
use broadgauge_probes::codec::dns::answer_to;
use broadgauge_probes::connect::{self, Connect};
use broadgauge_probes::dns::{self, Dns};
use broadgauge_probes::fetch::{self, Fetch};
use broadgauge_probes::handshake::{self, Handshake};
use broadgauge_probes::http::Payload;
use broadgauge_probes::http::server::{Answer, Caller, Limits, Service};
use broadgauge_probes::iperf3::{self, Iperf3};
use broadgauge_probes::librespeed::{self, Librespeed};
use broadgauge_probes::ndt7::{self, Ndt7};
use broadgauge_probes::net::sim::{Scenario, SimNet};
use broadgauge_probes::net::{Listener, Net};
use broadgauge_probes::peer::queue::Queue;
use broadgauge_probes::peer::service::Ground;
use broadgauge_probes::probe::{Context, Measurement, Probe, ProbeError, Stop};
use broadgauge_probes::responsiveness::{self, Responsiveness};
use broadgauge_probes::throughput::{self, Throughput};
use broadgauge_probes::tls::Server;
use broadgauge_probes::web::{self, Web};
use http_body_util::{BodyExt, Collected};
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The size of the page, and of each object on it.
const PAGE: u64 = 100_000;
/// Where pages are served in plain text, and under TLS, which resolves names over HTTPS; where names are resolved over
/// TCP, and under TLS.
const PLAIN: u16 = 80;
const SECURE: u16 = 443;
const RESOLVER: u16 = 53;
const SECURE_RESOLVER: u16 = 853;

/// What each method is told in every story, where that is not its own default.
const SETTINGS: &str = r#"
    connect = { per_second = 20.0, count = 100 }
    tls = { per_second = 10.0, count = 50, insecure = true }
    fetch = { per_second = 5.0, count = 25, insecure = true, path = "/" }
    fetch_plain = { per_second = 5.0, count = 25, path = "/" }
    web = { per_second = 1.0, count = 5, insecure = true, objects = ["/a", "/b", "/c", "/d"] }
    dns_tcp = { per_second = 20.0, count = 100, name = "www.example.com", transport = "tcp" }
    dns_tls = { per_second = 10.0, count = 50, name = "www.example.com", transport = "tls", insecure = true }
    dns_https = { per_second = 10.0, count = 50, name = "www.example.com", transport = "https", insecure = true }
    throughput = { duration_s = 7.0, streams = 4, idle_s = 1.0, delay_per_second = 50.0 }
    iperf3 = { duration_s = 7.0, streams = 4 }
    ndt7 = { duration_s = 7.0, tls = false }
    librespeed = { duration_s = 7.0, streams = 4 }
    responsiveness = { longest_s = 10.0, insecure = true }
"#;

/// A line, and what each method is to make of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    #[expect(dead_code, reason = "for people")]
    about: String,
    network: Scenario,
    methods: BTreeMap<String, Bounds>,
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 9], port))
}

struct Site;

#[async_trait]
impl Answer for Site {
    async fn answer(&self, _: Caller, request: Request<Incoming>) -> Response<Payload> {
        if request.uri().path() != "/dns-query" {
            return Response::new(Payload::random(PAGE, 1));
        }
        let question = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
        let answer = answer_to(&question, 0, false).unwrap_or_default();
        let told = Response::builder().header("content-type", "application/dns-message");
        told.body(Payload::bytes(answer)).unwrap()
    }
}

/// Answers every question that comes, whatever its name.
async fn answer_questions(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; length.into()];
        if stream.read_exact(&mut question).await.is_err() {
            return;
        }
        if let Some(answer) = answer_to(&question, 0, false) {
            let mut message = (answer.len() as u16).to_be_bytes().to_vec();
            message.extend_from_slice(&answer);
            let _ = stream.write_all(&message).await;
        }
    }
}

/// A resolver that knows every name, over TCP or under TLS.
async fn resolve(door: Listener, tls: Option<Server>) {
    while let Ok((stream, _)) = door.accept().await {
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => answer_questions(stream).await,
                Some(tls) => {
                    if let Ok(stream) = tls.handshake(stream).await {
                        answer_questions(stream).await;
                    }
                }
            }
        });
    }
}

/// A virtual network whose far end answers every method.
fn answering(scenario: &Scenario) -> SimNet {
    let net = network(scenario);
    let (clock, queue): (Arc<dyn Clock>, _) = (Arc::new(net.clone()), Queue::new(8, 8));
    let certificate = Server::self_signed(&[String::from("192.0.2.9")], &["h2", "http/1.1"]).unwrap();
    let limits = throughput::peer::Limits::default();
    let door = net.listen(at(throughput::DEFAULT_PORT)).unwrap();
    let peer = throughput::peer::Peer::sharing(queue.clone(), limits).and_behind(door, Some(862));
    tokio::spawn(peer.serve(Arc::clone(&clock), Stop::never()));
    for (service, secure) in [
        (&librespeed::peer::SERVICE, false),
        (&responsiveness::peer::SERVICE, true),
        (&iperf3::peer::SERVICE, false),
        (&ndt7::peer::SERVICE, false),
    ] {
        let ground = Ground {
            at: vec![at(service.port)],
            tls: secure.then(|| certificate.clone()),
            queue: queue.clone(),
            net: Arc::new(net.clone()),
            clock: Arc::clone(&clock),
            stop: Stop::never(),
            keeper: None,
        };
        tokio::spawn((service.start)(ground).unwrap().answering);
    }
    for (port, tls) in [(RESOLVER, None), (SECURE_RESOLVER, Some(certificate.speaking(&["dot"])))] {
        tokio::spawn(resolve(net.listen(at(port)).unwrap(), tls));
    }
    for (port, tls) in [(PLAIN, None), (SECURE, Some(certificate))] {
        let service = Service::new(tls, Limits::default()).and_behind(net.listen(at(port)).unwrap());
        tokio::spawn(service.serve(Arc::new(Site), Stop::never()));
    }
    net
}

fn read<S: DeserializeOwned>(settings: toml::Value) -> S {
    settings.try_into().unwrap()
}

fn probe(method: &str) -> Result<Box<dyn Probe>, ProbeError> {
    let all: toml::Table = SETTINGS.parse().unwrap();
    let settings = all.get(method).unwrap_or_else(|| panic!("no method {method}")).clone();
    Ok(match method {
        "connect" => Box::new(Connect::new(read::<connect::Settings>(settings))?),
        "throughput" => Box::new(Throughput::new(read::<throughput::Settings>(settings))?),
        "iperf3" => Box::new(Iperf3::new(read::<iperf3::Settings>(settings))?),
        "ndt7" => Box::new(Ndt7::new(read::<ndt7::Settings>(settings))?),
        "tls" => Box::new(Handshake::new(read::<handshake::Settings>(settings))?),
        "fetch" | "fetch_plain" => Box::new(Fetch::new(read::<fetch::Settings>(settings))?),
        "web" => Box::new(Web::new(read::<web::Settings>(settings))?),
        "librespeed" => Box::new(Librespeed::new(read::<librespeed::Settings>(settings))?),
        "responsiveness" => Box::new(Responsiveness::new(read::<responsiveness::Settings>(settings))?),
        "dns_tcp" | "dns_tls" | "dns_https" => Box::new(Dns::new(read::<dns::Settings>(settings))?),
        other => panic!("no method {other}"),
    })
}

fn target(method: &str) -> String {
    match method {
        "tls" => at(SECURE).to_string(),
        "fetch" | "web" => format!("https://{}/", at(SECURE)),
        "fetch_plain" => format!("http://{}/", at(PLAIN)),
        "librespeed" => format!("http://{}", at(librespeed::DEFAULT_PORT)),
        "ndt7" => at(ndt7::peer::DEFAULT_PORT).to_string(),
        _ => String::from("192.0.2.9"),
    }
}

/// A method, over a line of its own.
async fn told(method: &str, expect: &Bounds, scenario: &Scenario) -> Told {
    let net = answering(scenario);
    let context = Context { address: target(method), ..context(&net) };
    let ran = probe(method).unwrap().run(&context).await;
    let (method, found) = match &ran {
        Ok(measurement) => {
            books_balance(method, measurement);
            (method.to_owned(), expect.keys().map(|key| (key.clone(), figure(measurement, key))).collect())
        }
        Err(error) => {
            let found = expect.keys().map(|key| (key.clone(), refusal(error, key))).collect();
            (format!("{method} ({error})"), found)
        }
    };
    Told { method, found, expect: expect.clone() }
}

#[tokio::test(start_paused = true)]
async fn every_story_over_tcp_comes_out_as_told() {
    let mut wrong = Vec::new();
    let all: toml::Table = SETTINGS.parse().unwrap();
    for (name, story) in stories::<Story>("scenarios/streams") {
        for method in all.keys() {
            assert!(story.methods.contains_key(method), "{name} says nothing of {method}");
        }
        for (method, expect) in &story.methods {
            wrong.extend(told(method, expect, &story.network).await.wrong(&name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_tells_the_same_story_over_tcp() {
    let lossy = &stories::<Story>("scenarios/streams")["random_loss"].network;
    for method in ["connect", "throughput", "iperf3"] {
        let mut twice = Vec::new();
        for _ in 0..2 {
            let net = answering(lossy);
            let measured = probe(method).unwrap().run(&context(&net)).await.unwrap();
            twice.push((measured.samples, measured.singletons, net.truth()));
        }
        assert_eq!(twice[0], twice[1], "{method}");
    }
}

/// What holds whatever the network does.
fn books_balance(method: &str, measurement: &Measurement) {
    for sample in &measurement.samples {
        let counts = sample.counts;
        assert_eq!(counts.sent + counts.missed, counts.planned, "{method} {} {counts:?}", sample.metric);
        assert!(counts.received + counts.lost <= counts.sent, "{method} {}", sample.metric);
        match &sample.values {
            Values::Number(number) => {
                assert!(number.is_finite() && *number >= 0.0, "{method} {} {number}", sample.metric);
            }
            Values::Histogram(times) => assert!(times.len() <= counts.received, "{method} {}", sample.metric),
            Values::Unmeasured(_) => {}
        }
    }
}

fn refusal(error: &ProbeError, key: &str) -> f64 {
    match (key, error) {
        ("refused_to_measure", ProbeError::Unreachable { .. } | ProbeError::Peer { .. }) => 1.0,
        _ => f64::NAN,
    }
}

/// `metric.what`, with `metric` as METRICS names it; the load behind a colon where a metric has several samples.
fn figure(measurement: &Measurement, key: &str) -> f64 {
    if key == "refused_to_measure" {
        return 0.0;
    }
    let (name, what) = key.rsplit_once('.').unwrap_or_else(|| panic!("{key}"));
    let (metric, load) = name.split_once(':').map_or((name, None), |(metric, load)| (metric, Some(load)));
    let of = |sample: &&Sample| {
        let loaded = serde_json::to_value(sample.load).unwrap();
        sample.metric.id() == metric && load.is_none_or(|load| loaded == load)
    };
    let told = || {
        let all: Vec<_> = measurement.samples.iter().map(|s| (s.metric.id(), s.load)).collect();
        format!("no {key} in {all:?}")
    };
    let sample = measurement.samples.iter().find(of).unwrap_or_else(|| panic!("{}", told()));
    let quantile = |q: f64| match &sample.values {
        Values::Histogram(times) => times.quantile(q).map_or(f64::NAN, |t| t as f64 * sample.metric.tick),
        _ => f64::NAN,
    };
    match what {
        "min" => quantile(0.0),
        "p50" => quantile(0.5),
        "max" => quantile(1.0),
        "value" => match &sample.values {
            Values::Number(number) => *number,
            _ => f64::NAN,
        },
        "unmeasured" => f64::from(u8::from(matches!(sample.values, Values::Unmeasured(_)))),
        "planned" => sample.counts.planned as f64,
        "sent" => sample.counts.sent as f64,
        "received" => sample.counts.received as f64,
        "lost" => sample.counts.lost as f64,
        detail => {
            let found = sample.details.get(detail).and_then(serde_json::Value::as_f64);
            found.unwrap_or_else(|| panic!("{key}: {:?}", sample.details))
        }
    }
}
