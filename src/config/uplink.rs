//! `[collector]` of an agent: whom it sends to.

use super::{Wrong, read_token, time};
use broadgauge_model::clock::Span;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// As written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UplinkSection {
    /// `http://` or `https://`.
    pub url: String,
    /// A file whose only line is the bearer token.
    pub token_file: PathBuf,
    /// A PEM file of the authorities that may vouch for the collector, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// The first wait after a failure.
    pub retry_from: String,
    /// The longest wait after many failures.
    pub retry_to: String,
    /// How often the collector is asked whether to pause.
    pub instruct_every: String,
}

impl Default for UplinkSection {
    fn default() -> Self {
        Self {
            url: String::new(),
            token_file: PathBuf::new(),
            ca_file: None,
            retry_from: "1s".into(),
            retry_to: "5m".into(),
            instruct_every: "1m".into(),
        }
    }
}

/// As relied on.
#[derive(Clone)]
pub struct UplinkConfig {
    /// The collector, without a slash at the end.
    pub url: String,
    /// The bearer token.
    pub token: String,
    /// The authorities that may vouch for the collector, as PEM; the system's where `None`.
    pub authorities: Option<Vec<u8>>,
    /// The first wait after a failure.
    pub retry_from: Span,
    /// The longest wait after many failures.
    pub retry_to: Span,
    /// How often the collector is asked whether to pause.
    pub instruct_every: Span,
}

impl std::fmt::Debug for UplinkConfig {
    /// Without the token: this may be logged.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UplinkConfig").field("url", &self.url).finish_non_exhaustive()
    }
}

impl UplinkSection {
    pub(super) fn check(self, folder: &Path) -> Result<UplinkConfig, Wrong> {
        let url = self.url.trim_end_matches('/').to_owned();
        let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(Wrong::new(
                "url",
                format!(
                    "{:?} is not a collector's address; write it as https://collector.example:8437",
                    self.url
                ),
            ));
        }
        if self.token_file == Path::new("") {
            return Err(Wrong::new(
                "token_file",
                "is missing; name the file that holds the collector's token",
            ));
        }
        let token = read_token("token_file", &folder.join(self.token_file))?;
        let authorities = match self.ca_file {
            None => None,
            Some(path) => Some(read_authorities(&folder.join(path))?),
        };
        let (retry_from, retry_to) =
            (time::length("retry_from", &self.retry_from)?, time::length("retry_to", &self.retry_to)?);
        if retry_to < retry_from {
            return Err(Wrong::new("retry_to", "is shorter than retry_from; make it at least as long"));
        }
        let instruct_every = time::length("instruct_every", &self.instruct_every)?;
        Ok(UplinkConfig { url, token, authorities, retry_from, retry_to, instruct_every })
    }
}

fn read_authorities(path: &Path) -> Result<Vec<u8>, Wrong> {
    let bytes = std::fs::read(path)
        .map_err(|error| Wrong::new("ca_file", format!("cannot read {}: {error}", path.display())))?;
    if !bytes.windows(CERTIFICATE.len()).any(|window| window == CERTIFICATE) {
        return Err(Wrong::new(
            "ca_file",
            format!("{} holds no certificate; give a PEM file", path.display()),
        ));
    }
    Ok(bytes)
}

const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";
