//! The two ends of a virtual connection, and the door that the far one came through.

use super::clockwork::SimNet;
use super::connections::{Place, Side};
use crate::net::{Accepts, Held, Virtual, Wire};
use crate::tcp::info::TcpInfo;
use async_trait::async_trait;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// An end of a connection; it is left when its stream and its taps are gone.
struct End {
    net: SimNet,
    place: Place,
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("End").field(&self.place).finish()
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.net.world().leave(self.place);
    }
}

impl Held for End {
    fn info(&self) -> TcpInfo {
        self.net.world().info(self.place)
    }

    fn waiting(&self) -> u64 {
        self.net.world().streams.end(self.place).receiver.waiting()
    }

    fn keep_little_unsent(&self, bytes: u32) {
        self.net.world().streams.end(self.place).sender.keep_little_unsent(bytes as usize);
    }

    fn finish(&self) {
        self.net.world().finish(self.place);
    }

    fn abandon(&self) {
        self.net.world().abandon(self.place);
    }
}

/// An end of a virtual connection.
#[derive(Debug)]
pub(super) struct Stream(Arc<End>);

impl Stream {
    fn at(net: &SimNet, connection: usize, side: Side) -> Self {
        Self(Arc::new(End { net: net.clone(), place: Place { connection, side } }))
    }

    /// Makes a connection, however long that takes.
    pub(super) async fn call(net: &SimNet, to: SocketAddr) -> io::Result<Self> {
        net.set_going();
        let connection = net.world().call(to);
        let stream = Self::at(net, connection, Side::Near);
        poll_fn(|cx| {
            let mut world = net.world();
            let made = world.streams.connection(connection).made;
            let end = world.streams.end(stream.0.place);
            match end.error {
                Some(kind) => Poll::Ready(Err(io::Error::from(kind))),
                None if made => Poll::Ready(Ok(())),
                None => {
                    end.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await?;
        Ok(stream)
    }
}

impl Virtual for Stream {
    fn local_addr(&self) -> SocketAddr {
        self.0.net.world().streams.addresses(self.0.place).0
    }

    fn held(&self) -> Arc<dyn Held> {
        Arc::clone(&self.0) as _
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut world = self.0.net.world();
        let end = world.streams.end(self.0.place);
        if end.receiver.has_something() {
            if end.receiver.read(into) {
                world.tell_room(self.0.place);
            }
            return Poll::Ready(Ok(()));
        }
        match end.error {
            Some(kind) => Poll::Ready(Err(kind.into())),
            None if end.receiver.has_ended() => Poll::Ready(Ok(())),
            None => {
                end.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut world = self.0.net.world();
        let end = world.streams.end(self.0.place);
        if let Some(kind) = end.error {
            return Poll::Ready(Err(kind.into()));
        }
        if end.sender.is_closing() {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        if end.sender.room() == 0 {
            end.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(world.write(self.0.place, bytes)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.net.world().finish(self.0.place);
        Poll::Ready(Ok(()))
    }
}

/// A port of the far end that is listened at.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) net: SimNet,
    pub(super) at: SocketAddr,
}

#[async_trait]
impl Accepts for Door {
    fn local_addr(&self) -> SocketAddr {
        self.at
    }

    async fn accept(&self) -> (Wire, SocketAddr) {
        let connection = poll_fn(|cx| {
            let mut world = self.net.world();
            let door = world.streams.doors.entry(self.at.port()).or_default();
            if let Some(connection) = door.waiting.pop_front() {
                Poll::Ready(connection)
            } else {
                door.listener = Some(cx.waker().clone());
                Poll::Pending
            }
        })
        .await;
        let stream = Stream::at(&self.net, connection, Side::Far);
        let (_, from) = self.net.world().streams.addresses(stream.0.place);
        (Wire::Virtual(Box::new(stream)), from)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.net.world().streams.doors.remove(&self.at.port());
    }
}
