//! Any bytes as lines of the control connection of a throughput test: what is read is written and read again the same.
#![no_main]

use broadgauge_probes::throughput::words::{ToClient, ToPeer};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(word) = serde_json::from_slice::<ToPeer>(line) {
            let written = serde_json::to_vec(&word).expect("can be written");
            assert_eq!(serde_json::from_slice::<ToPeer>(&written).expect("what we write, we read"), word);
        }
        if let Ok(word) = serde_json::from_slice::<ToClient>(line) {
            let written = serde_json::to_vec(&word).expect("can be written");
            assert_eq!(serde_json::from_slice::<ToClient>(&written).expect("what we write, we read"), word);
        }
    }
});
