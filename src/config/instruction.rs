//! `instruction.toml`: what a collector tells agents.

use super::{ConfigError, Wrong, parse};
use broadgauge_model::clock::Wall;
use broadgauge_model::task::{Instruction, Suppression};
use serde::Deserialize;
use std::path::Path;

/// As written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstructionFile {
    /// Raised with every change; agents keep the newest.
    pub version: u64,
    /// A pause.
    pub suppression: Option<SuppressionSection>,
}

/// As written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SuppressionSection {
    /// Names of tasks; all where left out.
    pub tasks: Vec<String>,
    /// Names of agents; all where left out.
    pub agents: Vec<String>,
    /// RFC 3339; until further notice where left out.
    pub until: Option<String>,
}

impl InstructionFile {
    /// Checks the text of a file.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let read: Self = parse(file, text)?;
        read.for_agent("").map_err(|wrong| wrong.of(file))?;
        Ok(read)
    }

    /// What one agent is told.
    pub fn for_agent(&self, agent: &str) -> Result<Instruction, Wrong> {
        let Some(pause) = &self.suppression else {
            return Ok(Instruction { version: self.version, suppression: None });
        };
        let until = match &pause.until {
            None => None,
            Some(text) => Some(Wall::parse_rfc3339(text).ok_or_else(|| {
                Wrong::new(
                    "suppression.until",
                    format!("{text:?} is not a time; write it as 2026-06-01T06:00:00Z"),
                )
            })?),
        };
        let meant = pause.agents.is_empty() || pause.agents.iter().any(|name| name == agent);
        let suppression = meant.then(|| Suppression { tasks: pause.tasks.clone(), until });
        Ok(Instruction { version: self.version, suppression })
    }
}
