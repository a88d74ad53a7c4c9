//! An HTTP conversation over one connection of ours.

use super::{HttpError, Payload, Url};
use crate::dial::{Dialled, Moments, Tap, Times};
use crate::tls;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// The most that headers of an answer may take.
const HEADER_BYTES: usize = 64 * 1024;
/// The most of them.
const HEADERS: usize = 128;

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Version {
    /// One exchange at a time.
    #[serde(rename = "HTTP/1.1")]
    One,
    /// Many at once.
    #[serde(rename = "HTTP/2")]
    Two,
}

impl Version {
    /// As people write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::One => "HTTP/1.1",
            Self::Two => "HTTP/2",
        }
    }
}

/// How much a far end may send before we have read it (RFC 9113 section 5.2). HTTP/1.1 has TCP's window only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// On one exchange.
    pub stream: u32,
    /// On all of a connection.
    pub connection: u32,
}

impl Default for Windows {
    /// As browsers have them, about.
    fn default() -> Self {
        Self { stream: 6 << 20, connection: 15 << 20 }
    }
}

#[derive(Debug)]
enum Asker {
    One(http1::SendRequest<Payload>),
    Two(http2::SendRequest<Payload>),
}

/// A conversation. It ends when this is dropped, whatever is under way.
#[derive(Debug)]
pub struct Session {
    asker: Asker,
    driver: JoinHandle<()>,
    /// How long each phase of making the connection took.
    pub times: Times,
    /// The far end.
    pub address: SocketAddr,
    /// Where the kernel is asked about the connection.
    pub tap: Arc<Tap>,
    /// When bytes leave and come.
    pub moments: Arc<Moments>,
    /// What the TLS handshake came to.
    pub tls: Option<tls::Facts>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    /// Speaks HTTP over a connection: the version that TLS agreed on (RFC 7301), HTTP/1.1 where there was no agreement.
    pub async fn over(dialled: Dialled, windows: Windows) -> Result<Self, HttpError> {
        let Dialled { stream, times, address, tap, moments, tls } = dialled;
        let two = stream.alpn() == Some(b"h2");
        let io = TokioIo::new(stream);
        let (asker, driver) = if two {
            let (asker, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .initial_stream_window_size(windows.stream)
                .initial_connection_window_size(windows.connection)
                .max_header_list_size(HEADER_BYTES as u32)
                .max_concurrent_reset_streams(64)
                .handshake(io)
                .await?;
            // How a connection ends is seen by those who wait for answers on it.
            (Asker::Two(asker), tokio::spawn(async move { drop(connection.await) }))
        } else {
            let (asker, connection) = http1::Builder::new()
                .max_headers(HEADERS)
                .max_buf_size(HEADER_BYTES.max(512 * 1024))
                .max_header_size(HEADER_BYTES)
                .handshake(io)
                .await?;
            (Asker::One(asker), tokio::spawn(async move { drop(connection.await) }))
        };
        Ok(Self { asker, driver, times, address, tap: Arc::new(tap), moments, tls })
    }

    /// Which HTTP is spoken.
    pub const fn version(&self) -> Version {
        match self.asker {
            Asker::One(_) => Version::One,
            Asker::Two(_) => Version::Two,
        }
    }

    /// Another handle to ask on the same connection; `None` where exchanges go one after the other.
    pub fn another(&self) -> Option<Another> {
        match &self.asker {
            Asker::One(_) => None,
            Asker::Two(asker) => Some(Another(asker.clone())),
        }
    }

    /// Asks, and returns with the head of the answer.
    pub async fn ask(&mut self, request: Request<Payload>) -> Result<Response<Incoming>, HttpError> {
        match &mut self.asker {
            Asker::One(asker) => {
                asker.ready().await?;
                Ok(asker.send_request(request).await?)
            }
            Asker::Two(asker) => {
                asker.ready().await?;
                Ok(asker.send_request(request).await?)
            }
        }
    }

    /// A request as this version wants it written.
    pub fn request(
        &self,
        method: Method,
        url: &Url,
        headers: &[(header::HeaderName, HeaderValue)],
        body: Payload,
    ) -> Result<Request<Payload>, HttpError> {
        request(self.version(), method, url, headers, body)
    }
}

/// Whether a server will take another question on the connection of this answer (RFC 9112 section 9.3).
pub fn stays_open<B>(answer: &Response<B>) -> bool {
    let closes = |value: &HeaderValue| {
        let options = value.to_str().unwrap_or_default().split(',');
        options.map(str::trim).any(|option| option.eq_ignore_ascii_case("close"))
    };
    match answer.version() {
        hyper::Version::HTTP_09 | hyper::Version::HTTP_10 => false,
        hyper::Version::HTTP_11 => !answer.headers().get_all(header::CONNECTION).iter().any(closes),
        _ => true,
    }
}

/// Another handle of an HTTP/2 conversation; useless once its [`Session`] is gone.
#[derive(Clone, Debug)]
pub struct Another(http2::SendRequest<Payload>);

impl Another {
    /// Asks, and returns with the head of the answer.
    pub async fn ask(&mut self, request: Request<Payload>) -> Result<Response<Incoming>, HttpError> {
        self.0.ready().await?;
        Ok(self.0.send_request(request).await?)
    }
}

/// A request as a version wants it written.
pub(crate) fn request(
    version: Version,
    method: Method,
    url: &Url,
    headers: &[(header::HeaderName, HeaderValue)],
    body: Payload,
) -> Result<Request<Payload>, HttpError> {
    let wrong = |what: &str| HttpError::Request(format!("{what} of {url}"));
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = match version {
        Version::One => url.path.parse().map_err(|_| wrong("the path"))?,
        Version::Two => url.absolute().ok_or_else(|| wrong("the address"))?,
    };
    let map: &mut HeaderMap = request.headers_mut();
    if version == Version::One {
        map.insert(header::HOST, url.authority().parse().map_err(|_| wrong("the host"))?);
    }
    map.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("broadgauge/", env!("CARGO_PKG_VERSION"))),
    );
    map.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    // What is counted is what was on the line.
    map.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    for (name, value) in headers {
        map.insert(name, value.clone());
    }
    Ok(request)
}
