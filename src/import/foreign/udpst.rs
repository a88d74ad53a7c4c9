//! UDPST, the reference client of RFC 9097, schema of version 8 and 9. Round trips are seconds there. A test that ended with
//! an error tells nothing of the line.
//!
//! Capacity is taken where it was searched for: the largest sub-interval as a `max`, where sub-intervals have the one
//! second of the RFC's default (a maximum over shorter ones is another quantity), and the mean over the test as a `mean`.
//! A test at a fixed rate shows that rate, not what the line can do, and a result that does not tell its own settings
//! does not say which of the two it was: neither has a capacity here. Nothing of this is a goodput.

use super::told::{LeftOut, Told, number, quoted, text};
use serde_json::Value;

pub(super) fn read(document: &Value, left_out: &mut LeftOut) -> Vec<Told> {
    let mut out = Vec::new();
    if let Some(status) = number(document, "/ErrorStatus").filter(|status| *status != 0.0) {
        let words =
            [quoted(&text(document, "/ErrorMessage")), quoted(&text(document, "/ErrorMessage2"))].join(" ");
        left_out.count(format!("UDPST test that ended with error {status}: {}", words.trim()));
        return out;
    }
    let Some(output) = document.get("Output") else {
        left_out.count("UDPST test without an output");
        return out;
    };
    // A result without its settings does not say which way the load went: its round trips ask the map for it.
    let (load, capacity) = match text(document, "/Input/Role").as_str() {
        "Sender" => ("up", "upload_capacity"),
        "Receiver" => ("down", "download_capacity"),
        _ => ("", ""),
    };
    let told = Told {
        started_at: text(output, "/BOMTime"),
        target: text(document, "/Input/Host"),
        method: "udpst",
        load,
        ..Told::default()
    };
    if text(document, "/Input/TestType") == "Search" {
        let second = number(document, "/Input/TestSubInterval") == Some(1_000.0);
        let most = number(output, "/AtMax/MaxIPLayerCapacity").filter(|_| second);
        let mean = number(output, "/Summary/IPLayerCapacitySummary");
        for (rate, statistic) in [(most, "max"), (mean, "mean")] {
            if let Some(rate) = rate.filter(|r| *r > 0.0) {
                let (metric, value) = (capacity, rate.to_string());
                out.push(Told { metric, value, statistic, direction: load, ..told.clone() });
            }
        }
    }
    for (path, statistic) in
        [("/Summary/MinRTTSummary", "min"), ("/Summary/RTTAvg", "mean"), ("/Summary/RTTMax", "max")]
    {
        // The clock's resolution is a millisecond: a round trip of 0 is shorter than it can tell.
        if let Some(rtt) = number(output, path).filter(|s| *s > 0.0) {
            let (metric, value) = ("loaded_round_trip_delay", (rtt * 1e3).to_string());
            out.push(Told { metric, value, statistic, ..told.clone() });
        }
    }
    if let Some(loss) = number(output, "/Summary/LossRatioSummary").filter(|_| !load.is_empty()) {
        out.push(Told {
            metric: "loss_ratio",
            value: loss.to_string(),
            statistic: "mean",
            direction: load,
            ..told
        });
    }
    if out.is_empty() {
        left_out.count("UDPST test without a figure that is read");
    }
    out
}
