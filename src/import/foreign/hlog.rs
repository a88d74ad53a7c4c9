//! Interval logs of the HdrHistogram projects (`.hlog`, versions 1.01 to 1.3, with and without tags): one histogram an
//! interval, every bucket kept. The log says neither what was measured nor in which unit: a map gives `line_id`, `metric`
//! and the unit of `value`, and may put the tag where it belongs.
//!
//! Times: those of a log are counted from its `BaseTime`, or, where it has none, from its `StartTime` if they lie more
//! than a year before it, else from 1970 (as `HistogramLogReader` of the Java project decides). Where neither stands in
//! it and its times are too small to be counted from 1970, the caller says when the log was started, or the file is
//! refused: the Java project would date it 1970. The second number of an interval is its length in every version,
//! although version 1.01 calls it the end.

use super::told::{epoch, start};
use crate::import::table::{Reading, Row};

/// The headers of the rows.
pub(super) const HEADERS: [&str; 5] = ["started_at", "period_end", "tag", "value", "method"];

const YEAR: f64 = 365.0 * 86_400.0;
/// September 2001, before the first such log: fewer seconds are not counted from 1970.
const EARLIEST: f64 = 1e9;

/// Whether a text begins as an interval log.
pub(super) fn begins(start: &str) -> bool {
    (start.starts_with("#[") && start.contains("istogram log format"))
        || start.starts_with("\"StartTimestamp\"")
}

/// The intervals, one a row; a line that is none says so.
pub(super) fn read(log: &str, reading: &Reading) -> Result<Vec<Row>, String> {
    let asked = reading.started_at.as_deref().map(start).transpose()?.map(|at| at.0 as f64 / 1e9);
    let (mut begun, mut base, mut zero) = (None, None, None);
    let mut rows = Vec::new();
    for (line, number) in log.lines().zip(1..) {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            begun = begun.or_else(|| seconds(comment, "[StartTime:"));
            base = base.or_else(|| seconds(comment, "[BaseTime:"));
            continue;
        }
        if line.is_empty() || line.starts_with('"') {
            continue;
        }
        let Some(Interval { tag, from, lasted, histogram }) = interval(line) else {
            let why =
                "is no interval: a start, a length, a largest value and a histogram are looked for".into();
            rows.push(Row::unread(number, HEADERS.len(), line, why));
            continue;
        };
        let zero = match zero {
            Some(zero) => zero,
            None => *zero.insert(counted_from(from, base, begun, asked)?),
        };
        let end = if lasted > 0.0 { epoch(zero + from + lasted) } else { String::new() };
        rows.push(row(number, epoch(zero + from), end, tag, histogram));
    }
    Ok(rows)
}

/// What the times of a log are counted from, given the first of them.
fn counted_from(
    first: f64,
    base: Option<f64>,
    begun: Option<f64>,
    asked: Option<f64>,
) -> Result<f64, String> {
    if let Some(base) = base.filter(|base| base + first >= EARLIEST) {
        return Ok(base);
    }
    match begun.filter(|at| *at >= EARLIEST) {
        Some(begun) => Ok(if first < begun - YEAR { begun } else { 0.0 }),
        None if first >= EARLIEST => Ok(0.0),
        None => asked.ok_or_else(|| {
            "holds times since its start, and no StartTime or BaseTime that says when that was: give started_at \
             under [read] in the map, or --started-at"
                .into()
        }),
    }
}

fn row(line: u64, started_at: String, end: String, tag: &str, histogram: &str) -> Row {
    Row::of(line, vec![started_at, end, tag.to_owned(), histogram.to_owned(), "hlog".to_owned()])
}

struct Interval<'a> {
    tag: &'a str,
    from: f64,
    lasted: f64,
    histogram: &'a str,
}

/// `Tag=A,0.127,1.007,2.769,HISTFAAA…`; the largest value, third, is in the histogram as well.
fn interval(line: &str) -> Option<Interval<'_>> {
    let (tag, rest) = line.strip_prefix("Tag=").map_or(Some(("", line)), |tagged| tagged.split_once(','))?;
    let mut fields = rest.splitn(4, ',').map(str::trim);
    let mut number = || fields.next()?.parse::<f64>().ok().filter(|n| n.is_finite());
    let (from, lasted, _) = (number()?, number()?, number()?);
    Some(Interval { tag, from, lasted, histogram: fields.next()? })
}

/// `[StartTime: 1438869961.225 (seconds since epoch), …]`.
fn seconds(comment: &str, key: &str) -> Option<f64> {
    let rest = comment.split_once(key)?.1.trim_start();
    rest.split([' ', ']']).next()?.parse().ok().filter(|s: &f64| s.is_finite())
}
