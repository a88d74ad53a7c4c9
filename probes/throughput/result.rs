//! What a load comes to as a sample: the goodput, and beside it all that explains it.

use super::client::{Loaded, Turn};
use super::pump::Stream;
use super::words::Way;
use super::{DESCRIPTOR, Settings, meter};
use crate::probe::{Context, Measurement};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{self, Counts, Load, Reason, Sample, Statistic, Values};
use serde_json::{Map, Value, json};

/// One direction of one test.
pub(super) struct Direction<'a> {
    pub(super) way: Way,
    pub(super) turn: &'a Turn,
    pub(super) settings: &'a Settings,
    pub(super) context: &'a Context,
}

impl Direction<'_> {
    /// Adds what came of it to a measurement.
    pub(super) fn add(self, asked_at: Wall, loaded: Result<Loaded, Reason>, to: &mut Measurement) {
        let mut details = self.details();
        let (started_at, lasted, values) = match loaded {
            Err(reason) => (asked_at, Span::ZERO, Values::Unmeasured(reason)),
            Ok(loaded) => {
                to.interrupted |= loaded.interrupted;
                to.bytes_moved += bytes_of(&loaded.receiver);
                let lasted = Span(meter::INTERVAL.0 * loaded.intervals.len() as i64);
                (loaded.started_at, lasted, self.values(&loaded, &mut details))
            }
        };
        let (metric, direction) = match self.way {
            Way::Down => (MetricId::DOWNLOAD_GOODPUT, result::Direction::Down),
            Way::Up => (MetricId::UPLOAD_GOODPUT, result::Direction::Up),
        };
        to.samples.push(Sample {
            metric,
            method: DESCRIPTOR.name.to_owned(),
            method_version: DESCRIPTOR.version,
            line_id: self.context.line_id.clone(),
            target: Some(self.context.target.clone()),
            // The load is the observation itself.
            load: Load::Idle,
            direction,
            started_at,
            lasted,
            statistic: Statistic::Mean,
            values,
            counts: Counts::default(),
            details,
        });
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        details.insert("peer".into(), json!(self.turn.address.to_string()));
        details.insert("peer_software".into(), json!(self.turn.software));
        details.insert("peer_stamp_port".into(), json!(self.turn.stamp_port));
        details.insert("streams".into(), json!(self.settings.streams));
        details.insert("layer".into(), json!("TCP payload, counted by the receiver in intervals of 100 ms"));
        details.insert("received_without_copy".into(), json!(true));
        details.insert("binding".into(), json!(self.context.binding));
        details
    }

    fn values(&self, loaded: &Loaded, details: &mut Map<String, Value>) -> Values {
        let rates: Vec<f64> = meter::rates(&loaded.intervals).map(|rate| rate.0).collect();
        let cut = loaded.receiver.iter().filter(|stream| stream.cut).count();
        details.insert("intervals_bps".into(), json!(rates));
        details.insert("interrupted".into(), json!(loaded.interrupted));
        details.insert("streams_cut".into(), json!(cut));
        details.insert("stream_bytes".into(), json!(spread(&loaded.receiver)));
        details.insert("sender".into(), end(loaded.sender.as_deref(), loaded.sender_congestion.as_deref()));
        details.insert("receiver".into(), end(Some(&loaded.receiver), loaded.receiver_congestion.as_deref()));
        let planned = (self.settings.duration_ms / 100) as usize;
        let seconds = loaded.intervals.len() as f64 / 10.0;
        if cut > 0 && !loaded.interrupted {
            return unmeasured(format!("{cut} of {} streams ended before their time", self.settings.streams));
        }
        if loaded.intervals.len() < planned && !loaded.interrupted {
            return unmeasured(format!("the test ended after {seconds} s of {}", planned as f64 / 10.0));
        }
        let Some(goodput) = meter::goodput(&loaded.intervals) else {
            return unmeasured(if loaded.intervals.len() < meter::FEWEST {
                format!("{seconds} s are too short to tell a rate from its warm-up")
            } else {
                format!("no payload arrived in {seconds} s")
            });
        };
        details.insert("warm_up_ms".into(), json!(goodput.warm_up.as_millis_f64()));
        details.insert("window_ms".into(), json!(goodput.window.as_millis_f64()));
        details.insert("window_bytes".into(), json!(goodput.bytes));
        details.insert("rate_with_warm_up_bps".into(), json!(goodput.rate_with_warm_up.0));
        Values::Number(goodput.rate.as_mbps())
    }
}

fn unmeasured(reason: String) -> Values {
    Values::Unmeasured(Reason(reason))
}

fn bytes_of(streams: &[Stream]) -> u64 {
    streams.iter().map(|stream| stream.bytes).fold(0, u64::saturating_add)
}

/// How evenly the streams shared the line: Jain's index is 1 where all got the same, 1/n where one got all (Jain,
/// Chiu and Hawe, DEC-TR-301, 1984).
fn spread(streams: &[Stream]) -> Value {
    let bytes: Vec<f64> = streams.iter().map(|stream| stream.bytes as f64).collect();
    let (sum, squares) = bytes.iter().fold((0.0, 0.0), |(s, q), x| (s + x, q + x * x));
    let fairness = (squares > 0.0).then(|| sum * sum / (bytes.len() as f64 * squares));
    json!({
        "each": streams.iter().map(|stream| stream.bytes).collect::<Vec<_>>(),
        "least": streams.iter().map(|stream| stream.bytes).min(),
        "most": streams.iter().map(|stream| stream.bytes).max(),
        "fairness": fairness,
    })
}

/// One end's own view.
fn end(streams: Option<&[Stream]>, congestion: Option<&str>) -> Value {
    let Some(streams) = streams else {
        return json!({ "unmeasured": "the peer did not report" });
    };
    let sum = |field: fn(&crate::tcp::info::TcpInfo) -> Option<u64>| -> Option<u64> {
        streams.iter().try_fold(0, |sum: u64, stream| Some(sum.saturating_add(field(stream.tcp.as_ref()?)?)))
    };
    let (sent, again) = (sum(|tcp| tcp.sent_bytes), sum(|tcp| tcp.retransmitted_bytes));
    let ratio = sent.zip(again).filter(|&(sent, _)| sent > 0).map(|(sent, again)| again as f64 / sent as f64);
    json!({
        "congestion_control": congestion,
        "retransmitted_segments": sum(|tcp| tcp.retransmitted_segments.map(u64::from)),
        "retransmitted_bytes": again,
        "retransmitted_ratio": ratio,
        "min_rtt_us": streams.iter().filter_map(|stream| stream.tcp?.min_rtt_us).min(),
        "tcp_info": streams.iter().map(|stream| stream.tcp).collect::<Vec<_>>(),
    })
}
