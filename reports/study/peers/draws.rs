//! From resamples to intervals, for one stratum or for several with fixed weights.

use super::resample::{Resampled, ResampledPart};
use super::strata::Part;
use crate::stats::Interval;
use crate::stats::bootstrap::{Design, FEW_CLUSTERS, expanded_level, percentile};
use crate::stats::quantile::smallest_n;
use crate::study::{Answer, Declined, Words};
use broadgauge_model::text::Phrase;

/// At most this share of the resamples may lack a value.
const MISSING: f64 = 0.05;

/// One stratum of a row: which ground, which part of the week, and its weight among the row's strata.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) ground: usize,
    pub(super) part: Part,
    pub(super) weight: f64,
    /// Which share of the two sides' tests was made at different hours of the day; nothing for summaries.
    pub(super) hours_apart: Option<f64>,
}

/// Which share of the two sides' tests was made at different hours of the day, over the strata of a row; nothing where
/// one of them is of summaries.
pub(super) fn hours_apart(cells: &[Cell]) -> Option<f64> {
    let weight: f64 = cells.iter().map(|c| c.weight).sum();
    let apart: f64 = cells.iter().map(|c| Some(c.weight * c.hours_apart?)).sum::<Option<_>>()?;
    (weight > 0.0).then(|| apart / weight)
}

/// A statistic with its resamples, and its values with each line left out in turn.
#[derive(Clone, Debug)]
pub(super) struct Draws {
    pub(super) observed: f64,
    pub(super) replicates: Vec<f64>,
    pub(super) jackknife: Vec<f64>,
    /// Within which group each line was drawn.
    pub(super) labels: Vec<usize>,
    /// Lines on the smaller side.
    pub(super) lines: usize,
}

impl Draws {
    /// One side of a row: the weighted sum over its strata of quantile number `q`.
    pub(super) fn of(grounds: &[Option<&Resampled>], cells: &[Cell], q: usize) -> Option<Self> {
        let part = |cell: &Cell| -> Option<&ResampledPart> { grounds[cell.ground]?.parts.get(&cell.part) };
        let replicates = part(cells.first()?)?.replicates[q].len();
        let mut out = Self {
            observed: 0.0,
            replicates: vec![0.0; replicates],
            jackknife: Vec::new(),
            labels: Vec::new(),
            lines: 0,
        };
        for cell in cells {
            let found = part(cell)?;
            out.observed += cell.weight * found.observed[q];
            for (sum, value) in out.replicates.iter_mut().zip(&found.replicates[q]) {
                *sum += cell.weight * value;
            }
        }
        for (ground, resampled) in grounds.iter().enumerate() {
            let here: Vec<&Cell> = cells.iter().filter(|c| c.ground == ground).collect();
            let (Some(resampled), false) = (resampled, here.is_empty()) else { continue };
            let mut lines = 0;
            let mut values = vec![out.observed; resampled.lines];
            for cell in here {
                let found = resampled.parts.get(&cell.part)?;
                lines = lines.max(found.lines);
                for (value, left_out) in values.iter_mut().zip(&found.jackknife[q]) {
                    *value += cell.weight * (left_out - found.observed[q]);
                }
            }
            out.lines += lines;
            out.labels.resize(out.labels.len() + resampled.lines, ground);
            out.jackknife.append(&mut values);
        }
        Some(out)
    }

    /// A function of two sides, whose lines are drawn independently.
    pub(super) fn both(a: &Self, b: &Self, of: impl Fn(f64, f64) -> f64) -> Self {
        let grounds = a.labels.iter().chain(&b.labels).max().map_or(0, |m| m + 1);
        Self {
            observed: of(a.observed, b.observed),
            replicates: a.replicates.iter().zip(&b.replicates).map(|(&x, &y)| of(x, y)).collect(),
            jackknife: (a.jackknife.iter().map(|&x| of(x, b.observed)))
                .chain(b.jackknife.iter().map(|&y| of(a.observed, y)))
                .collect(),
            labels: a.labels.iter().copied().chain(b.labels.iter().map(|l| l + grounds)).collect(),
            lines: a.lines.min(b.lines),
        }
    }

    /// The interval: BCa for few lines, percentile otherwise, at a level widened for few lines.
    pub(super) fn interval(&self, level: f64, p: f64) -> Result<Interval, Declined> {
        let known: Vec<f64> = self.replicates.iter().copied().filter(|x| x.is_finite()).collect();
        if (known.len() as f64) < (1.0 - MISSING) * self.replicates.len() as f64 {
            return Err(Declined::because(Words::plain(Phrase {
                en: "too many resamples hold no value",
                zh: "过多重抽样没有取值",
            })));
        }
        // No wider than the resamples can show.
        let level = expanded_level(level, self.lines)?.min(1.0 - 2.5 / known.len() as f64);
        let varies = known.iter().any(|x| *x != known[0]);
        if !varies {
            // Ties: the order statistics around the quantile are all the same value, if there are enough of them.
            return if known[0] == self.observed && self.lines >= smallest_n(p, 0.95)? {
                Ok(Interval::new(self.observed, self.observed))
            } else {
                Err(crate::stats::Refusal::NoVariation { what: "the resamples" }.into())
            };
        }
        if self.lines < FEW_CLUSTERS && self.jackknife.iter().all(|x| x.is_finite()) {
            let bca = Design::stratified(&self.labels)
                .and_then(|design| design.bca(self.observed, &known, &self.jackknife, level));
            if let Ok(interval) = bca {
                return Ok(interval);
            }
        }
        // A high quantile takes few values: resamples may all but miss the one that was observed.
        Ok(percentile(&known, level)?.with(self.observed))
    }

    /// The statistic with its 95% interval.
    pub(super) fn answer(&self, p: f64, n: u64) -> Answer {
        match self.interval(0.95, p) {
            Ok(interval) => Answer::estimate(self.observed, interval.pair(), n),
            Err(declined) => declined.into(),
        }
    }

    /// The standard deviation of the resamples.
    pub(super) fn spread(&self) -> f64 {
        let known: Vec<f64> = self.replicates.iter().copied().filter(|x| x.is_finite()).collect();
        let n = known.len() as f64;
        let mean = known.iter().sum::<f64>() / n;
        (known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
    }
}
