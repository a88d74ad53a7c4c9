//! `broadgauge collector`: receives what agents measured, keeps it, and tells them when to pause.

use super::wait::{block_on, stop_on_signal};
use super::{Ended, Failure, Outcome, out};
use crate::collector::Collector;
use crate::config::CollectorConfig;
use std::path::PathBuf;

/// Receive what agents measured, and store it durably
#[derive(clap::Args)]
pub struct Args {
    /// The collector's file: where it listens, its store, its token
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only check the file
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Outcome {
    let config = CollectorConfig::load(&args.config).map_err(Failure::input)?;
    if args.check {
        out::line(&format!("{} is valid", args.config.display()));
        return Ok(Ended::Done);
    }
    block_on(async {
        let stop = stop_on_signal();
        let collector = Collector::bind(config).await?;
        out::talk(&format!("listening on http://{}", collector.address()));
        collector.run(stop).await
    })?
    .map_err(Failure::reach)?;
    Ok(Ended::Done)
}
