//! UDPST, the reference client of RFC 9097, schema of version 8 and 9. Round trips are seconds there. The maximum
//! IP-layer capacity is the largest sub-interval, not a mean and not a goodput: it is kept where the catalogue has a metric
//! for it. A test that ended with an error tells nothing of the line.

use super::told::{Told, number, text};
use broadgauge_model::metric::MetricId;
use serde_json::Value;

pub(super) fn read(document: &Value) -> Vec<Told> {
    let mut out = Vec::new();
    let failed = number(document, "/ErrorStatus").is_some_and(|e| e != 0.0);
    let Some(output) = document.get("Output").filter(|_| !failed) else { return out };
    let load = if text(document, "/Input/Role") == "Sender" { "up" } else { "down" };
    let told = Told {
        started_at: text(output, "/BOMTime"),
        target: text(document, "/Input/Host"),
        method: "udpst",
        load,
        ..Told::default()
    };
    if let (Some(rate), true) =
        (number(output, "/AtMax/MaxIPLayerCapacity"), MetricId::find("ip_layer_capacity").is_some())
    {
        let (metric, value) = ("ip_layer_capacity", rate.to_string());
        out.push(Told { metric, value, statistic: "max", direction: load, ..told.clone() });
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
    if let Some(loss) = number(output, "/Summary/LossRatioSummary") {
        out.push(Told {
            metric: "loss_ratio",
            value: loss.to_string(),
            statistic: "mean",
            direction: load,
            ..told
        });
    }
    out
}
