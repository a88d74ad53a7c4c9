//! RIPE Atlas results of type `ping`. Each answer is one round trip; `"x": "*"` was asked and not answered, so it is
//! lost; an `error` means that nothing was asked, so it is neither; a `dup` is no second answer. Times count only where
//! the probe's clock was kept: `lts`, the seconds since it was last set, is -1 where it never was, and then the result is
//! refused for want of a time rather than filed under a wrong hour. Answers of one result share its time and are put a
//! millisecond apart, so that two equal round trips remain two.

use super::told::{Told, epoch, number, text};
use serde_json::Value;

/// A clock that was set longer ago than this may be in another hour.
const LONGEST_UNSET: f64 = 86_400.0;

pub(super) fn read(document: &Value) -> Vec<Told> {
    if text(document, "/type") != "ping" {
        return Vec::new();
    }
    let trusted = number(document, "/lts").is_none_or(|lts| (0.0..=LONGEST_UNSET).contains(&lts));
    let target = text(document, "/dst_name");
    let at = number(document, "/timestamp").filter(|_| trusted);
    let told = Told {
        line_id: number(document, "/prb_id").map_or_else(String::new, |id| id.to_string()),
        started_at: at.map(epoch).unwrap_or_default(),
        target: if target.is_empty() { text(document, "/dst_addr") } else { target },
        method: "atlas-ping",
        ..Told::default()
    };
    let mut out = Vec::new();
    let (mut sent, mut lost) = (0_u32, 0_u32);
    for answer in document.get("result").and_then(Value::as_array).into_iter().flatten() {
        if answer.get("error").is_some() || answer.get("dup").is_some() {
            continue;
        }
        if let Some(rtt) = number(answer, "/rtt").filter(|v| *v > 0.0) {
            sent += 1;
            let started_at = at.map(|at| epoch(at + f64::from(sent - 1) / 1e3)).unwrap_or_default();
            out.push(Told { metric: "round_trip_delay", value: rtt.to_string(), started_at, ..told.clone() });
        } else if answer.get("x").is_some() {
            sent += 1;
            lost += 1;
        }
    }
    if sent > 0 {
        out.push(Told {
            metric: "loss_ratio",
            value: (f64::from(lost) / f64::from(sent)).to_string(),
            statistic: "mean",
            sent: sent.to_string(),
            lost: lost.to_string(),
            ..told
        });
    }
    out
}
