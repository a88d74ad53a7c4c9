//! `collector.toml`: where a collector listens, what it keeps, and what it tells agents.

use super::{ConfigError, Wrong, folder, parse, read, read_token};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// As written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollectorFile {
    /// Address and port. It speaks plain HTTP: put a proxy with a certificate before it for anything but this host.
    pub listen: String,
    /// The store.
    pub store: String,
    /// A file whose only line is the token that agents show.
    pub token_file: PathBuf,
    /// What agents are told: `instruction.toml`, read at each question, so that it can be edited any time.
    pub instruction_file: Option<PathBuf>,
    /// Where the address is written once it listens; for port 0.
    pub address_file: Option<PathBuf>,
    /// The largest body that is read.
    pub max_body_mib: u64,
}

impl Default for CollectorFile {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8437".into(),
            store: "broadgauge.db".into(),
            token_file: PathBuf::new(),
            instruction_file: None,
            address_file: None,
            max_body_mib: 16,
        }
    }
}

/// As relied on.
#[derive(Clone)]
pub struct CollectorConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// The store's URL or path.
    pub store: String,
    /// The token that agents show.
    pub token: String,
    /// What agents are told.
    pub instruction_file: Option<PathBuf>,
    /// Where the address is written once it listens.
    pub address_file: Option<PathBuf>,
    /// The largest body that is read.
    pub max_body_bytes: usize,
}

impl std::fmt::Debug for CollectorConfig {
    /// Without the token: this may be logged.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CollectorConfig")
            .field("listen", &self.listen)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl CollectorConfig {
    /// Reads and checks a file.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        read::<CollectorFile>(file)?.check(&folder(file)).map_err(|wrong| wrong.of(file))
    }

    /// Checks the text of a file that would lie at `file`.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        parse::<CollectorFile>(file, text)?.check(&folder(file)).map_err(|wrong| wrong.of(file))
    }
}

impl CollectorFile {
    fn check(self, folder: &Path) -> Result<CollectorConfig, Wrong> {
        let listen = self.listen.parse().map_err(|_| {
            Wrong::new(
                "listen",
                format!("{:?} is not an address and a port; write it as 127.0.0.1:8437", self.listen),
            )
        })?;
        if self.token_file == Path::new("") {
            return Err(Wrong::new(
                "token_file",
                "is missing; name the file that holds the token agents show",
            ));
        }
        if !(1..=1024).contains(&self.max_body_mib) {
            return Err(Wrong::new(
                "max_body_mib",
                format!("{} is not between 1 and 1024", self.max_body_mib),
            ));
        }
        let store = if self.store.contains(':') {
            self.store
        } else {
            folder
                .join(&self.store)
                .to_str()
                .map(str::to_owned)
                .ok_or_else(|| Wrong::new("store", "does not give a path in UTF-8; choose another"))?
        };
        let path = store.strip_prefix("sqlite:").unwrap_or(&store);
        if let Some(parent) =
            Path::new(path).parent().filter(|_| store != "memory:" && !store.contains("://"))
            && parent != Path::new("")
            && !parent.is_dir()
        {
            return Err(Wrong::new("store", format!("there is no folder {}; make it", parent.display())));
        }
        Ok(CollectorConfig {
            listen,
            store,
            token: read_token("token_file", &folder.join(self.token_file))?,
            instruction_file: self.instruction_file.map(|path| folder.join(path)),
            address_file: self.address_file.map(|path| folder.join(path)),
            max_body_bytes: (self.max_body_mib << 20) as usize,
        })
    }
}
