//! What a direction comes to as a sample: the goodput, and beside it all that explains it.

use super::DESCRIPTOR;
use super::settings::Settings;
use super::tally::Tally;
use crate::packets;
use crate::probe::{Context, Measurement};
use crate::series::nearest_rank;
use crate::tcp::info::TcpInfo;
use crate::throughput::{Way, meter};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{self, Reason, Sample, Statistic, Values};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// What a backend says, and how long it takes to say it.
pub(super) struct Face {
    pub(super) address: SocketAddr,
    pub(super) url: String,
    pub(super) belief: Option<&'static str>,
    /// From where it says that we come.
    pub(super) says: Option<String>,
    pub(super) pings: Vec<Span>,
    pub(super) pings_failed: u64,
}

/// What one direction came to.
pub(super) struct Loaded {
    pub(super) started_at: Wall,
    /// How much of the planned time is over and known.
    pub(super) over: Span,
    pub(super) tally: Tally,
    pub(super) waiting: Vec<u64>,
    /// Streams that ended before their time.
    pub(super) ended_early: u64,
    /// Why a connection could not be had.
    pub(super) not_had: Option<String>,
    pub(super) tcp: Vec<Option<TcpInfo>>,
}

/// One direction of one test.
pub(super) struct Direction<'a> {
    pub(super) way: Way,
    pub(super) face: &'a Face,
    pub(super) settings: &'a Settings,
    pub(super) context: &'a Context,
}

impl Direction<'_> {
    /// Adds what came of it to a measurement.
    pub(super) fn add(&self, loaded: &Loaded, to: &mut Measurement) {
        let (metric, direction) = match self.way {
            Way::Down => (MetricId::DOWNLOAD_GOODPUT, result::Direction::Down),
            Way::Up => (MetricId::UPLOAD_GOODPUT, result::Direction::Up),
        };
        to.bytes_moved += loaded.tally.streams().iter().sum::<u64>() + loaded.tally.refused_bytes;
        let mut details = self.details();
        let values = self.values(loaded, &mut details);
        to.samples.push(Sample {
            // The line is idle but for the load, which is the observation itself.
            direction,
            started_at: loaded.started_at,
            lasted: loaded.over,
            statistic: Statistic::Mean,
            details,
            ..self.context.sample(&DESCRIPTOR, metric, values)
        });
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        packets::binding(self.context, &mut details);
        let mut pings = self.face.pings.clone();
        pings.sort_unstable();
        let layer = match self.way {
            Way::Down => {
                "HTTP body of whole answers with status 2xx, counted by the receiver in intervals of 100 ms"
            }
            Way::Up => {
                "HTTP body of requests that the server answered with 2xx, when its TCP acknowledged them"
            }
        };
        let more = [
            ("backend", json!(self.face.url)),
            ("address", json!(self.face.address.to_string())),
            ("certificate_check", json!(self.face.belief)),
            ("backend_says", json!(self.face.says)),
            ("idle_question_p50_ms", json!(nearest_rank(&pings, 0.5).map(Span::as_millis_f64))),
            ("idle_questions", json!(pings.len())),
            ("idle_questions_failed", json!(self.face.pings_failed)),
            ("streams", json!(self.settings.streams)),
            ("layer", json!(layer)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        details
    }

    fn values(&self, loaded: &Loaded, details: &mut Map<String, Value>) -> Values {
        let tally = &loaded.tally;
        let intervals = tally.intervals(loaded.over);
        let interrupted = self.context.stop.is_set();
        let rates: Vec<f64> = meter::rates(&intervals).map(|rate| rate.0).collect();
        let more = [
            ("intervals_bps", json!(rates)),
            ("waiting_bytes", json!(loaded.waiting)),
            ("stream_bytes", json!(tally.streams())),
            ("requests_counted", json!(tally.counted)),
            ("requests_refused", json!(tally.refused)),
            ("refused_bytes", json!(tally.refused_bytes)),
            ("streams_ended_early", json!(loaded.ended_early)),
            ("connection_failure", json!(loaded.not_had)),
            ("interrupted", json!(interrupted)),
            ("tcp_info", json!(loaded.tcp)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        let unmeasured = |why: String| Values::Unmeasured(Reason(why));
        if let Some(why) = self.refusal(loaded) {
            return unmeasured(why);
        }
        let Some(goodput) =
            meter::goodput(&intervals, &loaded.waiting[..loaded.waiting.len().min(intervals.len())])
        else {
            let seconds = loaded.over.as_secs_f64();
            return unmeasured(if intervals.len() < meter::FEWEST {
                format!("{seconds:.1} s are too short to tell a rate from its warm-up")
            } else {
                format!("no payload that counts moved in {seconds:.1} s")
            });
        };
        // There is nobody to ask at the end. An upload is told from a line that stalls by an answer that comes behind it, a
        // download by nothing coming on any stream.
        let asked = !interrupted && !loaded.tally.heard_at_end;
        if let Some(why) = meter::fell_silent(&intervals).filter(|_| asked) {
            return unmeasured(why);
        }
        goodput.describe(details);
        Values::Number(goodput.rate.as_mbps())
    }

    /// Why there is no rate, where the backend or the way there did not play.
    fn refusal(&self, loaded: &Loaded) -> Option<String> {
        let refused = || {
            let each = loaded.tally.refused.iter().map(|(why, count)| format!("{count} × {why}"));
            each.collect::<Vec<_>>().join(", ")
        };
        if loaded.tally.counted == 0 && loaded.tally.refusals() > 0 {
            return Some(format!("the backend refused every request: {}", refused()));
        }
        if loaded.ended_early > 0 {
            let (count, of) = (loaded.ended_early, self.settings.streams);
            let why = loaded.not_had.clone().unwrap_or_else(refused);
            return Some(format!("{count} of {of} streams ended before their time: {why}"));
        }
        None
    }
}
