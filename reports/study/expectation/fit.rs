//! What an expectation is made of, and whether it matters: the rows that the statistics are asked on.

use super::query::Query;
use super::row::{HeldOut, Matter, Pair, Placebo, SegmentWeights, Weight, Weights};
use super::weeks::{Factor, LineWeek};
use crate::stats::expectation::segments::{Known, Segment, Segments};
use crate::stats::expectation::weights::{Slope, weigh};
use crate::stats::expectation::{Judged, factor_correlations, matter, segments};
use crate::stats::glm::{Errors, Family, Glm};
use crate::stats::hinge::{Exposed, Hinge, hinge};
use crate::stats::rows::Rows;
use crate::stats::{Answer as Stat, Interval, Refusal};
use crate::study::experience::Scale;
use crate::study::seed::seed_of;
use crate::study::{Answer, Declined};
use broadgauge_model::panel::Panel;
use std::collections::BTreeMap;

/// A factor that is known in a smaller share of the weeks is no factor.
const KNOWN: f64 = 0.8;
/// Resamples behind the weights of segments, each of which is a fit of all weeks.
const MOST_RESAMPLES: usize = 300;
/// A step of a tenth, as a logarithm.
const TENTH: f64 = 0.095_310_179_804_324_87;

/// The weeks at risk with every factor that is known.
pub(super) struct Judgement {
    pub(super) factors: Vec<Factor>,
    pub(super) rows: usize,
    pub(super) events: usize,
    values: Vec<f64>,
    levels: Rows,
    outcome: Vec<f64>,
    controls: Rows,
    lines: Vec<u64>,
    segment: Vec<usize>,
    segment_names: Vec<String>,
    /// Technology, tier and segment: between such lines a placebo deals out references.
    ground: Vec<usize>,
}

fn numbered<K: Ord>(known: &mut BTreeMap<K, usize>, key: K) -> usize {
    let next = known.len();
    *known.entry(key).or_insert(next)
}

/// The segment of a line: its own, or its technology where none is named.
pub(super) fn segment(panel: &Panel, line: usize) -> &str {
    let line = &panel.lines[line];
    line.segment.as_deref().or(line.technology.as_deref()).unwrap_or("")
}

/// The factors that most weeks know. No line has a history in its first weeks, however well it is measured, so the
/// weeks that are asked begin with the first that knows one.
pub(super) fn known_factors(weeks: &[LineWeek]) -> Vec<Factor> {
    let place = |factor: Factor| Factor::ALL.iter().position(|f| *f == factor);
    let history = |week: &&LineWeek| place(Factor::History).is_some_and(|f| week.factors[f].is_some());
    let begin = weeks.iter().filter(history).map(|week| week.day).min().unwrap_or(i32::MIN);
    let asked: Vec<&LineWeek> = weeks.iter().filter(|week| week.day >= begin).collect();
    let known = |f: usize| asked.iter().filter(|week| week.factors[f].is_some()).count() as f64;
    let found = Factor::ALL.into_iter().enumerate();
    let found = found.filter(|(f, _)| !asked.is_empty() && known(*f) >= KNOWN * asked.len() as f64);
    found.map(|(_, factor)| factor).collect()
}

impl Judgement {
    pub(super) fn of(panel: &Panel, weeks: &[LineWeek], factors: &[Factor]) -> Stat<Self> {
        let place = |factor: Factor| Factor::ALL.iter().position(|f| *f == factor).unwrap_or(0);
        let places: Vec<usize> = factors.iter().map(|f| place(*f)).collect();
        let chosen: Vec<(&LineWeek, Vec<f64>)> = weeks
            .iter()
            .filter(|week| week.at_risk)
            .filter_map(|week| {
                Some((week, places.iter().map(|&f| week.factors[f]).collect::<Option<Vec<_>>>()?))
            })
            .collect();
        let (mut grounds, mut names) = (BTreeMap::new(), BTreeMap::new());
        let mut judged = Self {
            factors: factors.to_vec(),
            rows: chosen.len(),
            events: chosen.iter().filter(|c| c.0.complained).count(),
            values: chosen.iter().map(|c| c.0.value).collect(),
            levels: Rows::new(places.len()),
            outcome: chosen.iter().map(|c| f64::from(u8::from(c.0.complained))).collect(),
            controls: Rows::new(0),
            lines: chosen.iter().map(|c| c.0.line as u64).collect(),
            segment: Vec::new(),
            segment_names: Vec::new(),
            ground: Vec::new(),
        };
        for (week, levels) in &chosen {
            judged.levels.push(levels)?;
            let line = &panel.lines[week.line];
            let named = segment(panel, week.line);
            judged.segment.push(numbered(&mut names, named.to_owned()));
            let sold = line.promise.promised_down_mbps.map_or(0, f64::to_bits);
            judged.ground.push(numbered(&mut grounds, (line.technology.clone(), sold, named.to_owned())));
        }
        let mut in_order: Vec<(usize, String)> = names.into_iter().map(|(name, at)| (at, name)).collect();
        in_order.sort();
        judged.segment_names = in_order.into_iter().map(|(_, name)| name).collect();
        judged.controls = controls(panel, &chosen, &judged.segment)?;
        Ok(judged)
    }

    /// Of no weeks: everything asked of it is declined.
    pub(super) fn none(factors: &[Factor]) -> Self {
        Self {
            factors: factors.to_vec(),
            rows: 0,
            events: 0,
            values: Vec::new(),
            levels: Rows::new(factors.len()),
            outcome: Vec::new(),
            controls: Rows::new(0),
            lines: Vec::new(),
            segment: Vec::new(),
            segment_names: Vec::new(),
            ground: Vec::new(),
        }
    }

    fn judged(&self) -> Judged<'_> {
        Judged {
            values: &self.values,
            factors: &self.levels,
            outcome: &self.outcome,
            controls: &self.controls,
            lines: &self.lines,
        }
    }

    /// Correlations within the same ground, because between tiers everything goes together.
    pub(super) fn correlations(&self) -> Vec<Pair> {
        let width = self.factors.len();
        let mut sums: BTreeMap<usize, (Vec<f64>, f64)> = BTreeMap::new();
        for (row, ground) in self.levels.each().zip(&self.ground) {
            let entry = sums.entry(*ground).or_insert_with(|| (vec![0.0; width], 0.0));
            entry.0.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            entry.1 += 1.0;
        }
        let mut inside = Rows::new(width);
        for (row, ground) in self.levels.each().zip(&self.ground) {
            let (sum, n) = &sums[ground];
            let row: Vec<f64> = row.iter().zip(sum).map(|(value, sum)| value - sum / n).collect();
            if inside.push(&row).is_err() {
                return Vec::new();
            }
        }
        let Ok(all) = factor_correlations(&inside) else { return Vec::new() };
        let pair =
            |(i, j): (usize, usize)| Pair { a: self.factors[i], b: self.factors[j], correlation: all[i][j] };
        (0..width).flat_map(|i| (i + 1..width).map(move |j| (i, j))).map(pair).collect()
    }

    /// The confirmatory test.
    pub(super) fn matters(&self) -> Matter {
        match matter::matters(&self.judged(), 0.95) {
            Ok(found) => Matter {
                slope: Answer::estimate(found.slope.value, found.slope.interval.pair(), found.rows as u64),
                chi_squared: Some(found.chi_squared),
                p: Some(found.p),
                q: None,
            },
            Err(refusal) => {
                Matter { slope: Declined::from(refusal).into(), chi_squared: None, p: None, q: None }
            }
        }
    }

    /// The weights, and those to use: per segment where the data tell them apart, equal ones where not.
    pub(super) fn weights(&self, query: &Query) -> (Weights, Used) {
        let equal = vec![1.0 / self.factors.len().max(1) as f64; self.factors.len()];
        let declined = |refusal: Refusal| {
            let declined = Declined::from(refusal);
            let weight = |factor: &Factor| Weight { factor: *factor, weight: declined.clone().into() };
            Weights {
                pooled: self.factors.iter().map(weight).collect(),
                separable: false,
                used: "equal",
                segments: Vec::new(),
            }
        };
        let equal = || Used { pooled: equal.clone(), segments: BTreeMap::new(), slopes: None };
        let fitted = match weigh(&self.judged(), 0.95) {
            Ok(fitted) => fitted,
            Err(refusal) => return (declined(refusal), equal()),
        };
        if !fitted.separable {
            return (declined(Refusal::NotSeparable { what: "the weights of the factors" }), equal());
        }
        let weight = |(factor, weight): (&Factor, &crate::stats::expectation::weights::Weight)| Weight {
            factor: *factor,
            weight: Answer::estimate(weight.value, weight.interval.pair(), fitted.rows as u64),
        };
        let mut used = Used {
            pooled: fitted.weights.iter().map(|w| w.value).collect(),
            segments: BTreeMap::new(),
            slopes: Some([fitted.short, fitted.spare]),
        };
        let mut by_segment = Vec::new();
        if self.segment_names.len() > 1
            && let Ok(found) = segments::by_segment(&self.judged(), &self.segment)
        {
            let known = self.intervals(&found, query);
            for (one, known) in found.segments.iter().zip(known) {
                let name = self.segment_names[one.segment].clone();
                used.segments.insert(name.clone(), one.weights.clone());
                by_segment.push(SegmentWeights {
                    segment: name,
                    line_weeks: one.rows,
                    episodes: one.events,
                    weights: self.told(one, &known),
                });
            }
        }
        by_segment.sort_by(|a, b| a.segment.cmp(&b.segment));
        let weights = Weights {
            pooled: self.factors.iter().zip(&fitted.weights).map(weight).collect(),
            separable: true,
            used: "fitted",
            segments: by_segment,
        };
        (weights, used)
    }

    /// The intervals of the weights of segments, or why there are none.
    fn intervals(&self, found: &Segments, query: &Query) -> Vec<Known> {
        let replicates = query.replicates.min(MOST_RESAMPLES);
        let seed = seed_of(query.seed, &["weights of segments"]);
        let how = (replicates, seed, 0.95);
        segments::intervals(&self.judged(), &self.segment, found, how)
            .unwrap_or_else(|refusal| vec![Err(refusal); found.segments.len()])
    }

    /// The weights of a segment, each with its interval or with the reason why there is none.
    fn told(&self, one: &Segment, known: &Known) -> Vec<Weight> {
        let answer = |k: usize| match known {
            Ok(intervals) => Answer::estimate(one.weights[k], intervals[k].pair(), one.rows as u64),
            Err(refusal) => Declined::from(refusal.clone()).into(),
        };
        self.factors.iter().enumerate().map(|(k, f)| Weight { factor: *f, weight: answer(k) }).collect()
    }

    /// Odds ratios for a tenth less and a tenth more than expected, lines resting on themselves: by the fit of the weights,
    /// whose uncertainty is in them, or by weights that are given.
    pub(super) fn slopes(&self, used: &Used) -> [Answer; 2] {
        let answer = |slope: f64, interval: Interval| {
            let per = |slope: f64| (TENTH * slope).exp();
            Answer::estimate(per(slope), (per(interval.low), per(interval.high)), self.rows as u64)
        };
        if let Some(
            [Slope { value: short, interval: Some(low) }, Slope { value: spare, interval: Some(high) }],
        ) = used.slopes
        {
            return [answer(short, low), answer(spare, high)];
        }
        let fit = || -> Stat<_> {
            let data = self.judged();
            let mut rows = Rows::new(2 + self.controls.width());
            for i in 0..self.rows {
                let short = data.shortfall(i, &used.pooled);
                let mut row = vec![short.max(0.0), (-short).max(0.0)];
                row.extend_from_slice(self.controls.row(i));
                rows.push(&row)?;
            }
            let fit = Glm::new(Family::Bernoulli, &rows, &self.outcome).clusters(&self.lines).fit()?;
            Ok([fit.coefficient(1, Errors::Clustered, 0.95)?, fit.coefficient(2, Errors::Clustered, 0.95)?])
        };
        match fit() {
            Ok(both) => both.map(|b| answer(b.value, b.interval)),
            Err(refusal) => {
                let declined: Answer = Declined::from(refusal).into();
                [declined.clone(), declined]
            }
        }
    }

    pub(super) fn placebo(&self, weights: &[f64], query: &Query) -> Placebo {
        let seed = seed_of(query.seed, &["placebo"]);
        match matter::placebo(&self.judged(), &self.ground, weights, query.swaps, seed) {
            Ok(found) => Placebo {
                swaps: query.swaps,
                own: Some(found.own),
                best_swapped: Some(found.best_swapped),
                p: Some(found.p),
                declined: None,
            },
            Err(refusal) => Placebo {
                swaps: query.swaps,
                own: None,
                best_swapped: None,
                p: None,
                declined: Some(refusal.into()),
            },
        }
    }

    /// Weights fitted on some lines, judged on the others; equal ones where they cannot be told apart.
    pub(super) fn held_out(&self) -> Option<HeldOut> {
        let equal = vec![1.0 / self.factors.len() as f64; self.factors.len()];
        let fit = |data: &Judged<'_>| {
            let fitted = weigh(data, 0.95)?;
            Ok(if fitted.separable {
                fitted.weights.iter().map(|w| w.value).collect()
            } else {
                equal.clone()
            })
        };
        let found = matter::held_out(&self.judged(), fit).ok()?;
        Some(HeldOut {
            auc_shortfall: found.by_shortfall,
            auc_value: found.by_value,
            deviance_gain: found.deviance_gain,
        })
    }

    /// From which value on customers complain; its level on the scale beside it where it is told.
    pub(super) fn knee(&self, scale: Scale) -> (Answer, Option<f64>) {
        let exposed = Exposed {
            values: &self.values,
            outcome: &self.outcome,
            controls: &self.controls,
            clusters: &self.lines,
        };
        match hinge(&exposed, 0.95) {
            Ok(Hinge { refused: Some(no_knee), .. }) => (Declined::from(no_knee).into(), None),
            Ok(found) => {
                let (a, b) = (scale.back(found.interval.low), scale.back(found.interval.high));
                let told = Answer::estimate(scale.back(found.knee), (a.min(b), a.max(b)), self.rows as u64);
                (told, Some(found.knee))
            }
            Err(refusal) => (Declined::from(refusal).into(), None),
        }
    }
}

/// Weights to work with.
#[derive(Clone, Debug)]
pub(super) struct Used {
    pooled: Vec<f64>,
    segments: BTreeMap<String, Vec<f64>>,
    /// Short and to spare, where the weights were fitted with them.
    slopes: Option<[Slope; 2]>,
}

impl Used {
    pub(super) fn pooled(&self) -> &[f64] {
        &self.pooled
    }

    /// The expected level of a line in a week; the weight of what is not known goes to the rest. None where nothing is.
    pub(super) fn level(&self, segment: &str, factors: &[Factor], week: &LineWeek) -> Option<f64> {
        let weights = self.segments.get(segment).unwrap_or(&self.pooled);
        let (mut sum, mut total) = (0.0, 0.0);
        for (factor, weight) in factors.iter().zip(weights) {
            let place = Factor::ALL.iter().position(|f| f == factor)?;
            if let Some(level) = week.factors[place] {
                sum += weight * level;
                total += weight;
            }
        }
        (total > 0.0).then(|| sum / total)
    }
}

/// Technology, segment and the passing of time; a column that does not vary is none.
fn controls(panel: &Panel, chosen: &[(&LineWeek, Vec<f64>)], segments: &[usize]) -> Stat<Rows> {
    let mut technologies = BTreeMap::new();
    let technology: Vec<usize> = chosen
        .iter()
        .map(|(week, _)| numbered(&mut technologies, panel.lines[week.line].technology.clone()))
        .collect();
    let first = chosen.iter().map(|c| c.0.day).min().unwrap_or(0);
    let last = chosen.iter().map(|c| c.0.day).max().unwrap_or(0);
    let mut columns: Vec<Vec<f64>> = Vec::new();
    let mut dummies = |labels: &[usize]| {
        for label in 1..=labels.iter().copied().max().unwrap_or(0) {
            columns.push(labels.iter().map(|l| f64::from(u8::from(*l == label))).collect());
        }
    };
    dummies(&technology);
    // Where lines name no segment, their technology stands for it.
    if segments != technology {
        dummies(segments);
    }
    if last > first {
        columns.push(chosen.iter().map(|c| f64::from(c.0.day - first) / f64::from(last - first)).collect());
    }
    if columns.is_empty() {
        let mut none = Rows::new(0);
        chosen.iter().try_for_each(|_| none.push(&[]))?;
        return Ok(none);
    }
    Rows::of_columns(&columns)
}
