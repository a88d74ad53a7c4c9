//! One command a file. A command parses what was typed, calls the part that does the work, and prints.

pub use ended::{Ended, Failure, Outcome};

use clap::{Parser, Subcommand};
use std::process::ExitCode;

pub mod agent;
pub mod collector;
pub mod complaints;
pub mod demo;
mod ended;
pub mod export;
pub mod import;
pub mod measure;
mod measure_json;
mod measure_score;
mod measure_text;
pub mod out;
pub mod peer;
pub mod pick;
pub mod report;
mod report_ask;
mod report_chart;
mod secret;
pub mod study;
mod study_balance;
mod study_closed_loop;
mod study_complaints;
mod study_expectation;
mod study_handling;
mod study_satisfaction;
mod study_silent;
mod study_text;
mod wait;

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
    Demo(demo::Args),
    Measure(measure::Args),
    Peer(peer::Args),
    Agent(agent::Args),
    Collector(collector::Args),
    Import(import::Args),
    Complaints(complaints::Args),
    Study(study::Args),
    Report(report::Args),
    Export(export::Args),
}

/// Parses the command line and runs the command.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    out::start_logging();
    // One provider of cryptography for the whole program; a second installation is refused, and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome = match cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Measure(args) => measure::run(&args),
        Command::Peer(args) => peer::run(args),
        Command::Agent(args) => agent::run(&args),
        Command::Collector(args) => collector::run(&args),
        Command::Import(args) => import::run(args),
        Command::Complaints(args) => complaints::run(args),
        Command::Study(args) => study::run(args),
        Command::Report(args) => report::run(args),
        Command::Export(args) => export::run(args),
    };
    let ended = outcome.unwrap_or_else(|failure| {
        out::complain(&failure.error);
        failure.ended
    });
    ExitCode::from(ended as u8)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn every_flag_of_every_command_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
