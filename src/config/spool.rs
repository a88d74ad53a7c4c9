//! `[spool]`: where an agent keeps what the collector has not yet taken.

use super::Wrong;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// As written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpoolSection {
    /// A folder of the agent's own.
    pub dir: PathBuf,
    /// The oldest samples are dropped, and counted, beyond this.
    pub max_mib: u64,
}

impl Default for SpoolSection {
    fn default() -> Self {
        Self { dir: PathBuf::from("spool"), max_mib: 256 }
    }
}

/// As relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolLimits {
    /// The folder.
    pub dir: PathBuf,
    /// The most bytes on the disk.
    pub max_bytes: u64,
}

impl SpoolSection {
    pub(super) fn check(self, folder: &Path) -> Result<SpoolLimits, Wrong> {
        if !(1..=1_048_576).contains(&self.max_mib) {
            return Err(Wrong::new("max_mib", format!("{} is not between 1 and 1048576", self.max_mib)));
        }
        Ok(SpoolLimits { dir: folder.join(self.dir), max_bytes: self.max_mib << 20 })
    }
}
