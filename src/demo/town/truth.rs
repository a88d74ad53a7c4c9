//! What was planted, and how it came out: the file beside the tables.

use super::habits::{BUSINESS, HOME, SLOPE, Weights};
use super::lines::TECHNOLOGIES;
use super::nodes::{REROUTE, REROUTE_DAYS, SPLIT, Work};
use super::plan::{OWN, PEERS, Plan, Planted, ZONE};
use super::surroundings::{PATHS, construct};
use super::tables::Calendar;
use serde::Serialize;
use std::collections::BTreeMap;

/// What was planted, and how it came out.
#[derive(Clone, Debug, Serialize)]
pub struct Truth {
    seed: u64,
    zone: &'static str,
    first_day: String,
    last_day: String,
    own: &'static str,
    peers: [&'static str; 2],
    lines: usize,
    /// Rows of results.
    pub results: u64,
    planted: Planted,
    /// Complaints of each class.
    pub network_complaints: u64,
    /// The same.
    pub billing_complaints: u64,
    /// The same.
    pub service_complaints: u64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    whole: Option<Whole>,
}

/// What only the whole town has.
#[derive(Clone, Debug, Serialize)]
struct Whole {
    expectation: Expectation,
    /// By technology of the own operator: the utilisation at which the usual delay comes to the knee.
    balance_point: BTreeMap<&'static str, f64>,
    actions: Vec<Work>,
    action_effects: ActionEffects,
    survey_paths: Vec<Path>,
}

#[derive(Clone, Debug, Serialize)]
struct Expectation {
    metric: &'static str,
    home: Weights,
    business: Weights,
    /// Change of the log odds of a network complaint in a week per unit of the natural logarithm of the rate short.
    slope: f64,
    half_life_better_days: f64,
    half_life_worse_days: f64,
}

#[derive(Clone, Debug, Serialize)]
struct ActionEffects {
    /// Utilisation is multiplied by this for good; delay follows.
    node_split_utilisation_ratio: f64,
    card_reset: &'static str,
    reroute_delay_ratio: f64,
    reroute_lasts_days: i32,
}

#[derive(Clone, Debug, Serialize)]
struct Path {
    from: &'static str,
    to: &'static str,
    between_what_is_felt: f64,
}

impl Truth {
    pub(super) fn of(
        plan: &Plan,
        calendar: &Calendar,
        lines: usize,
        results: u64,
        [network_complaints, billing_complaints, service_complaints]: [u64; 3],
        work: &[Work],
    ) -> Self {
        Self {
            seed: plan.seed,
            zone: ZONE,
            first_day: calendar.first_day.to_string(),
            last_day: calendar.last_day.to_string(),
            own: OWN,
            peers: PEERS,
            lines,
            results,
            planted: plan.planted(),
            network_complaints,
            billing_complaints,
            service_complaints,
            whole: plan.whole.then(|| Whole::of(plan.planted(), work)),
        }
    }
}

impl Whole {
    fn of(planted: Planted, work: &[Work]) -> Self {
        let balance_point = TECHNOLOGIES.iter().filter_map(|technology| {
            // Delay at utilisation rho: usual delay in busy hours, times half over 1 - rho.
            let ratio =
                if technology.name == "fttc" { planted.fttc_peak_ratio } else { planted.ratio_elsewhere };
            let point = 1.0 - 0.5 * 1.3 * technology.loaded_ms * ratio / planted.knee_ms?;
            Some((technology.name, point))
        });
        Self {
            expectation: Expectation {
                metric: "download_goodput",
                home: Weights::of(HOME),
                business: Weights::of(BUSINESS),
                slope: SLOPE,
                half_life_better_days: 14.0,
                half_life_worse_days: 60.0,
            },
            balance_point: balance_point.collect(),
            actions: work.to_vec(),
            action_effects: ActionEffects {
                node_split_utilisation_ratio: SPLIT,
                card_reset: "no effect",
                reroute_delay_ratio: REROUTE,
                reroute_lasts_days: REROUTE_DAYS,
            },
            survey_paths: PATHS
                .iter()
                .map(|&(from, to, size)| Path {
                    from: construct(from),
                    to: construct(to),
                    between_what_is_felt: size,
                })
                .collect(),
        }
    }
}
