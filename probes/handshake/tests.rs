//! Over loopback: what is agreed on is told, and what is not believed is no handshake.

use super::*;
use crate::net::Wire;
use crate::probe::Stop;
use crate::testing::{closed, context};
use crate::tls::Server;
use broadgauge_model::result::{Sample, Values};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

fn fast() -> Settings {
    Settings { per_second: 20.0, count: 3, ..Settings::default() }
}

async fn serving(server: Server) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move { drop(server.handshake(Wire::System(stream)).await) });
        }
    });
    address
}

async fn measure(settings: Settings, address: &str) -> Vec<Sample> {
    let measurement = Handshake::new(settings).unwrap().run(&context(&address)).await.unwrap();
    assert_eq!(measurement.singletons[0].1.len() as u64, measurement.samples[0].counts.planned);
    measurement.samples
}

fn of<'a>(samples: &'a [Sample], metric: &str) -> Option<&'a Sample> {
    samples.iter().find(|sample| sample.metric.id() == metric)
}

#[tokio::test]
async fn a_handshake_has_a_time_and_says_what_was_agreed_on() {
    let server = Server::self_signed(&[String::from("peer.example")], &["h2"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, server.certificate_pem().unwrap()).unwrap();
    let address = serving(server).await.to_string();
    let settings =
        Settings { ca_file: Some(ca_file), server_name: Some(String::from("peer.example")), ..fast() };
    let samples = measure(settings, &address).await;
    let tls = of(&samples, "tls_time").unwrap();
    let Values::Histogram(times) = &tls.values else { panic!("{:?}", tls.values) };
    assert_eq!((times.len(), tls.counts.planned), (tls.counts.sent, 3));
    assert_eq!(tls.details["version"], "TLSv1.3");
    assert_eq!(tls.details["alpn"], "h2");
    assert_eq!(tls.details["certificate_check"], "believed");
    assert!(tls.details["certificate_expires_in_days"].as_f64().unwrap() > 0.0);
    assert!(matches!(&of(&samples, "connect_time").unwrap().values, Values::Histogram(t) if !t.is_empty()));
    assert!(of(&samples, "resolve_time").is_none(), "an address needs no resolver");
}

#[tokio::test]
async fn a_certificate_that_is_not_believed_is_no_handshake_but_its_dates_are_told() {
    let server = Server::self_signed(&[String::from("peer.example")], &[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, server.certificate_pem().unwrap()).unwrap();
    let address = serving(server).await.to_string();
    let samples = measure(Settings { ca_file: Some(ca_file), ..fast() }, &address).await;
    let tls = of(&samples, "tls_time").unwrap();
    assert!(
        matches!(&tls.values, Values::Unmeasured(why) if why.0.contains("not valid for name")),
        "{:?}",
        tls.values
    );
    assert_eq!((tls.counts.lost, tls.counts.received), (0, tls.counts.sent));
    assert_eq!(tls.details["certificate"]["names"][0], "peer.example");
    assert!(tls.details["certificate_check"].as_str().unwrap().contains("NOT CHECKED"));
    let believed = measure(Settings { insecure: true, ..fast() }, &address).await;
    let tls = of(&believed, "tls_time").unwrap();
    assert!(matches!(tls.values, Values::Histogram(_)));
    assert!(tls.details["certificate_check"].as_str().unwrap().contains("NOT CHECKED"));
}

#[tokio::test]
async fn a_server_that_keeps_silent_is_a_loss_and_its_connect_time_stands() {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = mute.local_addr().unwrap().to_string();
    let samples = measure(Settings { insecure: true, timeout_ms: 100.0, ..fast() }, &address).await;
    let tls = of(&samples, "tls_time").unwrap();
    assert!(matches!(&tls.values, Values::Histogram(times) if times.is_empty()));
    assert_eq!(tls.counts.lost, tls.counts.sent);
    assert_eq!(of(&samples, "connect_time").unwrap().counts.lost, 0);
}

#[tokio::test]
async fn a_closed_port_refuses_and_no_handshake_is_reached() {
    let (_held, closed) = closed();
    let samples = measure(Settings { insecure: true, ..fast() }, &closed.to_string()).await;
    assert!(matches!(of(&samples, "tls_time").unwrap().values, Values::Unmeasured(_)));
    let connect = of(&samples, "connect_time").unwrap();
    assert!(matches!(&connect.values, Values::Unmeasured(why) if why.0.contains("was refused")));
}

#[tokio::test]
async fn a_stop_keeps_what_is_known() {
    let address = serving(Server::self_signed(&[String::from("a")], &[]).unwrap()).await.to_string();
    let (pull, stop) = Stop::new();
    let mut context = context(&address);
    context.stop = stop;
    context.listener = Some(Arc::new(move |_| {
        pull.send_replace(true);
    }));
    let settings = Settings { count: 1_000, insecure: true, ..fast() };
    let measurement = Handshake::new(settings).unwrap().run(&context).await.unwrap();
    assert!(measurement.interrupted);
    assert!((1..10).contains(&measurement.samples[0].counts.planned));
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |settings| Handshake::new(settings).unwrap_err().to_string();
    assert!(refused(Settings { count: 0, ..fast() }).contains("count"));
    assert!(refused(Settings { per_second: f64::NAN, ..fast() }).contains("per_second"));
    assert!(refused(Settings { timeout_ms: 0.0, ..fast() }).contains("timeout_ms"));
    assert!(refused(Settings { alpn: vec![String::new()], ..fast() }).contains("alpn"));
}
