//! From a measurement to every score that its samples suffice for.

use super::interval::Runs;
use super::outcome::{Outcome, Seen};
use super::voice::call::{Fate, Heard, heard};
use super::{Declined, Estimate, aim, bufferbloat, jitter::Jitter, outcome, tcp, voice};
use crate::probe::Measurement;
use crate::series::nearest_rank;
use broadgauge_model::clock::Span;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Direction, Load, Outcome as Fact, Sample, Singleton, Statistic, Values};
use broadgauge_model::text::Lang;
use broadgauge_model::unit::{Rate, Ratio};
use serde_json::{Map, Value, json};

/// Raised whenever a score's numbers shift.
const VERSION: u32 = 1;

/// What a score came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Score {
    /// A number with its interval.
    Estimate(Estimate),
    /// A plain number: a rise, a ratio, a filter's state.
    Number(f64),
    /// A word: a grade, a class.
    Word(String),
}

/// One score of a measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Which: the id of a metric where one is defined for it.
    pub name: &'static str,
    /// By which codec, profile or table.
    pub by: String,
    /// The same for readers.
    pub label: String,
    /// The unit's code, as in JSON keys; empty for words.
    pub unit: &'static str,
    /// Under which load.
    pub load: Load,
    /// Which way.
    pub direction: Direction,
    /// The score, or why there is none.
    pub score: Result<Score, Declined>,
    /// What it is made of.
    pub details: Map<String, Value>,
    /// Whether it is worth a place in a store.
    pub stored: bool,
}

impl Scored {
    fn new(name: &'static str, by: &str, unit: &'static str, score: Result<Score, Declined>) -> Self {
        Self {
            name,
            by: by.to_owned(),
            label: String::new(),
            unit,
            load: Load::Idle,
            direction: Direction::RoundTrip,
            score,
            details: Map::new(),
            stored: false,
        }
    }

    /// As a sample to be stored, beside those of the measurement that it was made from; `None` where there is no number,
    /// or nothing defines the metric. The method's name carries what it was scored by, for
    /// scores by different profiles must not be mixed.
    pub fn sample(&self, of: &Measurement) -> Option<Sample> {
        let Ok(Score::Estimate(estimate)) = &self.score else { return None };
        let metric = MetricId::find(self.name).filter(|_| self.stored)?;
        let base = of.samples.iter().find(|sample| sample.load == self.load && sample.counts.sent > 0)?;
        let mut details = self.details.clone();
        details.insert("interval".into(), json!(estimate.interval));
        details.insert("n".into(), json!(estimate.n));
        details.insert("scored_by".into(), json!(self.by));
        Some(Sample {
            metric,
            method: format!("{}/{}", base.method, self.by),
            method_version: base.method_version * 100 + VERSION,
            direction: self.direction,
            statistic: Statistic::Singleton,
            values: Values::Number(estimate.value),
            details,
            ..base.clone()
        })
    }
}

/// Every score that the measurement speaks to, declined ones too.
pub fn of(measurement: &Measurement) -> Vec<Scored> {
    let mut out = Vec::new();
    for (load, singletons) in &measurement.singletons {
        let stream = Stream::of(singletons);
        if stream.sent == 0 || !measures_packets(measurement, *load) {
            continue;
        }
        calls(measurement, *load, &stream, &mut out);
        outcomes(measurement, *load, &stream, &mut out);
    }
    loads(measurement, &mut out);
    out
}

/// Connections are slow to be lost and slow to be repeated: only streams of packets are scored.
fn measures_packets(measurement: &Measurement, load: Load) -> bool {
    let delays = [MetricId::ROUND_TRIP_DELAY, MetricId::LOADED_ROUND_TRIP_DELAY];
    measurement.samples.iter().any(|sample| sample.load == load && delays.contains(&sample.metric))
}

/// A stream of probes, in order of sending.
struct Stream<'a> {
    asked: Vec<&'a Singleton>,
    sent: u64,
    lost: u64,
    sorted: Vec<Span>,
    correlation: f64,
}

impl<'a> Stream<'a> {
    fn of(singletons: &'a [Singleton]) -> Self {
        let asked: Vec<&Singleton> =
            singletons.iter().filter(|one| !matches!(one.outcome, Fact::Unmeasured(_))).collect();
        let lost = asked.iter().filter(|one| one.outcome == Fact::Lost).count() as u64;
        let mut sorted: Vec<Span> = asked.iter().filter_map(|one| delay(one)).collect();
        sorted.sort_unstable();
        let correlation = Runs::of(asked.iter().map(|one| one.outcome == Fact::Lost)).correlation();
        Self { sent: asked.len() as u64, asked, lost, sorted, correlation }
    }

    fn per_second(&self) -> f64 {
        let (Some(first), Some(last)) = (self.asked.first(), self.asked.last()) else { return 0.0 };
        let lasted = (last.intended - first.intended).as_secs_f64();
        if lasted > 0.0 { (self.sent - 1) as f64 / lasted } else { 0.0 }
    }

    /// Transit times in one direction, the fastest taken to need half of the shortest round trip.
    fn fates(&self, direction: Direction) -> Vec<Fate> {
        let half = Span(self.sorted.first().map_or(0, |least| least.0 / 2));
        let transit = |one: &Singleton| transit(one, direction);
        let least = self.asked.iter().filter_map(|one| transit(one)).min().unwrap_or_default();
        self.asked
            .iter()
            .map(|one| transit(one).map_or(Fate::Lost, |there| Fate::Arrived(there - least + half)))
            .collect()
    }

    fn rtp_jitter(&self, direction: Direction) -> Option<Span> {
        let mut arrived: Vec<(Span, Span)> = self
            .asked
            .iter()
            .filter_map(|one| {
                transit(one, direction).map(|there| (one.sent.unwrap_or_default() + there, there))
            })
            .collect();
        arrived.sort_unstable();
        Jitter::of(arrived.into_iter().map(|(_, transit)| transit))
    }
}

fn delay(one: &Singleton) -> Option<Span> {
    match one.outcome {
        Fact::Value(delay) => Some(delay),
        _ => None,
    }
}

fn transit(one: &Singleton, direction: Direction) -> Option<Span> {
    let round_trip = delay(one)?;
    match direction {
        Direction::RoundTrip => Some(round_trip),
        Direction::Up => one.one_way.map(|ways| ways.0),
        Direction::Down => one.one_way.map(|ways| ways.1),
    }
}

fn calls(measurement: &Measurement, load: Load, stream: &Stream<'_>, out: &mut Vec<Scored>) {
    let both_ways = stream.asked.iter().filter(|one| delay(one).is_some()).all(|one| one.one_way.is_some());
    let directions: &[Direction] = if both_ways && !stream.sorted.is_empty() {
        &[Direction::Down, Direction::Up]
    } else {
        &[Direction::RoundTrip]
    };
    for &direction in directions {
        let fates = stream.fates(direction);
        for (i, codec) in voice::codecs().iter().enumerate() {
            let heard = heard(&fates, lost_one_way(measurement, load, direction), codec);
            let mut scored = Scored::new(
                "voice_mos",
                &codec.id,
                "mos",
                heard.as_ref().map(|heard| Score::Estimate(heard.mos)).map_err(Clone::clone),
            );
            scored.label = format!("Voice, {}", codec.name);
            (scored.load, scored.direction, scored.stored) = (load, direction, i == 0);
            scored.details = heard.map_or_else(|_| Map::new(), |heard| voice_details(&heard));
            out.push(scored);
        }
        let jitter = stream.rtp_jitter(direction).map(|jitter| Score::Number(jitter.as_millis_f64()));
        let jitter = jitter.ok_or_else(|| Declined::because("fewer than two packets arrived"));
        let mut scored = Scored::new("rtp_jitter", "rfc3550", "ms", jitter);
        scored.label = String::from("RTP jitter (RFC 3550)");
        (scored.load, scored.direction) = (load, direction);
        out.push(scored);
    }
}

/// The loss of one direction, where the far end counts what reaches it.
fn lost_one_way(measurement: &Measurement, load: Load, direction: Direction) -> Option<Ratio> {
    let counts = measurement.samples.iter().find(|s| s.load == load && s.counts.sent > 0)?.counts;
    let (up, down) = (counts.lost_forward?, counts.lost_backward?);
    let told = up + down == counts.lost.saturating_sub(counts.late);
    match direction {
        Direction::Up if told => Ratio::of(up, counts.sent),
        Direction::Down if told => Ratio::of(down, counts.sent - up),
        _ => None,
    }
}

fn voice_details(heard: &Heard) -> Map<String, Value> {
    let Value::Object(mut details) = json!(heard) else { return Map::new() };
    details.remove("mos");
    details.insert("users_would_say".into(), json!(voice::word(heard.rating.r)));
    details.insert("source".into(), json!(format!("ITU-T G.107; {}", voice::codec_source())));
    details
}

fn outcomes(measurement: &Measurement, load: Load, stream: &Stream<'_>, out: &mut Vec<Scored>) {
    let seen = Seen {
        delays: stream.sorted.clone(),
        sent: stream.sent,
        lost: stream.lost,
        correlation: stream.correlation,
        per_second: stream.per_second(),
        download: goodput(measurement, MetricId::DOWNLOAD_GOODPUT),
        upload: goodput(measurement, MetricId::UPLOAD_GOODPUT),
    };
    for profile in outcome::profiles() {
        let outcome = outcome::outcome(&seen, profile);
        let score = outcome.as_ref().map(|outcome| Score::Estimate(outcome.score)).map_err(Clone::clone);
        let mut scored = Scored::new("quality_of_outcome", &profile.id, "score", score);
        scored.label = format!("Quality of outcome, {}", profile.name.get(Lang::En));
        (scored.load, scored.stored) = (load, profile.stored);
        if let Ok(Outcome { delay, loss, throughput, .. }) = outcome {
            let variant = throughput.map_or("min(delay, loss)", |_| "min(delay, loss, throughput)");
            scored.details = Map::from_iter([
                ("delay_part".into(), json!(delay)),
                ("loss_part".into(), json!(loss)),
                ("throughput_part".into(), json!(throughput)),
                ("variant".into(), json!(variant)),
                ("per_second".into(), json!(seen.per_second)),
                (
                    "source".into(),
                    json!(format!("draft-ietf-ippm-qoo-10; {}, {}", profile.source, profile.read)),
                ),
            ]);
        }
        out.push(scored);
    }
}

fn goodput(measurement: &Measurement, metric: MetricId) -> Option<Rate> {
    measurement.samples.iter().find_map(|sample| match sample.values {
        Values::Number(mbps) if sample.metric == metric => Some(Rate::mbps(mbps)),
        _ => None,
    })
}

/// What loads do to the delay: only for measurements that loaded the line and watched it idle too.
fn loads(measurement: &Measurement, out: &mut Vec<Scored>) {
    let stream = |load: Load| {
        measurement
            .singletons
            .iter()
            .find(|(of, _)| *of == load)
            .map(|(_, singletons)| Stream::of(singletons))
    };
    let (Some(idle), loaded) =
        (stream(Load::Idle), [Load::Down, Load::Up, Load::Both].map(|load| (load, stream(load))))
    else {
        return;
    };
    if loaded.iter().all(|(_, stream)| stream.is_none()) {
        return;
    }
    let mut rises = bufferbloat::Rises::default();
    for (load, stream) in &loaded {
        let Some(stream) = stream else { continue };
        let rise = bufferbloat::rise(&idle.sorted, &stream.sorted);
        let value = rise.as_ref().ok().map(|rise| rise.value);
        match load {
            Load::Down => rises.down = value,
            Load::Up => rises.up = value,
            _ => rises.both = value,
        }
        let mut scored = Scored::new("bufferbloat_rise", "median", "ms", rise.map(Score::Estimate));
        (scored.label, scored.load) = (String::from("Rise of the delay under load"), *load);
        out.push(scored);
        out.extend(buffer_delay(&idle, *load, stream));
    }
    for table in bufferbloat::tables() {
        let grade = table.grade(&rises).map(|grade| Score::Word(grade.to_owned()));
        let mut scored = Scored::new("bufferbloat_grade", &table.id, "", grade);
        scored.label = format!("Bufferbloat grade, {}", table.id);
        scored.details.insert("source".into(), json!(format!("{}, {}", table.source, table.read)));
        out.push(scored);
    }
    for metric in [MetricId::DOWNLOAD_GOODPUT, MetricId::UPLOAD_GOODPUT] {
        out.extend(measurement.samples.iter().find(|sample| sample.metric == metric).map(efficiency));
    }
    experiences(measurement, &idle, &rises, out);
}

fn buffer_delay(idle: &Stream<'_>, load: Load, stream: &Stream<'_>) -> Option<Scored> {
    let mean = |sorted: &[Span]| {
        (!sorted.is_empty()).then(|| Span(sorted.iter().map(|d| d.0).sum::<i64>() / sorted.len() as i64))
    };
    let share = tcp::buffer_delay(mean(&stream.sorted)?, mean(&idle.sorted)?)?;
    let mut scored = Scored::new("buffer_delay", "rfc6349", "ratio", Ok(Score::Number(share)));
    (scored.label, scored.load) = (String::from("Buffer delay (RFC 6349)"), load);
    Some(scored)
}

/// From what the sender's kernel counted.
fn efficiency(sample: &Sample) -> Scored {
    let again = sample.details.get("sender").and_then(|sender| sender.get("retransmitted_ratio"));
    let score = again.and_then(Value::as_f64).map(|again| Score::Number(1.0 - again));
    let score =
        score.ok_or_else(|| Declined::because("the sender's kernel did not count what it sent again"));
    let mut scored = Scored::new("tcp_efficiency", "rfc6349", "ratio", score);
    (scored.label, scored.direction) = (String::from("TCP efficiency (RFC 6349)"), sample.direction);
    scored
}

fn experiences(
    measurement: &Measurement,
    idle: &Stream<'_>,
    rises: &bufferbloat::Rises,
    out: &mut Vec<Scored>,
) {
    let steps: Vec<f64> = idle
        .asked
        .windows(2)
        .filter_map(|pair| Some((delay(pair[1])? - delay(pair[0])?).abs().as_millis_f64()))
        .collect();
    let worse = rises.down.zip(rises.up).map(|(down, up)| down.max(up));
    let found = [
        ("delay_ms", nearest_rank(&idle.sorted, 0.5).map(Span::as_millis_f64)),
        ("jitter_ms", (!steps.is_empty()).then(|| steps.iter().sum::<f64>() / steps.len() as f64)),
        ("loss_ratio", Ratio::of(idle.lost, idle.sent).map(|ratio| ratio.0)),
        ("delay_rise_ms", worse.or(rises.down).or(rises.up)),
        ("download_mbps", goodput(measurement, MetricId::DOWNLOAD_GOODPUT).map(Rate::as_mbps)),
        ("upload_mbps", goodput(measurement, MetricId::UPLOAD_GOODPUT).map(Rate::as_mbps)),
    ];
    let measures: aim::Measures =
        found.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    for experience in aim::experiences() {
        let rated = experience.rate(&measures);
        let mut scored = Scored::new(
            "aim",
            &experience.id,
            "",
            rated
                .as_ref()
                .map(|(points, class)| Score::Word(format!("{class} ({points} points)")))
                .map_err(Clone::clone),
        );
        scored.label = format!("AIM, {}", experience.id);
        if let Ok((points, class)) = rated {
            scored.details = Map::from_iter([
                ("points".into(), json!(points)),
                ("class".into(), json!(class)),
                ("source".into(), json!(aim::source())),
            ]);
        }
        out.push(scored);
    }
}

#[cfg(test)]
mod tests;
