//! Runs the studies over panels with planted truth at full length and prints what came out beside its bar.
//!
//! `cargo run --release -p broadgauge-reports --example planted_studies -- [RUNS] [NAME]` (500 where left out; only
//! experiments whose function has this in its name). The exit code is 1 where a bar is missed.

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

use planted::{Finding, experiments, loops, views};
use std::io::Write;
use std::process::ExitCode;

type Experiment = Box<dyn Fn() -> Vec<Finding>>;

/// Every experiment by its name, at so many runs.
fn all(runs: u64) -> Vec<(&'static str, Experiment)> {
    vec![
        ("lines_are_the_unit", Box::new(move || experiments::lines_are_the_unit(runs, 1_000))),
        ("few_lines_are_owned_up_to", Box::new(move || experiments::few_lines_are_owned_up_to(runs, 1_000))),
        (
            "the_mix_of_hours_is_no_gap",
            Box::new(move || experiments::the_mix_of_hours_is_no_gap(runs, 1_000)),
        ),
        ("parity_is_shown", Box::new(move || experiments::parity_is_shown(runs, 1_000))),
        ("each_line_is_its_own_control", Box::new(move || experiments::each_line_is_its_own_control(runs))),
        (
            "a_line_that_gets_worse_improves_nothing",
            // Each run is one random case.
            Box::new(move || experiments::a_line_that_gets_worse_improves_nothing(20 * runs)),
        ),
        (
            "technology_is_not_blamed_on_the_metric",
            Box::new(move || experiments::technology_is_not_blamed_on_the_metric(runs, 400)),
        ),
        (
            "a_threshold_is_found_where_there_is_one",
            Box::new(move || views::a_threshold_is_found_where_there_is_one(runs)),
        ),
        (
            "a_regression_allows_for_technology",
            Box::new(move || views::a_regression_allows_for_technology(runs)),
        ),
        ("areas_stand_in_for_lines", Box::new(move || views::areas_stand_in_for_lines(runs))),
        ("a_lag_is_named", Box::new(move || views::a_lag_is_named(runs))),
        ("the_day_before_stands_out", Box::new(move || views::the_day_before_stands_out(runs))),
        ("the_explained_share_is_right", Box::new(move || views::the_explained_share_is_right(runs))),
        ("expectations", Box::new(move || loops::expectations(runs / 25))),
        ("fixed_thresholds", Box::new(move || loops::fixed_thresholds(runs / 10))),
        ("silence", Box::new(move || loops::silence(runs / 50))),
        ("balances", Box::new(move || loops::balances(runs / 5))),
        ("steady_complaints", Box::new(move || loops::steady_complaints(runs))),
        ("complaints_after_repairs", Box::new(move || loops::complaints_after_repairs(runs / 5))),
        ("repairs", Box::new(move || loops::repairs(runs))),
    ]
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let runs = std::env::args().nth(1).map_or(Ok(500), |n| n.parse())?;
    let wanted = std::env::args().nth(2).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let mut missed = 0;
    writeln!(out, "{:<50}{:>6}{:>10}   bar", "planted", "runs", "got")?;
    for (name, experiment) in all(runs) {
        if !name.contains(&wanted) {
            continue;
        }
        for finding in experiment() {
            let mark = if finding.holds() { "" } else { "   MISSED" };
            missed += usize::from(!finding.holds());
            let Finding { what, runs, got, bar: (low, high) } = finding;
            writeln!(out, "{what:<50}{runs:>6}{got:>10.4}   {low} to {high}{mark}")?;
        }
        out.flush()?;
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
