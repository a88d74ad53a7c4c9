//! How far a sample of packets pins down a loss ratio or a quantile, at 95 %.
//!
//! Loss: Wilson's interval (1927) on the effective number of packets. Losses come in bursts, so packets say less than
//! their number: with the two-state Markov chain of the burst ratio the variance of the mean grows by
//! `(1 + r) / (1 - r)`, where `r` is the chain's correlation of neighbours, and the number is divided by that.
//! Quantile: the order statistics that bound it whatever the distribution (David and Nagaraja, Order Statistics,
//! section 7.1). Both are about this measurement's minutes; days and lines differ by more.

/// Runs of loss, as a two-state Markov chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// Packets.
    pub n: u64,
    /// Of those, lost.
    pub lost: u64,
    /// Runs of lost packets.
    pub runs: u64,
}

impl Runs {
    /// From each packet's fate in order of sending: true is lost.
    pub fn of(lost: impl IntoIterator<Item = bool>) -> Self {
        let (mut out, mut before) = (Self::default(), false);
        for now in lost {
            out.n += 1;
            out.lost += u64::from(now);
            out.runs += u64::from(now && !before);
            before = now;
        }
        out
    }

    /// The mean length of the runs over what chance gives, `1 / (1 - loss)` (G.107 section 3.5); at least 1.
    pub fn burst_ratio(&self) -> f64 {
        if self.runs == 0 {
            return 1.0;
        }
        let mean = self.lost as f64 / self.runs as f64;
        (mean * (1.0 - self.lost as f64 / self.n as f64)).max(1.0)
    }

    /// The correlation of neighbours: `1 - p - q` of the chain.
    pub fn correlation(&self) -> f64 {
        if self.runs == 0 || self.lost == self.n {
            return 0.0;
        }
        let (into, out) =
            (self.runs as f64 / (self.n - self.lost) as f64, self.runs as f64 / self.lost as f64);
        (1.0 - into - out).max(0.0)
    }
}

/// 97.5 % of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
const TAIL: f64 = 0.025;

/// The interval of a share of `part` in `whole`, where neighbours are correlated by `correlation`.
pub fn share(part: u64, whole: u64, correlation: f64) -> (f64, f64) {
    if whole == 0 {
        return (0.0, 1.0);
    }
    let r = correlation.clamp(0.0, 0.999);
    let n = (whole as f64 * (1.0 - r) / (1.0 + r)).max(1.0);
    let p = part as f64 / whole as f64;
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle - half).clamp(0.0, p), (middle + half).clamp(p, 1.0))
}

/// The ranks, from 1, of the order statistics that bound the quantile `q` of `n` values; `None` where no value lies
/// surely on that side.
pub fn ranks(q: f64, n: u64) -> (Option<u64>, Option<u64>) {
    let (log_q, log_p) = (q.ln(), (-q).ln_1p());
    let mut log_mass = n as f64 * log_p; // of no value below the quantile
    let mut below = 0.0; // that at most k values lie below it
    let (mut lower, mut upper) = (None, None);
    for k in 0..n {
        below += log_mass.exp();
        // P(X(k+1) > quantile) = P(at most k below)
        if below <= TAIL {
            lower = Some(k + 1);
        }
        if below >= 1.0 - TAIL {
            upper = Some(k + 1);
            break;
        }
        log_mass += ((n - k) as f64 / (k + 1) as f64).ln() + log_q - log_p;
    }
    (lower, upper)
}

/// How many values bound the quantile `q` from above.
pub fn fewest(q: f64) -> u64 {
    if q > 0.0 && q < 1.0 { (TAIL.ln() / q.ln()).ceil() as u64 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_wilsons_interval() {
        // statsmodels 0.15.0, proportion_confint(0, 100, method="wilson") and (5, 100).
        let near = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).abs() < 1e-6 && (a.1 - b.1).abs() < 1e-6;
        assert!(near(share(0, 100, 0.0), (0.0, 0.036_993_5)), "{:?}", share(0, 100, 0.0));
        assert!(near(share(5, 100, 0.0), (0.021_543_68, 0.111_750_47)), "{:?}", share(5, 100, 0.0));
        assert_eq!(share(0, 0, 0.0), (0.0, 1.0));
    }

    #[test]
    fn bursts_widen_it() {
        let (independent, bursty) = (share(20, 1_000, 0.0), share(20, 1_000, 0.5));
        assert!(bursty.0 < independent.0 && bursty.1 > independent.1);
    }

    #[test]
    fn quantiles_lie_between_order_statistics() {
        // scipy 1.17.1, binom.cdf: with 100 values the median lies between the 40th and the 61st (coverage 0.9648).
        assert_eq!(ranks(0.5, 100), (Some(40), Some(61)));
        // 1 - 0.5^5 - ... : five values do not bound a median at 95 %, six do (0.96875).
        assert_eq!(ranks(0.5, 5), (None, None));
        assert_eq!(ranks(0.5, 6), (Some(1), Some(6)));
        // A P95 has an upper bound from 72 values on: 0.95^72 = 0.0249.
        assert_eq!((ranks(0.95, 71).1, ranks(0.95, 72).1), (None, Some(72)));
        assert_eq!((fewest(0.95), fewest(0.5), fewest(0.999)), (72, 6, 3_688));
    }
}
