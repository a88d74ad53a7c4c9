//! `peer.toml`: which answering sides a peer has, where they listen, and what strangers may use of them.
//!
//! A service answers where its section stands: `[stamp]`, `[throughput]`, and `[service.NAME]` for each of the catalogue of
//! answering sides. Without a file, `stamp` and `throughput` do.

use super::target::read_key;
use super::{ConfigError, Wrong, folder, parse, read};
use broadgauge_probes::answering::{self, SERVICES};
use broadgauge_probes::codec::stamp::{Key, PORT};
use broadgauge_probes::peer::service::{Service, Tls};
use broadgauge_probes::{stamp, throughput};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// As written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeerFile {
    /// Addresses to answer on.
    pub listen: Vec<IpAddr>,
    /// Load tests that may wait for their turn: one runs at a time, whatever its protocol.
    pub waiting: usize,
    /// A folder for the tests that services keep, `ndt7` in M-Lab's public form; nothing is kept where left out.
    pub archive_directory: Option<PathBuf>,
    /// The certificate of the services under TLS.
    pub tls: TlsSection,
    /// The STAMP reflector.
    pub stamp: Option<StampSection>,
    /// The far end of `throughput` and `connect`.
    pub throughput: Option<PortSection>,
    /// The other answering sides, by name.
    pub service: BTreeMap<String, ServiceSection>,
}

impl Default for PeerFile {
    fn default() -> Self {
        Self {
            listen: vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)],
            waiting: throughput::peer::Limits::default().waiting,
            archive_directory: None,
            tls: TlsSection::default(),
            stamp: None,
            throughput: None,
            service: BTreeMap::new(),
        }
    }
}

/// The certificate of the services under TLS; one that vouches for itself is made where none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSection {
    /// A chain of certificates in PEM.
    pub certificate_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
    /// The names in a certificate that is made here.
    pub names: Vec<String>,
    /// Where a certificate that is made here is written, for clients to believe.
    pub write_certificate_file: Option<PathBuf>,
}

/// The STAMP reflector.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StampSection {
    /// Its UDP port.
    pub port: u16,
    /// A file with the key shared with senders: authenticated packets only.
    pub key_file: Option<PathBuf>,
    /// Packets answered to one address in a second.
    pub per_address: f64,
    /// Packets answered to all in a second.
    pub total: f64,
}

impl Default for StampSection {
    fn default() -> Self {
        let limits = stamp::peer::Limits::default();
        Self { port: PORT, key_file: None, per_address: limits.per_address, total: limits.total }
    }
}

/// The far end of `throughput` and `connect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PortSection {
    /// Its TCP port.
    pub port: u16,
}

impl Default for PortSection {
    fn default() -> Self {
        Self { port: throughput::DEFAULT_PORT }
    }
}

/// Any other answering side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSection {
    /// Its port; its own default where left out.
    pub port: Option<u16>,
    /// Whether it is under TLS; as is usual for it where left out.
    pub tls: Option<bool>,
}

/// As relied on.
#[derive(Clone)]
pub struct PeerConfig {
    /// Addresses to answer on.
    pub listen: Vec<IpAddr>,
    /// Load tests that may wait for their turn.
    pub waiting: usize,
    /// A folder for the tests that services keep.
    pub archive_directory: Option<PathBuf>,
    /// The certificate of the services under TLS.
    pub tls: TlsSection,
    /// The STAMP reflector.
    pub stamp: Option<StampPeer>,
    /// The port of `throughput` and `connect`.
    pub throughput: Option<u16>,
    /// The other answering sides.
    pub services: Vec<ServicePeer>,
}

/// Another answering side, as relied on.
#[derive(Clone, Copy)]
pub struct ServicePeer {
    /// Which.
    pub service: &'static Service,
    /// Its port.
    pub port: u16,
    /// Whether it is under TLS.
    pub tls: bool,
}

/// The STAMP reflector, as relied on.
#[derive(Clone)]
pub struct StampPeer {
    /// Its UDP port.
    pub port: u16,
    /// The key shared with senders.
    pub key: Option<Key>,
    /// What strangers may use.
    pub limits: stamp::peer::Limits,
}

impl Default for PeerConfig {
    /// Without a file: STAMP and `throughput`, everywhere.
    fn default() -> Self {
        let file = PeerFile::default();
        Self {
            listen: file.listen,
            waiting: file.waiting,
            archive_directory: file.archive_directory,
            tls: file.tls,
            stamp: Some(StampPeer { port: PORT, key: None, limits: stamp::peer::Limits::default() }),
            throughput: Some(throughput::DEFAULT_PORT),
            services: Vec::new(),
        }
    }
}

impl PeerConfig {
    /// Reads and checks a file.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        read::<PeerFile>(file)?.check(&folder(file)).map_err(|wrong| wrong.of(file))
    }

    /// Checks the text of a file that would lie at `file`.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        parse::<PeerFile>(file, text)?.check(&folder(file)).map_err(|wrong| wrong.of(file))
    }
}

impl PeerFile {
    fn check(self, folder: &Path) -> Result<PeerConfig, Wrong> {
        if self.listen.is_empty() {
            return Err(Wrong::new("listen", "names no address; leave it out to answer on all of them"));
        }
        if self.waiting > 10_000 {
            return Err(Wrong::new("waiting", format!("{} is more than 10000", self.waiting)));
        }
        let services = self
            .service
            .into_iter()
            .map(|(name, section)| section.check(&name))
            .collect::<Result<Vec<_>, _>>()?;
        if self.stamp.is_none() && self.throughput.is_none() && services.is_empty() {
            let known: Vec<String> =
                SERVICES.iter().map(|service| format!("[service.{}]", service.name)).collect();
            return Err(Wrong::new(
                "service",
                format!(
                    "nothing is to be answered; write [stamp], [throughput] or one of {}",
                    known.join(", ")
                ),
            ));
        }
        Ok(PeerConfig {
            listen: self.listen,
            waiting: self.waiting,
            archive_directory: self.archive_directory.map(|path| folder.join(path)),
            tls: self.tls.check(folder).map_err(|wrong| wrong.within("tls"))?,
            stamp: self
                .stamp
                .map(|section| section.check(folder))
                .transpose()
                .map_err(|wrong| wrong.within("stamp"))?,
            throughput: self.throughput.map(|section| section.port),
            services,
        })
    }
}

impl TlsSection {
    fn check(self, folder: &Path) -> Result<Self, Wrong> {
        if self.certificate_file.is_some() != self.key_file.is_some() {
            return Err(Wrong::new("certificate_file", "goes with key_file: name both, or neither"));
        }
        if self.certificate_file.is_some() && self.write_certificate_file.is_some() {
            return Err(Wrong::new(
                "write_certificate_file",
                "is for a certificate that is made here; leave it out beside certificate_file",
            ));
        }
        let path = |path: Option<PathBuf>| path.map(|path| folder.join(path));
        Ok(Self {
            certificate_file: path(self.certificate_file),
            key_file: path(self.key_file),
            names: self.names,
            write_certificate_file: path(self.write_certificate_file),
        })
    }
}

impl StampSection {
    fn check(self, folder: &Path) -> Result<StampPeer, Wrong> {
        for (key, value) in [("per_address", self.per_address), ("total", self.total)] {
            if !(1.0..=10_000_000.0).contains(&value) {
                return Err(Wrong::new(key, format!("{value} is not between 1 and 10000000")));
            }
        }
        Ok(StampPeer {
            port: self.port,
            key: self.key_file.map(|file| read_key(&folder.join(file))).transpose()?,
            limits: stamp::peer::Limits {
                per_address: self.per_address,
                total: self.total,
                ..stamp::peer::Limits::default()
            },
        })
    }
}

impl ServiceSection {
    /// As relied on, by the service of this name.
    pub fn check(self, name: &str) -> Result<ServicePeer, Wrong> {
        let key = |of_it: &str| format!("service.{name}{of_it}");
        let service = answering::find(name).ok_or_else(|| {
            let known: Vec<&str> = SERVICES.iter().map(|service| service.name).collect();
            Wrong::new(key(""), format!("no such service; known are {}", known.join(", ")))
        })?;
        let tls = match (service.tls, self.tls) {
            (Tls::Never, Some(true)) => {
                return Err(Wrong::new(key(".tls"), "this protocol has no TLS; leave it out"));
            }
            (Tls::Always, Some(false)) => {
                return Err(Wrong::new(key(".tls"), "this protocol needs TLS; leave it out"));
            }
            (Tls::Never, _) => false,
            (Tls::Always, _) => true,
            (Tls::IfAsked, asked) => asked.unwrap_or(false),
            (Tls::UnlessPlain, asked) => asked.unwrap_or(true),
        };
        Ok(ServicePeer { service, port: self.port.unwrap_or(service.port), tls })
    }
}
