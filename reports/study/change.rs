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

mod days;
mod query;

pub use query::{Query, Unit};

use super::answer::Words;
use super::peers::verdict_margin;
use super::seed::seed_of;
use super::series::Manner;
use super::{Answer, Declined, Head, Method, Note};
use crate::stats::bootstrap::{expanded_level, percentile};
use crate::stats::change::{ChangePoint, FEWEST_BLOCKS, Search, change_points};
use crate::stats::multiple::q_values;
use crate::stats::welch::n_to_detect;
use crate::stats::{Purpose, Stream};
use broadgauge_model::metric::{Better, MetricId};
use broadgauge_model::panel::{MethodUse, Panel};
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::text::Phrase;
use days::{Days, middle};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 2;
/// The level of the report.
const LEVEL: f64 = 0.05;
/// Shuffles beyond this many are not made, whatever the size of the family.
const MOST_SHUFFLES: usize = 20_000;
/// A change reached by fewer shuffles than this gets more of them.
const FEW_HITS: f64 = 10.0;

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
    /// The first of them.
    pub first_day: Option<String>,
    /// The last of them.
    pub last_day: Option<String>,
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

/// Looks for changes.
pub fn study(panel: &Panel, query: &Query) -> Changes {
    let mut head = head(panel, query);
    let units = days::units(panel, query);
    let note = |en, zh| Words::plain(Phrase { en, zh });
    Note::push(&mut head.notes, note("summaries without a date", "没有日期的汇总值"), units.undated);
    Note::push(
        &mut head.notes,
        Words::with(
            Phrase { en: "hours of lines without {unit}", zh: "没有 {unit} 字段的线路小时数" },
            &[("unit", &query.unit.word())],
        ),
        units.nameless,
    );
    Note::push(
        &mut head.notes,
        note("lines observed in fewer than three weeks of the same hours", "同一时段观测不足三周的线路"),
        units.short,
    );
    for (&day, &lines) in &units.cuts {
        let phrase = Phrase {
            en: "lines tested at other hours of the week from {day} on, as when clocks change and tests do not: a change on that day cannot be told, and the time before and after it is looked at apart",
            zh: "自 {day} 起改在一周中其他钟点测试的线路（例如时钟调整而测试时刻未变）：无法判断当日的变化，其前后分别分析",
        };
        Note::push(&mut head.notes, Words::with(phrase, &[("day", &date(day))]), lines);
    }
    let family = &units.stretches;
    let mut rows: Vec<Row> =
        family.iter().flat_map(|(key, unit)| rows(panel, query, family.len(), key, unit)).collect();
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
    (series, name): &(Manner, String),
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
        method: panel.method(series.method),
        name: name.clone(),
        lines: unit.lines,
        days: values.len(),
        first_day: unit.days.first().map(|d| date(d.0)),
        last_day: unit.days.last().map(|d| date(d.0)),
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
