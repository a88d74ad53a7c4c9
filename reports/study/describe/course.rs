//! When did it start? The spread of an operator's values in each stretch of local time, and what was lost.
//!
//! A stretch holds all tests of all the operator's lines in it. One without tests is left out, never filled in.

use super::Series;
use broadgauge_model::panel::{CellValues, Hours, Panel};
use std::collections::BTreeMap;

/// The quantiles of a stretch.
pub const QUANTILES: [f64; 7] = [0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95];

/// A stretch of local time.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// The local day.
    pub day: i32,
    /// The local hour at which it begins.
    pub hour: u8,
    /// How many hours it lasts.
    pub hours: u8,
    /// The values at [`QUANTILES`]; `None` where everything was lost.
    pub values: Option<[f64; 7]>,
    /// Tests with a value.
    pub tests: u64,
    /// Packets sent, where packets were counted.
    pub sent: u64,
    /// Packets lost of those.
    pub lost: u64,
}

/// The course of one operator's values, in stretches of `hours` (a divisor of 24).
pub fn course(panel: &Panel, series: &Series, operator: &str, hours: u8) -> Vec<Stretch> {
    #[derive(Default)]
    struct Bin {
        values: Vec<(f64, u64)>,
        sent: u64,
        lost: u64,
    }
    let hours = hours.clamp(1, 24);
    let mut bins: BTreeMap<(i32, u8), Bin> = BTreeMap::new();
    for cell in series.cells(panel, operator) {
        let Hours::At { day, hour } = cell.hours else { continue };
        let bin = bins.entry((day, hour / hours * hours)).or_default();
        series.visit(cell, |value, count| bin.values.push((value, count)));
        bin.sent += cell.sent;
        bin.lost += cell.lost;
        debug_assert!(!matches!(cell.values, CellValues::Number(value) if !value.is_finite()));
    }
    bins.into_iter()
        .map(|((day, hour), mut bin)| {
            bin.values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let tests = bin.values.iter().map(|(_, count)| count).sum();
            let values = (tests > 0).then(|| QUANTILES.map(|q| quantile(&bin.values, tests, q)));
            Stretch { day, hour, hours, values, tests, sent: bin.sent, lost: bin.lost }
        })
        .collect()
}

/// The nearest rank, as everywhere in this project.
fn quantile(sorted: &[(f64, u64)], total: u64, q: f64) -> f64 {
    let rank = ((q * total as f64).ceil() as u64).clamp(1, total);
    let mut seen = 0;
    let found = sorted.iter().find(|(_, count)| {
        seen += count;
        seen >= rank
    });
    found.or(sorted.last()).map_or(f64::NAN, |(value, _)| *value)
}
