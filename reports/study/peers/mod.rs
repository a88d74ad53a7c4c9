//! Where are we behind the peer operators, by how much, and is it real?
//!
//! The estimand is a quantile of the line-weighted distribution: every line counts the same, however often it was
//! tested, and lines are compared like with like (technology, region, hours). Intervals come from a bootstrap of
//! whole lines (percentile, or BCa below 40 lines, at a level widened for few lines: Hesterberg, Am. Stat. 69, 2015),
//! p-values from shuffling the operator over lines, and all of a report are one family (Benjamini and Hochberg 1995, or
//! Benjamini and Yekutieli 2001). Beside the quantiles stand the whole distributions: the shift function with a band
//! that holds at all deciles at once, Cliff's delta and the Kolmogorov-Smirnov distance. Where one agent measures both
//! operators, its sites are compared with themselves. What is random goes with lines, not with names: with the
//! operators exchanged every finding is mirrored.
//!
//! It cannot tell why one operator is ahead, and it cannot make up for lines that were chosen for another reason than
//! chance: a panel of volunteers is a panel of volunteers.

pub(super) mod clock;
mod combine;
mod curve;
mod draws;
mod judge;
pub(super) mod mixture;
mod one_sided;
mod paired;
pub mod query;
mod resample;
pub mod row;
mod sides;
pub(super) mod strata;
mod verdict;

pub use query::{Adjustment, Key, Peak, Query};
pub use row::{Curve, Equivalence, Paired, Peers, Row, Shift, Side, Stratum, Verdict};

pub(super) use verdict::margin_between as verdict_margin;

use super::{Declined, Head, Method, Words};
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 3;

/// Compares the own operator with its peers.
pub fn study(panel: &Panel, query: &Query) -> Peers {
    let mut head = head(panel, query);
    let known = strata::operators(panel);
    let peers: BTreeSet<&str> = if query.peers.is_empty() {
        known.iter().copied().filter(|o| *o != query.own).collect()
    } else {
        query.peers.iter().map(String::as_str).filter(|o| *o != query.own && known.contains(o)).collect()
    };
    let refuse = |head: Head, phrase: Phrase| Peers {
        head,
        rows: Vec::new(),
        curves: Vec::new(),
        paired: Vec::new(),
        declined: Some(Declined::because(Words::with(phrase, &[("own", &query.own)]))),
    };
    if !known.contains(query.own.as_str()) {
        let phrase = Phrase {
            en: "no line of the own operator {own} is in the data",
            zh: "数据中没有本运营商 {own} 的线路",
        };
        return refuse(head, phrase);
    }
    if peers.is_empty() {
        let phrase = Phrase {
            en: "only one operator, {own}, is in the data: there is nobody to compare with",
            zh: "数据中只有 {own} 一家运营商：没有可对比的对象",
        };
        return refuse(head, phrase);
    }
    let wanted: BTreeSet<&str> = peers.iter().copied().chain([query.own.as_str()]).collect();
    let mut strata = strata::matched(panel, query, &wanted);
    head.notes.append(&mut strata.notes);
    let paired = paired::rows(panel, query, &peers);
    let judged = judge::rows(&strata, query, &peers, paired, &mut head.notes);
    Peers { head, rows: judged.rows, curves: judged.curves, paired: judged.paired, declined: None }
}

fn head(panel: &Panel, query: &Query) -> Head {
    let mut filters = BTreeMap::from([
        ("own", json!(query.own)),
        ("by", json!(query.by)),
        ("quantiles", json!(query.quantiles)),
        ("peak", json!(query.peak)),
        ("replicates", json!(query.replicates)),
        ("minimum_lines", json!(query.minimum_lines)),
        ("weighted", json!(query.weighted)),
        ("standard", json!(query.standard.as_deref().unwrap_or("both"))),
        ("adjustment", json!(query.adjustment)),
    ]);
    if !query.peers.is_empty() {
        filters.insert("peers", json!(query.peers));
    }
    if !query.metrics.is_empty() {
        filters.insert("metrics", json!(query.metrics));
    }
    if !query.margins.is_empty() {
        let margins: BTreeMap<&str, _> = query.margins.iter().map(|(m, margin)| (m.id(), margin)).collect();
        filters.insert("margins", json!(margins));
    }
    Head {
        study: "peers",
        version: VERSION,
        period: panel.period.clone(),
        filters,
        seed: query.seed,
        method: Method {
            name: "line-weighted quantile gaps, cluster bootstrap, label permutation",
            version: VERSION,
            source: "Efron 1987; Davison and Hinkley 1997; Benjamini and Hochberg 1995; Schuirmann 1987; Hesterberg 2015; Montiel Olea and Plagborg-Moller 2019",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

#[cfg(test)]
mod tests;
