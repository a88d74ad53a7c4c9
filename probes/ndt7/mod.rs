//! `ndt7`: how much payload one TCP stream carries, against any server that speaks ndt7 (M-Lab's own, or ours).
//!
//! ndt7 protocol 0.11 (m-lab/ndt-server): a WebSocket in each direction, ten seconds, messages that grow. The download is
//! what arrives here over the time it took; the upload is what the server's kernel, or else the server, says that
//! it received: a sender's count holds what its buffers hold. Both from the handshake on, slow start and all: that is the
//! method's own definition, and the rate behind the warm-up stands beside it.
//!
//! What it cannot tell: what the line carries where one stream does not fill it; loss and a far server make it read low,
//! which the server's own TCP figures beside it show. An end of the connection is not a failed test.

mod client;
mod counted;
mod locate;
pub mod peer;
mod result;
mod settings;
mod socket;

pub use crate::throughput::Directions;
pub use settings::{DESCRIPTOR, Settings};

use crate::codec::ndt7::Subtest;
use crate::http::Url;
use crate::probe::{Context, Descriptor, Event, Measurement, Probe, ProbeError};
use crate::resolve::split;
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use socket::Opened;
use std::io;

/// The pause between two directions: the buffers of the line empty.
const SETTLE: Span = Span::millis(500);

/// What is said of a subtest that came after a stop.
const NOT_ASKED: &str = "not asked: the measurement was interrupted before it";

/// The method with its settings.
pub struct Ndt7 {
    settings: Settings,
}

impl Ndt7 {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        Ok(Self { settings: settings.check()? })
    }

    /// The servers to try for a subtest.
    async fn servers(&self, subtest: Subtest, context: &Context) -> Result<Vec<Url>, ProbeError> {
        if let Some(service) = &self.settings.locate {
            return locate::locate(service, subtest, &self.settings, context).await;
        }
        let port = if self.settings.tls { 443 } else { 80 };
        let (host, port) =
            split(&context.address, port).filter(|(host, _)| !host.is_empty()).ok_or_else(|| {
                let source = io::Error::new(io::ErrorKind::InvalidInput, "not HOST or HOST:PORT");
                ProbeError::Resolve { host: context.address.clone(), source }
            })?;
        Ok(vec![socket::on(host, port, subtest, &self.settings)])
    }

    /// The first server that lets us in.
    async fn open(&self, subtest: Subtest, context: &Context) -> Result<(Url, Opened), ProbeError> {
        let mut refusal = None;
        for url in self.servers(subtest, context).await? {
            match socket::open(&url, &self.settings, context).await {
                Ok(opened) => return Ok((url, opened)),
                Err(error) => {
                    tracing::debug!(server = url.authority(), %error, "the next server is tried");
                    refusal = Some(error);
                }
            }
        }
        Err(refusal.unwrap_or_else(|| ProbeError::Peer {
            address: context.address.clone(),
            problem: String::from("names no server"),
        }))
    }
}

#[async_trait]
impl Probe for Ndt7 {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let mut out = Measurement::begun(context.clock.wall());
        let mut stop = context.stop.clone();
        for (part, subtest) in self.settings.subtests().enumerate() {
            let asked_at = context.clock.wall();
            let mut test =
                result::Test { subtest, server: None, tls: None, settings: &self.settings, context };
            if out.interrupted {
                test.add(asked_at, &Err(String::from(NOT_ASKED)), &mut out);
                continue;
            }
            if part > 0 {
                tokio::time::sleep(SETTLE.to_std()).await;
            }
            context.tell(Event::Phase(subtest.name()));
            let opened = tokio::select! {
                () = stop.wait() => None,
                opened = self.open(subtest, context) => Some(opened),
            };
            let ran = match opened {
                None => {
                    out.interrupted = true;
                    Err(String::from(NOT_ASKED))
                }
                Some(Ok((url, opened))) => {
                    test.server = Some((opened.address, url.authority()));
                    test.tls.clone_from(&opened.tls);
                    Ok(match subtest {
                        Subtest::Download => client::download(opened, &self.settings, context).await,
                        Subtest::Upload => client::upload(opened, &self.settings, context).await,
                    })
                }
                // What was measured before is worth having.
                Some(Err(error)) if part > 0 => Err(error.to_string()),
                Some(Err(error)) => return Err(error),
            };
            test.add(asked_at, &ran, &mut out);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
