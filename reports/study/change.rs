//! When did a figure change for good, is it a regression worth an alarm, and how would one make sure?
//!
//! Each line's hours lose what is usual at that hour of the week; the median over a unit's lines is its day; change
//! points are found by energy distance with a permutation of blocks of days (Matteson and James 2014; see
//! [`crate::stats::change`]), and all units of a report are one family. An alarm asks for four things: the change is
//! more than chance (q at most .05), it is larger than the margin, the interval of the difference leaves out zero, and
//! it has lasted. Whatever is short of one of them is watched, and says of what. Each names the retest that would
//! confirm it.
//!
//! It cannot tell what changed: routing, load, a repair, or the instrument. Summaries without a date are of no use here.

use super::answer::Words;
use super::peers::verdict_margin;
use super::seed::seed_of;
use super::{Answer, Declined, Head, Method, Note};
use crate::stats::bootstrap::{expanded_level, percentile};
use crate::stats::change::{ChangePoint, FEWEST_BLOCKS, Search, change_points};
use crate::stats::multiple::q_values;
use crate::stats::season::{Hourly, without_week};
use crate::stats::welch::n_to_detect;
use crate::stats::{Purpose, Stream};
use broadgauge_model::metric::{Better, Margin, MetricId};
use broadgauge_model::panel::{Cell, CellValues, Hours, MethodUse, Panel};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::text::Phrase;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 1;
/// The level of the report.
const LEVEL: f64 = 0.05;
/// Shuffles beyond this many are not made, whatever the size of the family.
const MOST_SHUFFLES: usize = 20_000;
/// A change reached by fewer shuffles than this gets more of them.
const FEW_HITS: f64 = 10.0;

/// Whose series are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Each line alone.
    Line,
    /// The lines of a network element.
    Node,
    /// The lines of an area.
    Area,
    /// The lines of a region.
    Region,
    /// All lines of an operator.
    #[default]
    Operator,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 5] = [Self::Line, Self::Node, Self::Area, Self::Region, Self::Operator];

    /// The word in flags.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Node => "node",
            Self::Area => "area",
            Self::Region => "region",
            Self::Operator => "operator",
        }
    }

    fn of(self, line: &AccessLine) -> Option<&str> {
        match self {
            Self::Line => Some(&line.line_id),
            Self::Node => line.node.as_deref(),
            Self::Area => line.area.as_deref(),
            Self::Region => line.region.as_deref(),
            Self::Operator => Some(&line.operator),
        }
    }
}

/// The question.
#[derive(Clone, Debug)]
pub struct Query {
    /// Only lines of this operator.
    pub own: String,
    /// Whose series.
    pub unit: Unit,
    /// The metrics; all that were observed where empty.
    pub metrics: Vec<MetricId>,
    /// Margins that differ from the metric's own.
    pub margins: BTreeMap<MetricId, Margin>,
    /// Days that a change must last before it is an alarm.
    pub persist_days: usize,
    /// The seed.
    pub seed: u64,
    /// Shuffles and resamples.
    pub replicates: usize,
}

impl Query {
    /// The usual question.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            unit: Unit::Operator,
            metrics: Vec::new(),
            margins: BTreeMap::new(),
            persist_days: 7,
            seed: 1,
            replicates: 2_000,
        }
    }
}

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changes {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// One row for each change, and one for each series without any.
    pub rows: Vec<Row>,
    /// Why nothing could be looked at.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// One series and one change in it, or none.
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
    /// The line, node, area, region or operator.
    pub name: String,
    /// Lines behind the series.
    pub lines: usize,
    /// Days with a value.
    pub days: usize,
    /// The first day of the new regime.
    pub since: Option<String>,
    /// Days that the new regime has lasted, to the next change or the end.
    pub lasted_days: Option<usize>,
    /// Median day before the change; of the whole series where there is none.
    pub before: Option<f64>,
    /// Median day after it.
    pub after: Option<f64>,
    /// After less before; n is the days of both regimes. Declined where the series is too short or does not change.
    pub difference: Answer,
    /// The probability of a split at least as good if blocks of days came in any order.
    pub p: Option<f64>,
    /// The share of false finds in the report's family.
    pub q: Option<f64>,
    /// What still counts as the same, in the metric's unit.
    pub margin_absolute: Option<f64>,
    /// The finding.
    pub finding: Finding,
    /// What an alarm lacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Words>,
    /// The retest that would confirm it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retest: Option<Words>,
}

/// What a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Worse for customers, large, sure and lasting.
    Regression,
    /// Better for customers, large, sure and lasting.
    Improvement,
    /// A change that is short of an alarm.
    Watch,
    /// No change found, in a series long enough for one.
    Steady,
    /// Too little data.
    CannotTell,
}

impl Finding {
    /// The word for readers.
    pub const fn label(self) -> Phrase {
        match self {
            Self::Regression => Phrase { en: "regression", zh: "劣化" },
            Self::Improvement => Phrase { en: "improvement", zh: "改善" },
            Self::Watch => Phrase { en: "watch", zh: "关注" },
            Self::Steady => Phrase { en: "no change found", zh: "未见变化" },
            Self::CannotTell => Phrase { en: "cannot tell", zh: "无法判断" },
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    metric: MetricId,
    load: Load,
    direction: Direction,
    statistic: Statistic,
    method: u16,
}

/// Looks for changes.
pub fn study(panel: &Panel, query: &Query) -> Changes {
    let mut head = head(panel, query);
    let mut hours: BTreeMap<(Series, &str, &str), Vec<Hourly>> = BTreeMap::new();
    let (mut undated, mut nameless) = (0, 0);
    for (key, cells) in by_hour(panel, query) {
        let (series, line, day, hour) = key;
        let Some((day, hour)) = day.zip(hour) else {
            undated += cells.len() as u64;
            continue;
        };
        let line = &panel.lines[line as usize];
        let Some(name) = query.unit.of(line) else {
            nameless += 1;
            continue;
        };
        if let Some(value) = value(series.metric, &cells) {
            // Day 4 of 1970 was a Monday.
            hours.entry((series, name, &line.line_id)).or_default().push(Hourly {
                day: day - 4,
                hour,
                value,
            });
        }
    }
    let note = |en, zh| Words::plain(Phrase { en, zh });
    Note::push(&mut head.notes, note("summaries without a date", "没有日期的汇总值"), undated);
    Note::push(
        &mut head.notes,
        Words::with(
            Phrase { en: "hours of lines without {unit}", zh: "没有 {unit} 字段的线路小时数" },
            &[("unit", &query.unit.word())],
        ),
        nameless,
    );
    let (days, short) = days(hours);
    Note::push(
        &mut head.notes,
        note("lines observed in fewer than three weeks of the same hours", "同一时段观测不足三周的线路"),
        short,
    );
    let mut rows: Vec<Row> =
        days.iter().flat_map(|(key, unit)| rows(panel, query, days.len(), key, unit)).collect();
    judge(&mut rows, query);
    let declined = rows.is_empty().then(|| {
        Declined::because(Words::with(
            Phrase {
                en: "no line of {own} was observed in three weeks of the same hours",
                zh: "{own} 没有任何线路在同一时段观测满三周",
            },
            &[("own", &query.own)],
        ))
    });
    Changes { head, rows, declined }
}

fn head(panel: &Panel, query: &Query) -> Head {
    let mut filters = BTreeMap::from([
        ("own", json!(query.own)),
        ("unit", json!(query.unit)),
        ("persist_days", json!(query.persist_days)),
        ("replicates", json!(query.replicates)),
    ]);
    if !query.metrics.is_empty() {
        filters.insert("metrics", json!(query.metrics));
    }
    Head {
        study: "change",
        version: VERSION,
        period: panel.period.clone(),
        filters,
        seed: query.seed,
        method: Method {
            name: "E-divisive on days without their week, maximum permuted by blocks of days",
            version: VERSION,
            source: "Matteson and James 2014; Benjamini and Hochberg 1995; Kunsch 1989",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

type HourKey = (Series, u32, Option<i32>, Option<u8>);

/// The cells asked for, by series, line and hour.
fn by_hour<'a>(panel: &'a Panel, query: &Query) -> BTreeMap<HourKey, Vec<&'a Cell>> {
    let mut out: BTreeMap<HourKey, Vec<&Cell>> = BTreeMap::new();
    for cell in &panel.cells {
        let own = panel.lines.get(cell.line as usize).is_some_and(|l| l.operator == query.own);
        let asked = query.metrics.is_empty() || query.metrics.contains(&cell.metric);
        if !own || !asked || cell.values.is_empty() {
            continue;
        }
        let series = Series {
            metric: cell.metric,
            load: cell.load,
            direction: cell.direction,
            statistic: cell.statistic,
            method: cell.method,
        };
        let (day, hour) = match cell.hours {
            Hours::At { day, hour } => (Some(day), Some(hour)),
            Hours::Peak | Hours::AllDay => (None, None),
        };
        out.entry((series, cell.line, day, hour)).or_default().push(cell);
    }
    out
}

/// The hour's figure: all lost of all sent, or the median of its values.
fn value(metric: MetricId, cells: &[&Cell]) -> Option<f64> {
    if metric == MetricId::LOSS_RATIO && cells.iter().all(|c| c.sent > 0) {
        let (lost, sent) = cells.iter().fold((0, 0), |(l, s), c| (l + c.lost, s + c.sent));
        return Some(lost as f64 / sent as f64);
    }
    let mut points: Vec<(f64, f64)> = Vec::new();
    for cell in cells {
        match &cell.values {
            CellValues::Histogram(h) => points.extend(h.values(metric.tick).map(|(v, n)| (v, n as f64))),
            CellValues::Number(v) if v.is_finite() => points.push((*v, 1.0)),
            CellValues::Number(_) => {}
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    crate::stats::quantile::weighted(&points, 0.5).ok()
}

/// A unit's days.
struct Days {
    lines: usize,
    /// (day since Monday, 5 January 1970; value), ascending.
    days: Vec<(i32, f64)>,
}

/// Each line without its week and without its level, then the median over lines, at the unit's level.
fn days(hours: BTreeMap<(Series, &str, &str), Vec<Hourly>>) -> (BTreeMap<(Series, String), Days>, u64) {
    type Lines = Vec<(f64, Vec<(i32, f64)>)>;
    let mut units: BTreeMap<(Series, String), Lines> = BTreeMap::new();
    let mut short = 0;
    for ((series, name, _), hours) in hours {
        let Ok(left) = without_week(&hours) else {
            short += 1;
            continue;
        };
        let level = middle(left.days.iter().map(|d| d.1).collect());
        units.entry((series, name.to_owned())).or_default().push((level, left.days));
    }
    let units = units.into_iter().map(|(key, lines)| {
        let level = middle(lines.iter().map(|l| l.0).collect());
        let mut by_day: BTreeMap<i32, Vec<f64>> = BTreeMap::new();
        for (own_level, days) in &lines {
            for (day, value) in days {
                by_day.entry(*day).or_default().push(value - own_level);
            }
        }
        let days = by_day.into_iter().map(|(day, values)| (day, level + middle(values))).collect();
        (key, Days { lines: lines.len(), days })
    });
    (units.collect(), short)
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    if n == 0 { f64::NAN } else { f64::midpoint(values[(n - 1) / 2], values[n / 2]) }
}

/// The change points. One find among many series needs a smaller p than 999 shuffles can show, so it gets more.
fn points(values: &[f64], query: &Query, family: usize, seed: u64) -> crate::stats::Answer<Vec<ChangePoint>> {
    let search = Search { shuffles: query.replicates.min(999), ..Search::DAILY };
    let points = change_points(values, &search, seed)?;
    let more = ((2.0 * family as f64 / LEVEL) as usize).min(MOST_SHUFFLES);
    if more > search.shuffles && points.iter().any(|p| p.p * (search.shuffles as f64) < FEW_HITS) {
        return change_points(values, &Search { shuffles: more, ..search }, seed);
    }
    Ok(points)
}

fn rows(
    panel: &Panel,
    query: &Query,
    family: usize,
    (series, name): &(Series, String),
    unit: &Days,
) -> Vec<Row> {
    let metric = series.metric;
    let values: Vec<f64> = unit.days.iter().map(|d| d.1).collect();
    let plain = |difference: Answer, finding| Row {
        metric,
        unit: metric.unit.code(),
        load: series.load,
        direction: series.direction,
        statistic: series.statistic,
        method: panel.methods.get(usize::from(series.method)).cloned().unwrap_or_default(),
        name: name.clone(),
        lines: unit.lines,
        days: values.len(),
        since: None,
        lasted_days: None,
        before: Some(middle(values.clone())).filter(|v| v.is_finite()),
        after: None,
        difference,
        p: None,
        q: None,
        margin_absolute: None,
        finding,
        lacks: Vec::new(),
        retest: None,
    };
    let seed =
        seed_of(query.seed, &["change", metric.id(), series.load.word(), series.direction.word(), name]);
    let points = match points(&values, query, family, seed) {
        Ok(points) => points,
        Err(refusal) => return vec![plain(Declined::from(refusal).into(), Finding::CannotTell)],
    };
    if points.is_empty() {
        return vec![plain(Answer::declined(NONE_FOUND), Finding::Steady)];
    }
    let ends: Vec<usize> = points.iter().map(|p| p.index).chain([values.len()]).collect();
    let mut start = 0;
    points
        .iter()
        .zip(&ends[1..])
        .map(|(point, &end)| {
            let (before, after) = (&values[start..point.index], &values[point.index..end]);
            start = point.index;
            let first = unit.days[point.index].0;
            let last = unit.days[end - 1].0;
            let margin = query.margins.get(&metric).copied().unwrap_or(metric.margin);
            let (old, new) = (middle(before.to_vec()), middle(after.to_vec()));
            let mut row = plain(difference(before, after, query, seed), Finding::Watch);
            row.since = Some(date(first));
            row.lasted_days = Some((last - first + 1) as usize);
            (row.before, row.after) = (Some(old), Some(new));
            row.p = Some(point.p);
            row.margin_absolute = Some(verdict_margin(margin, old, new));
            row.retest = retest(before, after, &row, end < values.len());
            row
        })
        .collect()
}

const NONE_FOUND: Phrase = Phrase { en: "no change was found", zh: "未发现变化" };

/// The difference of the medians, with blocks of days resampled on either side (Kunsch, Ann. Stat. 17, 1989).
fn difference(before: &[f64], after: &[f64], query: &Query, seed: u64) -> Answer {
    let observed = middle(after.to_vec()) - middle(before.to_vec());
    let drawn: Vec<f64> = (0..query.replicates as u64)
        .map(|number| {
            let mut stream = Stream::new(seed, Purpose::Bootstrap, number);
            let old = resampled(before, &mut stream);
            resampled(after, &mut stream) - old
        })
        .collect();
    let blocks = [before, after].map(|side| side.len() / block(side.len())).into_iter().min().unwrap_or(0);
    let interval = expanded_level(0.95, blocks.max(2))
        .and_then(|level| percentile(&drawn, level.min(1.0 - 2.5 / drawn.len() as f64)));
    match interval {
        Ok(interval) => Answer::estimate(observed, interval.pair(), (before.len() + after.len()) as u64),
        Err(refusal) => Declined::from(refusal).into(),
    }
}

/// Days in one block: about the cube root.
fn block(days: usize) -> usize {
    ((days as f64).cbrt().round() as usize).clamp(1, days.max(1))
}

fn resampled(days: &[f64], stream: &mut Stream) -> f64 {
    let block = block(days.len());
    let mut drawn = Vec::with_capacity(days.len() + block);
    while drawn.len() < days.len() {
        let start = stream.below(days.len() - block + 1);
        drawn.extend_from_slice(&days[start..start + block]);
    }
    drawn.truncate(days.len());
    middle(drawn)
}

/// How many days would show the change again, and what would have to be seen.
fn retest(before: &[f64], after: &[f64], row: &Row, over: bool) -> Option<Words> {
    let (old, new, margin) = (row.before?, row.after?, row.margin_absolute?);
    if over {
        return None;
    }
    let spread = |side: &[f64]| side.iter().map(|v| (v - middle(side.to_vec())).abs()).collect::<Vec<_>>();
    // The median absolute deviation, on the scale of a standard deviation.
    let sd = 1.482_6 * middle([spread(before), spread(after)].concat());
    let days = n_to_detect(sd.max(1e-9 * new.abs()).max(1e-12), new - old, 0.05, 0.8).ok()?;
    let bound = if new > old { old + margin } else { old - margin };
    let phrase = if new > old {
        Phrase {
            en: "measure {name} by {method} for {days} more days: confirmed if their median stays above {bound} {unit}",
            zh: "用 {method} 再测 {name} {days} 天：若中位数仍高于 {bound} {unit}，则确认",
        }
    } else {
        Phrase {
            en: "measure {name} by {method} for {days} more days: confirmed if their median stays below {bound} {unit}",
            zh: "用 {method} 再测 {name} {days} 天：若中位数仍低于 {bound} {unit}，则确认",
        }
    };
    let days = days.max(7);
    let bound = format!("{bound:.4}");
    Some(Words::with(
        phrase,
        &[
            ("name", &row.name),
            ("method", &row.method.name),
            ("days", &days),
            ("bound", &bound),
            ("unit", &row.unit),
        ],
    ))
}

/// The day as a date; days count from Monday, 5 January 1970.
fn date(day: i32) -> String {
    jiff::civil::Date::constant(1970, 1, 5).saturating_add(jiff::Span::new().days(day)).to_string()
}

/// q-values over all series, those without a change included, and the findings.
fn judge(rows: &mut [Row], query: &Query) {
    let tested = |row: &Row| row.finding != Finding::CannotTell;
    let p: Vec<f64> = rows.iter().filter(|r| tested(r)).map(|r| r.p.unwrap_or(1.0)).collect();
    let mut q = q_values(&p).unwrap_or_default().into_iter();
    for row in rows.iter_mut().filter(|r| tested(r)) {
        row.q = q.next().filter(|_| row.p.is_some());
        if row.finding != Finding::Watch {
            continue;
        }
        let gap = row.after.unwrap_or(0.0) - row.before.unwrap_or(0.0);
        let mut lack = |holds: bool, phrase: Phrase, values: &[(&'static str, &dyn ToString)]| {
            if !holds {
                row.lacks.push(Words::with(phrase, values));
            }
        };
        lack(
            row.q.is_some_and(|q| q <= LEVEL),
            Phrase {
                en: "it may be chance among all series looked at",
                zh: "在所查看的全部序列中可能出于偶然",
            },
            &[],
        );
        let sure = row.difference.as_estimate().is_some_and(|e| e.interval().0 > 0.0 || e.interval().1 < 0.0);
        lack(sure, Phrase { en: "the interval of the difference holds zero", zh: "差值区间包含零" }, &[]);
        lack(
            gap.abs() > row.margin_absolute.unwrap_or(0.0),
            Phrase { en: "it is no larger than the margin", zh: "未超过容差" },
            &[],
        );
        lack(
            row.lasted_days.is_some_and(|d| d >= query.persist_days),
            Phrase { en: "it has not lasted {n} days", zh: "持续不足 {n} 天" },
            &[("n", &query.persist_days)],
        );
        if row.lacks.is_empty() {
            let good = (gap > 0.0) == (row.metric.better == Better::Higher);
            row.finding = if good { Finding::Improvement } else { Finding::Regression };
        }
    }
}

/// The shortest series that is searched, in days.
pub const FEWEST_DAYS: usize = FEWEST_BLOCKS * Search::DAILY.block;

#[cfg(test)]
mod tests;
