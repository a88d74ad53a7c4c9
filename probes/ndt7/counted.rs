//! A stream that counts what arrives on it, and what is written, in the moment it does: an application that counts whole
//! messages misses the last one, which on a slow line is a large part of a test.

use crate::throughput::meter::Meter;
use broadgauge_model::clock::{Clock, Mono};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What moved over a stream since it was told to count.
pub(super) struct Traffic {
    clock: Arc<dyn Clock>,
    arrived: AtomicU64,
    written: AtomicU64,
    meter: Mutex<Option<Meter>>,
}

impl Traffic {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let (arrived, written) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { clock, arrived, written, meter: Mutex::new(None) })
    }

    /// Counts from now on, for so many intervals. Returns when that was.
    pub(super) fn begin(&self, intervals: usize) -> Mono {
        let start = self.clock.mono();
        self.arrived.store(0, Ordering::Relaxed);
        self.written.store(0, Ordering::Relaxed);
        *self.meter.lock().unwrap_or_else(PoisonError::into_inner) = Some(Meter::new(start, intervals, 1));
        start
    }

    /// Bytes that arrived.
    pub(super) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }

    /// Bytes that were written.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// What arrived in each interval that is over at `now`.
    pub(super) fn intervals(&self, now: Mono) -> Vec<u64> {
        let meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        meter.as_ref().map_or_else(Vec::new, |meter| meter.complete(now).to_vec())
    }

    /// Takes back what arrived and is no payload.
    pub(super) fn discount(&self, bytes: u64) {
        self.arrived.fetch_sub(bytes.min(self.arrived()), Ordering::Relaxed);
    }

    fn note(&self, bytes: u64) {
        self.arrived.fetch_add(bytes, Ordering::Relaxed);
        if let Some(meter) = self.meter.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            meter.record(self.clock.mono(), 0, bytes);
        }
    }
}

/// The stream.
pub(super) struct Counted<S> {
    stream: S,
    traffic: Arc<Traffic>,
}

impl<S> Counted<S> {
    pub(super) const fn new(stream: S, traffic: Arc<Traffic>) -> Self {
        Self { stream, traffic }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        let bytes = into.filled().len() - before;
        if bytes > 0 {
            self.traffic.note(bytes as u64);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(bytes)) = &wrote {
            self.traffic.written.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        wrote
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::clock::{ManualClock, Span, Wall};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn what_came_before_the_beginning_does_not_count() {
        let clock = Arc::new(ManualClock::at(Wall(0)));
        let traffic = Traffic::new(Arc::clone(&clock) as _);
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let mut counted = Counted::new(near, Arc::clone(&traffic));
        far.write_all(&[0; 100]).await.unwrap();
        counted.read_exact(&mut [0; 100]).await.unwrap();
        let start = traffic.begin(10);
        for bytes in [10, 20] {
            far.write_all(&vec![0; bytes]).await.unwrap();
            counted.read_exact(&mut vec![0; bytes]).await.unwrap();
            clock.advance(Span::millis(100));
        }
        counted.write_all(&[0; 7]).await.unwrap();
        assert_eq!((traffic.arrived(), traffic.written()), (30, 7));
        assert_eq!(traffic.intervals(start + Span::millis(200)), [10, 20]);
        assert_eq!(traffic.intervals(start + Span::millis(199)), [10]);
    }
}
