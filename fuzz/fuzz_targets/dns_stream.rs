//! Any bytes, in pieces of any length, as a stream of DNS messages: what comes out is what stands behind each length, and
//! nothing that is whole stays behind.
#![no_main]

use broadgauge_probes::codec::dns::{Messages, Question, framed};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&piece, stream)) = bytes.split_first() else { return };
    let question = Question::new("www.example.com", "A").expect("is a question");
    let (mut messages, mut came) = (Messages::default(), Vec::new());
    for part in stream.chunks(usize::from(piece).max(1)) {
        messages.add(part);
        while let Some(message) = messages.take() {
            let _ = question.read(7, &message);
            came.extend(framed(&message).expect("as long as its length says"));
        }
    }
    assert!(stream.starts_with(&came));
    let rest = &stream[came.len()..];
    let whole = |length: &[u8; 2]| rest.len() >= 2 + usize::from(u16::from_be_bytes(*length));
    assert!(!rest.first_chunk().is_some_and(whole));
});
