//! Runs an answering side of packets on a socket, on a thread of its own.

use crate::net::{Datagrams, NetError};
use crate::session::{Session, drive_until};
use broadgauge_model::clock::Span;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Between bouts the totals are published.
const BOUT: Span = Span::secs(1);

/// An answering side as a state machine.
pub trait Answering: Session {
    /// What it counts.
    type Totals: Copy + Default + Send + 'static;

    /// What it has done.
    fn totals(&self) -> Self::Totals;

    /// Between two bouts: looks at the socket's clock, where it tells of that.
    fn refresh(&mut self, _socket: &dyn Datagrams) {}
}

/// An answering side at work. Dropping it ends it.
#[derive(Debug)]
pub struct Serving<T> {
    name: &'static str,
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    totals: Arc<Mutex<T>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// Answers on this socket until it is dropped. The thread has this name, of at most 15 letters.
pub fn serve<A: Answering>(
    name: &'static str,
    mut socket: Box<dyn Datagrams>,
    make: impl FnOnce(&dyn Datagrams) -> A + Send + 'static,
) -> Result<Serving<A::Totals>, NetError> {
    let address = socket.local();
    let (stop, totals) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(A::Totals::default())));
    let (stopped, books) = (Arc::clone(&stop), Arc::clone(&totals));
    let work = move || {
        let mut answering = make(&*socket);
        let stopping = || stopped.load(Ordering::Relaxed);
        let mut ended = Ok(());
        while !stopping() && ended.is_ok() {
            let end = socket.now().mono + BOUT;
            ended = drive_until(&mut answering, &mut *socket, &stopping, end);
            answering.refresh(&*socket);
            *books.lock().unwrap_or_else(PoisonError::into_inner) = answering.totals();
        }
        if let Err(why) = &ended {
            tracing::error!(%address, error = %why, "{name} ended");
        }
        ended
    };
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|source| NetError::Socket { what: format!("start the thread of the {name}"), source })?;
    Ok(Serving { name, address, stop, totals, thread: Some(thread) })
}

impl<T: Copy> Serving<T> {
    /// Where it answers.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has done, up to a second ago.
    pub fn totals(&self) -> T {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether its thread still runs.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Ends it, and tells what it has done.
    pub fn stop(mut self) -> T {
        self.end();
        self.totals()
    }
}

impl<T> Serving<T> {
    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!(address = %self.address, "thread of the {} panicked", self.name);
        }
    }
}

impl<T> Drop for Serving<T> {
    fn drop(&mut self) {
        self.end();
    }
}
