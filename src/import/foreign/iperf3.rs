//! iperf3 `--json`. A rate is what the receiver counted; with the sender's report only there is none, and up to version 3.10
//! the one sum of UDP has the sender's rate and the receiver's loss. The direction is that of the data: `reverse`
//! downloads, and `--bidir` does both at once, each under the load of both.
//!
//! A server is not told what its client received: where the file is the server's, only uploads are taken from it.

use super::told::{LeftOut, Told, epoch, number, quoted, text};
use serde_json::Value;
use std::collections::BTreeSet;

/// What stands behind the names of the sums of what the server sent, where both ends sent at once.
const REVERSE: &str = "_bidir_reverse";

pub(super) fn read(document: &Value, left_out: &mut LeftOut) -> Vec<Told> {
    let mut out = Vec::new();
    if document.get("error").is_some() {
        left_out
            .count(format!("iperf3 test that ended with an error: {}", quoted(&text(document, "/error"))));
        return out;
    }
    let sums = document.get("end").and_then(Value::as_object);
    let both = sums.is_some_and(|sums| sums.keys().any(|name| name.ends_with(REVERSE)));
    if !both && streams_go_both_ways(document) {
        left_out.count("iperf3 test both ways, whose sums have the same names: of version 3.7 to 3.10");
        return out;
    }
    let reverse = number(document, "/start/test_start/reverse").is_some_and(|r| r != 0.0);
    let host = text(document, "/start/connecting_to/host");
    let test = Test {
        document,
        udp: text(document, "/start/test_start/protocol").eq_ignore_ascii_case("udp"),
        of_server: document.pointer("/start/accepted_connection").is_some(),
        target: if host.is_empty() { text(document, "/start/accepted_connection/host") } else { host },
    };
    if both {
        out.extend(test.one_way(false, "", "both", left_out));
        out.extend(test.one_way(true, REVERSE, "both", left_out));
    } else {
        out.extend(test.one_way(reverse, "", if reverse { "down" } else { "up" }, left_out));
    }
    out
}

/// Whether some streams send and others receive.
fn streams_go_both_ways(document: &Value) -> bool {
    let streams = document.pointer("/end/streams").and_then(Value::as_array);
    let sends = |stream: &Value| {
        ["/sender/sender", "/udp/sender"].iter().find_map(|path| stream.pointer(path)?.as_bool())
    };
    let found: BTreeSet<bool> = streams.into_iter().flatten().filter_map(sends).collect();
    found.len() > 1
}

struct Test<'a> {
    document: &'a Value,
    udp: bool,
    /// Written by the server, not by the client.
    of_server: bool,
    target: String,
}

impl Test<'_> {
    /// What the receiver of one direction counted, under its sums' names.
    fn one_way(&self, down: bool, suffix: &str, load: &'static str, left_out: &mut LeftOut) -> Vec<Told> {
        let mut out = Vec::new();
        if down && self.of_server {
            left_out.count("iperf3 server's record of a download, which only its client counted");
            return out;
        }
        let (metric, direction) = if down { ("download_goodput", "down") } else { ("upload_goodput", "up") };
        let sum = |name: &str| self.document.pointer(&format!("/end/{name}{suffix}"));
        let started_at = number(self.document, "/start/timestamp/timesecs").map(epoch).unwrap_or_default();
        let method = if self.udp { "iperf3-udp" } else { "iperf3" };
        let told = Told { started_at, target: self.target.clone(), method, load, ..Told::default() };
        match sum("sum_received").and_then(|received| number(received, "/bits_per_second")) {
            Some(rate) => out.push(Told { metric, value: (rate / 1e6).to_string(), ..told.clone() }),
            None => left_out.count("iperf3 test without the rate that the receiver counted"),
        }
        let counts = sum("sum").filter(|_| self.udp).and_then(|sum| {
            let packets = number(sum, "/packets").filter(|p| *p > 0.0)?;
            Some((packets, number(sum, "/lost_packets").filter(|lost| (0.0..=packets).contains(lost))?))
        });
        if let Some((packets, lost)) = counts {
            out.push(Told {
                metric: "loss_ratio",
                value: (lost / packets).to_string(),
                statistic: "mean",
                sent: packets.to_string(),
                lost: lost.to_string(),
                direction,
                ..told
            });
        }
        out
    }
}
