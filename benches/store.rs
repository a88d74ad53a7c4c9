//! Two promises of the store, measured: how fast the collector takes results compared with the bare SQLite writer in
//! the same run, and what merging very many histograms costs.
//!
//! Three ways to the same rows, in turn, each durable (write-ahead log, `synchronous = FULL`): prepared INSERTs of rows
//! that are encoded already, a thousand to a transaction, which is all that SQLite itself asks for; the store, which
//! encodes them, keeps the dictionaries and tells payloads apart; and the collector over HTTP, which also reads JSON.
//! All three let the log grow to the same length; what is left in it at the end (48 MiB at most) is not counted. The store's
//! checkpoints go on while its next batch is made, which its own time leaves out: only the first and the last compare whole.
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
use bytes::Bytes;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rusqlite::{Connection, params};
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

/// Processor time of the whole process so far, in seconds.
fn processor() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6
}

/// Wall and processor time of `work`, in seconds.
fn timed<T>(clock: &SystemClock, work: impl FnOnce() -> T) -> (T, f64, f64) {
    let (wall, before) = (clock.mono(), processor());
    let value = work();
    (value, (clock.mono() - wall).as_secs_f64(), processor() - before)
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
    let buckets = pool.iter().map(|h| h.buckets().count()).sum::<usize>() as f64 / POOL as f64;
    println!("data: {buckets:.1} buckets in use per histogram");
    ingest(&clock, folder.path(), &pool);
    merge(&clock, folder.path(), &pool, rows);
}

const BATCHES: usize = 200;
const SIZE: usize = 1_000;
const SENDERS: usize = 8;
const ROUNDS: usize = 9;

fn ingest(clock: &SystemClock, folder: &Path, pool: &[Histogram]) {
    let bodies: Vec<_> =
        (0..BATCHES).map(|n| Bytes::from(wire::encode(&batch(pool, "a", n, SIZE)))).collect();
    let (body, all) = (bodies[0].len(), bodies.iter().map(Bytes::len).sum::<usize>());
    println!("ingest: {BATCHES} batches of {SIZE} results, {body} bytes a batch, {SENDERS} senders");
    println!("  {} MiB of what is resident are the bodies that will be sent", all >> 20);
    let (mut to_bare, mut to_store) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let path = |way: &str| folder.join(format!("{way}-{round}.db"));
        let bare = bare(clock, &path("bare"), pool);
        let store = through_store(clock, &path("store"), pool);
        let collector = through_collector(clock, &path("collector"), &bodies);
        println!("  collector / bare writer: {:.2}, / store: {:.2}", collector / bare, collector / store);
        to_bare.push(collector / bare);
        to_store.push(collector / store);
    }
    println!(
        "ingest: median collector / bare writer {:.2} (promised: at least 0.70), / store {:.2}",
        median(to_bare),
        median(to_store)
    );
}

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn told(way: &str, rate: f64, cpu: f64) {
    println!(
        "  {way}: {rate:.0} results/s durable, {cpu:.1} s of processor, resident {:.0} MiB",
        resident_mib()
    );
}

/// Rows as SQLite takes them, and nothing else: the table and its index are the store's own.
fn bare(clock: &SystemClock, path: &Path, pool: &[Histogram]) -> f64 {
    drop(Sqlite::open(path).unwrap());
    let mut connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", 6000).unwrap();
    let (mut wall, mut cpu) = (0.0, 0.0);
    for n in 0..BATCHES {
        let batch = batch(pool, "a", n, SIZE);
        let rows: Vec<_> = batch.samples.iter().map(encoded).collect();
        let ((), took, used) = timed(clock, || {
            let transaction = connection.transaction().unwrap();
            {
                let mut insert = transaction.prepare_cached(INSERT).unwrap();
                for (number, line, metric, started_at, hist) in &rows {
                    let missing = None::<i64>;
                    insert
                        .execute(params![
                            1,
                            number,
                            7_919 * number * number,
                            1,
                            line,
                            metric,
                            1,
                            1,
                            started_at,
                            10_000_000_000_i64,
                            0,
                            0,
                            0,
                            0,
                            160,
                            160,
                            0,
                            160,
                            0,
                            0,
                            0,
                            0,
                            missing,
                            missing,
                            missing,
                            missing,
                            hist,
                            missing
                        ])
                        .unwrap();
                }
            }
            transaction.commit().unwrap();
        });
        wall += took;
        cpu += used;
    }
    let rate = (BATCHES * SIZE) as f64 / wall;
    told("bare writer", rate, cpu);
    rate
}

const INSERT: &str = "INSERT INTO result(stream, number, digest, source, line, metric, method, target, started_at, \
    lasted, load, direction, statistic, hours, planned, sent, missed, received, lost, late, duplicate, reordered, \
    lost_forward, lost_backward, value, unmeasured, hist, details) \
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, \
    ?23, ?24, ?25, ?26, ?27, ?28)";

fn encoded(row: &Numbered) -> (i64, i64, i64, i64, Vec<u8>) {
    let Values::Histogram(histogram) = &row.sample.values else { unreachable!("all are histograms") };
    let line = row.number as i64 % LINES as i64;
    let metric = METRICS.iter().position(|m| *m == row.sample.metric).unwrap() as i64;
    (row.number as i64, line, metric, row.sample.started_at.0, [&[1], histogram.at_rest()].concat())
}

fn through_store(clock: &SystemClock, path: &Path, pool: &[Histogram]) -> f64 {
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
    told("store", rate, cpu);
    rate
}

fn through_collector(clock: &SystemClock, path: &Path, bodies: &[Bytes]) -> f64 {
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
        let before = processor();
        let began = clock.mono();
        let next = Arc::new(AtomicUsize::new(0));
        let mut resident = vec![(0, resident_mib())];
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..SENDERS {
            let (client, url, bodies, next) =
                (client.clone(), url.clone(), bodies.to_vec(), Arc::clone(&next));
            senders.spawn(async move {
                let mut resident = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(body) = bodies.get(n) else { return resident };
                    let request = client.post(format!("{url}/v1/batches")).bearer_auth(TOKEN);
                    let request = request.body(body.clone());
                    let answer = request.send().await.unwrap().text().await.unwrap();
                    assert!(answer.starts_with("{\"stored\":1000,"), "{answer}");
                    resident.push((n + 1, resident_mib()));
                }
            });
        }
        while let Some(sender) = senders.join_next().await {
            resident.extend(sender.unwrap());
        }
        let rate = (BATCHES * SIZE) as f64 / (clock.mono() - began).as_secs_f64();
        told("collector", rate, processor() - before);
        resident.sort_by_key(|(batches, _)| *batches);
        let at = |share: usize| resident[(share * BATCHES / 4).min(resident.len() - 1)].1;
        let highest = resident.iter().map(|(_, mib)| *mib).fold(0.0, f64::max);
        println!(
            "    resident at the start {:.0} MiB, after a quarter {:.0}, half {:.0}, three quarters {:.0}, at the \
             end {:.0}; at most {highest:.0}",
            at(0), at(1), at(2), at(3), at(4),
        );
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
