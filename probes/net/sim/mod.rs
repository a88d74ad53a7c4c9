//! A seeded virtual network on virtual time: the same method, told a story.
//!
//! There is one line between the machine that measures and one far end. The far end answers UDP by the session it was given
//! and ICMP echo by itself, and takes TCP connections at the ports that somebody listens at, where our own answering sides
//! can serve; there may be routers on the way, which drop what has no time left to live and say so. Datagrams and segments
//! share the line.
//!
//! Time is the runtime's: on a paused clock (`tokio::time::pause`) it stands still while anybody can do anything, and jumps to
//! the next thing that happens, so that a scenario of minutes takes milliseconds. Everything runs on one thread.

mod clockwork;
mod connections;
mod datagrams;
mod link;
mod scenario;
mod segments;
mod stream;
mod tcp;
mod world;

pub use clockwork::SimNet;
pub use link::Truth;
pub use scenario::{Burst, CrossLoad, Far, Host, Path, Pause, Router, Scenario, WallStep};
pub use world::Peer;

use super::{Connection, Datagrams, Listener, Net, NetError, Wanted, Wire};
use crate::tcp::ConnectError;
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use datagrams::SimSocket;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use stream::{Door, Stream};

#[async_trait]
impl Net for SimNet {
    fn datagrams(&self, wanted: &Wanted) -> Result<Box<dyn Datagrams>, NetError> {
        let mut world = self.world();
        let socket = world.sockets.len();
        world.sockets.push(world::Held::default());
        Ok(Box::new(SimSocket { net: self.clone(), socket, wanted: wanted.clone() }))
    }

    async fn connect(&self, wanted: &Connection<'_>, within: Span) -> Result<Wire, ConnectError> {
        let called = tokio::time::timeout(within.to_std(), Stream::call(self, wanted.to)).await;
        let silent = || ConnectError::There(ErrorKind::TimedOut.into());
        let stream = called.map_err(|_| silent())?.map_err(ConnectError::There)?;
        Ok(Wire::Virtual(Box::new(stream)))
    }

    /// All ports are the far end's.
    fn listen(&self, at: SocketAddr) -> io::Result<Listener> {
        if self.world().streams.doors.insert(at.port(), connections::Door::default()).is_some() {
            return Err(ErrorKind::AddrInUse.into());
        }
        Ok(Listener::Virtual(Box::new(Door { net: self.clone(), at })))
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
