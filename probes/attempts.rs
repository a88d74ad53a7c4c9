//! Attempts on the slots of a pace, for methods whose one observation is a whole connection.
//!
//! Open loop: a slot does not wait for the attempt before it. Where attempts would disturb each other, only so many run
//! at once, and a slot that finds no room is missed, which is counted and never made up for.

use crate::pace::Pace;
use crate::probe::{Context, Stop};
use broadgauge_model::clock::{Clock, Mono, Span, Wall};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// One slot, and what was made of it.
#[derive(Clone, Debug)]
pub struct Slot<T> {
    /// Its place in the stream, from 0.
    pub index: u64,
    /// When it was planned, from the start.
    pub intended: Span,
    /// When the attempt began, from the start; `None` where there was no room for it.
    pub sent: Option<Span>,
    /// The same by the calendar.
    pub at: Wall,
    /// What the attempt came to; `None` where there was none.
    pub came_to: Option<T>,
}

/// Runs an attempt on this thread, with all that it spawns: woken where its sockets are watched, it waits for no other
/// thread, each of which would add its own delay where the cores are busy. Tells when it began; an attempt that was
/// stopped came to nothing.
fn alone<T>(
    attempt: impl Future<Output = T>,
    clock: &dyn Clock,
    stop: Stop,
) -> (Option<Mono>, Wall, Option<T>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::warn!(%error, "no room for an attempt");
            return (None, clock.wall(), None);
        }
    };
    let came = runtime.block_on(among_others(attempt, clock, stop));
    // A resolver that hangs is not waited for: the attempt has ended without it.
    runtime.shutdown_background();
    came
}

/// The same on the runtime of whoever asks: on virtual time no other thread runs.
async fn among_others<T>(
    attempt: impl Future<Output = T>,
    clock: &dyn Clock,
    mut stop: Stop,
) -> (Option<Mono>, Wall, Option<T>) {
    let (sent, at) = (clock.mono(), clock.wall());
    let came_to = tokio::select! {
        biased;
        () = stop.wait() => None,
        came_to = attempt => Some(came_to),
    };
    (Some(sent), at, came_to)
}

/// Attempts on every slot, at most so many at once, until the last has ended or the stop is pulled; what is under way
/// then did not take place. `told` hears of each slot as it ends. In the order of the slots.
pub async fn run<T, F>(
    context: &Context,
    pace: &Pace,
    at_once: usize,
    attempt: impl Fn(u64) -> F,
    mut told: impl FnMut(&Slot<T>),
) -> Vec<Slot<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = context.clock.mono();
    let room = Arc::new(Semaphore::new(at_once));
    let mut under_way = JoinSet::new();
    let mut slots = (0_u64..).zip(pace.slots()).peekable();
    let mut stop = context.stop.clone();
    let mut done = Vec::new();
    while slots.peek().is_some() || !under_way.is_empty() {
        let wait = slots.peek().map(|(_, slot)| (start + *slot) - context.clock.mono());
        tokio::select! {
            biased;
            () = stop.wait() => break,
            Some(ended) = under_way.join_next() => {
                // An attempt that panicked has nothing to tell.
                if let Ok(slot) = ended {
                    told(&slot);
                    done.push(slot);
                }
            }
            () = tokio::time::sleep(wait.unwrap_or_default().to_std()), if wait.is_some() => {
                let Some((index, intended)) = slots.next() else { continue };
                let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                    let slot = Slot { index, intended, sent: None, at: context.clock.wall(), came_to: None };
                    told(&slot);
                    done.push(slot);
                    continue;
                };
                let (attempt, clock, stop) =
                    (attempt(index), Arc::clone(&context.clock), context.stop.clone());
                let slot = move |(sent, at, came_to): (Option<Mono>, _, _)| {
                    let _permit = permit;
                    Slot { index, intended, sent: sent.map(|sent| sent - start), at, came_to }
                };
                if context.net.is_virtual() {
                    under_way.spawn(async move { slot(among_others(attempt, &*clock, stop).await) });
                } else {
                    under_way.spawn_blocking(move || slot(alone(attempt, &*clock, stop)));
                }
            }
        }
    }
    done.sort_unstable_by_key(|slot| slot.index);
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::{Stop as PaceStop, Stream};
    use crate::testing::context;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[tokio::test]
    async fn an_attempt_does_not_wait_for_what_hangs_in_the_system() {
        let pace = Pace { stream: Stream::periodic(100.0), stop: PaceStop::Count(1), seed: 1 };
        let ((ended, end), mut held) = (channel(), Vec::new());
        let attempt = |_| {
            let ended = ended.clone();
            async move {
                let (hold, hangs) = channel::<()>();
                drop(tokio::task::spawn_blocking(move || {
                    let _ = hangs.recv_timeout(Duration::from_secs(10));
                    ended.send(())
                }));
                hold
            }
        };
        for slot in run(&context(&"192.0.2.9"), &pace, 1, attempt, |_| ()).await {
            held.push(slot.came_to.unwrap());
        }
        assert!(held.len() == 1 && end.try_recv().is_err(), "it was waited for");
    }
}
