//! Any bytes as a run of iperf3's UDP packets: whatever comes, packets are sent or unknown, and what was sent came once
//! or was lost.
#![no_main]

use broadgauge_model::clock::Mono;
use broadgauge_probes::codec::iperf3::UdpHeader;
use broadgauge_probes::iperf3::ledger::Ledger;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let wide = first & 1 == 1;
    let mut ledger = Ledger::default();
    for (place, packet) in rest.chunks(17).enumerate() {
        let header = UdpHeader::read(packet, wide);
        if let Some(header) = header {
            let mut again = [0; 16];
            header.write(&mut again, wide);
            assert_eq!(UdpHeader::read(&again, wide), Some(header));
        }
        ledger.book(Mono(place as u64 * 1_000_000), header, packet.len() as u64);
        if first & 2 == 2 && place == 20 {
            ledger.begin();
        }
    }
    assert!(ledger.base() <= ledger.highest());
    assert!(ledger.lost() <= ledger.sent());
    assert!(ledger.counted().unique <= ledger.sent());
    assert!(ledger.jitter_s().is_none_or(|jitter| jitter >= 0.0 && jitter.is_finite()));
});
