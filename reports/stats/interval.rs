//! An interval: two finite numbers in order.

use super::distribution::{two_sided_normal_p, two_sided_z};
use super::refusal::{Answer, finite};
use serde::{Deserialize, Serialize};

/// From `low` to `high`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower limit.
    pub low: f64,
    /// The upper limit; never below `low`.
    pub high: f64,
}

impl Interval {
    /// From `low` to `high`.
    pub const fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    /// The smallest interval that also holds `value`.
    #[must_use]
    pub const fn with(self, value: f64) -> Self {
        Self { low: self.low.min(value), high: self.high.max(value) }
    }

    /// Whether `value` lies inside.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Whether all of this lies strictly inside `(low, high)`.
    pub fn is_within(self, low: f64, high: f64) -> bool {
        low < self.low && self.high < high
    }

    /// `high - low`.
    pub fn width(self) -> f64 {
        self.high - self.low
    }

    /// The two-sided probability of a ratio at least as far from 1 if the truth were 1, from its interval at `level`:
    /// normal on the logarithm (Altman and Bland, BMJ 343, 2011, d2304). 1 where the interval reaches down to 0.
    pub fn p_of_ratio(self, ratio: f64, level: f64) -> Answer<f64> {
        if self.low <= 0.0 {
            return Ok(1.0);
        }
        let error = (self.high.ln() - self.low.ln()) / (2.0 * two_sided_z(level)?);
        Ok(two_sided_normal_p(finite(ratio.ln() / error, "the ratio in standard errors")?))
    }

    /// Both limits through an increasing function, such as `exp`.
    #[must_use]
    pub fn map(self, increasing: impl Fn(f64) -> f64) -> Self {
        Self { low: increasing(self.low), high: increasing(self.high) }
    }

    /// As the pair that an estimate carries.
    pub const fn pair(self) -> (f64, f64) {
        (self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Altman and Bland's example: a relative risk of .81 (.70 to .94) has p = .005.
    #[test]
    fn the_probability_of_a_ratio_comes_from_its_interval() {
        let p = Interval::new(0.70, 0.94).p_of_ratio(0.81, 0.95).unwrap();
        assert!((p - 0.005).abs() < 5e-4, "{p}");
        let just = Interval::new(1.0, 4.0).p_of_ratio(2.0, 0.95).unwrap();
        assert!((just - 0.05).abs() < 1e-9, "{just}");
        assert_eq!(Interval::new(0.0, 4.0).p_of_ratio(2.0, 0.95), Ok(1.0));
        assert!(Interval::new(2.0, 2.0).p_of_ratio(1.0, 0.95).is_err());
    }
}
