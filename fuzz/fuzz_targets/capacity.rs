//! Any bytes as packets of a capacity test: what is read is written and read again the same, and a peer answers nothing that
//! is longer than what it was asked.
#![no_main]

use broadgauge_model::clock::{Mono, Wall};
use broadgauge_probes::capacity::peer::{Limits, Peer};
use broadgauge_probes::codec::capacity::{read, write};
use broadgauge_probes::net::{Inbox, Now, Packet};
use broadgauge_probes::peer::queue::Queue;
use broadgauge_probes::session::{Session, Step};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some((test, word)) = read(bytes) {
        assert_eq!(read(&write(test, &word, bytes.len())), Some((test, word)));
    }
    let mut peer = Peer::new(Limits::default(), Queue::new(2, 2));
    let from = std::net::SocketAddr::from(([192, 0, 2, 1], 4_000));
    let now = Now { mono: Mono(1_000_000_000), wall: Wall(0) };
    peer.received(&Packet { bytes, from, to: None, now, kernel: None, ttl: None, class: None });
    let mut answered = 0;
    while let Step::Send(datagram) = peer.step(now) {
        answered += datagram.bytes.len();
        assert!(answered <= bytes.len(), "nobody has proven an address yet");
    }
});
