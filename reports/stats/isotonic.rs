//! The best step curve that never falls (or never rises): isotonic regression.
//!
//! Pool adjacent violators (Ayer et al., Ann. Math. Stat. 26, 1955; Barlow et al., Statistical Inference under Order
//! Restrictions, 1972): neighbours in the wrong order are merged into their weighted mean until none is left. It is
//! the least-squares fit, and the maximum-likelihood fit for shares and rates, under the order alone.
//!
//! It shows a shape; its steps at the two ends rest on few values and lean outward.

use super::refusal::{Answer, Refusal, all_finite, at_least, same_length};

/// Which way the curve may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It never falls.
    Rising,
    /// It never rises.
    Falling,
}

/// The fitted value of each input, in order; weights above 0.
pub fn isotonic(values: &[f64], weights: &[f64], direction: Direction) -> Answer<Vec<f64>> {
    at_least(values.len(), 1, "values")?;
    same_length(values.len(), weights.len(), "the values and the weights")?;
    all_finite(values, "a value")?;
    all_finite(weights, "a weight")?;
    if let Some(&value) = weights.iter().find(|w| **w <= 0.0) {
        return Err(Refusal::OutOfRange { what: "a weight", value, allowed: "above 0" });
    }
    let sign = if direction == Direction::Rising { 1.0 } else { -1.0 };
    // Each block: mean, weight, how many values.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (&value, &weight) in values.iter().zip(weights) {
        let mut block = (sign * value, weight, 1);
        while let Some(&(mean, w, count)) = blocks.last().filter(|last| last.0 >= block.0) {
            block = ((mean * w + block.0 * block.1) / (w + block.1), w + block.1, count + block.2);
            blocks.pop();
        }
        blocks.push(block);
    }
    Ok(blocks.iter().flat_map(|&(mean, _, count)| std::iter::repeat_n(sign * mean, count)).collect())
}

/// How much of the weighted variance the curve explains: 0 for a flat one, 1 where the values are in order.
pub fn explained(values: &[f64], weights: &[f64], fitted: &[f64]) -> Answer<f64> {
    same_length(values.len(), weights.len(), "the values and the weights")?;
    same_length(values.len(), fitted.len(), "the values and the fit")?;
    let total: f64 = weights.iter().sum();
    let mean = values.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / total;
    let spread: f64 = values.iter().zip(weights).map(|(v, w)| w * (v - mean).powi(2)).sum();
    let rest: f64 = values.iter().zip(weights).zip(fitted).map(|((v, w), f)| w * (v - f).powi(2)).sum();
    if spread.is_nan() || spread <= 0.0 {
        return Err(Refusal::NoVariation { what: "the values" });
    }
    Ok((1.0 - rest / spread).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Oracle: scikit-learn 1.9.1, IsotonicRegression(increasing=...).fit_transform(..., sample_weight=...).
    #[test]
    fn violators_are_pooled_as_the_oracle_pools_them() {
        let y = [1.0, 3.0, 2.0, 4.0, 3.5, 6.0, 5.0, 5.0, 8.0];
        let w = [1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 3.0, 1.0, 1.0];
        let third = 2.333_333_333_333_333_5;
        let want = [1.0, third, third, 3.75, 3.75, 5.2, 5.2, 5.2, 8.0];
        for (got, want) in isotonic(&y, &w, Direction::Rising).unwrap().iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{got} is not {want}");
        }
        let falling = isotonic(&y, &w, Direction::Falling).unwrap();
        assert!(falling.iter().all(|v| (v - 49.5 / 12.0).abs() < 1e-12), "{falling:?}");
        let rising = isotonic(&y, &w, Direction::Rising).unwrap();
        let share = explained(&y, &w, &rising).unwrap();
        assert!(share > 0.9 && share < 1.0, "{share}");
    }

    #[test]
    fn weights_must_be_positive_and_values_finite() {
        assert!(matches!(isotonic(&[1.0], &[0.0], Direction::Rising), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(isotonic(&[f64::NAN], &[1.0], Direction::Rising), Err(Refusal::NotFinite { .. })));
        assert!(matches!(isotonic(&[], &[], Direction::Rising), Err(Refusal::TooFew { .. })));
        assert!(matches!(explained(&[2.0, 2.0], &[1.0, 1.0], &[2.0, 2.0]), Err(Refusal::NoVariation { .. })));
    }

    proptest! {
        #[test]
        fn the_fit_is_in_order_and_keeps_the_mean(data in prop::collection::vec((-50.0..50.0, 0.1..9.0), 1..40)) {
            let (y, w): (Vec<f64>, Vec<f64>) = data.into_iter().unzip();
            let fit = isotonic(&y, &w, Direction::Rising).unwrap();
            prop_assert!(fit.is_sorted());
            let sum = |v: &[f64]| v.iter().zip(&w).map(|(v, w)| v * w).sum::<f64>();
            prop_assert!((sum(&y) - sum(&fit)).abs() < 1e-6);
            let again = isotonic(&fit, &w, Direction::Rising).unwrap();
            prop_assert!(again.iter().zip(&fit).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }
}
