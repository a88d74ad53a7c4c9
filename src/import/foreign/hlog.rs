//! Interval logs of the HdrHistogram projects (`.hlog`, versions 1.01 to 1.3, with and without tags): one histogram an
//! interval, every bucket kept. The log says neither what was measured nor in which unit: a map gives `line_id`, `metric`
//! and the unit of `value`, and may put the tag where it belongs.
//!
//! Times: those of a log are counted from its `BaseTime`, or, where it has none, from its `StartTime` if they lie more
//! than a year before it, else from 1970 (as `HistogramLogReader` of the Java project decides). The second number of an
//! interval is its length in every version, although version 1.01 calls it the end.

use super::told::epoch;
use crate::import::table::Row;

/// The headers of the rows.
pub(super) const HEADERS: [&str; 5] = ["started_at", "period_end", "tag", "value", "method"];

const YEAR: f64 = 365.0 * 86_400.0;

/// Whether a text begins as an interval log.
pub(super) fn begins(start: &str) -> bool {
    (start.starts_with("#[") && start.contains("istogram log format"))
        || start.starts_with("\"StartTimestamp\"")
}

/// The intervals, one a row. A line that is none keeps its text where the time should stand, and is refused for that.
pub(super) fn read(log: &str) -> Vec<Row> {
    let (mut start, mut base) = (None, None);
    let mut rows = Vec::new();
    for (line, number) in log.lines().zip(1..) {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            start = start.or_else(|| seconds(comment, "[StartTime:"));
            base = base.or_else(|| seconds(comment, "[BaseTime:"));
            continue;
        }
        if line.is_empty() || line.starts_with('"') {
            continue;
        }
        let Some(Interval { tag, from, lasted, histogram }) = interval(line) else {
            let told: String = line.chars().take(60).collect();
            rows.push(row(number, told, String::new(), "", ""));
            continue;
        };
        let first = *start.get_or_insert(from);
        let base = *base.get_or_insert(if from < first - YEAR { first } else { 0.0 });
        let end = if lasted > 0.0 { epoch(base + from + lasted) } else { String::new() };
        rows.push(row(number, epoch(base + from), end, tag, histogram));
    }
    rows
}

fn row(line: u64, started_at: String, end: String, tag: &str, histogram: &str) -> Row {
    Row { line, cells: vec![started_at, end, tag.to_owned(), histogram.to_owned(), "hlog".to_owned()] }
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
