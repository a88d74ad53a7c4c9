//! A synthetic town whose truth is known: lines of three operators, their figures, and what the customers of the first
//! one said. Seeded: one seed and one last day give the same town to the byte.
//!
//! What is planted, and written beside the tables as `truth.json`:
//!
//! - under load in peak hours, the own operator's FTTC lines are slower than the peers' by a known ratio; on every
//!   other ground all operators are drawn from one distribution;
//! - a network complaint becomes more likely by a known factor for each 10 ms of loaded delay on the day before
//!   (the worst of that day's tests), on top of weekday, trend and a line's own readiness to complain;
//! - billing and service complaints have nothing to do with the network.
//!
//! The whole town ([`Plan::whole`]) has more of it: nodes that fill up like queues, so that delay follows utilisation,
//! and complaints only from a known delay on; customers who judge their download rate by a mean of promise, history,
//! region and talk with known weights; work on nodes that helps, does nothing or fades, each time on nodes picked for
//! being bad; and a survey with known paths.
//!
//! The tables go through the ordinary import.

mod chance;
mod complain;
mod habits;
mod lines;
mod measure;
mod nodes;
mod plan;
mod surroundings;
mod tables;
mod truth;

pub use plan::{OWN, PEERS, PLANTED, Plan, Planted, ZONE};
pub use truth::Truth;

use complain::Complaints;
use lines::Line;
use measure::Tests;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use std::io;
use std::path::Path;
use tables::{Calendar, Table};

/// The file that tells what was planted.
pub const TRUTH: &str = "truth.json";

/// Makes the town's tables in a folder, each with a map that says that it is made up, and `truth.json`.
pub fn write(plan: &Plan, folder: &Path) -> io::Result<Truth> {
    std::fs::create_dir_all(folder)?;
    tables::maps(plan, folder)?;
    let calendar = Calendar::of(plan)?;
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let lines = lines::settle(plan, &mut rng);
    write_lines(&lines, plan, &calendar, folder)?;
    let (nodes, work) = nodes::nodes(plan, &lines, &mut rng);
    let planted = plan.planted();
    let (rates, short) = if plan.whole {
        let rates: Vec<Vec<f64>> = lines.iter().map(|line| rates(line, plan.days, &mut rng)).collect();
        let talk = surroundings::talk(&lines, &calendar, plan.days, &mut rng)?;
        surroundings::reputation(folder, &talk)?;
        surroundings::utilisation(folder, &calendar, &nodes, &mut rng)?;
        surroundings::actions(folder, &calendar, &work)?;
        surroundings::survey(folder, &calendar, &lines, &rates, &mut rng)?;
        let short = habits::shortfalls(&lines, &rates, calendar.first_day, &talk);
        (rates, short)
    } else {
        (Vec::new(), Vec::new())
    };

    let header = "line_id,started_at,metric,value,load,sent,lost,target,method";
    let results = Table::start(folder, "results", header)?;
    let mut tests = Tests { plan, planted, calendar: &calendar, results };
    let table = Table::start(folder, "complaints", complain::HEADER)?;
    let mut complaints = Complaints { plan, planted, calendar: &calendar, table, tickets: [0; 3] };
    for (at, line) in lines.iter().enumerate() {
        let node = &nodes[line.node.as_str()];
        let mut worst_yesterday = None;
        for number in 0..plan.days {
            let day = number as usize;
            if line.operator == OWN {
                let short = short.get(at).map_or(0.0, |short| short[day]);
                complaints.day(line, number, worst_yesterday, short, &mut rng)?;
            }
            let rate = rates.get(at).map(|rates| rates[day]);
            let tested = tests.day(line, number, node.evening[day], rate, &mut rng)?;
            worst_yesterday = Some(tested.worst_ms);
        }
    }
    let tickets = complaints.tickets;
    complaints.table.finish()?;
    let results = tests.results.finish()?;
    let truth = Truth::of(plan, &calendar, lines.len(), results, tickets, &work);
    std::fs::write(folder.join(TRUTH), serde_json::to_string_pretty(&truth)?)?;
    Ok(truth)
}

/// Download rates of a line of the whole town, day by day, as the table says them.
fn rates(line: &Line, days: i32, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let region = match line.region {
        "harbour" => 0.95,
        "hillside" => 0.60,
        "old-town" => 0.75,
        "meadows" => 0.88,
        "station" => 0.52,
        _ => 0.68,
    };
    let usual = line.technology.promised_down_mbps * region * line.rate_level;
    let drift = chance::drifting(rng, 0.97, days);
    let round = |rate: f64| (rate * 1e3).round() / 1e3;
    drift
        .into_iter()
        .map(|drift| round(usual * (0.25 * drift).exp() * chance::lognormal(rng, 0.05)))
        .collect()
}

fn write_lines(lines: &[Line], plan: &Plan, calendar: &Calendar, folder: &Path) -> io::Result<()> {
    let (from, to) = calendar.ends()?;
    let more = if plan.whole { ",segment,minimum_down_mbps" } else { "" };
    let header = format!(
        "line_id,operator,region,node,technology,plan,promised_down_mbps,promised_up_mbps,zone,active_from,\
         active_to{more}"
    );
    let mut table = Table::start(folder, "lines", &header)?;
    for line in lines {
        let more = match line.segment {
            Some(segment) => format!(",{segment},{}", 0.4 * line.promised_down_mbps),
            None => String::new(),
        };
        table.row(format_args!(
            "{},{},{},{},{},{},{},{},{ZONE},{from},{to}{more}",
            line.id,
            line.operator,
            line.region,
            line.node,
            line.technology.name,
            line.plan,
            line.promised_down_mbps,
            line.technology.promised_up_mbps
        ))?;
    }
    table.finish().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::Date;

    const LAST_DAY: Date = Date::constant(2026, 8, 30);

    fn plan(seed: u64) -> Plan {
        Plan { days: 21, own_lines: 60, peer_lines: 18, ..Plan::of(seed, LAST_DAY) }
    }

    fn rows(folder: &Path, table: &str) -> u64 {
        let text = std::fs::read_to_string(folder.join(table)).expect("there");
        text.lines().count() as u64 - 1
    }

    #[test]
    fn one_seed_gives_the_same_town_to_the_byte_and_another_gives_another() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, seed) in [("a", 7), ("b", 7), ("c", 8)] {
            write(&plan(seed), &folder.path().join(name)).expect("written");
        }
        for table in ["lines.csv", "results.csv", "complaints.csv", "truth.json"] {
            let read = |town: &str| std::fs::read(folder.path().join(town).join(table)).expect("there");
            assert_eq!(read("a"), read("b"), "{table}");
            // Which lines there are does not depend on the seed; what happens on them does.
            assert_eq!(read("a") != read("c"), table != "lines.csv", "{table}");
        }
    }

    #[test]
    fn the_truth_counts_what_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let truth = write(&plan(7), folder.path()).expect("written");
        assert_eq!(rows(folder.path(), "lines.csv"), 96);
        assert_eq!(rows(folder.path(), "results.csv"), truth.results);
        assert_eq!(truth.results, 96 * 21 * 6);
        let complaints = truth.network_complaints + truth.billing_complaints + truth.service_complaints;
        assert_eq!(rows(folder.path(), "complaints.csv"), complaints);
        assert!(truth.network_complaints > 0);
    }

    #[test]
    fn the_whole_town_has_everything_that_surrounds_its_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = Plan { days: 98, own_lines: 360, peer_lines: 36, ..Plan::whole(3, LAST_DAY) };
        let truth = write(&plan, folder.path()).expect("written");
        for table in ["utilisation.csv", "actions.csv", "reputation.csv"] {
            assert!(rows(folder.path(), table) > 5, "{table}");
        }
        assert_eq!(rows(folder.path(), "survey.csv"), 600);
        assert!(truth.network_complaints > 20, "{}", truth.network_complaints);
        let text = std::fs::read_to_string(folder.path().join("truth.json")).expect("there");
        for key in ["knee_ms", "expectation", "actions", "balance_point", "survey_paths"] {
            assert!(text.contains(key), "{key}");
        }
    }
}
