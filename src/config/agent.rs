//! `agent.toml`: a vantage point, what it measures, and whom it tells.

use super::line::LineSection;
use super::spool::SpoolSection;
use super::target::TargetSection;
use super::task::TaskSection;
use super::uplink::UplinkSection;
use super::{
    ConfigError, SpoolLimits, UplinkConfig, VantageLine, VantageTarget, Wrong, folder, named, parse, read,
};
use broadgauge_model::task::Task;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// As written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentFile {
    /// The agent's name, unique in the fleet.
    pub agent: String,
    /// Makes phases, spreads and Poisson gaps; taken from the agent's name where left out.
    pub seed: Option<u64>,
    /// Whom it sends to.
    pub collector: UplinkSection,
    /// What is kept until then.
    pub spool: SpoolSection,
    /// The lines at this vantage point.
    pub line: Vec<LineSection>,
    /// The far ends.
    pub target: Vec<TargetSection>,
    /// What is measured.
    pub task: Vec<TaskSection>,
}

/// As relied on.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// Which file it was, for messages.
    pub file: PathBuf,
    /// The agent's name.
    pub agent: String,
    /// The seed of all that is drawn.
    pub seed: u64,
    /// Whom it sends to.
    pub collector: UplinkConfig,
    /// What is kept until then.
    pub spool: SpoolLimits,
    /// The lines.
    pub lines: Vec<VantageLine>,
    /// The targets.
    pub targets: Vec<VantageTarget>,
    /// The tasks, one per line.
    pub tasks: Vec<Task>,
}

impl AgentConfig {
    /// Reads and checks a file.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        read::<AgentFile>(file)?.check(file).map_err(|wrong| wrong.of(file))
    }

    /// Checks the text of a file that would lie at `file`.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        parse::<AgentFile>(file, text)?.check(file).map_err(|wrong| wrong.of(file))
    }
}

impl AgentFile {
    fn check(self, file: &Path) -> Result<AgentConfig, Wrong> {
        let folder = folder(file);
        let agent = named("agent", self.agent)?;
        let mut lines: Vec<VantageLine> = Vec::new();
        for (place, section) in self.line.into_iter().enumerate() {
            let section_name = format!("line[{place}]");
            let line = section.check().map_err(|wrong| wrong.within(&section_name))?;
            if lines.iter().any(|known| known.line.line_id == line.line.line_id) {
                return Err(twice("line_id", &line.line.line_id).within(&section_name));
            }
            lines.push(line);
        }
        let mut targets: Vec<VantageTarget> = Vec::new();
        for (place, section) in self.target.into_iter().enumerate() {
            let section_name = format!("target[{place}]");
            let target = section.check(&folder).map_err(|wrong| wrong.within(&section_name))?;
            if targets.iter().any(|known| known.target.name == target.target.name) {
                return Err(twice("name", &target.target.name).within(&section_name));
            }
            targets.push(target);
        }
        let mut tasks: Vec<Task> = Vec::new();
        for (place, section) in self.task.into_iter().enumerate() {
            let section_name = format!("task[{place}]");
            for task in section.check(&lines, &targets).map_err(|wrong| wrong.within(&section_name))? {
                if tasks.iter().any(|known| known.name == task.name) {
                    return Err(twice("name", &task.name).within(&section_name));
                }
                tasks.push(task);
            }
        }
        if tasks.is_empty() {
            return Err(Wrong::new(
                "task",
                "is missing; add a [[task]] with a method, a target and a schedule",
            ));
        }
        Ok(AgentConfig {
            file: file.to_owned(),
            seed: self.seed.unwrap_or_else(|| crate::schedule::seed_of(0, &agent)),
            collector: self.collector.check(&folder).map_err(|wrong| wrong.within("collector"))?,
            spool: self.spool.check(&folder).map_err(|wrong| wrong.within("spool"))?,
            agent,
            lines,
            targets,
            tasks,
        })
    }
}

fn twice(key: &str, name: &str) -> Wrong {
    Wrong::new(key, format!("{name:?} stands there twice; give each its own name"))
}
