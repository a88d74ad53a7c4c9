//! iperf3 `--json`. A TCP rate is what the receiver counted; with the sender's report only there is none. UDP gives the
//! receiver's rate and loss. The direction is that of the data: `reverse` downloads.

use super::told::{LeftOut, Told, epoch, number, quoted, text};
use serde_json::Value;

pub(super) fn read(document: &Value, left_out: &mut LeftOut) -> Vec<Told> {
    let mut out = Vec::new();
    if document.get("error").is_some() {
        left_out
            .count(format!("iperf3 test that ended with an error: {}", quoted(&text(document, "/error"))));
        return out;
    }
    let reverse = number(document, "/start/test_start/reverse").is_some_and(|r| r != 0.0);
    let udp = text(document, "/start/test_start/protocol").eq_ignore_ascii_case("udp");
    let host = text(document, "/start/connecting_to/host");
    let told = Told {
        started_at: number(document, "/start/timestamp/timesecs").map(epoch).unwrap_or_default(),
        target: if host.is_empty() { text(document, "/start/accepted_connection/host") } else { host },
        method: if udp { "iperf3-udp" } else { "iperf3" },
        load: if reverse { "down" } else { "up" },
        ..Told::default()
    };
    let received =
        document.pointer("/end/sum_received").or_else(|| document.pointer("/end/sum").filter(|_| udp));
    let Some(received) = received else {
        left_out.count("iperf3 test without what the receiver counted");
        return out;
    };
    if let Some(rate) = number(received, "/bits_per_second") {
        let metric = if reverse { "download_goodput" } else { "upload_goodput" };
        out.push(Told { metric, value: (rate / 1e6).to_string(), ..told.clone() });
    }
    let counts = document.pointer("/end/sum").and_then(|sum| {
        let packets = number(sum, "/packets").filter(|p| *p > 0.0)?;
        Some((packets, number(sum, "/lost_packets")?))
    });
    if let Some((packets, lost)) = counts.filter(|(packets, lost)| udp && (0.0..=*packets).contains(lost)) {
        out.push(Told {
            metric: "loss_ratio",
            value: (lost / packets).to_string(),
            statistic: "mean",
            sent: packets.to_string(),
            lost: lost.to_string(),
            direction: told.load,
            ..told
        });
    }
    out
}
