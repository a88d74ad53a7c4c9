//! `web`: how long does a page take that consists of these objects?
//!
//! A model of a browser, not a browser: the page itself is fetched, then all objects of a fixed list at once, over the connections that
//! browsers allow themselves (one for each host that speaks HTTP/2, six where it speaks HTTP/1.1), with nothing cached and
//! nothing kept from the page before. The page's time is from the start, name and all, to the last byte of the last object (in the sense
//! of ETSI EG 202 057-4). A page counts only if every object came whole with status 2xx.
//!
//! What it cannot tell: what a browser adds. It neither reads nor runs what it fetches, so nothing is found late, nothing is
//! put first, and nothing is painted; the list is the same whatever the page has become. Differences between lines are
//! meant, not seconds that a customer would read off a clock.

mod page;
mod settings;

pub use settings::{DESCRIPTOR, Settings};

use crate::dial::Times;
use crate::http::Url;
use crate::packets;
use crate::probe::{Context, Descriptor, Measurement, Probe, ProbeError};
use crate::rounds::{Round, Rounds};
use crate::tls::{Client, Trust};
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use broadgauge_model::metric::MetricId;
use page::{Page, Wanted};
use serde_json::{Map, Value, json};
use std::io;
use std::sync::Arc;

/// The method with its settings.
#[derive(Clone, Debug)]
pub struct Web {
    settings: Settings,
}

impl Web {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        settings.check(0)?;
        Ok(Self { settings })
    }
}

#[async_trait]
impl Probe for Web {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let (pace, within) = self.settings.check(context.seed)?;
        let page = Url::parse(&context.address).map_err(|problem| ProbeError::Resolve {
            host: context.address.clone(),
            source: io::Error::new(io::ErrorKind::InvalidInput, problem),
        })?;
        let trust = Trust { ca_file: self.settings.ca_file.clone(), insecure: self.settings.insecure };
        let wanted = Arc::new(Wanted {
            objects: self.settings.objects(&page)?,
            page,
            client: Client::new(&trust, &["h2", "http/1.1"])
                .map_err(|error| error.of_method(DESCRIPTOR.name))?,
            within,
            connections: self.settings.connections,
            most_bytes: self.settings.most_bytes,
        });
        // One at a time: two pages would share the line.
        let attempt = || page::fetch(context.clone(), Arc::clone(&wanted));
        let rounds = Rounds::run(context, &DESCRIPTOR, &pace, 1, attempt).await?;
        let mut sample = rounds.sample(context, MetricId::PAGE_TIME, |page: &Page| page.fate.clone());
        sample.details = self.details(context, &wanted, rounds.each().next_back());
        Ok(rounds.measurement(context, vec![sample]))
    }
}

impl Web {
    fn details(&self, context: &Context, wanted: &Wanted, last: Option<&Page>) -> Map<String, Value> {
        let mut details = Map::new();
        packets::binding(context, &mut details);
        let document = last.and_then(|page| page.document);
        let part = |of: fn(&Times) -> Option<Span>| document.as_ref().and_then(of).map(Span::as_millis_f64);
        let document = json!({
            "resolve_ms": part(|times| times.resolve),
            "connect_ms": part(|times| times.connect),
            "tls_ms": part(|times| times.tls),
        });
        let more = [
            ("model", json!("a fixed list of objects over a browser's connections; not a browser")),
            ("url", json!(wanted.page.to_string())),
            ("objects_wanted", json!(wanted.objects.len() + 1)),
            ("cache", json!("cold")),
            ("connections_per_host", json!({"http_1_1": self.settings.connections, "http_2": 1})),
            ("connections", json!(last.map(|page| page.connections))),
            ("body_bytes", json!(last.map(Round::bytes))),
            ("document", document),
            ("objects", json!(last.map(|page| &page.objects))),
            ("per_second", json!(self.settings.per_second)),
            ("timeout_s", json!(self.settings.timeout_s)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
        details
    }
}

#[cfg(test)]
mod tests;
