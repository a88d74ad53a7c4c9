//! Any bytes as ICMP errors and as the quotes in them: what is read is written and read again the same.
#![no_main]

use broadgauge_probes::codec::icmp::{self, Version};
use broadgauge_probes::codec::icmp_error;

libfuzzer_sys::fuzz_target!(|message: &[u8]| {
    for version in [Version::V4, Version::V6] {
        let _ = (icmp::read_quoted(version, message), icmp::read_reply(version, message));
        if let Some((trouble, quote)) = icmp_error::read(version, message) {
            assert!(quote.body.len() < message.len());
            let _ = icmp::read_quoted(version, quote.body);
            let again = icmp_error::write(version, trouble, &quote, usize::MAX).expect("one family");
            let (said, read) = icmp_error::read(version, &again).expect("what we write, we read");
            assert_eq!((said, read.to, read.ttl), (trouble, quote.to, quote.ttl));
        }
    }
});
