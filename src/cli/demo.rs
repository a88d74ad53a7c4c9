//! `broadgauge demo`: the main job on one machine, in about a minute.

use super::wait::{block_on, stop_on_signal};
use super::{Ended, Failure, Outcome, out};
use crate::demo;
use std::path::PathBuf;

/// Measure two lines with real packets, line them up with a synthetic town, and write the report
#[derive(clap::Args)]
pub struct Args {
    /// Where everything goes
    #[arg(long, value_name = "DIR", default_value = "broadgauge-demo")]
    out: PathBuf,
    /// Decides the town
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Measure nothing: make the whole town, with utilisation, actions and a survey, its truth, and every report
    #[arg(long)]
    town: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    let request = demo::Request { folder: args.out, seed: args.seed, town: args.town };
    let bar = out::progress("starting");
    let tell = |step: &str| {
        // Asked before: inside `suspend` the bar is locked.
        let passed = bar.elapsed().as_secs();
        bar.suspend(|| out::talk(&format!("[{passed:>3} s] {step}")));
        bar.set_message(step.to_owned());
    };
    let finished = block_on(async {
        let stop = stop_on_signal();
        demo::run(&request, &tell, stop).await
    })?;
    bar.finish_and_clear();
    let finished = finished.map_err(Failure::reach)?;
    for (lang, path) in &finished.reports {
        out::line(&format!("report ({}): {}", lang.tag(), path.display()));
    }
    out::line(&format!("store: {}", finished.store.display()));
    out::line(&format!("the town's tables and its truth: {}", finished.town.display()));
    Ok(if finished.interrupted { Ended::Partly } else { Ended::Done })
}
