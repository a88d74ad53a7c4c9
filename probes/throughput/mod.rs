//! `throughput`: how much payload a line carries, down and up, and what that does to its delay.
//!
//! Several TCP streams at once to a peer of ours, counted where they are received, in intervals of 100 ms ([`meter`]
//! has the rule that leaves the warm-up out, and why the rate cannot exceed the line). It is a bulk transfer
//! capacity in the sense of RFC 6349: TCP payload, no headers and no retransmissions, with no
//! factor to make up for them. Beside it runs a stream of delay probes, idle before and during each load; the rise
//! from the one to the other is what a customer feels while somebody else downloads.
//!
//! What it cannot tell: whether a low rate is the line's or the peer's. The kernel's own figures of each stream, from
//! both ends, stand beside the rate for that. A rate from several streams is not comparable with one stream's.

mod client;
mod delay;
pub mod meter;
pub mod peer;
mod pump;
mod result;
mod settings;
mod words;

pub use settings::{DEFAULT_PORT, DESCRIPTOR, Directions, Settings};
pub(crate) use words::Way;

use crate::codec::stamp::Key;
use crate::probe::{Context, Descriptor, Event, Measurement, Probe, ProbeError, Stop};
use async_trait::async_trait;
use broadgauge_model::clock::Span;
use broadgauge_model::result::{Load, Reason};
use client::{Failed, Loaded, Turn};
use delay::{Seen, Watch};

/// The pause between two directions: the buffers of the line empty.
pub(crate) const SETTLE: Span = Span::millis(500);

/// The method with its settings.
pub struct Throughput {
    settings: Settings,
    key: Option<Key>,
    /// How long the peer may take to say what it must say next; it tells its queue every two seconds.
    patience: Span,
}

impl Throughput {
    /// With these settings, or why they cannot be.
    pub fn new(settings: Settings) -> Result<Self, ProbeError> {
        Ok(Self { settings: settings.check()?, key: None, patience: Span::secs(12) })
    }

    /// With delay probes in authenticated mode.
    #[must_use]
    pub fn with_key(self, key: Key) -> Self {
        Self { key: Some(key), ..self }
    }
}

#[async_trait]
impl Probe for Throughput {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        let mut out = Measurement {
            started_at: context.clock.wall(),
            samples: Vec::new(),
            singletons: Vec::new(),
            bytes_moved: 0,
            interrupted: false,
        };
        let direction = |way, peer| result::Direction { way, peer, settings: &self.settings, context };
        let ways = self.settings.direction.ways();
        let Some(mut turn) = client::take_turn(&self.settings, self.patience, context).await? else {
            let why = "stopped before its turn at the peer came";
            out.interrupted = true;
            if self.settings.delay_per_second > 0.0 && self.settings.idle_ms() > 0 {
                result::idle(&Err(Reason(format!("not asked: {why}"))), context, &mut out);
            }
            for way in ways {
                direction(*way, None).not_asked(why, &mut out);
            }
            return Ok(out);
        };
        let peer = turn.peer.clone();
        let watch = Watch::new(&self.settings, self.key.as_ref(), &turn.peer, context);
        let mut idle = None;
        if let Some(watch) = watch.as_ref().filter(|_| self.settings.idle_ms() > 0) {
            context.tell(Event::Phase("idle"));
            let during = Span::millis(self.settings.idle_ms() as i64);
            let seen = delay::seen(watch, Load::Idle, during, &context.stop).await;
            idle = result::idle(&seen, context, &mut out);
            out.interrupted = context.stop.is_set();
        }
        let mut breach = None;
        for (part, way) in ways.iter().enumerate() {
            let direction = direction(*way, Some(&peer));
            if out.interrupted {
                direction.not_asked("stopped before", &mut out);
                continue;
            }
            if let Some(word) = breach {
                // The two ends no longer agree where they are.
                direction.not_asked(&format!("the {word} before it failed"), &mut out);
                continue;
            }
            if part > 0 {
                tokio::time::sleep(SETTLE.to_std()).await;
            }
            context.tell(Event::Phase(way.word()));
            let asked_at = context.clock.wall();
            let (loaded, seen) = self.load(*way, &mut turn, watch.as_ref(), context).await;
            breach = loaded.is_err().then(|| way.word());
            direction.add(asked_at, loaded, seen, idle.as_ref(), &mut out);
        }
        Ok(out)
    }
}

impl Throughput {
    /// Loads the line one way, and watches its delay meanwhile.
    async fn load(
        &self,
        way: Way,
        turn: &mut Turn,
        watch: Option<&Result<Watch<'_>, Reason>>,
        context: &Context,
    ) -> (Result<Loaded, Failed>, Option<Seen>) {
        let sockets = match turn.prepare(&self.settings, context).await {
            Ok(sockets) => sockets,
            Err(reason) => {
                let unseen = watch.map(|_| Err(reason.clone()));
                return (Err(reason.into()), unseen);
            }
        };
        let (end, over) = Stop::new();
        let load = async {
            let loaded = turn.load(way, sockets, &self.settings, context).await;
            if loaded.as_ref().map_or(true, |loaded| loaded.interrupted) {
                end.send_replace(true);
            }
            loaded
        };
        let duration = Span::millis(self.settings.duration_ms() as i64);
        let beside = async {
            match watch {
                Some(watch) => Some(delay::seen(watch, way.load(), duration, &over).await),
                None => None,
            }
        };
        tokio::join!(load, beside)
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
