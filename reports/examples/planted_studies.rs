//! Runs the studies over panels with planted truth at full length and prints what came out beside its bar.
//!
//! `cargo run --release -p broadgauge-reports --example planted_studies -- [RUNS]` (500 where left out). The exit code
//! is 1 where a bar is missed.

#[path = "../study/planted/mod.rs"]
mod planted;
/// What the generators call the crate's own statistics.
mod stats {
    pub(crate) use broadgauge_reports::stats::*;
}
/// What the experiments call the crate's own studies.
mod study {
    pub(crate) use broadgauge_reports::study::*;
}

use planted::{Finding, experiments, views};
use std::io::Write;
use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let runs = std::env::args().nth(1).map_or(Ok(500), |n| n.parse())?;
    let mut out = std::io::stdout().lock();
    let mut missed = 0;
    writeln!(out, "{:<50}{:>6}{:>10}   bar", "planted", "runs", "got")?;
    let mut print = |findings: Vec<Finding>| -> std::io::Result<()> {
        for finding in findings {
            let mark = if finding.holds() { "" } else { "   MISSED" };
            missed += usize::from(!finding.holds());
            let Finding { what, runs, got, bar: (low, high) } = finding;
            writeln!(out, "{what:<50}{runs:>6}{got:>10.4}   {low} to {high}{mark}")?;
        }
        out.flush()
    };
    print(experiments::lines_are_the_unit(runs, 1_000))?;
    print(experiments::few_lines_are_owned_up_to(runs, 1_000))?;
    print(experiments::the_mix_of_hours_is_no_gap(runs, 1_000))?;
    print(experiments::parity_is_shown(runs, 1_000))?;
    print(experiments::each_line_is_its_own_control(runs))?;
    print(experiments::technology_is_not_blamed_on_the_metric(runs, 400))?;
    print(views::a_threshold_is_found_where_there_is_one(runs))?;
    print(views::a_regression_allows_for_technology(runs))?;
    print(views::areas_stand_in_for_lines(runs))?;
    print(views::a_lag_is_named(runs))?;
    print(views::the_day_before_stands_out(runs))?;
    print(views::the_explained_share_is_right(runs))?;
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
