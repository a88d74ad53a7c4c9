//! The delay of the line while it is idle and while it is loaded, by STAMP (RFC 8762) beside the streams.
//!
//! The probes are small UDP packets of their own: they queue where the load queues, but no TCP stands behind them, so
//! what they show is the line's queue and not one connection's retransmissions. Under load, only packets that left in
//! the goodput's own window count: the delay is that of the rate beside it. The last answers are waited for until three
//! times the longest delay so far has passed, a second at least and three at most. What this cannot tell: the delay within
//! a queue that serves flows apart (fair queueing), where a small flow does not wait behind the load.

use super::client::Face;
use super::settings::{Settings, TIMEOUT_MS};
use crate::books::Books;
use crate::codec::stamp::Key;
use crate::packets;
use crate::probe::{Context, Stop};
use crate::stamp::{Stamp, exchange};
use broadgauge_model::clock::{Mono, Span};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::result::{Counts, Load, Outcome, Reason, Singleton};
use std::net::SocketAddr;
use std::pin::{Pin, pin};

/// How to watch the delay during one test.
pub(super) struct Watch<'a> {
    reflector: SocketAddr,
    per_second: f64,
    key: Option<&'a Key>,
    context: &'a Context,
}

/// A stretch of delay probes, or why there is none.
pub(super) type Seen = Result<Books, Reason>;

impl<'a> Watch<'a> {
    /// `None` where nobody wants it. `Some(Err)` where the peer has no reflector.
    pub(super) fn new(
        settings: &Settings,
        key: Option<&'a Key>,
        peer: &Face,
        context: &'a Context,
    ) -> Option<Result<Self, Reason>> {
        if settings.delay_per_second == 0.0 {
            return None;
        }
        Some(match settings.delay_port.or(peer.stamp_port) {
            None => Err(Reason(String::from("the peer has no STAMP reflector; delay_port names another"))),
            Some(port) => Ok(Self {
                reflector: SocketAddr::new(peer.address.ip(), port),
                per_second: settings.delay_per_second,
                key,
                context,
            }),
        })
    }

    async fn run(&self, load: Load, during: Span, stop: &Stop) -> Seen {
        let probe = Stamp::new(packets::Settings {
            per_second: self.per_second,
            duration_s: during.as_secs_f64(),
            timeout_ms: TIMEOUT_MS as f64,
            ..packets::Settings::default()
        });
        let probe = probe.in_haste();
        let probe = match self.key {
            Some(key) => probe.with_key(key.clone()),
            None => probe,
        };
        let context = Context { stop: stop.clone(), ..self.context.clone() };
        exchange(&probe, &context, self.reflector, load)
            .await
            .map(|ran| ran.books)
            .map_err(|error| Reason(error.to_string()))
    }
}

/// Watches for a while, or until the stop is pulled.
pub(super) async fn seen(watch: &Result<Watch<'_>, Reason>, load: Load, during: Span, stop: Stop) -> Seen {
    watch.as_ref().map_err(Clone::clone)?.run(load, during, &stop).await
}

/// Delay probes that run beside something else, and may outlast it: the last of them wait for their answers, and nothing
/// else has to wait with them.
pub(super) struct Beside<'a> {
    going: Pin<Box<dyn Future<Output = Seen> + Send + 'a>>,
    came: Option<Seen>,
}

impl<'a> Beside<'a> {
    /// Starts with the first wait for it.
    pub(super) fn new(going: impl Future<Output = Seen> + Send + 'a) -> Self {
        Self { going: Box::pin(going), came: None }
    }

    /// Lets them run while something else does.
    pub(super) async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        loop {
            tokio::select! {
                done = &mut other => return done,
                seen = &mut self.going, if self.came.is_none() => self.came = Some(seen),
            }
        }
    }

    /// Lets them run to their end, but no longer than this.
    pub(super) async fn up_to(&mut self, most: Span) {
        if self.came.is_some() {
            return;
        }
        // Which of the two came first does not matter: what was seen is kept.
        let _ =
            tokio::time::timeout(most.to_std(), async { self.came = Some((&mut self.going).await) }).await;
    }

    /// What they have seen, when the last of them is answered or lost.
    pub(super) async fn seen(self) -> Seen {
        match self.came {
            Some(seen) => seen,
            None => self.going.await,
        }
    }
}

/// What became of the probes that were planned between two times.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    pub(super) delays: Histogram,
    pub(super) counts: Counts,
    pub(super) singletons: Vec<Singleton>,
}

impl Stretch {
    /// Of all probes.
    pub(super) fn whole(books: &Books) -> Self {
        Self::of(books.settled())
    }

    /// Of the probes that were planned in this window of our clock.
    pub(super) fn within(books: &Books, from: Mono, to: Mono) -> Self {
        let planned = |singleton: &Singleton| books.start.mono + singleton.intended;
        Self::of(
            books
                .settled()
                .into_iter()
                .filter(|singleton| (from..to).contains(&planned(singleton)))
                .collect(),
        )
    }

    fn of(singletons: Vec<Singleton>) -> Self {
        let mut counts = Counts { planned: singletons.len() as u64, ..Counts::default() };
        let mut ticks = Vec::with_capacity(singletons.len());
        for singleton in &singletons {
            counts.sent += u64::from(singleton.sent.is_some());
            match &singleton.outcome {
                Outcome::Value(delay) => {
                    counts.received += 1;
                    // A tick is a microsecond; rounded, so that nothing is biased down.
                    ticks.push((delay.0 + 500).div_euclid(1_000));
                }
                Outcome::Lost => counts.lost += 1,
                // Answered, but with stamps that cannot be right; not sent at all is counted below.
                Outcome::Unmeasured(_) => counts.received += u64::from(singleton.sent.is_some()),
            }
        }
        counts.missed = counts.planned - counts.sent;
        Self { delays: Histogram::of(ticks), counts, singletons }
    }

    /// A quantile in milliseconds.
    pub(super) fn quantile_ms(&self, q: f64) -> Option<f64> {
        self.delays.quantile(q).map(|us| us as f64 / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::clock::Wall;

    fn singleton(index: u64, outcome: Outcome<Span>, sent: bool) -> Singleton {
        let intended = Span::millis(index as i64 * 100);
        Singleton { index, intended, sent: sent.then_some(intended), at: Wall(0), outcome, one_way: None }
    }

    #[test]
    fn lost_missed_and_refused_stand_beside_the_delays_not_among_them() {
        let unmeasured = || Outcome::Unmeasured(Reason(String::from("why")));
        let stretch = Stretch::of(vec![
            singleton(0, Outcome::Value(Span::millis(10)), true),
            singleton(1, Outcome::Lost, true),
            singleton(2, unmeasured(), false),
            singleton(3, unmeasured(), true),
            singleton(4, Outcome::Value(Span(20_000_499)), true),
        ]);
        let counts = stretch.counts;
        assert_eq!((counts.planned, counts.sent, counts.missed), (5, 4, 1));
        assert_eq!((counts.received, counts.lost), (3, 1));
        assert_eq!(stretch.delays.len(), 2);
        assert_eq!(stretch.quantile_ms(0.5), Some(10.007), "the bucket's highest value, within 0.1 %");
    }
}
