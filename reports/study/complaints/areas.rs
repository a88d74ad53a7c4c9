//! Was an area worse than itself before people there complained? For complaints that name an area and no line.
//!
//! A day of an area, by the lines measured there, each less its own mean. The day of a complaint is set against the
//! other days of the same weekday in the same 28 days of that area: each complaint is a matched set of those days, which
//! is the conditional Poisson regression of daily counts (Armstrong, Gasparrini and Tobias, BMC Med. Res. Methodol. 14,
//! 2014). Complaints of one area and block go together, so errors are clustered by them, which also takes counts that
//! vary more than chance. The same two negative controls stand beside it.
//!
//! What holds for areas need not hold for lines: the customers who complained may not be those who were served worst.

use super::bands::window_label;
use super::crossover::{increment, judged};
use super::daily::Daily;
use super::episodes::{AreaComplaint, AtRisk};
use super::exposure::{Hour, Observed};
use super::query::Query;
use super::row::{AreaCrossover, Control};
use crate::stats::clogit::{Errors, MatchedSets};
use crate::study::{Answer, Declined, Note, Words};
use broadgauge_model::complaint::Class;
use broadgauge_model::text::Phrase;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Days of a block.
const BLOCK: i32 = 28;
/// Fewer groups than this are too few for clustered errors.
const SOME_CLUSTERS: usize = 20;
/// A day of an area with fewer measured lines is unknown.
const FEWEST_LINES: usize = 3;

/// What an area saw, by area and day of the period; unknown where too few lines were measured.
struct AreaDays(BTreeMap<u32, Vec<Option<f64>>>);

impl AreaDays {
    fn of(observed: &Observed, risk: &AtRisk, areas: &BTreeSet<u32>, window: &Range<Hour>) -> Self {
        let asked = |at: usize| risk.lines[at].area.is_some_and(|area| areas.contains(&area));
        let daily = Daily::of(observed, risk, window, asked);
        let each = areas.iter().map(|&area| {
            let lines = (0..risk.lines.len()).filter(|at| risk.lines[*at].area == Some(area));
            let known = |(value, n): (f64, usize)| (n >= FEWEST_LINES).then_some(value);
            (area, daily.mean(lines).into_iter().map(known).collect())
        });
        Self(each.collect())
    }

    fn at(&self, area: u32, day: i32, first_day: i32) -> Option<f64> {
        *self.0.get(&area)?.get(usize::try_from(day - first_day).ok()?)?
    }
}

/// All comparisons of one exposure, without q; none where no complaint names an area alone.
pub(super) fn areas(observed: &Observed, risk: &AtRisk, query: &Query) -> Vec<AreaCrossover> {
    let complaints = |class| risk.of_areas.get(&class).map_or(&[][..], Vec::as_slice);
    if complaints(Class::Network).len() < query.minimum_episodes {
        return Vec::new();
    }
    let areas: BTreeSet<u32> =
        [Class::Network, Class::Billing].into_iter().flat_map(complaints).map(|c| c.area).collect();
    let (gap, after) = (i64::from(query.gap_hours), i64::from(query.future_gap_hours));
    let past: Vec<AreaDays> = query
        .windows_hours
        .iter()
        .map(|&h| AreaDays::of(observed, risk, &areas, &(-gap - i64::from(h)..-gap)))
        .collect();
    let future = query.windows_hours.iter().map(|&h| {
        let start = 24 + after;
        AreaDays::of(observed, risk, &areas, &(start..start + i64::from(h)))
    });
    let mut rows = Vec::new();
    for (class, control) in [(Class::Network, None), (Class::Billing, Some(Control::Billing))] {
        for (days, &hours) in past.iter().zip(&query.windows_hours) {
            rows.push(row(observed, risk, query, complaints(class), (class, control, hours), &[days]));
        }
    }
    for (days, &hours) in future.zip(&query.windows_hours) {
        // A bad spell that outlasts the complaint is still a bad spell: past windows stand beside the future one.
        let covariates: Vec<&AreaDays> = std::iter::once(&days).chain(&past).collect();
        let kind = (Class::Network, Some(Control::Future), hours);
        rows.push(row(observed, risk, query, complaints(Class::Network), kind, &covariates));
    }
    rows
}

fn row(
    observed: &Observed,
    risk: &AtRisk,
    query: &Query,
    complaints: &[AreaComplaint],
    (class, control, hours): (Class, Option<Control>, u32),
    covariates: &[&AreaDays],
) -> AreaCrossover {
    let first = risk.first_day;
    let at = |area: u32, day: i32| -> Option<Vec<f64>> {
        covariates.iter().map(|days| days.at(area, day, first)).collect()
    };
    let mut used = Vec::new();
    let (mut unmeasured, mut alone) = (0, 0);
    for complaint in complaints {
        let Some(case) = at(complaint.area, complaint.day) else {
            unmeasured += 1;
            continue;
        };
        let number = (complaint.day - first).div_euclid(BLOCK);
        let block = first + number * BLOCK;
        let referents: Vec<Vec<f64>> = (block..block + BLOCK)
            .filter(|day| *day != complaint.day && (day - complaint.day) % 7 == 0)
            .filter_map(|day| at(complaint.area, day))
            .collect();
        if referents.is_empty() {
            alone += 1;
            continue;
        }
        let cluster = u64::from(complaint.area) << 32 | number as u64;
        used.push((complaint.area, cluster, case, referents));
    }
    let lines_of = |area: u32| risk.lines.iter().filter(|l| l.area == Some(area)).count();
    let areas: BTreeSet<u32> = used.iter().map(|u| u.0).collect();
    let clusters: BTreeSet<u64> = used.iter().map(|u| u.1).collect();
    let (increment, per) = increment(observed.exposure.metric);
    let (rate_ratio, p) = match fitted(&used, covariates.len(), clusters.len(), increment, query) {
        Ok(found) => found,
        Err(declined) => (declined.into(), None),
    };
    let mut dropped = Vec::new();
    let mut say = |en, zh, count| Note::push(&mut dropped, Words::plain(Phrase { en, zh }), count);
    say("too few lines of the area were measured in the window", "窗口内该地区有测量的线路太少", unmeasured);
    say(
        "no other day of the same weekday and block was measured",
        "同一时段内没有其他同星期的日子有测量",
        alone,
    );
    AreaCrossover {
        exposure: observed.exposure.clone(),
        window: window_label(hours),
        per,
        increment,
        class,
        control,
        complaints: used.len() as u64,
        areas: areas.len(),
        fewest_lines: areas.into_iter().map(lines_of).min().unwrap_or(0),
        clusters: clusters.len() as u64,
        dropped,
        rate_ratio,
        p,
        q: None,
    }
}

type Used = (u32, u64, Vec<f64>, Vec<Vec<f64>>);

fn fitted(
    used: &[Used],
    width: usize,
    clusters: usize,
    increment: f64,
    query: &Query,
) -> Result<(Answer, Option<f64>), Declined> {
    let informative = used.iter().filter(|u| u.3.iter().any(|r| r[0] != u.2[0])).count();
    let wanting = |en, zh, have: usize, need: usize| {
        Declined::because(Words::with(Phrase { en, zh }, &[("have", &have), ("need", &need)]))
    };
    if informative < query.minimum_episodes {
        let (en, zh) = (
            "{have} complaints of areas with a measured window and days that differ, and at least {need} are needed",
            "有测量且与对照日有差异的地区投诉只有 {have} 件，至少需要 {need} 件",
        );
        return Err(wanting(en, zh, informative, query.minimum_episodes));
    }
    if clusters < SOME_CLUSTERS {
        let (en, zh) = (
            "the complaints fall into {have} independent groups (areas and four weeks), and at least {need} are needed",
            "投诉只构成 {have} 个独立组（地区与四周时段），至少需要 {need} 个",
        );
        return Err(wanting(en, zh, clusters, SOME_CLUSTERS));
    }
    let mut sets = MatchedSets::new(width)?;
    for (_, cluster, case, referents) in used {
        sets.push(*cluster, case, referents)?;
    }
    let ratio = sets.fit()?.ratio(0, increment, Errors::Clustered, 0.95)?;
    Ok(judged(&ratio, informative))
}
