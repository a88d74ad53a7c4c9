//! What a load comes to as a sample: the goodput, and beside it all that explains it.

use super::client::{Face, Failed, Loaded, moved};
use super::delay::{Seen, Stretch};
use super::pump::Stream;
use super::words::Way;
use super::{DESCRIPTOR, Settings, meter};
use crate::probe::{Context, Measurement};
use broadgauge_model::clock::{Mono, Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{self, Counts, Load, Reason, Sample, Statistic, Values};
use serde_json::{Map, Value, json};

/// One direction of one test.
pub(super) struct Direction<'a> {
    pub(super) way: Way,
    /// `None` where our turn never came.
    pub(super) peer: Option<&'a Face>,
    pub(super) settings: &'a Settings,
    pub(super) context: &'a Context,
}

impl Direction<'_> {
    /// Adds what came of it to a measurement: the goodput, and the delay where it was watched.
    pub(super) fn add(
        self,
        asked_at: Wall,
        loaded: Result<Loaded, Failed>,
        seen: Option<Seen>,
        idle: Option<&Stretch>,
        to: &mut Measurement,
    ) {
        let mut details = self.details();
        let mut window = None;
        let (started_at, lasted, values) = match loaded {
            Err(Failed { reason, bytes }) => {
                to.bytes_moved += bytes;
                (asked_at, Span::ZERO, Values::Unmeasured(reason))
            }
            Ok(loaded) => {
                to.interrupted |= loaded.interrupted;
                to.bytes_moved += moved(&loaded.receiver);
                let end = span_of(loaded.intervals.len());
                let (counted, values) = self.values(&loaded, &mut details);
                window = counted
                    .map(|(warm_up, window)| (loaded.started + warm_up, loaded.started + warm_up + window));
                (loaded.started_at, end, values)
            }
        };
        let (metric, direction) = match self.way {
            Way::Down => (MetricId::DOWNLOAD_GOODPUT, result::Direction::Down),
            Way::Up => (MetricId::UPLOAD_GOODPUT, result::Direction::Up),
        };
        // The load is the observation itself.
        let goodput = Sample {
            direction,
            started_at,
            lasted,
            statistic: Statistic::Mean,
            details,
            ..sample(self.context, metric, Load::Idle, values)
        };
        to.samples.push(goodput);
        if let Some(seen) = seen {
            self.add_delay(started_at, &seen, window, idle, to);
        }
    }

    /// Says that this direction was not asked: its goodput, and its delay where that is watched.
    pub(super) fn not_asked(self, why: &str, to: &mut Measurement) {
        let reason = Reason(format!("not asked: {why}"));
        let seen = (self.settings.delay_per_second > 0.0).then(|| Err(reason.clone()));
        let now = self.context.clock.wall();
        self.add(now, Err(reason.into()), seen, None, to);
    }

    /// The delay in the window of the goodput, and how far it rose above the idle line's.
    fn add_delay(
        &self,
        started_at: Wall,
        seen: &Seen,
        window: Option<(Mono, Mono)>,
        idle: Option<&Stretch>,
        to: &mut Measurement,
    ) {
        let load = self.way.load();
        let metric = MetricId::LOADED_ROUND_TRIP_DELAY;
        // Whether they count as delays or not, they were on the line.
        to.bytes_moved += seen.as_ref().map_or(0, |books| packet_bytes(&Stretch::whole(books).counts));
        let (books, (from, until)) = match (seen, window) {
            (Ok(books), Some(window)) => (books, window),
            (Err(reason), _) => {
                let values = Values::Unmeasured(reason.clone());
                to.samples.push(Sample { started_at, ..sample(self.context, metric, load, values) });
                return;
            }
            (Ok(_), None) => {
                let values = unmeasured(String::from("the line was not loaded as planned"));
                to.samples.push(Sample { started_at, ..sample(self.context, metric, load, values) });
                return;
            }
        };
        let stretch = Stretch::within(books, from, until);
        let mut details = Map::new();
        for (name, q) in [("p50", 0.5), ("p95", 0.95)] {
            let (before, during) = (idle.and_then(|idle| idle.quantile_ms(q)), stretch.quantile_ms(q));
            let rise = before.zip(during).map(|(before, during)| during - before);
            details.insert(format!("idle_{name}_ms"), json!(before));
            details.insert(format!("loaded_{name}_ms"), json!(during));
            details.insert(format!("rise_{name}_ms"), json!(rise));
        }
        to.samples.push(Sample {
            started_at: started_at + (from - books.start.mono),
            lasted: until - from,
            counts: stretch.counts,
            details,
            ..sample(self.context, metric, load, delays_of(&stretch))
        });
        to.singletons.push((load, stretch.singletons));
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        if let Some(peer) = self.peer {
            details.insert("peer".into(), json!(peer.address.to_string()));
            details.insert("peer_software".into(), json!(peer.software));
            details.insert("peer_stamp_port".into(), json!(peer.stamp_port));
        }
        details.insert("streams".into(), json!(self.settings.streams));
        details.insert("layer".into(), json!("TCP payload, counted by the receiver in intervals of 100 ms"));
        details.insert("received_without_copy".into(), json!(true));
        crate::packets::binding(self.context, &mut details);
        details
    }

    fn values(&self, loaded: &Loaded, details: &mut Map<String, Value>) -> (Option<(Span, Span)>, Values) {
        let rates: Vec<f64> = meter::rates(&loaded.intervals).map(|rate| rate.0).collect();
        let cut = loaded.receiver.iter().filter(|stream| stream.cut).count();
        details.insert("intervals_bps".into(), json!(rates));
        details.insert("waiting_bytes".into(), json!(loaded.waiting));
        details.insert("interrupted".into(), json!(loaded.interrupted));
        details.insert("streams_cut".into(), json!(cut));
        details.insert("stream_bytes".into(), json!(spread(&loaded.receiver)));
        details.insert("sender".into(), end(loaded.sender.as_deref(), loaded.sender_congestion.as_deref()));
        details.insert("receiver".into(), end(Some(&loaded.receiver), loaded.receiver_congestion.as_deref()));
        let planned = (self.settings.duration_ms() / 100) as usize;
        let seconds = loaded.intervals.len() as f64 / 10.0;
        if cut > 0 && !loaded.interrupted {
            return (
                None,
                unmeasured(format!("{cut} of {} streams ended before their time", self.settings.streams)),
            );
        }
        if loaded.intervals.len() < planned && !loaded.interrupted {
            let planned = planned as f64 / 10.0;
            return (None, unmeasured(format!("the test ended after {seconds} s of {planned}")));
        }
        // At a stop, too, the far end is asked what it saw.
        if let Some(why) = meter::fell_silent(&loaded.intervals).filter(|_| loaded.sender.is_none()) {
            return (None, unmeasured(why));
        }
        let Some(goodput) = meter::goodput(&loaded.intervals, &loaded.waiting) else {
            let reason = if loaded.intervals.len() < meter::FEWEST {
                format!("{seconds} s are too short to tell a rate from its warm-up")
            } else {
                format!("no payload arrived in {seconds} s")
            };
            return (None, unmeasured(reason));
        };
        goodput.describe(details);
        (Some((goodput.warm_up, goodput.window)), Values::Number(goodput.rate.as_mbps()))
    }
}

/// Adds the delay of the idle line, and hands it back for comparison.
pub(super) fn idle(seen: &Seen, context: &Context, to: &mut Measurement) -> Option<Stretch> {
    let metric = MetricId::ROUND_TRIP_DELAY;
    let books = match seen {
        Ok(books) => books,
        Err(reason) => {
            let values = Values::Unmeasured(reason.clone());
            to.samples
                .push(Sample { started_at: to.started_at, ..sample(context, metric, Load::Idle, values) });
            return None;
        }
    };
    let stretch = Stretch::whole(books);
    to.bytes_moved += packet_bytes(&stretch.counts);
    to.samples.push(Sample {
        started_at: books.start.wall,
        lasted: stretch.singletons.last().map_or(Span::ZERO, |last| last.intended),
        counts: stretch.counts,
        ..sample(context, metric, Load::Idle, delays_of(&stretch))
    });
    to.singletons.push((Load::Idle, stretch.singletons.clone()));
    Some(stretch)
}

/// Empty where packets were sent and none was answered: that is loss, not a failure to ask.
fn delays_of(stretch: &Stretch) -> Values {
    if stretch.counts.sent == 0 {
        return unmeasured(String::from("no delay probe could be sent"));
    }
    Values::Histogram(stretch.delays.clone())
}

/// What the delay probes moved: 44 bytes of STAMP, 8 of UDP and 20 of IPv4, each way.
const fn packet_bytes(counts: &Counts) -> u64 {
    (counts.sent + counts.received) * 72
}

/// A sample of a metric, to be completed.
fn sample(context: &Context, metric: MetricId, load: Load, values: Values) -> Sample {
    Sample { load, ..context.sample(&DESCRIPTOR, metric, values) }
}

const fn span_of(intervals: usize) -> Span {
    Span(meter::INTERVAL.0 * intervals as i64)
}

fn unmeasured(reason: String) -> Values {
    Values::Unmeasured(Reason(reason))
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
