//! How far an estimate would move with other clusters: the cluster bootstrap, stratified and seeded.
//!
//! Whole clusters (lines, sites) are drawn with replacement within their stratum (for example within each operator),
//! as often as there are clusters in it, with everything they carry. Intervals are the percentile interval, or BCa
//! for few clusters (Efron, JASA 82, 1987; for several strata Davison and Hinkley, Bootstrap Methods and their
//! Application, 1997, section 5.4). Replicate b draws from stream b, so the number of threads changes nothing.
//!
//! It cannot help with a handful of clusters: with 20 a nominal 95% interval covers 87 to 95%. Values inside a
//! cluster may depend on each other; clusters must not.

use super::Interval;
use super::distribution::{normal_cdf, normal_quantile, t_quantile, two_sided_z};
use super::refusal::{Answer, Refusal, all_finite, at_least, finite, open_unit, same_length};
use super::stream::{Purpose, Stream};
use rayon::prelude::*;

/// Below this many clusters in the smallest stratum, [`Design::interval`] uses BCa.
pub const FEW_CLUSTERS: usize = 40;

/// Which clusters there are, and within which groups they are resampled.
#[derive(Clone, Debug)]
pub struct Design {
    clusters: usize,
    /// The clusters of each stratum; strata in ascending order of their label.
    strata: Vec<Vec<usize>>,
}

/// Which interval was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntervalKind {
    /// Quantiles of the replicates.
    Percentile,
    /// Bias-corrected and accelerated.
    Bca,
}

/// An estimate with its bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrapped {
    /// The statistic of the data as it is.
    pub observed: f64,
    /// Where it may lie.
    pub interval: Interval,
    /// How the interval was made.
    pub kind: IntervalKind,
}

impl Design {
    /// `clusters` clusters in one stratum.
    pub fn simple(clusters: usize) -> Answer<Self> {
        Self::stratified(&vec![0; clusters])
    }

    /// One label per cluster; clusters are drawn within their label. Every stratum needs two clusters or more.
    pub fn stratified(labels: &[usize]) -> Answer<Self> {
        let mut groups = std::collections::BTreeMap::<usize, Vec<usize>>::new();
        for (cluster, &label) in labels.iter().enumerate() {
            groups.entry(label).or_default().push(cluster);
        }
        let strata: Vec<_> = groups.into_values().collect();
        at_least(strata.iter().map(Vec::len).min().unwrap_or(0), 2, "clusters in a stratum")?;
        Ok(Self { clusters: labels.len(), strata })
    }

    /// How many clusters there are.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// How many clusters the smallest stratum has.
    pub fn smallest_stratum(&self) -> usize {
        self.strata.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// The statistic of `replicates` resamples, in the order of their number. It is given how often each cluster was
    /// drawn.
    pub fn replicate<T, F>(&self, replicates: usize, seed: u64, statistic: F) -> Vec<T>
    where
        T: Send,
        F: Fn(&[u32]) -> T + Sync,
    {
        (0..replicates)
            .into_par_iter()
            .map_init(
                || vec![0; self.clusters],
                |counts, number| {
                    self.draw(seed, number as u64, counts);
                    statistic(counts)
                },
            )
            .collect()
    }

    fn draw(&self, seed: u64, number: u64, counts: &mut [u32]) {
        counts.fill(0);
        let mut stream = Stream::new(seed, Purpose::Bootstrap, number);
        for stratum in &self.strata {
            for _ in 0..stratum.len() {
                counts[stratum[stream.below(stratum.len())]] += 1;
            }
        }
    }

    /// The statistic with each cluster left out in turn, in the order of the clusters.
    pub fn jackknife<T, F>(&self, statistic: F) -> Vec<T>
    where
        T: Send,
        F: Fn(&[u32]) -> T + Sync,
    {
        (0..self.clusters)
            .into_par_iter()
            .map_init(
                || vec![1; self.clusters],
                |counts, left_out| {
                    counts[left_out] = 0;
                    let value = statistic(counts);
                    counts[left_out] = 1;
                    value
                },
            )
            .collect()
    }

    /// The BCa interval from the replicates and the jackknife of the same statistic.
    pub fn bca(&self, observed: f64, replicates: &[f64], jackknife: &[f64], level: f64) -> Answer<Interval> {
        let sorted = checked(replicates, level)?;
        finite(observed, "the observed statistic")?;
        let bias = bias_correction(&sorted, observed)?;
        let acceleration = self.acceleration(jackknife)?;
        let limit = |tail: f64| -> Answer<f64> {
            let shifted = bias + normal_quantile(tail)?;
            let slope = 1.0 - acceleration * shifted;
            if slope <= 0.0 {
                return Err(Refusal::Unstable { what: "the acceleration of the BCa interval" });
            }
            Ok(interpolated(&sorted, normal_cdf(bias + shifted / slope)))
        };
        let tail = (1.0 - level) / 2.0;
        Ok(Interval::new(limit(tail)?, limit(1.0 - tail)?))
    }

    /// Skewness of the clusters' influence, over all strata; one stratum gives Efron's formula.
    fn acceleration(&self, jackknife: &[f64]) -> Answer<f64> {
        same_length(jackknife.len(), self.clusters, "the jackknife and the clusters")?;
        all_finite(jackknife, "a jackknife value")?;
        let (mut squares, mut cubes) = (0.0, 0.0);
        for stratum in &self.strata {
            let n = stratum.len() as f64;
            let mean = stratum.iter().map(|&c| jackknife[c]).sum::<f64>() / n;
            // The influence (n - 1)(mean - value) enters as its square over n^2 and its cube over n^3.
            let scale = (n - 1.0) / n;
            for &cluster in stratum {
                let influence = scale * (mean - jackknife[cluster]);
                squares += influence.powi(2);
                cubes += influence.powi(3);
            }
        }
        if squares <= 0.0 {
            return Err(Refusal::NoVariation { what: "the leave-one-out estimates" });
        }
        finite(cubes / (6.0 * squares.powf(1.5)), "the acceleration")
    }

    /// The estimate and its interval: BCa where the smallest stratum has fewer than [`FEW_CLUSTERS`] clusters, the
    /// percentile interval otherwise. The statistic is given how often each cluster counts.
    pub fn interval<F>(&self, replicates: usize, seed: u64, level: f64, statistic: F) -> Answer<Bootstrapped>
    where
        F: Fn(&[u32]) -> Answer<f64> + Sync,
    {
        let observed = finite(statistic(&vec![1; self.clusters])?, "the observed statistic")?;
        let values: Vec<f64> =
            self.replicate(replicates, seed, &statistic).into_iter().collect::<Answer<_>>()?;
        if self.smallest_stratum() < FEW_CLUSTERS {
            let jackknife: Vec<f64> = self.jackknife(&statistic).into_iter().collect::<Answer<_>>()?;
            let interval = self.bca(observed, &values, &jackknife, level)?;
            Ok(Bootstrapped { observed, interval, kind: IntervalKind::Bca })
        } else {
            Ok(Bootstrapped {
                observed,
                interval: percentile(&values, level)?,
                kind: IntervalKind::Percentile,
            })
        }
    }
}

/// The percentile interval: quantiles of the replicates, interpolated between order statistics.
pub fn percentile(replicates: &[f64], level: f64) -> Answer<Interval> {
    let sorted = checked(replicates, level)?;
    let tail = (1.0 - level) / 2.0;
    Ok(Interval::new(interpolated(&sorted, tail), interpolated(&sorted, 1.0 - tail)))
}

/// The level to ask of a bootstrap interval so that with few clusters it covers `level`: percentile intervals are too
/// narrow by sqrt((n - 1) / n) and use z where t is due, and both are made good by a wider level (Hesterberg, Am. Stat.
/// 69, 2015, section 5.3, the expanded percentile interval).
pub fn expanded_level(level: f64, clusters: usize) -> Answer<f64> {
    open_unit(level, "the confidence level")?;
    at_least(clusters, 2, "clusters")?;
    let n = clusters as f64;
    let t = t_quantile(f64::midpoint(1.0, level), n - 1.0)?;
    Ok(1.0 - 2.0 * normal_cdf(-t * (n / (n - 1.0)).sqrt()))
}

/// By how much to widen a critical value, for the same reason as [`expanded_level`].
pub fn expansion(level: f64, clusters: usize) -> Answer<f64> {
    let expanded = expanded_level(level, clusters)?;
    Ok(two_sided_z(expanded)? / two_sided_z(level)?)
}

/// Sorted replicates, enough of them, finite, and not all the same.
fn checked(replicates: &[f64], level: f64) -> Answer<Vec<f64>> {
    open_unit(level, "the confidence level")?;
    at_least(replicates.len(), (2.0 / (1.0 - level)).ceil() as usize, "replicates")?;
    let sorted = super::quantile::sorted(replicates.to_vec())?;
    if sorted[0] == sorted[sorted.len() - 1] {
        return Err(Refusal::NoVariation { what: "the replicates" });
    }
    Ok(sorted)
}

/// How far the replicates lie to one side of the estimate, in standard deviations; ties count half.
fn bias_correction(sorted: &[f64], observed: f64) -> Answer<f64> {
    let below = sorted.partition_point(|&r| r < observed);
    let tied = sorted.partition_point(|&r| r <= observed) - below;
    let share = (below as f64 + 0.5 * tied as f64) / sorted.len() as f64;
    normal_quantile(share).map_err(|_| Refusal::Unstable { what: "the bias correction of the BCa interval" })
}

/// The quantile at position p (B - 1) of sorted replicates, linear between neighbours.
fn interpolated(sorted: &[f64], p: f64) -> f64 {
    let position = p.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "{got} is not {want}");
    }

    /// Two hundred numbers that stand in for replicates.
    fn replicates() -> Vec<f64> {
        (0..200).map(|i| f64::from(i * 37 % 101) / 10.0 + f64::from(i * i % 17) / 5.0).collect()
    }

    // Oracle: numpy 2.4.6 percentile, and the BCa formula of Efron (1987) with scipy 1.17.1 scipy.stats.norm.
    #[test]
    fn intervals_from_given_replicates_are_the_oracles() {
        let replicates = replicates();
        let interval = percentile(&replicates, 0.95).unwrap();
        close(interval.low, 0.7);
        close(interval.high, 12.5);
        let design = Design::simple(7).unwrap();
        let jackknife = [1.0, 2.0, 2.5, 3.0, 7.0, 4.2, 3.3];
        close(design.acceleration(&jackknife).unwrap(), -0.059_606_979_250_317_72);
        let bca = design.bca(6.6, &replicates, &jackknife, 0.95).unwrap();
        close(bca.low, 0.563_386_376_095_191_8);
        close(bca.high, 12.033_797_237_900_899);
        let bca = design.bca(5.0, &replicates, &jackknife, 0.9).unwrap();
        close(bca.low, 0.140_075_882_659_042_03);
        close(bca.high, 9.404_401_344_014_229);
    }

    fn mean(values: &[f64], counts: &[u32]) -> f64 {
        let n: u32 = counts.iter().sum();
        values.iter().zip(counts).map(|(v, &c)| v * f64::from(c)).sum::<f64>() / f64::from(n)
    }

    // Oracle: scipy 1.17.1, 2 * norm.cdf(t.ppf(.975, n - 1) * sqrt(n / (n - 1))) - 1.
    #[test]
    fn few_clusters_ask_for_a_wider_level() {
        for (n, want) in [
            (6, 0.995_136_393_650_776_9),
            (10, 0.982_898_721_951_187_1),
            (40, 0.959_484_927_274_312_3),
            (300, 0.951_301_028_302_310_7),
        ] {
            close(expanded_level(0.95, n).unwrap(), want);
        }
        assert!(expanded_level(0.95, 1).is_err());
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let values: Vec<f64> = (0..30).map(|i| f64::from(i * i % 13)).collect();
        let design = Design::simple(30).unwrap();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| design.interval(500, 3, 0.95, |c| Ok(mean(&values, c))).unwrap())
        };
        assert_eq!(run(1), run(5));
        assert_ne!(run(1), design.interval(500, 4, 0.95, |c| Ok(mean(&values, c))).unwrap());
    }

    #[test]
    fn strata_keep_their_size_in_every_resample() {
        let labels = [0, 1, 0, 1, 1, 0, 1, 2, 2];
        let design = Design::stratified(&labels).unwrap();
        let sizes = design.replicate(50, 1, |counts| {
            let mut sizes = [0; 3];
            for (label, count) in labels.iter().zip(counts) {
                sizes[*label] += count;
            }
            sizes
        });
        assert!(sizes.iter().all(|s| *s == [3, 4, 2]), "{sizes:?}");
        let distinct: std::collections::BTreeSet<Vec<u32>> =
            design.replicate(50, 1, <[u32]>::to_vec).into_iter().collect();
        assert!(distinct.len() > 40);
    }

    #[test]
    fn the_spread_of_a_mean_is_its_standard_error() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        let design = Design::simple(50).unwrap();
        let means = design.replicate(4_000, 11, |c| mean(&values, c));
        let centre = means.iter().sum::<f64>() / 4_000.0;
        let sd = (means.iter().map(|m| (m - centre).powi(2)).sum::<f64>() / 3_999.0).sqrt();
        // Theory: sqrt((n^2 - 1)/12 / n) = 2.0408 for 0..49.
        assert!((sd - 2.0408).abs() < 0.08, "{sd}");
        assert!((centre - 24.5).abs() < 0.15, "{centre}");
    }

    #[test]
    fn what_cannot_be_resampled_is_refused() {
        assert!(matches!(Design::simple(1), Err(Refusal::TooFew { .. })));
        assert!(matches!(Design::stratified(&[]), Err(Refusal::TooFew { .. })));
        assert!(matches!(Design::stratified(&[0, 0, 1]), Err(Refusal::TooFew { .. })));
        assert!(matches!(percentile(&[1.0; 10], 0.95), Err(Refusal::TooFew { .. })));
        assert!(matches!(percentile(&[1.0; 100], 0.95), Err(Refusal::NoVariation { .. })));
        assert!(matches!(percentile(&[f64::NAN; 100], 0.95), Err(Refusal::NotFinite { .. })));
        let design = Design::simple(3).unwrap();
        let far = design.bca(1e9, &replicates(), &[1.0, 2.0, 3.0], 0.95);
        assert!(matches!(far, Err(Refusal::Unstable { .. })));
        let flat = design.bca(6.6, &replicates(), &[1.0; 3], 0.95);
        assert!(matches!(flat, Err(Refusal::NoVariation { .. })));
        let nan = design.interval(100, 1, 0.95, |_| Ok(f64::NAN));
        assert!(matches!(nan, Err(Refusal::NotFinite { .. })));
    }
}
