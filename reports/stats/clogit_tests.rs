use super::*;
use crate::stats::{Purpose, Stream};
use proptest::prelude::*;

fn close(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-7 * (1.0 + want.abs()), "{got} is not {want}");
}

/// A case and its controls.
type Matched<'a> = ((i32, i32), &'a [(i32, i32)]);

fn infert(clusters: impl Fn(u64) -> u64) -> MatchedSets {
    let mut sets = MatchedSets::new(2).unwrap();
    let row = |(spontaneous, induced): (i32, i32)| [f64::from(spontaneous), f64::from(induced)];
    for (stratum, (case, controls)) in (1..).zip(INFERT) {
        sets.push(clusters(stratum), &row(*case), controls.iter().map(|c| row(*c))).unwrap();
    }
    sets
}

// Oracle: R survival prints 1.9859 (se .3524) and 1.4090 (se .3607) for clogit(case ~ spontaneous + induced +
// strata(stratum)); statsmodels 0.15.0 ConditionalLogit gives -64.202237; all digits by Newton's method in numpy 2.4.6.
#[test]
fn the_infertility_study_is_reproduced() {
    let sets = infert(|stratum| stratum);
    let fit = sets.fit().unwrap();
    close(fit.coefficients[0], 1.985_875_52);
    close(fit.coefficients[1], 1.409_011_63);
    close(fit.standard_error(0, Errors::Model).unwrap(), 0.352_443_54);
    close(fit.standard_error(1, Errors::Model).unwrap(), 0.360_712_44);
    close(fit.log_likelihood, -64.202_236_924_430_96);
    close(fit.null_log_likelihood, -90.779_354_851_344_83);
    assert_eq!((fit.sets, fit.clusters), (83, 83));
    assert!(fit.iterations < 10);
}

// Oracle: numpy 2.4.6, sandwich of the score sums per cluster times G / (G - 1); without the factor it is R's
// robust standard error.
#[test]
fn errors_over_clusters_are_the_sandwich() {
    let own = infert(|stratum| stratum).fit().unwrap();
    close(own.standard_error(0, Errors::Clustered).unwrap(), 0.404_415_08);
    close(own.standard_error(1, Errors::Clustered).unwrap(), 0.386_953_16);
    let shared = infert(|stratum| stratum % 20).fit().unwrap();
    assert_eq!(shared.clusters, 20);
    close(shared.standard_error(0, Errors::Clustered).unwrap(), 0.461_661_06);
    close(shared.standard_error(1, Errors::Clustered).unwrap(), 0.399_074_44);
    let one = infert(|_| 0).fit().unwrap();
    let refused = one.standard_error(0, Errors::Clustered);
    assert_eq!(refused, Err(Refusal::TooFew { what: "clusters", have: 1, need: 2 }));
}

// Known: for pairs b = ln(40 / 15) and se^2 = 1/40 + 1/15; statsmodels 0.15.0 ConditionalLogit agrees to 1e-6.
#[test]
fn matched_pairs_give_the_ratio_of_discordant_pairs() {
    let mut sets = MatchedSets::new(1).unwrap();
    for i in 0..60 {
        let (case, control) = match i {
            0..40 => (1.0, 0.0),
            40..55 => (0.0, 1.0),
            _ => (1.0, 1.0),
        };
        sets.push(i, &[case], [[control]]).unwrap();
    }
    let fit = sets.fit().unwrap();
    let ratio = fit.ratio(0, 1.0, Errors::Model, 0.95).unwrap();
    close(ratio.ratio, 40.0 / 15.0);
    close(ratio.interval.low, 1.473_176_108_192_43);
    close(ratio.interval.high, 4.827_061_117_517_28);
    assert_eq!((fit.sets, fit.informative), (60, 55));
    let back = fit.ratio(0, -1.0, Errors::Model, 0.95).unwrap();
    close(back.interval.low, 1.0 / ratio.interval.high);
    assert!(fit.ratio(0, 1e6, Errors::Model, 0.95).is_err());
    assert!(fit.ratio(0, 0.0, Errors::Model, 0.95).is_err());
    assert!(fit.ratio(1, 1.0, Errors::Model, 0.95).is_err());
}

#[test]
fn what_has_no_finite_answer_is_refused() {
    let sets = |rows: &[(f64, f64)]| {
        let mut sets = MatchedSets::new(1).unwrap();
        for (i, &(case, control)) in (0..).zip(rows) {
            sets.push(i, &[case], [[control]]).unwrap();
        }
        sets.fit().map(|fit| fit.coefficients)
    };
    assert_eq!(sets(&[]), Err(Refusal::NoInformativeSet { sets: 0 }));
    assert_eq!(sets(&[(1.0, 1.0), (2.0, 2.0)]), Err(Refusal::NoInformativeSet { sets: 2 }));
    assert_eq!(sets(&[(2.0, 1.0), (5.0, 2.0)]), Err(Refusal::Separated { covariate: Some(0) }));
    assert!(sets(&[(2.0, 1.0), (1.0, 2.0)]).is_ok());

    let pairs = |rows: &[[f64; 4]]| {
        let mut sets = MatchedSets::new(2).unwrap();
        for (i, &[a, b, c, d]) in (0..).zip(rows) {
            sets.push(i, &[a, b], [[c, d]]).unwrap();
        }
        sets.fit().map(|fit| fit.coefficients)
    };
    // The second covariate is twice the first.
    let twice = [[1.0, 2.0, 0.0, 0.0], [0.0, 0.0, 1.0, 2.0], [3.0, 6.0, 0.0, 0.0]];
    assert_eq!(pairs(&twice), Err(Refusal::Collinear));
    // The second covariate never varies within a set.
    assert_eq!(pairs(&[[1.0, 2.0, 0.0, 2.0], [0.0, 1.0, 1.0, 1.0]]), Err(Refusal::Collinear));
    // Neither covariate alone tells case from control, their sum does.
    let together = [[3.0, 0.0, 0.0, 1.0], [0.0, 3.0, 1.0, 0.0], [2.0, 1.0, 1.0, 1.0], [1.0, 5.0, 3.0, 0.0]];
    assert_eq!(pairs(&together), Err(Refusal::Separated { covariate: None }));

    let mut wrong = MatchedSets::new(1).unwrap();
    assert!(matches!(wrong.push(0, &[1.0, 2.0], [[1.0]]), Err(Refusal::LengthMismatch { .. })));
    assert!(matches!(wrong.push(0, &[1.0], [[0.0], [f64::NAN]]), Err(Refusal::NotFinite { .. })));
    assert!(wrong.is_empty() && MatchedSets::new(0).is_err());
}

/// Sets with `rows` rows whose case is drawn with odds exp(b x).
fn drawn(sets: u64, rows: usize, b: f64, unit: f64, seed: u64) -> MatchedSets {
    let mut out = MatchedSets::new(1).unwrap();
    let mut random = Stream::new(seed, Purpose::Simulation, 0);
    for i in 0..sets {
        let x: Vec<f64> = (0..rows).map(|_| random.uniform() * 4.0).collect();
        let total: f64 = x.iter().map(|x| (b * x).exp()).sum();
        let mut goal = random.uniform() * total;
        let case = x.iter().position(|x| {
            goal -= (b * x).exp();
            goal <= 0.0
        });
        let case = case.unwrap_or(rows - 1);
        let controls = x.iter().enumerate().filter(|(j, _)| *j != case).map(|(_, x)| [x * unit]);
        out.push(i, &[x[case] * unit], controls).unwrap();
    }
    out
}

#[test]
fn twenty_thousand_sets_are_fitted_in_a_few_steps() {
    let fit = drawn(20_000, 5, 0.5, 1.0, 1).fit().unwrap();
    let error = fit.standard_error(0, Errors::Model).unwrap();
    assert!((fit.coefficients[0] - 0.5).abs() < 4.0 * error, "{:?}", fit.coefficients);
    assert!(error < 0.01 && fit.iterations < 8);
    let robust = fit.standard_error(0, Errors::Clustered).unwrap();
    assert!((robust / error - 1.0).abs() < 0.03, "sets are independent here: {robust} {error}");
}

#[test]
fn a_huge_covariate_overflows_nothing() {
    let mut sets = MatchedSets::new(1).unwrap();
    sets.push(0, &[1e9], [[0.0], [2e9]]).unwrap();
    sets.push(1, &[0.0], [[1.0], [-1e9]]).unwrap();
    sets.push(2, &[5e8], [[1e9], [3.0]]).unwrap();
    let fit = sets.fit().unwrap();
    assert!(fit.coefficients[0].is_finite() && fit.log_likelihood < 0.0);
}

proptest! {
    #[test]
    fn the_unit_changes_the_coefficient_and_nothing_else(seed in 0_u64..1000, b in -1.0..1.0, power in -6_i32..7) {
        let unit = 10_f64.powi(power);
        let (plain, other) = (drawn(60, 4, b, 1.0, seed).fit().unwrap(), drawn(60, 4, b, unit, seed).fit().unwrap());
        let (x, y) = (
            plain.ratio(0, 1.0, Errors::Clustered, 0.95).unwrap(),
            other.ratio(0, unit, Errors::Clustered, 0.95).unwrap(),
        );
        prop_assert!((x.ratio / y.ratio - 1.0).abs() < 1e-6);
        prop_assert!((x.interval.high / y.interval.high - 1.0).abs() < 1e-6);
        prop_assert!((x.p - y.p).abs() < 1e-6);
        prop_assert!(plain.log_likelihood >= plain.null_log_likelihood);
    }
}

/// Infertility after spontaneous and induced abortions, matched (Trichopoulos et al., Br. J. Obstet. Gynaecol. 83,
/// 1976): the data set `infert` of R. Numbers are (spontaneous, induced), of the case and of its controls.
const INFERT: &[Matched] = &[
    ((2, 1), &[(0, 2), (0, 2)]),
    ((0, 1), &[(0, 0), (0, 0)]),
    ((0, 2), &[(0, 2), (0, 2)]),
    ((0, 2), &[(1, 0), (2, 0)]),
    ((1, 1), &[(0, 2), (0, 0)]),
    ((1, 2), &[(1, 1), (2, 0)]),
    ((0, 0), &[(0, 0), (0, 0)]),
    ((0, 0), &[(0, 2), (1, 0)]),
    ((1, 0), &[(1, 0), (0, 1)]),
    ((0, 0), &[(1, 0), (1, 0)]),
    ((0, 1), &[(0, 0), (1, 0)]),
    ((1, 2), &[(1, 1), (1, 0)]),
    ((0, 1), &[(0, 0), (0, 0)]),
    ((0, 2), &[(1, 0), (2, 0)]),
    ((1, 1), &[(0, 1), (0, 1)]),
    ((0, 2), &[(0, 1), (0, 0)]),
    ((1, 2), &[(2, 0), (2, 1)]),
    ((1, 0), &[(0, 0), (0, 1)]),
    ((1, 2), &[(1, 0), (1, 1)]),
    ((1, 0), &[(0, 0), (0, 1)]),
    ((1, 0), &[(0, 0), (0, 0)]),
    ((0, 2), &[(0, 0), (0, 0)]),
    ((2, 0), &[(0, 0), (0, 2)]),
    ((1, 0), &[(0, 0), (1, 0)]),
    ((1, 1), &[(1, 0), (2, 0)]),
    ((2, 0), &[(0, 0), (0, 0)]),
    ((2, 0), &[(0, 0), (0, 0)]),
    ((2, 0), &[(0, 0), (0, 0)]),
    ((2, 1), &[(2, 0), (1, 2)]),
    ((0, 2), &[(1, 1), (1, 1)]),
    ((1, 0), &[(0, 0), (0, 0)]),
    ((0, 1), &[(0, 1), (0, 0)]),
    ((0, 1), &[(0, 1), (0, 0)]),
    ((2, 0), &[(0, 0), (0, 2)]),
    ((0, 1), &[(0, 0), (0, 0)]),
    ((2, 0), &[(0, 0), (0, 0)]),
    ((1, 0), &[(0, 0), (0, 0)]),
    ((2, 1), &[(0, 2), (0, 2)]),
    ((0, 0), &[(2, 0), (1, 0)]),
    ((1, 0), &[(0, 1), (0, 0)]),
    ((2, 0), &[(0, 1), (0, 0)]),
    ((0, 0), &[(0, 0), (0, 0)]),
    ((0, 0), &[(0, 0), (0, 0)]),
    ((1, 1), &[(0, 0), (0, 0)]),
    ((0, 0), &[(0, 1), (0, 0)]),
    ((0, 1), &[(0, 0), (1, 0)]),
    ((2, 0), &[(0, 1), (0, 1)]),
    ((0, 2), &[(1, 2), (0, 2)]),
    ((0, 2), &[(0, 1), (0, 1)]),
    ((2, 0), &[(0, 1), (0, 1)]),
    ((2, 1), &[(1, 2), (0, 2)]),
    ((2, 1), &[(1, 1), (1, 2)]),
    ((1, 1), &[(1, 1), (0, 2)]),
    ((1, 0), &[(0, 1), (1, 0)]),
    ((2, 0), &[(0, 1), (1, 1)]),
    ((2, 0), &[(0, 1), (1, 0)]),
    ((0, 1), &[(1, 1), (0, 2)]),
    ((2, 0), &[(0, 2), (0, 1)]),
    ((1, 0), &[(0, 1), (0, 0)]),
    ((2, 0), &[(0, 1), (0, 1)]),
    ((2, 0), &[(0, 2), (0, 1)]),
    ((1, 0), &[(0, 1), (0, 1)]),
    ((1, 0), &[(0, 0), (0, 0)]),
    ((2, 0), &[(0, 0), (0, 1)]),
    ((0, 1), &[(1, 0), (2, 0)]),
    ((1, 0), &[(0, 0), (0, 1)]),
    ((1, 0), &[(1, 0), (0, 0)]),
    ((2, 1), &[(0, 2), (0, 2)]),
    ((2, 0), &[(1, 1), (2, 0)]),
    ((0, 1), &[(0, 0), (0, 1)]),
    ((0, 1), &[(0, 1), (0, 0)]),
    ((1, 0), &[(0, 0), (0, 1)]),
    ((1, 0), &[(1, 0), (0, 0)]),
    ((2, 0), &[(2, 0)]),
    ((2, 0), &[(2, 0), (1, 1)]),
    ((1, 0), &[(0, 0), (0, 1)]),
    ((1, 0), &[(0, 2), (1, 0)]),
    ((0, 1), &[(0, 0), (1, 0)]),
    ((1, 0), &[(0, 0), (1, 0)]),
    ((1, 0), &[(0, 0), (0, 0)]),
    ((0, 2), &[(0, 0), (0, 2)]),
    ((1, 0), &[(1, 0), (1, 0)]),
    ((1, 0), &[(1, 0), (1, 0)]),
];
