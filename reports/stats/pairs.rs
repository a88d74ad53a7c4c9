//! Differences of pairs: is their mean chance, and can it be called nothing?
//!
//! Student's interval (Biometrika 6, 1908) and two one-sided tests for the mean; the p-value turns the sign of each
//! difference (Fisher, The Design of Experiments, 1935, section 21): if the two of a pair are alike, either sign was as
//! likely. All sign patterns are counted up to 14 pairs, and drawn beyond.

use super::Interval;
use super::distribution::{t_cdf, t_quantile};
use super::refusal::{Answer, Refusal, at_least, open_unit, positive};
use super::stream::{Purpose, Stream};
use super::welch::Moments;

/// Up to this many pairs every sign pattern is counted.
const EXACT: usize = 14;

/// Differences of pairs.
#[derive(Clone, Debug)]
pub struct Pairs {
    gaps: Vec<f64>,
    moments: Moments,
}

impl Pairs {
    /// Of two differences or more that are not all the same.
    pub fn of(gaps: &[f64]) -> Answer<Self> {
        let moments = Moments::of(gaps)?;
        if moments.variance.sqrt() <= 1e-12 * moments.mean.abs() {
            return Err(Refusal::NoVariation { what: "the differences of the pairs" });
        }
        Ok(Self { gaps: gaps.to_vec(), moments })
    }

    /// The mean difference.
    pub fn mean(&self) -> f64 {
        self.moments.mean
    }

    /// Its standard error.
    pub fn standard_error(&self) -> f64 {
        (self.moments.variance / self.moments.n as f64).sqrt()
    }

    fn df(&self) -> f64 {
        (self.moments.n - 1) as f64
    }

    /// Student's interval.
    pub fn interval(&self, level: f64) -> Answer<Interval> {
        let level = open_unit(level, "the confidence level")?;
        let half = t_quantile(f64::midpoint(1.0, level), self.df())? * self.standard_error();
        Ok(Interval::new(self.mean() - half, self.mean() + half))
    }

    /// The p-value of "not within the margin": the larger of two one-sided tests.
    pub fn equivalence(&self, margin: f64) -> Answer<f64> {
        let margin = positive(margin, "the margin")?;
        let above = t_cdf(-(self.mean() + margin) / self.standard_error(), self.df())?;
        let below = t_cdf((self.mean() - margin) / self.standard_error(), self.df())?;
        Ok(above.max(below))
    }

    /// The two-sided p-value from turned signs.
    pub fn sign_p(&self, draws: usize, seed: u64) -> Answer<f64> {
        let sum: f64 = self.gaps.iter().sum();
        let bar = sum.abs() * (1.0 - 1e-12);
        let n = self.gaps.len();
        if n <= EXACT {
            let turned = |pattern: u32| {
                let sign = |k: usize| if pattern >> k & 1 == 1 { -1.0 } else { 1.0 };
                self.gaps.iter().enumerate().map(|(k, g)| sign(k) * g).sum::<f64>()
            };
            let hits = (0..1_u32 << n).filter(|pattern| turned(*pattern).abs() >= bar).count();
            return Ok(hits as f64 / f64::from(1_u32 << n));
        }
        at_least(draws, 19, "draws")?;
        let mut stream = Stream::new(seed, Purpose::Permutation, 0);
        let mut hits = 0_usize;
        for _ in 0..draws {
            let turned: f64 = self.gaps.iter().map(|g| if stream.below(2) == 1 { -g } else { *g }).sum();
            hits += usize::from(turned.abs() >= bar);
        }
        Ok((1 + hits) as f64 / (1 + draws) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAPS: [f64; 9] = [1.2, -0.4, 2.5, 0.8, 1.9, -0.1, 0.6, 1.4, 2.2];

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9, "{got} is not {want}");
    }

    // Oracle: scipy 1.17.1, ttest_1samp and its confidence_interval, permutation_test(permutation_type="samples").
    #[test]
    fn pairs_are_scipys() {
        let pairs = Pairs::of(&GAPS).unwrap();
        let interval = pairs.interval(0.95).unwrap();
        close(interval.low, 0.356_656_461_513_601);
        close(interval.high, 1.887_787_982_930_843);
        close(pairs.sign_p(0, 1).unwrap(), 0.015_625);
        close(pairs.equivalence(2.0).unwrap(), 0.014_764_624_824_628);
    }

    #[test]
    fn turning_every_sign_mirrors_the_answer() {
        let turned = GAPS.map(|g| -g);
        let (a, b) = (Pairs::of(&GAPS).unwrap(), Pairs::of(&turned).unwrap());
        assert_eq!(a.sign_p(0, 1), b.sign_p(0, 1));
        assert_eq!(a.interval(0.9).unwrap().low, -b.interval(0.9).unwrap().high);
        assert_eq!(a.equivalence(1.0), b.equivalence(1.0));
    }

    #[test]
    fn many_pairs_are_drawn_and_few_refused() {
        let many: Vec<f64> = (0..40).map(|i| f64::from(i % 7) - 2.0).collect();
        let p = Pairs::of(&many).unwrap().sign_p(999, 1).unwrap();
        assert!((0.001..0.05).contains(&p), "{p}");
        assert!(matches!(Pairs::of(&[1.0]), Err(Refusal::TooFew { .. })));
        assert!(matches!(Pairs::of(&[1.0; 9]), Err(Refusal::NoVariation { .. })));
        assert!(Pairs::of(&GAPS).unwrap().equivalence(0.0).is_err());
    }
}
