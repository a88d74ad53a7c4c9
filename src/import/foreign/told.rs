//! One result, as far as a file tells it, and how numbers and times are read from JSON.

use crate::import::table::{Remark, Row};
use broadgauge_model::clock::Wall;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a file holds that is no result, counted by the reason.
#[derive(Debug, Default)]
pub(super) struct LeftOut(BTreeMap<String, u64>);

impl LeftOut {
    /// One more of this kind.
    pub(super) fn count(&mut self, why: impl Into<String>) {
        *self.0.entry(why.into()).or_default() += 1;
    }

    pub(super) fn reasons(self) -> Vec<(String, u64)> {
        self.0.into_iter().collect()
    }
}

/// A tool's own words, cut to a length that a summary can bear.
pub(super) fn quoted(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect()
}

/// The headers of every foreign file.
pub(super) const HEADERS: [&str; 12] = [
    "line_id",
    "started_at",
    "period_end",
    "metric",
    "value",
    "statistic",
    "sent",
    "lost",
    "target",
    "method",
    "load",
    "direction",
];

/// One result, as far as the file tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) line_id: String,
    pub(super) started_at: String,
    pub(super) period_end: String,
    pub(super) metric: &'static str,
    pub(super) value: String,
    pub(super) statistic: &'static str,
    pub(super) sent: String,
    pub(super) lost: String,
    pub(super) target: String,
    pub(super) method: &'static str,
    pub(super) load: &'static str,
    pub(super) direction: &'static str,
    /// Why `started_at` is empty, and the cure.
    pub(super) no_time: Option<String>,
}

impl Told {
    pub(super) fn row(self, line: u64) -> Row {
        let cells = vec![
            self.line_id,
            self.started_at,
            self.period_end,
            self.metric.to_owned(),
            self.value,
            self.statistic.to_owned(),
            self.sent,
            self.lost,
            self.target,
            self.method.to_owned(),
            self.load.to_owned(),
            self.direction.to_owned(),
        ];
        let remark = self.no_time.map(|why| Remark::Empty { column: "started_at", why });
        Row { line, cells, remark }
    }
}

/// The number under a path, finite.
pub(super) fn number(document: &Value, path: &str) -> Option<f64> {
    document.pointer(path)?.as_f64().filter(|v| v.is_finite())
}

/// What the reader of JSON finds wrong, without the place in the line it was given.
pub(super) fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ").map_or(text.clone(), |(words, _)| words.to_owned())
}

pub(super) fn text(document: &Value, path: &str) -> String {
    document.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// When a run was started, as the caller says.
pub(in crate::import) fn start(text: &str) -> Result<Wall, String> {
    Wall::parse_rfc3339(text)
        .ok_or_else(|| format!("{text:?} is not a time with its zone, such as 2026-05-04T20:00:00Z"))
}

/// Seconds since 1970 as RFC 3339, to the microsecond: a number of seconds holds no more.
pub(super) fn epoch(seconds: f64) -> String {
    // Nanoseconds reach to the year 2262: a later time is none.
    ((seconds * 1e6).round() as i64).checked_mul(1_000).map(|ns| Wall(ns).rfc3339()).unwrap_or_default()
}
