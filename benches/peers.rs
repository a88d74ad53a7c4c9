//! How long `study peers` takes over a million imported singletons of a thousand lines with two thousand replicates, and
//! how much memory, through the command itself: it opens the store, gathers, compares and writes its answer. Beside
//! it stands the same comparison in numpy (`benches/peers.py`, quantiles, intervals and p-values only), where there is a
//! Python with numpy; it runs fewer replicates, and its time is taken in proportion.
//!
//! `cargo bench --bench peers`; `cargo bench --bench peers -- SINGLETONS PYTHON` takes fewer, and another interpreter.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops when something fails"
)]

use broadgauge::store::{Entry, Fleet as _, Results as _, Source, SourceKind, Sqlite, Window};
use broadgauge_model::clock::{Clock as _, Span, SystemClock, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Counts, Direction, Load, Sample, Statistic, Values};
use nix::sys::resource::{UsageWho, getrusage};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const LINES: usize = 1_000;
const REPLICATES: usize = 2_000;
const NUMPY_REPLICATES: usize = 20;
const REGIONS: [&str; 4] = ["north", "east", "south", "west"];

fn line(n: usize) -> AccessLine {
    AccessLine {
        line_id: format!("line-{n:04}"),
        operator: ["A", "B"][n % 2].into(),
        region: Some(REGIONS[n / 2 % REGIONS.len()].into()),
        technology: Some("fttc".into()),
        zone: Some("UTC".into()),
        ..AccessLine::default()
    }
}

/// Fills a store, and writes the same as a table of numbers.
fn fill(folder: &Path, singletons: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let store = Sqlite::open(&folder.join("broadgauge.db")).unwrap();
    store.put_lines(&(0..LINES).map(line).collect::<Vec<_>>()).unwrap();
    let source = Source { kind: SourceKind::Imported, name: "a panel".into() };
    let mut normal = move || {
        let (u, v): (f64, f64) = (random.random(), random.random());
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    let levels: Vec<f64> = (0..LINES).map(|n| (20.0 + n as f64 % 2.0) * (0.35 * normal()).exp()).collect();
    let mut table = String::new();
    for first in (0..singletons).step_by(20_000) {
        let mut entries = Vec::new();
        for n in first..(first + 20_000).min(singletons) {
            let (place, round) = (n % LINES, n / LINES);
            let hour = [4, 9, 14, 20][round % 4];
            let peak = hour == 20;
            let value = levels[place] * (0.3 * normal()).exp() * if peak { 1.3 } else { 1.0 };
            let stratum = place / 2 % REGIONS.len() * 2 + usize::from(peak);
            writeln!(table, "{place},{},{stratum},{value}", place % 2).unwrap();
            let day = (round / 4) as i64;
            let sample = Sample {
                metric: MetricId::ROUND_TRIP_DELAY,
                method: "panel".into(),
                method_version: 1,
                line_id: format!("line-{place:04}"),
                target: None,
                load: Load::Idle,
                direction: Direction::RoundTrip,
                started_at: Wall::from_secs(1_780_272_000 + day * 86_400 + hour * 3_600),
                lasted: Span::ZERO,
                statistic: Statistic::Singleton,
                values: Values::Number(value),
                counts: Counts::default(),
                details: serde_json::Map::new(),
            };
            entries.push(Entry { sample, window: Window::At });
        }
        let receipt = store.put_entries(&source, &entries).unwrap();
        assert_eq!(receipt.stored as usize, entries.len());
    }
    std::fs::write(folder.join("panel.csv"), table).unwrap();
}

fn main() {
    // `cargo bench` adds a flag of its own.
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let singletons: usize = arguments.next().map_or(1_000_000, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), singletons);
    let clock = SystemClock::start();
    let replicates = REPLICATES.to_string();
    let ask = ["study", "peers", "--own", "A", "--peer", "B", "--json", "--replicates", &replicates];
    let before = clock.mono();
    let output =
        Command::new(env!("CARGO_BIN_EXE_broadgauge")).current_dir(folder.path()).args(ask).output().unwrap();
    let seconds = (clock.mono() - before).as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The largest child so far is the study: nothing else was started.
    let mebibytes = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() as f64 / 1_024.0;
    let study: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let observations: u64 = study["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["quantile"] == 0.5 && r["strata"] == 1)
        .map(|r| r["own"]["observations"].as_u64().unwrap() + r["peer"]["observations"].as_u64().unwrap())
        .sum();
    println!("study peers: {observations} singletons of {LINES} lines, {REPLICATES} replicates");
    println!("{seconds:8.2} s, {mebibytes:.0} MiB, {} cores", std::thread::available_parallelism().unwrap());

    let python = arguments.next().unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers.py");
    let answer = Command::new(&python)
        .arg(script)
        .arg(folder.path().join("panel.csv"))
        .arg(NUMPY_REPLICATES.to_string())
        .output();
    match answer {
        Ok(answer) if answer.status.success() => {
            let told = String::from_utf8_lossy(&answer.stdout).into_owned();
            let measured: f64 = told.split_whitespace().next().unwrap().parse().unwrap();
            let whole = measured * REPLICATES as f64 / NUMPY_REPLICATES as f64;
            println!(
                "{whole:8.2} s in numpy (taken from {measured:.2} s for {NUMPY_REPLICATES} replicates): {:.1} times as long",
                whole / seconds
            );
        }
        Ok(answer) => println!("numpy: {}", String::from_utf8_lossy(&answer.stderr).trim()),
        Err(error) => println!("numpy: {python} cannot be started: {error}"),
    }
}
