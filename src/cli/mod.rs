//! One command a file. A command parses what was typed, calls the part that does the work, and prints.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

pub mod export;
pub mod import;
pub mod measure;
mod measure_json;
mod measure_text;
pub mod out;
pub mod peer;
pub mod pick;
mod secret;
pub mod study;
mod study_text;

/// How a command ended; the numbers are the exit codes that scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Done.
    Done = 0,
    /// Done, and something was found that the caller asked to fail on.
    Findings = 1,
    /// Wrong use or bad input.
    BadInput = 2,
    /// Cannot measure, or cannot reach.
    CannotMeasure = 3,
    /// Partly done: interrupted, or some rows were refused.
    Partly = 4,
}

/// A failure with the exit code it stands for.
#[derive(Debug)]
pub struct Failure {
    ended: Ended,
    error: anyhow::Error,
}

impl Failure {
    /// The caller's fault: wrong use or bad input.
    pub fn input(error: impl Into<anyhow::Error>) -> Self {
        Self { ended: Ended::BadInput, error: error.into() }
    }

    /// Nothing could be measured or reached.
    pub fn reach(error: impl Into<anyhow::Error>) -> Self {
        Self { ended: Ended::CannotMeasure, error: error.into() }
    }
}

/// What every command returns.
pub type Outcome = Result<Ended, Failure>;

#[derive(Parser)]
#[command(name = "broadgauge", version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 done with findings (only with --fail-on), 2 wrong use or bad input, \
3 cannot measure or reach, 4 partly done."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Measures broadband lines as customers feel them, beside the peer operators' lines
#[derive(Subcommand)]
enum Command {
    Measure(measure::Args),
    Peer(peer::Args),
    Study(study::Args),
    Export(export::Args),
    Import(import::Args),
}

/// Parses the command line and runs the command.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    out::start_logging();
    // One provider of cryptography for the whole program; a second installation is refused, and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome: Outcome = match cli.command {
        Command::Measure(args) => measure::run(&args),
        Command::Peer(args) => peer::run(args),
        Command::Study(args) => study::run(args),
        Command::Export(args) => export::run(args),
        Command::Import(args) => import::run(args),
    };
    let ended = outcome.unwrap_or_else(|failure| {
        out::complain(&failure.error);
        failure.ended
    });
    ExitCode::from(ended as u8)
}

/// Runs a future to its end on a runtime of its own.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::reach)?;
    Ok(runtime.block_on(future))
}

/// Pulls the stop at the first Ctrl-C or SIGTERM. At the second Ctrl-C the program ends at once.
fn stop_on_signal() -> broadgauge_probes::probe::Stop {
    let (pull, stop) = broadgauge_probes::probe::Stop::new();
    tokio::spawn(async move {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
        let terminated = async {
            match &mut terminate {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = terminated => {} }
        let _ = pull.send(true);
        if tokio::signal::ctrl_c().await.is_ok() {
            out::leave_at_once();
        }
    });
    stop
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn every_flag_of_every_command_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
