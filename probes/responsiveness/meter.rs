//! From probe times to round trips per minute: times and byte counts in, responsiveness and its confidence out.
//!
//! Everything here is section 4 of draft-ietf-ippm-responsiveness-09. A *foreign* probe opens a connection of its own beside
//! the load: TCP, TLS (for each of its round trips) and HTTP. A *self* probe is one more request on a connection that
//! carries the load. TM is the mean without the largest 5 %:
//!
//! ```text
//! foreign = 60000 / ((TM(tcp_f) + TM(tls_f) + TM(http_f)) / 3)     in milliseconds; without TLS, two terms over 2
//! self    = 60000 / TM(http_l)
//! responsiveness = (foreign + self) / 2                            in round trips per minute
//! ```
//!
//! Other programs of the same name compute other numbers (the mean of the two delays, a 90th percentile): the variant
//! is stored with each result, and results of different variants are not comparable.

use broadgauge_model::clock::Span;
use serde::Serialize;

/// The document that is followed.
pub const VARIANT: &str = "draft-ietf-ippm-responsiveness-09";

/// A probe on a connection of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// TCP's handshake.
    pub tcp: Span,
    /// One round trip of TLS's handshake; `None` in plain text.
    pub tls: Option<Span>,
    /// The question and its answer.
    pub http: Span,
}

/// What was seen in one interval.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interval {
    /// Payload moved by the load in a second, over all connections.
    pub goodput_bps: f64,
    /// Load connections that were open at its end.
    pub connections: usize,
    /// Probes beside the load.
    pub foreign: Vec<Foreign>,
    /// Probes on the load's own connections.
    pub own: Vec<Span>,
}

/// The parameters of section 4.3 that the computing needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// MAD: intervals of a moving average.
    pub moving_average: usize,
    /// TMP: the share of values that a trimmed mean keeps.
    pub trimmed_keep: f64,
    /// SDT: the share of the current moving average that the standard deviation of the last ones must stay below.
    pub deviation: f64,
}

impl Default for Rule {
    fn default() -> Self {
        Self { moving_average: 4, trimmed_keep: 0.95, deviation: 0.05 }
    }
}

/// Responsiveness with its parts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rpm {
    /// Of probes beside the load.
    pub foreign: f64,
    /// Of probes on the load's connections.
    #[serde(rename = "self")]
    pub own: f64,
    /// The mean of the two.
    pub both: f64,
}

/// How much a result can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Fewer intervals than a moving average has.
    Low,
    /// Enough intervals, and not stable when time was up.
    Medium,
    /// Stable.
    High,
}

/// The mean without the largest values, in milliseconds.
pub fn trimmed_mean(values: &[Span], keep: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let dropped = (values.len() as f64 * (1.0 - keep) + 1e-9).floor() as usize;
    sorted.truncate(values.len().saturating_sub(dropped).max(1));
    let sum: f64 = sorted.iter().map(|value| value.as_millis_f64()).sum();
    (!sorted.is_empty()).then(|| sum / sorted.len() as f64)
}

/// Responsiveness from mean delays in milliseconds.
pub fn rpm(tcp: f64, tls: Option<f64>, http: f64, own: f64) -> Option<Rpm> {
    let foreign = match tls {
        Some(tls) => (tcp + tls + http) / 3.0,
        None => f64::midpoint(tcp, http),
    };
    (foreign > 0.0 && own > 0.0).then(|| {
        let (foreign, own) = (60_000.0 / foreign, 60_000.0 / own);
        Rpm { foreign, own, both: f64::midpoint(foreign, own) }
    })
}

/// Responsiveness over some intervals; `None` where one of its parts was never seen.
pub fn over(intervals: &[Interval], rule: &Rule) -> Option<Rpm> {
    let foreign: Vec<Foreign> =
        intervals.iter().flat_map(|interval| interval.foreign.iter().copied()).collect();
    let own: Vec<Span> = intervals.iter().flat_map(|interval| interval.own.iter().copied()).collect();
    let mean = |of: &dyn Fn(&Foreign) -> Option<Span>| {
        trimmed_mean(&foreign.iter().filter_map(of).collect::<Vec<_>>(), rule.trimmed_keep)
    };
    rpm(
        mean(&|probe| Some(probe.tcp))?,
        mean(&|probe| probe.tls),
        mean(&|probe| Some(probe.http))?,
        trimmed_mean(&own, rule.trimmed_keep)?,
    )
}

/// Whether the last moving averages hardly differ: the standard deviation (n - 1) of as many as a moving average has
/// intervals, below a share of the current one. A value that is missing ends the row that came before it.
pub fn is_stable(values: &[Option<f64>], rule: &Rule) -> bool {
    let known = values.iter().rev().map_while(|value| *value).count();
    let row: Vec<f64> = values[values.len() - known..].iter().flatten().copied().collect();
    let n = rule.moving_average;
    let averages: Vec<f64> = (1..=row.len())
        .map(|end| {
            let last = &row[end.saturating_sub(n)..end];
            last.iter().sum::<f64>() / last.len() as f64
        })
        .collect();
    let Some(last) = averages.len().checked_sub(n).map(|from| &averages[from..]) else { return false };
    let mean = last.iter().sum::<f64>() / n as f64;
    let variance = last.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n as f64 - 1.0).max(1.0);
    last.last().is_some_and(|current| *current > 0.0 && variance.sqrt() < rule.deviation * current)
}

/// Where a test stands: first its goodput becomes stable, then its responsiveness.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    rule: Rule,
    intervals: Vec<Interval>,
    /// The interval at whose end goodput was stable.
    goodput_stable: Option<usize>,
    responsiveness_stable: bool,
}

impl Meter {
    /// With this rule.
    pub fn new(rule: Rule) -> Self {
        Self { rule, ..Self::default() }
    }

    /// Takes an interval in.
    pub fn add(&mut self, interval: Interval) {
        self.intervals.push(interval);
        if self.goodput_stable.is_none() {
            let goodputs: Vec<Option<f64>> =
                self.intervals.iter().map(|interval| Some(interval.goodput_bps)).collect();
            if is_stable(&goodputs, &self.rule) {
                self.goodput_stable = Some(self.intervals.len() - 1);
            }
            return;
        }
        self.responsiveness_stable = is_stable(&self.each(), &self.rule);
    }

    /// Responsiveness of each interval since goodput was stable.
    fn each(&self) -> Vec<Option<f64>> {
        let from = self.goodput_stable.map_or(self.intervals.len(), |at| at + 1);
        let of = |interval: &Interval| over(std::slice::from_ref(interval), &self.rule).map(|rpm| rpm.both);
        self.intervals[from..].iter().map(of).collect()
    }

    /// Whether the load carries all it can.
    pub const fn goodput_is_stable(&self) -> bool {
        self.goodput_stable.is_some()
    }

    /// Whether responsiveness has settled: the test is over.
    pub const fn responsiveness_is_stable(&self) -> bool {
        self.responsiveness_stable
    }

    /// Everything that was taken in.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// The last intervals, as many as a moving average has: those that the result is made of.
    pub fn last(&self) -> &[Interval] {
        &self.intervals[self.intervals.len().saturating_sub(self.rule.moving_average)..]
    }

    /// The result.
    pub fn result(&self) -> Option<Rpm> {
        over(self.last(), &self.rule)
    }

    /// The goodput beside it: over the same intervals, which are of one length.
    pub fn goodput_bps(&self) -> Option<f64> {
        let last = self.last();
        let sum: f64 = last.iter().map(|interval| interval.goodput_bps).sum();
        (!last.is_empty()).then(|| sum / last.len() as f64)
    }

    /// How much it can be relied on.
    pub fn confidence(&self) -> Confidence {
        if self.intervals.len() < self.rule.moving_average {
            Confidence::Low
        } else if self.goodput_is_stable() && self.responsiveness_stable {
            Confidence::High
        } else {
            Confidence::Medium
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(values: impl IntoIterator<Item = i64>) -> Vec<Span> {
        values.into_iter().map(Span::millis).collect()
    }

    fn interval(goodput_bps: f64, foreign_ms: i64, own_ms: i64) -> Interval {
        let time = Span::millis(foreign_ms);
        let foreign = Foreign { tcp: time, tls: Some(time), http: time };
        Interval { goodput_bps, connections: 1, foreign: vec![foreign; 5], own: ms([own_ms; 5]) }
    }

    #[test]
    fn the_largest_twentieth_does_not_count() {
        // By hand: the mean of 1..19 is 10; with the outlier, 690 / 20 = 34.5.
        let values = ms((1..20).chain([500]));
        assert_eq!(trimmed_mean(&values, 0.95), Some(10.0));
        assert_eq!(trimmed_mean(&values, 1.0), Some(34.5));
        assert_eq!(trimmed_mean(&ms([7]), 0.95), Some(7.0));
        assert_eq!(trimmed_mean(&[], 0.95), None);
    }

    #[test]
    fn the_formula_is_that_of_the_draft() {
        // By hand from section 4.4: 20 ms beside the load and 200 ms on it.
        assert_eq!(rpm(20.0, Some(20.0), 20.0, 200.0).unwrap().both, 1_650.0);
        let parts = rpm(20.0, Some(25.0), 30.0, 100.0).unwrap();
        assert!((parts.foreign - 2_400.0).abs() < 1e-9 && (parts.own - 600.0).abs() < 1e-9);
        assert!((parts.both - 1_500.0).abs() < 1e-9);
        let plain = rpm(20.0, None, 30.0, 100.0).unwrap();
        assert!((plain.foreign - 2_400.0).abs() < 1e-9, "two terms over two");
        assert_eq!(rpm(0.0, None, 0.0, 100.0), None);
    }

    #[test]
    fn the_result_is_of_the_last_intervals_and_needs_every_part() {
        let rule = Rule::default();
        assert_eq!(over(&[interval(1e6, 20, 200)], &rule).unwrap().both, 1_650.0);
        let without_own = Interval { own: Vec::new(), ..interval(1e6, 20, 200) };
        assert_eq!(over(&[without_own], &rule), None);
        assert_eq!(over(&[], &rule), None);
        let mut meter = Meter::new(rule);
        for foreign_ms in [500, 20, 20, 20, 20] {
            meter.add(interval(1e6, foreign_ms, 200));
        }
        assert_eq!(meter.result().unwrap().both, 1_650.0);
    }

    #[test]
    fn stable_is_a_row_of_moving_averages_that_hardly_differ() {
        let rule = Rule::default();
        let some = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
        assert!(is_stable(&some(&[100.0, 101.0, 99.0, 100.0]), &rule));
        assert!(!is_stable(&some(&[100.0, 100.0, 100.0]), &rule), "three averages are no row");
        assert!(!is_stable(&some(&[10.0, 20.0, 40.0, 80.0]), &rule));
        assert!(!is_stable(&some(&[0.0; 8]), &rule), "nothing moved");
        let mut gap = some(&[100.0; 8]);
        gap[5] = None;
        assert!(!is_stable(&gap, &rule));
        // Python 3.11, statistics.stdev: averages of the last four of 80, 90, 100, 100, 100, 100 are 92.5, 97.5, 100 and before them 90;
        // stdev of [90, 92.5, 97.5, 100] is 4.5644, which is below 5 % of 100.
        assert!(is_stable(&some(&[80.0, 90.0, 100.0, 100.0, 100.0, 100.0]), &rule));
        assert!(!is_stable(
            &some(&[76.0, 88.0, 100.0, 100.0, 100.0, 100.0]),
            &Rule { deviation: 0.04, ..rule }
        ));
    }

    #[test]
    fn goodput_settles_first_and_confidence_follows() {
        let mut meter = Meter::new(Rule::default());
        for n in 1..=3 {
            meter.add(interval(1e6, 20, 200));
            assert_eq!((meter.confidence(), meter.goodput_is_stable()), (Confidence::Low, false), "{n}");
        }
        meter.add(interval(1e6, 20, 200));
        assert_eq!((meter.confidence(), meter.goodput_is_stable()), (Confidence::Medium, true));
        for _ in 0..3 {
            meter.add(interval(1e6, 20, 200));
            assert!(!meter.responsiveness_is_stable());
        }
        meter.add(interval(1e6, 20, 200));
        assert_eq!((meter.confidence(), meter.responsiveness_is_stable()), (Confidence::High, true));
        // Held back for three intervals and let go in the fourth: that is one rate, of all four.
        for goodput in [0.0, 0.0, 0.0, 8e6] {
            meter.add(interval(goodput, 20, 200));
        }
        assert_eq!(meter.goodput_bps(), Some(2e6));
        assert_eq!(Meter::new(Rule::default()).goodput_bps(), None);
    }
}
