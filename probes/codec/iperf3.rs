//! What iperf3 puts on the wire: one-byte states, a cookie, two JSON documents and a header in UDP payload.
//!
//! Read from the sources of iperf3 3.12 to 3.21 (`iperf_api.c`, `iperf_udp.c`); there is no specification. Numbers in its
//! JSON are whatever a C program prints for a double, so a count may come as `1e+10`, and "not known" as -1, which
//! older versions print as 18446744073709551615. Unknown keys are passed over: every version adds some.

use serde_json::{Map, Value, json};

/// Where a server listens.
pub const PORT: u16 = 5201;
/// The most parameters that a server reads.
pub const LONGEST_PARAMETERS: usize = 8 * 1024;
/// The most results that are read: 256 streams, and a server's own output beside them.
pub const LONGEST_RESULTS: usize = 512 * 1024;
/// The most streams that iperf3 allows.
pub const MOST_STREAMS: u64 = 128;
/// What a client sends on a new UDP stream.
pub const UDP_HELLO: [u8; 4] = *b"9876";
/// What a server answers.
pub const UDP_WELCOME: [u8; 4] = *b"6789";
/// What servers before 3.13 answer.
pub const UDP_WELCOME_OLD: [u8; 4] = [0xb1, 0x68, 0xde, 0x3a];

/// Names a test: 36 characters and a zero, sent first on each of its TCP connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cookie(pub [u8; 37]);

impl Cookie {
    /// From random bytes.
    pub fn from_random(bytes: [u8; 36]) -> Self {
        const ALPHABET: [u8; 32] = *b"abcdefghijklmnopqrstuvwxyz234567";
        let mut cookie = [0; 37];
        for (letter, byte) in cookie.iter_mut().zip(bytes) {
            *letter = ALPHABET[usize::from(byte % 32)];
        }
        Self(cookie)
    }
}

/// Where a test stands: one signed byte on the control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum State {
    /// Streams are set up.
    TestStart = 1,
    /// Payload flows.
    TestRunning = 2,
    /// The client has stopped.
    TestEnd = 4,
    /// The server wants parameters.
    ParamExchange = 9,
    /// The server wants streams.
    CreateStreams = 10,
    /// The server was told to stop.
    ServerTerminate = 11,
    /// The client was told to stop.
    ClientTerminate = 12,
    /// Both send their results, the client first.
    ExchangeResults = 13,
    /// Both have the other's results.
    DisplayResults = 14,
    /// Nothing has happened yet.
    IperfStart = 15,
    /// It is over.
    IperfDone = 16,
    /// The server serves somebody else.
    AccessDenied = -1,
    /// Two numbers follow.
    ServerError = -2,
}

impl State {
    /// From its byte.
    pub const fn read(byte: u8) -> Option<Self> {
        Some(match byte.cast_signed() {
            1 => Self::TestStart,
            2 => Self::TestRunning,
            4 => Self::TestEnd,
            9 => Self::ParamExchange,
            10 => Self::CreateStreams,
            11 => Self::ServerTerminate,
            12 => Self::ClientTerminate,
            13 => Self::ExchangeResults,
            14 => Self::DisplayResults,
            15 => Self::IperfStart,
            16 => Self::IperfDone,
            -1 => Self::AccessDenied,
            -2 => Self::ServerError,
            _ => return None,
        })
    }

    /// As its byte.
    pub const fn write(self) -> u8 {
        (self as i8).cast_unsigned()
    }
}

/// What a server's error number says (`iperf_api.h`), as far as a client can be at fault or helped.
pub const fn error_words(code: i32) -> &'static str {
    match code {
        5 | 37 => "the test is longer than the server allows",
        6 => "more parallel streams than the server allows",
        7 => "the block length is not allowed there",
        27 => "the rate is higher than the server allows",
        114 => "it could not read the parameters",
        117 => "it could not read the results",
        119 => "it was told that the client stopped",
        123 => "it cannot set the segment size",
        124 | 141 => "it cannot set the socket buffer",
        131 => "it does not know the protocol",
        134 => "it cannot use the congestion control",
        142 => "it wants a user and a password",
        160 => "its time for a test was over",
        200..=208 => "a data stream failed",
        _ => "see iperf_api.h for the number",
    }
}

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Not a JSON object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// A value that cannot be.
    #[error("has a {0} that cannot be")]
    Value(&'static str),
    /// A document longer than allowed.
    #[error("is longer than {0} bytes")]
    TooLong(usize),
}

/// The length of a document, from the four bytes before it.
pub const fn document_length(prefix: [u8; 4], longest: usize) -> Result<usize, Wrong> {
    let length = u32::from_be_bytes(prefix) as usize;
    if length > longest { Err(Wrong::TooLong(longest)) } else { Ok(length) }
}

/// A document with its length before it.
pub fn framed(document: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + document.len());
    out.extend_from_slice(&(document.len() as u32).to_be_bytes());
    out.extend_from_slice(document);
    out
}

/// What carries the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP, which is not served here.
    Sctp,
}

/// What a client asks for. Zero or `false` is "not asked for".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "these are the protocol's own flags")]
pub struct Parameters {
    /// TCP, UDP or SCTP.
    pub transport: Transport,
    /// Seconds at the start that do not count.
    pub omit_s: u64,
    /// Seconds that count; 0 where bytes or blocks end the test.
    pub time_s: u64,
    /// Bytes after which the sender ends the test.
    pub bytes: u64,
    /// Blocks after which the sender ends the test.
    pub blocks: u64,
    /// Largest TCP segment.
    pub segment_bytes: u64,
    /// Whether small segments are sent at once.
    pub no_delay: bool,
    /// Streams in each direction.
    pub streams: u64,
    /// The server sends.
    pub reverse: bool,
    /// Both send.
    pub bidirectional: bool,
    /// The socket buffers.
    pub window_bytes: u64,
    /// The length of a block, which is a UDP payload.
    pub block_bytes: u64,
    /// The rate of each stream; unlimited where 0.
    pub bandwidth_bps: u64,
    /// The octet of DSCP and ECN.
    pub tos: u64,
    /// The congestion control.
    pub congestion: Option<String>,
    /// Whether the server's own output is wanted.
    pub server_output: bool,
    /// Whether sequence numbers have 64 bits.
    pub wide_counters: bool,
    /// Whether packets must not be fragmented.
    pub dont_fragment: bool,
    /// Whether a user and a password came along.
    pub credentials: bool,
    /// The client's version.
    pub client_version: Option<String>,
}

impl Parameters {
    /// Reads a client's document.
    pub fn read(document: &[u8]) -> Result<Self, Wrong> {
        let map = object(document)?;
        let transport = match (flag(&map, "tcp"), flag(&map, "udp"), flag(&map, "sctp")) {
            (_, true, false) => Transport::Udp,
            (false, false, true) => Transport::Sctp,
            (_, false, false) => Transport::Tcp,
            _ => return Err(Wrong::Value("protocol")),
        };
        let number = |key: &'static str| count(&map, key).map(Option::unwrap_or_default);
        let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            transport,
            omit_s: number("omit")?,
            time_s: number("time")?,
            bytes: number("num")?,
            blocks: number("blockcount")?,
            segment_bytes: number("MSS")?,
            no_delay: flag(&map, "nodelay"),
            streams: count(&map, "parallel")?.unwrap_or(1),
            reverse: flag(&map, "reverse"),
            bidirectional: flag(&map, "bidirectional"),
            window_bytes: number("window")?,
            block_bytes: number("len")?,
            bandwidth_bps: number("bandwidth")?,
            tos: number("TOS")?,
            congestion: text("congestion"),
            server_output: flag(&map, "get_server_output"),
            wide_counters: flag(&map, "udp_counters_64bit"),
            dont_fragment: flag(&map, "dont_fragment"),
            credentials: map.contains_key("authtoken"),
            client_version: text("client_version"),
        })
    }

    /// Writes the document as iperf3 does: what is not asked for is left out.
    pub fn write(&self) -> Vec<u8> {
        let mut map = Map::new();
        let protocol = match self.transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Sctp => "sctp",
        };
        map.insert(protocol.to_owned(), json!(true));
        let always = [
            ("omit", self.omit_s),
            ("time", self.time_s),
            ("num", self.bytes),
            ("blockcount", self.blocks),
            ("parallel", self.streams),
        ];
        for (key, value) in always {
            map.insert(key.to_owned(), json!(value));
        }
        let numbers = [
            ("MSS", self.segment_bytes),
            ("window", self.window_bytes),
            ("len", self.block_bytes),
            ("bandwidth", self.bandwidth_bps),
            ("TOS", self.tos),
        ];
        for (key, value) in numbers.into_iter().filter(|(_, value)| *value > 0) {
            map.insert(key.to_owned(), json!(value));
        }
        let flags = [
            ("nodelay", self.no_delay),
            ("reverse", self.reverse),
            ("bidirectional", self.bidirectional),
            ("dont_fragment", self.dont_fragment),
        ];
        for (key, _) in flags.into_iter().filter(|(_, set)| *set) {
            map.insert(key.to_owned(), json!(true));
        }
        // These two are numbers in iperf3's own documents.
        for (key, _) in
            [("get_server_output", self.server_output), ("udp_counters_64bit", self.wide_counters)]
                .into_iter()
                .filter(|(_, set)| *set)
        {
            map.insert(key.to_owned(), json!(1));
        }
        map.insert(String::from("pacing_timer"), json!(1_000));
        for (key, text) in [("congestion", &self.congestion), ("client_version", &self.client_version)] {
            if let Some(text) = text {
                map.insert(key.to_owned(), json!(text));
            }
        }
        Value::Object(map).to_string().into_bytes()
    }
}

/// What one end counted on one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StreamResult {
    /// 1, 3, 4, 5…: 2 is never used.
    pub id: u64,
    /// Payload sent or received, without what was omitted.
    pub bytes: u64,
    /// Segments sent again; only a TCP sender knows.
    pub retransmits: Option<u64>,
    /// RTP jitter (RFC 3550 section 6.4.1); only a UDP receiver knows.
    pub jitter_s: f64,
    /// Packets missing from the sequence.
    pub errors: u64,
    /// The highest sequence number.
    pub packets: u64,
    /// Of `errors`, those in the omitted part, where the version tells.
    pub omitted_errors: Option<u64>,
    /// Of `packets`, those in the omitted part, where the version tells.
    pub omitted_packets: Option<u64>,
    /// When counting began.
    pub start_s: f64,
    /// When it ended.
    pub end_s: f64,
}

/// What one end has to say after a test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// Share of a core, in percent.
    pub cpu_percent: f64,
    /// Whether the sender counts retransmissions; `None` from a receiver.
    pub has_retransmits: Option<bool>,
    /// The congestion control of its end.
    pub congestion: Option<String>,
    /// Its streams.
    pub streams: Vec<StreamResult>,
}

impl Results {
    /// Reads the other end's document.
    pub fn read(document: &[u8]) -> Result<Self, Wrong> {
        let map = object(document)?;
        let streams = map.get("streams").and_then(Value::as_array).ok_or(Wrong::Value("list of streams"))?;
        if streams.len() as u64 > 2 * MOST_STREAMS {
            return Err(Wrong::Value("number of streams"));
        }
        let has = number(&map, "sender_has_retransmits");
        Ok(Self {
            cpu_percent: number(&map, "cpu_util_total").unwrap_or(0.0),
            has_retransmits: has.filter(|&has| has >= 0.0).map(|has| has > 0.0),
            congestion: map.get("congestion_used").and_then(Value::as_str).map(str::to_owned),
            streams: streams.iter().map(Self::stream).collect::<Result<_, _>>()?,
        })
    }

    fn stream(value: &Value) -> Result<StreamResult, Wrong> {
        let map = value.as_object().ok_or(Wrong::Value("stream"))?;
        let must = |key: &'static str| count(map, key)?.ok_or(Wrong::Value(key));
        let seconds = |key: &'static str| {
            let value = number(map, key).unwrap_or(0.0);
            if value >= 0.0 { Ok(value) } else { Err(Wrong::Value(key)) }
        };
        // -1 in any of the forms that iperf3 prints it in.
        let retransmits = number(map, "retransmits").filter(|&n| (0.0..1e18).contains(&n));
        Ok(StreamResult {
            id: must("id")?,
            bytes: must("bytes")?,
            retransmits: retransmits.map(|n| n as u64),
            jitter_s: seconds("jitter")?,
            // A receiver that saw a packet twice may count below zero.
            errors: number(map, "errors").map_or(0.0, |n| n.max(0.0)) as u64,
            packets: count(map, "packets")?.unwrap_or(0),
            omitted_errors: count(map, "omitted_errors")?,
            omitted_packets: count(map, "omitted_packets")?,
            start_s: seconds("start_time")?,
            end_s: seconds("end_time")?,
        })
    }

    /// Writes the document.
    pub fn write(&self) -> Vec<u8> {
        let stream = |s: &StreamResult| {
            let retransmits = s.retransmits.map_or_else(|| json!(-1), |n| json!(n));
            let mut map = json!({
                "id": s.id, "bytes": s.bytes, "retransmits": retransmits, "jitter": s.jitter_s,
                "errors": s.errors, "packets": s.packets,
            });
            if let Some(map) = map.as_object_mut() {
                for (key, omitted) in
                    [("omitted_errors", s.omitted_errors), ("omitted_packets", s.omitted_packets)]
                {
                    if let Some(n) = omitted {
                        map.insert(key.to_owned(), json!(n));
                    }
                }
                map.insert(String::from("start_time"), json!(s.start_s));
                map.insert(String::from("end_time"), json!(s.end_s));
            }
            map
        };
        let mut document = json!({
            "cpu_util_total": self.cpu_percent,
            "cpu_util_user": 0,
            "cpu_util_system": self.cpu_percent,
            "sender_has_retransmits": self.has_retransmits.map_or(-1, i32::from),
        });
        if let Some(map) = document.as_object_mut() {
            if let Some(name) = &self.congestion {
                map.insert(String::from("congestion_used"), json!(name));
            }
            map.insert(String::from("streams"), self.streams.iter().map(stream).collect());
        }
        document.to_string().into_bytes()
    }
}

/// The id of the stream at this place: 1, 3, 4, 5…
pub const fn stream_id(place: usize) -> u64 {
    if place == 0 { 1 } else { place as u64 + 2 }
}

/// The head of a UDP payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UdpHeader {
    /// The sender's own elapsed time: seconds.
    pub seconds: u32,
    /// And microseconds.
    pub micros: u32,
    /// From 1 on.
    pub sequence: u64,
}

impl UdpHeader {
    /// How long it is.
    pub const fn length(wide: bool) -> usize {
        if wide { 16 } else { 12 }
    }

    /// Reads a payload; `None` where it is too short.
    pub fn read(payload: &[u8], wide: bool) -> Option<Self> {
        let word = |at: usize| payload.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
        let sequence =
            if wide { payload.get(8..16)?.try_into().ok().map(u64::from_be_bytes)? } else { word(8)?.into() };
        Some(Self { seconds: word(0)?, micros: word(4)?, sequence })
    }

    /// Writes it over the start of a payload that has room for it.
    pub fn write(self, payload: &mut [u8], wide: bool) {
        let mut head = [0; 16];
        head[..4].copy_from_slice(&self.seconds.to_be_bytes());
        head[4..8].copy_from_slice(&self.micros.to_be_bytes());
        if wide {
            head[8..].copy_from_slice(&self.sequence.to_be_bytes());
        } else {
            head[8..12].copy_from_slice(&(self.sequence as u32).to_be_bytes());
        }
        let length = Self::length(wide).min(payload.len());
        payload[..length].copy_from_slice(&head[..length]);
    }

    /// The sender's time in nanoseconds.
    pub const fn sent_ns(self) -> i64 {
        self.seconds as i64 * 1_000_000_000 + self.micros as i64 * 1_000
    }
}

fn object(document: &[u8]) -> Result<Map<String, Value>, Wrong> {
    // A C program may send the zero behind its text.
    let text = document.strip_suffix(&[0]).unwrap_or(document);
    serde_json::from_slice(text).map_err(|_| Wrong::NotAnObject)
}

fn flag(map: &Map<String, Value>, key: &str) -> bool {
    map.get(key)
        .is_some_and(|value| value.as_bool().unwrap_or_else(|| value.as_f64().is_some_and(|n| n != 0.0)))
}

fn number(map: &Map<String, Value>, key: &str) -> Option<f64> {
    map.get(key).and_then(Value::as_f64)
}

/// A whole number that is not negative.
fn count(map: &Map<String, Value>, key: &'static str) -> Result<Option<u64>, Wrong> {
    let Some(value) = map.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
    if let Some(whole) = value.as_u64() {
        return Ok(Some(whole));
    }
    match value.as_f64() {
        Some(n) if (0.0..=1.8e19).contains(&n) => Ok(Some(n as u64)),
        _ => Err(Wrong::Value(key)),
    }
}

#[cfg(test)]
#[path = "iperf3_tests.rs"]
mod tests;
