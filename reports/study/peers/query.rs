//! What is asked of the comparison.

use broadgauge_model::metric::{Margin, MetricId};
use broadgauge_model::panel::weekday;
use serde::Serialize;
use std::collections::BTreeMap;

/// What lines or hours must have in common to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The access technology.
    Technology,
    /// The region.
    Region,
    /// The area.
    Area,
    /// The plan.
    Plan,
    /// The customer segment.
    Segment,
    /// The band of the promised download rate.
    Tier,
    /// Peak or off-peak hours.
    Hours,
    /// Each hour of the day by itself.
    Hour,
    /// Weekday or weekend.
    Days,
    /// Each hour of each day of the week by itself: `mon-00` to `sun-23`.
    HourOfWeek,
}

/// The days in the words of [`Key::HourOfWeek`], Monday first.
pub const DAYS_OF_WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Key {
    /// Every key.
    pub const ALL: [Self; 10] = [
        Self::Technology,
        Self::Region,
        Self::Area,
        Self::Plan,
        Self::Segment,
        Self::Tier,
        Self::Hours,
        Self::Hour,
        Self::Days,
        Self::HourOfWeek,
    ];

    /// Whether it is of the hours of a line rather than of the line.
    pub const fn is_of_time(self) -> bool {
        matches!(self, Self::Hours | Self::Hour | Self::Days | Self::HourOfWeek)
    }

    /// The word in tables and flags.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Technology => "technology",
            Self::Region => "region",
            Self::Area => "area",
            Self::Plan => "plan",
            Self::Segment => "segment",
            Self::Tier => "tier",
            Self::Hours => "hours",
            Self::Hour => "hour",
            Self::Days => "days",
            Self::HourOfWeek => "hour_of_week",
        }
    }
}

impl std::str::FromStr for Key {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.word() == text).ok_or_else(|| {
            format!("stratum {text:?} is not one of: {}", Self::ALL.map(Self::word).join(", "))
        })
    }
}

/// The hours in which lines are busiest, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Peak {
    /// First hour, 0 to 23.
    pub from: u8,
    /// First hour after it, 1 to 24.
    pub to: u8,
    /// Whether only Monday to Friday count.
    pub weekdays_only: bool,
}

impl Default for Peak {
    /// 19 to 23 h on all days, the busy hours of fixed broadband in the reports of the FCC and Ofcom.
    fn default() -> Self {
        Self { from: 19, to: 23, weekdays_only: false }
    }
}

impl Peak {
    /// Whether this hour of this day is a peak hour.
    pub const fn contains(&self, day: i32, hour: u8) -> bool {
        hour >= self.from && hour < self.to && (!self.weekdays_only || weekday(day) < 5)
    }
}

/// The question.
#[derive(Clone, Debug)]
pub struct Query {
    /// The own operator.
    pub own: String,
    /// The peer operators; all others where empty.
    pub peers: Vec<String>,
    /// What both sides of a comparison have in common.
    pub by: Vec<Key>,
    /// The metrics; all that were observed where empty.
    pub metrics: Vec<MetricId>,
    /// The quantiles.
    pub quantiles: Vec<f64>,
    /// Margins that differ from the metric's own.
    pub margins: BTreeMap<MetricId, Margin>,
    /// The peak hours.
    pub peak: Peak,
    /// The seed.
    pub seed: u64,
    /// Resamples, and shuffles to begin with.
    pub replicates: usize,
    /// Fewer lines than this on one side are not compared.
    pub minimum_lines: usize,
    /// Whether a line counts as many times as its `weight` says, instead of once.
    pub weighted: bool,
    /// The operator whose lines are the standard population of rows over several strata; both of the pair together
    /// where `None`, so that exchanging them changes nothing.
    pub standard: Option<String>,
    /// How p-values are adjusted for their number.
    pub adjustment: Adjustment,
}

/// How p-values are adjusted for their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// Benjamini and Hochberg 1995: for tests that are independent or move together.
    #[default]
    Bh,
    /// Benjamini and Yekutieli 2001: for any dependence, at the price of power.
    By,
}

impl Query {
    /// The usual question of an operator.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            peers: Vec::new(),
            by: vec![Key::Technology, Key::Region, Key::Hours],
            metrics: Vec::new(),
            quantiles: vec![0.5, 0.9, 0.95],
            margins: BTreeMap::new(),
            peak: Peak::default(),
            seed: 1,
            replicates: 2_000,
            minimum_lines: 6,
            weighted: false,
            standard: None,
            adjustment: Adjustment::Bh,
        }
    }
}
