//! `broadgauge agent`: measures on schedule, keeps what it measured, and sends it to a collector.

use super::wait::{block_on, stop_on_signal};
use super::{Ended, Failure, Outcome, out};
use crate::agent;
use crate::config::AgentConfig;
use std::path::PathBuf;

/// Measure on schedule, and send what was measured to a collector
#[derive(clap::Args)]
pub struct Args {
    /// The agent's file: vantage point, targets, tasks, collector
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only check the file, and say what it asks for
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Outcome {
    let config = AgentConfig::load(&args.config).map_err(Failure::input)?;
    agent::check(&config).map_err(Failure::input)?;
    let of = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let (tasks, lines) = (of(config.tasks.len(), "task"), of(config.lines.len(), "line"));
    let said = format!("{}: {tasks} on {lines}", config.agent);
    if args.check {
        out::line(&said);
        return Ok(Ended::Done);
    }
    block_on(async {
        let stop = stop_on_signal();
        out::talk(&format!("{said}; sending to {}", config.collector.url));
        agent::run(config, stop).await
    })?
    .map_err(Failure::reach)?;
    Ok(Ended::Done)
}
