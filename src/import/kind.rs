//! The tables that come in, and their columns: one row of [`Kind::fields`] is the whole truth of a column.

use serde::Deserialize;

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Access lines: whose they are, where, and what was promised.
    Lines,
    /// Numbers observed on lines.
    Results,
    /// What customers said.
    Complaints,
    /// How full nodes ran.
    Utilisation,
    /// What was done, or is to be done.
    Actions,
    /// What is said of operators.
    Reputation,
    /// What customers answered.
    Survey,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Lines,
        Self::Results,
        Self::Complaints,
        Self::Utilisation,
        Self::Actions,
        Self::Reputation,
        Self::Survey,
    ];

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Results => "results",
            Self::Complaints => "complaints",
            Self::Utilisation => "utilisation",
            Self::Actions => "actions",
            Self::Reputation => "reputation",
            Self::Survey => "survey",
        }
    }

    /// The columns; a survey has those of its model's items besides.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Lines => LINES,
            Self::Results => RESULTS,
            Self::Complaints => COMPLAINTS,
            Self::Utilisation => UTILISATION,
            Self::Actions => ACTIONS,
            Self::Reputation => REPUTATION,
            Self::Survey => SURVEY,
        }
    }

    /// The column of this name.
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|f| f.name == name)
    }
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|k| k.word() == text)
            .ok_or_else(|| format!("kind {text:?} is not one of: {}", Self::ALL.map(Self::word).join(", ")))
    }
}

/// A column of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its header.
    pub name: &'static str,
    /// Whether a table without it can be read.
    pub required: bool,
    /// What its cells hold.
    pub holds: Holds,
}

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Words, numbers used as names.
    Text,
    /// A number in this unit; a map may name another unit of the same family.
    Number(Measure),
    /// The value of a result: its unit is that of the row's metric.
    Value,
    /// A point in time.
    Time,
    /// Yes or no.
    Flag,
}

/// The unit in which a number of a table is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Mbit/s.
    Rate,
    /// Milliseconds.
    Delay,
    /// A share, 0 to 1.
    Share,
    /// Has no unit.
    Plain,
}

const fn need(name: &'static str, holds: Holds) -> Field {
    Field { name, required: true, holds }
}

const fn may(name: &'static str, holds: Holds) -> Field {
    Field { name, required: false, holds }
}

const LINES: &[Field] = &[
    need("line_id", Holds::Text),
    need("operator", Holds::Text),
    may("region", Holds::Text),
    may("area", Holds::Text),
    may("node", Holds::Text),
    may("technology", Holds::Text),
    may("plan", Holds::Text),
    may("segment", Holds::Text),
    may("promised_down_mbps", Holds::Number(Measure::Rate)),
    may("normal_down_mbps", Holds::Number(Measure::Rate)),
    may("minimum_down_mbps", Holds::Number(Measure::Rate)),
    may("promised_up_mbps", Holds::Number(Measure::Rate)),
    may("promised_delay_ms", Holds::Number(Measure::Delay)),
    may("zone", Holds::Text),
    may("weight", Holds::Number(Measure::Plain)),
    may("active_from", Holds::Time),
    may("active_to", Holds::Time),
];

/// `metric` and `value` may be given by `[[observation]]` entries of a map instead of columns.
const RESULTS: &[Field] = &[
    need("line_id", Holds::Text),
    need("started_at", Holds::Time),
    need("metric", Holds::Text),
    need("value", Holds::Value),
    may("statistic", Holds::Text),
    may("period_end", Holds::Time),
    may("sent", Holds::Number(Measure::Plain)),
    may("lost", Holds::Number(Measure::Plain)),
    may("target", Holds::Text),
    may("method", Holds::Text),
    may("load", Holds::Text),
    may("direction", Holds::Text),
    may("peak", Holds::Flag),
];

/// One of `line_id` and `area` is needed in each row.
const COMPLAINTS: &[Field] = &[
    need("complaint_id", Holds::Text),
    need("opened_at", Holds::Time),
    may("line_id", Holds::Text),
    may("area", Holds::Text),
    may("operator", Holds::Text),
    may("channel", Holds::Text),
    may("class", Holds::Text),
    may("text", Holds::Text),
    may("first_response_at", Holds::Time),
    may("resolved_at", Holds::Time),
    may("reopened_at", Holds::Time),
    may("escalated_at", Holds::Time),
    may("status", Holds::Text),
    may("owner", Holds::Text),
    may("due_at", Holds::Time),
    may("city", Holds::Text),
    may("postcode", Holds::Text),
];

const UTILISATION: &[Field] = &[
    need("node", Holds::Text),
    need("started_at", Holds::Time),
    need("ratio", Holds::Number(Measure::Share)),
    may("direction", Holds::Text),
    may("capacity_mbps", Holds::Number(Measure::Rate)),
];

const ACTIONS: &[Field] = &[
    need("action_id", Holds::Text),
    need("kind", Holds::Text),
    need("owner", Holds::Text),
    need("due_at", Holds::Time),
    may("line_id", Holds::Text),
    may("node", Holds::Text),
    may("area", Holds::Text),
    may("metric", Holds::Text),
    may("target_value", Holds::Number(Measure::Plain)),
    may("started_at", Holds::Time),
    may("done_at", Holds::Time),
    may("verify_by", Holds::Time),
    may("cost", Holds::Number(Measure::Plain)),
    may("status", Holds::Text),
];

const REPUTATION: &[Field] = &[
    need("region", Holds::Text),
    need("month", Holds::Text),
    need("operator", Holds::Text),
    need("score", Holds::Number(Measure::Plain)),
    may("source", Holds::Text),
];

const SURVEY: &[Field] = &[
    need("respondent_id", Holds::Text),
    need("answered_at", Holds::Time),
    may("line_id", Holds::Text),
    may("segment", Holds::Text),
    may("operator", Holds::Text),
];

/// Any item of a survey.
pub(super) const ITEM: &Field = &need("item", Holds::Number(Measure::Plain));
