//! Other tools' own files as rows of the `results` table: ndt7 and iperf3 JSON, RIPE Atlas, UDPST (RFC 9097), interval
//! logs of HdrHistogram and the output of ping. What a file is, is told by its content, not by its name.
//!
//! Each reader answers with rows under our own headers, one result a row, so that maps, refusals, previews and the
//! store treat them as any table. What a file does not say stays empty (ping names neither line nor, mostly, time): a map
//! gives it as a constant. Missing is never zero: a probe's error is not a lost packet, and a minimum of -1 is none.

mod atlas;
mod hlog;
mod iperf3;
mod ndt7;
mod ping;
mod told;
mod udpst;

pub(super) use ping::start;

use super::table::{Reading, Row};
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use told::{HEADERS, LeftOut};

/// Bytes that tell what a file is.
const START: u64 = 512;

/// What a foreign file holds.
#[derive(Debug, PartialEq)]
pub(super) struct Foreign {
    /// The tool.
    pub(super) tool: &'static str,
    /// The headers, then the rows.
    pub(super) rows: Vec<Row>,
    /// What else it holds, by the reason why that is no row.
    pub(super) left_out: Vec<(String, u64)>,
}

/// Whether a file begins as one of a tool that is known: tables are streamed, and never read whole for this question.
pub(super) fn is_one(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(START).read_to_end(&mut start)?;
    Ok(begins(&start))
}

/// The same of a file in memory.
pub(super) fn begins(bytes: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(START as usize)]);
    let start = start.trim_start_matches('\u{feff}').trim_start();
    start.starts_with(['{', '[']) || hlog::begins(start) || ping::begins(start)
}

/// Reads a file if it is one of a tool that is known; `None` where it looks like a table. A file that begins as one
/// of ours and breaks off is an error that says where.
pub(super) fn read(bytes: &[u8], reading: &Reading) -> Result<Option<Foreign>, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let start = text.trim_start();
    if start.starts_with('{') || start.starts_with('[') {
        return json(text).map(Some);
    }
    if hlog::begins(start) {
        return Ok(Some(with_headers("hlog", &hlog::HEADERS, hlog::read(text), LeftOut::default())));
    }
    let mut left_out = LeftOut::default();
    let rows = ping::read(text, reading, &mut left_out)?;
    Ok(rows.map(|rows| with_headers("ping", &HEADERS, rows, left_out)))
}

fn with_headers(tool: &'static str, headers: &[&str], rows: Vec<Row>, left_out: LeftOut) -> Foreign {
    let headers = Row { line: 1, cells: headers.iter().map(|h| (*h).to_owned()).collect() };
    let rows = std::iter::once(headers).chain(rows).collect();
    Foreign { tool, rows, left_out: left_out.reasons() }
}

/// One document, one array, or one document a line.
fn json(text: &str) -> Result<Foreign, String> {
    let mut documents: Vec<(u64, Value)> = Vec::new();
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(all)) => documents.extend(all.into_iter().map(|v| (1, v))),
        Ok(one) => documents.push((1, one)),
        Err(whole) => {
            for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
                let value = serde_json::from_str(line).map_err(|e| {
                    if number == 1 {
                        format!("is not JSON: {whole}")
                    } else {
                        let column = e.column();
                        format!("line {number} is not JSON: {}, at column {column}", told::words(&e))
                    }
                })?;
                documents.push((number, value));
            }
        }
    }
    let Some(tool) = documents.iter().find_map(|(_, d)| tool_of(d)) else {
        return Err("is JSON of no tool that is known: ndt7, iperf3, RIPE Atlas ping, UDPST".into());
    };
    let (mut rows, mut left_out) = (Vec::new(), LeftOut::default());
    for (line, document) in &documents {
        let told = match tool_of(document) {
            Some("ndt7") => ndt7::read(document, &mut left_out),
            Some("iperf3") => iperf3::read(document, &mut left_out),
            Some("ripe-atlas") => atlas::read(document, &mut left_out),
            Some("udpst") => udpst::read(document, &mut left_out),
            _ => return Err(format!("document {line} is of another tool than {tool}, or of none")),
        };
        rows.extend(told.into_iter().map(|t| t.row(*line)));
    }
    if rows.is_empty() && tool == "ripe-atlas" && !documents.iter().any(|(_, d)| atlas::is_ping(d)) {
        return Err("holds RIPE Atlas results, and none of type ping: the others are not read".into());
    }
    Ok(with_headers(tool, &HEADERS, rows, left_out))
}

/// Which tool wrote a document.
fn tool_of(document: &Value) -> Option<&'static str> {
    let has = |key: &str| document.get(key).is_some();
    if has("prb_id") && (has("type") || has("fw")) {
        Some("ripe-atlas")
    } else if has("IPLayerCapSupported") || document.pointer("/Output/BOMTime").is_some() {
        Some("udpst")
    } else if has("ServerIP")
        && (has("Download") || has("Upload") || has("S2C") || has("C2S") || has("Control"))
    {
        Some("ndt7")
    } else if has("start") && (has("end") || has("intervals")) {
        Some("iperf3")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
