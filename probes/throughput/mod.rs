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
pub(crate) mod lanes;
pub mod meter;
pub mod peer;
pub(crate) mod pump;
mod result;
mod settings;
pub mod words;

pub use settings::{DEFAULT_PORT, DESCRIPTOR, Directions, Settings};
pub(crate) use words::Way;

use crate::codec::stamp::Key;
use crate::probe::{Context, Descriptor, Event, Measurement, Probe, ProbeError, Stop};
use async_trait::async_trait;
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::result::{Load, Reason};
use client::{Failed, Loaded, Turn};
use delay::{Beside, Watch};
use lanes::Lanes;

/// The pause between two directions: the buffers of the line empty, and the last answers to idle probes come.
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
        let mut out = Measurement::begun(context.clock.wall());
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
            let mut beside = Beside::new(delay::seen(watch, Load::Idle, during, context.stop.clone()));
            beside.up_to(during).await;
            idle = Some(beside);
        }
        let mut interrupted = context.stop.is_set();
        let mut parts = Vec::new();
        for way in ways {
            if interrupted {
                parts.push(Part::NotAsked("stopped before".into()));
                continue;
            }
            let mut rest = SETTLE;
            if let Some(Part::Asked(before)) = parts.last() {
                let Ok(loaded) = &before.loaded else {
                    // The two ends no longer agree where they are.
                    parts.push(Part::NotAsked(format!("the {} before it failed", before.way.word())));
                    continue;
                };
                rest = loaded.ended + SETTLE - context.clock.mono();
            }
            context.tell(Event::Phase(way.word()));
            let asked_at = context.clock.wall();
            // Connections are made meanwhile: a few small packets, behind the last of the idle probes or the peer's report,
            // which itself came behind what the load had left in the line. As late as can be: ten seconds after they were
            // made BBR pauses to see the smallest delay, and of a load of ten seconds no more than a round trip is to be left then.
            let first = parts.is_empty();
            let settle = async {
                match &mut idle {
                    Some(beside) if first => beside.up_to(rest).await,
                    None if first => {}
                    _ => tokio::time::sleep(rest.to_std()).await,
                }
            };
            let later = rest - turn.head_start();
            let prepare = async {
                tokio::time::sleep(later.to_std()).await;
                turn.prepare(&self.settings, context).await
            };
            let mut stop = context.stop.clone();
            let (lanes, ()) = tokio::select! {
                () = stop.wait() => {
                    interrupted = true;
                    parts.push(Part::NotAsked("stopped before".into()));
                    continue;
                }
                ready = async { tokio::join!(prepare, settle) } => ready,
            };
            let (loaded, beside) = self.load(*way, lanes, &mut turn, watch.as_ref(), context).await;
            interrupted = context.stop.is_set() || loaded.as_ref().is_ok_and(|loaded| loaded.interrupted);
            parts.push(Part::Asked(Box::new(Asked { way: *way, at: asked_at, loaded, beside })));
        }
        out.interrupted |= interrupted;
        // The last delay probes of each part were waited for while the next was going on.
        let idle = match idle {
            Some(beside) => result::idle(&beside.seen().await, context, &mut out),
            None => None,
        };
        for (way, part) in ways.iter().zip(parts) {
            let direction = direction(*way, Some(&peer));
            match part {
                Part::NotAsked(why) => direction.not_asked(&why, &mut out),
                Part::Asked(asked) => {
                    let Asked { at: asked_at, loaded, beside, .. } = *asked;
                    let seen = match beside {
                        Some(beside) => Some(beside.seen().await),
                        None => None,
                    };
                    direction.add(asked_at, loaded, seen, idle.as_ref(), &mut out);
                }
            }
        }
        Ok(out)
    }
}

/// What came of one direction, before it is written down.
enum Part<'a> {
    Asked(Box<Asked<'a>>),
    NotAsked(String),
}

struct Asked<'a> {
    way: Way,
    at: Wall,
    loaded: Result<Loaded, Failed>,
    beside: Option<Beside<'a>>,
}

impl Throughput {
    /// Loads the line one way, and watches its delay meanwhile.
    async fn load<'a>(
        &self,
        way: Way,
        lanes: Result<Lanes, Reason>,
        turn: &mut Turn,
        watch: Option<&'a Result<Watch<'a>, Reason>>,
        context: &Context,
    ) -> (Result<Loaded, Failed>, Option<Beside<'a>>) {
        let lanes = match lanes {
            Ok(lanes) => lanes,
            Err(reason) => {
                let unseen = watch.map(|_| Beside::new(std::future::ready(Err(reason.clone()))));
                return (Err(reason.into()), unseen);
            }
        };
        let (end, over) = Stop::new();
        let load = async {
            let loaded = turn.load(way, lanes, &self.settings, context).await;
            if loaded.as_ref().map_or(true, |loaded| loaded.interrupted) {
                end.send_replace(true);
            }
            loaded
        };
        let duration = Span::millis(self.settings.duration_ms() as i64);
        match watch.map(|watch| Beside::new(delay::seen(watch, way.load(), duration, over))) {
            Some(mut beside) => (beside.during(load).await, Some(beside)),
            None => (load.await, None),
        }
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
