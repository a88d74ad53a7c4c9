//! Which bucket a value falls into, and which values a bucket holds: lowest 1 tick, three significant digits.
//!
//! Each doubling of the value has 1,024 buckets; below 2,048 every tick has its own.

/// The largest value that is told apart from larger ones: 60 s in microseconds.
pub const HIGHEST: u64 = 60_000_000;

/// Significant digits, in the words of the standard forms.
pub(super) const DIGITS: u32 = 3;

const HALF_BITS: u32 = 10;
const HALF: u64 = 1 << HALF_BITS;

/// The bucket of a value in ticks.
pub fn bucket_index(ticks: u64) -> u16 {
    let shift = (u64::BITS - (ticks | (2 * HALF - 1)).leading_zeros()) - (HALF_BITS + 1);
    (u64::from(shift) * HALF + (ticks >> shift)) as u16
}

/// The smallest value of a bucket.
pub fn bucket_lowest(index: u16) -> u64 {
    let index = u64::from(index);
    let shift = (index / HALF).saturating_sub(1);
    (index - shift * HALF) << shift
}

/// The largest value of a bucket.
pub fn bucket_highest(index: u16) -> u64 {
    bucket_lowest(index) + width(index) - 1
}

/// The middle value of a bucket.
pub fn bucket_median(index: u16) -> u64 {
    bucket_lowest(index) + width(index) / 2
}

fn width(index: u16) -> u64 {
    1 << (u64::from(index) / HALF).saturating_sub(1)
}

/// The library's histogram with these buckets, empty.
pub(super) fn empty() -> hdrhistogram::Histogram<u64> {
    #[expect(
        clippy::expect_used,
        reason = "the bounds are constants that the library accepts, as every test shows"
    )]
    hdrhistogram::Histogram::new_with_bounds(1, HIGHEST, DIGITS as u8).expect("constant bounds are valid")
}
