//! Draws.

use rand::{Rng, RngExt as _};

/// A standard normal draw (Box and Muller, 1958).
pub(super) fn normal(rng: &mut impl Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// A factor around 1 whose logarithm has this standard deviation.
pub(super) fn lognormal(rng: &mut impl Rng, sd: f64) -> f64 {
    (sd * normal(rng)).exp()
}

/// A series that remembers: its standard deviation is 1, and `memory` of each value stays until the next.
pub(super) fn drifting(rng: &mut impl Rng, memory: f64, length: i32) -> Vec<f64> {
    let mut state = normal(rng);
    let step = |_| {
        state = memory * state + (1.0 - memory * memory).sqrt() * normal(rng);
        state
    };
    (0..length).map(step).collect()
}
