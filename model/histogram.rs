//! A mergeable HDR histogram: sparse in memory, standard V2 on the wire, exact merge.
//!
//! Every histogram of the project has the same bounds: values are whole ticks (see [`crate::metric::Metric::tick`])
//! from 1 to 60,000,000 with three significant digits, so a delay reaches from 1 µs to 60 s and merging forty
//! files equals recording once. Two forms leave memory:
//!
//! - **V2**, the HdrHistogram project's own format, for the wire and for other tools;
//! - **s1**, the form at rest: for each bucket in use the gap to the previous index and the count, both LEB128.
//!
//! The quantile is the nearest rank `ceil(q·n)` and answers with the highest value equivalent to the bucket, as
//! the reference implementations in Java and Rust do. It is biased upwards by at most 0.1 %.

mod index;
mod rest;
mod standard;

pub use index::{HIGHEST, bucket_highest, bucket_index, bucket_lowest, bucket_median};
pub use rest::RestError;
pub use standard::StandardError;

/// Counts by bucket, in ascending order of bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    buckets: Vec<(u16, u64)>,
}

/// Collects values; [`Recorder::finish`] makes the histogram.
#[derive(Clone, Debug)]
pub struct Recorder {
    counts: hdrhistogram::Histogram<u64>,
    above: u64,
    below: u64,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { counts: index::empty(), above: 0, below: 0 }
    }
}

impl Recorder {
    /// Records a value in ticks. A value beyond the bounds is kept at the bound and counted as such.
    pub fn record(&mut self, ticks: i64) {
        let held = if ticks < 0 {
            self.below += 1;
            0
        } else if ticks as u64 > HIGHEST {
            self.above += 1;
            HIGHEST
        } else {
            ticks as u64
        };
        self.counts.saturating_record(held);
    }

    /// Records a value that a closed-loop client saw, and what it would have seen had it gone on asking every `interval`
    /// ticks: `ticks - interval`, `ticks - 2 interval` and so on, down to `interval`. A client that waits for each answer
    /// before it asks again leaves these out (coordinated omission). Open-loop probes must not be corrected: what they
    /// missed is counted already.
    pub fn record_corrected(&mut self, ticks: i64, interval: i64) {
        self.record(ticks);
        if interval <= 0 {
            return;
        }
        let mut missing = ticks.min(HIGHEST as i64) - interval;
        while missing >= interval {
            self.record(missing);
            missing -= interval;
        }
    }

    /// How many values lay below zero, and how many above the upper bound.
    pub const fn clamped(&self) -> (u64, u64) {
        (self.below, self.above)
    }

    /// How many values were recorded.
    pub fn len(&self) -> u64 {
        self.counts.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The histogram of all that was recorded.
    pub fn finish(&self) -> Histogram {
        Histogram::from_standard_form(&self.counts)
    }
}

impl Histogram {
    /// From buckets in any order; equal indices are added up.
    pub fn from_buckets(mut buckets: Vec<(u16, u64)>) -> Self {
        buckets.retain(|&(_, count)| count > 0);
        buckets.sort_unstable_by_key(|&(index, _)| index);
        buckets.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 += later.1;
            }
            same
        });
        Self { buckets }
    }

    /// From values in ticks.
    pub fn of(ticks: impl IntoIterator<Item = i64>) -> Self {
        let mut recorder = Recorder::default();
        for value in ticks {
            recorder.record(value);
        }
        recorder.finish()
    }

    /// The buckets in use: index and count, ascending.
    pub fn buckets(&self) -> &[(u16, u64)] {
        &self.buckets
    }

    /// How many values it holds.
    pub fn len(&self) -> u64 {
        self.buckets.iter().map(|&(_, count)| count).sum()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Adds another histogram, exactly.
    pub fn merge(&mut self, other: &Self) {
        let mine = std::mem::take(&mut self.buckets);
        self.buckets.reserve(mine.len().max(other.buckets.len()));
        let (mut a, mut b) = (mine.into_iter().peekable(), other.buckets.iter().copied().peekable());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(&x), Some(&y)) if x.0 == y.0 => {
                    a.next();
                    b.next();
                    (x.0, x.1 + y.1)
                }
                (Some(&x), Some(&y)) if x.0 < y.0 => {
                    a.next();
                    x
                }
                (_, Some(&y)) => {
                    b.next();
                    y
                }
                (Some(&x), None) => {
                    a.next();
                    x
                }
                (None, None) => return,
            };
            self.buckets.push(next);
        }
    }

    /// The nearest-rank quantile in ticks: the highest value equivalent to the bucket that holds rank
    /// `ceil(q·n)`. `None` where nothing was recorded.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let total = self.len();
        if total == 0 {
            return None;
        }
        let rank = ((q.clamp(0.0, 1.0) * total as f64).ceil() as u64).clamp(1, total);
        let mut seen = 0;
        self.buckets.iter().find_map(|&(index, count)| {
            seen += count;
            (seen >= rank).then(|| bucket_highest(index))
        })
    }

    /// The smallest value, in ticks.
    pub fn min(&self) -> Option<u64> {
        self.buckets.first().map(|&(index, _)| bucket_lowest(index))
    }

    /// The largest value, in ticks.
    pub fn max(&self) -> Option<u64> {
        self.buckets.last().map(|&(index, _)| bucket_highest(index))
    }

    /// The mean of the buckets' medians, in ticks.
    pub fn mean(&self) -> Option<f64> {
        let total = self.len();
        (total > 0).then(|| {
            self.buckets.iter().map(|&(index, count)| bucket_median(index) as f64 * count as f64).sum::<f64>()
                / total as f64
        })
    }
}

#[cfg(test)]
mod tests;
