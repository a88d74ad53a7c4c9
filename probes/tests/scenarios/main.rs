//! Every story under `scenarios/`, told to the methods it names: on virtual time, the same each time.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod streams;

use broadgauge_model::clock::Mono;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Direction, Load, Outcome, Sample, Singleton, Statistic, Values};
use broadgauge_probes::capacity::{self, Capacity};
use broadgauge_probes::codec::dns::answer_to;
use broadgauge_probes::codec::stamp::Mode;
use broadgauge_probes::dns::{self, Dns};
use broadgauge_probes::net::sim::{Scenario, SimNet};
use broadgauge_probes::net::{Inbox, Now, Packet};
use broadgauge_probes::packets::Settings;
use broadgauge_probes::peer::queue::Queue;
use broadgauge_probes::ping::Ping;
use broadgauge_probes::probe::{Context, Event, Listener, Measurement, Probe, Stop};
use broadgauge_probes::session::{Datagram, Session, Step};
use broadgauge_probes::stamp::peer::{Limits, Reflector};
use broadgauge_probes::stamp::{Stamp, estimate};
use broadgauge_probes::trace::{self, Trace};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Between which two each figure must be.
type Bounds = BTreeMap<String, (f64, f64)>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    #[expect(dead_code, reason = "for people")]
    about: String,
    methods: Vec<String>,
    task: Settings,
    /// What methods with settings of their own are told, where the story is told to them.
    trace: Option<trace::Settings>,
    dns: Option<dns::Settings>,
    capacity: Option<capacity::Settings>,
    network: Scenario,
    expect: Expectations,
}

#[derive(Deserialize)]
struct Expectations {
    #[serde(default)]
    stamp: Bounds,
    #[serde(default)]
    trace: Bounds,
    #[serde(default)]
    dns: Bounds,
    #[serde(default)]
    capacity: Bounds,
    #[serde(flatten)]
    all: Bounds,
}

/// Every story in a folder, by its name.
fn stories<S: DeserializeOwned>(folder: &str) -> BTreeMap<String, S> {
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let story = toml::from_str(&std::fs::read_to_string(&path).unwrap());
        (name.clone(), story.unwrap_or_else(|why| panic!("{name}: {why}")))
    };
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|kind| kind == "toml")).map(read).collect()
}

fn network(scenario: &Scenario) -> SimNet {
    let clock = estimate(broadgauge_probes::net::ClockState {
        synchronised: true,
        error: broadgauge_model::clock::Span::millis(5),
    });
    let reflector = Reflector::new(Mode::Open, Limits::default(), 862, clock);
    SimNet::new(scenario.clone(), Box::new(reflector))
}

/// A resolver that knows every name.
struct Resolver(VecDeque<Vec<u8>>);

impl Inbox for Resolver {
    fn received(&mut self, packet: &Packet<'_>) {
        self.0.extend(answer_to(packet.bytes, 0, false));
    }
}

impl Session for Resolver {
    fn step(&mut self, _: Now) -> Step {
        match self.0.pop_front() {
            Some(bytes) => Step::Send(Datagram { bytes, ..Datagram::default() }),
            None => Step::WaitUntil(Mono(u64::MAX)),
        }
    }
    fn send_failed(&mut self, _: u64, _: &std::io::Error) {}
}

fn resolver(scenario: &Scenario) -> SimNet {
    SimNet::new(scenario.clone(), Box::new(Resolver(VecDeque::new())))
}

/// The far end of capacity tests.
fn loader(scenario: &Scenario) -> SimNet {
    let peer = capacity::peer::Peer::new(capacity::peer::Limits::default(), Queue::new(4, 4));
    SimNet::new(scenario.clone(), Box::new(peer))
}

fn context(net: &SimNet) -> Context {
    Context::over(net, &"192.0.2.9", 42)
}

async fn measure(method: &str, task: &Settings, net: &SimNet) -> Measurement {
    measure_in(context(net), method, task).await
}

async fn measure_in(context: Context, method: &str, task: &Settings) -> Measurement {
    let probe: Box<dyn Probe> = match method {
        "stamp" => Box::new(Stamp::new(task.clone())),
        "ping" => Box::new(Ping::new(task.clone())),
        other => panic!("no method {other}"),
    };
    probe.run(&context).await.unwrap()
}

fn sample(measurement: &Measurement, metric: MetricId, direction: Direction) -> &Sample {
    let found = measurement.samples.iter().find(|s| s.metric == metric && s.direction == direction);
    found.unwrap_or_else(|| panic!("no {metric} {direction:?}"))
}

fn quantile(sample: &Sample, q: f64) -> f64 {
    let Values::Histogram(histogram) = &sample.values else { panic!("{:?}", sample.values) };
    histogram.quantile(q).unwrap() as f64 * sample.metric.tick
}

fn best(measurement: &Measurement, metric: MetricId) -> f64 {
    let found = measurement.samples.iter().find(|s| s.metric == metric && s.statistic == Statistic::Max);
    let Values::Number(mbps) = found.unwrap().values else { panic!("{metric} {:?}", found.unwrap().values) };
    mbps
}

fn figure(measurement: &Measurement, key: &str) -> f64 {
    let main = &measurement.samples[0];
    let counts = main.counts;
    let one_way = |direction, q| quantile(sample(measurement, MetricId::ONE_WAY_DELAY, direction), q);
    let count = match key {
        "planned" => counts.planned,
        "sent" => counts.sent,
        "missed" => counts.missed,
        "received" => counts.received,
        "lost" => counts.lost,
        "late" => counts.late,
        "duplicate" => counts.duplicate,
        "reordered" => counts.reordered,
        "lost_forward" => counts.lost_forward.unwrap(),
        "lost_backward" => counts.lost_backward.unwrap(),
        "kernel_stamps" => main.details["stamps"]["receive"]["kernel"].as_u64().unwrap(),
        "min_ms" => return quantile(main, 0.0),
        "p25_ms" => return quantile(main, 0.25),
        "p50_ms" => return quantile(main, 0.5),
        "p90_ms" => return quantile(main, 0.9),
        "p99_ms" => return quantile(main, 0.99),
        "max_ms" => return quantile(main, 1.0),
        "pdv_p99_ms" => {
            return quantile(sample(measurement, MetricId::DELAY_VARIATION, Direction::RoundTrip), 0.99);
        }
        "up_pdv_max_ms" => {
            return quantile(sample(measurement, MetricId::DELAY_VARIATION, Direction::Up), 1.0);
        }
        "one_way_refused" => {
            let refused = |s: &&Sample| {
                s.metric == MetricId::ONE_WAY_DELAY && matches!(s.values, Values::Unmeasured(_))
            };
            measurement.samples.iter().filter(refused).count() as u64
        }
        "down_mbps" => return best(measurement, MetricId::DOWNLOAD_CAPACITY),
        "up_mbps" => return best(measurement, MetricId::UPLOAD_CAPACITY),
        "ended_early" => u64::from(main.details["ended_early"].is_string()),
        "worst_delay_ms" => return main.details["worst_mean_delay_above_least_ms"].as_f64().unwrap(),
        "unmeasured" => u64::from(matches!(main.values, Values::Unmeasured(_))),
        "hops" => {
            measurement.samples.iter().filter(|s| s.metric == MetricId::HOP_ROUND_TRIP_DELAY).count() as u64
        }
        "first_hop_p50_ms" => {
            return quantile(sample(measurement, MetricId::HOP_ROUND_TRIP_DELAY, Direction::RoundTrip), 0.5);
        }
        "up_p50_ms" => return one_way(Direction::Up, 0.5),
        "down_p50_ms" => return one_way(Direction::Down, 0.5),
        detail => main.details[detail].as_u64().unwrap_or_else(|| panic!("no {detail}")),
    };
    count as f64
}

/// What holds whatever the network does.
fn the_books_balance(measurement: &Measurement) {
    let main = sample(measurement, MetricId::ROUND_TRIP_DELAY, Direction::RoundTrip);
    let counts = main.counts;
    assert_eq!(counts.sent + counts.missed, counts.planned);
    assert_eq!(counts.received + counts.lost, counts.sent);
    assert!(counts.late <= counts.lost);
    if let (Some(forward), Some(backward)) = (counts.lost_forward, counts.lost_backward) {
        let unknown = main.details["lost_direction_unknown"].as_u64().unwrap();
        assert_eq!(forward + backward + unknown + counts.late, counts.lost);
    }
    let Values::Histogram(delays) = &main.values else { panic!("{:?}", main.values) };
    assert_eq!(delays.len(), counts.received);
    let (_, singletons) = &measurement.singletons[0];
    assert_eq!(singletons.len() as u64, counts.planned);
    let lost = singletons.iter().filter(|s| s.outcome == Outcome::Lost).count() as u64;
    let missed = singletons.iter().filter(|s| matches!(s.outcome, Outcome::Unmeasured(_))).count() as u64;
    assert_eq!((lost, missed), (counts.lost, counts.missed));
    assert!(singletons.iter().enumerate().all(|(i, s)| s.index == i as u64));
    for sample in &measurement.samples {
        assert_eq!(sample.load, Load::Idle);
        if let Values::Number(ratio) = sample.values {
            assert!((0.0..=1.0).contains(&ratio), "{} {ratio}", sample.metric);
            let own = sample.counts;
            assert_eq!(
                ratio.to_bits(),
                (own.lost as f64 / own.sent as f64).to_bits(),
                "{:?}",
                sample.direction
            );
        }
    }
}

/// What a method found, and what it should have.
struct Told {
    method: String,
    found: BTreeMap<String, f64>,
    expect: Bounds,
}

impl Told {
    fn new(method: &str, measurement: &Measurement, expect: &Bounds) -> Self {
        let found = expect.keys().map(|key| (key.clone(), figure(measurement, key))).collect();
        Self { method: method.to_owned(), found, expect: expect.clone() }
    }

    fn wrong(&self, story: &str) -> Vec<String> {
        let outside = |(key, &(low, high)): (&String, &(f64, f64))| {
            let (method, value) = (&self.method, self.found[key]);
            (!(low..=high).contains(&value))
                .then(|| format!("{story}, {method}: {key} is {value}, not in {low}..={high}"))
        };
        self.expect.iter().filter_map(outside).collect()
    }
}

/// The story as told to the methods with settings of their own, and what is expected of each.
async fn own_settings(story: &Story) -> Vec<Told> {
    let mut out = Vec::new();
    if let Some(settings) = &story.trace {
        let net = network(&story.network);
        let probe = Trace::new(settings.clone()).unwrap();
        let measurement = probe.run(&context(&net)).await.unwrap();
        for hop in &measurement.samples[2..] {
            assert_eq!(hop.counts.received + hop.counts.lost, hop.counts.sent);
            let Values::Histogram(delays) = &hop.values else { panic!("{:?}", hop.values) };
            assert_eq!(delays.len(), hop.counts.received);
        }
        out.push(Told::new("trace", &measurement, &story.expect.trace));
    }
    if let Some(settings) = &story.dns {
        let net = resolver(&story.network);
        let probe = Dns::new(settings.clone()).unwrap();
        let measurement = probe.run(&context(&net)).await.unwrap();
        let counts = measurement.samples[0].counts;
        assert_eq!(counts.sent + counts.missed, counts.planned);
        assert_eq!(counts.received + counts.lost, counts.sent);
        assert_eq!(measurement.singletons[0].1.len() as u64, counts.planned);
        out.push(Told::new("dns", &measurement, &story.expect.dns));
    }
    if let Some(settings) = &story.capacity {
        let net = loader(&story.network);
        let probe = Capacity::new(settings.clone()).unwrap();
        let measurement = probe.run(&context(&net)).await.unwrap();
        for sample in &measurement.samples {
            assert_eq!(sample.counts.received + sample.counts.lost, sample.counts.sent);
        }
        out.push(Told::new("capacity", &measurement, &story.expect.capacity));
    }
    out
}

#[tokio::test(start_paused = true)]
async fn every_story_comes_out_as_told() {
    let mut told = 0;
    let mut wrong = Vec::new();
    for (name, story) in stories::<Story>("scenarios") {
        let mut all = own_settings(&story).await;
        for method in &story.methods {
            let net = network(&story.network);
            let measurement = measure(method, &story.task, &net).await;
            the_books_balance(&measurement);
            let mut expect = story.expect.all.clone();
            if method == "stamp" {
                expect.extend(story.expect.stamp.clone());
            }
            all.push(Told::new(method, &measurement, &expect));
        }
        told += all.len();
        wrong.extend(all.iter().flat_map(|one| one.wrong(&name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told >= 25, "{told} stories");
}

fn story(name: &str) -> Story {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).with_extension("toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn losses_are_put_down_to_the_direction_in_which_the_line_lost_them() {
    let story = story("random_loss");
    let net = network(&story.network);
    let measurement = measure("stamp", &story.task, &net).await;
    let (forward, backward) = net.truth();
    let counts = measurement.samples[0].counts;
    let unknown = measurement.samples[0].details["lost_direction_unknown"].as_u64().unwrap();
    assert!(unknown <= 3, "only what follows the last answer: {unknown}");
    assert!(forward.lost - counts.lost_forward.unwrap() <= unknown, "{forward:?} {counts:?}");
    assert!(backward.lost - counts.lost_backward.unwrap() <= unknown, "{backward:?} {counts:?}");
    assert_eq!(forward.lost + backward.lost, counts.lost);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_tells_the_same_story() {
    let story = story("duplication");
    let first = measure("stamp", &story.task, &network(&story.network)).await;
    let again = measure("stamp", &story.task, &network(&story.network)).await;
    assert_eq!(first.samples, again.samples);
    assert_eq!(first.singletons, again.singletons);
}

#[tokio::test(start_paused = true)]
async fn each_direction_counts_its_own_packets() {
    let story = story("backward_loss");
    let measurement = measure("stamp", &story.task, &network(&story.network)).await;
    let [whole, up, down] = [Direction::RoundTrip, Direction::Up, Direction::Down]
        .map(|direction| sample(&measurement, MetricId::LOSS_RATIO, direction).counts);
    assert_eq!((up.lost, up.received), (0, up.sent));
    assert_eq!((down.sent, down.lost), (up.received, whole.lost_backward.unwrap()));
    assert_eq!(down.sent, down.received + down.lost);
    assert!(down.lost >= 30 && whole.sent - up.sent <= 1, "{whole:?} {up:?}");
}

#[tokio::test(start_paused = true)]
async fn packets_on_their_way_when_somebody_stops_are_not_lost() {
    let story = story("clean");
    let task = Settings { per_second: 1_000.0, ..story.task };
    for method in ["stamp", "ping"] {
        let net = network(&story.network);
        let (pull, stop) = Stop::new();
        let listener: Listener = Arc::new(move |event| {
            if matches!(event, Event::Singleton { singleton, .. } if singleton.index >= 100) {
                pull.send_replace(true);
            }
        });
        let context = Context { stop, listener: Some(listener), ..context(&net) };
        let measurement = measure_in(context, method, &task).await;
        assert!(measurement.interrupted);
        let main = &measurement.samples[0];
        // 22 ms at a packet each millisecond.
        let cut = main.details["unanswered_at_stop"].as_u64().unwrap();
        assert!((20..=24).contains(&cut), "{method}: {cut}");
        assert_eq!((main.counts.lost, main.counts.received), (0, main.counts.sent), "{method}");
        assert_eq!(main.counts.planned, main.counts.sent + main.counts.missed);
        assert_eq!(main.details["loss_periods"], 0);
        assert_eq!(main.details["lost_direction_unknown"], 0);
        let fates = &measurement.singletons[0].1;
        let stopped = |s: &&Singleton| {
            s.sent.is_some() && matches!(&s.outcome, Outcome::Unmeasured(why) if why.0.contains("stopped"))
        };
        assert_eq!(fates.iter().filter(stopped).count() as u64, cut);
        assert!(fates.iter().all(|fate| fate.outcome != Outcome::Lost));
    }
}
