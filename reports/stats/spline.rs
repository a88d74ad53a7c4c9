//! A smooth curve for a regression: natural cubic splines, cubic between the knots and straight beyond the outer ones.
//!
//! The basis of Stone and Koo (Proc. Stat. Comp. Sect. ASA, 1985) with the knots of Harrell (Regression Modeling
//! Strategies, 2nd ed. 2015, section 2.4.6): k knots give k - 1 columns, the first of them the value itself.

use super::quantile::{nearest_rank, sorted};
use super::refusal::{Answer, Refusal, at_least, finite};

/// A basis over fixed knots.
#[derive(Clone, Debug, PartialEq)]
pub struct Spline {
    knots: Vec<f64>,
}

impl Spline {
    /// Over these knots: three or more, strictly ascending.
    pub fn new(knots: Vec<f64>) -> Answer<Self> {
        at_least(knots.len(), 3, "knots")?;
        super::refusal::ascending(&knots, "the knots")?;
        if knots.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Refusal::NoVariation { what: "two of the knots" });
        }
        Ok(Self { knots })
    }

    /// With `count` knots (3 to 7) at Harrell's quantiles of the values.
    pub fn of_values(values: &[f64], count: usize) -> Answer<Self> {
        let at: &[f64] = match count {
            3 => &[0.1, 0.5, 0.9],
            4 => &[0.05, 0.35, 0.65, 0.95],
            5 => &[0.05, 0.275, 0.5, 0.725, 0.95],
            6 => &[0.05, 0.23, 0.41, 0.59, 0.77, 0.95],
            7 => &[0.025, 0.1833, 0.3417, 0.5, 0.6583, 0.8167, 0.975],
            _ => {
                let value = count as f64;
                return Err(Refusal::OutOfRange { what: "the number of knots", value, allowed: "3 to 7" });
            }
        };
        at_least(values.len(), 5 * count, "values for the knots")?;
        let sorted = sorted(values.to_vec())?;
        Self::new(at.iter().map(|&p| nearest_rank(&sorted, p)).collect::<Answer<_>>()?)
    }

    /// The knots.
    pub fn knots(&self) -> &[f64] {
        &self.knots
    }

    /// How many columns the basis has.
    pub fn width(&self) -> usize {
        self.knots.len() - 1
    }

    /// The columns at `x`.
    pub fn basis(&self, x: f64) -> Answer<Vec<f64>> {
        finite(x, "the value")?;
        let last = self.knots.len() - 1;
        let (outer, inner) = (self.knots[last], self.knots[last - 1]);
        let cube = |knot: f64| (x - knot).max(0.0).powi(3);
        let unit = (outer - self.knots[0]).powi(2);
        let mut columns = vec![x];
        for &knot in &self.knots[..last - 1] {
            let bent = cube(knot) - cube(inner) * (outer - knot) / (outer - inner)
                + cube(outer) * (inner - knot) / (outer - inner);
            columns.push(finite(bent / unit, "a column of the spline")?);
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Oracle: scipy 1.17.1, CubicSpline(knots, heights, bc_type="natural"): the natural spline through given heights is
    // unique, so the basis must reach it between the knots, solved for at the knots.
    #[test]
    fn the_basis_spans_the_natural_splines() {
        let spline = Spline::new(vec![1.0, 2.5, 4.0, 7.0]).unwrap();
        let heights = [2.0, -1.0, 3.0, 0.5];
        let rows: Vec<Vec<f64>> = spline
            .knots()
            .iter()
            .map(|&x| std::iter::once(1.0).chain(spline.basis(x).unwrap()).collect())
            .collect();
        let matrix = nalgebra::DMatrix::from_fn(4, 4, |i, j| rows[i][j]);
        let solution = matrix.lu().solve(&nalgebra::DVector::from_column_slice(&heights)).unwrap();
        for (x, want) in [
            (1.7, -0.149_913_043_478_260_54),
            (3.2, 0.527_059_581_320_451_4),
            (5.5, 3.576_086_956_521_739),
            (6.9, 0.745_471_819_645_730_2),
        ] {
            let columns: Vec<f64> = std::iter::once(1.0).chain(spline.basis(x).unwrap()).collect();
            let got: f64 = columns.iter().zip(solution.iter()).map(|(c, b)| c * b).sum();
            assert!((got - want).abs() < 1e-9, "{x}: {got} is not {want}");
        }
    }

    #[test]
    fn it_is_straight_beyond_the_outer_knots() {
        let spline = Spline::new(vec![1.0, 2.5, 4.0, 7.0]).unwrap();
        for start in [-5.0, 9.0] {
            let at = |x: f64| spline.basis(start + x).unwrap();
            for column in 0..spline.width() {
                let bend = at(0.0)[column] - 2.0 * at(1.0)[column] + at(2.0)[column];
                assert!(bend.abs() < 1e-9, "{bend}");
            }
        }
    }

    #[test]
    fn knots_that_fall_together_are_refused() {
        assert!(matches!(Spline::new(vec![1.0, 1.0, 2.0]), Err(Refusal::NoVariation { .. })));
        assert!(matches!(Spline::new(vec![1.0, 2.0]), Err(Refusal::TooFew { .. })));
        assert!(matches!(Spline::of_values(&[5.0; 100], 4), Err(Refusal::NoVariation { .. })));
        assert!(matches!(Spline::of_values(&[5.0; 100], 9), Err(Refusal::OutOfRange { .. })));
    }
}
