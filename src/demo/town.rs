//! A small synthetic town whose truth is known: lines of three operators, ninety days of figures, and what the
//! customers of the first one said. Seeded: one seed and one last day give the same town to the byte.
//!
//! What is planted, and written beside the tables as `truth.json`:
//!
//! - under load in peak hours, the own operator's FTTC lines are slower than the peers' by a known ratio; on every
//!   other ground all operators are drawn from one distribution;
//! - a network complaint becomes more likely by a known factor for each 10 ms of loaded delay on the day before
//!   (the worst of that day's tests), on top of weekday, trend and a line's own readiness to complain;
//! - billing and service complaints have nothing to do with the network.
//!
//! The tables go through the ordinary import.

use crate::import::Kind;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The town's time zone.
pub const ZONE: &str = "Europe/Paris";
/// The operator whose customers' complaints are known.
pub const OWN: &str = "Aster";
/// The others.
pub const PEERS: [&str; 2] = ["Birch", "Cedar"];
/// The tables, in the order in which they are imported; each has a map of the same name beside it.
pub const TABLES: [Kind; 3] = [Kind::Lines, Kind::Results, Kind::Complaints];

const REGIONS: [&str; 3] = ["harbour", "hillside", "old-town"];
const PEAK: std::ops::Range<i8> = 19..23;

/// How a town is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Decides everything that is random.
    pub seed: u64,
    /// The last day with figures, on the town's calendar.
    pub last_day: Date,
    /// How many days there are.
    pub days: i32,
    /// Lines of the own operator.
    pub own_lines: usize,
    /// Lines of each peer operator.
    pub peer_lines: usize,
}

impl Plan {
    /// The town of the demo: 600 lines, ninety days.
    pub const fn of(seed: u64, last_day: Date) -> Self {
        Self { seed, last_day, days: 90, own_lines: 400, peer_lines: 100 }
    }
}

/// What was planted, and how it came out.
#[derive(Clone, Debug, Serialize)]
pub struct Truth {
    seed: u64,
    zone: &'static str,
    first_day: String,
    last_day: String,
    own: &'static str,
    peers: [&'static str; 2],
    lines: usize,
    results: u64,
    planted: Planted,
    network_complaints: u64,
    billing_complaints: u64,
    service_complaints: u64,
}

/// The planted effects.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Planted {
    /// Own through peer, loaded round-trip delay at peak, on FTTC.
    pub fttc_peak_ratio: f64,
    /// The same everywhere else.
    pub ratio_elsewhere: f64,
    /// Factor on the rate of network complaints for each 10 ms of the day before's worst loaded delay.
    pub complaint_rate_ratio_per_10_ms: f64,
    /// The same for billing and service complaints.
    pub other_complaint_rate_ratio_per_10_ms: f64,
}

/// The effects that every town has.
pub const PLANTED: Planted = Planted {
    fttc_peak_ratio: 1.35,
    ratio_elsewhere: 1.0,
    complaint_rate_ratio_per_10_ms: 1.30,
    other_complaint_rate_ratio_per_10_ms: 1.0,
};

struct Technology {
    name: &'static str,
    plan: &'static str,
    promised_down_mbps: f64,
    promised_up_mbps: f64,
    loaded_ms: f64,
    idle_ms: f64,
    lines_per_node: usize,
}

const TECHNOLOGIES: [Technology; 3] = [
    Technology {
        name: "fttp",
        plan: "fibre-500",
        promised_down_mbps: 500.0,
        promised_up_mbps: 100.0,
        loaded_ms: 14.0,
        idle_ms: 5.0,
        lines_per_node: 32,
    },
    Technology {
        name: "cable",
        plan: "cable-200",
        promised_down_mbps: 200.0,
        promised_up_mbps: 20.0,
        loaded_ms: 34.0,
        idle_ms: 13.0,
        lines_per_node: 24,
    },
    Technology {
        name: "fttc",
        plan: "vdsl-50",
        promised_down_mbps: 50.0,
        promised_up_mbps: 10.0,
        loaded_ms: 30.0,
        idle_ms: 16.0,
        lines_per_node: 16,
    },
];

struct Line {
    id: String,
    operator: &'static str,
    region: &'static str,
    technology: &'static Technology,
    node: String,
    /// This line against the usual one of its kind.
    level: f64,
    rate_level: f64,
    /// How ready its customer is to complain.
    readiness: f64,
}

/// A standard normal draw (Box and Muller, 1958).
fn normal(rng: &mut impl Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn lognormal(rng: &mut impl Rng, sd: f64) -> f64 {
    (sd * normal(rng)).exp()
}

fn settle(plan: &Plan, rng: &mut ChaCha8Rng) -> Vec<Line> {
    let mut lines = Vec::new();
    let operators = [(OWN, plan.own_lines), (PEERS[0], plan.peer_lines), (PEERS[1], plan.peer_lines)];
    for (operator, count) in operators {
        for number in 0..count {
            let technology = &TECHNOLOGIES[number % TECHNOLOGIES.len()];
            let region = REGIONS[number / TECHNOLOGIES.len() % REGIONS.len()];
            let cabinet = number / (TECHNOLOGIES.len() * REGIONS.len()) / technology.lines_per_node;
            let tag = operator.to_ascii_lowercase();
            lines.push(Line {
                id: format!("{tag}-{number:04}"),
                operator,
                region,
                technology,
                node: format!("{tag}-{region}-{}-{cabinet}", technology.name),
                level: lognormal(rng, 0.22),
                rate_level: lognormal(rng, 0.08),
                readiness: lognormal(rng, 0.5),
            });
        }
    }
    lines
}

/// How full a node is on each day, against its usual day: some evenings are bad, and bad evenings come in runs.
fn evenings(days: i32, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut state = normal(rng);
    (0..days)
        .map(|_| {
            state = 0.5 * state + (1.0_f64 - 0.25).sqrt() * normal(rng);
            (0.35 * state).exp()
        })
        .collect()
}

struct Writers<'a> {
    zone: &'a TimeZone,
    results: BufWriter<File>,
    complaints: BufWriter<File>,
    written: u64,
    tickets: [u64; 3],
}

const CLASSES: [(&str, &str); 3] = [
    ("network", "evenings are slow and video calls freeze"),
    ("billing", "the bill is higher than agreed"),
    ("service", "nobody called back"),
];

impl Writers<'_> {
    fn moment(&self, day: Date, hour: i8, minute: i8) -> io::Result<Zoned> {
        day.at(hour, minute, 0, 0).to_zoned(self.zone.clone()).map_err(io::Error::other)
    }

    fn result(
        &mut self,
        line: &Line,
        at: &Zoned,
        metric: &str,
        value: f64,
        load: &str,
        packets: &str,
    ) -> io::Result<()> {
        self.written += 1;
        writeln!(
            self.results,
            "{},{},{metric},{value:.3},{load},{packets},town-exchange,town",
            line.id,
            at.timestamp()
        )
    }

    fn complaint(&mut self, line: &Line, class: usize, day: Date, rng: &mut ChaCha8Rng) -> io::Result<()> {
        self.tickets[class] += 1;
        let ticket = self.tickets.iter().sum::<u64>();
        let at = self.moment(day, rng.random_range(8..18), rng.random_range(0..60))?;
        let (class, text) = CLASSES[class];
        writeln!(
            self.complaints,
            "T{ticket:05},{},{},{},{class},{text},phone",
            at.timestamp(),
            line.id,
            line.operator
        )
    }
}

/// Makes the town's tables in a folder: `lines.csv`, `results.csv` and `complaints.csv`, each with a map that says
/// that it is made up, and `truth.json`.
pub fn write(plan: &Plan, folder: &Path) -> io::Result<Truth> {
    std::fs::create_dir_all(folder)?;
    for kind in TABLES {
        let word = kind.word();
        let map = format!("kind = \"{word}\"\nsource = \"synthetic town\"\nmade = true\n");
        std::fs::write(folder.join(format!("{word}.toml")), map)?;
    }
    let zone = TimeZone::get(ZONE).map_err(io::Error::other)?;
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let lines = settle(plan, &mut rng);
    let first_day = plan.last_day.checked_sub((plan.days - 1).days()).map_err(io::Error::other)?;
    write_lines(&lines, first_day, plan, &zone, &folder.join("lines.csv"))?;

    let mut writers = Writers {
        zone: &zone,
        results: BufWriter::new(File::create(folder.join("results.csv"))?),
        complaints: BufWriter::new(File::create(folder.join("complaints.csv"))?),
        written: 0,
        tickets: [0; 3],
    };
    writeln!(writers.results, "line_id,started_at,metric,value,load,sent,lost,target,method")?;
    writeln!(writers.complaints, "complaint_id,opened_at,line_id,operator,class,text,channel")?;

    let mut node_evenings: std::collections::HashMap<&str, Vec<f64>> = std::collections::HashMap::new();
    for line in &lines {
        let evenings = node_evenings.entry(&line.node).or_insert_with(|| evenings(plan.days, &mut rng));
        let mut worst_yesterday = None;
        for number in 0..plan.days {
            let day = first_day.checked_add(number.days()).map_err(io::Error::other)?;
            if line.operator == OWN {
                complain(line, day, number, plan.days, worst_yesterday, &mut writers, &mut rng)?;
            }
            worst_yesterday = Some(measure(line, day, evenings[number as usize], &mut writers, &mut rng)?);
        }
    }
    writers.results.flush()?;
    writers.complaints.flush()?;

    let [network_complaints, billing_complaints, service_complaints] = writers.tickets;
    let truth = Truth {
        seed: plan.seed,
        zone: ZONE,
        first_day: first_day.to_string(),
        last_day: plan.last_day.to_string(),
        own: OWN,
        peers: PEERS,
        lines: lines.len(),
        results: writers.written,
        planted: PLANTED,
        network_complaints,
        billing_complaints,
        service_complaints,
    };
    std::fs::write(folder.join("truth.json"), serde_json::to_string_pretty(&truth)?)?;
    Ok(truth)
}

fn write_lines(lines: &[Line], first_day: Date, plan: &Plan, zone: &TimeZone, path: &Path) -> io::Result<()> {
    let midnight = |day: Date| day.to_zoned(zone.clone()).map(|at| at.timestamp()).map_err(io::Error::other);
    let (from, to) = (midnight(first_day)?, midnight(plan.last_day.tomorrow().map_err(io::Error::other)?)?);
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(
        out,
        "line_id,operator,region,node,technology,plan,promised_down_mbps,promised_up_mbps,zone,active_from,active_to"
    )?;
    for line in lines {
        let Technology { name, plan, promised_down_mbps, promised_up_mbps, .. } = line.technology;
        writeln!(
            out,
            "{},{},{},{},{name},{plan},{promised_down_mbps},{promised_up_mbps},{ZONE},{from},{to}",
            line.id, line.operator, line.region, line.node
        )?;
    }
    out.flush()
}

/// A day's tests of one line; the worst loaded delay of the day comes back, in milliseconds.
fn measure(
    line: &Line,
    day: Date,
    evening: f64,
    writers: &mut Writers<'_>,
    rng: &mut ChaCha8Rng,
) -> io::Result<f64> {
    let early = rng.random_range(PEAK);
    let late = PEAK.start + (early - PEAK.start + rng.random_range(1..4)) % 4;
    let mut quiet = rng.random_range(0..20);
    if PEAK.contains(&quiet) {
        quiet += 4;
    }
    let mut worst = 0.0_f64;
    for hour in [quiet, early, late] {
        let at = writers.moment(day, hour, rng.random_range(0..60))?;
        let mut loaded = line.technology.loaded_ms * line.level * lognormal(rng, 0.18);
        if PEAK.contains(&hour) {
            let own_fttc = line.operator == OWN && line.technology.name == "fttc";
            loaded *=
                1.3 * evening * if own_fttc { PLANTED.fttc_peak_ratio } else { PLANTED.ratio_elsewhere };
        }
        // What the table says is what the customer had: the planted effect is on the rounded value.
        let loaded = (loaded * 1e3).round() / 1e3;
        worst = worst.max(loaded);
        writers.result(line, &at, "loaded_round_trip_delay", loaded, "down", ",")?;
    }
    let at = writers.moment(day, early, rng.random_range(0..60))?;
    let share = (0.97 * line.rate_level * lognormal(rng, 0.04) / evening.powf(0.15)).min(1.02);
    writers.result(line, &at, "download_goodput", share * line.technology.promised_down_mbps, "down", ",")?;
    let idle = line.technology.idle_ms * line.level.sqrt() * lognormal(rng, 0.10);
    writers.result(line, &at, "round_trip_delay", idle, "idle", ",")?;
    let lost = (0..1_000).filter(|_| rng.random_bool(0.0004 * evening)).count();
    writers.result(line, &at, "loss_ratio", lost as f64 / 1e3, "idle", &format!("1000,{lost}"))?;
    Ok(worst)
}

fn complain(
    line: &Line,
    day: Date,
    number: i32,
    days: i32,
    worst_yesterday: Option<f64>,
    writers: &mut Writers<'_>,
    rng: &mut ChaCha8Rng,
) -> io::Result<()> {
    let weekday = match day.weekday() {
        Weekday::Monday => 1.3,
        Weekday::Sunday => 0.7,
        _ => 1.0,
    };
    let usual = line.readiness * weekday * (1.0 + 0.3 * f64::from(number) / f64::from(days));
    if let Some(worst) = worst_yesterday {
        let steps = (worst - 40.0) / 10.0;
        let hazard = 0.0035 * usual * PLANTED.complaint_rate_ratio_per_10_ms.powf(steps);
        if rng.random_bool(hazard.min(0.5)) {
            writers.complaint(line, 0, day, rng)?;
        }
    }
    for (class, hazard) in [(1, 0.004), (2, 0.002)] {
        if rng.random_bool((hazard * usual).min(0.5)) {
            writers.complaint(line, class, day, rng)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> Plan {
        Plan { days: 21, own_lines: 60, peer_lines: 18, ..Plan::of(seed, Date::constant(2026, 8, 30)) }
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
        let rows = |table: &str| {
            let text = std::fs::read_to_string(folder.path().join(table)).expect("there");
            text.lines().count() as u64 - 1
        };
        assert_eq!(rows("lines.csv"), 96);
        assert_eq!(rows("results.csv"), truth.results);
        assert_eq!(truth.results, 96 * 21 * 6);
        let complaints = truth.network_complaints + truth.billing_complaints + truth.service_complaints;
        assert_eq!(rows("complaints.csv"), complaints);
        assert!(truth.network_complaints > 0);
    }
}
