//! Runs a reflector on a socket of this machine, on a thread of its own.

use super::estimate;
use super::peer::{Limits, Reflector, Totals};
use crate::codec::stamp::Mode;
use crate::net::{Datagrams, End, Net, NetError, Protocol, Wanted};
use crate::probe::Binding;
use crate::serving::{self, Answering};
use std::net::SocketAddr;

/// A reflector at work. Dropping it ends it.
pub type Serving = serving::Serving<Totals>;

impl Answering for Reflector {
    type Totals = Totals;

    fn totals(&self) -> Totals {
        self.totals()
    }

    /// The clock is asked how good it is.
    fn refresh(&mut self, socket: &dyn Datagrams) {
        self.set_clock(estimate(socket.clock_state()));
    }
}

/// Answers on this address until it is dropped. An unspecified IPv6 address answers IPv6 only: start one for each family.
pub fn serve(
    net: &dyn Net,
    at: SocketAddr,
    binding: &Binding,
    mode: Mode,
    limits: Limits,
) -> Result<Serving, NetError> {
    let plain = Wanted::plain(Protocol::Udp, End::At(at), binding);
    let socket = net.datagrams(&Wanted { ttl: Some(super::TTL), ..plain })?;
    serving::serve("reflector", socket, move |socket| {
        Reflector::new(mode, limits, socket.local().port(), estimate(socket.clock_state()))
    })
}
