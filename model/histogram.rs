//! A mergeable HDR histogram: sparse, standard V2 on the wire, exact merge.
//!
//! Every histogram of the project has the same bounds: values are whole ticks (see [`crate::metric::Metric::tick`])
//! from 1 to 60,000,000 with three significant digits, so a delay reaches from 1 µs to 60 s and merging forty
//! files equals recording once. Two forms leave memory:
//!
//! - **V2**, the HdrHistogram project's own format, for the wire and for other tools;
//! - **s1**, the form at rest: for each bucket in use the gap to the previous index and the count, both LEB128. It is
//!   the form in memory too: two bytes for nearly every bucket, so that very many fit.
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
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    at_rest: Vec<u8>,
}

impl std::fmt::Debug for Histogram {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_map().entries(self.buckets()).finish()
    }
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
        Self::from_ascending(buckets)
    }

    fn from_ascending(buckets: impl IntoIterator<Item = (u16, u64)>) -> Self {
        let mut builder = rest::Builder::default();
        for (index, count) in buckets {
            builder.push(index, count);
        }
        Self { at_rest: builder.finish() }
    }

    /// The form at rest.
    pub fn at_rest(&self) -> &[u8] {
        &self.at_rest
    }

    /// Reads the form at rest.
    pub fn from_rest(bytes: &[u8]) -> Result<Self, RestError> {
        let mut builder = rest::Builder::with_capacity(bytes.len());
        rest::visit(bytes, |index, count| builder.push(index, count))?;
        Ok(Self { at_rest: builder.finish() })
    }

    /// Calls `each` with every bucket of a histogram at rest, without making one: the fast way to merge many.
    pub fn visit_rest(bytes: &[u8], each: impl FnMut(u16, u64)) -> Result<(), RestError> {
        rest::visit(bytes, each)
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
    pub fn buckets(&self) -> impl Iterator<Item = (u16, u64)> + Clone + '_ {
        rest::Buckets::of(&self.at_rest)
    }

    /// The highest value of each bucket in use, in a unit of so many ticks, and its count; ascending.
    pub fn values(&self, tick: f64) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.buckets().map(move |(index, count)| (bucket_highest(index) as f64 * tick, count))
    }

    /// How many values it holds.
    pub fn len(&self) -> u64 {
        self.buckets().map(|(_, count)| count).sum()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.at_rest.is_empty()
    }

    /// Adds another histogram, exactly.
    pub fn merge(&mut self, other: &Self) {
        let mut merged = rest::Builder::with_capacity(self.at_rest.len().max(other.at_rest.len()));
        let (mut mine, mut others) = (self.buckets().peekable(), other.buckets().peekable());
        while let (Some(&a), Some(&b)) = (mine.peek(), others.peek()) {
            let (index, count) = if a.0 <= b.0 { a } else { b };
            merged.push(index, count);
            if a.0 <= b.0 {
                mine.next()
            } else {
                others.next()
            };
        }
        for (index, count) in mine.chain(others) {
            merged.push(index, count);
        }
        self.at_rest = merged.finish();
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
        self.buckets().find_map(|(index, count)| {
            seen += count;
            (seen >= rank).then(|| bucket_highest(index))
        })
    }

    /// The smallest value, in ticks.
    pub fn min(&self) -> Option<u64> {
        self.buckets().next().map(|(index, _)| bucket_lowest(index))
    }

    /// The largest value, in ticks.
    pub fn max(&self) -> Option<u64> {
        self.buckets().last().map(|(index, _)| bucket_highest(index))
    }

    /// The mean of the buckets' medians, in ticks.
    pub fn mean(&self) -> Option<f64> {
        let total = self.len();
        (total > 0).then(|| {
            self.buckets().map(|(index, count)| bucket_median(index) as f64 * count as f64).sum::<f64>()
                / total as f64
        })
    }
}

#[cfg(test)]
mod tests;
