//! What we want to know about a line. One row of [`METRICS`] is the whole truth of a metric.

use crate::text::Phrase;
use crate::unit::Unit;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which way is better for the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is better: rates, scores.
    Higher,
    /// Less is better: delays, losses.
    Lower,
}

impl Better {
    /// +1 where higher is better, -1 where lower is.
    pub const fn sign(self) -> f64 {
        match self {
            Self::Higher => 1.0,
            Self::Lower => -1.0,
        }
    }
}

/// How far apart two operators may be and still count as at par: the larger of the two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    /// In the metric's own unit.
    pub absolute: f64,
    /// As a share of the smaller of the two values, so that it is the same whichever side is the own one.
    pub relative: f64,
}

/// A metric: what is observed, in which unit, after which definition.
#[derive(Debug)]
pub struct Metric {
    /// The name in every table, file and API.
    pub id: &'static str,
    /// The unit that values are published in.
    pub unit: Unit,
    /// Which way is better.
    pub better: Better,
    /// The standard that defines it.
    pub defined_in: &'static str,
    /// The value of one histogram count, in `unit`: 0.001 ms is a microsecond.
    pub tick: f64,
    /// The default equivalence margin.
    pub margin: Margin,
    /// The name for readers.
    pub label: Phrase,
}

const fn delay(id: &'static str, defined_in: &'static str, label: Phrase) -> Metric {
    Metric {
        id,
        unit: Unit::Milliseconds,
        better: Better::Lower,
        defined_in,
        tick: 1e-3,
        margin: Margin { absolute: 5.0, relative: 0.10 },
        label,
    }
}

const fn rate(id: &'static str, defined_in: &'static str, label: Phrase) -> Metric {
    Metric {
        id,
        unit: Unit::MegabitsPerSecond,
        better: Better::Higher,
        defined_in,
        tick: 1e-3,
        margin: Margin { absolute: 0.0, relative: 0.05 },
        label,
    }
}

const fn score(
    id: &'static str,
    unit: Unit,
    better: Better,
    margin: f64,
    defined_in: &'static str,
    label: Phrase,
) -> Metric {
    Metric {
        id,
        unit,
        better,
        defined_in,
        tick: 1e-3,
        margin: Margin { absolute: margin, relative: 0.0 },
        label,
    }
}

/// Every metric the project knows.
pub static METRICS: &[Metric] = &[
    delay("round_trip_delay", "RFC 2681", Phrase { en: "Round-trip delay", zh: "往返时延" }),
    delay("one_way_delay", "RFC 7679", Phrase { en: "One-way delay", zh: "单向时延" }),
    delay(
        "delay_variation",
        "RFC 5481 section 4.2 (PDV)",
        Phrase { en: "Delay variation (PDV)", zh: "时延变化（PDV）" },
    ),
    delay(
        "interpacket_delay_variation",
        "RFC 5481 section 4.1 (absolute IPDV)",
        Phrase { en: "Inter-packet delay variation", zh: "相邻包时延变化" },
    ),
    Metric {
        id: "loss_ratio",
        unit: Unit::Ratio,
        better: Better::Lower,
        defined_in: "RFC 7680, RFC 6673",
        tick: 1e-6,
        margin: Margin { absolute: 0.001, relative: 0.0 },
        label: Phrase { en: "Packet loss", zh: "丢包率" },
    },
    delay(
        "hop_round_trip_delay",
        "RFC 2681, to the router whose number and address stand beside it",
        Phrase { en: "Round-trip delay to a hop", zh: "逐跳往返时延" },
    ),
    rate(
        "download_goodput",
        "RFC 6349 (receiver-counted TCP payload)",
        Phrase { en: "Download goodput", zh: "下行有效吞吐" },
    ),
    rate(
        "upload_goodput",
        "RFC 6349 (receiver-counted TCP payload)",
        Phrase { en: "Upload goodput", zh: "上行有效吞吐" },
    ),
    rate(
        "download_capacity",
        "RFC 9097 (IP-layer bytes by the second, headers counted)",
        Phrase { en: "Download capacity at the IP layer", zh: "下行 IP 层容量" },
    ),
    rate(
        "upload_capacity",
        "RFC 9097 (IP-layer bytes by the second, headers counted)",
        Phrase { en: "Upload capacity at the IP layer", zh: "上行 IP 层容量" },
    ),
    delay(
        "loaded_round_trip_delay",
        "RFC 2681, sampled while the line is loaded",
        Phrase { en: "Round-trip delay under load", zh: "负载下的往返时延" },
    ),
    score(
        "responsiveness",
        Unit::RoundTripsPerMinute,
        Better::Higher,
        100.0,
        "draft-ietf-ippm-responsiveness-09",
        Phrase { en: "Responsiveness", zh: "响应度" },
    ),
    delay(
        "dns_time",
        "query to answer at the stub (RFC 1035 exchange)",
        Phrase { en: "DNS resolution time", zh: "域名解析时间" },
    ),
    delay(
        "connect_time",
        "SYN to established (RFC 9293 handshake)",
        Phrase { en: "TCP connect time", zh: "TCP 建连时间" },
    ),
    delay(
        "tls_time",
        "ClientHello to Finished (RFC 8446)",
        Phrase { en: "TLS handshake time", zh: "TLS 握手时间" },
    ),
    delay(
        "first_byte_time",
        "request sent to first body byte (RFC 9110)",
        Phrase { en: "Time to first byte", zh: "首字节时间" },
    ),
    delay(
        "resolve_time",
        "call of the system's resolver, its cache included (POSIX getaddrinfo)",
        Phrase { en: "Name resolution time", zh: "系统域名解析时间" },
    ),
    delay(
        "transfer_time",
        "first to last body byte (RFC 9110)",
        Phrase { en: "Transfer time", zh: "内容传输时间" },
    ),
    delay("page_time", "ETSI EG 202 057-4", Phrase { en: "Web page time", zh: "网页打开时间" }),
    score(
        "voice_mos",
        Unit::OpinionScore,
        Better::Higher,
        0.1,
        "ITU-T G.107",
        Phrase { en: "Voice quality (MOS)", zh: "语音质量（MOS）" },
    ),
    score(
        "quality_of_outcome",
        Unit::Score,
        Better::Higher,
        5.0,
        "draft-ietf-ippm-qoo",
        Phrase { en: "Quality of outcome", zh: "业务体验质量（QoO）" },
    ),
    score(
        "disconnections",
        Unit::Count,
        Better::Lower,
        0.1,
        "breaks of service per day",
        Phrase { en: "Disconnections a day", zh: "每日断线次数" },
    ),
];

/// A row of [`METRICS`], written as its id.
#[derive(Clone, Copy)]
pub struct MetricId(u16);

impl MetricId {
    /// Looks a metric up by its id.
    pub fn find(id: &str) -> Option<Self> {
        METRICS.iter().position(|m| m.id == id).map(|i| Self(i as u16))
    }

    /// The row.
    pub fn row(self) -> &'static Metric {
        &METRICS[usize::from(self.0)]
    }

    /// The id as text.
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// Every metric.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..METRICS.len()).map(|i| Self(i as u16))
    }
}

impl std::ops::Deref for MetricId {
    type Target = Metric;
    fn deref(&self) -> &Metric {
        self.row()
    }
}

impl PartialEq for MetricId {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for MetricId {}
impl PartialOrd for MetricId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for MetricId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl std::hash::Hash for MetricId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl std::fmt::Debug for MetricId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}
impl std::fmt::Display for MetricId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}
impl std::str::FromStr for MetricId {
    type Err = String;
    fn from_str(id: &str) -> Result<Self, String> {
        Self::find(id).ok_or_else(|| {
            format!(
                "{id:?} is not a metric; known are {}",
                METRICS.iter().map(|m| m.id).collect::<Vec<_>>().join(", ")
            )
        })
    }
}
impl Serialize for MetricId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
impl<'de> Deserialize<'de> for MetricId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(IdVisitor)
    }
}

/// Reads an id without copying it.
struct IdVisitor;

impl serde::de::Visitor<'_> for IdVisitor {
    type Value = MetricId;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the id of a metric")
    }

    fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<MetricId, E> {
        id.parse().map_err(E::custom)
    }
}

macro_rules! shorthand {
    ($($name:ident = $id:literal),* $(,)?) => {
        impl MetricId {
            $(#[doc = concat!("`", $id, "`.")]
            pub const $name: Self = Self(position($id));)*
        }
    };
}

const fn position(id: &str) -> u16 {
    let mut i = 0;
    while i < METRICS.len() {
        if equal(METRICS[i].id.as_bytes(), id.as_bytes()) {
            return i as u16;
        }
        i += 1;
    }
    panic!("no such metric")
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

shorthand! {
    ROUND_TRIP_DELAY = "round_trip_delay",
    ONE_WAY_DELAY = "one_way_delay",
    DELAY_VARIATION = "delay_variation",
    INTERPACKET_DELAY_VARIATION = "interpacket_delay_variation",
    LOSS_RATIO = "loss_ratio",
    HOP_ROUND_TRIP_DELAY = "hop_round_trip_delay",
    DOWNLOAD_GOODPUT = "download_goodput",
    UPLOAD_GOODPUT = "upload_goodput",
    LOADED_ROUND_TRIP_DELAY = "loaded_round_trip_delay",
    CONNECT_TIME = "connect_time",
    RESOLVE_TIME = "resolve_time",
    TLS_TIME = "tls_time",
    FIRST_BYTE_TIME = "first_byte_time",
    TRANSFER_TIME = "transfer_time",
    PAGE_TIME = "page_time",
    RESPONSIVENESS = "responsiveness",
    DNS_TIME = "dns_time",
    DOWNLOAD_CAPACITY = "download_capacity",
    UPLOAD_CAPACITY = "upload_capacity",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_unique_and_found() {
        for metric in MetricId::all() {
            assert_eq!(metric.id().parse(), Ok(metric));
        }
        assert_eq!(MetricId::LOSS_RATIO.id(), "loss_ratio");
        let unknown = "ping".parse::<MetricId>().unwrap_err();
        assert!(unknown.contains("round_trip_delay"), "the error names the metrics: {unknown}");
    }
}
