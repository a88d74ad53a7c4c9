//! The WebSocket (RFC 6455) that a test runs on, and how it ends.

use super::counted::{Counted, Traffic};
use super::settings::Settings;
use crate::codec::ndt7::{LARGEST_ACCEPTED, SUBPROTOCOL, Subtest, encode};
use crate::dial::{Stream, Tap, dial};
use crate::http::Url;
use crate::probe::{Context, ProbeError};
use crate::tls;
use broadgauge_model::clock::Span;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// How long each part of opening a connection may take.
pub(super) const HANDSHAKE: Span = Span::secs(7);
/// How long a test may pause.
pub(super) const PAUSE: Span = Span::secs(7);
/// How much is read at once.
const READ_BUFFER: usize = 256 * 1024;

pub(super) type Socket = WebSocketStream<Counted<Stream>>;

/// A test's connection.
pub(super) struct Opened {
    pub(super) socket: Socket,
    pub(super) traffic: Arc<Traffic>,
    pub(super) tap: Tap,
    pub(super) address: SocketAddr,
    pub(super) tls: Option<tls::Facts>,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By the closing handshake.
    Closed,
    /// By the end of the connection, which is no failure.
    Cut,
    /// By us, because its time was over.
    TimeOver,
    /// By somebody who pulled the stop.
    Stopped,
    /// Nothing moved any more.
    Silent,
    /// By something that should not be.
    Wrong(String),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the server"),
            Self::Cut => f.write_str("the connection ended"),
            Self::TimeOver => f.write_str("its time was over"),
            Self::Stopped => f.write_str("interrupted"),
            Self::Silent => write!(f, "nothing moved for {} s", PAUSE.as_secs_f64()),
            Self::Wrong(problem) => f.write_str(problem),
        }
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error {
            Error::ConnectionClosed | Error::AlreadyClosed => Self::Closed,
            Error::Io(_) | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Cut,
            Error::Capacity(_) => Self::Wrong(format!("a message of more than {LARGEST_ACCEPTED} bytes")),
            other => Self::Wrong(other.to_string()),
        }
    }
}

/// The same for both ends.
pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(LARGEST_ACCEPTED))
        .max_frame_size(Some(LARGEST_ACCEPTED))
}

/// Where a subtest is asked for on a server that was named.
pub(super) fn on(host: &str, port: u16, subtest: Subtest, settings: &Settings) -> Url {
    let mut path = format!(
        "{}?client_name=broadgauge&client_version={}&client_library_name=broadgauge-probes",
        subtest.path(),
        env!("CARGO_PKG_VERSION")
    );
    if let Some(token) = &settings.access_token {
        path.push_str("&access_token=");
        path.push_str(&encode(token));
    }
    Url { secure: settings.tls, host: host.to_owned(), port, path }
}

/// Connects and shakes hands.
pub(super) async fn open(url: &Url, settings: &Settings, context: &Context) -> Result<Opened, ProbeError> {
    let client = settings.client(url.secure)?;
    let authority = url.authority();
    let dialled = dial(context, &url.host, url.port, client.as_ref(), HANDSHAKE)
        .await
        .map_err(|error| error.fatal(&authority))?;
    let traffic = Traffic::new(Arc::clone(&context.clock));
    let stream = Counted::new(dialled.stream, Arc::clone(&traffic));
    let wrong = |problem: String| ProbeError::Peer { address: authority.clone(), problem };
    let scheme = if url.secure { "wss" } else { "ws" };
    let mut request = format!("{scheme}://{authority}{}", url.path)
        .into_client_request()
        .map_err(|error| wrong(format!("cannot be asked: {error}")))?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    let shaking = client_async_with_config(request, stream, Some(config()));
    let (socket, _) = tokio::time::timeout(HANDSHAKE.to_std(), shaking)
        .await
        .map_err(|_| wrong(format!("did not answer in {} s", HANDSHAKE.as_secs_f64())))?
        .map_err(|error| wrong(refusal(error)))?;
    Ok(Opened { socket, traffic, tap: dialled.tap, address: dialled.address, tls: dialled.tls })
}

/// Why a server did not shake hands.
fn refusal(error: Error) -> String {
    match error {
        Error::Http(response) => match response.status().as_u16() {
            503 => String::from("is busy with other tests: try again later"),
            401 | 403 => String::from("wants an access_token, or another one"),
            404 => String::from("knows no ndt7"),
            status => format!("refused the test with HTTP status {status}"),
        },
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
            String::from("speaks another protocol than ndt7")
        }
        other => format!("did not shake hands: {other}"),
    }
}

/// The random bytes that both ends send.
pub(super) fn payload(seed: u64) -> bytes::Bytes {
    crate::throughput::pump::block(seed, crate::codec::ndt7::LARGEST_SENT).into()
}

/// What a frame has beside its payload (RFC 6455 section 5.2), from a server.
pub(super) const fn head_of(payload: usize) -> u64 {
    match payload {
        0..=125 => 2,
        126..=65_535 => 4,
        _ => 10,
    }
}
