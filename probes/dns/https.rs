//! Questions over HTTPS: the message is the body of a POST and of its answer (RFC 8484).

use super::lookup::Fate;
use super::once::Once;
use super::stream::Strays;
use crate::codec::dns::Reading;
use crate::dial::Dialled;
use crate::http::{Bounds, HttpError, Payload, Session, Url, Windows, exchange};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode};

/// What a message over HTTPS is called.
const MESSAGE: &str = "application/dns-message";
/// No DNS message is longer.
const LONGEST: usize = 65_535;

/// Asks over a connection that was made; the caller bounds the time.
pub(super) async fn ask(dialled: Dialled, once: &Once, name: &str, path: &str, strays: &mut Strays) -> Fate {
    match post(dialled, once, name, path, strays).await {
        Ok(fate) => fate,
        Err(HttpError::Silent(_)) => Fate::Lost,
        Err(error) => Fate::Refused(format!("HTTP: {error}")),
    }
}

async fn post(
    dialled: Dialled,
    once: &Once,
    name: &str,
    path: &str,
    strays: &mut Strays,
) -> Result<Fate, HttpError> {
    // RFC 8484 section 4.1: number zero, so that caches see one question.
    let message = once.question.write(0, once.manner).unwrap_or_default();
    let (host, path) = (name.to_owned(), path.to_owned());
    let url = Url { secure: true, host, port: dialled.address.port(), path };
    let mut session = Session::over(dialled, Windows::default()).await?;
    let said = HeaderValue::from_static(MESSAGE);
    let headers = [(ACCEPT, said.clone()), (CONTENT_TYPE, said)];
    let request = session.request(Method::POST, &url, &headers, Payload::bytes(message))?;
    let bounds = Bounds { head: once.timeout, within: once.timeout, bytes: LONGEST as u64, keep: LONGEST };
    let answer = exchange(&mut session, request, bounds, |_, _| {}).await?;
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if answer.status != StatusCode::OK || !kind.starts_with(MESSAGE) {
        return Ok(Fate::Refused(format!("HTTP: status {}, {kind:?}", answer.status.as_u16())));
    }
    answer.ended?;
    match once.question.read(0, &answer.kept) {
        Reading::Answer(told) => return Ok(Fate::Answered(answer.whole, told)),
        Reading::WrongId => strays.wrong_id += 1,
        Reading::WrongQuestion => strays.wrong_question += 1,
        Reading::Malformed => strays.malformed += 1,
    }
    Ok(Fate::Lost)
}
