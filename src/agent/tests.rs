use super::*;
use crate::collector::Collector;
use crate::config::CollectorConfig;
use crate::store::{Filter, Fleet as _, Memory, Results as _, Store};
use async_trait::async_trait;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::post;
use axum::{Json, Router};
use broadgauge_model::clock::{ManualClock, Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Batch, Counts, Direction, Health, Load, Numbered, Sample, Statistic, Values};
use broadgauge_model::wire;
use broadgauge_model::wire::receipt::Receipt;
use broadgauge_probes::probe::{Context, Descriptor, Kind, Measurement, Probe, ProbeError};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const NOW: Wall = Wall::from_secs(1_780_315_200);
const FIRST: u64 = 1_780_315_200 << 16;
const TOKEN: &str = "0123456789abcdef";

static DESCRIPTOR: Descriptor = Descriptor {
    name: "scripted",
    version: 3,
    about: "does as its settings say",
    kind: Kind::Active,
    metrics: &["connect_time", "loss_ratio"],
    loads_the_line: false,
    default_port: None,
};

/// The same, one at a time on a line.
static HEAVY: Descriptor = Descriptor { name: "heavy", loads_the_line: true, ..DESCRIPTOR };

static SCRIPTED: &[Method] = &[
    Method { descriptor: &DESCRIPTOR, build: |settings, _| Ok(Box::new(Scripted::of(settings))) },
    Method { descriptor: &HEAVY, build: |settings, _| Ok(Box::new(Scripted::of(settings))) },
];

/// Who waits for the runs of a play.
static WATCHERS: LazyLock<Mutex<HashMap<String, UnboundedSender<String>>>> = LazyLock::new(Mutex::default);

fn watch_play(play: &str) -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    hold(&WATCHERS).insert(play.to_owned(), sender);
    receiver
}

struct Scripted {
    play: String,
    /// A folder that vanishes while this runs.
    wrecks: Option<PathBuf>,
}

impl Scripted {
    fn of(settings: &serde_json::Map<String, serde_json::Value>) -> Self {
        let text = |key: &str| settings.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        Self { play: text("play").unwrap_or_default(), wrecks: text("wrecks").map(PathBuf::from) }
    }
}

#[async_trait]
impl Probe for Scripted {
    fn describe(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    async fn run(&self, context: &Context) -> Result<Measurement, ProbeError> {
        if let Some(folder) = &self.wrecks {
            // The second run finds it gone.
            let _ = std::fs::remove_dir_all(folder);
        }
        if let Some(watcher) = hold(&WATCHERS).get(&self.play) {
            let _ = watcher.send(context.line_id.clone());
        }
        match context.address.as_str() {
            "unreachable" => {
                let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                return Err(ProbeError::Unreachable { address: "192.0.2.1:862".into(), source });
            }
            "endless" => context.stop.clone().wait().await,
            "deaf" => std::future::pending().await,
            "broken" => panic!("as the script says"),
            _ => {}
        }
        let sample = |metric| Sample {
            metric,
            method: DESCRIPTOR.name.into(),
            method_version: DESCRIPTOR.version,
            line_id: context.line_id.clone(),
            target: Some(context.target.clone()),
            load: Load::Idle,
            direction: Direction::RoundTrip,
            started_at: context.clock.wall(),
            lasted: Span::ZERO,
            statistic: Statistic::Singleton,
            values: Values::Number(1.5),
            counts: Counts::default(),
            details: serde_json::Map::new(),
        };
        Ok(Measurement {
            started_at: context.clock.wall(),
            samples: vec![sample(MetricId::CONNECT_TIME), sample(MetricId::LOSS_RATIO)],
            singletons: Vec::new(),
            bytes_moved: 100,
            interrupted: context.stop.is_set(),
        })
    }
}

fn config(folder: &Path, url: &str, play: &str, targets: &[&str]) -> AgentConfig {
    std::fs::write(folder.join("token"), TOKEN).unwrap();
    let mut text = format!(
        "agent = \"a\"\n[collector]\nurl = \"{url}\"\ntoken_file = \"token\"\nretry_from = \"1ms\"\n\
         retry_to = \"5ms\"\n[[line]]\nline_id = \"own\"\noperator = \"A\"\n[[line]]\nline_id = \"peer\"\n\
         operator = \"B\"\n"
    );
    for target in targets {
        text.extend([
            "[[target]]\nname = \"T\"\naddress = \"T\"\n".replace('T', target),
            "[[task]]\nmethod = \"scripted\"\nlines = [\"own\", \"peer\"]\n".to_owned(),
            format!(
                "target = \"{target}\"\nschedule = {{ once = true }}\nsettings = {{ play = \"{play}\" }}\n"
            ),
        ]);
    }
    AgentConfig::parse(&folder.join("agent.toml"), &text).unwrap()
}

struct Desk {
    url: String,
    store: Arc<Memory>,
    stop: watch::Sender<bool>,
    running: tokio::task::JoinHandle<()>,
}

async fn desk(store: Arc<Memory>) -> Desk {
    let config = CollectorConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        store: "memory:".into(),
        token: TOKEN.into(),
        instruction_file: None,
        address_file: None,
        max_body_bytes: 1 << 20,
    };
    let shared: Arc<dyn Store> = store.clone();
    let collector = Collector::bind_over(config, shared).await.unwrap();
    let url = format!("http://{}", collector.address());
    let (stop, stopped) = Stop::new();
    let running = tokio::spawn(async move { collector.run(stopped).await.unwrap() });
    Desk { url, store, stop, running }
}

impl Desk {
    fn samples(&self) -> Vec<(u64, Sample)> {
        let mut found = Vec::new();
        self.store
            .scan(&Filter::default(), &mut |row| {
                found.push((row.number.unwrap() - FIRST, row.to_sample().unwrap()));
            })
            .unwrap();
        found
    }

    async fn close(self) {
        self.stop.send(true).unwrap();
        self.running.await.unwrap();
    }
}

/// Runs an agent until its play has made `runs` runs.
async fn play(config: AgentConfig, name: &str, runs: usize, at: Wall) {
    let mut watcher = watch_play(name);
    let (stop, stopped) = Stop::new();
    let mut agent = tokio::spawn(run_with(config, SCRIPTED, Arc::new(ManualClock::at(at)), stopped));
    for _ in 0..runs {
        tokio::select! {
            run = watcher.recv() => assert!(run.is_some()),
            ended = &mut agent => panic!("the agent ended early: {ended:?}"),
        }
    }
    stop.send(true).unwrap();
    agent.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_measured_on_both_lines_is_at_the_collector_when_the_agent_has_stopped() {
    let (folder, desk) = (tempfile::tempdir().unwrap(), desk(Arc::default()).await);
    play(config(folder.path(), &desk.url, "both", &["exchange"]), "both", 2, NOW).await;
    let samples = desk.samples();
    assert_eq!(samples.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let mut lines: Vec<_> = samples.iter().map(|(_, sample)| sample.line_id.as_str()).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["own", "own", "peer", "peer"]);
    assert_eq!(desk.store.lines().unwrap().len(), 2, "the lines were registered");
    let health = desk.store.health().unwrap().remove(0).1;
    assert!(health.runs_done >= 1 && health.clock_synchronised.is_some());
    let spool = std::fs::read_dir(folder.path().join("spool")).unwrap();
    let paths = spool.map(|entry| entry.unwrap().path());
    let left: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "seg")).collect();
    assert!(left.is_empty(), "{left:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_run_that_could_ask_nothing_is_unmeasured_for_each_metric_and_never_zero() {
    let (folder, desk) = (tempfile::tempdir().unwrap(), desk(Arc::default()).await);
    play(config(folder.path(), &desk.url, "none", &["unreachable", "broken"]), "none", 4, NOW).await;
    let samples = desk.samples();
    assert_eq!(samples.len(), 8);
    for (_, sample) in samples {
        let Values::Unmeasured(reason) = &sample.values else { panic!("{sample:?}") };
        let expected =
            if sample.target.as_deref() == Some("broken") { "fault" } else { "connection refused" };
        assert!(reason.0.contains(expected), "{reason:?}");
        assert_eq!((sample.method_version, sample.started_at), (3, NOW));
    }
    desk.close().await;
}

#[tokio::test]
async fn a_stop_ends_what_runs_and_keeps_what_it_has() {
    let (folder, desk) = (tempfile::tempdir().unwrap(), desk(Arc::default()).await);
    play(config(folder.path(), &desk.url, "stop", &["endless"]), "stop", 2, NOW).await;
    let samples = desk.samples();
    assert_eq!(samples.len(), 4);
    assert!(samples.iter().all(|(_, sample)| sample.details["interrupted"] == true));
    desk.close().await;
}

#[tokio::test]
async fn what_ended_at_a_stop_does_not_wait_for_what_does_not_end() {
    let (folder, desk) = (tempfile::tempdir().unwrap(), desk(Arc::default()).await);
    let config = config(folder.path(), &desk.url, "deaf", &["endless", "deaf"]);
    let mut watcher = watch_play("deaf");
    let (stop, stopped) = Stop::new();
    let clock = Arc::new(ManualClock::at(NOW));
    let agent = tokio::spawn(run_with(config, SCRIPTED, clock.clone(), stopped));
    for _ in 0..4 {
        assert!(watcher.recv().await.is_some());
    }
    stop.send(true).unwrap();
    let at_the_collector = async {
        while desk.samples().len() < 4 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            clock.advance(Span::millis(50));
        }
    };
    let sent = tokio::time::timeout(Duration::from_secs(20), at_the_collector).await;
    assert!(sent.is_ok(), "the agent holds what it measured: {:?}", desk.samples());
    agent.abort();
    desk.close().await;
}

#[tokio::test]
async fn what_a_collector_that_was_away_missed_is_sent_by_the_next_life_of_the_agent() {
    let folder = tempfile::tempdir().unwrap();
    let gone = desk(Arc::default()).await;
    let url = gone.url.clone();
    gone.close().await;
    play(config(folder.path(), &url, "away", &["exchange"]), "away", 2, NOW).await;
    let desk = desk(Arc::default()).await;
    play(config(folder.path(), &desk.url, "away", &["exchange"]), "away", 2, NOW + Span::secs(60)).await;
    let numbers: Vec<_> = desk.samples().iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (0..8).collect::<Vec<_>>());
    desk.close().await;
}

/// A box without a clock of its own, with its spool in memory: every life begins at the same time and with an empty spool.
#[tokio::test]
async fn an_agent_that_lost_its_spool_and_its_clock_sends_under_new_numbers() {
    let desk = desk(Arc::default()).await;
    for life in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let at = NOW + Span::millis(life);
        play(config(folder.path(), &desk.url, "amnesia", &["exchange"]), "amnesia", 2, at).await;
        assert!(!folder.path().join("spool/rejected.jsonl").exists(), "life {life}");
    }
    let samples = desk.samples();
    assert_eq!(samples.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
    let of_the_last = samples.iter().filter(|(_, sample)| sample.started_at == NOW + Span::millis(2));
    assert_eq!(of_the_last.count(), 4);
    desk.close().await;
}

/// A sample of another program.
fn stranger() -> Sample {
    Sample {
        metric: MetricId::CONNECT_TIME,
        method: "other".into(),
        method_version: 1,
        line_id: "own".into(),
        target: None,
        load: Load::Idle,
        direction: Direction::RoundTrip,
        started_at: NOW,
        lasted: Span::ZERO,
        statistic: Statistic::Singleton,
        values: Values::Number(9.0),
        counts: Counts::default(),
        details: serde_json::Map::new(),
    }
}

#[tokio::test]
async fn a_sample_whose_number_is_taken_is_put_aside_and_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Memory::default());
    let stranger = stranger();
    let taken = vec![Numbered { number: FIRST + 1, sample: stranger.clone() }];
    store.put_batch(&Batch { agent: "a".into(), health: Health::default(), samples: taken }).unwrap();
    let desk = desk(store).await;
    let config = config(folder.path(), &desk.url, "taken", &["exchange"]);
    // An earlier life may have sent these two: they keep their numbers.
    let mut spool = Spool::open(&config.spool, "a", NOW).unwrap();
    spool.start_above(None).unwrap();
    spool.append(&[stranger.clone(), Sample { values: Values::Number(8.0), ..stranger.clone() }]).unwrap();
    drop(spool);
    play(config, "taken", 2, NOW).await;
    let samples = desk.samples();
    assert_eq!(samples.len(), 6);
    assert_eq!(samples[0], (1, stranger), "the first stays");
    let aside = std::fs::read_to_string(folder.path().join("spool/rejected.jsonl")).unwrap();
    assert_eq!(aside.lines().count(), 1);
    assert!(aside.contains("two agents given the same name"), "{aside}");
    desk.close().await;
}

#[tokio::test]
async fn a_sample_that_the_collector_cannot_read_does_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, mut arrived) = unbounded_channel();
    let batches = move |body: Bytes| {
        let seen = seen.clone();
        async move {
            let batch = wire::decode(&body).unwrap();
            if batch.samples.iter().any(|numbered| numbered.number == FIRST + 2) {
                return (StatusCode::BAD_REQUEST, Json(serde_json::json!({"error": "poison"})))
                    .into_response();
            }
            let stored = batch.samples.len() as u64;
            seen.send(batch.samples).unwrap();
            Json(Receipt { stored, ..Receipt::default() }).into_response()
        }
    };
    let app = Router::new()
        .route("/v1/agents", post(async || StatusCode::NO_CONTENT))
        .route("/v1/batches", post(batches));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    play(config(folder.path(), &url, "poison", &["exchange", "other"]), "poison", 4, NOW).await;
    server.abort();
    let mut numbers: Vec<u64> = Vec::new();
    while let Ok(samples) = arrived.try_recv() {
        numbers.extend(samples.iter().map(|numbered| numbered.number - FIRST));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 3, 4, 5, 6, 7]);
    let aside = std::fs::read_to_string(folder.path().join("spool/rejected.jsonl")).unwrap();
    assert!(aside.contains("poison") && aside.lines().count() == 1, "{aside}");
}

/// Answers every batch with the same, until it is stopped.
async fn wall(
    status: StatusCode,
    body: &'static str,
) -> (String, tokio::task::JoinHandle<std::io::Result<()>>) {
    let app = Router::new()
        .route("/v1/agents", post(async || StatusCode::NO_CONTENT))
        .route("/v1/batches", post(async move || (status, body)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (url, tokio::spawn(axum::serve(listener, app).into_future()))
}

#[tokio::test]
async fn a_refusal_in_other_words_than_the_collectors_puts_no_sample_aside() {
    let folder = tempfile::tempdir().unwrap();
    let of_others = [
        (StatusCode::BAD_REQUEST, "<html><h1>400 Bad Request</h1></html>"),
        (StatusCode::UNPROCESSABLE_ENTITY, ""),
        (StatusCode::BAD_REQUEST, r#"{"error":"bad request","request_id":"7"}"#),
    ];
    let mut at = NOW;
    for (status, body) in of_others {
        let (url, server) = wall(status, body).await;
        play(config(folder.path(), &url, "proxy", &["exchange"]), "proxy", 2, at).await;
        server.abort();
        assert!(!folder.path().join("spool/rejected.jsonl").exists(), "{status} {body}");
        at = at + Span::secs(60);
    }
    let desk = desk(Arc::default()).await;
    play(config(folder.path(), &desk.url, "proxy", &["exchange"]), "proxy", 2, at).await;
    assert_eq!(desk.samples().len(), 16, "all of it was only late");
    desk.close().await;
}

#[tokio::test]
async fn an_agent_that_the_collector_has_forgotten_registers_again() {
    let folder = tempfile::tempdir().unwrap();
    let registrations = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&registrations);
    let known = Arc::clone(&registrations);
    let app = Router::new()
        .route(
            "/v1/agents",
            post(async move || {
                *hold(&counted) += 1;
                StatusCode::NO_CONTENT
            }),
        )
        .route(
            "/v1/batches",
            post(async move || {
                if *hold(&known) < 2 {
                    return StatusCode::CONFLICT.into_response();
                }
                Json(Receipt::default()).into_response()
            }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    play(config(folder.path(), &url, "forgotten", &["exchange"]), "forgotten", 2, NOW).await;
    server.abort();
    assert_eq!(*hold(&registrations), 2);
}

#[tokio::test]
async fn an_agent_that_is_forgotten_as_soon_as_it_has_registered_waits_before_it_tries_again() {
    let folder = tempfile::tempdir().unwrap();
    let requests = Arc::new(Mutex::new(0));
    let (registered, sent) = (Arc::clone(&requests), Arc::clone(&requests));
    let count = |requests: Arc<Mutex<u32>>, status| {
        post(async move || {
            *hold(&requests) += 1;
            status
        })
    };
    let app = Router::new()
        .route("/v1/agents", count(registered, StatusCode::NO_CONTENT))
        .route("/v1/batches", count(sent, StatusCode::CONFLICT));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    let mut config = config(folder.path(), &url, "vain", &["exchange"]);
    (config.collector.retry_from, config.collector.retry_to) = (Span::secs(3_600), Span::secs(3_600));
    play(config, "vain", 2, NOW).await;
    server.abort();
    // Once when there was something to send, and once more when the agent was stopped; each time twice.
    assert!(*hold(&requests) <= 8, "{}", *hold(&requests));
}

/// Notes on which threads it is asked for the calendar.
#[derive(Default)]
struct Watchful(Mutex<Vec<std::thread::ThreadId>>);

impl Clock for Watchful {
    fn mono(&self) -> broadgauge_model::clock::Mono {
        broadgauge_model::clock::Mono(0)
    }

    fn wall(&self) -> Wall {
        hold(&self.0).push(std::thread::current().id());
        NOW
    }
}

#[tokio::test]
async fn the_books_are_read_on_no_thread_that_measures() {
    let (folder, desk) = (tempfile::tempdir().unwrap(), desk(Arc::default()).await);
    let config = config(folder.path(), &desk.url, "books", &["exchange"]);
    let clock = Arc::new(Watchful::default());
    let mut spool = Spool::open(&config.spool, "a", NOW).unwrap();
    spool.append(&[stranger()]).unwrap();
    let shared = Arc::new(Shared {
        spool: Mutex::new(spool),
        books: Mutex::new(Books::open(&config.spool.dir, Vec::new(), NOW).unwrap()),
        spooled: tokio::sync::Notify::new(),
        clock: clock.clone(),
    });
    let (_close, closing) = watch::channel(true);
    let registration = registration(&config, SCRIPTED);
    Uplink::new(config.collector, registration, 1, shared).unwrap().run(closing).await;
    assert_eq!(desk.samples().len(), 1);
    let threads = std::mem::take(&mut *hold(&clock.0));
    assert!(!threads.is_empty() && !threads.contains(&std::thread::current().id()), "{threads:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_task_that_no_method_can_run_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path(), "http://127.0.0.1:1", "x", &["exchange"]);
    config.tasks[0].method = "telepathy".into();
    let error = run_with(config, SCRIPTED, Arc::new(ManualClock::at(NOW)), Stop::never()).await.unwrap_err();
    assert!(error.to_string().contains("\"telepathy\" is not one of: scripted"), "{error}");
}

#[tokio::test]
async fn a_disk_that_takes_nothing_any_more_holds_up_neither_a_task_nor_its_line() {
    let (folder, desk) = (tempfile::tempdir().unwrap(), desk(Arc::default()).await);
    let mut config = config(folder.path(), &desk.url, "full", &["exchange", "other"]);
    config.tasks.retain(|task| task.line == "own");
    let spool = folder.path().join("spool");
    for task in &mut config.tasks {
        task.method = "heavy".into();
        task.settings.insert("wrecks".into(), spool.to_string_lossy().into());
    }
    let mut watcher = watch_play("full");
    let (stop, stopped) = Stop::new();
    let agent = tokio::spawn(run_with(config, SCRIPTED, Arc::new(ManualClock::at(NOW)), stopped));
    for run in 1..=2 {
        let began = tokio::time::timeout(Duration::from_secs(20), watcher.recv()).await;
        assert!(matches!(began, Ok(Some(_))), "run {run} on the line never began");
    }
    stop.send(true).unwrap();
    let error = agent.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("cannot keep the spool"), "{error}");
    desk.close().await;
}
