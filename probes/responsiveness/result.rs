//! What a direction comes to as a sample: responsiveness, and beside it all that explains it.

use super::DESCRIPTOR;
use super::discovery::Urls;
use super::meter::{self, Foreign, Interval, VARIANT};
use super::settings::Settings;
use super::test::Ran;
use crate::packets;
use crate::probe::{Context, Measurement};
use crate::series::nearest_rank;
use crate::throughput::Way;
use crate::tls::Facts;
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Counts, Reason, Sample, Statistic, Values};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// One direction of one test.
pub(super) struct Asked<'a> {
    pub(super) way: Way,
    pub(super) at: Wall,
    pub(super) urls: &'a Urls,
    pub(super) address: SocketAddr,
    pub(super) facts: Option<&'a Facts>,
    pub(super) settings: &'a Settings,
    pub(super) context: &'a Context,
}

impl Asked<'_> {
    /// Adds what came of it to a measurement.
    pub(super) fn add(&self, ran: Result<Ran, Reason>, to: &mut Measurement) {
        let mut details = self.details();
        let mut counts = Counts::default();
        let (started_at, lasted, values) = match ran {
            Err(reason) => (self.at, Span::ZERO, Values::Unmeasured(reason)),
            Ok(ran) => {
                counts = ran.counts();
                to.bytes_moved += ran.bytes;
                (ran.started_at, ran.lasted, self.values(&ran, &mut details))
            }
        };
        to.samples.push(Sample {
            load: self.way.load(),
            started_at,
            lasted,
            statistic: Statistic::Mean,
            counts,
            details,
            ..self.context.sample(&DESCRIPTOR, MetricId::RESPONSIVENESS, values)
        });
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        packets::binding(self.context, &mut details);
        let settings = self.settings;
        let more = [
            ("variant", json!(VARIANT)),
            ("mode", json!(format!("{} only, HTTP/2", self.way.word()))),
            ("interval_s", json!(settings.interval_s)),
            ("moving_average", json!(settings.moving_average)),
            ("trimmed_keep", json!(settings.trimmed_keep)),
            ("deviation", json!(settings.deviation)),
            ("added", json!(settings.added)),
            ("most_connections", json!(settings.most_connections)),
            ("probes_per_second", json!(settings.probes_per_second)),
            ("probe_share", json!(settings.probe_share)),
            ("server", json!(self.urls.small.authority())),
            ("address", json!(self.address.to_string())),
            ("tls_version", json!(self.facts.and_then(|facts| facts.version))),
            ("certificate_check", json!(self.facts.map(Facts::belief))),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        details
    }

    fn values(&self, ran: &Ran, details: &mut Map<String, Value>) -> Values {
        let meter = &ran.meter;
        let last = meter.last();
        let rpm = meter.result();
        let foreign: Vec<Foreign> = last.iter().flat_map(|one| one.foreign.iter().copied()).collect();
        let own: Vec<Span> = last.iter().flat_map(|one| one.own.iter().copied()).collect();
        let keep = self.settings.trimmed_keep;
        let of = |part: &dyn Fn(&Foreign) -> Option<Span>| {
            times(&foreign.iter().filter_map(part).collect::<Vec<_>>(), keep)
        };
        let rule = self.settings.rule();
        let each = |one: &Interval| {
            let rpm = meter::over(std::slice::from_ref(one), &rule);
            json!({
                "goodput_bps": one.goodput_bps,
                "connections": one.connections,
                "foreign_probes": one.foreign.len(),
                "self_probes": one.own.len(),
                "rpm": rpm,
            })
        };
        let more = [
            ("confidence", json!(meter.confidence())),
            ("goodput_stable", json!(meter.goodput_is_stable())),
            ("responsiveness_stable", json!(meter.responsiveness_is_stable())),
            ("rpm", json!(rpm)),
            ("tcp_f", of(&|probe| Some(probe.tcp))),
            ("tls_f", of(&|probe| probe.tls)),
            ("http_f", of(&|probe| Some(probe.http))),
            ("http_l", times(&own, keep)),
            ("goodput_bps", json!(meter.goodput_bps())),
            ("intervals", json!(meter.intervals().iter().map(each).collect::<Vec<_>>())),
            ("probes_lost", json!(ran.lost)),
            ("probes_failed", json!(ran.failed.0)),
            ("probe_failure", json!(ran.failed.1)),
            ("load_connections_cut", json!(ran.cut)),
            ("load_connection_failure", json!(ran.not_had)),
            ("interrupted", json!(self.context.stop.is_set())),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        let silent = |one: &Interval| one.goodput_bps == 0.0 && one.own.is_empty() && one.foreign.is_empty();
        let fell_silent = ran.lost > 0 && meter.intervals().last().is_some_and(silent);
        match rpm {
            Some(_) if fell_silent => Values::Unmeasured(Reason(String::from(
                "the far end, or the way there, fell silent: nothing came in the last interval",
            ))),
            Some(rpm) => Values::Number(rpm.both),
            None if ran.answered == 0 => {
                let why = ran.failed.1.clone().unwrap_or_else(|| String::from("none was answered in time"));
                Values::Unmeasured(Reason(format!("no probe succeeded: {why}")))
            }
            None => {
                let what = if own.is_empty() { "on the load's connections" } else { "beside the load" };
                Values::Unmeasured(Reason(format!("no probe {what} succeeded in the last intervals")))
            }
        }
    }
}

/// One kind of time: the mean that counts, and where the others lie.
fn times(values: &[Span], keep: f64) -> Value {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = |q| nearest_rank(&sorted, q).map(Span::as_millis_f64);
    json!({
        "trimmed_mean_ms": meter::trimmed_mean(&sorted, keep),
        "p50_ms": at(0.5), "p90_ms": at(0.9), "p95_ms": at(0.95), "n": sorted.len(),
    })
}
