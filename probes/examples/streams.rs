//! Both ends of a throughput test by hand, for the lab: `streams peer ADDRESS` answers until its standard input ends,
//! `streams measure ADDRESS [SETTINGS AS JSON]` measures once and prints each sample as a line of JSON.
#![expect(clippy::print_stdout, reason = "a program of its own, whose output is data")]

use broadgauge_model::clock::SystemClock;
use broadgauge_model::result::{Sample, Values};
use broadgauge_probes::probe::{Binding, Context, Measurement, Probe, Stop};
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
        ["measure", address] => measure(address, "{}").await,
        ["measure", address, settings] => measure(address, settings).await,
        _ => Err("use: streams peer ADDRESS | streams measure ADDRESS [JSON]".into()),
    }
}

async fn answer(address: &str) -> Result<(), Box<dyn Error>> {
    let peer = Peer::bind(address.parse()?, Limits::default(), None).await?;
    println!("{}", peer.address()?);
    let (end, stop) = Stop::new();
    let serving = tokio::spawn(peer.serve(Arc::new(SystemClock::start()), stop));
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    end.send(true)?;
    Ok(serving.await?)
}

async fn measure(address: &str, settings: &str) -> Result<(), Box<dyn Error>> {
    let settings: Settings = serde_json::from_str(settings)?;
    let context = Context {
        line_id: String::from("lab"),
        target: String::from("peer"),
        address: address.to_owned(),
        family: None,
        binding: Binding::default(),
        clock: Arc::new(SystemClock::start()),
        seed: 1,
        listener: None,
        stop: Stop::never(),
    };
    let Measurement { samples, .. } = Throughput::new(settings)?.run(&context).await?;
    for sample in samples {
        println!("{}", line(&sample));
    }
    Ok(())
}

fn line(sample: &Sample) -> serde_json::Value {
    let value = match &sample.values {
        Values::Number(number) => json!(number),
        Values::Unmeasured(reason) => json!({ "unmeasured": reason.0 }),
        Values::Histogram(delays) => json!({
            "n": delays.len(),
            "p50": delays.quantile(0.5).map(|ticks| ticks as f64 * sample.metric.tick),
            "p95": delays.quantile(0.95).map(|ticks| ticks as f64 * sample.metric.tick),
        }),
    };
    json!({
        "metric": sample.metric, "load": sample.load, "direction": sample.direction, "value": value,
        "details": sample.details,
    })
}
