//! The distributions that the other files need, through statrs, with its panics turned into refusals.

use super::refusal::{Answer, finite, open_unit, positive};
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};
use statrs::function::beta::beta_reg;

/// P(Z <= z) of the standard normal distribution.
pub(super) fn normal_cdf(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// The z below which a share `p` of the standard normal distribution lies.
pub(super) fn normal_quantile(p: f64) -> Answer<f64> {
    open_unit(p, "the probability")?;
    finite(Normal::standard().inverse_cdf(p), "the normal quantile")
}

/// The z whose two tails together leave `level` between them: 1.96 for .95.
pub(super) fn two_sided_z(level: f64) -> Answer<f64> {
    normal_quantile(f64::midpoint(1.0, open_unit(level, "the confidence level")?))
}

/// P(|Z| >= |z|), without the cancellation of `1 - cdf`.
pub(super) fn two_sided_normal_p(z: f64) -> f64 {
    (2.0 * normal_cdf(-z.abs())).min(1.0)
}

/// P(T <= t) of Student's t distribution.
pub(super) fn t_cdf(t: f64, df: f64) -> Answer<f64> {
    positive(df, "the degrees of freedom")?;
    let p = StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |d| d.cdf(t));
    finite(p, "the t probability")
}

/// The t below which a share `p` lies.
pub(super) fn t_quantile(p: f64, df: f64) -> Answer<f64> {
    open_unit(p, "the probability")?;
    positive(df, "the degrees of freedom")?;
    let t = StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |d| d.inverse_cdf(p));
    finite(t, "the t quantile")
}

/// The x below which a share `p` of the chi-squared distribution lies.
pub(super) fn chi_squared_quantile(p: f64, df: f64) -> Answer<f64> {
    open_unit(p, "the probability")?;
    positive(df, "the degrees of freedom")?;
    let x = ChiSquared::new(df).map_or(f64::NAN, |d| d.inverse_cdf(p));
    finite(x, "the chi-squared quantile")
}

/// I_x(a, b), the share of a beta distribution below `x`.
pub(super) fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        0.0
    } else if x >= 1.0 {
        1.0
    } else {
        beta_reg(a, b, x)
    }
}

/// The x below which a share `p` of the beta distribution lies, by bisection: slow and sure.
pub(super) fn beta_quantile(p: f64, a: f64, b: f64) -> Answer<f64> {
    open_unit(p, "the probability")?;
    positive(a, "the first shape")?;
    positive(b, "the second shape")?;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if beta_cdf(middle, a, b) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    finite(f64::midpoint(low, high), "the beta quantile")
}

/// P(K <= k) of a binomial count out of `n`.
pub(super) fn binomial_cdf(k: usize, n: usize, p: f64) -> f64 {
    if k >= n { 1.0 } else { 1.0 - beta_cdf(p, k as f64 + 1.0, (n - k) as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "{got} is not {want}");
    }

    // Oracle: scipy 1.17.1, scipy.stats.{norm, t, chi2, beta, binom}.
    #[test]
    fn quantiles_and_probabilities_are_scipys() {
        close(normal_quantile(0.975).unwrap(), 1.959_963_984_540_054);
        close(two_sided_z(0.95).unwrap(), 1.959_963_984_540_054);
        close(t_quantile(0.975, 1.5).unwrap(), 6.016_663_104_427_929);
        close(t_quantile(0.975, 14.3).unwrap(), 2.140_573_045_096_534_3);
        close(t_quantile(0.95, 300.0).unwrap(), 1.649_948_673_937_634);
        close(t_quantile(0.995, 3.0).unwrap(), 5.840_909_309_733_355);
        close(t_cdf(-2.5, 7.3).unwrap(), 0.019_825_117_332_800_214);
        close(chi_squared_quantile(0.025, 2.0e6).unwrap(), 1_996_081.966_680_587_7);
        close(beta_quantile(0.025, 30.0, 16.0).unwrap(), 0.510_496_362_141_638_6);
        close(beta_quantile(0.975, 3.0, 100_000.0).unwrap(), 7.224_354_453_190_225e-5);
        close(binomial_cdf(39, 100, 0.5), 0.017_600_100_108_852_428);
    }
}
