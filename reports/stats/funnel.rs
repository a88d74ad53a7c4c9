//! Which units lie further out than units do anyway? A league table without false precision.
//!
//! Units (areas, operators, nodes) differ even where none is at fault. A funnel of sampling error alone calls half of
//! them outliers; so the spread between ordinary units is estimated and allowed for, either added to the variance
//! (random effects: DerSimonian and Laird, Control. Clin. Trials 7, 1986) or as a factor on it (multiplicative, from
//! winsorised z-scores: Spiegelhalter, Qual. Saf. Health Care 14, 2005, which lets about one in nine through).
//!
//! It cannot see a fault that all units share, and with a handful of units the spread between them is hardly known.

use super::Interval;
use super::distribution::{chi_squared_tail, two_sided_normal_p, two_sided_z};
use super::quantile::sorted;
use super::refusal::{Answer, at_least, finite, positive};

/// Fewer units have no spread to speak of.
pub const FEWEST_UNITS: usize = 3;

/// What is known of one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Its figure, on a scale on which errors are about normal.
    pub effect: f64,
    /// The variance of its figure.
    pub variance: f64,
}

impl Unit {
    /// The log rate of `count` events over `exposure`: half an event added, variance 1 / (count + 1/2).
    pub fn log_rate(count: u64, exposure: f64) -> Answer<Self> {
        let events = count as f64 + 0.5;
        Ok(Self { effect: (events / positive(exposure, "the exposure")?).ln(), variance: 1.0 / events })
    }
}

/// Units taken together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pooled {
    /// The mean if all units were the same.
    pub fixed: f64,
    /// The mean of the units that differ.
    pub random: f64,
    /// The standard error of that mean.
    pub standard_error: f64,
    /// The variance between units, 0 or more.
    pub tau_squared: f64,
    /// Cochran's Q.
    pub q: f64,
    /// The probability of a Q at least as large if all units were the same.
    pub p: f64,
    /// The share of the variance that lies between units (Higgins and Thompson, Stat. Med. 21, 2002), 0 or more.
    pub i_squared: f64,
}

/// The method of moments of DerSimonian and Laird.
pub fn dersimonian_laird(units: &[Unit]) -> Answer<Pooled> {
    at_least(units.len(), FEWEST_UNITS, "units")?;
    for unit in units {
        finite(unit.effect, "a unit's figure")?;
        positive(unit.variance, "a unit's variance")?;
    }
    let weights = |extra: f64| units.iter().map(move |u| 1.0 / (u.variance + extra));
    let mean = |extra: f64| {
        let sum: f64 = weights(extra).sum();
        let mean = weights(extra).zip(units).map(|(w, u)| w * u.effect).sum::<f64>() / sum;
        (mean, sum)
    };
    let (fixed, total) = mean(0.0);
    let q: f64 = weights(0.0).zip(units).map(|(w, u)| w * (u.effect - fixed).powi(2)).sum();
    let df = (units.len() - 1) as f64;
    let scale = total - weights(0.0).map(|w| w * w).sum::<f64>() / total;
    let tau_squared = ((q - df) / positive(scale, "the spread of the weights")?).max(0.0);
    let (random, sum) = mean(tau_squared);
    Ok(Pooled {
        fixed: finite(fixed, "the mean")?,
        random: finite(random, "the mean")?,
        standard_error: finite(sum.powf(-0.5), "the standard error")?,
        tau_squared: finite(tau_squared, "the variance between units")?,
        q: finite(q, "Q")?,
        p: chi_squared_tail(q, df)?,
        i_squared: if q > df { (q - df) / q } else { 0.0 },
    })
}

/// How the spread of ordinary units is allowed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// Not at all: a known fault, for comparison only.
    Nothing,
    /// Added to the variance.
    Random,
    /// As a factor on the variance, from z-scores with a tenth of either end pulled in.
    Multiplicative,
}

/// One unit in the funnel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// How far out, in standard deviations that allow for the spread of ordinary units.
    pub z: f64,
    /// The two-sided p-value.
    pub p: f64,
    /// Where 95 of 100 ordinary units of this size lie.
    pub limits_95: Interval,
    /// Where 998 of 1,000 ordinary units of this size lie.
    pub limits_998: Interval,
}

/// A funnel.
#[derive(Clone, Debug, PartialEq)]
pub struct Funnel {
    /// What an ordinary unit is measured against.
    pub centre: f64,
    /// The variance added for ordinary spread.
    pub tau_squared: f64,
    /// The factor on the variance for ordinary spread, 1 or more.
    pub phi: f64,
    /// The units, in the order of the input.
    pub marks: Vec<Mark>,
}

/// Places units in a funnel.
pub fn funnel(units: &[Unit], allowance: Allowance) -> Answer<Funnel> {
    let pooled = dersimonian_laird(units)?;
    let (centre, tau_squared, phi) = match allowance {
        Allowance::Nothing => (pooled.fixed, 0.0, 1.0),
        Allowance::Random => (pooled.random, pooled.tau_squared, 1.0),
        Allowance::Multiplicative => (pooled.fixed, 0.0, winsorised_phi(units, pooled.fixed, 0.1)?.max(1.0)),
    };
    let (inner, outer) = (two_sided_z(0.95)?, two_sided_z(0.998)?);
    let marks = units
        .iter()
        .map(|unit| {
            let spread = (unit.variance * phi + tau_squared).sqrt();
            let z = (unit.effect - centre) / spread;
            let limits = |k: f64| Interval::new(centre - k * spread, centre + k * spread);
            Mark { z, p: two_sided_normal_p(z), limits_95: limits(inner), limits_998: limits(outer) }
        })
        .collect();
    Ok(Funnel { centre, tau_squared, phi, marks })
}

/// The mean square of z-scores with a share of either end pulled in to the quantile there.
pub fn winsorised_phi(units: &[Unit], centre: f64, share: f64) -> Answer<f64> {
    at_least(units.len(), FEWEST_UNITS, "units")?;
    let z = sorted(units.iter().map(|u| (u.effect - centre) / u.variance.sqrt()).collect())?;
    let at = |p: f64| {
        let place = p * (z.len() - 1) as f64;
        let below = place.floor() as usize;
        let above = (below + 1).min(z.len() - 1);
        z[below] + (z[above] - z[below]) * (place - below as f64)
    };
    let (low, high) = (at(share.clamp(0.0, 0.5)), at(1.0 - share.clamp(0.0, 0.5)));
    finite(z.iter().map(|z| z.clamp(low, high).powi(2)).sum::<f64>() / z.len() as f64, "phi")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Refusal;
    use proptest::prelude::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "{got} is not {want}");
    }

    fn eight() -> Vec<Unit> {
        [
            (120, 1000.0),
            (85, 900.0),
            (210, 1500.0),
            (40, 500.0),
            (160, 1100.0),
            (95, 1200.0),
            (300, 1600.0),
            (55, 700.0),
        ]
        .map(|(count, exposure)| Unit::log_rate(count, exposure).unwrap())
        .to_vec()
    }

    // Oracle: statsmodels 0.15.0, statsmodels.stats.meta_analysis.combine_effects(method_re="chi2"); scipy 1.17.1,
    // scipy.stats.chi2.sf.
    #[test]
    fn random_effects_are_statsmodels() {
        let pooled = dersimonian_laird(&eight()).unwrap();
        close(pooled.tau_squared, 0.103_376_192_432_096_93);
        close(pooled.random, -2.186_541_978_719_394_5);
        close(pooled.standard_error, 0.119_337_088_722_970_86);
        close(pooled.fixed, -2.025_481_000_819_019_6);
        close(pooled.q, 98.551_174_483_744_03);
        close(pooled.i_squared, 0.928_970_912_455_694_3);
        assert!((pooled.p / 2.147_955_063_968_377e-18 - 1.0).abs() < 1e-6, "{}", pooled.p);
    }

    // Oracle: numpy 2.4.6, quantile and clip at 10% and 90%.
    #[test]
    fn the_winsorised_factor_is_numpys() {
        let units = eight();
        let fixed = dersimonian_laird(&units).unwrap().fixed;
        close(winsorised_phi(&units, fixed, 0.1).unwrap(), 7.654_952_728_029_146);
    }

    #[test]
    fn units_that_do_not_differ_have_no_spread() {
        let same = vec![Unit { effect: 1.0, variance: 0.2 }; 5];
        let pooled = dersimonian_laird(&same).unwrap();
        assert_eq!((pooled.tau_squared, pooled.i_squared), (0.0, 0.0));
        let funnel = funnel(&same, Allowance::Random).unwrap();
        assert!(funnel.marks.iter().all(|m| m.z.abs() < 1e-9 && m.limits_95.contains(1.0)));
        assert!(
            funnel.marks[0]
                .limits_95
                .is_within(funnel.marks[0].limits_998.low, funnel.marks[0].limits_998.high)
        );
    }

    #[test]
    fn too_few_units_are_refused() {
        let two = dersimonian_laird(&eight()[..2]);
        assert_eq!(two, Err(Refusal::TooFew { what: "units", have: 2, need: 3 }));
        assert!(Unit::log_rate(3, 0.0).is_err());
        assert!(funnel(&[Unit { effect: f64::NAN, variance: 1.0 }; 4], Allowance::Random).is_err());
    }

    proptest! {
        #[test]
        fn a_worse_unit_never_stands_better(counts in prop::collection::vec(1_u64..400, 4..20), add in 1_u64..200) {
            let z = |counts: &[u64]| {
                let units: Vec<_> = counts.iter().map(|&c| Unit::log_rate(c, 1000.0).unwrap()).collect();
                let marks = funnel(&units, Allowance::Random).unwrap().marks;
                // Its place among the others, which is what a table shows.
                marks.iter().filter(|m| m.z < marks[0].z).count()
            };
            let before = z(&counts);
            let mut worse = counts;
            worse[0] += add;
            prop_assert!(z(&worse) >= before);
        }
    }
}
