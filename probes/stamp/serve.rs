//! Runs a reflector on a socket of this machine, on a thread of its own.

use super::estimate;
use super::peer::{Limits, Reflector, Totals};
use crate::codec::stamp::Mode;
use crate::net::{End, Net, NetError, Protocol, Wanted};
use crate::probe::Binding;
use crate::session::drive_until;
use broadgauge_model::clock::Span;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Between bouts the totals are published, and the clock is asked how good it is.
const BOUT: Span = Span::secs(1);

/// A reflector at work. Dropping it ends it.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    totals: Arc<Mutex<Totals>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// Answers on this address until it is dropped. An unspecified IPv6 address answers IPv6 only: start one for each family.
pub fn serve(
    net: &dyn Net,
    at: SocketAddr,
    binding: &Binding,
    mode: Mode,
    limits: Limits,
) -> Result<Serving, NetError> {
    let wanted = Wanted {
        protocol: Protocol::Udp,
        end: End::At(at),
        binding: binding.clone(),
        ttl: Some(super::TTL),
        transmit_stamps: false,
        reports: false,
    };
    let mut socket = net.datagrams(&wanted)?;
    let address = socket.local();
    let (stop, totals) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Totals::default())));
    let (stopped, books) = (Arc::clone(&stop), Arc::clone(&totals));
    let work = move || {
        let mut reflector = Reflector::new(mode, limits, address.port(), estimate(socket.clock_state()));
        let stopping = || stopped.load(Ordering::Relaxed);
        let mut ended = Ok(());
        while !stopping() && ended.is_ok() {
            let end = socket.now().mono + BOUT;
            ended = drive_until(&mut reflector, &mut *socket, &stopping, end);
            reflector.set_clock(estimate(socket.clock_state()));
            *books.lock().unwrap_or_else(PoisonError::into_inner) = reflector.totals();
        }
        if let Err(why) = &ended {
            tracing::error!(%address, error = %why, "reflector ended");
        }
        ended
    };
    let thread = std::thread::Builder::new()
        .name(String::from("reflector"))
        .spawn(work)
        .map_err(|source| NetError::Socket { what: String::from("start the reflector's thread"), source })?;
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

    /// Whether its thread still runs.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Ends it, and tells what it has done.
    pub fn stop(mut self) -> Totals {
        self.end();
        self.totals()
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!(address = %self.address, "reflector thread panicked");
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.end();
    }
}
