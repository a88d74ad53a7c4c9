//! What became of each phase of attempts, counted: fates in, values and counts out.
//!
//! A phase has four fates. *Took* is its only time. *Lost* had no answer in time. *Failed* was answered, but not as agreed:
//! the network carried both ways, and there is no time to tell. *Not reached* says nothing about the phase.

use crate::dial::{Phase, Times, Why};
use broadgauge_model::clock::Span;
use broadgauge_model::histogram::Histogram;
use broadgauge_model::result::{Counts, Outcome, Reason, Values};

/// What became of one phase of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It succeeded, in this time.
    Took(Span),
    /// No answer in time.
    Lost,
    /// Answered, but not as agreed.
    Failed(String),
    /// An earlier phase did not succeed, or there was no attempt.
    NotReached,
}

/// Counts the fates of one phase, one for each slot.
pub fn tally(fates: &[Fate]) -> (Values, Counts) {
    let mut counts = Counts { planned: fates.len() as u64, ..Counts::default() };
    let mut ticks = Vec::with_capacity(fates.len());
    let mut failed: Vec<&str> = Vec::new();
    for fate in fates {
        counts.sent += u64::from(*fate != Fate::NotReached);
        match fate {
            Fate::Took(time) => {
                counts.received += 1;
                // A tick is a microsecond; rounded, so that nothing is biased down.
                ticks.push((time.0 + 500).div_euclid(1_000));
            }
            Fate::Lost => counts.lost += 1,
            Fate::Failed(why) => {
                counts.received += 1;
                failed.push(why);
            }
            Fate::NotReached => {}
        }
    }
    counts.missed = counts.planned - counts.sent;
    let values = match failed.first() {
        _ if counts.sent == 0 => Values::Unmeasured(Reason(String::from("no attempt came so far"))),
        Some(why) if ticks.is_empty() && counts.lost == 0 => {
            let of = counts.sent;
            Values::Unmeasured(Reason(format!("{} of {of} attempts failed: {why}", failed.len())))
        }
        _ => Values::Histogram(Histogram::of(ticks)),
    };
    (values, counts)
}

/// The fate of a phase of a connection: its time, or what failed.
pub fn fate(times: &Times, failed: Option<&(Phase, Why)>, phase: Phase) -> Fate {
    let time = match phase {
        Phase::Resolve => times.resolve,
        Phase::Connect => times.connect,
        Phase::Tls => times.tls,
    };
    match (failed, time) {
        (_, Some(time)) => Fate::Took(time),
        (Some((at, why)), None) if *at == phase => match why {
            Why::Silent | Why::Unreachable => Fate::Lost,
            Why::Refused | Why::Wrong(_) => Fate::Failed(why.to_string()),
        },
        _ => Fate::NotReached,
    }
}

/// The fate as a singleton; where an earlier phase did not succeed, that phase and why.
pub fn outcome(fate: Fate, failed: Option<&(Phase, Why)>) -> Outcome<Span> {
    match (fate, failed) {
        (Fate::Took(time), _) => Outcome::Value(time),
        (Fate::Lost, _) => Outcome::Lost,
        (Fate::Failed(why), _) => Outcome::Unmeasured(Reason(why)),
        (Fate::NotReached, Some((phase, why))) => {
            Outcome::Unmeasured(Reason(format!("{}: {why}", phase.words())))
        }
        (Fate::NotReached, None) => Outcome::Unmeasured(Reason(String::from("not reached"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_behind_one_that_failed_is_not_lost_but_said_with_that_phase() {
        let failed = (Phase::Connect, Why::Silent);
        let times = Times::default();
        assert_eq!(fate(&times, Some(&failed), Phase::Connect), Fate::Lost);
        assert_eq!(fate(&times, Some(&failed), Phase::Tls), Fate::NotReached);
        let Outcome::Unmeasured(Reason(why)) = outcome(Fate::NotReached, Some(&failed)) else { panic!() };
        assert_eq!(why, format!("{}: {}", Phase::Connect.words(), Why::Silent));
        let Outcome::Unmeasured(Reason(why)) = outcome(Fate::NotReached, None) else { panic!() };
        assert_eq!(why, "not reached");
    }

    #[test]
    fn the_four_fates_are_kept_apart() {
        let failed = || Fate::Failed(String::from("status 404"));
        let (values, counts) = tally(&[Fate::Took(Span::millis(3)), Fate::Lost, failed(), Fate::NotReached]);
        assert!(matches!(values, Values::Histogram(times) if times.len() == 1));
        assert_eq!((counts.planned, counts.sent, counts.missed), (4, 3, 1));
        assert_eq!((counts.received, counts.lost), (2, 1));
        let (values, _) = tally(&[failed(), failed(), Fate::NotReached]);
        let Values::Unmeasured(Reason(why)) = values else { panic!("{values:?}") };
        assert_eq!(why, "2 of 2 attempts failed: status 404");
        assert!(matches!(tally(&[Fate::Lost]).0, Values::Histogram(times) if times.is_empty()));
        assert!(matches!(tally(&[Fate::NotReached]).0, Values::Unmeasured(_)));
        assert!(matches!(tally(&[]).0, Values::Unmeasured(_)));
    }
}
