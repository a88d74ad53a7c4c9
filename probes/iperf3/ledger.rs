//! What a receiver of numbered UDP packets knows: packets in, loss, order and jitter out.
//!
//! iperf3 keeps the highest number and counts gaps; a packet from behind takes one loss back, so that a duplicate hides
//! a loss. Here each of the last 65,536 numbers is remembered: a packet is new, a duplicate, or too old to tell. Loss
//! is what is missing between the first and the highest number of the part that counts; packets behind the highest
//! are unknown to the receiver, for the sender goes on until it is told to stop.
//!
//! Jitter is that of RTP (RFC 3550 section 6.4.1): a filter over the differences of transit between neighbours in order
//! of arrival, `J += (|D| - J) / 16`. It is not a percentile and not to be compared with delay variation. The
//! clocks of both ends need not agree; the differences themselves are kept too, as IPDV in order of arrival.

use crate::codec::iperf3::UdpHeader;
use crate::score::jitter::Jitter;
use broadgauge_model::clock::{Mono, Span};
use broadgauge_model::histogram::Recorder;

/// How many numbers are remembered.
const REMEMBERED: u64 = 65_536;

/// The books of one stream.
#[derive(Clone, Debug)]
pub struct Ledger {
    seen: Vec<u64>,
    /// The highest number before the part that counts.
    base: u64,
    omitted_lost: u64,
    highest: u64,
    counted: Counted,
    last_transit: Option<Span>,
    jitter: Jitter,
    variation: Recorder,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Payload of all packets that came, duplicates too: they took their place on the line.
    pub bytes: u64,
    /// Packets that came for the first time.
    pub unique: u64,
    /// Packets that came again.
    pub duplicate: u64,
    /// Packets that came after one with a higher number (RFC 4737).
    pub reordered: u64,
    /// Packets too far behind to tell whether they came before.
    pub too_old: u64,
    /// Packets without a header.
    pub short: u64,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            seen: vec![0; (REMEMBERED / 64) as usize],
            base: 0,
            omitted_lost: 0,
            highest: 0,
            counted: Counted::default(),
            last_transit: None,
            jitter: Jitter::default(),
            variation: Recorder::default(),
        }
    }
}

impl Ledger {
    /// Books a packet that arrived at `now`.
    pub fn book(&mut self, now: Mono, header: Option<UdpHeader>, bytes: u64) {
        self.counted.bytes += bytes;
        let Some(header) = header else {
            self.counted.short += 1;
            return;
        };
        let number = header.sequence;
        if number > self.highest {
            self.forget(self.highest, number);
            self.highest = number;
        } else if self.highest - number >= REMEMBERED || number <= self.base {
            self.counted.too_old += 1;
        } else if self.is_seen(number) {
            self.counted.duplicate += 1;
            return;
        } else {
            self.counted.reordered += 1;
        }
        if number > self.base && self.highest - number < REMEMBERED {
            self.counted.unique += 1;
            self.seen[Self::word(number)] |= 1 << (number % 64);
        }
        self.time(now, header);
    }

    fn time(&mut self, now: Mono, header: UdpHeader) {
        // Within bounds that no two differ by more than there is room for.
        let bound = 1 << 62;
        let arrived = i64::try_from(now.0).unwrap_or(i64::MAX);
        let transit = Span(arrived.saturating_sub(header.sent_ns()).clamp(-bound, bound - 1));
        self.jitter.arrive(transit);
        if let Some(last) = self.last_transit.replace(transit) {
            // A tick is a microsecond; rounded, so that nothing is biased down.
            self.variation.record((transit - last).abs().0.saturating_add(500) / 1_000);
        }
    }

    /// From here on it counts: what came before is left out, what is still under way of it is too old.
    pub fn begin(&mut self) {
        self.omitted_lost += self.lost();
        self.base = self.highest;
        self.counted = Counted::default();
        self.jitter = Jitter::default();
        self.last_transit = None;
        self.variation = Recorder::default();
    }

    /// The highest number.
    pub const fn highest(&self) -> u64 {
        self.highest
    }

    /// The highest number before the part that counts.
    pub const fn base(&self) -> u64 {
        self.base
    }

    /// What was counted.
    pub const fn counted(&self) -> Counted {
        self.counted
    }

    /// Numbers that were sent for certain, in the part that counts.
    pub const fn sent(&self) -> u64 {
        self.highest - self.base
    }

    /// Of these, those that never came.
    pub const fn lost(&self) -> u64 {
        self.sent().saturating_sub(self.counted.unique)
    }

    /// What was lost before the part that counts.
    pub const fn omitted_lost(&self) -> u64 {
        self.omitted_lost
    }

    /// RTP jitter in seconds; `None` before two packets came.
    pub fn jitter_s(&self) -> Option<f64> {
        self.jitter.value().filter(|_| !self.variation.is_empty()).map(Span::as_secs_f64)
    }

    /// The differences of transit between neighbours, in microseconds.
    pub const fn variation(&self) -> &Recorder {
        &self.variation
    }

    fn word(number: u64) -> usize {
        (number % REMEMBERED / 64) as usize
    }

    fn is_seen(&self, number: u64) -> bool {
        self.seen[Self::word(number)] & (1 << (number % 64)) != 0
    }

    /// Makes room for the numbers up to `to`.
    fn forget(&mut self, from: u64, to: u64) {
        if to - from >= REMEMBERED {
            self.seen.fill(0);
            return;
        }
        for number in from + 1..=to {
            self.seen[Self::word(number)] &= !(1 << (number % 64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::clock::Span;
    use proptest::prelude::*;

    /// Packets of 100 bytes that left every millisecond, and arrive after these delays in milliseconds.
    fn arrive(ledger: &mut Ledger, numbers: &[u64], delay_ms: impl Fn(u64) -> i64) {
        for &sequence in numbers {
            let micros = (sequence % 1_000 * 1_000) as u32;
            let header = UdpHeader { seconds: 5 + (sequence / 1_000) as u32, micros, sequence };
            let now = Mono(header.sent_ns() as u64) + Span::secs(77) + Span::millis(delay_ms(sequence));
            ledger.book(now, Some(header), 100);
        }
    }

    #[test]
    fn lost_duplicate_and_reordered_are_told_apart() {
        let mut ledger = Ledger::default();
        arrive(&mut ledger, &[1, 2, 4, 3, 3, 7, 8], |_| 10);
        let counted = ledger.counted();
        assert_eq!((counted.unique, counted.duplicate, counted.reordered), (6, 1, 1));
        assert_eq!((ledger.sent(), ledger.lost()), (8, 2));
        assert_eq!(counted.bytes, 700);
        assert_eq!(ledger.jitter_s(), Some(0.0));
    }

    #[test]
    fn jitter_is_the_filter_of_rfc_3550() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.jitter_s(), None);
        arrive(&mut ledger, &[1, 2, 3, 4], |n| if n == 3 { 18 } else { 10 });
        // Differences 0, 8 and 8 ms: J = 0, 0.5, 0.96875 ms (by hand, RFC 3550 appendix A.8).
        assert!((ledger.jitter_s().unwrap() - 0.968_75e-3).abs() < 1e-9);
        assert_eq!(ledger.variation().finish().max().map(|us| us / 100), Some(80));
    }

    #[test]
    fn what_was_omitted_is_neither_lost_nor_counted() {
        let mut ledger = Ledger::default();
        arrive(&mut ledger, &[1, 5], |_| 10);
        ledger.begin();
        arrive(&mut ledger, &[3, 6, 8], |_| 10);
        assert_eq!((ledger.base(), ledger.highest(), ledger.sent(), ledger.lost()), (5, 8, 3, 1));
        assert_eq!(ledger.omitted_lost(), 3);
        assert_eq!((ledger.counted().unique, ledger.counted().too_old), (2, 1));
    }

    #[test]
    fn a_number_out_of_all_proportion_is_loss_and_no_panic() {
        let mut ledger = Ledger::default();
        let header = |sequence| Some(UdpHeader { seconds: u32::MAX, micros: u32::MAX, sequence });
        for sequence in [u64::MAX, 0, 1, u64::MAX - 70_000, u64::MAX, u64::MAX - 1] {
            ledger.book(Mono(u64::MAX), header(sequence), 16);
        }
        ledger.book(Mono(0), None, 3);
        let counted = ledger.counted();
        assert_eq!((counted.unique, counted.duplicate, counted.too_old, counted.short), (2, 1, 3, 1));
        assert_eq!(ledger.lost(), u64::MAX - 2);
    }

    proptest! {
        #[test]
        fn sent_is_unique_and_lost_whatever_comes(numbers in proptest::collection::vec(0_u64..300_000, 1..400)) {
            let mut ledger = Ledger::default();
            arrive(&mut ledger, &numbers, |n| (n % 7) as i64);
            let distinct: std::collections::BTreeSet<_> = numbers.iter().filter(|&&n| n > 0).collect();
            let counted = ledger.counted();
            prop_assert_eq!(ledger.sent(), counted.unique + ledger.lost());
            prop_assert!(counted.unique <= distinct.len() as u64);
            prop_assert!(distinct.len() as u64 <= counted.unique + counted.too_old);
        }
    }
}
