//! How are the values of an operator's lines spread? Every line counts the same, whatever it was tested.
//!
//! F(x) is the mean over lines of each line's own distribution function. Its pointwise 95% band comes from drawing
//! whole lines with replacement (Efron 1979), so the unit of inference is the line, not the test.

use super::Series;
use crate::stats::bootstrap::Design;
use broadgauge_model::panel::{Cell, Hours, Panel};
use std::collections::BTreeMap;

/// A line-weighted distribution.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// Lines observed.
    pub lines: usize,
    /// Observations on them.
    pub observations: u64,
    /// Values in rising order, and the share at or below each.
    pub steps: Vec<(f64, f64)>,
}

/// The distribution of one operator's values.
pub fn spread(panel: &Panel, series: &Series, operator: &str) -> Spread {
    let mut shares: BTreeMap<Ordered, f64> = BTreeMap::new();
    let mut spread = Spread::default();
    each_line(panel, series, operator, |line, total| {
        spread.lines += 1;
        spread.observations += total;
        for (value, count) in line {
            *shares.entry(value).or_default() += count as f64 / total as f64;
        }
    });
    let mut below = 0.0;
    let lines = spread.lines as f64;
    spread.steps = shares
        .into_iter()
        .map(|(value, share)| {
            below += share;
            (value.0, (below / lines).min(1.0))
        })
        .collect();
    if let Some(last) = spread.steps.last_mut() {
        last.1 = 1.0;
    }
    spread
}

/// The pointwise 95% band of the distribution at some values: (value, lower share, upper share). Empty for fewer than
/// two lines.
pub fn band(panel: &Panel, series: &Series, operator: &str, at: &[f64], seed: u64) -> Vec<(f64, f64, f64)> {
    let mut lines: Vec<Vec<f64>> = Vec::new();
    each_line(panel, series, operator, |line, total| {
        let mut values = line.into_iter().peekable();
        let mut below = 0;
        let share = |&x: &f64| {
            while let Some((_, count)) = values.next_if(|(value, _)| value.0 <= x) {
                below += count;
            }
            below as f64 / total as f64
        };
        lines.push(at.iter().map(share).collect());
    });
    let Ok(design) = Design::simple(lines.len()) else { return Vec::new() };
    let resampled: Vec<Vec<f64>> = design.replicate(REPLICATES, seed, |counts| {
        let mut sums = vec![0.0; at.len()];
        for (line, &count) in lines.iter().zip(counts).filter(|(_, count)| **count > 0) {
            sums.iter_mut().zip(line).for_each(|(sum, share)| *sum += share * f64::from(count));
        }
        for sum in &mut sums {
            *sum /= lines.len() as f64;
        }
        sums
    });
    let limits = |(i, &x): (usize, &f64)| {
        let mut shares: Vec<f64> = resampled.iter().map(|replicate| replicate[i]).collect();
        shares.sort_unstable_by(f64::total_cmp);
        let edge = |q: f64| shares[((q * shares.len() as f64) as usize).min(shares.len() - 1)];
        (x, edge(0.025), edge(0.975))
    };
    at.iter().enumerate().map(limits).collect()
}

const REPLICATES: usize = 500;

/// The hours that a series' summaries speak of: the whole day where some do, else the source's peak; nothing for
/// observations of single hours. Summaries over other hours are never mixed with them.
pub fn window(panel: &Panel, series: &Series) -> Option<Hours> {
    let has = |hours: &Hours| series.all_cells(panel).any(|cell| cell.hours == *hours);
    [Hours::AllDay, Hours::Peak].into_iter().find(has)
}

/// Calls `each` with the values of every line that has any, and how many they are.
fn each_line(
    panel: &Panel,
    series: &Series,
    operator: &str,
    mut each: impl FnMut(BTreeMap<Ordered, u64>, u64),
) {
    let window = window(panel, series);
    let is_of_it = |cell: &&Cell| window.is_none_or(|window| cell.hours == window);
    let mut cells = series.cells(panel, operator).filter(is_of_it).peekable();
    while let Some(first) = cells.next() {
        let mut line: BTreeMap<Ordered, u64> = BTreeMap::new();
        let mut add = |value, count| *line.entry(Ordered(value)).or_default() += count;
        series.visit(first, &mut add);
        // Cells are sorted by line.
        while let Some(next) = cells.next_if(|cell| cell.line == first.line) {
            series.visit(next, &mut add);
        }
        let total: u64 = line.values().sum();
        if total > 0 {
            each(line, total);
        }
    }
}

impl Spread {
    /// The smallest value with at least this share at or below it.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        // Shares are sums of many small ones: do not miss a step for the last bit.
        self.steps.iter().find(|(_, share)| *share >= q - 1e-9).map(|(value, _)| *value)
    }

    /// The share at or below a value.
    pub fn share(&self, value: f64) -> f64 {
        let after = self.steps.partition_point(|(step, _)| *step <= value);
        after.checked_sub(1).map_or(0.0, |at| self.steps[at].1)
    }

    /// The share strictly below a value.
    pub fn share_below(&self, value: f64) -> f64 {
        let before = self.steps.partition_point(|(step, _)| *step < value);
        before.checked_sub(1).map_or(0.0, |at| self.steps[at].1)
    }

    /// At most `most` steps for a drawing: each a step of the whole, evenly by share, the ends kept.
    pub fn thinned(&self, most: usize) -> Vec<(f64, f64)> {
        if self.steps.len() <= most {
            return self.steps.clone();
        }
        let mut kept: Vec<(f64, f64)> = vec![self.steps[0]];
        for &step in &self.steps[1..] {
            if step.1 - kept[kept.len() - 1].1 >= 1.0 / most as f64 {
                kept.push(step);
            }
        }
        if let (Some(last), Some(&end)) = (kept.last(), self.steps.last())
            && *last != end
        {
            kept.push(end);
        }
        kept
    }
}

/// A float in total order.
#[derive(Clone, Copy, PartialEq)]
struct Ordered(f64);
impl Eq for Ordered {}
impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
