//! How full may a node run before customers notice, and what should be fixed first?
//!
//! The chain: utilisation of the busy hour, delay (a queue's curve, fitted to days of nodes; Kleinrock 1975), how many
//! lines have less than they have come to expect, complaints (a logistic line with a knee on the delay of the day before). The balance point is the utilisation at which the
//! expected delay comes to the knee; its interval resamples whole nodes and takes in that of the knee. What to fix
//! first is told by complaints beyond what the other nodes of the same technology and region have, not by their number.
//! What relieving a node brings is what the chain says; where returns diminish is fitted to the nodes as they are
//! (plateau, curve or line), and nothing is said beyond the headroom observed.
//!
//! It supposes that relieving a node does to it what its own emptier days do, and that what follows delay is caused by
//! it: the studies of complaints say how far that may be trusted.

mod fitted;
mod nodes;
pub mod query;
mod relief;
pub mod row;
mod worst;

pub use query::Query;
pub use row::{Balance, Link, Point, Relief, Returns, Seen};

use super::experience::{Daily, Risk, mean_of_lines};
use super::seed::seed_of;
use super::{Answer, Declined, Head, Method, Words};
use crate::stats::hinge::{Exposed, hinge, slope_beyond};
use crate::stats::rows::Rows;
use crate::stats::saturation::{Loaded, balance_point};
use crate::stats::{Answer as Stat, Refusal, poisson};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use fitted::{Fitted, Limit};
use nodes::{LineDay, Node, NodeDay};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 2;
/// Points of a curve that is drawn.
const DRAWN: usize = 40;
/// Groups of node-days.
const GROUPS: usize = 8;

/// Asks how full nodes may run.
pub fn study(panel: &Panel, query: &Query) -> Balance {
    let mut head = head(panel, query);
    let risk = Risk::of(panel, &query.own, query.repeat_days, &mut head.notes);
    let wanted: Vec<MetricId> = query
        .metric
        .map_or_else(|| vec![MetricId::LOADED_ROUND_TRIP_DELAY, MetricId::ROUND_TRIP_DELAY], |m| vec![m]);
    let dailies = Daily::of_panel(panel, &query.own, &wanted, query.peak);
    let daily = wanted.iter().find_map(|m| dailies.iter().find(|d| d.series.metric == *m));
    let nodes = nodes::nodes(panel, &risk, query);
    let loaded = nodes.iter().filter(|node| !node.loads.is_empty()).count();
    let refusal = match daily {
        None => Some(Phrase {
            en: "no delay was measured on lines of {own} in busy hours",
            zh: "{own} 的线路没有忙时时延测量",
        }),
        Some(_) if loaded == 0 => Some(Phrase {
            en: "no utilisation is known of a node of {own}; import utilisation first",
            zh: "没有 {own} 节点的利用率；请先导入利用率表",
        }),
        Some(_) => None,
    };
    let none = Phrase { en: "not asked", zh: "未询问" };
    let mut out = Balance {
        declined: refusal.map(|phrase| Declined::because(Words::with(phrase, &[("own", &query.own)]))),
        head,
        metric: daily.map(|d| d.series.metric),
        limit: Answer::declined(none),
        limit_given: query.limit.is_some(),
        odds_ratio_per_10: Answer::declined(none),
        points: Vec::new(),
        worst: worst::links(&nodes),
        relief: Vec::new(),
        returns: relief::returns(&nodes),
    };
    let Some(daily) = daily.filter(|_| out.declined.is_none()) else { return out };
    let line_days = nodes::line_days(daily, &risk);
    let complaining = Complaining::of(panel, &line_days);
    let limit = limit(query, complaining, line_days.len() as u64, &mut out);
    let expected = nodes::expected(panel, daily, &risk, query, &mut out.head.notes);
    let days = nodes::node_days(&nodes, daily, &expected);
    let technologies: BTreeSet<&str> = nodes.iter().map(|node| node.technology.as_str()).collect();
    for technology in technologies {
        let of: Vec<NodeDay> =
            days.iter().filter(|day| nodes[day.node].technology == technology).copied().collect();
        if of.is_empty() {
            continue;
        }
        let (point, fitted) = point(technology, &nodes, &of, limit, &risk, query);
        if let (Some(limit), Some(fitted)) = (limit, fitted) {
            out.relief.extend(relief::of_technology(panel, &nodes, technology, &fitted, limit, daily, query));
        }
        out.points.push(point);
    }
    relief::rank(&mut out.relief, query);
    out
}

/// Which line-days had a complaint, with technology beside the value.
struct Complaining {
    values: Vec<f64>,
    outcome: Vec<f64>,
    clusters: Vec<u64>,
    controls: Rows,
}

impl Complaining {
    fn of(panel: &Panel, days: &[LineDay]) -> Stat<Self> {
        let technologies: Vec<Option<&str>> =
            days.iter().map(|day| panel.lines[day.line].technology.as_deref()).collect();
        let known: BTreeSet<Option<&str>> = technologies.iter().copied().collect();
        let columns: Vec<Vec<f64>> = known
            .into_iter()
            .skip(1)
            .map(|one| technologies.iter().map(|t| f64::from(u8::from(*t == one))).collect())
            .collect();
        let controls = if columns.is_empty() {
            let mut none = Rows::new(0);
            days.iter().try_for_each(|_| none.push(&[]))?;
            none
        } else {
            Rows::of_columns(&columns)?
        };
        Ok(Self {
            values: days.iter().map(|day| day.value).collect(),
            outcome: days.iter().map(|day| f64::from(u8::from(day.complained))).collect(),
            clusters: days.iter().map(|day| day.line as u64).collect(),
            controls,
        })
    }

    const fn exposed(&self) -> Exposed<'_> {
        Exposed {
            values: self.values.as_slice(),
            outcome: self.outcome.as_slice(),
            controls: &self.controls,
            clusters: self.clusters.as_slice(),
        }
    }

    /// Where customers begin to complain.
    fn threshold(&self) -> Result<Limit, Declined> {
        let found = hinge(&self.exposed(), 0.95)?;
        match found.refused {
            Some(no_knee) => Err(no_knee.into()),
            None => Ok(Limit {
                value: found.knee,
                low: found.interval.low,
                high: found.interval.high,
                slope: Some(found.slope),
            }),
        }
    }

    /// A limit that somebody else knows, and how complaints rise beyond it.
    fn given(&self, value: f64) -> Result<Limit, Declined> {
        let slope = slope_beyond(&self.exposed(), value, 0.95)?;
        Ok(Limit { value, low: value, high: value, slope: (slope.value > 0.0).then_some(slope) })
    }
}

fn limit(query: &Query, complaining: Stat<Complaining>, n: u64, out: &mut Balance) -> Option<Limit> {
    let found = complaining.map_err(Declined::from).and_then(|complaining| match query.limit {
        Some(value) => complaining.given(value),
        None => complaining.threshold(),
    });
    let limit = match (found, query.limit) {
        (Ok(limit), _) => limit,
        (Err(declined), Some(value)) => {
            out.odds_ratio_per_10 = declined.into();
            Limit { value, low: value, high: value, slope: None }
        }
        (Err(declined), None) => {
            out.limit = declined.into();
            return None;
        }
    };
    out.limit = Answer::estimate(limit.value, (limit.low, limit.high), n);
    if let Some(slope) = limit.slope {
        let per = |b: f64| (10.0 * b).exp();
        out.odds_ratio_per_10 =
            Answer::estimate(per(slope.value), (per(slope.interval.low), per(slope.interval.high)), n);
    }
    Some(limit)
}

fn point(
    technology: &str,
    nodes: &[Node],
    days: &[NodeDay],
    limit: Option<Limit>,
    risk: &Risk,
    query: &Query,
) -> (Point, Option<Fitted>) {
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    for day in days {
        let next = places.len();
        places.entry(day.node).or_insert(next);
    }
    let at: Vec<usize> = days.iter().map(|day| places[&day.node]).collect();
    let utilisation: Vec<f64> = days.iter().map(|day| day.utilisation).collect();
    let values: Vec<f64> = days.iter().map(|day| day.value).collect();
    let data = Loaded { nodes: &at, utilisation: &utilisation, values: &values };
    let seed = seed_of(query.seed, &["balance", technology]);
    let mut out = Point {
        technology: technology.to_owned(),
        nodes: places.len(),
        node_days: days.len(),
        utilisation: Answer::declined(Phrase {
            en: "no limit is known: `study balance` takes one with --limit",
            zh: "没有已知限值：可用 study balance --limit 给定",
        }),
        safe: None,
        above_safe: 0,
        r_squared: None,
        curve: Vec::new(),
        seen: seen(nodes, days, risk),
    };
    let Some(limit) = limit else { return (out, None) };
    let at_limit = |value: f64| balance_point(&data, value, query.replicates, seed, 0.95);
    let point = match at_limit(limit.value) {
        Ok(point) => point,
        Err(refusal) => {
            out.utilisation = Declined::from(refusal).into();
            return (out, None);
        }
    };
    // The limit itself is known to an interval only. Where its lower end is the value at no load or less, no load is safe;
    // where its higher end is beyond what was seen, nothing is known of how full that is.
    let low = match at_limit(limit.low) {
        Ok(low) => (low.interval.low, low.safe),
        Err(Refusal::OutOfRange { .. }) => (0.0, 0.0),
        Err(refusal) => {
            out.utilisation = Declined::from(refusal).into();
            return (out, None);
        }
    };
    let high = at_limit(limit.high).map_or(1.0, |high| high.interval.high);
    let interval = (low.0.min(point.interval.low), high.max(point.interval.high));
    let safe = low.1.min(point.safe);
    out.utilisation = Answer::estimate(point.utilisation, interval, point.nodes as u64);
    out.safe = (safe > 0.0).then_some(safe);
    out.above_safe = out.safe.map_or(0, |safe| {
        places.keys().filter(|node| nodes[**node].busy_hour().is_some_and(|busy| busy > safe)).count()
    });
    out.r_squared = Some(point.curve.r_squared);
    let range = ends(&utilisation);
    out.curve = (0..=DRAWN)
        .map(|i| range.start() + (range.end() - range.start()) * i as f64 / DRAWN as f64)
        .map(|rho| (rho, point.curve.at(rho)))
        .collect();
    let fitted = out.safe.map(|safe| Fitted { point, safe });
    (out, fitted)
}

fn ends(values: &[f64]) -> RangeInclusive<f64> {
    values.iter().copied().fold(f64::INFINITY, f64::min)..=values.iter().copied().fold(0.0, f64::max)
}

/// Groups of node-days of equal number by utilisation, with the complaints of the day after.
fn seen(nodes: &[Node], days: &[NodeDay], risk: &Risk) -> Vec<Seen> {
    let mut days = days.to_vec();
    days.sort_by(|a, b| a.utilisation.total_cmp(&b.utilisation).then((a.node, a.day).cmp(&(b.node, b.day))));
    let size = days.len().div_ceil(GROUPS).max(1);
    let group = |group: &[NodeDay]| {
        let (mut episodes, mut line_days) = (0, 0);
        for day in group {
            for &line in &nodes[day.node].lines {
                let next = day.day + 1..day.day + 2;
                line_days += risk.at_risk(line, &next);
                episodes += risk.episodes(line, &next) as u64;
            }
        }
        let rate = match poisson::rate(episodes, line_days as f64 / 1_000.0, 0.95) {
            Ok(rate) => Answer::estimate(rate.rate, rate.interval.pair(), episodes),
            Err(refusal) => Declined::from(refusal).into(),
        };
        Seen {
            utilisation: group.iter().map(|d| d.utilisation).sum::<f64>() / group.len() as f64,
            value: mean_of_lines(group.iter().map(|d| (d.node, d.value)), |value| value),
            short_of_expectation_ratio: mean_of_lines(
                group.iter().filter_map(|d| Some((d.node, d.short?))),
                |share| share.clamp(0.0, 1.0),
            ),
            complaints_per_1000_line_days: rate,
        }
    };
    days.chunks(size).map(group).collect()
}

fn head(panel: &Panel, query: &Query) -> Head {
    let filters = BTreeMap::from([
        ("own", json!(query.own)),
        ("metric", json!(query.metric)),
        ("peak", json!(query.peak)),
        ("limit", json!(query.limit)),
        ("cost_per_node", json!(query.cost_per_node)),
        ("worth_per_complaint", json!(query.worth_per_complaint)),
        ("repeat_days", json!(query.repeat_days)),
        ("replicates", json!(query.replicates)),
    ]);
    Head {
        study: "balance",
        version: VERSION,
        period: panel.period.clone(),
        filters,
        seed: query.seed,
        method: Method {
            name: "queue curve to the knee of complaints; complaints beyond those of the ground",
            version: VERSION,
            source: "Kleinrock 1975; Ulm 1991; Garwood 1936; Anderson and Nelson 1975; Benjamini and Hochberg 1995",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

#[cfg(test)]
mod tests;
