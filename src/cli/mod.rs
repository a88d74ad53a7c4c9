//! One command a file. A command parses what was typed, calls the part that does the work, and prints.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

pub mod export;
pub mod out;
pub mod pick;

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
    Export(export::Args),
}

/// Parses the command line and runs the command.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    out::start_logging();
    // One provider of cryptography for the whole program; a second installation is refused, and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome: Outcome = match cli.command {
        Command::Export(args) => export::run(args),
    };
    let ended = outcome.unwrap_or_else(|failure| {
        out::complain(&failure.error);
        failure.ended
    });
    ExitCode::from(ended as u8)
}
