//! What a receiver counts: bytes at the IP layer by the second, and by the interval what the search wants to know.
//!
//! The delay is that of one direction by two clocks that need not agree: only how far it is above its least matters.
//! A packet that comes late takes back the loss that its gap was counted as, in the interval in which it comes.

use super::search::Trial;
use crate::codec::capacity::Feedback;
use broadgauge_model::clock::{Mono, Span};

/// Over which the maximum is taken (RFC 9097 section 5.3).
pub(super) const SECOND: Span = Span::secs(1);
/// How far back a packet is known to have come or not.
const WINDOW: u32 = 4_096;

/// Counts.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    started: Mono,
    interval_from: Mono,
    interval: Interval,
    /// Whether a packet came, by its number modulo the window.
    seen: Vec<bool>,
    next: u32,
    least: Option<i128>,
    /// Bytes of each whole second.
    pub(super) seconds: Vec<u64>,
    current: u64,
    bytes: u64,
    packets: u64,
    lost: u64,
    /// All that came after one sent later.
    pub(super) reordered: u64,
    /// All that came again.
    pub(super) duplicates: u64,
    /// The largest mean delay of an interval.
    pub(super) worst: Span,
    told: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Interval {
    packets: u32,
    gaps: u32,
    filled: u32,
    reordered: u32,
    duplicates: u32,
    delay_sum: i128,
    delay_max: i128,
}

impl Meter {
    /// From now on.
    pub(super) fn new(now: Mono) -> Self {
        Self {
            started: now,
            interval_from: now,
            interval: Interval::default(),
            seen: vec![false; WINDOW as usize],
            next: 0,
            least: None,
            seconds: Vec::new(),
            current: 0,
            bytes: 0,
            packets: 0,
            lost: 0,
            reordered: 0,
            duplicates: 0,
            worst: Span::ZERO,
            told: 0,
        }
    }

    /// From now on as if nothing had come, but for the number of what was told: whoever hears it knows by that what is old.
    pub(super) fn restart(&mut self, now: Mono) {
        *self = Self { told: self.told, ..Self::new(now) };
    }

    /// A packet of this number came, that left at `left` of the sender's clock.
    pub(super) fn packet(&mut self, sequence: u32, left: u64, now: Mono, ip_bytes: usize) {
        self.pass(now);
        let slot = (sequence % WINDOW) as usize;
        let ahead = sequence.wrapping_sub(self.next);
        if ahead < u32::MAX / 2 {
            // Numbers that are jumped over are lost until they come.
            for missing in 0..ahead.min(WINDOW) {
                self.seen[(self.next.wrapping_add(missing) % WINDOW) as usize] = false;
            }
            self.interval.gaps = self.interval.gaps.saturating_add(ahead);
            self.next = sequence.wrapping_add(1);
        } else {
            let behind = self.next.wrapping_sub(sequence);
            if behind > WINDOW || self.seen[slot] {
                self.interval.duplicates += 1;
                self.duplicates += 1;
                return;
            }
            self.interval.filled += 1;
            self.interval.reordered += 1;
            self.reordered += 1;
        }
        self.seen[slot] = true;
        let delay = i128::from(now.0) - i128::from(left);
        let least = self.least.map_or(delay, |least| least.min(delay));
        self.least = Some(least);
        let above = delay - least;
        self.interval.packets += 1;
        self.interval.delay_sum += above;
        self.interval.delay_max = self.interval.delay_max.max(above);
        self.current += ip_bytes as u64;
        self.bytes += ip_bytes as u64;
        self.packets += 1;
    }

    /// Closes the seconds that are over.
    pub(super) fn pass(&mut self, now: Mono) {
        while now - self.started >= Span(SECOND.0 * (self.seconds.len() as i64 + 1)) {
            self.seconds.push(std::mem::take(&mut self.current));
        }
    }

    /// Closes the interval.
    pub(super) fn interval(&mut self, now: Mono) -> (Trial, Feedback) {
        self.pass(now);
        let Interval { packets, gaps, filled, reordered, duplicates, delay_sum, delay_max } =
            std::mem::take(&mut self.interval);
        let lost = gaps.saturating_sub(filled);
        self.lost = (self.lost + u64::from(gaps)).saturating_sub(filled.into());
        let mean = Span((delay_sum / i128::from(packets.max(1))) as i64);
        self.worst = self.worst.max(mean);
        let micros = |nanos: i128| u32::try_from(nanos / 1_000).unwrap_or(u32::MAX);
        let span = now - self.interval_from;
        self.interval_from = now;
        self.told += 1;
        let feedback = Feedback {
            number: self.told,
            row: 0,
            micros: micros(span.0.into()),
            packets,
            lost,
            reordered,
            duplicates,
            mean_us: micros(mean.0.into()),
            max_us: micros(delay_max),
            bytes: self.bytes,
            second: self.seconds.len() as u32,
            second_bytes: self.seconds.last().copied().unwrap_or(0),
            all_packets: self.packets,
            all_lost: u32::try_from(self.lost).unwrap_or(u32::MAX),
        };
        (Trial { packets, lost, delay: mean }, feedback)
    }

    /// Packets and losses since the beginning.
    pub(super) const fn totals(&self) -> (u64, u64) {
        (self.packets, self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn bytes_are_counted_by_the_second() {
        let mut meter = Meter::new(Mono(5 * MS));
        for n in 0..30_u32 {
            let at = Mono((5 + 100 * u64::from(n)) * MS);
            meter.packet(n, at.0, at, 1_250);
        }
        meter.pass(Mono(3_005 * MS));
        assert_eq!(meter.seconds, [12_500; 3]);
        assert_eq!(meter.totals(), (30, 0));
    }

    #[test]
    fn a_gap_is_lost_until_it_is_filled_and_what_comes_again_is_no_gain() {
        let mut meter = Meter::new(Mono(0));
        for sequence in [0, 1, 4, 2, 4, 1, 6] {
            meter.packet(sequence, 0, Mono(MS), 100);
        }
        let (trial, feedback) = meter.interval(Mono(50 * MS));
        assert_eq!((trial.packets, trial.lost), (5, 2), "3 and 5 did not come");
        assert_eq!((feedback.reordered, feedback.duplicates, feedback.bytes), (1, 2, 500));
        meter.packet(3, 0, Mono(60 * MS), 100);
        let (trial, feedback) = meter.interval(Mono(100 * MS));
        assert_eq!((trial.packets, trial.lost, feedback.all_lost), (1, 0, 1));
    }

    #[test]
    fn delay_is_told_above_its_least_whatever_the_clocks_say() {
        let mut meter = Meter::new(Mono(0));
        let hour = 3_600_000 * MS;
        for (sequence, delay) in [(0, 10), (1, 40), (2, 25)] {
            meter.packet(
                sequence,
                hour + u64::from(sequence) * MS,
                Mono((u64::from(sequence) + delay) * MS),
                100,
            );
        }
        let (trial, feedback) = meter.interval(Mono(50 * MS));
        assert_eq!((trial.delay, feedback.max_us), (Span::millis(15), 30_000));
    }

    #[test]
    fn numbers_that_wrap_and_numbers_of_a_liar_do_no_harm() {
        let mut meter = Meter::new(Mono(0));
        for sequence in [0, u32::MAX / 2 - 2, u32::MAX - 5, 3, u32::MAX] {
            meter.packet(sequence, u64::MAX, Mono(MS), 100);
        }
        let (trial, _) = meter.interval(Mono(50 * MS));
        assert!(trial.packets <= 5);
    }
}
