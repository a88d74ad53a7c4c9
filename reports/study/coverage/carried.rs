//! What the lines of a group can carry: their values together, and what a quantile of them stands on.

use crate::stats::quantile::smallest_n;
use crate::stats::standing::Pool;
use crate::study::peers::strata::{Group, Part};

/// A group's values in one part of the week; `None` where it has none.
pub(super) fn pool(group: &Group, part: Part) -> Option<Pool> {
    let lines: Vec<_> = group.iter().filter_map(|line| Some((line.points(part)?, line.weight))).collect();
    Pool::new(&lines).ok()
}

/// The independent observations that a quantile of a pool stands on, and those that it takes.
pub(super) fn effective(pool: &Pool, p: f64) -> Option<(usize, usize)> {
    Some(((pool.at(p).ok()?.effective + 1e-6).floor() as usize, smallest_n(p, 0.95).ok()?))
}
