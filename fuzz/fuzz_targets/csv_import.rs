//! Any bytes as a table of any kind: rows are stored or refused, and every row is accounted for.
#![no_main]

use broadgauge::import::{Kind, check_bytes};

const WIDE: &str = r#"
kind = "results"
[columns]
line_id = "a"
started_at = { constant = "2013-05-01" }
[[observation]]
column = "b"
metric = "loss_ratio"
unit = "percent"
sent = "c"
lost = "d"
"#;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((choice, table)) = bytes.split_first() else { return };
    let (kind, map) = match choice % 8 {
        0 => (Kind::Lines, None),
        1 => (Kind::Results, None),
        2 => (Kind::Complaints, None),
        3 => (Kind::Results, Some(WIDE)),
        4 => (Kind::Utilisation, None),
        5 => (Kind::Actions, None),
        6 => (Kind::Reputation, None),
        _ => (Kind::Survey, None),
    };
    if let Ok(done) = check_bytes(kind, table.to_vec(), map) {
        let skipped: u64 = done.rows_skipped.iter().map(|s| s.count).sum();
        let records = done.stored + done.updated + done.unchanged;
        assert_eq!(done.rows_read, skipped + done.rows_refused + records + done.values_missing);
    }
});
