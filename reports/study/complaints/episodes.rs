//! Who could have complained on which days, and who did.

use super::query::Query;
use crate::study::{Note, Words};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Class;
use broadgauge_model::panel::{Panel, Period};
use broadgauge_model::place::AccessLine;
use broadgauge_model::text::Phrase;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

/// A line at risk.
#[derive(Clone, Debug)]
pub(in crate::study) struct Line {
    /// Days in service within the period, half open.
    pub(in crate::study) days: Range<i32>,
    /// Technology, region and plan: the ground on which lines are compared.
    pub(in crate::study) ground: u32,
    /// The node, numbered.
    pub(in crate::study) node: Option<u32>,
    /// The area, numbered.
    pub(in crate::study) area: Option<u32>,
    /// Technology, region, plan and segment, each numbered: what a regression allows for.
    pub(in crate::study) traits: [u32; 4],
}

/// The words for [`Line::traits`].
pub(in crate::study) const TRAITS: [&str; 4] = ["technology", "region", "plan", "segment"];

/// A complaint that names an area and no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::study) struct AreaComplaint {
    pub(in crate::study) area: u32,
    pub(in crate::study) day: i32,
}

/// Complaints of one line and class that belong together, at the time of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::study) struct Episode {
    /// Place of the line.
    pub(in crate::study) line: u32,
    pub(in crate::study) day: i32,
    pub(in crate::study) hour: u8,
}

/// The lines of the operator and what their customers said.
#[derive(Debug)]
pub(in crate::study) struct AtRisk {
    /// Index into the panel, ascending by line id.
    pub(in crate::study) index: Vec<u32>,
    pub(in crate::study) lines: Vec<Line>,
    /// First day of the period, for every line the same calendar.
    pub(in crate::study) first_day: i32,
    pub(in crate::study) end_day: i32,
    /// By class.
    pub(in crate::study) episodes: BTreeMap<Class, Vec<Episode>>,
    /// The days of every complaint, also of repeats and before the period: by class and line, ascending.
    pub(in crate::study) complaints: BTreeMap<Class, Vec<Vec<i32>>>,
    /// The areas of the lines, ascending.
    pub(in crate::study) areas: Vec<String>,
    /// Complaints that name an area and no line, by class.
    pub(in crate::study) of_areas: BTreeMap<Class, Vec<AreaComplaint>>,
}

/// Whether an episode can begin on a day, which puts it at risk: no complaint lies so shortly before that another would be its
/// repeat. A repeat keeps its episode open for as long as the first complaint did.
pub(in crate::study) fn may_begin(complaints: &[i32], day: i32, repeat_days: i32) -> bool {
    within(complaints, &(day - repeat_days..day)) == 0
}

/// How many of these days, ascending, lie within the range.
pub(in crate::study) fn within(days: &[i32], range: &Range<i32>) -> usize {
    days.partition_point(|d| *d < range.end) - days.partition_point(|d| *d < range.start)
}

/// Local days by zone.
struct Calendar<'a> {
    default: &'a str,
    zones: HashMap<&'a str, TimeZone>,
}

impl<'a> Calendar<'a> {
    fn day(&mut self, at: Wall, zone: Option<&'a str>) -> i32 {
        let name = zone.unwrap_or(self.default);
        let rules = self.zones.entry(name).or_insert_with(|| TimeZone::get(name).unwrap_or(TimeZone::UTC));
        let local = jiff::Timestamp::from_second(at.secs()).map(|t| i64::from(rules.to_offset(t).seconds()));
        (at.secs() + local.unwrap_or(0)).div_euclid(86_400) as i32
    }

    /// The days that the period holds from midnight to midnight: the complaints and the tests of half a day are no
    /// line-day's.
    fn whole_days(&mut self, period: &Period, zone: Option<&'a str>) -> Range<i32> {
        let first = self.day(just_before(period.from), zone) + 1;
        first..self.day(period.to, zone).max(first)
    }
}

const fn just_before(at: Wall) -> Wall {
    Wall(at.0 - 1)
}

fn numbered<T: Ord>(known: &mut BTreeMap<T, u32>, key: T) -> u32 {
    let next = known.len() as u32;
    *known.entry(key).or_insert(next)
}

/// Reads the panel.
pub(in crate::study) fn at_risk(panel: &Panel, query: &Query, notes: &mut Vec<Note>) -> AtRisk {
    let mut index: Vec<u32> =
        (0..panel.lines.len() as u32).filter(|&l| panel.lines[l as usize].operator == query.own).collect();
    index.sort_by(|&a, &b| panel.lines[a as usize].line_id.cmp(&panel.lines[b as usize].line_id));
    let mut calendar = Calendar { default: &panel.period.zone, zones: HashMap::new() };
    let Range { start: first_day, end: end_day } = calendar.whole_days(&panel.period, None);
    let (mut grounds, mut nodes) = (BTreeMap::new(), BTreeMap::new());
    let mut traits: [BTreeMap<&Option<String>, u32>; 4] = Default::default();
    let areas: BTreeSet<&String> =
        index.iter().filter_map(|&at| area_of(&panel.lines[at as usize])).collect();
    let areas: Vec<String> = areas.into_iter().cloned().collect();
    let lines: Vec<Line> = index
        .iter()
        .map(|&at| {
            let line: &AccessLine = &panel.lines[at as usize];
            let zone = line.zone.as_deref();
            let mut days = calendar.whole_days(&panel.period, zone);
            if let Some(from) = line.active_from {
                days.start = days.start.max(calendar.day(from, zone));
            }
            if let Some(to) = line.active_to {
                days.end = days.end.min(calendar.day(just_before(to), zone) + 1);
            }
            days.end = days.end.max(days.start);
            let ground = (&line.technology, &line.region, &line.plan);
            Line {
                days,
                ground: numbered(&mut grounds, ground),
                node: line.node.as_ref().map(|node| numbered(&mut nodes, node)),
                area: area_of(line).and_then(|area| place_of(&areas, area)),
                traits: {
                    let words = [&line.technology, &line.region, &line.plan, &line.segment];
                    std::array::from_fn(|k| numbered(&mut traits[k], words[k]))
                },
            }
        })
        .collect();
    let (said, of_areas) = complaints(panel, query, &index, &lines, &areas, first_day..end_day, notes);
    let episodes = episodes(&said, &lines, query.repeat_days, notes);
    let days = |list: &Vec<Episode>| {
        let mut days = vec![Vec::new(); lines.len()];
        for complaint in list {
            days[complaint.line as usize].push(complaint.day);
        }
        days
    };
    let complaints = said.iter().map(|(&class, list)| (class, days(list))).collect();
    AtRisk { index, lines, first_day, end_day, episodes, complaints, areas, of_areas }
}

/// Where a line is: its area, or its region where it names none.
fn area_of(line: &AccessLine) -> Option<&String> {
    line.area.as_ref().or(line.region.as_ref())
}

fn place_of(areas: &[String], area: &String) -> Option<u32> {
    areas.binary_search(area).ok().map(|at| at as u32)
}

/// Every complaint of a known class, by line and time, also from before the period; and those that name an area alone.
fn complaints(
    panel: &Panel,
    query: &Query,
    index: &[u32],
    lines: &[Line],
    areas: &[String],
    period: Range<i32>,
    notes: &mut Vec<Note>,
) -> (BTreeMap<Class, Vec<Episode>>, BTreeMap<Class, Vec<AreaComplaint>>) {
    let mut place = vec![u32::MAX; panel.lines.len()];
    for (at, &line) in index.iter().enumerate() {
        place[line as usize] = at as u32;
    }
    let (mut no_line, mut by_area, mut no_class, mut out_of_service) = (0, 0, 0, 0);
    let mut complaints: BTreeMap<Class, Vec<Episode>> = BTreeMap::new();
    let mut of_areas: BTreeMap<Class, Vec<AreaComplaint>> = BTreeMap::new();
    let in_period = panel.complaints.iter().map(|complaint| (complaint, true));
    let earlier = panel.earlier_complaints.iter().map(|complaint| (complaint, false));
    for (complaint, in_period) in earlier.chain(in_period) {
        let Some(line) = complaint.line else {
            if !in_period {
                continue;
            }
            let said = &complaint.complaint;
            if said.operator.as_deref().is_some_and(|o| o != query.own) {
                continue;
            }
            let class = said.class.filter(|c| *c != Class::Unsure);
            match (said.area.as_ref().and_then(|area| place_of(areas, area)), class) {
                (Some(_), None) => no_class += 1,
                (Some(area), Some(class)) if period.contains(&complaint.day) => {
                    of_areas.entry(class).or_default().push(AreaComplaint { area, day: complaint.day });
                    by_area += 1;
                }
                _ => no_line += 1,
            }
            continue;
        };
        let Some(&at) = place.get(line as usize).filter(|at| **at != u32::MAX) else { continue };
        let Some(class) = complaint.complaint.class.filter(|c| *c != Class::Unsure) else {
            no_class += u64::from(in_period);
            continue;
        };
        let (day, hour) = (complaint.day, complaint.hour);
        out_of_service += u64::from(in_period && !lines[at as usize].days.contains(&day));
        complaints.entry(class).or_default().push(Episode { line: at, day, hour });
    }
    for list in complaints.values_mut() {
        list.sort_unstable();
    }
    for list in of_areas.values_mut() {
        list.sort_unstable();
    }
    let mut say = |en, zh, count| Note::push(notes, Words::plain(Phrase { en, zh }), count);
    say(
        "complaints that name neither a line nor an area of the data",
        "未指明数据内线路或地区的投诉",
        no_line,
    );
    say(
        "complaints that name an area and no line: used area by area",
        "仅指明地区而未指明线路的投诉：按地区分析",
        by_area,
    );
    say("complaints whose class is not known", "类别未知的投诉", no_class);
    say(
        "complaints outside the whole days of the period on which the line was in service",
        "不在统计期整日内或线路不在服务期内的投诉",
        out_of_service,
    );
    (complaints, of_areas)
}

/// Complaints of one line and class that belong together, at the time of the first.
fn episodes(
    complaints: &BTreeMap<Class, Vec<Episode>>,
    lines: &[Line],
    repeat_days: i32,
    notes: &mut Vec<Note>,
) -> BTreeMap<Class, Vec<Episode>> {
    const REPEATS: Phrase = Phrase {
        en: "repeats of an earlier complaint, counted as one episode",
        zh: "与先前投诉同属一次事件的重复投诉",
    };
    let mut repeats = 0;
    let mut begun = |list: &Vec<Episode>| {
        let mut last: Option<Episode> = None;
        let mut first = Vec::with_capacity(list.len());
        for &complaint in list {
            let repeat =
                last.is_some_and(|l| l.line == complaint.line && complaint.day - l.day <= repeat_days);
            // An episode that began before the line's days here is not of these days.
            if lines[complaint.line as usize].days.contains(&complaint.day) {
                if repeat {
                    repeats += 1;
                } else {
                    first.push(complaint);
                }
            }
            last = Some(complaint);
        }
        first
    };
    let episodes = complaints.iter().map(|(&class, list)| (class, begun(list))).collect();
    Note::push(notes, Words::plain(REPEATS), repeats);
    episodes
}
