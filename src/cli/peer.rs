//! `broadgauge peer`: the answering side of every method, safe to leave in the open.

use super::{Ended, Failure, Outcome, out, secret, wait};
use crate::config::PeerConfig;
use crate::config::peer::{ServiceSection, StampPeer};
use crate::peer;
use broadgauge_model::clock::{Clock, SystemClock};
use broadgauge_probes::answering::SERVICES;
use broadgauge_probes::codec::stamp::PORT;
use broadgauge_probes::stamp::peer::Limits;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Answer measurements: a STAMP reflector, the far end of `throughput` and `connect`, and servers of other tools' protocols
#[derive(clap::Args)]
pub struct Args {
    /// File that says what is answered where; the flags below change or add to it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Addresses to answer on; give it once for each [default: 0.0.0.0 and ::]
    #[arg(short, long, value_name = "ADDRESS")]
    listen: Vec<IpAddr>,
    /// UDP port of the STAMP reflector [default: 862]
    #[arg(long, value_name = "PORT")]
    stamp_port: Option<u16>,
    /// TCP port for throughput and connect [default: 8620]
    #[arg(long, value_name = "PORT")]
    throughput_port: Option<u16>,
    /// A further service, at its own port or at this one; give it once for each
    #[arg(long, value_name = "NAME[=PORT]", long_help = services())]
    serve: Vec<String>,
    /// File with the key shared with senders: the reflector then answers authenticated packets only
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Certificate chain in PEM for the services under TLS; one that vouches for itself is made where left out
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Its key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// STAMP packets answered to one address in a second
    #[arg(long, value_name = "N")]
    packets_per_address: Option<f64>,
    /// STAMP packets answered to all in a second
    #[arg(long, value_name = "N")]
    packets_in_total: Option<f64>,
    /// Load tests that may wait for their turn
    #[arg(long, value_name = "N")]
    waiting: Option<usize>,
}

fn services() -> String {
    let lines = SERVICES.iter().map(|s| format!("  {} ({} {}): {}", s.name, s.transport, s.port, s.about));
    format!(
        "A further service, at its own port or at this one; give it once for each:\n{}",
        lines.collect::<Vec<_>>().join("\n")
    )
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    let config = args.config()?;
    wait::block_on(answer(config))?
}

async fn answer(config: PeerConfig) -> Outcome {
    let stop = wait::stop_on_signal();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let answering = peer::start(&config, &clock, &stop).map_err(Failure::reach)?;
    answering.left_out.iter().for_each(|words| out::talk(words));
    answering.words.iter().for_each(|words| out::line(words));
    for told in answering.serve(clock, stop).await {
        out::talk(&told);
    }
    Ok(Ended::Done)
}

impl Args {
    /// What the file says, and the flags after it.
    fn config(self) -> Result<PeerConfig, Failure> {
        let mut config = match &self.config {
            Some(file) => PeerConfig::load(file).map_err(Failure::input)?,
            None => PeerConfig::default(),
        };
        if !self.listen.is_empty() {
            config.listen = self.listen;
        }
        config.waiting = self.waiting.unwrap_or(config.waiting);
        config.throughput = self.throughput_port.or(config.throughput);
        let key = self.key_file.as_deref().map(secret::key).transpose()?;
        let any_of_stamp = self.stamp_port.is_some() || key.is_some();
        if config.stamp.is_some() || any_of_stamp {
            let stamp =
                config.stamp.take().unwrap_or(StampPeer { port: PORT, key: None, limits: Limits::default() });
            config.stamp = Some(StampPeer {
                port: self.stamp_port.unwrap_or(stamp.port),
                key: key.or(stamp.key),
                limits: Limits {
                    per_address: self.packets_per_address.unwrap_or(stamp.limits.per_address),
                    total: self.packets_in_total.unwrap_or(stamp.limits.total),
                    ..stamp.limits
                },
            });
        }
        if let (Some(chain), Some(key)) = (self.tls_certificate, self.tls_key) {
            config.tls.certificate_file = Some(chain);
            config.tls.key_file = Some(key);
        }
        for wanted in &self.serve {
            let (name, port) = match wanted.split_once('=') {
                None => (wanted.as_str(), None),
                Some((name, port)) => (
                    name,
                    Some(port.parse().map_err(|_| {
                        Failure::input(anyhow::anyhow!("--serve {wanted:?}: {port:?} is not a port"))
                    })?),
                ),
            };
            let service = ServiceSection { port, tls: None }
                .check(name)
                .map_err(|wrong| Failure::input(anyhow::anyhow!("--serve {wanted:?}: {wrong}")))?;
            config.services.retain(|one| one.service.name != name);
            config.services.push(service);
        }
        Ok(config)
    }
}
