//! Any bytes as what comes on the control connection of an iperf3 test: parameters and results that are read are
//! written and read again the same.
#![no_main]

use broadgauge_probes::codec::iperf3::{LONGEST_RESULTS, Parameters, Results, State, document_length, framed};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for &byte in bytes.iter().take(16) {
        if let Some(state) = State::read(byte) {
            assert_eq!(state.write(), byte);
        }
    }
    if let Ok(parameters) = Parameters::read(bytes) {
        let parameters = Parameters { credentials: false, ..parameters };
        assert_eq!(Parameters::read(&parameters.write()).expect("what we write, we read"), parameters);
    }
    if let Ok(results) = Results::read(bytes) {
        let written = framed(&results.write());
        let prefix = written[..4].try_into().expect("four bytes");
        assert_eq!(document_length(prefix, LONGEST_RESULTS), Ok(written.len() - 4));
        let again = Results::read(&written[4..]).expect("what we write, we read");
        let counts = |all: &Results| -> Vec<_> {
            let count = |s: &broadgauge_probes::codec::iperf3::StreamResult| (s.id, s.bytes, s.retransmits, s.errors);
            all.streams.iter().map(count).collect()
        };
        assert_eq!(counts(&again), counts(&results));
    }
});
