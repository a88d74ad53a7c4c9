//! The town's lines: who sells them, what was promised, and how each differs from its like.

use super::chance::lognormal;
use super::plan::{OWN, PEERS, Plan};
use rand_chacha::ChaCha8Rng;

/// Regions of the small town; the whole one has all.
const REGIONS: [&str; 6] = ["harbour", "hillside", "old-town", "meadows", "station", "university"];
const FEW_REGIONS: usize = 3;
/// Lines on a node of the whole town.
const LINES_OF_NODE: usize = 10;

/// A way of access.
pub(super) struct Technology {
    pub(super) name: &'static str,
    pub(super) plan: &'static str,
    pub(super) promised_down_mbps: f64,
    pub(super) promised_up_mbps: f64,
    /// Round trip under load of a usual line in quiet hours.
    pub(super) loaded_ms: f64,
    pub(super) idle_ms: f64,
    lines_per_node: usize,
}

pub(super) const TECHNOLOGIES: [Technology; 3] = [
    Technology {
        name: "fttp",
        plan: "fibre-500",
        promised_down_mbps: 500.0,
        promised_up_mbps: 100.0,
        loaded_ms: 14.0,
        idle_ms: 5.0,
        lines_per_node: 32,
    },
    Technology {
        name: "cable",
        plan: "cable-200",
        promised_down_mbps: 200.0,
        promised_up_mbps: 20.0,
        loaded_ms: 34.0,
        idle_ms: 13.0,
        lines_per_node: 24,
    },
    Technology {
        name: "fttc",
        plan: "vdsl-50",
        promised_down_mbps: 50.0,
        promised_up_mbps: 10.0,
        loaded_ms: 30.0,
        idle_ms: 16.0,
        lines_per_node: 16,
    },
];

/// In the whole town every second line was sold more than it gets: a promise 1.6 times as high, of the same line.
const OVERSOLD: f64 = 1.6;

/// A line.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) operator: &'static str,
    pub(super) region: &'static str,
    pub(super) technology: &'static Technology,
    pub(super) plan: String,
    pub(super) segment: Option<&'static str>,
    pub(super) promised_down_mbps: f64,
    pub(super) node: String,
    /// This line's delay against the usual one of its kind.
    pub(super) level: f64,
    /// Its rate against the usual one.
    pub(super) rate_level: f64,
    /// How ready its customer is to complain.
    pub(super) readiness: f64,
}

/// The lines of every operator.
pub(super) fn settle(plan: &Plan, rng: &mut ChaCha8Rng) -> Vec<Line> {
    let regions = &REGIONS[..if plan.whole { REGIONS.len() } else { FEW_REGIONS }];
    let mut lines = Vec::new();
    let operators = [(OWN, plan.own_lines), (PEERS[0], plan.peer_lines), (PEERS[1], plan.peer_lines)];
    for (operator, count) in operators {
        for number in 0..count {
            let technology = &TECHNOLOGIES[number % TECHNOLOGIES.len()];
            let region = regions[number / TECHNOLOGIES.len() % regions.len()];
            let of_node = if plan.whole { LINES_OF_NODE } else { technology.lines_per_node };
            let place = number / (TECHNOLOGIES.len() * regions.len());
            let tag = operator.to_ascii_lowercase();
            let oversold = plan.whole && place % 2 == 1;
            let promised = technology.promised_down_mbps * if oversold { OVERSOLD } else { 1.0 };
            lines.push(Line {
                id: format!("{tag}-{number:04}"),
                operator,
                region,
                technology,
                plan: if oversold { format!("{}-plus", technology.plan) } else { technology.plan.to_owned() },
                segment: plan.whole.then_some(if place.is_multiple_of(5) { "business" } else { "home" }),
                promised_down_mbps: promised,
                node: format!("{tag}-{region}-{}-{}", technology.name, place / of_node),
                level: lognormal(rng, 0.22),
                rate_level: lognormal(rng, if plan.whole { 0.25 } else { 0.08 }),
                readiness: lognormal(rng, 0.5),
            });
        }
    }
    lines
}
