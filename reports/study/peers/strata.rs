//! Like with like: which cells of which lines may be compared.
//!
//! [`Series`] are never mixed. Within a series, lines are matched on what they have in common (technology, region...),
//! and their hours are folded to peak and off-peak, weekday and weekend, or taken one by one, of the day or of the week,
//! in the line's own time.

use super::clock::Clock;
use super::mixture::Point;
use super::query::{DAYS_OF_WEEK, Key, Query};
use super::row::Stratum;
use crate::study::series::{Series, is_made, pooled_loss};
use crate::study::{Note, Words};
use broadgauge_model::histogram::bucket_highest;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{CellValues, Hours, Panel, weekday};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::text::Phrase;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A part of the week, or a summary over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::study) struct Part {
    pub(in crate::study) hours: Option<&'static str>,
    pub(in crate::study) hour: Option<&'static str>,
    pub(in crate::study) days: Option<&'static str>,
    /// Hours since the week began.
    pub(in crate::study) hour_of_week: Option<u8>,
}

impl Part {
    /// Its words, for seeds.
    pub(in crate::study) fn words(self) -> String {
        let words = format!("{} {}", self.hours.or(self.hour).unwrap_or(""), self.days.unwrap_or(""));
        self.get(Key::HourOfWeek).map_or(words.clone(), |hour| words + " " + &hour)
    }

    /// What it says of a key.
    pub(in crate::study) fn get(self, key: Key) -> Option<String> {
        let word = match key {
            Key::Hours => self.hours,
            Key::Hour => self.hour,
            Key::Days => self.days,
            Key::HourOfWeek => {
                let hour = usize::from(self.hour_of_week?);
                return Some(format!("{}-{:02}", DAYS_OF_WEEK.get(hour / 24)?, hour % 24));
            }
            _ => None,
        };
        word.map(str::to_owned)
    }

    /// All that it says, as a stratum does.
    pub(in crate::study) fn labels(self) -> impl Iterator<Item = (Key, String)> {
        Key::ALL.into_iter().filter_map(move |key| Some((key, self.get(key)?)))
    }

    /// Whether it is a summary over many hours, made elsewhere.
    pub(in crate::study) fn is_summary(self) -> bool {
        self.days == Some(Stratum::ALL_DAYS)
    }
}

/// The hours of the day, as keys have them.
const HOURS: [&str; 24] = [
    "00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16",
    "17", "18", "19", "20", "21", "22", "23",
];

/// The word for a summary over all hours.
const ALL_DAY: &str = "all_day";

/// A line's observations of one series, by part of the week.
#[derive(Clone, Debug)]
pub(in crate::study) struct LineData {
    /// The line: what is random goes with the lines of a group, not with the name of who sells them.
    pub(in crate::study) line_id: String,
    pub(in crate::study) weight: f64,
    /// Ascending by part; points ascending by value.
    pub(in crate::study) parts: Vec<(Part, Vec<Point>)>,
}

impl LineData {
    /// Its observations in a part of the week, where it has any.
    pub(in crate::study) fn points(&self, part: Part) -> Option<&[Point]> {
        self.parts.iter().find(|(p, _)| *p == part).map(|(_, points)| points.as_slice())
    }
}

/// The lines of one operator on one ground, ascending by line id.
pub(in crate::study) type Group = Vec<LineData>;

/// A series: lines by ground, then operator.
#[derive(Clone, Debug, Default)]
pub(in crate::study) struct Matched {
    pub(in crate::study) grounds: BTreeMap<Stratum, BTreeMap<String, Group>>,
    /// At which hours of the day an operator was tested on a ground, by part of the week.
    clocks: BTreeMap<(Stratum, String, Part), Clock>,
}

impl Matched {
    /// Which share of the tests of two operators was made at different hours of the day; nothing for summaries.
    pub(in crate::study) fn hours_apart(
        &self,
        ground: &Stratum,
        (one, other): (&str, &str),
        part: Part,
    ) -> Option<f64> {
        Some(self.clock(ground, one, part)?.apart(self.clock(ground, other, part)?))
    }

    /// At which hours of the day an operator was tested; nothing for summaries.
    pub(in crate::study) fn clock(&self, ground: &Stratum, operator: &str, part: Part) -> Option<&Clock> {
        self.clocks.get(&(ground.clone(), operator.to_owned(), part))
    }
}

/// The panel, matched.
#[derive(Debug, Default)]
pub(in crate::study) struct Strata {
    pub(in crate::study) series: BTreeMap<Series, Matched>,
    /// The keys that lines were matched on, without those that no line carries.
    pub(in crate::study) by: Vec<Key>,
    pub(in crate::study) notes: Vec<Note>,
}

fn attribute(line: &AccessLine, key: Key) -> Option<&str> {
    match key {
        Key::Technology => line.technology.as_deref(),
        Key::Region => line.region.as_deref(),
        Key::Area => line.area.as_deref(),
        Key::Plan => line.plan.as_deref(),
        Key::Segment => line.segment.as_deref(),
        Key::Tier => line.promise.promised_down_mbps.and_then(tier),
        Key::Hours | Key::Hour | Key::Days | Key::HourOfWeek => None,
    }
}

/// The band of a promised download rate, in Mbit/s.
fn tier(promised: f64) -> Option<&'static str> {
    let bands = [
        (10.0, "below 10"),
        (30.0, "10 to 30"),
        (100.0, "30 to 100"),
        (300.0, "100 to 300"),
        (1000.0, "300 to 1000"),
    ];
    let found = bands.iter().find(|(below, _)| promised < *below).map_or("1000 and more", |(_, name)| *name);
    (promised.is_finite() && promised > 0.0).then_some(found)
}

/// Operators of the panel, in order.
pub(in crate::study) fn operators(panel: &Panel) -> BTreeSet<&str> {
    panel.lines.iter().map(|l| l.operator.as_str()).filter(|o| !o.is_empty()).collect()
}

fn part(query: &Query, by: &[Key], hours: Hours) -> Part {
    let named = |key, name| by.contains(&key).then_some(name);
    match hours {
        Hours::At { day, hour } => Part {
            hours: named(Key::Hours, if query.peak.contains(day, hour) { "peak" } else { "off_peak" }),
            hour: HOURS.get(usize::from(hour)).copied().and_then(|hour| named(Key::Hour, hour)),
            days: named(Key::Days, if weekday(day) < 5 { "weekday" } else { "weekend" }),
            hour_of_week: (by.contains(&Key::HourOfWeek) && hour < 24).then(|| weekday(day) * 24 + hour),
        },
        // Summaries are never mixed with each other or with observations of single hours, asked or not: they are the
        // only ones to speak of all days at once.
        Hours::Peak => summary("peak"),
        Hours::AllDay => summary(ALL_DAY),
    }
}

const fn summary(hours: &'static str) -> Part {
    Part { hours: Some(hours), hour: None, days: Some(Stratum::ALL_DAYS), hour_of_week: None }
}

/// Matches the panel's lines of the operators asked for.
pub(in crate::study) fn matched(panel: &Panel, query: &Query, wanted: &BTreeSet<&str>) -> Strata {
    let mut out = Strata::default();
    let mut order: Vec<u32> = (0..panel.lines.len() as u32)
        .filter(|&l| wanted.contains(panel.lines[l as usize].operator.as_str()))
        .collect();
    order.sort_by(|&a, &b| panel.lines[a as usize].line_id.cmp(&panel.lines[b as usize].line_id));

    say_weights(panel, query, &order, &mut out.notes);
    for &key in &query.by {
        let known = order.iter().filter(|&&l| attribute(&panel.lines[l as usize], key).is_some()).count();
        if key.is_of_time() || known > 0 {
            out.by.push(key);
        } else {
            let words = Phrase {
                en: "not matched on {key}: no line has one",
                zh: "未按 {key} 匹配：所有线路都没有该字段",
            };
            Note::push(&mut out.notes, Words::with(words, &[("key", &key.word())]), order.len() as u64);
        }
    }
    let mut grounds: Vec<Option<Stratum>> = vec![None; panel.lines.len()];
    let mut rank = vec![u32::MAX; panel.lines.len()];
    let mut unmatched: BTreeMap<Key, u64> = BTreeMap::new();
    for (place, &line) in order.iter().enumerate() {
        rank[line as usize] = place as u32;
        let row = &panel.lines[line as usize];
        let mut ground = Vec::new();
        let mut missing = None;
        for &key in out.by.iter().filter(|k| !k.is_of_time()) {
            match attribute(row, key) {
                Some(value) => ground.push((key, value.to_owned())),
                None => missing = missing.or(Some(key)),
            }
        }
        if let Some(key) = missing {
            *unmatched.entry(key).or_default() += 1;
        } else {
            grounds[line as usize] = Some(Stratum(ground));
        }
    }
    for (key, count) in unmatched {
        let words = Phrase {
            en: "lines without {key} cannot be matched",
            zh: "没有 {key} 字段的线路无法匹配",
        };
        Note::push(&mut out.notes, Words::with(words, &[("key", &key.word())]), count);
    }

    let (keyed, series, parts) = keyed(panel, query, &out.by, &rank, &grounds);
    let mut not_finite = 0;
    for cells in keyed.chunk_by(|a, b| (a.series, a.line) == (b.series, b.line)) {
        let line = order[cells[0].line as usize] as usize;
        let row = &panel.lines[line];
        let Some(ground) = &grounds[line] else { continue };
        let mut data =
            LineData { line_id: row.line_id.clone(), weight: weight(row, query), parts: Vec::new() };
        let mut hours = Vec::new();
        for same in cells.chunk_by(|a, b| a.part == b.part) {
            let metric = series[same[0].series as usize].metric;
            let (points, bad) = merged(panel, metric, same);
            not_finite += bad;
            if !points.is_empty() {
                let part = parts[usize::from(same[0].part)];
                hours.extend(by_hour_of_day(panel, same).map(|observations| (part, observations)));
                data.parts.push((part, points));
            }
        }
        data.parts.sort_by_key(|(part, _)| *part);
        if !data.parts.is_empty() {
            let matched = out.series.entry(series[cells[0].series as usize].clone()).or_default();
            for (part, observations) in hours {
                let clock = matched.clocks.entry((ground.clone(), row.operator.clone(), part)).or_default();
                clock.add(data.weight, &observations);
            }
            let operators = matched.grounds.entry(ground.clone()).or_default();
            operators.entry(row.operator.clone()).or_default().push(data);
        }
    }
    let words = Phrase { en: "values that are not finite numbers", zh: "不是有限数的值" };
    Note::push(&mut out.notes, Words::plain(words), not_finite);
    out
}

fn own_weight(line: &AccessLine) -> Option<f64> {
    line.weight.filter(|w| w.is_finite() && *w > 0.0)
}

fn weight(line: &AccessLine, query: &Query) -> f64 {
    if query.weighted { own_weight(line).unwrap_or(1.0) } else { 1.0 }
}

/// Where lines carry weights, whether they count is said, and not left to the reader's guess.
fn say_weights(panel: &Panel, query: &Query, order: &[u32], notes: &mut Vec<Note>) {
    let carry = order.iter().filter(|&&l| own_weight(&panel.lines[l as usize]).is_some()).count() as u64;
    let (phrase, count) = if query.weighted {
        let without = Phrase {
            en: "weighted: lines without a weight, which count once",
            zh: "加权：没有权重的线路（按一条计）",
        };
        Note::push(notes, Words::plain(without), order.len() as u64 - carry);
        let phrase = Phrase {
            en: "weighted: lines that count as many times as their weight says",
            zh: "加权：按各自权重计数的线路",
        };
        (phrase, carry)
    } else {
        let phrase = Phrase {
            en: "unweighted: every line counts once; lines that carry a weight, which is not used",
            zh: "未加权：每条线路计一次；带有权重但未使用的线路",
        };
        (phrase, carry)
    };
    Note::push(notes, Words::plain(phrase), count);
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Keyed {
    series: u16,
    line: u32,
    part: u8,
    cell: u32,
}

/// The cells asked for, in the order of series, line and part.
fn keyed(
    panel: &Panel,
    query: &Query,
    by: &[Key],
    rank: &[u32],
    grounds: &[Option<Stratum>],
) -> (Vec<Keyed>, Vec<Series>, Vec<Part>) {
    let mut series: Vec<Series> = Vec::new();
    let mut known: HashMap<(MetricId, Load, Direction, Statistic, u16, bool), u16> = HashMap::new();
    let mut parts: Vec<Part> = Vec::new();
    let mut keyed = Vec::new();
    for (place, cell) in panel.cells.iter().enumerate() {
        let line = cell.line as usize;
        let asked = query.metrics.is_empty() || query.metrics.contains(&cell.metric);
        if !asked || cell.values.is_empty() || grounds.get(line).is_none_or(Option::is_none) {
            continue;
        }
        let made = is_made(panel, cell);
        let key = (cell.metric, cell.load, cell.direction, cell.statistic, cell.method, made);
        let number = *known.entry(key).or_insert_with(|| {
            let found = Series::of(panel, cell);
            // Two entries that say the same are one method.
            series.iter().position(|s| *s == found).unwrap_or_else(|| {
                series.push(found);
                series.len() - 1
            }) as u16
        });
        let part = part(query, by, cell.hours);
        let part = parts.iter().position(|p| *p == part).unwrap_or_else(|| {
            parts.push(part);
            parts.len() - 1
        });
        keyed.push(Keyed { series: number, line: rank[line], part: part as u8, cell: place as u32 });
    }
    keyed.par_sort_unstable();
    (keyed, series, parts)
}

/// How many observations cells hold at each hour of the day; nothing for summaries of many hours.
fn by_hour_of_day(panel: &Panel, cells: &[Keyed]) -> Option<[u64; 24]> {
    let mut observations = [0; 24];
    for keyed in cells {
        let cell = &panel.cells[keyed.cell as usize];
        let Hours::At { hour, .. } = cell.hours else { return None };
        *observations.get_mut(usize::from(hour))? += cell.values.len();
    }
    Some(observations)
}

/// All values of the cells, and how many were no numbers.
fn merged(panel: &Panel, metric: MetricId, cells: &[Keyed]) -> (Vec<Point>, u64) {
    if let Some(ratio) = pooled_loss(metric, cells.iter().map(|k| &panel.cells[k.cell as usize])) {
        return (vec![(ratio, cells.len() as u64)], 0);
    }
    let mut buckets: Vec<(u16, u64)> = Vec::new();
    let mut points: Vec<Point> = Vec::new();
    let mut bad = 0;
    for keyed in cells {
        match &panel.cells[keyed.cell as usize].values {
            CellValues::Histogram(histogram) => buckets.extend(histogram.buckets()),
            CellValues::Number(value) if value.is_finite() => points.push((value + 0.0, 1)),
            CellValues::Number(_) => bad += 1,
        }
    }
    buckets.sort_unstable_by_key(|b| b.0);
    points.extend(
        buckets.into_iter().map(|(index, count)| (bucket_highest(index) as f64 * metric.tick, count)),
    );
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
    (points, bad)
}
