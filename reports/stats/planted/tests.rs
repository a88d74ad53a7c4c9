//! The experiments, at a length that a test run can bear; the example `planted_truth` runs them longer.

use super::effects;
use super::experiments::{self, Finding};
use super::peers;
use super::town::{Town, TownPlan};
use crate::stats::Answer;

fn check(findings: Answer<Vec<Finding>>) {
    for finding in findings.unwrap() {
        let Finding { what, replicates, got, bar } = finding;
        assert!(finding.holds(), "{what}: {got} in {replicates} runs, must lie in {bar:?}");
    }
}

#[test]
fn a_test_on_lines_keeps_its_level_and_finds_the_planted_gap() {
    check(experiments::lines_keep_the_level(500));
}

#[test]
fn intervals_from_resampled_lines_cover_the_planted_gap() {
    check(experiments::resampled_lines_cover(500, 200));
}

// With 100 replicates a true rate of .65 shows between .56 and .74 in 95% of runs.
#[test]
fn resampling_single_tests_is_shown_to_fail() {
    check(experiments::resampled_tests_cry_wolf(100, 200));
}

#[test]
fn parity_is_shown_and_not_assumed() {
    check(experiments::parity_is_shown_not_assumed(500));
}

#[test]
fn a_list_of_findings_can_be_trusted_as_a_list() {
    check(experiments::findings_can_be_trusted(500));
}

#[test]
fn exact_intervals_cover_rare_events() {
    check(experiments::exact_intervals_cover(20_000));
}

#[test]
fn a_line_as_its_own_control_finds_the_planted_ratio() {
    check(experiments::each_line_is_its_own_control(500));
}

#[test]
fn a_step_is_found_and_noise_with_a_memory_is_left_alone() {
    check(peers::changes_are_found(500, 199));
}

#[test]
fn ordinary_units_stay_in_the_funnel() {
    check(peers::ordinary_units_stay_in_the_funnel(500));
}

#[test]
fn ranks_hold_the_truth_also_where_units_are_tied() {
    check(peers::ranks_hold_the_truth(500, 200));
}

#[test]
fn whole_curves_lie_in_their_bands() {
    check(peers::whole_curves_are_held(300, 200));
}

#[test]
fn a_cumulative_sum_runs_as_long_as_it_should() {
    check(peers::run_lengths(4_000));
}

#[test]
fn a_planned_study_finds_what_it_was_planned_for() {
    check(peers::plans_keep_their_word(1_000));
}

#[test]
fn a_town_is_fixed_by_its_seed() {
    let complaints = |number| Town::new(TownPlan::new(2.5), 1, number).complaints;
    assert_eq!(complaints(3), complaints(3));
    assert_ne!(complaints(3), complaints(4));
}

// The experiments below are short here: their bars are widened by two Monte-Carlo standard deviations of the replicates
// that are run, and the example runs them at full length.
#[test]
fn a_planted_knee_is_found_and_a_straight_line_has_none() {
    check(effects::knees(30));
    check(effects::knees_of_lines(12));
}

#[test]
fn series_that_drift_apart_are_not_related_and_a_lag_of_three_is_named() {
    check(effects::leads(200));
}

#[test]
fn the_planted_share_is_attributed() {
    check(effects::shares(100));
}

#[test]
fn planted_expectation_weights_come_back() {
    check(effects::expectation_weights(6));
}

#[test]
fn expectation_matters_only_where_it_was_planted() {
    check(effects::expectation_matters(150));
}

#[test]
fn silent_sufferers_are_ranked_nearly_as_well_as_can_be() {
    check(effects::silent(20));
}

#[test]
fn planted_paths_of_composites_come_back() {
    check(effects::composites(20, 100));
}

#[test]
fn the_balance_point_and_the_plateau_are_where_they_were_planted() {
    check(effects::balance(100));
    check(effects::plateaus(200));
}

#[test]
fn repairs_are_verified_only_where_they_helped() {
    check(effects::repairs(500));
}

#[test]
fn errors_clustered_by_line_keep_their_level() {
    check(effects::clustered_errors(300));
}
