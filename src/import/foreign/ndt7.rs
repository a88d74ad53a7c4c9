//! ndt7 results as M-Lab archives them, and those of its predecessors. The rate is the server's: bytes acknowledged (download)
//! or received (upload) over the time elapsed at the last measurement of `TCPInfo`. The smallest round trip is taken
//! under load. A test without a last measurement has no rate; the client's address names the line, as archives shorten
//! it for privacy: a map may replace it.

use super::told::{LeftOut, Told, number, text};
use serde_json::Value;

pub(super) fn read(document: &Value, left_out: &mut LeftOut) -> Vec<Told> {
    let mut out = Vec::new();
    for (part, bytes, metric, load) in [
        ("/Download", "BytesAcked", "download_goodput", "down"),
        ("/Upload", "BytesReceived", "upload_goodput", "up"),
    ] {
        let Some(test) = document.pointer(part).filter(|v| v.is_object()) else { continue };
        let told = common(document, test);
        let last = test.get("ServerMeasurements").and_then(Value::as_array).and_then(|all| all.last());
        let Some(last) = last else { continue };
        let elapsed = number(last, "/TCPInfo/ElapsedTime").filter(|us| *us > 0.0);
        if let (Some(bytes), Some(elapsed)) = (number(last, &format!("/TCPInfo/{bytes}")), elapsed) {
            // Bits a microsecond are megabits a second.
            out.push(Told { metric, value: (bytes * 8.0 / elapsed).to_string(), load, ..told.clone() });
        }
        if let Some(least) = number(last, "/TCPInfo/MinRTT").filter(|us| *us > 0.0) {
            let value = (least / 1e3).to_string();
            out.push(Told { metric: "loaded_round_trip_delay", value, statistic: "min", load, ..told });
        }
    }
    for (part, metric, load) in [("/S2C", "download_goodput", "down"), ("/C2S", "upload_goodput", "up")] {
        let Some(test) = document.pointer(part).filter(|v| v.is_object()) else { continue };
        if let Some(rate) = number(test, "/MeanThroughputMbps").filter(|r| *r > 0.0) {
            let told = Told { method: "ndt5", ..common(document, test) };
            out.push(Told { metric, value: rate.to_string(), load, ..told });
        }
    }
    if out.is_empty() {
        left_out.count("ndt test without a measurement of its rate or its round trips");
    }
    out
}

fn common(document: &Value, test: &Value) -> Told {
    Told {
        line_id: text(document, "/ClientIP"),
        started_at: text(test, "/StartTime"),
        target: text(document, "/ServerIP"),
        method: "ndt7",
        ..Told::default()
    }
}
