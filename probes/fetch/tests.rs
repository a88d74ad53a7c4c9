//! Over loopback: every phase has a time, and only an answer that is whole and meant has one for its body.

use super::*;
use crate::http::Payload;
use crate::http::server::{Answer, Caller, Limits, Service, plain};
use crate::probe::Stop;
use crate::testing::context;
use crate::tls::Server;
use broadgauge_model::result::{Sample, Values};
use hyper::body::Incoming;
use hyper::header::{HeaderValue, LOCATION};
use hyper::{Request, Response, StatusCode};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

struct Site;

#[async_trait]
impl Answer for Site {
    async fn answer(&self, _caller: Caller, request: Request<Incoming>) -> Response<Payload> {
        match request.uri().path() {
            "/" => Response::new(Payload::random(200_000, 1)),
            "/there" => {
                let mut response = plain(StatusCode::FOUND, "");
                response.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
                response
            }
            "/round" => {
                let mut response = plain(StatusCode::FOUND, "");
                response.headers_mut().insert(LOCATION, HeaderValue::from_static("/round"));
                response
            }
            _ => plain(StatusCode::NOT_FOUND, "no such thing"),
        }
    }
}

fn serving(tls: bool) -> SocketAddr {
    let server = tls.then(|| Server::self_signed(&[String::from("localhost")], &["h2", "http/1.1"]).unwrap());
    let service =
        Service::new(server, Limits::default()).and_at(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = service.addresses()[0];
    tokio::spawn(service.serve(Arc::new(Site), Stop::never()));
    address
}

fn fast() -> Settings {
    Settings { per_second: 20.0, count: 3, insecure: true, ..Settings::default() }
}

async fn measure(settings: Settings, url: String) -> Vec<Sample> {
    Fetch::new(settings).unwrap().run(&context(&url)).await.unwrap().samples
}

fn of<'a>(samples: &'a [Sample], metric: &str) -> Option<&'a Sample> {
    samples.iter().find(|sample| sample.metric.id() == metric)
}

fn times(samples: &[Sample], metric: &str) -> u64 {
    match &of(samples, metric).unwrap().values {
        Values::Histogram(times) => times.len(),
        other => panic!("{metric}: {other:?}"),
    }
}

fn why(samples: &[Sample], metric: &str) -> String {
    match &of(samples, metric).unwrap().values {
        Values::Unmeasured(why) => why.0.clone(),
        other => panic!("{metric}: {other:?}"),
    }
}

#[tokio::test]
async fn every_phase_is_a_metric_in_both_versions() {
    for (tls, http, spoken) in
        [(false, Http::Any, "HTTP/1.1"), (true, Http::One, "HTTP/1.1"), (true, Http::Any, "HTTP/2")]
    {
        let scheme = if tls { "https" } else { "http" };
        let url = format!("{scheme}://{}", serving(tls));
        let samples = measure(Settings { http, ..fast() }, url).await;
        let first = of(&samples, "first_byte_time").unwrap();
        assert_eq!(times(&samples, "first_byte_time"), first.counts.sent);
        assert_eq!(times(&samples, "transfer_time"), first.counts.sent);
        assert_eq!(times(&samples, "connect_time"), first.counts.sent);
        assert_eq!(of(&samples, "tls_time").is_some(), tls);
        assert!(of(&samples, "resolve_time").is_none());
        assert_eq!(first.details["http"], spoken);
        assert_eq!(first.details["status"], 200);
        assert_eq!(first.details["body_bytes"], 200_000);
        assert!(first.details["tcp_info"][0]["rtt_us"].as_u64().unwrap() > 0);
        assert!(!first.details["tcp_samples"].as_array().unwrap().is_empty());
        assert_eq!(first.details["certificate_not_after"].is_string(), tls);
    }
}

#[tokio::test]
async fn a_status_that_is_not_success_is_said_and_not_timed() {
    let samples = measure(fast(), format!("http://{}/nothing", serving(false))).await;
    assert!(why(&samples, "first_byte_time").contains("status 404"));
    assert_eq!(times(&samples, "connect_time"), of(&samples, "connect_time").unwrap().counts.sent);
}

#[tokio::test]
async fn a_redirection_is_followed_only_where_that_is_asked_for() {
    let address = serving(false);
    let url = format!("http://{address}/there");
    let samples = measure(fast(), url.clone()).await;
    assert!(why(&samples, "first_byte_time").contains("302 leads to /"));
    let samples = measure(Settings { follow: 2, ..fast() }, url).await;
    let first = of(&samples, "first_byte_time").unwrap();
    assert_eq!(
        (times(&samples, "first_byte_time"), &first.details["redirections"]),
        (first.counts.sent, &json!(1))
    );
    let samples = measure(Settings { follow: 3, ..fast() }, format!("http://{address}/round")).await;
    assert!(why(&samples, "first_byte_time").contains("302"), "a circle ends");
}

#[tokio::test]
async fn a_body_that_breaks_off_has_a_first_byte_and_no_transfer_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
        }
    });
    let samples = measure(fast(), format!("http://{address}/")).await;
    assert!(times(&samples, "first_byte_time") > 0);
    assert!(why(&samples, "transfer_time").contains("closed before the answer was whole"));
}

#[tokio::test]
async fn a_body_without_end_is_given_up_in_time_and_size() {
    let endless = |pause_ms: u64| async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                    while stream.write_all(&[b'x'; 1_000]).await.is_ok() {
                        if pause_ms > 0 {
                            tokio::time::sleep(std::time::Duration::from_millis(pause_ms)).await;
                        }
                    }
                });
            }
        });
        address
    };
    let settings = Settings { count: 1, most_bytes: 50_000, ..fast() };
    let samples = measure(settings, format!("http://{}/", endless(0).await)).await;
    assert!(why(&samples, "transfer_time").contains("more than 50000 bytes"));
    let settings = Settings { count: 1, answer_s: 0.2, ..fast() };
    let samples = measure(settings, format!("http://{}/", endless(20).await)).await;
    assert_eq!(of(&samples, "transfer_time").unwrap().counts.lost, 1);
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |settings| Fetch::new(settings).unwrap_err().to_string();
    assert!(refused(Settings { count: 0, ..fast() }).contains("count"));
    assert!(refused(Settings { follow: 11, ..fast() }).contains("follow"));
    assert!(refused(Settings { answer_s: 0.0, ..fast() }).contains("answer_s"));
    assert!(refused(Settings { most_bytes: 0, ..fast() }).contains("most_bytes"));
}
