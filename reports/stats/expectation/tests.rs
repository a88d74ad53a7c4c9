use super::matter::{held_out, matters, placebo};
use super::segments::by_segment;
use super::weights::{profile, weigh};
use super::*;
use crate::stats::Refusal;
use crate::stats::glm::logistic;
use crate::stats::oracle::uniforms;

struct Town {
    values: Vec<f64>,
    factors: Rows,
    outcome: Vec<f64>,
    controls: Rows,
    lines: Vec<u64>,
}

/// Lines whose outcome depends on the shortfall from a mean of three levels with these weights.
fn town(n: usize, weights: [f64; 3], copied: bool) -> Town {
    let u = uniforms(77, n * 17);
    let mut town = Town {
        values: Vec::new(),
        factors: Rows::new(3),
        outcome: Vec::new(),
        controls: Rows::new(0),
        lines: (0..n as u64).collect(),
    };
    for i in 0..n {
        let e = |k: usize| u[i * 17 + 4 * k..i * 17 + 4 * k + 4].iter().sum::<f64>() - 2.0;
        let mut row = [0.7 * e(0), 0.7 * e(1), 0.7 * e(2)];
        if copied {
            row[2] = row[1];
        }
        let reference: f64 = row.iter().zip(&weights).map(|(f, w)| f * w).sum();
        let value = 0.2 * row[0] + 0.8 * e(3);
        let p = logistic(-3.0 + 3.0 * (value - reference).max(0.0));
        town.values.push(value);
        town.factors.push(&row).unwrap();
        town.controls.push(&[]).unwrap();
        town.outcome.push(f64::from(u8::from(u[i * 17 + 16] < p)));
    }
    town
}

impl Town {
    fn judged(&self) -> Judged<'_> {
        Judged {
            values: &self.values,
            factors: &self.factors,
            outcome: &self.outcome,
            controls: &self.controls,
            lines: &self.lines,
        }
    }
}

#[test]
fn planted_weights_and_slope_are_found_within_their_intervals() {
    let town = town(12_000, [0.5, 0.3, 0.2], false);
    let got = weigh(&town.judged(), 0.95).unwrap();
    assert!(got.separable, "{got:?}");
    for (weight, want) in got.weights.iter().zip([0.5, 0.3, 0.2]) {
        assert!(weight.interval.contains(want) && (weight.value - want).abs() < 0.1, "{got:?}");
    }
    for (slope, want) in [(got.short, 3.0), (got.spare, 0.0)] {
        assert!((slope.value - want).abs() < 0.4 && slope.interval.unwrap().contains(slope.value), "{got:?}");
    }
    let total: f64 = got.told_apart().unwrap().iter().sum();
    assert!((total - 1.0).abs() < 1e-9);
    // The top of the profile lies at the fit: nothing on the grid is better, and near weights lose little.
    let grid = profile(&town.judged(), &got, (0, 1), 10).unwrap();
    let loss =
        |a: f64, b: f64| grid.iter().find(|g| (g.0 - a).abs() < 1e-9 && (g.1 - b).abs() < 1e-9).unwrap().2;
    assert!(loss(0.5, 0.3).unwrap() < 6.0 && loss(0.0, 1.0).unwrap() > 20.0);
    assert_eq!(loss(0.9, 0.9), None);
}

#[test]
fn a_factor_that_copies_another_is_not_weighed() {
    let town = town(6_000, [0.5, 0.3, 0.2], true);
    let got = weigh(&town.judged(), 0.95).unwrap();
    assert!(!got.separable);
    assert!(matches!(got.told_apart(), Err(Refusal::NotSeparable { .. })));
    let correlations = factor_correlations(&town.factors).unwrap();
    assert!((correlations[1][2] - 1.0).abs() < 1e-9 && correlations[0][1].abs() < 0.1);
}

#[test]
fn the_reference_matters_where_it_was_planted_and_the_placebo_loses() {
    let town = town(6_000, [0.5, 0.3, 0.2], false);
    let data = town.judged();
    let got = matters(&data, 0.95).unwrap();
    assert!(got.p < 1e-4 && got.slope.value > 0.0, "{got:?}");
    let swapped = placebo(&data, &vec![0; 6_000], &[0.5, 0.3, 0.2], 19, 3).unwrap();
    assert!((swapped.p - 0.05).abs() < 1e-12 && swapped.best_swapped < swapped.own, "{swapped:?}");
    let rest = held_out(&data, |d| Ok(weigh(d, 0.95)?.weights.iter().map(|w| w.value).collect()));
    let rest = rest.unwrap();
    assert!(rest.by_shortfall > rest.by_value && rest.deviance_gain > 0.0, "{rest:?}");
}

#[test]
fn segments_keep_their_own_weights_only_as_far_as_the_data_carry() {
    let (a, b) = (town(6_000, [0.8, 0.1, 0.1], false), town(6_000, [0.1, 0.8, 0.1], false));
    let join = |f: fn(&Town) -> &Vec<f64>| [f(&a).clone(), f(&b).clone()].concat();
    let (values, outcome) = (join(|t| &t.values), join(|t| &t.outcome));
    let mut factors = a.factors.clone();
    let mut controls = Rows::new(0);
    for row in b.factors.each() {
        factors.push(row).unwrap();
    }
    for _ in &values {
        controls.push(&[]).unwrap();
    }
    let lines: Vec<u64> = (0..12_000).collect();
    let data =
        Judged { values: &values, factors: &factors, outcome: &outcome, controls: &controls, lines: &lines };
    let labels: Vec<usize> = (0..12_000).map(|i| i / 6_000).collect();
    let got = by_segment(&data, &labels).unwrap();
    assert!(got.segments[0].weights[0] > 0.6 && got.segments[1].weights[1] > 0.6, "{got:?}");
    assert!((got.pooled[0] - 0.45).abs() < 0.15, "{got:?}");
}

#[test]
fn too_few_events_and_odd_input_are_refused() {
    let mut town = town(300, [0.5, 0.3, 0.2], false);
    town.outcome.iter_mut().skip(30).for_each(|y| *y = 0.0);
    assert!(matches!(weigh(&town.judged(), 0.95), Err(Refusal::TooFew { .. })));
    assert!(matches!(matters(&town.judged(), 0.95), Err(Refusal::TooFew { .. })));
    town.values.pop();
    assert!(matches!(weigh(&town.judged(), 0.95), Err(Refusal::LengthMismatch { .. })));
}
