//! A client's side: whom it believes, and one handshake.

use super::{TlsError, provider};
use crate::net::Wire;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whom a client believes: the system's authorities unless told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// A PEM file of the only authorities, or of the very certificate, that are believed.
    pub ca_file: Option<PathBuf>,
    /// Believe anybody. The connection is then private, and nobody knows with whom; results say so.
    pub insecure: bool,
}

/// A client that can shake hands.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
    checks: bool,
}

impl Client {
    /// With this trust, offering these application protocols in this order.
    pub fn new(trust: &Trust, alpn: &[&str]) -> Result<Self, TlsError> {
        let provider = provider();
        let unusable = |error: &dyn std::fmt::Display| TlsError::Unusable(error.to_string());
        let verifier: Arc<dyn ServerCertVerifier> = if trust.insecure {
            tracing::warn!("certificates are not checked: the setting insecure is on");
            Arc::new(Anybody(Arc::clone(&provider)))
        } else {
            let roots = match &trust.ca_file {
                Some(file) => from_file(file)?,
                None => of_the_system()?,
            };
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| unusable(&error))?
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), checks: !trust.insecure })
    }

    /// Whether certificates are checked.
    pub const fn checks(&self) -> bool {
        self.checks
    }

    /// One whole handshake, from our first message to our last.
    pub async fn handshake(&self, host: &str, stream: Wire) -> io::Result<TlsStream<Wire>> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "no name for a certificate"))?;
        TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await
    }
}

fn from_file(file: &Path) -> Result<RootCertStore, TlsError> {
    let wrong = |problem: String| TlsError::File { file: file.to_owned(), what: "a certificate", problem };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))? {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong(String::from("none found"))) } else { Ok(roots) }
}

fn of_the_system() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A system keeps certificates that nobody can use any more; they are no reason to use none.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(|| String::from("none found"), ToString::to_string);
        return Err(TlsError::NoRoots(why));
    }
    Ok(roots)
}

/// Believes any certificate whose holder has its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
