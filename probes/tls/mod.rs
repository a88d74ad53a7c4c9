//! TLS for the methods that need it: whom a client believes, what a handshake came to, and a server's certificate.
//!
//! The provider of cryptography is named in every configuration and nothing is installed for the whole process. Sessions
//! are never resumed: each handshake is a whole one, so that two of them are comparable.

mod certificate;
mod client;
mod facts;
mod server;

pub use certificate::Certificate;
pub use client::{Client, Trust};
pub use facts::Facts;
pub use server::Server;

use crate::probe::ProbeError;
use rustls::crypto::CryptoProvider;
use std::path::PathBuf;
use std::sync::Arc;

/// Why TLS cannot be had on this side, before anybody is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read as what it should be.
    #[error("{file} does not hold {what} in PEM: {problem}", file = file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The system has no authorities.
    #[error("this machine has no certificate authorities ({0}); install ca-certificates, or name a ca_file")]
    NoRoots(String),
    /// The certificate, the key or the versions cannot be used together.
    #[error("TLS cannot be set up: {0}")]
    Unusable(String),
}

impl TlsError {
    /// The same as what a method tells of its setting `ca_file`.
    pub fn of_method(&self, method: &'static str) -> ProbeError {
        ProbeError::setting(method, "ca_file", self.to_string())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[cfg(test)]
mod tests;
