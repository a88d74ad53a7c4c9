//! Over loopback: who is connected, refused, and left without an answer.

use super::*;
use crate::probe::Stop;
use crate::testing::{closed, context};
use broadgauge_model::result::{Outcome, Values};
use socket2::{Domain, Socket, Type};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

fn fast() -> Settings {
    Settings { per_second: 100.0, count: 5, ..Settings::default() }
}

async fn measure(settings: Settings, context: &Context) -> Sample {
    let mut measurement = Connect::new(settings).unwrap().run(context).await.unwrap();
    assert_eq!(measurement.singletons[0].1.len() as u64, measurement.samples[0].counts.planned);
    measurement.samples.remove(0)
}

#[tokio::test]
async fn a_listening_target_has_a_connect_time_in_either_family() {
    for host in ["127.0.0.1:0", "[::1]:0"] {
        let listener = TcpListener::bind(host).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&told);
        let mut context = context(&listener.local_addr().unwrap());
        context.listener = Some(Arc::new(move |event| {
            if let Event::Singleton { singleton, .. } = event {
                ear.lock().unwrap().push(singleton.outcome);
            }
        }));
        let sample = measure(fast(), &context).await;
        let counts = sample.counts;
        assert_eq!((counts.planned, counts.lost), (5, 0));
        assert_eq!(counts.sent, counts.received);
        let Values::Histogram(times) = &sample.values else { panic!("{:?}", sample.values) };
        assert_eq!(times.len(), counts.received);
        assert_eq!(sample.details["connected"], counts.received);
        assert!(sample.details["timed_by"]["kernel"].as_u64().unwrap() > 0);
        let told = told.lock().unwrap();
        let values = told.iter().filter(|outcome| matches!(outcome, Outcome::Value(_))).count();
        assert_eq!(values as u64, counts.received);
    }
}

#[tokio::test]
async fn a_closed_port_refuses_which_is_an_answer_but_no_connection() {
    let (_held, closed) = closed();
    let sample = measure(fast(), &context(&closed)).await;
    assert!(matches!(&sample.values, Values::Unmeasured(reason) if reason.0.contains("refused all")));
    assert_eq!(sample.details["refused"], sample.counts.sent);
    assert!(sample.details["refused_after_p50_ms"].as_f64().unwrap() >= 0.0);
    assert_eq!((sample.counts.lost, sample.counts.received), (0, sample.counts.sent));
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_a_loss() {
    // A listener whose queue is full drops further SYNs.
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let _in_the_queue = std::net::TcpStream::connect(address).unwrap();
    let sample = measure(Settings { timeout_ms: 50.0, ..fast() }, &context(&address)).await;
    let Values::Histogram(times) = &sample.values else { panic!("{:?}", sample.values) };
    assert!(times.is_empty());
    assert_eq!((sample.counts.received, sample.counts.lost), (0, sample.counts.sent));
}

#[tokio::test]
async fn a_stop_keeps_what_is_known() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (pull, stop) = Stop::new();
    let mut context = context(&listener.local_addr().unwrap());
    context.stop = stop;
    context.listener = Some(Arc::new(move |_| {
        pull.send_replace(true);
    }));
    let settings = Settings { count: 1_000, per_second: 1.0, ..Settings::default() };
    let measurement = Connect::new(settings).unwrap().run(&context).await.unwrap();
    assert!(measurement.interrupted);
    assert_eq!(measurement.samples[0].counts.planned, 1);
}

#[tokio::test]
async fn a_source_address_that_is_not_ours_is_an_error_before_anything_is_asked() {
    let mut context = context(&SocketAddr::from(([127, 0, 0, 1], 9)));
    context.binding.source = Some("192.0.2.77".parse().unwrap());
    let error = Connect::new(fast()).unwrap().run(&context).await.unwrap_err();
    assert!(error.to_string().contains("192.0.2.77"), "{error}");
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let refused = |settings| Connect::new(settings).unwrap_err().to_string();
    assert!(refused(Settings { count: 0, ..fast() }).contains("count"));
    assert!(refused(Settings { per_second: f64::NAN, ..fast() }).contains("per_second"));
    assert!(refused(Settings { timeout_ms: 0.0, ..fast() }).contains("timeout_ms"));
}
