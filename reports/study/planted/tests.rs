//! The experiments, at a length that a test run can bear; the example `planted_studies` runs them longer.

use super::{Finding, experiments};

fn check(findings: Vec<Finding>) {
    for finding in findings {
        let Finding { what, runs, got, bar } = finding;
        assert!(finding.holds(), "{what}: {got} in {runs} runs, must lie in {bar:?}");
    }
}

#[test]
fn the_line_is_the_unit_of_the_peer_comparison() {
    check(experiments::lines_are_the_unit(500, 400));
}

#[test]
fn intervals_of_few_lines_cover_the_truth() {
    check(experiments::few_lines_are_owned_up_to(300, 500));
}

#[test]
fn another_mix_of_hours_is_not_a_gap() {
    check(experiments::the_mix_of_hours_is_no_gap(150, 300));
}

#[test]
fn parity_is_shown_and_not_assumed() {
    check(experiments::parity_is_shown(120, 300));
}

#[test]
fn a_planted_rate_ratio_is_found_and_both_controls_are_silent() {
    check(experiments::each_line_is_its_own_control(160));
}

#[test]
fn what_the_technology_explains_is_not_blamed_on_the_metric() {
    check(experiments::technology_is_not_blamed_on_the_metric(60, 200));
}
