//! Both ends of a throughput test by hand, for the lab: `streams peer ADDRESS` answers until its standard input ends,
//! `streams measure ADDRESS [SETTINGS AS JSON]` measures once and prints each sample as a line of JSON, `streams row ...`
//! prints each goodput as a row for scripts: direction, Mbit/s or why not, warm-up in ms, share of payload sent again,
//! fairness among streams, bytes received, the rise of the delay under that load at p50 and p95 in ms, and the window of
//! the rate: its start in seconds since 1970 and its length in ms.
#![expect(clippy::print_stdout, reason = "a program of its own, whose output is data")]

use broadgauge_model::clock::{Clock, SystemClock};
use broadgauge_model::result::{Direction, Load, Sample, Values};
use broadgauge_probes::codec::stamp::Mode;
use broadgauge_probes::net::real::RealNet;
use broadgauge_probes::probe::{Binding, Context, Measurement, Probe, Stop};
use broadgauge_probes::stamp::peer as stamp;
use broadgauge_probes::stamp::serve::serve;
use broadgauge_probes::throughput::peer::{Limits, Peer};
use broadgauge_probes::throughput::{Settings, Throughput};
use serde_json::json;
use std::error::Error;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["peer", address] => answer(address).await,
        ["measure", address] => measure(address, "{}", line).await,
        ["measure", address, settings] => measure(address, settings, line).await,
        ["row", address, settings] => measure(address, settings, row).await,
        _ => {
            Err("use: streams peer ADDRESS | streams measure ADDRESS [JSON] | streams row ADDRESS JSON"
                .into())
        }
    }
}

async fn answer(address: &str) -> Result<(), Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let net = RealNet::new(Arc::clone(&clock));
    let binding = Binding::default();
    let reflector = serve(&net, address.parse()?, &binding, Mode::Open, stamp::Limits::default())?;
    let port = Some(reflector.address().port());
    let peer = Peer::bind(address.parse()?, Limits::default(), port).await?;
    println!("{}", peer.address()?);
    let (end, stop) = Stop::new();
    let serving = tokio::spawn(peer.serve(clock, stop));
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    end.send(true)?;
    Ok(serving.await?)
}

async fn measure(
    address: &str,
    settings: &str,
    print: fn(&Sample, &[Sample]) -> Option<String>,
) -> Result<(), Box<dyn Error>> {
    let settings: Settings = serde_json::from_str(settings)?;
    let context = Context::alone(&address, Arc::new(SystemClock::start()), 1);
    let Measurement { samples, .. } = Throughput::new(settings)?.run(&context).await?;
    for text in samples.iter().filter_map(|sample| print(sample, &samples)) {
        println!("{text}");
    }
    Ok(())
}

fn row(sample: &Sample, all: &[Sample]) -> Option<String> {
    let value = match &sample.values {
        Values::Number(number) => format!("{number:.6}"),
        Values::Unmeasured(reason) => reason.0.clone(),
        Values::Histogram(_) => return None,
    };
    let load = if sample.direction == Direction::Down { Load::Down } else { Load::Up };
    let rise = |key: &str| {
        let loaded = all.iter().find(|other| other.load == load);
        loaded.and_then(|loaded| loaded.details.get(key)).map_or("-".into(), ToString::to_string)
    };
    let detail = |path: &[&str]| {
        let root = sample.details.get(path[0]);
        path[1..]
            .iter()
            .fold(root, |at, key| at.and_then(|at| at.get(key)))
            .map_or("-".into(), ToString::to_string)
    };
    Some(
        [
            sample.direction.word().to_owned(),
            value,
            detail(&["warm_up_ms"]),
            detail(&["sender", "retransmitted_ratio"]),
            detail(&["stream_bytes", "fairness"]),
            sample.details["stream_bytes"]["each"]
                .as_array()
                .map_or(0, |each| each.iter().filter_map(serde_json::Value::as_u64).sum())
                .to_string(),
            rise("rise_p50_ms"),
            rise("rise_p95_ms"),
            format!("{:.6}", window_start(sample)),
            detail(&["window_ms"]),
        ]
        .join("\t"),
    )
}

fn window_start(sample: &Sample) -> f64 {
    let warm_up_ms = sample.details.get("warm_up_ms").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
    sample.started_at.0 as f64 / 1e9 + warm_up_ms / 1e3
}

#[expect(clippy::unnecessary_wraps, reason = "one of two ways to print, and the other leaves samples out")]
fn line(sample: &Sample, _all: &[Sample]) -> Option<String> {
    let value = match &sample.values {
        Values::Number(number) => json!(number),
        Values::Unmeasured(reason) => json!({ "unmeasured": reason.0 }),
        Values::Histogram(delays) => json!({
            "n": delays.len(),
            "p50": delays.quantile(0.5).map(|ticks| ticks as f64 * sample.metric.tick),
            "p95": delays.quantile(0.95).map(|ticks| ticks as f64 * sample.metric.tick),
        }),
    };
    let line = json!({
        "metric": sample.metric, "load": sample.load, "direction": sample.direction, "value": value,
        "details": sample.details,
    });
    Some(line.to_string())
}
