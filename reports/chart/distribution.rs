//! Distribution overlay: which share of tests is worse than a value?
//!
//! Empirical distribution functions as steps, with the band of Dvoretzky, Kiefer and Wolfowitz (constant
//! sqrt(ln(2/alpha) / 2n), Massart 1990) or a band that was computed elsewhere (bootstrap over lines).

use super::Caption;
use super::Party;
use broadgauge_model::metric::MetricId;

/// The chart.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributionOverlay {
    /// Its words.
    pub caption: Caption,
    /// What is measured: names the axis.
    pub metric: MetricId,
    /// Whether y is the share above a value instead of the share at or below it.
    pub tail: bool,
    /// One per operator.
    pub curves: Vec<Curve>,
    /// Values that matter to a reader, with a few words: "40 ms: calls suffer".
    pub landmarks: Vec<(f64, String)>,
}

/// An empirical distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Whose.
    pub party: Party,
    /// Values in rising order, and the share of observations at or below each.
    pub steps: Vec<(f64, f64)>,
    /// How sure it is.
    pub band: Band,
    /// How many units of inference (lines) it rests on.
    pub n: usize,
}

/// The band about a curve.
#[derive(Clone, Debug, PartialEq)]
pub enum Band {
    /// None is drawn.
    None,
    /// The same half-width everywhere, cut at 0 and 1.
    Constant(f64),
    /// (value, lower share, upper share), in rising order of value.
    Given(Vec<(f64, f64, f64)>),
}

impl Band {
    /// The Dvoretzky–Kiefer–Wolfowitz band for `n` independent units at level 1 - `alpha`.
    pub fn dkw(n: usize, alpha: f64) -> Self {
        if n == 0 { Self::None } else { Self::Constant(((2.0 / alpha).ln() / (2.0 * n as f64)).sqrt()) }
    }
}
