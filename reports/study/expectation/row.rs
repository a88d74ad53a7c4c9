//! What the study of expectations answers.

pub use super::weeks::Factor;
use crate::study::describe::Series;
use crate::study::{Answer, Declined, Head};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::MethodUse;
use broadgauge_model::result::Load;
use serde::Serialize;

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expectation {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// One metric a row.
    pub rows: Vec<Expected>,
    /// Why nothing could be said at all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// What customers expect of one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expected {
    /// The series, for those who draw it.
    #[serde(skip)]
    pub series: Series,
    /// The metric.
    pub metric: MetricId,
    /// Its unit.
    pub unit: &'static str,
    /// Under which load.
    pub load: Load,
    /// The method, its version, and the class of its targets.
    #[serde(flatten)]
    pub method: MethodUse,
    /// Whether the values are made up.
    pub made: bool,
    /// Lines with a known week.
    pub lines: usize,
    /// Weeks of lines at risk of an episode, all factors known.
    pub line_weeks: usize,
    /// Of them, those in which an episode began.
    pub episodes: usize,
    /// The factors that are known.
    pub factors: Vec<Factor>,
    /// The factors that are not, and the weight of which goes to the others.
    pub factors_missing: Vec<Factor>,
    /// What stands among the factors as the promise; none where nothing does.
    pub promise_is: Option<Promised>,
    /// Lines of which no delay is promised: the norm of their technology and tier stands for the promise among the factors.
    pub judged_by_norm: usize,
    /// How the factors go together within the same technology and tier.
    pub correlations: Vec<Pair>,
    /// Does expectation matter beside the value itself? With equal weights, fixed before looking.
    pub matters: Matter,
    /// What it is made of.
    pub weights: Weights,
    /// How the chance of an episode changes as a customer gets less than expected, by [`Expected::weights`].
    pub odds_ratio_per_tenth_short: Answer,
    /// The same for more than expected.
    pub odds_ratio_per_tenth_spare: Answer,
    /// References dealt out anew between lines of the same technology, tier and segment: they must do worse.
    pub placebo: Placebo,
    /// How well unseen lines are told apart, by the shortfall and by the value alone.
    pub held_out: Option<HeldOut>,
    /// From which value on customers complain, the same for all.
    pub knee: Answer,
    /// Levels and gaps by segment and month; `null` is all segments, or all months.
    pub months: Vec<Month>,
    /// What the gap to the promise, or to what is expected, is made of: of all, then of each segment.
    pub steps: Vec<Steps>,
    /// Every line and week, where asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
}

/// What a promise is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promised {
    /// The contract, of every line.
    Contract,
    /// The norm of technology and tier, because nothing is promised.
    Norm,
    /// The contract of some lines, and the norm of the others.
    ContractOrNorm,
}

impl Promised {
    pub(super) const fn of(contract: bool, norm: bool) -> Option<Self> {
        match (contract, norm) {
            (true, true) => Some(Self::ContractOrNorm),
            (true, false) => Some(Self::Contract),
            (false, true) => Some(Self::Norm),
            (false, false) => None,
        }
    }

    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Contract => "promise",
            Self::Norm => "norm",
            Self::ContractOrNorm => "promise or norm",
        }
    }
}

/// The correlation of two factors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// One.
    pub a: Factor,
    /// The other.
    pub b: Factor,
    /// From -1 to 1.
    pub correlation: f64,
}

/// The confirmatory test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matter {
    /// Change of the log odds per unit of shortfall beside a curve in the value itself.
    pub slope: Answer,
    /// The likelihood ratio with one degree of freedom, less what weeks of one line have in common.
    pub chi_squared: Option<f64>,
    /// Its probability if expectation did not matter.
    pub p: Option<f64>,
    /// Adjusted for the number of metrics asked.
    pub q: Option<f64>,
}

/// The weights.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weights {
    /// Of all customers.
    pub pooled: Vec<Weight>,
    /// Whether the data tell the weights apart; where not, all are taken as equal.
    pub separable: bool,
    /// Those used for the levels below.
    pub used: &'static str,
    /// By segment, drawn towards those of all.
    pub segments: Vec<SegmentWeights>,
}

/// A weight.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weight {
    /// Of which factor.
    pub factor: Factor,
    /// From 0 to 1.
    pub weight: Answer,
}

/// The weights of a segment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentWeights {
    /// The segment.
    pub segment: String,
    /// Line-weeks.
    pub line_weeks: usize,
    /// Episodes.
    pub episodes: usize,
    /// In the order of [`Expected::factors`], drawn towards the pooled ones; intervals from resampled lines.
    pub weights: Vec<Weight>,
}

/// The placebo.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Placebo {
    /// Swaps made.
    pub swaps: usize,
    /// Log-likelihood with each line's own reference.
    pub own: Option<f64>,
    /// The best with references of others.
    pub best_swapped: Option<f64>,
    /// The share of swaps that do as well: small where the own reference matters.
    pub p: Option<f64>,
    /// Why there is none.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// Areas under the ROC curve on lines not used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HeldOut {
    /// By the shortfall.
    pub auc_shortfall: f64,
    /// By a curve in the value.
    pub auc_value: f64,
    /// How much less deviance the shortfall leaves.
    pub deviance_gain: f64,
}

/// Levels and gaps of a segment in a month. Levels are in the metric's unit. Gaps are shares, above 0 where it is to the
/// customer's disadvantage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Month {
    /// The segment; `null` for all.
    pub segment: Option<String>,
    /// `2026-03`; `null` for the whole period.
    pub month: Option<String>,
    /// Lines.
    pub lines: usize,
    /// What they had.
    pub observed: Answer,
    /// What they had come to expect.
    pub expected: Answer,
    /// The promise, of the lines that have one.
    pub promise: Answer,
    /// The norm of technology and tier, of the lines for which it stands for a promise.
    pub norm: Answer,
    /// What they were used to.
    pub history: Answer,
    /// What others in the region had.
    pub region: Answer,
    /// What is said.
    pub word_of_mouth: Answer,
    /// Observed against expected.
    pub expectation_gap: Answer,
    /// The gaps, each with who can act.
    pub gaps: Vec<Gap>,
    /// Where customers stand in the zone of tolerance.
    pub zone: Zone,
}

/// A gap with who can act on it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// Which.
    pub gap: GapKind,
    /// The share by which it is to the customer's disadvantage.
    pub value: Answer,
    /// Who can act: the unit of the operator.
    pub owner: &'static str,
}

/// A gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// The region against the promise: more is promised than anybody gets.
    Promise,
    /// What is had against what was had: it got worse.
    History,
    /// What is had against the region: others have better.
    Peer,
    /// What is said against the region: talk is ahead of what there is.
    WordOfMouth,
}

impl GapKind {
    /// Every gap.
    pub const ALL: [Self; 4] = [Self::Promise, Self::History, Self::Peer, Self::WordOfMouth];

    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Promise => "promise",
            Self::History => "history",
            Self::Peer => "peer",
            Self::WordOfMouth => "word_of_mouth",
        }
    }

    /// Who can act on it.
    pub const fn owner(self) -> &'static str {
        match self {
            Self::Promise => "marketing",
            Self::History => "network operations",
            Self::Peer => "network planning",
            Self::WordOfMouth => "communication",
        }
    }
}

/// From what was promised, or is expected, to what is had.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Steps {
    /// The segment; `null` for all.
    pub segment: Option<String>,
    /// Lines.
    pub lines: usize,
    /// Where the steps begin.
    pub from: Origin,
    /// That level, in the metric's unit.
    pub start: Answer,
    /// What these lines had in busy hours.
    pub had: Answer,
    /// What they would have had, had their busy hours been like the others of the same days.
    pub at_other_hours: Answer,
    /// In order; the last is what none of the others explains.
    pub steps: Vec<Step>,
    /// The technologies against which the others were held: the best of each half of the lines, for the other half.
    pub technologies: Vec<String>,
    /// The regions, likewise.
    pub regions: Vec<String>,
    /// The share of lines that stand beside such a technology in their region, or are of it.
    pub matched_by_technology: Option<f64>,
    /// The share of lines that stand beside such a region in their technology, or are of it.
    pub matched_by_region: Option<f64>,
}

/// Where the steps begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// At what the contract promises.
    Promise,
    /// At what customers have come to expect, where too few lines have a promise.
    Expected,
}

/// A step, in the order of [`StepKind::ALL`]. Steps multiply, as levels do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Which.
    pub step: StepKind,
    /// The share by which it is to the customer's disadvantage.
    pub value: Answer,
    /// The level that it begins at, in the metric's unit.
    pub level_from: f64,
    /// The level that it leads to; the same where it is not known.
    pub level_to: f64,
    /// The levels that it would lead to at the ends of its interval.
    pub level_to_interval: Option<(f64, f64)>,
    /// Who can act.
    pub owner: Option<&'static str>,
}

/// A part of the gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Busy hours against other hours of the same line and day.
    TimeOfDay,
    /// The access technology against the best one in the same region.
    Access,
    /// The region against the best one of the same technology.
    Region,
    /// What none of these explains.
    Unexplained,
}

impl StepKind {
    /// Every step, in order.
    pub const ALL: [Self; 4] = [Self::TimeOfDay, Self::Access, Self::Region, Self::Unexplained];

    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TimeOfDay => "time_of_day",
            Self::Access => "access",
            Self::Region => "region",
            Self::Unexplained => "unexplained",
        }
    }

    /// Who can act on it.
    pub const fn owner(self) -> Option<&'static str> {
        match self {
            Self::TimeOfDay => Some("network planning"),
            Self::Access => Some("access planning"),
            Self::Region => Some("regional operations"),
            Self::Unexplained => None,
        }
    }
}

/// Shares of line-weeks below, inside and above the zone of tolerance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Zone {
    /// Worse than adequate: the contract's minimum, or the knee of the complaints, whichever is stricter.
    pub below: Answer,
    /// Between adequate and desired.
    pub inside: Answer,
    /// At least as desired: the promise, or the best quarter of the region, whichever is better.
    pub above: Answer,
}

/// One line in one week.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Level {
    /// The line.
    pub line_id: String,
    /// The Monday on which the customer takes stock.
    pub week: String,
    /// What it had in the seven days before.
    pub observed: f64,
    /// What it had come to expect.
    pub expected: f64,
    /// In the order of [`Factor::ALL`]: promise, history, region, word of mouth.
    pub factors: [Option<f64>; 4],
    /// Whether the first of them is no promise but the norm that stands for one.
    pub by_norm: bool,
    /// `below`, `inside` or `above` the zone of tolerance; `null` where its ends are not known.
    pub zone: Option<&'static str>,
}
