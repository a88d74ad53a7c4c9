//! Four findings, and what each asks for.
//!
//! Better or worse: the 95% interval of the difference excludes 0 and the q-value of its permutation test is at most
//! .05. At par: two one-sided tests (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987) put the difference inside the
//! margin, also as a family. Neither: cannot tell. "Not significant" is never "at par".

use super::draws::Draws;
use super::row::{Equivalence, Verdict};
use crate::study::Answer;
use broadgauge_model::metric::{Better, Margin};

/// The level of the report: findings among which one in twenty may be false.
pub(super) const LEVEL: f64 = 0.05;

/// The margin in the metric's unit: the larger of the two bounds. The relative one is taken of the smaller of the two
/// values, so that it is the same, and never too wide, whichever side is called the own one.
pub(in crate::study) fn margin_between(margin: Margin, a: f64, b: f64) -> f64 {
    margin.absolute.max(margin.relative * a.abs().min(b.abs()))
}

/// Tests whether the difference lies inside the margin. The margin is taken anew in each resample, so that the
/// uncertainty of a relative one counts.
pub(super) fn equivalence(
    own: &Draws,
    peer: &Draws,
    difference: &Draws,
    margin: Margin,
    p: f64,
) -> Option<Equivalence> {
    let interval = difference.interval(1.0 - 2.0 * LEVEL, p).ok()?;
    let (mut above, mut below, mut known) = (0_usize, 0_usize, 0_usize);
    for ((&a, &b), &d) in own.replicates.iter().zip(&peer.replicates).zip(&difference.replicates) {
        if d.is_finite() {
            let m = margin_between(margin, a, b);
            known += 1;
            above += usize::from(d >= m);
            below += usize::from(d <= -m);
        }
    }
    let p = (1 + above.max(below)) as f64 / (1 + known) as f64;
    Some(Equivalence { interval_90: (interval.low + 0.0, interval.high + 0.0), p, q: None })
}

/// The finding.
pub(super) fn verdict(
    difference: &Answer,
    q: Option<f64>,
    equivalence: Option<&Equivalence>,
    margin: f64,
    better: Better,
) -> Verdict {
    let Some(estimate) = difference.as_estimate() else { return Verdict::CannotTell };
    let (low, high) = estimate.interval();
    if q.is_some_and(|q| q <= LEVEL) && (low > 0.0 || high < 0.0) {
        return if (low > 0.0) == (better == Better::Higher) { Verdict::Better } else { Verdict::Worse };
    }
    let inside = |e: &Equivalence| {
        e.q.is_some_and(|q| q <= LEVEL) && e.interval_90.0 > -margin && e.interval_90.1 < margin
    };
    if equivalence.is_some_and(inside) { Verdict::AtPar } else { Verdict::CannotTell }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: Option<Equivalence> = Some(Equivalence { interval_90: (-1.0, 1.0), p: 0.001, q: Some(0.01) });

    fn find(interval: (f64, f64), q: f64, equivalence: Option<Equivalence>, margin: f64) -> Verdict {
        let difference = Answer::estimate(f64::midpoint(interval.0, interval.1), interval, 80);
        verdict(&difference, Some(q), equivalence.as_ref(), margin, Better::Lower)
    }

    #[test]
    fn a_longer_delay_is_worse_and_a_shorter_one_better() {
        assert_eq!(find((1.0, 3.0), 0.01, None, 5.0), Verdict::Worse);
        assert_eq!(find((-3.0, -1.0), 0.01, None, 5.0), Verdict::Better);
        let rate = Answer::estimate(2.0, (1.0, 3.0), 80);
        assert_eq!(verdict(&rate, Some(0.01), None, 5.0, Better::Higher), Verdict::Better);
    }

    #[test]
    fn not_significant_is_not_at_par() {
        assert_eq!(find((-9.0, 9.0), 0.8, None, 5.0), Verdict::CannotTell);
        assert_eq!(find((1.0, 3.0), 0.06, None, 5.0), Verdict::CannotTell);
        assert_eq!(find((-1.2, 1.2), 0.8, SURE, 5.0), Verdict::AtPar);
        assert_eq!(find((-1.2, 1.2), 0.8, SURE, 0.9), Verdict::CannotTell);
    }

    #[test]
    fn exchanging_the_operators_mirrors_the_finding() {
        for (interval, q) in [((1.0, 3.0), 0.01), ((-9.0, 9.0), 0.8), ((-1.2, 1.2), 0.8)] {
            let turned = (-interval.1, -interval.0);
            assert_eq!(find(turned, q, SURE, 5.0), find(interval, q, SURE, 5.0).mirrored());
        }
        let margin = Margin { absolute: 0.0, relative: 0.1 };
        assert_eq!(margin_between(margin, 20.0, 30.0), margin_between(margin, 30.0, 20.0));
    }
}
