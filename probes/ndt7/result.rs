//! What a subtest comes to as samples: the goodput as ndt7 defines it, and the server's smallest round trip.

use super::DESCRIPTOR;
use super::client::Ran;
use super::settings::Settings;
use super::socket::End;
use crate::codec::ndt7::{Measurement as Message, Subtest};
use crate::probe::{Context, Measurement};
use crate::throughput::meter;
use crate::tls;
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Direction, Load, Reason, Sample, Statistic, Values};
use broadgauge_model::unit::Rate;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// A test shorter than this says nothing.
const SHORTEST: Span = Span::secs(1);
/// What TLS and the handshake may add to what was written: records have at most 22 bytes beside 16 KiB or less, and small
/// messages are a small part.
const OVERHEAD: (f64, u64) = (1.05, 256 * 1024);

/// One subtest and all that it was asked with.
pub(super) struct Test<'a> {
    pub(super) subtest: Subtest,
    pub(super) server: Option<(SocketAddr, String)>,
    pub(super) tls: Option<tls::Facts>,
    pub(super) settings: &'a Settings,
    pub(super) context: &'a Context,
}

impl Test<'_> {
    /// Adds what came of it.
    pub(super) fn add(&self, asked_at: Wall, ran: &Result<Ran, String>, to: &mut Measurement) {
        let mut details = self.details();
        let ran = match ran {
            Err(why) => {
                let values = unmeasured(why.clone());
                to.samples.push(self.goodput(asked_at, Span::ZERO, values, details));
                return;
            }
            Ok(ran) => ran,
        };
        to.interrupted |= ran.end == End::Stopped;
        to.bytes_moved += ran.received.max(ran.written);
        self.describe(ran, &mut details);
        let values = match self.subtest {
            Subtest::Download => Self::download(ran, &mut details),
            Subtest::Upload => Self::upload(ran, &mut details),
        };
        to.samples.push(self.goodput(ran.started_at, ran.elapsed, values, details));
        if let Some(least) = ran.last_tcp().and_then(|tcp| tcp.min_rtt_us) {
            let values = Values::Number(least as f64 / 1e3);
            to.samples.push(Sample {
                load: self.load(),
                started_at: ran.started_at,
                lasted: ran.elapsed,
                statistic: Statistic::Min,
                ..self.context.sample(&DESCRIPTOR, MetricId::ROUND_TRIP_DELAY, values)
            });
        }
    }

    fn download(ran: &Ran, details: &mut Map<String, Value>) -> Values {
        details.insert("layer".into(), json!("WebSocket payload"));
        details.insert("counted_by".into(), json!("this end, from the handshake to the end of the test"));
        let rates: Vec<f64> = meter::rates(&ran.intervals).map(|rate| rate.0).collect();
        details.insert("intervals_bps".into(), json!(rates));
        let settled = meter::goodput(&ran.intervals, &[]);
        details.insert("rate_behind_warm_up_bps".into(), json!(settled.map(|goodput| goodput.rate.0)));
        if let End::Silent | End::Wrong(_) = ran.end {
            return unmeasured(format!("{} after {:.1} s", ran.end, ran.elapsed.as_secs_f64()));
        }
        if let Some(why) = meter::fell_silent(&ran.intervals).filter(|_| ran.end == End::TimeOver) {
            return unmeasured(why);
        }
        if ran.received == 0 {
            return unmeasured(format!("no payload arrived: {}", ran.end));
        }
        if ran.elapsed < SHORTEST {
            return unmeasured(format!(
                "the test ended after {:.1} s: {}",
                ran.elapsed.as_secs_f64(),
                ran.end
            ));
        }
        Rate::of(ran.received, ran.elapsed).map_or_else(
            || unmeasured(String::from("the test had no length")),
            |rate| Values::Number(rate.as_mbps()),
        )
    }

    fn upload(ran: &Ran, details: &mut Map<String, Value>) -> Values {
        let Some((bytes, told, layer)) = counted(&ran.server, ran.elapsed) else {
            return unmeasured(format!("the server did not say what it received ({})", ran.end));
        };
        details.insert("layer".into(), json!(layer));
        details.insert("counted_by".into(), json!("the server, from the handshake to its last measurement"));
        details.insert("counted_bytes".into(), json!(bytes));
        details.insert("counted_ms".into(), json!(told.as_millis_f64()));
        let (share, more) = OVERHEAD;
        if bytes as f64 > ran.written as f64 * share + more as f64 {
            return unmeasured(String::from("the server's count does not add up: more than was sent"));
        }
        if told < SHORTEST || told.0 * 2 < ran.elapsed.0 {
            let (told, all) = (told.as_secs_f64(), ran.elapsed.as_secs_f64());
            return unmeasured(format!("the server told of {told:.1} s of {all:.1} s ({})", ran.end));
        }
        match Rate::of(bytes, told) {
            Some(rate) if bytes > 0 => Values::Number(rate.as_mbps()),
            _ => unmeasured(String::from("the server received nothing")),
        }
    }

    fn describe(&self, ran: &Ran, details: &mut Map<String, Value>) {
        let last = ran.last_tcp();
        let ratio = last.and_then(|tcp| {
            let sent = tcp.bytes_sent.filter(|&sent| sent > 0)?;
            Some((tcp.bytes_retransmitted? as f64 / sent as f64).min(1.0))
        });
        // Only a sender knows what it sent again.
        let (server_ratio, own) = match self.subtest {
            Subtest::Download => (ratio, None),
            Subtest::Upload => (None, ran.tcp),
        };
        let own_ratio = own.and_then(|tcp| {
            let sent = tcp.sent_bytes.filter(|&sent| sent > 0)?;
            Some(tcp.retransmitted_bytes? as f64 / sent as f64)
        });
        let uuid = ran.server.iter().find_map(|measurement| measurement.uuid.clone());
        let ms = |us: Option<u64>| us.map(|us| us as f64 / 1e3);
        let more = [
            ("ended", json!(format!("{} after {:.1} s", ran.end, ran.elapsed.as_secs_f64()))),
            ("interrupted", json!(ran.end == End::Stopped)),
            ("server_uuid", json!(uuid)),
            ("server_messages", json!(ran.server.len())),
            ("binary_messages", json!(ran.messages)),
            ("retransmitted_ratio", json!(server_ratio.or(own_ratio))),
            ("server_min_rtt_ms", json!(ms(last.and_then(|tcp| tcp.min_rtt_us)))),
            ("server_rtt_ms", json!(ms(last.and_then(|tcp| tcp.rtt_us)))),
            ("server_rtt_variation_ms", json!(ms(last.and_then(|tcp| tcp.rtt_variation_us)))),
            ("server_busy_ms", json!(ms(last.and_then(|tcp| tcp.busy_us)))),
            ("server_limited_by_receiver_ms", json!(ms(last.and_then(|tcp| tcp.receiver_limited_us)))),
            ("server_limited_by_send_buffer_ms", json!(ms(last.and_then(|tcp| tcp.send_buffer_limited_us)))),
            ("tcp_info", json!(ran.tcp)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        details.insert("peer".into(), json!(self.server.as_ref().map(|(address, _)| address.to_string())));
        details.insert("server".into(), json!(self.server.as_ref().map(|(_, name)| name)));
        details.insert("streams".into(), json!(1));
        details.insert("tls".into(), json!(self.settings.tls));
        details.insert("certificate".into(), json!(self.tls.as_ref().map(tls::Facts::belief)));
        crate::packets::binding(self.context, &mut details);
        details
    }

    const fn load(&self) -> Load {
        match self.subtest {
            Subtest::Download => Load::Down,
            Subtest::Upload => Load::Up,
        }
    }

    fn goodput(&self, started_at: Wall, lasted: Span, values: Values, details: Map<String, Value>) -> Sample {
        let (metric, direction) = match self.subtest {
            Subtest::Download => (MetricId::DOWNLOAD_GOODPUT, Direction::Down),
            Subtest::Upload => (MetricId::UPLOAD_GOODPUT, Direction::Up),
        };
        // The line is idle but for the load, which is the observation itself.
        let sample = self.context.sample(&DESCRIPTOR, metric, values);
        Sample { direction, started_at, lasted, statistic: Statistic::Mean, details, ..sample }
    }
}

/// What a server counted of an upload: bytes, in which time, and at which layer. Of its messages, the last one within the
/// time in which we sent: what arrives later is what buffers held. The kernel's count where any message has one.
fn counted(messages: &[Message], sent_for: Span) -> Option<(u64, Span, &'static str)> {
    let span = |us: u64| Span::micros(i64::try_from(us).unwrap_or(i64::MAX / 1_000));
    // The clocks of both ends begin a handshake apart.
    let latest = sent_for + Span::millis(250);
    let pick = |all: Vec<(u64, u64)>| {
        let in_time = all.iter().rev().find(|(_, us)| span(*us) <= latest);
        in_time.or(all.first()).copied()
    };
    let tcp =
        messages.iter().filter_map(|m| m.tcp.and_then(|tcp| Some((tcp.bytes_received?, tcp.elapsed_us))));
    if let Some((bytes, us)) = pick(tcp.collect()) {
        return Some((bytes, span(us), "TCP payload, WebSocket and TLS framing included"));
    }
    let app = messages.iter().filter_map(|m| m.app.map(|app| (app.bytes, app.elapsed_us)));
    pick(app.collect()).map(|(bytes, us)| (bytes, span(us), "WebSocket payload"))
}

fn unmeasured(reason: String) -> Values {
    Values::Unmeasured(Reason(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::ndt7::{AppInfo, TcpInfo};

    fn message(elapsed_ms: u64, tcp: Option<u64>, app: Option<u64>) -> Message {
        let elapsed_us = elapsed_ms * 1_000;
        Message {
            tcp: tcp.map(|bytes| TcpInfo { elapsed_us, bytes_received: Some(bytes), ..TcpInfo::default() }),
            app: app.map(|bytes| AppInfo { elapsed_us, bytes }),
            uuid: None,
        }
    }

    #[test]
    fn the_kernels_count_comes_before_the_applications() {
        let messages = [message(5_000, Some(50), Some(40)), message(9_900, None, Some(99))];
        let (bytes, told, layer) = counted(&messages, Span::secs(10)).unwrap();
        assert_eq!((bytes, told), (50, Span::secs(5)));
        assert!(layer.starts_with("TCP"));
        let (bytes, _, layer) = counted(&messages[1..], Span::secs(10)).unwrap();
        assert_eq!((bytes, layer), (99, "WebSocket payload"));
        assert_eq!(counted(&[], Span::secs(10)), None);
    }

    #[test]
    fn what_arrived_after_we_stopped_is_left_out() {
        let messages: Vec<Message> =
            (1..=13).map(|s| message(s * 1_000, Some(s.min(11) * 100), None)).collect();
        assert_eq!(counted(&messages, Span::secs(10)).map(|c| c.0), Some(1_000));
        assert_eq!(counted(&messages[11..], Span::secs(10)).map(|c| c.0), Some(1_100), "there is no other");
    }
}
