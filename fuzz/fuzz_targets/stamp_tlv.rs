//! Any bytes as the TLVs of a STAMP request and of a reply: a reply is as long as its request, and what our reflector
//! returns our sender reads.
#![no_main]

use broadgauge_probes::codec::stamp::Key;
use broadgauge_probes::codec::stamp_tlv::{Met, read, reflect};

libfuzzer_sys::fuzz_target!(|area: &[u8]| {
    let key = Key::new(b"a shared secret").expect("is not empty");
    for key in [None, Some(&key)] {
        let _ = read(area, 1, key);
        let reflected = reflect(area, 1, 2, key, &Met::default());
        assert_eq!(reflected.area.len(), area.len());
        assert!(read(&reflected.area, 2, key).is_ok());
    }
});
