//! What the whole town's customers have come to expect of their download rate, and how far short of it they are.
//!
//! Once a week, on Monday, a customer takes stock: what the line had in the last seven evenings, against a mean of what
//! was promised, what it had before, what neighbours with the same product have, and what is said of the operator.

use super::lines::Line;
use super::plan::OWN;
use broadgauge_reports::stats::expectation::reference::{HalfLives, lived_level};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// Promise, history, region, word of mouth.
pub(super) const HOME: [f64; 4] = [0.5, 0.3, 0.15, 0.05];
/// The same of business customers.
pub(super) const BUSINESS: [f64; 4] = [0.7, 0.15, 0.1, 0.05];
/// Change of the log odds of a complaint in a week per unit (of the natural logarithm of the rate) short.
pub(super) const SLOPE: f64 = 3.0;

const LIVES: HalfLives = HalfLives { better: 14.0, worse: 60.0 };
const HISTORY_DAYS: usize = 14;
const REGION_DAYS: usize = 28;

/// Names of the weights, for the truth.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Weights {
    promise: f64,
    history: f64,
    region: f64,
    word_of_mouth: f64,
}

impl Weights {
    pub(super) const fn of(weights: [f64; 4]) -> Self {
        let [promise, history, region, word_of_mouth] = weights;
        Self { promise, history, region, word_of_mouth }
    }
}

/// What is said, by region and month.
pub(super) type Talk = BTreeMap<(&'static str, String), f64>;

/// By line and day: how far short the customer was at the last stocktaking; 0 before the first.
pub(super) fn shortfalls(lines: &[Line], rates: &[Vec<f64>], first_day: Date, talk: &Talk) -> Vec<Vec<f64>> {
    let days = rates.first().map_or(0, Vec::len);
    let mut short = vec![vec![0.0; days]; lines.len()];
    let mondays = (0..days).filter(|day| {
        let date = first_day.checked_add(jiff::Span::new().days(*day as i64));
        date.is_ok_and(|date| date.weekday() == jiff::civil::Weekday::Monday)
    });
    let standing = standing(talk);
    for monday in mondays.filter(|day| *day >= 7 + HISTORY_DAYS) {
        let month = first_day
            .checked_add(jiff::Span::new().days(monday as i64))
            .and_then(|date| date.first_of_month().yesterday())
            .map_or_else(|_| String::new(), month);
        let around = Around::of(lines, rates, monday);
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.operator == OWN) {
            let before: Vec<(f64, f64)> =
                (0..monday - 7).map(|day| (day as f64, -rates[at][day].ln())).collect();
            let Ok(history) = lived_level(&before, LIVES, HISTORY_DAYS) else { continue };
            let had = median(rates[at][monday - 7..monday].iter().map(|rate| -rate.ln()).collect());
            let promise = -line.promised_down_mbps.ln();
            let (region, spread) = around.level(at, line);
            let said = standing.get(&(line.region, month.clone())).copied().unwrap_or(0.0);
            let levels = [promise, history, region, region - said * spread];
            let weights = if line.segment == Some("business") { BUSINESS } else { HOME };
            let expected: f64 = levels.iter().zip(weights).map(|(level, weight)| level * weight).sum();
            for one in &mut short[at][monday..(monday + 7).min(days)] {
                *one = (had - expected).max(0.0);
            }
        }
    }
    short
}

pub(super) fn month(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

/// Scores in standard deviations.
fn standing(talk: &Talk) -> Talk {
    let n = talk.len() as f64;
    let mean = talk.values().sum::<f64>() / n;
    let sd = (talk.values().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    talk.iter().map(|(key, score)| (key.clone(), (score - mean) / sd)).collect()
}

/// The levels of lines with their place, by region.
type Regions = BTreeMap<&'static str, Vec<(f64, usize)>>;

/// Lines with the same product by region, on the four weeks before a Monday.
struct Around {
    groups: BTreeMap<(&'static str, u64), Regions>,
}

impl Around {
    fn of(lines: &[Line], rates: &[Vec<f64>], monday: usize) -> Self {
        let mut groups: BTreeMap<_, BTreeMap<_, Vec<(f64, usize)>>> = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            let from = monday.saturating_sub(REGION_DAYS);
            let level = median(rates[at][from..monday].iter().map(|rate| -rate.ln()).collect());
            let product = (line.technology.name, line.promised_down_mbps.to_bits());
            groups.entry(product).or_default().entry(line.region).or_default().push((level, at));
        }
        Self { groups }
    }

    /// The median of the other lines of the region, and the interquartile range of the regions.
    fn level(&self, own: usize, line: &Line) -> (f64, f64) {
        let regions = &self.groups[&(line.technology.name, line.promised_down_mbps.to_bits())];
        let others = |group: &[(f64, usize)], but: Option<usize>| {
            median(group.iter().filter(|g| Some(g.1) != but).map(|g| g.0).collect())
        };
        let mut middles: Vec<f64> = regions.values().map(|group| others(group, None)).collect();
        middles.sort_by(f64::total_cmp);
        let at = |q: f64| {
            let rank = q * (middles.len() - 1) as f64;
            let (low, share) = (rank.floor() as usize, rank.fract());
            middles[low] + share * (middles[(low + 1).min(middles.len() - 1)] - middles[low])
        };
        (others(&regions[line.region], Some(own)), at(0.75) - at(0.25))
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    f64::midpoint(values[(n - 1) / 2], values[n / 2])
}
