//! RIPE Atlas results of type `ping`, of every firmware (`fw`). Each answer is one round trip; `"x": "*"` was asked and not
//! answered, so it is lost; an `error` means that nothing was asked, so it is neither; a `dup` is no second answer, and
//! what comes `late` was given up before. The probes' first firmware (`fw` 1) tells only the smallest, mean and largest
//! round trip of a run: they stay what they are. Before 4460 the target stands under other names and there is no type.
//!
//! Times count only where the probe's clock was kept: `lts`, the seconds since it was last set (from 4540 on), is -1 where
//! it never was, and then the result is refused with that reason rather than filed under a wrong hour. Answers of one
//! result share its time and are put a millisecond apart, so that two equal round trips remain two.

use super::told::{LeftOut, Told, epoch, number, quoted, text};
use serde_json::Value;

/// A clock that was set longer ago than this may be in another hour.
const LONGEST_UNSET: f64 = 86_400.0;
/// From this firmware on a result names its type.
const TYPED: f64 = 4_460.0;

/// Whether a result is one of ping. Before results named a type, those of ping alone counted packets sent.
pub(super) fn is_ping(document: &Value) -> bool {
    match document.get("type") {
        Some(kind) => kind == "ping",
        None => number(document, "/fw").is_some_and(|fw| fw < TYPED) && document.get("sent").is_some(),
    }
}

pub(super) fn read(document: &Value, left_out: &mut LeftOut) -> Vec<Told> {
    if !is_ping(document) {
        let kind = quoted(&text(document, "/type"));
        left_out
            .count(format!("RIPE Atlas result of type {}", if kind.is_empty() { "unknown" } else { &kind }));
        return Vec::new();
    }
    let unset = number(document, "/lts").filter(|lts| !is_kept(*lts));
    let names = ["/dst_name", "/name", "/dst_addr", "/addr"].map(|name| text(document, name));
    let at = number(document, "/timestamp").filter(|_| unset.is_none());
    let told = Told {
        line_id: number(document, "/prb_id").map_or_else(String::new, |id| id.to_string()),
        started_at: at.map(epoch).unwrap_or_default(),
        target: names.into_iter().find(|n| !n.is_empty()).unwrap_or_default(),
        method: "atlas-ping",
        no_time: unset.map(unsynchronised),
        ..Told::default()
    };
    match document.get("result").and_then(Value::as_array) {
        Some(answers) => one_by_one(answers, at, told, left_out),
        None => summed_up(document, told),
    }
}

/// Whether a clock that was set so many seconds ago can be believed.
fn is_kept(lts: f64) -> bool {
    (0.0..=LONGEST_UNSET).contains(&lts)
}

fn unsynchronised(lts: f64) -> String {
    let since = if lts < 0.0 {
        "was never synchronised".into()
    } else {
        format!("was last synchronised {lts} s ago")
    };
    format!(
        "is not known: the probe's clock {since} (lts {lts}), and is trusted for a day; leave such results out by \
         [[skip]] in a map, with column = \"started_at\" and empty = true"
    )
}

fn one_by_one(answers: &[Value], at: Option<f64>, told: Told, left_out: &mut LeftOut) -> Vec<Told> {
    let mut out = Vec::new();
    let (mut sent, mut lost) = (0_u32, 0_u32);
    for answer in answers {
        let no_answers = [
            ("error", "RIPE Atlas probe's error: nothing was asked"),
            ("dup", "second answer to one question"),
            ("late", "answer that came after it was given up"),
        ];
        if let Some((_, why)) = no_answers.iter().find(|(key, _)| answer.get(key).is_some()) {
            left_out.count(*why);
            continue;
        }
        if let Some(rtt) = number(answer, "/rtt").filter(|v| *v > 0.0) {
            sent += 1;
            let started_at = at.map(|at| epoch(at + f64::from(sent - 1) / 1e3)).unwrap_or_default();
            out.push(Told { metric: "round_trip_delay", value: rtt.to_string(), started_at, ..told.clone() });
        } else if answer.get("x").is_some() {
            sent += 1;
            lost += 1;
        } else {
            left_out.count("RIPE Atlas answer without a round trip");
        }
    }
    out.extend(loss(u64::from(sent), u64::from(lost), told));
    out
}

/// The summaries of the first firmware: -1 where nothing came back.
fn summed_up(document: &Value, told: Told) -> Vec<Told> {
    let mut out = Vec::new();
    for (key, statistic) in [("/min", "min"), ("/avg", "mean"), ("/max", "max")] {
        if let Some(rtt) = number(document, key).filter(|v| *v > 0.0) {
            let (metric, value) = ("round_trip_delay", rtt.to_string());
            out.push(Told { metric, value, statistic, ..told.clone() });
        }
    }
    let count = |key: &str| document.get(key).and_then(Value::as_u64);
    if let (Some(sent), Some(received)) = (count("sent"), count("rcvd"))
        && let Some(lost) = sent.checked_sub(received)
    {
        out.extend(loss(sent, lost, told));
    }
    out
}

fn loss(sent: u64, lost: u64, told: Told) -> Option<Told> {
    (sent > 0).then(|| Told {
        metric: "loss_ratio",
        value: (lost as f64 / sent as f64).to_string(),
        statistic: "mean",
        sent: sent.to_string(),
        lost: lost.to_string(),
        ..told
    })
}
