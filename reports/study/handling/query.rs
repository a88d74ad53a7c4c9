//! What is asked of the handling.

use broadgauge_model::clock::Wall;

/// What a deadline is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// From opening to the first response.
    FirstResponse,
    /// From opening to resolution.
    Resolution,
    /// From the moment at which the customer took it further to resolution.
    Appeal,
}

/// A time within which a case must be answered or settled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deadline {
    /// Its word.
    pub id: &'static str,
    /// Calendar days.
    pub days: f64,
    /// What it is about.
    pub about: About,
    /// Only of cases opened from this moment on.
    pub opened_from: Option<Wall>,
    /// Only of cases opened before this moment.
    pub opened_before: Option<Wall>,
    /// Where it is published.
    pub source: &'static str,
}

/// 8 April 2026 in London.
const SIX_WEEKS: Wall = Wall::from_secs(1_775_602_800);

const fn always(id: &'static str, days: f64, about: About, source: &'static str) -> Deadline {
    Deadline { id, days, about, opened_from: None, opened_before: None, source }
}

/// Deadlines of regulators. MIIT's five working days to accept an appeal are not here: they bind the office that takes appeals,
/// and no column says when it did.
pub const DEADLINES: &[Deadline] = &[
    always(
        "miit_reply",
        15.0,
        About::FirstResponse,
        "MIIT, measures for handling telecommunications users' complaints, article 10",
    ),
    always(
        "fcc_reply",
        30.0,
        About::FirstResponse,
        "FCC, informal consumer complaints: the provider replies within 30 days",
    ),
    always(
        "ofcom_speeds",
        30.0,
        About::Resolution,
        "Ofcom, voluntary code of practice on broadband speeds: 30 days to put it right",
    ),
    Deadline {
        opened_before: Some(SIX_WEEKS),
        ..always(
            "ofcom_adr",
            56.0,
            About::Resolution,
            "Ofcom, alternative dispute resolution after eight weeks: complaints before 8 April 2026",
        )
    },
    Deadline {
        opened_from: Some(SIX_WEEKS),
        ..always(
            "ofcom_adr_2026",
            42.0,
            About::Resolution,
            "Ofcom, alternative dispute resolution after six weeks: complaints from 8 April 2026 on",
        )
    },
    always(
        "miit_appeal",
        30.0,
        About::Appeal,
        "MIIT, measures for handling telecommunications users' complaints: an appeal is settled within 30 days",
    ),
];

/// The question.
#[derive(Clone, Debug)]
pub struct Query {
    /// The operator whose complaints are read.
    pub own: String,
    /// A complaint of the same line and class within so many days is a repeat.
    pub repeat_days: i32,
    /// The deadlines to hold times against.
    pub deadlines: Vec<Deadline>,
    /// Groups of fewer cases have counts and no estimates.
    pub fewest_cases: usize,
    /// Lists end after so many cases.
    pub longest_list: usize,
}

impl Query {
    /// The usual question of an operator.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            repeat_days: 28,
            deadlines: DEADLINES.to_vec(),
            fewest_cases: 10,
            longest_list: 50,
        }
    }
}
