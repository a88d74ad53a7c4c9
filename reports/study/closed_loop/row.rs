//! What the study of actions answers.

use crate::study::{Answer, Declined, Head, Words};
use broadgauge_model::metric::MetricId;
use broadgauge_model::text::Phrase;
use serde::Serialize;

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClosedLoop {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// Every action with its state.
    pub actions: Vec<ActionRow>,
    /// Actions of one kind together.
    pub kinds: Vec<KindRow>,
    /// The operator's complaints week by week against what is usual.
    pub complaints: Vec<ComplaintWeek>,
    /// Why nothing could be said at all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// How far an action has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not begun.
    Proposed,
    /// Begun.
    InProgress,
    /// Ended; too early, or too little known, to say more.
    Done,
    /// It helped: against units as bad that were left alone, with its target met and no more complaints.
    Verified,
    /// It was not shown to help: open again.
    NotVerified,
    /// It had helped, and is gone.
    Recurred,
}

impl State {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 6] =
        [Self::Proposed, Self::InProgress, Self::Done, Self::Verified, Self::NotVerified, Self::Recurred];

    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::InProgress => "in_progress",
            Self::Done => "done",
            Self::Verified => "verified",
            Self::NotVerified => "not_verified",
            Self::Recurred => "recurred",
        }
    }

    /// The word for readers.
    pub const fn label(self) -> Phrase {
        match self {
            Self::Proposed => Phrase { en: "proposed", zh: "已提出" },
            Self::InProgress => Phrase { en: "in progress", zh: "进行中" },
            Self::Done => Phrase { en: "done, not judged yet", zh: "已完成，尚未判定" },
            Self::Verified => Phrase { en: "verified", zh: "已验证有效" },
            Self::NotVerified => Phrase { en: "not verified: open again", zh: "未验证：重新打开" },
            Self::Recurred => Phrase { en: "recurred", zh: "复发" },
        }
    }
}

/// An action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionRow {
    /// Its name.
    pub action_id: String,
    /// Its kind.
    pub kind: String,
    /// Who answers for it.
    pub owner: String,
    /// Until when, a local day.
    pub due: String,
    /// Days past that, where it is not done by the end of the period.
    pub overdue_days: Option<i32>,
    /// The day work began, where it has.
    pub started: Option<String>,
    /// What it is done to: a line, a node or an area.
    pub unit: Option<String>,
    /// The metric that must get better.
    pub metric: Option<MetricId>,
    /// Its cost.
    pub cost: Option<f64>,
    /// How far it has come.
    pub state: State,
    /// Why that state, in words.
    pub why: Words,
    /// What it had before, in the metric's unit.
    pub before: Option<f64>,
    /// What it had after.
    pub after: Option<f64>,
    /// The share by which it is worse than units as bad that were left alone; below 0 it is better.
    pub change: Answer,
    /// Units left alone that it was held against.
    pub controls: usize,
    /// The target, in the metric's unit.
    pub target: Option<f64>,
    /// Whether the last days met it.
    pub target_met: Option<bool>,
    /// Complaint episodes after per line-day over those before.
    pub complaints_ratio: Answer,
    /// Its weeks against what was usual before.
    pub chart: Option<ControlChart>,
}

/// A control chart of a unit's weeks, in the metric's unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ControlChart {
    /// The usual value before the action.
    pub centre: f64,
    /// Where ordinary weeks lie.
    pub limits: (f64, f64),
    /// The weeks.
    pub weeks: Vec<ChartWeek>,
}

/// A week of a chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChartWeek {
    /// Its Monday.
    pub week: String,
    /// The mean over its days.
    pub value: f64,
    /// Whether it lies outside the limits.
    pub outside: bool,
}

/// Actions of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KindRow {
    /// The kind.
    pub kind: String,
    /// The metric.
    pub metric: MetricId,
    /// Its unit.
    pub unit: &'static str,
    /// Actions of the kind on this metric.
    pub actions: usize,
    /// Treated units with enough days before and after, and units as bad that were left alone.
    pub treated: usize,
    /// Units as bad left alone, each used once.
    pub controls: usize,
    /// The share by which treated units are worse than they would have been; below 0 they are better.
    pub change: Answer,
    /// Probability of a change at least as large if nothing had been done.
    pub p: Option<f64>,
    /// The share of false finds among the kinds.
    pub q: Option<f64>,
    /// Small where treated and others parted before anything was done.
    pub leads_p: Option<f64>,
    /// Whether it helps.
    pub helps: Option<bool>,
    /// Week by week.
    pub course: Vec<CourseWeek>,
    /// What treated units had week by week, and those matched to them that were left alone.
    pub series: Vec<SeriesWeek>,
    /// The jump at once against where the weeks before were heading, as a share; below 0 it is better.
    pub jump: Answer,
    /// How much is gained or lost a week after that, as a share; below 0 it goes on getting better.
    pub turn: Answer,
    /// What chance shows where nothing was done.
    pub placebo: Placebo,
    /// What the actions cost together.
    pub cost: Option<f64>,
}

/// A week before or after an action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CourseWeek {
    /// Weeks since it was done; below 0 before it began. -1 is the base.
    pub since: i32,
    /// The share by which treated units are worse than others, against the base.
    pub change: Answer,
}

/// A week of treated units and of those left alone, in the metric's unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesWeek {
    /// Weeks since it was done; below 0 before it began.
    pub since: i32,
    /// The mean over treated units.
    pub treated: Answer,
    /// The mean over the units matched to them.
    pub left_alone: Answer,
}

/// The same comparison at dates and on units where nothing was done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Placebo {
    /// The changes found there, as shares, ascending.
    pub changes: Vec<f64>,
    /// How many of them are as good as the real one, or better.
    pub as_good: Option<usize>,
    /// The probability of one as good by chance: one more than those, of one more than all.
    pub p: Option<f64>,
    /// Why there is none.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// A week of complaints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComplaintWeek {
    /// Its Monday.
    pub week: String,
    /// Episodes that began.
    pub episodes: u64,
    /// Line-days on which an episode could begin.
    pub line_days: u64,
    /// Per 1,000 line-days.
    pub rate_per_1000_line_days: f64,
    /// Where ordinary weeks lie.
    pub limits: (f64, f64),
    /// Whether it lies outside.
    pub outside: bool,
}
