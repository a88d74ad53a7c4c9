//! From attempts on a pace to a measurement, for methods whose attempt is a whole exchange (`tls`, `fetch`, `web`): each
//! attempt is told as it ends, and each phase of all of them becomes a sample.

use crate::attempts::{self, Slot};
use crate::pace::Pace;
use crate::phases::{self, Fate};
use crate::probe::{Context, Descriptor, Event, Measurement, ProbeError};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Load, Outcome, Reason, Sample, Singleton};

/// What one attempt came to.
pub trait Round: Send + 'static {
    /// Why a slot that finds no room is missed.
    const NO_ROOM: &'static str;

    /// The one observation that is told at once.
    fn outcome(&self) -> Outcome<Span>;

    /// What it moved on the line, headers and handshakes by their usual size.
    fn bytes(&self) -> u64;
}

/// What all attempts came to.
pub struct Rounds<T> {
    descriptor: &'static Descriptor,
    started_at: Wall,
    lasted: Span,
    singletons: Vec<Singleton>,
    /// One for each slot; `None` where there was no attempt.
    came_to: Vec<Option<T>>,
}

impl<T: Round> Rounds<T> {
    /// Makes the attempts, at most so many at once. What this machine cannot do at all is an error, not an attempt.
    pub async fn run<F>(
        context: &Context,
        descriptor: &'static Descriptor,
        pace: &Pace,
        at_once: usize,
        attempt: impl Fn() -> F,
    ) -> Result<Self, ProbeError>
    where
        F: Future<Output = Result<T, ProbeError>> + Send + 'static,
    {
        let (started_at, start) = (context.clock.wall(), context.clock.mono());
        let slots = attempts::run(
            context,
            pace,
            at_once,
            |_| attempt(),
            |slot| {
                context.tell(Event::Singleton { load: Load::Idle, singleton: singleton(slot) });
            },
        )
        .await;
        let lasted = context.clock.mono() - start;
        let singletons = slots.iter().map(singleton).collect();
        let came_to = slots.into_iter().map(|slot| slot.came_to.transpose()).collect::<Result<_, _>>()?;
        Ok(Self { descriptor, started_at, lasted, singletons, came_to })
    }

    /// Those that took place, in their order.
    pub fn each(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.came_to.iter().flatten()
    }

    /// The sample of one phase.
    pub fn sample(&self, context: &Context, metric: MetricId, fate: impl Fn(&T) -> Fate) -> Sample {
        let fate = |one: &Option<T>| one.as_ref().map_or(Fate::NotReached, &fate);
        let fates: Vec<Fate> = self.came_to.iter().map(fate).collect();
        let (values, counts) = phases::tally(&fates);
        let (started_at, lasted) = (self.started_at, self.lasted);
        Sample { started_at, lasted, counts, ..context.sample(self.descriptor, metric, values) }
    }

    /// All of it, with the samples that were made of it.
    pub fn measurement(self, context: &Context, samples: Vec<Sample>) -> Measurement {
        Measurement {
            started_at: self.started_at,
            samples,
            bytes_moved: self.each().map(Round::bytes).sum(),
            singletons: vec![(Load::Idle, self.singletons)],
            interrupted: context.stop.is_set(),
        }
    }
}

fn singleton<T: Round>(slot: &Slot<Result<T, ProbeError>>) -> Singleton {
    let outcome = match &slot.came_to {
        None if slot.sent.is_some() => Outcome::Unmeasured(Reason(String::from("stopped before it ended"))),
        None => Outcome::Unmeasured(Reason(T::NO_ROOM.to_owned())),
        Some(Err(error)) => Outcome::Unmeasured(Reason(error.to_string())),
        Some(Ok(one)) => one.outcome(),
    };
    Singleton {
        index: slot.index,
        intended: slot.intended,
        sent: slot.sent,
        at: slot.at,
        outcome,
        one_way: None,
    }
}
