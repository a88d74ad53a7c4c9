//! At which hours of the day each side was tested. Two sides that were tested at other hours are not on the same
//! ground, though both may call them peak: lines at eight in the evening are not those of eleven.
//!
//! What lines differ in among themselves is left to the interval, which draws whole lines; what is counted here is how
//! far the two sides are apart beyond it.

use crate::study::{Declined, Note, Words};
use broadgauge_model::text::Phrase;

/// From this share on, the reader is told.
const TOLD: f64 = 0.1;
/// Above this share most tests have no counterpart: the sides are not compared.
const MOST: f64 = 0.5;
/// A difference of shares within so many standard errors is chance.
const CHANCE: f64 = 2.0;

/// The hours of the day at which a group of lines was tested; each line counts as its weight says.
#[derive(Clone, Debug, Default)]
pub(in crate::study) struct Clock {
    weight: f64,
    squared: f64,
    hours: [Hour; 24],
}

/// Sums over lines of what share of a line's tests was made at an hour.
#[derive(Clone, Copy, Debug, Default)]
struct Hour {
    sum: f64,
    squared: f64,
    squares: f64,
}

impl Clock {
    /// Adds a line by its observations at each hour of the day.
    pub(in crate::study) fn add(&mut self, weight: f64, observations: &[u64; 24]) {
        let all: u64 = observations.iter().sum();
        if all == 0 {
            return;
        }
        self.weight += weight;
        self.squared += weight * weight;
        for (hour, &seen) in self.hours.iter_mut().zip(observations) {
            let share = seen as f64 / all as f64;
            hour.sum += weight * share;
            hour.squared += weight * weight * share;
            hour.squares += weight * weight * share * share;
        }
    }

    /// The share of tests at an hour, and the variance of that share over lines.
    fn share(&self, hour: usize) -> (f64, f64) {
        let Hour { sum, squared, squares } = self.hours[hour];
        let mean = sum / self.weight;
        let spread = squares - 2.0 * mean * squared + mean * mean * self.squared;
        // What rounding leaves of lines that are all alike is no spread.
        let spread = if spread > 1e-12 * squares { spread } else { 0.0 };
        (mean, spread / (self.weight * self.weight))
    }

    /// Which share of the tests would have to move to other hours for both sides to be tested at the same ones, beyond
    /// what differs by chance from line to line.
    pub(super) fn apart(&self, other: &Self) -> f64 {
        if self.weight <= 0.0 || other.weight <= 0.0 {
            return 0.0;
        }
        let beyond = |hour: usize| {
            let ((a, a_variance), (b, b_variance)) = (self.share(hour), other.share(hour));
            ((a - b).abs() - CHANCE * (a_variance + b_variance).sqrt()).max(0.0)
        };
        (0..24).map(beyond).sum::<f64>() / 2.0
    }
}

/// Why two sides so far apart are not compared; nothing where they are.
pub(super) fn refused(apart: Option<f64>) -> Option<Declined> {
    let apart = apart.unwrap_or(0.0);
    let phrase = Phrase {
        en: "{share}% of the tests of the two sides were made at different hours of the day: match on hour, or test both at the same hours",
        zh: "双方有 {share}% 的测试不在相同的钟点进行：请按 hour 匹配，或在相同钟点测试双方",
    };
    let share = (100.0 * apart).round();
    (apart > MOST).then(|| Declined::because(Words::with(phrase, &[("share", &share)])))
}

/// Notes how many comparisons stand although a part of the tests has no counterpart at the same hour.
pub(super) fn note(apart: impl Iterator<Item = f64>, notes: &mut Vec<Note>) {
    let count = apart.filter(|apart| (TOLD..=MOST).contains(apart)).count();
    let phrase = Phrase {
        en: "comparisons in which over a tenth of the tests of the two sides were made at different hours of the day: match on hour to be sure",
        zh: "双方有超过十分之一的测试不在相同钟点进行的比较：按 hour 匹配方可确定",
    };
    Note::push(notes, Words::plain(phrase), count as u64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Purpose, Stream};

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
    fn a_schedule_that_is_hours_away_is_seen_whole() {
        let (early, late) = (of(8, |_| vec![19, 20]), of(8, |_| vec![21, 22]));
        assert!((early.apart(&late) - 1.0).abs() < 1e-12);
        assert!((late.apart(&early) - 1.0).abs() < 1e-12);
        let half = of(8, |_| vec![20, 21]);
        assert!((early.apart(&half) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn lines_tested_at_random_are_hardly_ever_apart() {
        let random = |seed: u64, lines| {
            of(lines, move |line| {
                let mut stream = Stream::new(seed, Purpose::Simulation, line as u64);
                (0..5).map(|_| stream.below(24)).collect()
            })
        };
        let told = (0..200).filter(|i| random(2 * i, 20).apart(&random(2 * i + 1, 30)) > TOLD).count();
        assert!(told <= 4, "{told} of 200");
    }
}
