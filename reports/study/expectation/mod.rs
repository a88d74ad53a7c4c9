//! What have customers come to expect, and where do we fall short: of the promise, of their own experience, of the
//! region, of our reputation?
//!
//! Satisfaction follows what is had against what is expected (Oliver 1980), and what is expected is a mean of levels
//! that were met (Helson 1964): the promise, the line's own history, what others have, and what is said. Every line and
//! week has these levels; a logistic regression of complaints on the shortfall weighs them. Whether expectation matters
//! at all is asked first, with equal weights that were fixed before looking, beside a curve in the value itself; a
//! placebo that deals the levels out anew must do worse. Where factors move together the weights are not told apart, the
//! study says so and takes equal ones. The zone of tolerance lies between adequate and desired (Parasuraman, Berry and
//! Zeithaml 1991).
//!
//! What the gap between the promise and what is had is made of is told by lines that are alike but for the hour, the
//! access technology or the region, and what none of these explains stays a step of its own.
//!
//! A promise of delay is rare. Where there is none, the norm of the line's technology and tier stands for it in the level
//! that is expected, but is nobody's promise: neither the gap to the promise nor what is desired is read off it.
//!
//! It sees what customers do and not what they think: an expectation that nobody acts on leaves no trace. Customers
//! who left are not asked, and a promise is that of the contract as it stands now.

mod fit;
mod months;
mod norm;
pub mod query;
pub mod row;
mod steps;
mod weeks;

pub use query::Query;
pub use row::{
    Expectation, Expected, Factor, Gap, GapKind, HeldOut, Level, Matter, Month, Origin, Placebo, Promised,
    Step, StepKind, Steps, Weights, Zone,
};
pub(in crate::study) use weeks::{LineWeek, date, line_weeks};

use super::experience::{Daily, Risk};
use super::{Declined, Head, Method, Note, Words};
use crate::stats::multiple::q_values;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use fit::Judgement;
use months::Ground;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 2;
/// A metric known of fewer lines than this is left out.
const FEWEST_LINES: usize = 10;

/// Asks what customers expect, metric by metric.
pub fn study(panel: &Panel, query: &Query) -> Expectation {
    let mut head = head(panel, query);
    let risk = Risk::of(panel, &query.own, query.repeat_days, &mut head.notes);
    let mut rows = Vec::new();
    for daily in Daily::of_panel(panel, &query.own, &query.metrics, query.peak) {
        let outside = Phrase {
            en: "{metric}: observations outside the busy hours, or without an hour",
            zh: "{metric}：忙时以外或没有具体小时的观测",
        };
        let metric = daily.series.metric;
        Note::push(&mut head.notes, Words::plain(outside).and("metric", metric.label), daily.outside);
        let weeks = line_weeks(panel, &daily, &risk, query);
        let lines: BTreeSet<usize> = weeks.iter().map(|week| week.line).collect();
        if lines.len() < FEWEST_LINES {
            let few = Phrase {
                en: "{metric}: lines with known weeks, too few to speak of expectations",
                zh: "{metric}：有已知周的线路太少，无法谈期望",
            };
            Note::push(&mut head.notes, Words::plain(few).and("metric", metric.label), lines.len() as u64);
            continue;
        }
        let row = expected(panel, &daily, &weeks, lines.len(), query);
        note_norm(&mut head.notes, metric, row.judged_by_norm);
        rows.push(row);
    }
    adjust(&mut rows);
    let declined = rows.is_empty().then(|| {
        let phrase = Phrase {
            en: "no metric was measured on enough lines of {own} in busy hours for three weeks",
            zh: "{own} 没有任何指标在足够多的线路上有三周的忙时测量",
        };
        Declined::because(Words::with(phrase, &[("own", &query.own)]))
    });
    Expectation { head, rows, declined }
}

/// Says of how many lines a norm stands for the promise that nobody made.
pub(in crate::study) fn note_norm(notes: &mut Vec<Note>, metric: MetricId, lines: usize) {
    let norm = Phrase {
        en: "{metric}: lines of which none is promised, judged by the norm of their technology and tier",
        zh: "{metric}：合同未作承诺的线路，以同技术同档位的通常水平代替承诺",
    };
    Note::push(notes, Words::plain(norm).and("metric", metric.label), lines as u64);
}

/// q-values: the tests of all metrics are one family.
fn adjust(rows: &mut [Expected]) {
    let p: Vec<f64> = rows.iter().filter_map(|row| row.matters.p).collect();
    let mut q = q_values(&p).unwrap_or_default().into_iter();
    for row in rows.iter_mut().filter(|row| row.matters.p.is_some()) {
        row.matters.q = q.next();
    }
}

fn expected(panel: &Panel, daily: &Daily, weeks: &[LineWeek], lines: usize, query: &Query) -> Expected {
    let factors = fit::known_factors(weeks);
    let series = daily.series.clone();
    let metric = series.metric;
    let known = || weeks.iter().filter(|_| factors.contains(&Factor::Promise));
    let by_norm: BTreeSet<usize> = known().filter(|w| w.norm().is_some()).map(|w| w.line).collect();
    let promise_is = Promised::of(known().any(|week| week.promised), !by_norm.is_empty());
    let missing = Factor::ALL.into_iter().filter(|f| !factors.contains(f)).collect();
    let judged = Judgement::of(panel, weeks, &factors).unwrap_or_else(|_| Judgement::none(&factors));
    let (weights, used) = judged.weights(query);
    let [short, spare] = judged.slopes(&used);
    let (knee, knee_level) = judged.knee(daily.scale);
    let ground =
        Ground { panel, scale: daily.scale, metric, factors: &factors, used: &used, knee: knee_level };
    let placed = ground.place(weeks);
    Expected {
        metric,
        unit: metric.unit.code(),
        load: series.load,
        method: series.method.clone(),
        made: series.made,
        series,
        lines,
        line_weeks: judged.rows,
        episodes: judged.events,
        factors_missing: missing,
        promise_is,
        judged_by_norm: by_norm.len(),
        correlations: judged.correlations(),
        matters: judged.matters(),
        weights,
        odds_ratio_per_tenth_short: short,
        odds_ratio_per_tenth_spare: spare,
        placebo: judged.placebo(used.pooled(), query),
        held_out: judged.held_out(),
        knee,
        months: ground.months(&placed),
        steps: steps::steps(panel, daily, &placed, query.peak, (query.seed, query.replicates)),
        levels: if query.levels { ground.levels(&placed) } else { Vec::new() },
        factors,
    }
}

fn head(panel: &Panel, query: &Query) -> Head {
    let mut filters = BTreeMap::from([
        ("own", json!(query.own)),
        ("peak", json!(query.peak)),
        ("half_life_better_days", json!(query.half_lives.better)),
        ("half_life_worse_days", json!(query.half_lives.worse)),
        ("history_days", json!(query.history_days)),
        ("talk_strength", json!(query.talk_strength)),
        ("repeat_days", json!(query.repeat_days)),
        ("swaps", json!(query.swaps)),
    ]);
    if !query.metrics.is_empty() {
        filters.insert("metrics", json!(query.metrics));
    }
    Head {
        study: "expectation",
        version: VERSION,
        period: panel.period.clone(),
        filters,
        seed: query.seed,
        method: Method {
            name: "logistic regression on the shortfall from a weighted reference level",
            version: VERSION,
            source: "Helson 1964; Oliver 1980; Parasuraman, Berry and Zeithaml 1991; Morris 1983; Shapley 1953",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

#[cfg(test)]
mod tests;
