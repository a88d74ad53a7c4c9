//! What each line saw on each calendar day, cleared of what the line always sees.
//!
//! Lines differ, and not every line is measured every day: a plain mean over lines would move with who was measured. So
//! each line's own mean is taken off first, and a day's figure is the mean of what is left.

use super::episodes::AtRisk;
use super::exposure::{Counter, Hour, Observed};
use rayon::prelude::*;
use std::ops::Range;

/// Values by line and day, each less its line's mean.
pub(super) struct Daily {
    first_day: i32,
    /// By place of the line, then by day of the period; none where nothing was measured.
    lines: Vec<Vec<Option<f64>>>,
}

impl Daily {
    /// The exposure in a window of hours relative to the beginning of each day, for the lines asked for.
    pub(super) fn of(
        observed: &Observed,
        risk: &AtRisk,
        window: &Range<Hour>,
        asked: impl Fn(usize) -> bool + Sync,
    ) -> Self {
        let begins = i64::from(risk.first_day) * 24;
        let ends = i64::from(risk.end_day) * 24;
        let all = (risk.end_day - risk.first_day).max(0) as usize;
        let lines = risk
            .lines
            .par_iter()
            .enumerate()
            .map_init(Counter::default, |counter, (at, line)| {
                let mut values = vec![None; all];
                if !asked(at) || observed.lines[at].is_empty() {
                    return values;
                }
                let days = line.days.start.max(risk.first_day)..line.days.end.min(risk.end_day);
                let of = |day: i32| i64::from(day) * 24 + window.start..i64::from(day) * 24 + window.end;
                // Windows that reach out of the period are not whole.
                let whole = |day: &i32| of(*day).start >= begins && of(*day).end <= ends;
                let days: Vec<i32> = days.filter(whole).collect();
                let (mut sum, mut count) = (0.0, 0.0);
                observed.slide(at, days.iter().map(|d| of(*d)), counter, |number, value| {
                    if let Some(value) = value {
                        values[(days[number] - risk.first_day) as usize] = Some(value);
                        sum += value;
                        count += 1.0;
                    }
                });
                let mean = sum / f64::max(count, 1.0);
                values.iter_mut().flatten().for_each(|value| *value -= mean);
                values
            })
            .collect();
        Self { first_day: risk.first_day, lines }
    }

    /// What a line saw on a day beyond its mean.
    pub(super) fn at(&self, line: u32, day: i32) -> Option<f64> {
        let day = usize::try_from(day - self.first_day).ok()?;
        *self.lines[line as usize].get(day)?
    }

    /// The mean over lines of each day, with how many lines it is of.
    pub(super) fn mean(&self, lines: impl Iterator<Item = usize>) -> Vec<(f64, usize)> {
        let days = self.lines.first().map_or(0, Vec::len);
        let mut sums = vec![(0.0, 0); days];
        for line in lines {
            for (sum, value) in sums.iter_mut().zip(&self.lines[line]) {
                if let Some(value) = value {
                    sum.0 += value;
                    sum.1 += 1;
                }
            }
        }
        sums.into_iter().map(|(sum, n)| (sum / f64::max(f64::from(n), 1.0), n as usize)).collect()
    }
}
