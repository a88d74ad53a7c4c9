//! One question and its answer, with the times of its parts.
//!
//! The first byte is the first byte of the answer's body (RFC 9110 section 6.4), as an application sees it; the head is kept
//! apart. A body counts as whole only if it is as long as its head said, or ended as HTTP asks.

use super::{HttpError, Payload, Session, stays_open};
use crate::dial::Moments;
use broadgauge_model::clock::{Clock, Mono, Span};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode};
use std::sync::Arc;

/// How much is accepted of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// When its head must be there, from the question on.
    pub head: Span,
    /// When all of it must be there.
    pub within: Span,
    /// Body bytes; a longer body is not read on.
    pub bytes: u64,
    /// How many of them are kept.
    pub keep: usize,
}

/// An answer.
#[derive(Debug)]
pub struct Exchange {
    /// When the question left, or was handed to the connection where others use that too.
    pub asked: Mono,
    /// The status.
    pub status: StatusCode,
    /// The head.
    pub headers: HeaderMap,
    /// From the question to the head of the answer.
    pub head: Span,
    /// From the question to the first byte of the body; `None` where there was none.
    pub first_byte: Option<Span>,
    /// From the question to the end of the body, or to where it broke off.
    pub whole: Span,
    /// Bytes of the body.
    pub bytes: u64,
    /// The first of them, as many as were to be kept.
    pub kept: Vec<u8>,
    /// Why the body is not whole.
    pub ended: Result<(), HttpError>,
    /// Whether the server takes another question on this connection.
    pub stays_open: bool,
}

/// Asks, alone on the connection, and takes the answer in; `told` hears of each piece of the body, so long after the
/// question. `Err` where no head came.
pub async fn exchange(
    session: &mut Session,
    request: Request<Payload>,
    bounds: Bounds,
    told: impl FnMut(Span, u64),
) -> Result<Exchange, HttpError> {
    let moments = Arc::clone(&session.moments);
    moments.begin();
    let handed = moments.clock().mono();
    let head = tokio::time::timeout(bounds.head.to_std(), session.ask(request)).await;
    let response = head.map_err(|_| HttpError::Silent(bounds.head.as_secs_f64()))??;
    let asked = moments.asked().unwrap_or(handed);
    Ok(take(moments.clock(), Some(&moments), asked, response, bounds, told).await)
}

/// Takes an answer in whose head has come on a connection that carries others too.
pub async fn take_in(
    clock: &dyn Clock,
    asked: Mono,
    response: Response<Incoming>,
    bounds: Bounds,
) -> Exchange {
    take(clock, None, asked, response, bounds, |_, _| {}).await
}

async fn take(
    clock: &dyn Clock,
    moments: Option<&Moments>,
    asked: Mono,
    response: Response<Incoming>,
    bounds: Bounds,
    mut told: impl FnMut(Span, u64),
) -> Exchange {
    let arrived = || moments.and_then(Moments::heard).unwrap_or_else(|| clock.mono());
    let head = arrived() - asked;
    let open = stays_open(&response);
    let (parts, mut body) = response.into_parts();
    let mut out = Exchange {
        asked,
        status: parts.status,
        headers: parts.headers,
        head,
        first_byte: None,
        whole: head,
        bytes: 0,
        kept: Vec::new(),
        ended: Ok(()),
        stays_open: open,
    };
    let silent = || HttpError::Silent(bounds.within.as_secs_f64());
    while !body.is_end_stream() {
        let left = bounds.within - (clock.mono() - asked);
        let Ok(frame) = tokio::time::timeout(left.to_std(), body.frame()).await else {
            out.ended = Err(silent());
            break;
        };
        let now = clock.mono();
        match frame {
            None => break,
            Some(Err(error)) => {
                out.ended = Err(error.into());
                break;
            }
            Some(Ok(frame)) => {
                let Some(data) = frame.data_ref().filter(|data| !data.is_empty()) else { continue };
                if out.first_byte.is_none() {
                    out.first_byte = Some(arrived() - asked);
                    if let Some(moments) = moments {
                        moments.begun();
                    }
                }
                out.bytes += data.len() as u64;
                let room = bounds.keep.saturating_sub(out.kept.len()).min(data.len());
                out.kept.extend_from_slice(&data[..room]);
                told(now - asked, data.len() as u64);
                // A body of many small pieces that are all there already does not come back to the timer.
                if out.bytes > bounds.bytes {
                    out.ended =
                        Err(HttpError::Garbled(format!("a body of more than {} bytes", bounds.bytes)));
                    break;
                }
                if now - asked > bounds.within {
                    out.ended = Err(silent());
                    break;
                }
            }
        }
    }
    out.whole = if out.ended.is_ok() { arrived() } else { clock.mono() } - asked;
    out
}
