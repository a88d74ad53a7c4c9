//! What relieving a node brings for its cost, and whether more headroom still pays.

use super::fitted::{Fitted, Limit};
use super::nodes::Node;
use super::query::Query;
use super::row::{Relief, Returns};
use crate::stats::Interval;
use crate::stats::plateau::{self, Shape};
use crate::stats::poisson::garwood;
use crate::study::Estimate;
use crate::study::experience::{Daily, median};
use crate::study::{Answer, Declined};
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use std::collections::BTreeMap;

/// Nodes of about the same headroom are one point of the returns.
const POINTS: usize = 16;

/// The nodes of a technology that run fuller than is safe.
pub(super) fn of_technology(
    panel: &Panel,
    nodes: &[Node],
    technology: &str,
    fitted: &Fitted,
    limit: Limit,
    daily: &Daily,
    query: &Query,
) -> Vec<Relief> {
    let costs = panel.actions.iter().filter(|a| a.action.node.is_some()).filter_map(|a| a.action.cost);
    let cost = query.cost_per_node.or_else(|| median(costs.collect()));
    let mut out = Vec::new();
    for node in nodes.iter().filter(|node| node.technology == technology) {
        let Some(busy) = node.busy_hour().filter(|busy| *busy > fitted.safe && *busy < 1.0) else { continue };
        out.push(Relief {
            node: node.name.clone(),
            technology: technology.to_owned(),
            lines: node.lines.len(),
            busy_hour: busy,
            to: fitted.safe,
            avoided_in_30_days: avoided(node, busy, fitted, limit, daily),
            cost,
            avoided_per_1000: None,
            avoided_so_far: 0.0,
            pays: None,
        });
    }
    out
}

/// Complaints that would not have come, had every busy hour been emptier by what brings the node to the safe point.
fn avoided(node: &Node, busy: f64, fitted: &Fitted, limit: Limit, daily: &Daily) -> Answer {
    let Some(slope) = limit.slope else {
        return Answer::declined(Phrase {
            en: "complaints do not rise beyond the limit, so what is avoided is not known",
            zh: "超过限值后投诉并未增加，无法得知可避免多少",
        });
    };
    let curve = fitted.point.curve;
    let lower = fitted.safe / busy;
    let mut beyond: BTreeMap<i32, f64> = BTreeMap::new();
    for (&day, &rho) in node.loads.range(node.recent..).filter(|load| *load.1 < 1.0) {
        let ratio = curve.at(rho * lower) / curve.at(rho);
        if ratio.is_finite() && ratio > 0.0 {
            beyond.insert(day, ratio.min(1.0));
        }
    }
    let share = |slope: f64| {
        let (mut saved, mut weight) = (0.0, 0.0);
        for &line in &node.lines {
            for &(day, level) in &daily.lines[line] {
                let Some(ratio) = beyond.get(&day) else { continue };
                let value = daily.scale.back(level);
                let odds = |value: f64| (slope * (value - limit.value).max(0.0)).exp();
                saved += odds(value) - odds(value * ratio);
                weight += odds(value);
            }
        }
        if weight > 0.0 { saved / weight } else { 0.0 }
    };
    let known = match garwood(node.episodes, 0.95) {
        Ok(known) => known,
        Err(refusal) => return Declined::from(refusal).into(),
    };
    let ends = (share(slope.interval.low), share(slope.interval.high));
    let saved =
        Known { value: share(slope.value), interval: Interval::new(ends.0.min(ends.1), ends.0.max(ends.1)) };
    let episodes = Known { value: node.episodes as f64, interval: known };
    // A line's usual chance: its complaints are the node's, spread over its days.
    let per = node.lines.len() as f64 * 30.0 / node.line_days.max(1) as f64;
    let interval = product(&saved, &episodes).map(|avoided| avoided * per);
    Answer::estimate(saved.value * episodes.value * per, interval.pair(), node.episodes)
}

/// A value with its interval.
struct Known {
    value: f64,
    interval: Interval,
}

/// The interval of a share times a count: the square-and-add rule on logarithms (Zou and Donner, Stat. Med. 27, 2008) on
/// each side where both are above 0, else the product of the ends.
fn product(share: &Known, count: &Known) -> Interval {
    let value = share.value * count.value;
    let apart = |a: f64, b: f64| (a / b).ln();
    let low = if value > 0.0 && share.interval.low > 0.0 && count.interval.low > 0.0 {
        let down = apart(share.value, share.interval.low).hypot(apart(count.value, count.interval.low));
        value * (-down).exp()
    } else {
        share.interval.low.min(0.0) * count.interval.high
    };
    let high = if value > 0.0 {
        let up = apart(share.interval.high, share.value).hypot(apart(count.interval.high, count.value));
        value * up.exp()
    } else {
        share.interval.high.max(0.0) * count.interval.high
    };
    Interval::new(low.min(value), high.max(value))
}

/// The best for its cost first; then what all together avoid.
pub(super) fn rank(all: &mut [Relief], query: &Query) {
    let avoided = |r: &Relief| r.avoided_in_30_days.as_estimate().map_or(0.0, Estimate::value);
    let per_cost = |r: &Relief| avoided(r) / r.cost.filter(|cost| *cost > 0.0).unwrap_or(1.0);
    all.sort_by(|a, b| per_cost(b).total_cmp(&per_cost(a)).then(a.node.cmp(&b.node)));
    let mut so_far = 0.0;
    for one in all.iter_mut() {
        so_far += avoided(one);
        one.avoided_so_far = so_far;
        let cost = one.cost.filter(|cost| *cost > 0.0);
        one.avoided_per_1000 = cost.map(|cost| 1_000.0 * avoided(one) / cost);
        one.pays = cost
            .zip(query.worth_per_complaint)
            .map(|(cost, worth)| avoided(one) * 365.0 / 30.0 * worth >= cost);
    }
}

/// Days of lines without a complaint against headroom.
pub(super) fn returns(nodes: &[Node]) -> Returns {
    let mut known: Vec<(f64, &Node)> =
        nodes.iter().filter_map(|node| Some((1.0 - node.busy_hour_throughout()?, node))).collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.name.cmp(&b.1.name)));
    let size = known.len().div_ceil(POINTS).max(1);
    let (mut effort, mut brought) = (Vec::new(), Vec::new());
    for group in known.chunks(size) {
        let (episodes, days) =
            group.iter().fold((0, 0), |(e, d), (_, node)| (e + node.episodes, d + node.at_risk));
        if days > 0 {
            effort.push(group.iter().map(|g| g.0).sum::<f64>() / group.len() as f64);
            brought.push(100.0 - 100.0 * 30.0 * episodes as f64 / days as f64);
        }
    }
    match plateau::returns(&effort, &brought, 0.95) {
        Err(refusal) => {
            let declined = Declined::from(refusal);
            Returns {
                shape: None,
                plateau_from: declined.clone().into(),
                nine_tenths_at: None,
                observed: None,
                declined: Some(declined),
            }
        }
        Ok(found) => {
            let none = Phrase { en: "no plateau found", zh: "未发现平台" };
            let (shape, plateau_from) = match found.shape {
                Shape::Line { .. } => ("line", Answer::declined(none)),
                Shape::Exponential { .. } => ("exponential", Answer::declined(none)),
                Shape::Plateau { from, interval, .. } => {
                    ("plateau", Answer::estimate(from, interval.pair(), found.points as u64))
                }
            };
            Returns {
                shape: Some(shape),
                plateau_from,
                nine_tenths_at: found.nine_tenths().ok(),
                observed: Some(found.observed),
                declined: None,
            }
        }
    }
}
