//! What the study of handling answers.

use crate::study::{Answer, Declined, Head};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Class;
use serde::Serialize;

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Handling {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// All cases, then by class, channel and owner.
    pub groups: Vec<Group>,
    /// Cases that customers took further; none where the data name none.
    pub escalations: Option<Escalations>,
    /// Open cases past their due time, the latest first.
    pub overdue: Vec<Case>,
    /// How many there are in all.
    pub overdue_in_all: usize,
    /// Open cases that nobody owns, the oldest first.
    pub unowned: Vec<Case>,
    /// How many there are in all.
    pub unowned_in_all: usize,
    /// Why nothing could be said at all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// Some cases together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// By what: `all`, `class`, `channel`, `owner`.
    pub by: &'static str,
    /// Which of them; `-` where the cases do not say.
    pub value: String,
    /// Cases.
    pub cases: usize,
    /// Of those open at the end.
    pub open: usize,
    /// Of those past their due time.
    pub overdue: usize,
    /// Of the open ones, nobody's.
    pub unowned: usize,
    /// Hours from opening to the first response.
    pub first_response: Times,
    /// Hours from opening to resolution.
    pub resolution: Times,
    /// The share of resolved cases that were opened again.
    pub reopened_ratio: Answer,
    /// The share of complaints that the same line and class repeated within the days asked for; those too late to tell are
    /// not counted.
    pub repeated_ratio: Answer,
    /// The share resolved with the first answer, not opened again, not repeated.
    pub first_contact_ratio: Answer,
    /// The median age of the open cases in hours; none where none is open.
    pub open_age_p50_hours: Option<f64>,
    /// Cases that would be open if they came at this rate and took their mean time (Little's law): far from `open` where
    /// the backlog grows or shrinks.
    pub expected_open: Option<f64>,
}

/// Cases that customers took to the regulator, an ombudsman or a scheme of dispute resolution in the period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Escalations {
    /// All of them.
    pub cases: usize,
    /// Of those on lines that are known.
    pub on_known_lines: usize,
    /// The operator's lines in service in the period.
    pub lines: usize,
    /// Their days in service.
    pub line_days: f64,
    /// Cases on known lines for each million lines in a quarter of a year.
    pub per_million_line_quarters: Answer,
    /// The share settled within each deadline that runs from there.
    pub within: Vec<Within>,
}

/// How long something took, open cases counted as long as they were open.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Times {
    /// Cases with a known beginning.
    pub cases: usize,
    /// Of those done.
    pub done: usize,
    /// Hours within which half were done.
    pub p50_hours: Answer,
    /// Hours within which 80% were done.
    pub p80_hours: Answer,
    /// Hours within which 95% were done.
    pub p95_hours: Answer,
    /// The share done within each deadline.
    pub within: Vec<Within>,
}

/// The share done within a deadline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Within {
    /// The deadline.
    pub deadline: &'static str,
    /// Its days.
    pub days: f64,
    /// The share.
    pub ratio: Answer,
}

/// A case on a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// The pseudonym of the ticket.
    pub complaint_id: String,
    /// When it was opened.
    #[serde(with = "broadgauge_model::clock::rfc3339")]
    pub opened_at: Wall,
    /// How long ago that was, at the end of the period.
    pub age_hours: f64,
    /// How long past its due time.
    pub overdue_hours: Option<f64>,
    /// What it is about.
    pub class: Option<Class>,
    /// Who has to act.
    pub owner: Option<String>,
    /// How it came in.
    pub channel: Option<String>,
}
