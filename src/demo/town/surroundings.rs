//! What surrounds the whole town's lines: utilisation, work on nodes, talk, and a survey.

use super::chance::normal;
use super::habits::{Talk, month};
use super::lines::Line;
use super::nodes::{Node, Work};
use super::plan::{OWN, PEAK};
use super::tables::{Calendar, Table};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// The delay that work is to bring a node below.
const TARGET_MS: f64 = 80.0;
/// Respondents of the survey.
pub(super) const RESPONDENTS: usize = 600;
/// The survey's constructs with the number of their items, in an order in which each depends on earlier ones only.
const CONSTRUCTS: [(&str, usize); 7] = [
    ("image", 5),
    ("expectation", 3),
    ("quality", 7),
    ("value", 2),
    ("satisfaction", 3),
    ("complaints", 1),
    ("loyalty", 3),
];
/// Planted paths between what people feel: from, to, how much.
pub(super) const PATHS: [(usize, usize, f64); 9] = [
    (0, 1, 0.5),
    (1, 2, 0.3),
    (2, 3, 0.6),
    (0, 4, 0.2),
    (2, 4, 0.5),
    (3, 4, 0.2),
    (4, 5, 0.5),
    (4, 6, 0.6),
    (5, 6, 0.1),
];

/// The names of the constructs, for the truth.
pub(super) fn construct(at: usize) -> &'static str {
    CONSTRUCTS[at].0
}

/// Readings of every hour of the evening; the fullest is the one that delay follows.
pub(super) fn utilisation(
    folder: &Path,
    calendar: &Calendar,
    nodes: &BTreeMap<&str, Node>,
    rng: &mut ChaCha8Rng,
) -> io::Result<u64> {
    let mut table = Table::start(folder, "utilisation", "node,started_at,ratio,direction,capacity_mbps")?;
    for (name, node) in nodes.iter().filter(|(_, node)| node.own) {
        for (day, fullest) in node.utilisation.iter().enumerate() {
            let busiest = rng.random_range(PEAK);
            for hour in PEAK {
                let ratio =
                    if hour == busiest { *fullest } else { fullest * (0.75 + 0.2 * rng.random::<f64>()) };
                let at = calendar.stamp(day as i32, hour, 0)?;
                table.row(format_args!("{name},{at},{ratio:.4},down,2500"))?;
            }
        }
    }
    table.finish()
}

/// What was done to nodes.
pub(super) fn actions(folder: &Path, calendar: &Calendar, work: &[Work]) -> io::Result<u64> {
    let header =
        "action_id,kind,owner,due_at,node,metric,target_value,started_at,done_at,verify_by,cost,status";
    let mut table = Table::start(folder, "actions", header)?;
    for one in work {
        let at = |day: Option<i32>| day.map_or_else(|| Ok(String::new()), |day| calendar.stamp(day, 10, 0));
        table.row(format_args!(
            "{},{},{},{},{},loaded_round_trip_delay,{TARGET_MS},{},{},{},{},{}",
            one.action_id,
            one.kind,
            one.owner,
            at(Some(one.due))?,
            one.node,
            at(one.started)?,
            at(one.done)?,
            at(one.verify_by)?,
            one.cost,
            if one.done.is_some() { "done" } else { "open" }
        ))?;
    }
    table.finish()
}

/// What is said of the own operator, region by region: it differs from what there is.
pub(super) fn talk(lines: &[Line], calendar: &Calendar, days: i32, rng: &mut ChaCha8Rng) -> io::Result<Talk> {
    let regions: BTreeSet<&'static str> = lines.iter().map(|line| line.region).collect();
    let mut months = BTreeSet::new();
    // The month before the first day is what is said in the first.
    for day in -31..days {
        months.insert(month(calendar.day(day)?));
    }
    let mut talk = Talk::new();
    for (place, region) in regions.into_iter().enumerate() {
        let usual = [71.0, 52.0, 64.0, 47.0, 76.0, 58.0][place % 6];
        for month in &months {
            let score: f64 = usual + 4.0 * normal(rng);
            talk.insert((region, month.clone()), (score * 10.0).round() / 10.0);
        }
    }
    Ok(talk)
}

/// The talk as a table.
pub(super) fn reputation(folder: &Path, talk: &Talk) -> io::Result<u64> {
    let mut table = Table::start(folder, "reputation", "region,month,operator,score,source")?;
    for ((region, month), score) in talk {
        table.row(format_args!("{region},{month},{OWN},{score},town survey"))?;
    }
    table.finish()
}

/// Answers from 1 to 10; who has more of the promised rate perceives better quality.
pub(super) fn survey(
    folder: &Path,
    calendar: &Calendar,
    lines: &[Line],
    rates: &[Vec<f64>],
    rng: &mut ChaCha8Rng,
) -> io::Result<u64> {
    let items: Vec<String> = CONSTRUCTS
        .iter()
        .flat_map(|(name, items)| (1..=*items).map(move |item| format!("{name}_{item}")))
        .collect();
    let mut table = Table::start(
        folder,
        "survey",
        &format!("respondent_id,answered_at,line_id,segment,{}", items.join(",")),
    )?;
    let own: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].operator == OWN).collect();
    for respondent in 0..RESPONDENTS {
        let at = own[rng.random_range(0..own.len())];
        let line = &lines[at];
        let share = rates[at].iter().sum::<f64>() / rates[at].len() as f64 / line.promised_down_mbps;
        let mut felt = [0.0_f64; 7];
        for to in 0..felt.len() {
            let led: f64 = PATHS.iter().filter(|p| p.1 == to).map(|p| p.2 * felt[p.0]).sum();
            let kept: f64 = PATHS.iter().filter(|p| p.1 == to).map(|p| p.2 * p.2).sum();
            let network = if to == 2 { 1.2 * (share - 0.65) } else { 0.0 };
            felt[to] = led + network + (1.0 - kept).max(0.1).sqrt() * normal(rng);
        }
        let mut cells = String::new();
        for (place, (_, items)) in CONSTRUCTS.iter().enumerate() {
            for _ in 0..*items {
                let answer = (6.5 + 1.6 * (0.85 * felt[place] + 0.5 * normal(rng))).round().clamp(1.0, 10.0);
                _ = write!(cells, ",{answer}");
            }
        }
        // They are asked in the last four weeks, some every day.
        let day = rates[at].len() as i32 - 28 + respondent as i32 % 28;
        let at = calendar.stamp(day, 9 + (respondent % 11) as i8, (respondent * 7 % 60) as i8)?;
        let segment = line.segment.unwrap_or("home");
        table.row(format_args!("R{respondent:04},{at},{},{segment}{cells}", line.id))?;
    }
    table.finish()
}
