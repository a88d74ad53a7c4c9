//! What comparisons over time, of many units and of whole distributions must find: changes, outliers, ranks, whole curves, run lengths.

use super::experiments::{Finding, mean, share};
use super::{PanelPlan, normal, poisson, random};
use crate::stats::apart::{Cluster, apart};
use crate::stats::band::simultaneous;
use crate::stats::bootstrap::Design;
use crate::stats::change::{Search, change_points};
use crate::stats::clustered::Clustered;
use crate::stats::control::Cusum;
use crate::stats::funnel::{Allowance, Unit, funnel};
use crate::stats::plan::{Aim, Side, plan};
use crate::stats::ranking::rank_sets;
use crate::stats::welch::Welch;
use crate::stats::{Answer, Stream};
use statrs::distribution::{ContinuousCDF, Normal};

/// Runs every replicate, in order.
fn each<T>(replicates: u64, run: impl Fn(u64) -> Answer<T>) -> Answer<Vec<T>> {
    (0..replicates).map(run).collect()
}

/// A hundred days: noise whose neighbours resemble each other by `rho`, and a step of `step` standard deviations on
/// day 60.
fn days(stream: &mut Stream, rho: f64, step: f64) -> Vec<f64> {
    let mut last = normal(stream);
    (0..100)
        .map(|day| {
            last = rho * last + (1.0 - rho * rho).sqrt() * normal(stream);
            last + if day >= 60 { step } else { 0.0 }
        })
        .collect()
}

/// Steps are found where they are; noise, also noise with a memory, is left alone.
pub(crate) fn changes_are_found(replicates: u64, shuffles: usize) -> Answer<Vec<Finding>> {
    let search = Search { shuffles, ..Search::DAILY };
    let found = |seed: u64, rho, step| {
        each(replicates, |number| {
            let points = change_points(&days(&mut random(seed, number), rho, step), &search, number)?;
            Ok(points.into_iter().map(|p| p.index).collect::<Vec<_>>())
        })
    };
    let any = |runs: Vec<Vec<usize>>| runs.iter().map(|r| !r.is_empty()).collect::<Vec<_>>();
    let steps = found(203, 0.0, 1.5)?;
    let near: Vec<bool> = steps.iter().map(|r| r.iter().any(|&i| i.abs_diff(60) <= 3)).collect();
    Ok(vec![
        share("100 days of noise: a change is claimed", &any(found(201, 0.0, 0.0)?), (0.0, 0.08)),
        share("100 days of noise, AR .5: a change is claimed", &any(found(202, 0.5, 0.0)?), (0.0, 0.08)),
        share("a step of 1.5 sd on day 60 of 100: found", &any(steps), (0.90, 1.0)),
        share("the same step: found within three days", &near, (0.85, 1.0)),
    ])
}

/// Sixty ordinary units, alike or with a spread of .3 between them: about one in twenty lies outside the 95% limits.
pub(crate) fn ordinary_units_stay_in_the_funnel(replicates: u64) -> Answer<Vec<Finding>> {
    let outside = |seed: u64, spread: f64, allowance| {
        let runs = each(replicates, |number| {
            let mut stream = random(seed, number);
            let units = (0..60)
                .map(|_| {
                    let exposure = 40.0 + 120.0 * stream.uniform();
                    let rate = (spread * normal(&mut stream)).exp();
                    Unit::log_rate(poisson(&mut stream, rate * exposure), exposure)
                })
                .collect::<Answer<Vec<_>>>()?;
            let marks = funnel(&units, allowance)?.marks;
            Ok(marks.iter().filter(|m| m.p < 0.05).count() as f64 / marks.len() as f64)
        })?;
        Answer::Ok(runs)
    };
    Ok(vec![
        mean(
            "funnel, units alike: outside the 95% limits",
            &outside(204, 0.0, Allowance::Random)?,
            (0.02, 0.07),
        ),
        mean(
            "funnel, units .3 apart: outside the 95% limits",
            &outside(205, 0.3, Allowance::Random)?,
            (0.02, 0.07),
        ),
        mean(
            "the same, winsorised factor instead (a known fault)",
            &outside(205, 0.3, Allowance::Multiplicative)?,
            (0.07, 0.16),
        ),
        mean(
            "the same, no allowance for spread (a known fault)",
            &outside(205, 0.3, Allowance::Nothing)?,
            (0.35, 0.70),
        ),
    ])
}

/// The mean of the lines' log medians, resampled by line.
fn resampled_means(lines: &[f64], resamples: usize, seed: u64) -> Answer<Vec<f64>> {
    let design = Design::simple(lines.len())?;
    let mean = |counts: &[u32]| {
        lines.iter().zip(counts).map(|(v, &c)| v * f64::from(c)).sum::<f64>() / lines.len() as f64
    };
    Ok(design.replicate(resamples, seed, mean))
}

/// Eight operators of 40 lines, tied or stepped: every operator's true rank is among its ranks.
pub(crate) fn ranks_hold_the_truth(replicates: u64, resamples: usize) -> Answer<Vec<Finding>> {
    let covered = |seed: u64, step: f64| {
        each(replicates, |number| {
            let mut stream = random(seed, number);
            let operators: Vec<Vec<f64>> = (0..8)
                .map(|k| (0..40).map(|_| step * f64::from(k / 2) + 0.35 * normal(&mut stream)).collect())
                .collect();
            let observed: Vec<f64> = operators.iter().map(|l| l.iter().sum::<f64>() / 40.0).collect();
            let drawn = (0..8)
                .map(|k| resampled_means(&operators[k], resamples, number * 8 + k as u64))
                .collect::<Answer<Vec<_>>>()?;
            let ranks = rank_sets(&observed, &drawn, 0.95, 40)?;
            // Operators come in tied pairs, the last pair first: pair 3 holds ranks 1 and 2.
            let right = ranks.iter().enumerate().all(|(k, r)| {
                let (first, last) = if step == 0.0 { (1, 8) } else { (7 - 2 * (k / 2), 8 - 2 * (k / 2)) };
                r.from <= first && last <= r.to
            });
            Ok(right)
        })
    };
    Ok(vec![
        share("eight operators alike: all ranks hold the truth", &covered(206, 0.0)?, (0.92, 1.0)),
        share("four tied pairs .15 apart: all ranks hold the truth", &covered(207, 0.15)?, (0.92, 1.0)),
    ])
}

fn clusters(lines: &[Vec<(f64, u64)>]) -> Vec<Cluster<'_>> {
    lines.iter().map(|line| (1.0, line.as_slice())).collect()
}

/// Two operators of 40 lines, ratio 1.35: the whole shift function lies in its band; delta and D in their intervals.
pub(crate) fn whole_curves_are_held(replicates: u64, resamples: usize) -> Answer<Vec<Finding>> {
    let plan = PanelPlan::new(40, 60, 1.35);
    let spread = plan.between.hypot(plan.within);
    let ps: Vec<f64> = (1..10).map(|k| f64::from(k) / 10.0).collect();
    let truth: Vec<f64> = ps
        .iter()
        .map(|p| plan.median * (spread * Normal::standard().inverse_cdf(*p)).exp() * (plan.ratio - 1.0))
        .collect();
    let middle = |scale: f64| 2.0 * Normal::standard().cdf(plan.ratio.ln() / (scale * spread)) - 1.0;
    let (delta, ks) = (middle(2.0_f64.sqrt()), middle(2.0));
    let labels: Vec<usize> = (0..80).map(|line| line / 40).collect();
    let design = Design::stratified(&labels)?;
    let runs = each(replicates, |number| {
        let panels = plan.draw(&mut random(208, number));
        let bins = |lines: &[Vec<f64>]| -> Vec<Vec<(f64, u64)>> {
            lines.iter().map(|l| l.iter().map(|v| (*v, 1)).collect()).collect()
        };
        let (ours, theirs) = (bins(&panels[0]), bins(&panels[1]));
        let apart = apart(&clusters(&ours), &clusters(&theirs), resamples, number, 0.95)?;
        let (own, peer) = (Clustered::of_values(&panels[0])?, Clustered::of_values(&panels[1])?);
        let gap = |counts: &[u32]| -> Answer<Vec<f64>> {
            let (a, b) = (own.resampled(&counts[..40], &ps)?, peer.resampled(&counts[40..], &ps)?);
            Ok(a.iter().zip(b).map(|(a, b)| a - b).collect())
        };
        let observed = gap(&[1; 80])?;
        let drawn: Vec<Vec<f64>> =
            design.replicate(resamples, number, gap).into_iter().collect::<Answer<_>>()?;
        let by_point: Vec<Vec<f64>> = (0..ps.len()).map(|k| drawn.iter().map(|d| d[k]).collect()).collect();
        let band = simultaneous(&observed, &by_point, 0.95, 40)?;
        let held = band.points.iter().zip(&truth).all(|(i, t)| i.is_some_and(|i| i.contains(*t)));
        Ok((held, apart.delta_interval.contains(delta), apart.ks_interval.contains(ks)))
    })?;
    let (mut curve, mut deltas, mut distances) = (Vec::new(), Vec::new(), Vec::new());
    for (a, b, c) in runs {
        curve.push(a);
        deltas.push(b);
        distances.push(c);
    }
    Ok(vec![
        share("shift function, ratio 1.35: held at all deciles", &curve, (0.90, 1.0)),
        share("Cliff's delta, lines resampled: interval covers", &deltas, (0.92, 1.0)),
        share("Kolmogorov-Smirnov D: interval covers", &distances, (0.92, 1.0)),
    ])
}

/// Standard normal values until a cumulative sum raises the alarm.
pub(crate) fn run_lengths(replicates: u64) -> Answer<Vec<Finding>> {
    let lengths = |seed: u64, shift: f64| {
        each(replicates, |number| {
            let mut stream = random(seed, number);
            let (mut up, mut down, mut length) = (0.0_f64, 0.0_f64, 0.0);
            let Cusum { k, h } = Cusum::STANDARD;
            while up <= h && down <= h {
                let z = shift + normal(&mut stream);
                (up, down) = ((up + z - k).max(0.0), (down - z - k).max(0.0));
                length += 1.0;
            }
            Ok(length)
        })
    };
    Ok(vec![
        mean("cumulative sum, no shift: values until a false alarm", &lengths(209, 0.0)?, (160.0, 176.0)),
        mean("cumulative sum, a shift of 1 sd: values until the alarm", &lengths(210, 1.0)?, (8.0, 8.8)),
    ])
}

/// A study of the planned size finds the gap as often as planned.
pub(crate) fn plans_keep_their_word(replicates: u64) -> Answer<Vec<Finding>> {
    let pilot = Side { clusters: 10, between: 0.35 * 0.35, within: 0.0 };
    let planned = plan(pilot, pilot, Aim::Find(1.35_f64.ln()), 0.05, 0.8)?.both.0;
    let margin = 1.1_f64.ln();
    let equal = Aim::ShowEqual { margin, difference: 0.0 };
    let many = plan(pilot, pilot, equal, 0.05, 0.9)?.both.0;
    let draw = |stream: &mut Stream, n: usize, gap: f64| -> Vec<f64> {
        (0..n).map(|_| gap + 0.35 * normal(stream)).collect()
    };
    let found = each(replicates, |number| {
        let mut stream = random(211, number);
        let own = draw(&mut stream, planned, 1.35_f64.ln());
        Ok(Welch::new(&own, &draw(&mut stream, planned, 0.0))?.p()? < 0.05)
    })?;
    let shown = each(replicates, |number| {
        let mut stream = random(212, number);
        let own = draw(&mut stream, many, 0.0);
        let test = Welch::new(&own, &draw(&mut stream, many, 0.0))?.equivalence(-margin, margin)?;
        Ok(test.interval_90.is_within(-margin, margin))
    })?;
    Ok(vec![
        share("planned to find a gap in 80 of 100: found", &found, (0.74, 0.86)),
        share("planned to show equality in 90 of 100: shown", &shown, (0.86, 0.94)),
    ])
}
