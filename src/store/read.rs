//! What comes out of a store: which rows are wanted, and one row.

use super::{Source, StoreError, Window};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Hours, MethodUse};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Counts, Direction, Load, Reason, Sample, Statistic, Values};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// Which results are wanted. Empty lists and absent bounds let everything through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of these metrics.
    pub metrics: Vec<MetricId>,
    /// Started at or after.
    pub from: Option<Wall>,
    /// Started before.
    pub to: Option<Wall>,
    /// On lines of these operators; a line whose operator nobody has told is then left out.
    pub operators: Vec<String>,
}

impl Filter {
    pub(super) fn takes_operator(&self, line: Option<&AccessLine>) -> bool {
        self.operators.is_empty() || line.is_some_and(|l| self.operators.contains(&l.operator))
    }

    pub(super) fn takes(&self, metric: MetricId, started_at: Wall) -> bool {
        (self.metrics.is_empty() || self.metrics.contains(&metric))
            && self.from.is_none_or(|from| started_at >= from)
            && self.to.is_none_or(|to| started_at < to)
    }
}

/// A stored result with its line looked up.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The line's name.
    pub line_id: &'a str,
    /// The line; `None` where results name it but neither an agent nor a table has described it.
    pub line: Option<&'a AccessLine>,
    /// A small number that stands for the line for the length of one scan.
    pub line_key: usize,
    /// The metric.
    pub metric: MetricId,
    /// The method; the class of the target is not known here.
    pub method: &'a MethodUse,
    /// Who measured, or which table it came with.
    pub source: &'a Source,
    /// The agent's number of the sample; `None` for a result that came with a table.
    pub number: Option<u64>,
    /// Against which target.
    pub target: Option<&'a str>,
    /// Under which load.
    pub load: Load,
    /// Which way.
    pub direction: Direction,
    /// When it started.
    pub started_at: Wall,
    /// How long it took.
    pub lasted: Span,
    /// What the values are.
    pub statistic: Statistic,
    /// Which hours it speaks of.
    pub window: Window,
    /// The packets.
    pub counts: Counts,
    /// The observation.
    pub values: RowValues<'a>,
    /// What the method added, as JSON text.
    pub details: Option<&'a str>,
}

/// An observation as it lies in the store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RowValues<'a> {
    /// A histogram at rest: read it with [`Histogram::from_rest`], merge it with [`Histogram::visit_rest`].
    Histogram(&'a [u8]),
    /// One number in the metric's unit.
    Number(f64),
    /// Nothing could be asked, and why.
    Unmeasured(&'a str),
}

/// A stored histogram with what merging asks for.
#[derive(Clone, Debug)]
pub struct HistogramRow<'a> {
    /// The line; `None` where nobody has described it.
    pub line: Option<&'a AccessLine>,
    /// A small number that stands for the line for the length of one scan.
    pub line_key: usize,
    /// The metric.
    pub metric: MetricId,
    /// When it started.
    pub started_at: Wall,
    /// The histogram at rest: merge it with [`Histogram::visit_rest`].
    pub at_rest: &'a [u8],
}

impl Row<'_> {
    /// The sample as it was given.
    pub fn to_sample(&self) -> Result<Sample, StoreError> {
        let values = match self.values {
            RowValues::Histogram(bytes) => Values::Histogram(Histogram::from_rest(bytes)?),
            RowValues::Number(value) => Values::Number(value),
            RowValues::Unmeasured(reason) => Values::Unmeasured(Reason(reason.to_owned())),
        };
        let details = match self.details {
            None => serde_json::Map::new(),
            Some(text) => serde_json::from_str(text)
                .map_err(|_| StoreError::Unknown { what: "details", value: text.to_owned() })?,
        };
        Ok(Sample {
            metric: self.metric,
            method: self.method.name.clone(),
            method_version: self.method.version,
            line_id: self.line_id.to_owned(),
            target: self.target.map(str::to_owned),
            load: self.load,
            direction: self.direction,
            started_at: self.started_at,
            lasted: self.lasted,
            statistic: self.statistic,
            values,
            counts: self.counts,
            details,
        })
    }

    /// The local hours that the row speaks of, in its line's zone or in `hours`' own.
    pub fn hours(&self, hours: &mut LocalHours) -> Hours {
        match self.window {
            Window::Peak => Hours::Peak,
            Window::AllDay => Hours::AllDay,
            Window::At => {
                let (day, hour) = hours.of(self.line.and_then(|l| l.zone.as_deref()), self.started_at);
                Hours::At { day, hour }
            }
        }
    }
}

/// Calendar time as it is on the wall where the line is. Zones change their offset on quarter hours at most, so
/// one look-up serves each quarter hour.
#[derive(Debug)]
pub struct LocalHours {
    /// A handful, looked up for every row: comparing names is faster than hashing one.
    zones: Vec<(String, Zone)>,
    fallback: Zone,
}

#[derive(Debug)]
struct Zone {
    rules: TimeZone,
    offsets: HashMap<i64, i64>,
    last: (i64, i64),
}

const QUARTER: i64 = 900;

impl Zone {
    fn new(zone: TimeZone) -> Self {
        Self { rules: zone, offsets: HashMap::new(), last: (i64::MIN, 0) }
    }

    fn offset(&mut self, secs: i64) -> i64 {
        let quarter = secs.div_euclid(QUARTER);
        if self.last.0 == quarter {
            return self.last.1;
        }
        let offset = *self.offsets.entry(quarter).or_insert_with(|| {
            Timestamp::from_second(quarter * QUARTER)
                .map_or(0, |at| i64::from(self.rules.to_offset(at).seconds()))
        });
        self.last = (quarter, offset);
        offset
    }
}

impl LocalHours {
    /// With the IANA zone of lines that name none; `None` where it is not a zone.
    pub fn new(zone: &str) -> Option<Self> {
        let fallback = Zone::new(TimeZone::get(zone).ok()?);
        Some(Self { zones: Vec::new(), fallback })
    }

    /// The local day since 1970-01-01 and the local hour. A zone that does not exist is the fallback.
    pub fn of(&mut self, zone: Option<&str>, at: Wall) -> (i32, u8) {
        let secs = at.secs();
        let offset = match zone {
            None => self.fallback.offset(secs),
            Some(name) => {
                let known = self.zones.iter().position(|(known, _)| known == name);
                let place = known.unwrap_or_else(|| {
                    let zone = TimeZone::get(name).unwrap_or_else(|_| self.fallback.rules.clone());
                    self.zones.push((name.to_owned(), Zone::new(zone)));
                    self.zones.len() - 1
                });
                self.zones[place].1.offset(secs)
            }
        };
        let local = secs + offset;
        (local.div_euclid(86_400) as i32, (local.rem_euclid(86_400) / 3_600) as u8)
    }
}
