//! Questions over a stream: each message behind its length (RFC 7766, RFC 7858).

use super::lookup::Fate;
use crate::codec::dns::{Manner, Messages, Question, Reading, framed};
use broadgauge_model::clock::{Clock, Span};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Messages that are no answer to ours, before the resolver is given up.
const MOST_STRAYS: u32 = 16;

/// Messages that were no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Strays {
    pub(super) wrong_id: u64,
    pub(super) wrong_question: u64,
    pub(super) malformed: u64,
}

impl Strays {
    pub(super) const fn add(&mut self, other: Self) {
        self.wrong_id += other.wrong_id;
        self.wrong_question += other.wrong_question;
        self.malformed += other.malformed;
    }
}

/// Asks, and waits for the answer; the caller bounds the time.
pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    question: &Question,
    id: u16,
    manner: Manner,
    clock: &dyn Clock,
    strays: &mut Strays,
) -> io::Result<Fate> {
    let bytes = question.write(id, manner).and_then(|message| framed(&message)).unwrap_or_default();
    let asked = clock.mono();
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    let mut messages = Messages::default();
    for _ in 0..MOST_STRAYS {
        let message = next(stream, &mut messages).await?;
        let after: Span = clock.mono() - asked;
        match question.read(id, &message) {
            Reading::Answer(answer) => return Ok(Fate::Answered(after, answer)),
            Reading::WrongId => strays.wrong_id += 1,
            Reading::WrongQuestion => strays.wrong_question += 1,
            Reading::Malformed => strays.malformed += 1,
        }
    }
    Ok(Fate::Lost)
}

/// The next message; the end of the stream is an error, for an answer was to come.
async fn next<S: AsyncRead + Unpin>(stream: &mut S, messages: &mut Messages) -> io::Result<Vec<u8>> {
    let mut chunk = [0; 2048];
    loop {
        if let Some(message) = messages.take() {
            return Ok(message);
        }
        match stream.read(&mut chunk).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => messages.add(&chunk[..read]),
        }
    }
}
