//! How full the nodes ran, what that did to delay, and what was done to some of them.

use super::chance::{drifting, normal};
use super::lines::Line;
use super::plan::{OWN, Plan};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::collections::BTreeMap;

/// Delay at this utilisation is the usual one.
const USUAL: f64 = 0.5;
/// What a split multiplies utilisation by.
pub(super) const SPLIT: f64 = 0.7;
/// What a reroute multiplies delay by, for [`REROUTE_DAYS`].
pub(super) const REROUTE: f64 = 0.65;
/// How long a reroute lasts.
pub(super) const REROUTE_DAYS: i32 = 31;
/// The days on which work is done: eight weeks in, and a week later.
const WORK: [i32; 2] = [56, 63];
/// What work costs.
const COST: f64 = 12_000.0;

/// A node day by day.
pub(super) struct Node {
    pub(super) own: bool,
    /// Of the busiest hour; empty in the small town.
    pub(super) utilisation: Vec<f64>,
    /// What delay in busy hours is multiplied by.
    pub(super) evening: Vec<f64>,
}

/// Work on a node.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Work {
    /// Its name in the table.
    pub action_id: String,
    /// What is done.
    pub kind: &'static str,
    /// The node.
    pub node: String,
    /// Who answers for it.
    #[serde(skip)]
    pub owner: &'static str,
    /// Days from the town's first day.
    #[serde(skip)]
    pub due: i32,
    /// When work began.
    #[serde(skip)]
    pub started: Option<i32>,
    /// When it ended.
    #[serde(skip)]
    pub done: Option<i32>,
    /// When its effect is to be known.
    #[serde(skip)]
    pub verify_by: Option<i32>,
    /// What it costs.
    #[serde(skip)]
    pub cost: f64,
    /// What it does in truth: `helps`, `nothing`, `fades`, or `open` where it is not done.
    pub truth: &'static str,
}

/// The nodes of the town, by name, and what was done to them.
pub(super) fn nodes<'a>(
    plan: &Plan,
    lines: &'a [Line],
    rng: &mut ChaCha8Rng,
) -> (BTreeMap<&'a str, Node>, Vec<Work>) {
    let mut nodes = BTreeMap::new();
    let mut names: Vec<&str> = Vec::new();
    for line in lines {
        if nodes.contains_key(line.node.as_str()) {
            continue;
        }
        let own = line.operator == OWN;
        let node = if plan.whole { filling(own, plan.days, rng) } else { evenings(own, plan.days, rng) };
        nodes.insert(line.node.as_str(), node);
        names.push(&line.node);
    }
    let work = if plan.whole { work(&mut nodes, plan.days) } else { Vec::new() };
    (nodes, work)
}

/// How full a node is on each day, against its usual day: some evenings are bad, and bad evenings come in runs.
fn evenings(own: bool, days: i32, rng: &mut ChaCha8Rng) -> Node {
    let state = drifting(rng, 0.5, days);
    Node { own, utilisation: Vec::new(), evening: state.into_iter().map(|s| (0.35 * s).exp()).collect() }
}

/// A node that fills up: delay grows as in the simplest queue, with 1 / (1 - utilisation).
fn filling(own: bool, days: i32, rng: &mut ChaCha8Rng) -> Node {
    let usual = 0.3 + 0.4 * rng.random::<f64>();
    let state = drifting(rng, 0.6, days);
    let utilisation: Vec<f64> =
        state.into_iter().map(|s| (usual + 0.07 * s + 0.03 * normal(rng)).clamp(0.1, 0.9)).collect();
    let evening = utilisation.iter().map(|rho| delay(*rho)).collect();
    Node { own, utilisation, evening }
}

fn delay(rho: f64) -> f64 {
    (1.0 - USUAL) / (1.0 - rho)
}

/// Plants the work: half of the fullest nodes are split, half of the next are reset to no effect, some are rerouted for a
/// month; the others as full are left alone. All are picked by the delay of the four weeks before.
fn work(nodes: &mut BTreeMap<&str, Node>, days: i32) -> Vec<Work> {
    let start = WORK[0] as usize;
    let before = |node: &Node| node.evening[start - 28..start].iter().sum::<f64>() / 28.0;
    let by_delay = |technology: &str| {
        let mut own: Vec<(f64, String)> = nodes
            .iter()
            .filter(|(name, node)| node.own && name.contains(technology))
            .map(|(name, node)| (before(node), (*name).to_owned()))
            .collect();
        own.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        own.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    let (copper, cable, fibre) = (by_delay("-fttc-"), by_delay("-cable-"), by_delay("-fttp-"));
    let every_second = |of: &[String], from: usize, count: usize| -> Vec<String> {
        of.iter().skip(from).step_by(2).take(count).cloned().collect()
    };
    let mut all = Vec::new();
    let mut plant = |kind: &'static str, truth: &'static str, chosen: Vec<String>| {
        for (number, node) in chosen.into_iter().enumerate() {
            let day = WORK[number % 2];
            let done = (truth != "open").then_some(day);
            all.push(Work {
                action_id: format!("{kind}-{number:02}"),
                kind,
                node,
                owner: if number % 3 == 0 { "planning" } else { "field operations" },
                due: if truth == "open" { days - 10 + 4 * number as i32 } else { day + 7 },
                started: if truth == "open" && number % 2 == 0 { None } else { Some(day - 2) },
                done,
                verify_by: done.map(|day| day + 4 + 28),
                cost: COST,
                truth,
            });
        }
    };
    plant("node_split", "helps", every_second(&copper, 0, 9));
    plant("card_reset", "nothing", every_second(&cable, 0, 9));
    plant("reroute", "fades", every_second(&fibre, 0, 7));
    plant("cabinet_upgrade", "open", every_second(&copper, 18, 3));
    for one in &all {
        let Some(node) = nodes.get_mut(one.node.as_str()) else { continue };
        let Some(done) = one.done else { continue };
        for day in (done + 1)..days {
            let at = day as usize;
            match one.truth {
                "helps" => {
                    node.utilisation[at] *= SPLIT;
                    node.evening[at] = delay(node.utilisation[at]);
                }
                "fades" if day - done <= REROUTE_DAYS => node.evening[at] *= REROUTE,
                _ => {}
            }
        }
    }
    all
}
