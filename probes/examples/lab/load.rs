//! One run of a load tool against what the line allows, and the delay beside it against the wire.
//!
//! A line counts IP bytes, so of each packet of 1,500 bytes 1,448 are payload: 20 bytes of IPv4 and 32 of TCP with
//! timestamps are not.

use super::Outcome;
use super::capture::{self, Tool};
use super::judge::compare;
use super::line::{Line, Way};
use super::tools;
use broadgauge_model::clock::Span;
use serde::Deserialize;
use serde_json::{Value, json};

const PAYLOAD: f64 = 1_448.0 / 1_500.0;

#[derive(Deserialize)]
pub(crate) struct Facts {
    /// `broadgauge` or `iperf3`.
    name: String,
    scenario: String,
    line: String,
    control: String,
    /// The tool's own JSON.
    result: String,
    /// For iperf3, which way.
    #[serde(default)]
    way: Option<String>,
    /// For ours.
    #[serde(default)]
    capture: Option<String>,
    /// How long the whole run took.
    seconds: f64,
}

pub(crate) fn throughput(facts: &Facts) -> Outcome<Value> {
    let line: Line = toml::from_str(&std::fs::read_to_string(&facts.line)?)?;
    let result: Value = serde_json::from_str(&std::fs::read_to_string(&facts.result)?)?;
    let mut rows = Vec::new();
    if let Some(way) = facts.way.as_deref() {
        let mbps = result["end"]["sum_received"]["bits_per_second"].as_f64().map(|bps| bps / 1e6);
        rows.push(row(facts, &line, way, mbps));
    } else {
        let capture = facts.capture.as_ref().ok_or("a run of ours needs its capture")?;
        let wire = capture::read(Tool::Stamp, &std::fs::read(capture)?)?;
        for way in ["down", "up"] {
            let mut row = row(facts, &line, way, goodput(&result, way));
            row["loaded"] = loaded(&wire, &result, way)?;
            row["warm_up_ms"] = detail(&result, way, "warm_up_ms");
            rows.push(row);
        }
    }
    Ok(Value::Array(rows))
}

fn of(line: &Line, way: &str) -> Way {
    if way == "down" { line.down } else { line.up }
}

fn row(facts: &Facts, line: &Line, way: &str, mbps: Option<f64>) -> Value {
    let theory = of(line, way).rate_mbps * PAYLOAD;
    // Jitter aside: both fixed delays, a full buffer, and the packet on its way.
    let full = line.down.delay_ms + line.up.delay_ms + of(line, way).buffer_ms;
    json!({
        "kind": "throughput", "tool": facts.name, "scenario": facts.scenario, "control": facts.control, "way": way,
        "mbps": mbps, "theory_mbps": theory, "ratio": mbps.map(|mbps| mbps / theory),
        "full_buffer_ms": full, "seconds": facts.seconds,
    })
}

fn sample<'a>(document: &'a Value, way: &str) -> Option<&'a Value> {
    let metric = format!("{way}load_goodput");
    document["samples"].as_array()?.iter().find(|sample| sample["metric"] == metric.as_str())
}

fn goodput(document: &Value, way: &str) -> Option<f64> {
    sample(document, way)?["value_mbps"].as_f64()
}

fn detail(document: &Value, way: &str, key: &str) -> Value {
    sample(document, way).map_or(Value::Null, |sample| sample["details"][key].clone())
}

/// The delay probes of the goodput's window against the same packets on the wire.
fn loaded(wire: &capture::Capture, document: &Value, way: &str) -> Outcome<Value> {
    let mut run = tools::ours(document, way)?;
    // A probe that was lost may have no time of its own.
    let first = run.probes.iter().find_map(|(&number, told)| Some((number, told.at?)));
    let (number, first) = first.ok_or("no delay probe under load")?;
    let off = |seen: &capture::Seen| seen.left.map(|left| left.since(first).abs());
    let nearest = wire.probes.iter().filter_map(|(key, seen)| Some((off(seen)?, *key))).min();
    let Some((_, (session, offset))) = nearest.filter(|(off, _)| *off < Span::millis(20)) else {
        return Err("the capture does not hold the probes under load".into());
    };
    // The document holds the probes of the window only; on the wire they are numbered from the start of the load.
    let shifted = |(own, told)| (own + offset - number, told);
    run.probes = run.probes.into_iter().map(shifted).collect();
    compare(wire, session, &run)
}
