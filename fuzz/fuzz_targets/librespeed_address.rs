//! Any bytes as what a LibreSpeed backend says of our address: what is kept of it is bounded, and free of control characters.
#![no_main]

use broadgauge_probes::librespeed::address::{LONGEST, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(text) = read(bytes) {
        assert!((1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control));
    }
});
