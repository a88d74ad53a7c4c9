//! Output of ping on Linux (iputils, busybox), the BSDs and macOS. Each answer is one round trip; duplicates and answers
//! with an error are none. Sent and received are those of the closing statistics; without them nothing is said of loss.
//! Times are those of `-D` (`[1595037214.26]`); without them a map must say when.

use super::told::{Told, epoch};
use crate::import::table::Row;

fn opens(line: &str) -> bool {
    line.starts_with("PING ") || line.starts_with("PING6(")
}

/// Whether a text begins as output of ping; `PATTERN: 0x..` may stand before.
pub(super) fn begins(output: &str) -> bool {
    output.lines().take(3).any(opens)
}

/// `None` where the text is no output of ping.
pub(super) fn read(output: &str) -> Option<Vec<Row>> {
    if !begins(output) {
        return None;
    }
    let mut rows = Vec::new();
    let mut told = Told { method: "ping", ..Told::default() };
    let mut answered = std::collections::BTreeSet::new();
    let mut first = String::new();
    for (line, number) in output.lines().zip(1..) {
        let line = line.trim_end();
        if opens(line) {
            answered.clear();
            first.clear();
            line.split_whitespace()
                .nth(1)
                .unwrap_or_default()
                .trim_end_matches(':')
                .clone_into(&mut told.target);
        } else if let Some((sent, received)) = statistics(line) {
            told.started_at.clone_from(&first);
            if sent > 0 && received <= sent {
                let lost = sent - received;
                rows.push(
                    Told {
                        metric: "loss_ratio",
                        value: (lost as f64 / sent as f64).to_string(),
                        statistic: "mean",
                        sent: sent.to_string(),
                        lost: lost.to_string(),
                        ..told.clone()
                    }
                    .row(number),
                );
            }
        } else if let Some(answer) = answer(line) {
            // A second answer to one question is a duplicate, however it is marked.
            if answered.insert(answer.sequence) {
                told.started_at = answer.at.map(epoch).unwrap_or_default();
                if first.is_empty() {
                    first.clone_from(&told.started_at);
                }
                let value = answer.rtt.to_string();
                rows.push(Told { metric: "round_trip_delay", value, ..told.clone() }.row(number));
            }
        }
    }
    Some(rows)
}

struct Answer {
    at: Option<f64>,
    sequence: u64,
    rtt: f64,
}

/// `[1595037214.26] 64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.041 ms`.
fn answer(line: &str) -> Option<Answer> {
    let (at, rest) = match line.strip_prefix('[') {
        Some(stamped) => {
            let (at, rest) = stamped.split_once(']')?;
            (at.parse().ok(), rest.trim_start())
        }
        None => (None, line),
    };
    if !rest.contains(" bytes from ") || rest.ends_with("(DUP!)") {
        return None;
    }
    let after =
        |key: &str| rest.split_once(key).map(|(_, after)| after.split([' ', ',']).next().unwrap_or_default());
    let sequence =
        after("icmp_seq=").or_else(|| after("icmp_seq ")).or_else(|| after("seq="))?.parse().ok()?;
    let time = rest.split_once("time=").or_else(|| rest.split_once("time "))?.1;
    // What follows the unit is a complaint of the tool: the answer is not to be trusted.
    let (rtt, unit) = time.split_once(' ')?;
    let rtt: f64 = rtt.parse().ok()?;
    (unit.trim() == "ms" && rtt.is_finite() && rtt >= 0.0).then_some(Answer { at, sequence, rtt })
}

/// `20 packets transmitted, 18 received, +2 duplicates, 10% packet loss`.
fn statistics(line: &str) -> Option<(u64, u64)> {
    let (sent, rest) = line.split_once(" packets transmitted, ")?;
    let received = rest.split_once(" received").map(|(n, _)| n.trim_end_matches(" packets"))?;
    Some((sent.trim().parse().ok()?, received.trim().parse().ok()?))
}
