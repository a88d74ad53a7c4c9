//! How long until it is done, when some are not done yet: Kaplan and Meier's curve.
//!
//! What is still open counts for as long as it has been open, and then leaves without an event (JASA 53, 1958);
//! dropping the open ones would flatter, because the slow ones are open longest. Greenwood's variance on the scale
//! log(-log S) keeps intervals between 0 and 1 (Kalbfleisch and Prentice, 1980); the interval of a quantile is where
//! those of the curve cross it (Brookmeyer and Crowley, Biometrics 38, 1982).
//!
//! It takes what is open to be as hard as what was closed after the same time: cases that are set aside because they
//! are hard break that.

use super::Interval;
use super::distribution::two_sided_z;
use super::refusal::{Answer, Refusal, at_least, finite, open_unit};

/// A time, and whether it ended with the event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spell {
    /// How long; 0 or more.
    pub time: f64,
    /// Whether it is over: `false` where it was still open after this time.
    pub ended: bool,
}

/// One step of the curve: what happened at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// When.
    pub time: f64,
    /// How many were open just before.
    pub at_risk: usize,
    /// How many ended.
    pub ended: usize,
    /// The share still open just after.
    pub open: f64,
    /// Its interval.
    pub interval: Interval,
}

/// The share still open over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    steps: Vec<Step>,
    /// How many spells went in.
    pub spells: usize,
    /// How many of them ended.
    pub ended: usize,
    longest: f64,
}

/// A quantile of the time to the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeQuantile {
    /// The time by which that share has ended.
    pub value: f64,
    /// The lower limit.
    pub low: f64,
    /// The upper limit; none where the data end before it.
    pub high: Option<f64>,
}

/// The curve of these spells, with pointwise intervals.
pub fn kaplan_meier(spells: &[Spell], level: f64) -> Answer<Curve> {
    at_least(spells.len(), 1, "spells")?;
    let z = two_sided_z(level)?;
    for spell in spells {
        finite(spell.time, "a time")?;
        if spell.time < 0.0 {
            return Err(Refusal::OutOfRange { what: "a time", value: spell.time, allowed: "0 or more" });
        }
    }
    let mut ordered = spells.to_vec();
    ordered.sort_by(|a, b| a.time.total_cmp(&b.time));
    let (mut at_risk, mut open, mut greenwood) = (ordered.len(), 1.0, 0.0);
    let mut steps: Vec<Step> = Vec::new();
    for group in ordered.chunk_by(|a, b| a.time == b.time) {
        let ended = group.iter().filter(|spell| spell.ended).count();
        if ended > 0 {
            let (n, d) = (at_risk as f64, ended as f64);
            open *= (n - d) / n;
            greenwood += d / (n * (n - d));
            let before = steps.last().map_or(1.0, |step| step.interval.high);
            let interval = if at_risk == ended {
                // Nobody is left: the curve is at 0, and only the last limit is known.
                Interval::new(0.0, before)
            } else {
                let half = z * greenwood.sqrt() / open.ln().abs();
                Interval::new(open.powf(half.exp()), open.powf((-half).exp()))
            };
            steps.push(Step { time: group[0].time, at_risk, ended, open, interval });
        }
        at_risk -= group.len();
    }
    let ended = steps.iter().map(|step| step.ended).sum();
    let longest = ordered[ordered.len() - 1].time;
    Ok(Curve { steps, spells: spells.len(), ended, longest })
}

impl Curve {
    /// Every time at which something ended.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The share still open at `time`, with its interval; refused beyond the longest spell.
    pub fn open_at(&self, time: f64) -> Answer<(f64, Interval)> {
        finite(time, "the time")?;
        if time > self.longest {
            return Err(Refusal::NotReached { what: "that time" });
        }
        let step = self.steps.iter().rev().find(|step| step.time <= time);
        Ok(step.map_or((1.0, Interval::new(1.0, 1.0)), |step| (step.open, step.interval)))
    }

    /// The share that has ended by `time`, with its interval.
    pub fn ended_by(&self, time: f64) -> Answer<(f64, Interval)> {
        let (open, interval) = self.open_at(time)?;
        Ok((1.0 - open, Interval::new(1.0 - interval.high, 1.0 - interval.low)))
    }

    /// The time by which a share `p` has ended; refused where the data end before it.
    pub fn quantile(&self, p: f64) -> Answer<TimeQuantile> {
        // Rounding in the product must not move a quantile that falls on a step.
        let left = 1.0 - open_unit(p, "the quantile")? + 1e-12;
        let first = |below: fn(&Step) -> f64| {
            self.steps.iter().find(|step| below(step) <= left).map(|step| step.time)
        };
        let value = first(|step| step.open).ok_or(Refusal::NotReached { what: "that share" })?;
        let low = first(|step| step.interval.low).unwrap_or(value);
        Ok(TimeQuantile { value, low, high: first(|step| step.interval.high) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::oracle::uniforms;
    use proptest::prelude::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "{got} is not {want}");
    }

    fn spells() -> Vec<Spell> {
        let u = uniforms(3, 120);
        (0..60)
            .map(|i| {
                let (time, until) = ((-(1.0 - u[i]).ln() * 20.0).ceil(), (u[60 + i] * 60.0).ceil());
                Spell { time: time.min(until), ended: time <= until }
            })
            .collect()
    }

    // Oracle: lifelines 0.30.3, KaplanMeierFitter().fit(...).survival_function_, confidence_interval_,
    // qth_survival_times of both.
    #[test]
    fn the_curve_and_its_quantiles_are_the_oracles() {
        let curve = kaplan_meier(&spells(), 0.95).unwrap();
        assert_eq!((curve.spells, curve.ended), (60, 44));
        for (time, open, low, high) in [
            (2.0, 0.849_056_603_773_585, 0.729_941_141_606_150_5, 0.918_461_744_742_787_9),
            (9.0, 0.560_448_159_787_347_9, 0.421_604_225_571_134_47, 0.678_293_420_957_737_4),
            (20.0, 0.317_992_893_726_937_95, 0.191_011_589_546_740_16, 0.452_501_801_896_086_35),
            (33.0, 0.152_636_588_988_930_2, 0.057_073_507_250_401_674, 0.291_146_030_890_379_94),
        ] {
            let (got, interval) = curve.open_at(time).unwrap();
            close(got, open);
            close(interval.low, low);
            close(interval.high, high);
        }
        for (p, value, low, high) in [
            (0.25, 5.0, 2.0, Some(7.0)),
            (0.5, 13.0, 7.0, Some(16.0)),
            (0.8, 24.0, 20.0, Some(49.0)),
            (0.95, 49.0, 40.0, None),
        ] {
            let got = curve.quantile(p).unwrap();
            assert_eq!((got.value, got.low, got.high), (value, low, high), "{p}");
        }
    }

    #[test]
    fn what_is_open_is_not_dropped() {
        let ended = |time| Spell { time, ended: true };
        let all: Vec<_> = (1..=5).map(|t| ended(f64::from(t))).collect();
        let closed = kaplan_meier(&all, 0.95).unwrap().quantile(0.5).unwrap().value;
        let open = Spell { time: 30.0, ended: false };
        let with_open: Vec<_> = all.iter().copied().chain([open; 4]).collect();
        let censored = kaplan_meier(&with_open, 0.95).unwrap();
        assert!(censored.quantile(0.5).unwrap().value > closed);
        assert!(matches!(censored.quantile(0.95), Err(Refusal::NotReached { .. })));
        assert!(matches!(censored.open_at(31.0), Err(Refusal::NotReached { .. })));
    }

    #[test]
    fn without_spells_or_with_odd_times_it_is_refused() {
        assert!(matches!(kaplan_meier(&[], 0.95), Err(Refusal::TooFew { .. })));
        let odd = |time| kaplan_meier(&[Spell { time, ended: true }], 0.95);
        assert!(matches!(odd(-1.0), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(odd(f64::NAN), Err(Refusal::NotFinite { .. })));
        let curve = odd(3.0).unwrap();
        assert_eq!(curve.open_at(2.0).unwrap().0, 1.0);
        assert_eq!(curve.ended_by(3.0).unwrap(), (1.0, Interval::new(0.0, 1.0)));
    }

    proptest! {
        #[test]
        fn the_curve_only_falls_and_stays_inside_its_interval(
            data in prop::collection::vec((0_u32..40, any::<bool>()), 1..80)
        ) {
            let spells: Vec<_> =
                data.iter().map(|&(t, ended)| Spell { time: f64::from(t), ended }).collect();
            let curve = kaplan_meier(&spells, 0.9).unwrap();
            let mut last = 1.0;
            for step in curve.steps() {
                prop_assert!(step.open <= last && step.interval.low <= step.open + 1e-12);
                prop_assert!(step.open <= step.interval.high + 1e-12 && step.interval.high <= 1.0);
                last = step.open;
            }
        }
    }
}
