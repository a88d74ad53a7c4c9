//! Flags that several commands share: which results are wanted, and what is asked of them.

use super::Failure;
use crate::gather::{self, Bound, TargetClass};
use crate::store::{self, Filter};
use broadgauge_model::clock::Wall;
use broadgauge_model::metric::{Margin, MetricId};
use broadgauge_model::panel::Panel;
use broadgauge_reports::profile::{self, Profile, calendar::Calendar};
use broadgauge_reports::study::{change, complaints, handling, league, peers};
use jiff::tz::TimeZone;

/// Which results are wanted.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct PickResults {
    /// Only these metrics
    #[arg(long, value_name = "METRIC", value_delimiter = ',')]
    pub metric: Vec<MetricId>,
    /// From this moment on: RFC 3339, or a date, which begins at midnight UTC
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<Wall>,
    /// Before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<Wall>,
    /// Only lines of these operators
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub operator: Vec<String>,
}

impl PickResults {
    /// As the store understands it.
    pub fn filter(&self) -> Filter {
        Filter {
            metrics: self.metric.clone(),
            from: self.from,
            to: self.to,
            operators: self.operator.clone(),
        }
    }
}

/// The ground on which a study or a report stands.
#[derive(clap::Args, Clone, Debug)]
pub struct Ground {
    /// The store: a path
    #[arg(long, value_name = "STORE", default_value = "broadgauge.db")]
    pub store: String,
    /// The own operator
    #[arg(long, value_name = "NAME")]
    pub own: String,
    /// The peer operators; all others where left out
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub peer: Vec<String>,
    /// Only these metrics
    #[arg(long, value_name = "METRIC", value_delimiter = ',')]
    pub metric: Vec<MetricId>,
    /// From this moment on: RFC 3339, or a date, which begins at midnight in --zone, else in the zone of most lines
    #[arg(long, value_name = "TIME")]
    pub from: Option<Bound>,
    /// Before this moment
    #[arg(long, value_name = "TIME")]
    pub to: Option<Bound>,
    /// Only lines of these regions
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub region: Vec<String>,
    /// Only lines of these access technologies
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub technology: Vec<String>,
    /// IANA time zone of lines that name none
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// The class of targets of imported results, as exchange=192.0.2.*: only one class is compared at a time
    #[arg(long, value_name = "CLASS=TARGET")]
    pub target_class: Vec<TargetClass>,
    /// Fixes everything that is random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Resamples behind an interval
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(200..))]
    pub replicates: u32,
}

impl Ground {
    /// As the gatherer understands it.
    pub fn request(&self) -> gather::Request {
        gather::Request {
            own: self.own.clone(),
            peers: self.peer.clone(),
            metrics: self.metric.clone(),
            from: self.from,
            to: self.to,
            regions: self.region.clone(),
            technologies: self.technology.clone(),
            zone: self.zone.clone(),
            classes: self.target_class.clone(),
        }
    }
}

impl Ground {
    /// The figures that it holds.
    pub fn panel(&self) -> Result<Panel, Failure> {
        let store = store::open_existing(&self.store).map_err(Failure::input)?;
        gather::panel(store.as_ref(), &self.request()).map_err(Failure::input)
    }
}

/// What is asked of the comparison with peer operators.
#[derive(clap::Args, Clone, Debug)]
pub struct AskPeers {
    /// What both sides have in common: technology, region, area, plan, segment, tier, hours (peak or not), hour (of the day), days,
    /// hour_of_week (mon-00 to sun-23)
    #[arg(long, value_name = "KEY", value_delimiter = ',', default_value = "technology,region,hours")]
    by: Vec<peers::Key>,
    /// The quantiles
    #[arg(long, value_name = "Q", value_delimiter = ',', default_value = "0.5,0.9,0.95", value_parser = quantile)]
    quantile: Vec<f64>,
    /// Peak hours, local: first hour and first hour after
    #[arg(long, value_name = "FROM-TO", default_value = "19-23", value_parser = hours)]
    peak: (u8, u8),
    /// Peak hours on Monday to Friday only
    #[arg(long)]
    peak_weekdays: bool,
    /// What still counts as at par: METRIC=ABSOLUTE:RELATIVE, as round_trip_delay=5:0.1
    #[arg(long, value_name = "MARGIN", value_parser = margin)]
    margin: Vec<(MetricId, Margin)>,
    /// Whose lines say how much each stratum counts in rows over several; both of the pair where left out
    #[arg(long, value_name = "OPERATOR")]
    standard: Option<String>,
    /// How p-values are adjusted for their number: bh, or by for any dependence
    #[arg(long, value_name = "METHOD", default_value = "bh", value_parser = adjustment)]
    adjust: peers::Adjustment,
    /// Let a line count as many times as its weight says
    #[arg(long)]
    weighted: bool,
}

impl AskPeers {
    /// As the study understands it.
    pub fn query(&self, ground: &Ground) -> peers::Query {
        peers::Query {
            peers: ground.peer.clone(),
            by: self.by.clone(),
            metrics: ground.metric.clone(),
            quantiles: self.quantile.clone(),
            margins: self.margin.iter().copied().collect(),
            peak: peers::Peak { from: self.peak.0, to: self.peak.1, weekdays_only: self.peak_weekdays },
            seed: ground.seed,
            replicates: ground.replicates as usize,
            weighted: self.weighted,
            standard: self.standard.clone(),
            adjustment: self.adjust,
            ..peers::Query::of(ground.own.as_str())
        }
    }
}

/// What is asked of a league table.
#[derive(clap::Args, Clone, Debug)]
pub struct AskLeague {
    /// What is set beside each other: operator, or of the own operator region, area, plan, segment, technology, tier
    #[arg(long, value_name = "UNIT", default_value = "operator", value_parser = unit_of_league)]
    unit: league::Unit,
    /// What units have in common: technology, region, area, plan, segment, tier, hours (peak or not), hour (of the day), days,
    /// hour_of_week (mon-00 to sun-23)
    #[arg(long, value_name = "KEY", value_delimiter = ',', default_value = "technology,hours")]
    by: Vec<peers::Key>,
    /// The quantile within a line
    #[arg(long, value_name = "Q", default_value = "0.5", value_parser = quantile)]
    quantile: f64,
    /// Peak hours, local: first hour and first hour after
    #[arg(long, value_name = "FROM-TO", default_value = "19-23", value_parser = hours)]
    peak: (u8, u8),
}

impl AskLeague {
    /// As the study understands it.
    pub fn query(&self, ground: &Ground) -> league::Query {
        league::Query {
            unit: self.unit,
            by: self.by.clone(),
            metrics: ground.metric.clone(),
            quantile: self.quantile,
            peak: peers::Peak { from: self.peak.0, to: self.peak.1, weekdays_only: false },
            seed: ground.seed,
            replicates: ground.replicates as usize,
            ..league::Query::of(ground.own.as_str())
        }
    }
}

fn unit_of_league(text: &str) -> Result<league::Unit, String> {
    if text == "operator" {
        return Ok(league::Unit::Operator);
    }
    let key: peers::Key = text.parse()?;
    if key.is_of_time() { Err(format!("{text:?} is a time, not a unit")) } else { Ok(league::Unit::Of(key)) }
}

/// Which rules the lines are held against.
#[derive(clap::Args, Clone, Debug)]
pub struct AskProfile {
    /// The rules: fcc-mba, fcc-high-cost, ofcom-speeds-code, eu-2015-2120, bnetza-2017, bnetza-2021, y1541, applications
    #[arg(long, value_name = "PROFILE", value_parser = profile::find)]
    profile: Profile,
    /// Leave out public holidays of: cn, de, gb-eng, us; what cn has worked at weekends counts as working days
    #[arg(long, value_name = "PLACE", value_parser = holidays)]
    holidays: Option<Calendar>,
}

impl AskProfile {
    /// As the study understands it.
    pub fn query(&self, ground: &Ground) -> broadgauge_reports::study::profile::Query {
        let operators = match ground.peer.as_slice() {
            [] => Vec::new(),
            peers => peers.iter().chain([&ground.own]).cloned().collect(),
        };
        broadgauge_reports::study::profile::Query {
            profile: self.profile.clone(),
            operators,
            holidays: self.holidays.clone(),
        }
    }
}

fn holidays(text: &str) -> Result<Calendar, String> {
    Calendar::find(text).ok_or_else(|| format!("{text:?} is not one of: cn, de, gb-eng, us"))
}

/// What is asked of a search for changes.
#[derive(clap::Args, Clone, Debug)]
pub struct AskChange {
    /// Whose series are searched: operator, region, area, node or line
    #[arg(long, value_name = "UNIT", default_value = "operator", value_parser = unit_of_change)]
    unit: change::Unit,
    /// Days that a change must last before it is an alarm
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    persist: u16,
    /// What still counts as the same: METRIC=ABSOLUTE:RELATIVE, as round_trip_delay=5:0.1
    #[arg(long, value_name = "MARGIN", value_parser = margin)]
    margin: Vec<(MetricId, Margin)>,
}

impl AskChange {
    /// As the study understands it.
    pub fn query(&self, ground: &Ground) -> change::Query {
        change::Query {
            unit: self.unit,
            metrics: ground.metric.clone(),
            margins: self.margin.iter().copied().collect(),
            persist_days: usize::from(self.persist),
            seed: ground.seed,
            replicates: ground.replicates as usize,
            ..change::Query::of(ground.own.as_str())
        }
    }
}

fn unit_of_change(text: &str) -> Result<change::Unit, String> {
    change::Unit::ALL.into_iter().find(|unit| unit.word() == text).ok_or_else(|| {
        format!("{text:?} is not one of: {}", change::Unit::ALL.map(change::Unit::word).join(", "))
    })
}

/// Reads a finding of a search for changes.
pub fn finding(text: &str) -> Result<change::Finding, String> {
    match text {
        "regression" => Ok(change::Finding::Regression),
        "improvement" => Ok(change::Finding::Improvement),
        "watch" => Ok(change::Finding::Watch),
        _ => Err(format!("{text:?} is not one of: regression, improvement, watch")),
    }
}

/// What is asked of the complaints.
#[derive(clap::Args, Clone, Debug)]
pub struct AskComplaints {
    /// Windows before a complaint, in hours
    #[arg(long, value_name = "HOURS", value_delimiter = ',', default_value = "24,168")]
    window: Vec<u32>,
    /// Hours left out before a complaint, so that tests of the call itself do not count
    #[arg(long, value_name = "HOURS", default_value_t = 0)]
    gap: u32,
}

impl AskComplaints {
    /// As the study understands it.
    pub fn query(&self, ground: &Ground) -> complaints::Query {
        complaints::Query {
            metrics: ground.metric.clone(),
            windows_hours: self.window.clone(),
            gap_hours: self.gap,
            seed: ground.seed,
            ..complaints::Query::of(ground.own.as_str())
        }
    }
}

/// Which complaints of a line belong together, in studies of what brings them on.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Repeats {
    /// Complaints of one line within so many days are one episode; with 0 every day's complaint counts
    #[arg(long, value_name = "DAYS", default_value_t = 28, value_parser = clap::value_parser!(i32).range(0..=366))]
    pub repeat_days: i32,
}

/// What is asked of the handling of complaints.
#[derive(clap::Args, Clone, Debug)]
pub struct AskHandling {
    /// A complaint of the same line and class within so many days is a repeat
    #[arg(long, value_name = "DAYS", default_value_t = 28, value_parser = clap::value_parser!(i32).range(1..))]
    repeat_days: i32,
    /// Cases on a list, at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    list: usize,
}

impl AskHandling {
    /// As the study understands it.
    pub fn query(&self, ground: &Ground) -> handling::Query {
        handling::Query {
            repeat_days: self.repeat_days,
            longest_list: self.list,
            ..handling::Query::of(ground.own.as_str())
        }
    }
}

fn adjustment(text: &str) -> Result<peers::Adjustment, String> {
    match text {
        "bh" => Ok(peers::Adjustment::Bh),
        "by" => Ok(peers::Adjustment::By),
        _ => Err(format!("{text:?} is not one of: bh, by")),
    }
}

fn quantile(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|q| *q > 0.0 && *q < 1.0)
        .ok_or_else(|| format!("{text:?} is not between 0 and 1"))
}

fn hours(text: &str) -> Result<(u8, u8), String> {
    let (from, to) = text.split_once('-').ok_or_else(|| format!("{text:?} is not FROM-TO, as 19-23"))?;
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) if from < to && to <= 24 => Ok((from, to)),
        _ => Err(format!("{text:?}: hours go from 0 to 24, and the first is the smaller")),
    }
}

fn margin(text: &str) -> Result<(MetricId, Margin), String> {
    let wrong = || format!("{text:?} is not METRIC=ABSOLUTE:RELATIVE, as round_trip_delay=5:0.1");
    let (metric, bounds) = text.split_once('=').ok_or_else(wrong)?;
    let (absolute, relative) = bounds.split_once(':').ok_or_else(wrong)?;
    let number = |t: &str| t.parse().ok().filter(|v: &f64| v.is_finite() && *v >= 0.0).ok_or_else(wrong);
    Ok((metric.parse()?, Margin { absolute: number(absolute)?, relative: number(relative)? }))
}

/// Reads a verdict.
pub fn verdict(text: &str) -> Result<peers::Verdict, String> {
    match text {
        "better" => Ok(peers::Verdict::Better),
        "worse" => Ok(peers::Verdict::Worse),
        "at_par" => Ok(peers::Verdict::AtPar),
        "cannot_tell" => Ok(peers::Verdict::CannotTell),
        _ => Err(format!("{text:?} is not one of: better, worse, at_par, cannot_tell")),
    }
}

/// An end of a period where no zone is known: a date begins at midnight UTC.
fn moment(text: &str) -> Result<Wall, String> {
    text.parse::<Bound>()?.at(&TimeZone::UTC).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_local_day_and_begins_at_midnight_utc_where_no_zone_is_known() {
        assert_eq!("1970-01-02".parse(), Ok(Bound::Day(jiff::civil::date(1970, 1, 2))));
        assert_eq!(moment("1970-01-02"), Ok(Wall::from_secs(86_400)));
        assert_eq!(moment("1970-01-02T01:00:00+01:00"), Ok(Wall::from_secs(86_400)));
        for wrong in ["yesterday", "2026-03-01T18:00", "2026-02-30"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hours_and_margins_are_checked() {
        assert_eq!(hours("19-23"), Ok((19, 23)));
        assert!(hours("23-19").is_err());
        let (metric, bounds) = margin("loss_ratio=0.002:0").expect("a margin");
        assert_eq!((metric, bounds), (MetricId::LOSS_RATIO, Margin { absolute: 0.002, relative: 0.0 }));
        assert!(margin("loss_ratio=-1:0").is_err());
        assert!(margin("speed=1:0").is_err());
    }
}
