//! Runs the answering side on a socket of this machine, on a thread of its own.

use super::peer::{Limits, Peer, Totals};
use crate::codec::capacity::PORT;
use crate::net::real::RealNet;
use crate::net::{End, Net, NetError, Protocol, Wanted};
use crate::peer::queue::Queue;
use crate::peer::service::{Ground, Running, Service, Tls};
use crate::probe::Binding;
use crate::session::drive_until;
use broadgauge_model::clock::Span;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Between bouts the totals are published.
const BOUT: Span = Span::secs(1);

/// A peer at work. Dropping it ends it.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    totals: Arc<Mutex<Totals>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// Answers on this address until it is dropped. An unspecified IPv6 address answers IPv6 only: start one for each family,
/// with one queue for all.
pub fn serve(net: &dyn Net, at: SocketAddr, limits: Limits, queue: Queue) -> Result<Serving, NetError> {
    let wanted = Wanted {
        protocol: Protocol::Udp,
        end: End::At(at),
        binding: Binding::default(),
        ttl: None,
        transmit_stamps: false,
        reports: false,
    };
    let mut socket = net.datagrams(&wanted)?;
    let address = socket.local();
    let (stop, totals) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Totals::default())));
    let (stopped, books) = (Arc::clone(&stop), Arc::clone(&totals));
    let work = move || {
        let mut peer = Peer::new(limits, queue);
        let stopping = || stopped.load(Ordering::Relaxed);
        let mut ended = Ok(());
        while !stopping() && ended.is_ok() {
            let end = socket.now().mono + BOUT;
            ended = drive_until(&mut peer, &mut *socket, &stopping, end);
            *books.lock().unwrap_or_else(PoisonError::into_inner) = peer.totals();
        }
        if let Err(why) = &ended {
            tracing::error!(%address, error = %why, "the answering side of capacity tests ended");
        }
        ended
    };
    let thread =
        std::thread::Builder::new().name(String::from("capacity")).spawn(work).map_err(|source| {
            NetError::Socket { what: String::from("start the thread of capacity tests"), source }
        })?;
    Ok(Serving { address, stop, totals, thread: Some(thread) })
}

impl Serving {
    /// Where it answers.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has done, up to a second ago.
    pub fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it, and tells what it has done.
    pub fn stop(mut self) -> Totals {
        self.end();
        self.totals()
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!(address = %self.address, "the thread of capacity tests panicked");
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.end();
    }
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
    let net = RealNet::new(Arc::clone(&ground.clock));
    let mut serving = Vec::with_capacity(ground.at.len());
    for &at in &ground.at {
        let one = serve(&net, at, Limits::default(), ground.queue.clone()).map_err(|error| match error {
            NetError::Socket { source, .. } => source,
            other => io::Error::other(other),
        })?;
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
