//! Any bytes as an answer to a DNS question, and as a question.
#![no_main]

use broadgauge_probes::codec::dns::{Question, Reading, answer_to, id_of};

libfuzzer_sys::fuzz_target!(|message: &[u8]| {
    let question = Question::new("www.example.com", "A").expect("is a question");
    let id = id_of(message).unwrap_or(7);
    match question.read(id, message) {
        Reading::Answer(answer) => assert_eq!(answer.bytes, message.len()),
        Reading::WrongId => panic!("the number is that of the message"),
        Reading::WrongQuestion | Reading::Malformed => {}
    }
    if let Some(reply) = answer_to(message, 2, false) {
        assert_eq!(id_of(&reply), id_of(message));
    }
});
