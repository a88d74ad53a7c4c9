//! What a peer allows.

use crate::ndt7::socket::HANDSHAKE;
use broadgauge_model::clock::Span;

/// The most messages of a client that are kept, and how long all of them may be.
pub(super) const KEPT: (usize, usize) = (200, 256 * 1024);

/// What a peer allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections altogether.
    pub connections: usize,
    /// Connections from one IPv4 address or one IPv6 /64.
    pub connections_per_place: usize,
    /// How long a download is sent.
    pub duration: Span,
    /// When an upload is told to end.
    pub upload: Span,
    /// When any test is cut off.
    pub longest: Span,
    /// How long the handshakes may take.
    pub handshake: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            connections_per_place: 16,
            duration: Span::secs(10),
            upload: Span::secs(13),
            longest: Span::secs(15),
            handshake: HANDSHAKE,
        }
    }
}
