//! What is asked of the handling.

/// A time within which a case must be answered or settled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deadline {
    /// Its word.
    pub id: &'static str,
    /// Calendar days.
    pub days: f64,
    /// Whether it is about the first response; else about resolution.
    pub first_response: bool,
    /// Where it is published.
    pub source: &'static str,
}

/// Deadlines of regulators.
pub const DEADLINES: &[Deadline] = &[
    Deadline {
        id: "miit_reply",
        days: 15.0,
        first_response: true,
        source: "MIIT, measures for handling telecommunications users' complaints, article 10",
    },
    Deadline {
        id: "fcc_reply",
        days: 30.0,
        first_response: true,
        source: "FCC, informal consumer complaints: the provider replies within 30 days",
    },
    Deadline {
        id: "ofcom_speeds",
        days: 30.0,
        first_response: false,
        source: "Ofcom, voluntary code of practice on broadband speeds: 30 days to put it right",
    },
    Deadline {
        id: "ofcom_adr",
        days: 56.0,
        first_response: false,
        source: "Ofcom, alternative dispute resolution after eight weeks",
    },
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
