//! `broadgauge measure METHOD TARGET`: one measurement, shown while it runs and summed up at its end.

use super::{Ended, Failure, Outcome, measure_json, measure_score, measure_text, out, secret, wait};
use broadgauge_model::clock::SystemClock;
use broadgauge_model::result::Values;
use broadgauge_probes::probe::{Binding, Context, Family, Measurement, Stop};
use broadgauge_probes::{catalogue, resolve, score};
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Measure once, with a live view, and print a summary
#[derive(clap::Args)]
pub struct Args {
    /// The method
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(catalogue::PROBES.iter().map(|m| m.descriptor.name)))]
    method: String,
    /// Host name or address, with a port where the method's own is not used (host:port, [v6]:port)
    target: String,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    door: Door,
    /// Makes schedule and payload repeatable; drawn anew for each measurement where left out
    #[arg(long)]
    seed: Option<u64>,
    /// The name of the line in the result
    #[arg(long, default_value = "this-line")]
    line: String,
    #[command(flatten)]
    show: Show,
}

/// The settings that methods share; a method refuses those it does not know.
#[derive(clap::Args)]
struct How {
    /// Packets or connections to send
    #[arg(short, long, value_name = "N")]
    count: Option<u64>,
    /// Gap between packets, as 100ms or 1s
    #[arg(short, long, value_name = "DURATION", value_parser = length)]
    interval: Option<f64>,
    /// Exponential gaps with this mean rather than even ones
    #[arg(long)]
    poisson: bool,
    /// How long to wait for an answer
    #[arg(short = 'W', long, value_name = "DURATION", value_parser = length)]
    timeout: Option<f64>,
    /// Payload bytes of each packet
    #[arg(short, long, value_name = "BYTES")]
    size: Option<u64>,
    /// Parallel streams of a load
    #[arg(short = 'P', long, value_name = "N")]
    streams: Option<u64>,
    /// How long packets are sent, or each load lasts
    #[arg(short = 't', long, value_name = "DURATION", value_parser = length)]
    duration: Option<f64>,
    /// Which way a load goes: down, up or both, one after the other
    #[arg(long, value_name = "WAY")]
    direction: Option<String>,
    /// File with the key shared with the peer, for authenticated packets
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Any other setting of the method
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Through which door packets leave.
#[derive(clap::Args)]
struct Door {
    /// Leave through this network interface
    #[arg(short = 'I', long, value_name = "NAME")]
    interface: Option<String>,
    /// Leave from this address
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// Differentiated-services code point, 0 to 63
    #[arg(short = 'Q', long, value_parser = clap::value_parser!(u8).range(0..64))]
    dscp: Option<u8>,
    /// IPv4 only
    #[arg(short = '4', long = "ipv4", conflicts_with = "v6")]
    v4: bool,
    /// IPv6 only
    #[arg(short = '6', long = "ipv6")]
    v6: bool,
}

/// What is printed.
#[derive(clap::Args)]
struct Show {
    /// One JSON document rather than text
    #[arg(long)]
    json: bool,
    /// With --json: every singleton too
    #[arg(long, requires = "json")]
    singletons: bool,
    /// Only the summary
    #[arg(short, long)]
    quiet: bool,
}

/// A length of time in seconds; a bare number is seconds, as ping and iperf3 have it.
fn length(text: &str) -> Result<f64, String> {
    let seconds = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => seconds,
        _ => text
            .parse::<jiff::SignedDuration>()
            .map_err(|_| {
                format!("{text:?} is not a length of time such as 100ms, 10s, 1m30s or 2.5 (seconds)")
            })?
            .as_secs_f64(),
    };
    if seconds > 0.0 { Ok(seconds) } else { Err(format!("{text:?} is not longer than nothing")) }
}

impl How {
    fn settings(&self) -> Result<Map<String, Value>, Failure> {
        let mut settings = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                settings.insert(key.to_owned(), value);
            }
        };
        put("count", self.count.map(Value::from));
        put("per_second", self.interval.map(|gap| Value::from(1.0 / gap)));
        put("spacing", self.poisson.then(|| Value::from("poisson")));
        put("timeout_ms", self.timeout.map(|s| Value::from(s * 1e3)));
        put("payload_bytes", self.size.map(Value::from));
        put("duration_s", self.duration.map(Value::from));
        put("streams", self.streams.map(Value::from));
        put("direction", self.direction.clone().map(Value::from));
        for pair in &self.set {
            let (key, text) = pair
                .split_once('=')
                .ok_or_else(|| Failure::input(anyhow::anyhow!("--set {pair:?} is not KEY=VALUE")))?;
            put(key, Some(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))));
        }
        Ok(settings)
    }
}

impl Args {
    fn context(&self, seed: u64, stop: Stop) -> Context {
        let watched = out::is_watched() && !self.show.json && !self.show.quiet;
        let Door { interface, source, dscp, v4, v6 } = &self.door;
        Context {
            line_id: self.line.clone(),
            target: self.target.clone(),
            family: if *v4 { Some(Family::V4) } else { v6.then_some(Family::V6) },
            binding: Binding { interface: interface.clone(), source: *source, dscp: *dscp },
            listener: watched.then(measure_text::live),
            stop,
            ..Context::alone(&self.target, Arc::new(SystemClock::start()), seed)
        }
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Outcome {
    let method = catalogue::find(&args.method)
        .ok_or_else(|| Failure::input(anyhow::anyhow!("no method is called {:?}", args.method)))?;
    resolve::check(&args.target).map_err(Failure::input)?;
    let key = args.how.key_file.as_deref().map(secret::key).transpose()?;
    let probe = (method.build)(&args.how.settings()?, key.as_ref()).map_err(Failure::input)?;
    // Thirty-two bits: every reader of JSON can repeat it.
    let seed = args.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let measurement = wait::block_on(async {
        let context = args.context(seed, wait::stop_on_signal());
        probe.run(&context).await
    })?
    .map_err(Failure::reach)?;
    let scores = score::of(&measurement);
    if args.show.json {
        let mut document =
            measure_json::document(&args.target, method.descriptor, &measurement, args.show.singletons);
        document["seed"] = seed.into();
        document["scores"] = measure_score::json(&scores);
        out::json_record(&document);
    } else {
        out::data(&measure_text::summary(&args.target, method.descriptor, &measurement));
        out::data(&measure_score::text(&scores));
    }
    Ok(ended(&measurement))
}

fn ended(measurement: &Measurement) -> Ended {
    let answered = |values: &Values| match values {
        Values::Histogram(h) => !h.is_empty(),
        Values::Number(_) => true,
        Values::Unmeasured(_) => false,
    };
    let heard = measurement.samples.iter().any(|s| s.metric.id() != "loss_ratio" && answered(&s.values));
    match (heard, measurement.interrupted) {
        (_, true) => Ended::Partly,
        (true, false) => Ended::Done,
        (false, false) => Ended::CannotMeasure,
    }
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn a_length_of_time_has_a_unit_or_is_in_seconds() {
        assert_eq!(["100ms", "1m30s", "2", "0.2"].map(length), [Ok(0.1), Ok(90.0), Ok(2.0), Ok(0.2)]);
        for wrong in ["0", "-1s", "inf", "nan", "soon", ""] {
            assert!(length(wrong).is_err(), "{wrong}");
        }
    }
}
