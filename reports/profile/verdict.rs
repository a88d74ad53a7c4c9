//! What a rule answers.

use broadgauge_model::text::{Phrase, Words};
use serde::Serialize;

/// Whether a rule is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Every part of the rule holds.
    Met,
    /// Neither: the rule tells bands, and this is the middle one.
    MiddleBand,
    /// Some part does not hold.
    Breached,
    /// No part fails, and some could not be judged.
    InsufficientData,
}

impl Finding {
    /// The word for readers.
    pub const fn label(self) -> Phrase {
        match self {
            Self::Met => Phrase { en: "met", zh: "达到" },
            Self::MiddleBand => Phrase { en: "middle band", zh: "中档" },
            Self::Breached => Phrase { en: "not met", zh: "未达到" },
            Self::InsufficientData => Phrase { en: "insufficient data", zh: "数据不足" },
        }
    }
}

/// One part of a rule, with what was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// The part.
    pub part: Words,
    /// What was seen.
    pub seen: f64,
    /// What it takes; nothing where the figure is only told, or nobody was told what to hold it against.
    pub needed: Option<f64>,
    /// How many tests, days or lines it stands on.
    pub n: usize,
    /// Whether it holds.
    pub holds: bool,
}

impl Evidence {
    /// A part that holds from `needed` upwards.
    pub(super) fn at_least(part: Phrase, seen: f64, needed: f64, n: usize) -> Self {
        Self { part: Words::plain(part), seen, needed: Some(needed), n, holds: seen >= needed }
    }

    /// A part that holds from what customers were told upwards; where they were told nothing, the figure is given alone.
    pub(super) fn as_told(part: Phrase, seen: f64, told: Option<f64>, n: usize) -> Self {
        Self { part: Words::plain(part), seen, needed: told, n, holds: told.is_none_or(|told| seen >= told) }
    }

    /// A figure that a rule tells and does not bound.
    pub(super) const fn told(part: Words, seen: f64, n: usize) -> Self {
        Self { part, seen, needed: None, n, holds: true }
    }

    /// A part that holds up to `needed`.
    pub(super) fn at_most(part: Phrase, seen: f64, needed: f64, n: usize) -> Self {
        Self { part: Words::plain(part), seen, needed: Some(needed), n, holds: seen <= needed }
    }
}

/// The answer of a rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The finding.
    pub finding: Finding,
    /// What it stands on.
    pub evidence: Vec<Evidence>,
    /// What is missing, where something is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Words>,
}

impl Verdict {
    /// From parts that were judged, and those that could not be: one that fails is enough for a breach, and what is
    /// missing keeps a rule from being met.
    pub(super) fn of(evidence: Vec<Evidence>, missing: Vec<Words>) -> Self {
        let finding = if evidence.iter().any(|e| !e.holds) {
            Finding::Breached
        } else if evidence.is_empty() || !missing.is_empty() {
            Finding::InsufficientData
        } else {
            Finding::Met
        };
        Self { finding, evidence, missing }
    }

    /// Something is missing without which nothing can be judged.
    pub fn lacks(what: Phrase) -> Self {
        Self::insufficient(Words::plain(what))
    }

    /// Too little.
    pub(super) fn insufficient(missing: Words) -> Self {
        Self { finding: Finding::InsufficientData, evidence: Vec::new(), missing: vec![missing] }
    }
}
