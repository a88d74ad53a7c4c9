//! Does a kind of action help? All its units together, each with its own units left alone.

use super::placebo::placebo;
use super::query::Query;
use super::row::{CourseWeek, KindRow, Placebo};
use super::series;
use super::units::{Course, UnitId, Windows, unit_of};
use crate::stats::did::{History, Picked, Unit, difference_given_before, event_study};
use crate::stats::multiple::q_values;
use crate::study::seed::seed_of;
use crate::study::{Answer, Declined};
use broadgauge_model::panel::{Panel, PanelAction};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Weeks before and after an action in its course.
const WEEKS: usize = 4;

/// Every kind of action on a metric that was measured.
pub(super) fn kinds(
    panel: &Panel,
    courses: &BTreeMap<&'static str, Course<'_>>,
    period: &Range<i32>,
    query: &Query,
) -> Vec<KindRow> {
    let mut groups: BTreeMap<(&str, &'static str), Vec<&PanelAction>> = BTreeMap::new();
    for action in &panel.actions {
        if let Some(metric) = action.action.metric
            && courses.contains_key(metric.id())
        {
            groups.entry((&action.action.kind, metric.id())).or_default().push(action);
        }
    }
    let mut rows: Vec<KindRow> = groups
        .into_iter()
        .map(|((kind, metric), all)| row(kind, &courses[metric], &all, period, query))
        .collect();
    let p: Vec<f64> = rows.iter().filter_map(|row| row.p).collect();
    let mut q = q_values(&p).unwrap_or_default().into_iter();
    for row in rows.iter_mut().filter(|row| row.p.is_some()) {
        row.q = q.next();
        let better = row.change.as_estimate().map(|e| e.interval().1 < 0.0);
        let went_alike = row.leads_p.is_some_and(|p| p >= 0.05);
        row.helps = better.map(|better| better && row.q.is_some_and(|q| q < 0.05) && went_alike);
    }
    rows
}

fn row(
    kind: &str,
    course: &Course<'_>,
    actions: &[&PanelAction],
    period: &Range<i32>,
    query: &Query,
) -> KindRow {
    let metric = course.daily.series.metric;
    let costs: Vec<f64> = actions.iter().filter_map(|a| a.action.cost).collect();
    let mut out = KindRow {
        kind: kind.to_owned(),
        metric,
        unit: metric.unit.code(),
        actions: actions.len(),
        treated: 0,
        controls: 0,
        change: Declined::from(crate::stats::Refusal::NoEvents { what: "units to compare" }).into(),
        p: None,
        q: None,
        leads_p: None,
        helps: None,
        course: Vec::new(),
        series: Vec::new(),
        jump: Declined::from(crate::stats::Refusal::NoEvents { what: "units to compare" }).into(),
        turn: Declined::from(crate::stats::Refusal::NoEvents { what: "units to compare" }).into(),
        placebo: Placebo { changes: Vec::new(), as_good: None, p: None, declined: None },
        cost: (!costs.is_empty()).then(|| costs.iter().sum()),
    };
    let pairs = matched(course, actions, period, query);
    let mut units = Vec::new();
    let mut histories = Vec::new();
    for (unit, windows, others) in &pairs {
        let ends =
            |unit: &UnitId| Some((course.mean(unit, &windows.before)?, course.mean(unit, &windows.after)?));
        for (treated, unit) in std::iter::once((true, unit)).chain(others.iter().map(|o| (false, *o))) {
            let Some((before, after)) = ends(unit) else { continue };
            units.push(Unit { treated, before, after });
            if let Some(values) = weekly(course, unit, windows) {
                histories.push(History { values, treated_from: treated.then_some(WEEKS) });
            }
        }
    }
    out.treated = units.iter().filter(|unit| unit.treated).count();
    out.controls = units.len() - out.treated;
    let share = |distance: f64| course.daily.scale.share_worse(distance);
    let told = |effect: f64, interval: crate::stats::Interval, n: usize| {
        Answer::estimate(share(effect), (share(interval.low), share(interval.high)), n as u64)
    };
    let found = difference_given_before(&units, Picked::SameRule, 0.95);
    match &found {
        Ok(found) => {
            out.change = told(found.effect, found.interval, units.len());
            out.p = Some(found.p);
            let treated: Vec<(&UnitId, &Windows)> = pairs.iter().map(|(u, w, _)| (u, w)).collect();
            let seed = seed_of(query.seed, &["placebo dates", kind, metric.id()]);
            out.placebo = chance(placebo(course, &treated, period, query, seed), found.effect, share);
        }
        Err(refusal) => {
            let declined = Declined::from(refusal.clone());
            out.placebo.declined = Some(declined.clone());
            out.change = declined.into();
        }
    }
    series::fill(&mut out, course, &pairs, WEEKS as i32);
    let seed = seed_of(query.seed, &["course", kind, metric.id()]);
    let spans = (WEEKS - 2, WEEKS - 1);
    if let Ok(found) = event_study(&histories, spans, Picked::SameRule, query.replicates, seed, 0.95) {
        out.leads_p = found.leads_p;
        out.course = found
            .periods
            .iter()
            .map(|p| CourseWeek { since: p.since, change: told(p.effect, p.interval, p.treated) })
            .collect();
    }
    out
}

/// Where the real change lies among those of placebo dates.
fn chance(found: Result<Vec<f64>, Declined>, real: f64, share: impl Fn(f64) -> f64) -> Placebo {
    match found {
        Ok(changes) => {
            let as_good = changes.partition_point(|change| *change <= real);
            let p = (as_good + 1) as f64 / (changes.len() + 1) as f64;
            let changes = changes.into_iter().map(|change| (1e7 * share(change)).round() / 1e7).collect();
            Placebo { changes, as_good: Some(as_good), p: Some(p), declined: None }
        }
        Err(declined) => Placebo { changes: Vec::new(), as_good: None, p: None, declined: Some(declined) },
    }
}

/// Each treated unit with its windows and the nearest units as bad that were left alone, none of them used twice: of several
/// actions on one unit, the first.
fn matched<'a>(
    course: &Course<'a>,
    actions: &[&PanelAction],
    period: &Range<i32>,
    query: &Query,
) -> Vec<(UnitId, Windows, Vec<&'a UnitId>)> {
    let mut taken: BTreeSet<&UnitId> = BTreeSet::new();
    let mut pairs = Vec::new();
    let mut open: Vec<(UnitId, Windows, Vec<&'a UnitId>)> = actions
        .iter()
        .filter_map(|action| {
            let (unit, windows) = (unit_of(action)?, Windows::of(action, period, query)?);
            let others = course.as_bad(&unit, &windows).into_iter().map(|(other, _)| other).collect();
            Some((unit, windows, others))
        })
        .collect();
    open.sort_by(|a, b| (&a.0, a.1.before.end).cmp(&(&b.0, b.1.before.end)));
    open.dedup_by(|later, first| later.0 == first.0);
    // Who has fewest to choose from chooses first.
    open.sort_by(|a, b| (a.2.len(), &a.0).cmp(&(b.2.len(), &b.0)));
    for (unit, windows, others) in open {
        let mut own = Vec::new();
        for other in others {
            if own.len() < query.matched && taken.insert(other) {
                own.push(other);
            }
        }
        if !own.is_empty() {
            pairs.push((unit, windows, own));
        }
    }
    pairs
}

/// Weekly means: the weeks before the action, then those after it.
fn weekly(course: &Course<'_>, unit: &UnitId, windows: &Windows) -> Option<Vec<f64>> {
    let weeks = WEEKS as i32;
    let before = (-weeks..0).map(|week| windows.before.end + 7 * week);
    let after = (0..weeks).map(|week| windows.after.start + 7 * week);
    before.chain(after).map(|day| course.mean(unit, &(day..day + 7))).collect()
}
