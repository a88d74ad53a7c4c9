//! `iperf3`: how much payload a line carries, asked of any iperf3 server.
//!
//! The protocol of iperf3 (esnet/iperf, versions 3.1 to 3.21), which has no specification but its source: a control
//! connection that agrees on parameters, data streams over TCP or UDP, and an exchange of what each end counted.
//! What is received here is counted as `throughput` counts; what the server receives, the server counts, and results
//! say so. With UDP each packet has a number and a time, which give loss, order and RTP jitter (RFC 3550).
//!
//! What it cannot tell: the delay under load, for nothing is sent beside; what another version of iperf3 leaves out of
//! its results; and who is at fault for a low rate, the line or the server. Users and passwords are not supported.

mod client;
pub mod ledger;
mod load;
pub mod peer;
mod result;
mod settings;
mod talk;
mod udp;

pub use settings::{DESCRIPTOR, Directions, Protocol, Settings};

use crate::codec::iperf3::PORT;
use crate::probe::{Context, Descriptor, Event, Measurement, Probe, ProbeError};
use crate::resolve::resolve;
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use client::Refusal;

/// The pause between two tests: the buffers of the line empty, and the server is ready for the next one.
const SETTLE: Span = Span::millis(500);

/// What is said of a direction that came after a stop.
const NOT_ASKED: &str = "not asked: the measurement was interrupted before it";

/// The method with its settings.
pub struct Iperf3 {
    settings: Settings,
    /// How long the server may take to say what it must say next.
    patience: Span,
}

impl Iperf3 {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        Ok(Self { settings: settings.check()?, patience: Span::secs(10) })
    }
}

#[async_trait]
impl Probe for Iperf3 {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let mut out = Measurement::begun(context.clock.wall());
        let address = resolve(context, PORT).await?;
        for (part, &ways) in self.settings.direction.tests().iter().enumerate() {
            let test = result::Test { ways, address, settings: &self.settings, context };
            let asked_at = context.clock.wall();
            if out.interrupted {
                test.add(asked_at, &Err(String::from(NOT_ASKED)), &mut out);
                continue;
            }
            if part > 0 {
                tokio::time::sleep(SETTLE.to_std()).await;
            }
            context.tell(Event::Phase(ways.word()));
            let came = match client::agree(&self.settings, ways, address, self.patience, context).await {
                Ok(turn) => turn.test(&self.settings, ways, context).await,
                Err(Refusal::Stopped) => {
                    out.interrupted = true;
                    Err(String::from(NOT_ASKED))
                }
                // What was measured before is worth having.
                Err(Refusal::Error(error)) if part > 0 => Err(error.to_string()),
                Err(Refusal::Error(error)) => return Err(error),
            };
            test.add(asked_at, &came, &mut out);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
