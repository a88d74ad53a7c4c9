//! What the statistics must find in planted data, each with its bar.
//!
//! Every experiment is repeated and counted. With 500 replicates a true rate of .05 shows between .031 and .069 in 95%
//! of runs.

use super::town::{Town, TownPlan, look_back, time_stratified};
use super::{PanelPlan, normal, poisson, random};
use crate::stats::bootstrap::{Design, percentile};
use crate::stats::clogit::Errors;
use crate::stats::clustered::Clustered;
use crate::stats::multiple::q_values;
use crate::stats::poisson::garwood;
use crate::stats::quantile::{nearest_rank, sorted};
use crate::stats::welch::Welch;
use crate::stats::{Answer, Interval, Purpose, Stream};
use statrs::distribution::{ContinuousCDF, Normal};

/// One figure of an experiment, and where it must lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finding {
    /// What was counted or averaged.
    pub(crate) what: &'static str,
    /// Over how many replicates.
    pub(crate) replicates: usize,
    /// What came out.
    pub(crate) got: f64,
    /// What may come out, at least and at most.
    pub(crate) bar: (f64, f64),
}

impl Finding {
    /// Whether the figure lies within its bar.
    pub(crate) fn holds(&self) -> bool {
        self.bar.0 <= self.got && self.got <= self.bar.1
    }
}

/// The share of replicates for which something holds.
pub(super) fn share(what: &'static str, hits: &[bool], bar: (f64, f64)) -> Finding {
    let got = hits.iter().filter(|hit| **hit).count() as f64 / hits.len() as f64;
    Finding { what, replicates: hits.len(), got, bar }
}

/// The mean over replicates.
pub(super) fn mean(what: &'static str, values: &[f64], bar: (f64, f64)) -> Finding {
    Finding { what, replicates: values.len(), got: values.iter().sum::<f64>() / values.len() as f64, bar }
}

/// The logarithm of the median of each line.
fn log_medians(lines: &[Vec<f64>]) -> Answer<Vec<f64>> {
    lines.iter().map(|line| Ok(nearest_rank(&sorted(line.clone())?, 0.5)?.ln())).collect()
}

fn welch(panels: &[Vec<Vec<f64>>; 2]) -> Answer<Welch> {
    Welch::new(&log_medians(&panels[0])?, &log_medians(&panels[1])?)
}

/// Two operators, 40 lines of 60 tests each: a test on lines keeps its level and finds a ratio of 1.35.
pub(crate) fn lines_keep_the_level(replicates: u64) -> Answer<Vec<Finding>> {
    let (mut false_alarms, mut covered, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..replicates {
        let null = welch(&PanelPlan::new(40, 60, 1.0).draw(&mut random(101, number)))?;
        false_alarms.push(null.p()? < 0.05);
        let gap = welch(&PanelPlan::new(40, 60, 1.35).draw(&mut random(102, number)))?;
        covered.push(gap.interval(0.95)?.contains(1.35_f64.ln()));
        found.push(gap.p()? < 0.05);
    }
    Ok(vec![
        share("Welch on lines, no gap: flagged", &false_alarms, (0.03, 0.07)),
        share("Welch on lines, ratio 1.35: interval covers", &covered, (0.93, 0.97)),
        share("Welch on lines, ratio 1.35: found", &found, (0.90, 1.0)),
    ])
}

/// The same data: intervals from resampled lines cover, at the median and at the 95th percentile.
pub(crate) fn resampled_lines_cover(replicates: u64, resamples: usize) -> Answer<Vec<Finding>> {
    let truth = 1.35_f64.ln();
    let labels: Vec<usize> = (0..80).map(|line| line / 40).collect();
    let design = Design::stratified(&labels)?;
    let (mut median, mut tail) = (Vec::new(), Vec::new());
    for number in 0..replicates {
        let [own, peer] = PanelPlan::new(40, 60, 1.35).draw(&mut random(103, number));
        let (own, peer) = (Clustered::of_values(&own)?, Clustered::of_values(&peer)?);
        let gaps: Vec<[f64; 2]> = design
            .replicate(resamples, number, |counts| {
                let (a, b) = (
                    own.resampled(&counts[..40], &[0.5, 0.95])?,
                    peer.resampled(&counts[40..], &[0.5, 0.95])?,
                );
                Ok([(a[0] / b[0]).ln(), (a[1] / b[1]).ln()])
            })
            .into_iter()
            .collect::<Answer<_>>()?;
        let covers = |k: usize| -> Answer<bool> {
            let values: Vec<f64> = gaps.iter().map(|gap| gap[k]).collect();
            Ok(percentile(&values, 0.95)?.contains(truth))
        };
        median.push(covers(0)?);
        tail.push(covers(1)?);
    }
    Ok(vec![
        share("lines resampled, p50: interval covers", &median, (0.90, 1.0)),
        share("lines resampled, p95: interval covers", &tail, (0.90, 1.0)),
    ])
}

/// The same data without a gap: resampling single tests, as if they were independent, cries wolf.
pub(crate) fn resampled_tests_cry_wolf(replicates: u64, resamples: usize) -> Answer<Vec<Finding>> {
    let mut flagged = Vec::new();
    for number in 0..replicates {
        let panels = PanelPlan::new(40, 60, 1.0).draw(&mut random(104, number));
        let [own, peer] = panels.map(|lines| sorted(lines.into_iter().flatten().collect()));
        let (own, peer) = (own?, peer?);
        let mut stream = Stream::new(number, Purpose::Bootstrap, 0);
        let gaps: Vec<f64> = (0..resamples)
            .map(|_| resampled_median(&own, &mut stream).ln() - resampled_median(&peer, &mut stream).ln())
            .collect();
        flagged.push(!percentile(&gaps, 0.95)?.contains(0.0));
    }
    Ok(vec![share("single tests resampled, no gap: flagged (a known fault)", &flagged, (0.50, 0.80))])
}

/// The median of a resample of sorted values, without writing the resample out.
fn resampled_median(sorted: &[f64], stream: &mut Stream) -> f64 {
    let mut counts = vec![0_usize; sorted.len()];
    for _ in 0..sorted.len() {
        counts[stream.below(sorted.len())] += 1;
    }
    let mut seen = 0;
    let reached = counts.iter().position(|count| {
        seen += count;
        2 * seen >= sorted.len()
    });
    sorted[reached.unwrap_or(sorted.len() - 1)]
}

/// "At par" within 10%: seldom said where the gap is 10%, mostly said where 300 lines a side are equal.
pub(crate) fn parity_is_shown_not_assumed(replicates: u64) -> Answer<Vec<Finding>> {
    let margin = 1.1_f64.ln();
    let (mut wrongly, mut rightly) = (Vec::new(), Vec::new());
    for number in 0..replicates {
        for (ratio, said, seed) in [(1.1, &mut wrongly, 105), (1.0, &mut rightly, 106)] {
            let test = welch(&PanelPlan::new(300, 20, ratio).draw(&mut random(seed, number)))?;
            said.push(test.equivalence(-margin, margin)?.interval_90.is_within(-margin, margin));
        }
    }
    Ok(vec![
        share("gap at the margin: called at par", &wrongly, (0.0, 0.07)),
        share("equal, 300 lines: called at par", &rightly, (0.85, 1.0)),
    ])
}

/// 200 tests, 40 of them true at 3 standard errors: few of the findings are false, most of the true ones are found.
pub(crate) fn findings_can_be_trusted(replicates: u64) -> Answer<Vec<Finding>> {
    let (mut false_share, mut found) = (Vec::new(), Vec::new());
    for number in 0..replicates {
        let mut stream = random(107, number);
        let p: Vec<f64> = (0..200)
            .map(|k| {
                let z = normal(&mut stream) + if k < 40 { 3.0 } else { 0.0 };
                (2.0 * Normal::standard().cdf(-z.abs())).min(1.0)
            })
            .collect();
        let q = q_values(&p)?;
        let hits = |part: &[f64]| part.iter().filter(|q| **q <= 0.05).count() as f64;
        let (right, wrong) = (hits(&q[..40]), hits(&q[40..]));
        false_share.push(wrong / (right + wrong).max(1.0));
        found.push(right / 40.0);
    }
    Ok(vec![
        mean("Benjamini-Hochberg: share of findings that are false", &false_share, (0.0, 0.055)),
        mean("Benjamini-Hochberg: share of true gaps that are found", &found, (0.55, 1.0)),
    ])
}

/// Counts with few events: the exact interval covers at least its level.
pub(crate) fn exact_intervals_cover(replicates: u64) -> Answer<Vec<Finding>> {
    let intervals: Vec<Interval> = (0..=80).map(|count| garwood(count, 0.95)).collect::<Answer<_>>()?;
    let rates = [
        (0.5_f64, "Garwood, .5 per cell: interval covers"),
        (2.0, "Garwood, 2 per cell: interval covers"),
        (5.0, "Garwood, 5 per cell: interval covers"),
        (20.0, "Garwood, 20 per cell: interval covers"),
    ];
    let mut findings = Vec::new();
    for (rate, what) in rates {
        let mut stream = random(108, rate.to_bits());
        let mut covered = Vec::new();
        for _ in 0..replicates {
            let interval = match intervals.get(poisson(&mut stream, rate) as usize) {
                Some(interval) => *interval,
                None => garwood(81, 0.95)?,
            };
            covered.push(interval.contains(rate));
        }
        findings.push(share(what, &covered, (0.95, 1.0)));
    }
    Ok(findings)
}

/// A town with a rate ratio of 2.5, and one of 1: the line as its own control on the same weekday of the same four weeks
/// finds both; the seven days before do not.
pub(crate) fn each_line_is_its_own_control(replicates: u64) -> Answer<Vec<Finding>> {
    let (mut episodes, mut ratios, mut covered, mut back_ratios) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut false_alarms, mut clustered, mut back_alarms) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..replicates {
        let town = Town::new(TownPlan::new(2.5), 109, number);
        episodes.push(town.complaints.len() as f64);
        let fit = town.sets(time_stratified)?.fit()?;
        let ratio = fit.ratio(0, 1.0, Errors::Model, 0.95)?;
        ratios.push(ratio.ratio);
        covered.push(ratio.interval.contains(2.5));
        back_ratios.push(town.sets(look_back)?.fit()?.ratio(0, 1.0, Errors::Model, 0.95)?.ratio);

        let quiet = Town::new(TownPlan::new(1.0), 110, number);
        let fit = quiet.sets(time_stratified)?.fit()?;
        false_alarms.push(fit.ratio(0, 1.0, Errors::Model, 0.95)?.p < 0.05);
        clustered.push(fit.ratio(0, 1.0, Errors::Clustered, 0.95)?.p < 0.05);
        back_alarms.push(quiet.sets(look_back)?.fit()?.ratio(0, 1.0, Errors::Model, 0.95)?.p < 0.05);
    }
    Ok(vec![
        mean("town, ratio 2.5: complaints", &episodes, (300.0, 2_000.0)),
        mean("same weekday of the block, ratio 2.5: mean ratio", &ratios, (2.4, 2.65)),
        share("same weekday of the block, ratio 2.5: interval covers", &covered, (0.91, 1.0)),
        share("same weekday of the block, no effect: flagged", &false_alarms, (0.03, 0.07)),
        share("the same with errors clustered by line: flagged", &clustered, (0.03, 0.07)),
        mean("seven days before, ratio 2.5: mean ratio (a known fault)", &back_ratios, (2.75, 4.0)),
        share("seven days before, no effect: flagged (a known fault)", &back_alarms, (0.15, 1.0)),
    ])
}
