//! Two promises of the store, measured: how fast the collector takes results compared with the bare SQLite writer in
//! the same run, and what merging very many histograms costs.
//!
//! `cargo bench --bench store` runs both at full size; `cargo bench --bench store -- ROWS` merges fewer rows. Times
//! of the processor count both user and system time of the whole process.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops when something fails"
)]

use broadgauge::collector::Collector;
use broadgauge::config::CollectorConfig;
use broadgauge::store::{Filter, Fleet as _, LocalHours, Results as _, Sqlite, fold_by_operator_metric_hour};
use broadgauge_model::clock::{Clock as _, Span, SystemClock, Wall};
use broadgauge_model::histogram::{Histogram, bucket_index};
use broadgauge_model::metric::MetricId;
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Batch, Counts, Direction, Health, Load, Numbered, Sample, Statistic, Values};
use broadgauge_model::wire;
use broadgauge_model::wire::registration::Registration;
use broadgauge_probes::probe::Stop;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const LINES: usize = 200;
const POOL: usize = 20_000;
const TOKEN: &str = "0123456789abcdef";
const METRICS: [MetricId; 5] = [
    MetricId::ROUND_TRIP_DELAY,
    MetricId::ONE_WAY_DELAY,
    MetricId::DELAY_VARIATION,
    MetricId::LOADED_ROUND_TRIP_DELAY,
    MetricId::CONNECT_TIME,
];

/// Log-normal delays, 160 to a histogram: about 130 buckets in use.
fn histograms() -> Vec<Histogram> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    (0..POOL)
        .map(|_| {
            let median = rng.random_range(5_000.0..40_000.0_f64);
            let one = |rng: &mut ChaCha8Rng| {
                let (u, v): (f64, f64) = (rng.random(), rng.random());
                let normal = (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos();
                (bucket_index((median * (0.3 * normal).exp()) as u64), 1)
            };
            Histogram::from_buckets((0..160).map(|_| one(&mut rng)).collect())
        })
        .collect()
}

fn line_id(line: usize) -> String {
    format!("line-{line:03}")
}

fn lines() -> Vec<AccessLine> {
    let operators = ["A", "B", "C", "D"];
    (0..LINES)
        .map(|n| AccessLine {
            line_id: line_id(n),
            operator: operators[n % operators.len()].into(),
            zone: Some("Europe/London".into()),
            ..AccessLine::default()
        })
        .collect()
}

/// The `n`-th batch of `size` results: every result of one agent, lines and metrics in turn.
fn batch(pool: &[Histogram], agent: &str, n: usize, size: usize) -> Batch {
    let samples = (n * size..(n + 1) * size)
        .map(|row| Numbered {
            number: row as u64,
            sample: Sample {
                metric: METRICS[row / LINES % METRICS.len()],
                method: "stamp".into(),
                method_version: 1,
                line_id: line_id(row % LINES),
                target: Some("exchange".into()),
                load: Load::Idle,
                direction: Direction::RoundTrip,
                started_at: Wall::from_secs(1_780_000_000 + (row / 1_000) as i64 * 3_888),
                lasted: Span::secs(10),
                statistic: Statistic::Singleton,
                values: Values::Histogram(pool[row * 7_919 % POOL].clone()),
                counts: Counts { planned: 160, sent: 160, received: 160, ..Counts::default() },
                details: serde_json::Map::new(),
            },
        })
        .collect();
    Batch { agent: agent.into(), health: Health::default(), samples }
}

/// Wall and processor time of `work`, in seconds.
fn timed<T>(clock: &SystemClock, work: impl FnOnce() -> T) -> (T, f64, f64) {
    let cpu = || {
        let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
        (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6
    };
    let (wall, before) = (clock.mono(), cpu());
    let value = work();
    (value, (clock.mono() - wall).as_secs_f64(), cpu() - before)
}

fn resident_mib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(f64::NAN);
    pages * 4_096.0 / f64::from(1 << 20)
}

fn main() {
    let rows = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(2_000_000);
    let clock = SystemClock::start();
    let folder = tempfile::tempdir().unwrap();
    let pool = histograms();
    let buckets = pool.iter().map(|h| h.buckets().len()).sum::<usize>() as f64 / POOL as f64;
    println!("data: {buckets:.1} buckets in use per histogram");
    ingest(&clock, folder.path(), &pool);
    merge(&clock, folder.path(), &pool, rows);
}

const BATCHES: usize = 200;
const SIZE: usize = 1_000;
const SENDERS: usize = 4;

fn ingest(clock: &SystemClock, folder: &Path, pool: &[Histogram]) {
    let bodies = folder.join("bodies");
    std::fs::create_dir(&bodies).unwrap();
    for n in 0..BATCHES {
        std::fs::write(bodies.join(n.to_string()), wire::encode(&batch(pool, "a", n, SIZE))).unwrap();
    }
    let body = std::fs::metadata(bodies.join("0")).unwrap().len();
    println!("ingest: {BATCHES} batches of {SIZE} results, {body} bytes a batch, {SENDERS} senders");
    let mut ratios = Vec::new();
    for round in 0..3 {
        let bare = bare(clock, &folder.join(format!("bare-{round}.db")), pool);
        let through = through_collector(clock, &folder.join(format!("collector-{round}.db")), &bodies);
        ratios.push(through / bare);
        println!("  collector / bare writer: {:.2}", through / bare);
    }
    ratios.sort_by(f64::total_cmp);
    println!("ingest: median ratio {:.2} (promised: at least 0.70)", ratios[ratios.len() / 2]);
}

fn bare(clock: &SystemClock, path: &Path, pool: &[Histogram]) -> f64 {
    let store = Sqlite::open(path).unwrap();
    let (mut wall, mut cpu) = (0.0, 0.0);
    for n in 0..BATCHES {
        let batch = batch(pool, "a", n, SIZE);
        let (receipt, took, used) = timed(clock, || store.put_batch(&batch).unwrap());
        assert_eq!(receipt.stored, SIZE as u64);
        wall += took;
        cpu += used;
    }
    let rate = (BATCHES * SIZE) as f64 / wall;
    println!(
        "  bare writer: {rate:.0} results/s, {cpu:.1} s of processor, resident {:.0} MiB",
        resident_mib()
    );
    rate
}

fn through_collector(clock: &SystemClock, path: &Path, bodies: &Path) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config = CollectorConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        store: path.to_str().unwrap().into(),
        token: TOKEN.into(),
        instruction_file: None,
        address_file: None,
        max_body_bytes: 16 << 20,
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let rate = runtime.block_on(async {
        let collector = Collector::bind(config).await.unwrap();
        let url = format!("http://{}", collector.address());
        let (stop, stopped) = Stop::new();
        let running = tokio::spawn(collector.run(stopped));
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let registration = Registration { version: 1, agent: "a".into(), ..Registration::default() };
        let registered =
            client.post(format!("{url}/v1/agents")).bearer_auth(TOKEN).json(&registration).send();
        assert!(registered.await.unwrap().status().is_success());
        let began = clock.mono();
        let next = Arc::new(AtomicUsize::new(0));
        let mut highest = 0.0_f64;
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..SENDERS {
            let (client, url, bodies, next) =
                (client.clone(), url.clone(), bodies.to_owned(), Arc::clone(&next));
            senders.spawn(async move {
                let mut highest = 0.0_f64;
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= BATCHES {
                        return highest;
                    }
                    let body = tokio::fs::read(bodies.join(n.to_string())).await.unwrap();
                    let request = client.post(format!("{url}/v1/batches")).bearer_auth(TOKEN).body(body);
                    let answer = request.send().await.unwrap().text().await.unwrap();
                    assert!(answer.starts_with("{\"stored\":1000,"), "{answer}");
                    highest = highest.max(resident_mib());
                }
            });
        }
        while let Some(sender) = senders.join_next().await {
            highest = highest.max(sender.unwrap());
        }
        let rate = (BATCHES * SIZE) as f64 / (clock.mono() - began).as_secs_f64();
        println!("  collector over HTTP: {rate:.0} results/s durable, resident at most {highest:.0} MiB");
        stop.send(true).unwrap();
        running.await.unwrap().unwrap();
        rate
    });
    let store = Sqlite::open(path).unwrap();
    let mut kept = 0;
    store.scan(&Filter::default(), &mut |_| kept += 1).unwrap();
    assert_eq!(kept, BATCHES * SIZE);
    rate
}

fn merge(clock: &SystemClock, folder: &Path, pool: &[Histogram], rows: usize) {
    let path = folder.join("merge.db");
    let store = Sqlite::open(&path).unwrap();
    store.put_lines(&lines()).unwrap();
    for n in 0..rows.div_ceil(10_000) {
        store.put_batch(&batch(pool, "a", n, 10_000)).unwrap();
    }
    drop(store);
    let size = std::fs::metadata(&path).unwrap().len();
    println!(
        "merge: {rows} results, {:.0} MB, {:.0} bytes each",
        size as f64 / 1e6,
        size as f64 / rows as f64
    );
    let store = Sqlite::open(&path).unwrap();
    for _ in 0..3 {
        let mut hours = LocalHours::new("UTC").unwrap();
        let fold = || fold_by_operator_metric_hour(&store, &Filter::default(), &mut hours).unwrap();
        let (groups, wall, cpu) = timed(clock, fold);
        let total: u64 = groups.values().map(Histogram::len).sum();
        println!(
            "merge: {} groups, {total} singletons: {wall:.2} s of wall time, {cpu:.2} s of processor \
             (promised for 2,000,000: under 4), resident {:.0} MiB with the mapped file",
            groups.len(),
            resident_mib(),
        );
    }
}
