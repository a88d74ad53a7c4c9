//! What stands in a server's certificate.

use broadgauge_model::clock::{Span, Wall};
use serde::Serialize;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// More names than this are not kept: a stranger wrote them.
const MOST_NAMES: usize = 20;
/// Nor longer ones.
const LONGEST_NAME: usize = 256;

/// What stands in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Whom it is of.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// The names it is for.
    pub names: Vec<String>,
    /// From when on it holds.
    #[serde(with = "broadgauge_model::clock::rfc3339")]
    pub not_before: Wall,
    /// Until when it holds.
    #[serde(with = "broadgauge_model::clock::rfc3339")]
    pub not_after: Wall,
}

impl Certificate {
    /// Reads DER; `None` where it cannot be read.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map_or_else(Vec::new, |names| {
            names.value.general_names.iter().filter_map(name).take(MOST_NAMES).collect()
        });
        let time = |at: i64| at.checked_mul(1_000_000_000).map_or(Wall(i64::MAX), Wall);
        Some(Self {
            subject: bounded(&certificate.subject().to_string()),
            issuer: bounded(&certificate.issuer().to_string()),
            names,
            not_before: time(certificate.validity().not_before.timestamp()),
            not_after: time(certificate.validity().not_after.timestamp()),
        })
    }

    /// How long it still holds; negative where it has expired.
    pub fn holds_for(&self, now: Wall) -> Span {
        Span(self.not_after.0.saturating_sub(now.0))
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(bounded(name)),
        GeneralName::IPAddress([a, b, c, d]) => Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string()),
        GeneralName::IPAddress(bytes) => {
            <[u8; 16]>::try_from(*bytes).ok().map(|octets| std::net::Ipv6Addr::from(octets).to_string())
        }
        _ => None,
    }
}

fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()
}
