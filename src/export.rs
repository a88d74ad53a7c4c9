//! Stored histograms as other people's tools read them: the HdrHistogram project's interval log (`.hlog`), one
//! interval a stored sample, V2 with DEFLATE, every bucket kept.
//!
//! The tag of an interval is `line/metric/load/direction`, with `_` where the format does not allow a character.
//! Values are ticks (microseconds for delays); the logged maximum is in the metric's unit.

use crate::store::{Filter, RowValues, Store, StoreError};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::histogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

/// Why a log cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be written.
    #[error("cannot write the interval log")]
    Write(#[source] std::io::Error),
    /// The library refused a histogram.
    #[error("cannot encode a histogram for the interval log: {0}")]
    Encode(String),
}

/// How much of the store went into the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
    /// Histograms written.
    pub histograms: u64,
    /// Singletons in them.
    pub singletons: u64,
    /// Results that are a single number, or that could not be measured: an interval log has no place for them.
    pub left_out: u64,
}

struct Interval {
    at: Wall,
    lasted: Span,
    tag: String,
    divisor: f64,
    held: Histogram,
}

/// Writes what the filter lets through, by time, then tag.
pub fn hlog(store: &dyn Store, filter: &Filter, out: &mut impl Write) -> Result<Exported, ExportError> {
    let (mut intervals, mut exported, mut broken) = (Vec::new(), Exported::default(), None);
    store.scan(filter, &mut |row| match row.values {
        RowValues::Histogram(bytes) => match Histogram::from_rest(bytes) {
            Ok(held) => intervals.push(Interval {
                at: row.started_at,
                lasted: row.lasted,
                tag: tag(&[row.line_id, row.metric.id(), row.load.word(), row.direction.word()]),
                divisor: 1.0 / row.metric.tick,
                held,
            }),
            Err(error) => broken = Some(error),
        },
        RowValues::Number(_) | RowValues::Unmeasured(_) => exported.left_out += 1,
    })?;
    if let Some(error) = broken {
        return Err(StoreError::from(error).into());
    }
    intervals.sort_by(|a, b| (a.at, &a.tag).cmp(&(b.at, &b.tag)));

    let mut serializer = V2DeflateSerializer::new();
    let start = intervals.first().map_or(UNIX_EPOCH, |first| UNIX_EPOCH + since_1970(first.at));
    let divisor = intervals.first().map_or(1.0, |first| first.divisor);
    let mut builder = IntervalLogWriterBuilder::new();
    let mut log = builder
        .add_comment("[Histogram log format version 1.3]")
        .with_start_time(start)
        .with_max_value_divisor(divisor)
        .begin_log_with(out, &mut serializer)
        .map_err(ExportError::Write)?;
    for Interval { at, lasted, tag, held, .. } in &intervals {
        log.write_histogram(&held.to_standard_form(), since_1970(*at), lasted.to_std(), Tag::new(tag))
            .map_err(|error| ExportError::Encode(format!("{error:?}")))?;
        exported.histograms += 1;
        exported.singletons += held.len();
    }
    Ok(exported)
}

fn since_1970(at: Wall) -> Duration {
    Span(at.0).to_std()
}

fn tag(parts: &[&str]) -> String {
    parts.join("/").chars().map(|c| if c.is_whitespace() || c == ',' { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Fleet as _, Memory, Results as _};
    use base64::Engine as _;
    use broadgauge_model::metric::MetricId;
    use broadgauge_model::place::AccessLine;
    use broadgauge_model::result::{
        Batch, Counts, Direction, Health, Load, Numbered, Sample, Statistic, Values,
    };
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    fn sample(second: i64, values: Values) -> Sample {
        Sample {
            metric: MetricId::ROUND_TRIP_DELAY,
            method: "stamp".into(),
            method_version: 1,
            line_id: "line 1".into(),
            target: None,
            load: Load::Idle,
            direction: Direction::RoundTrip,
            started_at: Wall::from_secs(second),
            lasted: Span::secs(10),
            statistic: Statistic::Singleton,
            values,
            counts: Counts::default(),
            details: serde_json::Map::new(),
        }
    }

    #[test]
    fn every_bucket_comes_back_from_the_log_in_order_of_time() {
        let store = Memory::default();
        store.put_lines(&[AccessLine { line_id: "line 1".into(), ..AccessLine::default() }]).expect("kept");
        let (early, late) = (Histogram::of([100, 200, 30_000]), Histogram::of([5, 60_000_000]));
        let samples = [
            sample(2_000, Values::Histogram(late.clone())),
            sample(1_000, Values::Histogram(early.clone())),
            sample(1_500, Values::Number(3.0)),
        ];
        let samples =
            samples.into_iter().zip(1..).map(|(sample, number)| Numbered { number, sample }).collect();
        store.put_batch(&Batch { agent: "a".into(), health: Health::default(), samples }).expect("kept");

        let mut log = Vec::new();
        let exported = hlog(&store, &Filter::default(), &mut log).expect("written");
        assert_eq!(exported, Exported { histograms: 2, singletons: 5, left_out: 1 });

        let read: Vec<(String, Histogram)> = IntervalLogIterator::new(&log)
            .filter_map(|entry| match entry.expect("a readable log") {
                LogEntry::Interval(i) => {
                    let bytes = base64::engine::general_purpose::STANDARD
                        .decode(i.encoded_histogram())
                        .expect("base64");
                    let tag = i.tag().expect("tagged").as_str().to_owned();
                    Some((tag, Histogram::from_v2_deflate(&bytes).expect("ours")))
                }
                _ => None,
            })
            .collect();
        let tag = "line_1/round_trip_delay/idle/round_trip".to_owned();
        assert_eq!(read, [(tag.clone(), early), (tag, late)]);
    }
}
