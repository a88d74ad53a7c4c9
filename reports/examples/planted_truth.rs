//! Runs every experiment with planted truth at full length and prints what came out beside its bar.
//!
//! `cargo run --release -p broadgauge-reports --example planted_truth -- [REPLICATES] [NAME]` (500 where left out; only
//! experiments whose function has this in its name). The exit code is 1 where a bar is missed.

#[path = "../stats/planted/mod.rs"]
mod planted;
/// What the generators call the crate's own statistics.
mod stats {
    pub(crate) use broadgauge_reports::stats::*;
}

use planted::effects;
use planted::experiments::{self as lines, Finding};
use planted::peers;
use std::io::Write;
use std::process::ExitCode;

type Experiment = Box<dyn Fn() -> stats::Answer<Vec<Finding>>>;

/// Every experiment by its name, at so many replicates.
fn experiments(replicates: u64) -> Vec<(&'static str, Experiment)> {
    vec![
        ("lines_keep_the_level", Box::new(move || lines::lines_keep_the_level(replicates))),
        ("resampled_lines_cover", Box::new(move || lines::resampled_lines_cover(replicates, 1_000))),
        ("resampled_tests_cry_wolf", Box::new(move || lines::resampled_tests_cry_wolf(replicates, 400))),
        ("parity_is_shown_not_assumed", Box::new(move || lines::parity_is_shown_not_assumed(replicates))),
        ("findings_can_be_trusted", Box::new(move || lines::findings_can_be_trusted(replicates))),
        ("exact_intervals_cover", Box::new(move || lines::exact_intervals_cover(20 * replicates))),
        ("changes_are_found", Box::new(move || peers::changes_are_found(replicates, 999))),
        (
            "ordinary_units_stay_in_the_funnel",
            Box::new(move || peers::ordinary_units_stay_in_the_funnel(replicates)),
        ),
        ("ranks_hold_the_truth", Box::new(move || peers::ranks_hold_the_truth(replicates, 1_000))),
        ("whole_curves_are_held", Box::new(move || peers::whole_curves_are_held(replicates, 1_000))),
        ("run_lengths", Box::new(move || peers::run_lengths(20 * replicates))),
        ("plans_keep_their_word", Box::new(move || peers::plans_keep_their_word(replicates))),
        ("each_line_is_its_own_control", Box::new(move || lines::each_line_is_its_own_control(replicates))),
        ("knees", Box::new(move || effects::knees(replicates))),
        ("knees of lines", Box::new(move || effects::knees_of_lines(replicates))),
        ("leads", Box::new(move || effects::leads(replicates))),
        ("shares", Box::new(move || effects::shares(replicates))),
        ("expectation_weights", Box::new(move || effects::expectation_weights(replicates))),
        ("expectation_matters", Box::new(move || effects::expectation_matters(replicates))),
        ("silent", Box::new(move || effects::silent(replicates))),
        ("composites", Box::new(move || effects::composites(replicates, 200))),
        ("balance", Box::new(move || effects::balance(replicates))),
        ("plateaus", Box::new(move || effects::plateaus(replicates))),
        ("repairs", Box::new(move || effects::repairs(replicates))),
        ("clustered_errors", Box::new(move || effects::clustered_errors(replicates))),
    ]
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let replicates = std::env::args().nth(1).map_or(Ok(500), |n| n.parse())?;
    let wanted = std::env::args().nth(2).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let mut missed = 0;
    writeln!(out, "{:<62}{:>8}{:>10}   bar", "planted", "runs", "got")?;
    for (name, experiment) in experiments(replicates) {
        if !name.contains(&wanted) {
            continue;
        }
        for finding in experiment()? {
            let mark = if finding.holds() { "" } else { "   MISSED" };
            missed += usize::from(!finding.holds());
            let Finding { what, replicates, got, bar: (low, high) } = finding;
            writeln!(out, "{what:<62}{replicates:>8}{got:>10.4}   {low} to {high}{mark}")?;
        }
        out.flush()?;
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
