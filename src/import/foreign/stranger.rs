//! Files of tools that are recognised and not read. Taken for tables they would be refused with a word on headers that
//! nobody wrote; so each is told what it was taken for, and what can be imported in its place.

const AS_TABLE: &str = "as CSV with the columns line_id, started_at, metric and value (metric round_trip_delay, value \
                        in ms)";

/// Why a file that begins so is not read, and the cure; `None` where it is not known.
pub(super) fn refusal(start: &str) -> Option<String> {
    // What Windows redirects into a file is often UTF-16: of that, and of other encodings, ASCII is enough.
    let start = start.replace(['\0', char::REPLACEMENT_CHARACTER], "");
    let mut lines = start.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next()?;
    if is_traceroute(first) {
        return Some(format!(
            "is the output of traceroute, which is not read: measure with `broadgauge measure trace`, or write the \
             round trips to the target {AS_TABLE}"
        ));
    }
    if is_windows_ping(first) || lines.take(3).any(is_windows_ping) {
        return Some(format!(
            "is the output of ping on Windows, which is not read, as it holds no times and whole milliseconds only: \
             measure with `broadgauge measure ping`, or write its round trips {AS_TABLE}"
        ));
    }
    if first.split_whitespace().take(3).eq(["Value", "Percentile", "TotalCount"]) {
        return Some(
            "is a percentile distribution of HdrHistogram (.hgrm), which is not read, as it holds no times: import the \
             interval log (.hlog) it was made from, or write single percentiles as CSV with the columns line_id, \
             started_at, period_end, metric, statistic (median, p95, p99) and value"
                .into(),
        );
    }
    None
}

/// With its head line, on Windows too, or from the first hop on.
fn is_traceroute(first: &str) -> bool {
    let hop = first.strip_prefix("1  ");
    ["traceroute to ", "traceroute6 to ", "traceroute: ", "traceroute6: ", "Tracing route to "]
        .iter()
        .any(|head| first.starts_with(head))
        || hop.is_some_and(|hop| hop.ends_with(" ms") || hop.ends_with("* *"))
}

/// By its head line, or by an answer, whose end is the same in every language: `Bytes=32 Zeit=5ms TTL=56`.
fn is_windows_ping(line: &str) -> bool {
    let is_answer = line.contains("ms TTL=") && !line.contains([',', ';', '\t', '"']);
    (line.starts_with("Pinging ") && line.contains("bytes of data")) || is_answer
}
