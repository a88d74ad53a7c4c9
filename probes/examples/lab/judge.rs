//! One run of a packet tool against the wire and the ledger.
//!
//! The truth of a probe is its round trip on the client's own interface, less the far end's share as the far end's own
//! stamps have it where the tool takes that off too: what is judged is this machine's end of the measurement.

use super::Outcome;
use super::capture::{self, Capture, Tool};
use super::flows;
use super::ledger;
use super::line::Towards;
use super::tools::{self, Run};
use broadgauge_model::clock::Span;
use broadgauge_probes::series::{Reordering, nearest_rank};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub(crate) struct Facts {
    pub(crate) tool: Tool,
    name: String,
    scenario: String,
    capture: String,
    result: String,
    ledger: String,
    cpu_ms: f64,
    seconds: f64,
}

pub(crate) fn delay(facts: &Facts) -> Outcome<Value> {
    let wire = capture::read(facts.tool, &std::fs::read(&facts.capture)?)?;
    let run = tools::read(facts.tool, &std::fs::read_to_string(&facts.result)?)?;
    let session = wire.probes.iter().find(|(_, seen)| seen.left.is_some()).map(|(key, _)| key.0);
    let session = session.ok_or("the capture holds no probe of this tool")?;
    let run = if facts.tool == Tool::Stamp { as_on_the_wire(run, &wire, session) } else { run };
    let mut row = compare(&wire, session, &run)?;
    let classed = classed(&wire, session, &run, facts)?;
    row["kind"] = "delay".into();
    row["tool"] = facts.name.clone().into();
    row["scenario"] = facts.scenario.clone().into();
    row["cpu_ms_per_s"] = json!(facts.cpu_ms / facts.seconds);
    row["send_lateness_p99_us"] = json!(run.send_lateness_p99_us);
    row["classed"] = classed;
    Ok(row)
}

#[derive(Deserialize)]
pub(crate) struct Connections {
    tool: Tool,
    name: String,
    scenario: String,
    capture: String,
    result: String,
    port: u16,
}

/// One run of a tool that makes connections against the wire.
pub(crate) fn connection(facts: &Connections) -> Outcome<Value> {
    let part = facts.tool.part().ok_or("this tool makes no connections")?;
    let wire = flows::read(part, facts.port, &std::fs::read(&facts.capture)?)?;
    let run = tools::read(facts.tool, &std::fs::read_to_string(&facts.result)?)?;
    let mut row = compare(&wire, 0, &run)?;
    row["kind"] = "connection".into();
    row["tool"] = facts.name.clone().into();
    row["scenario"] = facts.scenario.clone().into();
    row["part"] = format!("{part:?}").into();
    Ok(row)
}

/// Gives what the tool tells in the order of sending the numbers that the packets had: a sender of STAMP may leave one out,
/// to see whether the far end counts for itself.
pub(crate) fn as_on_the_wire(run: Run, wire: &Capture, session: u16) -> Run {
    let left = wire.probes.iter().filter(|(key, seen)| key.0 == session && seen.left.is_some());
    let numbers: Vec<u32> = left.map(|(key, _)| key.1).collect();
    // What was told and never left is in no capture.
    let number = |told: u32| numbers.get(told as usize).copied().unwrap_or(u32::MAX - told);
    Run { probes: run.probes.into_iter().map(|(told, probe)| (number(told), probe)).collect(), ..run }
}

/// Differences packet by packet and quantile by quantile, in microseconds.
pub(crate) fn compare(wire: &Capture, session: u16, run: &Run) -> Outcome<Value> {
    let (mut errors, mut truth, mut told) = (Vec::new(), Vec::new(), Vec::new());
    let mut unseen = 0_u64;
    for (&number, probe) in &run.probes {
        let Some(delay) = probe.delay else { continue };
        let Some((left, (arrived, far))) = wire
            .probes
            .get(&(session, number))
            .and_then(|seen| seen.left.zip(seen.arrived.first().copied()))
            .filter(|(left, _)| probe.at.is_none_or(|at| at.since(*left).abs() < Span::millis(50)))
        else {
            unseen += 1;
            continue;
        };
        let real = arrived.since(left) - far - probe.far;
        errors.push(delay - real);
        truth.push(real);
        told.push(delay);
    }
    if errors.is_empty() {
        return Err("no probe of the tool is in the capture".into());
    }
    let n = errors.len();
    let mut absolute: Vec<Span> = errors.iter().map(|error| error.abs()).collect();
    for list in [&mut errors, &mut absolute, &mut truth, &mut told] {
        list.sort_unstable();
    }
    let us = |sorted: &[Span], q: f64| nearest_rank(sorted, q).map_or(f64::NAN, |span| span.0 as f64 / 1e3);
    let quantile = |q: f64| json!({ "wire_us": us(&truth, q), "error_us": us(&told, q) - us(&truth, q) });
    Ok(json!({
        "n": n,
        "not_in_capture": unseen,
        "bias_us": us(&errors, 0.5),
        "p99_us": us(&absolute, 0.99),
        "max_us": us(&absolute, 1.0),
        "p50": quantile(0.5),
        "p95": quantile(0.95),
        "p99": quantile(0.99),
    }))
}

/// How many probes the tool puts into another class than the wire and the ledger do; `null` where it has no such class.
fn classed(wire: &Capture, session: u16, run: &Run, facts: &Facts) -> Outcome<Value> {
    let probes: BTreeMap<u32, &capture::Seen> = wire
        .probes
        .iter()
        .filter(|(key, seen)| key.0 == session && seen.left.is_some())
        .map(|(key, seen)| (key.1, seen))
        .collect();
    let lost = |number: u32| probes.get(&number).is_none_or(|seen| seen.arrived.is_empty());
    let wrongly_lost =
        run.probes.iter().filter(|(number, told)| told.delay.is_none() != lost(**number)).count();
    let (mut real_up, mut real_down) = (0_u64, 0_u64);
    let reached = reached(facts, &probes)?;
    for &number in probes.keys().filter(|number| lost(**number)) {
        if reached.get(&(session, number)).copied().unwrap_or(false) { real_down += 1 } else { real_up += 1 }
    }
    let doubled: u64 = probes.values().map(|seen| (seen.arrived.len() as u64).saturating_sub(1)).sum();
    let order: Vec<u64> =
        wire.order.iter().filter(|key| key.0 == session).map(|key| u64::from(key.1)).collect();
    let reordered = Reordering::of(&order).count();
    let off = |told: Option<u64>, real: u64| told.map(|told| told.abs_diff(real));
    // A tool may say of a loss that it does not know where: that is not wrong.
    let told_lost = run.probes.values().filter(|told| told.delay.is_none()).count() as u64;
    let unknown = told_lost.saturating_sub(run.lost_up.unwrap_or(0) + run.lost_down.unwrap_or(0));
    let off_way = |told: Option<u64>, real: u64| {
        told.map(|told| told.saturating_sub(real) + real.saturating_sub(told).saturating_sub(unknown))
    };
    Ok(json!({
        "lost": probes.keys().filter(|number| lost(**number)).count(),
        "duplicate": doubled,
        "reordered": reordered,
        "lost_wrong": wrongly_lost,
        "duplicate_wrong": off(run.duplicate, doubled),
        "reordered_wrong": off(run.reordered, reordered),
        "lost_up_wrong": off_way(run.lost_up, real_up),
        "lost_down_wrong": off_way(run.lost_down, real_down),
    }))
}

/// For each probe, whether a copy of it got through to the far end, by the ledger. The ledger is longer than this run.
fn reached(facts: &Facts, probes: &BTreeMap<u32, &capture::Seen>) -> Outcome<BTreeMap<(u16, u32), bool>> {
    let left = || probes.values().filter_map(|seen| seen.left);
    let (first, last) = left().min().zip(left().max()).ok_or("no probe left")?;
    let mut out = BTreeMap::new();
    for entry in ledger::read(&std::fs::read_to_string(&facts.ledger)?)? {
        let during = entry.at.since(first) > Span::millis(-50) && entry.at.since(last) < Span::secs(2);
        let Some(named) = capture::name(facts.tool, &entry.head, entry.at).filter(|_| during) else {
            continue;
        };
        if entry.towards == Towards::Far && !named.answer {
            *out.entry((named.session, named.number)).or_insert(false) |= !entry.lost;
        }
    }
    Ok(out)
}
