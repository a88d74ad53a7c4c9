//! What customers say: one row of the `complaints` table, after pseudonyms and masks were put on.

use crate::clock::Wall;
use serde::{Deserialize, Serialize};

/// What a complaint is about, at the level that studies need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The network: slow, unstable, down.
    Network,
    /// Charges, bills, refunds.
    Billing,
    /// How the customer was served.
    Service,
    /// Cannot be told.
    Unsure,
}

impl Class {
    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Billing => "billing",
            Self::Service => "service",
            Self::Unsure => "unsure",
        }
    }

    /// Every class.
    pub const ALL: [Self; 4] = [Self::Network, Self::Billing, Self::Service, Self::Unsure];
}

impl std::str::FromStr for Class {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|c| c.word() == text)
            .ok_or_else(|| format!("class {text:?} is not one of: network, billing, service, unsure"))
    }
}

/// A complaint. The customer's identity is a keyed pseudonym; contact details in the text are masked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Complaint {
    /// The keyed pseudonym of the operator's ticket number.
    pub complaint_id: String,
    /// When it was opened.
    pub opened_at: Wall,
    /// The line it speaks of, where known.
    pub line_id: Option<String>,
    /// The place it speaks of, where known.
    pub area: Option<String>,
    /// About which operator.
    pub operator: Option<String>,
    /// How it came in.
    pub channel: Option<String>,
    /// What it is about; `None` where nobody has said yet.
    pub class: Option<Class>,
    /// What within the class, a word of the taxonomy; `None` where it cannot be told.
    pub kind: Option<String>,
    /// Who says so: `operator`, or the rules or the model with their version.
    pub class_by: Option<String>,
    /// From 0 to 1, how far the class leads the next; `None` where the operator said so.
    pub class_confidence: Option<f64>,
    /// The words that it rests on.
    pub class_reason: Option<String>,
    /// The customer's words, masked.
    pub text: Option<String>,
    /// When the customer was first answered.
    pub first_response_at: Option<Wall>,
    /// When the case was resolved.
    pub resolved_at: Option<Wall>,
    /// When the case was opened again.
    pub reopened_at: Option<Wall>,
    /// When the customer took it further: to the regulator, an ombudsman or a scheme of dispute resolution.
    pub escalated_at: Option<Wall>,
    /// The state in the operator's own words.
    pub status: Option<String>,
    /// Who has to act.
    pub owner: Option<String>,
    /// Until when.
    pub due_at: Option<Wall>,
    /// The customer's city.
    pub city: Option<String>,
    /// The customer's postcode.
    pub postcode: Option<String>,
}
