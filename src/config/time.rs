//! Lengths of time as people write them: `250ms`, `30s`, `10m`, `1h 30m`.

use super::Wrong;
use broadgauge_model::clock::Span;

/// Reads a length of time above zero.
pub(super) fn length(key: &str, text: &str) -> Result<Span, Wrong> {
    let read = text.parse::<jiff::SignedDuration>().ok().and_then(|d| i64::try_from(d.as_nanos()).ok());
    match read {
        Some(nanos) if nanos > 0 => Ok(Span(nanos)),
        _ => Err(Wrong::new(
            key,
            format!("{text:?} is not a length of time above zero; write it as 30s, 10m or 1h"),
        )),
    }
}
