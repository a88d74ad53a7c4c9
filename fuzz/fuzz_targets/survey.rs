//! Any text as a survey's model, and any bytes as its answers: each respondent has an answer or none for every item.
#![no_main]

use broadgauge::survey::check_bytes;

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
    for segment in [None, Some("town")] {
        if let Ok(survey) = check_bytes(MODEL, bytes.to_vec(), segment) {
            assert!(survey.answers.iter().all(|answers| answers.len() == 3));
            assert!(survey.answers.iter().flatten().flatten().all(|answer| answer.is_finite()));
            assert_eq!(survey.segments.len(), if segment.is_some() { survey.answers.len() } else { 0 });
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = check_bytes(text, b"q1,q2,q3\n1,2,3\n,,\n".to_vec(), None);
    }
});
