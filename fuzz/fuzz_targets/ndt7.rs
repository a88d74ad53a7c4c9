//! Any text as an ndt7 measurement, as the query of a request, and as the answer of a locate service.
#![no_main]

use broadgauge_probes::codec::ndt7::{AppInfo, Measurement, Subtest, client_message, encode, located, query};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for subtest in [Subtest::Download, Subtest::Upload] {
        let _ = located(bytes, true, subtest);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(Measurement { app: Some(app), .. }) = Measurement::read(text) {
        let AppInfo { elapsed_us, bytes } = app;
        let again = client_message(Subtest::Download, AppInfo { elapsed_us, bytes }).to_string();
        assert_eq!(Measurement::read(&again).and_then(|m| m.app), Some(app));
    }
    if let Some(pairs) = query(text) {
        let written: Vec<String> = pairs.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
        let written = written.join("&");
        assert!(written.len() > 4_096 || query(&written) == Some(pairs));
    }
});
