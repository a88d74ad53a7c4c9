//! Seeded random numbers that are the same on every machine and with every number of threads.
//!
//! One ChaCha8 stream (Bernstein 2008) per replicate: replicate 17 draws the same numbers whichever thread computes
//! it. The bytes of the key and the reduction to an index are written out here, so that a new version of a
//! dependency cannot move a published interval.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What random numbers are drawn for: two purposes never share a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// Resampling clusters with replacement.
    Bootstrap,
    /// Shuffling labels.
    Permutation,
    /// Making data with a known answer.
    Simulation,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream with this number under this seed.
    pub fn new(seed: u64, purpose: Purpose, number: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = match purpose {
            Purpose::Bootstrap => 1,
            Purpose::Permutation => 2,
            Purpose::Simulation => 3,
        };
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(number);
        Self(rng)
    }

    /// A number below `bound`, each with the same probability (Lemire 2019, with rejection); 0 where `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        let threshold = if bound == 0 { 0 } else { bound.wrapping_neg() % bound };
        loop {
            let wide = u128::from(self.0.next_u64()) * u128::from(bound);
            if wide as u64 >= threshold {
                return (wide >> 64) as usize;
            }
        }
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Puts the slice into a random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, slice: &mut [T]) {
        for last in (1..slice.len()).rev() {
            slice.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_fixed_by_seed_purpose_and_number() {
        let draw = |seed, purpose, number| {
            let mut stream = Stream::new(seed, purpose, number);
            (0..8).map(|_| stream.below(1_000_000)).collect::<Vec<_>>()
        };
        let first = draw(1, Purpose::Bootstrap, 0);
        assert_eq!(first, draw(1, Purpose::Bootstrap, 0));
        assert_ne!(first, draw(2, Purpose::Bootstrap, 0));
        assert_ne!(first, draw(1, Purpose::Permutation, 0));
        assert_ne!(first, draw(1, Purpose::Bootstrap, 1));
    }

    #[test]
    fn indices_are_spread_evenly() {
        let mut stream = Stream::new(7, Purpose::Simulation, 0);
        let mut counts = [0_i32; 7];
        for _ in 0..70_000 {
            counts[stream.below(7)] += 1;
        }
        // The standard deviation of one count is 93.
        assert!(counts.iter().all(|c| (c - 10_000).abs() < 400), "{counts:?}");
        assert_eq!(stream.below(0), 0);
        assert_eq!(stream.below(1), 0);
    }
}
