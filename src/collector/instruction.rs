//! What agents are told, from a file that may be edited any time.

use crate::config::ConfigError;
use crate::config::instruction::InstructionFile;
use std::io::ErrorKind;
use std::path::Path;

/// Reads the file; one that is not there tells nothing.
pub(super) fn read(file: Option<&Path>) -> Result<InstructionFile, ConfigError> {
    let Some(file) = file else { return Ok(InstructionFile::default()) };
    match std::fs::read_to_string(file) {
        Ok(text) => InstructionFile::parse(file, &text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(InstructionFile::default()),
        Err(source) => Err(ConfigError::Read { file: file.to_owned(), source }),
    }
}
