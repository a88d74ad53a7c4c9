//! Results side by side in a few blocks of memory, with each name in them once. They are packed while others' results
//! are written; whoever writes them then reads straight ahead, asks for a name once, and has little to free.

use super::entry::{Entry, content_key, details_text, digest, unstorable};
use super::{Receipt, Rejected, RowValues, Window};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::MethodUse;
use broadgauge_model::result::{Batch, Counts, Direction, Health, Load, Sample, Statistic, Values};
use foldhash::{HashMap, HashMapExt as _};

/// Gap and count of each bucket in use, both LEB128.
pub(super) const CODEC_GAPS: u8 = 1;

/// A batch that has been packed.
#[derive(Clone, Debug)]
pub struct Ready {
    pub(super) agent: String,
    pub(super) health: Health,
    pub(super) rows: Packed,
}

impl From<&Batch> for Ready {
    fn from(batch: &Batch) -> Self {
        let mut packer = Packer::for_rows(batch.samples.len());
        for numbered in &batch.samples {
            packer.take(numbered.number as i64, numbered.number, &numbered.sample, Window::At);
        }
        Self { agent: batch.agent.clone(), health: batch.health.clone(), rows: packer.finish() }
    }
}

impl Ready {
    /// The agent whose batch it is.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// How many samples it holds.
    pub fn samples(&self) -> usize {
        self.rows.rows.len() + self.rows.rejected.len()
    }
}

/// Rows, the blocks that they point into, and what cannot be kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Packed {
    pub(super) rows: Vec<PackedRow>,
    pub(super) lines: Vec<String>,
    pub(super) methods: Vec<MethodUse>,
    pub(super) targets: Vec<String>,
    pub(super) rejected: Vec<Rejected>,
    histograms: Vec<u8>,
    texts: String,
}

/// A stretch of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    from: usize,
    to: usize,
}

/// What a row says, in its blocks.
#[derive(Clone, Copy, Debug)]
enum PackedValues {
    Histogram(Stretch),
    Number(f64),
    Unmeasured(Stretch),
}

/// One result. Its line, method and target are places in the lists of names.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackedRow {
    /// Tells results of one stream apart.
    pub(super) identity: i64,
    /// How whoever sent it names it.
    pub(super) number: u64,
    /// Tells one payload from another under the same identity.
    pub(super) digest: i64,
    pub(super) line: usize,
    pub(super) method: usize,
    pub(super) target: Option<usize>,
    pub(super) metric: MetricId,
    pub(super) load: Load,
    pub(super) direction: Direction,
    pub(super) statistic: Statistic,
    pub(super) window: Window,
    pub(super) started_at: Wall,
    pub(super) lasted: Span,
    pub(super) counts: Counts,
    values: PackedValues,
    details: Option<Stretch>,
}

impl Packed {
    /// Rows of a table, each named by its place.
    pub(super) fn of_entries(entries: &[Entry]) -> Self {
        let mut packer = Packer::for_rows(entries.len());
        for (place, Entry { sample, window }) in entries.iter().enumerate() {
            packer.take(content_key(sample, *window), place as u64, sample, *window);
        }
        packer.finish()
    }

    /// Nothing kept yet; what cannot be is rejected already.
    pub(super) fn receipt(&self) -> Receipt {
        Receipt { rejected: self.rejected.clone(), ..Receipt::default() }
    }

    pub(super) fn values(&self, row: &PackedRow) -> RowValues<'_> {
        match row.values {
            PackedValues::Histogram(at) => RowValues::Histogram(&self.histograms[at.from + 1..at.to]),
            PackedValues::Number(value) => RowValues::Number(value),
            PackedValues::Unmeasured(at) => RowValues::Unmeasured(&self.texts[at.from..at.to]),
        }
    }

    /// Its histogram as it lies in a database: a byte for the codec, then the histogram at rest.
    pub(super) fn histogram(&self, row: &PackedRow) -> Option<&[u8]> {
        match row.values {
            PackedValues::Histogram(at) => Some(&self.histograms[at.from..at.to]),
            _ => None,
        }
    }

    pub(super) fn details(&self, row: &PackedRow) -> Option<&str> {
        row.details.map(|at| &self.texts[at.from..at.to])
    }
}

/// Names by the order in which they come.
struct Places<T>(HashMap<T, usize>);

impl<T: Eq + std::hash::Hash> Places<T> {
    fn of(&mut self, name: T) -> usize {
        let next = self.0.len();
        *self.0.entry(name).or_insert(next)
    }

    fn names<U>(self, name: impl Fn(T) -> U) -> Vec<U> {
        let mut all: Vec<_> = self.0.into_iter().collect();
        all.sort_unstable_by_key(|(_, place)| *place);
        all.into_iter().map(|(known, _)| name(known)).collect()
    }
}

struct Packer<'a> {
    packed: Packed,
    lines: Places<&'a str>,
    methods: Places<(&'a str, u32)>,
    targets: Places<&'a str>,
}

impl<'a> Packer<'a> {
    fn for_rows(rows: usize) -> Self {
        Self {
            packed: Packed { rows: Vec::with_capacity(rows), ..Packed::default() },
            lines: Places(HashMap::new()),
            methods: Places(HashMap::new()),
            targets: Places(HashMap::new()),
        }
    }

    fn take(&mut self, identity: i64, number: u64, sample: &'a Sample, window: Window) {
        if let Some(reason) = unstorable(number, sample) {
            self.packed.rejected.push(Rejected { number, reason });
            return;
        }
        let details = details_text(sample);
        let row = PackedRow {
            identity,
            number,
            digest: digest(sample, window, details.as_deref().unwrap_or_default()),
            line: self.lines.of(&sample.line_id),
            method: self.methods.of((&sample.method, sample.method_version)),
            target: sample.target.as_deref().map(|target| self.targets.of(target)),
            metric: sample.metric,
            load: sample.load,
            direction: sample.direction,
            statistic: sample.statistic,
            window,
            started_at: sample.started_at,
            lasted: sample.lasted,
            counts: sample.counts,
            values: match &sample.values {
                Values::Histogram(histogram) => PackedValues::Histogram(self.histogram(histogram.at_rest())),
                Values::Number(value) => PackedValues::Number(*value),
                Values::Unmeasured(reason) => PackedValues::Unmeasured(self.text(&reason.0)),
            },
            details: details.map(|details| self.text(&details)),
        };
        self.packed.rows.push(row);
    }

    fn histogram(&mut self, at_rest: &[u8]) -> Stretch {
        let from = self.packed.histograms.len();
        self.packed.histograms.push(CODEC_GAPS);
        self.packed.histograms.extend_from_slice(at_rest);
        Stretch { from, to: self.packed.histograms.len() }
    }

    fn text(&mut self, text: &str) -> Stretch {
        let from = self.packed.texts.len();
        self.packed.texts.push_str(text);
        Stretch { from, to: self.packed.texts.len() }
    }

    fn finish(self) -> Packed {
        let method =
            |(name, version): (&str, u32)| MethodUse { name: name.to_owned(), version, target_class: None };
        Packed {
            lines: self.lines.names(str::to_owned),
            methods: self.methods.names(method),
            targets: self.targets.names(str::to_owned),
            ..self.packed
        }
    }
}
