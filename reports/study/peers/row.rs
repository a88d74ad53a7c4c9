//! What the comparison answers: one row for each peer operator, observation, quantile and stratum.

use super::query::Key;
use crate::study::{Answer, Declined, Head};
use broadgauge_model::metric::{Margin, MetricId};
use broadgauge_model::panel::MethodUse;
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::text::Phrase;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Peers {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// The comparisons, in a fixed order.
    pub rows: Vec<Row>,
    /// Whole distributions beside each other, one for each stratum.
    pub curves: Vec<Curve>,
    /// Comparisons at sites that measure both operators.
    pub paired: Vec<Paired>,
    /// Why nothing could be compared at all.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// One comparison with one peer operator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What was observed.
    pub metric: MetricId,
    /// Its unit.
    pub unit: &'static str,
    /// Under which load.
    pub load: Load,
    /// Which way.
    pub direction: Direction,
    /// What a value is: one observation, or a summary of a line made elsewhere.
    pub statistic: Statistic,
    /// By which method, against which class of targets.
    #[serde(flatten)]
    pub method: MethodUse,
    /// Whether the values are made up.
    pub made: bool,
    /// The quantile over the line-weighted distribution.
    pub quantile: f64,
    /// What both sides have in common.
    pub stratum: Stratum,
    /// How many strata stand behind the row.
    pub strata: usize,
    /// Which share of the tests of the two sides was made at different hours of the day, beyond what differs by chance;
    /// nothing for summaries made elsewhere.
    pub hours_apart: Option<f64>,
    /// The own operator's value.
    pub own: Side,
    /// The peer operator's value.
    pub peer: Side,
    /// Own less peer, in the metric's unit.
    pub difference: Answer,
    /// Own through peer.
    pub ratio: Answer,
    /// Probability of a gap at least as large if the operator made no difference.
    pub p: Option<f64>,
    /// The share of false finds among all with this p or less (Benjamini and Hochberg).
    pub q: Option<f64>,
    /// How far apart still counts as at par.
    pub margin: Margin,
    /// The margin in the metric's unit.
    pub margin_absolute: Option<f64>,
    /// Whether the difference is larger than the margin.
    pub beyond_margin: Option<bool>,
    /// The test of being at par.
    pub equivalence: Option<Equivalence>,
    /// The true difference that a study of this size would have found in 80 of 100 cases; given where none was found.
    pub detectable_difference: Option<f64>,
    /// The finding, as the own operator's customers see it.
    pub verdict: Verdict,
}

/// The own or the peer side of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// The operator.
    pub operator: String,
    /// Lines observed.
    pub lines: usize,
    /// Observations on them.
    pub observations: u64,
    /// The quantile.
    pub value: Answer,
}

/// Two whole distributions beside each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// What was observed.
    pub metric: MetricId,
    /// Its unit.
    pub unit: &'static str,
    /// Under which load.
    pub load: Load,
    /// Which way.
    pub direction: Direction,
    /// What a value is.
    pub statistic: Statistic,
    /// By which method, against which class of targets.
    #[serde(flatten)]
    pub method: MethodUse,
    /// Whether the values are made up.
    pub made: bool,
    /// What both sides have in common.
    pub stratum: Stratum,
    /// The own operator.
    pub own: String,
    /// The peer operator.
    pub peer: String,
    /// Own less peer at each quantile; the intervals hold at all of them at once.
    pub shift: Vec<Shift>,
    /// The chance that an own value is larger, less the chance that it is smaller; every line counts the same.
    pub cliffs_delta: Answer,
    /// The largest distance of the two distribution functions.
    pub ks_distance: Answer,
}

/// One point of a shift function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shift {
    /// The quantile.
    pub quantile: f64,
    /// Own less peer, in the metric's unit.
    pub difference: Answer,
}

/// One comparison at sites that measure both operators in the same hours.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// What was observed.
    pub metric: MetricId,
    /// Its unit.
    pub unit: &'static str,
    /// Under which load.
    pub load: Load,
    /// Which way.
    pub direction: Direction,
    /// What a value is.
    pub statistic: Statistic,
    /// By which method, against which class of targets.
    #[serde(flatten)]
    pub method: MethodUse,
    /// Whether the values are made up.
    pub made: bool,
    /// The quantile within a site.
    pub quantile: f64,
    /// The own operator.
    pub own: String,
    /// The peer operator.
    pub peer: String,
    /// Sites that measured both.
    pub sites: usize,
    /// Hours in which they measured both.
    pub hours: u64,
    /// The mean over sites of own less peer, in the metric's unit; n is the sites.
    pub difference: Answer,
    /// Probability of a mean difference at least as large if signs were chance.
    pub p: Option<f64>,
    /// The share of false finds in the report's family.
    pub q: Option<f64>,
    /// The margin in the metric's unit.
    pub margin_absolute: Option<f64>,
    /// The test of being at par.
    pub equivalence: Option<Equivalence>,
    /// The true difference that as many sites would have found in 80 of 100 cases; given where none was found.
    pub detectable_difference: Option<f64>,
    /// The finding.
    pub verdict: Verdict,
}

/// Two one-sided tests: is the difference inside the margin?
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Equivalence {
    /// The 90% interval of the difference.
    pub interval_90: (f64, f64),
    /// The larger of the two one-sided p-values.
    pub p: f64,
    /// The share of false finds in the family of these tests.
    pub q: Option<f64>,
}

/// The four findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The own operator's customers fare better.
    Better,
    /// They fare worse.
    Worse,
    /// Shown to be no further apart than the margin.
    AtPar,
    /// The data allow none of the others: not the same as at par.
    CannotTell,
}

impl Verdict {
    /// The word for readers.
    pub const fn label(self) -> Phrase {
        match self {
            Self::Better => Phrase { en: "better", zh: "优于" },
            Self::Worse => Phrase { en: "worse", zh: "劣于" },
            Self::AtPar => Phrase { en: "at par", zh: "持平" },
            Self::CannotTell => Phrase { en: "cannot tell", zh: "无法判断" },
        }
    }

    /// The finding of the same data with the operators exchanged.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Better => Self::Worse,
            Self::Worse => Self::Better,
            other => other,
        }
    }
}

/// What both sides have in common: a value for each key asked for, `all` where a row is over several.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stratum(pub Vec<(Key, String)>);

impl Stratum {
    /// The word of a row over several values.
    pub const ALL: &str = "all";

    /// The value of a key.
    pub fn get(&self, key: Key) -> Option<&str> {
        self.0.iter().find(|(k, _)| *k == key).map(|(_, value)| value.as_str())
    }

    /// What summaries over all days of the week, which were made elsewhere, have for days.
    pub const ALL_DAYS: &'static str = "all_days";

    /// Whether it is of summaries made elsewhere: which hours are the busy ones of those, their source has chosen.
    pub fn is_summary(&self) -> bool {
        self.get(Key::Days) == Some(Self::ALL_DAYS)
    }

    /// Whether the row is over several values of some key.
    pub fn is_combined(&self) -> bool {
        self.0.iter().any(|(_, value)| value == Self::ALL)
    }
}

impl Serialize for Stratum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key.word(), value)?;
        }
        map.end()
    }
}
