//! Who suffers in silence?
//!
//! A penalised logistic regression tells the risk of a network complaint within four weeks from what is known of a line
//! until then: how far short of its expectation it is, how much worse than its region, how many of its days were worse
//! than usual, and whether its customer complained about other things before. How good the risk is, is told on lines and
//! weeks that it was not made from: one half of the lines, before a day, makes it; the other half, on that day, judges it.
//! A line is silent where no complaint came for ninety days and it has less than it expects. A share of the list is left
//! alone on purpose, or nobody will ever know what calling brought.
//!
//! Columns that come of complaints (tickets, visits, credits) are refused by their names, and any column that alone
//! ranks the outcomes without error is refused too, as is one that does so among the lines that had not complained before,
//! where a mark made after a complaint is nearly the outcome. No complaint is not satisfaction: whoever never complains, whatever
//! happens, looks calm to this study.

mod features;
pub mod query;
mod regions;
pub mod row;

pub use query::{Extra, Query};
pub use row::{
    FeatureRow, Funnel, FunnelPoint, Judged, Listed, Refused, Region, RegionWeek, SegmentJudged, Silent,
};

use super::expectation::date;
use super::experience::Risk;
use super::seed::seed_of;
use super::{Answer, Declined, Head, Method, Note, Words};
use crate::stats::glm::{Errors, Family, Fit, Glm};
use crate::stats::{Answer as Stat, Purpose, Refusal, Stream, classifier, proportion};
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use features::{Features, Snapshot};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 2;
/// The penalty, per squared standard deviation.
const RIDGE: f64 = 1.0;
/// The least share that is left alone.
const LEAST_CONTROL: f64 = 0.1;
/// Reasons told of a line.
const MOST_REASONS: usize = 3;

/// Tells who may be next.
pub fn study(panel: &Panel, query: &Query) -> Silent {
    let mut head = head(panel, query);
    let risk = Risk::of(panel, &query.own, query.expectation.repeat_days, &mut head.notes);
    let mut features = Features::of(panel, &risk, query, &mut head.notes);
    let horizon = query.horizon_days;
    let came = |s: &Snapshot| risk.episodes(s.line, &(s.day..s.day + horizon)) > 0;
    let known = |s: &Snapshot| s.at_risk && s.day + horizon <= risk.period.end;
    let days: BTreeSet<i32> = features.snapshots.iter().filter(|s| known(s)).map(|s| s.day).collect();
    features.without_constants(known);
    features.without_leaks(known, &came);
    let unheard = |s: &Snapshot| risk.episodes(s.line, &(risk.period.start..s.day)) == 0;
    features.without_leaks(|s| known(s) && days.last() == Some(&s.day) && unheard(s), &came);
    let mut out = Silent {
        head,
        features: Vec::new(),
        refused: features.refused.clone(),
        judged: None,
        list: Vec::new(),
        lines: 0,
        silent: 0,
        as_of: None,
        regions: Vec::new(),
        funnel: regions::no_funnel(),
        metric: features.metric,
        declined: None,
    };
    if query.control_share < LEAST_CONTROL {
        let phrase = Phrase {
            en: "a tenth of the list or more must be left alone, or the effect of calling cannot be told",
            zh: "名单至少一成须不联系，否则无法判断联系的效果",
        };
        out.declined = Some(Declined::because(Words::plain(phrase)));
        return out;
    }
    match judged(panel, &features, &risk, &days, query) {
        Ok(judged) => out.judged = Some(judged),
        Err(refusal) => {
            out.declined = Some(refusal.into());
            return out;
        }
    }
    if let Err(refusal) = list(panel, &features, &risk, query, &mut out) {
        out.declined = Some(refusal.into());
    }
    out
}

/// Which half a line belongs to.
fn makes(panel: &Panel, line: usize, seed: u64) -> bool {
    let hash = seed_of(seed, &["half", &panel.lines[line].line_id]);
    (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd) >> 63 == 0
}

fn fit(features: &Features, chosen: &[&Snapshot], came: &dyn Fn(&Snapshot) -> bool) -> Stat<Fit> {
    let outcome: Vec<f64> = chosen.iter().map(|s| f64::from(u8::from(came(s)))).collect();
    let events = outcome.iter().filter(|y| **y > 0.0).count();
    if events < 20 {
        return Err(Refusal::TooFew { what: "complaints to learn from", have: events, need: 20 });
    }
    let clusters: Vec<u64> = chosen.iter().map(|s| s.line as u64).collect();
    let rows = features.rows(chosen)?;
    Glm::new(Family::Bernoulli, &rows, &outcome).clusters(&clusters).ridge(RIDGE).fit()
}

fn judged(
    panel: &Panel,
    features: &Features,
    risk: &Risk,
    days: &BTreeSet<i32>,
    query: &Query,
) -> Stat<Judged> {
    let horizon = query.horizon_days;
    let came = |s: &Snapshot| risk.episodes(s.line, &(s.day..s.day + horizon)) > 0;
    let last = days.last().copied().ok_or(Refusal::TooFew { what: "weeks of history", have: 0, need: 1 })?;
    let at_risk = || features.snapshots.iter().filter(|s| s.at_risk);
    let before: Vec<&Snapshot> =
        at_risk().filter(|s| s.day + horizon <= last && makes(panel, s.line, query.seed)).collect();
    if before.is_empty() {
        return Err(Refusal::TooFew { what: "weeks before the last four that are known", have: 0, need: 1 });
    }
    let fitted = fit(features, &before, &came)?;
    let after: Vec<&Snapshot> =
        at_risk().filter(|s| s.day == last && !makes(panel, s.line, query.seed)).collect();
    let scores: Vec<f64> = after.iter().map(|s| fitted.mean(&s.values)).collect::<Stat<_>>()?;
    let happened: Vec<bool> = after.iter().map(|s| came(s)).collect();
    let complained = happened.iter().filter(|y| **y).count();
    if complained < 10 {
        return Err(Refusal::TooFew { what: "complaints to judge by", have: complained, need: 10 });
    }
    let share = after.len() as f64 / features.snapshots.iter().filter(|s| s.day == last).count() as f64;
    let capacity = ((query.capacity as f64 * share).round() as usize).clamp(1, after.len());
    let at = classifier::at_capacity(&scores, &happened, capacity)?;
    let rule: Vec<f64> = after.iter().map(|s| s.rule).collect();
    let precision = classifier::average_precision(&scores, &happened)?;
    let seed = seed_of(query.seed, &["average precision"]);
    let told = |result: Stat<(f64, (f64, f64))>| match result {
        Ok((value, interval)) => Answer::estimate(value, interval, after.len() as u64),
        Err(refusal) => Declined::from(refusal).into(),
    };
    let interval = classifier::average_precision_interval(&scores, &happened, query.replicates, seed, 0.95);
    let calibration = classifier::calibration(&scores, &happened, 0.95);
    let hits = (at.precision * capacity as f64).round() as u64;
    Ok(Judged {
        day: date(last).map_or_else(String::new, |date| date.to_string()),
        lines: after.len(),
        complained,
        average_precision: told(interval.map(|i| (precision, i.pair()))),
        capacity,
        precision: told(
            proportion::wilson(hits, capacity as u64, 0.95)
                .map(|i| (at.precision, (i.low.min(at.precision), i.high.max(at.precision)))),
        ),
        recall: Some(at.recall),
        lift: Some(at.lift),
        lift_of_rule: classifier::at_capacity(&rule, &happened, capacity).ok().map(|at| at.lift),
        brier: classifier::brier(&scores, &happened).ok(),
        calibration_slope: told(calibration.clone().map(|c| (c.slope.value, c.slope.interval.pair()))),
        calibration_intercept: told(calibration.map(|c| (c.intercept.value, c.intercept.interval.pair()))),
        segments: segments(panel, &after, &scores, &happened),
    })
}

fn segments(panel: &Panel, after: &[&Snapshot], scores: &[f64], happened: &[bool]) -> Vec<SegmentJudged> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, snapshot) in after.iter().enumerate() {
        let line = &panel.lines[snapshot.line];
        let segment = line.segment.as_deref().or(line.technology.as_deref()).unwrap_or("");
        groups.entry(segment).or_default().push(i);
    }
    let one = |(segment, rows): (&str, Vec<usize>)| {
        let n = rows.len() as u64;
        let events = rows.iter().filter(|&&i| happened[i]).count() as u64;
        let came = match proportion::wilson(events, n, 0.95) {
            Ok(interval) => Answer::estimate(events as f64 / n as f64, interval.pair(), n),
            Err(refusal) => Declined::from(refusal).into(),
        };
        let told = rows.iter().map(|&i| scores[i]).sum::<f64>() / n as f64;
        SegmentJudged { segment: segment.to_owned(), lines: rows.len(), told, came }
    };
    groups.into_iter().map(one).collect()
}

/// The risk of all, from all that is known, and who of the silent comes first.
fn list(panel: &Panel, features: &Features, risk: &Risk, query: &Query, out: &mut Silent) -> Stat<()> {
    let horizon = query.horizon_days;
    let came = |s: &Snapshot| risk.episodes(s.line, &(s.day..s.day + horizon)) > 0;
    let all: Vec<&Snapshot> =
        features.snapshots.iter().filter(|s| s.at_risk && s.day + horizon <= risk.period.end).collect();
    let fitted = fit(features, &all, &came)?;
    let (means, spreads) = moments(&all, features.columns.len());
    for (k, column) in features.columns.iter().enumerate() {
        let odds_ratio_per_sd = match fitted.coefficient(k + 1, Errors::Clustered, 0.95) {
            Ok(b) => {
                let per = |b: f64| (b * spreads[k]).exp();
                Answer::estimate(per(b.value), (per(b.interval.low), per(b.interval.high)), all.len() as u64)
            }
            Err(refusal) => Declined::from(refusal).into(),
        };
        out.features.push(FeatureRow { feature: column.name(), odds_ratio_per_sd });
    }
    let Some(today) = features.snapshots.iter().map(|s| s.day).max() else { return Ok(()) };
    out.as_of = date(today).map(|date| date.to_string());
    let now: Vec<&Snapshot> = features.snapshots.iter().filter(|s| s.day == today).collect();
    let tomorrow = today + 1;
    let quiet =
        |s: &&&Snapshot| s.short && risk.complaints(s.line, &(today - query.quiet_days..tomorrow)) == 0;
    out.lines = now.len();
    let mut silent: Vec<(f64, &Snapshot)> = Vec::new();
    for snapshot in now.iter().filter(quiet) {
        silent.push((fitted.mean(&snapshot.values)?, snapshot));
    }
    out.silent = silent.len();
    regions::fill(out, panel, features, &now, &silent, &fitted, risk, query)?;
    silent.sort_by(|a, b| {
        b.0.total_cmp(&a.0).then(panel.lines[a.1.line].line_id.cmp(&panel.lines[b.1.line].line_id))
    });
    silent.truncate(query.capacity);
    let alone = (query.control_share.min(1.0) * silent.len() as f64).ceil() as usize;
    let mut deck: Vec<usize> = (0..silent.len()).collect();
    Stream::new(seed_of(query.seed, &["control"]), Purpose::Permutation, 0).shuffle(&mut deck);
    let control: BTreeSet<usize> = deck.into_iter().take(alone).collect();
    for (place, (_, snapshot)) in silent.iter().enumerate() {
        let mut row = vec![1.0];
        row.extend_from_slice(&snapshot.values);
        let told = fitted.combination(&row, Errors::Clustered, 0.95)?;
        let chance = |odds: f64| Family::Bernoulli.mean(odds);
        let interval = (chance(told.interval.low), chance(told.interval.high));
        let line = &panel.lines[snapshot.line];
        out.list.push(Listed {
            rank: place + 1,
            line_id: line.line_id.clone(),
            region: line.region.clone(),
            node: line.node.clone(),
            segment: line.segment.clone(),
            risk: Answer::estimate(chance(told.value), interval, all.len() as u64),
            group: if control.contains(&place) { "control" } else { "contact" },
            reasons: reasons(features, &fitted, &means, snapshot),
        });
    }
    let phrase =
        Phrase { en: "lines on the list left alone on purpose", zh: "名单中有意不联系的线路" };
    Note::push(&mut out.head.notes, Words::plain(phrase), control.len() as u64);
    Ok(())
}

fn moments(all: &[&Snapshot], width: usize) -> (Vec<f64>, Vec<f64>) {
    let n = all.len().max(1) as f64;
    let means: Vec<f64> = (0..width).map(|k| all.iter().map(|s| s.values[k]).sum::<f64>() / n).collect();
    let spread = |k: usize| (all.iter().map(|s| (s.values[k] - means[k]).powi(2)).sum::<f64>() / n).sqrt();
    let spreads = (0..width).map(spread).collect();
    (means, spreads)
}

/// What lifts the risk of this line above the usual, the strongest first.
fn reasons(features: &Features, fitted: &Fit, means: &[f64], snapshot: &Snapshot) -> Vec<Words> {
    let lift = |k: usize| fitted.coefficients[k + 1] * (snapshot.values[k] - means[k]);
    let mut order: Vec<usize> =
        (0..features.columns.len()).filter(|&k| lift(k) > 0.0 && snapshot.values[k] > 0.0).collect();
    order.sort_by(|&a, &b| lift(b).total_cmp(&lift(a)).then(a.cmp(&b)));
    order.into_iter().take(MOST_REASONS).map(|k| features.columns[k].reason(snapshot.values[k])).collect()
}

fn head(panel: &Panel, query: &Query) -> Head {
    let mut filters = BTreeMap::from([
        ("own", json!(query.own)),
        ("capacity", json!(query.capacity)),
        ("control_share", json!(query.control_share)),
        ("horizon_days", json!(query.horizon_days)),
        ("quiet_days", json!(query.quiet_days)),
        ("extra", json!(query.extra.iter().map(|e| &e.name).collect::<Vec<_>>())),
        ("replicates", json!(query.replicates)),
    ]);
    if !query.metrics.is_empty() {
        filters.insert("metrics", json!(query.metrics));
    }
    Head {
        study: "silent",
        version: VERSION,
        period: panel.period.clone(),
        filters,
        seed: query.seed,
        method: Method {
            name: "penalised logistic regression, judged on other lines and later weeks",
            version: VERSION,
            source: "Hoerl and Kennard 1970; Brier 1950; Cox 1958; Wilson 1927",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

#[cfg(test)]
mod tests;
