//! What customers answer: one row of the `survey` table, after pseudonyms were put on.

use crate::clock::Wall;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one respondent answered at one time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Response {
    /// The keyed pseudonym of the respondent.
    pub respondent_id: String,
    /// When the answers were given. Who is asked again answers again.
    pub answered_at: Wall,
    /// The respondent's line, where known.
    pub line_id: Option<String>,
    /// The respondent's segment; that of the line where not said.
    pub segment: Option<String>,
    /// About which operator; that of the line where not said.
    pub operator: Option<String>,
    /// The answers by item; none where an item was left out.
    pub answers: BTreeMap<String, f64>,
}
