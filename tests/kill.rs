//! Agent and collector are real processes and are killed fifty times, in turn, at seeded moments of the traffic
//! between them. Afterwards every sample that was spooled is in the store, once.
//!
//! The test stands between the two: it relays their connections, so it knows how many bytes have passed (the moments
//! to kill are counted in bytes, not in seconds) and what the collector has acknowledged. What it cannot show: a
//! loss of power, since the kernel keeps what a killed process has written.
#![expect(clippy::unwrap_used, reason = "a test stops when something fails")]

use broadgauge::agent::spool::Spool;
use broadgauge::config::AgentConfig;
use broadgauge::store::{Filter, Results as _, Sqlite};
use broadgauge_model::clock::{Clock as _, Span, SystemClock, Wall};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Counts, Direction, Load, Sample, Statistic, Values};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

const KILLS: usize = 50;
const BACKLOG: u64 = 40_000;
/// Only a hanging process reaches it.
const PATIENCE: Duration = Duration::from_mins(1);

/// What has passed between the two.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    bytes: u64,
    acknowledged: u64,
}

/// Relays to wherever the collector listens now.
async fn relay(
    listener: TcpListener,
    collector: watch::Receiver<Option<SocketAddr>>,
    traffic: watch::Sender<Traffic>,
) {
    let traffic = Arc::new(traffic);
    while let Ok((agent, _)) = listener.accept().await {
        let (to, traffic) = (*collector.borrow(), Arc::clone(&traffic));
        tokio::spawn(async move {
            let Some(to) = to else { return };
            let Ok(collector) = TcpStream::connect(to).await else { return };
            let (agent_reads, agent_writes) = agent.into_split();
            let (collector_reads, collector_writes) = collector.into_split();
            tokio::join!(
                pass(agent_reads, collector_writes, Arc::clone(&traffic)),
                pass(collector_reads, agent_writes, traffic)
            );
        });
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    traffic: Arc<watch::Sender<Traffic>>,
) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        let kept = kept_by_a_receipt(&bytes[..length]);
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
        traffic.send_modify(|traffic| {
            traffic.bytes += length as u64;
            traffic.acknowledged += kept;
        });
    }
}

/// How many samples a receipt says are durable. One that comes in two pieces is not seen: the sum is a lower bound.
fn kept_by_a_receipt(bytes: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    text.split_once("{\"stored\":").and_then(|(_, rest)| rest.split(',').next()?.parse().ok()).unwrap_or(0)
}

fn command(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_broadgauge"));
    command.args([name, "--config"]).arg(folder.join(format!("{name}.toml")));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Starts a process and reads what it says until `until` is in a line; the rest is read and dropped.
async fn start(name: &str, folder: &Path, until: &str) -> (Child, String) {
    let mut child = command(name, folder).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut all = Vec::new();
    let line = loop {
        match timeout(PATIENCE, said.next_line()).await.expect("the process says that it is ready").unwrap() {
            Some(line) if line.contains(until) => break line,
            Some(line) => all.push(line),
            None => panic!("{name} ended: {all:?}"),
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    (child, line)
}

async fn start_agent(folder: &Path) -> Child {
    start("agent", folder, "sending to").await.0
}

async fn start_collector(folder: &Path, known: &watch::Sender<Option<SocketAddr>>) -> Child {
    let (child, line) = start("collector", folder, "http://").await;
    known.send_replace(line.split_once("http://").and_then(|(_, address)| address.trim().parse().ok()));
    assert!(known.borrow().is_some(), "{line}");
    child
}

async fn end(mut child: Child) -> ExitStatus {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    timeout(PATIENCE, child.wait()).await.expect("the process ends when it is asked to").unwrap()
}

fn write_files(folder: &Path, relay: SocketAddr, target: SocketAddr) {
    std::fs::write(folder.join("token"), "0123456789abcdef").unwrap();
    std::fs::write(folder.join("collector.toml"), "listen = \"127.0.0.1:0\"\ntoken_file = \"token\"\n")
        .unwrap();
    let head = format!(
        "agent = \"a\"\nspool = {{ dir = \"spool\" }}\nline = [{{ line_id = \"l\", operator = \"A\" }}]\n\
         target = [{{ name = \"t\", address = \"{target}\" }}]\n[collector]\nurl = \"http://{relay}\"\n\
         token_file = \"token\"\nretry_from = \"5ms\"\nretry_to = \"50ms\"\n"
    );
    let task = |n| {
        format!(
            "[[task]]\nname = \"connect-{n}\"\nmethod = \"connect\"\nschedule = {{ every = \"40ms\" }}\n\
             settings = {{ count = 1, per_second = 100.0 }}\n"
        )
    };
    let text = std::iter::once(head).chain((0..4).map(task)).collect::<String>();
    std::fs::write(folder.join("agent.toml"), text).unwrap();
}

/// Leaves the agent a backlog, as after a long absence of the collector, so that kills hit full batches.
fn spool_a_backlog(folder: &Path) {
    let config = AgentConfig::load(&folder.join("agent.toml")).unwrap();
    let mut spool = Spool::open(&config.spool, &config.agent, SystemClock::start().wall()).unwrap();
    let sample = |n: u64| Sample {
        metric: MetricId::ROUND_TRIP_DELAY,
        method: "stamp".into(),
        method_version: 1,
        line_id: "l".into(),
        target: Some("t".into()),
        load: Load::Idle,
        direction: Direction::RoundTrip,
        started_at: Wall::from_secs(1_780_000_000 + n as i64),
        lasted: Span::secs(1),
        statistic: Statistic::Singleton,
        values: Values::Histogram(Histogram::of(
            (0..30).map(|k| 5_000 + (n as i64 * 31 + k * k * 97) % 20_000),
        )),
        counts: Counts { planned: 30, sent: 30, received: 30, ..Counts::default() },
        details: serde_json::Map::new(),
    };
    for run in 0..BACKLOG / 500 {
        spool.append(&(run * 500..(run + 1) * 500).map(sample).collect::<Vec<_>>()).unwrap();
    }
}

fn segments(folder: &Path) -> usize {
    let listed = std::fs::read_dir(folder.join("spool")).unwrap().map(|entry| entry.unwrap().path());
    listed.filter(|path| path.extension().is_some_and(|end| end == "seg")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_fifty_times_nothing_acknowledged_is_lost_and_nothing_is_doubled() {
    let mut rng = ChaCha8Rng::seed_from_u64(20_260_601);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let between = TcpListener::bind("127.0.0.1:0").await.unwrap();
    write_files(folder, between.local_addr().unwrap(), target.local_addr().unwrap());
    spool_a_backlog(folder);
    tokio::spawn(async move { while target.accept().await.is_ok() {} });
    let (collector_at, collector_known) = watch::channel(None);
    let (passed, mut traffic) = watch::channel(Traffic::default());
    tokio::spawn(relay(between, collector_known, passed));

    let mut collector = start_collector(folder, &collector_at).await;
    let mut agent = start_agent(folder).await;
    for kill in 0..KILLS {
        // In the middle of a batch, between batches, or among the heads of requests.
        let within = if rng.random_bool(0.7) { 400_000 } else { 3_000 };
        let goal = traffic.borrow().bytes + rng.random_range(1..within);
        let reached = timeout(PATIENCE, traffic.wait_for(|traffic| traffic.bytes >= goal)).await.is_ok();
        assert!(reached, "no traffic before kill {kill}: {:?}", *traffic.borrow());
        if kill % 2 == 0 {
            agent.kill().await.unwrap();
            agent = start_agent(folder).await;
        } else {
            collector.kill().await.unwrap();
            collector_at.send_replace(None);
            collector = start_collector(folder, &collector_at).await;
        }
    }
    // An agent that is asked to end sends what is left, within its time; the next life sends the rest.
    assert!(end(agent).await.success());
    for life in 0.. {
        if segments(folder) == 0 {
            break;
        }
        assert!(life < 30, "the agent does not get rid of its backlog");
        assert!(end(start_agent(folder).await).await.success());
    }
    assert!(end(collector).await.success());
    check(folder, traffic.borrow().acknowledged);
}

fn check(folder: &Path, acknowledged: u64) {
    let store = Sqlite::open(&folder.join("broadgauge.db")).unwrap();
    let mut numbers: Vec<u64> = Vec::new();
    store.scan(&Filter::default(), &mut |row| numbers.push(row.number.unwrap())).unwrap();
    let unique: BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!(unique.len(), numbers.len(), "nothing is doubled");
    let (first, last) = (*unique.first().unwrap(), *unique.last().unwrap());
    assert_eq!(first % 65_536, 0, "the first is the first that was given out");
    assert_eq!(last - first + 1, numbers.len() as u64, "no number between the first and the last is missing");
    assert!(acknowledged >= 1 && numbers.len() as u64 >= acknowledged, "{} of {acknowledged}", numbers.len());
    let spool = std::fs::read_to_string(folder.join("spool/spool.json")).unwrap();
    let spool: serde_json::Value = serde_json::from_str(&spool).unwrap();
    assert_eq!(spool["floor"], last + 1, "the last number that was given out is the last in the store");
    assert_eq!((&spool["dropped"], &spool["rejected"]), (&0.into(), &0.into()));
    assert!(numbers.len() as u64 > BACKLOG);
}
