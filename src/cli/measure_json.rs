//! A measurement as JSON: the unit stands in the key, unknown is null.

use broadgauge_model::result::{Load, Outcome, Sample, Singleton, Values};
use broadgauge_probes::probe::{Descriptor, Measurement};
use serde_json::{Map, Value, json};

const QUANTILES: [(&str, f64); 7] =
    [("p10", 0.1), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)];

/// The whole document.
pub(super) fn document(
    target: &str,
    method: &Descriptor,
    measurement: &Measurement,
    singletons: bool,
) -> Value {
    let mut document = json!({
        "schema_version": 1,
        "method": { "name": method.name, "version": method.version, "kind": method.kind },
        "target": target,
        "started_at": measurement.started_at.rfc3339(),
        "interrupted": measurement.interrupted,
        "bytes_moved": measurement.bytes_moved,
        "samples": measurement.samples.iter().map(sample).collect::<Vec<_>>(),
    });
    if singletons {
        document["singletons"] = measurement
            .singletons
            .iter()
            .flat_map(|(load, list)| list.iter().map(|s| singleton(*load, s)))
            .collect();
    }
    document
}

fn sample(sample: &Sample) -> Value {
    let suffix = sample.metric.unit.code();
    let mut out = Map::new();
    out.insert("metric".into(), sample.metric.id().into());
    out.insert("unit".into(), suffix.into());
    out.insert("load".into(), sample.load.word().into());
    out.insert("direction".into(), sample.direction.word().into());
    out.insert("statistic".into(), sample.statistic.word().into());
    out.insert("started_at".into(), sample.started_at.rfc3339().into());
    out.insert("lasted_ms".into(), sample.lasted.as_millis_f64().into());
    match &sample.values {
        Values::Histogram(h) => {
            let number = |ticks: Option<u64>| ticks.map(|t| t as f64 * sample.metric.tick);
            out.insert("n".into(), h.len().into());
            out.insert(format!("min_{suffix}"), json!(number(h.min())));
            out.insert(format!("mean_{suffix}"), json!(h.mean().map(|t| t * sample.metric.tick)));
            for (name, q) in QUANTILES {
                out.insert(format!("{name}_{suffix}"), json!(number(h.quantile(q))));
            }
            out.insert(format!("max_{suffix}"), json!(number(h.max())));
        }
        Values::Number(value) => {
            out.insert(format!("value_{suffix}"), json!(value));
        }
        Values::Unmeasured(reason) => {
            out.insert(format!("value_{suffix}"), Value::Null);
            out.insert("unmeasured".into(), reason.0.clone().into());
        }
    }
    out.insert("counts".into(), json!(sample.counts));
    out.insert("details".into(), Value::Object(sample.details.clone()));
    Value::Object(out)
}

fn singleton(load: Load, singleton: &Singleton) -> Value {
    let (delay, state) = match &singleton.outcome {
        Outcome::Value(span) => (Some(span.as_millis_f64()), "answered".to_owned()),
        Outcome::Lost => (None, "lost".to_owned()),
        Outcome::Unmeasured(reason) => (None, format!("unmeasured: {}", reason.0)),
    };
    json!({
        "load": load.word(),
        "index": singleton.index,
        "intended_ms": singleton.intended.as_millis_f64(),
        "sent_ms": singleton.sent.map(broadgauge_model::clock::Span::as_millis_f64),
        "at": singleton.at.rfc3339(),
        "state": state,
        "delay_ms": delay,
        "forward_ms": singleton.one_way.map(|(forward, _)| forward.as_millis_f64()),
        "backward_ms": singleton.one_way.map(|(_, backward)| backward.as_millis_f64()),
    })
}
