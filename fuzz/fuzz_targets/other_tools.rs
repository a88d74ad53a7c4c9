//! Any bytes as another tool's results: ndt7, iperf3, RIPE Atlas, UDPST, interval logs and ping; every row is accounted for.
#![no_main]

use broadgauge::import::{Kind, check_bytes};

const MAP: &str = r#"
kind = "results"
[read]
started_at = "2026-05-04T20:00:00Z"
interval_ms = 1000
[columns]
line_id = { constant = "home" }
"#;
const LOG: &str = r#"
kind = "results"
[columns]
line_id = { constant = "home" }
metric = { constant = "round_trip_delay" }
value = { column = "value", unit = "ns" }
target = "tag"
"#;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for map in [MAP, LOG] {
        if let Ok(done) = check_bytes(Kind::Results, bytes.to_vec(), Some(map)) {
            let records = done.stored + done.updated + done.unchanged;
            assert_eq!(done.rows_read, done.rows_refused + records + done.values_missing);
        }
    }
});
