//! On how much does a quantile of clustered values stand, and how far may it be off?
//!
//! Clusters count by their weights, however many values they hold: F(x) is the weighted mean of the clusters' own
//! distribution functions. The p-quantile is as uncertain as the clusters' shares below it differ: with v the variance
//! of these shares and k the number of equal weights that the weights are worth (Kish, Survey Sampling, 1965), it stands
//! on p (1 - p) k / v independent values, and on no more than there are values. Its standard error is Woodruff's (J. Am.
//! Stat. Assoc. 47, 1952): the share at the quantile is known to within s = sqrt(p (1 - p) / n), and half the distance
//! from the (p - s)-quantile to the (p + s)-quantile is what that comes to in values. No density is guessed.
//!
//! With few clusters both numbers are rough themselves: they are meant for plans, not for verdicts.

use super::design::effective_weights;
use super::quantile::weighted;
use super::refusal::{Answer, at_least, finite, open_unit, positive};

/// Values of clusters in ascending order, ready for any quantile.
#[derive(Clone, Debug)]
pub struct Pool {
    /// (value, share of its cluster's weight)
    values: Vec<(f64, f64)>,
    /// The cluster of each value.
    owners: Vec<u32>,
    weights: Vec<f64>,
    counts: Vec<u64>,
}

/// A quantile with what it stands on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The quantile.
    pub value: f64,
    /// Independent values that it is worth.
    pub effective: f64,
    /// Its standard error.
    pub error: f64,
    /// The part of its variance that more values in the same clusters would take away, from 0 to 1.
    pub within: f64,
}

impl Pool {
    /// From the clusters' values with their counts, and their weights (above 0).
    pub fn new(clusters: &[(&[(f64, u64)], f64)]) -> Answer<Self> {
        at_least(clusters.len(), 1, "clusters")?;
        let mut entries = Vec::with_capacity(clusters.iter().map(|c| c.0.len()).sum());
        let mut counts = Vec::with_capacity(clusters.len());
        for (owner, (values, weight)) in clusters.iter().enumerate() {
            positive(*weight, "a weight")?;
            let count: u64 = values.iter().map(|v| v.1).sum();
            at_least(count as usize, 1, "values in a cluster")?;
            for &(value, times) in *values {
                entries.push((finite(value, "a value")?, weight * times as f64 / count as f64, owner as u32));
            }
            counts.push(count);
        }
        entries.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        Ok(Self {
            values: entries.iter().map(|e| (e.0, e.1)).collect(),
            owners: entries.iter().map(|e| e.2).collect(),
            weights: clusters.iter().map(|c| c.1).collect(),
            counts,
        })
    }

    /// How many clusters there are.
    pub fn clusters(&self) -> usize {
        self.weights.len()
    }

    /// How many values there are.
    pub fn values(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The quantile, and on how much it stands.
    pub fn at(&self, p: f64) -> Answer<Standing> {
        let value = weighted(&self.values, open_unit(p, "the quantile")?)?;
        let shares = self.shares(value, p);
        let variance = spread(&shares, &self.weights);
        let effective = independent(p, &self.weights, variance, self.values());
        // What the values of a cluster leave in its own share; of a single value that cannot be known.
        let noise = mean(&self.weights, |c| {
            if self.counts[c] > 1 { shares[c] * (1.0 - shares[c]) / (self.counts[c] - 1) as f64 } else { 0.0 }
        });
        let within = if variance > 0.0 { (noise / variance).min(1.0) } else { 1.0 };
        Ok(Standing { value, effective, error: self.error(p, (p * (1.0 - p) / effective).sqrt())?, within })
    }

    /// Each cluster's share below the quantile; what is tied with it is split so that the share of all is p.
    fn shares(&self, value: f64, p: f64) -> Vec<f64> {
        let (mut below, mut tied) = (vec![0.0; self.weights.len()], vec![0.0; self.weights.len()]);
        for (&(v, mass), &owner) in self.values.iter().zip(&self.owners).take_while(|((v, _), _)| *v <= value)
        {
            (if v < value { &mut below } else { &mut tied })[owner as usize] += mass;
        }
        let sum = |parts: &[f64]| parts.iter().sum::<f64>();
        let goal = p * sum(&self.weights);
        let split = ((goal - sum(&below)) / sum(&tied)).clamp(0.0, 1.0);
        below.iter().zip(&tied).zip(&self.weights).map(|((b, t), w)| (b + split * t) / w).collect()
    }

    /// Where p - s or p + s lies outside of all values, the slope up to the outermost value stands for the rest.
    fn error(&self, p: f64, s: f64) -> Answer<f64> {
        let outermost = 1e-9;
        let (low, high) = ((p - s).max(outermost), (p + s).min(1.0 - outermost));
        let distance = weighted(&self.values, high)? - weighted(&self.values, low)?;
        finite(distance * s / (high - low), "the standard error")
    }
}

fn mean(weights: &[f64], of: impl Fn(usize) -> f64) -> f64 {
    weights.iter().enumerate().map(|(cluster, weight)| weight * of(cluster)).sum::<f64>()
        / weights.iter().sum::<f64>()
}

/// The variance of the clusters' shares below a quantile.
pub fn spread(shares: &[f64], weights: &[f64]) -> f64 {
    let centre = mean(weights, |c| shares[c]);
    mean(weights, |c| (shares[c] - centre).powi(2))
}

/// The independent values that the p-quantile is worth, from the variance of the clusters' shares below it.
pub fn independent(p: f64, weights: &[f64], spread: f64, values: u64) -> f64 {
    let values = values as f64;
    let worth = effective_weights(weights).map(|worth| p * (1.0 - p) * worth / spread);
    worth.ok().filter(|_| spread > 0.0).map_or(values, |worth| worth.min(values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::planted::normal;
    use crate::stats::{Purpose, Stream};

    // By hand: weights 1, 1/2, 1/2 and 1 are worth 3^2 / 2.5 = 3.6 equal ones, and half of the weight lies up to 2, a
    // variance of 1/4 = p (1 - p).
    #[test]
    fn unequal_weights_are_worth_fewer_clusters_than_there_are() {
        let values: Vec<[(f64, u64); 1]> = (1..=4).map(|i| [(f64::from(i), 1)]).collect();
        let clusters: Vec<(&[(f64, u64)], f64)> =
            values.iter().zip([1.0, 0.5, 0.5, 1.0]).map(|(v, w)| (v.as_slice(), w)).collect();
        let got = Pool::new(&clusters).unwrap().at(0.5).unwrap();
        assert!((got.effective - 3.6).abs() < 1e-9 && got.value == 2.0, "{got:?}");
    }

    #[test]
    fn repeated_values_add_nothing_and_their_own_noise_is_all_there_is_without_clusters() {
        let same: Vec<[(f64, u64); 1]> = (0..80).map(|i| [(f64::from(i), 100)]).collect();
        let clusters: Vec<(&[(f64, u64)], f64)> = same.iter().map(|v| (v.as_slice(), 1.0)).collect();
        let got = Pool::new(&clusters).unwrap().at(0.5).unwrap();
        assert!((got.effective - 80.0).abs() < 1e-9 && got.within < 1e-9, "{got:?}");
        let alike: Vec<Vec<(f64, u64)>> = (0..80)
            .map(|c| (0..40).map(|i| (f64::from((i * 83 + c * 7) % 97), 1)).collect())
            .map(sorted)
            .collect();
        let clusters: Vec<(&[(f64, u64)], f64)> = alike.iter().map(|v| (v.as_slice(), 1.0)).collect();
        let got = Pool::new(&clusters).unwrap().at(0.5).unwrap();
        assert!(got.within > 0.9, "{got:?}");
    }

    fn sorted(mut values: Vec<(f64, u64)>) -> Vec<(f64, u64)> {
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        values
    }

    // Against the truth: how far the quantile strays over 300 panels of 60 clusters of 20 values, beside the mean of what
    // is said of one. Band: five standard deviations of a standard deviation of 300.
    #[test]
    fn the_error_is_how_far_the_quantile_strays() {
        for p in [0.5, 0.9, 0.95] {
            let (mut values, mut errors) = (Vec::new(), Vec::new());
            for run in 0..300 {
                let mut stream = Stream::new(7, Purpose::Simulation, run);
                let clusters: Vec<Vec<(f64, u64)>> = (0..60)
                    .map(|_| {
                        let level = 0.35 * normal(&mut stream);
                        (0..20).map(|_| (level + 0.3 * normal(&mut stream), 1)).collect()
                    })
                    .collect();
                let clusters: Vec<(&[(f64, u64)], f64)> =
                    clusters.iter().map(|v| (v.as_slice(), 1.0)).collect();
                let got = Pool::new(&clusters).unwrap().at(p).unwrap();
                values.push(got.value);
                errors.push(got.error);
            }
            let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
            let centre = mean(&values);
            let strays = mean(&values.iter().map(|v| (v - centre).powi(2)).collect::<Vec<_>>()).sqrt();
            let ratio = mean(&errors) / strays;
            assert!((0.8..1.2).contains(&ratio), "p {p}: {ratio}");
        }
    }

    #[test]
    fn nothing_is_refused_by_name() {
        assert!(Pool::new(&[]).is_err());
        assert!(Pool::new(&[(&[], 1.0)]).is_err());
        assert!(Pool::new(&[(&[(1.0, 1)], 0.0)]).is_err());
        assert!(Pool::new(&[(&[(f64::NAN, 1)], 1.0)]).is_err());
        assert!(Pool::new(&[(&[(1.0, 1)], 1.0)]).unwrap().at(1.0).is_err());
    }
}
