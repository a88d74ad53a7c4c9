//! How much more often do customers complain at a worse value, everything else alike, and from which value on?
//!
//! Logistic regression of line-days: did an episode begin? Beside the exposure stand technology, region, plan, segment,
//! the day of the week and a smooth course over the period; errors are clustered by line. Complaints are rare, so an
//! odds ratio is a ratio of rates. Most line-days have no complaint: of those a random part will do, because leaving
//! some out moves the intercept and nothing else (Prentice and Pyke, Biometrika 66, 1979). The smooth curve is a natural
//! cubic spline; the knee is a logistic line that bends once, accepted or refused as `stats::hinge` says.
//!
//! What is not in the data (how long a customer has been one, who calls easily) is not allowed for. Lines are compared
//! with other lines here; the case-crossover compares each line with itself.

use super::bands::{LineDay, window_label};
use super::crossover::increment;
use super::episodes::{AtRisk, TRAITS};
use super::exposure::Observed;
use super::monotone;
use super::query::Query;
use super::row::{CurvePoint, DoseResponse};
use crate::stats::Refusal;
use crate::stats::glm::{Errors, Estimated, Family, Fit, Glm};
use crate::stats::hinge::{Exposed, hinge};
use crate::stats::multiple::q_values;
use crate::stats::rows::Rows;
use crate::stats::spline::Spline;
use crate::study::seed::seed_of;
use crate::study::{Answer, Declined, Words};
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::Better;
use broadgauge_model::panel::weekday;
use broadgauge_model::text::Phrase;
use std::collections::BTreeMap;

const LEVEL: f64 = 0.95;
/// A level of a trait has a place of its own from so many complaints on, and from so many line-days without.
const OWN_PLACE: usize = 10;
/// No trait has more places than this: the complaints of the rest go together.
const MOST_PLACES: usize = 12;
/// Clustered errors stand on this many lines at least.
const SOME_LINES: usize = 20;
/// Points of the curve.
const POINTS: usize = 21;

/// The line-days of a regression.
struct Sample {
    /// By exposure.
    days: Vec<LineDay>,
    outcome: Vec<f64>,
    clusters: Vec<u64>,
    lines: usize,
}

impl Sample {
    /// All line-days with a complaint, and of the others those with the smallest numbers of a fixed hash.
    fn of(days: &[LineDay], seed: u64, most: usize) -> Self {
        let hash = |d: &LineDay| {
            let mixed = seed ^ (u64::from(d.line) << 32 | u64::from(d.day as u32));
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        let with = days.iter().filter(|d| d.complaints > 0).count();
        // At least three line-days without a complaint to each with one.
        let wanted = most.saturating_sub(with).max(3 * with);
        let mut numbers: Vec<u64> = days.iter().filter(|d| d.complaints == 0).map(hash).collect();
        let last = if wanted < numbers.len() { *numbers.select_nth_unstable(wanted).1 } else { u64::MAX };
        let all = wanted >= numbers.len();
        let days: Vec<LineDay> =
            days.iter().filter(|d| d.complaints > 0 || all || hash(d) < last).copied().collect();
        let lines: std::collections::BTreeSet<u32> = days.iter().map(|d| d.line).collect();
        Self {
            outcome: days.iter().map(|d| f64::from(u8::from(d.complaints > 0))).collect(),
            clusters: days.iter().map(|d| u64::from(d.line)).collect(),
            lines: lines.len(),
            days,
        }
    }

    fn fit(&self, rows: &Rows) -> Result<Fit, Refusal> {
        Glm::new(Family::Bernoulli, rows, &self.outcome).clusters(&self.clusters).fit()
    }
}

/// What a regression allows for: columns with the word for what they are.
#[derive(Clone, Default)]
struct Controls {
    columns: Vec<(&'static str, Vec<f64>)>,
}

impl Controls {
    fn of(sample: &Sample, risk: &AtRisk) -> Self {
        let mut all = Self::default();
        for (k, word) in TRAITS.into_iter().enumerate() {
            let level = |d: &LineDay| risk.lines[d.line as usize].traits[k];
            all.add_levels(word, sample, &level);
        }
        all.add_levels("weekday", sample, &|d: &LineDay| u32::from(weekday(d.day)));
        let days: Vec<f64> = sample.days.iter().map(|d| f64::from(d.day - risk.first_day)).collect();
        if risk.end_day - risk.first_day >= 28
            && let Ok(spline) = Spline::of_values(&days, 4)
        {
            let basis: Result<Vec<_>, _> = days.iter().map(|day| spline.basis(*day)).collect();
            for k in 0..spline.width() {
                let column = basis.iter().flatten().map(|row| row[k]).collect();
                all.columns.push(("course", column));
            }
        }
        all
    }

    /// A column per level that has complaints enough, but for the level with the most; the rest go together.
    fn add_levels(&mut self, word: &'static str, sample: &Sample, level: &dyn Fn(&LineDay) -> u32) {
        let mut counts = BTreeMap::<u32, (usize, usize)>::new();
        for (day, y) in sample.days.iter().zip(&sample.outcome) {
            let count = counts.entry(level(day)).or_default();
            if *y > 0.0 { count.0 += 1 } else { count.1 += 1 }
        }
        let mut levels: Vec<(u32, (usize, usize))> = counts.into_iter().collect();
        levels.sort_by_key(|(level, count)| (std::cmp::Reverse(count.0), *level));
        let own: Vec<u32> = levels
            .iter()
            .take(MOST_PLACES)
            .filter(|(_, count)| count.0 >= OWN_PLACE && count.1 >= OWN_PLACE)
            .map(|(level, _)| *level)
            .collect();
        let rest: Vec<u32> = levels.iter().map(|l| l.0).filter(|l| !own.contains(l)).collect();
        let complaints_of_rest: usize = levels.iter().filter(|l| rest.contains(&l.0)).map(|l| l.1.0).sum();
        let mut groups: Vec<Vec<u32>> = own.iter().skip(1).map(|level| vec![*level]).collect();
        if complaints_of_rest >= OWN_PLACE && !own.is_empty() {
            groups.push(rest);
        }
        for group in groups {
            let column = sample.days.iter().map(|d| f64::from(u8::from(group.contains(&level(d))))).collect();
            self.columns.push((word, column));
        }
    }

    fn words(&self) -> Vec<&'static str> {
        let mut words: Vec<_> = self.columns.iter().map(|c| c.0).collect();
        words.dedup();
        words
    }

    fn rows(&self, before: &[Vec<f64>], n: usize) -> Result<Rows, Refusal> {
        let mut rows = Rows::new(before.len() + self.columns.len());
        let mut row = Vec::new();
        for i in 0..n {
            row.clear();
            row.extend(before.iter().map(|column| column[i]));
            row.extend(self.columns.iter().map(|(_, column)| column[i]));
            rows.push(&row)?;
        }
        Ok(rows)
    }

    /// Fits, leaving out control columns that are combinations of the others.
    fn fit(&mut self, before: &[Vec<f64>], sample: &Sample) -> Result<Fit, Refusal> {
        loop {
            match sample.fit(&self.rows(before, sample.days.len())?) {
                Err(Refusal::Redundant { column }) if column >= before.len() => {
                    self.columns.remove(column - before.len());
                }
                other => return other,
            }
        }
    }
}

/// The regression of one exposure, without q.
pub(super) fn regression(
    observed: &Observed,
    risk: &AtRisk,
    days: &[LineDay],
    class: Class,
    query: &Query,
) -> DoseResponse {
    let metric = observed.exposure.metric;
    let words = [metric.id(), &observed.exposure.method.name, class.word(), "regression"];
    let seed = seed_of(query.seed, &words);
    let sample = Sample::of(days, seed, query.most_line_days);
    let (increment, per) = increment(metric);
    let complaints = days.iter().map(|d| u64::from(d.complaints)).sum();
    let values: Vec<f64> = sample.days.iter().map(|d| d.exposure).collect();
    let ratio = |found: Result<Estimated, Refusal>| match found {
        Ok(e) => {
            let times = |v: f64| (v * increment).exp();
            let interval = (times(e.interval.low), times(e.interval.high));
            let answer = Answer::ratio(times(e.value), interval, complaints);
            let p = answer.as_estimate().map(|_| e.p);
            (answer, p)
        }
        Err(refusal) => (Declined::from(refusal).into(), None),
    };
    let exposure = std::slice::from_ref(&values);
    let slope = |fit: Result<Fit, Refusal>| fit.and_then(|fit| fit.coefficient(1, Errors::Clustered, LEVEL));
    let mut controls = Controls::of(&sample, risk);
    let few = few_complaints(&sample, query).or_else(|| few_lines(&sample));
    let mut out = DoseResponse {
        exposure: observed.exposure.clone(),
        class,
        window: window_label(query.band_window_hours),
        per,
        increment,
        lines: days.iter().map(|d| d.line).collect::<std::collections::BTreeSet<_>>().len(),
        line_days: days.len() as u64,
        line_days_used: sample.days.len() as u64,
        complaints,
        adjusted_for: Vec::new(),
        crude: Answer::declined(NOT_ASKED),
        adjusted: Answer::declined(NOT_ASKED),
        p: None,
        q: None,
        reference: days[days.len() / 2].exposure,
        curve: Vec::new(),
        curve_declined: None,
        monotone: monotone::monotone(days, metric.better, seed),
        knee: Answer::declined(NOT_ASKED),
        beyond_knee: None,
    };
    if let Some(declined) = few {
        out.crude = declined.clone().into();
        out.adjusted = declined.clone().into();
        out.knee = declined.clone().into();
        out.curve_declined = Some(declined.reason);
        return out;
    }
    out.crude = ratio(slope(Controls::default().fit(exposure, &sample))).0;
    (out.adjusted, out.p) = ratio(slope(controls.fit(exposure, &sample)));
    out.adjusted_for = controls.words();
    match curve(&values, &sample, &mut controls, out.reference, complaints) {
        Ok(points) => out.curve = points,
        Err(refusal) => out.curve_declined = Some(Declined::from(refusal).reason),
    }
    (out.knee, out.beyond_knee) = knee(&values, &sample, &controls, metric.better, increment, complaints);
    out
}

const NOT_ASKED: Phrase = Phrase { en: "not computed", zh: "未计算" };

fn few_complaints(sample: &Sample, query: &Query) -> Option<Declined> {
    let have = sample.outcome.iter().filter(|y| **y > 0.0).count();
    // Twenty is what a knee needs at least.
    let need = query.minimum_episodes.max(20);
    let phrase = Phrase {
        en: "{have} complaints on measured line-days, and at least {need} are needed",
        zh: "有测量的线路日上只有 {have} 件投诉，至少需要 {need} 件",
    };
    (have < need).then(|| Declined::because(Words::with(phrase, &[("have", &have), ("need", &need)])))
}

/// Days of one line go together, and errors that allow for it need lines.
fn few_lines(sample: &Sample) -> Option<Declined> {
    let few = Refusal::TooFew { what: "lines", have: sample.lines, need: SOME_LINES };
    (sample.lines < SOME_LINES).then(|| few.into())
}

/// The smooth curve against the reference.
fn curve(
    values: &[f64],
    sample: &Sample,
    controls: &mut Controls,
    reference: f64,
    complaints: u64,
) -> Result<Vec<CurvePoint>, Refusal> {
    let spline = Spline::of_values(values, 4).or_else(|_| Spline::of_values(values, 3))?;
    let basis = values.iter().map(|v| spline.basis(*v)).collect::<Result<Vec<_>, _>>()?;
    let columns: Vec<Vec<f64>> =
        (0..spline.width()).map(|k| basis.iter().map(|row| row[k]).collect()).collect();
    let fit = controls.fit(&columns, sample)?;
    let here = spline.basis(reference)?;
    let (low, high) = (values[values.len() / 40], values[values.len() - 1 - values.len() / 40]);
    (0..POINTS)
        .map(|i| {
            let at = low + (high - low) * i as f64 / (POINTS - 1) as f64;
            let there = spline.basis(at)?;
            let mut factors = vec![0.0; fit.coefficients.len()];
            for k in 0..spline.width() {
                factors[1 + k] = there[k] - here[k];
            }
            let ratio = match fit.combination(&factors, Errors::Clustered, LEVEL) {
                Ok(e) => {
                    Answer::ratio(e.value.exp(), (e.interval.low.exp(), e.interval.high.exp()), complaints)
                }
                // At the reference itself the ratio is 1, and nothing about it is uncertain.
                Err(Refusal::NoVariation { .. }) => Answer::estimate(1.0, (1.0, 1.0), complaints),
                Err(refusal) => Declined::from(refusal).into(),
            };
            Ok(CurvePoint { at, ratio })
        })
        .collect()
}

/// The knee, and the rate ratio beyond it; declined where there is none.
fn knee(
    values: &[f64],
    sample: &Sample,
    controls: &Controls,
    better: Better,
    increment: f64,
    complaints: u64,
) -> (Answer, Option<Answer>) {
    let sign = if better == Better::Lower { 1.0 } else { -1.0 };
    let worse: Vec<f64> = values.iter().map(|v| sign * v).collect();
    let found = controls.rows(&[], values.len()).and_then(|controls| {
        let data = Exposed {
            values: &worse,
            outcome: &sample.outcome,
            controls: &controls,
            clusters: &sample.clusters,
        };
        hinge(&data, LEVEL)
    });
    let found = match found {
        Ok(found) => found,
        Err(refusal) => return (Declined::from(refusal).into(), None),
    };
    if let Some(no_knee) = found.refused {
        return (Declined::from(no_knee).into(), None);
    }
    let (low, high) = (sign * found.interval.low, sign * found.interval.high);
    let knee = Answer::estimate(sign * found.knee, (low.min(high), low.max(high)), complaints);
    let times = |v: f64| (v * increment).exp();
    let slope = found.slope;
    let beyond = Answer::ratio(
        times(slope.value),
        (times(slope.interval.low), times(slope.interval.high)),
        complaints,
    );
    (knee, Some(beyond))
}

/// q-values: the regressions of all exposures are one family.
pub(super) fn adjust(rows: &mut [DoseResponse]) {
    let p: Vec<f64> = rows.iter().filter_map(|row| row.p).collect();
    let mut q = q_values(&p).unwrap_or_default().into_iter();
    for row in rows.iter_mut().filter(|row| row.p.is_some()) {
        row.q = q.next();
    }
}
