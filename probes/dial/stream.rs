//! The connection itself, in plain text or under TLS.

use super::moments::Moments;
use crate::net::Wire;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

/// A connection, either end of it.
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    moments: Option<Arc<Moments>>,
}

#[derive(Debug)]
enum Kind {
    Plain(Wire),
    Secure(Box<TlsStream<Wire>>),
}

impl Stream {
    /// In plain text.
    pub const fn plain(stream: Wire) -> Self {
        Self { kind: Kind::Plain(stream), moments: None }
    }

    /// Under TLS.
    pub fn secure(stream: impl Into<TlsStream<Wire>>) -> Self {
        Self { kind: Kind::Secure(Box::new(stream.into())), moments: None }
    }

    /// The same, which notes when bytes leave and come.
    pub fn noting(self, moments: Arc<Moments>) -> Self {
        Self { moments: Some(moments), ..self }
    }

    /// The TCP connection below.
    pub(super) fn wire(&self) -> &Wire {
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
        let stamp = if awaiting { self.wire().arrived() } else { None };
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
