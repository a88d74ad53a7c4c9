//! What to fix first: nodes by their complaints beyond what the others on their ground have.

use super::nodes::Node;
use super::row::Link;
use crate::stats::Interval;
use crate::stats::multiple::q_values;
use crate::stats::poisson::{garwood, same_rate};
use crate::study::{Answer, Declined, Estimate};
use std::collections::BTreeMap;

/// Every node with complaints or without, the largest excess first.
pub(super) fn links(nodes: &[Node]) -> Vec<Link> {
    let mut grounds: BTreeMap<String, Sums> = BTreeMap::new();
    for node in nodes {
        let sums = grounds.entry(node.ground()).or_default();
        sums.episodes += node.episodes;
        sums.line_days += node.line_days;
        sums.at_risk += node.at_risk;
    }
    let mut links: Vec<Link> = nodes.iter().map(|node| link(node, grounds[&node.ground()])).collect();
    let p: Vec<f64> = links.iter().filter_map(|link| link.p).collect();
    let mut q = q_values(&p).unwrap_or_default().into_iter();
    for link in links.iter_mut().filter(|link| link.p.is_some()) {
        link.q = q.next();
    }
    let excess = |link: &Link| link.excess.as_estimate().map_or(f64::NEG_INFINITY, Estimate::value);
    links.sort_by(|a, b| excess(b).total_cmp(&excess(a)).then(a.node.cmp(&b.node)));
    links
}

/// What the nodes of a ground had together.
#[derive(Clone, Copy, Default)]
struct Sums {
    episodes: u64,
    line_days: u64,
    at_risk: u64,
}

/// Whether a node differs is asked of rates at risk. What it would have had like the others is counted over days in
/// service: with fewer complaints it would have been at risk on more of them.
fn link(node: &Node, ground: Sums) -> Link {
    let others = (ground.episodes - node.episodes, (ground.at_risk - node.at_risk) as f64);
    let line_days = (ground.line_days - node.line_days) as f64;
    let rate = if line_days > 0.0 { others.0 as f64 / line_days } else { 0.0 };
    let expected = rate * node.line_days as f64;
    let excess = match (garwood(node.episodes, 0.95), garwood(others.0, 0.95)) {
        (Ok(own), Ok(known)) if line_days > 0.0 => {
            let known = known.map(|count| count / line_days * node.line_days as f64);
            beyond(node.episodes, own, expected, known)
        }
        (Ok(_), Ok(_)) => Declined::from(crate::stats::Refusal::TooFew {
            what: "other nodes on its ground",
            have: 0,
            need: 1,
        })
        .into(),
        (Err(refusal), _) | (_, Err(refusal)) => Declined::from(refusal).into(),
    };
    Link {
        node: node.name.clone(),
        ground: node.ground(),
        lines: node.lines.len(),
        line_days: node.line_days,
        episodes: node.episodes,
        expected,
        excess,
        p: same_rate((node.episodes, node.at_risk as f64), others).ok(),
        q: None,
        busy_hour: node.busy_hour(),
    }
}

/// A count less what was expected of it, each with its exact interval: the limits of the difference by the square-and-add
/// rule (Zou and Donner, Stat. Med. 27, 2008).
fn beyond(count: u64, own: Interval, expected: f64, known: Interval) -> Answer {
    let count_of = count as f64;
    let excess = count_of - expected;
    let low = excess - (count_of - own.low).hypot(known.high - expected);
    let high = excess + (own.high - count_of).hypot(expected - known.low);
    Answer::estimate(excess, (low, high), count)
}
