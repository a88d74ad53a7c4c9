//! Many tests at once: p-values adjusted so that a list of findings can be trusted as a list.
//!
//! Benjamini and Hochberg (J. R. Stat. Soc. B 57, 1995) bound the expected share of false findings among all findings;
//! Benjamini and Yekutieli (Ann. Stat. 29, 2001) do so under any dependence; Bonferroni and Holm (Scand. J. Stat. 6,
//! 1979) bound the chance of even one false finding. All answers stand in the order of the input, and a test is a
//! finding where its adjusted value is at most the level.

use super::refusal::{Answer, Refusal, finite};

/// How p-values are adjusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Adjustment {
    /// Benjamini-Hochberg: false discovery rate, independent or positively dependent tests.
    BenjaminiHochberg,
    /// Benjamini-Yekutieli: false discovery rate, any dependence.
    BenjaminiYekutieli,
    /// Bonferroni: family-wise error.
    Bonferroni,
    /// Holm: family-wise error, never weaker than Bonferroni.
    Holm,
}

/// The adjusted p-values, in the order of the input; an empty family has an empty answer.
pub fn adjust(p: &[f64], by: Adjustment) -> Answer<Vec<f64>> {
    for &value in p {
        finite(value, "a p-value")?;
        if !(0.0..=1.0).contains(&value) {
            return Err(Refusal::OutOfRange { what: "a p-value", value, allowed: "between 0 and 1" });
        }
    }
    let m = p.len() as f64;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut adjusted = vec![1.0; p.len()];
    match by {
        Adjustment::Bonferroni => {
            for (out, value) in adjusted.iter_mut().zip(p) {
                *out = (value * m).min(1.0);
            }
        }
        Adjustment::Holm => {
            let mut highest = 0.0_f64;
            for (rank, &i) in order.iter().enumerate() {
                highest = highest.max((m - rank as f64) * p[i]).min(1.0);
                adjusted[i] = highest;
            }
        }
        Adjustment::BenjaminiHochberg | Adjustment::BenjaminiYekutieli => {
            let factor = if by == Adjustment::BenjaminiYekutieli {
                (1..=p.len()).map(|k| 1.0 / k as f64).sum()
            } else {
                1.0
            };
            let mut lowest = 1.0_f64;
            for (rank, &i) in order.iter().enumerate().rev() {
                lowest = lowest.min(factor * m / (rank + 1) as f64 * p[i]);
                adjusted[i] = lowest;
            }
        }
    }
    Ok(adjusted)
}

/// Benjamini-Hochberg q-values.
pub fn q_values(p: &[f64]) -> Answer<Vec<f64>> {
    adjust(p, Adjustment::BenjaminiHochberg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of Benjamini and Hochberg (1995), section 3.2.
    const P: [f64; 15] = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0,
    ];

    // Oracle: statsmodels 0.15.0, statsmodels.stats.multitest.multipletests.
    #[test]
    fn the_example_of_the_paper_is_reproduced() {
        let check = |by, found, first: [f64; 11]| {
            let adjusted = adjust(&P, by).unwrap();
            assert_eq!(adjusted.iter().filter(|&&q| q <= 0.05).count(), found, "{by:?}");
            for (got, want) in adjusted.iter().zip(first) {
                assert!((got - want).abs() < 1e-9, "{by:?}: {got} is not {want}");
            }
        };
        check(
            Adjustment::BenjaminiHochberg,
            4,
            [
                0.0015,
                0.003,
                0.0095,
                0.035_625,
                0.0603,
                0.063_857_142_86,
                0.063_857_142_86,
                0.0645,
                0.0765,
                0.486,
                0.581_181_818_2,
            ],
        );
        check(
            Adjustment::BenjaminiYekutieli,
            3,
            [
                0.004_977_343_49,
                0.009_954_686_98,
                0.031_523_175_44,
                0.118_211_907_9,
                0.200_089_208_3,
                0.211_892_622_9,
                0.211_892_622_9,
                0.214_025_770_1,
                0.253_844_518,
                1.0,
                1.0,
            ],
        );
        check(
            Adjustment::Bonferroni,
            3,
            [0.0015, 0.006, 0.0285, 0.1425, 0.3015, 0.417, 0.447, 0.516, 0.6885, 1.0, 1.0],
        );
        check(
            Adjustment::Holm,
            3,
            [0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278, 0.278, 0.278, 0.3213, 1.0, 1.0],
        );
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        assert!(matches!(q_values(&[0.5, f64::NAN]), Err(Refusal::NotFinite { .. })));
        assert!(matches!(q_values(&[-0.1]), Err(Refusal::OutOfRange { .. })));
        assert_eq!(q_values(&[]).unwrap(), Vec::<f64>::new());
    }

    proptest! {
        #[test]
        fn adjusting_keeps_the_order_and_never_helps(p in prop::collection::vec(0.0..=1.0, 1..40)) {
            for by in [
                Adjustment::BenjaminiHochberg, Adjustment::BenjaminiYekutieli, Adjustment::Bonferroni, Adjustment::Holm,
            ] {
                let q = adjust(&p, by).unwrap();
                for i in 0..p.len() {
                    prop_assert!(q[i] >= p[i] * (1.0 - 1e-12) && q[i] <= 1.0);
                    for j in 0..p.len() {
                        prop_assert!(p[i] > p[j] || q[i] <= q[j]);
                    }
                }
            }
        }
    }
}
