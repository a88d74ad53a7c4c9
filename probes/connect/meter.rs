//! What became of connection attempts, as counts and delays: fates in, figures out.
//!
//! Four fates are kept apart. *Connected* is the only one with a connect time. *Refused* was answered, by a reset: the
//! network carried the question and the answer, and there is no connection. *Lost* had no answer in time, or an
//! ICMP message that the target cannot be reached. *Not asked* never left: it says nothing about the network.

use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::result::{Counts, Outcome, Reason, Singleton, Values};

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Established.
    Connected {
        /// From the call to the moment the process knew.
        elapsed: Span,
        /// From SYN to SYN-ACK as the kernel timed it.
        handshake: Option<Span>,
        /// Whether the kernel had to send the SYN again.
        again: bool,
    },
    /// Answered with a reset after this long.
    Refused(Span),
    /// No answer in time.
    Silent,
    /// An ICMP message said that the target cannot be reached.
    Unreachable,
    /// Never left.
    NotAsked(String),
}

impl Fate {
    /// The connect time: the kernel's where it has one of this very handshake, for being woken up takes tens of
    /// microseconds; the process's where the SYN was sent again, for the wait is what a customer feels.
    pub fn connect_time(&self) -> Option<Span> {
        match *self {
            Self::Connected { elapsed, handshake: Some(kernel), again: false } if kernel <= elapsed => {
                Some(kernel)
            }
            Self::Connected { elapsed, .. } => Some(elapsed),
            _ => None,
        }
    }
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its slot.
    pub index: u64,
    /// When it was planned, from the start.
    pub intended: Span,
    /// When the call was made, from the start.
    pub sent: Option<Span>,
    /// The same by the calendar.
    pub at: Wall,
    /// What became of it.
    pub fate: Fate,
}

impl Attempt {
    /// As a singleton. A refusal has no connect time and is no loss.
    pub fn singleton(&self) -> Singleton {
        let outcome = match &self.fate {
            Fate::Silent | Fate::Unreachable => Outcome::Lost,
            Fate::Refused(after) => Outcome::Unmeasured(Reason(format!(
                "refused by the target after {:.3} ms",
                after.as_millis_f64()
            ))),
            Fate::NotAsked(why) => Outcome::Unmeasured(Reason(why.clone())),
            connected @ Fate::Connected { .. } => {
                connected.connect_time().map_or(Outcome::Lost, Outcome::Value)
            }
        };
        Singleton {
            index: self.index,
            intended: self.intended,
            sent: self.sent,
            at: self.at,
            outcome,
            one_way: None,
        }
    }
}

/// All attempts together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// `received` is connected and refused: both were answered.
    pub counts: Counts,
    /// Connect times.
    pub times: Histogram,
    /// Answered with a reset.
    pub refused: u64,
    /// How long resets took, in ascending order.
    pub refused_after: Vec<Span>,
    /// Of the lost, those with an ICMP message.
    pub unreachable: u64,
    /// Connections whose SYN was sent again.
    pub again: u64,
    /// Connect times that the kernel took.
    pub timed_by_kernel: u64,
    /// Why the first attempt that was not made was not made.
    pub not_asked: Option<String>,
}

impl Figures {
    /// Reads the attempts.
    pub fn of(attempts: &[Attempt]) -> Self {
        let mut out = Self::default();
        let mut ticks = Vec::with_capacity(attempts.len());
        for attempt in attempts {
            out.counts.planned += 1;
            match &attempt.fate {
                Fate::Connected { handshake, again, .. } => {
                    out.counts.received += 1;
                    out.again += u64::from(*again);
                    let time = attempt.fate.connect_time();
                    out.timed_by_kernel += u64::from(!again && time.is_some() && time == *handshake);
                    // A tick is a microsecond; rounded, so that nothing is biased down.
                    ticks.extend(time.map(|time| (time.0 + 500).div_euclid(1_000)));
                }
                Fate::Refused(after) => {
                    out.counts.received += 1;
                    out.refused += 1;
                    out.refused_after.push(*after);
                }
                Fate::Silent => out.counts.lost += 1,
                Fate::Unreachable => {
                    out.counts.lost += 1;
                    out.unreachable += 1;
                }
                Fate::NotAsked(why) => {
                    out.counts.missed += 1;
                    out.not_asked.get_or_insert_with(|| why.clone());
                }
            }
        }
        out.counts.sent = out.counts.planned - out.counts.missed;
        out.refused_after.sort_unstable();
        out.times = Histogram::of(ticks);
        out
    }

    /// The sample's values. Empty where attempts were lost and none connected: that is loss, not a failure to ask.
    pub fn values(&self) -> Values {
        if self.counts.sent == 0 {
            let why = self.not_asked.clone().unwrap_or_else(|| String::from("no connection was attempted"));
            return Values::Unmeasured(Reason(why));
        }
        if self.times.is_empty() && self.counts.lost == 0 {
            return Values::Unmeasured(Reason(format!(
                "the target refused all {} connections",
                self.refused
            )));
        }
        Values::Histogram(self.times.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(fates: Vec<Fate>) -> Vec<Attempt> {
        let attempt = |(index, fate): (usize, Fate)| {
            let intended = Span::millis(500 * index as i64);
            Attempt { index: index as u64, intended, sent: Some(intended), at: Wall(0), fate }
        };
        fates.into_iter().enumerate().map(attempt).collect()
    }

    fn connected(elapsed_us: i64, handshake_us: Option<i64>, again: bool) -> Fate {
        let handshake = handshake_us.map(Span::micros);
        Fate::Connected { elapsed: Span::micros(elapsed_us), handshake, again }
    }

    #[test]
    fn the_kernels_time_is_taken_unless_the_syn_was_sent_again() {
        assert_eq!(connected(1_060, Some(1_000), false).connect_time(), Some(Span::micros(1_000)));
        assert_eq!(connected(1_060, None, false).connect_time(), Some(Span::micros(1_060)));
        assert_eq!(connected(1_031_000, Some(31_000), true).connect_time(), Some(Span::micros(1_031_000)));
        let impossible = connected(1_000, Some(1_060), false);
        assert_eq!(impossible.connect_time(), Some(Span::micros(1_000)), "longer than the call itself");
    }

    #[test]
    fn a_refusal_is_neither_a_connection_nor_a_loss() {
        let attempts = attempts(vec![
            connected(1_060, Some(1_000), false),
            Fate::Refused(Span::micros(700)),
            Fate::Silent,
            Fate::Unreachable,
            Fate::NotAsked(String::from("no route")),
        ]);
        let figures = Figures::of(&attempts);
        let counts = figures.counts;
        assert_eq!((counts.planned, counts.sent, counts.missed), (5, 4, 1));
        assert_eq!((counts.received, counts.lost), (2, 2));
        assert_eq!((figures.refused, figures.unreachable, figures.timed_by_kernel), (1, 1, 1));
        assert_eq!(figures.times.len(), 1);
        assert!(matches!(attempts[1].singleton().outcome, Outcome::Unmeasured(_)));
        assert_eq!(attempts[2].singleton().outcome, Outcome::Lost);
    }

    #[test]
    fn all_refused_is_unmeasured_all_lost_is_an_empty_histogram() {
        let refused = Figures::of(&attempts(vec![Fate::Refused(Span::ZERO); 3]));
        assert!(matches!(refused.values(), Values::Unmeasured(Reason(why)) if why.contains("refused all 3")));
        let lost = Figures::of(&attempts(vec![Fate::Silent; 3]));
        assert!(matches!(lost.values(), Values::Histogram(times) if times.is_empty()));
        assert_eq!(lost.counts.lost, 3);
        let none = Figures::of(&attempts(vec![Fate::NotAsked(String::from("no route"))]));
        assert_eq!(none.values(), Values::Unmeasured(Reason(String::from("no route"))));
    }
}
