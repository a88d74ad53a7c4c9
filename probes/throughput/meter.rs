//! How much payload arrived, and from when on it counts: bytes and times in, a goodput out.
//!
//! The receiver counts, in intervals of 100 ms by its own clock, and its clock stops at the planned end: what a
//! buffer still holds then is never counted. A rate counted at the sender, or after draining a deep
//! buffer, reads above the line.
//!
//! **The warm-up** is left out by this rule, on batches of five intervals (500 ms):
//!
//! 1. the first batch never counts: TCP's slow start lies in it;
//! 2. further batches are left out where that lowers the marginal standard error of what remains,
//!    `sum((x_i - mean)^2) / (n - d)^2` (MSER-5: White, "An effective truncation heuristic for bias
//!    reduction in simulation output", Simulation 69(6), 1997; the smallest `d` wins a tie);
//! 3. but never more than half of the test, and never beyond the first two batches in a row that reach 90 % of the
//!    median batch of the second half. A stall after the line has shown its rate is the line's, not the warm-up's.
//!
//! **The edges.** Behind a lost segment payload waits in the receiver's kernel until the gap is filled, and an
//! application counts it only then. A window that starts while much waits, and ends while little does, counts what
//! had arrived before it, and reads above the line. How much waits is estimated from what the kernel says, at the end
//! of each interval. The window starts after the warm-up and within the first half, ends within the last five intervals,
//! and starts with no more waiting than it ends with, for that would read above the line; nor, as far as that can
//! be had, with less, for that would read below it. Of windows that are alike to within 1/2000 of their payload, it is
//! the longest; where none will do, the one that comes nearest, and what waited at its start beyond what waits at its end is
//! taken off. Where the kernel does not say, nothing is taken to wait.
//!
//! The goodput is all payload of the remaining whole intervals over their time: a plain mean, so that it can never
//! exceed the fastest interval. What it cannot tell is why a line is slow: one stream held back by loss reads
//! low on a fast line; the retransmissions and the spread between streams stand beside it for that.

use broadgauge_model::clock::{Mono, Span};
use broadgauge_model::unit::Rate;
use serde_json::{Map, Value, json};
use std::ops::Range;

/// The length of an interval.
pub const INTERVAL: Span = Span::millis(100);
/// Intervals in a batch of the warm-up rule.
pub const BATCH: usize = 5;
/// Fewer whole intervals than this are no measurement.
pub const FEWEST: usize = 2 * BATCH;

/// Counts payload by interval and by stream.
#[derive(Clone, Debug)]
pub struct Meter {
    start: Mono,
    intervals: Vec<u64>,
    waiting: Vec<u64>,
    streams: Vec<u64>,
}

impl Meter {
    /// A meter for `count` intervals from `start` on.
    pub fn new(start: Mono, count: usize, streams: usize) -> Self {
        Self { start, intervals: vec![0; count], waiting: vec![0; count], streams: vec![0; streams] }
    }

    /// When the clock started.
    pub const fn start(&self) -> Mono {
        self.start
    }

    /// When the clock stops.
    pub fn end(&self) -> Mono {
        self.start + Span(INTERVAL.0 * self.intervals.len() as i64)
    }

    /// When an interval ends.
    pub fn end_of(&self, interval: usize) -> Mono {
        self.start + Span(INTERVAL.0 * (interval as i64 + 1))
    }

    /// Counts payload that was received at `now`. What comes before the start or after the end does not count.
    pub fn record(&mut self, now: Mono, stream: usize, bytes: u64) {
        if now < self.start {
            return;
        }
        let index = ((now - self.start).0 / INTERVAL.0) as usize;
        if let (Some(interval), Some(total)) = (self.intervals.get_mut(index), self.streams.get_mut(stream)) {
            *interval += bytes;
            *total += bytes;
        }
    }

    /// Notes how much payload had arrived and could not be counted when an interval ended.
    pub fn wait(&mut self, interval: usize, bytes: u64) {
        if let Some(waiting) = self.waiting.get_mut(interval) {
            *waiting = bytes;
        }
    }

    /// What was noted by [`Self::wait`], of the intervals that are over at `now`.
    pub fn waiting(&self, now: Mono) -> &[u64] {
        &self.waiting[..self.complete(now).len()]
    }

    /// What was received in each interval, over all streams.
    pub fn intervals(&self) -> &[u64] {
        &self.intervals
    }

    /// The same, of the intervals that are over at `now`.
    pub fn complete(&self, now: Mono) -> &[u64] {
        let over = (now - self.start).0.max(0) / INTERVAL.0;
        &self.intervals[..self.intervals.len().min(over as usize)]
    }

    /// What was received on each stream.
    pub fn streams(&self) -> &[u64] {
        &self.streams
    }
}

/// The payload rate of a test after its warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goodput {
    /// The mean over the window.
    pub rate: Rate,
    /// The mean over the whole test, warm-up and all.
    pub rate_with_warm_up: Rate,
    /// How much was left out at the front: the window starts then.
    pub warm_up: Span,
    /// The window that counts.
    pub window: Span,
    /// The payload received in the window, without `waited`.
    pub bytes: u64,
    /// The payload that was counted in the window and had waited behind a gap before it. Both together are the counts of the
    /// window's intervals.
    pub waited: u64,
}

impl Goodput {
    /// The warm-up, the window and what is in it, for a result's details.
    pub fn describe(&self, details: &mut Map<String, Value>) {
        let more = [
            ("warm_up_ms", json!(self.warm_up.as_millis_f64())),
            ("window_ms", json!(self.window.as_millis_f64())),
            ("window_bytes", json!(self.bytes)),
            ("waited_before_window_bytes", json!(self.waited)),
            ("rate_with_warm_up_bps", json!(self.rate_with_warm_up.0)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
    }
}

/// The goodput of a series of 100 ms counts, and of what waited at the end of each; `None` where the series is too short or nothing arrived at all, because
/// a test without a byte is not a rate of zero.
pub fn goodput(intervals: &[u64], waiting: &[u64]) -> Option<Goodput> {
    if intervals.len() < FEWEST || intervals.iter().all(|&bytes| bytes == 0) {
        return None;
    }
    let counted = settle_edges(intervals, waiting, warm_up_intervals(intervals));
    let (warm_up, window) = (counted.start, span_of(counted.len()));
    let (at_start, at_end) = edges(waiting, &counted);
    let payload: u64 = intervals[counted].iter().sum();
    let waited = at_start.saturating_sub(at_end).min(payload);
    let bytes = payload - waited;
    Some(Goodput {
        rate: Rate::of(bytes, window)?,
        rate_with_warm_up: Rate::of(intervals.iter().sum(), span_of(intervals.len()))?,
        warm_up: span_of(warm_up),
        window,
        bytes,
        waited,
    })
}

/// Each interval as a rate.
pub fn rates(intervals: &[u64]) -> impl Iterator<Item = Rate> + '_ {
    intervals.iter().map(|&bytes| Rate(bytes as f64 * 8.0 / INTERVAL.as_secs_f64()))
}

/// Where nothing came any more for the last second: when that began, said as the reason why there is no rate. A far end that
/// has died half-way looks like this, and so does a way there that broke; neither says what the line carries. It takes a second
/// sign, that the far end did not speak at the end either, to tell it from a line that stalls.
pub fn fell_silent(intervals: &[u64]) -> Option<String> {
    let loud = intervals.iter().rposition(|&bytes| bytes > 0)? + 1;
    let (after, all) = (span_of(loud).as_secs_f64(), span_of(intervals.len()).as_secs_f64());
    let silent = intervals.len() - loud >= FEWEST;
    silent.then(|| format!("the far end, or the way there, fell silent after {after:.1} s of {all:.1} s"))
}

const fn span_of(intervals: usize) -> Span {
    Span(INTERVAL.0 * intervals as i64)
}

/// How many intervals the rule in the module's head leaves out.
fn warm_up_intervals(intervals: &[u64]) -> usize {
    let batches: Vec<f64> =
        intervals.chunks_exact(BATCH).map(|batch| batch.iter().sum::<u64>() as f64).collect();
    let n = batches.len();
    let half = (n / 2).max(1);
    let reached = 0.9 * median(&batches[half..]);
    let limit = batches
        .windows(2)
        .position(|pair| pair.iter().all(|&batch| batch >= reached))
        .map_or(half, |first| (first + 2).min(half));
    let mut best = (1, f64::INFINITY);
    for d in 1..=limit {
        let rest = &batches[d..];
        let mean = rest.iter().sum::<f64>() / rest.len() as f64;
        let error = rest.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (rest.len() as f64).powi(2);
        if error < best.1 {
            best = (d, error);
        }
    }
    best.0 * BATCH
}

/// What waits at the two edges may differ by this share of the window's payload, and does not matter.
const ALIKE: u64 = 2_000;

/// What waits when a window starts and when it ends.
fn edges(waiting: &[u64], window: &Range<usize>) -> (u64, u64) {
    let at_end_of = |interval: usize| waiting.get(interval).copied().unwrap_or(0);
    (window.start.checked_sub(1).map_or(0, at_end_of), at_end_of(window.end - 1))
}

/// Of the windows at hand, the one whose edges have the same waiting, or nearest to that: see the module's head.
fn settle_edges(intervals: &[u64], waiting: &[u64], from: usize) -> Range<usize> {
    let n = intervals.len();
    let starts = from..=(n / 2).max(from);
    let windows =
        starts.flat_map(|start| ((n - BATCH).max(start + BATCH).min(n)..=n).map(move |end| start..end));
    let unlike = |window: &Range<usize>| {
        let (start, end) = edges(waiting, window);
        let payload: u64 = intervals[window.clone()].iter().sum();
        (start.saturating_sub(end), end.saturating_sub(start).saturating_mul(ALIKE) / payload.max(1))
    };
    windows.min_by_key(|window| (unlike(window), n - window.len())).unwrap_or(from..n)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[cfg(test)]
mod tests;
