//! Runs every experiment with planted truth at full length and prints what came out beside its bar.
//!
//! `cargo run --release -p broadgauge-reports --example planted_truth -- [REPLICATES]` (2,000 where left out). The exit
//! code is 1 where a bar is missed.

#[path = "../stats/planted/mod.rs"]
mod planted;
/// What the generators call the crate's own statistics.
mod stats {
    pub(crate) use broadgauge_reports::stats::*;
}

use planted::effects;
use planted::experiments::{self, Finding};
use planted::peers;
use std::io::Write;
use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let replicates = std::env::args().nth(1).map_or(Ok(2_000), |n| n.parse())?;
    let mut out = std::io::stdout().lock();
    let mut missed = 0;
    writeln!(out, "{:<62}{:>8}{:>10}   bar", "planted", "runs", "got")?;
    let mut print = |findings: Vec<Finding>| -> std::io::Result<()> {
        for finding in findings {
            let mark = if finding.holds() { "" } else { "   MISSED" };
            missed += usize::from(!finding.holds());
            let Finding { what, replicates, got, bar: (low, high) } = finding;
            writeln!(out, "{what:<62}{replicates:>8}{got:>10.4}   {low} to {high}{mark}")?;
        }
        Ok(())
    };
    print(experiments::lines_keep_the_level(replicates)?)?;
    print(experiments::resampled_lines_cover(replicates, 1_000)?)?;
    print(experiments::resampled_tests_cry_wolf(replicates, 400)?)?;
    print(experiments::parity_is_shown_not_assumed(replicates)?)?;
    print(experiments::findings_can_be_trusted(replicates)?)?;
    print(experiments::exact_intervals_cover(20 * replicates)?)?;
    print(peers::changes_are_found(replicates, 999)?)?;
    print(peers::ordinary_units_stay_in_the_funnel(replicates)?)?;
    print(peers::ranks_hold_the_truth(replicates, 1_000)?)?;
    print(peers::whole_curves_are_held(replicates, 1_000)?)?;
    print(peers::run_lengths(20 * replicates)?)?;
    print(peers::plans_keep_their_word(replicates)?)?;
    print(experiments::each_line_is_its_own_control(replicates)?)?;
    print(effects::knees(replicates / 4)?)?;
    print(effects::leads(replicates)?)?;
    print(effects::shares(replicates)?)?;
    print(effects::expectation_weights(replicates / 10)?)?;
    print(effects::expectation_matters(replicates)?)?;
    print(effects::silent(replicates / 4)?)?;
    print(effects::composites(replicates / 4, 200)?)?;
    print(effects::balance(replicates)?)?;
    print(effects::plateaus(replicates)?)?;
    print(effects::repairs(replicates)?)?;
    print(effects::clustered_errors(replicates)?)?;
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
