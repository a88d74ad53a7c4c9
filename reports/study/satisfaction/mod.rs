//! What makes customers satisfied, and how satisfied are they?
//!
//! Constructs such as image, quality and satisfaction are each asked about by several items; a path model by partial least
//! squares weighs the items and finds how the constructs hang together (Tenenhaus et al. 2005). Each construct has an index
//! from 0 to 100 (Fornell et al. 1996). What matters much for the target and stands low comes first.
//!
//! Who answers a survey is not everybody: people who do not answer may think otherwise, and nothing here can tell. Arrows
//! are the model's assumption. Weak items and constructs are printed as they are.

pub mod model;
pub mod row;

pub use model::{Construct, Name, Scheme, SurveyModel};
pub use row::{ConstructRow, Importance, ItemRow, PathRow, Satisfaction, SegmentIndex};

use super::{Answer, Declined, Head, Method, Note, Words};
use crate::stats::path_model::{self, PathFit, Resampled, fit, resample};
use crate::stats::rows::Rows;
use crate::stats::{Interval, Refusal, welch::Moments};
use broadgauge_model::panel::{LeftOut, Period};
use broadgauge_model::text::Phrase;
use serde_json::json;
use std::collections::BTreeMap;

/// The study's version: raised when its numbers may move.
const VERSION: u32 = 1;
const LEVEL: f64 = 0.95;
/// Segments of fewer respondents are not shown.
const FEWEST: usize = 10;

/// The answers to a survey.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// A row per respondent, an answer per item in the order of [`SurveyModel::columns`]; none where there is no answer.
    pub answers: Vec<Vec<Option<f64>>>,
    /// Each respondent's segment, where known.
    pub segments: Vec<Option<String>>,
    /// When they were asked.
    pub period: Period,
    /// Answers that are not here, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// The question.
#[derive(Clone, Debug)]
pub struct Query {
    /// The operator whose customers were asked.
    pub own: String,
    /// Only these segments; everybody where empty.
    pub segments: Vec<String>,
    /// The model.
    pub model: SurveyModel,
    /// How neighbours count.
    pub scheme: Scheme,
    /// The seed of resampling.
    pub seed: u64,
    /// Resamples of respondents.
    pub replicates: usize,
}

impl Query {
    /// The usual question of an operator.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            segments: Vec::new(),
            model: SurveyModel::standard(),
            scheme: Scheme::Path,
            seed: 1,
            replicates: 1_000,
        }
    }
}

/// Fits the model to the survey.
pub fn study(survey: &Survey, query: &Query) -> Satisfaction {
    let mut out = Satisfaction {
        head: Head {
            study: "satisfaction",
            version: VERSION,
            period: survey.period.clone(),
            filters: BTreeMap::from([("own", json!(query.own)), ("segments", json!(query.segments))]),
            seed: query.seed,
            method: Method {
                name: "partial least squares path model, respondents resampled",
                version: VERSION,
                source: "Lohmoeller 1989; Tenenhaus et al. 2005; Fornell et al. 1996",
            },
            notes: super::head::from_panel(&survey.left_out),
        },
        scheme: query.scheme,
        respondents: 0,
        constructs: Vec::new(),
        paths: Vec::new(),
        total_effects: Vec::new(),
        importance: Vec::new(),
        declined: None,
    };
    if let Err(refusal) = fill(survey, query, &mut out) {
        out.declined = Some(refusal.into());
    }
    out
}

/// Respondents with an answer to every item, within the scale, each with its segment.
fn complete(
    survey: &Survey,
    model: &SurveyModel,
    notes: &mut Vec<Note>,
) -> crate::stats::Answer<(Rows, Vec<Option<String>>)> {
    let columns = model.columns().len();
    let mut rows = Rows::new(columns);
    let mut segments = Vec::new();
    let (mut unanswered, mut outside) = (0, 0);
    for (i, answers) in survey.answers.iter().enumerate() {
        let given: Vec<f64> = answers.iter().filter_map(|a| *a).collect();
        if given.len() < columns || answers.len() != columns {
            unanswered += 1;
        } else if given.iter().any(|a| !(model.scale.0..=model.scale.1).contains(a)) {
            outside += 1;
        } else {
            rows.push(&given)?;
            segments.push(survey.segments.get(i).cloned().flatten());
        }
    }
    let mut say = |en, zh, count| Note::push(notes, Words::plain(Phrase { en, zh }), count);
    say("respondents who left an item unanswered", "有题目未作答的受访者", unanswered);
    say("respondents with an answer outside the scale", "答案超出量表范围的受访者", outside);
    Ok((rows, segments))
}

fn fill(survey: &Survey, query: &Query, out: &mut Satisfaction) -> Result<(), Refusal> {
    let model = &query.model;
    let paths_model = model.paths_model()?;
    let (rows, segments) = complete(survey, model, &mut out.head.notes)?;
    out.respondents = rows.len();
    let scheme = match query.scheme {
        Scheme::Path => path_model::Scheme::Path,
        Scheme::Factorial => path_model::Scheme::Factorial,
        Scheme::Centroid => path_model::Scheme::Centroid,
    };
    let fitted = fit(&paths_model, &rows, scheme)?;
    let drawn = resample(&paths_model, &rows, scheme, model.scale, query.replicates, query.seed, LEVEL)?;
    let n = rows.len() as u64;
    let estimate = |value: f64, interval: Interval| {
        // Bootstrap percentiles may miss the estimate by a hair where a value sits at its limit.
        Answer::estimate(value, (interval.low.min(value), interval.high.max(value)), n)
    };
    let mut first_item = 0;
    for (k, construct) in model.constructs.iter().enumerate() {
        let quality = fitted.quality(&paths_model, k);
        let items = construct.items.iter().enumerate().map(|(i, item)| ItemRow {
            item: item.clone(),
            mean: fitted.means()[first_item + i],
            loading: estimate(fitted.loadings[k][i], drawn.loadings[k][i]),
            weight: estimate(fitted.weights[k][i], drawn.weights[k][i]),
        });
        let items = items.collect();
        let span = first_item..first_item + construct.items.len();
        out.constructs.push(ConstructRow {
            construct: construct.id.clone(),
            name: construct.name.clone(),
            index: overall(&fitted, &drawn, k, model.scale, n),
            segments: by_segment(&fitted, &rows, &segments, k, &span, model.scale),
            r_squared: fitted.r_squared[k].zip(drawn.r_squared[k]).map(|(r, interval)| estimate(r, interval)),
            alpha: quality.alpha,
            rho: quality.rho,
            ave: quality.ave,
            items,
        });
        first_item = span.end;
    }
    for (at, (from, to)) in model.paths.iter().enumerate() {
        let coefficient = estimate(fitted.paths[at], drawn.paths[at]);
        out.paths.push(PathRow { from: from.clone(), to: to.clone(), coefficient });
    }
    for (from, row) in drawn.total.iter().enumerate() {
        for (to, interval) in row.iter().enumerate() {
            let Some(interval) = interval else { continue };
            out.total_effects.push(PathRow {
                from: model.constructs[from].id.clone(),
                to: model.constructs[to].id.clone(),
                coefficient: estimate(fitted.total[from][to], *interval),
            });
        }
    }
    out.importance = importance(&fitted, model);
    Ok(())
}

fn overall(fitted: &PathFit, drawn: &Resampled, k: usize, scale: (f64, f64), n: u64) -> Answer {
    match (fitted.overall_index(k, scale.0, scale.1), drawn.indices[k]) {
        (Ok(index), Some(interval)) => {
            Answer::estimate(index, (interval.low.min(index), interval.high.max(index)), n)
        }
        (Err(refusal), _) => Declined::from(refusal).into(),
        (Ok(_), None) => Declined::from(Refusal::Unstable { what: "the index in resamples" }).into(),
    }
}

/// Each segment's index with everybody's weights; respondents are its spread.
fn by_segment(
    fitted: &PathFit,
    rows: &Rows,
    segments: &[Option<String>],
    k: usize,
    span: &std::ops::Range<usize>,
    scale: (f64, f64),
) -> Vec<SegmentIndex> {
    let mut scores = BTreeMap::<&str, Vec<f64>>::new();
    let mut refused = None;
    for (i, segment) in segments.iter().enumerate() {
        let Some(segment) = segment else { continue };
        match fitted.index(k, &rows.row(i)[span.clone()], scale.0, scale.1) {
            Ok(score) => scores.entry(segment).or_default().push(score),
            Err(refusal) => refused = Some(refusal),
        }
    }
    if let Some(refusal) = refused {
        let mut names: Vec<&String> = segments.iter().flatten().collect();
        names.sort();
        names.dedup();
        let declined = |segment: &String| SegmentIndex {
            segment: segment.clone(),
            index: Declined::from(refusal.clone()).into(),
        };
        return names.into_iter().map(declined).collect();
    }
    let answer = |scores: &[f64]| -> Answer {
        if scores.len() < FEWEST {
            let phrase = Phrase {
                en: "{n} respondents, fewer than {need}",
                zh: "受访者 {n} 人，不足 {need} 人",
            };
            return Declined::because(Words::with(phrase, &[("n", &scores.len()), ("need", &FEWEST)])).into();
        }
        match Moments::of(scores).and_then(|m| m.interval(LEVEL).map(|interval| (m, interval))) {
            Ok((m, interval)) => {
                Answer::estimate(m.mean, (interval.low.max(0.0), interval.high.min(100.0)), m.n as u64)
            }
            Err(refusal) => Declined::from(refusal).into(),
        }
    };
    scores.into_iter().map(|(s, list)| SegmentIndex { segment: s.into(), index: answer(&list) }).collect()
}

fn importance(fitted: &PathFit, model: &SurveyModel) -> Vec<Importance> {
    let Some(target) = model.place(&model.target) else { return Vec::new() };
    let each: Vec<(usize, f64, f64)> = (0..model.constructs.len())
        .filter(|&k| k != target && fitted.total[k][target] != 0.0)
        .filter_map(|k| {
            let index = fitted.overall_index(k, model.scale.0, model.scale.1).ok()?;
            Some((k, fitted.total[k][target], index))
        })
        .collect();
    let mean =
        |of: fn(&(usize, f64, f64)) -> f64| each.iter().map(of).sum::<f64>() / each.len().max(1) as f64;
    let (usual, level) = (mean(|e| e.1), mean(|e| e.2));
    let mut rows: Vec<Importance> = each
        .iter()
        .map(|&(k, importance, performance)| Importance {
            construct: model.constructs[k].id.clone(),
            importance,
            performance,
            first: importance > usual && performance < level,
        })
        .collect();
    rows.sort_by(|a, b| b.importance.total_cmp(&a.importance));
    rows
}

#[cfg(test)]
mod tests;
