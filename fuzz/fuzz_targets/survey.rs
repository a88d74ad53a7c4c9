//! Any text as a survey's model, and any bytes as its answers: rows are stored or refused, and every row is accounted for.
#![no_main]

use broadgauge::{import::check_survey, survey::parse};

const MODEL: &str = r#"
scale = [1, 5]
target = "b"
paths = [["a", "b"]]
[[construct]]
id = "a"
en = "a"
zh = "甲"
items = ["q1", "q2"]
[[construct]]
id = "b"
en = "b"
zh = "乙"
items = ["q3"]
"#;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(done) = check_survey(&parse("model", MODEL).unwrap(), bytes.to_vec()) {
        assert_eq!(done.rows_read, done.rows_refused + done.stored + done.updated + done.unchanged);
    }
    if let Some(model) = std::str::from_utf8(bytes).ok().and_then(|text| parse("model", text).ok()) {
        let _ = check_survey(&model, b"respondent_id,answered_at,q1,q2,q3\nr,2026-03-01,1,2,3\nr,,,,\n".to_vec());
    }
});
