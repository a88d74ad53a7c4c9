//! How many lines get what was promised?
//!
//! A line's download rate is the median of its tests (or its own summary, where the data hold one number a line); it is
//! set against the rate promised for that very line. Shares of lines carry Wilson's interval (JASA 22, 1927). The
//! consistent rate is the largest that at least 80% of the lines reach in at least 80% of their tests (FCC, Measuring
//! Broadband America), with the distribution-free interval of the 20% quantile over lines.

use super::Series;
use crate::stats::{proportion, quantile};
use crate::study::{Answer, Declined};
use broadgauge_model::panel::Panel;
use broadgauge_model::text::Phrase;
use std::collections::BTreeMap;

/// Fewer lines than this are not shown to those who could recognise them.
pub const LEAST_LINES: usize = 10;

/// The marks that a line reaches or misses, as shares of the promise.
pub const MARKS: (f64, f64) = (0.95, 0.80);

/// How the lines of one operator and technology stand to their promises.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Access technology; empty where the lines name none, `None` for all lines together.
    pub technology: Option<String>,
    /// The operator.
    pub operator: String,
    /// Lines with a promise and a test.
    pub lines: usize,
    /// The share of lines at or above the high mark.
    pub high: Answer,
    /// The share of lines at or above the low mark.
    pub low: Answer,
    /// The consistent rate, in the metric's unit.
    pub consistent: Answer,
}

struct Line {
    technology: String,
    ratio: f64,
    /// What the line reaches in 80% of its tests; `None` where the data hold one number a line.
    steady: Option<f64>,
}

/// Every operator against its promises: over all lines first, then by technology where there are several.
pub fn kept(panel: &Panel, series: &Series, operators: &[&str]) -> Vec<Kept> {
    let lines: Vec<(&str, Vec<Line>)> =
        operators.iter().map(|operator| (*operator, lines(panel, series, operator))).collect();
    let mut technologies: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines.iter().flat_map(|(_, lines)| lines) {
        *technologies.entry(&line.technology).or_default() += 1;
    }
    let mut groups: Vec<Option<&str>> = vec![None];
    if technologies.len() > 1 {
        groups.extend(technologies.keys().copied().map(Some));
    }
    let mut kept = Vec::new();
    for technology in groups {
        for (operator, lines) in &lines {
            let chosen: Vec<&Line> =
                lines.iter().filter(|line| technology.is_none_or(|t| t == line.technology)).collect();
            if !chosen.is_empty() {
                kept.push(summed_up(technology, operator, &chosen));
            }
        }
    }
    kept
}

fn lines(panel: &Panel, series: &Series, operator: &str) -> Vec<Line> {
    let mut by_line: BTreeMap<u32, Vec<(f64, u64)>> = BTreeMap::new();
    for cell in series.cells(panel, operator) {
        let values = by_line.entry(cell.line).or_default();
        series.visit(cell, |value, count| values.push((value, count)));
    }
    let mut lines = Vec::new();
    for (at, mut values) in by_line {
        let line = &panel.lines[at as usize];
        let Some(promised) = line.promise.promised_down_mbps.filter(|promised| *promised > 0.0) else {
            continue;
        };
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let total: u64 = values.iter().map(|(_, count)| count).sum();
        let at_rank = |rank: u64| {
            let mut seen = 0;
            values.iter().find(|(_, count)| {
                seen += count;
                seen >= rank.max(1)
            })
        };
        let value_at = |rank: u64| at_rank(rank).map(|(value, _)| *value);
        let Some(median) = value_at(total.div_ceil(2)) else { continue };
        let steady = if total >= 5 { value_at(reached_by_80_of_100(total)) } else { None };
        let technology = line.technology.clone().unwrap_or_default();
        lines.push(Line { technology, ratio: median / promised, steady });
    }
    lines
}

/// The rank, in ascending order, of the largest value that at least 80 of 100 of `n` values reach.
const fn reached_by_80_of_100(n: u64) -> u64 {
    n - (4 * n).div_ceil(5) + 1
}

fn summed_up(technology: Option<&str>, operator: &str, lines: &[&Line]) -> Kept {
    let share = |mark: f64| {
        let reached = lines.iter().filter(|line| line.ratio >= mark).count() as u64;
        let all = lines.len() as u64;
        match proportion::wilson(reached, all, 0.95) {
            Ok(interval) => Answer::estimate(reached as f64 / all as f64, (interval.low, interval.high), all),
            Err(refusal) => Answer::Declined(refusal.into()),
        }
    };
    Kept {
        technology: technology.map(str::to_owned),
        operator: operator.to_owned(),
        lines: lines.len(),
        high: share(MARKS.0),
        low: share(MARKS.1),
        consistent: consistent(lines),
    }
}

fn consistent(lines: &[&Line]) -> Answer {
    let steady: Vec<f64> = lines.iter().filter_map(|line| line.steady).collect();
    if steady.len() < lines.len() {
        return Answer::declined(Phrase {
            en: "some lines have fewer than 5 tests",
            zh: "部分线路的测试不足 5 次",
        });
    }
    let n = steady.len() as u64;
    let found = quantile::sorted(steady).and_then(|sorted| {
        let interval = quantile::order_statistics(&sorted, 0.2, 0.95)?;
        Ok((sorted[reached_by_80_of_100(n) as usize - 1], interval))
    });
    match found {
        Ok((value, interval)) => Answer::estimate(value, (interval.low, interval.high), n),
        Err(refusal) => Answer::Declined(Declined::from(refusal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked by hand: the fourth largest of five in each row, then of the five lines.
    #[test]
    fn the_consistent_rate_is_reached_by_four_of_five_lines_in_four_of_five_tests() {
        let tests = [
            [1.02, 0.99, 0.97, 0.98, 1.0],
            [0.95, 0.60, 0.97, 0.94, 0.96],
            [0.90, 0.85, 0.40, 0.35, 0.88],
            [1.1, 1.08, 1.05, 1.07, 1.09],
            [0.80, 0.79, 0.81, 0.78, 0.50],
        ];
        let of = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[reached_by_80_of_100(values.len() as u64) as usize - 1]
        };
        let lines: Vec<f64> = tests.iter().map(|line| of(line.to_vec())).collect();
        assert_eq!(lines, [0.98, 0.94, 0.40, 1.07, 0.78]);
        assert_eq!(of(lines), 0.78);
    }

    #[test]
    fn at_least_80_of_100_values_reach_the_one_of_that_rank_and_fewer_the_next() {
        for n in 1..=200_u64 {
            let rank = reached_by_80_of_100(n);
            let reach = |rank: u64| n + 1 - rank;
            assert!(5 * reach(rank) >= 4 * n && 5 * reach(rank + 1) < 4 * n, "{n}");
        }
    }
}
