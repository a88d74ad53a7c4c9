//! By region: complaints beside what is foretold, in a funnel, and what the lines had.

use super::features::{Features, Snapshot};
use super::query::Query;
use super::row::{Funnel, FunnelPoint, Region, RegionWeek, Silent};
use crate::stats::glm::Fit;
use crate::stats::shrunken::{Shrunken, shrink_rates};
use crate::stats::{Answer as Stat, poisson};
use crate::study::expectation::date;
use crate::study::experience::{Risk, Scale, median};
use crate::study::{Answer, Declined};
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use std::collections::{BTreeMap, BTreeSet};

/// Fewer lines are no region to speak of: their people could be told.
const FEWEST_LINES: usize = 10;
/// Points of the funnel's curves.
const POINTS: usize = 40;

/// Not made yet.
pub(super) const fn no_funnel() -> Funnel {
    Funnel { centre: None, spread_between: None, curve: Vec::new(), declined: None }
}

#[derive(Default)]
struct Sums {
    lines: usize,
    predicted: f64,
    episodes: u64,
    silent: usize,
}

/// Every region, and the funnel of those that are large enough.
#[expect(clippy::too_many_arguments, reason = "all that the list is made of, once")]
pub(super) fn fill(
    out: &mut Silent,
    panel: &Panel,
    features: &Features,
    now: &[&Snapshot],
    silent: &[(f64, &Snapshot)],
    fitted: &Fit,
    risk: &Risk,
    query: &Query,
) -> Stat<()> {
    let mut groups: BTreeMap<&str, Sums> = BTreeMap::new();
    let region = |line: usize| panel.lines[line].region.as_deref();
    for snapshot in now {
        let Some(name) = region(snapshot.line) else { continue };
        let entry = groups.entry(name).or_default();
        entry.lines += 1;
        // The risk was learnt from lines on which an episode could begin; on the others none can.
        if snapshot.at_risk {
            entry.predicted += fitted.mean(&snapshot.values)?;
        }
        let before = snapshot.day - query.horizon_days..snapshot.day;
        entry.episodes += risk.episodes(snapshot.line, &before) as u64;
    }
    for (_, snapshot) in silent {
        if let Some(entry) = region(snapshot.line).and_then(|name| groups.get_mut(name)) {
            entry.silent += 1;
        }
    }
    let counts: Vec<(u64, f64)> = groups
        .values()
        .filter(|sums| sums.lines >= FEWEST_LINES)
        .map(|sums| (sums.episodes, sums.lines as f64 / 100.0))
        .collect();
    let shrunken = shrink_rates(&counts, 0.95);
    let mut courses = courses(panel, features);
    let mut drawn = shrunken.iter().flat_map(|found| &found.rates);
    let small = Phrase {
        en: "fewer than ten lines: their customers could be told",
        zh: "不足十条线路：可能识别出用户",
    };
    for (name, sums) in groups {
        let hundreds = sums.lines as f64 / 100.0;
        let rate = poisson::rate(sums.episodes, hundreds, 0.95)?;
        let large = sums.lines >= FEWEST_LINES;
        let drawn_per_100_lines = match &shrunken {
            _ if !large => Answer::declined(small),
            Err(refusal) => Declined::from(refusal.clone()).into(),
            Ok(_) => match drawn.next() {
                Some((value, interval)) => Answer::estimate(*value, interval.pair(), sums.episodes),
                None => Answer::declined(small),
            },
        };
        let limits = |level: f64| {
            let found = shrunken.as_ref().ok().filter(|_| large)?;
            Some(found.limits(hundreds, level).ok()?.pair())
        };
        out.regions.push(Region {
            region: name.to_owned(),
            lines: sums.lines,
            predicted: sums.predicted,
            complaints_per_100_lines: Answer::estimate(rate.rate, rate.interval.pair(), sums.episodes),
            predicted_per_100_lines: sums.predicted / hundreds,
            silent: sums.silent,
            drawn_per_100_lines,
            limits_95: limits(0.95),
            limits_998: limits(0.998),
            course: courses.remove(name).unwrap_or_default(),
        });
    }
    out.funnel = match shrunken {
        Ok(found) => funnel(&found, &counts),
        Err(refusal) => Funnel { declined: Some(refusal.into()), ..no_funnel() },
    };
    Ok(())
}

fn funnel(found: &Shrunken, counts: &[(u64, f64)]) -> Funnel {
    let lines = || counts.iter().map(|(_, hundreds)| 100.0 * hundreds);
    let (low, high) = (0.8 * lines().fold(f64::INFINITY, f64::min), 1.1 * lines().fold(0.0, f64::max));
    let point = |i: usize| {
        // Finer where the funnel is narrow in lines and wide in rates.
        let lines = low * (high / low).powf(i as f64 / (POINTS - 1) as f64);
        let limits = |level: f64| Some(found.limits(lines / 100.0, level).ok()?.pair());
        Some(FunnelPoint { lines, limits_95: limits(0.95)?, limits_998: limits(0.998)? })
    };
    Funnel {
        centre: Some(found.mean),
        spread_between: Some(found.variance.sqrt()),
        curve: (0..POINTS).filter_map(point).collect(),
        declined: None,
    }
}

/// What the lines of each region had, week by week; every week that any region knows stands in each.
fn courses<'a>(panel: &'a Panel, features: &Features) -> BTreeMap<&'a str, Vec<RegionWeek>> {
    let Some(metric) = features.metric else { return BTreeMap::new() };
    let scale = Scale::of(metric);
    let mut weeks: BTreeMap<(&str, i32), Vec<f64>> = BTreeMap::new();
    for &(line, day, level) in &features.had {
        if let Some(region) = panel.lines[line].region.as_deref() {
            weeks.entry((region, day)).or_default().push(level);
        }
    }
    let days: BTreeSet<i32> = weeks.keys().map(|(_, day)| *day).collect();
    let regions: BTreeSet<&str> = weeks.keys().map(|(region, _)| *region).collect();
    let course = |region: &'a str| {
        let week = |day: &i32| {
            let levels = weeks.get(&(region, *day)).cloned().unwrap_or_default();
            let lines = levels.len();
            let value = median(levels).filter(|_| lines >= FEWEST_LINES).map(|level| scale.back(level));
            RegionWeek { week: date(*day).map_or_else(String::new, |date| date.to_string()), lines, value }
        };
        (region, days.iter().map(week).collect())
    };
    regions.into_iter().map(course).collect()
}
