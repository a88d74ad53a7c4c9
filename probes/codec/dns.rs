//! DNS questions and what counts as their answer (RFC 1035, EDNS of RFC 6891).
//!
//! The wire format is hickory-proto's. What is decided here is which message answers which question: the number, the
//! name in any case, the type and the class must be those of the question. A server that could not read a question
//! may leave it out of its refusal. What this cannot tell: whether an answer is true; nothing is validated.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use std::str::FromStr;

/// What a UDP answer may be long: fits every link (DNS Flag Day 2020).
pub const UDP_PAYLOAD: u16 = 1_232;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question(Query);

/// How a question is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Whether the server is to ask others.
    pub recursion: bool,
    /// Whether signatures are wanted with the answer (the DO bit).
    pub dnssec: bool,
    /// The longest UDP answer that is taken; no EDNS at all where `None`.
    pub payload: Option<u16>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it went: `NOERROR`, `NXDOMAIN`, `SERVFAIL`.
    pub rcode: Rcode,
    /// Whether the answer was cut to fit a packet.
    pub truncated: bool,
    /// Whether the server speaks for the zone itself.
    pub authoritative: bool,
    /// Whether the server says that it has checked the signatures.
    pub authentic: bool,
    /// Records in the answer section.
    pub records: usize,
    /// The message's length.
    pub bytes: usize,
}

/// A response code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rcode(pub u16);

impl Rcode {
    /// A name was found, or surely is not there: the resolver has done its work.
    pub const fn is_settled(self) -> bool {
        matches!(self.0, 0 | 3)
    }

    /// The name of the IANA registry.
    pub fn word(self) -> String {
        let known = [
            "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
            "NXRRSET", "NOTAUTH", "NOTZONE",
        ];
        match (known.get(usize::from(self.0)), self.0) {
            (Some(word), _) => (*word).to_owned(),
            (None, 16) => String::from("BADVERS"),
            (None, 23) => String::from("BADCOOKIE"),
            (None, other) => format!("RCODE{other}"),
        }
    }
}

/// What a packet is to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Its answer.
    Answer(Answer),
    /// An answer to another number.
    WrongId,
    /// An answer to another question.
    WrongQuestion,
    /// No DNS answer at all.
    Malformed,
}

impl Question {
    /// For records of this type (`A`, `AAAA`, `TXT`...) under this name, or why there can be none.
    pub fn new(name: &str, kind: &str) -> Result<Self, String> {
        let mut parsed =
            Name::from_ascii(name).map_err(|why| format!("{name:?} is no domain name: {why}"))?;
        parsed.set_fqdn(true);
        let kind = RecordType::from_str(&kind.to_ascii_uppercase())
            .map_err(|_| format!("{kind:?} is no record type such as A, AAAA, MX or TXT"))?;
        Ok(Self(Query::query(parsed, kind)))
    }

    /// The same one label deeper: a name that no cache knows.
    pub fn under(&self, label: &str) -> Result<Self, String> {
        let deeper = self.0.name.prepend_label(label).map_err(|why| why.to_string())?;
        Ok(Self(Query::query(deeper, self.0.query_type)))
    }

    /// The name, with its last dot.
    pub fn name(&self) -> String {
        self.0.name.to_ascii()
    }

    /// The record type.
    pub fn kind(&self) -> String {
        self.0.query_type.to_string()
    }

    /// The message that asks; `None` where a name cannot be written, which [`Self::new`] rules out.
    pub fn write(&self, id: u16, manner: Manner) -> Option<Vec<u8>> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = manner.recursion;
        message.add_query(self.0.clone());
        if manner.payload.is_some() || manner.dnssec {
            let mut edns = Edns::new();
            edns.set_max_payload(manner.payload.unwrap_or(UDP_PAYLOAD)).set_dnssec_ok(manner.dnssec);
            message.set_edns(edns);
        }
        message.to_vec().ok()
    }

    /// What this packet is to this question, asked under this number.
    pub fn read(&self, id: u16, bytes: &[u8]) -> Reading {
        let Ok(message) = Message::from_vec(bytes) else { return Reading::Malformed };
        let head = &message.metadata;
        if head.message_type != MessageType::Response || head.op_code != OpCode::Query {
            return Reading::Malformed;
        }
        if head.id != id {
            return Reading::WrongId;
        }
        let failed = !matches!(head.response_code, ResponseCode::NoError | ResponseCode::NXDomain);
        let ours = match message.queries.as_slice() {
            [] => failed && message.answers.is_empty(),
            [query] => {
                query.name == self.0.name
                    && query.query_type == self.0.query_type
                    && query.query_class == self.0.query_class
            }
            _ => false,
        };
        if !ours {
            return Reading::WrongQuestion;
        }
        Reading::Answer(Answer {
            rcode: Rcode(head.response_code.into()),
            truncated: head.truncation,
            authoritative: head.authoritative,
            authentic: head.authentic_data,
            records: message.answers.len(),
            bytes: bytes.len(),
        })
    }
}

/// The number of a message, if it is long enough to have one.
pub fn id_of(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk().copied().map(u16::from_be_bytes)
}

/// A message behind its length, as it goes over a stream (RFC 7766 section 8); `None` where it is too long for one.
pub fn framed(message: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(message.len()).ok()?;
    Some([&length.to_be_bytes(), message].concat())
}

/// Messages out of a stream, each behind its length: bytes go in as they come, a message comes out when it is whole.
#[derive(Debug, Default)]
pub struct Messages {
    held: Vec<u8>,
}

impl Messages {
    /// More of the stream.
    pub fn add(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next message, if all of it is there.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let (length, rest) = self.held.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let message = rest.get(..length)?.to_vec();
        self.held.drain(..2 + length);
        Some(message)
    }
}

/// Makes an answer to a question with these bytes, without records: for servers in tests and in the virtual network.
/// `None` where the bytes are no question.
pub fn answer_to(question: &[u8], rcode: u16, truncated: bool) -> Option<Vec<u8>> {
    let asked = Message::from_vec(question).ok()?;
    if asked.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut message = Message::response(asked.metadata.id, asked.metadata.op_code);
    message.metadata.recursion_desired = asked.metadata.recursion_desired;
    message.metadata.recursion_available = true;
    message.metadata.response_code = ResponseCode::from((rcode >> 4) as u8, (rcode & 15) as u8);
    message.metadata.truncation = truncated;
    message.add_queries(asked.queries);
    message.to_vec().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: Manner = Manner { recursion: true, dnssec: false, payload: None };

    fn question() -> Question {
        Question::new("www.example.com", "A").unwrap()
    }

    #[test]
    fn a_question_has_these_bytes() {
        // RFC 1035 section 4.1: header with RD set and one question, then the labels, type A, class IN.
        let mut expected = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        expected.extend(b"\x03www\x07example\x03com\x00\x00\x01\x00\x01");
        assert_eq!(question().write(0x1234, PLAIN).unwrap(), expected);
        let with = Manner { payload: Some(1_232), dnssec: true, ..PLAIN };
        let written = question().write(0x1234, with).unwrap();
        // RFC 6891 section 6.1.2: root name, type 41, payload size, extended RCODE and version, DO bit, no options.
        assert_eq!(written[expected.len()..], [0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0]);
    }

    #[test]
    fn an_answer_is_one_to_this_number_and_this_question_in_any_case() {
        let mut reply = answer_to(&question().write(7, PLAIN).unwrap(), 3, false).unwrap();
        let Reading::Answer(answer) = question().read(7, &reply) else { panic!("an answer") };
        assert_eq!((answer.rcode.word().as_str(), answer.records), ("NXDOMAIN", 0));
        assert!(answer.rcode.is_settled());
        assert_eq!(question().read(8, &reply), Reading::WrongId);
        let other = Question::new("www.example.org", "A").unwrap();
        assert_eq!(other.read(7, &reply), Reading::WrongQuestion);
        let other = Question::new("www.example.com", "AAAA").unwrap();
        assert_eq!(other.read(7, &reply), Reading::WrongQuestion);
        reply[13] = b'W';
        assert!(matches!(question().read(7, &reply), Reading::Answer(_)), "RFC 4343: no case");
        assert_eq!(
            question().read(7, &question().write(7, PLAIN).unwrap()),
            Reading::Malformed,
            "a question"
        );
        assert_eq!(question().read(7, &reply[..11]), Reading::Malformed);
    }

    #[test]
    fn a_refusal_may_leave_the_question_out_and_a_success_may_not() {
        let refusal = [0, 7, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        let Reading::Answer(answer) = question().read(7, &refusal) else { panic!("an answer") };
        assert_eq!(answer.rcode.word(), "FORMERR");
        let success = [0, 7, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(question().read(7, &success), Reading::WrongQuestion);
    }

    #[test]
    fn what_is_no_name_or_type_is_refused_in_words() {
        assert!(Question::new("a..b", "A").unwrap_err().contains("no domain name"));
        assert!(Question::new("example.com", "QUX").unwrap_err().contains("no record type"));
        assert_eq!(question().under("x1").unwrap().name(), "x1.www.example.com.");
        assert!(question().under(&"x".repeat(64)).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>, id: u16) {
            let _ = (question().read(id, &bytes), id_of(&bytes), answer_to(&bytes, 2, true));
        }

        #[test]
        fn messages_come_out_of_a_stream_as_they_went_in_whatever_pieces_it_comes_in(
            sent in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..6),
            piece in 1_usize..50,
        ) {
            let stream: Vec<u8> = sent.iter().flat_map(|message| framed(message).unwrap()).collect();
            let (mut messages, mut came) = (Messages::default(), Vec::new());
            for part in stream.chunks(piece) {
                messages.add(part);
                came.extend(std::iter::from_fn(|| messages.take()));
            }
            prop_assert_eq!(came, sent);
            prop_assert!(messages.held.is_empty());
        }

        #[test]
        fn an_answer_is_found_under_its_number_only(id: u16, other: u16, rcode in 0_u16..11, truncated: bool) {
            let reply = answer_to(&question().write(id, PLAIN).unwrap(), rcode, truncated).unwrap();
            let Reading::Answer(answer) = question().read(id, &reply) else { panic!("an answer") };
            prop_assert_eq!((answer.rcode.0, answer.truncated), (rcode, truncated));
            prop_assert_eq!(question().read(other, &reply) == Reading::WrongId, id != other);
        }
    }
}
