//! What the parts of the balance hand on: the limit, and the curve of a technology.

use crate::stats::glm::Estimated;
use crate::stats::saturation::BalancePoint;

/// The limit with what is known about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    /// The change of the log odds per unit beyond it; none where complaints do not rise there.
    pub(super) slope: Option<Estimated>,
}

/// What was fitted for a technology.
pub(super) struct Fitted {
    pub(super) point: BalancePoint,
    pub(super) safe: f64,
}
