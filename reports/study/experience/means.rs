//! Means over lines: each line counts once, however often it was looked at.

use crate::stats::welch::Moments;
use crate::study::{Answer, Declined};
use std::collections::BTreeMap;

/// The mean over lines of the mean of each line's values, with Student's interval over lines, mapped to other units by
/// a function that rises or falls all along.
pub(in crate::study) fn mean_of_lines(
    values: impl IntoIterator<Item = (usize, f64)>,
    map: impl Fn(f64) -> f64,
) -> Answer {
    let mut lines: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (line, value) in values {
        let entry = lines.entry(line).or_default();
        entry.0 += value;
        entry.1 += 1.0;
    }
    let means: Vec<f64> = lines.values().map(|(sum, n)| sum / n).collect();
    let told = Moments::of(&means).and_then(|moments| Ok((moments, moments.interval(0.95)?)));
    match told {
        Ok((moments, interval)) => {
            let (a, b) = (map(interval.low), map(interval.high));
            Answer::estimate(map(moments.mean), (a.min(b), a.max(b)), moments.n as u64)
        }
        Err(refusal) => Declined::from(refusal).into(),
    }
}
