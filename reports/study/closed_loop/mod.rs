//! Did the fix work?
//!
//! An action is verified where its units did better than units as bad that were left alone, its target is met, and
//! complaints are not up. What is bad gets better by itself (regression to the mean), so a plain before and after is never
//! told: units left alone are matched by the very days and measure by which the treated ones look bad, and where none
//! are as bad, nothing is said. Units, not lines or days, are compared, because they are what was assigned. A kind of
//! action is judged by all its units together (Welch's test on changes, given how bad each was; weeks before must show
//! nothing); a single one
//! by the prediction interval of those left alone, given how bad they were (Crawford and Garthwaite 2006). Beside it stands
//! what chance shows: the same comparison at dates, and on units, where nothing was done.
//!
//! It cannot tell why something helped, nor see what was done and not written down: a unit counts as left alone where
//! no action names it.

mod judge;
mod kinds;
mod placebo;
pub mod query;
pub mod row;
mod series;
mod units;

pub use query::Query;
pub use row::{
    ActionRow, ChartWeek, ClosedLoop, ComplaintWeek, ControlChart, CourseWeek, KindRow, Placebo, SeriesWeek,
    State,
};

use super::expectation::date;
use super::experience::{Daily, Risk};
use super::{Declined, Head, Method, Note, Words};
use crate::stats::control;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Panel, weekday};
use broadgauge_model::text::Phrase;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use units::Course;

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 1;

/// Judges every action.
pub fn study(panel: &Panel, query: &Query) -> ClosedLoop {
    let mut head = head(panel, query);
    let risk = Risk::of(panel, &query.own, query.repeat_days, &mut head.notes);
    let asked: BTreeSet<MetricId> = panel.actions.iter().filter_map(|a| a.action.metric).collect();
    let metrics: Vec<MetricId> = asked.into_iter().collect();
    let dailies = if metrics.is_empty() {
        Vec::new()
    } else {
        Daily::of_panel(panel, &query.own, &metrics, query.peak)
    };
    let units = units::units(panel, &risk);
    let mut courses = BTreeMap::new();
    for daily in &dailies {
        courses.insert(daily.series.metric.id(), Course::of(panel, daily, &units, risk.period.end));
    }
    let kinds = kinds::kinds(panel, &courses, &risk.period, query);
    let helps: BTreeMap<(String, &'static str), bool> =
        kinds.iter().filter_map(|row| Some(((row.kind.clone(), row.metric.id()), row.helps?))).collect();
    let judge = judge::Judge { query, risk: &risk, units: &units, courses: &courses, helps: &helps };
    let actions: Vec<ActionRow> = panel.actions.iter().map(|action| judge.row(action)).collect();
    let nameless = panel.actions.iter().filter(|a| units::unit_of(a).is_none()).count() as u64;
    let phrase = Phrase {
        en: "actions that name no line, node or area", zh: "未指明线路、节点或片区的措施"
    };
    Note::push(&mut head.notes, Words::plain(phrase), nameless);
    let declined = actions.is_empty().then(|| {
        let phrase = Phrase {
            en: "no action is known; import actions first",
            zh: "没有已知措施；请先导入措施表",
        };
        Declined::because(Words::plain(phrase))
    });
    ClosedLoop { head, actions, kinds, complaints: complaints(&risk), declined }
}

/// The operator's episodes week by week with the limits of a u-chart.
fn complaints(risk: &Risk) -> Vec<ComplaintWeek> {
    let period = &risk.period;
    let Some(first) = (period.start..period.end).find(|day| weekday(*day) == 0) else { return Vec::new() };
    let weeks: Vec<(i32, u64, u64)> = (first..period.end - 6)
        .step_by(7)
        .map(|monday| {
            let days = monday..monday + 7;
            let episodes = risk.own.iter().map(|&line| risk.episodes(line, &days) as u64).sum();
            (monday, episodes, risk.own.iter().map(|&line| risk.at_risk(line, &days)).sum())
        })
        .filter(|week| week.2 > 0)
        .collect();
    let counts: Vec<(u64, f64)> = weeks.iter().map(|w| (w.1, w.2 as f64 / 1_000.0)).collect();
    let Ok(limits) = control::u_chart(&counts) else { return Vec::new() };
    let week = |((monday, episodes, line_days), usual): (&(i32, u64, u64), &control::Limits)| {
        let rate = *episodes as f64 / (*line_days as f64 / 1_000.0);
        ComplaintWeek {
            week: date(*monday).map_or_else(String::new, |date| date.to_string()),
            episodes: *episodes,
            line_days: *line_days,
            rate_per_1000_line_days: rate,
            limits: usual.limits.pair(),
            outside: !usual.limits.contains(rate),
        }
    };
    weeks.iter().zip(&limits).map(week).collect()
}

fn head(panel: &Panel, query: &Query) -> Head {
    let filters = BTreeMap::from([
        ("own", json!(query.own)),
        ("peak", json!(query.peak)),
        ("before_days", json!(query.before_days)),
        ("settle_days", json!(query.settle_days)),
        ("after_days", json!(query.after_days)),
        ("least_after_days", json!(query.least_after_days)),
        ("target_days", json!(query.target_days)),
        ("controls", json!(query.controls)),
        ("matched", json!(query.matched)),
        ("repeat_days", json!(query.repeat_days)),
        ("replicates", json!(query.replicates)),
    ]);
    Head {
        study: "closed_loop",
        version: VERSION,
        period: panel.period.clone(),
        filters,
        seed: query.seed,
        method: Method {
            name: "difference in differences with units as bad left alone",
            version: VERSION,
            source: "Bertrand, Duflo and Mullainathan 2004; Vickers and Altman 2001; Crawford and Howell 1998; Crawford and Garthwaite 2006; Wagner, Soumerai, Zhang and Ross-Degnan 2002; Callaway and Sant'Anna 2021; Benjamini and Hochberg 1995",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

#[cfg(test)]
mod tests;
