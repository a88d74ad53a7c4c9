use super::*;
use crate::stats::oracle::uniforms;
use proptest::prelude::*;

fn close(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-6 * (1.0 + want.abs()), "{got} is not {want}");
}

/// 240 rows of one long and one yes/no covariate, six to a cluster.
fn yes_no() -> (Rows, Vec<f64>, Vec<u64>) {
    let n = 240;
    let u = uniforms(7, 3 * n);
    let x1: Vec<f64> = u[..n].iter().map(|u| 10.0 * u).collect();
    let x2: Vec<f64> = u[n..2 * n].iter().map(|&u| f64::from(u8::from(u < 0.4))).collect();
    let y = (0..n)
        .map(|i| f64::from(u8::from(u[2 * n + i] < logistic(-2.0 + 0.3 * x1[i] + 0.8 * x2[i]))))
        .collect();
    (Rows::of_columns(&[x1, x2]).unwrap(), y, (0..n as u64).map(|i| i / 6).collect())
}

/// 120 counts over an exposure.
fn counts() -> (Rows, Vec<f64>, Vec<f64>) {
    let n = 120;
    let u = uniforms(11, 3 * n);
    let x: Vec<f64> = u[..n].iter().map(|u| 6.0 * u).collect();
    let exposure: Vec<f64> = u[n..2 * n].iter().map(|u| 1.0 + 4.0 * u).collect();
    let y = (0..n)
        .map(|i| (exposure[i] * (-0.5 + 0.25 * x[i]).exp() * 2.0 * u[2 * n + i] + 0.3).floor())
        .collect();
    (Rows::of_columns(&[x]).unwrap(), y, exposure.iter().map(|e| e.ln()).collect())
}

fn errors(fit: &Fit, errors: Errors) -> Vec<f64> {
    (0..fit.coefficients.len()).map(|k| fit.coefficient(k, errors, 0.95).unwrap().standard_error).collect()
}

// Oracle: statsmodels 0.15.0, GLM(Binomial()), cov_type="cluster" without its (n - 1)/(n - k).
#[test]
fn logistic_regression_is_the_oracles() {
    let (rows, y, clusters) = yes_no();
    let fit = Glm::new(Family::Bernoulli, &rows, &y).clusters(&clusters).fit().unwrap();
    for (got, want) in fit.coefficients.iter().zip([
        -2.002_511_954_684_621_7,
        0.292_554_935_346_101,
        0.881_476_398_668_806_2,
    ]) {
        close(*got, want);
    }
    let want = [0.343_081_257_228_147_8, 0.052_736_721_573_370_31, 0.291_245_291_877_747_95];
    errors(&fit, Errors::Model).iter().zip(want).for_each(|(got, want)| close(*got, want));
    let want = [0.396_451_253_856_974_65, 0.059_155_721_950_893_3, 0.282_360_080_092_721_1];
    errors(&fit, Errors::Clustered).iter().zip(want).for_each(|(got, want)| close(*got, want));
    close(fit.log_likelihood, -143.470_824_554_873_33);
    assert_eq!((fit.rows, fit.clusters), (240, 40));
}

// Oracle: scikit-learn 1.9.1, LogisticRegression(C=1/5) on standardised columns, turned back.
#[test]
fn the_ridge_is_per_standard_deviation() {
    let (rows, y, _) = yes_no();
    let fit = Glm::new(Family::Bernoulli, &rows, &y).ridge(5.0).fit().unwrap();
    let want = [-1.800_482_735_501_370_6, 0.261_279_865_838_163_04, 0.782_876_361_878_908_1];
    for (got, want) in fit.coefficients.iter().zip(want) {
        assert!((got - want).abs() < 1e-5, "{got} is not {want}");
    }
}

// Oracle: statsmodels 0.15.0, GLM(Poisson(), offset); scale="X2"; cov_type="HAC", maxlags=4.
#[test]
fn poisson_regression_and_its_three_errors_are_the_oracles() {
    let (rows, y, offset) = counts();
    let fit = Glm::new(Family::Poisson, &rows, &y).offset(&offset).newey_west(4).fit().unwrap();
    close(fit.coefficients[0], -0.681_885_414_408_480_9);
    close(fit.coefficients[1], 0.269_719_148_452_787_66);
    close(fit.log_likelihood, -277.404_860_714_893_9);
    close(fit.dispersion, 1.726_647_847_526_247_7);
    let want = [0.113_496_403_014_317_4, 0.027_983_552_052_296_367];
    errors(&fit, Errors::Model).iter().zip(want).for_each(|(got, want)| close(*got, want));
    let want = [0.149_136_512_702_197_83, 0.036_770_939_477_028_586];
    errors(&fit, Errors::Quasi).iter().zip(want).for_each(|(got, want)| close(*got, want));
    let want = [0.137_537_386_802_825_32, 0.041_657_412_056_753_46];
    errors(&fit, Errors::NeweyWest).iter().zip(want).for_each(|(got, want)| close(*got, want));
}

#[test]
fn a_weight_of_two_is_the_row_twice() {
    let (rows, y, offset) = counts();
    let weights: Vec<f64> = (0..120).map(|i| f64::from(u8::from(i % 3 == 0)) + 1.0).collect();
    let weighted = Glm::new(Family::Poisson, &rows, &y).offset(&offset).weights(&weights).fit().unwrap();
    let twice: Vec<usize> =
        (0..120).flat_map(|i| std::iter::repeat_n(i, 1 + usize::from(i % 3 == 0))).collect();
    let mut long = Rows::new(1);
    for &i in &twice {
        long.push(rows.row(i)).unwrap();
    }
    let y2: Vec<f64> = twice.iter().map(|&i| y[i]).collect();
    let offset2: Vec<f64> = twice.iter().map(|&i| offset[i]).collect();
    let plain = Glm::new(Family::Poisson, &long, &y2).offset(&offset2).fit().unwrap();
    close(weighted.coefficients[1], plain.coefficients[1]);
    close(weighted.log_likelihood, plain.log_likelihood);
    errors(&weighted, Errors::Quasi)
        .iter()
        .zip(errors(&plain, Errors::Quasi))
        .for_each(|(a, b)| close(*a, b));
}

#[test]
fn what_cannot_be_fitted_is_refused_by_name() {
    let x: Vec<f64> = (0..20).map(f64::from).collect();
    let rows = Rows::of_columns(std::slice::from_ref(&x)).unwrap();
    let split: Vec<f64> = (0..20).map(|i| f64::from(u8::from(i >= 10))).collect();
    let fit = |rows: &Rows, y: &[f64]| Glm::new(Family::Bernoulli, rows, y).fit();
    assert!(matches!(fit(&rows, &split), Err(Refusal::Separated { .. })));
    assert!(Glm::new(Family::Bernoulli, &rows, &split).ridge(1.0).fit().is_ok());
    assert!(matches!(fit(&rows, &[0.0; 20]), Err(Refusal::NoEvents { .. })));
    assert!(matches!(fit(&rows, &[1.0; 20]), Err(Refusal::NoEvents { .. })));
    assert!(matches!(fit(&rows, &[2.0; 20]), Err(Refusal::OutOfRange { .. })));
    assert!(matches!(fit(&rows, &[f64::NAN; 20]), Err(Refusal::NotFinite { .. })));
    assert!(matches!(fit(&rows, &[1.0; 3]), Err(Refusal::LengthMismatch { .. })));
    let y: Vec<f64> = (0..20).map(|i| f64::from(i % 2)).collect();
    let twice: Vec<f64> = x.iter().map(|x| 2.0 * x + 1.0).collect();
    let both = Rows::of_columns(&[x, twice]).unwrap();
    assert_eq!(fit(&both, &y).unwrap_err(), Refusal::Redundant { column: 1 });
    let constant = Rows::of_columns(&[[3.0; 20]]).unwrap();
    assert_eq!(fit(&constant, &y).unwrap_err(), Refusal::Redundant { column: 0 });
    let fitted = fit(&rows, &y).unwrap();
    assert!(matches!(fitted.coefficient(0, Errors::Clustered, 0.95), Err(Refusal::TooFew { .. })));
    assert!(matches!(fitted.coefficient(9, Errors::Model, 0.95), Err(Refusal::OutOfRange { .. })));
}

#[test]
fn the_intercept_alone_is_the_mean() {
    let mut rows = Rows::new(0);
    (0..10).for_each(|_| rows.push(&[]).unwrap());
    let y = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let fit = Glm::new(Family::Bernoulli, &rows, &y).fit().unwrap();
    close(fit.mean(&[]).unwrap(), 0.2);
    assert_eq!(fit.coefficients.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn the_unit_of_a_covariate_changes_no_prediction(scale in 1e-6..1e6, shift in -100.0..100.0) {
        let (rows, y, _) = yes_no();
        let turned: Vec<Vec<f64>> = vec![rows.column(0).map(|x| scale * x + shift).collect(), rows.column(1).collect()];
        let other = Rows::of_columns(&turned).unwrap();
        let a = Glm::new(Family::Bernoulli, &rows, &y).fit().unwrap();
        let b = Glm::new(Family::Bernoulli, &other, &y).fit().unwrap();
        prop_assert!((a.mean(rows.row(5)).unwrap() - b.mean(other.row(5)).unwrap()).abs() < 1e-6);
        let z = |f: &Fit| f.coefficient(1, Errors::Model, 0.95).unwrap().p;
        prop_assert!((z(&a) - z(&b)).abs() < 1e-6);
    }
}

// Where the value is below the knee all rows are alike: their terms round the same way, and the sum by more than the last
// step gains. Halving such a step ended after 16 iterations with no convergence, or crept on through all 60.
#[test]
fn rounding_over_many_rows_does_not_stop_the_last_step() {
    const ROWS: usize = 160_000;
    for seed in [1_000, 1_077] {
        let u = uniforms(seed, 3 * ROWS);
        let value = |i: usize| {
            let middle = u[i] + u[ROWS + i] + u[(i + 7) % ROWS] - 1.5;
            (0.4 * middle).exp() * [0.2, 0.5, 0.8][i * 3 / ROWS]
        };
        let values: Vec<f64> = (0..ROWS).map(value).collect();
        let beyond = |knee: f64| values.iter().map(move |v| (v - knee).max(0.0));
        let y: Vec<f64> = beyond(0.8)
            .zip(&u[2 * ROWS..])
            .map(|(v, u)| f64::from(u8::from(*u < logistic(-6.2 + 2.2 * v))))
            .collect();
        for knee in (0..12).map(|k| 0.3 + 0.06 * f64::from(k)) {
            let rows = Rows::of_columns(&[beyond(knee).collect::<Vec<_>>()]).unwrap();
            let fit = Glm::new(Family::Bernoulli, &rows, &y).fit().unwrap();
            assert!(fit.iterations < 10, "{} iterations with a knee at {knee}", fit.iterations);
        }
    }
}
