//! Over loopback: which connections a page takes, and that only a whole page counts.

use super::*;
use crate::http::Payload;
use crate::http::server::{Answer, Caller, Limits, Service, plain};
use crate::probe::Stop;
use crate::testing::context;
use crate::tls::Server;
use broadgauge_model::result::{Sample, Values};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Request, Response, StatusCode};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Mutex;

/// Gives objects of ten kilobytes, and remembers over which connections.
#[derive(Default)]
struct Site {
    connections: Mutex<HashSet<SocketAddr>>,
}

#[async_trait]
impl Answer for Site {
    async fn answer(&self, caller: Caller, request: Request<Incoming>) -> Response<Payload> {
        self.connections.lock().unwrap().insert(caller.address);
        let path = request.uri().path();
        if path.starts_with("/missing") {
            return plain(StatusCode::NOT_FOUND, "no such thing");
        }
        if path.starts_with("/never") {
            std::future::pending::<()>().await;
        }
        let mut response = Response::new(Payload::random(10_000, 1));
        if path.starts_with("/last") {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

fn serving(tls: bool) -> (SocketAddr, Arc<Site>) {
    let server = tls.then(|| Server::self_signed(&[String::from("localhost")], &["h2", "http/1.1"]).unwrap());
    let service =
        Service::new(server, Limits::default()).and_at(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = service.addresses()[0];
    let site = Arc::new(Site::default());
    tokio::spawn(service.serve(Arc::clone(&site) as _, Stop::never()));
    (address, site)
}

fn settings(objects: impl IntoIterator<Item = String>) -> Settings {
    Settings {
        objects: objects.into_iter().collect(),
        per_second: 10.0,
        count: 1,
        insecure: true,
        ..Settings::default()
    }
}

async fn measure(settings: Settings, url: String) -> Sample {
    Web::new(settings).unwrap().run(&context(&url)).await.unwrap().samples.remove(0)
}

fn pages(sample: &Sample) -> u64 {
    match &sample.values {
        Values::Histogram(times) => times.len(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_over_http_1_takes_six_connections_and_over_http_2_one() {
    for (tls, http, most) in [(false, "HTTP/1.1", 6), (true, "HTTP/2", 1)] {
        let (address, site) = serving(tls);
        let scheme = if tls { "https" } else { "http" };
        let objects = (0..30).map(|n| format!("/object/{n}"));
        let sample = measure(settings(objects), format!("{scheme}://{address}/")).await;
        assert_eq!(pages(&sample), 1);
        let details = &sample.details;
        let objects = details["objects"].as_array().unwrap();
        assert_eq!(objects.len(), 31);
        assert!(objects.iter().all(|object| object["http"] == http && object["bytes"] == 10_000));
        assert_eq!(details["connections"], most);
        assert_eq!(site.connections.lock().unwrap().len(), most);
        let Values::Histogram(times) = &sample.values else { panic!() };
        let last = objects.iter().filter_map(|object| object["done_ms"].as_f64()).fold(0.0, f64::max);
        let page = times.max().unwrap() as f64 / 1e3;
        assert!(page >= last * 0.999, "{page} {last}");
    }
}

#[tokio::test]
async fn objects_of_other_hosts_have_connections_of_their_own() {
    let ((here, _), (there, site)) = (serving(false), serving(true));
    let objects = [format!("https://{there}/a"), String::from("/b"), format!("https://{there}/c")];
    let sample = measure(settings(objects), format!("http://{here}/")).await;
    assert_eq!((pages(&sample), &sample.details["connections"]), (1, &json!(2)));
    assert_eq!(site.connections.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_connection_that_a_server_ends_is_replaced() {
    let (address, _) = serving(false);
    let objects = (0..8).map(|n| format!("/last/{n}"));
    let sample = measure(settings(objects), format!("http://{address}/")).await;
    assert_eq!(pages(&sample), 1);
    assert!(sample.details["connections"].as_u64().unwrap() > 6);
}

#[tokio::test]
async fn a_page_without_one_of_its_objects_is_no_page() {
    let (address, _) = serving(true);
    let objects = [String::from("/a"), String::from("/missing/b")];
    let sample = measure(settings(objects), format!("https://{address}/")).await;
    assert!(matches!(&sample.values, Values::Unmeasured(why) if why.0.contains("/missing/b has status 404")));
    assert_eq!((sample.counts.lost, sample.counts.received), (0, 1));
}

#[tokio::test]
async fn a_page_that_does_not_come_in_time_is_lost() {
    let (address, _) = serving(true);
    let objects = [String::from("/a"), String::from("/never")];
    let settings = Settings { timeout_s: 0.3, ..settings(objects) };
    let sample = measure(settings, format!("https://{address}/")).await;
    assert_eq!((pages(&sample), sample.counts.lost), (0, 1));
    assert_eq!(sample.details["objects"].as_array().unwrap().len(), 2, "what came is told");
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |settings| Web::new(settings).unwrap_err().to_string();
    assert!(refused(Settings { count: 0, ..settings([]) }).contains("count"));
    assert!(refused(Settings { timeout_s: 0.0, ..settings([]) }).contains("timeout_s"));
    assert!(refused(Settings { connections: 0, ..settings([]) }).contains("connections"));
    assert!(refused(settings(vec![String::from("/"); 501])).contains("objects"));
    let page = Url::parse("https://a.example/").unwrap();
    assert!(settings([String::from("ftp://x/")]).objects(&page).unwrap_err().to_string().contains("objects"));
}
