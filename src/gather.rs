//! A report request to a panel: one scan of the store, and everything a report may speak of is in memory.
//!
//! Histograms of one line, metric, load, direction, statistic, method, class of targets, source and local hour are
//! merged, exactly;
//! numbers stay as they are, because two summaries have no sum. The panel does not depend on the order in which rows
//! arrived. Hours are local to the line (its zone, else the request's), so daylight saving time moves no evening.
//!
//! What it cannot tell: rows that a store never received. Rows that are there and are not used are counted, with the
//! reason, in [`Panel::left_out`].

mod asked;
mod request;
mod surroundings;
mod survey;
mod targets;

pub use request::{Bound, GatherError, Request};
pub use survey::survey;
pub use targets::TargetClass;

use crate::store::{Filter, LocalHours, Row, RowValues, Store};
use asked::{check_operators, check_values, wanted};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::complaint::Complaint;
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{
    Cell, CellValues, Hours, LeftOut, MethodUse, Panel, PanelComplaint, Period, Source,
};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::text::{Phrase, Words};
use jiff::tz::TimeZone;
use request::first_moment;
use std::collections::{BTreeMap, HashMap, HashSet};
use targets::TargetClasses;

/// Everything that one report may speak of.
pub fn panel(store: &dyn Store, request: &Request) -> Result<Panel, GatherError> {
    let all = store.lines()?;
    let zone = zone(&all, request)?;
    let (from, to) = bounds(request, &zone)?;
    let all_complaints = store.complaints(None, to)?;
    check_operators(&all, &all_complaints, request)?;
    check_values(&all, request)?;
    let (mut lines, elsewhere): (Vec<_>, Vec<_>) = all.into_iter().partition(|line| wanted(line, request));
    let elsewhere: HashSet<String> = elsewhere.into_iter().map(|line| line.line_id).collect();
    lines.sort_by(|a, b| a.line_id.cmp(&b.line_id));

    let mut gatherer = Gatherer::new(&lines, &zone, TargetClasses::of(&store.agents()?, &request.classes))?;
    let operators = match request.peers.as_slice() {
        [] => Vec::new(),
        peers => std::iter::once(&request.own).chain(peers).cloned().collect(),
    };
    let filter = Filter { metrics: request.metrics.clone(), from, to, operators };
    store.scan(&filter, &mut |row| gatherer.take(row))?;
    let mut gathered = gatherer.finish()?;

    let period = period((from, to), gathered.span, &all_complaints, &zone);
    let placed = place(all_complaints, (&lines, &elsewhere), request, &period, &mut gathered)?;
    let (earlier_complaints, complaints) =
        placed.into_iter().partition(|placed| placed.complaint.opened_at < period.from);
    let left_out = gathered.left_out.into_values().collect();
    let around = surroundings::gather(store, &period)?;
    Ok(Panel {
        nodes: around.nodes,
        loads: around.loads,
        actions: around.actions,
        reputation: store.reputation()?,
        period,
        lines,
        cells: gathered.cells,
        complaints,
        earlier_complaints,
        methods: gathered.methods,
        sources: gathered.sources,
        health: store.health()?,
        left_out,
    })
}

/// The ends asked for, on the calendar of a zone.
fn bounds(request: &Request, zone: &str) -> Result<(Option<Wall>, Option<Wall>), GatherError> {
    let rules = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let from = request.from.map(|bound| bound.at(&rules)).transpose()?;
    let to = request.to.map(|bound| bound.at(&rules)).transpose()?;
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(GatherError::Period { from: from.rfc3339(), to: to.rfc3339() });
    }
    Ok((from, to))
}

/// The zone asked for, else that of most lines, else UTC.
fn zone(lines: &[AccessLine], request: &Request) -> Result<String, GatherError> {
    if let Some(zone) = &request.zone {
        TimeZone::get(zone).map_err(|_| GatherError::Zone { zone: zone.clone() })?;
        return Ok(zone.clone());
    }
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    for zone in lines.iter().filter_map(|line| line.zone.as_deref()) {
        *votes.entry(zone).or_default() += 1;
    }
    let most = votes.iter().max_by_key(|(zone, votes)| (**votes, std::cmp::Reverse(**zone)));
    let zone = most.map(|(zone, _)| *zone).filter(|zone| TimeZone::get(zone).is_ok());
    Ok(zone.unwrap_or("UTC").to_owned())
}

/// What makes two histograms one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    line: u32,
    metric: MetricId,
    load: Load,
    direction: Direction,
    statistic: Statistic,
    method: u16,
    source: u16,
    hours: Hours,
}

/// Why a row was not used; the text may name what the row itself says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    UnknownLine,
    Unmeasured(String),
    OtherComplaint,
    ComplaintOutside,
    SeveralTargets,
}

impl Reason {
    fn words(&self) -> Words {
        const UNKNOWN: Phrase = Phrase {
            en: "results of lines that no table and no agent has described",
            zh: "线路未登记（既无线路表也无测量代理说明）的结果",
        };
        const UNMEASURED: Phrase =
            Phrase { en: "could not be measured: {reason}", zh: "未能测得：{reason}" };
        const OTHER: Phrase = Phrase {
            en: "complaints about lines or operators that this report does not speak of",
            zh: "不属于本报告线路或运营商的投诉",
        };
        const OUTSIDE: Phrase =
            Phrase { en: "complaints outside the measured period", zh: "测量时段之外的投诉" };
        const TARGETS: Phrase = Phrase {
            en: "imported results against several targets, taken together because nobody names the targets' classes (--target-class does)",
            zh: "针对多个目标的导入结果：目标类别未说明，故合并计算（可用 --target-class 说明）",
        };
        match self {
            Self::UnknownLine => Words::plain(UNKNOWN),
            Self::Unmeasured(reason) => Words::with(UNMEASURED, &[("reason", reason)]),
            Self::OtherComplaint => Words::plain(OTHER),
            Self::ComplaintOutside => Words::plain(OUTSIDE),
            Self::SeveralTargets => Words::plain(TARGETS),
        }
    }
}

type LeftOuts = BTreeMap<Reason, LeftOut>;

fn leave_out(left_out: &mut LeftOuts, reason: Reason) {
    if let Some(known) = left_out.get_mut(&reason) {
        known.count += 1;
    } else {
        let first = LeftOut { reason: reason.words(), count: 1 };
        left_out.insert(reason, first);
    }
}

struct Gatherer<'a> {
    lines: &'a [AccessLine],
    hours: LocalHours,
    /// By the scan's own number of a line: its place in `lines`, or that it has none.
    places: Vec<Option<Place>>,
    classes: TargetClasses<'a>,
    methods: Numbered<MethodUse>,
    sources: Numbered<Source>,
    cells: Vec<Cell>,
    histograms: HashMap<Key, usize>,
    span: Option<(Wall, Wall)>,
    left_out: LeftOuts,
    damaged: Option<GatherError>,
}

#[derive(Clone, Copy)]
enum Place {
    At(u32),
    /// Described, but not asked for.
    Elsewhere,
    Unknown,
}

struct Gathered {
    cells: Vec<Cell>,
    methods: Vec<MethodUse>,
    sources: Vec<Source>,
    span: Option<(Wall, Wall)>,
    left_out: LeftOuts,
}

impl<'a> Gatherer<'a> {
    fn new(lines: &'a [AccessLine], zone: &str, classes: TargetClasses<'a>) -> Result<Self, GatherError> {
        let hours = LocalHours::new(zone).ok_or_else(|| GatherError::Zone { zone: zone.to_owned() })?;
        Ok(Self {
            lines,
            hours,
            places: Vec::new(),
            classes,
            methods: Numbered { numbers: BTreeMap::new() },
            sources: Numbered { numbers: BTreeMap::new() },
            cells: Vec::new(),
            histograms: HashMap::new(),
            span: None,
            left_out: BTreeMap::new(),
            damaged: None,
        })
    }

    fn place(&mut self, row: &Row<'_>) -> Place {
        if self.places.len() <= row.line_key {
            self.places.resize(row.line_key + 1, None);
        }
        let find = || match self.lines.binary_search_by(|line| line.line_id.as_str().cmp(row.line_id)) {
            Ok(at) => Place::At(at as u32),
            Err(_) if row.line.is_some() => Place::Elsewhere,
            Err(_) => Place::Unknown,
        };
        *self.places[row.line_key].get_or_insert_with(find)
    }

    fn method(&mut self, row: &Row<'_>) -> u16 {
        let Some(class) = self.classes.find(row) else { return self.methods.of(row.method) };
        self.methods.of(&MethodUse { target_class: Some(class.to_owned()), ..row.method.clone() })
    }

    fn key(&mut self, line: u32, row: &Row<'_>) -> Key {
        Key {
            line,
            metric: row.metric,
            load: row.load,
            direction: row.direction,
            statistic: row.statistic,
            method: self.method(row),
            source: self.sources.of(row.source),
            hours: row.hours(&mut self.hours),
        }
    }

    fn take(&mut self, row: &Row<'_>) {
        let line = match self.place(row) {
            Place::At(line) => line,
            Place::Elsewhere => return,
            Place::Unknown => return leave_out(&mut self.left_out, Reason::UnknownLine),
        };
        let at = row.started_at;
        match row.values {
            RowValues::Unmeasured(reason) => {
                return leave_out(&mut self.left_out, Reason::Unmeasured(reason.to_owned()));
            }
            RowValues::Number(value) => {
                let cell = self.key(line, row).cell(CellValues::Number(value), row);
                self.cells.push(cell);
            }
            RowValues::Histogram(bytes) => match Histogram::from_rest(bytes) {
                Ok(histogram) => {
                    let key = self.key(line, row);
                    self.merge(key, histogram, row);
                }
                Err(source) => {
                    let line = row.line_id.to_owned();
                    self.damaged.get_or_insert(GatherError::Damaged { line, source });
                }
            },
        }
        // A summary speaks of its whole period; its end is the first moment that is not in it.
        let last = at + Span((row.lasted.0 - 1).max(0));
        self.span = Some(self.span.map_or((at, last), |(from, to)| (from.min(at), to.max(last))));
    }

    fn merge(&mut self, key: Key, histogram: Histogram, row: &Row<'_>) {
        let next = self.cells.len();
        let at = *self.histograms.entry(key).or_insert(next);
        if at == next {
            self.cells.push(key.cell(CellValues::Histogram(histogram), row));
            return;
        }
        let cell = &mut self.cells[at];
        if let CellValues::Histogram(known) = &mut cell.values {
            known.merge(&histogram);
        }
        cell.sent += row.counts.sent;
        cell.lost += row.counts.lost;
    }

    /// Puts everything into an order that does not depend on the order of arrival.
    fn finish(mut self) -> Result<Gathered, GatherError> {
        if let Some(damaged) = self.damaged {
            return Err(damaged);
        }
        let together = self.classes.taken_together();
        if together > 0 {
            let reason = Reason::SeveralTargets;
            self.left_out.insert(reason.clone(), LeftOut { reason: reason.words(), count: together });
        }
        let (methods, new_method) = self.methods.finish();
        let (sources, new_source) = self.sources.finish();
        let mut cells = self.cells;
        for cell in &mut cells {
            cell.method = new_method[usize::from(cell.method)];
            cell.source = new_source[usize::from(cell.source)];
        }
        let bits = |cell: &Cell| match cell.values {
            CellValues::Number(value) => Some(value.to_bits()),
            CellValues::Histogram(_) => None,
        };
        cells.sort_unstable_by_key(|c| {
            (
                c.line,
                c.metric,
                c.hours,
                c.load,
                c.direction,
                c.statistic,
                c.method,
                c.source,
                bits(c),
                c.sent,
                c.lost,
            )
        });
        Ok(Gathered { cells, methods, sources, span: self.span, left_out: self.left_out })
    }
}

impl Key {
    fn cell(self, values: CellValues, row: &Row<'_>) -> Cell {
        Cell {
            line: self.line,
            metric: self.metric,
            load: self.load,
            direction: self.direction,
            statistic: self.statistic,
            method: self.method,
            source: self.source,
            hours: self.hours,
            values,
            sent: row.counts.sent,
            lost: row.counts.lost,
        }
    }
}

/// Items by the number under which they were first seen.
struct Numbered<T> {
    numbers: BTreeMap<T, u16>,
}

impl<T: Ord + Clone> Numbered<T> {
    fn of(&mut self, item: &T) -> u16 {
        if let Some(&number) = self.numbers.get(item) {
            return number;
        }
        let number = self.numbers.len() as u16;
        self.numbers.insert(item.clone(), number);
        number
    }

    /// The items in order, and the new number of each old one.
    fn finish(self) -> (Vec<T>, Vec<u16>) {
        let mut places = vec![0; self.numbers.len()];
        for (new, old) in self.numbers.values().enumerate() {
            places[usize::from(*old)] = new as u16;
        }
        (self.numbers.into_keys().collect(), places)
    }
}

/// The period asked for; an open end is the first or last whole day on which something was observed.
fn period(
    (from, to): (Option<Wall>, Option<Wall>),
    span: Option<(Wall, Wall)>,
    complaints: &[Complaint],
    zone: &str,
) -> Period {
    let opened = || {
        let times = complaints.iter().map(|c| c.opened_at);
        Some((times.clone().min()?, times.max()?))
    };
    let (first, last) = span.or_else(opened).unwrap_or_default();
    let zone_rules = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let from = from.unwrap_or_else(|| midnight(first, 0, &zone_rules));
    let to = to.unwrap_or_else(|| midnight(last, 1, &zone_rules)).max(from);
    Period { from, to, zone: zone.to_owned() }
}

/// The midnight before a moment, some days later.
fn midnight(at: Wall, days: i64, zone: &TimeZone) -> Wall {
    let day = jiff::Timestamp::from_second(at.secs()).map(|t| t.to_zoned(zone.clone()).date());
    let day = day.and_then(|day| day.checked_add(jiff::Span::new().days(days)));
    day.ok().and_then(|day| first_moment(day, zone)).unwrap_or(at)
}

/// Complaints of the period, and earlier ones, with their lines looked up.
fn place(
    complaints: Vec<Complaint>,
    (lines, elsewhere): (&[AccessLine], &HashSet<String>),
    request: &Request,
    period: &Period,
    gathered: &mut Gathered,
) -> Result<Vec<PanelComplaint>, GatherError> {
    let mut hours =
        LocalHours::new(&period.zone).ok_or_else(|| GatherError::Zone { zone: period.zone.clone() })?;
    let narrowed = !request.regions.is_empty() || !request.technologies.is_empty();
    let asked = |operator: &str| {
        request.peers.is_empty()
            || operator == request.own
            || request.peers.iter().any(|peer| peer == operator)
    };
    let mut placed = Vec::new();
    for complaint in complaints {
        let is_earlier = complaint.opened_at < period.from;
        // What was not asked for is not left out.
        if (is_earlier && request.from.is_none()) || complaint.opened_at >= period.to {
            leave_out(&mut gathered.left_out, Reason::ComplaintOutside);
        }
        if complaint.opened_at >= period.to {
            continue;
        }
        let find = |id: &String| lines.binary_search_by(|line| line.line_id.cmp(id)).ok();
        let line = complaint.line_id.as_ref().and_then(find);
        let of_others = narrowed
            || complaint.operator.as_deref().is_some_and(|operator| !asked(operator))
            || complaint.line_id.as_ref().is_some_and(|id| elsewhere.contains(id));
        if line.is_none() && of_others {
            if !is_earlier {
                leave_out(&mut gathered.left_out, Reason::OtherComplaint);
            }
            continue;
        }
        let (day, hour) = hours.of(line.and_then(|at| lines[at].zone.as_deref()), complaint.opened_at);
        placed.push(PanelComplaint { line: line.map(|at| at as u32), day, hour, complaint });
    }
    placed.sort_by(|a, b| {
        (a.complaint.opened_at, &a.complaint.complaint_id)
            .cmp(&(b.complaint.opened_at, &b.complaint.complaint_id))
    });
    Ok(placed)
}

#[cfg(test)]
mod tests;
