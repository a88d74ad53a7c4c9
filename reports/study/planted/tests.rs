//! The experiments, at a length that a test run can bear; the example `planted_studies` runs them longer.

use super::{Finding, experiments, loops, views};

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

// The experiments below are short here; the example runs them longer.
#[test]
fn planted_expectations_come_back_and_one_threshold_for_all_raises_no_alarm() {
    check(loops::expectations(4));
    check(loops::fixed_thresholds(12));
}

#[test]
fn silent_lines_are_found_and_their_risk_means_what_it_says() {
    check(loops::silence(2));
}

#[test]
fn the_planted_balance_point_is_covered() {
    check(loops::balances(12));
}

#[test]
fn repairs_are_verified_only_where_they_helped() {
    check(loops::repairs(60));
}

#[test]
fn complaints_after_a_repair_are_counted_over_days_at_risk() {
    check(loops::complaints_after_repairs(6));
}

#[test]
fn weeks_of_steady_complaints_are_not_called_unusual() {
    check(loops::steady_complaints(12));
}

#[test]
fn a_planted_threshold_is_found_and_a_straight_rise_has_none() {
    check(views::a_threshold_is_found_where_there_is_one(12));
}

#[test]
fn a_regression_does_not_blame_the_metric_for_the_technology() {
    check(views::a_regression_allows_for_technology(24));
}

#[test]
fn complaints_without_a_line_are_lined_up_area_by_area() {
    check(views::areas_stand_in_for_lines(12));
}

#[test]
fn a_planted_lag_is_named_and_none_is_not() {
    check(views::a_lag_is_named(16));
}

#[test]
fn the_day_before_a_complaint_stands_out_and_no_other() {
    check(views::the_day_before_stands_out(16));
}

#[test]
fn the_explained_share_is_the_planted_one() {
    check(views::the_explained_share_is_right(60));
}

#[test]
fn a_line_that_gets_worse_improves_nothing_and_units_change_no_finding() {
    check(experiments::a_line_that_gets_worse_improves_nothing(400));
}
