//! Are the rules of a regulator, a standard or an application kept, and on which evidence?
//!
//! Tests are those of the panel in the line's own time, so daylight saving moves no peak hour; holidays can be left out.
//! Each verdict lists every part of the rule with what was seen, what it takes and the number behind it, and says
//! "insufficient data" where the rule's own counts are not met. Tests by different methods, or of different classes of
//! targets, are never pooled: each has its own verdict.
//!
//! It is not a legal finding, and standing measurements are not the campaign of tests that some rules prescribe: where
//! a rule asks for a campaign, the first days that fulfil its conditions are taken, whatever their values.

use super::series::{self, is_made};
use super::{Declined, Head, Method, Note};
use crate::profile::calendar::Calendar;
use crate::profile::contract::Promised;
use crate::profile::network::OneWay;
use crate::profile::program::Line;
use crate::profile::{Finding, Packets, Profile, Rule, Test, Verdict};
use crate::stats::quantile::weighted;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Cell, CellValues, Hours, MethodUse, Panel, weekday};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::text::{Phrase, Words};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The study's version: raised when its findings may move.
const VERSION: u32 = 3;

/// The question.
#[derive(Clone, Debug)]
pub struct Query {
    /// The profile.
    pub profile: Profile,
    /// Only lines of these operators; all where empty.
    pub operators: Vec<String>,
    /// Leave out the holidays of this calendar.
    pub holidays: Option<Calendar>,
}

/// The study's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Profiled {
    /// About the study.
    #[serde(flatten)]
    pub head: Head,
    /// The profile, with its numbers.
    pub profile: Profile,
    /// One row for each line, group of lines, class or application.
    pub rows: Vec<Row>,
    /// How many rows have each finding.
    pub counts: BTreeMap<Finding, usize>,
    /// Why nothing could be judged.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The operator.
    pub operator: String,
    /// The line, or the technology and plan, and the class or application.
    pub subject: String,
    /// Lines behind it.
    pub lines: usize,
    /// Tests (or packets) behind it.
    pub tests: usize,
    /// Which way the metric goes that the rule is about.
    pub direction: Direction,
    /// By which method, against which class of targets, that metric was observed.
    #[serde(flatten)]
    pub method: MethodUse,
    /// Whether the tests are made up.
    pub made: bool,
    /// The verdict with its evidence.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Holds the panel against a profile.
pub fn study(panel: &Panel, query: &Query) -> Profiled {
    let mut head = head(panel, query);
    let mut days = Days::of(query.holidays.as_ref());
    let wanted = |line: &AccessLine| query.operators.is_empty() || query.operators.contains(&line.operator);
    let mut cells: Vec<Vec<&Cell>> = vec![Vec::new(); panel.lines.len()];
    for cell in &panel.cells {
        let Some(line) = panel.lines.get(cell.line as usize) else { continue };
        let Hours::At { day, .. } = cell.hours else { continue };
        let is_holiday = days.take(day, cell.values.len());
        if !is_holiday && wanted(line) && cell.statistic == Statistic::Singleton {
            cells[cell.line as usize].push(cell);
        }
    }
    for list in &mut cells {
        list.sort_by_key(|cell| (cell.hours, cell.metric, cell.method));
    }
    days.tell(&mut head.notes);
    let lines: Vec<(&AccessLine, Vec<&Cell>)> =
        panel.lines.iter().zip(cells).filter(|(_, cells)| !cells.is_empty()).collect();
    let mut rows = by_metric(panel, query, lines, &mut head.notes);
    rows.sort_by(|a, b| {
        (&a.operator, &a.subject, &a.method, a.made).cmp(&(&b.operator, &b.subject, &b.method, b.made))
    });
    let mut counts = BTreeMap::new();
    for row in &rows {
        *counts.entry(row.verdict.finding).or_insert(0) += 1;
    }
    let declined = rows.is_empty().then(|| {
        Declined::because(Words::plain(Phrase {
            en: "no line has tests of the kind that this profile asks for",
            zh: "没有任何线路有该规则所需的测试",
        }))
    });
    Profiled { head, profile: query.profile.clone(), rows, counts, declined }
}

fn head(panel: &Panel, query: &Query) -> Head {
    let mut filters = BTreeMap::from([
        ("profile", json!(query.profile.id)),
        ("profile_version", json!(query.profile.version)),
        ("operators", json!(query.operators)),
    ]);
    if let Some(calendar) = &query.holidays {
        filters.insert("holidays", json!(calendar.id));
    }
    Head {
        study: "profile",
        version: VERSION,
        period: panel.period.clone(),
        filters,
        seed: 0,
        method: Method {
            name: "rules as data, judged on tests in local time",
            version: VERSION,
            source: "the profile's own source",
        },
        notes: super::head::from_panel(&panel.left_out),
    }
}

/// Holidays, each day looked up once.
struct Days<'a> {
    calendar: Option<&'a Calendar>,
    holidays: BTreeMap<i32, bool>,
    left_out: u64,
    /// Of years that the calendar does not know, the observations.
    unknown: BTreeMap<i16, u64>,
}

impl<'a> Days<'a> {
    const fn of(calendar: Option<&'a Calendar>) -> Self {
        Self { calendar, holidays: BTreeMap::new(), left_out: 0, unknown: BTreeMap::new() }
    }

    /// Whether a day is a holiday; counts its observations where it is, or where the calendar cannot say.
    fn take(&mut self, day: i32, observations: u64) -> bool {
        let Some(calendar) = self.calendar else { return false };
        let is_holiday = *self.holidays.entry(day).or_insert_with(|| calendar.is_holiday_on(day));
        if is_holiday {
            self.left_out += observations;
        } else if let Some(year) = calendar.unknown_year(day) {
            *self.unknown.entry(year).or_default() += observations;
        }
        is_holiday
    }

    fn tell(&self, notes: &mut Vec<Note>) {
        let phrase =
            Phrase { en: "observations on holidays, left out", zh: "节假日的观测（不计）" };
        Note::push(notes, Words::plain(phrase), self.left_out);
        for (year, count) in &self.unknown {
            let phrase = Phrase {
                en: "observations of which none is left out: no calendar {calendar} for {year}",
                zh: "未剔除节假日的观测：日历 {calendar} 没有 {year} 年的数据",
            };
            let id = self.calendar.map_or("", |calendar| calendar.id.as_str());
            Note::push(notes, Words::with(phrase, &[("calendar", &id), ("year", year)]), *count);
        }
    }
}

type Lines<'a> = [(&'a AccessLine, Vec<&'a Cell>)];

/// The metrics that a rule is about, each judged by itself, and the one that it asks for beside them.
fn metrics(rule: &Rule) -> (&'static [MetricId], Option<MetricId>) {
    const RATES: &[MetricId] = &[MetricId::DOWNLOAD_GOODPUT, MetricId::UPLOAD_GOODPUT];
    match rule {
        Rule::Campaign(_) | Rule::Available(_) => (RATES, None),
        Rule::Range(_) => (&[MetricId::DOWNLOAD_GOODPUT], None),
        Rule::Advertised(_) | Rule::Required(_) => (RATES, Some(MetricId::ROUND_TRIP_DELAY)),
        Rule::Classes(_) => (&[MetricId::ONE_WAY_DELAY], None),
        Rule::Applications(_) => (&[MetricId::ROUND_TRIP_DELAY], Some(MetricId::DOWNLOAD_GOODPUT)),
    }
}

/// The rows of each metric that a rule is about.
fn by_metric<'a>(
    panel: &Panel,
    query: &Query,
    mut lines: Vec<(&'a AccessLine, Vec<&'a Cell>)>,
    notes: &mut Vec<Note>,
) -> Vec<Row> {
    let (of, beside) = metrics(&query.profile.rule);
    if let Some(beside) = beside {
        keep_commonest(panel, beside, &mut lines, notes);
    }
    let mut out = Vec::new();
    for &metric in of {
        let has = |cells: &[&Cell]| cells.iter().any(|c| c.metric == metric);
        let without = lines.iter().filter(|(_, cells)| !has(cells)).count();
        let phrase = Phrase { en: "lines without tests of {metric}", zh: "没有 {metric} 测试的线路" };
        Note::push(notes, Words::with(phrase, &[("metric", &metric)]), without as u64);
        let asked = Asked { metric, calendar: query.holidays.as_ref() };
        let is_unpromised = |line: &AccessLine| asked.promised(line).maximum.is_none();
        if matches!(query.profile.rule, Rule::Advertised(_) | Rule::Required(_) | Rule::Range(_)) {
            let unpromised = lines.iter().filter(|(line, cells)| has(cells) && is_unpromised(line)).count();
            let phrase = Phrase {
                en: "lines with tests of {metric} and no promised rate, left out",
                zh: "有 {metric} 测试但没有承诺速率的线路（不计）",
            };
            Note::push(notes, Words::with(phrase, &[("metric", &metric)]), unpromised as u64);
        }
        out.extend(by_method(panel, query, (metric, beside), &lines));
    }
    out
}

/// One set of rows for each method by which a metric was observed.
fn by_method(
    panel: &Panel,
    query: &Query,
    (metric, beside): (MetricId, Option<MetricId>),
    lines: &Lines<'_>,
) -> Vec<Row> {
    let how = |cell: &Cell| (cell.method, is_made(panel, cell));
    let all = lines.iter().flat_map(|(_, cells)| cells);
    let used: BTreeSet<(u16, bool)> = all.filter(|c| c.metric == metric).map(|c| how(c)).collect();
    let mut out = Vec::new();
    for (number, made) in used {
        let mut of_method = Vec::new();
        for (line, cells) in lines {
            let belongs = |c: &Cell| {
                how(c) == (number, made) || (Some(c.metric) == beside && is_made(panel, c) == made)
            };
            let cells: Vec<&Cell> = cells.iter().copied().filter(|c| belongs(c)).collect();
            if cells.iter().any(|c| c.metric == metric) {
                of_method.push((*line, cells));
            }
        }
        let method = panel.method(number);
        let rows = rows(panel, query, metric, &of_method).into_iter();
        out.extend(rows.map(|row| Row { method: method.clone(), made, ..row }));
    }
    out
}

/// Of a metric that a rule asks for beside its own, leaves the method with most observations of each operator, made up
/// or not.
fn keep_commonest(
    panel: &Panel,
    metric: MetricId,
    lines: &mut [(&AccessLine, Vec<&Cell>)],
    notes: &mut Vec<Note>,
) {
    let mut counts: BTreeMap<(&str, bool), BTreeMap<u16, u64>> = BTreeMap::new();
    for (line, cells) in lines.iter() {
        for cell in cells.iter().filter(|c| c.metric == metric) {
            let of = counts.entry((line.operator.as_str(), is_made(panel, cell))).or_default();
            *of.entry(cell.method).or_default() += cell.values.len();
        }
    }
    let most = |counts: &BTreeMap<u16, u64>| {
        counts.iter().max_by_key(|&(&method, &count)| (count, std::cmp::Reverse(method))).map(|(&m, _)| m)
    };
    let kept: BTreeMap<(&str, bool), Option<u16>> = counts.iter().map(|(k, v)| (*k, most(v))).collect();
    let mut left_out = 0;
    for (line, cells) in lines {
        cells.retain(|cell| {
            let is_kept = cell.metric != metric
                || kept.get(&(line.operator.as_str(), is_made(panel, cell))) == Some(&Some(cell.method));
            left_out += if is_kept { 0 } else { cell.values.len() };
            is_kept
        });
    }
    let phrase = Phrase {
        en: "observations of {metric} by other methods than the operator's commonest, left out",
        zh: "未使用的 {metric} 观测（并非由该运营商最常用的方法测得）",
    };
    Note::push(notes, Words::with(phrase, &[("metric", &metric)]), left_out);
}

/// The rows of lines whose metric was observed by one method.
fn rows(panel: &Panel, query: &Query, metric: MetricId, lines: &Lines<'_>) -> Vec<Row> {
    let asked = Asked { metric, calendar: query.holidays.as_ref() };
    match &query.profile.rule {
        Rule::Campaign(campaign) => each(lines, asked, |tests, promised| campaign.judge(tests, promised)),
        Rule::Available(rule) => each(lines, asked, |tests, promised| rule.judge(tests, promised)),
        Rule::Advertised(rule) => groups(lines, asked, |_, lines| rule.judge(lines)),
        Rule::Range(rule) => groups(lines, asked, |_, lines| rule.judge(lines)),
        Rule::Required(rule) => {
            let known = known(panel);
            groups(lines, asked, |group, lines| rule.judge(lines, known.get(group).map_or(0.0, |n| *n)))
        }
        Rule::Classes(rule) => {
            let mut out = Vec::new();
            for (line, cells) in lines {
                for direction in [Direction::Up, Direction::Down] {
                    let Some(path) = one_way(cells, direction) else { continue };
                    for class in &rule.classes {
                        out.push(Row {
                            operator: line.operator.clone(),
                            subject: format!("{} {} class {}", line.line_id, direction.word(), class.class),
                            lines: 1,
                            tests: path.packets as usize,
                            direction,
                            method: MethodUse::default(),
                            made: false,
                            verdict: rule.judge(class, &path),
                        });
                    }
                }
            }
            out
        }
        Rule::Applications(rule) => {
            let mut out = Vec::new();
            for (line, cells) in lines {
                let delays = points(cells, MetricId::ROUND_TRIP_DELAY, |c| c.load == Load::Idle);
                let rate = middle(&points(cells, MetricId::DOWNLOAD_GOODPUT, |_| true));
                let packets: f64 = delays.iter().map(|d| d.1).sum();
                for application in &rule.applications {
                    let at = |p: f64| weighted(&delays, p).ok();
                    let seen: Option<Vec<f64>> = application.delays.iter().map(|d| at(d.0)).collect();
                    let outcome = seen
                        .zip(loss(cells, Direction::RoundTrip))
                        .zip(rate)
                        .and_then(|((delays, loss), rate)| application.outcome(&delays, loss, rate));
                    out.push(Row {
                        operator: line.operator.clone(),
                        subject: format!("{} {}", line.line_id, application.name),
                        lines: 1,
                        tests: packets as usize,
                        direction: Direction::RoundTrip,
                        method: MethodUse::default(),
                        made: false,
                        verdict: rule.judge(outcome, packets as u64),
                    });
                }
            }
            out
        }
    }
}

/// Which rate is judged, in which calendar's weeks.
#[derive(Clone, Copy)]
struct Asked<'a> {
    metric: MetricId,
    calendar: Option<&'a Calendar>,
}

impl Asked<'_> {
    fn direction(self) -> Direction {
        if self.metric == MetricId::UPLOAD_GOODPUT { Direction::Up } else { Direction::Down }
    }

    /// What a line's customer was promised. Of uploads nothing but the headline rate is known of a line.
    fn promised(self, line: &AccessLine) -> Promised {
        let known = &line.promise;
        let usable = |rate: Option<f64>| rate.filter(|v| v.is_finite() && *v > 0.0);
        match self.direction() {
            Direction::Up => Promised { maximum: usable(known.promised_up_mbps), ..Promised::default() },
            _ => Promised {
                maximum: usable(known.promised_down_mbps),
                normal: usable(known.normal_down_mbps),
                minimum: usable(known.minimum_down_mbps),
            },
        }
    }

    /// A download goes by the name alone.
    fn subject(self, name: &str) -> String {
        match self.direction() {
            Direction::Up => format!("{name} up").trim_start().to_owned(),
            _ => name.to_owned(),
        }
    }

    fn nothing_promised(self) -> Verdict {
        Verdict::lacks(match self.direction() {
            Direction::Up => Phrase { en: "no promised upload rate", zh: "没有承诺的上行速率" },
            _ => Phrase { en: "no promised download rate", zh: "没有承诺的下行速率" },
        })
    }
}

/// Line by line.
fn each(lines: &Lines<'_>, asked: Asked<'_>, judge: impl Fn(&[Test], Promised) -> Verdict) -> Vec<Row> {
    let mut out = Vec::new();
    for (line, cells) in lines {
        let tests = tests(cells, asked.metric, asked.calendar);
        if !tests.is_empty() {
            let promised = asked.promised(line);
            let is_promised = promised != Promised::default();
            out.push(Row {
                operator: line.operator.clone(),
                subject: asked.subject(&line.line_id),
                lines: 1,
                tests: tests.len(),
                direction: asked.direction(),
                method: MethodUse::default(),
                made: false,
                verdict: if is_promised { judge(&tests, promised) } else { asked.nothing_promised() },
            });
        }
    }
    out
}

/// A line's operator, and its technology and plan.
type Group = (String, String);

fn group(line: &AccessLine) -> Group {
    let words: Vec<&str> = [&line.technology, &line.plan].into_iter().flatten().map(String::as_str).collect();
    (line.operator.clone(), words.join(" "))
}

/// How many lines a line stands for.
fn weight(line: &AccessLine) -> f64 {
    line.weight.filter(|w| w.is_finite() && *w > 0.0).unwrap_or(1.0)
}

/// How many lines those of each group stand for, tested or not.
fn known(panel: &Panel) -> BTreeMap<Group, f64> {
    let mut known = BTreeMap::new();
    for line in &panel.lines {
        *known.entry(group(line)).or_insert(0.0) += weight(line);
    }
    known
}

/// By operator, technology and plan, on lines with an advertised rate; where none has one, the lines that were tested.
fn groups(lines: &Lines<'_>, asked: Asked<'_>, judge: impl Fn(&Group, &[Line]) -> Verdict) -> Vec<Row> {
    let mut groups: BTreeMap<Group, (Vec<Line>, Vec<usize>)> = BTreeMap::new();
    for (line, cells) in lines {
        let tested = tests(cells, asked.metric, asked.calendar);
        if tested.is_empty() {
            continue;
        }
        let (promised, unpromised) = groups.entry(group(line)).or_default();
        let Promised { maximum: Some(advertised), normal, minimum } = asked.promised(line) else {
            unpromised.push(tested.len());
            continue;
        };
        let idle: Vec<&Cell> = cells.iter().copied().filter(|c| c.load == Load::Idle).collect();
        promised.push(Line {
            advertised,
            normal,
            minimum,
            weight: weight(line),
            tests: tested,
            delays: tests(&idle, MetricId::ROUND_TRIP_DELAY, asked.calendar),
            packets: packets(&idle, asked.calendar),
        });
    }
    let of = |(group, (lines, unpromised)): (Group, (Vec<Line>, Vec<usize>))| {
        let judged = (!lines.is_empty()).then(|| judge(&group, &lines));
        let tests: Vec<usize> =
            if judged.is_some() { lines.iter().map(|l| l.tests.len()).collect() } else { unpromised };
        Row {
            subject: asked.subject(&group.1),
            operator: group.0,
            lines: tests.len(),
            tests: tests.iter().sum(),
            direction: asked.direction(),
            method: MethodUse::default(),
            made: false,
            verdict: judged.unwrap_or_else(|| asked.nothing_promised()),
        }
    };
    groups.into_iter().map(of).collect()
}

/// Every observation of a metric, in local time.
fn tests(cells: &[&Cell], metric: MetricId, calendar: Option<&Calendar>) -> Vec<Test> {
    let mut out = Vec::new();
    for cell in cells.iter().filter(|c| c.metric == metric) {
        let Hours::At { day, hour } = cell.hours else { continue };
        let test = Test { worked: is_worked(calendar, day), ..Test::new(day, hour, 0.0) };
        match &cell.values {
            CellValues::Number(value) if value.is_finite() => out.push(Test { value: *value, ..test }),
            CellValues::Number(_) => {}
            CellValues::Histogram(histogram) => {
                for (value, count) in histogram.values(metric.tick) {
                    out.extend((0..count).map(|_| Test { value, ..test }));
                }
            }
        }
    }
    out
}

fn is_worked(calendar: Option<&Calendar>, day: i32) -> bool {
    calendar.map_or(weekday(day) < 5, |calendar| calendar.is_worked_on(day))
}

/// The packets of round trips, hour by hour.
fn packets(cells: &[&Cell], calendar: Option<&Calendar>) -> Vec<Packets> {
    let round_trips = cells.iter().filter(|c| c.metric == MetricId::ROUND_TRIP_DELAY && c.sent > 0);
    let of = |cell: &&Cell| match cell.hours {
        Hours::At { day, hour } => {
            Some(Packets { hour, worked: is_worked(calendar, day), sent: cell.sent, lost: cell.lost })
        }
        Hours::Peak | Hours::AllDay => None,
    };
    round_trips.filter_map(of).collect()
}

/// The values of a metric in the cells that are wanted, ascending.
fn points(cells: &[&Cell], metric: MetricId, wanted: impl Fn(&Cell) -> bool) -> Vec<(f64, f64)> {
    series::points(metric, cells.iter().copied().filter(|c| c.metric == metric && wanted(c)))
}

fn middle(points: &[(f64, f64)]) -> Option<f64> {
    weighted(points, 0.5).ok()
}

/// All lost of all sent, whichever metric the packets served.
fn loss(cells: &[&Cell], direction: Direction) -> Option<f64> {
    let counted = cells.iter().filter(|c| c.direction == direction && c.load == Load::Idle);
    let (lost, sent) = counted.fold((0, 0), |(l, s), c| (l + c.lost, s + c.sent));
    (sent > 0).then(|| lost as f64 / sent as f64)
}

fn one_way(cells: &[&Cell], direction: Direction) -> Option<OneWay> {
    let points = points(cells, MetricId::ONE_WAY_DELAY, |c| c.direction == direction && c.load == Load::Idle);
    let packets: f64 = points.iter().map(|p| p.1).sum();
    Some(OneWay {
        mean_ms: points.iter().map(|p| p.0 * p.1).sum::<f64>() / packets,
        least_ms: points.first()?.0,
        p999_ms: weighted(&points, 0.999).ok()?,
        loss_ratio: loss(cells, direction),
        packets: packets as u64,
    })
}

#[cfg(test)]
mod tests;
