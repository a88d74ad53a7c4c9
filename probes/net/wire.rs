//! A TCP connection of this machine or of the virtual network, as methods and answering sides hold it, and the door that
//! connections come in by.

use super::arrival;
use crate::binding::Binding;
use crate::tcp::info::{TcpInfo, tcp_info, waiting};
use crate::tcp::linux::{Named, bbr, every_field};
use crate::tcp::{self, ConnectError, NoSocket};
use async_trait::async_trait;
use broadgauge_model::clock::{Span, Wall};
use socket2::{Domain, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The connection that is wanted.
#[derive(Clone, Copy)]
pub struct Connection<'a> {
    /// To whom.
    pub to: SocketAddr,
    /// Interface, source address and DSCP.
    pub binding: &'a Binding,
    /// What is done to a system's socket before the connection is made.
    pub prepare: &'a (dyn Fn(&Socket) -> Result<(), NoSocket> + Send + Sync),
}

impl<'a> Connection<'a> {
    /// As the system makes them.
    pub fn plain(to: SocketAddr, binding: &'a Binding) -> Self {
        Self { to, binding, prepare: &|_| Ok(()) }
    }

    /// One of which the kernel is asked when bytes came. Before it is made: the kernel takes a moment to begin.
    pub fn stamped(to: SocketAddr, binding: &'a Binding) -> Self {
        let prepare = &|socket: &Socket| {
            arrival::ask(socket);
            Ok(())
        };
        Self { to, binding, prepare }
    }

    /// Makes it over this machine's network, within a time.
    pub(super) async fn make(&self, within: Span) -> Result<Wire, ConnectError> {
        let socket = tcp::open(self.to, self.binding).map_err(ConnectError::Door)?;
        (self.prepare)(&socket).map_err(ConnectError::Door)?;
        tcp::connect(socket, self.to, within).await.map(Wire::System)
    }
}

/// An end of a connection that is no socket.
pub trait Virtual: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug {
    /// Its own address.
    fn local_addr(&self) -> SocketAddr;

    /// A second hold on it.
    fn held(&self) -> Arc<dyn Held>;
}

/// What is asked of such an end beside its bytes.
pub trait Held: Send + Sync + std::fmt::Debug {
    /// What a system would say of it.
    fn info(&self) -> TcpInfo;

    /// Payload behind gaps.
    fn waiting(&self) -> u64;

    /// Lets no more than this wait without having been sent.
    fn keep_little_unsent(&self, bytes: u32);

    /// Nothing more will be sent.
    fn finish(&self);

    /// Ends the connection at once.
    fn abandon(&self);
}

/// A port that is listened at, and is no socket.
#[async_trait]
pub trait Accepts: Send + Sync + std::fmt::Debug {
    /// Which.
    fn local_addr(&self) -> SocketAddr;

    /// The next connection, and whose it is.
    async fn accept(&self) -> (Wire, SocketAddr);
}

/// A connection.
#[derive(Debug)]
pub enum Wire {
    /// Of this machine.
    System(TcpStream),
    /// Of the virtual network.
    Virtual(Box<dyn Virtual>),
}

impl Wire {
    /// The socket below, for what only a system can do.
    pub fn socket(&self) -> Option<SockRef<'_>> {
        match self {
            Self::System(stream) => Some(SockRef::from(stream)),
            Self::Virtual(_) => None,
        }
    }

    /// Small messages shall not wait for one another. A system that refuses is only slower.
    pub fn in_haste(&self) {
        if let Self::System(stream) = self {
            let _ = stream.set_nodelay(true);
        }
    }

    /// The far end is given up when it has acknowledged nothing for so long. A system that refuses is no less safe.
    pub fn give_up_after(&self, silence: Span) {
        if let Some(socket) = self.socket() {
            let _ = socket.set_tcp_user_timeout(Some(silence.to_std()));
        }
    }

    /// Its own address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::System(stream) => stream.local_addr(),
            Self::Virtual(stream) => Ok(stream.local_addr()),
        }
    }

    /// When the first of what waits to be read arrived; nothing where nothing waits, or nobody says.
    pub(crate) fn arrived(&self) -> Option<Wall> {
        match self {
            Self::System(stream) => arrival::of_waiting(stream),
            Self::Virtual(_) => None,
        }
    }
}

/// Does the same to whichever it is.
macro_rules! either {
    ($self:ident, $stream:ident => $do:expr) => {
        match $self.get_mut() {
            Wire::System($stream) => $do,
            Wire::Virtual($stream) => $do,
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_read(cx, into))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

/// A second handle of a connection. The connection ends only when its stream and its taps are gone.
#[derive(Debug)]
pub enum Tap {
    /// Of this machine's.
    System(Socket),
    /// Of one of the virtual network.
    Virtual(Arc<dyn Held>),
}

impl Tap {
    /// Of a connection.
    pub fn of(wire: &Wire) -> io::Result<Self> {
        match wire {
            Wire::System(stream) => SockRef::from(stream).try_clone().map(Self::System),
            Wire::Virtual(stream) => Ok(Self::Virtual(stream.held())),
        }
    }

    /// What the system knows now; `None` where it does not say.
    pub fn info(&self) -> Option<TcpInfo> {
        match self {
            Self::System(socket) => tcp_info(socket).ok(),
            Self::Virtual(held) => Some(held.info()),
        }
    }

    /// Every field that the kernel fills in, and what BBR says, by the names of the public ndt7 data.
    pub fn named(&self) -> (Named, Named) {
        match self {
            Self::System(socket) => (every_field(socket).unwrap_or_default(), bbr(socket)),
            Self::Virtual(_) => Default::default(),
        }
    }

    /// The memory that holds what arrived and was not read.
    pub fn waiting(&self) -> Option<u64> {
        match self {
            Self::System(socket) => waiting(socket),
            Self::Virtual(held) => Some(held.waiting()),
        }
    }

    /// Lets no more than this wait in the system without having been sent: what is said later waits behind it.
    pub fn keep_little_unsent(&self, bytes: u32) {
        match self {
            // Where the system refuses, more waits; the delays that are measured then have it in them.
            Self::System(socket) => drop(socket.set_tcp_notsent_lowat(bytes)),
            Self::Virtual(held) => held.keep_little_unsent(bytes),
        }
    }

    /// Ends the connection at once, whatever lies in its buffers.
    pub fn abandon(&self) {
        match self {
            Self::System(socket) => {
                // Where the system refuses, the ordinary close follows all the same.
                let _ = socket.set_linger(Some(std::time::Duration::ZERO));
                let _ = socket.shutdown(std::net::Shutdown::Both);
            }
            Self::Virtual(held) => held.abandon(),
        }
    }
}

/// An address that is listened at.
#[derive(Debug)]
pub enum Listener {
    /// Of this machine.
    System(TcpListener),
    /// Of the far end of the virtual network.
    Virtual(Box<dyn Accepts>),
}

impl Listener {
    /// Takes a port of this machine. An unspecified IPv6 address answers IPv6 only. Needs a runtime.
    pub fn at(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(1_024)?;
        TcpListener::from_std(socket.into()).map(Self::System)
    }

    /// Which.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::System(listener) => listener.local_addr(),
            Self::Virtual(listener) => Ok(listener.local_addr()),
        }
    }

    /// The next connection, and whose it is.
    pub async fn accept(&self) -> io::Result<(Wire, SocketAddr)> {
        match self {
            Self::System(listener) => {
                listener.accept().await.map(|(stream, from)| (Wire::System(stream), from))
            }
            Self::Virtual(listener) => Ok(listener.accept().await),
        }
    }
}
