//! What a test comes to as samples: the goodput, and with UDP loss and delay variation.
//!
//! A download is counted here, in intervals, behind the warm-up that the rule of `throughput` finds. An upload is counted
//! by the server, which tells one sum for each stream at the end: its warm-up is what was omitted, no more. What a
//! sender counted is never a rate.

use super::DESCRIPTOR;
use super::client::Came;
use super::load::{Seen, Side};
use super::settings::{Protocol, Settings, Ways};
use crate::codec::iperf3::{Results, StreamResult, stream_id};
use crate::probe::{Context, Measurement};
use crate::throughput::meter;
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Counts, Direction, Load, Reason, Sample, Statistic, Values};
use broadgauge_model::unit::Rate;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// One test and all that it was asked with.
pub(super) struct Test<'a> {
    pub(super) ways: Ways,
    pub(super) address: SocketAddr,
    pub(super) settings: &'a Settings,
    pub(super) context: &'a Context,
}

/// A direction as both ends saw it.
struct Told<'a> {
    ours: &'a Side,
    theirs: Result<Vec<&'a StreamResult>, String>,
    results: Option<&'a Results>,
    interrupted: bool,
}

impl Test<'_> {
    /// Adds what came of it.
    pub(super) fn add(&self, asked_at: Wall, came: &Result<Came, String>, to: &mut Measurement) {
        for down in [true, false] {
            if !(if down { self.ways.down } else { self.ways.up }) {
                continue;
            }
            match came {
                Err(why) => {
                    let values = unmeasured(why.clone());
                    to.samples.push(self.goodput(down, asked_at, Span::ZERO, values, self.details()));
                }
                Ok(came) => {
                    to.interrupted |= came.interrupted;
                    self.direction(down, came, to);
                }
            }
        }
    }

    fn direction(&self, down: bool, came: &Came, to: &mut Measurement) {
        let Some(ours) = (if down { &came.down } else { &came.up }) else {
            let values = unmeasured(String::from("the measuring thread failed"));
            to.samples.push(self.goodput(down, came.started_at, Span::ZERO, values, self.details()));
            return;
        };
        let first = came.up.as_ref().filter(|_| down).map_or(0, |up| up.streams.len());
        let theirs = match &came.theirs {
            Err(error) => Err(format!("the server {error}")),
            Ok(results) => (0..ours.streams.len())
                .map(|place| results.streams.iter().find(|s| s.id == stream_id(first + place)))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| String::from("the server's results are of other streams")),
        };
        let told = Told { ours, theirs, results: came.theirs.as_ref().ok(), interrupted: came.interrupted };
        let mut details = self.details();
        told.describe(down, &mut details);
        let values = if down {
            told.download(self.settings, &mut details)
        } else {
            told.upload(self.settings, &mut details)
        };
        to.bytes_moved += ours.streams.iter().map(|stream| stream.bytes.max(stream.written)).sum::<u64>();
        to.samples.push(self.goodput(down, came.started_at, ours.lasted(), values, details));
        if self.settings.protocol == Protocol::Udp {
            self.packets(down, came.started_at, &told, to);
        }
    }

    /// Loss, and delay variation where we are the receiver.
    fn packets(&self, down: bool, started_at: Wall, told: &Told<'_>, to: &mut Measurement) {
        let counts = told.counts(down, self.settings);
        let sample = |metric, statistic, values| Sample {
            counts: counts.unwrap_or_default(),
            statistic,
            lasted: told.ours.lasted(),
            ..self.sample(down, metric, started_at, values)
        };
        let loss = match counts {
            Some(counts) if counts.sent > 0 => Values::Number(counts.lost as f64 / counts.sent as f64),
            Some(_) => unmeasured(String::from("no packet is known to have been sent")),
            None => unmeasured(told.why()),
        };
        to.samples.push(sample(MetricId::LOSS_RATIO, Statistic::Mean, loss));
        if down {
            let mut variation = Histogram::default();
            for seen in told.ours.streams.iter().filter_map(|stream| stream.variation.as_ref()) {
                variation.merge(seen);
            }
            let metric = MetricId::INTERPACKET_DELAY_VARIATION;
            to.samples.push(sample(metric, Statistic::Singleton, Values::Histogram(variation)));
        }
    }

    fn goodput(
        &self,
        down: bool,
        started_at: Wall,
        lasted: Span,
        values: Values,
        details: Map<String, Value>,
    ) -> Sample {
        let metric = if down { MetricId::DOWNLOAD_GOODPUT } else { MetricId::UPLOAD_GOODPUT };
        Sample {
            details,
            lasted,
            statistic: Statistic::Mean,
            ..self.sample(down, metric, started_at, values)
        }
    }

    fn sample(&self, down: bool, metric: MetricId, started_at: Wall, values: Values) -> Sample {
        // The load is the observation itself; with both at once, each is observed under the other.
        let load = match (self.ways, down) {
            (Ways { up: true, down: true }, true) => Load::Up,
            (Ways { up: true, down: true }, false) => Load::Down,
            _ => Load::Idle,
        };
        Sample {
            load,
            direction: if down { Direction::Down } else { Direction::Up },
            started_at,
            ..self.context.sample(&DESCRIPTOR, metric, values)
        }
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        let protocol = match self.settings.protocol {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
        };
        details.insert("peer".into(), json!(self.address.to_string()));
        details.insert("protocol".into(), json!(protocol));
        details.insert("layer".into(), json!(format!("{protocol} payload")));
        details.insert("streams".into(), json!(self.settings.streams));
        details.insert("block_bytes".into(), json!(self.settings.block()));
        details.insert("bandwidth_bps".into(), json!(self.settings.bits_per_second()));
        details.insert("omit_ms".into(), json!(self.settings.omit().as_millis_f64()));
        crate::packets::binding(self.context, &mut details);
        details
    }
}

impl Told<'_> {
    fn why(&self) -> String {
        self.theirs.as_ref().err().cloned().unwrap_or_default()
    }

    /// What both ends add to the figure.
    fn describe(&self, down: bool, details: &mut Map<String, Value>) {
        let ours = &self.ours;
        let each: Vec<u64> = match (&self.theirs, down) {
            (Ok(theirs), false) => theirs.iter().map(|stream| stream.bytes).collect(),
            (Err(_), false) => Vec::new(),
            _ => ours.streams.iter().map(|stream| stream.bytes).collect(),
        };
        let sum = |count: fn(&Seen) -> u64| ours.streams.iter().map(count).sum::<u64>();
        let tcp = |count: fn(&crate::tcp::info::TcpInfo) -> Option<u64>| {
            ours.streams.iter().map(|stream| count(stream.tcp.as_ref()?)).sum::<Option<u64>>()
        };
        let of_theirs = |count: fn(&StreamResult) -> Option<u64>| -> Option<u64> {
            self.theirs.as_ref().ok()?.iter().map(|stream| count(stream)).sum()
        };
        let retransmitted = if down {
            of_theirs(|stream| stream.retransmits)
        } else {
            tcp(|info| info.retransmitted_segments.map(u64::from))
        };
        let jitter = if down {
            worst(ours.streams.iter().filter_map(|stream| stream.jitter_s))
        } else {
            self.theirs
                .as_ref()
                .ok()
                .and_then(|all| worst(all.iter().map(|s| s.jitter_s).filter(|&j| j > 0.0)))
        };
        let their_congestion = self.results.and_then(|results| results.congestion.clone());
        let (sender, receiver) = if down {
            (their_congestion, ours.congestion.clone())
        } else {
            (ours.congestion.clone(), their_congestion)
        };
        let more = [
            ("interrupted", json!(self.interrupted)),
            ("stream_bytes", json!(each)),
            ("retransmitted_segments", json!(retransmitted)),
            ("sender_congestion_control", json!(sender)),
            ("receiver_congestion_control", json!(receiver)),
            ("tcp_info", json!(ours.streams.iter().map(|stream| stream.tcp).collect::<Vec<_>>())),
            ("rtp_jitter_ms", json!(jitter.map(|seconds| seconds * 1e3))),
            ("slots_missed", json!(sum(|stream| stream.missed))),
            ("dropped_by_this_machine", json!(ours.dropped_here)),
            ("sent_bps", json!(if down { None } else { self.sent_rate() })),
            ("server_rate_bps", json!(self.their_rate())),
            ("server_cpu_percent", json!(self.results.map(|results| results.cpu_percent))),
            ("server_said", json!(self.theirs.as_ref().err())),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
    }

    /// The rate that the server's own count comes to, whichever end it is.
    fn their_rate(&self) -> Option<f64> {
        let rate = |stream: &&StreamResult| {
            let seconds = stream.end_s - stream.start_s;
            (seconds > 0.0).then(|| stream.bytes as f64 * 8.0 / seconds)
        };
        self.theirs.as_ref().ok()?.iter().map(rate).sum()
    }

    /// What we sent in the part that counts, as a rate: not a goodput, for what was sent need not arrive.
    fn sent_rate(&self) -> Option<f64> {
        let bytes = self.ours.streams.iter().map(|stream| stream.bytes).sum();
        Rate::of(bytes, self.ours.lasted()).map(|rate| rate.0)
    }

    fn download(&self, settings: &Settings, details: &mut Map<String, Value>) -> Values {
        let ours = self.ours;
        let rates: Vec<f64> = meter::rates(&ours.intervals).map(|rate| rate.0).collect();
        details.insert("counted_by".into(), json!("this end, in intervals of 100 ms, behind its warm-up"));
        details.insert("intervals_bps".into(), json!(rates));
        details.insert("waiting_bytes".into(), json!(ours.waiting));
        let planned = (settings.duration().0 / meter::INTERVAL.0) as usize;
        let seconds = ours.intervals.len() as f64 / 10.0;
        let why = self.theirs.as_ref().err().map_or_else(String::new, |why| format!(": {why}"));
        if ours.intervals.len() < planned && !self.interrupted {
            return unmeasured(format!("the test ended after {seconds} of {} s{why}", settings.duration_s));
        }
        let cut = ours.streams.iter().filter(|stream| stream.cut).count();
        if cut > 0 && !self.interrupted {
            return unmeasured(format!("{cut} of {} streams ended before their time{why}", settings.streams));
        }
        // At a stop, too, the far end is asked for its results.
        if let Some(silent) = meter::fell_silent(&ours.intervals).filter(|_| !why.is_empty()) {
            return unmeasured(format!("{silent}{why}"));
        }
        let Some(goodput) = meter::goodput(&ours.intervals, &ours.waiting) else {
            return unmeasured(if ours.intervals.len() < meter::FEWEST {
                format!("{seconds} s are too short to tell a rate from its warm-up{why}")
            } else {
                format!("no payload arrived in {seconds} s{why}")
            });
        };
        // Packets of a steady rate have no warm-up: all of the test counts.
        if settings.protocol == Protocol::Udp {
            details.insert("warm_up_ms".into(), json!(0.0));
            details.insert("rate_with_warm_up_bps".into(), json!(goodput.rate_with_warm_up.0));
            return Values::Number(goodput.rate_with_warm_up.as_mbps());
        }
        goodput.describe(details);
        Values::Number(goodput.rate.as_mbps())
    }

    fn upload(&self, settings: &Settings, details: &mut Map<String, Value>) -> Values {
        let counted_by = "the server, one sum over the whole test behind what was omitted";
        details.insert("counted_by".into(), json!(counted_by));
        let theirs = match &self.theirs {
            Err(why) => return unmeasured(why.clone()),
            Ok(theirs) => theirs,
        };
        if let Err(problem) = self.check(theirs, settings) {
            return unmeasured(format!("the server's results do not add up: {problem}"));
        }
        match self.their_rate() {
            Some(rate) if rate > 0.0 => Values::Number(rate / 1e6),
            _ => unmeasured(String::from("the server received nothing")),
        }
    }

    /// The server counts the upload, and we believe it no more than can be true.
    fn check(&self, theirs: &[&StreamResult], settings: &Settings) -> Result<(), &'static str> {
        let lasted = self.ours.lasted().as_secs_f64();
        let told = |stream: &&StreamResult| stream.end_s - stream.start_s;
        if !theirs.iter().map(told).all(|seconds| (0.9 * lasted - 0.5..=lasted + 10.0).contains(&seconds)) {
            return Err("its test was not as long as ours");
        }
        let received = theirs.iter().try_fold(0_u64, |sum, stream| sum.checked_add(stream.bytes));
        let sent = match settings.protocol {
            Protocol::Tcp => self.ours.streams.iter().map(|stream| stream.written).sum(),
            // Every packet may arrive twice.
            Protocol::Udp => {
                let packets: u64 = self.ours.streams.iter().map(|stream| stream.packets).sum();
                packets.saturating_mul(2 * u64::from(settings.block()))
            }
        };
        match (received, sent) {
            (None, _) => Err("no line carries so much payload"),
            (Some(received), sent) if received > sent => Err("more payload than was sent"),
            _ => Ok(()),
        }
    }

    /// The packets of all streams; `None` where the receiver did not tell.
    fn counts(&self, down: bool, settings: &Settings) -> Option<Counts> {
        let mut counts = Counts::default();
        let per_second = settings.bits_per_second() / 8 / u64::from(settings.block());
        for (place, ours) in self.ours.streams.iter().enumerate() {
            let theirs = self.theirs.as_ref().ok().map(|theirs| theirs[place]);
            let (sender, highest, base, lost) = if down {
                let sender = theirs.map(|stream| stream.packets);
                counts.duplicate += ours.duplicate;
                counts.reordered += ours.reordered;
                (sender, ours.packets, ours.omitted_packets, ours.lost)
            } else {
                counts.missed += ours.missed;
                let theirs = theirs?;
                let base = theirs.omitted_packets.unwrap_or(0).min(theirs.packets);
                let lost = theirs.errors.saturating_sub(theirs.omitted_errors.unwrap_or(0));
                (Some(ours.packets), theirs.packets, base, lost)
            };
            let known = highest - base;
            let lost = lost.min(known);
            // What left in the last second may still be under way. What left before that, and has a higher number than
            // any that came, is lost too: a receiver alone cannot know it.
            let under_way = if per_second == 0 { known } else { per_second };
            let behind = sender.map_or(0, |sent| sent.saturating_sub(highest).saturating_sub(under_way));
            counts.sent += known + behind;
            counts.lost += lost + behind;
            counts.received += known - lost;
        }
        counts.planned = counts.sent + counts.missed;
        Some(counts)
    }
}

fn worst(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.fold(None, |worst: Option<f64>, value| Some(worst.map_or(value, |w| w.max(value))))
}

fn unmeasured(reason: String) -> Values {
    Values::Unmeasured(Reason(reason))
}
