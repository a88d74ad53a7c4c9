//! What goes into a store, its identity and its digest.

use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::result::{Sample, Values};
use twox_hash::XxHash3_64;

/// Which hours a result speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// The time at which it was taken.
    #[default]
    At,
    /// The peak hours of its period: a summary made elsewhere.
    Peak,
    /// All hours of its period: a summary made elsewhere.
    AllDay,
}

impl Window {
    pub(super) const fn code(self) -> i64 {
        self as i64
    }
}

/// A result that came with a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it says.
    pub sample: Sample,
    /// Which hours it speaks of.
    pub window: Window,
}

impl Entry {
    /// Its identity, of which a store keeps one value.
    pub fn key(&self) -> i64 {
        content_key(&self.sample, self.window)
    }
}

/// Books that are this much older than those which are known come from a clock that was set back, not from a batch that
/// was late.
const SET_BACK: Span = Span::secs(3_600);

/// Whether an agent's books of one time replace those of another. Books without a time replace none.
pub(super) fn is_newer(known: Wall, told: Wall) -> bool {
    told != Wall::default() && (told >= known || known.since(told) > SET_BACK)
}

/// What became of rows that may be brought up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// New.
    pub added: u64,
    /// Known, with other content: now as given.
    pub changed: u64,
    /// Known as given.
    pub unchanged: u64,
}

impl Tally {
    /// One row, given what was known of it.
    pub(super) fn of<T: PartialEq>(known: Option<&T>, now: &T) -> Self {
        match known {
            None => Self { added: 1, ..Self::default() },
            Some(known) if known == now => Self { unchanged: 1, ..Self::default() },
            Some(_) => Self { changed: 1, ..Self::default() },
        }
    }

    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.added += other.added;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
    }
}

/// The stream of rows that came with a table; agents' streams count from 1.
pub(super) const IMPORTED: i64 = 0;

/// Why a sample cannot be kept, if so. SQL integers end at 2^63.
pub(super) fn unstorable(number: u64, sample: &Sample) -> Option<String> {
    let counts = &sample.counts;
    let beyond = |count: u64| i64::try_from(count).is_err();
    if beyond(number) {
        return Some(format!("number {number} is beyond 2^63"));
    }
    if sample.line_id.is_empty() {
        return Some("line_id is empty".into());
    }
    if let Values::Number(value) = sample.values
        && !value.is_finite()
    {
        return Some("value is not finite".into());
    }
    let all = [
        counts.planned,
        counts.sent,
        counts.missed,
        counts.received,
        counts.lost,
        counts.late,
        counts.duplicate,
        counts.reordered,
        counts.lost_forward.unwrap_or(0),
        counts.lost_backward.unwrap_or(0),
    ];
    all.into_iter().find(|c| beyond(*c)).map(|count| format!("count {count} is beyond 2^63"))
}

/// Numbers, and texts with their lengths, for XXH3: it is the same in every release, and hardly costs more than reading
/// them.
struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, number: i64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn text(&mut self, text: &[u8]) -> &mut Self {
        self.number(text.len() as i64);
        self.0.extend_from_slice(text);
        self
    }

    fn finish(&self) -> i64 {
        XxHash3_64::oneshot(&self.0) as i64
    }
}

fn identity(sample: &Sample, window: Window) -> Bytes {
    let mut bytes = Bytes(Vec::with_capacity(1_024));
    bytes
        .text(sample.line_id.as_bytes())
        .text(sample.metric.id().as_bytes())
        .text(sample.statistic.word().as_bytes())
        .text(sample.load.word().as_bytes())
        .text(sample.direction.word().as_bytes())
        .text(sample.method.as_bytes())
        .number(sample.method_version.into())
        .number(i64::from(sample.target.is_some()))
        .text(sample.target.as_deref().unwrap_or_default().as_bytes())
        .number(sample.started_at.0)
        .number(sample.lasted.0)
        .number(window.code());
    bytes
}

/// The identity of a result that came with a table, from everything but what it says. Sixty-three bits: should
/// two identities ever meet, their digests differ and the second is reported, not lost.
pub(super) fn content_key(sample: &Sample, window: Window) -> i64 {
    identity(sample, window).finish() & i64::MAX
}

/// What the method added, as JSON text.
pub(super) fn details_text(sample: &Sample) -> Option<String> {
    // A map of JSON values always has a text.
    (!sample.details.is_empty()).then(|| serde_json::to_string(&sample.details).unwrap_or_default())
}

/// Tells one payload from another under the same identity, however a backend keeps the row.
pub(super) fn digest(sample: &Sample, window: Window, details: &str) -> i64 {
    let mut bytes = identity(sample, window);
    match &sample.values {
        Values::Histogram(histogram) => bytes.number(0).text(histogram.at_rest()),
        Values::Number(value) => bytes.number(1).number(value.to_bits() as i64),
        Values::Unmeasured(reason) => bytes.number(2).text(reason.0.as_bytes()),
    };
    let counts = &sample.counts;
    let optional = |count: Option<u64>| count.map_or(-1, |c| c as i64);
    for count in [counts.planned, counts.sent, counts.missed, counts.received, counts.lost, counts.late] {
        bytes.number(count as i64);
    }
    bytes.number(counts.duplicate as i64).number(counts.reordered as i64);
    bytes.number(optional(counts.lost_forward)).number(optional(counts.lost_backward));
    bytes.text(details.as_bytes());
    bytes.finish()
}

/// The word on a second payload under the same identity.
pub(super) fn taken(stream: i64, number: u64) -> String {
    if stream == IMPORTED {
        "another value is stored for the same line, metric, time, statistic, load, direction, target, method and \
         period, and stays: where both are true, give one of the two another target or method by a map; where this \
         one is, import into a new store"
            .into()
    } else {
        format!("another sample with number {number} is stored: were two agents given the same name?")
    }
}
