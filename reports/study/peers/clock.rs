//! At which hours of the day each side was tested. Two sides that were tested at other hours are not on the same
//! ground, though both may call them peak: lines at eight in the evening are not those of eleven.
//!
//! What lines differ in among themselves is left to the interval, which draws whole lines; what is counted here is how
//! far the two sides are apart beyond it.

use crate::stats::{Purpose, Stream};
use crate::study::{Declined, Note, Words};
use broadgauge_model::text::Phrase;

/// From this share on, the reader is told.
const TOLD: f64 = 0.1;
/// Above this share most tests have no counterpart: the sides are not compared.
const MOST: f64 = 0.5;

/// What share of its tests a line has at each hour of the day.
type Shares = [f64; 24];

/// The hours of the day at which a group of lines was tested; each line counts as its weight says.
#[derive(Clone, Debug, Default)]
pub(in crate::study) struct Clock {
    lines: Vec<(f64, Shares)>,
}

impl Clock {
    /// Adds a line by its observations at each hour of the day.
    pub(in crate::study) fn add(&mut self, weight: f64, observations: &[u64; 24]) {
        let all: u64 = observations.iter().sum();
        if all > 0 {
            self.lines.push((weight, observations.map(|seen| seen as f64 / all as f64)));
        }
    }

    /// Adds a group.
    pub(in crate::study) fn merge(&mut self, other: &Self) {
        self.lines.extend_from_slice(&other.lines);
    }

    /// Which share of the tests would have to move to other hours for both sides to be tested at the same ones, less
    /// what remains on average where the same lines are dealt to the two sides by chance.
    pub(in crate::study) fn apart(&self, other: &Self) -> f64 {
        if self.lines.is_empty() || other.lines.is_empty() {
            return 0.0;
        }
        let seen = distance(self.lines.iter(), other.lines.iter());
        if seen <= 0.0 {
            return 0.0;
        }
        // In an order of their own, so that neither names nor which side is the own one can move anything.
        let mut all: Vec<&(f64, Shares)> = self.lines.iter().chain(&other.lines).collect();
        all.sort_by(|a, b| {
            let shares = a.1.iter().zip(&b.1).map(|(a, b)| a.total_cmp(b));
            shares.fold(a.0.total_cmp(&b.0), std::cmp::Ordering::then)
        });
        let fewer = self.lines.len().min(other.lines.len());
        let dealt = (0..DEALS).map(|number| {
            Stream::new(0, Purpose::Permutation, number).shuffle(&mut all);
            distance(all[..fewer].iter().copied(), all[fewer..].iter().copied())
        });
        (seen - dealt.sum::<f64>() / DEALS as f64).max(0.0)
    }

    /// Whether most tests have no counterpart at the same hour.
    pub(in crate::study) fn is_elsewhere(&self, other: &Self) -> bool {
        self.apart(other) > MOST
    }
}

/// How often lines are dealt to two sides by chance.
const DEALS: u64 = 100;

/// Half the sum of the differences between the mean shares of two groups.
fn distance<'a>(
    one: impl Iterator<Item = &'a (f64, Shares)>,
    other: impl Iterator<Item = &'a (f64, Shares)>,
) -> f64 {
    let (one, other) = (mean(one), mean(other));
    one.iter().zip(&other).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0
}

fn mean<'a>(lines: impl Iterator<Item = &'a (f64, Shares)>) -> Shares {
    let (mut sums, mut weights) = ([0.0; 24], 0.0);
    for (weight, shares) in lines {
        weights += weight;
        sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += weight * share);
    }
    sums.map(|sum| sum / weights)
}

/// Why two sides so far apart are not compared; nothing where they are.
pub(in crate::study) fn refused(apart: Option<f64>) -> Option<Declined> {
    let apart = apart.unwrap_or(0.0);
    let phrase = Phrase {
        en: "{share}% of the tests of the two sides were made at different hours of the day: match on hour, or test both at the same hours",
        zh: "双方有 {share}% 的测试不在相同的钟点进行：请按 hour 匹配，或在相同钟点测试双方",
    };
    let share = (100.0 * apart).round();
    (apart > MOST).then(|| Declined::because(Words::with(phrase, &[("share", &share)])))
}

/// Notes how many comparisons stand although a part of the tests has no counterpart at the same hour, and how many do
/// not stand, and are in no row over several strata either.
pub(super) fn note(apart: impl Iterator<Item = f64>, notes: &mut Vec<Note>) {
    let (refused, apart): (Vec<f64>, Vec<f64>) = apart.partition(|apart| *apart > MOST);
    let phrase = Phrase {
        en: "comparisons refused, and left out of rows over several strata, because most tests of the two sides were made at different hours of the day",
        zh: "因双方多数测试不在相同钟点进行而不作、亦不计入合并结果的比较",
    };
    Note::push(notes, Words::plain(phrase), refused.len() as u64);
    let count = apart.iter().filter(|apart| **apart > TOLD).count();
    let phrase = Phrase {
        en: "comparisons in which over a tenth of the tests of the two sides were made at different hours of the day: match on hour to be sure",
        zh: "双方有超过十分之一的测试不在相同钟点进行的比较：按 hour 匹配方可确定",
    };
    Note::push(notes, Words::plain(phrase), count as u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: usize, hours: impl Fn(usize) -> Vec<usize>) -> Clock {
        let mut clock = Clock::default();
        for line in 0..lines {
            let mut seen = [0; 24];
            for hour in hours(line) {
                seen[hour] += 1;
            }
            clock.add(1.0, &seen);
        }
        clock
    }

    #[test]
    fn sides_tested_at_the_same_hours_are_not_apart_however_often_each_line_was_tested() {
        let one = of(8, |line| (0..=line).flat_map(|_| 19..23).collect());
        let other = of(20, |_| (19..23).collect());
        assert!(one.apart(&other).abs() < 1e-12);
        assert!(Clock::default().apart(&one).abs() < 1e-12);
    }

    #[test]
    fn a_schedule_that_is_hours_away_is_seen_from_either_side() {
        let (early, late) = (of(30, |_| vec![19, 20]), of(20, |_| vec![21, 22]));
        let apart = early.apart(&late);
        assert!((0.85..=1.0).contains(&apart) && apart == late.apart(&early), "{apart}");
        assert!(early.is_elsewhere(&late));
        let half = of(20, |_| vec![20, 21]);
        let apart = early.apart(&half);
        assert!((0.4..0.5).contains(&apart) && !early.is_elsewhere(&half), "{apart}");
    }

    /// Lines whose tests are each at some hour of a range.
    fn random(seed: u64, lines: usize, tests: usize, (from, to): (usize, usize)) -> Clock {
        of(lines, move |line| {
            let mut stream = Stream::new(seed, Purpose::Simulation, line as u64);
            (0..tests).map(|_| from + stream.below(to - from)).collect()
        })
    }

    const RUNS: u64 = 100;

    /// In how many of the pairs the two sides are further apart than this.
    fn beyond(bar: f64, pair: impl Fn(u64) -> (Clock, Clock)) -> usize {
        let is_beyond = |(one, other): (Clock, Clock)| one.apart(&other) > bar;
        (0..RUNS).filter(|run| is_beyond(pair(*run))).count()
    }

    #[test]
    fn lines_tested_at_random_are_hardly_ever_apart_and_never_refused() {
        for (lines, others, tests) in [(20, 30, 5), (6, 6, 1), (6, 40, 1), (40, 40, 1)] {
            let pair = |run: u64| {
                (random(2 * run, lines, tests, (0, 24)), random(2 * run + 1, others, tests, (0, 24)))
            };
            let (told, refused) = (beyond(TOLD, pair), beyond(MOST, pair));
            assert!(told <= 30 && refused == 0, "{lines} and {others} lines: {told} told, {refused} refused");
        }
    }

    #[test]
    fn other_hours_are_refused_though_each_line_was_tested_once() {
        for lines in [12, 30, 100] {
            let pair = |run: u64| (random(2 * run, lines, 1, (0, 9)), random(2 * run + 1, lines, 1, (9, 18)));
            let told = beyond(TOLD, pair);
            assert_eq!(told, 100, "{lines} lines");
        }
        let pair = |run: u64| (random(2 * run, 30, 1, (0, 9)), random(2 * run + 1, 30, 1, (9, 18)));
        assert!(beyond(MOST, pair) >= 95, "{}", beyond(MOST, pair));
        let pair = |run: u64| (random(2 * run, 12, 1, (19, 21)), random(2 * run + 1, 12, 1, (21, 23)));
        assert!(beyond(MOST, pair) >= 95, "{}", beyond(MOST, pair));
    }
}
