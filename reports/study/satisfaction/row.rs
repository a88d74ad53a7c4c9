//! What the study of satisfaction answers.

use super::model::{Name, Scheme};
use crate::study::{Answer, Declined, Head};
use serde::Serialize;

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Satisfaction {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// How neighbours counted.
    pub scheme: Scheme,
    /// Respondents used.
    pub respondents: usize,
    /// Each construct.
    pub constructs: Vec<ConstructRow>,
    /// Each arrow.
    pub paths: Vec<PathRow>,
    /// The effect of each construct on each it leads to, over all ways.
    pub total_effects: Vec<PathRow>,
    /// What matters for the target, beside how it stands.
    pub importance: Vec<Importance>,
    /// Why nothing could be said at all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// A construct.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConstructRow {
    /// Its word.
    pub construct: String,
    /// Its name.
    pub name: Name,
    /// Its level from 0 to 100.
    pub index: Answer,
    /// Its level in each segment.
    pub segments: Vec<SegmentIndex>,
    /// The share of its variance that its predecessors explain; none where it has none.
    pub r_squared: Option<Answer>,
    /// Cronbach's alpha; none for one item, and where items form the construct.
    pub alpha: Option<f64>,
    /// Dillon and Goldstein's rho.
    pub rho: Option<f64>,
    /// The average variance extracted.
    pub ave: Option<f64>,
    /// Its items.
    pub items: Vec<ItemRow>,
}

/// A construct's level in one segment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentIndex {
    /// The segment.
    pub segment: String,
    /// The level from 0 to 100, with everybody's weights.
    pub index: Answer,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemRow {
    /// Its column.
    pub item: String,
    /// The mean answer.
    pub mean: f64,
    /// Its correlation with the construct.
    pub loading: Answer,
    /// Its weight, on standardised answers.
    pub weight: Answer,
}

/// An arrow, or an effect over all ways.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PathRow {
    /// From.
    pub from: String,
    /// To.
    pub to: String,
    /// In standard deviations of `to` per standard deviation of `from`.
    pub coefficient: Answer,
}

/// A construct in the importance-performance table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// The construct.
    pub construct: String,
    /// Its total effect on the target.
    pub importance: f64,
    /// Its index.
    pub performance: f64,
    /// Matters more than most and stands lower than most.
    pub first: bool,
}
