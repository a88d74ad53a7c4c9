//! Questions over a stream: each message behind its length (RFC 7766, RFC 7858).

use super::lookup::Fate;
use crate::codec::dns::{Manner, Question, Reading};
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
    let bytes = question.write(id, manner).unwrap_or_default();
    let mut framed = Vec::with_capacity(bytes.len() + 2);
    framed.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    framed.extend_from_slice(&bytes);
    let asked = clock.mono();
    stream.write_all(&framed).await?;
    stream.flush().await?;
    for _ in 0..MOST_STRAYS {
        let length = stream.read_u16().await?;
        let mut message = vec![0; usize::from(length)];
        stream.read_exact(&mut message).await?;
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
