//! Any text as a map, and a table read through it.
#![no_main]

use broadgauge::import::{check_bytes, parse_map};

const TABLE: &[u8] = b"ID,Operator,Date,Time,Value,Sent,Lost\n\
    1,A,2015-04-22,3:53:50 PM,0.010%,10,1\n2,B,22-04-15,10:22,1.5,,\n,,,,,,\n3,C\n";

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(map) = parse_map("map.toml", text) {
        let _ = check_bytes(map.kind, TABLE.to_vec(), Some(text));
    }
});
