//! Any bytes as a batch from an agent: what is read is written and read again the same.
#![no_main]

use broadgauge_model::wire::{decode, encode};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(batch) = decode(bytes) {
        assert_eq!(decode(&encode(&batch)).expect("what we write, we read"), batch);
    }
});
