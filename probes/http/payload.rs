//! What is sent: nothing, a few bytes, or as many random bytes as are wanted.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use rand::{Rng, SeedableRng};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

/// The block that is sent again and again: nothing on the way can compress it.
const BLOCK: usize = 64 * 1024;

/// How much of a payload was handed to the connection so far. Some of it may still be in this machine's buffers.
#[derive(Clone, Debug, Default)]
pub struct Sent(Arc<AtomicU64>);

impl Sent {
    /// In bytes.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Something that lives as long as a payload.
type Held = Arc<dyn Send + Sync>;

/// A body to send.
#[derive(Clone, Default)]
pub struct Payload {
    block: Bytes,
    left: u64,
    sent: Sent,
    _held: Option<Held>,
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payload").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Payload {
    /// Nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// These bytes.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        let block = bytes.into();
        Self { left: block.len() as u64, block, ..Self::default() }
    }

    /// So many random bytes, the same for the same seed.
    pub fn random(bytes: u64, seed: u64) -> Self {
        let mut block = vec![0; BLOCK.min(usize::try_from(bytes).unwrap_or(BLOCK))];
        rand_chacha::ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut block);
        Self { block: block.into(), left: bytes, ..Self::default() }
    }

    /// The same block, once more from the start and of another length.
    #[must_use]
    pub fn again(&self, bytes: u64) -> Self {
        let left = if self.block.is_empty() { 0 } else { bytes };
        Self { block: self.block.clone(), left, ..Self::default() }
    }

    /// Keeps something until the payload is sent, or given up.
    #[must_use]
    pub fn holding(self, held: impl Send + Sync + 'static) -> Self {
        Self { _held: Some(Arc::new(held)), ..self }
    }

    /// A view of how much has been sent.
    pub fn sent(&self) -> Sent {
        self.sent.clone()
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let length = this.left.min(this.block.len() as u64);
        this.left -= length;
        this.sent.0.fetch_add(length, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(this.block.slice(..length as usize)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
