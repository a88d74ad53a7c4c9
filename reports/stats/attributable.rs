//! Which share of the events would not have happened without the exposure: the population attributable fraction.
//!
//! pd (RR - 1) / RR, with pd the exposed share of the events and RR the rate ratio adjusted for strata (Miettinen, Am. J.
//! Epidemiol. 99, 1974), and with several levels 1 - sum pd_j / RR_j. The ratio is that of Mantel and Haenszel for rates
//! (Rothman, Greenland and Lash, Modern Epidemiology, 2008, chapter 15); the interval resamples whole lines.
//!
//! It is a share of causes only if the ratio is causal. Fractions of several exposures do not add up.

use super::bootstrap::{Bootstrapped, Design};
use super::refusal::{Answer, Refusal, all_finite, at_least, finite, positive};

/// One line's events and exposure, without and with what is asked about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineCounts {
    /// Which lines it is compared with: any number, lines of one stratum share it.
    pub stratum: usize,
    /// Events while not exposed, and while exposed.
    pub events: [f64; 2],
    /// Time not exposed, and exposed.
    pub time: [f64; 2],
}

/// The fraction from the exposed share of the events and the rate ratio; negative where exposure protects.
pub fn attributable(exposed_share: f64, ratio: f64) -> Answer<f64> {
    attributable_levels(&[(1.0 - exposed_share, 1.0), (exposed_share, ratio)])
}

/// The fraction from several levels: the share of the events on each, and its rate ratio against the level without
/// exposure. Shares add up to 1.
pub fn attributable_levels(levels: &[(f64, f64)]) -> Answer<f64> {
    at_least(levels.len(), 1, "levels")?;
    let mut without = 0.0;
    for &(share, ratio) in levels {
        finite(share, "a share of the events")?;
        if !(0.0..=1.0).contains(&share) {
            return Err(Refusal::OutOfRange {
                what: "a share of the events",
                value: share,
                allowed: "0 to 1",
            });
        }
        without += share / positive(ratio, "a rate ratio")?;
    }
    let total: f64 = levels.iter().map(|level| level.0).sum();
    if (total - 1.0).abs() > 1e-9 {
        return Err(Refusal::OutOfRange { what: "the sum of the shares", value: total, allowed: "1" });
    }
    finite(1.0 - without, "the attributable fraction")
}

/// What the exposure explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Explained {
    /// The fraction, with the interval from resampled lines.
    pub fraction: Bootstrapped,
    /// The adjusted rate ratio.
    pub ratio: f64,
    /// The exposed share of the events.
    pub exposed_share: f64,
    /// How many events there were.
    pub events: f64,
    /// How many lines.
    pub lines: usize,
}

/// The fraction over all lines.
pub fn explained(lines: &[LineCounts], replicates: usize, seed: u64, level: f64) -> Answer<Explained> {
    at_least(lines.len(), 2, "lines")?;
    for line in lines {
        all_finite(&line.events, "a number of events")?;
        all_finite(&line.time, "a time")?;
        if let Some(&value) = line.events.iter().chain(&line.time).find(|v| **v < 0.0) {
            return Err(Refusal::OutOfRange { what: "a count or a time", value, allowed: "0 or more" });
        }
    }
    let (ratio, exposed_share) = ratio_and_share(lines, &vec![1; lines.len()])?;
    let design = Design::simple(lines.len())?;
    let fraction = design.interval(replicates, seed, level, |counts| {
        let (ratio, share) = ratio_and_share(lines, counts)?;
        attributable(share, ratio)
    })?;
    let events = lines.iter().map(|line| line.events[0] + line.events[1]).sum();
    Ok(Explained { fraction, ratio, exposed_share, events, lines: lines.len() })
}

fn ratio_and_share(lines: &[LineCounts], counts: &[u32]) -> Answer<(f64, f64)> {
    let mut strata = std::collections::BTreeMap::<usize, [f64; 4]>::new();
    for (line, &count) in lines.iter().zip(counts) {
        let sums = strata.entry(line.stratum).or_default();
        let count = f64::from(count);
        for side in 0..2 {
            sums[side] += count * line.events[side];
            sums[2 + side] += count * line.time[side];
        }
    }
    let (mut above, mut below, mut exposed, mut all) = (0.0, 0.0, 0.0, 0.0);
    for [unexposed_events, exposed_events, unexposed_time, exposed_time] in strata.into_values() {
        let time = unexposed_time + exposed_time;
        if time > 0.0 {
            above += exposed_events * unexposed_time / time;
            below += unexposed_events * exposed_time / time;
        }
        exposed += exposed_events;
        all += exposed_events + unexposed_events;
    }
    if above == 0.0 || below == 0.0 {
        return Err(Refusal::NoEvents { what: "stratum with events both with and without exposure" });
    }
    Ok((above / below, exposed / all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Refusal;
    use proptest::prelude::*;

    // Levin's p (RR - 1) / (1 + p (RR - 1)) with p = .2 and RR = 2.5 is the same fraction by another road.
    #[test]
    fn the_fraction_follows_miettinen() {
        let levin = 0.2 * 1.5 / (1.0 + 0.2 * 1.5);
        assert!((attributable(0.5 / 1.3, 2.5).unwrap() - levin).abs() < 1e-12);
        assert!((levin - 0.230_769).abs() < 1e-6);
        let levels = [(0.5, 1.0), (0.3, 2.0), (0.2, 4.0)];
        assert!((attributable_levels(&levels).unwrap() - 0.30).abs() < 1e-12);
    }

    #[test]
    fn strata_are_compared_within_themselves() {
        // Rate ratio 2 in both strata; the second has ten times the rate and little exposure.
        let line = |stratum, events, time| LineCounts { stratum, events, time };
        let lines: Vec<_> = (0..50)
            .flat_map(|_| [line(0, [2.0, 8.0], [50.0, 100.0]), line(1, [36.0, 8.0], [90.0, 10.0])])
            .collect();
        let got = explained(&lines, 200, 1, 0.95);
        // Equal lines leave nothing to resample but the mix of strata.
        let got = got.unwrap();
        assert!((got.ratio - 2.0).abs() < 1e-9, "{got:?}");
        assert!((got.exposed_share - 16.0 / 54.0).abs() < 1e-12);
        assert!(got.fraction.interval.contains(got.fraction.observed));
    }

    #[test]
    fn nothing_to_compare_is_refused() {
        let none = LineCounts { stratum: 0, events: [1.0, 0.0], time: [5.0, 5.0] };
        assert!(matches!(explained(&[none; 9], 99, 1, 0.95), Err(Refusal::NoEvents { .. })));
        assert!(matches!(explained(&[none], 99, 1, 0.95), Err(Refusal::TooFew { .. })));
        assert!(matches!(attributable(1.4, 2.0), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(attributable(0.4, 0.0), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(attributable_levels(&[(0.4, 2.0)]), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(attributable(f64::NAN, 2.0), Err(Refusal::NotFinite { .. })));
    }

    proptest! {
        #[test]
        fn a_fraction_is_below_the_exposed_share(share in 0.0..1.0, ratio in 0.1..50.0) {
            let fraction = attributable(share, ratio).unwrap();
            prop_assert!(fraction <= share + 1e-12);
            prop_assert_eq!(fraction > 1e-12, ratio > 1.0 + 1e-9 && share > 1e-9);
        }
    }
}
