//! The batch as JSON, version 1. Histograms travel as standard V2, base64.

use crate::clock::{Span, Wall};
use crate::histogram::{Histogram, StandardError};
use crate::metric::MetricId;
use crate::result::{Batch, Counts, Direction, Health, Load, Numbered, Reason, Sample, Statistic, Values};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Why bytes are not a batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Not the JSON we know.
    #[error("batch is not readable")]
    Json(#[from] serde_json::Error),
    /// Written by a newer program.
    #[error("batch has version {0}; this program reads version 1: update the collector")]
    Version(u64),
    /// A sample's histogram is not readable.
    #[error("sample {number}: histogram is not readable")]
    Histogram {
        /// The sample.
        number: u64,
        /// Why.
        source: StandardError,
    },
    /// A sample's histogram is not base64.
    #[error("sample {number}: histogram is not base64")]
    Base64 {
        /// The sample.
        number: u64,
        /// Why.
        source: base64::DecodeError,
    },
    /// A sample says nothing, or two things.
    #[error("sample {number}: exactly one of histogram_v2, value and unmeasured is needed")]
    Values {
        /// The sample.
        number: u64,
    },
    /// A number that no measurement can give.
    #[error("sample {number}: {what} is not possible")]
    Impossible {
        /// The sample.
        number: u64,
        /// What is wrong.
        what: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchV1<'a, Samples> {
    version: u64,
    #[serde(borrow)]
    agent: Cow<'a, str>,
    #[serde(default)]
    health: Health,
    samples: Samples,
}

/// Text that may be missing. `Option<Cow<str>>` itself would be copied on the way in.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleV1<'a> {
    number: u64,
    metric: MetricId,
    #[serde(borrow)]
    method: Cow<'a, str>,
    method_version: u32,
    #[serde(borrow)]
    line_id: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    target: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    load: Load,
    #[serde(default, skip_serializing_if = "is_default")]
    direction: Direction,
    started_at_ns: Wall,
    lasted_ns: Span,
    #[serde(default, skip_serializing_if = "is_default")]
    statistic: Statistic,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    histogram_v2: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unmeasured: Option<Reason>,
    #[serde(default, skip_serializing_if = "is_default")]
    counts: Counts,
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    details: serde_json::Map<String, serde_json::Value>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Writes a batch in the current version.
pub fn encode(batch: &Batch) -> Vec<u8> {
    let samples = batch
        .samples
        .iter()
        .map(|Numbered { number, sample }| {
            let (mut histogram_v2, mut value, mut unmeasured) = (None, None, None);
            match &sample.values {
                Values::Histogram(h) => histogram_v2 = Some(Text(STANDARD.encode(h.to_v2()).into())),
                Values::Number(v) => value = Some(*v),
                Values::Unmeasured(reason) => unmeasured = Some(reason.clone()),
            }
            SampleV1 {
                number: *number,
                metric: sample.metric,
                method: Cow::Borrowed(&sample.method),
                method_version: sample.method_version,
                line_id: Cow::Borrowed(&sample.line_id),
                target: sample.target.as_deref().map(|target| Text(target.into())),
                load: sample.load,
                direction: sample.direction,
                started_at_ns: sample.started_at,
                lasted_ns: sample.lasted,
                statistic: sample.statistic,
                histogram_v2,
                value,
                unmeasured,
                counts: sample.counts,
                details: sample.details.clone(),
            }
        })
        .collect::<Vec<_>>();
    let envelope =
        BatchV1 { version: 1, agent: Cow::Borrowed(&batch.agent), health: batch.health.clone(), samples };
    // Every field is plain data with text keys, so writing it cannot fail.
    serde_json::to_vec(&envelope).unwrap_or_default()
}

/// Reads a batch of any version.
pub fn decode(bytes: &[u8]) -> Result<Batch, WireError> {
    // Whether it is UTF-8 is asked once, not of each name in it; where it is not, the reader of bytes says where.
    let read =
        std::str::from_utf8(bytes).map_or_else(|_| serde_json::from_slice(bytes), serde_json::from_str);
    let envelope: BatchV1<'_, Upgraded> = match read {
        Ok(envelope) => envelope,
        Err(error) => return Err(newer_version(bytes).unwrap_or_else(|| error.into())),
    };
    if envelope.version != 1 {
        return Err(WireError::Version(envelope.version));
    }
    Ok(Batch { agent: envelope.agent.into_owned(), health: envelope.health, samples: envelope.samples.0? })
}

/// Samples, each brought up to date as soon as it is read, so that a batch is not held twice; or what is wrong with the
/// first that is not possible.
struct Upgraded(Result<Vec<Numbered>, WireError>);

impl<'de> Deserialize<'de> for Upgraded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(UpgradedVisitor)
    }
}

struct UpgradedVisitor;

impl<'de> Visitor<'de> for UpgradedVisitor {
    type Value = Upgraded;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of samples")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut wire: A) -> Result<Upgraded, A::Error> {
        let mut samples = Ok(Vec::new());
        let mut standard = Vec::new();
        while let Some(sample) = wire.next_element()? {
            if let Ok(upgraded) = &mut samples {
                match upgrade(sample, &mut standard) {
                    Ok(sample) => upgraded.push(sample),
                    Err(error) => samples = Err(error),
                }
            }
        }
        Ok(Upgraded(samples))
    }
}

fn newer_version(bytes: &[u8]) -> Option<WireError> {
    #[derive(Deserialize)]
    struct Version {
        version: u64,
    }
    let Version { version } = serde_json::from_slice(bytes).ok()?;
    (version != 1).then_some(WireError::Version(version))
}

/// `standard` is room for a histogram in its standard form.
fn upgrade(wire: SampleV1<'_>, standard: &mut Vec<u8>) -> Result<Numbered, WireError> {
    let number = wire.number;
    if wire.lasted_ns < Span::ZERO {
        return Err(WireError::Impossible { number, what: "a negative duration" });
    }
    let values = match (wire.histogram_v2, wire.value, wire.unmeasured) {
        (Some(text), None, None) => {
            standard.clear();
            let decoded = STANDARD.decode_vec(text.0.as_bytes(), standard);
            decoded.map_err(|source| WireError::Base64 { number, source })?;
            let histogram = Histogram::from_v2(standard);
            Values::Histogram(histogram.map_err(|source| WireError::Histogram { number, source })?)
        }
        (None, Some(value), None) if value.is_finite() => Values::Number(value),
        (None, None, Some(reason)) => Values::Unmeasured(reason),
        _ => return Err(WireError::Values { number }),
    };
    let sample = Sample {
        metric: wire.metric,
        method: wire.method.into_owned(),
        method_version: wire.method_version,
        line_id: wire.line_id.into_owned(),
        target: wire.target.map(|Text(target)| target.into_owned()),
        load: wire.load,
        direction: wire.direction,
        started_at: wire.started_at_ns,
        lasted: wire.lasted_ns,
        statistic: wire.statistic,
        values,
        counts: wire.counts,
        details: wire.details,
    };
    Ok(Numbered { number, sample })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let sample = Sample {
            metric: MetricId::ROUND_TRIP_DELAY,
            method: "stamp".into(),
            method_version: 1,
            line_id: "line-1".into(),
            target: Some("exchange".into()),
            load: Load::Down,
            direction: Direction::RoundTrip,
            started_at: Wall::from_secs(1_700_000_000),
            lasted: Span::secs(10),
            statistic: Statistic::Singleton,
            values: Values::Histogram(Histogram::of([1_000, 2_000, 30_000])),
            counts: Counts { planned: 4, sent: 4, received: 3, lost: 1, ..Counts::default() },
            details: serde_json::Map::new(),
        };
        let mut other = sample.clone();
        other.values = Values::Unmeasured(Reason("no route to the target".into()));
        Batch {
            agent: "site-1".into(),
            health: Health { runs_planned: 2, runs_done: 2, ..Health::default() },
            samples: vec![Numbered { number: 7, sample }, Numbered { number: 8, sample: other }],
        }
    }

    #[test]
    fn a_batch_survives_the_wire() {
        assert_eq!(decode(&encode(&batch())).unwrap(), batch());
    }

    #[test]
    fn a_batch_of_a_newer_program_names_its_version() {
        let error = decode(br#"{"version":2,"agent":"a","novel":1,"samples":[]}"#).unwrap_err();
        assert!(matches!(error, WireError::Version(2)), "{error}");
    }

    #[test]
    fn a_sample_that_says_nothing_is_refused_by_its_number() {
        let text = String::from_utf8(encode(&batch())).unwrap().replace("\"unmeasured\"", "\"value\"");
        assert!(decode(text.as_bytes()).is_err());
        let text = String::from_utf8(encode(&batch())).unwrap();
        let text = text.replace(",\"unmeasured\":\"no route to the target\"", "");
        assert!(matches!(decode(text.as_bytes()), Err(WireError::Values { number: 8 })));
    }
}
