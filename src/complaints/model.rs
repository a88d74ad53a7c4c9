//! A model of an operator's own labels: logistic regression over the classes, on hashed words.
//!
//! Features are single words and pairs of neighbours, for Chinese also pairs of characters, hashed into a fixed number of
//! places (Weinberger et al., ICML 2009), and what the rules say. The file is JSON and holds the places that are not 0.

use super::rules::RULES;
use super::words::{is_han, plain, words};
use super::{Rules, Verdict};
use broadgauge_model::complaint::Class;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many places words are hashed into.
pub(super) const PLACES: u32 = 1 << 18;
/// The first places after those of words: what the rules say.
pub(super) const RULE_PLACES: u32 = PLACES;
/// The probability below which a text is unsure.
const LEAST_PROBABILITY: f64 = 0.4;
const FORMAT: u32 = 1;

/// Why a model file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is not a model.
    #[error("is not a model of complaints: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It was written by a later version.
    #[error("has format {0}, and this program knows format {known}: train it again", known = FORMAT)]
    Format(u32),
    /// It does not fit the rules it was trained with.
    #[error("was trained with rules {0}, and this program has rules {1}: train it again")]
    Rules(String, String),
}

/// A trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    format: u32,
    /// The version of the rules whose weights it uses.
    rules: String,
    /// How many labelled texts it was trained on.
    pub labels: usize,
    /// Macro-F1 on texts left out of the training, fold by fold.
    pub macro_f1: Option<f64>,
    /// Per place, a weight for each class in the order of [`Class::ALL`].
    weights: BTreeMap<u32, [f32; 4]>,
    bias: [f32; 4],
}

/// The places of a text's features with their values.
pub(super) fn features(text: &str) -> Vec<(u32, f64)> {
    let text = plain(text);
    let words = words(&text);
    let mut places = BTreeMap::<u32, f64>::new();
    let mut add = |parts: &[&str]| {
        places.insert(place(parts), 1.0);
    };
    for word in &words {
        add(&["w", word]);
    }
    for pair in words.windows(2) {
        add(&["p", &pair[0], &pair[1]]);
    }
    let han: Vec<char> = text.chars().filter(|c| is_han(*c)).collect();
    for pair in han.windows(2) {
        add(&["c", &String::from_iter(pair)]);
    }
    // A long text has many features; each then counts less.
    let length = (places.len().max(1) as f64).sqrt();
    let mut list: Vec<(u32, f64)> = places.into_keys().map(|place| (place, 1.0 / length)).collect();
    let rules = RULES.weights(&text);
    list.extend((RULE_PLACES..).zip(rules).filter(|r| r.1 > 0.0).map(|(p, w)| (p, (w / 3.0).min(2.0))));
    if rules.iter().all(|w| *w == 0.0) {
        list.push((RULE_PLACES + 3, 1.0));
    }
    list
}

/// FNV-1a (Fowler, Noll and Vo 1991), folded: the same on every machine.
fn place(parts: &[&str]) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    ((hash ^ (hash >> 32)) as u32) % PLACES
}

impl Model {
    pub(super) fn new(labels: usize, weights: BTreeMap<u32, [f32; 4]>, bias: [f32; 4]) -> Self {
        let rules = RULES.version.clone();
        Self { format: FORMAT, rules, labels, macro_f1: None, weights, bias }
    }

    /// Reads a model file.
    pub fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        let model: Self = serde_json::from_slice(bytes)?;
        if model.format != FORMAT {
            return Err(ModelError::Format(model.format));
        }
        if model.rules != RULES.version {
            return Err(ModelError::Rules(model.rules, RULES.version.clone()));
        }
        Ok(model)
    }

    /// The bytes of a model file.
    pub fn write(&self) -> Result<Vec<u8>, ModelError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// The probability of each class, in the order of [`Class::ALL`].
    pub fn probabilities(&self, text: &str) -> [f64; 4] {
        let mut sums = self.bias.map(f64::from);
        for (place, value) in features(text) {
            if let Some(weights) = self.weights.get(&place) {
                sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += value * f64::from(*w));
            }
        }
        softmax(sums)
    }

    /// Judges a text: the class from the model, the kind and the words from the rules where they agree.
    pub fn judge(&self, text: &str) -> Verdict {
        let probabilities = self.probabilities(text);
        let best = (0..4).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b])).unwrap_or(3);
        let by = self.name();
        let ruled = Rules::judge(&RULES, text);
        let confidence = probabilities[best];
        let class = if confidence < LEAST_PROBABILITY { Class::Unsure } else { Class::ALL[best] };
        let agree = ruled.class == class;
        let (kind, words) = if agree { (ruled.kind, ruled.words) } else { (None, Vec::new()) };
        Verdict { class, kind, confidence, words, by }
    }

    /// What its verdicts are signed with.
    pub(super) fn name(&self) -> String {
        format!("model of {} labels, rules {}", self.labels, self.rules)
    }
}

pub(super) fn softmax(sums: [f64; 4]) -> [f64; 4] {
    let top = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let each = sums.map(|s| (s - top).exp());
    let total: f64 = each.iter().sum();
    each.map(|e| e / total)
}
