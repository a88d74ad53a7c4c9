//! The answering side of every method: takes the ports that a configuration names, and answers until it is told to stop.
//!
//! One queue for all: one loading test at a time, whatever its protocol. STAMP and `throughput` are started here, because the
//! one tells of the other; all others come from the catalogue of answering sides.

use crate::config::PeerConfig;
use crate::config::peer::{ServicePeer, TlsSection};
use broadgauge_model::clock::Clock;
use broadgauge_probes::codec::stamp::Mode;
use broadgauge_probes::net::real::RealNet;
use broadgauge_probes::net::{Net, NetError};
use broadgauge_probes::peer::queue::Queue;
use broadgauge_probes::peer::service::{Ground, Keeper, Kept, Running};
use broadgauge_probes::probe::{Binding, Stop};
use broadgauge_probes::stamp::serve::{Serving, serve};
use broadgauge_probes::throughput::peer::{Limits, Peer};
use broadgauge_probes::tls::{Server, TlsError};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Why a peer does not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The reflector has no socket.
    #[error("cannot answer stamp at udp {at}")]
    Reflector {
        /// Where.
        at: SocketAddr,
        /// Why.
        source: NetError,
    },
    /// The system keeps low ports to itself.
    #[error(
        "not permitted: answering {name} at {at}; name a port above 1023 ({flag}), or grant CAP_NET_BIND_SERVICE with \
         `setcap cap_net_bind_service+ep` on this program"
    )]
    Forbidden {
        /// Which service.
        name: &'static str,
        /// Where.
        at: String,
        /// How another port is named.
        flag: String,
    },
    /// A service has no port.
    #[error("cannot answer {name} at {at}")]
    Port {
        /// Which service.
        name: &'static str,
        /// Where.
        at: String,
        /// Why.
        source: io::Error,
    },
    /// There is no certificate for the services under TLS.
    #[error("no certificate for the services under TLS")]
    Tls(#[from] TlsError),
    /// A certificate that was made here cannot be written.
    #[error("cannot write the certificate to {file}", file = file.display())]
    Write {
        /// Where.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A peer that has its ports.
pub struct Answering {
    /// What answers where, for people; and what does not.
    pub words: Vec<String>,
    /// What is left out and why, for people.
    pub left_out: Vec<String>,
    reflectors: Vec<Serving>,
    throughput: Option<Peer>,
    services: Vec<Running>,
}

/// Takes all ports. Needs a runtime.
pub fn start(config: &PeerConfig, clock: &Arc<dyn Clock>, stop: &Stop) -> Result<Answering, PeerError> {
    let mut out = Answering {
        words: Vec::new(),
        left_out: Vec::new(),
        reflectors: Vec::new(),
        throughput: None,
        services: Vec::new(),
    };
    let limits = Limits { waiting: config.waiting, ..Limits::default() };
    let queue = Queue::new(limits.waiting, limits.tests_per_place);
    let addresses = out.usable(&config.listen);
    let net: Arc<dyn Net> = Arc::new(RealNet::new(Arc::clone(clock)));
    if let Some(stamp) = &config.stamp {
        let mode = stamp.key.clone().map_or(Mode::Open, Mode::Authenticated);
        for &address in &addresses {
            let at = SocketAddr::new(address, stamp.port);
            let reflector = serve(&*net, at, &Binding::default(), mode.clone(), stamp.limits)
                .map_err(|source| no_reflector(at, source))?;
            out.words.push(format!("answering stamp at udp {}", reflector.address()));
            out.reflectors.push(reflector);
        }
    }
    if let Some(port) = config.throughput {
        let mut peer = Peer::sharing(queue.clone(), limits);
        for &address in &addresses {
            let at = SocketAddr::new(address, port);
            let beside = out.reflectors.iter().map(Serving::address).find(|at| at.ip() == address);
            let stamp_port = beside.map(|at| at.port());
            peer = peer
                .and_at(at, stamp_port)
                .map_err(|source| no_port("throughput", at.to_string(), "--throughput-port PORT", source))?;
        }
        out.words.extend(peer.addresses().iter().map(|at| format!("answering throughput at tcp {at}")));
        out.throughput = Some(peer);
    }
    let any_under_tls = config.services.iter().any(|service| service.tls);
    let tls = if any_under_tls { Some(certificate(&config.tls, &addresses)?) } else { None };
    for &ServicePeer { service, port, tls: under_tls } in &config.services {
        let at: Vec<SocketAddr> = addresses.iter().map(|&address| SocketAddr::new(address, port)).collect();
        let ground = Ground {
            at: at.clone(),
            tls: tls.clone().filter(|_| under_tls),
            queue: queue.clone(),
            net: Arc::clone(&net),
            clock: Arc::clone(clock),
            stop: stop.clone(),
            keeper: config.archive_directory.clone().map(|folder| keeper(folder.join(service.name))),
        };
        let running = (service.start)(ground).map_err(|source| {
            let at = at.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            no_port(service.name, at, &format!("--serve {}=PORT", service.name), source)
        })?;
        let how = if under_tls { " under TLS" } else { "" };
        let words = running
            .addresses
            .iter()
            .map(|at| format!("answering {} at {} {at}{how}", service.name, service.transport));
        out.words.extend(words);
        out.services.push(running);
    }
    Ok(out)
}

fn no_reflector(at: SocketAddr, source: NetError) -> PeerError {
    match source {
        NetError::Socket { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            no_port("stamp", format!("udp {at}"), "--stamp-port PORT", source)
        }
        source => PeerError::Reflector { at, source },
    }
}

fn no_port(name: &'static str, at: String, flag: &str, source: io::Error) -> PeerError {
    if source.kind() == io::ErrorKind::PermissionDenied {
        return PeerError::Forbidden { name, at, flag: flag.to_owned() };
    }
    PeerError::Port { name, at, source }
}

/// Writes tests under a folder, a day to a folder of its own.
fn keeper(folder: PathBuf) -> Keeper {
    Arc::new(move |kept: Kept| {
        let day = folder.join(&kept.folder);
        let written =
            std::fs::create_dir_all(&day).and_then(|()| std::fs::write(day.join(&kept.name), &kept.bytes));
        if let Err(error) = written {
            // The test itself went well, and its client has its result.
            tracing::error!(%error, name = kept.name, folder = %day.display(), "a test was not kept");
        }
    })
}

impl Answering {
    /// The addresses that this host has: one without IPv6 is no reason not to answer IPv4, unless it was asked for by name.
    fn usable(&mut self, listen: &[IpAddr]) -> Vec<IpAddr> {
        let mut usable = Vec::new();
        for &address in listen {
            let any_port = SocketAddr::new(address, 0);
            match std::net::UdpSocket::bind(any_port) {
                Err(error) if address.is_unspecified() && address.is_ipv6() => {
                    self.left_out.push(format!("not answering on {address}: {error}"));
                }
                _ => usable.push(address),
            }
        }
        usable
    }

    /// Answers until it is told to stop, and tells what was answered.
    pub async fn serve(self, clock: Arc<dyn Clock>, mut stop: Stop) -> Vec<String> {
        let mut all = JoinSet::new();
        if let Some(peer) = self.throughput {
            all.spawn(peer.serve(clock, stop.clone()));
        }
        for service in self.services {
            all.spawn(service.answering);
        }
        stop.wait().await;
        while all.join_next().await.is_some() {}
        let told = |reflector: Serving| {
            let (at, totals) = (reflector.address(), reflector.stop());
            format!(
                "{at}: {} packets answered, {} not recognised, {} forged",
                totals.answered, totals.unrecognised, totals.forged
            )
        };
        self.reflectors.into_iter().map(told).collect()
    }
}

/// The certificate that was named, or one that vouches for itself.
fn certificate(section: &TlsSection, addresses: &[IpAddr]) -> Result<Server, PeerError> {
    if let (Some(chain), Some(key)) = (&section.certificate_file, &section.key_file) {
        return Ok(Server::from_files(chain, key, &[])?);
    }
    let names = if section.names.is_empty() {
        let own = addresses.iter().filter(|address| !address.is_unspecified()).map(ToString::to_string);
        ["localhost", "127.0.0.1", "::1"].map(String::from).into_iter().chain(own).collect()
    } else {
        section.names.clone()
    };
    let made = Server::self_signed(&names, &[])?;
    if let (Some(file), Some(pem)) = (&section.write_certificate_file, made.certificate_pem()) {
        std::fs::write(file, pem).map_err(|source| PeerError::Write { file: file.clone(), source })?;
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_the_system_keeps_to_itself_comes_with_the_cure() {
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let source = NetError::Socket { what: "bind".into(), source: denied() };
        let told = no_reflector(SocketAddr::from(([0, 0, 0, 0], 862)), source).to_string();
        for words in ["stamp at udp 0.0.0.0:862", "--stamp-port", "1023", "CAP_NET_BIND_SERVICE"] {
            assert!(told.contains(words), "{words}: {told}");
        }
        let told = no_port("ndt7", "[::]:80".into(), "--serve ndt7=PORT", denied()).to_string();
        assert!(told.contains("--serve ndt7=PORT"), "{told}");
    }
}
