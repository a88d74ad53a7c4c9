//! `[[target]]`: the far end of a measurement, and the key shared with it.

use super::{Wrong, named};
use broadgauge_model::place::Target;
use broadgauge_probes::codec::stamp::Key;
use broadgauge_probes::resolve;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// As written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TargetSection {
    /// Its name in results.
    pub name: String,
    /// Host name or address, with a port where the method needs another than its default.
    pub address: String,
    /// Results are compared only between targets of one class, such as `on-net` or `exchange`.
    pub class: Option<String>,
    /// A file with the key shared with the peer, for packets that are authenticated.
    pub key_file: Option<PathBuf>,
}

/// As relied on.
#[derive(Clone, Debug)]
pub struct VantageTarget {
    /// What a collector is told.
    pub target: Target,
    /// The key shared with the peer.
    pub key: Option<Key>,
}

impl TargetSection {
    pub(super) fn check(self, folder: &Path) -> Result<VantageTarget, Wrong> {
        let key = match self.key_file {
            None => None,
            Some(path) => Some(read_key(&folder.join(path))?),
        };
        let target =
            Target { name: named("name", self.name)?, address: address(self.address)?, class: self.class };
        Ok(VantageTarget { target, key })
    }
}

fn address(written: String) -> Result<String, Wrong> {
    let address = named("address", written)?;
    match resolve::check(&address) {
        Ok(()) => Ok(address),
        Err(problem) => Err(Wrong::new("address", problem.to_string())),
    }
}

pub(super) fn read_key(path: &Path) -> Result<Key, Wrong> {
    let bytes = std::fs::read(path)
        .map_err(|error| Wrong::new("key_file", format!("cannot read {}: {error}", path.display())))?;
    Key::new(bytes.trim_ascii_end()).ok_or_else(|| {
        Wrong::new("key_file", format!("{} is empty; make one with `openssl rand -hex 32`", path.display()))
    })
}
