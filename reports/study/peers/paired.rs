//! Sites that measure both operators: each site is its own control.
//!
//! Hours in which an agent measured lines of both operators by the same method are taken together, the quantile is
//! taken on either side, and the site's difference is own less peer: place, hour and instrument are the same. Sites
//! are the unit: Student's interval of their mean difference, a p-value from turning signs (all of them up to 2^14,
//! else seeded draws), and two one-sided tests for being at par. A few dozen pairs show what hundreds of lines
//! cannot: the spread between lines is gone.
//!
//! It cannot tell whether the sites are like other places.

use super::query::Query;
use super::row::{Equivalence, Paired, Verdict};
use super::verdict::{LEVEL, margin_between};
use crate::stats::pairs::Pairs;
use crate::stats::quantile::{smallest_n, weighted};
use crate::study::seed::seed_of;
use crate::study::series::{Manner, middle, points};
use crate::study::{Answer, Declined, Words};
use broadgauge_model::panel::{Cell, Hours, Panel, SourceKind};
use broadgauge_model::text::Phrase;
use std::collections::{BTreeMap, BTreeSet};

/// Cells of one site, series, hour: by operator.
type Slots<'a> = BTreeMap<(Manner, &'a str, i32, u8), BTreeMap<&'a str, Vec<&'a Cell>>>;

/// The comparisons at sites that measure both, without q and verdict.
pub(super) fn rows(panel: &Panel, query: &Query, peers: &BTreeSet<&str>) -> Vec<Paired> {
    let mut slots: Slots<'_> = BTreeMap::new();
    for cell in &panel.cells {
        let (Some(source), Some(line)) =
            (panel.sources.get(usize::from(cell.source)), panel.lines.get(cell.line as usize))
        else {
            continue;
        };
        let asked = query.metrics.is_empty() || query.metrics.contains(&cell.metric);
        let wanted = line.operator == query.own || peers.contains(line.operator.as_str());
        let Hours::At { day, hour } = cell.hours else { continue };
        if source.kind != SourceKind::Imported && asked && wanted && !cell.values.is_empty() {
            let slot = slots.entry((Manner::of(cell), source.name.as_str(), day, hour)).or_default();
            slot.entry(line.operator.as_str()).or_default().push(cell);
        }
    }
    let mut out = Vec::new();
    for peer in peers {
        let mut sites: BTreeMap<Manner, BTreeMap<&str, Both<'_>>> = BTreeMap::new();
        for ((series, site, ..), slot) in &slots {
            if let (Some(own), Some(other)) = (slot.get(query.own.as_str()), slot.get(peer)) {
                let both = sites.entry(*series).or_default().entry(site).or_default();
                both.own.extend(own);
                both.peer.extend(other);
                both.hours += 1;
            }
        }
        for (series, sites) in sites {
            for &quantile in &query.quantiles {
                out.push(row(panel, query, peer, series, &sites, quantile));
            }
        }
    }
    out
}

/// What one site observed in common hours.
#[derive(Default)]
struct Both<'a> {
    own: Vec<&'a Cell>,
    peer: Vec<&'a Cell>,
    hours: u64,
}

fn row(
    panel: &Panel,
    query: &Query,
    peer: &str,
    series: Manner,
    sites: &BTreeMap<&str, Both<'_>>,
    quantile: f64,
) -> Paired {
    let metric = series.metric;
    let need = fewest_tests(quantile);
    let of = |cells: &[&Cell]| at_quantile(points(metric, cells.iter().copied()), quantile);
    let known: Vec<(f64, f64)> =
        sites.values().filter_map(|both| Some((of(&both.own)?, of(&both.peer)?))).collect();
    let mut row = Paired {
        metric,
        unit: metric.unit.code(),
        load: series.load,
        direction: series.direction,
        statistic: series.statistic,
        method: panel.method(series.method),
        made: panel.sources.iter().any(|s| s.kind == SourceKind::Made && sites.contains_key(s.name.as_str())),
        quantile,
        own: query.own.clone(),
        peer: peer.to_owned(),
        sites: known.len(),
        hours: sites.values().map(|both| both.hours).sum(),
        difference: few_sites(query.minimum_lines, need).into(),
        p: None,
        q: None,
        margin_absolute: None,
        equivalence: None,
        detectable_difference: None,
        verdict: Verdict::CannotTell,
    };
    if known.len() < query.minimum_lines {
        return row;
    }
    let names: Vec<&str> = sites.keys().copied().collect();
    let seed = seed_of(query.seed, &["paired", metric.id(), &names.join(" ")]);
    let gaps: Vec<f64> = known.iter().map(|(a, b)| a - b).collect();
    match Pairs::of(&gaps) {
        Ok(pairs) => fill(&mut row, query, &known, &pairs, seed),
        Err(refusal) => row.difference = Declined::from(refusal).into(),
    }
    row
}

/// How many tests a site needs of either operator. The middle of a few is as often above the line's own median as below
/// it; the P95 of five is their largest, and says something else than the P95 of a hundred.
fn fewest_tests(quantile: f64) -> usize {
    if quantile == 0.5 { 1 } else { smallest_n(quantile, 0.95).unwrap_or(usize::MAX) }
}

fn at_quantile(points: Vec<(f64, f64)>, quantile: f64) -> Option<f64> {
    let tests: f64 = points.iter().map(|point| point.1).sum();
    match tests >= fewest_tests(quantile) as f64 {
        true if quantile == 0.5 => middle(points),
        true => weighted(&points, quantile).ok(),
        false => None,
    }
}

fn few_sites(sites: usize, tests: usize) -> Declined {
    const SITES: Phrase = Phrase {
        en: "fewer than {n} sites measure both operators",
        zh: "同时测量双方的测量点不足 {n} 个",
    };
    const OFTEN: Phrase = Phrase {
        en: "fewer than {n} sites measure both operators {need} times or more in the same hours",
        zh: "在相同小时内对双方各测 {need} 次以上的测量点不足 {n} 个",
    };
    let phrase = if tests == 1 { SITES } else { OFTEN };
    Declined::because(Words::with(phrase, &[("n", &sites), ("need", &tests)]))
}

fn fill(row: &mut Paired, query: &Query, known: &[(f64, f64)], pairs: &Pairs, seed: u64) {
    let margin = query.margins.get(&row.metric).copied().unwrap_or(row.metric.margin);
    let mean = |side: fn(&(f64, f64)) -> f64| known.iter().map(side).sum::<f64>() / known.len() as f64;
    let margin = margin_between(margin, mean(|k| k.0), mean(|k| k.1));
    row.margin_absolute = Some(margin);
    let interval = match pairs.interval(0.95) {
        Ok(interval) => interval,
        Err(refusal) => {
            row.difference = Declined::from(refusal).into();
            return;
        }
    };
    row.difference = Answer::estimate(pairs.mean(), interval.pair(), known.len() as u64);
    row.p = pairs.sign_p(query.replicates, seed).ok();
    row.equivalence = pairs
        .equivalence(margin)
        .ok()
        .zip(pairs.interval(1.0 - 2.0 * LEVEL).ok())
        .map(|(p, interval)| Equivalence { interval_90: interval.pair(), p, q: None });
    row.detectable_difference = Some(2.801_585 * pairs.standard_error());
}
