//! The secret that two ends share, and the codes made with it: HMAC-SHA-256 cut to sixteen bytes (RFC 8762 section 4.4).

use super::bytes_at;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A shared secret of authenticated mode.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// From the secret's bytes; `None` for an empty one.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    fn over(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }

    /// The code of these bytes, one part after the other.
    pub(super) fn code(&self, parts: &[&[u8]]) -> [u8; 16] {
        bytes_at(&self.over(parts).finalize().into_bytes(), 0)
    }

    /// Whether this is the code of these bytes, in constant time.
    pub(super) fn is_code(&self, parts: &[&[u8]], code: &[u8]) -> bool {
        self.over(parts).verify_truncated_left(code).is_ok()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// Why a packet is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It ends before its fields do.
    #[error("packet too short for its mode")]
    Short,
    /// The code does not match: another key, or no key, or changed on the way.
    #[error("message authentication code does not match")]
    Forged,
}
