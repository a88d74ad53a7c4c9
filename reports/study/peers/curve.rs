//! Two whole distributions beside each other: is the gap the same for everybody, or only in the tail?
//!
//! The shift function at the deciles with a band that holds at all of them at once, Cliff's delta and the
//! Kolmogorov-Smirnov distance with intervals from resampled lines.

use super::draws::{Cell, Draws};
use super::query::Query;
use super::row::{Curve, Shift, Stratum};
use super::sides::{DECILES, Sides, enough, turned, with_deciles};
use super::strata::{Group, Part};
use crate::stats::Interval;
use crate::stats::apart::{Apart, Cluster, apart};
use crate::stats::band::{Band, simultaneous};
use crate::study::{Answer, Declined, Series};
use broadgauge_model::text::Phrase;

/// What is compared: both groups in the pair's fixed order, and their resamples.
pub(super) struct Pair<'a> {
    pub(super) groups: (&'a Group, &'a Group),
    pub(super) sides: &'a Sides<'a>,
    pub(super) own_first: bool,
    pub(super) cell: Cell,
}

/// The two distributions in one part of the week on one ground.
pub(super) fn curve(
    series: &Series,
    stratum: Stratum,
    (own, peer): (&str, &str),
    pair: &Pair<'_>,
    query: &Query,
    seed: u64,
) -> Curve {
    let apart = distance(pair, query, seed);
    let lines = apart.as_ref().map_or(0, |a| a.1);
    let answer = |value: f64, interval: Interval| Answer::estimate(value, interval.pair(), lines);
    let (cliffs_delta, ks_distance) = match &apart {
        Ok((found, _)) => (
            turned(answer(found.delta, found.delta_interval), pair.own_first),
            answer(found.ks, found.ks_interval),
        ),
        Err(declined) => (declined.clone().into(), declined.clone().into()),
    };
    Curve {
        metric: series.metric,
        unit: series.metric.unit.code(),
        load: series.load,
        direction: series.direction,
        statistic: series.statistic,
        method: series.method.clone(),
        made: series.made,
        stratum,
        own: own.to_owned(),
        peer: peer.to_owned(),
        shift: shift(pair, query),
        cliffs_delta,
        ks_distance,
    }
}

fn distance(pair: &Pair<'_>, query: &Query, seed: u64) -> Result<(Apart, u64), Declined> {
    let (first, second) = (clusters(pair.groups.0, pair.cell.part), clusters(pair.groups.1, pair.cell.part));
    let lines = (first.len() + second.len()) as u64;
    Ok((apart(&first, &second, query.replicates, seed, 0.95)?, lines))
}

fn clusters(group: &Group, part: Part) -> Vec<Cluster<'_>> {
    group.iter().filter_map(|line| Some((line.weight, line.points(part)?))).collect()
}

/// The shift function; points for which one side has too little are declined, the others share one band.
fn shift(pair: &Pair<'_>, query: &Query) -> Vec<Shift> {
    let quantiles = with_deciles(&query.quantiles);
    let cells = [Cell { weight: 1.0, ..pair.cell }];
    let draws: Vec<(f64, Result<Draws, Declined>)> = DECILES
        .into_iter()
        .map(|decile| {
            let q = quantiles.iter().position(|p| *p == decile).unwrap_or(0);
            let (own, peer) = pair.sides;
            let (a, b) = if pair.own_first { (own, peer) } else { (peer, own) };
            let difference = enough(query, a, &cells, q).and_then(|a| {
                let b = enough(query, b, &cells, q)?;
                Ok(Draws::both(&a, &b, |x, y| x - y))
            });
            (decile, difference)
        })
        .collect();
    let known: Vec<&Draws> = draws.iter().filter_map(|(_, d)| d.as_ref().ok()).collect();
    let band = band(&known);
    let mut points = band.as_ref().map(|band| band.points.iter()).unwrap_or_default();
    draws
        .iter()
        .map(|(quantile, difference)| {
            let difference = match (difference, &band) {
                (Err(declined), _) | (Ok(_), Err(declined)) => declined.clone().into(),
                (Ok(draws), Ok(_)) => match points.next().copied().flatten() {
                    Some(interval) => turned(
                        Answer::estimate(draws.observed, interval.pair(), draws.labels.len() as u64),
                        pair.own_first,
                    ),
                    None => Answer::declined(Phrase {
                        en: "the resamples do not vary, so nothing is known of the error",
                        zh: "重抽样没有变化，误差未知",
                    }),
                },
            };
            Shift { quantile: *quantile, difference }
        })
        .collect()
}

fn band(known: &[&Draws]) -> Result<Band, Declined> {
    let observed: Vec<f64> = known.iter().map(|d| d.observed).collect();
    let count = known.first().map_or(0, |d| d.replicates.len());
    // A resample without a value at one point says nothing of the whole curve.
    let whole: Vec<usize> =
        (0..count).filter(|&b| known.iter().all(|d| d.replicates[b].is_finite())).collect();
    let replicates: Vec<Vec<f64>> =
        known.iter().map(|d| whole.iter().map(|&b| d.replicates[b]).collect()).collect();
    let lines = known.iter().map(|d| d.lines).min().unwrap_or(0);
    Ok(simultaneous(&observed, &replicates, 0.95, lines)?)
}
