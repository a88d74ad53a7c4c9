//! Which rate next? The search of RFC 9097 section 8.1 (algorithm B), as a pure function of what the receiver saw.
//!
//! Every 50 ms: up while loss and delay are low, in leaps below 1 Gbit/s until the path has pushed back three times, then row
//! by row; down while loss or delay are high, once with a leap. The table has a row for 0.5 Mbit/s, for each Mbit/s up to
//! 1 Gbit/s, and for each 100 Mbit/s up to 40 Gbit/s.

use broadgauge_model::clock::Span;

/// More losses than this in an interval push back.
const LOST: u32 = 10;
/// Below this mean delay above the least the rate rises.
const LOW: Span = Span::millis(30);
/// Above this it falls.
const HIGH: Span = Span::millis(90);
/// Rows of a leap upwards, and three times as many downwards.
const LEAP: u16 = 10;
/// The row of 1 Gbit/s, where leaps end.
const FAST: u16 = 1_000;
/// After how many push-backs in a row leaps end.
const SLOW: u32 = 3;
/// Rows above [`FAST`], 100 Mbit/s apart.
const UPPER: u16 = 390;
/// How many rows there are.
pub(super) const ROWS: u16 = FAST + UPPER + 1;

/// The rate of a row at the IP layer, in bit/s.
pub(super) const fn rate(row: u16) -> u64 {
    match row {
        0 => 500_000,
        1..=FAST => row as u64 * 1_000_000,
        _ => {
            let above = if row >= ROWS { UPPER } else { row - FAST };
            1_000_000_000 + above as u64 * 100_000_000
        }
    }
}

/// The highest row that is not above a rate in kbit/s; the lowest where none is.
pub(super) fn highest(kbps: u32) -> u16 {
    (0..ROWS).rev().find(|&row| rate(row) <= u64::from(kbps) * 1_000).unwrap_or(0)
}

/// What the receiver saw in an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trial {
    /// Packets received.
    pub(super) packets: u32,
    /// Packets lost.
    pub(super) lost: u32,
    /// Mean delay above the least.
    pub(super) delay: Span,
}

/// The search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    row: u16,
    most: u16,
    pushed_back: u32,
    /// How often it went down.
    pub(super) falls: u32,
}

impl Search {
    /// From the lowest row, up to this one at most.
    pub(super) const fn new(most: u16) -> Self {
        Self { row: 0, most, pushed_back: 0, falls: 0 }
    }

    /// The row to use.
    pub(super) const fn row(&self) -> u16 {
        self.row
    }

    /// Takes an interval in. One in which nothing came says nothing: whether there was load at all is not known.
    pub(super) fn take(&mut self, trial: Trial) -> u16 {
        if trial.packets == 0 && trial.lost == 0 {
            return self.row;
        }
        if trial.lost <= LOST && trial.delay < LOW {
            if self.row < FAST && self.pushed_back < SLOW {
                self.row += LEAP;
                self.pushed_back = 0;
            } else {
                self.row += 1;
            }
        } else if trial.lost > LOST || trial.delay > HIGH {
            self.pushed_back += 1;
            self.falls += 1;
            let leap = if self.row < FAST && self.pushed_back == SLOW { 3 * LEAP } else { 1 };
            self.row = self.row.saturating_sub(leap);
        }
        self.row = self.row.min(self.most);
        self.row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Trial = Trial { packets: 50, lost: 0, delay: Span::millis(1) };
    const LOSSY: Trial = Trial { packets: 50, lost: 11, delay: Span::millis(1) };
    const SLOWED: Trial = Trial { packets: 50, lost: 0, delay: Span::millis(91) };
    const BETWEEN: Trial = Trial { packets: 50, lost: 0, delay: Span::millis(60) };

    #[test]
    fn rows_are_as_far_apart_as_the_standard_says() {
        assert_eq!((rate(0), rate(1), rate(1_000)), (500_000, 1_000_000, 1_000_000_000));
        assert_eq!((rate(1_001), rate(ROWS - 1)), (1_100_000_000, 40_000_000_000));
        assert_eq!((highest(999_999), highest(1_150_000), highest(1)), (999, 1_001, 0));
    }

    #[test]
    fn leaps_end_after_three_pushes_and_the_third_is_a_leap_down() {
        let mut search = Search::new(ROWS - 1);
        for _ in 0..20 {
            search.take(CALM);
        }
        assert_eq!(search.row(), 200);
        search.take(BETWEEN);
        assert_eq!(search.row(), 200, "between the two bounds it holds");
        assert_eq!((search.take(LOSSY), search.take(SLOWED), search.take(LOSSY)), (199, 198, 168));
        assert_eq!((search.take(CALM), search.take(LOSSY)), (169, 168));
        assert_eq!(search.falls, 4);
    }

    #[test]
    fn calm_forgives_until_the_third_push() {
        let mut search = Search::new(ROWS - 1);
        for _ in 0..3 {
            search.take(CALM);
        }
        search.take(LOSSY);
        search.take(LOSSY);
        assert_eq!((search.take(CALM), search.pushed_back), (38, 0));
    }

    #[test]
    fn it_stays_within_the_table_and_its_limit() {
        let mut search = Search::new(25);
        for _ in 0..9 {
            search.take(CALM);
        }
        assert_eq!(search.row(), 25);
        for _ in 0..99 {
            search.take(LOSSY);
        }
        assert_eq!(search.row(), 0);
        assert_eq!(search.take(Trial::default()), 0, "silence says nothing");
    }
}
