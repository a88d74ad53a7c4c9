//! Where a locate service sends us: one HTTP question, answered with the addresses of servers near us.

use super::settings::Settings;
use crate::codec::ndt7::{Subtest, located};
use crate::dial::dial;
use crate::http::{Bounds, Payload, Session, Url, Windows, exchange};
use crate::probe::{Context, ProbeError};
use broadgauge_model::clock::Span;
use hyper::{Method, StatusCode};

/// How long all of it may take.
const WITHIN: Span = Span::secs(10);
/// The longest answer.
const LONGEST: usize = 256 * 1024;

/// The servers that were named for a subtest, nearest first.
pub(super) async fn locate(
    service: &str,
    subtest: Subtest,
    settings: &Settings,
    context: &Context,
) -> Result<Vec<Url>, ProbeError> {
    let wrong = |problem: String| ProbeError::Peer { address: service.to_owned(), problem };
    let url = Url::parse(service).map_err(wrong)?;
    let client = settings.client(url.secure)?;
    let dialled = dial(context, &url.host, url.port, client.as_ref(), WITHIN)
        .await
        .map_err(|error| error.fatal(service))?;
    let failed = |error: crate::http::HttpError| wrong(error.to_string());
    let mut session = Session::over(dialled, Windows::default()).await.map_err(failed)?;
    let request = session.request(Method::GET, &url, &[], Payload::empty()).map_err(failed)?;
    let bounds = Bounds { head: WITHIN, within: WITHIN, bytes: LONGEST as u64, keep: LONGEST };
    let answer = exchange(&mut session, request, bounds, |_, _| {}).await.map_err(failed)?;
    answer.ended.map_err(failed)?;
    match answer.status {
        StatusCode::OK => {}
        StatusCode::NO_CONTENT => {
            return Err(wrong(String::from("has no server with room now: try again later")));
        }
        status => return Err(wrong(format!("answered with HTTP status {}", status.as_u16()))),
    }
    let named = located(&answer.kept, settings.tls, subtest)
        .ok_or_else(|| wrong(String::from("answered, but not as locate version 2")))?;
    let servers: Vec<Url> = named.iter().filter_map(|address| web_socket(address)).collect();
    if servers.is_empty() {
        let how = if settings.tls { "under TLS" } else { "in plain text" };
        return Err(wrong(format!("names no server for {} {how}", subtest.name())));
    }
    Ok(servers)
}

/// A `ws` or `wss` address.
fn web_socket(address: &str) -> Option<Url> {
    let web = match address.split_once("://")? {
        ("wss", rest) => format!("https://{rest}"),
        ("ws", rest) => format!("http://{rest}"),
        _ => return None,
    };
    Url::parse(&web).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_socket_address_keeps_its_port_and_its_token() {
        let url = web_socket("wss://host.example:4443/ndt/v7/upload?access_token=a.b").unwrap();
        assert_eq!((url.secure, url.port, url.host.as_str()), (true, 4_443, "host.example"));
        assert_eq!(url.path, "/ndt/v7/upload?access_token=a.b");
        assert_eq!(web_socket("ws://[2001:db8::1]/x").unwrap().port, 80);
        assert_eq!(web_socket("https://host.example/"), None);
    }
}
