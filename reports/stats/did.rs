//! Did the repair help? The change of the treated units less the change of units left alone.
//!
//! tau = (T1 - T0) - (C1 - C0) on the mean of each unit, by Welch's test on the changes: the unit is what was assigned (a
//! cabinet, not a line or a day), because values of one unit depend on each other (Bertrand, Duflo and Mullainathan, Q. J.
//! Econ. 119, 2004). Where dates differ, each cohort is compared with units not yet treated (Callaway and Sant'Anna, J.
//! Econometrics 225, 2021), and the periods before treatment must show nothing.
//!
//! Units picked because they were bad get better by themselves (regression to the mean). So the rule by which units were
//! picked is part of the question: bad ones compared with anything but others as bad are refused.

use super::Interval;
use super::bootstrap::{Design, expanded_level, percentile};
use super::refusal::{Answer, Refusal, all_finite, at_least, finite};
use super::welch::Welch;

/// How units came to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picked {
    /// Without regard to their values before (by lot, by calendar, all of them).
    Regardless,
    /// For their values before, and the controls by the same rule.
    SameRule,
    /// For their values before, and the controls otherwise, or there are none.
    OtherRule,
}

const SAME_RULE: &str = "units picked for being bad get better by themselves; compare them with units picked by the same \
                         rule and left alone";

fn guard(picked: Picked) -> Answer<()> {
    if picked == Picked::OtherRule { Err(Refusal::Design { why: SAME_RULE }) } else { Ok(()) }
}

/// A unit with its mean before and after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Whether it was treated.
    pub treated: bool,
    /// Its mean before.
    pub before: f64,
    /// Its mean after.
    pub after: f64,
}

/// An effect with what is known about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// The change of the treated less that of the others.
    pub effect: f64,
    /// Its interval.
    pub interval: Interval,
    /// The two-sided p-value against no effect.
    pub p: f64,
    /// Treated units.
    pub treated: usize,
    /// Units left alone.
    pub controls: usize,
}

/// The difference of the differences; three units or more on each side.
pub fn difference_in_differences(units: &[Unit], picked: Picked, level: f64) -> Answer<Effect> {
    guard(picked)?;
    let changes = |treated: bool| -> Vec<f64> {
        units.iter().filter(|u| u.treated == treated).map(|u| u.after - u.before).collect()
    };
    let (treated, controls) = (changes(true), changes(false));
    at_least(treated.len(), 3, "treated units")?;
    at_least(controls.len(), 3, "units left alone")?;
    all_finite(&treated, "a change")?;
    all_finite(&controls, "a change")?;
    let welch = Welch::new(&treated, &controls)?;
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    Ok(Effect {
        effect: finite(mean(&treated) - mean(&controls), "the effect")?,
        interval: welch.interval(level)?,
        p: welch.p()?,
        treated: treated.len(),
        controls: controls.len(),
    })
}

/// The same, given how bad each unit was: changes are held against the line that they follow in the value before, one
/// slope for both sides (analysis of covariance; Vickers and Altman, BMJ 323, 2001). Treated units that were a little worse
/// than those left alone would get better by themselves by a little more. Variances of their own on each side, as in
/// Welch's test, and that of the slope; one degree of freedom goes with it.
pub fn difference_given_before(units: &[Unit], picked: Picked, level: f64) -> Answer<Effect> {
    let plain = difference_in_differences(units, picked, level)?;
    let side = |treated: bool| -> Vec<(f64, f64)> {
        units.iter().filter(|u| u.treated == treated).map(|u| (u.before, u.after - u.before)).collect()
    };
    let sides = [side(true), side(false)];
    let middles = sides.each_ref().map(|side| {
        let n = side.len() as f64;
        (side.iter().map(|u| u.0).sum::<f64>() / n, side.iter().map(|u| u.1).sum::<f64>() / n)
    });
    let (mut across, mut along) = (0.0, 0.0);
    for (side, (before, change)) in sides.iter().zip(middles) {
        across += side.iter().map(|u| (u.0 - before).powi(2)).sum::<f64>();
        along += side.iter().map(|u| (u.0 - before) * (u.1 - change)).sum::<f64>();
    }
    finite(across, "the values before")?;
    if across <= 0.0 {
        return Ok(plain);
    }
    let slope = along / across;
    let n = units.len() as f64;
    let lost = (n - 2.0) / (n - 3.0);
    let squares = [0, 1].map(|k| {
        let (before, change) = middles[k];
        let rest = |u: &(f64, f64)| (u.1 - change - slope * (u.0 - before)).powi(2);
        lost * sides[k].iter().map(rest).sum::<f64>()
    });
    let [treated, controls] = [0, 1].map(|k| {
        let n = sides[k].len() as f64;
        (squares[k] / (n - 1.0) / n, n)
    });
    let apart = middles[0].0 - middles[1].0;
    let variance = treated.0 + controls.0 + apart * apart * (squares[0] + squares[1]) / (n - 2.0) / across;
    if variance <= 0.0 {
        return Err(Refusal::NoVariation { what: "the changes" });
    }
    let parts = treated.0.powi(2) / (treated.1 - 1.0) + controls.0.powi(2) / (controls.1 - 1.0);
    let df = ((treated.0 + controls.0).powi(2) / parts - 1.0).max(1.0);
    let effect = finite(middles[0].1 - middles[1].1 - slope * apart, "the effect")?;
    let error = variance.sqrt();
    let half = super::distribution::t_quantile(f64::midpoint(1.0, level), df)? * error;
    let p = 2.0 * super::distribution::t_cdf(-(effect / error).abs(), df)?;
    Ok(Effect { effect, interval: Interval::new(effect - half, effect + half), p, ..plain })
}

/// The plain change of treated units, without controls: only for units that were not picked for their values.
pub fn before_after(units: &[Unit], picked: Picked, level: f64) -> Answer<Effect> {
    if picked != Picked::Regardless {
        return Err(Refusal::Design { why: SAME_RULE });
    }
    let treated: Vec<&Unit> = units.iter().filter(|u| u.treated).collect();
    at_least(treated.len(), 3, "treated units")?;
    let changes: Vec<f64> = treated.iter().map(|u| u.after - u.before).collect();
    all_finite(&changes, "a change")?;
    let n = changes.len() as f64;
    let mean = changes.iter().sum::<f64>() / n;
    let square = changes.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0);
    if square <= 0.0 {
        return Err(Refusal::NoVariation { what: "the changes" });
    }
    let error = (square / n).sqrt();
    let half = super::distribution::t_quantile(f64::midpoint(1.0, level), n - 1.0)? * error;
    let p = 2.0 * super::distribution::t_cdf(-(mean / error).abs(), n - 1.0)?;
    let interval = Interval::new(mean - half, mean + half);
    Ok(Effect { effect: mean, interval, p, treated: changes.len(), controls: 0 })
}

/// The change of a single treated unit less the mean change of others as bad, by the prediction interval of Student's t:
/// what one more unit left alone would have done (Crawford and Howell, Clin. Neuropsychol. 12, 1998). Six units left alone
/// or more.
pub fn single_case(change: f64, controls: &[f64], picked: Picked, level: f64) -> Answer<Effect> {
    guard(picked)?;
    at_least(controls.len(), 6, "units left alone")?;
    all_finite(controls, "a change")?;
    finite(change, "a change")?;
    let n = controls.len() as f64;
    let mean = controls.iter().sum::<f64>() / n;
    let square = controls.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0);
    if square <= 0.0 {
        return Err(Refusal::NoVariation { what: "the changes" });
    }
    let error = (square * (1.0 + 1.0 / n)).sqrt();
    let effect = finite(change - mean, "the effect")?;
    let half = super::distribution::t_quantile(f64::midpoint(1.0, level), n - 1.0)? * error;
    let p = 2.0 * super::distribution::t_cdf(-(effect / error).abs(), n - 1.0)?;
    let interval = Interval::new(effect - half, effect + half);
    Ok(Effect { effect, interval, p, treated: 1, controls: controls.len() })
}

/// The change of a single treated unit less what its value before makes expect: the line that changes follow in others
/// about as bad, with the prediction interval of one more of them (Crawford and Garthwaite, J. Clin. Exp. Neuropsychol.
/// 28, 2006). What was worst gets better by itself by more than what was nearly as bad, and the line allows for it. Six
/// units left alone or more.
pub fn single_case_by_level(unit: &Unit, controls: &[Unit], picked: Picked, level: f64) -> Answer<Effect> {
    let change = |unit: &Unit| unit.after - unit.before;
    let changes: Vec<f64> = controls.iter().map(change).collect();
    let plain = single_case(change(unit), &changes, picked, level)?;
    let n = controls.len() as f64;
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n;
    let before = mean(&mut controls.iter().map(|c| c.before));
    let usual = mean(&mut changes.iter().copied());
    let across: f64 = controls.iter().map(|c| (c.before - before).powi(2)).sum();
    finite(unit.before - before, "a value before")?;
    if across <= 0.0 {
        // All of them were equally bad: there is no line to follow.
        return Ok(plain);
    }
    let slope = controls.iter().map(|c| (c.before - before) * (change(c) - usual)).sum::<f64>() / across;
    let expected = |at: f64| usual + slope * (at - before);
    let square = controls.iter().map(|c| (change(c) - expected(c.before)).powi(2)).sum::<f64>() / (n - 2.0);
    if square <= 0.0 {
        return Err(Refusal::NoVariation { what: "the changes" });
    }
    let error = (square * (1.0 + 1.0 / n + (unit.before - before).powi(2) / across)).sqrt();
    let effect = finite(change(unit) - expected(unit.before), "the effect")?;
    let half = super::distribution::t_quantile(f64::midpoint(1.0, level), n - 2.0)? * error;
    let p = 2.0 * super::distribution::t_cdf(-(effect / error).abs(), n - 2.0)?;
    let interval = Interval::new(effect - half, effect + half);
    Ok(Effect { effect, interval, p, treated: 1, controls: controls.len() })
}

/// A unit over all periods.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// One value per period, all units alike.
    pub values: Vec<f64>,
    /// The first period under treatment; none where it never was.
    pub treated_from: Option<usize>,
}

/// The effect so many periods after treatment began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventPeriod {
    /// Periods since treatment began; below 0 before it. The period before it (-1) is the base.
    pub since: i32,
    /// The effect against the base.
    pub effect: f64,
    /// Its interval.
    pub interval: Interval,
    /// How many treated units it rests on.
    pub treated: usize,
}

/// Effects over time, with those before treatment, which must be 0.
#[derive(Clone, Debug, PartialEq)]
pub struct EventStudy {
    /// Each period around the start, the base left out.
    pub periods: Vec<EventPeriod>,
    /// The mean over the periods from the start on.
    pub overall: f64,
    /// Its interval.
    pub interval: Interval,
    /// The p-value of all leads together: small where treated and others parted before treatment; none without leads.
    pub leads_p: Option<f64>,
}

/// Compares cohorts with units not yet treated, from `leads` periods before the base to `lags` after the start.
///
/// Units are resampled within their cohort.
pub fn event_study(
    units: &[History],
    (leads, lags): (usize, usize),
    picked: Picked,
    replicates: usize,
    seed: u64,
    level: f64,
) -> Answer<EventStudy> {
    guard(picked)?;
    let periods = units.first().map_or(0, |u| u.values.len());
    at_least(periods, 2, "periods")?;
    for unit in units {
        super::refusal::same_length(unit.values.len(), periods, "the histories")?;
        all_finite(&unit.values, "a value")?;
    }
    // A cohort starts late enough to have a base; units treated from the first period say nothing.
    let cohorts: std::collections::BTreeSet<usize> =
        units.iter().filter_map(|u| u.treated_from).filter(|&from| from > 0 && from < periods).collect();
    at_least(cohorts.len(), 1, "cohorts with a period before treatment")?;
    let labels: Vec<usize> = units.iter().map(|u| u.treated_from.map_or(0, |from| from + 1)).collect();
    let design = Design::stratified(&labels)?;
    let since: Vec<i32> = (-(leads as i32) - 1..=lags as i32).filter(|e| *e != -1).collect();
    let ones = vec![1; units.len()];
    let at = |e: i32, times: &[u32]| effect_at(units, &cohorts, periods, e, times);
    let kept: Vec<i32> = since.into_iter().filter(|&e| at(e, &ones).is_some()).collect();
    at_least(
        kept.iter().filter(|e| **e >= 0).count(),
        1,
        "periods under treatment with units not yet treated",
    )?;
    let observed: Vec<(f64, usize)> = kept.iter().filter_map(|&e| at(e, &ones)).collect();
    let drawn: Vec<Option<Vec<f64>>> =
        design.replicate(replicates, seed, |times| kept.iter().map(|&e| at(e, times).map(|a| a.0)).collect());
    let drawn: Vec<Vec<f64>> = drawn.into_iter().flatten().collect();
    let wide = expanded_level(level, design.smallest_stratum())?;
    let column = |k: usize| -> Vec<f64> { drawn.iter().map(|row| row[k]).collect() };
    let each = kept.iter().enumerate().map(|(k, &since)| {
        let interval = percentile(&column(k), wide)?;
        Ok(EventPeriod { since, effect: observed[k].0, interval, treated: observed[k].1 })
    });
    let after: Vec<usize> = (0..kept.len()).filter(|&k| kept[k] >= 0).collect();
    let mean = |row: &dyn Fn(usize) -> f64| after.iter().map(|&k| row(k)).sum::<f64>() / after.len() as f64;
    let overall: Vec<f64> = drawn.iter().map(|row| mean(&|k| row[k])).collect();
    let before: Vec<usize> = (0..kept.len()).filter(|&k| kept[k] < 0).collect();
    let leads_p = if before.is_empty() {
        None
    } else {
        let spread: Vec<f64> = before.iter().map(|&k| deviation(&column(k))).collect();
        if spread.iter().any(|s| *s <= 0.0) {
            return Err(Refusal::NoVariation { what: "the periods before treatment" });
        }
        let largest = |row: &dyn Fn(usize) -> f64| {
            before.iter().zip(&spread).map(|(&k, s)| row(k).abs() / s).fold(0.0, f64::max)
        };
        let bar = largest(&|k| observed[k].0);
        let hits = drawn.iter().filter(|row| largest(&|k| row[k] - observed[k].0) >= bar).count();
        Some((1 + hits) as f64 / (1 + drawn.len()) as f64)
    };
    Ok(EventStudy {
        periods: each.collect::<Answer<_>>()?,
        overall: mean(&|k| observed[k].0),
        interval: percentile(&overall, wide)?,
        leads_p,
    })
}

fn deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// The mean over cohorts, by their size, of (treated change - change of those not yet treated), and how many treated units
/// it rests on; none where no cohort has both.
fn effect_at(
    units: &[History],
    cohorts: &std::collections::BTreeSet<usize>,
    periods: usize,
    since: i32,
    times: &[u32],
) -> Option<(f64, usize)> {
    let (mut sum, mut weight, mut rests_on) = (0.0, 0.0, 0);
    for &start in cohorts {
        let place = start as i64 + i64::from(since);
        if place < 0 || place >= periods as i64 {
            continue;
        }
        let (place, base) = (place as usize, start - 1);
        let last = place.max(start);
        let (mut own, mut own_n, mut other, mut other_n, mut count) = (0.0, 0.0, 0.0, 0.0, 0);
        for (unit, &times) in units.iter().zip(times) {
            let times = f64::from(times);
            let change = unit.values[place] - unit.values[base];
            match unit.treated_from {
                Some(from) if from == start => {
                    own += times * change;
                    own_n += times;
                    count += 1;
                }
                Some(from) if from <= last => {}
                _ => {
                    other += times * change;
                    other_n += times;
                }
            }
        }
        if own_n > 0.0 && other_n > 0.0 {
            sum += own_n * (own / own_n - other / other_n);
            weight += own_n;
            rests_on += count;
        }
    }
    (weight > 0.0).then(|| (sum / weight, rests_on))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::oracle::uniforms;

    fn unit(treated: bool, before: f64, after: f64) -> Unit {
        Unit { treated, before, after }
    }

    // Oracle: scipy 1.17.1, scipy.stats.ttest_ind(changes, changes, equal_var=False).
    #[test]
    fn the_difference_of_the_differences_is_welchs() {
        let treated = [(50.0, 30.0), (52.0, 30.0), (48.0, 30.0)].map(|(b, a)| unit(true, b, a));
        let controls =
            [(48.0, 45.0), (49.0, 45.0), (47.0, 45.0), (48.0, 45.0)].map(|(b, a)| unit(false, b, a));
        let units = [treated.as_slice(), controls.as_slice()].concat();
        let got = difference_in_differences(&units, Picked::Regardless, 0.95).unwrap();
        assert!((got.effect + 17.0).abs() < 1e-12, "{got:?}");
        assert!(
            (got.p - 0.001_960_557_246_684_701_7).abs() < 1e-9
                && (got.interval.low + 21.371_601_799_814_72).abs() < 1e-6,
            "{got:?}"
        );
        assert_eq!((got.treated, got.controls), (3, 4));
        let alone = before_after(&units, Picked::Regardless, 0.95).unwrap();
        assert!(
            (alone.effect + 20.0).abs() < 1e-12 && (alone.p - 0.003_316_758_722_356_86).abs() < 1e-9,
            "{alone:?}"
        );
    }

    #[test]
    fn the_worst_without_controls_as_bad_are_refused() {
        let units = [unit(true, 9.0, 4.0), unit(true, 8.0, 5.0), unit(true, 9.0, 6.0)];
        for picked in [Picked::SameRule, Picked::OtherRule] {
            assert!(matches!(before_after(&units, picked, 0.95), Err(Refusal::Design { .. })));
        }
        let did = difference_in_differences(&units, Picked::OtherRule, 0.95);
        assert!(matches!(did, Err(Refusal::Design { .. })));
        let did = difference_in_differences(&units, Picked::SameRule, 0.95);
        assert!(matches!(did, Err(Refusal::TooFew { .. })));
    }

    // Oracle: the formula by hand with scipy 1.17.1, scipy.stats.t.ppf and t.cdf at 6 degrees of freedom: controls of mean 0
    // and standard deviation 2.160247, sqrt(1 + 1/7) = 1.069045.
    #[test]
    fn one_unit_is_held_against_what_others_did() {
        let controls = [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0];
        let got = single_case(-8.0, &controls, Picked::SameRule, 0.95).unwrap();
        assert!((got.effect + 8.0).abs() < 1e-12, "{got:?}");
        assert!((got.interval.high + 8.0 - 5.650_905).abs() < 1e-4, "{got:?}");
        assert!(got.p < 0.02 && got.p > 0.01, "{got:?}");
        assert!(matches!(
            single_case(-8.0, &controls[..5], Picked::SameRule, 0.95),
            Err(Refusal::TooFew { .. })
        ));
        assert!(matches!(single_case(-8.0, &controls, Picked::OtherRule, 0.95), Err(Refusal::Design { .. })));
    }

    // Oracle: least squares by hand in Python 3, and Student's 2.446912 at 6 degrees of freedom.
    #[test]
    fn the_worst_is_expected_to_get_better_by_more_than_the_nearly_as_bad() {
        let changes = [-1.2, -1.9, -3.3, -3.8, -5.1, -6.2, -6.7, -8.2];
        let controls: Vec<Unit> = (1..=8)
            .zip(changes)
            .map(|(before, change)| {
                let before = f64::from(before);
                Unit { treated: false, before, after: before + change }
            })
            .collect();
        let own = |change: f64| Unit { treated: true, before: 9.0, after: 9.0 + change };
        let usual = single_case_by_level(&own(-9.0), &controls, Picked::SameRule, 0.95).unwrap();
        assert!((usual.effect + 0.003_571_43).abs() < 1e-8 && usual.p > 0.98, "{usual:?}");
        assert!((usual.interval.high - usual.effect - 0.731_937_8).abs() < 1e-6, "{usual:?}");
        let better = single_case_by_level(&own(-10.0), &controls, Picked::SameRule, 0.95).unwrap();
        assert!(better.interval.high < 0.0, "{better:?}");
        // Beside the plain mean of the others, the usual change of the worst would look like a cure.
        let plain = single_case(-9.0, &changes, Picked::SameRule, 0.95).unwrap();
        assert!(plain.effect < -4.0, "{plain:?}");
        let level: Vec<Unit> = controls.iter().map(|unit| Unit { before: 2.0, ..*unit }).collect();
        assert!(single_case_by_level(&own(-9.0), &level, Picked::SameRule, 0.95).is_ok());
    }

    #[test]
    fn treated_units_that_were_worse_before_are_not_said_to_be_helped() {
        // What is beyond 10 falls by half of that by itself; the treated were worse, and nothing was done to them.
        let u = uniforms(7, 120);
        let units: Vec<Unit> = (0..60)
            .map(|i| {
                let treated = i % 3 == 0;
                let before = 10.0 + 2.0 * u[i] + if treated { 1.0 } else { 0.0 };
                Unit { treated, before, after: 10.0 + 0.5 * (before - 10.0) + 0.4 * (u[60 + i] - 0.5) }
            })
            .collect();
        let plain = difference_in_differences(&units, Picked::SameRule, 0.95).unwrap();
        assert!(plain.interval.high < 0.0, "{plain:?}");
        let given = difference_given_before(&units, Picked::SameRule, 0.95).unwrap();
        assert!(given.interval.contains(0.0) && given.interval.width() < 0.4, "{given:?}");
        let helped: Vec<Unit> =
            units.iter().map(|u| Unit { after: u.after - if u.treated { 1.0 } else { 0.0 }, ..*u }).collect();
        let found = difference_given_before(&helped, Picked::SameRule, 0.95).unwrap();
        assert!((found.effect + 1.0 - given.effect).abs() < 1e-9 && found.p < 1e-6, "{found:?}");
        let level: Vec<Unit> =
            units.iter().map(|u| Unit { before: 10.0, after: 10.0 + u.after - u.before, ..*u }).collect();
        let same = difference_given_before(&level, Picked::SameRule, 0.95).unwrap();
        assert!((same.effect - plain.effect).abs() < 1e-9, "{same:?}");
    }

    fn histories(effect: f64) -> Vec<History> {
        let u = uniforms(99, 60 * 12);
        (0..60)
            .map(|i| {
                let treated_from = match i % 3 {
                    0 => Some(5),
                    1 => Some(8),
                    _ => None,
                };
                let value = |t: usize| {
                    let shift = if treated_from.is_some_and(|from| t >= from) { effect } else { 0.0 };
                    10.0 + i as f64 / 10.0 + 0.3 * t as f64 + shift + u[i * 12 + t]
                };
                History { values: (0..12).map(value).collect(), treated_from }
            })
            .collect()
    }

    #[test]
    fn staggered_starts_are_compared_with_units_not_yet_treated() {
        let got = event_study(&histories(-2.0), (3, 3), Picked::Regardless, 400, 1, 0.95).unwrap();
        assert!(got.interval.contains(-2.0) && (got.overall + 2.0).abs() < 0.2, "{got:?}");
        assert!(got.leads_p.unwrap() > 0.05, "{got:?}");
        assert_eq!(got.periods.iter().map(|p| p.since).collect::<Vec<_>>(), [-4, -3, -2, 0, 1, 2, 3]);
        assert_eq!(got.periods[3].treated, 40);
    }

    #[test]
    fn units_that_part_before_treatment_are_seen() {
        let mut units = histories(0.0);
        for unit in units.iter_mut().filter(|u| u.treated_from.is_some()) {
            unit.values.iter_mut().enumerate().for_each(|(t, v)| *v -= 0.5 * t as f64);
        }
        let got = event_study(&units, (3, 3), Picked::Regardless, 400, 1, 0.95).unwrap();
        assert!(got.leads_p.unwrap() < 0.05, "{got:?}");
    }

    #[test]
    fn without_anyone_to_compare_with_it_is_refused() {
        let mut units = histories(0.0);
        for unit in &mut units {
            unit.treated_from = Some(5);
        }
        let got = event_study(&units, (1, 1), Picked::Regardless, 99, 1, 0.95);
        assert!(matches!(got, Err(Refusal::TooFew { .. })));
        for unit in &mut units {
            unit.treated_from = None;
        }
        let got = event_study(&units, (1, 1), Picked::Regardless, 99, 1, 0.95);
        assert!(matches!(got, Err(Refusal::TooFew { .. })));
    }
}
