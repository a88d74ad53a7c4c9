//! Two-by-two tables: the odds ratio, crude and adjusted for strata.
//!
//! Mantel and Haenszel (J. Natl. Cancer Inst. 22, 1959) combine strata into one odds ratio; its interval is that of
//! Robins, Breslow and Greenland (Biometrics 42, 1986), good both for few large and for many small strata. Crude and
//! adjusted ratio belong side by side: where they differ, the strata confound the comparison (Simpson's paradox).
//!
//! It assumes one common odds ratio; where the strata disagree, read them one by one.

use super::Interval;
use super::distribution::{two_sided_normal_p, two_sided_z};
use super::refusal::{Answer, Refusal, at_least, finite};

/// One table: exposed cases and exposed others, then unexposed cases and unexposed others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Exposed, with the outcome.
    pub a: u64,
    /// Exposed, without the outcome.
    pub b: u64,
    /// Not exposed, with the outcome.
    pub c: u64,
    /// Not exposed, without the outcome.
    pub d: u64,
}

/// An odds ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OddsRatio {
    /// The ratio.
    pub ratio: f64,
    /// Standard error of its logarithm.
    pub log_standard_error: f64,
}

impl OddsRatio {
    fn new(ratio: f64, log_variance: f64) -> Answer<Self> {
        Ok(Self {
            ratio: finite(ratio, "the odds ratio")?,
            log_standard_error: finite(log_variance.sqrt(), "the standard error")?,
        })
    }

    /// The interval, symmetric in the logarithm.
    pub fn interval(&self, level: f64) -> Answer<Interval> {
        let half = two_sided_z(level)? * self.log_standard_error;
        let interval = Interval::new(self.ratio.ln() - half, self.ratio.ln() + half).map(f64::exp);
        finite(interval.high, "the upper limit of the odds ratio")?;
        Ok(interval)
    }

    /// The two-sided p-value of Wald's test against a ratio of 1.
    pub fn p(&self) -> f64 {
        two_sided_normal_p(self.ratio.ln() / self.log_standard_error)
    }
}

/// The odds ratio of all strata thrown together, with Woolf's standard error; refused where a cell is empty.
pub fn crude(strata: &[Table]) -> Answer<OddsRatio> {
    let sum = |cell: fn(&Table) -> u64| strata.iter().map(cell).sum::<u64>();
    let cells = [sum(|t| t.a), sum(|t| t.b), sum(|t| t.c), sum(|t| t.d)];
    if cells.contains(&0) {
        return Err(Refusal::NoEvents { what: "counts in one of the four cells" });
    }
    let [a, b, c, d] = cells.map(|n| n as f64);
    OddsRatio::new(a / b * (d / c), 1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d)
}

/// The odds ratio of Mantel and Haenszel, adjusted for the strata.
pub fn mantel_haenszel(strata: &[Table]) -> Answer<OddsRatio> {
    let (mut r_sum, mut s_sum, mut pr, mut cross, mut qs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let mut used = 0;
    for table in strata {
        let [a, b, c, d] = [table.a, table.b, table.c, table.d].map(|n| n as f64);
        let n = a + b + c + d;
        if n == 0.0 {
            continue;
        }
        used += 1;
        let (p, q, r, s) = ((a + d) / n, (b + c) / n, a * d / n, b * c / n);
        r_sum += r;
        s_sum += s;
        pr += p * r;
        cross += p * s + q * r;
        qs += q * s;
    }
    at_least(used, 1, "strata with counts")?;
    if r_sum == 0.0 || s_sum == 0.0 {
        return Err(Refusal::NoEvents {
            what: "stratum in which exposed and unexposed can be compared both ways",
        });
    }
    let variance = pr / (2.0 * r_sum * r_sum) + cross / (2.0 * r_sum * s_sum) + qs / (2.0 * s_sum * s_sum);
    OddsRatio::new(r_sum / s_sum, variance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "{got} is not {want}");
    }

    /// Kidney stones: small and large, two treatments (Charig et al., BMJ 292, 1986).
    const KIDNEY: [Table; 2] = [Table { a: 81, b: 6, c: 234, d: 36 }, Table { a: 192, b: 71, c: 55, d: 25 }];

    // Oracle: statsmodels 0.15.0, StratifiedTable.oddsratio_pooled(_confint) and Table2x2 of the sum.
    #[test]
    fn the_sign_flips_when_the_strata_are_seen() {
        let adjusted = mantel_haenszel(&KIDNEY).unwrap();
        close(adjusted.ratio, 1.446_846_624_942_62);
        close(adjusted.log_standard_error, 0.233_346_592_738_457_98);
        let interval = adjusted.interval(0.95).unwrap();
        close(interval.low, 0.915_793_413_504_025_3);
        close(interval.high, 2.285_848_669_841_573_6);
        let crude = crude(&KIDNEY).unwrap();
        close(crude.ratio, 0.748_348_537_275_872_9);
        let interval = crude.interval(0.95).unwrap();
        close(interval.low, 0.514_604_902_298_069);
        close(interval.high, 1.088_263_113_588_763_7);
    }

    #[test]
    fn one_stratum_alone_is_the_crude_ratio() {
        let one = [Table { a: 12, b: 30, c: 5, d: 44 }];
        let (mh, crude) = (mantel_haenszel(&one).unwrap(), crude(&one).unwrap());
        close(mh.ratio, crude.ratio);
        close(mh.log_standard_error, crude.log_standard_error);
        assert!(crude.p() > 0.0 && crude.p() < 0.05, "{}", crude.p());
    }

    #[test]
    fn empty_comparisons_are_refused() {
        assert!(matches!(mantel_haenszel(&[]), Err(Refusal::TooFew { .. })));
        assert!(matches!(mantel_haenszel(&[Table::default()]), Err(Refusal::TooFew { .. })));
        let no_cases = [Table { a: 0, b: 10, c: 0, d: 10 }];
        assert!(matches!(mantel_haenszel(&no_cases), Err(Refusal::NoEvents { .. })));
        assert!(matches!(crude(&no_cases), Err(Refusal::NoEvents { .. })));
    }

    proptest! {
        #[test]
        fn swapping_the_exposure_inverts_the_ratio(cells in prop::collection::vec((1_u64..90, 1_u64..90, 1_u64..90, 1_u64..90), 1..6)) {
            let there: Vec<_> = cells.iter().map(|&(a, b, c, d)| Table { a, b, c, d }).collect();
            let back: Vec<_> = cells.iter().map(|&(a, b, c, d)| Table { a: c, b: d, c: a, d: b }).collect();
            for f in [mantel_haenszel, crude] {
                let (x, y) = (f(&there).unwrap(), f(&back).unwrap());
                prop_assert!((x.ratio * y.ratio - 1.0).abs() < 1e-9);
                prop_assert!((x.log_standard_error - y.log_standard_error).abs() < 1e-9);
            }
        }
    }
}
