//! What the tests of several methods share.

use crate::peer::queue::Queue;
use crate::peer::service::Ground;
use crate::probe::{Context, Measurement, ProbeError};
use broadgauge_model::clock::SystemClock;
use broadgauge_model::result::{Sample, Values};
use socket2::{Domain, Socket, Type};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One measurement over this machine's own sockets.
pub(crate) fn context(address: &impl ToString) -> Context {
    Context::alone(address, Arc::new(SystemClock::start()), 7)
}

/// What an answering side is started with that listens there, over this machine's own sockets.
pub(crate) fn ground(at: SocketAddr) -> Ground {
    let Context { clock, net, stop, .. } = context(&at);
    Ground { at: vec![at], tls: None, queue: Queue::new(8, 8), net, clock, stop, keeper: None }
}

/// A port that refuses: it is bound, so that nobody else comes to listen there, and does not listen itself.
pub(crate) fn closed() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// A far end that behaves like this on its first connection, and holds all others open.
pub(crate) async fn behaving<F>(
    behave: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, JoinHandle<()>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let far = tokio::spawn(async move {
        let (first, _) = listener.accept().await.unwrap();
        let mut held = Vec::new();
        tokio::join!(behave(first), async {
            while let Ok((other, _)) = listener.accept().await {
                held.push(other);
            }
        });
    });
    (address, far)
}

/// Why there is no rate from a far end that does not keep to the protocol.
pub(crate) fn why_none(came_to: Result<Measurement, ProbeError>) -> String {
    match came_to {
        Err(error) => error.to_string(),
        Ok(measurement) => why_not(&measurement.samples[0]).to_owned(),
    }
}

/// Why there is no value.
pub(crate) fn why_not(sample: &Sample) -> &str {
    match &sample.values {
        Values::Unmeasured(reason) => &reason.0,
        other => panic!("unmeasured, not {other:?}"),
    }
}

/// The value, which is one number.
pub(crate) fn number(sample: &Sample) -> f64 {
    match &sample.values {
        Values::Number(number) => *number,
        other => panic!("a number, not {other:?}"),
    }
}
