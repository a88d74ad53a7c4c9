//! One row per line and week: what the line had, and the four levels it may be judged by.
//!
//! A week begins on Monday. What the line had is the median of the seven days before; the level lived through ends
//! before those days, so that a level never holds what is judged by it; what happened is an episode of network
//! complaints in the seven days after. A line that began an episode shortly before cannot begin another, and is not at
//! risk.
//!
//! The regional level is the median of the other lines in the same region, technology and tier over four weeks, drawn
//! towards the median over all regions by as much as it is uncertain. What is said lies above or below it by the
//! reputation of the month before, because talk of the same month may follow the complaints.

use super::norm::norms;
use super::query::Query;
use crate::stats::expectation::reference::{lived_level, shrink};
use crate::study::experience::{Daily, Risk, median};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Panel, weekday};
use broadgauge_model::place::AccessLine;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Days of a week that must be known.
const FEWEST_OF_WEEK: usize = 3;
/// The days over which the region is looked at.
const REGION_DAYS: i32 = 28;
/// Fewer other lines are no region.
const FEWEST_OTHERS: usize = 5;

/// A factor of an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// What the contract promises.
    Promise,
    /// What the line itself has been used to.
    History,
    /// What others in the region have.
    Region,
    /// What is said of the operator.
    WordOfMouth,
}

impl Factor {
    /// Every factor, in the order of columns.
    pub const ALL: [Self; 4] = [Self::Promise, Self::History, Self::Region, Self::WordOfMouth];

    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Promise => "promise",
            Self::History => "history",
            Self::Region => "region",
            Self::WordOfMouth => "word_of_mouth",
        }
    }
}

/// A line in a week; levels are on the metric's scale, higher is worse.
#[derive(Clone, Debug)]
pub(in crate::study) struct LineWeek {
    /// Index into the panel.
    pub(in crate::study) line: usize,
    /// The Monday.
    pub(in crate::study) day: i32,
    /// What the line had in the seven days before.
    pub(in crate::study) value: f64,
    /// In the order of [`Factor::ALL`]; none where it is not known.
    pub(in crate::study) factors: [Option<f64>; 4],
    /// Whether the first of them is a promise, and not the norm that stands for one.
    pub(in crate::study) promised: bool,
    /// Three quarters of the other lines of the region are worse than this.
    pub(in crate::study) region_good: Option<f64>,
    /// Whether an episode could begin on that Monday, and the seven days from it were lived to their end.
    pub(in crate::study) at_risk: bool,
    /// Whether one did.
    pub(in crate::study) complained: bool,
}

impl LineWeek {
    /// What the contract promises.
    pub(in crate::study) fn promise(&self) -> Option<f64> {
        self.factors[0].filter(|_| self.promised)
    }

    /// The norm, where it stands for a promise.
    pub(in crate::study) fn norm(&self) -> Option<f64> {
        self.factors[0].filter(|_| !self.promised)
    }

    /// The plain mean of the levels that are known; none where none is.
    pub(in crate::study) fn expected(&self) -> Option<f64> {
        let known: Vec<f64> = self.factors.iter().copied().flatten().collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

/// Every line-week of the own operator that is known.
pub(in crate::study) fn line_weeks(
    panel: &Panel,
    daily: &Daily,
    risk: &Risk,
    query: &Query,
) -> Vec<LineWeek> {
    let first = risk.period.clone().find(|d| weekday(*d) == 0).unwrap_or(risk.period.end);
    let mondays: Vec<i32> = (first..risk.period.end).step_by(7).collect();
    let talk = Talk::of(panel, &query.own);
    let by_week = mondays.par_iter().map(|&monday| {
        let region = Regions::of(panel, daily, monday);
        let norm = norms(panel, daily, monday - REGION_DAYS..monday);
        let known = risk.own.iter().filter_map(|&line| {
            let service = &risk.days[line];
            if !service.contains(&monday) {
                return None;
            }
            let recent = daily.between(line, monday - 7, monday);
            if recent.len() < FEWEST_OF_WEEK {
                return None;
            }
            let value = median(recent.iter().map(|d| d.1).collect())?;
            let before: Vec<(f64, f64)> =
                daily.between(line, i32::MIN, monday - 7).iter().map(|d| (f64::from(d.0), d.1)).collect();
            let history = lived_level(&before, query.half_lives, query.history_days).ok();
            let promise = promise(daily.series.metric, &panel.lines[line]).and_then(|p| daily.scale.to(p));
            let around = region.around(line);
            let level = around.map(|a| a.level);
            let spread = region.spread(line);
            let said = talk.standing(&panel.lines[line], monday);
            let word = level.zip(said).zip(spread).map(|((r, z), iqr)| r - query.talk_strength * z * iqr);
            let week = monday..monday + 7;
            let begins = risk.network[line].iter().copied().find(|d| week.contains(d));
            Some(LineWeek {
                line,
                day: monday,
                value,
                factors: [promise.or(norm[line]), history, level, word],
                promised: promise.is_some(),
                region_good: around.map(|a| a.good),
                // A week that is cut short cannot be called quiet.
                at_risk: risk.may_begin(line, monday) && monday + 7 <= service.end,
                complained: begins.is_some(),
            })
        });
        known.collect::<Vec<_>>()
    });
    by_week.collect::<Vec<_>>().concat()
}

/// What the contract promises of a metric, in its unit.
pub(super) fn promise(metric: MetricId, line: &AccessLine) -> Option<f64> {
    let promise = &line.promise;
    let all = [
        (MetricId::DOWNLOAD_GOODPUT, promise.normal_down_mbps.or(promise.promised_down_mbps)),
        (MetricId::UPLOAD_GOODPUT, promise.promised_up_mbps),
        (MetricId::ROUND_TRIP_DELAY, promise.promised_delay_ms),
    ];
    all.into_iter().find(|(of, _)| *of == metric).and_then(|(_, value)| value)
}

#[derive(Clone, Copy, Debug)]
struct Around {
    level: f64,
    good: f64,
}

/// The levels of the lines of each region, each with its line.
type ByRegion<'a> = BTreeMap<&'a str, Vec<(f64, usize)>>;

/// What the lines of each ground had in the four weeks before a day.
struct Regions {
    around: Vec<Option<Around>>,
    /// By line: the tier's number; and by tier the interquartile range of its regions.
    tier: Vec<Option<usize>>,
    spreads: Vec<Option<f64>>,
}

impl Regions {
    fn of(panel: &Panel, daily: &Daily, monday: i32) -> Self {
        let rate = [MetricId::DOWNLOAD_GOODPUT, MetricId::UPLOAD_GOODPUT].contains(&daily.series.metric);
        let mut tiers: BTreeMap<(&str, u64), ByRegion<'_>> = BTreeMap::new();
        for (at, line) in panel.lines.iter().enumerate() {
            let recent = daily.between(at, monday - REGION_DAYS, monday);
            let (Some(level), Some(region)) = (median(recent.iter().map(|d| d.1).collect()), &line.region)
            else {
                continue;
            };
            // A rate is judged beside lines that were sold the same.
            let sold = if rate { line.promise.promised_down_mbps.map_or(0, f64::to_bits) } else { 0 };
            let technology = line.technology.as_deref().unwrap_or("");
            tiers.entry((technology, sold)).or_default().entry(region).or_default().push((level, at));
        }
        let mut out = Self {
            around: vec![None; panel.lines.len()],
            tier: vec![None; panel.lines.len()],
            spreads: Vec::new(),
        };
        for regions in tiers.into_values() {
            out.add(regions);
        }
        out
    }

    fn add(&mut self, regions: ByRegion<'_>) {
        let mut groups: Vec<Vec<(f64, usize)>> = regions.into_values().collect();
        for group in &mut groups {
            group.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        }
        groups.retain(|group| group.len() > FEWEST_OTHERS);
        let middles: Vec<f64> = groups.iter().map(|group| without(group, None, 0.5)).collect();
        let variances: Vec<f64> = groups.iter().map(|group| variance_of_median(group)).collect();
        let shrunk = shrink(&middles, &variances).ok();
        let number = self.spreads.len();
        self.spreads.push(quartiles(middles.clone()));
        for (g, group) in groups.iter().enumerate() {
            for (place, &(_, line)) in group.iter().enumerate() {
                let own = without(group, Some(place), 0.5);
                let level = shrunk.as_ref().map_or(own, |s| s.mean + s.kept[g] * (own - s.mean));
                let good = level + without(group, Some(place), 0.25) - own;
                self.around[line] = Some(Around { level, good });
                self.tier[line] = Some(number);
            }
        }
    }

    fn around(&self, line: usize) -> Option<Around> {
        self.around[line]
    }

    fn spread(&self, line: usize) -> Option<f64> {
        self.spreads[self.tier[line]?]
    }
}

/// A quantile of a sorted group without one of its places.
fn without(group: &[(f64, usize)], place: Option<usize>, q: f64) -> f64 {
    let n = group.len() - usize::from(place.is_some());
    let at = |rank: usize| group[if place.is_some_and(|p| rank >= p) { rank + 1 } else { rank }].0;
    let rank = q * (n - 1) as f64;
    let (low, share) = (rank.floor() as usize, rank.fract());
    at(low) + share * (at((low + 1).min(n - 1)) - at(low))
}

/// That of a median of normal values: pi / 2 times that of the mean.
fn variance_of_median(group: &[(f64, usize)]) -> f64 {
    let n = group.len() as f64;
    let mean = group.iter().map(|g| g.0).sum::<f64>() / n;
    let square = group.iter().map(|g| (g.0 - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (std::f64::consts::FRAC_PI_2 * square / n).max(1e-12)
}

/// The interquartile range; none of fewer than three.
fn quartiles(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let group: Vec<(f64, usize)> = values.into_iter().map(|v| (v, 0)).collect();
    (group.len() >= 3).then(|| without(&group, None, 0.75) - without(&group, None, 0.25))
}

/// What is said of the own operator, in standard deviations, by region and month.
struct Talk(BTreeMap<(String, String), f64>);

impl Talk {
    fn of(panel: &Panel, own: &str) -> Self {
        let mut scores: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
        for said in panel.reputation.iter().filter(|said| said.operator == own) {
            scores.entry((said.region.clone(), said.month.clone())).or_default().push(said.score);
        }
        let means: BTreeMap<_, f64> =
            scores.into_iter().map(|(key, all)| (key, all.iter().sum::<f64>() / all.len() as f64)).collect();
        let n = means.len() as f64;
        let mean = means.values().sum::<f64>() / n;
        let sd = (means.values().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let regions: BTreeSet<&String> = means.keys().map(|(region, _)| region).collect();
        if regions.len() < 3 || !sd.is_finite() || sd <= 0.0 {
            return Self(BTreeMap::new());
        }
        Self(means.into_iter().map(|(key, score)| (key, (score - mean) / sd)).collect())
    }

    /// That of the month before.
    fn standing(&self, line: &AccessLine, day: i32) -> Option<f64> {
        if self.0.is_empty() {
            return None;
        }
        let month = month_before(day)?;
        self.0.get(&(line.region.clone()?, month)).copied()
    }
}

fn month_before(day: i32) -> Option<String> {
    let date = date(day)?.first_of_month().yesterday().ok()?;
    Some(format!("{:04}-{:02}", date.year(), date.month()))
}

/// The month of a day, as `2026-03`.
pub(super) fn month(day: i32) -> Option<String> {
    let date = date(day)?;
    Some(format!("{:04}-{:02}", date.year(), date.month()))
}

/// The calendar day.
pub(in crate::study) fn date(day: i32) -> Option<jiff::civil::Date> {
    jiff::civil::Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_not_its_own_region() {
        let group = [(1.0, 0), (2.0, 1), (3.0, 2), (10.0, 3)];
        assert_eq!(without(&group, None, 0.5), 2.5);
        assert_eq!(without(&group, Some(3), 0.5), 2.0);
        assert_eq!(without(&group, Some(0), 0.5), 3.0);
        assert_eq!(without(&group, Some(0), 0.0), 2.0);
        assert_eq!(quartiles(vec![3.0, 1.0, 2.0]), Some(1.0));
        assert_eq!(quartiles(vec![3.0, 1.0]), None);
    }

    #[test]
    fn talk_is_that_of_the_month_before() {
        // 2026-03-02 is day 20,514.
        assert_eq!(month(20_514).as_deref(), Some("2026-03"));
        assert_eq!(month_before(20_514).as_deref(), Some("2026-02"));
        assert_eq!(month_before(20_454).as_deref(), Some("2025-12"));
    }
}
