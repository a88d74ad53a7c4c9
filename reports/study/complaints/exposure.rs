//! What a line was exposed to in a stretch of time.
//!
//! Singletons of the stretch are merged, and their quantile on the side that is worse for the customer is taken: p95 of
//! a delay, p05 of a rate. Summaries made elsewhere are averaged, because nothing else can be done with them; loss is
//! pooled, packets lost of packets sent. A stretch without a test is unmeasured, and never zero.

use super::query::Query;
use super::row::Exposure;
use crate::study::{Note, Words};
use broadgauge_model::histogram::{HIGHEST, bucket_highest, bucket_index};
use broadgauge_model::metric::{Better, MetricId};
use broadgauge_model::panel::{Cell, CellValues, Hours, MethodUse, Panel, SourceKind};
use broadgauge_model::result::Statistic;
use broadgauge_model::text::Phrase;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Hours since 1970 on the line's own clock.
pub(super) type Hour = i64;

/// How a stretch becomes a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Summary {
    /// The nearest-rank quantile of the singletons.
    Quantile(f64),
    /// The mean of the values.
    Mean,
    /// Lost through sent.
    Pooled,
}

/// One exposure of every line.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) exposure: Exposure,
    pub(super) summary: Summary,
    /// By place of the line.
    pub(super) lines: Vec<LineHours>,
}

/// The values of one line, by hour.
#[derive(Clone, Debug, Default)]
pub(super) struct LineHours {
    /// Ascending.
    hours: Vec<Hour>,
    /// End of each hour's buckets.
    ends: Vec<u32>,
    /// Singletons.
    buckets: Vec<(u16, u32)>,
    /// Sum and count, or lost and sent, of each hour.
    sums: Vec<(f64, f64)>,
}

impl LineHours {
    fn range(&self, window: &Range<Hour>) -> Range<usize> {
        self.hours.partition_point(|h| *h < window.start)..self.hours.partition_point(|h| *h < window.end)
    }

    fn buckets(&self, hours: &Range<usize>) -> &[(u16, u32)] {
        let end = |at: usize| if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.buckets[end(hours.start)..end(hours.end)]
    }

    fn mean(&self, hours: Range<usize>) -> Option<f64> {
        let (sum, n) = self.sums[hours].iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        (n > 0.0).then(|| sum / n)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hours.is_empty()
    }
}

/// Counts of singletons that can be added to and taken from, with their quantile at hand: memory of one thread.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    counts: Vec<u32>,
    blocks: Vec<u32>,
    total: u64,
}

const BLOCK: usize = 128;

impl Default for Counter {
    fn default() -> Self {
        let size = usize::from(bucket_index(HIGHEST)) + 1;
        Self { counts: vec![0; size], blocks: vec![0; size.div_ceil(BLOCK)], total: 0 }
    }
}

impl Counter {
    fn add(&mut self, buckets: &[(u16, u32)]) {
        for &(index, count) in buckets {
            self.counts[usize::from(index)] += count;
            self.blocks[usize::from(index) / BLOCK] += count;
            self.total += u64::from(count);
        }
    }

    fn take(&mut self, buckets: &[(u16, u32)]) {
        for &(index, count) in buckets {
            self.counts[usize::from(index)] -= count;
            self.blocks[usize::from(index) / BLOCK] -= count;
            self.total -= u64::from(count);
        }
    }

    /// The nearest-rank quantile as a bucket.
    fn quantile(&self, q: f64) -> Option<u16> {
        if self.total == 0 {
            return None;
        }
        let mut left = ((q * self.total as f64 - 1e-9).ceil() as u64).clamp(1, self.total);
        let block = self.blocks.iter().position(|&count| {
            let here = left <= u64::from(count);
            if !here {
                left -= u64::from(count);
            }
            here
        })?;
        let start = block * BLOCK;
        let within = self.counts[start..].iter().position(|&count| {
            let here = left <= u64::from(count);
            if !here {
                left -= u64::from(count);
            }
            here
        })?;
        Some((start + within) as u16)
    }
}

impl Observed {
    fn value(&self, bucket: u16) -> f64 {
        bucket_highest(bucket) as f64 * self.exposure.metric.tick
    }

    /// The exposure of a line in a window.
    pub(super) fn at(&self, line: usize, window: &Range<Hour>, counter: &mut Counter) -> Option<f64> {
        let line = &self.lines[line];
        let hours = line.range(window);
        match self.summary {
            Summary::Quantile(q) => {
                let buckets = line.buckets(&hours);
                counter.add(buckets);
                let found = counter.quantile(q);
                counter.take(buckets);
                found.map(|b| self.value(b))
            }
            Summary::Mean | Summary::Pooled => line.mean(hours),
        }
    }

    /// The exposures of a line in windows that move forward, each handed to `each` with its number.
    pub(super) fn slide(
        &self,
        line: usize,
        windows: impl Iterator<Item = Range<Hour>>,
        counter: &mut Counter,
        mut each: impl FnMut(usize, Option<f64>),
    ) {
        let line = &self.lines[line];
        let mut held = 0..0;
        for (number, window) in windows.enumerate() {
            let hours = line.range(&window);
            match self.summary {
                Summary::Quantile(q) => {
                    // Windows only move forward, so what is new lies behind what is held.
                    let kept = hours.start.min(held.end)..held.end;
                    counter.take(line.buckets(&(held.start..kept.start)));
                    counter.add(line.buckets(&(held.end.max(hours.start)..hours.end)));
                    held = hours;
                    each(number, counter.quantile(q).map(|b| self.value(b)));
                }
                Summary::Mean | Summary::Pooled => each(number, line.mean(hours)),
            }
        }
        counter.take(line.buckets(&held));
    }
}

type Key = (
    MetricId,
    broadgauge_model::result::Load,
    broadgauge_model::result::Direction,
    Statistic,
    MethodUse,
    bool,
);

/// Every exposure that the panel holds of the lines given (index into the panel, in a fixed order).
pub(super) fn observed(panel: &Panel, query: &Query, lines: &[u32], notes: &mut Vec<Note>) -> Vec<Observed> {
    let mut place = vec![u32::MAX; panel.lines.len()];
    for (at, &line) in lines.iter().enumerate() {
        place[line as usize] = at as u32;
    }
    let mut without_hour = 0;
    let mut groups: BTreeMap<Key, Vec<(u32, Hour, u32)>> = BTreeMap::new();
    for (number, cell) in panel.cells.iter().enumerate() {
        let asked = query.metrics.is_empty() || query.metrics.contains(&cell.metric);
        let Some(&at) = place.get(cell.line as usize).filter(|at| **at != u32::MAX && asked) else {
            continue;
        };
        let Hours::At { day, hour } = cell.hours else {
            without_hour += 1;
            continue;
        };
        let hour = i64::from(day) * 24 + i64::from(hour);
        groups.entry(key(panel, cell)).or_default().push((at, hour, number as u32));
    }
    let phrase = Phrase {
        en: "summaries over many days cannot be lined up with complaints",
        zh: "跨多天的汇总值无法与投诉对齐",
    };
    Note::push(notes, Words::plain(phrase), without_hour);
    groups.into_iter().map(|(key, cells)| build(panel, query, &key, cells, lines.len())).collect()
}

fn key(panel: &Panel, cell: &Cell) -> Key {
    (
        cell.metric,
        cell.load,
        cell.direction,
        cell.statistic,
        panel.method_of(cell),
        panel.sources.get(usize::from(cell.source)).is_some_and(|s| s.kind == SourceKind::Made),
    )
}

fn build(
    panel: &Panel,
    query: &Query,
    key: &Key,
    mut cells: Vec<(u32, Hour, u32)>,
    lines: usize,
) -> Observed {
    let (metric, load, direction, statistic, ref method, made) = *key;
    let counted = |n: u32| panel.cells[n as usize].sent > 0;
    let summary = if metric == MetricId::LOSS_RATIO && cells.iter().all(|c| counted(c.2)) {
        Summary::Pooled
    } else if statistic == Statistic::Singleton && metric != MetricId::LOSS_RATIO {
        let worse = query.exposure_quantile.clamp(0.01, 0.99);
        Summary::Quantile(if metric.better == Better::Lower { worse } else { 1.0 - worse })
    } else {
        Summary::Mean
    };
    cells.par_sort_unstable();
    let mut out = vec![LineHours::default(); lines];
    for same in cells.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let line = &mut out[same[0].0 as usize];
        let before = (line.buckets.len(), line.sums.len());
        collect(panel, metric, summary, same, line);
        if (line.buckets.len(), line.sums.len()) != before {
            line.hours.push(same[0].1);
            line.ends.push(line.buckets.len() as u32);
        }
    }
    let name = match summary {
        Summary::Quantile(q) => format!("p{:02}", (q * 100.0).round()),
        Summary::Mean => "mean".to_owned(),
        Summary::Pooled => "pooled_ratio".to_owned(),
    };
    let exposure = Exposure {
        metric,
        unit: metric.unit.code(),
        load,
        direction,
        statistic,
        method: method.clone(),
        made,
        summary: name,
    };
    Observed { exposure, summary, lines: out }
}

/// Adds the cells of one hour.
fn collect(
    panel: &Panel,
    metric: MetricId,
    summary: Summary,
    same: &[(u32, Hour, u32)],
    line: &mut LineHours,
) {
    let cells = || same.iter().map(|c| &panel.cells[c.2 as usize]);
    match summary {
        Summary::Quantile(_) => {
            let start = line.buckets.len();
            for cell in cells() {
                match &cell.values {
                    CellValues::Histogram(histogram) => {
                        let held = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
                        line.buckets.extend(histogram.buckets().map(|(i, c)| (i, held(c))));
                    }
                    CellValues::Number(value) if value.is_finite() => {
                        let ticks = (value / metric.tick).round().clamp(0.0, HIGHEST as f64) as u64;
                        line.buckets.push((bucket_index(ticks), 1));
                    }
                    CellValues::Number(_) => {}
                }
            }
            line.buckets[start..].sort_unstable();
        }
        Summary::Pooled => {
            let (lost, sent) = cells().fold((0, 0), |(l, s), c| (l + c.lost, s + c.sent));
            if sent > 0 {
                line.sums.push((lost as f64, sent as f64));
            }
        }
        Summary::Mean => {
            let mut values: Vec<f64> = cells()
                .flat_map(|c| match &c.values {
                    CellValues::Number(value) => vec![*value],
                    CellValues::Histogram(h) => h.mean().map(|m| m * metric.tick).into_iter().collect(),
                })
                .filter(|v| v.is_finite())
                .collect();
            if !values.is_empty() {
                // In a fixed order, so that rounding does not depend on the order of rows.
                values.sort_by(f64::total_cmp);
                line.sums.push((values.iter().sum(), values.len() as f64));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sliding_window_gives_what_each_window_alone_gives() {
        use crate::stats::{Purpose, Stream};
        let mut stream = Stream::new(2, Purpose::Simulation, 0);
        let mut line = LineHours::default();
        for hour in (0..24 * 40).filter(|h| h % 3 != 1) {
            for _ in 0..=stream.below(3) {
                line.buckets.push((1_500 + stream.below(900) as u16, 1 + stream.below(2) as u32));
            }
            line.hours.push(hour);
            line.ends.push(line.buckets.len() as u32);
        }
        let exposure = Exposure {
            metric: MetricId::ROUND_TRIP_DELAY,
            unit: "ms",
            load: broadgauge_model::result::Load::Idle,
            direction: broadgauge_model::result::Direction::RoundTrip,
            statistic: Statistic::Singleton,
            method: MethodUse { name: "stamp".into(), version: 1, target_class: None },
            made: false,
            summary: "p95".into(),
        };
        let observed = Observed { exposure, summary: Summary::Quantile(0.95), lines: vec![line] };
        let mut counter = Counter::default();
        for width in [1, 24, 168] {
            let windows = || (0..45).map(|day| day * 24 - width..day * 24);
            let mut slid = Vec::new();
            observed.slide(0, windows(), &mut counter, |_, value| slid.push(value));
            let alone: Vec<_> = windows().map(|w| observed.at(0, &w, &mut counter)).collect();
            assert_eq!(slid, alone);
            assert_eq!(counter.total, 0);
            // One hour in three is not measured; no window may hide that.
            assert_eq!(slid[0], None);
        }
    }
}
