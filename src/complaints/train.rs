//! Training, and judging what came of it on texts left out.
//!
//! Stochastic gradient steps with per-place rates (Duchi, Hazan and Singer, JMLR 12, 2011), a fixed number of rounds in an
//! order fixed by a seed, so that the same labels give the same model. Rare classes count more, by the square root of how
//! rare they are. Five folds, dealt out class by class, give each text a verdict from a model that has not seen it.

use super::model::{Model, features, softmax};
use super::rules::RULES;
use broadgauge_model::complaint::Class;
use broadgauge_reports::stats::classifier::{Confusion, macro_f1};
use broadgauge_reports::stats::proportion::wilson;
use broadgauge_reports::stats::{Purpose, Refusal, Stream};
use serde::Serialize;
use std::collections::BTreeMap;

const ROUNDS: u64 = 30;
const RATE: f64 = 0.5;
/// How strongly weights are drawn to 0 at each step that touches them.
const DECAY: f64 = 2e-3;
const FOLDS: usize = 5;
const REPLICATES: usize = 2_000;
/// Fewer labels than this train nothing that holds.
const LEAST_LABELS: usize = 50;

/// A text with the class that a person gave it.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The customer's words.
    pub text: String,
    /// What it is about.
    pub class: Class,
}

/// Why nothing was trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Too few labels.
    #[error("{have} labelled texts, and at least {need} are needed", need = LEAST_LABELS)]
    TooFew {
        /// How many there are.
        have: usize,
    },
    /// All labels are the same.
    #[error("all labels are {0:?}: a model needs texts of two classes at least")]
    OneClass(Class),
    /// The scores could not be computed.
    #[error("the scores cannot be given: {0}")]
    Scores(#[from] Refusal),
}

/// How verdicts fare against labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// By what was judged.
    pub by: String,
    /// How many texts.
    pub labels: usize,
    /// The mean of F1 over the classes.
    pub macro_f1: f64,
    /// Its interval over resampled texts.
    pub interval: (f64, f64),
    /// The share that was called by its name.
    pub accuracy: f64,
    /// Rows are labels, columns verdicts, both in the order network, billing, service, unsure.
    pub confusion: [[u64; 4]; 4],
    /// F1 of each class; none where a class neither occurs nor was called.
    pub f1: [Option<f64>; 4],
}

fn place(class: Class) -> usize {
    Class::ALL.iter().position(|c| *c == class).unwrap_or(3)
}

fn report(by: String, pairs: &[(usize, usize)], seed: u64) -> Result<Report, TrainError> {
    let confusion = Confusion::of(4, pairs)?;
    let accuracy = confusion.accuracy()?;
    let (value, interval) = match macro_f1(4, pairs, REPLICATES, seed, 0.95) {
        Ok(score) => (score.observed, score.interval),
        // All right (or all wrong): resampling knows no doubt, and the share that is right still has some.
        Err(Refusal::NoVariation { .. }) => {
            let right = pairs.iter().filter(|pair| pair.0 == pair.1).count() as u64;
            (confusion.macro_f1()?, wilson(right, pairs.len() as u64, 0.95)?)
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let row = |k: usize| std::array::from_fn(|j| confusion.count(k, j));
    Ok(Report {
        by,
        labels: pairs.len(),
        macro_f1: value,
        interval: interval.pair(),
        accuracy,
        confusion: std::array::from_fn(row),
        f1: std::array::from_fn(|k| confusion.class(k).f1),
    })
}

/// How a model fares, or the shipped rules where there is none. Labels that the model was trained on flatter it.
pub fn judge(labelled: &[Labelled], model: Option<&Model>, seed: u64) -> Result<Report, TrainError> {
    let pairs: Vec<(usize, usize)> =
        labelled.iter().map(|l| (place(l.class), place(super::verdict(&l.text, model).class))).collect();
    report(model.map_or_else(|| format!("rules {}", RULES.version), Model::name), &pairs, seed)
}

/// Trains a model on all labels, and reports how models trained on four fifths fare on the fifth left out.
pub fn train(labelled: &[Labelled], seed: u64) -> Result<(Model, Report), TrainError> {
    if labelled.len() < LEAST_LABELS {
        return Err(TrainError::TooFew { have: labelled.len() });
    }
    if labelled.iter().all(|l| l.class == labelled[0].class) {
        return Err(TrainError::OneClass(labelled[0].class));
    }
    let all: Vec<Sample> =
        labelled.iter().map(|l| Sample { features: features(&l.text), class: place(l.class) }).collect();
    // Deal the folds out class by class, each class in an order of its own.
    let mut folds = vec![0; all.len()];
    for class in 0..4 {
        let mut own: Vec<usize> = (0..all.len()).filter(|&i| all[i].class == class).collect();
        Stream::new(seed, Purpose::Permutation, class as u64).shuffle(&mut own);
        for (k, i) in own.into_iter().enumerate() {
            folds[i] = k % FOLDS;
        }
    }
    let mut pairs = Vec::with_capacity(all.len());
    for fold in 0..FOLDS {
        let rest: Vec<&Sample> = (0..all.len()).filter(|&i| folds[i] != fold).map(|i| &all[i]).collect();
        let model = fit(&rest, seed);
        for i in (0..all.len()).filter(|&i| folds[i] == fold) {
            pairs.push((all[i].class, place(model.judge(&labelled[i].text).class)));
        }
    }
    let mut model = fit(&all.iter().collect::<Vec<_>>(), seed);
    let report = report(format!("model of {} labels, {FOLDS} folds", all.len()), &pairs, seed)?;
    model.macro_f1 = Some(report.macro_f1);
    Ok((model, report))
}

struct Sample {
    features: Vec<(u32, f64)>,
    class: usize,
}

fn fit(samples: &[&Sample], seed: u64) -> Model {
    let mut counts = [0_usize; 4];
    for sample in samples {
        counts[sample.class] += 1;
    }
    let present = counts.iter().filter(|c| **c > 0).count() as f64;
    let common = samples.len() as f64 / present;
    let weight_of = counts.map(|c| if c == 0 { 0.0 } else { (common / c as f64).sqrt() });
    // Per place: weights, then the sums of squared slopes.
    let mut places = BTreeMap::<u32, ([f64; 4], [f64; 4])>::new();
    let mut bias = ([0.0; 4], [0.0; 4]);
    let mut order: Vec<usize> = (0..samples.len()).collect();
    for round in 0..ROUNDS {
        Stream::new(seed, Purpose::Permutation, 100 + round).shuffle(&mut order);
        for &i in &order {
            let sample = samples[i];
            let mut sums = bias.0;
            for (place, value) in &sample.features {
                if let Some((weights, _)) = places.get(place) {
                    sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += value * w);
                }
            }
            let probabilities = softmax(sums);
            for class in 0..4 {
                let target = f64::from(u8::from(class == sample.class));
                let slope = weight_of[sample.class] * (probabilities[class] - target);
                step(&mut bias.0[class], &mut bias.1[class], slope);
                for (place, value) in &sample.features {
                    let (weights, squares) = places.entry(*place).or_default();
                    let slope = slope * value + DECAY * weights[class];
                    step(&mut weights[class], &mut squares[class], slope);
                }
            }
        }
    }
    let weights = places.into_iter().map(|(place, (w, _))| (place, w.map(|w| w as f32))).collect();
    Model::new(samples.len(), weights, bias.0.map(|b| b as f32))
}

fn step(weight: &mut f64, squares: &mut f64, slope: f64) {
    *squares += slope * slope;
    if *squares > 0.0 {
        *weight -= RATE * slope / squares.sqrt().max(1e-6);
    }
}
