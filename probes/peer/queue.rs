//! One loading test at a time, the others in the order in which they came.
//!
//! Two loads at once would measure each other. Who waits is told how many are before it; who goes away, by
//! any road, leaves the queue with its [`Place`].

use broadgauge_model::clock::Mono;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The queue of a peer.
#[derive(Clone, Debug)]
pub struct Queue {
    line: Arc<Mutex<Line>>,
    changed: watch::Sender<u64>,
    longest: usize,
    longest_per_client: usize,
    pub(super) holder: Arc<Mutex<Option<Holder>>>,
}

/// A test of many requests that has its turn (see [`super::turns`]). All protocols that share a queue share it.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) who: IpAddr,
    pub(super) protocol: &'static str,
    pub(super) since: Mono,
    pub(super) requests: usize,
    /// Raised with each request, so that an old end does not end a new beginning.
    pub(super) version: u64,
    pub(super) _place: Place,
}

#[derive(Debug, Default)]
struct Line {
    /// The first one runs.
    places: VecDeque<(u64, IpAddr)>,
    next: u64,
}

/// Why somebody may not queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// For anybody.
    #[error("too many tests are waiting")]
    Altogether,
    /// For this place.
    #[error("too many tests are waiting from your address")]
    FromThere,
}

impl Queue {
    /// With room for so many that wait, and for so many of one place.
    pub fn new(longest: usize, longest_per_client: usize) -> Self {
        Self {
            line: Arc::default(),
            changed: watch::Sender::new(0),
            longest,
            longest_per_client,
            holder: Arc::default(),
        }
    }

    /// Stands at the end of the queue.
    pub fn enter(&self, client: IpAddr) -> Result<Place, Full> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.places.len() > self.longest {
            return Err(Full::Altogether);
        }
        if line.places.iter().filter(|(_, who)| *who == client).count() >= self.longest_per_client {
            return Err(Full::FromThere);
        }
        let ticket = line.next;
        line.next += 1;
        line.places.push_back((ticket, client));
        Ok(Place { queue: self.clone(), ticket, changed: self.changed.subscribe() })
    }
}

/// A place in the queue; leaving it lets the next one move up.
#[derive(Debug)]
pub struct Place {
    queue: Queue,
    ticket: u64,
    changed: watch::Receiver<u64>,
}

impl Place {
    /// How many are before us; at zero it is our turn.
    pub fn ahead(&self) -> u32 {
        let line = self.queue.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.places.iter().take_while(|(ticket, _)| *ticket != self.ticket).count() as u32
    }

    /// Waits until somebody has left the queue since this was last asked.
    pub async fn moved(&mut self) {
        // The sender lives in `self.queue`, so this cannot fail.
        let _ = self.changed.changed().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut line = self.queue.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.places.retain(|(ticket, _)| *ticket != self.ticket);
        drop(line);
        self.queue.changed.send_modify(|version| *version += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[tokio::test]
    async fn the_first_to_come_is_the_first_to_run() {
        let queue = Queue::new(8, 8);
        let first = queue.enter(A).unwrap();
        let mut second = queue.enter(B).unwrap();
        let mut third = queue.enter(A).unwrap();
        assert_eq!((first.ahead(), second.ahead(), third.ahead()), (0, 1, 2));
        drop(first);
        second.moved().await;
        third.moved().await;
        assert_eq!((second.ahead(), third.ahead()), (0, 1));
        drop(second);
        third.moved().await;
        assert_eq!(third.ahead(), 0);
    }

    #[tokio::test]
    async fn whoever_goes_away_while_waiting_holds_nobody_up() {
        let queue = Queue::new(8, 8);
        let first = queue.enter(A).unwrap();
        drop(queue.enter(B).unwrap());
        let third = queue.enter(A).unwrap();
        assert_eq!(third.ahead(), 1);
        drop(first);
        assert_eq!(third.ahead(), 0);
    }

    #[test]
    fn the_queue_is_bounded_altogether_and_per_client() {
        let queue = Queue::new(2, 2);
        let _running = queue.enter(A).unwrap();
        let _waiting = queue.enter(A).unwrap();
        assert_eq!(queue.enter(A).unwrap_err(), Full::FromThere);
        let _third = queue.enter(B).unwrap();
        assert_eq!(queue.enter(B).unwrap_err(), Full::Altogether);
    }
}
