//! The distributions that the other files need: through statrs, with its panics turned into refusals, and the
//! incomplete beta function from here, because that of statrs 0.19 runs a fixed number of terms and is wrong for large
//! counts.

use super::refusal::{Answer, finite, open_unit, positive};
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};
use statrs::function::gamma::ln_gamma;
use std::f64::consts::TAU;

/// P(Z <= z) of the standard normal distribution.
pub(super) fn normal_cdf(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// The density of the standard normal distribution.
pub(super) fn normal_density(z: f64) -> f64 {
    (-z * z / 2.0).exp() / TAU.sqrt()
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
    finite(t, "the t statistic")?;
    let square = t * t;
    let tail = if square.is_finite() {
        incomplete_beta(df / (df + square), square / (df + square), df / 2.0, 0.5) / 2.0
    } else {
        0.0
    };
    finite(if t > 0.0 { 1.0 - tail } else { tail }, "the t probability")
}

/// The t below which a share `p` lies, by bisection.
pub(super) fn t_quantile(p: f64, df: f64) -> Answer<f64> {
    open_unit(p, "the probability")?;
    let tail = p.min(1.0 - p);
    let mut high = 1.0;
    while t_cdf(-high, df)? > tail {
        high = finite(high * 2.0, "the t quantile")?;
    }
    let t = bisect(0.0, high, |t| t_cdf(-t, df).map(|q| q > tail))?;
    Ok(if p < 0.5 { -t } else { t })
}

/// The x below which a share `p` of the chi-squared distribution lies.
pub(super) fn chi_squared_quantile(p: f64, df: f64) -> Answer<f64> {
    open_unit(p, "the probability")?;
    positive(df, "the degrees of freedom")?;
    let x = ChiSquared::new(df).map_or(f64::NAN, |d| d.inverse_cdf(p));
    finite(x, "the chi-squared quantile")
}

/// P(X >= x) of the chi-squared distribution.
pub(super) fn chi_squared_tail(x: f64, df: f64) -> Answer<f64> {
    finite(x, "the chi-squared statistic")?;
    positive(df, "the degrees of freedom")?;
    let tail = ChiSquared::new(df).map_or(f64::NAN, |d| if x <= 0.0 { 1.0 } else { d.sf(x) });
    finite(tail, "the chi-squared probability")
}

/// I_x(a, b), the share of a beta distribution below `x`.
pub(super) fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    incomplete_beta(x, 1.0 - x, a, b)
}

/// I_x(a, b) with `y` = 1 - x given apart, so that neither end loses digits.
///
/// The continued fraction of Abramowitz and Stegun 26.5.8, by Lentz's method, run until it stands still: for shapes
/// of a million that takes a thousand terms, and a fixed number of them would be wrong in the third digit. The factor
/// in front is that of Loader (Fast and Accurate Computation of Binomial Probabilities, 2000).
fn incomplete_beta(x: f64, y: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        0.0
    } else if y <= 0.0 {
        1.0
    } else if x * (a + b + 2.0) < a + 1.0 {
        (factor(x, y, a, b) * fraction(x, a, b) / a).clamp(0.0, 1.0)
    } else {
        1.0 - (factor(y, x, b, a) * fraction(y, b, a) / b).clamp(0.0, 1.0)
    }
}

/// x^a y^b / B(a, b).
fn factor(x: f64, y: f64, a: f64, b: f64) -> f64 {
    let n = a + b;
    let deviance = |k: f64, mean: f64| {
        let e = (mean - k) / k;
        k * (e - e.ln_1p())
    };
    let root = (a * (b / n) / TAU).sqrt();
    root * (stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * y))
    .exp()
}

/// How far ln of the gamma function lies from Stirling's formula.
fn stirling_error(z: f64) -> f64 {
    if z < 16.0 {
        ln_gamma(z) - ((z - 0.5) * z.ln() - z + TAU.ln() / 2.0)
    } else {
        let w = 1.0 / (z * z);
        (1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w / 1188.0)))) / z
    }
}

/// The continued fraction of the incomplete beta function.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away_from_zero = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for term in 1..10_000_000 {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let step = d * c;
        value *= step;
        if (step - 1.0).abs() < 3e-16 {
            break;
        }
    }
    value
}

/// The x below which a share `p` of the beta distribution lies, by bisection: slow and sure.
pub(super) fn beta_quantile(p: f64, a: f64, b: f64) -> Answer<f64> {
    open_unit(p, "the probability")?;
    positive(a, "the first shape")?;
    positive(b, "the second shape")?;
    bisect(0.0, 1.0, |x| Ok(beta_cdf(x, a, b) < p))
}

/// Where a condition that holds up to some point ceases to hold.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> Answer<bool>) -> Answer<f64> {
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if below(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    finite(f64::midpoint(low, high), "the quantile")
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

    // Oracle: scipy 1.17.1, scipy.stats.{beta, binom, t}.
    #[test]
    fn large_counts_lose_no_digits() {
        close(beta_cdf(0.501, 5e5, 5e5), 0.977_249_949_038_367_7);
        close(beta_cdf(0.5, 5e6, 5e6), 0.5);
        close(binomial_cdf(499_000, 1_000_000, 0.5), 0.022_804_149_932_694_8);
        close(binomial_cdf(10_005, 10_000_000, 0.001), 0.522_602_541_968_502_1);
        close(t_cdf(-1.5, 1e7).unwrap(), 0.066_807_217_053_814_76);
        close(t_cdf(-4.0, 1e6).unwrap(), 3.167_351_700_502_405e-5);
        close(t_quantile(0.975, 1e7).unwrap(), 1.959_964_221_767_205);
        close(t_quantile(0.025, 1e5).unwrap(), -1.959_987_707_534_609_5);
    }
}
