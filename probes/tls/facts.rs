//! What a handshake came to.

use super::Certificate;
use rustls::{CommonState, HandshakeKind, ProtocolVersion};
use serde::Serialize;

/// What a handshake came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: Option<&'static str>,
    /// The cipher suite, as IANA writes it.
    pub cipher: Option<String>,
    /// The key exchange group.
    pub group: Option<String>,
    /// The application protocol that was agreed on.
    pub alpn: Option<String>,
    /// Round trips before the client could send data (RFC 8446 section 2, RFC 5246 section 7.3).
    pub round_trips: u32,
    /// The server's certificate, where it can be read.
    pub certificate: Option<Certificate>,
    /// How many certificates the server sent.
    pub chain_length: usize,
    /// Whether the certificate was checked.
    pub certificate_checked: bool,
}

impl Facts {
    /// Of a connection after its handshake.
    pub fn of(connection: &CommonState, certificate_checked: bool) -> Self {
        let version = connection.protocol_version();
        let chain = connection.peer_certificates().unwrap_or_default();
        let again = connection.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest);
        Self {
            version: match version {
                Some(ProtocolVersion::TLSv1_2) => Some("TLSv1.2"),
                Some(ProtocolVersion::TLSv1_3) => Some("TLSv1.3"),
                _ => None,
            },
            cipher: connection
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .map(|name| name.replace("TLS13_", "TLS_")),
            group: connection
                .negotiated_key_exchange_group()
                .map(|group| format!("{:?}", group.name()).to_lowercase()),
            alpn: connection.alpn_protocol().map(|name| {
                String::from_utf8_lossy(name).chars().filter(|c| !c.is_control()).take(64).collect()
            }),
            round_trips: 1 + u32::from(version == Some(ProtocolVersion::TLSv1_2)) + u32::from(again),
            certificate: chain.first().and_then(|der| Certificate::read(der)),
            chain_length: chain.len(),
            certificate_checked,
        }
    }

    /// How far the certificate is believed, in words.
    pub const fn belief(&self) -> &'static str {
        if self.certificate_checked { "believed" } else { "NOT CHECKED: nobody knows who answered" }
    }
}
