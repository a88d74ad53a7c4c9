//! The network as everybody holds it, and what lets its things happen in their time.

use super::link::Truth;
use super::scenario::Scenario;
use super::world::{Peer, World};
use broadgauge_model::clock::{Clock, Mono, Wall};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

/// A virtual network.
#[derive(Clone)]
pub struct SimNet(Arc<Inner>);

struct Inner {
    world: Mutex<World>,
    bell: Arc<Notify>,
    going: AtomicBool,
}

impl std::fmt::Debug for SimNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimNet").finish_non_exhaustive()
    }
}

impl SimNet {
    /// With this far end.
    pub fn new(scenario: Scenario, peer: Peer) -> Self {
        let bell = Arc::new(Notify::new());
        let world = Mutex::new(World::new(scenario, peer, Arc::clone(&bell)));
        Self(Arc::new(Inner { world, bell, going: AtomicBool::new(false) }))
    }

    /// What both directions of the line did so far.
    pub fn truth(&self) -> (Truth, Truth) {
        self.world().truth()
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.catch_up();
        world
    }

    /// From now on things happen when it is their time.
    pub(super) fn set_going(&self) {
        if !self.0.going.swap(true, Ordering::Relaxed) {
            tokio::spawn(go_on(Arc::downgrade(&self.0)));
        }
    }
}

/// Lets one thing after another happen, and between them everybody do what they can.
async fn go_on(inner: Weak<Inner>) {
    loop {
        let Some(strong) = inner.upgrade() else { return };
        let bell = Arc::clone(&strong.bell);
        let happened = strong.world.lock().unwrap_or_else(PoisonError::into_inner).step();
        drop(strong);
        match happened {
            // Comes back when nobody else has anything to do.
            Ok(()) => tokio::task::yield_now().await,
            Err(next) => {
                let wait = async {
                    match next {
                        Some(at) => tokio::time::sleep_until(at).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    () = bell.notified() => {}
                    () = wait => {}
                }
            }
        }
    }
}

impl Clock for SimNet {
    fn mono(&self) -> Mono {
        self.world().mono
    }

    fn wall(&self) -> Wall {
        self.world().now().wall
    }
}
