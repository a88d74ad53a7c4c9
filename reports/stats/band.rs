//! A band that holds a whole curve at once, such as the difference of two distributions at every decile.
//!
//! The shift function (Doksum, Ann. Stat. 2, 1974) is the difference of the quantiles of two groups, over the quantiles:
//! it shows whether a gap is the same for everybody or only in the tail. Intervals made one by one miss somewhere along
//! the curve far more often than one in twenty; here every point gets its own width, times one factor: the level's
//! quantile of the largest studentised deviation over the curve in the resamples (sup-t: Montiel Olea and
//! Plagborg-Moller, J. Appl. Econom. 34, 2019), widened for few clusters as bootstrap intervals are.

use super::Interval;
use super::bootstrap::expansion;
use super::refusal::{Answer, Refusal, all_finite, at_least, open_unit, same_length};

/// A simultaneous band.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// How many standard errors wide, to each side.
    pub critical: f64,
    /// By point of the curve; `None` where the resamples do not vary, so nothing is known of the error there.
    pub points: Vec<Option<Interval>>,
}

/// The band of a curve: `replicates[point]` holds the resampled values at that point, in the same order of resamples
/// at every point; `clusters` is how many independent clusters the smaller side has.
pub fn simultaneous(observed: &[f64], replicates: &[Vec<f64>], level: f64, clusters: usize) -> Answer<Band> {
    open_unit(level, "the confidence level")?;
    at_least(observed.len(), 1, "points of the curve")?;
    same_length(observed.len(), replicates.len(), "the curve and its resamples")?;
    all_finite(observed, "a point of the curve")?;
    let count = replicates[0].len();
    at_least(count, (2.0 / (1.0 - level)).ceil() as usize, "replicates")?;
    for values in replicates {
        same_length(values.len(), count, "the resamples of two points")?;
        all_finite(values, "a resampled value")?;
    }
    let spread: Vec<f64> = replicates.iter().map(|values| deviation(values)).collect();
    if spread.iter().all(|s| *s == 0.0) {
        return Err(Refusal::NoVariation { what: "the replicates" });
    }
    let mut largest = vec![0.0_f64; count];
    for ((&centre, values), &spread) in observed.iter().zip(replicates).zip(&spread) {
        if spread > 0.0 {
            for (most, value) in largest.iter_mut().zip(values) {
                *most = most.max((value - centre).abs() / spread);
            }
        }
    }
    largest.sort_unstable_by(f64::total_cmp);
    let at = ((level * count as f64).ceil() as usize).clamp(1, count) - 1;
    let critical = largest[at] * expansion(level, clusters)?;
    let points = observed
        .iter()
        .zip(&spread)
        .map(|(&o, &s)| (s > 0.0).then(|| Interval::new(o - critical * s, o + critical * s)))
        .collect();
    Ok(Band { critical, points })
}

fn deviation(values: &[f64]) -> f64 {
    // Equal values leave rounding behind, which is no spread.
    if values.iter().all(|v| *v == values[0]) {
        return 0.0;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::planted::{normal, random};

    #[test]
    fn one_point_gets_the_plain_interval() {
        let mut stream = random(302, 0);
        let replicates: Vec<f64> = (0..20_000).map(|_| 3.0 + 2.0 * normal(&mut stream)).collect();
        let band = simultaneous(&[3.0], &[replicates], 0.95, 1_000_000).unwrap();
        assert!((band.critical - 1.96).abs() < 0.03, "{}", band.critical);
    }

    // Theory: the largest of nine independent |z| stays below Phi^-1(1/2 + .95^(1/9)/2) = 2.766 in 95% of cases.
    #[test]
    fn nine_independent_points_need_a_wider_band() {
        let mut stream = random(303, 0);
        let replicates: Vec<Vec<f64>> =
            (0..9).map(|_| (0..20_000).map(|_| normal(&mut stream)).collect()).collect();
        let band = simultaneous(&[0.0; 9], &replicates, 0.95, 1_000_000).unwrap();
        assert!((band.critical - 2.766).abs() < 0.04, "{}", band.critical);
    }

    #[test]
    fn a_point_without_spread_has_no_interval() {
        let varied: Vec<f64> = (0..99).map(f64::from).collect();
        let band = simultaneous(&[5.0, 40.0], &[vec![5.0; 99], varied], 0.95, 20).unwrap();
        assert!(band.points[0].is_none() && band.points[1].is_some());
        let flat = simultaneous(&[5.0], &[vec![5.0; 99]], 0.95, 20);
        assert!(matches!(flat, Err(Refusal::NoVariation { .. })));
        assert!(simultaneous(&[f64::NAN], &[vec![5.0; 99]], 0.95, 20).is_err());
    }

    #[test]
    fn turning_the_sign_mirrors_the_band_exactly() {
        let values: Vec<f64> = (0..99).map(|i| f64::from(i * i % 31)).collect();
        let turned: Vec<f64> = values.iter().map(|v| -v).collect();
        let one = simultaneous(&[7.5], &[values], 0.95, 20).unwrap().points[0].unwrap();
        let other = simultaneous(&[-7.5], &[turned], 0.95, 20).unwrap().points[0].unwrap();
        assert_eq!((one.low, one.high), (-other.high, -other.low));
    }
}
