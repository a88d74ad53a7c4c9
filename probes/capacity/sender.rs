//! Sends load at the rate of a row: each packet at its time, and what this machine was too busy to send is not made up for.

use super::search::rate;
use broadgauge_model::clock::{Mono, Span};

/// Packets in one go before what arrives is looked at.
const AT_ONCE: u32 = 64;
/// How long a full queue of this machine is left alone.
const FULL: Span = Span::micros(500);
/// Packets closer than this leave in small bursts, once in that time: to wake for each would take the machine more than to
/// send it.
const NAP: Span = Span::micros(250);
/// What may be made up for.
const BEHIND: Span = Span::millis(2);

/// The pace of a load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pacer {
    ip_bytes: usize,
    gap: Span,
    next: Mono,
    sequence: u32,
    in_a_row: u32,
    /// Whether the last packet found no room on its way out of this machine.
    full: bool,
    /// Packets that were not sent in time.
    pub(super) skipped: u64,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Send the packet of this number.
    Now(u32),
    /// Nothing before then; now, if it is time to look at what arrived.
    At(Mono),
}

impl Pacer {
    /// Packets of this size at the IP layer, from now on.
    pub(super) fn new(ip_bytes: usize, row: u16, now: Mono) -> Self {
        let mut pacer =
            Self { ip_bytes, gap: Span(1), next: now, sequence: 0, in_a_row: 0, full: false, skipped: 0 };
        pacer.set_row(row);
        pacer
    }

    pub(super) fn set_row(&mut self, row: u16) {
        let nanos = self.ip_bytes as f64 * 8e9 / rate(row) as f64;
        self.gap = Span((nanos as i64).max(1));
    }

    pub(super) fn due(&mut self, now: Mono) -> Due {
        if std::mem::take(&mut self.full) {
            self.in_a_row = 0;
            return Due::At(now + FULL);
        }
        if now < self.next || self.in_a_row >= AT_ONCE {
            self.in_a_row = 0;
            let nap = if now < self.next && self.gap < NAP { NAP } else { Span::ZERO };
            return Due::At(self.next.max(now + nap));
        }
        let behind = now - self.next - BEHIND;
        if behind > Span::ZERO {
            let skipped = behind.0 / self.gap.0;
            self.skipped += skipped as u64;
            self.next = self.next + Span(skipped * self.gap.0);
        }
        self.next = self.next + self.gap;
        self.in_a_row += 1;
        self.sequence = self.sequence.wrapping_add(1);
        Due::Now(self.sequence.wrapping_sub(1))
    }

    /// The last packet could not leave: its number is used again, after a moment for the queue to empty.
    pub(super) fn failed(&mut self) {
        self.sequence = self.sequence.wrapping_sub(1);
        self.skipped += 1;
        self.full = true;
    }

    /// Packets handed out.
    pub(super) const fn sent(&self) -> u32 {
        self.sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_leave_at_the_rate_of_their_row() {
        let mut pacer = Pacer::new(1_250, 10, Mono(0));
        let (mut now, mut sent) = (Mono(0), 0);
        while now < Mono(1_000_000_000) {
            match pacer.due(now) {
                Due::Now(sequence) => {
                    assert_eq!(sequence, sent);
                    sent += 1;
                }
                Due::At(next) => now = next,
            }
        }
        assert_eq!(sent, 1_000, "10 Mbit/s in packets of 10,000 bits");
        assert_eq!(pacer.skipped, 0);
    }

    #[test]
    fn packets_close_to_each_other_leave_in_small_bursts_at_their_rate() {
        let mut pacer = Pacer::new(1_250, 300, Mono(0));
        let (mut now, mut naps) = (Mono(0), 0);
        while now < Mono(1_000_000_000) {
            match pacer.due(now) {
                Due::Now(_) => {}
                Due::At(next) => (now, naps) = (next, naps + 1),
            }
        }
        assert!((29_990..=30_010).contains(&pacer.sent()), "{}", pacer.sent());
        assert!(naps <= 4_000, "woken {naps} times for 30,000 packets");
        assert_eq!(pacer.skipped, 0);
    }

    #[test]
    fn a_full_queue_is_left_alone_for_a_moment_and_the_number_is_used_again() {
        let mut pacer = Pacer::new(1_250, 10, Mono(0));
        assert_eq!(pacer.due(Mono(0)), Due::Now(0));
        pacer.failed();
        assert_eq!(pacer.due(Mono(10)), Due::At(Mono(500_010)));
        assert_eq!(pacer.due(Mono(1_000_000)), Due::Now(0));
        assert_eq!((pacer.sent(), pacer.skipped), (1, 1));
    }

    #[test]
    fn what_was_missed_is_counted_and_not_sent_in_a_burst() {
        let mut pacer = Pacer::new(1_250, 10, Mono(0));
        let now = Mono(1_000_000_000);
        let burst = (0..2_000).take_while(|_| matches!(pacer.due(now), Due::Now(_))).count();
        assert!(burst <= 4, "{burst}");
        assert!((996..=999).contains(&pacer.skipped), "{}", pacer.skipped);
    }
}
