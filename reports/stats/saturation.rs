//! How full may it run: delay over utilisation, and the fullest point at which a limit still holds.
//!
//! In the simplest queue (one server, random arrivals and lengths) the mean time is S / (1 - rho) and the p-quantile
//! -ln(1 - p) S / (1 - rho) (Kleinrock, Queueing Systems I, 1975, section 3.2). Real nodes keep its shape, so a + b rho / (1 -
//! rho) is fitted by least squares with weights (1 - rho)^2, as the spread grows with the level. rho must be that of the
//! busy hour: a daily mean hides the bursts.
//!
//! Nothing is said beyond the fullest point observed.

use super::Interval;
use super::bootstrap::{Design, percentile};
use super::refusal::{Answer, Refusal, all_finite, at_least, finite, open_unit, positive, same_length};

/// The mean time in the queue and in service, for a service time and a utilisation.
pub fn mean_time(service: f64, utilisation: f64) -> Answer<f64> {
    positive(service, "the service time")?;
    Ok(service / (1.0 - open_unit(utilisation, "the utilisation")?))
}

/// The time that a share `p` stays below.
pub fn time_quantile(service: f64, utilisation: f64, p: f64) -> Answer<f64> {
    Ok(-(1.0 - open_unit(p, "the quantile")?).ln() * mean_time(service, utilisation)?)
}

/// Some nodes at some times: the cluster (node), its utilisation and the value there.
#[derive(Clone, Copy, Debug)]
pub struct Loaded<'a> {
    /// What each point belongs to, from 0 without gaps.
    pub nodes: &'a [usize],
    /// Between 0 and 1.
    pub utilisation: &'a [f64],
    /// The value, higher is worse.
    pub values: &'a [f64],
}

/// A fitted curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saturation {
    /// The value at no load.
    pub idle: f64,
    /// The growth with rho / (1 - rho).
    pub growth: f64,
    /// The share of the (weighted) variance that it explains.
    pub r_squared: f64,
}

impl Saturation {
    /// The value at a utilisation.
    pub fn at(&self, utilisation: f64) -> f64 {
        self.idle + self.growth * utilisation / (1.0 - utilisation)
    }

    /// The utilisation at which the value comes to `limit`.
    pub fn reaches(&self, limit: f64) -> Answer<f64> {
        if self.growth <= 0.0 {
            return Err(Refusal::Unstable { what: "a curve that does not rise with utilisation" });
        }
        let over = (limit - self.idle) / self.growth;
        if over <= 0.0 {
            return Err(Refusal::OutOfRange {
                what: "the limit",
                value: limit,
                allowed: "above the value at no load",
            });
        }
        Ok(over / (1.0 + over))
    }
}

fn fit(data: &Loaded<'_>, times: &[u32]) -> Answer<Saturation> {
    let (mut n, mut sx, mut sy, mut sxx, mut sxy, mut syy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for ((&node, &rho), &y) in data.nodes.iter().zip(data.utilisation).zip(data.values) {
        let w = f64::from(times[node]) * (1.0 - rho).powi(2);
        let x = rho / (1.0 - rho);
        n += w;
        sx += w * x;
        sy += w * y;
        sxx += w * x * x;
        sxy += w * x * y;
        syy += w * y * y;
    }
    let (vx, vxy, vy) = (sxx - sx * sx / n, sxy - sx * sy / n, syy - sy * sy / n);
    if vx.is_nan() || vx <= 1e-12 * sxx || vy <= 0.0 {
        return Err(Refusal::NoVariation { what: "the utilisation or the values" });
    }
    let growth = finite(vxy / vx, "the growth")?;
    let r_squared = (vxy * vxy / (vx * vy)).clamp(0.0, 1.0);
    Ok(Saturation { idle: finite((sy - growth * sx) / n, "the value at no load")?, growth, r_squared })
}

/// The fullest that a node may run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BalancePoint {
    /// The utilisation at which the expected value comes to the limit.
    pub utilisation: f64,
    /// Its interval over resampled nodes.
    pub interval: Interval,
    /// The largest utilisation that stays on the good side with the confidence asked for (one-sided).
    pub safe: f64,
    /// The curve.
    pub curve: Saturation,
    /// How many nodes.
    pub nodes: usize,
}

/// Where the curve comes to `limit`, resampling whole nodes.
pub fn balance_point(
    data: &Loaded<'_>,
    limit: f64,
    replicates: usize,
    seed: u64,
    level: f64,
) -> Answer<BalancePoint> {
    let n = data.values.len();
    same_length(n, data.nodes.len(), "the values and the nodes")?;
    same_length(n, data.utilisation.len(), "the values and the utilisation")?;
    all_finite(data.values, "a value")?;
    finite(limit, "the limit")?;
    for &rho in data.utilisation {
        finite(rho, "a utilisation")?;
        if !(0.0..1.0).contains(&rho) {
            return Err(Refusal::OutOfRange {
                what: "a utilisation",
                value: rho,
                allowed: "0 or more, below 1",
            });
        }
    }
    let nodes = data.nodes.iter().max().map_or(0, |n| n + 1);
    at_least(nodes, 10, "nodes")?;
    let curve = fit(data, &vec![1; nodes])?;
    let utilisation = curve.reaches(limit)?;
    let fullest = data.utilisation.iter().copied().fold(0.0, f64::max);
    if utilisation > fullest {
        return Err(Refusal::NotReached { what: "the limit" });
    }
    // Where the limit lies at or below the value at no load, no load keeps it.
    let drawn: Vec<Option<f64>> = Design::simple(nodes)?.replicate(replicates, seed, |times| {
        match fit(data, times).and_then(|curve| curve.reaches(limit)) {
            Err(Refusal::OutOfRange { .. }) => Some(0.0),
            found => found.ok(),
        }
    });
    let solved: Vec<f64> = drawn.iter().flatten().copied().collect();
    if (solved.len() as f64) < 0.95 * replicates as f64 {
        return Err(Refusal::Unstable { what: "the balance point" });
    }
    // The one-sided limit is the lower end of the interval that leaves twice as much outside.
    let safe = percentile(&solved, 2.0 * level - 1.0)?.low;
    Ok(BalancePoint { utilisation, interval: percentile(&solved, level)?, safe, curve, nodes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::oracle::uniforms;

    // Kleinrock 1975, 3.2: S = 1.
    #[test]
    fn the_simplest_queue_is_the_textbooks() {
        for (rho, mean, p95) in [
            (0.5, 2.0, 5.991_464_547_107_979),
            (0.8, 5.0, 14.978_661_367_769_955),
            (0.9, 10.0, 29.957_322_735_539_915),
            (0.95, 20.0, 59.914_645_471_079_82),
        ] {
            assert!((mean_time(1.0, rho).unwrap() - mean).abs() < 1e-9);
            assert!((time_quantile(1.0, rho, 0.95).unwrap() - p95).abs() < 1e-9);
        }
        assert!(matches!(mean_time(1.0, 1.0), Err(Refusal::OutOfRange { .. })));
    }

    fn loaded(nodes: usize) -> (Vec<usize>, Vec<f64>, Vec<f64>) {
        let u = uniforms(8, nodes * 20);
        let at: Vec<usize> = (0..nodes * 10).map(|i| i / 10).collect();
        let rho: Vec<f64> = u[..nodes * 10].iter().map(|u| 0.2 + 0.7 * u).collect();
        let y = (0..nodes * 10).map(|i| (0.9 + 0.2 * u[nodes * 10 + i]) / (1.0 - rho[i])).collect();
        (at, rho, y)
    }

    #[test]
    fn four_service_times_are_reached_at_three_quarters() {
        let (nodes, utilisation, values) = loaded(40);
        let data = Loaded { nodes: &nodes, utilisation: &utilisation, values: &values };
        let got = balance_point(&data, 4.0, 400, 1, 0.95).unwrap();
        assert!((got.utilisation - 0.75).abs() < 0.01 && got.interval.contains(0.75), "{got:?}");
        assert!(got.safe < got.utilisation && got.safe > got.interval.low);
        assert!((got.curve.at(got.utilisation) - 4.0).abs() < 1e-9 && got.curve.r_squared > 0.9);
        let far = balance_point(&data, 1_000.0, 400, 1, 0.95);
        assert!(matches!(far, Err(Refusal::NotReached { .. })));
        let below = balance_point(&data, 0.1, 400, 1, 0.95);
        assert!(matches!(below, Err(Refusal::OutOfRange { .. })));
    }

    #[test]
    fn few_nodes_and_flat_values_are_refused() {
        let (nodes, utilisation, values) = loaded(5);
        let few = Loaded { nodes: &nodes, utilisation: &utilisation, values: &values };
        assert!(matches!(balance_point(&few, 4.0, 99, 1, 0.95), Err(Refusal::TooFew { .. })));
        let (nodes, utilisation, values) = loaded(12);
        let same = vec![0.5; values.len()];
        let flat = Loaded { nodes: &nodes, utilisation: &same, values: &values };
        assert!(matches!(balance_point(&flat, 4.0, 99, 1, 0.95), Err(Refusal::NoVariation { .. })));
        let full = vec![1.0; values.len()];
        let full = Loaded { nodes: &nodes, utilisation: &full, values: &values };
        assert!(matches!(balance_point(&full, 4.0, 99, 1, 0.95), Err(Refusal::OutOfRange { .. })));
        assert_eq!(utilisation.len(), values.len());
    }
}
