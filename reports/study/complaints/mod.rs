//! Which complaints does the network explain, and which does it not?
//!
//! Views of the same complaints: how often customers complain at each level of a metric (bands), crude and like with
//! like, and which share that may explain; the same with all else held alike, with the level from which they complain
//! (regression); whether a line, or an area, was worse than itself before its customers complained (case-crossover), with
//! two negative controls; the days around a complaint; and daily series, the one ahead of the other. Repeats of one line
//! and class within 28 days are one episode; the denominator is every line-day in service on which one could begin.
//!
//! It cannot see customers who never complain, and it takes the class of a complaint as given.

mod areas;
mod around;
mod bands;
mod crossover;
mod daily;
pub(super) mod episodes;
mod exposure;
mod monotone;
pub mod query;
mod regression;
pub mod row;
mod series;

pub use query::Query;
pub use row::{
    AreaCrossover, Around, AroundDay, Band, CaseCrossover, Complaints, Contrast, Control, CurvePoint,
    DoseResponse, Exposure, LeadLag, Monotone, Unmeasured,
};

use super::{Declined, Head, Method, Note, Words};
use broadgauge_model::complaint::Class;
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use daily::Daily;
use episodes::AtRisk;
use exposure::Observed;
use serde_json::json;
use std::collections::BTreeMap;

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 1;
/// An exposure known of fewer lines than this is left out.
const FEWEST_LINES: usize = 6;
const TOO_EARLY: Phrase = Phrase {
    en: "{metric}: line-days before the first full window",
    zh: "{metric}：首个完整窗口之前的线路日",
};
const EPISODE_OPEN: Phrase = Phrase {
    en: "{metric}: line-days not at risk, so shortly after a complaint that another would be its repeat",
    zh: "{metric}：不计入的线路日，紧随某次投诉之后，再次投诉只算重复",
};

/// Lines complaints up with what the lines saw.
pub fn study(panel: &Panel, query: &Query) -> Complaints {
    let mut head = head(panel, query);
    let notes = &mut head.notes;
    let risk = episodes::at_risk(panel, query, notes);
    let network = risk.episodes.get(&Class::Network).map_or(0, Vec::len);
    let of_areas = risk.of_areas.get(&Class::Network).map_or(0, Vec::len);
    let refusal = if risk.index.is_empty() {
        Some(Phrase {
            en: "no line of the own operator {own} is in the data",
            zh: "数据中没有本运营商 {own} 的线路",
        })
    } else if network + of_areas == 0 {
        Some(Phrase {
            en: "no network complaint names a line of {own} in service, or an area of one",
            zh: "没有指明 {own} 在网线路或其所在地区的网络类投诉",
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
        dose_response: Vec::new(),
        case_crossover: Vec::new(),
        area_case_crossover: Vec::new(),
        around: Vec::new(),
        lead_lag: Vec::new(),
    };
    if out.declined.is_some() {
        return out;
    }
    for observed in exposure::observed(panel, query, &risk.index, &mut out.head.notes) {
        let known = observed.lines.iter().filter(|l| !l.is_empty()).count();
        let metric = observed.exposure.metric;
        if known < FEWEST_LINES {
            let phrase = Phrase {
                en: "{metric}: lines measured, too few to line up with complaints",
                zh: "{metric}：有测量的线路太少，无法与投诉对齐",
            };
            Note::push(&mut out.head.notes, Words::with(phrase, &[("metric", &metric)]), known as u64);
            continue;
        }
        if network > 0
            && let Some(dose) = bands::dose(&observed, &risk, Class::Network, query)
        {
            if query.all_views {
                let found = regression::regression(&observed, &risk, &dose.days, Class::Network, query);
                out.dose_response.push(found);
            }
            for (phrase, count) in
                [(TOO_EARLY, dose.left_out.too_early), (EPISODE_OPEN, dose.left_out.episode_open)]
            {
                Note::push(&mut out.head.notes, Words::with(phrase, &[("metric", &metric)]), count);
            }
            out.bands.extend(dose.bands);
            out.unmeasured.push(dose.unmeasured);
            out.contrasts.push(dose.contrast);
        }
        if network > 0 {
            out.case_crossover.extend(crossover::crossover(&observed, &risk, query));
        }
        if query.all_views {
            out.area_case_crossover.extend(areas::areas(&observed, &risk, query));
            over_days(&observed, &risk, query, &mut out);
        }
    }
    bands::adjust(&mut out.contrasts);
    regression::adjust(&mut out.dose_response);
    crossover::adjust(&mut out.case_crossover, &mut out.area_case_crossover);
    series::adjust(&mut out.lead_lag);
    if out.bands.is_empty() && out.case_crossover.is_empty() && out.area_case_crossover.is_empty() {
        let phrase = Phrase {
            en: "no line of {own} was measured hour by hour",
            zh: "{own} 没有按小时测量的线路",
        };
        out.declined = Some(Declined::because(Words::with(phrase, &[("own", &query.own)])));
    }
    out
}

/// The days around complaints, and the daily series.
fn over_days(observed: &Observed, risk: &AtRisk, query: &Query, out: &mut Complaints) {
    let daily = Daily::of(observed, risk, &(0..24), |_| true);
    let everybody = daily.mean(0..risk.lines.len());
    for class in [Class::Network, Class::Billing] {
        if risk.episodes.get(&class).is_some_and(|episodes| !episodes.is_empty()) {
            out.around.push(around::around(observed, risk, &daily, &everybody, class, query));
        }
    }
    out.lead_lag.extend(series::series(observed, risk, &daily, Class::Network, query));
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
        ("most_line_days", json!(query.most_line_days)),
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
            name: "complaint rates by band, logistic regression of line-days, time-stratified case-crossover, lead and lag",
            version: VERSION,
            source: "Garwood 1936; Mantel and Haenszel 1959; Janes, Sheppard and Lumley 2005; Flanders et al. 2011; Armstrong et al. 2014; Prentice and Pyke 1979; Ulm 1991; Barlow et al. 1972; Miettinen 1974; Haugh 1976; Benjamini and Hochberg 1995",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

#[cfg(test)]
mod tests;
