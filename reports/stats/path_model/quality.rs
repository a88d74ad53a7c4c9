//! How well items hold together.

use super::model::Mode;
use super::moments::Moments;
use nalgebra::SymmetricEigen;

/// Reliability and convergence of a construct. A weak construct is printed as it is, and not dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Cronbach's alpha on standardised items (Psychometrika 16, 1951), at least 0; none for one item or in mode B.
    pub alpha: Option<f64>,
    /// Dillon and Goldstein's rho over the first principal component (Chin 1998); none for one item or in mode B.
    pub rho: Option<f64>,
    /// The average variance that the construct extracts from its items (Fornell and Larcker 1981); none in mode B.
    pub ave: Option<f64>,
    /// The two largest eigenvalues of the items' correlations: one construct shows as one above 1. The second is none for
    /// one item.
    pub eigenvalues: (f64, Option<f64>),
}

pub(super) fn of(moments: &Moments, loadings: &[f64], mode: Mode, k: usize) -> Quality {
    let span = moments.spans[k].clone();
    let items = span.len() as f64;
    let block = moments.correlation.view((span.start, span.start), (span.len(), span.len())).into_owned();
    let all: f64 = block.iter().sum();
    let eigen = SymmetricEigen::new(block);
    let mut order: Vec<usize> = (0..span.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let largest = eigen.eigenvalues[order[0]];
    let reflective = mode == Mode::A && span.len() > 1;
    let alpha = reflective.then(|| (items / (items - 1.0) * (all - items) / all).max(0.0));
    let with_first = eigen.eigenvectors.column(order[0]) * largest.max(0.0).sqrt();
    let (sum, squares) = (with_first.sum().powi(2), with_first.iter().map(|l| l * l).sum::<f64>());
    let communality = loadings.iter().map(|l| l * l).sum::<f64>() / items;
    Quality {
        alpha,
        rho: reflective.then(|| sum / (sum + items - squares)),
        ave: (mode == Mode::A).then_some(communality),
        eigenvalues: (largest, order.get(1).map(|&second| eigen.eigenvalues[second])),
    }
}
