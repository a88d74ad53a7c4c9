//! The connection itself, in plain text or under TLS, and a second handle to ask the kernel about it.

use super::arrival;
use super::moments::Moments;
use crate::tcp::info::{TcpInfo, tcp_info, waiting};
use crate::tcp::linux::{Named, bbr, every_field};
use socket2::{SockRef, Socket};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// A connection, either end of it.
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    moments: Option<Arc<Moments>>,
}

#[derive(Debug)]
enum Kind {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// In plain text.
    pub const fn plain(stream: TcpStream) -> Self {
        Self { kind: Kind::Plain(stream), moments: None }
    }

    /// Under TLS.
    pub fn secure(stream: impl Into<TlsStream<TcpStream>>) -> Self {
        Self { kind: Kind::Secure(Box::new(stream.into())), moments: None }
    }

    /// The same, which notes when bytes leave and come.
    pub fn noting(self, moments: Arc<Moments>) -> Self {
        Self { moments: Some(moments), ..self }
    }

    /// The TCP connection below.
    pub fn tcp(&self) -> &TcpStream {
        match &self.kind {
            Kind::Plain(stream) => stream,
            Kind::Secure(stream) => stream.get_ref().0,
        }
    }

    /// The application protocol that was agreed on.
    pub fn alpn(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Plain(_) => None,
            Kind::Secure(stream) => stream.get_ref().1.alpn_protocol(),
        }
    }
}

/// Does the same to whichever it is.
macro_rules! either {
    ($self:ident, $stream:ident => $do:expr) => {
        match &mut $self.kind {
            Kind::Plain($stream) => $do,
            Kind::Secure($stream) => $do,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let awaiting = self.moments.as_ref().is_some_and(|moments| moments.is_awaiting());
        let stamp = if awaiting { arrival::of_waiting(self.tcp()) } else { None };
        let read = either!(self, stream => Pin::new(stream).poll_read(cx, into));
        if let Some(moments) = self.moments.as_ref().filter(|_| into.filled().len() > before) {
            moments.note_coming(stamp);
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(moments) = &self.moments {
            moments.note_leaving();
        }
        either!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

/// A second handle of a connection. The connection ends only when its stream and its taps are gone.
#[derive(Debug)]
pub struct Tap(Socket);

impl Tap {
    /// Of a connection.
    pub fn of(stream: &TcpStream) -> io::Result<Self> {
        SockRef::from(stream).try_clone().map(Self)
    }

    /// What the kernel knows now; `None` where it does not say.
    pub fn info(&self) -> Option<TcpInfo> {
        tcp_info(&self.0).ok()
    }

    /// Every field that the kernel fills in, and what BBR says, by the names of the public ndt7 data.
    pub fn named(&self) -> (Named, Named) {
        (every_field(&self.0).unwrap_or_default(), bbr(&self.0))
    }

    /// The memory that holds what arrived and was not read.
    pub fn waiting(&self) -> Option<u64> {
        waiting(&self.0)
    }

    /// Lets no more than this wait in the kernel without having been sent: what is said later waits behind it.
    pub fn keep_little_unsent(&self, bytes: u32) {
        // Where the system refuses, more waits; the delays that are measured then have it in them.
        let _ = self.0.set_tcp_notsent_lowat(bytes);
    }

    /// Ends the connection at once, whatever lies in its buffers.
    pub fn abandon(&self) {
        // Where the system refuses, the ordinary close follows all the same.
        let _ = self.0.set_linger(Some(std::time::Duration::ZERO));
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }
}
