//! Runs the answering side on a socket of this machine, on a thread of its own.

use super::peer::{Limits, Peer, Totals};
use crate::codec::capacity::PORT;
use crate::net::{End, Net, NetError, Protocol, Wanted};
use crate::peer::queue::Queue;
use crate::peer::service::{Ground, Running, Service, Tls};
use crate::probe::Binding;
use crate::serving::{self, Answering};
use std::io;
use std::net::SocketAddr;

/// A peer at work. Dropping it ends it.
pub type Serving = serving::Serving<Totals>;

impl Answering for Peer {
    type Totals = Totals;

    fn totals(&self) -> Totals {
        self.totals()
    }
}

/// Answers on this address until it is dropped. An unspecified IPv6 address answers IPv6 only: start one for each family,
/// with one queue for all.
pub fn serve(net: &dyn Net, at: SocketAddr, limits: Limits, queue: Queue) -> Result<Serving, NetError> {
    let socket = net.datagrams(&Wanted::plain(Protocol::Udp, End::At(at), &Binding::default()))?;
    serving::serve("capacity peer", socket, move |_| Peer::new(limits, queue))
}

/// What a peer needs to know of it.
pub static SERVICE: Service = Service {
    name: "capacity",
    about: "the far end of capacity: IP-layer capacity over UDP",
    port: PORT,
    transport: "udp",
    tls: Tls::Never,
    start,
};

/// Takes its ports.
pub fn start(ground: Ground) -> io::Result<Running> {
    let mut serving = Vec::with_capacity(ground.at.len());
    for &at in &ground.at {
        let one =
            serve(&*ground.net, at, Limits::default(), ground.queue.clone()).map_err(
                |error| match error {
                    NetError::Socket { source, .. } => source,
                    other => io::Error::other(other),
                },
            )?;
        serving.push(one);
    }
    let addresses = serving.iter().map(Serving::address).collect();
    let mut stop = ground.stop;
    let answering = Box::pin(async move {
        stop.wait().await;
        for one in serving {
            let (address, totals) = (one.address(), one.stop());
            tracing::info!(%address, ?totals, "the answering side of capacity tests is over");
        }
    });
    Ok(Running { addresses, answering })
}
