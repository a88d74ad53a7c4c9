//! What ndt7 says in words: the measurement messages of both ends, the public archive form, and the answer of a locate
//! service.
//!
//! ndt7 protocol 0.11 (m-lab/ndt-server, spec/ndt7-protocol.md): times in microseconds, amounts in bytes. A message may
//! lack any part and have more than is known; what is not a number is not there.

use serde_json::{Map, Value, json};

/// The subprotocol that both ends must name.
pub const SUBPROTOCOL: &str = "net.measurementlab.ndt.v7";
/// The size of the first binary message.
pub const FIRST_MESSAGE: usize = 1 << 13;
/// The largest that is sent: larger ones are slower.
pub const LARGEST_SENT: usize = 1 << 20;
/// The largest that must be accepted.
pub const LARGEST_ACCEPTED: usize = 1 << 24;
/// The longest text that is read as a measurement.
pub const LONGEST_TEXT: usize = 64 * 1024;
/// The longest query string of a request.
pub const LONGEST_QUERY: usize = 4_096;

/// Which way payload goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subtest {
    /// The server sends.
    Download,
    /// The client sends.
    Upload,
}

impl Subtest {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Upload => "upload",
        }
    }

    /// Where it is asked for.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Download => "/ndt/v7/download",
            Self::Upload => "/ndt/v7/upload",
        }
    }
}

/// The size of the next message: it doubles as long as it is at most a sixteenth of what was sent.
pub const fn next_size(size: usize, sent: u64) -> usize {
    if size < LARGEST_SENT && size as u64 <= sent / 16 { size * 2 } else { size }
}

/// What the application counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppInfo {
    /// Since the test began.
    pub elapsed_us: u64,
    /// Payload.
    pub bytes: u64,
}

/// What the server's kernel says of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    /// Since the test began.
    pub elapsed_us: u64,
    /// Received in order.
    pub bytes_received: Option<u64>,
    /// Sent, retransmissions included.
    pub bytes_sent: Option<u64>,
    /// Sent again.
    pub bytes_retransmitted: Option<u64>,
    /// Acknowledged.
    pub bytes_acked: Option<u64>,
    /// The smallest round trip.
    pub min_rtt_us: Option<u64>,
    /// The smoothed round trip.
    pub rtt_us: Option<u64>,
    /// Its mean deviation.
    pub rtt_variation_us: Option<u64>,
    /// With data under way.
    pub busy_us: Option<u64>,
    /// Held back by the receiver's window.
    pub receiver_limited_us: Option<u64>,
    /// Held back by the send buffer.
    pub send_buffer_limited_us: Option<u64>,
}

/// One measurement message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measurement {
    /// What the application counted.
    pub app: Option<AppInfo>,
    /// What the kernel says.
    pub tcp: Option<TcpInfo>,
    /// The connection's name in the server's archive.
    pub uuid: Option<String>,
}

impl Measurement {
    /// Reads a text message; `None` where it is no JSON object.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let Value::Object(map) = serde_json::from_str(text).ok()? else { return None };
        let part = |key: &str| map.get(key).and_then(Value::as_object);
        let app = part("AppInfo").and_then(|app| {
            Some(AppInfo { elapsed_us: count(app, "ElapsedTime")?, bytes: count(app, "NumBytes")? })
        });
        let tcp = part("TCPInfo").and_then(|tcp| {
            Some(TcpInfo {
                elapsed_us: count(tcp, "ElapsedTime")?,
                bytes_received: count(tcp, "BytesReceived"),
                bytes_sent: count(tcp, "BytesSent"),
                bytes_retransmitted: count(tcp, "BytesRetrans"),
                bytes_acked: count(tcp, "BytesAcked"),
                min_rtt_us: count(tcp, "MinRTT").filter(|&us| us > 0 && us < u64::from(u32::MAX)),
                rtt_us: count(tcp, "RTT").filter(|&us| us > 0),
                rtt_variation_us: count(tcp, "RTTVar"),
                busy_us: count(tcp, "BusyTime"),
                receiver_limited_us: count(tcp, "RWndLimited"),
                send_buffer_limited_us: count(tcp, "SndBufLimited"),
            })
        });
        let uuid = part("ConnectionInfo").and_then(|info| info.get("UUID")).and_then(Value::as_str);
        let uuid =
            uuid.filter(|uuid| uuid.len() <= 256 && !uuid.contains(char::is_control)).map(str::to_owned);
        Some(Self { app, tcp, uuid })
    }
}

fn count(map: &Map<String, Value>, key: &str) -> Option<u64> {
    let value = map.get(key)?;
    value.as_u64().or_else(|| value.as_f64().filter(|n| (0.0..1.8e19).contains(n)).map(|n| n as u64))
}

/// Who takes part in a test, as the server says it and archives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parties {
    /// The client's address and port.
    pub client: std::net::SocketAddr,
    /// The server's.
    pub server: std::net::SocketAddr,
    /// The test's name.
    pub uuid: String,
    /// When it began, RFC 3339.
    pub started_at: String,
}

/// A server's measurement, ready to be sent.
pub fn server_message(
    subtest: Subtest,
    parties: &Parties,
    app: AppInfo,
    tcp: &[(&'static str, u64)],
    bbr: &[(&'static str, u64)],
) -> Value {
    let timed = |fields: &[(&'static str, u64)]| {
        let mut map: Map<String, Value> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value.cast_signed()))).collect();
        map.insert(String::from("ElapsedTime"), json!(app.elapsed_us));
        map
    };
    let mut map = Map::new();
    map.insert(String::from("AppInfo"), app_info(app));
    if !bbr.is_empty() {
        map.insert(String::from("BBRInfo"), Value::Object(timed(bbr)));
    }
    map.insert(
        String::from("ConnectionInfo"),
        json!({
            "Client": parties.client.to_string(),
            "Server": parties.server.to_string(),
            "UUID": parties.uuid,
            "StartTime": parties.started_at,
        }),
    );
    map.insert(String::from("Origin"), json!("server"));
    map.insert(String::from("Test"), json!(subtest.name()));
    if !tcp.is_empty() {
        map.insert(String::from("TCPInfo"), Value::Object(timed(tcp)));
    }
    Value::Object(map)
}

/// A client's measurement, ready to be sent.
pub fn client_message(subtest: Subtest, app: AppInfo) -> Value {
    json!({ "AppInfo": app_info(app), "Origin": "client", "Test": subtest.name() })
}

fn app_info(app: AppInfo) -> Value {
    json!({ "ElapsedTime": app.elapsed_us, "NumBytes": app.bytes })
}

/// All that a server keeps of a test.
#[derive(Clone, Debug)]
pub struct Archive {
    /// Which.
    pub subtest: Subtest,
    /// The server's software.
    pub version: String,
    /// Who took part.
    pub parties: Parties,
    /// When it ended, RFC 3339.
    pub ended_at: String,
    /// What the server said.
    pub server: Vec<Value>,
    /// What the client said.
    pub client: Vec<Value>,
    /// The query of the client's request.
    pub metadata: Vec<(String, String)>,
}

impl Archive {
    /// In the form of M-Lab's public data (ndt-server, data.NDT7Result).
    pub fn document(&self) -> Value {
        let metadata: Vec<Value> =
            self.metadata.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        let part = json!({
            "StartTime": self.parties.started_at,
            "EndTime": self.ended_at,
            "UUID": self.parties.uuid,
            "ServerMeasurements": self.server,
            "ClientMeasurements": self.client,
            "ClientMetadata": metadata,
            "ServerMetadata": [],
        });
        let mut document = json!({
            "GitShortCommit": "",
            "Version": self.version,
            "ServerIP": self.parties.server.ip().to_string(),
            "ServerPort": self.parties.server.port(),
            "ClientIP": self.parties.client.ip().to_string(),
            "ClientPort": self.parties.client.port(),
            "StartTime": self.parties.started_at,
            "EndTime": self.ended_at,
        });
        if let Some(map) = document.as_object_mut() {
            let key = match self.subtest {
                Subtest::Download => "Download",
                Subtest::Upload => "Upload",
            };
            map.insert(key.to_owned(), part);
        }
        document
    }
}

/// The pairs of a query string: `None` where it is too long, or a key comes twice, has no value, or is empty.
pub fn query(text: &str) -> Option<Vec<(String, String)>> {
    if text.len() > LONGEST_QUERY {
        return None;
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        let (key, value) = (decode(key)?, decode(value)?);
        if key.is_empty() || value.is_empty() || pairs.iter().any(|(known, _)| *known == key) {
            return None;
        }
        pairs.push((key, value));
    }
    Some(pairs)
}

/// Undoes percent-encoding (RFC 3986 section 2.1, and `+` for a blank).
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                (digit(rest.next())? * 16 + digit(rest.next())?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Percent-encodes all that is not unreserved.
pub fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// What a locate service (version 2) offers for one subtest, nearest first: whole `ws` or `wss` addresses.
pub fn located(document: &[u8], secure: bool, subtest: Subtest) -> Option<Vec<String>> {
    let document: Value = serde_json::from_slice(document).ok()?;
    let key = format!("{}://{}", if secure { "wss" } else { "ws" }, subtest.path());
    let results = document.get("results")?.as_array()?;
    let address = |result: &Value| result.get("urls")?.get(&key)?.as_str().map(str::to_owned);
    Some(results.iter().filter_map(address).take(8).collect())
}

#[cfg(test)]
#[path = "ndt7_tests.rs"]
mod tests;
