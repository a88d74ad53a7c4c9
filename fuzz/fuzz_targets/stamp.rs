//! Any bytes as STAMP packets, with and without authentication: what is read is written and read again the same, and
//! a reply is never longer than its request.
#![no_main]

use broadgauge_probes::codec::stamp::{Key, Mark, Mode, Reply, Request};

libfuzzer_sys::fuzz_target!(|packet: &[u8]| {
    let key = Key::new(b"a shared secret").expect("is not empty");
    for mode in [Mode::Open, Mode::Authenticated(key)] {
        if let Ok(request) = Request::read(&mode, packet) {
            let again =
                Request::read(&mode, &request.write(&mode, packet.len())).expect("what we write, we read");
            assert_eq!(again, request);
            // The session's identifier goes back beside the reflector's own time, and only there.
            let Mark { ssid, .. } = request.sent;
            let answer = Reply {
                sender_sequence: request.sequence,
                sent: Mark { ssid, ..Mark::default() },
                sender: Mark { ssid: 0, ..request.sent },
                ..Reply::default()
            };
            let reply = answer.write(&mode, packet);
            assert!(reply.len() <= packet.len());
            if packet.len() >= mode.base() {
                assert_eq!(Reply::read(&mode, &reply).expect("what we write, we read"), answer);
            }
        }
        if let Ok(reply) = Reply::read(&mode, packet) {
            let request = vec![0; packet.len().max(mode.base())];
            let again = Reply::read(&mode, &reply.write(&mode, &request)).expect("what we write, we read");
            // Others may put something there; we write zero.
            assert_eq!(again, Reply { sender: Mark { ssid: 0, ..reply.sender }, ..reply });
        }
    }
});
