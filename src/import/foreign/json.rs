//! Tools that write JSON: one document, one array of them, or one document a line.
//!
//! A document that cannot be read as a whole refuses its file. In a file of one document a line, a bad line is refused
//! as a bad row of a table is, and the others are taken.

use super::told::{self, HEADERS, LeftOut};
use super::{atlas, iperf3, ndt7, udpst};
use crate::import::table::Row;
use serde_json::Value;

/// The tools that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Ndt7,
    Iperf3,
    Atlas,
    Udpst,
}

impl Tool {
    const fn word(self) -> &'static str {
        match self {
            Self::Ndt7 => "ndt7",
            Self::Iperf3 => "iperf3",
            Self::Atlas => "ripe-atlas",
            Self::Udpst => "udpst",
        }
    }

    /// Which tool wrote a document.
    fn of(document: &Value) -> Option<Self> {
        let has = |key: &str| document.get(key).is_some();
        if has("prb_id") && (has("type") || has("fw")) {
            Some(Self::Atlas)
        } else if has("IPLayerCapSupported") || document.pointer("/Output/BOMTime").is_some() {
            Some(Self::Udpst)
        } else if has("ServerIP")
            && (has("Download") || has("Upload") || has("S2C") || has("C2S") || has("Control"))
        {
            Some(Self::Ndt7)
        } else if has("start") && (has("end") || has("intervals")) {
            Some(Self::Iperf3)
        } else {
            None
        }
    }

    fn read(self, document: &Value, left_out: &mut LeftOut) -> Vec<told::Told> {
        match self {
            Self::Ndt7 => ndt7::read(document, left_out),
            Self::Iperf3 => iperf3::read(document, left_out),
            Self::Atlas => atlas::read(document, left_out),
            Self::Udpst => udpst::read(document, left_out),
        }
    }
}

/// What stands in one place of a file.
enum Document {
    Of(Tool, Value),
    /// Its text, and what is wrong with it.
    Bad(String, String),
}

/// The tool, and the rows. An error is one of the whole file.
pub(super) fn read(text: &str, left_out: &mut LeftOut) -> Result<(&'static str, Vec<Row>), String> {
    let documents = documents(text)?;
    let known = |d: &Document| match d {
        Document::Of(tool, _) => Some(*tool),
        Document::Bad(..) => None,
    };
    let Some(tool) = documents.iter().find_map(|(_, d)| known(d)) else { return Err(stranger(text)) };
    let other_types =
        |d: &Document| matches!(d, Document::Of(Tool::Atlas, result) if !atlas::is_ping(result));
    if documents.iter().all(|(_, d)| known(d).is_none() || other_types(d)) {
        return Err("holds RIPE Atlas results, and none of type ping: the others are not read".into());
    }
    let mut rows = Vec::new();
    for (line, document) in documents {
        match document {
            Document::Of(tool, value) => {
                rows.extend(tool.read(&value, left_out).into_iter().map(|told| told.row(line)));
            }
            Document::Bad(text, why) => rows.push(Row::unread(line, HEADERS.len(), &text, why)),
        }
    }
    Ok((tool.word(), rows))
}

/// What a file holds, each with its line.
fn documents(text: &str) -> Result<Vec<(u64, Document)>, String> {
    let whole = match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(all)) => return Ok(all.into_iter().map(|v| (1, recognised(v))).collect()),
        Ok(one) => return Ok(vec![(1, recognised(one))]),
        Err(error) => format!("is not JSON: {error}"),
    };
    // An array that breaks off is no file of lines, even where some of its lines are documents.
    if text.trim_start().starts_with('[') {
        return Err(whole);
    }
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let documents: Vec<_> = lines.map(|(line, number)| (number, one_line(line))).collect();
    let first_is_one =
        text.trim_start().lines().next().is_some_and(|line| serde_json::from_str::<Value>(line).is_ok());
    let found = documents.iter().any(|(_, d)| matches!(d, Document::Of(..)));
    if found || first_is_one { Ok(documents) } else { Err(whole) }
}

fn one_line(line: &str) -> Document {
    match serde_json::from_str(line) {
        Ok(value) => recognised(value),
        Err(error) => {
            let (words, column) = (told::words(&error), error.column());
            Document::Bad(line.to_owned(), format!("is not JSON: {words}, at column {column}"))
        }
    }
}

fn recognised(value: Value) -> Document {
    match Tool::of(&value) {
        Some(tool) => Document::Of(tool, value),
        None => Document::Bad(value.to_string(), "is JSON of no tool that is known".into()),
    }
}

/// The word on a file of which nothing is known.
fn stranger(text: &str) -> String {
    let one: Option<Value> = serde_json::from_str(text).ok();
    if one.is_some_and(|d| d.get("data_records").is_some() && d.get("max_connections").is_some()) {
        return "holds the performance statistics of a UDPST server, which sum up all its tests and name no line: \
                import the results of its clients (udpst -f json)"
            .into();
    }
    "is JSON of no tool that is known: ndt7, iperf3, RIPE Atlas ping, UDPST".into()
}
