//! What is asked of a store, and why it cannot be answered.

use super::targets::TargetClass;
use crate::store::StoreError;
use broadgauge_model::clock::Wall;
use broadgauge_model::histogram::RestError;
use broadgauge_model::metric::MetricId;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::str::FromStr;

/// Which part of a store a report speaks of. Empty lists and absent bounds let everything through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The operator whose report it is.
    pub own: String,
    /// Whom it is compared with; all others where empty.
    pub peers: Vec<String>,
    /// The metrics.
    pub metrics: Vec<MetricId>,
    /// First moment.
    pub from: Option<Bound>,
    /// First moment after it.
    pub to: Option<Bound>,
    /// Regions of the lines.
    pub regions: Vec<String>,
    /// Access technologies of the lines.
    pub technologies: Vec<String>,
    /// IANA zone of lines that name none; the zone of most lines where `None`, else UTC.
    pub zone: Option<String>,
    /// Of which class the targets of imported results are; the first that names a target counts.
    pub classes: Vec<TargetClass>,
}

/// An end of the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A moment.
    At(Wall),
    /// The midnight with which a day begins in the period's zone.
    Day(Date),
}

impl Bound {
    /// The moment, where days begin at midnight in `zone`.
    pub fn at(self, zone: &TimeZone) -> Result<Wall, GatherError> {
        match self {
            Self::At(at) => Ok(at),
            Self::Day(day) => first_moment(day, zone).ok_or(GatherError::Day { day }),
        }
    }
}

/// RFC 3339, or a date.
impl FromStr for Bound {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let moment = Wall::parse_rfc3339(text).map(Self::At);
        moment.or_else(|| Some(Self::Day(Date::strptime("%Y-%m-%d", text).ok()?))).ok_or_else(|| {
            format!("{text:?} is neither a date (2026-03-01) nor RFC 3339 (2026-03-01T18:00:00+01:00)")
        })
    }
}

/// Why there is no panel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatherError {
    /// The store could not be read.
    #[error("cannot read the store")]
    Store(#[from] StoreError),
    /// A histogram at rest is damaged.
    #[error("a result of line {line} cannot be read")]
    Damaged {
        /// Of which line.
        line: String,
        /// What is wrong with it.
        source: RestError,
    },
    /// The zone is not known.
    #[error("zone {zone:?} is not an IANA time zone such as Europe/London")]
    Zone {
        /// What was asked for.
        zone: String,
    },
    /// There is no such operator.
    #[error("no line of operator {name:?}, and no complaint about it; operators in the store: {known}")]
    NoSuchOperator {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// No line of the operators that are asked for has this value.
    #[error("no line of these operators has {what} {name:?}; what they have: {known}")]
    NoSuchValue {
        /// `region` or `technology`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The own operator has lines, but none of those asked for.
    #[error("no line of operator {own:?} is {asked}; what it has: {known}")]
    NothingLeft {
        /// The own operator.
        own: String,
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// There are no answers to a survey.
    #[error(
        "the store holds no answers to a survey in this period; `broadgauge import survey` brings them in"
    )]
    NoSurvey,
    /// No answer is left.
    #[error("no answer to the survey is {asked}; {known}")]
    NothingAnswered {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// The answers are to other questions.
    #[error(
        "no answer to the survey has any of the model's items ({wanted}); the answers have {known}: name their model with \
         --model"
    )]
    NoSuchItem {
        /// What the model asks.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// A day beyond the calendar.
    #[error("{day} is not a day of the calendar that is used here")]
    Day {
        /// What was asked for.
        day: Date,
    },
    /// The period is turned round.
    #[error("the period ends ({to}) before it begins ({from})")]
    Period {
        /// First moment.
        from: String,
        /// First moment after it.
        to: String,
    },
}

pub(super) fn first_moment(day: Date, zone: &TimeZone) -> Option<Wall> {
    Some(Wall::from_secs(day.to_zoned(zone.clone()).ok()?.timestamp().as_second()))
}
