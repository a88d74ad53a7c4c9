//! From packets to figures: delay variation, reordering and loss patterns, as pure functions.
//!
//! Delay variation in both forms of RFC 5481: PDV (section 4.2) against the smallest delay of the sample, and IPDV
//! (section 4.1, after RFC 3393) between neighbours. The mean of signed IPDV telescopes to the first and last
//! delay and says nothing, so absolute values are what is published. Reordering is that of RFC 4737 and
//! counts each packet once, at its first arrival; loss periods are those of RFC 3357.

use broadgauge_model::clock::Span;

/// `D(i) - min(D)`.
pub fn pdv(delays: &[Span]) -> Vec<Span> {
    let least = delays.iter().copied().min().unwrap_or_default();
    delays.iter().map(|&delay| delay - least).collect()
}

/// `D(i) - D(i-1)`, signed, where both of two neighbouring packets have a delay.
pub fn ipdv(delays: &[Option<Span>]) -> Vec<Span> {
    delays.windows(2).filter_map(|pair| Some(pair[1]? - pair[0]?)).collect()
}

/// Packets that came after one that was sent later (RFC 4737).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reordering {
    /// For each reordered packet, in order of arrival: how far back the first later-sent arrival lies
    /// (section 4.2).
    pub extents: Vec<u64>,
    /// For each reordered packet: by how many immediately preceding arrivals it was overtaken (section 5.4).
    pub overtaken_by: Vec<u64>,
}

impl Reordering {
    /// From sequence numbers in order of arrival, without duplicates.
    pub fn of(arrivals: &[u64]) -> Self {
        let mut out = Self::default();
        let mut highest: Vec<u64> = Vec::with_capacity(arrivals.len()); // running maximum
        let mut smaller: Vec<usize> = Vec::new(); // candidates for the nearest earlier arrival that was sent earlier
        for (i, &sequence) in arrivals.iter().enumerate() {
            while smaller.last().is_some_and(|&j| arrivals[j] > sequence) {
                smaller.pop();
            }
            if highest.last().is_some_and(|&high| sequence < high) {
                out.extents.push((i - highest.partition_point(|&high| high <= sequence)) as u64);
                out.overtaken_by.push(smaller.last().map_or(i, |&j| i - j - 1) as u64);
            }
            smaller.push(i);
            highest.push(highest.last().copied().unwrap_or(0).max(sequence));
        }
        out
    }

    /// How many packets were reordered.
    pub const fn count(&self) -> u64 {
        self.extents.len() as u64
    }

    /// The largest extent.
    pub fn longest(&self) -> u64 {
        self.extents.iter().copied().max().unwrap_or(0)
    }
}

/// Runs of lost packets (RFC 3357): the same ratio hurts more in one piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossPeriods {
    /// How many runs.
    pub periods: u64,
    /// The longest of them, in packets.
    pub longest: u64,
}

impl LossPeriods {
    /// From each packet's fate in order of sending: true is lost.
    pub fn of(lost: impl IntoIterator<Item = bool>) -> Self {
        let (mut out, mut run) = (Self::default(), 0);
        for lost in lost {
            run = if lost { run + 1 } else { 0 };
            out.periods += u64::from(run == 1);
            out.longest = out.longest.max(run);
        }
        out
    }
}

/// The value at rank `ceil(p * n)`, clamped to 1..n (RFC 2330 section 11.3); `None` of nothing.
pub fn nearest_rank(sorted: &[Span], p: f64) -> Option<Span> {
    let rank = (p * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(values: &[i64]) -> Vec<Span> {
        values.iter().copied().map(Span::millis).collect()
    }

    // Delays whose variations were worked by hand from the definitions of RFC 5481.
    const DELAYS: [i64; 10] = [10, 12, 11, 30, 14, 13, 13, 50, 12, 10];

    #[test]
    fn neighbours_and_the_smallest_delay_give_the_two_variations() {
        let delays = ms(&DELAYS);
        let some: Vec<_> = delays.iter().copied().map(Some).collect();
        let between = ipdv(&some);
        assert_eq!(between, ms(&[2, -1, 19, -16, -1, 0, 37, -38, -2]));
        let mean = between.iter().map(|v| v.abs().as_millis_f64()).sum::<f64>() / 9.0;
        assert!((mean - 12.888_888_9).abs() < 1e-6, "{mean}");
        assert_eq!(pdv(&delays), ms(&[0, 2, 1, 20, 4, 3, 3, 40, 2, 0]));
    }

    #[test]
    fn a_lost_packet_has_no_neighbours() {
        let delays = [Some(Span::millis(1)), None, Some(Span::millis(5)), Some(Span::millis(7))];
        assert_eq!(ipdv(&delays), ms(&[2]));
        assert!(pdv(&[]).is_empty());
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut delays = ms(&DELAYS);
        delays.sort_unstable();
        let at = |p| nearest_rank(&delays, p).unwrap().as_millis_f64();
        assert_eq!([at(0.5), at(0.9), at(0.95), at(0.99), at(0.0)], [12.0, 30.0, 50.0, 50.0, 10.0]);
        // RFC 2330 section 11.3: {-2, 7, 7, 4, 18, -5}: p50 = 4, p25 = -2, p100 = 18. Its text also says p15 = -inf, yet
        // F(-5) = 1/6 is 15 % and more; ours is -5, and so is p0, which has no value of the sample below it.
        let quoted = ms(&[-5, -2, 4, 7, 7, 18]);
        let at = |p| nearest_rank(&quoted, p).unwrap().as_millis_f64();
        assert_eq!([at(0.5), at(0.25), at(1.0), at(0.15), at(0.0)], [4.0, -2.0, 18.0, -5.0, -5.0]);
        assert_eq!(nearest_rank(&[], 0.5), None);
    }

    #[test]
    fn three_of_ten_are_reordered() {
        // Worked by hand from RFC 4737 sections 3.3, 4.2 and 5.4.
        let reordering = Reordering::of(&[1, 2, 3, 7, 8, 9, 10, 4, 5, 6]);
        assert_eq!(reordering.extents, [4, 5, 6]);
        assert_eq!(reordering.overtaken_by, [4, 0, 0]);
        assert_eq!((reordering.count(), reordering.longest()), (3, 6));
    }

    #[test]
    fn losses_come_in_periods() {
        let fate = [false, true, true, false, true, false, false, true, true, true];
        assert_eq!(LossPeriods::of(fate), LossPeriods { periods: 3, longest: 3 });
        assert_eq!(LossPeriods::of([]), LossPeriods::default());
    }

    proptest! {
        #[test]
        fn reordering_agrees_with_its_definition(order in proptest::collection::vec(0_u64..60, 0..60)) {
            let mut seen = std::collections::HashSet::new();
            let order: Vec<u64> = order.into_iter().filter(|s| seen.insert(*s)).collect();
            let (mut extents, mut overtaken) = (Vec::new(), Vec::new());
            for i in 0..order.len() {
                if let Some(j) = (0..i).find(|&j| order[j] > order[i]) {
                    extents.push((i - j) as u64);
                    overtaken.push((0..i).rev().take_while(|&j| order[j] > order[i]).count() as u64);
                }
            }
            prop_assert_eq!(Reordering::of(&order), Reordering { extents, overtaken_by: overtaken });
        }
    }
}
