//! What a complaint is about: a taxonomy and rules that are data, and a model that an operator trains on labels of its own.
//!
//! Every verdict names the class, the kind, how sure it is, and the words it rests on, with the version of the rules or of
//! the model. A complaint whose words do not decide is unsure, which is a class and not a failure.

mod model;
mod rules;
mod taxonomy;
#[cfg(test)]
mod tests;
mod train;
mod words;

pub use model::{Model, ModelError};
pub use rules::{RULES, Rules};
pub use taxonomy::{Kind, TAXONOMY, Taxonomy};
pub use train::{Labelled, Report, TrainError, judge, train};

use broadgauge_model::complaint::{Class, Complaint};
use serde::Serialize;

/// What a text is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Network, billing, service, or unsure.
    pub class: Class,
    /// The kind within the class, as in the taxonomy; none where unsure, and from a model that was trained on classes.
    pub kind: Option<&'static str>,
    /// From 0 to 1: how far the first class leads the second.
    pub confidence: f64,
    /// The words it rests on, the weightiest first.
    pub words: Vec<String>,
    /// By what it was judged: `rules 2026-11-22`, `model ...`.
    pub by: String,
}

/// Who says what a complaint is about, where its operator did.
pub const OPERATOR: &str = "operator";

impl Verdict {
    /// Writes the verdict into a complaint.
    pub fn tell(self, complaint: &mut Complaint) {
        complaint.class = Some(self.class);
        complaint.kind = self.kind.map(str::to_owned);
        complaint.class_by = Some(self.by);
        complaint.class_confidence = Some(self.confidence);
        complaint.class_reason = (!self.words.is_empty()).then(|| self.words.join(", "));
    }
}

/// What a text is about: by a model where one is given, by the shipped rules otherwise.
pub fn verdict(text: &str, model: Option<&Model>) -> Verdict {
    model.map_or_else(|| RULES.judge(text), |model| model.judge(text))
}

/// Says what a complaint is about. The operator's own class stands, and the words may tell the kind within it; without
/// a class of its operator's, the words decide: by a model where one is given, by the shipped rules otherwise.
pub fn classify(complaint: &mut Complaint, model: Option<&Model>) {
    let verdict = complaint.text.as_deref().map(|text| verdict(text, model));
    let Some(said) = complaint.class else {
        if let Some(verdict) = verdict {
            verdict.tell(complaint);
        }
        return;
    };
    if let Some(verdict) = verdict.filter(|verdict| verdict.class == said) {
        verdict.tell(complaint);
    }
    complaint.class_by = Some(OPERATOR.to_owned());
    complaint.class_confidence = None;
}
