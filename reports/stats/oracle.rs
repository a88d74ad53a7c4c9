//! Numbers that any program can make again, so that other programs can be asked about the same data.

/// The linear congruential generator of ISO C's example, as shares of 2^31: exact in floating point everywhere.
pub(super) fn uniforms(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = (state * 1_103_515_245 + 12_345) % (1 << 31);
            state as f64 / f64::from(1_u32 << 31)
        })
        .collect()
}
