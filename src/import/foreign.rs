//! Other tools' own files as rows of the `results` table: ndt7 and iperf3 JSON, RIPE Atlas, UDPST (RFC 9097), interval
//! logs of HdrHistogram and the output of ping. What a file is, is told by its content, not by its name.
//!
//! Each reader answers with rows under our own headers, one result a row, so that maps, refusals, previews and the
//! store treat them as any table. What a file does not say stays empty (ping names neither line nor, mostly, time): a map
//! gives it as a constant. Missing is never zero: a probe's error is not a lost packet, and a minimum of -1 is none.

mod atlas;
mod hlog;
mod iperf3;
mod json;
mod ndt7;
mod ping;
mod stranger;
mod told;
mod udpst;

pub(super) use told::start;

use super::table::{Reading, Row};
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
    /// Its values are histograms, which do not say their unit.
    pub(super) histograms: bool,
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
    start.starts_with(['{', '['])
        || hlog::begins(start)
        || ping::begins(start)
        || stranger::refusal(start).is_some()
}

/// Reads a file if it is one of a tool that is known; `None` where it looks like a table. A file of a tool that is
/// known and not read is an error, and so is one that cannot be read as a whole; a line that cannot be read is a row
/// that says so.
pub(super) fn read(bytes: &[u8], reading: &Reading) -> Result<Option<Foreign>, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let start = text.trim_start();
    let mut left_out = LeftOut::default();
    // Before JSON: the stamps of ping begin with a bracket too.
    if let Some(rows) = ping::read(text, reading, &mut left_out)? {
        return Ok(Some(with_headers("ping", &HEADERS, rows, left_out)));
    }
    if start.starts_with(['{', '[']) {
        let (tool, rows) = json::read(text, &mut left_out)?;
        return Ok(Some(with_headers(tool, &HEADERS, rows, left_out)));
    }
    if hlog::begins(start) {
        let rows = hlog::read(text, reading)?;
        let log = with_headers("hlog", &hlog::HEADERS, rows, left_out);
        return Ok(Some(Foreign { histograms: true, ..log }));
    }
    stranger::refusal(start).map_or(Ok(None), Err)
}

fn with_headers(tool: &'static str, headers: &[&str], rows: Vec<Row>, left_out: LeftOut) -> Foreign {
    let headers = Row::of(1, headers.iter().map(|h| (*h).to_owned()).collect());
    let rows = std::iter::once(headers).chain(rows).collect();
    Foreign { tool, rows, left_out: left_out.reasons(), histograms: false }
}

#[cfg(test)]
mod tests;
