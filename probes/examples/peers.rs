//! Both ends of the methods that speak other tools' protocols, by hand, for the lab:
//! `peers answer NAME ADDRESS` answers until its standard input ends;
//! `peers measure METHOD ADDRESS [SETTINGS AS JSON]` measures once and prints each sample as a line of JSON.
#![expect(clippy::print_stdout, reason = "a program of its own, whose output is data")]

use broadgauge_model::clock::{Clock, SystemClock};
use broadgauge_model::result::{Sample, Values};
use broadgauge_probes::answering;
use broadgauge_probes::catalogue::find;
use broadgauge_probes::net::real::RealNet;
use broadgauge_probes::peer::queue::Queue;
use broadgauge_probes::peer::service::Ground;
use broadgauge_probes::probe::{Context, Stop};
use serde_json::{Value, json};
use std::error::Error;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["answer", method, address] => answer(method, address).await,
        ["measure", method, address] => measure(method, address, "{}").await,
        ["measure", method, address, settings] => measure(method, address, settings).await,
        _ => Err("use: peers answer NAME ADDRESS | peers measure METHOD ADDRESS [JSON]".into()),
    }
}

async fn answer(name: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let service = answering::find(name).ok_or_else(|| format!("nothing answers {name:?}"))?;
    let (end, stop) = Stop::new();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let ground = Ground {
        at: vec![address.parse()?],
        tls: None,
        queue: Queue::new(0, 1),
        net: Arc::new(RealNet::new(Arc::clone(&clock))),
        clock,
        stop,
        keeper: None,
    };
    let running = (service.start)(ground)?;
    println!("{}", running.addresses[0]);
    let serving = tokio::spawn(running.answering);
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    end.send(true)?;
    Ok(serving.await?)
}

async fn measure(method: &str, address: &str, settings: &str) -> Result<(), Box<dyn Error>> {
    let method = find(method).ok_or_else(|| format!("no method is called {method:?}"))?;
    let Value::Object(settings) = serde_json::from_str(settings)? else { return Err("not an object".into()) };
    let context = Context::alone(&address, Arc::new(SystemClock::start()), 1);
    let probe = (method.build)(&settings, None)?;
    for sample in probe.run(&context).await?.samples {
        println!("{}", line(&sample));
    }
    Ok(())
}

fn line(sample: &Sample) -> Value {
    let value = match &sample.values {
        Values::Number(number) => json!(number),
        Values::Unmeasured(reason) => json!({ "unmeasured": reason.0 }),
        Values::Histogram(values) => json!({
            "n": values.len(),
            "p50": values.quantile(0.5).map(|ticks| ticks as f64 * sample.metric.tick),
            "p95": values.quantile(0.95).map(|ticks| ticks as f64 * sample.metric.tick),
        }),
    };
    json!({
        "metric": sample.metric, "load": sample.load, "direction": sample.direction, "value": value,
        "counts": sample.counts, "details": sample.details,
    })
}
