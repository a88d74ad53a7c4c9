//! Which operators, regions or nodes stand out, and which are only the first or last of a crowd?
//!
//! A unit's figure is the mean over its lines of each line's own quantile: every line counts the same, and the line
//! is the unit of error. Units stand in a funnel that allows for the spread of ordinary units (DerSimonian and Laird
//! 1986), and their ranks are intervals that hold for all units at once (Mogstad, Romano, Shaikh and Wilhelm 2024).
//! There is no bare ranking anywhere: units are listed by name, rank 1 is the best, and units with fewer than ten lines
//! are not shown.
//!
//! It cannot tell why a unit stands out, and with three or four units the spread of ordinary ones is hardly known.

use super::answer::Words;
use super::peers::clock::Clock;
use super::peers::query::Key;
use super::peers::strata::{self, Group, Part};
use super::peers::{self, Peak, Stratum};
use super::seed::seed_of;
use super::{Answer, Declined, Head, Method, Note, Series};
use crate::stats::bootstrap::Design;
use crate::stats::funnel::{Allowance, Unit as Figure, dersimonian_laird, funnel};
use crate::stats::multiple::q_values;
use crate::stats::quantile::weighted;
use crate::stats::ranking::rank_sets;
use crate::stats::welch::Moments;
use crate::stats::{Interval, pairs::Pairs};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{MethodUse, Panel};
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::text::Phrase;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 1;
/// The level of the report.
const LEVEL: f64 = 0.05;

/// What is set beside each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Operators.
    #[default]
    Operator,
    /// The own operator's regions, areas, plans...
    Of(Key),
}

/// The question.
#[derive(Clone, Debug)]
pub struct Query {
    /// What is set beside each other.
    pub unit: Unit,
    /// The own operator: whose units they are, or which of the operators is marked.
    pub own: String,
    /// What units are matched on.
    pub by: Vec<Key>,
    /// The metrics; all that were observed where empty.
    pub metrics: Vec<MetricId>,
    /// The quantile within a line.
    pub quantile: f64,
    /// The peak hours.
    pub peak: Peak,
    /// The seed.
    pub seed: u64,
    /// Resamples.
    pub replicates: usize,
    /// Units with fewer lines are not shown.
    pub minimum_lines: usize,
}

impl Query {
    /// The usual question: operators by technology and hours.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            unit: Unit::Operator,
            own: own.into(),
            by: vec![Key::Technology, Key::Hours],
            metrics: Vec::new(),
            quantile: 0.5,
            peak: Peak::default(),
            seed: 1,
            replicates: 2_000,
            minimum_lines: 10,
        }
    }
}

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct League {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// One table for each observation and stratum.
    pub rows: Vec<Row>,
    /// Why there is no table at all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What was observed.
    pub metric: MetricId,
    /// Its unit.
    pub unit: &'static str,
    /// Under which load.
    pub load: Load,
    /// Which way.
    pub direction: Direction,
    /// What a value is.
    pub statistic: Statistic,
    /// By which method, against which class of targets.
    #[serde(flatten)]
    pub method: MethodUse,
    /// Whether the values are made up.
    pub made: bool,
    /// The quantile within a line.
    pub quantile: f64,
    /// What the units have in common.
    pub stratum: Stratum,
    /// What an ordinary unit is measured against; n is the units.
    pub centre: Answer,
    /// The standard deviation between ordinary units, in the metric's unit.
    pub spread_between: Option<f64>,
    /// The share of the variance that lies between units.
    pub i_squared: Option<f64>,
    /// Why no funnel and no ranks could be drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funnel_declined: Option<Declined>,
    /// The units, by name.
    pub units: Vec<Place>,
}

/// One unit of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Whether it is the own operator.
    pub own: bool,
    /// Its lines.
    pub lines: usize,
    /// The mean of its lines.
    pub value: Answer,
    /// The ranks that it may hold, 1 the best; the interval is the answer, there is no single rank.
    pub rank: Option<(usize, usize)>,
    /// Where 95 of 100 ordinary units of this size lie.
    pub limits_95: Option<(f64, f64)>,
    /// Where 998 of 1,000 lie.
    pub limits_998: Option<(f64, f64)>,
    /// Probability that an ordinary unit lies as far out.
    pub p: Option<f64>,
    /// The share of false finds in the report's family.
    pub q: Option<f64>,
    /// The finding.
    pub standing: Standing,
}

/// Where a unit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Further out than ordinary units, on the customers' good side.
    Better,
    /// Further out, on the bad side.
    Worse,
    /// Among the ordinary units.
    Ordinary,
    /// Nothing can be said.
    CannotTell,
}

impl Standing {
    /// The word for readers.
    pub const fn label(self) -> Phrase {
        match self {
            Self::Better => Phrase { en: "better than ordinary", zh: "明显偏好" },
            Self::Worse => Phrase { en: "worse than ordinary", zh: "明显偏差" },
            Self::Ordinary => Phrase { en: "ordinary", zh: "正常范围" },
            Self::CannotTell => Phrase { en: "cannot tell", zh: "无法判断" },
        }
    }
}

/// Sets units beside each other.
pub fn study(panel: &Panel, query: &Query) -> League {
    let mut by = query.by.clone();
    let wanted: BTreeSet<&str> = match query.unit {
        Unit::Operator => strata::operators(panel),
        Unit::Of(key) => {
            if !by.contains(&key) {
                by.insert(0, key);
            }
            BTreeSet::from([query.own.as_str()])
        }
    };
    let ask = peers::Query {
        by,
        metrics: query.metrics.clone(),
        peak: query.peak,
        ..peers::Query::of(query.own.as_str())
    };
    let mut head = head(panel, query);
    let mut matched = strata::matched(panel, &ask, &wanted);
    head.notes.append(&mut matched.notes);
    let mut rows = Vec::new();
    let (mut small, mut elsewhere) = (0, 0);
    for (series, grounds) in &matched.series {
        let mut tables: BTreeMap<(Stratum, Part), Units> = BTreeMap::new();
        let mut clocks: BTreeMap<(Stratum, Part), BTreeMap<String, Clock>> = BTreeMap::new();
        for (ground, groups) in &grounds.grounds {
            for (operator, group) in groups {
                let (name, stratum) = unit(query, operator, ground);
                for (part, lines) in values(group, query.quantile) {
                    let table = tables.entry((stratum.clone(), part)).or_default();
                    table.entry(name.clone()).or_default().extend(lines);
                    if let Some(clock) = grounds.clock(ground, operator, part) {
                        let table = clocks.entry((stratum.clone(), part)).or_default();
                        table.entry(name.clone()).or_default().merge(clock);
                    }
                }
            }
        }
        for ((stratum, part), mut units) in tables {
            let before = units.len();
            units.retain(|_, lines| lines.len() >= query.minimum_lines);
            small += before - units.len();
            elsewhere +=
                clocks.get(&(stratum.clone(), part)).map_or(0, |clocks| elsewhere_in(&units, clocks));
            if !units.is_empty() {
                rows.push(table(series, labelled(stratum, part), &units, query));
            }
        }
    }
    let words = Words::with(
        Phrase {
            en: "units with fewer than {n} lines, not shown", zh: "线路不足 {n} 条、不予展示的单位"
        },
        &[("n", &query.minimum_lines)],
    );
    Note::push(&mut head.notes, words, small as u64);
    let words = Words::plain(Phrase {
        en: "units of which most tests were made at other hours of the day than those of the others in their table: match on hour to be sure",
        zh: "多数测试与同表其他单位不在相同钟点进行的单位：按 hour 匹配方可确定",
    });
    Note::push(&mut head.notes, words, elsewhere as u64);
    judge(&mut rows);
    let declined = rows.is_empty().then(|| {
        Declined::because(Words::with(
            Phrase {
                en: "no unit has {n} lines with figures", zh: "没有任何单位有 {n} 条带数据的线路"
            },
            &[("n", &query.minimum_lines)],
        ))
    });
    League { head, rows, declined }
}

fn head(panel: &Panel, query: &Query) -> Head {
    let mut filters = BTreeMap::from([
        ("own", json!(query.own)),
        ("unit", json!(if let Unit::Of(key) = query.unit { key.word() } else { "operator" })),
        ("by", json!(query.by)),
        ("quantile", json!(query.quantile)),
        ("peak", json!(query.peak)),
        ("replicates", json!(query.replicates)),
        ("minimum_lines", json!(query.minimum_lines)),
    ]);
    if !query.metrics.is_empty() {
        filters.insert("metrics", json!(query.metrics));
    }
    Head {
        study: "league",
        version: VERSION,
        period: panel.period.clone(),
        filters,
        seed: query.seed,
        method: Method {
            name: "random-effects funnel, simultaneous rank intervals from resampled lines",
            version: VERSION,
            source: "DerSimonian and Laird 1986; Spiegelhalter 2005; Mogstad, Romano, Shaikh and Wilhelm 2024; Benjamini and Hochberg 1995",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

/// The unit's name, and what is left of the ground.
fn unit(query: &Query, operator: &str, ground: &Stratum) -> (String, Stratum) {
    match query.unit {
        Unit::Operator => (operator.to_owned(), ground.clone()),
        Unit::Of(key) => {
            let name = ground.get(key).unwrap_or(operator).to_owned();
            (name, Stratum(ground.0.iter().filter(|(k, _)| *k != key).cloned().collect()))
        }
    }
}

/// How many units of a table were tested at other hours of the day than the rest of it.
fn elsewhere_in(units: &Units, clocks: &BTreeMap<String, Clock>) -> usize {
    let shown = || clocks.iter().filter(|(name, _)| units.contains_key(*name));
    let is_elsewhere = |(name, clock): &(&String, &Clock)| {
        let mut rest = Clock::default();
        shown().filter(|(other, _)| other != name).for_each(|(_, other)| rest.merge(other));
        clock.is_elsewhere(&rest)
    };
    shown().filter(is_elsewhere).count()
}

/// (line, value) by unit.
type Units = BTreeMap<String, Vec<(String, f64)>>;

/// Each line's own quantile, by part of the week.
fn values(group: &Group, quantile: f64) -> BTreeMap<Part, Vec<(String, f64)>> {
    let mut out: BTreeMap<Part, Vec<(String, f64)>> = BTreeMap::new();
    for line in group {
        for (part, points) in &line.parts {
            let points: Vec<(f64, f64)> = points.iter().map(|&(v, n)| (v, n as f64)).collect();
            if let Ok(value) = weighted(&points, quantile) {
                out.entry(*part).or_default().push((line.line_id.clone(), value));
            }
        }
    }
    out
}

fn labelled(mut stratum: Stratum, part: Part) -> Stratum {
    stratum.0.extend(part.labels());
    stratum
}

fn table(series: &Series, stratum: Stratum, units: &Units, query: &Query) -> Row {
    let metric = series.metric;
    let known: Vec<(&String, Vec<f64>, Option<Moments>)> = units
        .iter()
        .map(|(name, lines)| {
            // By line id, so that neither the order of rows nor that of strata moves a sum.
            let mut lines: Vec<&(String, f64)> = lines.iter().collect();
            lines.sort_by(|a, b| a.0.cmp(&b.0));
            let values: Vec<f64> = lines.iter().map(|l| l.1).collect();
            let moments = Moments::of(&values).ok().filter(|m| m.variance > 0.0);
            (name, values, moments)
        })
        .collect();
    let mut row = Row {
        metric,
        unit: metric.unit.code(),
        load: series.load,
        direction: series.direction,
        statistic: series.statistic,
        method: series.method.clone(),
        made: series.made,
        quantile: query.quantile,
        stratum,
        centre: Answer::declined(NO_FUNNEL),
        spread_between: None,
        i_squared: None,
        funnel_declined: None,
        units: known
            .iter()
            .map(|(name, values, _)| Place {
                name: (*name).clone(),
                own: query.unit == Unit::Operator && **name == query.own,
                lines: values.len(),
                value: mean(values),
                rank: None,
                limits_95: None,
                limits_998: None,
                p: None,
                q: None,
                standing: Standing::CannotTell,
            })
            .collect(),
    };
    if let Err(declined) = fill(&mut row, &known, query) {
        row.funnel_declined = Some(declined);
    }
    row
}

const NO_FUNNEL: Phrase = Phrase { en: "there is no funnel", zh: "没有漏斗图" };

fn mean(values: &[f64]) -> Answer {
    let of = || -> crate::stats::Answer<(f64, Interval)> {
        let pairs = Pairs::of(values)?;
        Ok((pairs.mean(), pairs.interval(0.95)?))
    };
    match of() {
        Ok((mean, interval)) => Answer::estimate(mean, interval.pair(), values.len() as u64),
        Err(refusal) => Declined::from(refusal).into(),
    }
}

type Known<'a> = (&'a String, Vec<f64>, Option<Moments>);

/// The funnel and the ranks, over the units whose lines vary.
fn fill(row: &mut Row, known: &[Known<'_>], query: &Query) -> Result<(), Declined> {
    let usable: Vec<(usize, &[f64], Moments)> = known
        .iter()
        .enumerate()
        .filter_map(|(place, (_, values, moments))| Some((place, values.as_slice(), (*moments)?)))
        .collect();
    ranks(row, &usable, query)?;
    let figures: Vec<Figure> =
        usable.iter().map(|(_, _, m)| Figure { effect: m.mean, variance: m.variance / m.n as f64 }).collect();
    let pooled = dersimonian_laird(&figures)?;
    let drawn = funnel(&figures, Allowance::Random)?;
    let half = 1.959_963_984_540_054 * pooled.standard_error;
    row.centre =
        Answer::estimate(pooled.random, (pooled.random - half, pooled.random + half), figures.len() as u64);
    row.spread_between = Some(pooled.tau_squared.sqrt());
    row.i_squared = Some(pooled.i_squared);
    let pair = |i: Interval| Some(i.pair());
    for ((place, ..), mark) in usable.iter().zip(&drawn.marks) {
        let unit = &mut row.units[*place];
        unit.limits_95 = pair(mark.limits_95);
        unit.limits_998 = pair(mark.limits_998);
        unit.p = Some(mark.p);
    }
    Ok(())
}

fn ranks(row: &mut Row, usable: &[(usize, &[f64], Moments)], query: &Query) -> Result<(), Declined> {
    let sign = row.metric.better.sign();
    let observed: Vec<f64> = usable.iter().map(|(_, _, m)| sign * m.mean).collect();
    let replicates = usable
        .iter()
        .map(|(place, values, _)| {
            let n = values.len() as f64;
            let mean = |counts: &[u32]| {
                sign * values.iter().zip(counts).map(|(v, &c)| v * f64::from(c)).sum::<f64>() / n
            };
            let seed = seed_of(query.seed, &["league", row.metric.id(), &row.units[*place].name]);
            Ok(Design::simple(values.len())?.replicate(query.replicates, seed, mean))
        })
        .collect::<Result<Vec<_>, crate::stats::Refusal>>()?;
    let fewest = usable.iter().map(|(_, values, _)| values.len()).min().unwrap_or(0);
    for ((place, ..), rank) in usable.iter().zip(rank_sets(&observed, &replicates, 0.95, fewest)?) {
        row.units[*place].rank = Some((rank.from, rank.to));
    }
    Ok(())
}

/// All units of all tables are one family.
fn judge(rows: &mut [Row]) {
    let p: Vec<f64> = rows.iter().flat_map(|r| &r.units).filter_map(|u| u.p).collect();
    let mut q = q_values(&p).unwrap_or_default().into_iter();
    for row in rows {
        let (centre, sign) = (row.centre.as_estimate().map(super::Estimate::value), row.metric.better.sign());
        for unit in &mut row.units {
            unit.q = unit.p.and_then(|_| q.next());
            unit.standing = match (unit.q, centre, unit.value.as_estimate()) {
                (Some(q), Some(centre), Some(value)) if q <= LEVEL => {
                    if sign * (value.value() - centre) > 0.0 { Standing::Better } else { Standing::Worse }
                }
                (Some(_), ..) => Standing::Ordinary,
                _ => Standing::CannotTell,
            };
        }
    }
}

#[cfg(test)]
mod tests;
