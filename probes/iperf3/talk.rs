//! The control connection of an iperf3 test: states, two numbers after an error, and documents with a length before.
//!
//! Everything that is read has a bound and a deadline, and may be given up half-way and taken up again.

use crate::codec::iperf3::{Cookie, State, Wrong, document_length, error_words, framed};
use crate::net::Wire;
use broadgauge_model::clock::Span;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What can go wrong on a control connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum TalkError {
    #[error("closed the connection")]
    Closed,
    #[error("said nothing for {0:.1} s")]
    Silent(f64),
    #[error("is busy with another test: iperf3 serves one at a time")]
    Busy,
    #[error("was told to stop")]
    Terminated,
    #[error("reports error {iperf}{errno}: {words}", errno = errno_words(*.errno), words = error_words(*.iperf))]
    Failed { iperf: i32, errno: i32 },
    #[error("sent a byte that is no state of iperf3 ({0})")]
    Garbled(u8),
    #[error("is in state {got:?} instead of {wanted:?}")]
    OutOfStep { got: State, wanted: State },
    #[error("sent a document that {0}")]
    Document(#[from] Wrong),
    #[error("cannot be talked to: {0}")]
    Io(io::ErrorKind),
}

fn errno_words(errno: i32) -> String {
    if errno == 0 { String::new() } else { format!(" ({})", io::Error::from_raw_os_error(errno)) }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Talk {
    stream: Wire,
    held: Vec<u8>,
}

impl Talk {
    pub(super) const fn new(stream: Wire) -> Self {
        Self { stream, held: Vec::new() }
    }

    /// The connection itself; `None` if the other side said more than it was asked.
    pub(super) fn into_stream(self) -> Option<Wire> {
        self.held.is_empty().then_some(self.stream)
    }

    /// Hears the state that both are in next.
    pub(super) async fn state(&mut self, within: Span) -> Result<State, TalkError> {
        let byte = self.take(1, within).await?[0];
        State::read(byte).ok_or(TalkError::Garbled(byte))
    }

    /// Hears that state, or why it does not come.
    pub(super) async fn expect(&mut self, wanted: State, within: Span) -> Result<(), TalkError> {
        let got = self.state(within).await?;
        if got == wanted { Ok(()) } else { Err(self.instead(got, wanted, within).await) }
    }

    /// What a state means that was not due.
    pub(super) async fn instead(&mut self, got: State, wanted: State, within: Span) -> TalkError {
        match got {
            State::AccessDenied => TalkError::Busy,
            State::ServerTerminate | State::ClientTerminate => TalkError::Terminated,
            State::ServerError => match self.take(8, within).await {
                Ok(numbers) => {
                    let number =
                        |at: usize| numbers[at..at + 4].iter().fold(0, |n, &b| n << 8 | i32::from(b));
                    TalkError::Failed { iperf: number(0), errno: number(4) }
                }
                Err(error) => error,
            },
            got => TalkError::OutOfStep { got, wanted },
        }
    }

    /// Hears a document.
    pub(super) async fn document(&mut self, longest: usize, within: Span) -> Result<Vec<u8>, TalkError> {
        // One deadline for both: who sends a byte at a time does not gain time by it.
        let both = async {
            self.hold(4).await?;
            let length = document_length(self.held[..4].try_into().unwrap_or([0xff; 4]), longest)?;
            self.hold(4 + length).await?;
            let rest = self.held.split_off(4 + length);
            let mut document = std::mem::replace(&mut self.held, rest);
            document.drain(..4);
            Ok(document)
        };
        let silent = TalkError::Silent(within.as_secs_f64());
        tokio::time::timeout(within.to_std(), both).await.unwrap_or(Err(silent))
    }

    /// Hears a cookie.
    pub(super) async fn cookie(&mut self, within: Span) -> Result<Cookie, TalkError> {
        let bytes = self.take(37, within).await?;
        Ok(Cookie(bytes.try_into().unwrap_or([0; 37])))
    }

    pub(super) async fn say_cookie(&mut self, cookie: Cookie, within: Span) -> Result<(), TalkError> {
        self.say(&cookie.0, within).await
    }

    pub(super) async fn say_state(&mut self, state: State, within: Span) -> Result<(), TalkError> {
        self.say(&[state.write()], within).await
    }

    pub(super) async fn say_document(&mut self, document: &[u8], within: Span) -> Result<(), TalkError> {
        self.say(&framed(document), within).await
    }

    /// Says that the test fails, and waits for the other side to have heard it: an end at once would be a reset that
    /// overtakes the words.
    pub(super) async fn say_failed(&mut self, iperf: i32, within: Span) {
        let mut message = vec![State::ServerError.write()];
        message.extend_from_slice(&iperf.to_be_bytes());
        message.extend_from_slice(&[0; 4]);
        if self.say(&message, within).await.is_ok() {
            self.part(within).await;
        }
    }

    /// Ends our side and waits for the other to end its own.
    pub(super) async fn part(&mut self, within: Span) {
        let parting = async {
            let _ = self.stream.shutdown().await;
            let mut waste = [0; 1024];
            while self.stream.read(&mut waste).await.is_ok_and(|read| read > 0) {}
        };
        // Who does not end its side in time is cut off.
        let _ = tokio::time::timeout(within.to_std(), parting).await;
    }

    async fn say(&mut self, bytes: &[u8], within: Span) -> Result<(), TalkError> {
        match tokio::time::timeout(within.to_std(), self.stream.write_all(bytes)).await {
            Err(_) => Err(TalkError::Silent(within.as_secs_f64())),
            Ok(written) => written.map_err(|error| TalkError::Io(error.kind())),
        }
    }

    async fn take(&mut self, count: usize, within: Span) -> Result<Vec<u8>, TalkError> {
        let silent = TalkError::Silent(within.as_secs_f64());
        tokio::time::timeout(within.to_std(), self.hold(count)).await.unwrap_or(Err(silent))?;
        let rest = self.held.split_off(count);
        Ok(std::mem::replace(&mut self.held, rest))
    }

    /// A server up to 3.12 keeps its second word back until its first is acknowledged (Nagle), and its clock runs
    /// meanwhile: 40 ms of test in which nobody sends, if our acknowledgement is one of those that wait.
    fn answer_at_once(&self) {
        #[cfg(target_os = "linux")]
        if let Some(Err(why)) = self.stream.socket().map(|socket| socket.set_tcp_quickack(true)) {
            tracing::debug!(error = %why, "acknowledgements may wait");
        }
    }

    /// Reads until so many bytes are held, and never more than that.
    async fn hold(&mut self, count: usize) -> Result<(), TalkError> {
        let mut chunk = [0; 4096];
        while self.held.len() < count {
            self.answer_at_once();
            let room = chunk.len().min(count - self.held.len());
            match self.stream.read(&mut chunk[..room]).await {
                Ok(0) => return Err(TalkError::Closed),
                Ok(read) => self.held.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(TalkError::Closed);
                }
                Err(error) => return Err(TalkError::Io(error.kind())),
            }
        }
        Ok(())
    }
}
