//! Levels that people may have got used to: the smoothing and the shrinkage behind the factors.

use crate::stats::refusal::{Answer, Refusal, all_finite, at_least, finite, positive, same_length};

/// How fast a reference level follows: half-lives in days for turns to the better and to the worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfLives {
    /// For values better than the level: people get used to the good quickly.
    pub better: f64,
    /// For worse ones: a good memory fades slowly.
    pub worse: f64,
}

/// The level lived through: an exponentially weighted mean of daily values that follows at two speeds (a ratchet).
///
/// `values` are (day, value) in the order of days, higher is worse; days may be missing, and the level then moves as if
/// the next value had stood since. The level starts at the median of the first `start` values, on which it is refused to
/// rest when there are fewer.
pub fn lived_level(values: &[(f64, f64)], half_lives: HalfLives, start: usize) -> Answer<f64> {
    at_least(values.len(), start.max(1), "days of own history")?;
    positive(half_lives.better, "the half-life to the better")?;
    positive(half_lives.worse, "the half-life to the worse")?;
    let mut last = f64::NEG_INFINITY;
    for &(day, value) in values {
        finite(value, "a daily value")?;
        finite(day, "a day")?;
        if day <= last {
            return Err(Refusal::NotSorted { what: "the days" });
        }
        last = day;
    }
    let start = start.max(1);
    let first = crate::stats::quantile::sorted(values[..start].iter().map(|v| v.1).collect())?;
    let mut level = f64::midpoint(first[(start - 1) / 2], first[start / 2]);
    let mut before = values[start - 1].0;
    for &(day, value) in &values[start..] {
        let half_life = if value < level { half_lives.better } else { half_lives.worse };
        level += (1.0 - 0.5_f64.powf((day - before) / half_life)) * (value - level);
        before = day;
    }
    finite(level, "the level lived through")
}

/// Means of groups, drawn towards their common mean by as much as they are uncertain (empirical Bayes; Morris, JASA 78,
/// 1983), with the between-group variance of DerSimonian and Laird (Control. Clin. Trials 7, 1986).
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The variance between groups, 0 where they differ no more than by chance.
    pub between: f64,
    /// The common mean.
    pub mean: f64,
    /// The groups' means after shrinkage, in order.
    pub values: Vec<f64>,
    /// How much of its own mean each group keeps: 1 all, 0 none.
    pub kept: Vec<f64>,
}

/// Shrinks group means with known sampling variances.
pub fn shrink(means: &[f64], variances: &[f64]) -> Answer<Shrunk> {
    same_length(means.len(), variances.len(), "the means and the variances")?;
    at_least(means.len(), 2, "groups")?;
    all_finite(means, "a mean")?;
    for &variance in variances {
        positive(variance, "the variance of a mean")?;
    }
    let weights: Vec<f64> = variances.iter().map(|v| 1.0 / v).collect();
    let total: f64 = weights.iter().sum();
    let weighted = |w: &[f64]| w.iter().zip(means).map(|(w, m)| w * m).sum::<f64>() / w.iter().sum::<f64>();
    let fixed = weighted(&weights);
    let q: f64 = weights.iter().zip(means).map(|(w, m)| w * (m - fixed).powi(2)).sum();
    let scale = total - weights.iter().map(|w| w * w).sum::<f64>() / total;
    let between = ((q - (means.len() - 1) as f64) / scale).max(0.0);
    let random: Vec<f64> = variances.iter().map(|v| 1.0 / (v + between)).collect();
    let mean = finite(weighted(&random), "the common mean")?;
    let kept: Vec<f64> = variances.iter().map(|v| between / (between + v)).collect();
    let values = means.iter().zip(&kept).map(|(m, k)| mean + k * (m - mean)).collect();
    Ok(Shrunk { between, mean, values, kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVES: HalfLives = HalfLives { better: 14.0, worse: 60.0 };

    fn step(to: f64) -> Vec<(f64, f64)> {
        let steady = (0..14).map(|day| (f64::from(day), 3.0));
        steady.chain((14..28).map(|day| (f64::from(day), to))).collect()
    }

    #[test]
    fn the_good_is_got_used_to_faster_than_the_bad() {
        let better = lived_level(&step(2.0), LIVES, 14).unwrap();
        assert!((better - 2.5).abs() < 1e-12, "one half-life brings it half the way: {better}");
        let worse = lived_level(&step(4.0), LIVES, 14).unwrap();
        assert!((worse - (4.0 - 0.5_f64.powf(14.0 / 60.0))).abs() < 1e-12, "{worse}");
    }

    #[test]
    fn missing_days_do_not_slow_the_level() {
        let mut gaps = step(2.0);
        gaps.retain(|(day, _)| *day < 14.0 || *day == 27.0);
        assert!((lived_level(&gaps, LIVES, 14).unwrap() - 2.5).abs() < 1e-12);
        assert!(matches!(lived_level(&gaps[..9], LIVES, 14), Err(Refusal::TooFew { .. })));
        gaps.swap(0, 1);
        assert!(matches!(lived_level(&gaps, LIVES, 14), Err(Refusal::NotSorted { .. })));
    }

    // Oracle: the formulas by hand: weights 1, 1, 1/4; fixed mean 5.7777..., Q 5.8888..., scale 1.33333...
    #[test]
    fn uncertain_groups_are_drawn_further() {
        let got = shrink(&[4.0, 7.0, 8.0], &[1.0, 1.0, 4.0]).unwrap();
        assert!((got.between - 2.916_666_666_666_666_5).abs() < 1e-9, "{got:?}");
        assert!(got.kept[2] < got.kept[0] && got.values[2] < 8.0 && got.values[0] > 4.0);
        let alike = shrink(&[5.0, 5.1, 4.9], &[1.0, 1.0, 1.0]).unwrap();
        assert_eq!((alike.between, alike.kept[0]), (0.0, 0.0));
        assert!(matches!(shrink(&[1.0, 2.0], &[1.0, 0.0]), Err(Refusal::OutOfRange { .. })));
    }
}
