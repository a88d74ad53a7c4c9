//! What would have to be measured for an open question to be decided? The power calculation turned round.
//!
//! The variance of a side's mean over L clusters of m values is b/L + w/(L m), with b the variance between clusters
//! and w that within. An aim (a difference to be found, or equality to be shown) asks for a variance of the difference
//! of (effect / (z + z))^2. More values on the same clusters shrink only w: where b alone is too large, no number of
//! tests will do, and only more clusters help. Normal approximation, as in [`super::welch`]: about 5% too few at 10 a
//! side.

use super::distribution::normal_quantile;
use super::refusal::{Answer, Refusal, at_least, finite, open_unit, positive};

/// One side as it is measured now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Side {
    /// Clusters.
    pub clusters: usize,
    /// The variance between clusters.
    pub between: f64,
    /// The variance that the values within leave in a cluster's figure: within / m.
    pub within: f64,
}

impl Side {
    fn check(&self) -> Answer<()> {
        at_least(self.clusters, 2, "clusters on one side")?;
        for value in [self.between, self.within] {
            if finite(value, "a variance")? < 0.0 {
                return Err(Refusal::OutOfRange { what: "a variance", value, allowed: "0 or more" });
            }
        }
        positive(self.between + self.within, "the variance of a side").map(drop)
    }

    fn each(&self) -> f64 {
        self.between + self.within
    }
}

/// What is to be decided, on the scale of the variances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// A true difference of this size is to be found.
    Find(f64),
    /// Equality within this margin is to be shown, if the sides truly are this far apart (0 where equal).
    ShowEqual {
        /// The margin.
        margin: f64,
        /// The true difference, smaller than the margin.
        difference: f64,
    },
}

/// What it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The variance of the difference as it is measured now, and as it has to be.
    pub variance: (f64, f64),
    /// Clusters on the first and the second side, the fewest in all, none taken away.
    pub both: (usize, usize),
    /// Clusters on the first side if the second stays as it is; `None` where no number will do.
    pub first_alone: Option<usize>,
    /// Clusters on the second side if the first stays as it is; `None` where no number will do.
    pub second_alone: Option<usize>,
    /// How many times as many values on the same clusters; `None` where no number will do.
    pub values_factor: Option<f64>,
}

impl Plan {
    /// Whether what is measured now is enough.
    pub fn is_enough(&self) -> bool {
        self.variance.0 <= self.variance.1
    }
}

/// What it takes to reach the aim at a two-sided level `alpha` (one-sided for equality) with probability `power`.
pub fn plan(first: Side, second: Side, aim: Aim, alpha: f64, power: f64) -> Answer<Plan> {
    first.check()?;
    second.check()?;
    let alpha = open_unit(alpha, "the error rate")?;
    let power = open_unit(power, "the power")?;
    let (effect, z) = match aim {
        Aim::Find(difference) => {
            (difference.abs(), normal_quantile(1.0 - alpha / 2.0)? + normal_quantile(power)?)
        }
        Aim::ShowEqual { margin, difference } => {
            // Off the middle, only the nearer margin is at stake; in the middle both are.
            let fail = if difference == 0.0 { (1.0 - power) / 2.0 } else { 1.0 - power };
            let z = normal_quantile(1.0 - alpha)? + normal_quantile(1.0 - fail)?;
            (margin.abs() - difference.abs(), z)
        }
    };
    let goal = (positive(effect, "the effect")? / z).powi(2);
    let (a, b) = (first.each(), second.each());
    let (na, nb) = (first.clusters as f64, second.clusters as f64);
    let now = a / na + b / nb;
    let floor = first.between / na + second.between / nb;
    let alone = |own: f64, have: usize, rest: f64| {
        (goal > rest).then(|| ((own / (goal - rest)).ceil() as usize).max(have))
    };
    let first_alone = alone(a, first.clusters, b / nb);
    let second_alone = alone(b, second.clusters, a / na);
    // Fewest in all: in proportion to the standard deviations, unless one side has more than its share already.
    let total = a.sqrt() + b.sqrt();
    let wanted = (a.sqrt() * total / goal, b.sqrt() * total / goal);
    let both = if now <= goal {
        (first.clusters, second.clusters)
    } else if wanted.0 <= na {
        (first.clusters, second_alone.unwrap_or(second.clusters))
    } else if wanted.1 <= nb {
        (first_alone.unwrap_or(first.clusters), second.clusters)
    } else {
        (wanted.0.ceil() as usize, wanted.1.ceil() as usize)
    };
    let noise = now - floor;
    let values_factor = (goal > floor).then(|| (noise / (goal - floor)).max(1.0));
    Ok(Plan {
        variance: (now, finite(goal, "the variance asked for")?),
        both,
        first_alone,
        second_alone,
        values_factor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::welch::{n_to_detect, n_to_show_equality};
    use proptest::prelude::*;

    fn side(clusters: usize, sd: f64) -> Side {
        Side { clusters, between: sd * sd, within: 0.0 }
    }

    // Oracle: statsmodels 0.15.0, NormalIndPower().solve_power(.5, alpha=.05, power=.8) = 62.79; numpy 2.4.6 for the
    // Neyman allocation (58.38 and 83.39) and for one side alone (47.18 at 100 on the other).
    #[test]
    fn the_numbers_are_those_of_the_plain_power_calculation() {
        let got = plan(side(10, 1.0), side(10, 1.0), Aim::Find(0.5), 0.05, 0.8).unwrap();
        assert_eq!(got.both, (63, 63));
        assert_eq!(got.both.0, n_to_detect(1.0, 0.5, 0.05, 0.8).unwrap());
        assert!(!got.is_enough() && got.first_alone.is_none() && got.values_factor.is_none());
        let got = plan(side(10, 0.35), side(10, 0.5), Aim::Find(0.2), 0.05, 0.8).unwrap();
        assert_eq!(got.both, (59, 84));
        let got = plan(side(10, 0.35), side(100, 0.5), Aim::Find(0.2), 0.05, 0.8).unwrap();
        assert_eq!((got.both, got.first_alone), ((48, 100), Some(48)));
        assert!((got.variance.1 - 0.005_096_268_684_682_199).abs() < 1e-12);
        let margin = 1.1_f64.ln();
        let equal = Aim::ShowEqual { margin, difference: 0.0 };
        let got = plan(side(40, 0.352), side(40, 0.352), equal, 0.05, 0.9).unwrap();
        assert_eq!(got.both.0, n_to_show_equality(0.352, margin, 0.05, 0.9).unwrap());
    }

    #[test]
    fn more_tests_help_only_where_the_lines_alone_are_enough() {
        let noisy = Side { clusters: 50, between: 0.01, within: 0.09 };
        let got = plan(noisy, noisy, Aim::Find(0.1), 0.05, 0.8).unwrap();
        // Now .004, asked for .001274, of which lines alone take .0004: (.0036 / .000874).
        let factor = got.values_factor.unwrap();
        assert!((factor - 0.0036 / (0.01 / 7.848_879_734 - 0.0004)).abs() < 1e-3, "{factor}");
        let few = Side { clusters: 10, ..noisy };
        assert!(plan(few, few, Aim::Find(0.1), 0.05, 0.8).unwrap().values_factor.is_none());
    }

    #[test]
    fn an_aim_that_cannot_be_reached_is_refused() {
        let beyond = Aim::ShowEqual { margin: 0.1, difference: 0.2 };
        assert!(matches!(
            plan(side(9, 1.0), side(9, 1.0), beyond, 0.05, 0.8),
            Err(Refusal::OutOfRange { .. })
        ));
        assert!(matches!(
            plan(side(9, 0.0), side(9, 1.0), Aim::Find(1.0), 0.05, 0.8),
            Err(Refusal::OutOfRange { .. })
        ));
        assert!(matches!(
            plan(side(1, 1.0), side(9, 1.0), Aim::Find(1.0), 0.05, 0.8),
            Err(Refusal::TooFew { .. })
        ));
    }

    proptest! {
        #[test]
        fn what_is_planned_reaches_the_aim(
            na in 2_usize..200, nb in 2_usize..200, sa in 0.1_f64..3.0, sb in 0.1_f64..3.0, effect in 0.05_f64..2.0,
        ) {
            let got = plan(side(na, sa), side(nb, sb), Aim::Find(effect), 0.05, 0.8).unwrap();
            let variance = |n: (usize, usize)| sa * sa / n.0 as f64 + sb * sb / n.1 as f64;
            prop_assert!(variance(got.both) <= got.variance.1 * (1.0 + 1e-9));
            prop_assert!(got.both.0 >= na && got.both.1 >= nb);
            if let Some(first) = got.first_alone {
                prop_assert!(variance((first, nb)) <= got.variance.1 * (1.0 + 1e-9));
            }
        }
    }
}
