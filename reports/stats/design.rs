//! How much clustered values are worth.
//!
//! Values of one cluster resemble each other. The intraclass correlation rho is their share of the variance that lies
//! between clusters (one-way analysis of variance, unequal sizes: Donner, Int. Stat. Rev. 54, 1986). The variance of a
//! mean grows by the design effect 1 + (m - 1) rho (Kish, Survey Sampling, 1965), so n values in clusters of m are
//! worth n / (1 + (m - 1) rho) independent ones.

use super::refusal::{Answer, Refusal, all_finite, at_least, finite, positive};

/// The design effect of clusters of `size` values with intraclass correlation `rho`.
pub fn design_effect(size: f64, rho: f64) -> Answer<f64> {
    positive(size, "the cluster size")?;
    finite(rho, "the intraclass correlation")?;
    if !(-1.0..=1.0).contains(&rho) {
        return Err(Refusal::OutOfRange {
            what: "the intraclass correlation",
            value: rho,
            allowed: "from -1 to 1",
        });
    }
    positive(1.0 + (size - 1.0) * rho, "the design effect")
}

/// How many independent values `clusters` clusters of `size` values are worth.
pub fn effective_n(clusters: usize, size: f64, rho: f64) -> Answer<f64> {
    at_least(clusters, 1, "clusters")?;
    Ok(clusters as f64 * size / design_effect(size, rho)?)
}

/// How many equal weights the given weights are worth: (sum w)^2 / sum w^2.
pub fn effective_weights(weights: &[f64]) -> Answer<f64> {
    all_finite(weights, "a weight")?;
    if let Some(&value) = weights.iter().find(|w| **w < 0.0) {
        return Err(Refusal::OutOfRange { what: "a weight", value, allowed: "0 or more" });
    }
    let squares: f64 = weights.iter().map(|w| w * w).sum();
    at_least(usize::from(squares > 0.0), 1, "weights above 0")?;
    finite(weights.iter().sum::<f64>().powi(2) / squares, "the effective number")
}

/// What a one-way analysis of variance says about clusters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clustering {
    /// The intraclass correlation; slightly negative by chance where clusters do not matter.
    pub rho: f64,
    /// Mean square between clusters.
    pub between: f64,
    /// Mean square within clusters.
    pub within: f64,
    /// The typical cluster size, adjusted for unequal sizes.
    pub size: f64,
}

/// The analysis-of-variance estimate of the intraclass correlation.
pub fn clustering(clusters: &[Vec<f64>]) -> Answer<Clustering> {
    at_least(clusters.len(), 2, "clusters")?;
    at_least(clusters.iter().map(Vec::len).min().unwrap_or(0), 1, "values in a cluster")?;
    let n: usize = clusters.iter().map(Vec::len).sum();
    let k = clusters.len();
    at_least(n, k + 1, "values in all clusters together")?;
    let (total, groups) = (n as f64, k as f64);
    for cluster in clusters {
        all_finite(cluster, "a value")?;
    }
    let grand = clusters.iter().flatten().sum::<f64>() / total;
    let (mut between, mut within) = (0.0, 0.0);
    for cluster in clusters {
        let size = cluster.len() as f64;
        let mean = cluster.iter().sum::<f64>() / size;
        between += size * (mean - grand).powi(2);
        within += cluster.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    }
    let between = finite(between / (groups - 1.0), "the variance between clusters")?;
    let within = finite(within / (total - groups), "the variance within clusters")?;
    let squares: f64 = clusters.iter().map(|c| (c.len() as f64).powi(2)).sum();
    let size = (total - squares / total) / (groups - 1.0);
    let spread = between + (size - 1.0) * within;
    if spread <= 1e-24 * grand * grand {
        return Err(Refusal::NoVariation { what: "the values" });
    }
    Ok(Clustering {
        rho: finite((between - within) / spread, "the intraclass correlation")?,
        between,
        within,
        size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "{got} is not {want}");
    }

    #[test]
    fn two_hundred_tests_on_each_of_forty_lines_are_worth_few() {
        close(design_effect(200.0, 0.3).unwrap(), 60.7);
        close(effective_n(40, 200.0, 0.3).unwrap(), 8000.0 / 60.7);
        close(effective_weights(&[1.0, 1.0, 0.0, 2.0]).unwrap(), 16.0 / 6.0);
    }

    // Oracle: the mean squares give F = 18.4727 of scipy 1.17.1, scipy.stats.f_oneway; rho by hand from them.
    #[test]
    fn the_intraclass_correlation_is_that_of_the_analysis_of_variance() {
        let groups =
            [vec![9.0, 10.0, 12.0], vec![15.0, 14.0], vec![7.0, 8.0, 9.0, 8.0], vec![11.0, 13.0, 12.0]];
        let got = clustering(&groups).unwrap();
        close(got.between / got.within, 18.472_727_272_727_22);
        close(got.size, 2.944_444_444_444_444_6);
        close(got.rho, 0.855_785_880_374_016_7);
    }

    #[test]
    fn too_little_to_tell_is_refused() {
        assert!(matches!(clustering(&[vec![1.0, 2.0]]), Err(Refusal::TooFew { .. })));
        assert!(matches!(clustering(&[vec![1.0], vec![2.0]]), Err(Refusal::TooFew { .. })));
        assert!(matches!(clustering(&[vec![1.0, 2.0], vec![]]), Err(Refusal::TooFew { .. })));
        assert!(matches!(clustering(&[vec![0.1; 4], vec![0.1; 3]]), Err(Refusal::NoVariation { .. })));
        assert!(matches!(design_effect(3.0, -0.9), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(effective_weights(&[0.0]), Err(Refusal::TooFew { .. })));
    }

    proptest! {
        #[test]
        fn unit_and_origin_change_no_correlation(
            groups in prop::collection::vec(prop::collection::vec(1.0..100.0, 2..8), 2..8),
        ) {
            let moved: Vec<Vec<f64>> = groups.iter().map(|g| g.iter().map(|v| v / 1e3 + 7.0).collect()).collect();
            let (a, b) = (clustering(&groups).unwrap(), clustering(&moved).unwrap());
            prop_assert!((a.rho - b.rho).abs() < 1e-6 && a.rho <= 1.0 + 1e-12);
        }
    }
}
