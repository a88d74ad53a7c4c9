//! How are the values of an operator's lines spread? Every line counts the same, whatever it was tested.
//!
//! F(x) is the mean over lines of each line's own distribution function. Its pointwise band at 95% is
//! sqrt(ln(2/0.05) / 2L) for L lines (Hoeffding, JASA 58, 1963: means of independent values between 0 and 1), so the
//! unit of inference is the line, not the test.

use super::Series;
use broadgauge_model::panel::Panel;
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
    // Values by their bits: non-negative floats sort as their bits do; negative ones are put below.
    let mut shares: BTreeMap<Ordered, f64> = BTreeMap::new();
    let mut spread = Spread::default();
    let mut cells = series.cells(panel, operator).peekable();
    while let Some(first) = cells.next() {
        let mut line: BTreeMap<Ordered, u64> = BTreeMap::new();
        let mut add = |value, count| *line.entry(Ordered(value)).or_default() += count;
        series.visit(first, &mut add);
        // Cells are sorted by line.
        while let Some(next) = cells.next_if(|cell| cell.line == first.line) {
            series.visit(next, &mut add);
        }
        let total: u64 = line.values().sum();
        if total == 0 {
            continue;
        }
        spread.lines += 1;
        spread.observations += total;
        for (value, count) in line {
            *shares.entry(value).or_default() += count as f64 / total as f64;
        }
    }
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

    /// The half-width of the pointwise 95% band.
    pub fn band(&self) -> f64 {
        ((2.0_f64 / 0.05).ln() / (2.0 * self.lines.max(1) as f64)).sqrt()
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
