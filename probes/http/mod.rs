//! HTTP/1.1 and HTTP/2 (RFC 9110, 9112, 9113) for the methods that need them, over connections that we make ourselves: through
//! the chosen door, with each phase timed, and with a handle to ask the kernel.
//!
//! What a stranger sends is bounded on both sides: the size of headers, the time they may take, the time and
//! size of a body, and how many connections there are.

mod exchange;
mod payload;
pub mod server;
mod session;
mod url;

pub use exchange::{Bounds, Exchange, exchange, take_in};
pub use payload::{Payload, Sent};
pub(crate) use session::request;
pub use session::{Another, Session, Version, Windows, stays_open};
pub use url::Url;

use std::io::{self, ErrorKind};

/// Why an exchange over a connection did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// No answer, or not all of it, in time.
    #[error("had no whole answer in {0:.1} s")]
    Silent(f64),
    /// The connection ended half-way.
    #[error("was closed before the answer was whole")]
    Cut,
    /// What came is not HTTP, or not within its bounds.
    #[error("did not answer as HTTP asks: {0}")]
    Garbled(String),
    /// A request cannot be written like this.
    #[error("cannot be asked: {0}")]
    Request(String),
}

impl From<hyper::Error> for HttpError {
    fn from(error: hyper::Error) -> Self {
        use std::error::Error as _;
        if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            return Self::Cut;
        }
        let broken = error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
        if let Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) = broken {
            return Self::Cut;
        }
        // The cause says more than "http2 error".
        let cause = error.source().map(ToString::to_string);
        Self::Garbled(cause.unwrap_or_else(|| error.to_string()))
    }
}

#[cfg(test)]
mod tests;
