//! Which group has a rate of its own? Counts over unequal exposure, drawn towards their mean, and a funnel around it.
//!
//! Small groups have extreme rates by chance. Each group's own rate is taken to be drawn from a gamma distribution
//! (Clayton and Kaldor, Biometrics 43, 1987), whose mean and variance are those of the groups (moments of Marshall,
//! Appl. Stat. 40, 1991); given its count, a group's rate is gamma again, between its own and the mean, the nearer to the
//! mean the less is known of it. An ordinary group's count is negative binomial, and its limits are the funnel, widened
//! by what ordinary groups differ (Spiegelhalter, Stat. Med. 24, 2005, with his interpolation between counts).
//!
//! The interval of a drawn rate takes mean and variance as known: with a handful of groups it is somewhat too short.

use super::Interval;
use super::distribution::{beta_cdf, chi_squared_quantile, chi_squared_tail};
use super::poisson::garwood;
use super::refusal::{Answer, at_least, finite, open_unit, positive};

/// Fewer groups have no spread to speak of.
pub const FEWEST_GROUPS: usize = 3;

/// Groups taken together.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunken {
    /// The rate of all together, per unit of exposure.
    pub mean: f64,
    /// The variance of the groups' own rates, 0 where they differ no more than by chance.
    pub variance: f64,
    /// Each group's rate after drawing, with its interval, in the order of the input.
    pub rates: Vec<(f64, Interval)>,
}

/// Draws the rates of groups, each `(count, exposure)`, towards their mean.
pub fn shrink_rates(groups: &[(u64, f64)], level: f64) -> Answer<Shrunken> {
    let tail = (1.0 - open_unit(level, "the confidence level")?) / 2.0;
    at_least(groups.len(), FEWEST_GROUPS, "groups")?;
    for group in groups {
        positive(group.1, "the exposure")?;
    }
    let exposure: f64 = groups.iter().map(|g| g.1).sum();
    let count: u64 = groups.iter().map(|g| g.0).sum();
    let mean = finite(count as f64 / exposure, "the mean rate")?;
    let square = |g: &(u64, f64)| g.1 * (g.0 as f64 / g.1 - mean).powi(2);
    let seen = groups.iter().map(square).sum::<f64>() / exposure;
    // Of that, chance alone makes (k - 1) / k of the mean over the mean exposure, for the mean is that of the same groups.
    let k = groups.len() as f64;
    let by_chance = (k - 1.0) * mean / exposure;
    let squares: f64 = groups.iter().map(|g| g.1 * g.1).sum();
    let variance = ((seen - by_chance) / (1.0 - squares / (exposure * exposure))).max(0.0);
    let rate = |&(count, own): &(u64, f64)| -> Answer<(f64, Interval)> {
        if variance <= 0.0 {
            let all = garwood(groups.iter().map(|g| g.0).sum(), level)?;
            return Ok((mean, all.map(|count| count / exposure)));
        }
        let (shape, per) = (mean * mean / variance + count as f64, mean / variance + own);
        let at = |p: f64| Ok(chi_squared_quantile(p, 2.0 * shape)? / (2.0 * per));
        Ok((finite(shape / per, "a drawn rate")?, Interval::new(at(tail)?, at(1.0 - tail)?)))
    };
    let rates = groups.iter().map(rate).collect::<Answer<_>>()?;
    Ok(Shrunken { mean, variance, rates })
}

impl Shrunken {
    /// Where the rate of an ordinary group of this exposure lies with this probability.
    pub fn limits(&self, exposure: f64, level: f64) -> Answer<Interval> {
        let tail = (1.0 - open_unit(level, "the level")?) / 2.0;
        positive(exposure, "the exposure")?;
        let at_most = |count: u64| -> Answer<f64> {
            let count = count as f64;
            if self.variance <= 0.0 {
                return chi_squared_tail(2.0 * self.mean * exposure, 2.0 * (count + 1.0));
            }
            let (shape, per) = (self.mean * self.mean / self.variance, self.mean / self.variance);
            Ok(beta_cdf(per / (per + exposure), shape, count + 1.0))
        };
        let quantile = |p: f64| -> Answer<f64> {
            let (mut count, mut below, mut here) = (0, 0.0, at_most(0)?);
            let most = (20.0 * (self.mean * exposure + 10.0)).ceil() as u64;
            while here < p && count < most {
                count += 1;
                (below, here) = (here, at_most(count)?);
            }
            let step = here - below;
            let share = if step > 0.0 { ((here - p) / step).clamp(0.0, 1.0) } else { 0.0 };
            Ok(((count as f64 - share) / exposure).max(0.0))
        };
        Ok(Interval::new(quantile(tail)?, quantile(1.0 - tail)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Purpose, Refusal, Stream};

    /// The next count of a Poisson distribution (Knuth).
    fn poisson(stream: &mut Stream, mean: f64) -> u64 {
        let (limit, mut product, mut count) = ((-mean).exp(), stream.uniform(), 0);
        while product > limit {
            product *= stream.uniform();
            count += 1;
        }
        count
    }

    /// Groups of 20 to 400 with rates from a gamma distribution of shape 4 and mean `mean`, or all the same: (group, truth).
    fn planted(mean: f64, differ: bool, run: u64) -> Vec<((u64, f64), f64)> {
        let stream = &mut Stream::new(81, Purpose::Simulation, run);
        (0..40)
            .map(|i| {
                let exposure = [20.0, 50.0, 120.0, 400.0][i % 4] / 100.0;
                let gamma: f64 = (0..4).map(|_| -(1.0 - stream.uniform()).ln()).sum::<f64>() / 4.0;
                let rate = if differ { mean * gamma } else { mean };
                ((poisson(stream, rate * exposure), exposure), rate)
            })
            .collect()
    }

    #[test]
    fn drawn_rates_lie_nearer_to_the_truth_and_their_intervals_hold_it() {
        let (mut own, mut drawn, mut held, mut all) = (0.0, 0.0, 0, 0);
        let mut spread = 0.0;
        for run in 0..100 {
            let made = planted(8.0, true, run);
            let groups: Vec<(u64, f64)> = made.iter().map(|one| one.0).collect();
            let found = shrink_rates(&groups, 0.95).unwrap();
            spread += found.variance.sqrt() / 100.0;
            for (((count, exposure), truth), (rate, interval)) in made.iter().zip(&found.rates) {
                own += (*count as f64 / exposure - truth).powi(2);
                drawn += (rate - truth).powi(2);
                held += usize::from(interval.contains(*truth));
                all += 1;
            }
        }
        assert!(drawn < 0.6 * own, "{drawn} {own}");
        let share = held as f64 / f64::from(all);
        assert!((0.92..0.97).contains(&share), "held {share}");
        // The planted spread is half of the mean.
        assert!((spread - 4.0).abs() < 0.4, "{spread}");
    }

    #[test]
    fn of_ordinary_groups_one_in_twenty_lies_outside_the_inner_limits() {
        for differ in [false, true] {
            let (mut outside, mut all) = ([0, 0], 0);
            for run in 0..100 {
                let made = planted(8.0, differ, run);
                let groups: Vec<(u64, f64)> = made.iter().map(|one| one.0).collect();
                let found = shrink_rates(&groups, 0.95).unwrap();
                for (count, exposure) in groups {
                    let rate = count as f64 / exposure;
                    for (k, level) in [0.95, 0.998].into_iter().enumerate() {
                        let limits = found.limits(exposure, level).unwrap();
                        outside[k] += usize::from(!limits.contains(rate));
                    }
                    all += 1;
                }
            }
            let [inner, outer] = outside.map(|n| n as f64 / f64::from(all));
            assert!((0.02..0.07).contains(&inner) && outer < 0.006, "{differ}: {inner} {outer}");
        }
    }

    // Oracle: the Poisson distribution with mean 4 by hand: P(X <= 0) = 0.018316, P(X <= 1) = 0.091578, P(X <= 8) =
    // 0.978637, P(X <= 7) = 0.948866.
    #[test]
    fn limits_without_spread_are_those_of_a_poisson_count() {
        let same = Shrunken { mean: 4.0, variance: 0.0, rates: Vec::new() };
        let got = same.limits(1.0, 0.95).unwrap();
        let share = |p: f64, below: f64, here: f64| (here - p) / (here - below);
        assert!((got.low - (1.0 - share(0.025, 0.018_316, 0.091_578))).abs() < 1e-4, "{got:?}");
        assert!((got.high - (8.0 - share(0.975, 0.948_866, 0.978_637))).abs() < 1e-4, "{got:?}");
        let wide = Shrunken { variance: 4.0, ..same };
        let wider = wide.limits(1.0, 0.95).unwrap();
        assert!(wider.low < got.low && wider.high > got.high);
        // With very much exposure only the spread remains: gamma of shape 4 and mean 4, whose 2.5% and 97.5% points are
        // chi-squared quantiles of 8 degrees of freedom over 2: 1.0899 and 8.7673.
        let large = wide.limits(2_000.0, 0.95).unwrap();
        assert!((large.low - 1.0899).abs() < 0.01 && (large.high - 8.7673).abs() < 0.03, "{large:?}");
    }

    #[test]
    fn groups_that_do_not_differ_are_drawn_all_the_way_and_two_are_refused() {
        let found = shrink_rates(&[(10, 1.0), (20, 2.0), (30, 3.0)], 0.95).unwrap();
        assert_eq!((found.variance, found.mean), (0.0, 10.0));
        assert!(found.rates.iter().all(|rate| rate.0 == 10.0 && rate.1.contains(10.0)));
        assert!(matches!(shrink_rates(&[(1, 1.0), (2, 1.0)], 0.95), Err(Refusal::TooFew { .. })));
        assert!(shrink_rates(&[(1, 1.0), (2, 0.0), (3, 1.0)], 0.95).is_err());
    }
}
