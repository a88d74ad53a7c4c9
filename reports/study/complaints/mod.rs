//! Which complaints does the network explain, and which does it not?
//!
//! Two views of the same complaints: how often customers complain at each level of a metric (bands), and whether a
//! line was worse than itself before its customer complained (case-crossover), with two negative controls. Repeats of
//! one line and class within 28 days are one episode; the denominator is every line-day in service.
//!
//! It cannot see customers who never complain, and it takes the class of a complaint as given.

mod bands;
mod crossover;
mod episodes;
mod exposure;
pub mod query;
pub mod row;

pub use query::Query;
pub use row::{Band, CaseCrossover, Complaints, Contrast, Control, Exposure, Unmeasured};

use super::{Declined, Head, Method, Note, Words};
use broadgauge_model::complaint::Class;
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use serde_json::json;
use std::collections::BTreeMap;

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 1;
/// An exposure known of fewer lines than this is left out.
const FEWEST_LINES: usize = 6;

/// Lines complaints up with what the lines saw.
pub fn study(panel: &Panel, query: &Query) -> Complaints {
    let mut head = head(panel, query);
    let notes = &mut head.notes;
    let risk = episodes::at_risk(panel, query, notes);
    let network = risk.episodes.get(&Class::Network).map_or(0, Vec::len);
    let refusal = if risk.index.is_empty() {
        Some(Phrase {
            en: "no line of the own operator {own} is in the data",
            zh: "数据中没有本运营商 {own} 的线路",
        })
    } else if network == 0 {
        Some(Phrase {
            en: "no network complaint names a line of {own} in service",
            zh: "没有指明 {own} 在网线路的网络类投诉",
        })
    } else {
        None
    };
    let mut out = Complaints {
        declined: refusal.map(|phrase| Declined::because(Words::with(phrase, &[("own", &query.own)]))),
        head,
        bands: Vec::new(),
        unmeasured: Vec::new(),
        contrasts: Vec::new(),
        case_crossover: Vec::new(),
    };
    if out.declined.is_some() {
        return out;
    }
    let notes = &mut out.head.notes;
    for observed in exposure::observed(panel, query, &risk.index, notes) {
        let known = observed.lines.iter().filter(|l| !l.is_empty()).count();
        let metric = observed.exposure.metric;
        if known < FEWEST_LINES {
            let phrase = Phrase {
                en: "{metric}: lines measured, too few to line up with complaints",
                zh: "{metric}：有测量的线路太少，无法与投诉对齐",
            };
            Note::push(notes, Words::with(phrase, &[("metric", &metric)]), known as u64);
            continue;
        }
        if let Some(dose) = bands::dose(&observed, &risk, Class::Network, query) {
            let phrase = Phrase {
                en: "{metric}: line-days before the first full window",
                zh: "{metric}：首个完整窗口之前的线路日",
            };
            Note::push(notes, Words::with(phrase, &[("metric", &metric)]), dose.too_early);
            out.bands.extend(dose.bands);
            out.unmeasured.push(dose.unmeasured);
            out.contrasts.push(dose.contrast);
        }
        out.case_crossover.extend(crossover::crossover(&observed, &risk, query));
    }
    bands::adjust(&mut out.contrasts);
    crossover::adjust(&mut out.case_crossover);
    if out.bands.is_empty() && out.case_crossover.is_empty() {
        let phrase = Phrase {
            en: "no line of {own} was measured hour by hour",
            zh: "{own} 没有按小时测量的线路",
        };
        out.declined = Some(Declined::because(Words::with(phrase, &[("own", &query.own)])));
    }
    out
}

fn head(panel: &Panel, query: &Query) -> Head {
    let mut filters = BTreeMap::from([
        ("own", json!(query.own)),
        ("band_window_hours", json!(query.band_window_hours)),
        ("windows_hours", json!(query.windows_hours)),
        ("gap_hours", json!(query.gap_hours)),
        ("future_gap_hours", json!(query.future_gap_hours)),
        ("exposure_quantile", json!(query.exposure_quantile)),
        ("repeat_days", json!(query.repeat_days)),
        ("minimum_episodes", json!(query.minimum_episodes)),
        ("replicates", json!(query.replicates)),
    ]);
    if !query.metrics.is_empty() {
        filters.insert("metrics", json!(query.metrics));
    }
    if !query.edges.is_empty() {
        let edges: BTreeMap<&str, _> = query.edges.iter().map(|(m, edges)| (m.id(), edges)).collect();
        filters.insert("edges", json!(edges));
    }
    Head {
        study: "complaints",
        version: VERSION,
        period: panel.period.clone(),
        filters,
        seed: query.seed,
        method: Method {
            name: "complaint rates by band, time-stratified case-crossover",
            version: VERSION,
            source: "Garwood 1936; Mantel and Haenszel 1959; Janes, Sheppard and Lumley 2005; Flanders et al. 2011; Benjamini and Hochberg 1995",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

#[cfg(test)]
mod tests;
