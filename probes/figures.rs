//! From the books of an exchange to samples: delays, their variation, losses by direction, order.
//!
//! Round-trip delay is `(T4 - T1) - (T3 - T2)` where the far end stamps (RFC 8762), else `T4 - T1` (RFC 2681).
//! Losses are told apart by direction from the far end's own count of its answers (RFC 8762 section 4.3, stateful): a
//! count that never arrived was lost on the way back, a question that was not counted on the way there. What was lost
//! after the last answer cannot be told apart, nor anything where the far end only echoes our numbers. One-way delay
//! is a difference of two clocks, and is given as a figure only where both say that they are synchronised; its
//! variation needs no such promise.

use crate::books::{Books, Question};
use crate::delay::{Stamp, trip};
use crate::series::{LossPeriods, Reordering, ipdv, nearest_rank, pdv};
use broadgauge_model::clock::Span;
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Counts, Direction, Reason, Statistic, Values};
use serde::Serialize;
use std::collections::BTreeSet;

/// Two free clocks drift apart by one part in so many (100 ppm).
const DRIFT: i64 = 10_000;
/// What software stamps may be wrong by.
const STAMP_ERROR: Span = Span::millis(1);

/// How often each clock was used for an end of an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StampUse {
    /// The kernel's stamp.
    pub kernel: u64,
    /// This process's.
    pub user: u64,
}

impl StampUse {
    const fn count(&mut self, stamp: Stamp) {
        match stamp {
            Stamp::Kernel => self.kernel += 1,
            Stamp::User => self.user += 1,
        }
    }
}

/// Everything that the books say.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// The packets.
    pub counts: Counts,
    /// Round-trip delays in order of sending; `None` where there is none.
    pub round_trip: Vec<Option<Span>>,
    /// One-way delays there and back, as the two clocks saw them.
    pub one_way: Vec<(Span, Span)>,
    /// How far the far clock is ahead of ours, at least and at most: neither direction takes less than no time.
    pub far_clock_ahead: Option<(Span, Span)>,
    /// Whether no distance of the clocks fits all exchanges: the far clock was set, or runs badly.
    pub far_clock_moved: bool,
    /// The far end's share of each exchange.
    pub far_share: Vec<Span>,
    /// Lost, and not known in which direction.
    pub lost_somewhere: u64,
    /// Left, and the measurement ended before they were answered or timed out: among no counts.
    pub cut: u64,
    /// Runs of loss.
    pub periods: LossPeriods,
    /// The largest reordering extent.
    pub reordering_extent: u64,
    /// Reordered there and back, where the far end counts.
    pub reordered_each_way: Option<(u64, u64)>,
    /// Who stamped T1.
    pub transmit: StampUse,
    /// Who stamped T4.
    pub receive: StampUse,
    /// Exchanges during which the calendar clock was set.
    pub clock_steps: u64,
    /// Answers whose far-end stamps cannot be right.
    pub far_stamps_refused: u64,
    /// How late packets left, sorted.
    pub lateness: Vec<Span>,
    /// The least TTL that answers had left.
    pub ttl: Option<u8>,
}

/// Reads the books.
pub fn figures(books: &Books) -> Figures {
    let mut out = Figures::default();
    let asked = |question: &&Question| question.failed.is_none() && !question.cut;
    let answer_of = |question: &Question| question.answer.filter(|answer| !answer.late);
    for question in books.questions.iter().filter(asked) {
        out.lateness.push(question.left.user.mono - books.start.mono - question.planned);
        let Some(answer) = answer_of(question) else {
            out.round_trip.push(None);
            out.counts.late += u64::from(question.answer.is_some());
            continue;
        };
        let trip = trip(question.left, answer.arrived);
        let delay = answer.round_trip(&trip);
        out.counts.received += 1;
        out.transmit.count(trip.transmit);
        out.receive.count(trip.receive);
        out.clock_steps += u64::from(trip.stepped.is_some());
        out.far_stamps_refused += u64::from(delay.is_none());
        out.ttl = match (out.ttl, answer.ttl) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        out.far_share.extend(delay.map(|delay| trip.total - delay));
        out.round_trip.push(delay);
        let ways = answer.one_way(&trip, question.stepped_since(books.start));
        out.one_way.extend(ways.filter(|_| delay.is_some()));
    }
    out.lateness.sort_unstable();
    let sent = out.round_trip.len() as u64;
    let failed = books.questions.iter().filter(|question| question.failed.is_some()).count() as u64;
    out.cut = books.questions.iter().filter(|question| question.cut).count() as u64;
    let order: Vec<u64> = books.arrivals.iter().map(|&number| u64::from(number)).collect();
    let reordering = Reordering::of(&order);
    out.reordering_extent = reordering.longest();
    out.periods =
        LossPeriods::of(books.questions.iter().filter(asked).map(|question| answer_of(question).is_none()));
    out.counts = Counts {
        planned: books.planned - out.cut,
        sent,
        missed: books.missed + failed,
        received: out.counts.received,
        lost: sent - out.counts.received,
        late: out.counts.late,
        duplicate: books.strays.doubled_backward + books.strays.doubled_forward,
        reordered: reordering.count(),
        lost_forward: None,
        lost_backward: None,
    };
    tell_directions_apart(books, &mut out);
    out.far_clock_ahead = out
        .one_way
        .iter()
        .map(|&(there, back)| (Span(-back.0), there))
        .reduce(|bounds, next| (bounds.0.max(next.0), bounds.1.min(next.1)));
    let lasted = books.questions.last().map_or(Span::ZERO, |last| last.left.user.mono - books.start.mono);
    let drift = Span(lasted.0 / DRIFT) + STAMP_ERROR;
    out.far_clock_moved = out.far_clock_ahead.is_some_and(|(least, most)| least - most > drift);
    out
}

/// Uses the far end's own count, if it keeps one.
fn tell_directions_apart(books: &Books, out: &mut Figures) {
    let far = |number: u32| books.questions[number as usize].answer?.far.map(|far| (number, far));
    let heard: Vec<_> = books.arrivals.iter().filter_map(|&number| far(number)).collect();
    let answered: Vec<(u32, u32)> = heard.iter().map(|&(number, far)| (number, far.count)).collect();
    let unanswered = |q: &&Question| q.failed.is_none() && q.answer.is_none() && !q.cut;
    let silent = books.questions.iter().filter(unanswered).count() as u64;
    if silent == 0 && !answered.is_empty() {
        (out.counts.lost_forward, out.counts.lost_backward) = (Some(0), Some(0));
    } else {
        out.lost_somewhere = silent;
    }
    // A far end that only echoes our numbers cannot be told from one that received everything.
    if heard.iter().all(|(_, far)| far.number == far.count) {
        return;
    }
    let mut by_count = answered.clone();
    by_count.sort_unstable_by_key(|&(_, count)| count);
    by_count.dedup_by_key(|&mut (_, count)| count);
    let there: Vec<u64> = by_count.iter().map(|&(number, _)| u64::from(number)).collect();
    let mut seen = BTreeSet::new();
    let back: Vec<u64> =
        answered.iter().filter(|(_, count)| seen.insert(*count)).map(|&(_, count)| count.into()).collect();
    out.reordered_each_way = Some((Reordering::of(&there).count(), Reordering::of(&back).count()));
    let (Some(&(first_number, first)), Some(&(_, last))) = (by_count.first(), by_count.last()) else {
        return;
    };
    // A fresh session counts from zero. One that began higher was not ours alone: count from what we saw.
    let base = if first <= first_number { 0 } else { first };
    let mut counts: Vec<u32> = answered.iter().map(|&(_, count)| count).collect();
    counts.extend(books.recounted.iter().copied());
    counts.sort_unstable();
    counts.dedup();
    let last = counts.last().copied().unwrap_or(last);
    let unseen = (u64::from(last - base) + 1).saturating_sub(counts.len() as u64);
    let last_answered = answered.iter().map(|&(number, _)| number).max().unwrap_or(0) as usize;
    let between = books.questions[..last_answered].iter().filter(unanswered).count() as u64;
    let backward = unseen.min(between);
    out.counts.lost_backward = Some(backward);
    out.counts.lost_forward = Some(between - backward);
    out.lost_somewhere = silent - between;
}

/// One metric of the measurement, before it is given its names.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// What.
    pub metric: MetricId,
    /// Which way.
    pub direction: Direction,
    /// Which statistic.
    pub statistic: Statistic,
    /// The observation.
    pub values: Values,
    /// The packets that it speaks of.
    pub counts: Counts,
}

impl Figures {
    /// Every metric that these figures yield; delays in the two directions only where the far end stamps.
    /// `one_way_refused` says why one-way delay cannot be given as a figure.
    pub fn observed(&self, one_way_refused: Option<&str>) -> Vec<Observed> {
        let delays: Vec<Span> = self.round_trip.iter().copied().flatten().collect();
        let mut out = vec![
            self.histogram(MetricId::ROUND_TRIP_DELAY, Direction::RoundTrip, &delays),
            self.histogram(MetricId::DELAY_VARIATION, Direction::RoundTrip, &pdv(&delays)),
            self.histogram(
                MetricId::INTERPACKET_DELAY_VARIATION,
                Direction::RoundTrip,
                &ipdv(&self.round_trip).into_iter().map(Span::abs).collect::<Vec<_>>(),
            ),
            self.share(Direction::RoundTrip, self.counts),
        ];
        if let (Some(forward), Some(backward)) = (self.counts.lost_forward, self.counts.lost_backward) {
            // Of the packets whose direction of loss is known, the far end was sent all, and sent back what reached it.
            let told = self.counts.sent - self.lost_somewhere;
            let one_way =
                |sent, lost| Counts { planned: sent, sent, received: sent - lost, lost, ..Counts::default() };
            out.push(self.share(Direction::Up, one_way(told, forward)));
            out.push(self.share(Direction::Down, one_way(told - forward, backward)));
        }
        if !self.one_way.is_empty() {
            let ways: [(Direction, Vec<Span>); 2] = [
                (Direction::Up, self.one_way.iter().map(|way| way.0).collect()),
                (Direction::Down, self.one_way.iter().map(|way| way.1).collect()),
            ];
            let moved = self.far_clock_moved.then_some("the peer's clock was set during the measurement");
            let behind = ways.iter().any(|(_, delays)| delays.iter().any(|delay| delay.0 < 0));
            let apart = behind.then_some("the clocks differ by more than the delay");
            for (direction, delays) in ways {
                let mut variation = self.histogram(MetricId::DELAY_VARIATION, direction, &pdv(&delays));
                if let Some(why) = moved {
                    variation.values = Values::Unmeasured(Reason(why.to_owned()));
                }
                out.push(variation);
                let mut delay = self.histogram(MetricId::ONE_WAY_DELAY, direction, &delays);
                if let Some(why) = moved.or(one_way_refused).or(apart) {
                    delay.values = Values::Unmeasured(Reason(why.to_owned()));
                }
                out.push(delay);
            }
        }
        out
    }

    /// How late the packet at rank `p` left.
    pub fn lateness(&self, p: f64) -> Option<Span> {
        nearest_rank(&self.lateness, p)
    }

    /// Empty where packets were sent and none was answered: that is loss, not a failure to ask.
    fn histogram(&self, metric: MetricId, direction: Direction, delays: &[Span]) -> Observed {
        let counts = self.counts;
        let values = if counts.sent == 0 {
            self.nothing_sent()
        } else {
            // One tick is a microsecond; round, do not cut, so that nothing is biased down.
            Values::Histogram(Histogram::of(delays.iter().map(|delay| (delay.0 + 500).div_euclid(1_000))))
        };
        Observed { metric, direction, statistic: Statistic::Singleton, values, counts }
    }

    fn share(&self, direction: Direction, counts: Counts) -> Observed {
        let values = broadgauge_model::unit::Ratio::of(counts.lost, counts.sent)
            .map_or_else(|| self.nothing_sent(), |ratio| Values::Number(ratio.0));
        Observed { metric: MetricId::LOSS_RATIO, direction, statistic: Statistic::Mean, values, counts }
    }

    fn nothing_sent(&self) -> Values {
        Values::Unmeasured(Reason(match self.cut {
            0 => String::from("no packet could be sent"),
            cut => format!("stopped before an answer to any of {cut} packets came, or was too late"),
        }))
    }
}
