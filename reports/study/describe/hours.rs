//! When is it bad? The share of tests beyond a limit, by weekday and local hour, and over the busy hours.
//!
//! Shares of cells count tests; the share over the busy hours is the mean over lines of each line's own share, with the
//! cluster bootstrap over lines, because tests on one line are not independent.

use super::Series;
use crate::stats::bootstrap::Design;
use crate::study::Answer;
use crate::study::peers::Peak;
use broadgauge_model::metric::Better;
use broadgauge_model::panel::{Cell, Hours, Panel, weekday};
use broadgauge_model::text::Phrase;

/// One weekday and hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HourCell {
    /// Tests.
    pub tests: u64,
    /// Tests on the worse side of the limit.
    pub beyond: u64,
    /// Lines that were tested.
    pub lines: u32,
}

impl HourCell {
    /// The share beyond the limit; `None` where nothing was tested.
    pub fn share(&self) -> Option<f64> {
        (self.tests > 0).then(|| self.beyond as f64 / self.tests as f64)
    }
}

/// By weekday (Monday first) and local hour.
pub type Week = [[HourCell; 24]; 7];

/// How many of a cell's values lie on the worse side of the limit, and how many there are.
pub(super) fn beyond(series: &Series, cell: &Cell, limit: f64) -> (u64, u64) {
    let (mut worse, mut all) = (0, 0);
    series.visit(cell, |value, count| {
        all += count;
        let is_worse = match series.metric.better {
            Better::Lower => value > limit,
            Better::Higher => value < limit,
        };
        worse += if is_worse { count } else { 0 };
    });
    (worse, all)
}

/// The week of one operator's lines; `None` where no observation names an hour.
pub fn week(panel: &Panel, series: &Series, operator: &str, limit: f64) -> Option<Week> {
    let mut week = Week::default();
    // Cells are sorted by line: a line is counted once where it differs from the last one seen there.
    let mut last = [[u32::MAX; 24]; 7];
    let mut any = false;
    for cell in series.cells(panel, operator) {
        let Hours::At { day, hour } = cell.hours else { continue };
        any = true;
        let (d, h) = (usize::from(weekday(day)), usize::from(hour.min(23)));
        let (worse, all) = beyond(series, cell, limit);
        let at = &mut week[d][h];
        at.tests += all;
        at.beyond += worse;
        if last[d][h] != cell.line {
            last[d][h] = cell.line;
            at.lines += 1;
        }
    }
    any.then_some(week)
}

/// The share of tests beyond the limit in the busy hours, every line counting the same.
pub fn busy_share(
    panel: &Panel,
    series: &Series,
    operator: &str,
    limit: f64,
    peak: Peak,
    seed: u64,
) -> Answer {
    let mut lines: Vec<(u32, u64, u64)> = Vec::new();
    for cell in series.cells(panel, operator) {
        let busy = match cell.hours {
            Hours::At { day, hour } => peak.contains(day, hour),
            Hours::Peak => true,
            Hours::AllDay => false,
        };
        if !busy {
            continue;
        }
        let (worse, all) = beyond(series, cell, limit);
        match lines.last_mut() {
            Some(last) if last.0 == cell.line => {
                last.1 += worse;
                last.2 += all;
            }
            _ => lines.push((cell.line, worse, all)),
        }
    }
    let shares: Vec<f64> =
        lines.iter().filter(|line| line.2 > 0).map(|line| line.1 as f64 / line.2 as f64).collect();
    if shares.is_empty() {
        return Answer::declined(Phrase {
            en: "no observation of this kind speaks of the busy hours",
            zh: "此类观测均未涉及忙时",
        });
    }
    if shares.len() < super::promise::LEAST_LINES {
        return Answer::declined(Phrase {
            en: "fewer than 10 lines were tested in the busy hours",
            zh: "忙时有测试的线路不足 10 条",
        });
    }
    let mean = |counts: &[u32]| {
        let (sum, n) = shares.iter().zip(counts).fold((0.0, 0.0), |(sum, n), (share, &count)| {
            (sum + share * f64::from(count), n + f64::from(count))
        });
        Ok(sum / n)
    };
    let answer = Design::simple(shares.len()).and_then(|design| design.interval(2000, seed, 0.95, mean));
    match answer {
        Ok(found) => {
            let interval = (found.interval.low, found.interval.high);
            Answer::estimate(found.observed, interval, shares.len() as u64)
        }
        Err(refusal) => Answer::Declined(refusal.into()),
    }
}
