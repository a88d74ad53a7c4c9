//! A server's side: a certificate from files, or one of its own making.

use super::{TlsError, provider};
use crate::net::Wire;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A server that can shake hands.
#[derive(Clone)]
pub struct Server {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
    pem: Option<String>,
}

impl std::fmt::Debug for Server {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    /// With a chain of certificates and its key from PEM files.
    pub fn from_files(chain: &Path, key: &Path, alpn: &[&str]) -> Result<Self, TlsError> {
        let wrong = |file: &Path, what: &'static str| {
            let file = file.to_owned();
            move |error: rustls::pki_types::pem::Error| TlsError::File {
                file,
                what,
                problem: error.to_string(),
            }
        };
        let certificates = CertificateDer::pem_file_iter(chain)
            .and_then(Iterator::collect)
            .map_err(wrong(chain, "a chain of certificates"))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(wrong(key, "a private key"))?;
        Self::new(certificates, key, None, alpn)
    }

    /// With a certificate made now, for these names, that vouches for itself: clients must be given it as their
    /// `ca_file`, or be told not to check.
    pub fn self_signed(names: &[String], alpn: &[&str]) -> Result<Self, TlsError> {
        let made = rcgen::generate_simple_self_signed(names.to_vec())
            .map_err(|error| TlsError::Unusable(error.to_string()))?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
            .map_err(|error| TlsError::Unusable(error.to_owned()))?;
        Self::new(vec![made.cert.der().clone()], key, Some(made.cert.pem()), alpn)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        pem: Option<String>,
        alpn: &[&str],
    ) -> Result<Self, TlsError> {
        let unusable = |error: rustls::Error| TlsError::Unusable(error.to_string());
        let certificate =
            chain.first().cloned().ok_or_else(|| TlsError::Unusable(String::from("no certificate")))?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(unusable)?;
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        // Nobody who measures resumes, and a ticket is bytes on the line after the handshake.
        config.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config), certificate, pem })
    }

    /// The server's certificate, in DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The same in PEM, where it was made here: what a client's `ca_file` holds to believe it.
    pub fn certificate_pem(&self) -> Option<&str> {
        self.pem.as_deref()
    }

    /// The same for other application protocols.
    #[must_use]
    pub fn speaking(&self, alpn: &[&str]) -> Self {
        let mut config = (*self.config).clone();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self { config: Arc::new(config), ..self.clone() }
    }

    /// One handshake.
    pub async fn handshake(&self, stream: Wire) -> io::Result<TlsStream<Wire>> {
        TlsAcceptor::from(Arc::clone(&self.config)).accept(stream).await
    }
}
