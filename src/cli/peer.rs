//! `broadgauge peer`: the answering side of every method, safe to leave in the open.

use super::{Ended, Failure, Outcome, out, secret, wait};
use anyhow::Context as _;
use broadgauge_model::clock::SystemClock;
use broadgauge_probes::codec::stamp::Mode;
use broadgauge_probes::net::real::RealNet;
use broadgauge_probes::probe::{Binding, Stop};
use broadgauge_probes::stamp::serve::{Serving, serve};
use broadgauge_probes::throughput::peer::Peer;
use broadgauge_probes::{stamp, throughput};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// Answer measurements: a STAMP reflector, and the far end of `throughput` and `connect`
#[derive(clap::Args)]
pub struct Args {
    /// Addresses to answer on; give it once for each
    #[arg(short, long, value_name = "ADDRESS", default_values = ["0.0.0.0", "::"])]
    listen: Vec<IpAddr>,
    /// UDP port of the STAMP reflector
    #[arg(long, value_name = "PORT", default_value_t = broadgauge_probes::codec::stamp::PORT)]
    stamp_port: u16,
    /// TCP port for throughput and connect
    #[arg(long, value_name = "PORT", default_value_t = throughput::DEFAULT_PORT)]
    throughput_port: u16,
    /// File with the key shared with senders: the reflector then answers authenticated packets only
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// STAMP packets answered to one address in a second
    #[arg(long, value_name = "N", default_value_t = stamp::peer::Limits::default().per_address)]
    packets_per_address: f64,
    /// STAMP packets answered to all in a second
    #[arg(long, value_name = "N", default_value_t = stamp::peer::Limits::default().total)]
    packets_in_total: f64,
    /// Load tests that may wait for their turn
    #[arg(long, value_name = "N", default_value_t = throughput::peer::Limits::default().waiting)]
    waiting: usize,
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    wait::block_on(answer(args))?
}

async fn answer(args: Args) -> Outcome {
    let stop = wait::stop_on_signal();
    let mode = match &args.key_file {
        Some(file) => Mode::Authenticated(secret::key(file)?),
        None => Mode::Open,
    };
    let limits = stamp::peer::Limits {
        per_address: args.packets_per_address,
        total: args.packets_in_total,
        ..stamp::peer::Limits::default()
    };
    let clock = Arc::new(SystemClock::start());
    let net = RealNet::new(Arc::clone(&clock) as _);
    let mut reflectors: Vec<Serving> = Vec::new();
    let mut streams: Option<Peer> = None;
    for &address in &args.listen {
        let at = SocketAddr::new(address, args.stamp_port);
        let reflector = match serve(&net, at, &Binding::default(), mode.clone(), limits) {
            Ok(reflector) => reflector,
            // A host without IPv6 is no reason not to answer IPv4, unless it was asked for by name.
            Err(error) if address.is_unspecified() && address.is_ipv6() => {
                out::talk(&format!("not answering on {address}: {}", anyhow::Error::from(error)));
                continue;
            }
            Err(error) => {
                return Err(Failure::reach(
                    anyhow::Error::from(error).context(format!("cannot answer at {at}")),
                ));
            }
        };
        let at = SocketAddr::new(address, args.throughput_port);
        let stamp_port = Some(reflector.address().port());
        // One peer for all addresses: one load test at a time, wherever it comes from.
        let peer = match streams.take() {
            None => bind(at, args.waiting, stamp_port).await,
            Some(peer) => peer.and_at(at, stamp_port),
        };
        let peer = peer.with_context(|| format!("cannot listen at tcp {at}")).map_err(Failure::reach)?;
        let port = peer.addresses().last().copied().unwrap_or(at);
        out::line(&format!("answering stamp at udp {} and throughput at tcp {port}", reflector.address()));
        streams = Some(peer);
        reflectors.push(reflector);
    }
    match streams {
        Some(peer) => peer.serve(clock, stop).await,
        None => wait(stop).await,
    }
    for reflector in reflectors {
        let (at, totals) = (reflector.address(), reflector.stop());
        out::talk(&format!(
            "{at}: {} packets answered, {} not recognised, {} forged",
            totals.answered, totals.unrecognised, totals.forged
        ));
    }
    Ok(Ended::Done)
}

async fn bind(at: SocketAddr, waiting: usize, stamp_port: Option<u16>) -> std::io::Result<Peer> {
    let limits = throughput::peer::Limits { waiting, ..throughput::peer::Limits::default() };
    Peer::bind(at, limits, stamp_port).await
}

async fn wait(mut stop: Stop) {
    stop.wait().await;
}
