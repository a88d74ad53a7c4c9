//! The door to sockets: [`real`] opens those of this machine, [`sim`] those of a seeded virtual network. Datagrams have a
//! socket, TCP connections a [`Wire`]. Only what one blocking thread does for many (connection attempts, loads over UDP)
//! opens its own, and not on a virtual network.
//!
//! A datagram socket gives three things that a plain socket does not: both clocks read together, the kernel's own
//! timestamps of packets that arrive and leave (`SO_TIMESTAMPING`), and a wait that ends at a time told. The kernel's
//! stamps leave out what the process adds: being woken up alone costs tens of microseconds. They are
//! taken in software, at the driver: what the network card adds is not seen.

mod arrival;
pub mod real;
pub mod sim;
pub(crate) mod stamp;
mod sys;
mod wire;

pub use wire::{Accepts, Connection, Held, Listener, Tap, Virtual, Wire};

use crate::binding::{Binding, Family};
use crate::codec::icmp_error::Trouble;
use crate::tcp::ConnectError;
use async_trait::async_trait;
use broadgauge_model::clock::{Mono, Span, Wall};
use futures_util::future::BoxFuture;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;

/// Both clocks, read together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Elapsed time.
    pub mono: Mono,
    /// Calendar time.
    pub wall: Wall,
}

impl Now {
    /// How far the calendar clock was set between two readings. Both clocks are slewed alike, so what differs is
    /// a step.
    pub const fn step_since(self, earlier: Self) -> Span {
        Span(
            self.wall.0.wrapping_sub(earlier.wall.0).wrapping_sub(self.mono.0 as i64 - earlier.mono.0 as i64),
        )
    }
}

/// What this machine's clock says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockState {
    /// Whether a time service keeps it.
    pub synchronised: bool,
    /// The largest error that the system admits.
    pub error: Span,
}

/// What travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// ICMP or ICMPv6, as the address says.
    Icmp,
}

/// Which end of the conversation a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Talks to one address and hears no other.
    To(SocketAddr),
    /// Waits for anybody.
    At(SocketAddr),
}

impl End {
    /// The address in it.
    pub const fn address(self) -> SocketAddr {
        match self {
            Self::To(address) | Self::At(address) => address,
        }
    }

    /// Its family.
    pub const fn family(self) -> Family {
        if self.address().is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

/// The socket that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What travels.
    pub protocol: Protocol,
    /// Which end.
    pub end: End,
    /// Interface, source address and DSCP.
    pub binding: Binding,
    /// Time to live or hop limit; the system's own where `None`.
    pub ttl: Option<u8>,
    /// Whether to ask the kernel when packets left. Costs a system call a packet.
    pub transmit_stamps: bool,
    /// Whether to be told which packet an ICMP error is about, and who sent it (`IP_RECVERR`).
    pub reports: bool,
}

impl Wanted {
    /// Of the system's own time to live, asking the kernel neither for stamps nor for reports.
    pub fn plain(protocol: Protocol, end: End, binding: &Binding) -> Self {
        Self { protocol, end, binding: binding.clone(), ttl: None, transmit_stamps: false, reports: false }
    }
}

/// What one packet's IP header says, where it is not what the socket's packets say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Time to live or hop limit.
    pub ttl: Option<u8>,
    /// Differentiated-services code point.
    pub dscp: Option<u8>,
}

/// A packet to send.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The sender's name for it; comes back with its transmit stamp.
    pub id: u64,
    /// To whom, and from which of this machine's addresses; to the connected address where `None`.
    pub to: Option<(SocketAddr, Option<IpAddr>)>,
    /// How its header differs.
    pub marks: Marks,
    /// What.
    pub bytes: &'a [u8],
}

/// A packet that arrived.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// What.
    pub bytes: &'a [u8],
    /// From whom.
    pub from: SocketAddr,
    /// To which of this machine's addresses.
    pub to: Option<IpAddr>,
    /// When the process had it.
    pub now: Now,
    /// When the kernel had it.
    pub kernel: Option<Wall>,
    /// The time to live or hop limit left.
    pub ttl: Option<u8>,
    /// The traffic class: DSCP in the upper six bits, ECN in the lower two.
    pub class: Option<u8>,
}

/// An ICMP error about a packet of ours.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Who sent it.
    pub from: IpAddr,
    /// What it says.
    pub trouble: Trouble,
    /// What it quotes of our packet: from the ICMP header on, or what follows the UDP header. Routers may quote as
    /// little as eight bytes behind the IP header (RFC 792), which leaves nothing of a UDP payload.
    pub quoted: &'a [u8],
    /// When the process had it.
    pub now: Now,
    /// When the kernel had it.
    pub kernel: Option<Wall>,
    /// The time to live or hop limit that it had left.
    pub ttl: Option<u8>,
}

/// Who is told what a socket sees.
pub trait Inbox {
    /// A packet arrived.
    fn received(&mut self, packet: &Packet<'_>);

    /// The kernel says when the packet of this id left.
    fn transmitted(&mut self, id: u64, at: Wall) {
        let _ = (id, at);
    }

    /// A router, or the far end, sent an ICMP error about a packet of ours; only where the socket was asked to tell.
    fn reported(&mut self, report: &Report<'_>) {
        let _ = report;
    }

    /// The network says that the far end cannot be reached (ICMP).
    fn unreachable(&mut self, why: io::ErrorKind) {
        let _ = why;
    }
}

/// A datagram socket.
pub trait Datagrams: Send {
    /// Both clocks.
    fn now(&self) -> Now;

    /// What the clock says of itself.
    fn clock_state(&self) -> ClockState;

    /// The address it is bound to.
    fn local(&self) -> SocketAddr;

    /// Whether the kernel hands over whole IP packets.
    fn is_raw(&self) -> bool;

    /// Sends at once. `Err` means that the packet did not leave.
    fn send(&mut self, packet: &Outgoing<'_>) -> io::Result<()>;

    /// What can be waited for instead, together with other sockets; `None` where there is no such thing.
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Tells `inbox` what is there already.
    fn take_in(&mut self, inbox: &mut dyn Inbox) -> io::Result<()> {
        self.wait(Mono(0), inbox)
    }

    /// Ends when something has arrived, or at `until`, on virtual time; `None` where a thread has to wait.
    fn news(&self, until: Mono) -> Option<BoxFuture<'static, ()>> {
        let _ = until;
        None
    }

    /// Tells `inbox` what arrives, and returns after the first things told, or at `until`. Holds its thread.
    fn wait(&mut self, until: Mono, inbox: &mut dyn Inbox) -> io::Result<()>;
}

/// Opens sockets.
#[async_trait]
pub trait Net: Send + Sync {
    /// A datagram socket, or why there is none.
    fn datagrams(&self, wanted: &Wanted) -> Result<Box<dyn Datagrams>, NetError>;

    /// A TCP connection, made within a time, or why there is none.
    async fn connect(&self, wanted: &Connection<'_>, within: Span) -> Result<Wire, ConnectError>;

    /// Takes a port for TCP connections that come in.
    fn listen(&self, at: SocketAddr) -> io::Result<Listener>;

    /// Whether its time is the runtime's: what waits for it must not hold a thread.
    fn is_virtual(&self) -> bool {
        false
    }
}

/// Why a socket cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// Neither of the two ways to send ICMP is open to this process.
    #[error(
        "not allowed to send ICMP echo: no datagram socket ({datagram}) and no raw socket ({raw}); allow the first \
         with `sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"`, or the second with \
         `setcap cap_net_raw+ep` on this program"
    )]
    IcmpForbidden {
        /// What the system said to the datagram socket.
        datagram: io::Error,
        /// What it said to the raw one.
        raw: io::Error,
    },
    /// The system refuses a socket or one of its options.
    #[error("cannot {what}")]
    Socket {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}
