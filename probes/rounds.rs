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
    /// Why the first attempt that this machine could not make was not made.
    not_made: Option<String>,
}

impl<T: Round> Rounds<T> {
    /// Makes the attempts, at most so many at once. What this machine cannot do is no attempt; where it could make none,
    /// that is an error.
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
        let mut failed = None;
        let mut fail = |error| {
            failed.get_or_insert(error);
        };
        let came_to: Vec<Option<T>> =
            slots.into_iter().map(|slot| slot.came_to?.map_err(&mut fail).ok()).collect();
        match failed {
            Some(error) if came_to.iter().all(Option::is_none) => Err(error),
            failed => {
                let not_made = failed.map(|error| error.to_string());
                Ok(Self { descriptor, started_at, lasted, singletons, came_to, not_made })
            }
        }
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
    pub fn measurement(self, context: &Context, mut samples: Vec<Sample>) -> Measurement {
        if let (Some(why), Some(first)) = (&self.not_made, samples.first_mut()) {
            first.details.insert(String::from("attempt_not_made"), why.as_str().into());
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::{Stop, Stream};
    use crate::probe::Kind;
    use crate::testing::context;
    use broadgauge_model::result::Values;
    use std::sync::atomic::{AtomicU64, Ordering};

    static DESCRIPTOR: Descriptor = Descriptor {
        name: "scripted",
        version: 1,
        about: "does as it is told",
        kind: Kind::Active,
        metrics: &["connect_time"],
        loads_the_line: false,
        default_port: None,
    };

    struct Fine;

    impl Round for Fine {
        const NO_ROOM: &'static str = "no room";

        fn outcome(&self) -> Outcome<Span> {
            Outcome::Value(Span::millis(1))
        }

        fn bytes(&self) -> u64 {
            1_000
        }
    }

    /// Five slots, of which those in `cannot` find no socket.
    async fn rounds(cannot: &'static [u64]) -> Result<Measurement, ProbeError> {
        let pace = Pace { stream: Stream::periodic(100.0), stop: Stop::Count(5), seed: 1 };
        let (context, begun) = (context(&"192.0.2.9"), AtomicU64::new(0));
        let attempt = || {
            let fails = cannot.contains(&begun.fetch_add(1, Ordering::Relaxed));
            async move {
                let source = std::io::ErrorKind::AddrNotAvailable.into();
                let what = String::from("open a TCP socket");
                if fails { Err(ProbeError::Socket { what, source }) } else { Ok(Fine) }
            }
        };
        let rounds = Rounds::run(&context, &DESCRIPTOR, &pace, 5, attempt).await?;
        let sample = rounds.sample(&context, MetricId::CONNECT_TIME, |_| Fate::Took(Span::millis(1)));
        Ok(rounds.measurement(&context, vec![sample]))
    }

    #[tokio::test]
    async fn an_attempt_that_cannot_be_made_is_missed_and_leaves_the_others() {
        let measured = rounds(&[2]).await.unwrap();
        let sample = &measured.samples[0];
        assert_eq!((sample.counts.planned, sample.counts.sent, sample.counts.missed), (5, 4, 1));
        assert!(matches!(&sample.values, Values::Histogram(times) if times.len() == 4));
        assert_eq!(sample.details["attempt_not_made"], "cannot open a TCP socket");
        assert_eq!(measured.bytes_moved, 4_000);
        let said =
            |one: &&Singleton| matches!(&one.outcome, Outcome::Unmeasured(why) if why.0.contains("socket"));
        assert_eq!(measured.singletons[0].1.iter().filter(said).count(), 1);
    }

    #[tokio::test]
    async fn a_machine_that_can_make_no_attempt_at_all_is_an_error() {
        assert!(rounds(&[0, 1, 2, 3, 4]).await.unwrap_err().to_string().contains("TCP socket"));
        assert!(!rounds(&[]).await.unwrap().samples[0].details.contains_key("attempt_not_made"));
    }
}
