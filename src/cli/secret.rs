//! Keys come from files, never from flags or from a config's text.

use super::Failure;
use anyhow::{Context as _, anyhow};
use broadgauge_probes::codec::stamp::Key;
use std::path::Path;

/// The key shared with a peer: all bytes of the file but a line's end at the end.
pub(super) fn key(file: &Path) -> Result<Key, Failure> {
    let name = file.display();
    let bytes = std::fs::read(file)
        .with_context(|| format!("cannot read the key file {name}"))
        .map_err(Failure::input)?;
    Key::new(bytes.trim_ascii_end()).ok_or_else(|| Failure::input(anyhow!("the key file {name} is empty")))
}
