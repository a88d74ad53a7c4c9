//! Any bytes as a server's certificate: what is kept of it is bounded, and free of control characters.
#![no_main]

use broadgauge_model::clock::Wall;
use broadgauge_probes::tls::Certificate;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(certificate) = Certificate::read(bytes) {
        assert!(certificate.names.len() <= 20);
        for text in certificate.names.iter().chain([&certificate.subject, &certificate.issuer]) {
            assert!(text.chars().count() <= 256 && !text.chars().any(char::is_control));
        }
        let _ = certificate.holds_for(Wall(i64::MIN));
        let _ = serde_json::to_string(&certificate).expect("can be written");
    }
});
