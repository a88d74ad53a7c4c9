//! What each tool says of each probe, from its own output.

use super::Outcome;
use super::capture::Tool;
use broadgauge_model::clock::{Span, Wall};
use serde_json::Value;
use std::collections::BTreeMap;

/// One probe as the tool tells of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// The delay; `None` is lost.
    pub(crate) delay: Option<Span>,
    /// When it left, where the tool says.
    pub(crate) at: Option<Wall>,
    /// The far end's share that the tool has taken off, where the wire does not show it.
    pub(crate) far: Span,
}

/// A run as the tool tells of it; `None` where it does not count such things.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) probes: BTreeMap<u32, Told>,
    pub(crate) duplicate: Option<u64>,
    pub(crate) reordered: Option<u64>,
    pub(crate) lost_up: Option<u64>,
    pub(crate) lost_down: Option<u64>,
    pub(crate) send_lateness_p99_us: Option<f64>,
}

pub(crate) fn read(tool: Tool, text: &str) -> Outcome<Run> {
    match tool {
        Tool::Stamp | Tool::OurPing | Tool::Connect | Tool::Fetch => {
            ours(&serde_json::from_str(text)?, "idle")
        }
        Tool::Ping => ping(text),
        Tool::Fping => fping(text),
        Tool::Irtt => irtt(&serde_json::from_str(text)?),
        Tool::CurlConnect => curl(text, 0),
        Tool::CurlFetch => curl(text, 2),
    }
}

/// `broadgauge measure ... --json --singletons`; numbers count what was sent.
pub(crate) fn ours(document: &Value, load: &str) -> Outcome<Run> {
    let mut run = Run::default();
    let singletons = document["singletons"].as_array().ok_or("no singletons")?;
    for (number, one) in
        (0_u32..).zip(singletons.iter().filter(|one| one["load"] == load && !one["sent_ms"].is_null()))
    {
        let delay = one["delay_ms"].as_f64().map(|ms| Span((ms * 1e6).round() as i64));
        let at = one["at"].as_str().and_then(Wall::parse_rfc3339);
        run.probes.insert(number, Told { delay, at, far: Span::ZERO });
    }
    let samples = document["samples"].as_array().ok_or("no samples")?;
    let counted =
        samples.iter().find(|sample| sample["load"] == load && sample["counts"]["sent"].as_u64() > Some(0));
    if let Some(sample) = counted {
        let count = |name: &str| sample["counts"][name].as_u64();
        (run.duplicate, run.reordered) = (count("duplicate"), count("reordered"));
        (run.lost_up, run.lost_down) = (count("lost_forward"), count("lost_backward"));
        run.send_lateness_p99_us = sample["details"]["send_lateness_p99_ms"].as_f64().map(|ms| ms * 1e3);
    }
    Ok(run)
}

/// `ping -i`: `64 bytes from 10.98.0.2: icmp_seq=1 ttl=64 time=5.12 ms`, `(DUP!)` behind it for a copy.
fn ping(text: &str) -> Outcome<Run> {
    let mut run = Run { duplicate: Some(0), ..Run::default() };
    for line in text.lines().filter(|line| line.contains("icmp_seq=")) {
        let word = |key: &str| line.split(key).nth(1).and_then(|rest| rest.split_whitespace().next());
        let (Some(number), Some(ms)) = (word("icmp_seq="), word("time=")) else { continue };
        if line.contains("(DUP!)") {
            run.duplicate = run.duplicate.map(|n| n + 1);
        } else {
            run.probes.insert(number.parse()?, told(Some(ms.parse()?)));
        }
    }
    let sent = text.lines().find_map(|line| line.split(" packets transmitted").next()?.parse::<u32>().ok());
    for number in 1..=sent.ok_or("ping: no summary")? {
        run.probes.entry(number).or_insert(told(None));
    }
    Ok(run)
}

/// `fping -C N -q`: `10.98.0.2 : 5.12 5.10 - 5.11`; numbers from 0. It tells of some duplicates on lines of their own.
fn fping(text: &str) -> Outcome<Run> {
    let values = text
        .lines()
        .filter_map(|line| Some(line.split_once(" : ")?.1))
        .find(|values| !values.contains("duplicate"))
        .ok_or("fping: no values")?;
    let told =
        |word: &str| -> Outcome<Told> { Ok(told(if word == "-" { None } else { Some(word.parse()?) })) };
    let probes: Vec<Told> = values.split_whitespace().map(told).collect::<Outcome<_>>()?;
    Ok(Run { probes: (0..).zip(probes).collect(), ..Run::default() })
}

/// `curl -w '%{time_namelookup} %{time_connect} %{time_pretransfer} %{time_starttransfer}\n'`, once for each fetch: what
/// passed between one of these times and the next, in seconds.
fn curl(text: &str, from: usize) -> Outcome<Run> {
    let told = |line: &str| -> Outcome<Told> {
        let times: Vec<f64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let (start, end) = times.get(from).zip(times.get(from + 1)).ok_or("curl: too few times")?;
        Ok(told(Some((end - start) * 1e3)))
    };
    let probes: Vec<Told> = text.lines().map(told).collect::<Outcome<_>>()?;
    Ok(Run { probes: (0..).zip(probes).collect(), ..Run::default() })
}

const fn told_span(delay: Option<Span>) -> Told {
    Told { delay, at: None, far: Span::ZERO }
}

fn told(ms: Option<f64>) -> Told {
    told_span(ms.map(|ms| Span((ms * 1e6).round() as i64)))
}

/// `irtt client -o`: its round trip has the server's processing taken off, by the server's own clock.
fn irtt(document: &Value) -> Outcome<Run> {
    let mut run = Run { duplicate: document["stats"]["duplicates"].as_u64(), ..Run::default() };
    let late = document["stats"]["late_packets"].as_u64();
    run.reordered = late;
    for one in document["round_trips"].as_array().ok_or("irtt: no round trips")? {
        let number = one["seqno"].as_u64().ok_or("irtt: no number")? as u32;
        let lost = one["lost"] != "false";
        let server = |end: &str| one["timestamps"]["server"][end]["monotonic"].as_i64();
        let far =
            server("send").zip(server("receive")).map_or(Span::ZERO, |(send, receive)| Span(send - receive));
        let delay = one["delay"]["rtt"].as_i64().map(Span).filter(|_| !lost);
        run.probes.insert(number, Told { far, ..told_span(delay) });
    }
    Ok(run)
}
