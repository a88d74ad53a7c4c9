//! How good a prediction is: of a rare event by a score, and of a class by a label.
//!
//! For scores: average precision (the area under precision over recall, by steps), the area under the ROC curve, precision,
//! recall and lift among the k highest, Brier's score (Mon. Weather Rev. 78, 1950), and calibration (Cox, Biometrika 45,
//! 1958): the slope of the outcome on the predicted logit, 1 where right, and the intercept with that slope fixed at 1, 0
//! where right. Where scores tie at the place of the cut, all of the tied count in proportion, so that order in a file
//! decides nothing. For labels: the confusion matrix and F1, averaged over the classes.
//!
//! Everything here must be computed on rows that the prediction was not made from; nothing here can tell.

use super::Interval;
use super::bootstrap::{Bootstrapped, Design};
use super::glm::{Errors, Estimated, Family, Glm};
use super::refusal::{Answer, Refusal, all_finite, at_least, finite, same_length};
use super::rows::Rows;

/// A column that alone ranks the outcomes this well is taken to know them already.
pub const LEAKS_ABOVE: f64 = 0.98;

/// Scores with their outcomes, best first, in groups of equal score.
struct Ranked {
    /// Per group: how many rows, and how many events among them.
    groups: Vec<(f64, f64)>,
    rows: f64,
    events: f64,
}

fn ranked(scores: &[f64], outcome: &[bool]) -> Answer<Ranked> {
    same_length(scores.len(), outcome.len(), "the scores and the outcomes")?;
    all_finite(scores, "a score")?;
    let events = outcome.iter().filter(|y| **y).count();
    if events == 0 || events == outcome.len() {
        return Err(Refusal::NoEvents { what: "outcomes of both kinds" });
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let groups = order
        .chunk_by(|&a, &b| scores[a] == scores[b])
        .map(|group| (group.len() as f64, group.iter().filter(|&&i| outcome[i]).count() as f64))
        .collect();
    Ok(Ranked { groups, rows: scores.len() as f64, events: events as f64 })
}

/// Average precision: the sum over thresholds of precision times the gain in recall. Chance gives the share of events.
pub fn average_precision(scores: &[f64], outcome: &[bool]) -> Answer<f64> {
    let ranked = ranked(scores, outcome)?;
    let (mut seen, mut found, mut area) = (0.0, 0.0, 0.0);
    for &(rows, events) in &ranked.groups {
        seen += rows;
        found += events;
        area += found / seen * events / ranked.events;
    }
    Ok(area)
}

/// The chance that a row with the event scores above one without, ties counting half.
pub fn roc_area(scores: &[f64], outcome: &[bool]) -> Answer<f64> {
    let ranked = ranked(scores, outcome)?;
    let (mut above, mut area) = (0.0, 0.0);
    for &(rows, events) in &ranked.groups {
        let without = rows - events;
        area += without * (above + events / 2.0);
        above += events;
    }
    Ok(area / (ranked.events * (ranked.rows - ranked.events)))
}

/// What is found among the `k` rows with the highest scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtCapacity {
    /// How many rows.
    pub k: usize,
    /// The share of them with the event.
    pub precision: f64,
    /// The share of all events that is among them.
    pub recall: f64,
    /// Precision over the share of events in all rows.
    pub lift: f64,
}

/// Precision, recall and lift among the `k` highest.
pub fn at_capacity(scores: &[f64], outcome: &[bool], k: usize) -> Answer<AtCapacity> {
    let ranked = ranked(scores, outcome)?;
    at_least(k, 1, "rows in the capacity")?;
    at_least(scores.len(), k, "rows")?;
    let (mut room, mut found) = (k as f64, 0.0);
    for &(rows, events) in &ranked.groups {
        let taken = room.min(rows);
        found += events * taken / rows;
        room -= taken;
        if room <= 0.0 {
            break;
        }
    }
    let precision = found / k as f64;
    let lift = precision / (ranked.events / ranked.rows);
    Ok(AtCapacity { k, precision, recall: found / ranked.events, lift })
}

fn probabilities(predicted: &[f64], outcome: &[bool]) -> Answer<Vec<f64>> {
    same_length(predicted.len(), outcome.len(), "the predictions and the outcomes")?;
    at_least(predicted.len(), 1, "predictions")?;
    all_finite(predicted, "a prediction")?;
    if let Some(&value) = predicted.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(Refusal::OutOfRange { what: "a prediction", value, allowed: "from 0 to 1" });
    }
    Ok(outcome.iter().map(|&y| f64::from(u8::from(y))).collect())
}

/// The mean squared distance of predicted probabilities from what happened.
pub fn brier(predicted: &[f64], outcome: &[bool]) -> Answer<f64> {
    let y = probabilities(predicted, outcome)?;
    let sum: f64 = predicted.iter().zip(&y).map(|(p, y)| (p - y).powi(2)).sum();
    finite(sum / y.len() as f64, "the score of Brier")
}

/// Whether predicted probabilities mean what they say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// The logit of the event per unit of the predicted logit: below 1 where predictions are too extreme.
    pub slope: Estimated,
    /// How much too low (above 0) or too high the predictions are on the whole, as a logit.
    pub intercept: Estimated,
}

/// The calibration of predicted probabilities, all strictly between 0 and 1.
pub fn calibration(predicted: &[f64], outcome: &[bool], level: f64) -> Answer<Calibration> {
    let y = probabilities(predicted, outcome)?;
    if let Some(&value) = predicted.iter().find(|p| **p <= 0.0 || **p >= 1.0) {
        return Err(Refusal::OutOfRange {
            what: "a prediction",
            value,
            allowed: "between 0 and 1, both excluded",
        });
    }
    let logits: Vec<f64> = predicted.iter().map(|p| (p / (1.0 - p)).ln()).collect();
    let rows = Rows::of_columns(&[&logits])?;
    let slope = Glm::new(Family::Bernoulli, &rows, &y).fit()?.coefficient(1, Errors::Model, level)?;
    let alone = rows.filtered(|_| true);
    let mut none = Rows::new(0);
    alone.each().try_for_each(|_| none.push(&[]))?;
    let large = Glm::new(Family::Bernoulli, &none, &y).offset(&logits).fit()?;
    Ok(Calibration { slope, intercept: large.coefficient(0, Errors::Model, level)? })
}

/// The first column that alone foretells the outcome too well to be honest, with how well: it was probably written after
/// the event.
pub fn leak(rows: &Rows, outcome: &[bool]) -> Answer<Option<(usize, f64)>> {
    for k in 0..rows.width() {
        let column: Vec<f64> = rows.column(k).collect();
        let area = roc_area(&column, outcome)?;
        let area = area.max(1.0 - area);
        if area > LEAKS_ABOVE {
            return Ok(Some((k, area)));
        }
    }
    Ok(None)
}

/// How often each class was called by each name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

/// How one class fared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassScore {
    /// Rows of this class.
    pub rows: u64,
    /// Rows called so.
    pub called: u64,
    /// The share of those called so that are; none where nothing was called so.
    pub precision: Option<f64>,
    /// The share of the class that was called so; none where the class has no row.
    pub recall: Option<f64>,
    /// Their harmonic mean: 0 where nothing was right, none where the class neither occurs nor was called.
    pub f1: Option<f64>,
}

impl Confusion {
    /// Counts (true class, called class) pairs, each below `classes`.
    pub fn of(classes: usize, pairs: &[(usize, usize)]) -> Answer<Self> {
        Self::weighted(classes, pairs, &vec![1; pairs.len()])
    }

    fn weighted(classes: usize, pairs: &[(usize, usize)], times: &[u32]) -> Answer<Self> {
        let mut counts = vec![0; classes * classes];
        for (&(actual, called), &times) in pairs.iter().zip(times) {
            let larger = actual.max(called);
            if larger >= classes {
                let value = larger as f64;
                return Err(Refusal::OutOfRange { what: "a class", value, allowed: "one of the classes" });
            }
            counts[actual * classes + called] += u64::from(times);
        }
        Ok(Self { classes, counts })
    }

    /// How many rows of class `actual` were called `called`.
    pub fn count(&self, actual: usize, called: usize) -> u64 {
        self.counts[actual * self.classes + called]
    }

    /// How class `k` fared.
    pub fn class(&self, k: usize) -> ClassScore {
        let right = self.count(k, k) as f64;
        let rows: u64 = (0..self.classes).map(|called| self.count(k, called)).sum();
        let called: u64 = (0..self.classes).map(|actual| self.count(actual, k)).sum();
        let share = |of: u64| (of > 0).then(|| right / of as f64);
        let f1 = (rows + called > 0).then(|| 2.0 * right / (rows + called) as f64);
        ClassScore { rows, called, precision: share(called), recall: share(rows), f1 }
    }

    /// F1 averaged over the classes that occur or were called.
    pub fn macro_f1(&self) -> Answer<f64> {
        let each: Vec<f64> = (0..self.classes).filter_map(|k| self.class(k).f1).collect();
        at_least(each.len(), 1, "classes with rows")?;
        Ok(each.iter().sum::<f64>() / each.len() as f64)
    }

    /// The share that was called by its name.
    pub fn accuracy(&self) -> Answer<f64> {
        let all: u64 = self.counts.iter().sum();
        at_least(all as usize, 1, "rows")?;
        let right: u64 = (0..self.classes).map(|k| self.count(k, k)).sum();
        Ok(right as f64 / all as f64)
    }
}

/// Macro-F1 with the interval from resampled rows. Classes are those of the data as a whole, so that a rare class that a
/// resample misses does not lift its average.
pub fn macro_f1(
    classes: usize,
    pairs: &[(usize, usize)],
    replicates: usize,
    seed: u64,
    level: f64,
) -> Answer<Bootstrapped> {
    at_least(pairs.len(), 20, "labelled rows")?;
    Confusion::of(classes, pairs)?;
    Design::simple(pairs.len())?
        .interval(replicates, seed, level, |times| Confusion::weighted(classes, pairs, times)?.macro_f1())
}

/// Average precision with the interval from resampled clusters (lines), each with all its rows.
pub fn average_precision_interval(
    scores: &[f64],
    outcome: &[bool],
    replicates: usize,
    seed: u64,
    level: f64,
) -> Answer<Interval> {
    same_length(scores.len(), outcome.len(), "the scores and the outcomes")?;
    let bootstrapped = Design::simple(scores.len())?.interval(replicates, seed, level, |times| {
        let drawn = || times.iter().enumerate().flat_map(|(i, &n)| std::iter::repeat_n(i, n as usize));
        let s: Vec<f64> = drawn().map(|i| scores[i]).collect();
        let y: Vec<bool> = drawn().map(|i| outcome[i]).collect();
        average_precision(&s, &y)
    })?;
    Ok(bootstrapped.interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::oracle::uniforms;
    use proptest::prelude::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-6 * (1.0 + want.abs()), "{got} is not {want}");
    }

    /// 300 scores in steps of .05, with outcomes that are more likely where they are high.
    fn scored() -> (Vec<f64>, Vec<bool>) {
        let u = uniforms(13, 600);
        let scores: Vec<f64> = u[..300].iter().map(|u| (u * 19.0).floor() / 20.0 + 0.025).collect();
        let outcome = (0..300).map(|i| u[300 + i] < scores[i] * scores[i]).collect();
        (scores, outcome)
    }

    // Oracle: scikit-learn 1.9.1, average_precision_score, roc_auc_score, brier_score_loss; statsmodels 0.15.0,
    // GLM(Binomial()) on the logit, and on an intercept with the logit as offset.
    #[test]
    fn scores_are_judged_as_the_oracle_judges_them() {
        let (scores, outcome) = scored();
        close(average_precision(&scores, &outcome).unwrap(), 0.747_856_693_419_040_2);
        close(roc_area(&scores, &outcome).unwrap(), 0.876_464_942_412_608_6);
        close(brier(&scores, &outcome).unwrap(), 0.157_108_333_333_333_32);
        let got = calibration(&scores, &outcome, 0.95).unwrap();
        close(got.slope.value, 1.374_129_799_164_567);
        close(got.slope.standard_error, 0.167_104_683_281_22);
        close(got.intercept.value, -0.870_080_314_124_384_1);
        close(got.intercept.standard_error, 0.146_539_323_071_252_86);
        let interval = average_precision_interval(&scores, &outcome, 99, 1, 0.95).unwrap();
        assert!(interval.contains(0.747_856_693_419_040_2));
    }

    #[test]
    fn ties_at_the_cut_count_in_proportion() {
        let scores = [0.9, 0.5, 0.5, 0.5, 0.1];
        let outcome = [true, true, false, false, false];
        let got = at_capacity(&scores, &outcome, 2).unwrap();
        close(got.precision, 2.0 / 3.0);
        close(got.recall, 2.0 / 3.0);
        close(got.lift, got.precision / 0.4);
        assert!(matches!(at_capacity(&scores, &outcome, 6), Err(Refusal::TooFew { .. })));
        assert!(matches!(at_capacity(&scores, &[false; 5], 2), Err(Refusal::NoEvents { .. })));
    }

    #[test]
    fn a_column_written_after_the_event_is_found() {
        let (scores, outcome) = scored();
        let after: Vec<f64> = outcome.iter().map(|&y| f64::from(u8::from(y))).collect();
        let rows = Rows::of_columns(&[scores.clone(), after]).unwrap();
        assert_eq!(leak(&rows, &outcome).unwrap(), Some((1, 1.0)));
        assert_eq!(leak(&Rows::of_columns(&[scores]).unwrap(), &outcome).unwrap(), None);
    }

    #[test]
    fn predictions_that_are_no_probabilities_are_refused() {
        assert!(matches!(brier(&[1.2], &[true]), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(brier(&[], &[]), Err(Refusal::TooFew { .. })));
        assert!(matches!(calibration(&[0.0, 0.4], &[true, false], 0.95), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(roc_area(&[f64::NAN], &[true]), Err(Refusal::NotFinite { .. })));
    }

    // Oracle: scikit-learn 1.9.1, f1_score(average="macro").
    #[test]
    fn macro_f1_is_the_oracles_and_carries_an_interval() {
        let u = uniforms(41, 200);
        let pairs: Vec<(usize, usize)> = (0..100)
            .map(|i| {
                let actual = (u[i] * 4.0) as usize;
                let called = if u[100 + i] < 0.7 { actual } else { (u[100 + i] * 10.0) as usize % 4 };
                (actual, called)
            })
            .collect();
        let confusion = Confusion::of(4, &pairs).unwrap();
        close(confusion.macro_f1().unwrap(), 0.727_994_227_994_228);
        close(confusion.accuracy().unwrap(), 0.75);
        let got = macro_f1(4, &pairs, 499, 1, 0.95).unwrap();
        assert!(got.interval.contains(got.observed) && got.interval.width() < 0.3, "{got:?}");
        assert!(matches!(Confusion::of(2, &[(0, 2)]), Err(Refusal::OutOfRange { .. })));
        assert!(matches!(macro_f1(4, &pairs[..10], 99, 1, 0.95), Err(Refusal::TooFew { .. })));
    }

    proptest! {
        #[test]
        fn a_rising_change_of_scale_changes_no_rank(data in prop::collection::vec((0_i32..50, any::<bool>()), 4..60)) {
            let scores: Vec<f64> = data.iter().map(|d| f64::from(d.0)).collect();
            let turned: Vec<f64> = scores.iter().map(|s| (s / 10.0).exp()).collect();
            let outcome: Vec<bool> = data.iter().map(|d| d.1).collect();
            prop_assert_eq!(roc_area(&scores, &outcome).ok(), roc_area(&turned, &outcome).ok());
            prop_assert_eq!(average_precision(&scores, &outcome).ok(), average_precision(&turned, &outcome).ok());
        }
    }
}
