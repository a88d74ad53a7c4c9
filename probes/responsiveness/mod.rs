//! `responsiveness`: how many round trips a minute does a line make while it is at work?
//!
//! Responsiveness under working conditions, draft-ietf-ippm-responsiveness-09, over HTTP/2 and TLS: connections are added until the load
//! carries no more, and probes beside the load and on it say how long a small question takes meanwhile ([`meter`] has the formulas). Both
//! parts, both stability states and the confidence stand beside the figure. The parameters are the draft's; the interval of 5 s,
//! in particular, makes a direction last 40 s where it settles at once; programs in the field use 1 s, and
//! their figures are not comparable unless that is set.
//!
//! What it cannot tell: the line's queue from the server's and from this machine's own buffers; all of them are what a
//! customer waits for. `loaded_round_trip_delay` of `throughput` is the line's queue alone.

pub mod discovery;
mod load;
pub mod meter;
pub mod peer;
mod probing;
mod result;
mod settings;
mod test;

pub use settings::{DEFAULT_PORT, DESCRIPTOR, Settings};

use crate::dial::{Times, dial_address};
use crate::http::{Bounds, HttpError, Payload, Session, Url, Windows, exchange};
use crate::probe::{Context, Descriptor, Event, Measurement, Probe, ProbeError};
use crate::resolve::{look_up, split};
use crate::throughput::SETTLE;
use crate::tls::{Client, Facts, Trust};
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use discovery::{LONGEST, Urls, WELL_KNOWN};
use hyper::Method;
use hyper::header::RETRY_AFTER;
use load::Road;
use std::io;

/// How long to wait before a busy server is asked again.
const ASK_AGAIN: Span = Span::secs(2);

/// The method with its settings.
#[derive(Clone, Debug)]
pub struct Responsiveness {
    settings: Settings,
}

impl Responsiveness {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        Ok(Self { settings: settings.check()? })
    }
}

#[async_trait]
impl Probe for Responsiveness {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let mut out = Measurement::begun(context.clock.wall());
        let trust = Trust { ca_file: self.settings.ca_file.clone(), insecure: self.settings.insecure };
        let client = Client::new(&trust, &["h2"]).map_err(|error| error.of_method(DESCRIPTOR.name))?;
        let mut stop = context.stop.clone();
        let (urls, facts) = tokio::select! {
            () = stop.wait() => {
                out.interrupted = true;
                return Ok(out);
            }
            found = self.discover(context, &client) => found?,
        };
        let host = urls.endpoint.as_deref().unwrap_or(&urls.small.host);
        let address = look_up(host, urls.small.port, context).await?;
        let road = Road { context: context.clone(), client, address, timeout: self.settings.timeout() };
        for (part, way) in self.settings.direction.ways().iter().enumerate() {
            if context.stop.is_set() {
                break;
            }
            if part > 0 {
                tokio::time::sleep(SETTLE.to_std()).await;
            }
            context.tell(Event::Phase(way.word()));
            let at = context.clock.wall();
            let patience = Span::secs(i64::from(self.settings.queue_patience_s));
            let patience_ends = context.clock.mono() + patience;
            let ran = loop {
                match test::run(*way, &urls, &road, &self.settings).await {
                    Err(refused) if refused.busy && context.clock.mono() < patience_ends => {
                        context.tell(Event::Queued { ahead: 1 });
                        tokio::select! {
                            () = stop.wait() => break Err(refused.why),
                            () = tokio::time::sleep(ASK_AGAIN.to_std()) => {}
                        }
                    }
                    ran => break ran.map_err(|refused| refused.why),
                }
            };
            let asked = result::Asked {
                way: *way,
                at,
                urls: &urls,
                address,
                facts: facts.as_ref(),
                settings: &self.settings,
                context,
            };
            asked.add(ran, &mut out);
        }
        out.interrupted = context.stop.is_set();
        Ok(out)
    }
}

impl Responsiveness {
    /// Asks the server where its load and its probes are.
    async fn discover(
        &self,
        context: &Context,
        client: &Client,
    ) -> Result<(Urls, Option<Facts>), ProbeError> {
        let url = self.well_known(context)?;
        let peer = |problem: String| ProbeError::Peer { address: url.authority(), problem };
        let within = self.settings.timeout();
        let address = look_up(&url.host, url.port, context).await?;
        let client = url.secure.then_some(client);
        let dialled = dial_address(context, &url.host, address, client, within, Times::default())
            .await
            .map_err(|error| error.fatal(&url.authority()))?;
        let facts = dialled.tls.clone();
        let asking = async {
            let mut session = Session::over(dialled, Windows::default()).await?;
            let question = session.request(Method::GET, &url, &[], Payload::empty())?;
            let bounds = Bounds { head: within, within, bytes: LONGEST, keep: LONGEST as usize };
            exchange(&mut session, question, bounds, |_, _| {}).await
        };
        let answer = asking.await.map_err(|error: HttpError| peer(error.to_string()))?;
        if !answer.status.is_success() {
            let later = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let later = later.map_or_else(String::new, |value| {
                let value: String = value.chars().take(40).collect();
                format!("; it asks to come back after {value} s")
            });
            return Err(peer(format!("answered {} with status {}{later}", url.path, answer.status.as_u16())));
        }
        answer.ended.map_err(|error| peer(error.to_string()))?;
        Ok((discovery::read(&answer.kept, &url).map_err(peer)?, facts))
    }

    /// Where the object with the URLs is.
    fn well_known(&self, context: &Context) -> Result<Url, ProbeError> {
        let wrong = |problem: String| ProbeError::Resolve {
            host: context.address.clone(),
            source: io::Error::new(io::ErrorKind::InvalidInput, problem),
        };
        let mut url = Url::parse(&context.address).map_err(wrong)?;
        // A host without a port is a peer of ours; a URL is what it says.
        let host = context.address.split('/').next().unwrap_or_default();
        if let (false, Some((_, port))) = (context.address.contains("://"), split(host, DEFAULT_PORT)) {
            url.port = port;
        }
        match &self.settings.path {
            Some(path) => {
                url.join(path).map_err(|problem| ProbeError::setting(DESCRIPTOR.name, "path", problem))
            }
            None if url.path == "/" => url.join(WELL_KNOWN).map_err(wrong),
            None => Ok(url),
        }
    }
}

#[cfg(test)]
mod tests;
