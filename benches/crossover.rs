//! The case-crossover at full size, measured: 1,000,000 line-days with 20,000 episodes.
//!
//! First the whole study of a panel (exposures, bands, contrasts, case-crossover with both controls), once with one
//! figure a line-day and once with the singletons of a line-day as a histogram. Then the regression alone, on matched
//! sets that are also written to a file; with `--python PYTHON` (one that has statsmodels) `ConditionalLogit` is given
//! the same file, and the two coefficients and times are printed beside each other.
//!
//! `cargo bench --bench crossover -- [--python PYTHON] [--sets FILE]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops when something fails"
)]

use broadgauge_model::clock::{Clock as _, SystemClock, Wall};
use broadgauge_model::complaint::{Class, Complaint};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{
    Cell, CellValues, Hours, MethodUse, Panel, PanelComplaint, Period, Source, SourceKind,
};
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_reports::stats::clogit::{Errors, MatchedSets};
use broadgauge_reports::study::complaints::{Query, study};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

const LINES: usize = 10_000;
const DAYS: i32 = 100;
/// 2024-01-01, a Monday.
const START: i32 = 19_723;

/// What each line saw before each day, and the days on which its customer complained: two a line, so far apart that
/// each is an episode, the likelier the worse the day.
struct Made {
    exposures: Vec<Vec<f64>>,
    complaints: Vec<[i32; 2]>,
}

fn made() -> Made {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut made = Made { exposures: Vec::new(), complaints: Vec::new() };
    for _ in 0..LINES {
        let level: f64 = rng.random_range(30.0..60.0);
        let days: Vec<f64> = (0..DAYS)
            .map(|_| {
                let (u, v): (f64, f64) = (rng.random(), rng.random());
                let normal = (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos();
                (level * (0.25 * normal).exp() * 1_000.0).round() / 1_000.0
            })
            .collect();
        // Among eight days drawn, the complaint takes each in proportion to exp(0.03 x).
        let mut pick = |from: i32, to: i32| -> i32 {
            let drawn: Vec<i32> = (0..8).map(|_| rng.random_range(from..to)).collect();
            let weights: Vec<f64> = drawn.iter().map(|d| (0.03 * days[*d as usize]).exp()).collect();
            let mut at = rng.random::<f64>() * weights.iter().sum::<f64>();
            for (day, weight) in drawn.iter().zip(&weights) {
                at -= weight;
                if at <= 0.0 {
                    return *day;
                }
            }
            drawn[7]
        };
        made.complaints.push([pick(2, 30), pick(62, DAYS)]);
        made.exposures.push(days);
    }
    made
}

fn panel(made: &Made, histograms: bool) -> Panel {
    let second = |day: i32| Wall::from_secs(i64::from(day) * 86_400);
    let mut panel = Panel {
        period: Period { from: second(START), to: second(START + DAYS), zone: "UTC".into() },
        methods: vec![MethodUse { name: "stamp".into(), version: 1, target_class: None }],
        sources: vec![Source { kind: SourceKind::Made, name: "benchmark".into() }],
        ..Panel::default()
    };
    for (line, (days, complaints)) in made.exposures.iter().zip(&made.complaints).enumerate() {
        panel.lines.push(AccessLine {
            line_id: format!("l{line:06}"),
            operator: "A".into(),
            ..AccessLine::default()
        });
        for (day, value) in days.iter().enumerate() {
            let values = if histograms {
                let ticks = (0..24).map(|k| ((value - 2.0 + f64::from(k) / 12.0) * 1_000.0) as i64);
                CellValues::Histogram(Histogram::of(ticks))
            } else {
                CellValues::Number(*value)
            };
            panel.cells.push(Cell {
                line: line as u32,
                metric: MetricId::LOADED_ROUND_TRIP_DELAY,
                load: Load::Down,
                direction: Direction::RoundTrip,
                statistic: if histograms { Statistic::Singleton } else { Statistic::Mean },
                method: 0,
                source: 0,
                hours: Hours::At { day: START + day as i32 - 1, hour: 23 },
                values,
                sent: 0,
                lost: 0,
            });
        }
        for day in complaints {
            let complaint = Complaint {
                complaint_id: format!("c{:06}", panel.complaints.len()),
                opened_at: second(START + day),
                class: Some(Class::Network),
                ..Complaint::default()
            };
            panel.complaints.push(PanelComplaint {
                line: Some(line as u32),
                day: START + day,
                hour: 10,
                complaint,
            });
        }
    }
    panel
}

/// The matched sets of the same design, one row a day: set, case, x.
fn write_sets(made: &Made, path: &Path) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    writeln!(out, "set,case,x").unwrap();
    let mut set = 0;
    for (days, complaints) in made.exposures.iter().zip(&made.complaints) {
        for day in complaints {
            let block = day / 28 * 28;
            for other in (block..(block + 28).min(DAYS)).filter(|d| (d - day) % 7 == 0) {
                writeln!(out, "{set},{},{}", u8::from(other == *day), days[other as usize]).unwrap();
            }
            set += 1;
        }
    }
    out.flush().unwrap();
}

type Set = (f64, Vec<[f64; 1]>);

fn read_sets(path: &Path) -> Vec<Set> {
    let mut sets: Vec<Set> = Vec::new();
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    for line in file.lines().skip(1) {
        let line = line.unwrap();
        let mut parts = line.split(',');
        let set: usize = parts.next().unwrap().parse().unwrap();
        let case = parts.next().unwrap() == "1";
        let x: f64 = parts.next().unwrap().parse().unwrap();
        if set == sets.len() {
            sets.push((0.0, Vec::new()));
        }
        if case {
            sets[set].0 = x;
        } else {
            sets[set].1.push([x]);
        }
    }
    sets
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let option = |name: &str| args.iter().position(|a| a == name).and_then(|at| args.get(at + 1)).cloned();
    let clock = SystemClock::start();
    let seconds = |from: broadgauge_model::clock::Mono| (clock.mono() - from).as_secs_f64();
    let made = made();
    for (histograms, what) in [(false, "one figure a line-day"), (true, "24 singletons a line-day")] {
        let panel = panel(&made, histograms);
        let windows_hours = vec![24];
        let query = Query { windows_hours, all_views: false, replicates: 200, ..Query::of("A") };
        let start = clock.mono();
        let found = study(&panel, &query);
        let took = seconds(start);
        let row = &found.case_crossover[0];
        let ratio = row.rate_ratio.as_estimate().unwrap();
        println!(
            "{} line-days, {what}, {} episodes: whole study with both controls {took:.2} s, rate ratio per {} {:.4}",
            LINES * DAYS as usize,
            row.episodes,
            row.per,
            ratio.value()
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let path = option("--sets").map_or_else(|| folder.path().join("sets.csv"), PathBuf::from);
    write_sets(&made, &path);
    let raw = read_sets(&path);
    let start = clock.mono();
    let mut sets = MatchedSets::new(1).unwrap();
    for (number, (case, referents)) in raw.iter().enumerate() {
        sets.push(number as u64, &[*case], referents).unwrap();
    }
    let fit = sets.fit().unwrap();
    let took = seconds(start);
    let error = fit.standard_error(0, Errors::Model).unwrap();
    println!("{} matched sets: b {:.8} se {error:.8}, {took:.4} s", raw.len(), fit.coefficients[0]);
    if let Some(python) = option("--python") {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/conditional_logit.py");
        let run = std::process::Command::new(python).arg(script).arg(&path).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let told = String::from_utf8(run.stdout).unwrap();
        let numbers: Vec<f64> = told.split_whitespace().map(|n| n.parse().unwrap()).collect();
        let [b, se, theirs] = numbers[..] else { panic!("{told}") };
        println!(
            "statsmodels ConditionalLogit: b {b:.8} se {se:.8}, {theirs:.2} s: {:.0} times as long",
            theirs / took
        );
        assert!((b - fit.coefficients[0]).abs() < 1e-5 * b.abs().max(1.0) && (se - error).abs() < 1e-5);
    }
}
